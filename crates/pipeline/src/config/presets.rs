//! How much a run does.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use physiosynth_generator::config::Per;
use physiosynth_generator::rhythm::RhythmConfig;
use physiosynth_generator::sampling::Method;
use physiosynth_preprocessing::clustering::ClusterBy;
use serde::{Deserialize, Serialize};

use super::{Config, GenerationConfig};

/// A named set of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    /// Under a minute on two cores: every record is read, few segments are trained on.
    Quick,
    /// Up to ten minutes on two cores.
    Standard,
    /// A larger network and more training: about an hour on two cores.
    Thorough,
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Thorough => "thorough",
        })
    }
}

impl FromStr for Preset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Quick, Self::Standard, Self::Thorough]
            .into_iter()
            .find(|p| p.to_string() == text)
            .ok_or_else(|| format!("there is no preset '{text}'; expected one of quick, standard, thorough"))
    }
}

/// The configuration that a preset starts from.
pub(super) fn preset(preset: Preset) -> Config {
    let mut config = Config {
        database: "demo".into(),
        preset,
        seed: 0,
        device: physiosynth_generator::device::DeviceChoice::Auto,
        strict: false,
        recordings: physiosynth_formats::RecordingsConfig::default(),
        simulator: physiosynth_simulator::SimulatorConfig::default(),
        preprocessing: physiosynth_preprocessing::PreprocessingConfig::default(),
        generator: physiosynth_generator::GeneratorConfig::default(),
        rhythm: physiosynth_generator::rhythm::RhythmConfig::default(),
        generation: GenerationConfig::default(),
        evaluation: physiosynth_evaluation::EvaluationConfig::default(),
    };
    // Pairs within a patient: across patients, the answer to a squared error is the mean of people who look nothing alike.
    config.generator.per = Per::Patient;
    match preset {
        Preset::Quick => {
            config.generator.units = 32;
            config.generator.batch = 48;
            config.generator.learning_rate = 0.005;
            config.generator.epochs = 10;
            config.generator.steps_per_epoch = 80;
            config.generator.eeg.epochs = 10;
            config.generator.eeg.steps_per_epoch = 80;
            config.generator.average_decay = 0.99;
            config.generator.validation_segments = 400;
            config.rhythm = RhythmConfig { units: 24, steps: 150, length: 128, ..config.rhythm };
            config.generation.sampler.method = Method::Fast;
            config.generation.sampler.steps = 8;
            config.generation.sampler.tuning = 256;
            config.generation.segment_patients = 30;
            config.generation.segments_per_class = 200;
            config.generation.patients = 2;
            config.generation.patient_duration_s = 30.0;
            config.evaluation.segments_per_class = 200;
            config.evaluation.utility_draws = 3;
            config.evaluation.forest_trees = 60;
            config.evaluation.network_steps = 0;
        }
        Preset::Standard => {
            config.preprocessing.clustering.by = ClusterBy::SubjectClass;
            config.generator.units = 64;
            config.generator.epochs = 30;
            config.generator.steps_per_epoch = 600;
            config.generator.eeg.epochs = 30;
            config.generator.eeg.steps_per_epoch = 200;
        }
        Preset::Thorough => {
            config.preprocessing.clustering.by = ClusterBy::SubjectClass;
            config.generator.units = 96;
            config.generator.epochs = 40;
            config.generator.steps_per_epoch = 600;
            config.generator.eeg.epochs = 40;
            config.generator.eeg.steps_per_epoch = 600;
            config.generator.average_decay = 0.9995;
            config.generator.validation_segments = 2_000;
            config.rhythm.steps = 2_000;
            config.generation.sampler.steps = 40;
            config.generation.patients = 16;
            config.generation.patient_duration_s = 300.0;
        }
    }
    config
}

//! The configuration of a run: one TOML file, each crate owning its table.
//!
//! Settings are laid over one another in this order, the later winning: the preset's defaults, the file (`--config`, or for
//! a single stage the run folder's own `config.toml`), the flags, `--set`. A key that no layer below knows is an error that
//! names the nearest one.

mod overlay;
mod presets;

use std::path::Path;

use anyhow::{Context, Result};
use physiosynth_evaluation::EvaluationConfig;
use physiosynth_generator::GeneratorConfig;
use physiosynth_generator::device::DeviceChoice;
use physiosynth_preprocessing::PreprocessingConfig;
use physiosynth_simulator::SimulatorConfig;
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::error::Usage;

pub(crate) use presets::Preset;

/// Everything that decides a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// A folder of recordings, the name of a database that was fetched, or `demo` or `demo-eeg` for a simulated one.
    pub(crate) database: String,
    /// The preset that the other values started from.
    pub(crate) preset: Preset,
    /// Seed of everything random; below 2⁶³, the largest number a TOML file holds.
    pub(crate) seed: u64,
    /// `auto`, `cpu` or `wgpu`.
    pub(crate) device: DeviceChoice,
    /// Stop at the first bad record instead of setting it aside.
    pub(crate) strict: bool,
    /// What the database's files do not say themselves.
    pub(crate) recordings: physiosynth_formats::RecordingsConfig,
    /// The demo's settings.
    pub(crate) simulator: SimulatorConfig,
    /// Stage 1.
    pub(crate) preprocessing: PreprocessingConfig,
    /// Stage 2.
    pub(crate) generator: GeneratorConfig,
    /// Stage 2: the rhythm of new patients.
    pub(crate) rhythm: physiosynth_generator::rhythm::RhythmConfig,
    /// Stage 3.
    pub(crate) generation: GenerationConfig,
    /// Stage 4.
    pub(crate) evaluation: EvaluationConfig,
}

/// What is sampled from the trained model: the table `[generation]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GenerationConfig {
    /// Synthetic segments of each class in `synthetic.h5`. Default 600.
    pub(crate) segments_per_class: usize,
    /// The classes to sample; empty for every class that was trained on. Default empty.
    pub(crate) classes: Vec<String>,
    /// A class with fewer training segments than this is sampled only where `classes` names it. Default 20.
    pub(crate) smallest_class: usize,
    /// Training subjects that the segments of `synthetic.h5` are to be of; empty for new patients (`paired`: for any). Default empty.
    pub(crate) subjects: Vec<String>,
    /// New patients that the segments of `synthetic.h5` are spread over. Default 100.
    pub(crate) segment_patients: usize,
    /// Synthetic patients written as records under `share/`; 0 for none. Default 4.
    pub(crate) patients: usize,
    /// Length of each patient's record in seconds. Default 60.
    pub(crate) patient_duration_s: f64,
    /// Whether patients' records get noise and baseline wander like those that denoising took away. Default false.
    pub(crate) noise: bool,
    /// Format of patients' records: `wfdb` or `edf`. Default `wfdb`.
    pub(crate) format: crate::patients::RecordFormat,
    /// How noise becomes segments.
    pub(crate) sampler: physiosynth_generator::SamplerConfig,
    /// How beats are joined into a record.
    pub(crate) assembly: physiosynth_generator::assembly::AssemblyConfig,
}

impl Default for GenerationConfig {
    fn default() -> Self {
        Self {
            segments_per_class: 600,
            classes: Vec::new(),
            smallest_class: 20,
            subjects: Vec::new(),
            segment_patients: 100,
            patients: 4,
            patient_duration_s: 60.0,
            noise: false,
            format: crate::patients::RecordFormat::default(),
            sampler: physiosynth_generator::SamplerConfig::default(),
            assembly: physiosynth_generator::assembly::AssemblyConfig::default(),
        }
    }
}

impl GenerationConfig {
    fn validate(&self) -> Result<(), Usage> {
        let rule = |holds: bool, key: &str, value: String, rule: &str| {
            if holds { Ok(()) } else { Err(Usage(format!("generation.{key} = {value}: it must be {rule}"))) }
        };
        let n = self.segments_per_class;
        rule((1..=1_000_000).contains(&n), "segments_per_class", n.to_string(), "1 to 1000000")?;
        let n = self.segment_patients;
        rule((1..=10_000).contains(&n), "segment_patients", n.to_string(), "1 to 10000")?;
        self.sampler.validate().map_err(|error| Usage(error.to_string()))?;
        rule(self.patients <= 10_000, "patients", self.patients.to_string(), "at most 10000")?;
        let seconds = self.patient_duration_s;
        rule((10.0..=86_400.0).contains(&seconds), "patient_duration_s", seconds.to_string(), "10 to 86400 (seconds)")?;
        self.assembly.validate().map_err(|error| Usage(format!("generation.assembly.{error}")))
    }
}

/// The flags that override a configuration file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags<'a> {
    pub(crate) preset: Option<Preset>,
    pub(crate) database: Option<&'a str>,
    pub(crate) device: Option<&'a str>,
    pub(crate) seed: Option<u64>,
    pub(crate) strict: bool,
    pub(crate) set: &'a [String],
}

impl Config {
    /// The configuration from its layers; `file` is the path and text of the configuration file, where there is one.
    pub(crate) fn resolve(file: Option<(&Path, &str)>, flags: &Flags) -> Result<Self> {
        let layer = match file {
            Some((path, text)) => {
                Some((path, text.parse::<Table>().map_err(|e| Usage(format!("{} is not valid TOML: {e}", path.display())))?))
            }
            None => None,
        };
        // The preset comes first, since it decides what the other layers are laid over.
        let named = layer.as_ref().and_then(|(_, table)| table.get("preset")).and_then(|v| v.as_str()).map(str::parse::<Preset>);
        let preset = match (flags.preset, named) {
            (Some(preset), _) => preset,
            (None, Some(named)) => named.map_err(Usage)?,
            (None, None) => Preset::Standard,
        };
        let mut table = Table::try_from(presets::preset(preset)).context("the defaults cannot be written as TOML")?;
        if let Some((path, layer)) = layer {
            let source = path.display().to_string();
            overlay::lay(&mut table, layer, &source).map_err(Usage)?;
        }
        table.insert("preset".into(), preset.to_string().into());
        let mut insert = |key: &str, value: toml::Value| table.insert(key.into(), value);
        if let Some(database) = flags.database {
            insert("database", database.into());
        }
        if let Some(device) = flags.device {
            insert("device", device.into());
        }
        if let Some(seed) = flags.seed {
            let seed = i64::try_from(seed).map_err(|_| Usage(format!("--seed {seed}: it must be below 2^63")))?;
            insert("seed", seed.into());
        }
        if flags.strict {
            insert("strict", true.into());
        }
        for assignment in flags.set {
            overlay::set(&mut table, assignment).map_err(Usage)?;
        }
        if table.get("preset").and_then(|v| v.as_str()) != Some(preset.to_string().as_str()) {
            return Err(Usage("--set preset=…: use --preset, which changes the defaults of everything else".into()).into());
        }
        let config: Self = table.try_into().map_err(|e| Usage(format!("the settings do not fit together: {e}")))?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), Usage> {
        let usage = |e: &dyn std::error::Error| Usage(e.to_string());
        self.simulator.validate().map_err(|e| usage(&e))?;
        self.preprocessing.validate().map_err(|e| usage(&e))?;
        self.generator.validate().map_err(|e| usage(&e))?;
        self.rhythm.validate().map_err(|e| usage(&e))?;
        self.generation.validate()
    }

    /// The configuration as TOML, every key present.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string_pretty(self).context("the configuration cannot be written as TOML")?;
        Ok(format!("# Every setting of this run. `physiosynth run --config <this file>` repeats it.\n\n{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, set: &[&str]) -> Result<Config> {
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        Config::resolve(Some((Path::new("run.toml"), text)), &Flags { set: &set, ..Flags::default() })
    }

    #[test]
    fn what_is_written_is_read_back_to_the_same_configuration() {
        for preset in [Preset::Quick, Preset::Standard, Preset::Thorough] {
            let config = Config::resolve(None, &Flags { preset: Some(preset), seed: Some(9), ..Flags::default() }).unwrap();
            assert_eq!(config.seed, 9);
            assert_eq!(resolve(&config.to_toml().unwrap(), &[]).unwrap(), config);
        }
    }

    #[test]
    fn later_layers_win() {
        let text = "seed = 4\n[generator]\nunits = 8\nlayers = 1\n";
        let config = resolve(text, &["generator.units=16"]).unwrap();
        assert_eq!((config.seed, config.generator.units, config.generator.layers), (4, 16, 1));
    }

    #[test]
    fn an_unknown_key_suggests_the_nearest() {
        let error = resolve("[generator]\nunit = 8\n", &[]).unwrap_err();
        assert!(error.is::<Usage>());
        let text = error.to_string();
        assert!(text.contains("run.toml") && text.contains("generator.unit") && text.contains("generator.units"), "{text}");
        let text = resolve("", &["preprocesing.lead=V1"]).unwrap_err().to_string();
        assert!(text.contains("preprocessing.lead"), "{text}");
    }

    #[test]
    fn values_that_break_a_rule_are_refused() {
        for (set, word) in [
            ("generation.patient_duration_s=1", "10 to 86400"),
            ("generator.units=0", "generator.units"),
            ("generator.units=\"many\"", "units"),
            ("device=\"tpu\"", "tpu"),
        ] {
            let error = resolve("", &[set]).unwrap_err();
            assert!(error.is::<Usage>() && error.to_string().contains(word), "{set}: {error}");
        }
        assert!(resolve("preset = \"fast\"", &[]).unwrap_err().to_string().contains("quick, standard, thorough"));
        assert!(resolve("seed = [", &[]).unwrap_err().to_string().contains("not valid TOML"));
    }
}

//! Synthetic segments from a trained model.
//!
//! With the denoising objective a segment begins as noise alone, and the network takes it away step by step: `heun` and `fast` are
//! the ways to do so. With the paired objective it begins as a real training segment with noise added (`paired`).

mod denoising;
mod fast;
mod heun;
mod paired;

use burn::tensor::Device;
use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{CheckpointError, Folder};
use crate::config::ConfigError;
use crate::files::ModelFiles;
use crate::objective::ObjectiveName;

pub use denoising::Sampler;

/// What should be generated.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Class of the segments.
    pub label: String,
    /// The training subject whose segments they are to be like; nobody's where `None`.
    pub subject: Option<String>,
    /// How many.
    pub count: usize,
    /// Name of the synthetic patient they are for. With the denoising objective and no subject, the name and the seed decide who
    /// that is.
    pub patient: String,
    /// What is around each segment's mark; drawn for those that it is too short for. The paired objective takes no notice of it.
    pub around: Vec<Around>,
    /// Number of the first segment within patient and class, by which its draws are keyed: 0, or how many were asked for before.
    pub first: u64,
}

/// What is around a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// RR before and after it in seconds, NaN where unknown.
    pub rr_s: [f32; 2],
    /// The rhythm in force; empty for one that fits.
    pub rhythm: String,
}

/// How noise is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Heun's method of second order (Karras et al. 2022, algorithm 2), two passes through the network a step.
    #[default]
    Heun,
    /// DPM-Solver++(2M), a multistep method of second order (Lu et al. 2022), one pass a step.
    Fast,
}

/// How segments are sampled from a model of the denoising objective: the table `[generation.sampler]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerConfig {
    /// `heun` or `fast`. Default `heun`.
    pub method: Method,
    /// Noise levels from the highest to none; 0 for as many as the method is good with: 32 for `heun` (63 passes through the network),
    /// 4 for `fast` (4 passes). Default 0.
    pub steps: usize,
    /// Standard deviation of the noise at the last level, where the data's is about 1. Default 0.01.
    pub noise_low: f64,
    /// The same at the first level. Default 20.
    pub noise_high: f64,
    /// How much closer the levels lie at the low end: the exponent ρ of Karras et al. 2022, equation 5. Default 7.
    pub rho: f64,
    /// `heun`: noise added again before each step, their `S_churn`, which makes good what earlier steps did wrong; 0 for none. A step adds
    /// `churn / steps` of what is there, 0.414 of it at most. Default 20.
    pub churn: f64,
    /// How far a segment is drawn from what nothing is told of towards what it is told (classifier-free guidance; Ho and Salimans
    /// 2022); 1 for no guidance, and half the work. Default 1.
    pub guidance: f64,
    /// How far new patients are from a training subject: 0 for being one, 1 for nothing of one in particular. Default 1.
    pub novelty: f64,
    /// Share of the noise that is the same for all segments of a new patient and class, 0 to 1, times `novelty`. People unlike those in
    /// training leave the network in doubt, so that their beats would differ more than one person's do. Default 0.3.
    pub likeness: f64,
    /// Share of the noise that neighbouring beats of a class in a record have in common, 0 to 1 with `likeness`; it changes slowly, over 100
    /// beats, so that shapes drift as a heart's do. What is not shared is each segment's own. Default 0.5.
    pub drift: f64,
    /// Segments of each class, of new patients, that the model makes first where it has the spectra of the training's classes (an EEG's does),
    /// so that what is made after them can be given those spectra; 0 for as the network has it. Default 512.
    pub tuning: usize,
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self {
            method: Method::Heun,
            steps: 0,
            noise_low: 0.01,
            noise_high: 20.0,
            rho: 7.0,
            churn: 20.0,
            guidance: 1.0,
            novelty: 1.0,
            likeness: 0.3,
            drift: 0.5,
            tuning: 512,
        }
    }
}

impl SamplerConfig {
    /// Checks every rule that a single key can break; the error names the first.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let numbers = [
            ("sampler.steps", self.steps as f64, 0.0..=1000.0, "0 to 1000"),
            ("sampler.tuning", self.tuning as f64, 0.0..=100_000.0, "0 to 100000"),
            ("sampler.noise_low", self.noise_low, 1e-5..=1.0, "0.00001 to 1"),
            ("sampler.noise_high", self.noise_high, 1.0..=1000.0, "1 to 1000"),
            ("sampler.rho", self.rho, 1.0..=20.0, "1 to 20"),
            ("sampler.churn", self.churn, 0.0..=1000.0, "0 to 1000"),
            ("sampler.guidance", self.guidance, 0.0..=20.0, "0 to 20"),
            ("sampler.novelty", self.novelty, 0.0..=1.0, "0 to 1"),
            ("sampler.likeness", self.likeness, 0.0..=1.0, "0 to 1"),
            ("sampler.drift", self.drift, 0.0..=1.0 - self.likeness, "0 to 1 - likeness"),
        ];
        for (key, value, allowed, rule) in numbers {
            if !allowed.contains(&value) {
                return Err(ConfigError { table: "generation", key, found: value.to_string(), rule });
            }
        }
        Ok(())
    }

    /// The noise levels, falling, with 0 behind the last (Karras et al. 2022, equation 5).
    pub(crate) fn levels(&self) -> Vec<f64> {
        let steps = match (self.steps, self.method) {
            (0, Method::Heun) => 32,
            (0, Method::Fast) => 4,
            (steps, _) => steps,
        };
        let (high, low) = (self.noise_high.powf(1.0 / self.rho), self.noise_low.powf(1.0 / self.rho));
        let level = |i: usize| {
            let done = if steps > 1 { i as f64 / (steps - 1) as f64 } else { 0.0 };
            (high + done * (low - high)).powf(self.rho)
        };
        (0..steps).map(level).chain([0.0]).collect()
    }
}

/// The clean segments expected behind noisy ones, under noise of a standard deviation.
type Denoise<'a> = dyn FnMut(&[f32], f64) -> Result<Vec<f32>, SampleError> + 'a;

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The model could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The starting segments are not like those the model was trained on.
    #[error("the segments do not fit the model: {0}; preprocess with the configuration that the model was trained with")]
    Mismatch(String),
    /// The model was trained with another objective.
    #[error("the model was trained with the {0} objective, which needs real segments to start from")]
    Objective(&'static str),
    /// The model does not know the class.
    #[error("no class '{label}' in the training data; it has {available}")]
    UnknownClass {
        /// What was asked for.
        label: String,
        /// What there is.
        available: String,
    },
    /// The subject has no training segments of that class.
    #[error("no training segments of class '{label}' from subject '{subject}'; those with that class are {available}")]
    UnknownSubject {
        /// The class asked for.
        label: String,
        /// The subject asked for.
        subject: String,
        /// Subjects with that class.
        available: String,
    },
    /// A training subject was asked for, and the model knows none.
    #[error(
        "there is no subject '{subject}' in this model: it was handed on without its training subjects; the run that it came from has them"
    )]
    NoSubjects {
        /// The subject asked for.
        subject: String,
    },
    /// New patients were to depart from training subjects, and the model knows none.
    #[error(
        "generation.sampler.novelty below 1 departs from training subjects, and this model was handed on without them; leave it at 1"
    )]
    Novelty,
    /// The device failed, or the model gives no numbers.
    #[error("generation failed on the device: {0}; try the device 'cpu'")]
    Device(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Generates what `requests` ask for, in their order, with the weights that a training kept in the model folder.
///
/// With the denoising objective ([`Sampler`]) nothing but the model is used; `segments` are looked at by the paired objective alone, which
/// starts from the training ones. Draws are keyed by class, subject, patient and number within the patient, so a segment does not
/// depend on what else is asked for.
pub fn generate(
    model: impl Into<ModelFiles>,
    segments: &SegmentSet,
    requests: &[Request],
    config: &SamplerConfig,
    seed: Seed,
    device: &Device,
    progress: &dyn Progress,
) -> Result<SegmentSet, SampleError> {
    let model = model.into();
    if objective(&model)? == ObjectiveName::Paired {
        return paired::generate(&model, segments, requests, seed, device, progress);
    }
    Sampler::open(model, config, device)?.generate(requests, seed, progress)
}

/// The objective that the model was trained with.
pub fn objective(model: impl Into<ModelFiles>) -> Result<ObjectiveName, SampleError> {
    let (description, _) = Folder::new(model).trained()?;
    Ok(description.generator.objective)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_fall_from_high_to_low_to_nothing() {
        let config = SamplerConfig { steps: 5, ..Default::default() };
        let levels = config.levels();
        assert_eq!(levels.len(), 6);
        assert!((levels[0] - 20.0).abs() < 1e-9 && (levels[4] - 0.01).abs() < 1e-9 && levels[5] == 0.0);
        assert!(levels.windows(2).all(|w| w[0] > w[1]));
        // Equation 5 by hand, its second level.
        let expected = (20.0_f64.powf(1.0 / 7.0) * 0.75 + 0.01_f64.powf(1.0 / 7.0) * 0.25).powi(7);
        assert!((levels[1] - expected).abs() < 1e-9);
        let count = |method, steps| SamplerConfig { method, steps, ..Default::default() }.levels().len();
        assert_eq!((count(Method::Heun, 0), count(Method::Fast, 0), count(Method::Fast, 1)), (33, 5, 2));
    }

    #[test]
    fn default_is_valid_and_errors_name_the_key() {
        SamplerConfig::default().validate().unwrap();
        let error = SamplerConfig { novelty: 1.5, ..Default::default() }.validate().unwrap_err().to_string();
        assert_eq!(error, "generation.sampler.novelty = 1.5: it must be 0 to 1");
    }
}

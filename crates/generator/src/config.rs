//! What the generator is and how it is trained: the table `[generator]`.

mod eeg;

pub use eeg::EegConfig;
use physiosynth_recurrent::Cell;
use serde::{Deserialize, Serialize};

use crate::conditions::Covariate;
use crate::objective::ObjectiveName;

/// What makes two segments members of one cluster, so that one may be the target of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// The class and the cluster found by preprocessing, whoever the subject is.
    #[default]
    Event,
    /// The subject, the class and the cluster.
    Patient,
}

/// Which segment of group B a segment of group A is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pairing {
    /// A random one of the same cluster, drawn anew each epoch. The best answer to a question whose answer is drawn
    /// independently is the mean of the answers, so the network tends to the mean of each cluster: its spread is what the
    /// clusters leave, and the noise does not change that.
    #[default]
    Random,
    /// One of the few in the same cluster that are closest to it in mean squared difference, drawn anew each epoch. The network
    /// then learns how a segment differs from its neighbours, and more of the spread within a cluster is kept.
    Nearest,
}

/// How the learning rate changes over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same at each step, after the warm-up.
    Constant,
    /// Half a cosine from the full rate, after the warm-up, to 0 at the last step (Loshchilov and Hutter 2017, without restarts).
    #[default]
    Cosine,
}

/// Which weights of a training are kept for generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Those after the last epoch.
    #[default]
    Last,
    /// Those of the epoch with the lowest loss on the validation subjects.
    Best,
}

/// The table `[generator]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorConfig {
    /// What the network learns: `denoising` or `paired`. Default `denoising`.
    pub objective: ObjectiveName,
    /// Recurrent cell: `lstm`, `gru` or `simple`. Default `lstm`.
    pub cell: Cell,
    /// Hidden units per direction and layer. Default 32.
    pub units: usize,
    /// Stacked recurrent layers. Default 2.
    pub layers: usize,
    /// Whether each layer reads the segment in both directions. Default true.
    pub bidirectional: bool,
    /// Fraction of each layer's outputs that is dropped before the next layer while training, in 0 to below 1. Default 0.
    pub dropout: f64,
    /// Samples that the network reads and writes at each of its time steps; the last step is filled up with zeros. Fewer, wider
    /// steps cost less. Default 3.
    pub frame: usize,
    /// Periods by which the network is told where a frame lies, from twice the segment, each half of the last, down to four samples; this
    /// many at most. Few tell about where, for waves without a fixed place; 0 tells nothing. Default 8.
    pub positions: usize,
    /// `denoising`: lags, in samples, up to which the noise has the covariance of the segment's class over channels and time, so that the
    /// network has its spectra and correlations given; 0 for white noise. Default 0.
    pub noise_lags: usize,
    /// `denoising`: share of the sample before that is taken off each, so that fast waves count beside slow ones; 0 to below 1. Undone
    /// in what is generated. Default 0.
    pub emphasis: f64,
    /// `denoising`: whether windows between two segments that follow one another without a gap are trained on too, for waves without a
    /// fixed place. Default false.
    pub shift: bool,
    /// `denoising`: mean of the logarithm of the noise's standard deviation in training. Default −1.
    pub noise_mean: f64,
    /// `denoising`: standard deviation of that logarithm. Default 1.4.
    pub noise_deviation: f64,
    /// `denoising`: numbers that stand for a subject. Default 8.
    pub subject_dimensions: usize,
    /// `denoising`: standard deviation of the noise added to them in training, where their own root mean square is 1: people
    /// between the subjects are then met in training. Default 0.3.
    pub subject_noise: f64,
    /// `denoising`: share of the segments whose subject is not told in training; the same for class, code and RR, each by itself,
    /// and for all at once. Default 0.1.
    pub condition_dropout: f64,
    /// `denoising`: what of a subject's header is told: `age`, `sex`, both, or nothing, as among few people they say who it is; withheld as
    /// often as the subject. Default none.
    pub covariates: Vec<Covariate>,
    /// `denoising`: how evenly classes are drawn in training: 0 as they come, 1 all alike; a class of n segments is drawn in
    /// proportion to n^(1 − balance). Default 0.75.
    pub class_balance: f64,
    /// Each step's weights enter a running mean of all with 1 − this, which is what validates and generates; in the first steps
    /// with more. 0 for no mean. Default 0.999.
    pub average_decay: f64,
    /// Which weights are kept: those after the `last` epoch, or those of the `best` on the validation subjects. Default `last`.
    pub keep: Keep,
    /// `paired`: signal-to-noise ratio of the noise added to the starting segments, in decibels, relative to each segment's own
    /// power (its variance), in training and in generation. Default 10.
    pub snr_db: f64,
    /// `paired`: pairs inside each class cluster (`event`) or inside each subject's class cluster (`patient`). Default `event`.
    pub per: Per,
    /// `paired`: which member of the other group is the target: `random` or `nearest`. Default `random`.
    pub pairing: Pairing,
    /// Segments per training step. Default 64.
    pub batch: usize,
    /// Parts of a step's segments that go through the network one after the other: more take less memory and change results by
    /// rounding alone. Default 1.
    pub accumulate: usize,
    /// Passes, each followed by a validation. Default 30.
    pub epochs: usize,
    /// Training steps per epoch; 0 for as many as it takes to see each segment of group A once. Default 20.
    pub steps_per_epoch: usize,
    /// Full learning rate of Adam. Default 0.003.
    pub learning_rate: f64,
    /// How the learning rate changes: `constant` or `cosine`. Default `cosine`.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises in a line to its full value. Default 20.
    pub warmup_steps: usize,
    /// The gradient is scaled down where its norm over all parameters is above this; 0 for never. Default 1.
    pub clip_norm: f64,
    /// Training stops after this many epochs without a lower validation loss; 0 for never. Default 0.
    pub patience: usize,
    /// At most this many training segments are used, spread evenly over classes, then subjects; 0 for all. Default 0.
    pub train_segments: usize,
    /// At most this many validation segments are used, spread evenly over classes, then subjects; 0 for all. Default 1000.
    pub validation_segments: usize,
    /// The state is saved each time so many epochs are done, and at the end. Default 1.
    pub checkpoint_epochs: usize,
    /// Segments per step of validation and of generation; changes speed and memory, and results by rounding alone. Default 128.
    pub generation_batch: usize,
    /// What differs for an EEG.
    pub eeg: EegConfig,
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            objective: ObjectiveName::Denoising,
            cell: Cell::Lstm,
            units: 32,
            layers: 2,
            bidirectional: true,
            dropout: 0.0,
            frame: 3,
            positions: 8,
            noise_lags: 0,
            emphasis: 0.0,
            shift: false,
            noise_mean: -1.0,
            noise_deviation: 1.4,
            subject_dimensions: 8,
            subject_noise: 0.3,
            condition_dropout: 0.1,
            covariates: Vec::new(),
            class_balance: 0.75,
            average_decay: 0.999,
            keep: Keep::Last,
            snr_db: 10.0,
            per: Per::Event,
            pairing: Pairing::Random,
            batch: 64,
            accumulate: 1,
            epochs: 30,
            steps_per_epoch: 20,
            learning_rate: 0.003,
            schedule: Schedule::Cosine,
            warmup_steps: 20,
            clip_norm: 1.0,
            patience: 0,
            train_segments: 0,
            validation_segments: 1000,
            checkpoint_epochs: 1,
            generation_batch: 128,
            eeg: EegConfig::default(),
        }
    }
}

/// A rule that a configuration breaks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{table}.{key} = {found}: it must be {rule}")]
pub struct ConfigError {
    /// The table of the configuration: `generator`, `generator.eeg` or `generation`.
    pub table: &'static str,
    /// The key within the table.
    pub key: &'static str,
    /// Its value.
    pub found: String,
    /// What is allowed.
    pub rule: &'static str,
}

impl GeneratorConfig {
    /// Whether the network is told this of a subject.
    pub(crate) fn tells(&self, covariate: Covariate) -> bool {
        self.covariates.contains(&covariate)
    }

    /// Checks every rule that a single key can break; the error names the first.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.valid()?;
        self.for_eeg().valid().map_err(|error| ConfigError { table: "generator.eeg", ..error })
    }

    fn valid(&self) -> Result<(), ConfigError> {
        let counts = [
            ("units", self.units, 1..=4096, "1 to 4096"),
            ("layers", self.layers, 1..=16, "1 to 16"),
            ("frame", self.frame, 1..=64, "1 to 64"),
            ("positions", self.positions, 0..=16, "0 to 16"),
            ("noise_lags", self.noise_lags, 0..=128, "0 to 128"),
            ("subject_dimensions", self.subject_dimensions, 1..=64, "1 to 64"),
            ("batch", self.batch, 1..=65_536, "1 to 65536"),
            ("accumulate", self.accumulate, 1..=65_536, "1 to 65536"),
            ("epochs", self.epochs, 1..=1_000_000, "1 to 1000000"),
            ("steps_per_epoch", self.steps_per_epoch, 0..=1_000_000, "0 to 1000000"),
            ("checkpoint_epochs", self.checkpoint_epochs, 1..=1_000_000, "1 to 1000000"),
            ("generation_batch", self.generation_batch, 1..=65_536, "1 to 65536"),
        ];
        for (key, value, allowed, rule) in counts {
            if !allowed.contains(&value) {
                return Err(ConfigError { table: "generator", key, found: value.to_string(), rule });
            }
        }
        let share = |x: f64| (0.0..1.0).contains(&x);
        let numbers = [
            ("emphasis", self.emphasis, share(self.emphasis), "0 to below 1"),
            ("noise_mean", self.noise_mean, (-10.0..=10.0).contains(&self.noise_mean), "-10 to 10"),
            ("noise_deviation", self.noise_deviation, (0.0..=5.0).contains(&self.noise_deviation), "0 to 5"),
            ("subject_noise", self.subject_noise, (0.0..=2.0).contains(&self.subject_noise), "0 to 2"),
            ("condition_dropout", self.condition_dropout, share(self.condition_dropout), "0 to below 1"),
            ("class_balance", self.class_balance, (0.0..=1.0).contains(&self.class_balance), "0 to 1"),
            ("average_decay", self.average_decay, share(self.average_decay), "0 to below 1"),
            ("dropout", self.dropout, share(self.dropout), "0 to below 1"),
            ("snr_db", self.snr_db, (-60.0..=200.0).contains(&self.snr_db), "-60 to 200 (decibels)"),
            ("learning_rate", self.learning_rate, self.learning_rate > 0.0 && self.learning_rate <= 1.0, "above 0 and at most 1"),
            ("clip_norm", self.clip_norm, self.clip_norm >= 0.0 && self.clip_norm.is_finite(), "0 or above, and finite"),
        ];
        for (key, value, holds, rule) in numbers {
            if !holds {
                return Err(ConfigError { table: "generator", key, found: value.to_string(), rule });
            }
        }
        Ok(())
    }

    /// The learning rate of step `step` (from 0) of `steps`.
    pub fn learning_rate_at(&self, step: u64, steps: u64) -> f64 {
        let warmup = self.warmup_steps as u64;
        if step < warmup {
            return self.learning_rate * (step + 1) as f64 / (warmup + 1) as f64;
        }
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Cosine => {
                let done = (step - warmup) as f64 / steps.saturating_sub(warmup).max(1) as f64;
                self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_valid_and_errors_name_key_value_and_rule() {
        GeneratorConfig::default().validate().unwrap();
        let broken = GeneratorConfig { units: 0, ..Default::default() };
        assert_eq!(broken.validate().unwrap_err().to_string(), "generator.units = 0: it must be 1 to 4096");
        let broken = GeneratorConfig { dropout: 1.0, ..Default::default() };
        assert_eq!(broken.validate().unwrap_err().key, "dropout");
        let broken = GeneratorConfig { learning_rate: f64::NAN, ..Default::default() };
        assert_eq!(broken.validate().unwrap_err().key, "learning_rate");
    }

    #[test]
    fn serialised_form_has_every_key_and_refuses_unknown_ones() {
        let value = serde_json::to_value(GeneratorConfig::default()).unwrap();
        assert_eq!(value["cell"], "lstm");
        assert_eq!(value["objective"], "denoising");
        assert_eq!(value["per"], "event");
        assert!(value.as_object().unwrap().values().all(|v| !v.is_null()));
        assert!(serde_json::from_str::<GeneratorConfig>(r#"{"unit": 3}"#).is_err());
        assert_eq!(serde_json::from_str::<GeneratorConfig>("{}").unwrap(), GeneratorConfig::default());
    }

    #[test]
    fn schedule_warms_up_then_falls_to_nothing() {
        let config = GeneratorConfig { learning_rate: 0.1, warmup_steps: 9, ..Default::default() };
        let rate = |step| config.learning_rate_at(step, 109);
        assert!((rate(0) - 0.01).abs() < 1e-12);
        assert!((rate(9) - 0.1).abs() < 1e-12);
        assert!((rate(59) - 0.05).abs() < 1e-12, "half way down the cosine");
        assert!(rate(108) < 1e-4);
        let constant = GeneratorConfig { schedule: Schedule::Constant, ..config };
        assert!((constant.learning_rate_at(108, 109) - 0.1).abs() < 1e-12);
    }
}

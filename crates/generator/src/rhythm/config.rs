//! Settings of the rhythm model: the table `[rhythm]`.

use serde::{Deserialize, Serialize};

/// How the rhythm model is made and trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RhythmConfig {
    /// Whether a rhythm model is trained. Without one, patients' rhythms come from the simulator. Default true.
    pub enabled: bool,
    /// Hidden units of the recurrent layer. Default 64.
    pub units: usize,
    /// Logistic distributions that the interval's mixture has for each class. Default 4.
    pub components: usize,
    /// Training steps at most. Default 1,500.
    pub steps: usize,
    /// Sequences in a step. Default 16.
    pub batch: usize,
    /// Beats of a sequence. Default 256.
    pub length: usize,
    /// Full learning rate of Adam; it falls along half a cosine. Default 0.004.
    pub learning_rate: f64,
    /// Standard deviation of the noise on what the network is told of a patient, in standard deviations over the training
    /// records: with it the network does not learn records by heart. Default 0.3.
    pub portrait_noise: f64,
    /// Steps between validations; the state is saved at each. Default 50.
    pub validate_every: usize,
    /// How far new patients stand from the training records they are drawn around: 0 makes them alike in rate and variability,
    /// 1 draws them from a Gaussian over all. Default 0.5.
    pub spread: f64,
}

impl Default for RhythmConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            units: 64,
            components: 4,
            steps: 1500,
            batch: 16,
            length: 256,
            learning_rate: 0.004,
            portrait_noise: 0.3,
            validate_every: 50,
            spread: 0.5,
        }
    }
}

/// A value of the table `[rhythm]` that breaks a rule.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("rhythm.{key} = {value}: it must be {rule}")]
pub struct RhythmConfigError {
    key: &'static str,
    value: String,
    rule: &'static str,
}

impl RhythmConfig {
    /// Checks each value against its range.
    pub fn validate(&self) -> Result<(), RhythmConfigError> {
        let counts = [
            ("units", self.units, 1..=1024, "1 to 1024"),
            ("components", self.components, 1..=32, "1 to 32"),
            ("steps", self.steps, 1..=10_000_000, "1 to 10000000"),
            ("batch", self.batch, 1..=4096, "1 to 4096"),
            ("length", self.length, 2..=100_000, "2 to 100000"),
            ("validate_every", self.validate_every, 1..=1_000_000, "1 to 1000000"),
        ];
        for (key, value, range, rule) in counts {
            if !range.contains(&value) {
                return Err(RhythmConfigError { key, value: value.to_string(), rule });
            }
        }
        let numbers = [
            ("learning_rate", self.learning_rate, f64::MIN_POSITIVE..=1.0, "above 0 and at most 1"),
            ("portrait_noise", self.portrait_noise, 0.0..=10.0, "0 to 10"),
            ("spread", self.spread, 0.0..=1.0, "0 to 1"),
        ];
        for (key, value, range, rule) in numbers {
            if !range.contains(&value) {
                return Err(RhythmConfigError { key, value: value.to_string(), rule });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        assert_eq!(RhythmConfig::default().validate(), Ok(()));
        let broken = RhythmConfig { length: 1, ..RhythmConfig::default() }.validate().unwrap_err().to_string();
        assert!(broken.contains("rhythm.length = 1"), "{broken}");
        let broken = RhythmConfig { spread: f64::NAN, ..RhythmConfig::default() }.validate().unwrap_err().to_string();
        assert!(broken.contains("rhythm.spread"), "{broken}");
    }
}

use serde::{Deserialize, Serialize};

use crate::{EegConfig, SimulatorError};

/// What the simulated databases are like. All else (morphology, rates, noise levels) is drawn per subject from the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// Subjects, one record each; 1 to 999. Default 16.
    pub subjects: usize,
    /// Length of each record in seconds; 2 to 86,400. Default 300.
    pub duration_s: f64,
    /// Sampling frequency of both leads in hertz; 100 to 4,000. Default 360, that of the MIT-BIH Arrhythmia Database.
    pub sampling_frequency_hz: f64,
    /// Factor on every subject's noise levels; 0 (digitisation only) to 20. Default 1.
    pub noise_scale: f64,
    /// Factor on every subject's shares of premature beats (S and V); 0 (none) to 2. Default 1.
    pub ectopy_scale: f64,
    /// The simulated electroencephalograms; all else here is of the electrocardiograms.
    pub eeg: EegConfig,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            subjects: 16,
            duration_s: 300.0,
            sampling_frequency_hz: 360.0,
            noise_scale: 1.0,
            ectopy_scale: 1.0,
            eeg: EegConfig::default(),
        }
    }
}

impl SimulatorConfig {
    /// Checks every field's range.
    pub fn validate(&self) -> Result<(), SimulatorError> {
        SimulatorError::check("simulator.subjects", self.subjects as f64, 1.0, 999.0)?;
        SimulatorError::check("simulator.duration_s", self.duration_s, 2.0, 86_400.0)?;
        SimulatorError::check("simulator.sampling_frequency_hz", self.sampling_frequency_hz, 100.0, 4_000.0)?;
        SimulatorError::check("simulator.noise_scale", self.noise_scale, 0.0, 20.0)?;
        SimulatorError::check("simulator.ectopy_scale", self.ectopy_scale, 0.0, 2.0)?;
        self.eeg.validate()
    }

    /// Samples in each channel of a record.
    pub fn samples(&self) -> usize {
        (self.duration_s * self.sampling_frequency_hz).round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_valid_and_limits_are_named() {
        SimulatorConfig::default().validate().unwrap();
        let wrong = SimulatorConfig { duration_s: f64::NAN, ..SimulatorConfig::default() };
        let message = wrong.validate().unwrap_err().to_string();
        assert!(message.contains("duration_s") && message.contains("86400"), "{message}");
        assert!(SimulatorConfig { subjects: 0, ..SimulatorConfig::default() }.validate().is_err());
    }
}

use serde::{Deserialize, Serialize};

use crate::SimulatorError;

/// What the simulated electroencephalograms are like: the table `[simulator.eeg]`. Sources, rhythms and amplitudes are drawn per
/// subject from the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EegConfig {
    /// Subjects, one record each; 1 to 999. Default 12.
    pub subjects: usize,
    /// Length of each record in seconds; 20 to 86,400. Default 180.
    pub duration_s: f64,
    /// Sampling frequency in hertz; 100 to 4,000. Default 160, that of the EEG Motor Movement/Imagery Dataset.
    pub sampling_frequency_hz: f64,
    /// Factor on blinks, muscle, mains and amplifier noise; 0 (digitisation only) to 20. Default 1.
    pub artefact_scale: f64,
    /// Spike-and-wave discharges per minute, on average over subjects; 0 (none) to 6. Default 2.
    pub discharges_per_min: f64,
}

impl Default for EegConfig {
    fn default() -> Self {
        Self { subjects: 12, duration_s: 180.0, sampling_frequency_hz: 160.0, artefact_scale: 1.0, discharges_per_min: 2.0 }
    }
}

impl EegConfig {
    /// Checks every field's range.
    pub fn validate(&self) -> Result<(), SimulatorError> {
        SimulatorError::check("simulator.eeg.subjects", self.subjects as f64, 1.0, 999.0)?;
        SimulatorError::check("simulator.eeg.duration_s", self.duration_s, 20.0, 86_400.0)?;
        SimulatorError::check("simulator.eeg.sampling_frequency_hz", self.sampling_frequency_hz, 100.0, 4_000.0)?;
        SimulatorError::check("simulator.eeg.artefact_scale", self.artefact_scale, 0.0, 20.0)?;
        SimulatorError::check("simulator.eeg.discharges_per_min", self.discharges_per_min, 0.0, 6.0)
    }

    /// Samples in each channel of a record.
    pub fn samples(&self) -> usize {
        (self.duration_s * self.sampling_frequency_hz).round() as usize
    }
}

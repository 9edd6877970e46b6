use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PreprocessError;
use crate::denoise::DenoiseConfig;

/// What the channels' potentials are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// As recorded.
    #[default]
    None,
    /// The mean of all EEG channels of the record.
    Average,
    /// Each electrode against the next behind it: the longitudinal bipolar montage ("double banana"), 18 channels.
    Bipolar,
}

/// Which mains interference is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mains {
    /// At 50 or 60 Hz, where a record has a line there.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// None.
    #[serde(rename = "none")]
    None,
    /// At 50 Hz.
    #[serde(rename = "50")]
    Hz50,
    /// At 60 Hz.
    #[serde(rename = "60")]
    Hz60,
}

/// `[preprocessing.eeg]`: what is done with an EEG instead of the lead, rate and window of an ECG.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EegConfig {
    /// The channels used, in this order: names (`Cz`, `Fc5.` and `FC5` are the same), patterns (`F*`), the montage `10-20` (its 19
    /// electrodes) or `all` EEG channels. Default `["10-20"]`.
    pub channels: Vec<String>,
    /// `none` (as recorded), `average` or `bipolar`. Default `none`.
    pub reference: Reference,
    /// A notch at `50` or `60` Hz, `none`, or `auto`: where a record has a line there. Default `auto`.
    pub mains: Mains,
    /// Below this the zero-phase high-pass takes away, in Hz; 0 for none. Default 0.5.
    pub highpass_hz: f64,
    /// Above this the zero-phase low-pass takes away, in Hz; 0 for none. Default 55.
    pub lowpass_hz: f64,
    /// Working rate to which every channel is resampled, in hertz. Default 128.
    pub sampling_frequency_hz: f64,
    /// Length of an epoch in seconds. Default 2.
    pub epoch_s: f64,
    /// Share of an epoch that the next of the same event repeats, from 0 to below 1. Default 0: repeated samples would make segments
    /// of one event alike, and `same` look better than it is.
    pub overlap: f64,
    /// Where an event's first epoch begins, in seconds after its onset; negative for before. Default 0.
    pub offset_s: f64,
    /// Labels or codes of the events that are cut; empty for all. Default empty.
    pub events: Vec<String>,
    /// Wavelet denoising; by its own defaults nothing from 1 to 45 Hz is thresholded.
    pub denoise: DenoiseConfig,
}

impl Default for EegConfig {
    fn default() -> Self {
        Self {
            channels: vec!["10-20".into()],
            reference: Reference::default(),
            mains: Mains::default(),
            highpass_hz: 0.5,
            lowpass_hz: 55.0,
            sampling_frequency_hz: 128.0,
            epoch_s: 2.0,
            overlap: 0.0,
            offset_s: 0.0,
            events: Vec::new(),
            denoise: DenoiseConfig { threshold_above_hz: 45.0, band_hz: 0.0, ..DenoiseConfig::default() },
        }
    }
}

/// Longest epoch, in samples × channels: far above any use, far below what would fill the memory by mistake.
const LARGEST_EPOCH: f64 = 1e6;

impl EegConfig {
    /// Checks what can be checked before a record is read.
    pub fn validate(&self) -> Result<(), PreprocessError> {
        let rule = |holds: bool, key: &'static str, value: &dyn fmt::Display, rule: &str| {
            let rule = || format!("is {value}, but must be {rule}");
            if holds { Ok(()) } else { Err(PreprocessError::Config { key, rule: rule() }) }
        };
        let named = !self.channels.is_empty() && self.channels.iter().all(|c| !c.trim().is_empty());
        rule(
            named,
            "eeg.channels",
            &format!("{:?}", self.channels),
            "names or patterns, such as [\"10-20\"] or [\"C3\", \"C4\"]",
        )?;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let rate = self.sampling_frequency_hz;
        rule(positive(rate), "eeg.sampling_frequency_hz", &rate, "positive")?;
        let (high, low) = (self.highpass_hz, self.lowpass_hz);
        rule(high.is_finite() && high >= 0.0, "eeg.highpass_hz", &high, "0 (none) or positive")?;
        rule(low == 0.0 || (low.is_finite() && low > high), "eeg.lowpass_hz", &low, "0 (none), or above highpass_hz")?;
        rule(positive(self.epoch_s), "eeg.epoch_s", &self.epoch_s, "positive")?;
        let samples = self.epoch_s * rate;
        rule((8.0..=LARGEST_EPOCH).contains(&samples), "eeg.epoch_s", &self.epoch_s, "8 to 1000000 samples at the working rate")?;
        rule((0.0..1.0).contains(&self.overlap), "eeg.overlap", &self.overlap, "from 0 to below 1")?;
        rule(self.offset_s.abs() <= 3600.0, "eeg.offset_s", &self.offset_s, "-3600 to 3600")
    }

    /// Samples per channel of an epoch, at the working rate.
    pub fn time(&self) -> usize {
        (self.epoch_s * self.sampling_frequency_hz).round() as usize
    }

    /// Index of an event's onset in its first epoch; 0 where that begins at the onset or behind it.
    pub fn mark_index(&self) -> usize {
        let before = (-self.offset_s * self.sampling_frequency_hz).round().max(0.0) as usize;
        before.min(self.time().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_valid_and_broken_rules_are_named() {
        EegConfig::default().validate().unwrap();
        let broken = |change: fn(&mut EegConfig)| {
            let mut config = EegConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(broken(|c| c.channels.clear()).contains("eeg.channels"));
        assert!(broken(|c| c.lowpass_hz = 0.2).contains("above highpass_hz"));
        assert!(broken(|c| c.overlap = 1.0).contains("eeg.overlap"));
        assert!(broken(|c| c.epoch_s = f64::NAN).contains("eeg.epoch_s"));
    }

    #[test]
    fn an_epoch_that_begins_early_has_its_onset_inside() {
        let config = EegConfig { offset_s: -0.5, ..EegConfig::default() };
        assert_eq!((config.time(), config.mark_index()), (256, 64));
        assert_eq!(EegConfig { offset_s: 0.5, ..EegConfig::default() }.mark_index(), 0);
    }
}

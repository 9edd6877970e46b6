//! The settings of denoising.

use serde::{Deserialize, Serialize};

use crate::wavelet::{Boundary, Shrink, Threshold};

/// Where the noise's standard deviation is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoiseSource {
    /// Once, on the finest detail level that lies inside the recording's band, and used for all levels: right for white noise.
    #[default]
    Band,
    /// On each level by itself: right for coloured noise, but on coarse levels the signal's own waves count as noise.
    Level,
}

/// `[preprocessing.denoise]`: wavelet denoising and removal of baseline wander.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DenoiseConfig {
    /// Whether to denoise at all. Default: true.
    pub enabled: bool,
    /// The wavelet, by PyWavelets's name. Default: `sym8`.
    pub wavelet: String,
    /// How the signal goes on beyond its ends: `symmetric` or `periodization`. Default: `symmetric`.
    pub mode: Boundary,
    /// The rule for thresholds: `universal`, `sure`, `minimax` or `bayes`. Default: `bayes`.
    pub threshold: Threshold,
    /// The shrinkage: `soft`, `hard` or `garrote`. Default: `soft`.
    pub shrink: Shrink,
    /// Where the noise is measured: `band` or `level`. Default: `band`.
    pub noise: NoiseSource,
    /// Detail levels whose band begins at this frequency or above are thresholded, in Hz; slower waves (P, T, ST) stay as they
    /// are. Default: 10, which at 360 Hz is levels 1 to 4.
    pub threshold_above_hz: f64,
    /// The upper edge of what the recorder passed, in Hz; 0 means half the sampling frequency. The noise is measured below it:
    /// above it lies little but quantisation. Default: 100, the edge of ambulatory recorders (MIT-BIH).
    pub band_hz: f64,
    /// Baseline wander below this frequency is removed, in Hz, by dropping the approximation whose upper edge is the largest
    /// dyadic one not above it; 0 keeps the baseline. Default: 0.5, which at 360 Hz is level 9, 0.35 Hz.
    pub baseline_cut_hz: f64,
}

impl Default for DenoiseConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            wavelet: "sym8".to_owned(),
            mode: Boundary::Symmetric,
            threshold: Threshold::Bayes,
            shrink: Shrink::Soft,
            noise: NoiseSource::Band,
            threshold_above_hz: 10.0,
            band_hz: 100.0,
            baseline_cut_hz: 0.5,
        }
    }
}

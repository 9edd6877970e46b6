//! Power of an EEG channel by frequency: Welch's periodogram and what is read off it.

use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// A band of the EEG.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Its name.
    pub name: &'static str,
    /// From this frequency on, in hertz.
    pub from_hz: f64,
    /// To below this one.
    pub to_hz: f64,
}

/// The bands of clinical use. Below 1 Hz lies drift, above 45 Hz the mains.
pub const BANDS: [Band; 5] = [
    Band { name: "delta", from_hz: 1.0, to_hz: 4.0 },
    Band { name: "theta", from_hz: 4.0, to_hz: 8.0 },
    Band { name: "alpha", from_hz: 8.0, to_hz: 13.0 },
    Band { name: "beta", from_hz: 13.0, to_hz: 30.0 },
    Band { name: "gamma", from_hz: 30.0, to_hz: 45.0 },
];

/// All bands together.
pub const WHOLE: Band = Band { name: "whole", from_hz: 1.0, to_hz: 45.0 };

/// Part over which a periodogram is taken, in seconds: half-hertz bins.
const PART_S: f64 = 2.0;

/// Welch's method for signals of one length and rate: Hann windows of 2 s (or the whole signal, where shorter), half overlapping, each
/// without its mean. The values are those of `scipy.signal.welch` with these settings.
pub struct Welch {
    window: Vec<f64>,
    fft: Arc<dyn Fft<f64>>,
    sampling_frequency_hz: f64,
}

/// Power spectral density, one-sided.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Hertz from bin to bin.
    pub step_hz: f64,
    /// Unit² per hertz, from 0 Hz on.
    pub density: Vec<f64>,
}

impl Welch {
    /// For signals of `length` samples. None below 8 samples, or at a rate that is not positive.
    pub fn new(length: usize, sampling_frequency_hz: f64) -> Option<Self> {
        let usable = sampling_frequency_hz.is_finite() && sampling_frequency_hz > 0.0;
        let part = length.min((PART_S * sampling_frequency_hz).round() as usize);
        if !usable || part < 8 {
            return None;
        }
        let window = (0..part).map(|i| 0.5 - 0.5 * (TAU * i as f64 / part as f64).cos()).collect();
        Some(Self { window, fft: FftPlanner::new().plan_fft_forward(part), sampling_frequency_hz })
    }

    /// Hertz from bin to bin.
    pub fn step_hz(&self) -> f64 {
        self.sampling_frequency_hz / self.window.len() as f64
    }

    /// The windowed transforms of the signal's parts, each of them from 0 Hz to half the rate. Empty where a sample is not finite.
    pub fn transforms(&self, signal: &[f64]) -> Vec<Vec<Complex<f64>>> {
        let part = self.window.len();
        if signal.len() < part || signal.iter().any(|x| !x.is_finite()) {
            return Vec::new();
        }
        let starts = (0..=signal.len() - part).step_by(part - part / 2);
        let one = |start: usize| {
            let samples = &signal[start..start + part];
            let mean = samples.iter().sum::<f64>() / part as f64;
            let mut values: Vec<Complex<f64>> =
                samples.iter().zip(&self.window).map(|(x, w)| Complex::new((x - mean) * w, 0.0)).collect();
            self.fft.process(&mut values);
            values.truncate(part / 2 + 1);
            values
        };
        starts.map(one).collect()
    }

    /// The density of a signal; none where a sample is not finite.
    pub fn spectrum(&self, signal: &[f64]) -> Option<Spectrum> {
        let transforms = self.transforms(signal);
        let mut density = vec![0.0; transforms.first()?.len()];
        for transform in &transforms {
            for (sum, value) in density.iter_mut().zip(transform) {
                *sum += value.norm_sqr();
            }
        }
        let part = self.window.len();
        let energy: f64 = self.window.iter().map(|w| w * w).sum();
        let scale = 1.0 / (self.sampling_frequency_hz * energy * transforms.len() as f64);
        for (bin, value) in density.iter_mut().enumerate() {
            // Both signs of a frequency are counted, but for 0 and half the rate, which have one.
            let single = bin == 0 || 2 * bin == part;
            *value *= if single { scale } else { 2.0 * scale };
        }
        Some(Spectrum { step_hz: self.step_hz(), density })
    }
}

/// The bins of a band: from `from_hz` to below `to_hz`.
pub(crate) fn bins(step_hz: f64, count: usize, band: Band) -> std::ops::Range<usize> {
    // Frequencies a hair beside a limit belong to it.
    let at = |hz: f64| (hz / step_hz - 1e-9).ceil().max(0.0) as usize;
    at(band.from_hz).min(count)..at(band.to_hz).min(count)
}

impl Spectrum {
    fn of(&self, band: Band) -> (f64, &[f64]) {
        let range = bins(self.step_hz, self.density.len(), band);
        (range.start as f64 * self.step_hz, &self.density[range])
    }

    /// Power in a band, in unit²; none where no bin lies in it.
    pub fn power(&self, band: Band) -> Option<f64> {
        let (_, density) = self.of(band);
        (!density.is_empty()).then(|| density.iter().sum::<f64>() * self.step_hz)
    }

    /// Power in a band as a share of that from 1 to 45 Hz.
    pub fn relative(&self, band: Band) -> Option<f64> {
        let whole = self.power(WHOLE).filter(|&p| p > 0.0)?;
        Some(self.power(band)? / whole)
    }

    /// The frequency below which 95% of the power from 1 to 45 Hz lie, in hertz; within a bin by a straight line.
    pub fn edge_hz(&self) -> Option<f64> {
        let (first, density) = self.of(WHOLE);
        let goal = 0.95 * density.iter().sum::<f64>();
        let mut below = 0.0;
        for (bin, power) in density.iter().enumerate() {
            if below + power >= goal && *power > 0.0 {
                return Some(first + (bin as f64 + (goal - below) / power) * self.step_hz);
            }
            below += power;
        }
        None
    }

    /// Shannon entropy of the power from 1 to 45 Hz over that of as many equal bins: 0 for one line, 1 for a flat spectrum (Inouye et
    /// al. 1991).
    pub fn entropy(&self) -> Option<f64> {
        let (_, density) = self.of(WHOLE);
        let sum: f64 = density.iter().sum();
        if density.len() < 2 || sum.is_nan() || sum <= 0.0 {
            return None;
        }
        let entropy: f64 = density.iter().filter(|p| **p > 0.0).map(|p| -(p / sum) * (p / sum).ln()).sum();
        Some(entropy / (density.len() as f64).ln())
    }
}

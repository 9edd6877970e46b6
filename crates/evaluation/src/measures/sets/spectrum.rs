//! Distance of mean power spectra, whole and band by band.

use std::sync::Arc;

use rayon::prelude::*;
use rustfft::{Fft, FftPlanner, num_complex::Complex};

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

macro_rules! about {
    ($name:literal, $which:literal) => {
        About {
            name: $name,
            unit: Unit::Named("dB"),
            family: Family::Fidelity,
            better: Better::Lower,
            definition: concat!(
                $which,
                ": root mean square over frequencies of the difference in decibels of the two sets' mean power spectra (Welch 1967: \
                 Hann windows of 256 samples or the segment's length, half overlapping, means removed), averaged over channels; 0 \
                 for equal spectra. What lies 60 dB below the real spectrum's peak counts as that. Blind to phase: shapes may be \
                 wrong where it is 0."
            ),
        }
    };
}

pub(super) const WHOLE: OfSets = OfSets {
    about: about!("log_spectral_distance", "Log-spectral distance at all frequencies above 0"),
    compute: |sets: &Comparison| in_band(sets, 0.0, f64::INFINITY),
};

/// The bands of electroencephalography; what each holds of a beat is said beside.
pub(super) const BANDS: [OfSets; 5] = [
    OfSets {
        about: about!(
            "log_spectral_distance_delta",
            "Log-spectral distance from 0.5 to 4 Hz (delta; in an electrocardiogram most of P and T)"
        ),
        compute: |sets: &Comparison| in_band(sets, 0.5, 4.0),
    },
    OfSets {
        about: about!(
            "log_spectral_distance_theta",
            "Log-spectral distance from 4 to 8 Hz (theta; in an electrocardiogram T and the base of QRS)"
        ),
        compute: |sets: &Comparison| in_band(sets, 4.0, 8.0),
    },
    OfSets {
        about: about!(
            "log_spectral_distance_alpha",
            "Log-spectral distance from 8 to 13 Hz (alpha; in an electrocardiogram the peak of QRS)"
        ),
        compute: |sets: &Comparison| in_band(sets, 8.0, 13.0),
    },
    OfSets {
        about: about!("log_spectral_distance_beta", "Log-spectral distance from 13 to 30 Hz (beta; in an electrocardiogram QRS)"),
        compute: |sets: &Comparison| in_band(sets, 13.0, 30.0),
    },
    OfSets {
        about: about!(
            "log_spectral_distance_gamma",
            "Log-spectral distance from 30 Hz up (gamma; in an electrocardiogram steep edges, muscle and mains)"
        ),
        compute: |sets: &Comparison| in_band(sets, 30.0, f64::INFINITY),
    },
];

fn in_band(sets: &Comparison, from_hz: f64, to_hz: f64) -> Option<f64> {
    log_spectral_distance(sets.reference_spectrum(), sets.spectrum(), from_hz, to_hz)
}

/// Mean power spectral densities of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Hertz from one value to the next; the first is at 0.
    pub step_hz: f64,
    /// By channel, in the physical unit squared per hertz; one-sided.
    pub density: Vec<Vec<f64>>,
}

const LONGEST_WINDOW: usize = 256;

/// Segments summed at once, so that rounding does not depend on the threads.
const BLOCK: usize = 512;

/// Welch's spectrum, as `scipy.signal.welch` has it by default, averaged over the segments of `set` (`[time, channel]` each).
pub fn welch(set: &Pool, channels: usize, sampling_frequency_hz: f64) -> Spectrum {
    let time = set.length().checked_div(channels).unwrap_or(0);
    let size = time.min(LONGEST_WINDOW);
    let bins = size / 2 + 1;
    let nothing = Spectrum { step_hz: sampling_frequency_hz / size.max(1) as f64, density: vec![vec![0.0; bins]; channels] };
    if size < 2 || set.is_empty() {
        return nothing;
    }
    let window: Vec<f64> = (0..size).map(|i| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / size as f64).cos()).collect();
    let transform = FftPlanner::new().plan_fft_forward(size);
    let parts: Vec<Vec<f64>> = set
        .samples()
        .par_chunks(BLOCK * set.length())
        .map(|block| powers(block, set.length(), channels, &window, &transform))
        .collect();
    let hop = size - size / 2;
    let windows = (time - size) / hop + 1;
    let power: f64 = window.iter().map(|w| w * w).sum();
    let scale = 1.0 / (sampling_frequency_hz * power * (windows * set.len()) as f64);
    let at = |channel: usize, bin: usize| {
        let sides = if bin == 0 || 2 * bin == size { 1.0 } else { 2.0 };
        sides * scale * parts.iter().map(|p| p[channel * bins + bin]).sum::<f64>()
    };
    Spectrum { density: (0..channels).map(|c| (0..bins).map(|b| at(c, b)).collect()).collect(), ..nothing }
}

/// Sums of squared moduli, `[channel, bin]`.
fn powers(block: &[f32], length: usize, channels: usize, window: &[f64], transform: &Arc<dyn Fft<f64>>) -> Vec<f64> {
    let (size, time) = (window.len(), length / channels);
    let bins = size / 2 + 1;
    let mut sums = vec![0.0; channels * bins];
    let mut buffer = vec![Complex::new(0.0, 0.0); size];
    let mut scratch = vec![Complex::new(0.0, 0.0); transform.get_inplace_scratch_len()];
    for segment in block.chunks_exact(length) {
        for (channel, sums) in sums.chunks_exact_mut(bins).enumerate() {
            let mut start = 0;
            while start + size <= time {
                let values =
                    || segment[start * channels..].iter().skip(channel).step_by(channels).take(size).map(|&x| f64::from(x));
                let mean = values().sum::<f64>() / size as f64;
                for ((cell, x), w) in buffer.iter_mut().zip(values()).zip(window) {
                    *cell = Complex::new((x - mean) * w, 0.0);
                }
                transform.process_with_scratch(&mut buffer, &mut scratch);
                for (sum, value) in sums.iter_mut().zip(&buffer) {
                    *sum += value.norm_sqr();
                }
                start += size - size / 2;
            }
        }
    }
    sums
}

/// Power below the reference's peak that counts as nothing.
const FLOOR: f64 = 1e-6;

/// √ of the mean squared difference in decibels over frequencies above 0 in `[from_hz, to_hz)`, averaged over channels. None where no
/// frequency is in the band, or the reference has no power.
pub fn log_spectral_distance(reference: &Spectrum, other: &Spectrum, from_hz: f64, to_hz: f64) -> Option<f64> {
    let of_channel = |(real, other): (&Vec<f64>, &Vec<f64>)| {
        let floor = FLOOR * real.iter().skip(1).copied().fold(0.0, f64::max);
        let (mut sum, mut count) = (0.0, 0_usize);
        for (bin, (&x, &y)) in real.iter().zip(other).enumerate().skip(1) {
            if (from_hz..to_hz).contains(&(bin as f64 * reference.step_hz)) {
                sum += (10.0 * (y.max(floor) / x.max(floor)).log10()).powi(2);
                count += 1;
            }
        }
        (count > 0 && floor > 0.0).then(|| (sum / count as f64).sqrt()).filter(|d| d.is_finite())
    };
    let distances: Option<Vec<f64>> = reference.density.iter().zip(&other.density).map(of_channel).collect();
    distances.filter(|d| !d.is_empty()).map(|d| d.iter().sum::<f64>() / d.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(height: f32, hertz: f32) -> Pool {
        let at = |i: usize| height * (std::f32::consts::TAU * hertz * i as f32 / 128.0).sin();
        Pool::of_samples((0..10 * 300).map(at).collect(), 300)
    }

    #[test]
    fn power_is_where_it_belongs() {
        let spectrum = welch(&waves(2.0, 16.0), 1, 128.0);
        let total: f64 = spectrum.density[0].iter().sum::<f64>() * spectrum.step_hz;
        assert!((total - 2.0).abs() < 0.05, "half of the squared height: {total}");
        let peak = spectrum.density[0].iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert_eq!(peak as f64 * spectrum.step_hz, 16.0);
    }

    #[test]
    fn twice_the_amplitude_is_six_decibels() {
        let (one, two) = (welch(&waves(1.0, 16.0), 1, 128.0), welch(&waves(2.0, 16.0), 1, 128.0));
        let found = log_spectral_distance(&one, &two, 15.5, 17.0).unwrap();
        assert!((found - 20.0 * 2.0_f64.log10()).abs() < 1e-6, "{found}");
        assert_eq!(log_spectral_distance(&one, &one, 0.0, 64.0), Some(0.0));
        assert_eq!(log_spectral_distance(&one, &two, 70.0, 80.0), None);
        assert_eq!(log_spectral_distance(&welch(&Pool::default(), 1, 128.0), &two, 0.0, 64.0), None);
    }
}

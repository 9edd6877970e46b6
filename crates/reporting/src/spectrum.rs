//! Power spectral density by Welch's method (Welch 1967): one-sided, Hann window, half-overlapping windows, each window's
//! mean removed.
//!
//! Beats are shorter than a second, so that most segments hold one window only: then the estimate is the modified
//! periodogram, averaged over segments instead of over windows of one long recording. Windows are at most two seconds, and
//! are padded with zeros to a power of two of at least 256, which interpolates the spectrum without adding resolution: that
//! stays 2 divided by the window's duration (four bins between the Hann window's first zeros).

use rustfft::{FftPlanner, num_complex::Complex};

/// Longest window, in seconds.
const LONGEST_WINDOW_S: f64 = 2.0;

/// A power spectral density.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spectrum {
    /// Hertz between bins; bin k is at k times this.
    pub step_hz: f64,
    /// Squared units per hertz, from 0 to half the sampling frequency.
    pub density: Vec<f64>,
}

impl Spectrum {
    /// `(frequency in hertz, decibels re one squared unit per hertz)` without the bin at 0, which the removed mean empties.
    pub(crate) fn decibels(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.density.iter().enumerate().skip(1).map(|(k, &d)| (k as f64 * self.step_hz, 10.0 * d.max(1e-20).log10()))
    }
}

/// The mean spectrum of `signals`, all of one length, at `sampling_frequency_hz`; signals with a value that is not finite are
/// left out. None where no window of at least four samples is left.
pub(crate) fn welch<'a>(signals: impl IntoIterator<Item = &'a [f32]>, sampling_frequency_hz: f64) -> Option<Spectrum> {
    let mut signals = signals.into_iter().filter(|s| s.iter().all(|v| v.is_finite())).peekable();
    let length = signals.peek()?.len();
    if !(sampling_frequency_hz.is_finite() && sampling_frequency_hz > 0.0) {
        return None;
    }
    let longest = (LONGEST_WINDOW_S * sampling_frequency_hz).round().clamp(1.0, 65_536.0) as usize;
    let size = length.min(longest);
    if size < 4 {
        return None;
    }
    // Periodic Hann window, as spectral estimates want it.
    let window: Vec<f64> = (0..size).map(|k| 0.5 - 0.5 * (2.0 * std::f64::consts::PI * k as f64 / size as f64).cos()).collect();
    let padded = size.next_power_of_two().max(256);
    let transform = FftPlanner::<f64>::new().plan_fft_forward(padded);
    let mut scratch = vec![Complex::default(); transform.get_inplace_scratch_len()];
    let mut buffer = vec![Complex::default(); padded];
    let mut sum = vec![0.0; padded / 2 + 1];
    let mut windows = 0_usize;
    for signal in signals {
        for start in (0..=signal.len().saturating_sub(size)).step_by((size / 2).max(1)) {
            let Some(part) = signal.get(start..start + size) else { continue };
            let mean = part.iter().map(|&v| f64::from(v)).sum::<f64>() / size as f64;
            buffer.fill(Complex::default());
            for ((slot, &v), w) in buffer.iter_mut().zip(part).zip(&window) {
                slot.re = (f64::from(v) - mean) * w;
            }
            transform.process_with_scratch(&mut buffer, &mut scratch);
            for (total, bin) in sum.iter_mut().zip(&buffer) {
                *total += bin.norm_sqr();
            }
            windows += 1;
        }
    }
    let energy: f64 = window.iter().map(|w| w * w).sum();
    let scale = 1.0 / (sampling_frequency_hz * energy * windows.max(1) as f64);
    let last = padded / 2;
    let density = sum.iter().enumerate().map(|(k, s)| s * scale * if k == 0 || k == last { 1.0 } else { 2.0 }).collect();
    Some(Spectrum { step_hz: sampling_frequency_hz / padded as f64, density })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_like::noise;

    /// A small generator for tests, so that they need no further crate.
    mod rand_like {
        pub(super) fn noise(n: usize) -> Vec<f32> {
            let mut state = 88_172_645_463_325_252_u64;
            (0..n)
                .map(|_| {
                    (0..12)
                        .map(|_| {
                            state ^= state << 13;
                            state ^= state >> 7;
                            state ^= state << 17;
                            (state >> 11) as f64 / (1_u64 << 53) as f64
                        })
                        .sum::<f64>() as f32
                        - 6.0
                })
                .collect()
        }
    }

    #[test]
    fn white_noise_of_variance_one_has_its_density() {
        let noise = noise(200_000);
        let spectrum = welch(noise.chunks_exact(200), 200.0).unwrap();
        // One-sided density of unit variance: 2 / fs.
        let mean = spectrum.density[4..120].iter().sum::<f64>() / 116.0;
        assert!((mean * 100.0 - 1.0).abs() < 0.05, "{mean}");
    }

    #[test]
    fn a_sine_peaks_at_its_frequency_with_its_power() {
        let sine: Vec<f32> = (0..1440).map(|k| (2.0 * std::f64::consts::PI * 10.0 * f64::from(k) / 360.0).sin() as f32).collect();
        let spectrum = welch([sine.as_slice()], 360.0).unwrap();
        let (peak, _) = spectrum.density.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        assert!((peak as f64 * spectrum.step_hz - 10.0).abs() < 0.4);
        let power: f64 = spectrum.density.iter().sum::<f64>() * spectrum.step_hz;
        assert!((power - 0.5).abs() < 0.01, "{power}");
    }

    #[test]
    fn nothing_to_estimate() {
        assert!(welch([], 360.0).is_none());
        assert!(welch([[1.0_f32, 2.0].as_slice()], 360.0).is_none());
        assert!(welch([[f32::NAN; 100].as_slice()], 360.0).is_none());
        assert!(welch([[0.0; 100].as_slice()], 0.0).is_none());
    }
}

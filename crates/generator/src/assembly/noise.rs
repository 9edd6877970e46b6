//! What denoising took away, put back.
//!
//! A Gaussian process with the spectrum of the residual of training records: overlapping blocks, each the inverse transform of a spectrum
//! with drawn phases and amplitudes, under windows whose squares add up to one. Each block's strength is log-normal with the residual's
//! unevenness, so that there are quieter and noisier stretches. Any part of it can be had without what comes before.

use std::f64::consts::PI;
use std::sync::Arc;

use physiosynth_signal::{Residual, Seed};
use rand_distr::{Distribution, StandardNormal};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Length of a block in seconds; the slowest wander has half that period.
const BLOCK_S: f64 = 50.0;
/// The most that a block's strength differs from the middle: e to this.
const MOST_UNEVEN: f64 = 1.5;

/// Noise of a spectrum.
pub struct ResidualNoise {
    purpose: String,
    seed: Seed,
    /// Standard deviation of each bin of a block's spectrum.
    deviations: Vec<f64>,
    unevenness: f64,
    hop: usize,
    transform: Arc<dyn Fft<f64>>,
    /// The blocks made last, by number.
    blocks: [(Option<u64>, Vec<f32>); 2],
}

impl std::fmt::Debug for ResidualNoise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResidualNoise").field("purpose", &self.purpose).field("hop", &self.hop).finish_non_exhaustive()
    }
}

impl ResidualNoise {
    /// The noise of one channel of the record `name`, at a sampling frequency in hertz; in the residual's unit.
    pub fn new(residual: &Residual, sampling_frequency_hz: f64, seed: Seed, name: &str, channel: usize) -> Self {
        let hop = ((BLOCK_S * sampling_frequency_hz / 2.0).round() as usize).max(1);
        let length = 2 * hop;
        let bin_hz = sampling_frequency_hz / length as f64;
        // White noise of variance σ² has a one-sided density of 2σ²/f and bins of variance N·σ².
        let deviation = |bin: usize| {
            let density = density_at(residual, bin as f64 * bin_hz);
            (density * sampling_frequency_hz * length as f64 / 2.0).sqrt()
        };
        Self {
            purpose: format!("noise of {name}, channel {channel}"),
            seed,
            deviations: (0..=hop).map(|bin| if bin == 0 || bin == hop { 0.0 } else { deviation(bin) }).collect(),
            unevenness: residual.unevenness,
            hop,
            transform: FftPlanner::new().plan_fft_inverse(length),
            blocks: [(None, Vec::new()), (None, Vec::new())],
        }
    }

    /// Adds it to samples, the first of them sample `from` of the record.
    pub fn add(&mut self, samples: &mut [f32], from: usize) {
        let hop = self.hop;
        let mut at = 0;
        while at < samples.len() {
            // Between two multiples of the hop, the end of one block and the beginning of the next.
            let position = from + at;
            let (block, offset) = ((position / hop) as u64, position % hop);
            let count = (hop - offset).min(samples.len() - at);
            let piece = samples.get_mut(at..at + count).unwrap_or_default();
            for (number, first) in [(block, hop + offset), (block + 1, offset)] {
                let values = self.block(number);
                piece.iter_mut().zip(&values[first..first + count]).for_each(|(sample, value)| *sample += value);
            }
            at += count;
        }
    }

    /// Block `number`, which begins one hop before `number` hops.
    fn block(&mut self, number: u64) -> &[f32] {
        let slot = (number % 2) as usize;
        if self.blocks[slot].0 != Some(number) {
            self.blocks[slot] = (Some(number), self.make(number));
        }
        &self.blocks[slot].1
    }

    fn make(&self, number: u64) -> Vec<f32> {
        let mut stream = self.seed.stream(&self.purpose, number);
        let mut normal = || -> f64 { StandardNormal.sample(&mut stream) };
        let length = 2 * self.hop;
        let strength = (self.unevenness * normal()).clamp(-MOST_UNEVEN, MOST_UNEVEN).exp();
        let mut spectrum = vec![Complex::new(0.0, 0.0); length];
        for (bin, deviation) in self.deviations.iter().enumerate().skip(1).take(self.hop - 1) {
            let value = Complex::new(normal(), normal()) * (deviation / 2.0_f64.sqrt());
            spectrum[bin] = value;
            spectrum[length - bin] = value.conj();
        }
        self.transform.process(&mut spectrum);
        let window = |i: usize| (PI * (i as f64 + 0.5) / length as f64).sin();
        spectrum.iter().enumerate().map(|(i, x)| (strength * window(i) * x.re / length as f64) as f32).collect()
    }
}

/// The density at a frequency: that of its band; 0 outside of all.
fn density_at(residual: &Residual, hz: f64) -> f64 {
    let band = residual.edges_hz.windows(2).position(|edges| (edges[0]..edges[1]).contains(&hz));
    band.and_then(|band| residual.density.get(band)).copied().unwrap_or(0.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residual(unevenness: f64) -> Residual {
        Residual { unit: "mV".into(), edges_hz: vec![0.5, 10.0, 20.0, 60.0], density: vec![1e-4, 0.0, 1e-5], unevenness }
    }

    #[test]
    fn the_noise_has_the_power_of_the_spectrum() {
        let mut samples = vec![0.0; 100_000];
        ResidualNoise::new(&residual(0.0), 200.0, Seed(1), "r", 0).add(&mut samples, 0);
        let power = samples.iter().map(|x| f64::from(x * x)).sum::<f64>() / samples.len() as f64;
        let expected = 9.5 * 1e-4 + 40.0 * 1e-5;
        assert!((power / expected - 1.0).abs() < 0.1, "{power} for {expected}");
        // Differences of successive samples weigh high frequencies: both bands are where they belong.
        let rough = samples.windows(2).map(|p| f64::from(p[1] - p[0]).powi(2)).sum::<f64>() / samples.len() as f64;
        let weight = |low: f64, high: f64| {
            (0..100).map(|i| 4.0 * (PI * (low + (high - low) * (f64::from(i) + 0.5) / 100.0) / 200.0).sin().powi(2)).sum::<f64>()
                / 100.0
        };
        let expected = 9.5e-4 * weight(0.5, 10.0) + 4e-4 * weight(20.0, 60.0);
        assert!((rough / expected - 1.0).abs() < 0.1, "{rough} for {expected}");
    }

    #[test]
    fn parts_are_parts_of_the_whole() {
        let mut whole = vec![0.0; 20_000];
        ResidualNoise::new(&residual(0.3), 200.0, Seed(1), "r", 0).add(&mut whole, 0);
        let mut pieces = vec![0.0; 20_000];
        let mut noise = ResidualNoise::new(&residual(0.3), 200.0, Seed(1), "r", 0);
        for from in (0..20_000).step_by(777) {
            let to = (from + 777).min(20_000);
            noise.add(&mut pieces[from..to], from);
        }
        assert_eq!(whole, pieces);
        let mut other = vec![0.0; 20_000];
        ResidualNoise::new(&residual(0.3), 200.0, Seed(1), "r", 1).add(&mut other, 0);
        assert_ne!(whole, other);
    }
}

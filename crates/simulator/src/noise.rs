//! What a recorder adds to an electrocardiogram, one function a source. Each returns `n` samples in millivolts at `fs`
//! hertz whose root mean square is `rms_mv` (exactly, but for [`white`], where it is the expected value).

use std::f64::consts::TAU;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Baseline wander: respiration (two neighbouring lines at 0.18 to 0.34 Hz, so that it waxes and wanes) and slow drift of the
/// electrodes (0.02 to 0.12 Hz, stronger the slower). All of it is below 0.5 Hz.
pub fn baseline_wander(rng: &mut impl Rng, n: usize, fs: f64, rms_mv: f64) -> Vec<f32> {
    let respiration = rng.random_range(0.18..0.32);
    let mut lines = [Line { cycles_per_sample: respiration / fs, amplitude: 1.0, phase: rng.random_range(0.0..TAU) }; 6];
    lines[1] = Line {
        cycles_per_sample: (respiration + rng.random_range(0.005..0.02)) / fs,
        amplitude: rng.random_range(0.2..0.6),
        phase: rng.random_range(0.0..TAU),
    };
    for (line, slow) in lines[2..].iter_mut().zip([0.02_f64, 0.04, 0.07, 0.11]) {
        let frequency: f64 = slow * rng.random_range(0.8..1.2);
        *line = Line {
            cycles_per_sample: frequency / fs,
            amplitude: rng.random_range(0.5..1.0) * (0.03 / frequency).sqrt(),
            phase: rng.random_range(0.0..TAU),
        };
    }
    let mut samples = vec![0.0_f64; n];
    add_lines(&mut samples, lines);
    scaled_to(samples, rms_mv)
}

/// Mains interference at `mains_hz` (50 or 60), with its third harmonic where the sampling frequency holds it, and a slow
/// swell of a few per cent. Without samples of their own (mains at or above half the sampling frequency) it is silent.
pub fn mains(rng: &mut impl Rng, n: usize, fs: f64, mains_hz: f64, rms_mv: f64) -> Vec<f32> {
    let mut samples = vec![0.0_f64; n];
    let (phase, harmonic_phase) = (rng.random_range(0.0..TAU), rng.random_range(0.0..TAU));
    let swell_hz = rng.random_range(0.03..0.2);
    // A carrier and one weak side line each side: amplitude modulation by 6 %.
    let line = |frequency: f64, amplitude: f64, phase: f64| Line { cycles_per_sample: frequency / fs, amplitude, phase };
    if mains_hz < 0.5 * fs {
        let third = if 3.0 * mains_hz < 0.48 * fs { 0.12 } else { 0.0 };
        let lines = [
            line(mains_hz, 1.0, phase),
            line(mains_hz - swell_hz, 0.03, phase),
            line(mains_hz + swell_hz, 0.03, phase),
            line(3.0 * mains_hz, third, harmonic_phase),
        ];
        add_lines(&mut samples, lines);
    }
    scaled_to(samples, rms_mv)
}

/// Muscle noise: Gaussian noise through a Butterworth band from 20 to 150 Hz (or 0.45 of the sampling frequency, whichever is
/// lower), 12 dB per octave each side, its strength rising and falling by a third within tens of seconds.
pub fn muscle(rng: &mut impl Rng, n: usize, fs: f64, rms_mv: f64) -> Vec<f32> {
    let mut high_pass = Biquad::high_pass(20.0 / fs);
    let mut low_pass = Biquad::low_pass((150.0 / fs).min(0.45));
    // The filters' transient is over within 0.2 s; it is run off before the first sample.
    for _ in 0..(0.2 * fs) as usize {
        low_pass.step(high_pass.step(rng.sample(StandardNormal)));
    }
    let mut strength = vec![1.0_f64; n];
    let swell = rng.random_range(0.02..0.06) / fs;
    add_lines(&mut strength, [Line { cycles_per_sample: swell, amplitude: 0.33, phase: rng.random_range(0.0..TAU) }]);
    for sample in &mut strength {
        *sample *= low_pass.step(high_pass.step(rng.sample(StandardNormal)));
    }
    scaled_to(strength, rms_mv)
}

/// White Gaussian noise: electrode contact and amplifier.
pub fn white(rng: &mut impl Rng, n: usize, _fs: f64, rms_mv: f64) -> Vec<f32> {
    (0..n).map(|_| (rng.sample::<f64, _>(StandardNormal) * rms_mv) as f32).collect()
}

/// One spectral line: `amplitude · sin(2π · cycles_per_sample · i + phase)` at sample `i`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) cycles_per_sample: f64,
    pub(crate) amplitude: f64,
    pub(crate) phase: f64,
}

/// Adds `L` lines to the samples by rotating a phasor each, side by side: a sine per sample would cost more than the model
/// itself, and one line after the other would wait for each rotation.
pub(crate) fn add_lines<const L: usize>(samples: &mut [f64], lines: [Line; L]) {
    let turn = lines.map(|line| (TAU * line.cycles_per_sample).sin_cos());
    // Restarted every 4,096 samples, so that rounding cannot build up over a long record.
    for (block, part) in samples.chunks_mut(4096).enumerate() {
        let first = (block * 4096) as f64;
        let start = lines.map(|line| (TAU * line.cycles_per_sample * first + line.phase).sin_cos());
        let mut sin: [f64; L] = std::array::from_fn(|l| lines[l].amplitude * start[l].0);
        let mut cos: [f64; L] = std::array::from_fn(|l| lines[l].amplitude * start[l].1);
        for sample in part {
            *sample += sin.iter().sum::<f64>();
            for l in 0..L {
                (sin[l], cos[l]) = (sin[l] * turn[l].1 + cos[l] * turn[l].0, cos[l] * turn[l].1 - sin[l] * turn[l].0);
            }
        }
    }
}

/// The samples scaled to this root mean square; silence stays silence.
fn scaled_to(samples: Vec<f64>, rms: f64) -> Vec<f32> {
    let power: f64 = samples.iter().map(|x| x * x).sum::<f64>() / (samples.len().max(1)) as f64;
    let factor = if power > 0.0 { rms / power.sqrt() } else { 0.0 };
    samples.into_iter().map(|x| (x * factor) as f32).collect()
}

/// A second-order Butterworth section (bilinear transform), direct form II transposed.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// `cutoff` in cycles per sample, below 0.5.
    fn low_pass(cutoff: f64) -> Self {
        let k = (std::f64::consts::PI * cutoff).tan();
        let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
        let b0 = k * k * norm;
        Self::new([b0, 2.0 * b0, b0], k, norm)
    }

    fn high_pass(cutoff: f64) -> Self {
        let k = (std::f64::consts::PI * cutoff).tan();
        let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
        Self::new([norm, -2.0 * norm, norm], k, norm)
    }

    fn new(b: [f64; 3], k: f64, norm: f64) -> Self {
        let a = [2.0 * (k * k - 1.0) * norm, (1.0 - std::f64::consts::SQRT_2 * k + k * k) * norm];
        Self { b, a, state: [0.0; 2] }
    }

    fn step(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    const FS: f64 = 360.0;
    const N: usize = 36_000;

    fn rms(samples: &[f32]) -> f64 {
        (samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    /// Share of the power between `low` and `high` hertz, by the discrete Fourier transform of 3,600 samples.
    fn share(samples: &[f32], low: f64, high: f64) -> f64 {
        let x = &samples[..3600];
        let (mut inside, mut all) = (0.0, 0.0);
        for k in 0..1800 {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &v) in x.iter().enumerate() {
                let (sin, cos) = (TAU * ((k * i) % 3600) as f64 / 3600.0).sin_cos();
                // Hann window: the lines do not fall on the grid.
                let w = 0.5 - 0.5 * (TAU * i as f64 / 3600.0).cos();
                re += w * f64::from(v) * cos;
                im += w * f64::from(v) * sin;
            }
            let (power, frequency) = (re * re + im * im, k as f64 * FS / 3600.0);
            all += power;
            if (low..=high).contains(&frequency) {
                inside += power;
            }
        }
        inside / all
    }

    #[test]
    fn levels_are_as_asked() {
        let mut rng = Seed(3).stream("test", 0);
        for samples in [
            baseline_wander(&mut rng, N, FS, 0.1),
            mains(&mut rng, N, FS, 50.0, 0.1),
            muscle(&mut rng, N, FS, 0.1),
            white(&mut rng, N, FS, 0.1),
        ] {
            assert_eq!(samples.len(), N);
            assert!((rms(&samples) - 0.1).abs() < 0.002, "{}", rms(&samples));
        }
    }

    #[test]
    fn each_has_its_band() {
        let mut rng = Seed(4).stream("test", 0);
        assert!(share(&baseline_wander(&mut rng, N, FS, 0.1), 0.0, 0.5) > 0.99);
        assert!(share(&mains(&mut rng, N, FS, 60.0, 0.1), 59.5, 60.5) > 0.97);
        let muscle = muscle(&mut rng, N, FS, 0.1);
        assert!(share(&muscle, 20.0, 150.0) > 0.85);
        assert!(share(&muscle, 0.0, 8.0) < 0.01);
        assert!((share(&white(&mut rng, N, FS, 0.1), 0.0, 90.0) - 0.5).abs() < 0.06);
    }

    #[test]
    fn silence_and_nothing_are_possible() {
        let mut rng = Seed(5).stream("test", 0);
        assert!(baseline_wander(&mut rng, 0, FS, 0.1).is_empty());
        assert!(muscle(&mut rng, 100, FS, 0.0).iter().all(|&x| x == 0.0));
        assert!(mains(&mut rng, 100, 80.0, 50.0, 0.1).iter().all(|&x| x == 0.0));
    }
}

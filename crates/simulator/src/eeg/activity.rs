//! What a patch of cortex does over time.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::head::SourceKind;
use super::timeline::Gates;

/// Corner frequencies of the relaxation processes whose sum is 1/f noise, in hertz: half a decade apart.
const CORNERS_HZ: [f64; 7] = [0.1, 0.316, 1.0, 3.16, 10.0, 31.6, 100.0];
/// What is left of background and rhythms during a discharge.
const LEFT_IN_DISCHARGE: f32 = 0.6;

/// `n` samples of a source's activity in microvolts, at `fs` hertz.
pub fn activity(rng: &mut impl Rng, kind: &SourceKind, gates: &Gates, n: usize, fs: f64) -> Vec<f32> {
    let mut samples = match *kind {
        SourceKind::Background { slope, rms_uv } => coloured(rng, n, fs, slope, rms_uv),
        SourceKind::Rhythm { hz, width_hz, rms_uv, open } => {
            let mut samples = rhythm(rng, n, fs, hz, width_hz, rms_uv);
            samples.iter_mut().zip(&gates.open).for_each(|(x, gate)| *x *= 1.0 - (1.0 - open as f32) * gate);
            samples
        }
        SourceKind::SpikeAndWave { height_uv, hz } => {
            let mut samples = spike_and_wave(rng, n, fs, hz, height_uv);
            samples.iter_mut().zip(&gates.discharge).for_each(|(x, gate)| *x *= gate);
            return samples;
        }
    };
    samples.iter_mut().zip(&gates.discharge).for_each(|(x, gate)| *x *= 1.0 - (1.0 - LEFT_IN_DISCHARGE) * gate);
    samples
}

/// Noise whose power falls as `f^−slope` from 0.1 to 100 Hz: the sum of relaxation (Ornstein–Uhlenbeck) processes with corner
/// frequencies half a decade apart, whose variances go as `corner^(1 − slope)`. Expected root mean square `rms`.
pub fn coloured(rng: &mut impl Rng, n: usize, fs: f64, slope: f64, rms: f64) -> Vec<f32> {
    let variances = CORNERS_HZ.map(|corner| corner.powf(1.0 - slope));
    let total: f64 = variances.iter().sum();
    let keep = CORNERS_HZ.map(|corner| (-TAU * corner / fs).exp());
    let deviation = variances.map(|v| (v / total).sqrt() * rms);
    let mut state = deviation.map(|d| d * rng.sample::<f64, _>(StandardNormal));
    (0..n)
        .map(|_| {
            for ((x, keep), d) in state.iter_mut().zip(&keep).zip(&deviation) {
                *x = keep * *x + d * (1.0 - keep * keep).sqrt() * rng.sample::<f64, _>(StandardNormal);
            }
            state.iter().sum::<f64>() as f32
        })
        .collect()
}

/// A rhythm that waxes and wanes: the real part of a complex relaxation process turning at `hz`, whose spectrum is a line `width_hz`
/// wide at half of its power. Expected root mean square `rms`.
pub fn rhythm(rng: &mut impl Rng, n: usize, fs: f64, hz: f64, width_hz: f64, rms: f64) -> Vec<f32> {
    let keep = (-PI * width_hz / fs).exp();
    let (sin, cos) = (TAU * hz / fs).sin_cos();
    let kick = rms * (1.0 - keep * keep).sqrt();
    let mut draw = |scale: f64| scale * rng.sample::<f64, _>(StandardNormal);
    let (mut re, mut im) = (draw(rms), draw(rms));
    (0..n)
        .map(|_| {
            (re, im) = (keep * (cos * re - sin * im) + draw(kick), keep * (sin * re + cos * im) + draw(kick));
            re as f32
        })
        .collect()
}

/// Complexes without pause: a sharp negative spike, then a slow negative wave, `hz` a second with a few per cent of jitter in period
/// and height, without their mean. `height` is the wave's; the spike stands right before it, or it would cancel the wave's rhythm.
fn spike_and_wave(rng: &mut impl Rng, n: usize, fs: f64, hz: f64, height: f64) -> Vec<f32> {
    let mut samples = Vec::with_capacity(n);
    while samples.len() < n {
        let period_s = (1.0 + 0.04 * rng.sample::<f64, _>(StandardNormal).clamp(-2.5, 2.5)) / hz;
        let tall = height * rng.random_range(0.85..1.15);
        let count = (period_s * fs).round().max(1.0) as usize;
        let complex: Vec<f64> = (0..count)
            .map(|i| {
                let phase = i as f64 / count as f64;
                let spike = (-0.5 * ((phase - 0.2) * period_s / 0.014).powi(2)).exp();
                let wave = if phase > 0.3 { (PI * (phase - 0.3) / 0.7).sin().powi(2) } else { 0.0 };
                -(0.8 * spike + wave) * tall
            })
            .collect();
        let mean = complex.iter().sum::<f64>() / count as f64;
        samples.extend(complex.into_iter().map(|x| (x - mean) as f32));
    }
    samples.truncate(n);
    samples
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    const FS: f64 = 160.0;
    const N: usize = 64_000;

    fn rms(samples: &[f32]) -> f64 {
        (samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    /// Power about a frequency: the squared length of the projection on windows of 4 s.
    fn power(samples: &[f32], hz: f64) -> f64 {
        let part = (4.0 * FS) as usize;
        let of = |chunk: &[f32]| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &x) in chunk.iter().enumerate() {
                let (sin, cos) = (TAU * hz * i as f64 / FS).sin_cos();
                let window = 0.5 - 0.5 * (TAU * i as f64 / part as f64).cos();
                re += window * f64::from(x) * cos;
                im += window * f64::from(x) * sin;
            }
            re * re + im * im
        };
        samples.chunks_exact(part).map(of).sum::<f64>()
    }

    #[test]
    fn background_falls_with_frequency_by_its_slope() {
        for slope in [0.9, 1.4] {
            let samples = coloured(&mut Seed(1).stream("test", 0), N, FS, slope, 10.0);
            assert!((rms(&samples) - 10.0).abs() < 1.5, "{}", rms(&samples));
            // Means about 2 and 20 Hz: a decade apart.
            let about = |hz: f64| (0..9).map(|i| power(&samples, hz * (0.8 + 0.05 * f64::from(i)))).sum::<f64>();
            let found = (about(2.0) / about(20.0)).log10();
            assert!((found - slope).abs() < 0.25, "slope {slope}: {found}");
        }
    }

    #[test]
    fn rhythm_has_its_frequency_and_strength() {
        let samples = rhythm(&mut Seed(2).stream("test", 0), N, FS, 10.0, 1.2, 5.0);
        assert!((rms(&samples) - 5.0).abs() < 0.6, "{}", rms(&samples));
        assert!(power(&samples, 10.0) > 10.0 * power(&samples, 7.0) && power(&samples, 10.0) > 10.0 * power(&samples, 13.0));
    }

    #[test]
    fn discharges_repeat_three_times_a_second() {
        let samples = spike_and_wave(&mut Seed(3).stream("test", 0), N, FS, 3.0, 100.0);
        assert!(power(&samples, 3.0) > 5.0 * power(&samples, 4.5));
        let lowest = samples.iter().fold(0.0_f32, |a, &b| a.min(b));
        assert!((-120.0..-40.0).contains(&lowest), "{lowest}");
    }
}

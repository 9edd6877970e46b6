//! What breathing does to an ECG: the electrodes move against the heart, so that amplitude and baseline go up and down together.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

/// Breaths per second of resting adults.
const RATE_HZ: [f64; 2] = [0.18, 0.32];
/// The baseline's amplitude, as a share of the amplitude's own: denoising has taken most of it away.
const BASELINE: f64 = 0.3;
/// How far the phase goes ahead and back, in turns, over these periods in seconds: nobody breathes like a clock.
const DRIFT: [(f64, f64); 3] = [(0.25, 17.0), (0.35, 41.0), (0.5, 103.0)];

/// A patient's breathing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Breathing {
    /// Share by which the amplitude changes.
    share: f64,
    breaths_hz: f64,
    phases: [f64; DRIFT.len()],
    rate: f64,
}

impl Breathing {
    pub(super) fn draw(share: f64, rate: f64, stream: &mut impl Rng) -> Self {
        let breaths_hz = stream.random_range(RATE_HZ[0]..RATE_HZ[1]);
        Self { share, breaths_hz, phases: std::array::from_fn(|_| stream.random_range(0.0..1.0)), rate }
    }

    /// From −1, breathed out, to 1, breathed in, at a sample of the record.
    fn at(&self, sample: usize) -> f64 {
        let time_s = sample as f64 / self.rate;
        let drift = DRIFT.iter().zip(self.phases).map(|((turns, period), phase)| turns * (TAU * (time_s / period + phase)).sin());
        (TAU * (self.breaths_hz * time_s) + drift.sum::<f64>()).sin()
    }

    /// Breathes over samples around a baseline of 0, the first of them sample `from` of the record.
    pub(super) fn apply(&self, samples: &mut [f32], from: usize) {
        if self.share == 0.0 {
            return;
        }
        for (index, value) in samples.iter_mut().enumerate() {
            let breath = self.share * self.at(from + index);
            *value += (breath * (f64::from(*value) + BASELINE)) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    #[test]
    fn amplitude_goes_up_and_down_by_the_share_some_fifteen_times_a_minute() {
        let breathing = Breathing::draw(0.05, 100.0, &mut Seed(1).stream("t", 0));
        let mut samples = vec![1.0; 60_000];
        breathing.apply(&mut samples, 0);
        let (low, high) = samples.iter().fold((f32::MAX, f32::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        assert!((low - 0.935).abs() < 1e-3 && (high - 1.065).abs() < 1e-3, "{low} {high}");
        let breaths = samples.windows(2).filter(|pair| pair[0] < 1.0 && pair[1] >= 1.0).count();
        assert!((105..=195).contains(&breaths), "{breaths} in ten minutes");
        // In pieces as in one.
        let mut part = vec![1.0; 100];
        breathing.apply(&mut part, 5000);
        assert_eq!(part, samples[5000..5100]);
    }
}

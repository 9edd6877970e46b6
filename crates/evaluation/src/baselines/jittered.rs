//! Copies with jitter and time warp.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Baseline, Fitting};

pub(super) const BASELINE: Baseline = Baseline {
    name: "jittered_copy",
    definition: "Real training segments, drawn with replacement, with time warped (a smooth shift that strays by about 1% of the length) and \
                 white jitter of 3% of the segments' standard deviation added (after Um et al. 2017): augmentation, no generator.",
    make: |fitting: &Fitting| {
        let (train, channels) = (fitting.train, fitting.shape.channels);
        let time = train.length().checked_div(channels).filter(|&t| t > 1 && !train.is_empty())?;
        let jitter = JITTER * deviation(train.samples());
        let purpose = format!("evaluation/baseline/jittered_copy/{}", fitting.class);
        let made: Vec<Vec<f32>> = (0..fitting.reference.len())
            .into_par_iter()
            .map(|i| {
                let mut rng = fitting.seed.stream(&purpose, i as u64);
                let source = train.segment(rng.random_range(0..train.len()));
                let shifts = shifts(time, &mut rng);
                let mut made = Vec::with_capacity(source.len());
                for (t, shift) in shifts.iter().enumerate() {
                    let at = (t as f64 + shift).clamp(0.0, (time - 1) as f64);
                    let (low, part) = (at as usize, at.fract());
                    let high = (low + 1).min(time - 1);
                    for c in 0..channels {
                        let (a, b) = (f64::from(source[low * channels + c]), f64::from(source[high * channels + c]));
                        let noise: f64 = StandardNormal.sample(&mut rng);
                        made.push((a + part * (b - a) + jitter * noise) as f32);
                    }
                }
                made
            })
            .collect();
        Some(fitting.reference.with_samples(made.concat()))
    },
};

const JITTER: f64 = 0.03;
const WARP: f64 = 0.01;
/// Shifts are drawn at so many instants and go smoothly between them.
const KNOTS: usize = 5;

/// Samples by which each instant is moved.
fn shifts(time: usize, rng: &mut impl Rng) -> Vec<f64> {
    let knots: Vec<f64> = (0..KNOTS)
        .map(|_| {
            let drawn: f64 = StandardNormal.sample(rng);
            WARP * time as f64 * drawn
        })
        .collect();
    let between = |t: usize| {
        let at = t as f64 / (time - 1) as f64 * (KNOTS - 1) as f64;
        let low = (at as usize).min(KNOTS - 2);
        let part = 0.5 - 0.5 * (std::f64::consts::PI * (at - low as f64)).cos();
        knots[low] + part * (knots[low + 1] - knots[low])
    };
    (0..time).map(between).collect()
}

fn deviation(samples: &[f32]) -> f64 {
    let n = samples.len().max(1) as f64;
    let mean = samples.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    (samples.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n).sqrt()
}

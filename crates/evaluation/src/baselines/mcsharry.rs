//! The dynamical model of McSharry et al., fitted to the class.

use std::f64::consts::SQRT_2;

use physiosynth_simulator::model::{PlacedWave, integrate, steps_per_sample};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Baseline, Fitting};
use crate::linear::symmetric;
use crate::pool::Pool;

pub(super) const BASELINE: Baseline = Baseline {
    name: "mcsharry",
    definition: "The dynamical model of McSharry et al. (2003), as the simulator has it, with up to ten waves whose places, widths and heights \
                 are fitted to the mean real training segment by least squares, and drawn for each segment with the deviations that \
                 the training segments show, independently of one another. None where such waves draw less than half of the mean's \
                 energy, or the mean holds less than a twentieth of the segments' (no beats).",
    make: |fitting: &Fitting| {
        let model = Model::fit(fitting)?;
        let purpose = format!("evaluation/baseline/mcsharry/{}", fitting.class);
        let made: Vec<Vec<f32>> = (0..fitting.reference.len())
            .into_par_iter()
            .map(|i| model.draw(&mut fitting.seed.stream(&purpose, i as u64)))
            .collect();
        Some(fitting.reference.with_samples(made.concat()))
    },
};

const WAVES: usize = 10;
/// Standard deviations that waves may have, in seconds: from a Q to a slow T.
const WIDTHS_S: [f64; 9] = [0.006, 0.009, 0.013, 0.018, 0.026, 0.037, 0.052, 0.074, 0.105];
/// A wave that takes off less of the mean's energy than this is none.
const LEAST_GAIN: f64 = 2e-4;
const LEAST_DRAWN: f64 = 0.5;
const LEAST_IN_MEAN: f64 = 0.05;

/// A wave by its centre and width in samples.
#[derive(Debug, Clone, Copy)]
struct Place {
    centre: f64,
    width: f64,
}

impl Place {
    fn at(self, t: usize) -> f64 {
        (-0.5 * ((t as f64 - self.centre) / self.width).powi(2)).exp()
    }

    /// The wave over all instants.
    fn drawn(self, time: usize) -> Vec<f64> {
        (0..time).map(|t| self.at(t)).collect()
    }

    /// How it changes with its centre, per sample.
    fn moved(self, time: usize) -> Vec<f64> {
        (0..time).map(|t| self.at(t) * (t as f64 - self.centre) / self.width.powi(2)).collect()
    }
}

/// The fitted model.
struct Model {
    rate_hz: f64,
    time: usize,
    channels: usize,
    /// The level that waves stand on, by channel.
    level: Vec<f64>,
    places: Vec<Place>,
    /// Heights `[wave][channel]` and their deviations.
    heights: Vec<Vec<f64>>,
    height_deviations: Vec<Vec<f64>>,
    /// Deviation of each wave's centre, in samples.
    shifts: Vec<f64>,
}

impl Model {
    fn fit(fitting: &Fitting) -> Option<Self> {
        let (train, channels, rate_hz) = (fitting.train, fitting.shape.channels, fitting.shape.sampling_frequency_hz);
        let time = train.length().checked_div(channels).filter(|&t| t > 2 && train.len() > 1)?;
        let mean: Vec<Vec<f64>> = columns(&train.mean(), channels);
        let level: Vec<f64> = mean.iter().map(|x| median(x)).collect();
        let raised: Vec<Vec<f64>> = mean.iter().zip(&level).map(|(x, l)| x.iter().map(|v| v - l).collect()).collect();
        let energy: f64 = raised.iter().flatten().map(|v| v * v).sum();
        if !(energy > LEAST_IN_MEAN * energy_about(train, &level, channels) && energy.is_finite()) {
            return None;
        }
        let (places, heights) = pursue(&raised, rate_hz);
        let left = remainder(&raised, &places, &heights);
        if places.is_empty() || left > (1.0 - LEAST_DRAWN) * energy {
            return None;
        }
        let (height_deviations, shifts) = deviations(train, &mean, &places, &heights, channels)?;
        Some(Self { rate_hz, time, channels, level, places, heights, height_deviations, shifts })
    }

    fn draw(&self, rng: &mut impl Rng) -> Vec<f32> {
        let normal = |rng: &mut dyn Rng| -> f64 {
            let drawn: f64 = StandardNormal.sample(rng);
            drawn.clamp(-3.0, 3.0)
        };
        let waves: Vec<(Place, Vec<f64>)> = (0..self.places.len())
            .map(|w| {
                let centre = self.places[w].centre + self.shifts[w] * normal(rng);
                let varied = self.heights[w].iter().zip(&self.height_deviations[w]);
                let heights = varied.map(|(height, deviation)| height + deviation * normal(rng)).collect();
                (Place { centre, ..self.places[w] }, heights)
            })
            .collect();
        let mut made = vec![0.0; self.time * self.channels];
        let duration = self.time as f64 / self.rate_hz;
        // The waves hang on a beat in mid-segment whose neighbours are out of sight: heights and widths do not depend on the
        // interval. The first beat is early enough for the start's transient to die away.
        let beats = [-1.5, 0.5 * duration, duration + 1.5];
        for first in (0..self.channels).step_by(2) {
            let placed: Vec<PlacedWave> = waves
                .iter()
                .map(|(place, heights)| PlacedWave {
                    centre_s: place.centre / self.rate_hz,
                    width_s: place.width / self.rate_hz,
                    amplitude_mv: [heights[first], heights.get(first + 1).copied().unwrap_or(0.0)],
                })
                .collect();
            let signals =
                integrate(&beats, &[Vec::new(), placed, Vec::new()], self.rate_hz, steps_per_sample(self.rate_hz), self.time);
            for (lead, signal) in signals.iter().enumerate().take(self.channels - first) {
                let channel = first + lead;
                for (x, z) in made.iter_mut().skip(channel).step_by(self.channels).zip(signal) {
                    *x = z + self.level[channel] as f32;
                }
            }
        }
        made
    }
}

fn columns(segment: &[f32], channels: usize) -> Vec<Vec<f64>> {
    (0..channels).map(|c| segment.iter().skip(c).step_by(channels).map(|&x| f64::from(x)).collect()).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The segments' mean energy about the levels.
fn energy_about(train: &Pool, level: &[f64], channels: usize) -> f64 {
    let of = |instant: &[f32]| instant.iter().zip(level).map(|(&x, l)| (f64::from(x) - l).powi(2)).sum::<f64>();
    train.samples().chunks_exact(channels).map(of).sum::<f64>() / train.len() as f64
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Orthogonal matching pursuit: wave after wave where most energy is left, all heights fitted anew after each.
fn pursue(raised: &[Vec<f64>], rate_hz: f64) -> (Vec<Place>, Vec<Vec<f64>>) {
    let time = raised.first().map_or(0, Vec::len);
    let energy: f64 = raised.iter().flatten().map(|v| v * v).sum();
    let candidates: Vec<(Place, Vec<f64>, f64)> = WIDTHS_S
        .iter()
        .map(|s| s * rate_hz)
        .filter(|&width| width >= 0.5 && width < time as f64 / 2.0)
        .flat_map(|width| (0..time).map(move |centre| Place { centre: centre as f64, width }))
        .map(|place| {
            let drawn = place.drawn(time);
            let norm = product(&drawn, &drawn);
            (place, drawn, norm)
        })
        .collect();
    let (mut places, mut heights) = (Vec::new(), Vec::new());
    let mut left = raised.to_vec();
    while places.len() < WAVES {
        let gains: Vec<f64> =
            candidates.par_iter().map(|(_, drawn, norm)| left.iter().map(|r| product(r, drawn).powi(2) / norm).sum()).collect();
        let best = (0..gains.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b]).then(b.cmp(&a)));
        let Some(best) = best.filter(|&b| gains[b] > LEAST_GAIN * energy) else { break };
        places.push(candidates[best].0);
        let Some(found) = fitted(raised, &places) else { break };
        heights = found;
        left = raised.to_vec();
        subtract(&mut left, &places, &heights);
    }
    places.truncate(heights.len());
    (places, heights)
}

fn subtract(from: &mut [Vec<f64>], places: &[Place], heights: &[Vec<f64>]) {
    for (place, heights) in places.iter().zip(heights) {
        for (channel, height) in from.iter_mut().zip(heights) {
            for (t, x) in channel.iter_mut().enumerate() {
                *x -= height * place.at(t);
            }
        }
    }
}

fn remainder(raised: &[Vec<f64>], places: &[Place], heights: &[Vec<f64>]) -> f64 {
    let mut left = raised.to_vec();
    subtract(&mut left, places, heights);
    left.iter().flatten().map(|v| v * v).sum()
}

/// The matrix that takes products with the waves to heights by least squares, lightly damped: waves may overlap.
fn inverse(drawn: &[Vec<f64>]) -> Option<Vec<f64>> {
    let n = drawn.len();
    let gram: Vec<f64> = (0..n * n).map(|at| product(&drawn[at / n], &drawn[at % n])).collect();
    let parts = symmetric(&gram, n)?;
    let damping = 0.01 * parts.values.first()?.max(f64::MIN_POSITIVE);
    let mut inverse = vec![0.0; n * n];
    for (value, vector) in parts.values.iter().zip(&parts.vectors) {
        for at in 0..n * n {
            inverse[at] += vector[at / n] * vector[at % n] / (value + damping);
        }
    }
    Some(inverse)
}

/// Heights `[wave][channel]` of the waves at `places`.
fn fitted(raised: &[Vec<f64>], places: &[Place]) -> Option<Vec<Vec<f64>>> {
    let time = raised.first()?.len();
    let drawn: Vec<Vec<f64>> = places.iter().map(|p| p.drawn(time)).collect();
    let inverse = inverse(&drawn)?;
    Some(heights(&inverse, &drawn, raised))
}

fn heights(inverse: &[f64], drawn: &[Vec<f64>], of: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let products: Vec<Vec<f64>> = drawn.iter().map(|d| of.iter().map(|x| product(d, x)).collect()).collect();
    let height = |row: &[f64], c: usize| row.iter().zip(&products).map(|(i, p)| i * p[c]).sum();
    inverse.chunks_exact(drawn.len()).map(|row| (0..of.len()).map(|c| height(row, c)).collect()).collect()
}

/// Segments that deviations are taken from, at most.
const SAMPLED: usize = 2000;

/// How waves deviate: in height, `[wave][channel]`, and in place, `[wave]`.
type Deviations = (Vec<Vec<f64>>, Vec<f64>);

/// Deviations of heights `[wave][channel]` and centres: by least squares for each segment, to first order about the mean.
fn deviations(
    train: &Pool,
    mean: &[Vec<f64>],
    places: &[Place],
    heights_of_mean: &[Vec<f64>],
    channels: usize,
) -> Option<Deviations> {
    let time = mean.first()?.len();
    let drawn: Vec<Vec<f64>> = places.iter().map(|p| p.drawn(time)).collect();
    let moved: Vec<Vec<f64>> = places.iter().map(|p| p.moved(time)).collect();
    let inverse = inverse(&drawn)?;
    let count = train.len().min(SAMPLED);
    let each: Vec<Deviations> = (0..count)
        .into_par_iter()
        .map(|i| {
            let mut off = columns(train.segment(i), channels);
            for (x, m) in off.iter_mut().zip(mean) {
                x.iter_mut().zip(m).for_each(|(x, m)| *x -= m);
            }
            let changes = heights(&inverse, &drawn, &off);
            let shift = |w: usize| {
                let along: f64 = off.iter().zip(&heights_of_mean[w]).map(|(x, h)| h * product(x, &moved[w])).sum();
                let weight: f64 = heights_of_mean[w].iter().map(|h| h * h * product(&moved[w], &moved[w])).sum();
                (along / weight.max(f64::MIN_POSITIVE)).clamp(-places[w].width, places[w].width)
            };
            let shifts = (0..places.len()).map(shift).collect();
            (changes, shifts)
        })
        .collect();
    // Half of what the two ways of deviating claim in common goes to each.
    let deviation =
        |of: &dyn Fn(&Deviations) -> f64| (each.iter().map(|e| of(e).powi(2)).sum::<f64>() / count as f64).sqrt() / SQRT_2;
    let of_heights = (0..places.len()).map(|w| (0..channels).map(|c| deviation(&|e| e.0[w][c])).collect()).collect();
    Some((of_heights, (0..places.len()).map(|w| deviation(&|e| e.1[w])).collect()))
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    use super::*;
    use crate::comparison::Shape;

    #[test]
    fn draws_beats_like_those_it_was_fitted_to() {
        let mut rng = Seed(1).stream("beats", 0);
        let mut samples = Vec::new();
        for _ in 0..60 {
            let (h, shift): (f64, f64) = (rng.random_range(0.8..1.2), rng.random_range(-1.0..1.0));
            for t in 0..120 {
                let bump = |centre: f64, width: f64| (-0.5 * ((f64::from(t) - centre) / width).powi(2)).exp();
                let lead = h * bump(40.0 + shift, 2.0) + 0.2 * bump(80.0, 7.0) - 0.3;
                samples.extend([lead as f32, (-0.5 * lead) as f32, 0.1]);
            }
        }
        let pool = Pool::of_samples(samples, 360);
        let shape = Shape { channels: 3, sampling_frequency_hz: 125.0, band: 10, neighbours: 5 };
        let fitting = Fitting { train: &pool, reference: &pool, shape, seed: Seed(2), class: "N" };
        let made = (BASELINE.make)(&fitting).unwrap();
        let (real, drawn) = (pool.mean(), made.mean());
        let error: f32 = real.iter().zip(&drawn).map(|(x, y)| (x - y).powi(2)).sum();
        let energy: f32 = real.iter().enumerate().map(|(i, x)| (x - [-0.3, 0.15, 0.1][i % 3]).powi(2)).sum();
        assert!(error < 0.05 * energy, "{error} {energy}");
        let (first, second) = (made.segment(0)[40 * 3], made.segment(1)[40 * 3]);
        assert!(first != second && (first - second).abs() < 0.8);
    }

    #[test]
    fn noise_has_no_waves() {
        let mut rng = Seed(1).stream("noise", 0);
        let pool = Pool::of_samples((0..100 * 60).map(|_| rng.random_range(-1.0..1.0)).collect(), 60);
        let shape = Shape { channels: 1, sampling_frequency_hz: 125.0, band: 10, neighbours: 5 };
        let fitting = Fitting { train: &pool, reference: &pool, shape, seed: Seed(2), class: "T1" };
        assert!((BASELINE.make)(&fitting).is_none());
    }
}

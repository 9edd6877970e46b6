//! RR intervals around beats of a kind, over the patient's median, as a distribution over subjects.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::gaussian::rounded;
use crate::shares::{below, hidden};

/// Fewer subjects than this make no distribution.
const FEWEST: usize = 5;
/// Quantiles that are kept: of 1/42, 3/42, … 41/42, so that none is the most extreme of somebody.
const QUANTILES: usize = 21;
/// Pairs taken of each subject, so that each counts the same.
const OF_EACH: usize = 100;

/// RR before and after a mark, over the patient's median: quantiles of both, and how they go together (a Gaussian copula).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratios {
    before: Vec<f64>,
    after: Vec<f64>,
    /// Correlation of the normal scores.
    correlation: f64,
}

impl Ratios {
    /// Of the pairs of each subject, evenly taken from each; `None` where fewer than five subjects have any.
    pub(crate) fn of(subjects: &[Vec<[f32; 2]>]) -> Option<Self> {
        let having: Vec<&Vec<[f32; 2]>> = subjects.iter().filter(|pairs| !pairs.is_empty()).collect();
        if having.len() < FEWEST {
            return None;
        }
        let of_each = |pairs: &&Vec<[f32; 2]>| -> Vec<[f32; 2]> {
            (0..OF_EACH).filter_map(|i| pairs.get((2 * i + 1) * pairs.len() / (2 * OF_EACH)).copied()).collect()
        };
        let pool: Vec<[f32; 2]> = having.iter().flat_map(of_each).collect();
        let side = |side: usize| -> Vec<f64> { pool.iter().map(|pair| f64::from(pair[side])).collect() };
        let (before, after) = (side(0), side(1));
        let scores = |values: &[f64]| hidden(&values.iter().map(|x| Some(*x)).collect::<Vec<_>>());
        let together: f64 = scores(&before).iter().zip(scores(&after)).map(|(x, y)| x * y).sum();
        let correlation = rounded(together / pool.len() as f64).clamp(-1.0, 1.0);
        Some(Self { before: quantiles(before), after: quantiles(after), correlation })
    }

    /// A pair.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> [f64; 2] {
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        let first = normal();
        let second = self.correlation * first + (1.0 - self.correlation.powi(2)).max(0.0).sqrt() * normal();
        [at(&self.before, below(first)), at(&self.after, below(second))]
    }

    /// Whether its numbers can be worked with.
    pub(crate) fn is_sound(&self) -> bool {
        let rising = |values: &[f64]| values.iter().all(|x| x.is_finite() && *x > 0.0) && values.windows(2).all(|w| w[0] <= w[1]);
        let whole = [&self.before, &self.after].iter().all(|side| side.len() == QUANTILES && rising(side));
        whole && (-1.0..=1.0).contains(&self.correlation)
    }
}

fn quantiles(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let place = |i: usize| (2 * i + 1) as f64 / (2 * QUANTILES) as f64;
    (0..QUANTILES).map(|i| rounded(between(&values, place(i) * values.len() as f64 - 0.5))).collect()
}

/// The value below which a part of the distribution is.
fn at(quantiles: &[f64], part: f64) -> f64 {
    between(quantiles, part * quantiles.len() as f64 - 0.5)
}

/// The value at a place between entries; the first or last beyond them.
fn between(values: &[f64], place: f64) -> f64 {
    let last = values.len().saturating_sub(1);
    let place = place.clamp(0.0, last as f64);
    let (lower, part) = (place.floor() as usize, place.fract());
    let value = |i: usize| values.get(i.min(last)).copied().unwrap_or(f64::NAN);
    value(lower) + part * (value(lower + 1) - value(lower))
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    /// Early beats with the pause behind: what is missing before comes after.
    fn subjects(count: usize) -> Vec<Vec<[f32; 2]>> {
        let pair = |i: usize| [0.6 + 0.002 * i as f32, 1.4 - 0.002 * i as f32];
        (0..count).map(|s| (0..100).map(|i| pair((i * 7 + s) % 100)).collect()).collect()
    }

    #[test]
    fn drawn_pairs_are_distributed_and_go_together_as_those_of_the_subjects() {
        let ratios = Ratios::of(&subjects(6)).unwrap();
        assert!(ratios.is_sound() && ratios.correlation < -0.99, "{ratios:?}");
        let mut rng = Seed(1).stream("test", 0);
        let draws: Vec<[f64; 2]> = (0..2000).map(|_| ratios.draw(&mut rng)).collect();
        let mean = draws.iter().map(|d| d[0]).sum::<f64>() / 2000.0;
        assert!((mean - 0.7).abs() < 0.01, "{mean}");
        assert!(draws.iter().all(|d| (0.6..=0.8).contains(&d[0]) && (d[0] + d[1] - 2.0).abs() < 0.02));
    }

    #[test]
    fn four_subjects_are_too_few_and_each_counts_the_same() {
        assert_eq!(Ratios::of(&subjects(4)), None);
        let mut uneven = subjects(4);
        uneven.push(vec![[2.0, 2.0]]);
        let ratios = Ratios::of(&uneven).unwrap();
        let high = ratios.before.iter().filter(|x| **x > 1.5).count();
        assert!((4..=5).contains(&high), "one in five subjects, one in five quantiles: {high}");
    }
}

//! How much of something people have, over people: a class of beats, a code, a rhythm.
//!
//! Most such things many people have none of, and the others some to a lot. So a share is told by how many have any, and by the mean and
//! standard deviation of the logarithm among those. Behind each person's share stands a hidden value, standard normal over people: those
//! whose value is in the upper part, as large as the part of people who have any, have it, the more the higher. Hidden values correlate
//! with other numbers of a person as any number does, in a [`Gaussian`](crate::gaussian::Gaussian) (a Gaussian copula; Nelsen 2006, 2.3).

use serde::{Deserialize, Serialize};

use crate::gaussian::rounded;

/// Fewer subjects than this say nothing that is handed on: what is found in fewer is left out of a shareable model.
pub const FEWEST: usize = 3;

/// How much of something people have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Part of the people who have any.
    pub(crate) having: f64,
    /// Mean of the logarithm of the share of those.
    log_mean: f64,
    /// Standard deviation of that logarithm.
    log_deviation: f64,
}

impl Share {
    /// Of these people; `None` where fewer than [`FEWEST`] have any.
    pub(crate) fn of(shares: &[f64]) -> Option<Self> {
        let logs: Vec<f64> = shares.iter().filter(|share| **share > 0.0).map(|share| share.ln()).collect();
        if logs.len() < FEWEST {
            return None;
        }
        let n = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / n;
        let deviation = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        Some(Self { having: rounded(n / shares.len() as f64), log_mean: rounded(mean), log_deviation: rounded(deviation) })
    }

    /// The share of somebody with this hidden value: 0 to 1.
    pub(crate) fn at(&self, hidden: f64) -> f64 {
        let none = 1.0 - self.having;
        let place = (below(hidden) - none) / self.having.max(1e-9);
        if place <= 0.0 { 0.0 } else { (self.log_mean + self.log_deviation * quantile(place)).exp().min(1.0) }
    }

    /// The share of somebody in the middle of those who have any.
    pub(crate) fn typical(&self) -> f64 {
        self.log_mean.exp().min(1.0)
    }

    /// Whether its numbers can be worked with.
    pub(crate) fn is_sound(&self) -> bool {
        self.having > 0.0
            && self.having <= 1.0
            && self.log_mean.is_finite()
            && self.log_deviation >= 0.0
            && self.log_deviation < 100.0
    }
}

/// The hidden values behind what people have: the normal scores of their ranks (the same for equal ones), with mean 0 and standard
/// deviation 1; 0 for those of whom nothing is known, and for all where all are equal.
pub(crate) fn hidden(known: &[Option<f64>]) -> Vec<f64> {
    let mut sorted: Vec<f64> = known.iter().filter_map(|x| *x).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len().max(1) as f64;
    let score = |x: f64| {
        let (first, last) = (sorted.partition_point(|y| *y < x), sorted.partition_point(|y| *y <= x));
        quantile((first + last) as f64 / (2.0 * n))
    };
    let scores: Vec<Option<f64>> = known.iter().map(|x| x.map(score)).collect();
    let mean = scores.iter().flatten().sum::<f64>() / n;
    let deviation = (scores.iter().flatten().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let standard = |x: Option<f64>| x.map_or(0.0, |x| if deviation > 1e-6 { (x - mean) / deviation } else { 0.0 });
    scores.into_iter().map(standard).collect()
}

/// The part of a standard normal distribution below `x`, to 1e-7 (Abramowitz and Stegun 1964, 26.2.17).
pub(crate) fn below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let tail = series.iter().fold(0.0, |sum, b| (sum + b) * t) * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Where a part of a standard normal distribution is [`below`]; within ±6.
pub(crate) fn quantile(part: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if below(middle) < part { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (x, part) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (2.575_829, 0.995)] {
            assert!((below(x) - part).abs() < 2e-7, "{x}: {}", below(x));
            assert!((quantile(part) - x).abs() < 1e-5, "{part}: {}", quantile(part));
        }
    }

    #[test]
    fn as_many_have_it_as_had_it_and_as_much() {
        let shares: Vec<f64> = (0..20).map(|i| if i < 12 { 0.0 } else { 0.01 * f64::from(i) }).collect();
        let share = Share::of(&shares).unwrap();
        assert!((share.having - 0.4).abs() < 1e-9 && share.is_sound());
        let drawn: Vec<f64> = (0..1000).map(|i| share.at(quantile((f64::from(i) + 0.5) / 1000.0))).collect();
        let having = drawn.iter().filter(|x| **x > 0.0).count();
        assert!((398..=402).contains(&having), "{having}");
        let mean = drawn.iter().sum::<f64>() / having as f64;
        assert!((mean - 0.155).abs() < 0.005, "{mean}");
        assert!(drawn.windows(2).all(|two| two[0] <= two[1]) && drawn.iter().all(|x| *x <= 1.0));
        assert_eq!(Share::of(&[0.0, 0.0, 0.5, 0.2]), None, "two people are too few");
    }

    #[test]
    fn hidden_values_follow_ranks() {
        let hidden = hidden(&[Some(3.0), Some(0.0), None, Some(0.0), Some(1.0)]);
        assert_eq!((hidden[2], hidden[1].to_bits()), (0.0, hidden[3].to_bits()));
        assert!(hidden[0] > hidden[4] && hidden[4] > hidden[1]);
        assert!(hidden.iter().sum::<f64>().abs() < 1e-9);
        assert_eq!(super::hidden(&[Some(1.0), Some(1.0)]), [0.0, 0.0]);
    }
}

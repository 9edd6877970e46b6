//! A Gaussian over people: what they have in common, and nothing of one of them.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Digits that are kept of what is handed on: more would say nothing about people, but something about these.
const DIGITS: usize = 4;

/// Mean and covariance of points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gaussian {
    pub(crate) mean: Vec<f64>,
    /// Lower triangle of the covariance's Cholesky factor, row by row.
    factor: Vec<Vec<f64>>,
}

impl Gaussian {
    /// Fitted to points of one length; what is off the covariance's diagonal is multiplied with `1 − shrink`.
    pub(crate) fn fit(points: &[Vec<f64>], shrink: f64) -> Self {
        let (n, dimensions) = (points.len().max(1) as f64, points.first().map_or(0, Vec::len));
        let mean: Vec<f64> = (0..dimensions).map(|d| points.iter().map(|p| p[d]).sum::<f64>() / n).collect();
        let covariance = |i: usize, j: usize| {
            let sum: f64 = points.iter().map(|p| (p[i] - mean[i]) * (p[j] - mean[j])).sum();
            sum / n * if i == j { 1.0 } else { 1.0 - shrink }
        };
        let factor = cholesky(dimensions, covariance);
        Self { mean, factor }
    }

    /// How far a draw is from the mean, in each dimension.
    pub(crate) fn deviation(&self, rng: &mut impl Rng) -> Vec<f64> {
        let noise: Vec<f64> = self.mean.iter().map(|_| StandardNormal.sample(rng)).collect();
        self.factor.iter().map(|row| row.iter().zip(&noise).map(|(l, z)| l * z).sum()).collect()
    }

    /// A draw.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Vec<f64> {
        self.deviation(rng).iter().zip(&self.mean).map(|(deviation, mean)| mean + deviation).collect()
    }

    /// With numbers of [`rounded`] digits.
    pub(crate) fn rounded(mut self) -> Self {
        self.mean.iter_mut().chain(self.factor.iter_mut().flatten()).for_each(|x| *x = rounded(*x));
        self
    }

    /// Whether it has this many dimensions, with a whole factor of finite numbers.
    pub(crate) fn is_sound(&self, dimensions: usize) -> bool {
        let whole = self.factor.len() == dimensions && self.factor.iter().enumerate().all(|(i, row)| row.len() == i + 1);
        whole && self.mean.len() == dimensions && self.mean.iter().chain(self.factor.iter().flatten()).all(|x| x.is_finite())
    }
}

/// How little a covariance of `dimensions` is believed that `points` tell: the fewer to a dimension, the less.
pub(crate) fn shrinkage(dimensions: usize, points: usize) -> f64 {
    dimensions as f64 / (dimensions + points).max(1) as f64
}

/// A number as it is handed on: with four significant digits.
pub(crate) fn rounded(x: f64) -> f64 {
    // Through the decimal text, so that the file has no more digits; what was written so can be read.
    format!("{x:.*e}", DIGITS - 1).parse().unwrap_or(x)
}

/// The lower triangle of the factor of a covariance; a direction without variance gets none.
fn cholesky(n: usize, covariance: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(n);
    for i in 0..n {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, above) in factor.iter().enumerate() {
            let done: f64 = row.iter().zip(above).map(|(x, y)| x * y).sum();
            let pivot = above[j];
            row.push(if pivot > 1e-9 { (covariance(i, j) - done) / pivot } else { 0.0 });
        }
        let left = covariance(i, i) - row.iter().map(|x| x * x).sum::<f64>();
        row.push(left.max(0.0).sqrt());
        factor.push(row);
    }
    factor
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    #[test]
    fn the_factor_is_that_of_the_covariance() {
        let covariance = [[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]];
        let factor = cholesky(3, |i, j| covariance[i][j]);
        for i in 0..3 {
            for j in 0..=i {
                let product: f64 = factor[i].iter().zip(&factor[j]).map(|(x, y)| x * y).sum();
                assert!((product - covariance[i][j]).abs() < 1e-12);
            }
        }
        assert_eq!(cholesky(2, |_, _| 0.0), vec![vec![0.0], vec![0.0, 0.0]], "nothing varies");
    }

    #[test]
    fn draws_have_the_mean_and_spread_of_the_points() {
        let points: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i % 5), 10.0 - 2.0 * f64::from(i % 5)]).collect();
        let gaussian = Gaussian::fit(&points, shrinkage(2, 40)).rounded();
        assert!(gaussian.is_sound(2) && !gaussian.is_sound(3));
        let mut rng = Seed(1).stream("test", 0);
        let draws: Vec<Vec<f64>> = (0..4000).map(|_| gaussian.draw(&mut rng)).collect();
        let mean = |d: usize| draws.iter().map(|x| x[d]).sum::<f64>() / 4000.0;
        let spread = |d: usize| (draws.iter().map(|x| (x[d] - mean(d)).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((mean(0) - 2.0).abs() < 0.1 && (mean(1) - 6.0).abs() < 0.2);
        assert!((spread(0) - 2.0_f64.sqrt()).abs() < 0.1 && (spread(1) - 8.0_f64.sqrt()).abs() < 0.2);
        let together = draws.iter().map(|x| (x[0] - mean(0)) * (x[1] - mean(1))).sum::<f64>() / 4000.0;
        assert!((together + 4.0 * 40.0 / 42.0).abs() < 0.3, "{together}: shrunk by 2 of 42");
    }

    #[test]
    fn four_digits_are_handed_on() {
        assert_eq!([1234.567, -0.000_123_456, 0.0, 9.999_96].map(rounded), [1235.0, -0.000_123_5, 0.0, 10.0]);
    }
}

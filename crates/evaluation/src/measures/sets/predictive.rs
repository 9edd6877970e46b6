//! Predictive score: how well real segments' second halves are foretold by what learnt on the scored ones.

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "predictive_score_ridge",
        unit: Unit::Physical,
        family: Family::Utility,
        better: Better::Lower,
        definition: "Mean absolute error, in the signal's unit, with which the second half of each real reference segment is \
                     foretold from its first half by a ridge regression that learnt on the scored segments (after TimeGAN's \
                     predictive score, which foretells one step ahead: on densely sampled signals anything smooth does that). \
                     Halves are taken as means over at most 64 stretches over all channels. 0 is exact; blind to what cannot be \
                     foretold; copies learn on what they are tested on.",
    },
    compute: |sets: &Comparison| foretell(sets.candidate, sets.reference, sets.shape.channels),
};

/// Stretches that a half is taken as, over all channels.
const STRETCHES: usize = 64;
/// Ridge penalty, as a share of the inputs' mean variance: keeps the equations solvable where stretches say the same.
const PENALTY: f64 = 1e-3;
/// Fewest segments that are learnt on.
const FEWEST: usize = 8;

/// Mean absolute error on `test` of the second half given the first by ridge regression fitted on `train`. None where there is too
/// little to learn on, or nothing to foretell.
fn foretell(train: &Pool, test: &Pool, channels: usize) -> Option<f64> {
    if train.len() < FEWEST || test.is_empty() || train.length() / channels.max(1) < 2 {
        return None;
    }
    let halves = |pool: &Pool| pool.iter().map(|segment| halves(segment, channels)).unzip::<_, _, Vec<_>, Vec<_>>();
    let (inputs, targets) = halves(train);
    let ridge = Ridge::fit(&inputs, &targets)?;
    let (inputs, targets) = halves(test);
    let (mut sum, mut count) = (0.0, 0);
    for (input, target) in inputs.iter().zip(&targets) {
        for (foretold, actual) in ridge.foretell(input).iter().zip(target) {
            sum += (foretold - actual).abs();
            count += 1;
        }
    }
    let error = sum / f64::from(count);
    error.is_finite().then_some(error)
}

/// Means over stretches of the first and of the second half of a segment, channel by channel.
fn halves(segment: &[f32], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let time = segment.len() / channels;
    let half = |from: usize, to: usize| {
        let count = (STRETCHES / channels).max(1).min(to - from);
        let mut means = Vec::with_capacity(count * channels);
        for channel in 0..channels {
            for i in 0..count {
                let stretch = from + (to - from) * i / count..from + (to - from) * (i + 1) / count;
                let n = stretch.len() as f64;
                means.push(stretch.map(|t| f64::from(segment[t * channels + channel])).sum::<f64>() / n);
            }
        }
        means
    };
    (half(0, time / 2), half(time / 2, time))
}

/// Linear regression of several values with a penalty on the squared coefficients; the mean is not penalised.
struct Ridge {
    means: (Vec<f64>, Vec<f64>),
    /// `[target][input]`.
    coefficients: Vec<Vec<f64>>,
}

impl Ridge {
    fn fit(inputs: &[Vec<f64>], targets: &[Vec<f64>]) -> Option<Self> {
        let (mx, my) = (column_means(inputs)?, column_means(targets)?);
        let (p, q) = (mx.len(), my.len());
        let (mut xx, mut xy) = (vec![vec![0.0; p]; p], vec![vec![0.0; p]; q]);
        for (input, target) in inputs.iter().zip(targets) {
            let x: Vec<f64> = input.iter().zip(&mx).map(|(x, m)| x - m).collect();
            for (i, row) in xx.iter_mut().enumerate() {
                row.iter_mut().take(i + 1).zip(&x).for_each(|(sum, xj)| *sum += x[i] * xj);
            }
            for ((row, y), m) in xy.iter_mut().zip(target).zip(&my) {
                row.iter_mut().zip(&x).for_each(|(sum, xj)| *sum += (y - m) * xj);
            }
        }
        let trace: f64 = (0..p).map(|i| xx[i][i]).sum();
        for (i, row) in xx.iter_mut().enumerate() {
            row[i] += PENALTY * trace / p as f64 + f64::MIN_POSITIVE;
        }
        let factor = cholesky(xx)?;
        Some(Self { coefficients: xy.into_iter().map(|right| solve(&factor, right)).collect(), means: (mx, my) })
    }

    fn foretell(&self, input: &[f64]) -> Vec<f64> {
        let x: Vec<f64> = input.iter().zip(&self.means.0).map(|(x, m)| x - m).collect();
        let of = |c: &Vec<f64>| c.iter().zip(&x).map(|(c, x)| c * x).sum::<f64>();
        self.coefficients.iter().zip(&self.means.1).map(|(c, m)| m + of(c)).collect()
    }
}

fn column_means(rows: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut means = vec![0.0; rows.first()?.len()];
    for row in rows {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / rows.len() as f64);
    }
    Some(means)
}

/// Lower factor of a symmetric matrix whose lower half is given. None where it is not positive definite.
fn cholesky(mut a: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    for i in 0..a.len() {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - dot;
            a[i][j] = if i == j { if rest > 0.0 { rest.sqrt() } else { return None } } else { rest / a[j][j] };
        }
    }
    Some(a)
}

fn solve(factor: &[Vec<f64>], mut x: Vec<f64>) -> Vec<f64> {
    let n = x.len();
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i][k] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k][i] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::Ridge;

    /// scikit-learn 1.9.1: `Ridge(alpha=1e-3 * trace / 2).fit(X, y)` with the trace of the centred inputs' scatter, 24.8.
    #[test]
    fn agrees_with_scikit_learn() {
        let inputs = [vec![0.0, 1.0], vec![1.0, 0.0], vec![2.0, 2.0], vec![3.0, 1.0], vec![4.0, 5.0]];
        let targets = [vec![1.0], vec![2.0], vec![2.0], vec![5.0], vec![4.0]];
        let ridge = Ridge::fit(&inputs, &targets).unwrap();
        let expected = [1.338_801_283_213_446_6, -0.489_401_552_005_145_57];
        for (found, expected) in ridge.coefficients[0].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

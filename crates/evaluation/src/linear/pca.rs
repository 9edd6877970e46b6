//! Principal components of a set of segments.

use physiosynth_signal::Seed;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::symmetric;
use crate::pool::Pool;

/// Sizes up to which a symmetric matrix is taken apart.
const LARGEST: usize = 512;

/// Segments summed at once: the sums' order, and so their rounding, does not depend on the threads.
const BLOCK: usize = 256;

/// The mean of a set, and the directions in which it varies most.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pca {
    pub mean: Vec<f64>,
    /// Unit vectors, the one of the largest variance first.
    pub components: Vec<Vec<f64>>,
    /// The variance along each.
    pub variances: Vec<f64>,
    /// The variance in all directions together.
    pub total: f64,
}

impl Pca {
    /// The first components of `pool` that hold `share` of its variance, at most `most`. Segments longer than [`LARGEST`] samples are
    /// fitted on at most as many of them, drawn with `seed`. None for fewer than two segments, missing samples, or no variance.
    pub fn fit(pool: &Pool, most: usize, share: f64, seed: Seed) -> Option<Self> {
        let (n, length) = (pool.len(), pool.length());
        if n < 2 || length == 0 {
            return None;
        }
        let mut chosen: Vec<usize> = (0..n).collect();
        if length > LARGEST && n > LARGEST {
            chosen.shuffle(&mut seed.stream("evaluation/pca", 0));
            chosen.truncate(LARGEST);
        }
        let mean = mean(pool, &chosen);
        let freedom = (chosen.len() - 1) as f64;
        let mut pca = if length <= LARGEST {
            let found = symmetric(&covariance(pool, &mean), length)?;
            Self { mean, components: found.vectors, variances: found.values, total: 0.0 }
        } else {
            by_products(pool, &chosen, mean, freedom)?
        };
        pca.total = pca.variances.iter().map(|v| v.max(0.0)).sum();
        let rank = pca.variances.iter().take_while(|&&v| v > 1e-12 * pca.total).count();
        let mut held = 0.0;
        let enough = pca.variances.iter().take(rank).position(|v| {
            held += v;
            held >= share * pca.total
        });
        let keep = enough.map_or(rank, |last| last + 1).min(most);
        pca.components.truncate(keep);
        pca.variances.truncate(keep);
        (keep > 0).then_some(pca)
    }

    /// A segment's coordinates along the components.
    pub fn coordinates(&self, segment: &[f32]) -> Vec<f64> {
        let centred: Vec<f64> = segment.iter().zip(&self.mean).map(|(&x, m)| f64::from(x) - m).collect();
        self.components.iter().map(|c| c.iter().zip(&centred).map(|(c, x)| c * x).sum()).collect()
    }
}

fn mean(pool: &Pool, chosen: &[usize]) -> Vec<f64> {
    let mut sum = vec![0.0_f64; pool.length()];
    for &i in chosen {
        for (s, &x) in sum.iter_mut().zip(pool.segment(i)) {
            *s += f64::from(x);
        }
    }
    sum.into_iter().map(|s| s / chosen.len() as f64).collect()
}

/// The covariance over samples, `[length, length]`; the lower triangle alone is filled.
fn covariance(pool: &Pool, mean: &[f64]) -> Vec<f64> {
    let length = mean.len();
    let mut sum = vec![0.0; length * length];
    // A few blocks side by side, then added in order: bounded memory.
    let blocks: Vec<&[f32]> = pool.samples().chunks(BLOCK * length).collect();
    for group in blocks.chunks(8) {
        let parts: Vec<Vec<f64>> = group
            .par_iter()
            .map(|block| {
                let mut part = vec![0.0; length * length];
                for segment in block.chunks_exact(length) {
                    let x: Vec<f64> = segment.iter().zip(mean).map(|(&x, m)| f64::from(x) - m).collect();
                    for (i, row) in part.chunks_exact_mut(length).enumerate() {
                        let xi = x[i];
                        for (s, xj) in row[..=i].iter_mut().zip(&x) {
                            *s += xi * xj;
                        }
                    }
                }
                part
            })
            .collect();
        for part in parts {
            for (s, p) in sum.iter_mut().zip(part) {
                *s += p;
            }
        }
    }
    let freedom = (pool.len() - 1) as f64;
    for s in &mut sum {
        *s /= freedom;
    }
    sum
}

/// From the inner products of the segments with one another: a matrix as large as they are many, not as they are long.
fn by_products(pool: &Pool, chosen: &[usize], mean: Vec<f64>, freedom: f64) -> Option<Pca> {
    let m = chosen.len();
    let centred: Vec<Vec<f64>> =
        chosen.iter().map(|&i| pool.segment(i).iter().zip(&mean).map(|(&x, mu)| f64::from(x) - mu).collect()).collect();
    let rows: Vec<Vec<f64>> = (0..m)
        .into_par_iter()
        .map(|i| {
            let product = |j: usize| centred[i].iter().zip(&centred[j]).map(|(a, b)| a * b).sum::<f64>() / freedom;
            (0..m).map(|j| if j <= i { product(j) } else { 0.0 }).collect()
        })
        .collect();
    let found = symmetric(&rows.concat(), m)?;
    let total: f64 = found.values.iter().map(|v| v.max(0.0)).sum();
    let components = found
        .values
        .par_iter()
        .zip(&found.vectors)
        .filter(|(value, _)| **value > 1e-12 * total)
        .map(|(value, weights)| {
            let mut component = vec![0.0; mean.len()];
            for (weight, segment) in weights.iter().zip(&centred) {
                for (c, x) in component.iter_mut().zip(segment) {
                    *c += weight * x;
                }
            }
            let norm = (value * freedom).sqrt();
            for c in &mut component {
                *c /= norm;
            }
            component
        })
        .collect();
    Some(Pca { mean, components, variances: found.values, total })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Segments that vary along two directions, three times as far along the first.
    fn plane(n: usize, length: usize) -> Pool {
        let mut rng = Seed(1).stream("plane", 0);
        let mut samples = Vec::new();
        for _ in 0..n {
            let (a, b): (f32, f32) = (rng.random_range(-3.0..3.0), rng.random_range(-1.0..1.0));
            samples.extend((0..length).map(|t| 5.0 + if t % 2 == 0 { a } else { b }));
        }
        Pool::of_samples(samples, length)
    }

    #[test]
    fn both_ways_find_the_directions() {
        for length in [40, 600] {
            let pca = Pca::fit(&plane(200, length), 8, 0.999_999, Seed(1)).unwrap();
            assert_eq!(pca.components.len(), 2);
            let half = length as f64 / 2.0;
            assert!((pca.variances[0] / half - 3.0).abs() < 0.5, "{}", pca.variances[0] / half);
            assert!(pca.components[0][1].abs() < 0.02 / half.sqrt() * 10.0);
            let norm: f64 = pca.components[1].iter().map(|x| x * x).sum();
            assert!((norm - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_to_fit() {
        assert_eq!(Pca::fit(&Pool::default(), 3, 1.0, Seed(1)), None);
        assert_eq!(Pca::fit(&Pool::of_samples(vec![1.0; 30], 10), 3, 1.0, Seed(1)), None);
        assert_eq!(Pca::fit(&Pool::of_samples(vec![f32::NAN; 30], 10), 3, 1.0, Seed(1)), None);
    }
}

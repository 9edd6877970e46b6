//! A vector-autoregressive process with the class's covariance over channels and lags.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Baseline, Fitting};
use crate::pool::Pool;

pub(super) const BASELINE: Baseline = Baseline {
    name: "vector_autoregressive",
    definition: "The mean real training segment plus a stationary vector-autoregressive process of all channels, fitted by least squares to what \
                 the class's segments (at most 128 of them) differ from it by; the order, 1 to 8, is the one with the lowest Bayesian \
                 information criterion (Lütkepohl 2005, section 4.3). Right in spectra and in how channels go together, wrong in all that \
                 changes within a segment. None for one channel, where mean_plus_noise says as much, for too few segments, or where the \
                 fitted process is not stable.",
    make: |fitting: &Fitting| {
        let mean = fitting.train.mean();
        let process = Process::fit(fitting.train, &mean, fitting.shape.channels)?;
        let purpose = format!("evaluation/baseline/vector_autoregressive/{}", fitting.class);
        let made: Option<Vec<Vec<f32>>> = (0..fitting.reference.len())
            .into_par_iter()
            .map(|i| process.draw(&mut fitting.seed.stream(&purpose, i as u64), &mean))
            .collect();
        Some(fitting.reference.with_samples(made?.concat()))
    },
};

/// Highest order.
const MOST_LAGS: usize = 8;
/// Segments that are fitted to, at most.
const MOST_SEGMENTS: usize = 128;
/// Equations for each coefficient of a channel, at least.
const EQUATIONS: usize = 4;
/// Instants run off before a segment begins.
const RUN_OFF: usize = 256;
/// What is added to the diagonal of the equations, as a share of its mean: channels may depend on one another, as under a common
/// average reference.
const RIDGE: f64 = 1e-9;
/// A process that reaches so many standard deviations is not stable.
const WILD: f64 = 50.0;

/// The fitted process: `x(t) = Σ coefficients · x(t − lag) + factor · noise`.
#[derive(Debug, Clone, PartialEq)]
struct Process {
    channels: usize,
    lags: usize,
    /// `[channel][lag × channels + channel of the past]`.
    coefficients: Vec<Vec<f64>>,
    /// Lower triangle whose square is the innovations' covariance, `[channel][channel]`.
    factor: Vec<Vec<f64>>,
    /// Deviation over all channels.
    deviation: f64,
}

/// Sums of products, `[row][column]`: of past and past, past and present, present and present.
struct Products {
    past: Vec<Vec<f64>>,
    across: Vec<Vec<f64>>,
    present: Vec<Vec<f64>>,
    count: usize,
}

impl Process {
    fn fit(train: &Pool, mean: &[f32], channels: usize) -> Option<Self> {
        let time = train.length().checked_div(channels)?;
        if channels < 2 || train.is_empty() {
            return None;
        }
        let segments = train.len().min(MOST_SEGMENTS);
        // So many lags that there are equations enough for their coefficients.
        let enough = |lags: usize| time > 2 * lags && segments * (time - lags) >= EQUATIONS * lags * channels;
        let most = (1..=MOST_LAGS).take_while(|&lags| enough(lags)).last()?;
        let products = Products::of(train, mean, (channels, most, segments));
        let lower = cholesky(&products.past)?;
        // Forward substitution: the first rows solve the first lags' equations by themselves, so that one pass serves every order.
        let solved = forward(&lower, &products.across);
        let n = products.count as f64;
        let covariance = |lags: usize| -> Vec<Vec<f64>> {
            let explained = |i: usize, j: usize| solved[..lags * channels].iter().map(|row| row[i] * row[j]).sum::<f64>();
            (0..channels).map(|i| (0..channels).map(|j| (products.present[i][j] - explained(i, j)) / n).collect()).collect()
        };
        let judged = |lags: usize| {
            let factor = cholesky(&covariance(lags))?;
            let log_determinant: f64 = factor.iter().enumerate().map(|(i, row)| 2.0 * row[i].ln()).sum();
            let criterion = log_determinant + n.ln() * (lags * channels * channels) as f64 / n;
            criterion.is_finite().then_some((criterion, lags, factor))
        };
        let (_, lags, factor) = (1..=most).filter_map(judged).min_by(|a, b| a.0.total_cmp(&b.0))?;
        let coefficients = backward(&lower, &solved, lags * channels, channels);
        let deviation = ((0..channels).map(|c| products.present[c][c]).sum::<f64>() / (n * channels as f64)).sqrt();
        Some(Self { channels, lags, coefficients, factor, deviation })
    }

    /// One segment about `mean`; none where the process runs away.
    fn draw(&self, rng: &mut impl Rng, mean: &[f32]) -> Option<Vec<f32>> {
        let (channels, width) = (self.channels, self.lags * self.channels);
        let total = RUN_OFF + mean.len() / channels;
        // The newest instant first, as the coefficients have it.
        let mut past = vec![0.0_f64; width];
        let mut made = Vec::with_capacity(mean.len());
        for t in 0..total {
            let noise: Vec<f64> = (0..channels).map(|_| StandardNormal.sample(rng)).collect();
            let now: Vec<f64> = self
                .coefficients
                .iter()
                .zip(&self.factor)
                .map(|(row, factor)| {
                    let carried: f64 = row.iter().zip(&past).map(|(a, x)| a * x).sum();
                    carried + factor.iter().zip(&noise).map(|(l, e)| l * e).sum::<f64>()
                })
                .collect();
            if now.iter().any(|x| !x.is_finite() || x.abs() > WILD * self.deviation) {
                return None;
            }
            past.copy_within(..width - channels, channels);
            past[..channels].copy_from_slice(&now);
            if t >= RUN_OFF {
                let at = (t - RUN_OFF) * channels;
                made.extend(now.iter().zip(&mean[at..at + channels]).map(|(x, m)| (x + f64::from(*m)) as f32));
            }
        }
        Some(made)
    }
}

impl Products {
    /// Over the instants behind the first `lags` of each segment, segments in parallel, added up in their order.
    fn of(train: &Pool, mean: &[f32], (channels, lags, segments): (usize, usize, usize)) -> Self {
        let width = lags * channels;
        let parts: Vec<Self> = (0..segments)
            .into_par_iter()
            .map(|i| {
                let x: Vec<f64> = train.segment(i).iter().zip(mean).map(|(x, m)| f64::from(*x) - f64::from(*m)).collect();
                let mut sums = Self::zeros(channels, width);
                let mut past = vec![0.0; width];
                for t in lags..x.len() / channels {
                    for lag in 0..lags {
                        let from = (t - 1 - lag) * channels;
                        past[lag * channels..(lag + 1) * channels].copy_from_slice(&x[from..from + channels]);
                    }
                    let now = &x[t * channels..(t + 1) * channels];
                    for (r, &p) in past.iter().enumerate() {
                        sums.past[r][..=r].iter_mut().zip(&past).for_each(|(s, q)| *s += p * q);
                        sums.across[r].iter_mut().zip(now).for_each(|(s, y)| *s += p * y);
                    }
                    for (row, &y) in sums.present.iter_mut().zip(now) {
                        row.iter_mut().zip(now).for_each(|(s, z)| *s += y * z);
                    }
                    sums.count += 1;
                }
                sums
            })
            .collect();
        let mut all = Self::zeros(channels, width);
        for part in parts {
            for (sums, more) in [(&mut all.past, part.past), (&mut all.across, part.across), (&mut all.present, part.present)] {
                for (row, more) in sums.iter_mut().zip(more) {
                    row.iter_mut().zip(more).for_each(|(s, x)| *s += x);
                }
            }
            all.count += part.count;
        }
        let ridge = RIDGE * (0..width).map(|i| all.past[i][i]).sum::<f64>() / width as f64;
        (0..width).for_each(|i| all.past[i][i] += ridge);
        let ridge = RIDGE * (0..channels).map(|i| all.present[i][i]).sum::<f64>() / channels as f64;
        (0..channels).for_each(|i| all.present[i][i] += ridge);
        all
    }

    fn zeros(channels: usize, width: usize) -> Self {
        let of = |rows: usize, columns: usize| vec![vec![0.0; columns]; rows];
        Self { past: of(width, width), across: of(width, channels), present: of(channels, channels), count: 0 }
    }
}

/// The lower triangle whose square is a symmetric matrix, of which only the lower triangle is read; none where it is not positive definite.
fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let mut lower: Vec<Vec<f64>> = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = lower[i][..j].iter().zip(&lower[j][..j]).map(|(a, b)| a * b).sum();
            let rest = matrix[i][j] - known;
            lower[i][j] = if i == j { rest.sqrt() } else { rest / lower[j][j] };
        }
        if !(lower[i][i].is_finite() && lower[i][i] > 0.0) {
            return None;
        }
    }
    Some(lower)
}

/// Solves `lower · x = right` for every column of `right`.
fn forward(lower: &[Vec<f64>], right: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut x: Vec<Vec<f64>> = Vec::with_capacity(right.len());
    for (i, row) in right.iter().enumerate() {
        let mut value = row.clone();
        for (l, known) in lower[i].iter().zip(&x) {
            value.iter_mut().zip(known).for_each(|(v, k)| *v -= l * k);
        }
        for v in &mut value {
            *v /= lower[i][i];
        }
        x.push(value);
    }
    x
}

/// Solves `lowerᵀ · x = solved` for the first `size` rows; returns `x` transposed, one row for each of the `columns`.
fn backward(lower: &[Vec<f64>], solved: &[Vec<f64>], size: usize, columns: usize) -> Vec<Vec<f64>> {
    let mut x = vec![vec![0.0; size]; columns];
    for i in (0..size).rev() {
        for (column, x) in x.iter_mut().enumerate() {
            let known: f64 = (i + 1..size).map(|k| lower[k][i] * x[k]).sum();
            x[i] = (solved[i][column] - known) / lower[i][i];
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    /// x(t) = 0.5 x(t−1) + 0.3 y(t−2) + e, y(t) = −0.4 y(t−1) + 0.6 e + f.
    fn pool(segments: usize, time: usize) -> Pool {
        let mut samples = Vec::new();
        for i in 0..segments {
            let mut rng = Seed(8).stream("test", i as u64);
            let (mut x, mut y) = ([0.0_f64; 2], [0.0_f64; 2]);
            for t in 0..time + 50 {
                let (e, f): (f64, f64) = (StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng));
                let now = (0.5 * x[0] + 0.3 * y[1] + e, -0.4 * y[0] + 0.6 * e + f);
                (x, y) = ([now.0, x[0]], [now.1, y[0]]);
                if t >= 50 {
                    samples.extend([now.0 as f32, now.1 as f32]);
                }
            }
        }
        Pool::of_samples(samples, 2 * time)
    }

    #[test]
    fn order_coefficients_and_innovations_of_a_known_process_are_found() {
        let pool = pool(100, 250);
        let process = Process::fit(&pool, &vec![0.0; 500], 2).unwrap();
        assert_eq!(process.lags, 2);
        let known = [[0.5, 0.0, 0.0, 0.3], [0.0, -0.4, 0.0, 0.0]];
        for (row, known) in process.coefficients.iter().zip(known) {
            assert!(row.iter().zip(known).all(|(a, b)| (a - b).abs() < 0.03), "{row:?}");
        }
        // Innovations e and 0.6 e + f.
        let covariance = |i: usize, j: usize| (0..2).map(|k| process.factor[i][k] * process.factor[j][k]).sum::<f64>();
        for (i, j, value) in [(0, 0, 1.0), (0, 1, 0.6), (1, 1, 1.36)] {
            assert!((covariance(i, j) - value).abs() < 0.05, "{i} {j}: {}", covariance(i, j));
        }
        let mut drawn = Vec::new();
        for i in 0..200 {
            drawn.extend(process.draw(&mut Seed(9).stream("test", i), &vec![0.0; 500]).unwrap());
        }
        let of = |samples: &[f32], a: usize, b: usize| {
            samples.chunks_exact(2).map(|p| f64::from(p[a] * p[b])).sum::<f64>() / (samples.len() / 2) as f64
        };
        for (a, b) in [(0, 0), (0, 1), (1, 1)] {
            let (made, real) = (of(&drawn, a, b), of(pool.samples(), a, b));
            assert!((made - real).abs() < 0.06, "{a} {b}: {made} {real}");
        }
    }

    #[test]
    fn there_is_none_for_one_channel_or_too_few_segments() {
        let two = pool(1, 20);
        assert!(Process::fit(&two, &[0.0; 40], 1).is_none());
        assert!(Process::fit(&Pool::default(), &[], 2).is_none());
        assert!(Process::fit(&Pool::of_samples(vec![0.0; 400], 40), &[0.0; 40], 2).is_none(), "silence");
    }

    #[test]
    fn channels_that_depend_on_each_other_are_no_hindrance() {
        let samples: Vec<f32> = pool(60, 100).samples().chunks_exact(2).flat_map(|p| [p[0], p[1], -p[0] - p[1]]).collect();
        let process = Process::fit(&Pool::of_samples(samples, 300), &vec![0.0; 300], 3).unwrap();
        let drawn = process.draw(&mut Seed(9).stream("test", 0), &vec![0.0; 300]).unwrap();
        assert!(drawn.chunks_exact(3).all(|p| (p[0] + p[1] + p[2]).abs() < 0.05 * (1.0 + p[0].abs())));
    }
}

//! Channels mixed a little, so that they correlate as those of their class do.
//!
//! Volume conduction makes the channels of an EEG alike, and a network that is unsure of what is common to them leaves them less so. What is
//! missing is seen on segments of the model itself: the mixing is the matrix between the triangular roots (Cholesky's) of the two mean
//! correlation matrices, which is close to one where these are close to each other.

use rayon::prelude::*;

use crate::colour::{backward, cholesky};

/// Rounds of the search: correlations are ratios, so one matrix does not set their mean right at once.
const ROUNDS: usize = 4;
/// What is added to the diagonal: channels may depend on each other, as under an average reference.
const RIDGE: f64 = 1e-3;

/// The mean over segments `[segment][time × channel]` of their channels' correlation matrices, row by row; a channel that is flat correlates
/// with none. Empty without segments.
pub(crate) fn mean_correlations(segments: &[&[f32]], channels: usize) -> Vec<f64> {
    let of = |segment: &&[f32]| {
        let time = (segment.len() / channels) as f64;
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); channels];
        for instant in segment.chunks_exact(channels) {
            rows.iter_mut().zip(instant).for_each(|(row, x)| row.push(f64::from(*x)));
        }
        for row in &mut rows {
            let mean = row.iter().sum::<f64>() / time;
            let norm = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
            let scale = if norm > 0.0 { norm.recip() } else { 0.0 };
            for x in row {
                *x = (*x - mean) * scale;
            }
        }
        let product = |(a, b): (usize, usize)| rows[a].iter().zip(&rows[b]).map(|(x, y)| x * y).sum::<f64>();
        let pairs = (0..channels).flat_map(|a| (0..channels).map(move |b| (a, b)));
        pairs.map(|(a, b)| if a == b { 1.0 } else { product((a, b)) }).collect::<Vec<f64>>()
    };
    let each: Vec<Vec<f64>> = segments.par_iter().map(of).collect();
    let mut mean = vec![0.0; if each.is_empty() { 0 } else { channels * channels }];
    for one in &each {
        mean.iter_mut().zip(one).for_each(|(mean, x)| *mean += x / each.len() as f64);
    }
    mean
}

/// The matrix, `[channel out × channel in]`, that segments `[segment][time × channel]` like those made are to be mixed with so that their mean
/// correlations are those wanted, and the segments made, mixed; none where nothing is wanted or made.
pub(crate) fn fit(wanted: &[f32], made: &[f32], width: usize, channels: usize) -> Option<(Vec<f64>, Vec<f32>)> {
    if wanted.len() != channels * channels || made.is_empty() {
        return None;
    }
    let root = |of: &dyn Fn(usize) -> f64| cholesky(channels, |i, j| of(i * channels + j) + if i == j { RIDGE } else { 0.0 });
    let goal = root(&|i| f64::from(wanted[i]))?;
    let mut mixed = made.to_vec();
    let mut whole: Vec<f64> = (0..channels * channels).map(|i| if i % (channels + 1) == 0 { 1.0 } else { 0.0 }).collect();
    for _ in 0..ROUNDS {
        let segments: Vec<&[f32]> = mixed.chunks_exact(width).collect();
        let found = mean_correlations(&segments, channels);
        let own = root(&|i| found[i])?;
        let levels = levels(&mixed, channels);
        // Row by row the solution of `row · own = row of the goal`, in units of the channels' own levels.
        let mut step = vec![0.0; channels * channels];
        for (i, row) in goal.iter().enumerate() {
            let mut right = row.clone();
            right.resize(channels, 0.0);
            for (j, x) in backward(&own, &right).into_iter().enumerate() {
                step[i * channels + j] = x * levels[i] / levels[j];
            }
        }
        apply(&step, &mut mixed, channels);
        let product =
            |i: usize| (0..channels).map(|k| step[i / channels * channels + k] * whole[k * channels + i % channels]).sum();
        whole = (0..channels * channels).map(product).collect();
    }
    Some((whole, mixed))
}

/// Root mean square of each channel; 1 for one that is flat.
fn levels(signals: &[f32], channels: usize) -> Vec<f64> {
    let square = |c: usize| signals.iter().skip(c).step_by(channels).map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let count = (signals.len() / channels).max(1) as f64;
    (0..channels).map(|c| (square(c) / count).sqrt()).map(|level| if level > 0.0 { level } else { 1.0 }).collect()
}

/// Mixes the channels of every instant of `[time × channel]`.
pub(crate) fn apply(mixing: &[f64], signals: &mut [f32], channels: usize) {
    let mut before = vec![0.0; channels];
    for instant in signals.chunks_exact_mut(channels) {
        before.iter_mut().zip(&*instant).for_each(|(x, y)| *x = f64::from(*y));
        for (x, row) in instant.iter_mut().zip(mixing.chunks_exact(channels)) {
            *x = row.iter().zip(&before).map(|(m, y)| m * y).sum::<f64>() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// Segments of three channels with what is common to them of this strength, the second upside down and ten times as large.
    fn segments(common: f64, draw: u64) -> Vec<f32> {
        let mut rng = Seed(5).stream("test", draw);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let mut made = Vec::new();
        for _ in 0..200 {
            // How alike they are differs between segments.
            let common = common * (1.0 + 0.3 * normal());
            for _ in 0..100 {
                let both = common * normal();
                made.extend([both + normal(), -10.0 * (both + normal()), both + normal()].map(|x| x as f32));
            }
        }
        made
    }

    fn correlations(signals: &[f32]) -> Vec<f64> {
        mean_correlations(&signals.chunks_exact(300).collect::<Vec<_>>(), 3)
    }

    #[test]
    fn mixed_segments_that_were_not_fitted_to_correlate_as_they_should() {
        let wanted = correlations(&segments(1.5, 0));
        let (mixing, _) = fit(&wanted.iter().map(|x| *x as f32).collect::<Vec<_>>(), &segments(0.7, 1), 300, 3).unwrap();
        let mut other = segments(0.7, 2);
        let worst = |found: &[f64]| found.iter().zip(&wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
        let before = worst(&correlations(&other));
        apply(&mixing, &mut other, 3);
        let after = worst(&correlations(&other));
        assert!(before > 0.25 && after < 0.03, "{before} {after}");
    }

    #[test]
    fn what_is_right_or_flat_stays_as_it_is() {
        let mut real = segments(1.0, 0);
        let wanted: Vec<f32> = correlations(&real).iter().map(|x| *x as f32).collect();
        let (mixing, mixed) = fit(&wanted, &real, 300, 3).unwrap();
        assert!(mixing.iter().enumerate().all(|(i, m)| (m - if i % 4 == 0 { 1.0 } else { 0.0 }).abs() < 1e-4), "{mixing:?}");
        assert!(real.iter().zip(&mixed).all(|(a, b)| (a - b).abs() < 1e-2));
        real.iter_mut().skip(2).step_by(3).for_each(|x| *x = 0.0);
        let wanted: Vec<f32> = correlations(&real).iter().map(|x| *x as f32).collect();
        let (_, mixed) = fit(&wanted, &real, 300, 3).unwrap();
        assert!(mixed.iter().skip(2).step_by(3).all(|x| x.abs() < 1e-2), "a flat channel gets nothing");
        assert_eq!(fit(&[], &real, 300, 3), None);
        assert_eq!(fit(&wanted, &[], 300, 3), None);
    }
}

//! Central moments of a channel over all segments and instants.

use crate::pool::Pool;

/// The mean of each channel.
pub(super) fn channel_means(set: &Pool, channels: usize) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for instant in set.samples().chunks_exact(channels.max(1)) {
        for (sum, &x) in sums.iter_mut().zip(instant) {
            *sum += f64::from(x);
        }
    }
    let n = (set.samples().len() / channels.max(1)).max(1) as f64;
    sums.into_iter().map(|sum| sum / n).collect()
}

/// Second, third and fourth central moment of each channel, and how many values they are of.
pub(super) fn central(set: &Pool, channels: usize) -> (Vec<[f64; 3]>, f64) {
    let means = channel_means(set, channels);
    let mut sums = vec![[0.0; 3]; channels];
    for instant in set.samples().chunks_exact(channels.max(1)) {
        for ((sum, &x), mean) in sums.iter_mut().zip(instant).zip(&means) {
            let d = f64::from(x) - mean;
            let square = d * d;
            *sum = [sum[0] + square, sum[1] + square * d, sum[2] + square * square];
        }
    }
    let n = (set.samples().len() / channels.max(1)) as f64;
    (sums.into_iter().map(|s| s.map(|x| x / n)).collect(), n)
}

/// The mean over channels of the absolute difference of what `of` makes of the two sets' moments. None where it is undefined in one.
pub(super) fn difference(a: &Pool, b: &Pool, channels: usize, of: impl Fn([f64; 3], f64) -> f64) -> Option<f64> {
    let ((a, n), (b, m)) = (central(a, channels), central(b, channels));
    let sum: f64 = a.into_iter().zip(b).map(|(x, y)| (of(x, n) - of(y, m)).abs()).sum();
    (channels > 0).then(|| sum / channels as f64).filter(|d| d.is_finite())
}

//! Noise of the data's own colour.
//!
//! Channels of an EEG are alike (volume conduction), and most of their power is slow; what is fast has a thousandth of it. White noise of one
//! strength for all hides the one long before the other, and a network that has learned the strong directions of such data is far off in
//! the weak ones. So the noise that is added to a segment, and that segments are made from, is a draw of the stationary Gaussian process with
//! the covariance of the segment's class over channels and lags, as the prior of Lee et al. (2022, "`PriorGrad`") has the data's variances. Every
//! direction then drowns in the noise at the same strength, and a network that does nothing turns noise into segments with the class's
//! spectra, coherences and covariances; what is left for it is how people differ and what is not Gaussian.
//!
//! White noise becomes such a draw block by block: what a block of instants is expected to be by the instants before it, and noise with the
//! covariance that is left. The covariance is fitted to the training segments of each class; that of a small class is drawn a
//! little towards that of all. Segments are divided by their class's root mean square, so that classes count alike.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use ndarray::{Array2, ArrayViewMut2, Axis, Slice};
use rayon::prelude::*;

use crate::weights::Array;

/// Instants that are drawn at once, at most.
const BLOCK: usize = 8;
/// What is added to the variance of each channel, as a share of their mean: channels may depend on each other, as under an average
/// reference, and what a filter has taken away needs no exact noise.
const RIDGE: f64 = 1e-4;

/// The noise of each class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Colour {
    channels: usize,
    lags: usize,
    /// Covariance of the channels at lags 0, 1, … of each class: `[lag][channel now][channel then]`.
    covariances: Vec<Vec<f32>>,
    processes: Vec<Process>,
    /// Root mean square of each class.
    levels: Vec<f32>,
}

/// How a block is drawn: block `k` of a segment by entry `k`, those behind the last entry by the last.
#[derive(Debug, Clone, PartialEq)]
struct Process {
    blocks: Vec<Block>,
}

/// A block of instants given those before it, each of them a row of `[instant × channel]`.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    /// From the values before to what is expected: `[before, block]`.
    expected: Array2<f32>,
    /// From white noise to what is left, `[noise, block]`, an upper triangle.
    left: Array2<f32>,
}

/// Segments that covariances are fitted to.
pub(crate) struct Fitting<'a> {
    /// The samples, `[segment][time × channel]`.
    pub(crate) signals: &'a [f32],
    /// Samples × channels of a segment.
    pub(crate) width: usize,
    /// Class of each.
    pub(crate) class: &'a [usize],
    /// How many classes there are.
    pub(crate) classes: usize,
    pub(crate) channels: usize,
    pub(crate) lags: usize,
}

impl Colour {
    /// Fits the covariances of the classes, up to the lags asked for or half a segment; none where nothing varies.
    pub(crate) fn fit(fitting: &Fitting) -> Option<Self> {
        let channels = fitting.channels.max(1);
        let lags = fitting.lags.min(fitting.width / channels / 2);
        let sums = sums(fitting, channels, lags);
        let count = |class: usize| fitting.class.iter().filter(|c| **c == class).count() as f64;
        let mut all = vec![0.0; sums.first()?.len()];
        for of in &sums {
            all.iter_mut().zip(of).for_each(|(a, s)| *a += s);
        }
        let total = fitting.class.len().max(1) as f64;
        // Beside the segments of a class so many of all classes count that every coefficient of a value has one value more.
        let more = (lags * channels * channels) as f64 / fitting.width as f64;
        let covariances = sums.iter().enumerate().map(|(class, of)| {
            let own = |(s, a): (&f64, &f64)| ((s + more * a / total) / (count(class) + more)) as f32;
            of.iter().zip(&all).map(own).collect()
        });
        Self::of_covariances(channels, lags, covariances.collect())
    }

    fn of_covariances(channels: usize, lags: usize, covariances: Vec<Vec<f32>>) -> Option<Self> {
        let variance = |of: &Vec<f32>| (0..channels).map(|c| f64::from(of[c * channels + c])).sum::<f64>() / channels as f64;
        let process = |of: &Vec<f32>| Process::of(of, variance(of), channels, lags);
        let processes = covariances.par_iter().map(process).collect::<Option<_>>()?;
        let levels = covariances.iter().map(|of| variance(of).sqrt() as f32).collect();
        Some(Self { channels, lags, covariances, processes, levels })
    }

    /// Divides segments `[time × channel]` by the levels of their classes, which they are then in units of: the noise's.
    pub(crate) fn level(&self, classes: &[usize], signals: &mut [f32], width: usize) {
        for (segment, &class) in signals.chunks_exact_mut(width.max(1)).zip(classes) {
            let level = self.levels.get(class).copied().unwrap_or(1.0);
            for x in segment {
                *x /= level;
            }
        }
    }

    /// Gives a segment of a class its level back.
    pub(crate) fn unlevel(&self, class: usize, segment: &mut [f32]) {
        let level = self.levels.get(class).copied().unwrap_or(1.0);
        for x in segment {
            *x *= level;
        }
    }

    /// The standard deviation of each channel of a class over that which it has once [`emphasis`](crate::emphasis) of this share, which it has
    /// now, is undone: the covariances of the sum of all samples so far, each counting `share` of the one behind it.
    pub(crate) fn emphasised(&self, class: usize, share: f64) -> Vec<f64> {
        let Some(covariances) = self.covariances.get(class) else { return vec![1.0; self.channels] };
        let at = |lag: usize, c: usize| f64::from(covariances[(lag * self.channels + c) * self.channels + c]);
        let sum = |c: usize| (1..=self.lags).map(|lag| 2.0 * share.powi(lag as i32) * at(lag, c)).sum::<f64>() + at(0, c);
        let ratio = |c: usize| (at(0, c) * (1.0 - share * share) / sum(c).max(f64::MIN_POSITIVE)).sqrt();
        // One minus the share where a channel hardly changes, one plus it where it changes at every sample.
        (0..self.channels).map(|c| ratio(c).clamp(1.0 - share, 1.0 + share)).collect()
    }

    /// Turns white noise `[segment][time × channel]` into that of each segment's class.
    pub(crate) fn apply(&self, classes: &[usize], noise: &mut [f64], width: usize) {
        for (class, process) in self.processes.iter().enumerate() {
            let rows: Vec<usize> = (0..classes.len()).filter(|&row| classes[row] == class).collect();
            let white = |row: &usize| noise[row * width..(row + 1) * width].iter().map(|x| *x as f32);
            let Ok(mut values) = Array2::from_shape_vec((rows.len(), width), rows.iter().flat_map(white).collect()) else {
                return;
            };
            process.run(values.view_mut(), self.channels);
            for (row, values) in rows.iter().zip(values.axis_iter(Axis(0))) {
                noise[row * width..(row + 1) * width].iter_mut().zip(values).for_each(|(x, y)| *x = f64::from(*y));
            }
        }
    }

    /// What is kept of it in a file.
    pub(crate) fn arrays(&self) -> BTreeMap<String, Array> {
        let shape = vec![self.lags + 1, self.channels, self.channels];
        let array = |(class, values): (usize, &Vec<f32>)| {
            (format!("covariance.{class:04}"), Array { shape: shape.clone(), values: values.clone() })
        };
        self.covariances.iter().enumerate().map(array).collect()
    }

    /// The same from what was kept; says what is wrong with it.
    pub(crate) fn from_arrays(arrays: &BTreeMap<String, Array>) -> Result<Self, String> {
        let first = arrays.values().next().ok_or("there is no covariance")?;
        let (instants, channels) = match *first.shape.as_slice() {
            [instants, channels, _] if instants > 0 && channels > 0 => (instants, channels),
            _ => return Err(format!("a covariance has the shape {:?}", first.shape)),
        };
        let shape = [instants, channels, channels];
        if let Some((name, array)) = arrays.iter().find(|(_, array)| array.shape != shape) {
            return Err(format!("'{name}' has the shape {:?}, others have {shape:?}", array.shape));
        }
        let covariances = arrays.values().map(|array| array.values.clone()).collect();
        Self::of_covariances(channels, instants - 1, covariances).ok_or_else(|| "a covariance is not positive definite".into())
    }

    /// Channels that it is for, and classes.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.channels, self.processes.len())
    }
}

/// For each class the sum over its segments of their mean products at lags 0 to `lags`. Segments are tapered with half a sine: without, the ends
/// of strong slow waves would look like weak fast ones. Dividing by the taper's energy whatever the lag is keeps the covariance positive definite.
fn sums(fitting: &Fitting, channels: usize, lags: usize) -> Vec<Vec<f64>> {
    let size = channels * channels;
    let of_segment = |segment: &[f32]| {
        let time = segment.len() / channels;
        let taper = |n: usize| (PI * ((n / channels) as f64 + 0.5) / time as f64).sin();
        let x: Vec<f64> = segment.iter().enumerate().map(|(n, x)| f64::from(*x) * taper(n)).collect();
        let mut products = vec![0.0; (lags + 1) * size];
        for t in 0..time {
            let now = &x[t * channels..(t + 1) * channels];
            for lag in 0..=lags.min(t) {
                let then = &x[(t - lag) * channels..(t - lag + 1) * channels];
                let to = &mut products[lag * size..(lag + 1) * size];
                for (row, a) in to.chunks_exact_mut(channels).zip(now) {
                    row.iter_mut().zip(then).for_each(|(sum, b)| *sum += a * b);
                }
            }
        }
        // The squares of half a sine are a half in the mean.
        for p in &mut products {
            *p /= 0.5 * time as f64;
        }
        products
    };
    let segments: Vec<&[f32]> = fitting.signals.chunks_exact(fitting.width.max(1)).collect();
    let mut sums = vec![vec![0.0; (lags + 1) * size]; fitting.classes];
    // Segments in parallel, a few at a time, added up in their order.
    for (segments, classes) in segments.chunks(64).zip(fitting.class.chunks(64)) {
        let products: Vec<Vec<f64>> = segments.par_iter().map(|segment| of_segment(segment)).collect();
        for (products, &class) in products.iter().zip(classes) {
            sums[class].iter_mut().zip(products).for_each(|(sum, p)| *sum += p);
        }
    }
    sums
}

impl Process {
    /// From covariances `[lag][channel now][channel then]` and the channels' mean variance, which becomes 1; none where they are none.
    ///
    /// Covariances beyond the lags are not known; the process is the one that needs none: what is before them tells nothing more.
    fn of(covariances: &[f32], variance: f64, channels: usize, lags: usize) -> Option<Self> {
        let size = channels * channels;
        let of = |row: usize, column: usize| {
            let ((late, i), (early, j)) = ((row / channels, row % channels), (column / channels, column % channels));
            let ridge = if row == column { RIDGE } else { 0.0 };
            f64::from(covariances[(late - early) * size + i * channels + j]) / variance + ridge
        };
        // A block's last instant is as far from the first before it as the lags allow: most of them are for what is before.
        let block = BLOCK.min(lags.div_ceil(4)).max(1);
        let lower = cholesky((lags + 1) * channels, of)?;
        // As many instants as the lags allow, in whole blocks.
        let blocks = ((lags + 1) / block).max(1);
        let entry = |k: usize| {
            let (before, own) = (k * block * channels, block * channels);
            let rows = &lower[before..before + own];
            let left =
                Array2::from_shape_fn((own, own), |(noise, value)| rows[value].get(before + noise).map_or(0.0, |x| *x as f32));
            let mut expected = Array2::zeros((before, own));
            for (value, row) in rows.iter().enumerate() {
                let solved = backward(&lower[..before], &row[..before]);
                solved.iter().enumerate().for_each(|(i, x)| expected[[i, value]] = *x as f32);
            }
            Block { expected, left }
        };
        Some(Self { blocks: (0..blocks).map(entry).collect() })
    }

    /// Turns rows of white noise into the process in place.
    fn run(&self, mut values: ArrayViewMut2<f32>, channels: usize) {
        let (width, last) = (values.ncols(), self.blocks.len() - 1);
        let own = self.blocks[0].left.ncols();
        debug_assert_eq!(own % channels, 0);
        for (k, start) in (0..width).step_by(own).enumerate() {
            let block = &self.blocks[k.min(last)];
            let (before, size) = (block.expected.nrows(), own.min(width - start));
            let (all, mut rest) = values.view_mut().split_at(Axis(1), start);
            let past = all.slice_axis(Axis(1), Slice::from(start - before..));
            let mut now = rest.slice_axis_mut(Axis(1), Slice::from(..size));
            let expected = block.expected.slice_axis(Axis(1), Slice::from(..size));
            // What is left of a value needs the noise of it and of those before it in the block.
            let left = block.left.slice_axis(Axis(0), Slice::from(..size));
            let drawn = now.dot(&left.slice_axis(Axis(1), Slice::from(..size))) + past.dot(&expected);
            now.assign(&drawn);
        }
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side: one would wait for each addition.
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// The lower triangle whose square is the symmetric matrix, row by row; none where it is not positive definite.
pub(crate) fn cholesky(n: usize, matrix: impl Fn(usize, usize) -> f64) -> Option<Vec<Vec<f64>>> {
    let mut lower: Vec<Vec<f64>> = Vec::with_capacity(n);
    for i in 0..n {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, above) in lower.iter().enumerate() {
            let rest = matrix(i, j) - product(&row, &above[..j]);
            row.push(rest / above[j]);
        }
        let left = matrix(i, i) - product(&row, &row);
        if !(left.is_finite() && left > 0.0) {
            return None;
        }
        row.push(left.sqrt());
        lower.push(row);
    }
    Some(lower)
}

/// Solves `lowerᵀ · x = right`.
pub(crate) fn backward(lower: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    for i in (0..x.len()).rev() {
        x[i] /= lower[i][i];
        let (known, rest) = (x[i], &mut x[..i]);
        rest.iter_mut().zip(&lower[i]).for_each(|(x, l)| *x -= known * l);
    }
    x
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// No multiple of a block.
    const TIME: usize = 61;

    /// x(t) = 0.8 x(t−1) + e, y(t) = 0.5 x(t−1) + 0.1 f; of class 1 twice as large.
    fn process(count: usize) -> (Vec<f32>, Vec<usize>) {
        let class: Vec<usize> = (0..count).map(|i| i % 2).collect();
        let mut samples = Vec::new();
        for (i, class) in class.iter().enumerate() {
            let mut rng = Seed(4).stream("test", i as u64);
            let mut x = 0.0;
            let level = [1.0, 2.0][*class];
            for t in 0..TIME + 50 {
                let (e, f): (f64, f64) = (StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng));
                let y = 0.5 * x + 0.1 * f;
                x = 0.8 * x + e;
                if t >= 50 {
                    samples.extend([(level * x) as f32, (level * y) as f32]);
                }
            }
        }
        (samples, class)
    }

    fn fitted(lags: usize) -> (Vec<f32>, Vec<usize>, Colour) {
        let (signals, class) = process(2000);
        let fitting = Fitting { signals: &signals, width: 2 * TIME, class: &class, classes: 2, channels: 2, lags };
        let colour = Colour::fit(&fitting).unwrap();
        (signals, class, colour)
    }

    /// Noise of the classes in turn.
    fn made(colour: &Colour, count: usize) -> (Vec<f64>, Vec<usize>) {
        let class: Vec<usize> = (0..count).map(|i| i % 2).collect();
        let mut rng = Seed(6).stream("test", 0);
        let mut noise: Vec<f64> = (0..count * 2 * TIME).map(|_| StandardNormal.sample(&mut rng)).collect();
        colour.apply(&class, &mut noise, 2 * TIME);
        (noise, class)
    }

    /// Mean product of channels `a` and `b`, `lag` apart, over the instants from `from` on of the segments of a class.
    fn moment(signals: &[f64], wanted: usize, (a, b): (usize, usize), lag: usize, from: usize) -> f64 {
        let segments: Vec<&[f64]> = signals.chunks_exact(2 * TIME).skip(wanted).step_by(2).collect();
        let of = |segment: &&[f64]| {
            let instants = from + lag..TIME;
            let count = instants.len() as f64;
            instants.map(|t| segment[2 * t + a] * segment[2 * (t - lag) + b]).sum::<f64>() / count
        };
        segments.iter().map(of).sum::<f64>() / segments.len() as f64
    }

    #[test]
    fn noise_has_the_covariance_of_its_class_throughout() {
        for lags in [3, 7, 20] {
            let (mut signals, class, colour) = fitted(lags);
            colour.level(&class, &mut signals, 2 * TIME);
            let signals: Vec<f64> = signals.into_iter().map(f64::from).collect();
            let (noise, _) = made(&colour, 2000);
            for wanted in 0..2 {
                for (pair, lag) in [((0, 0), 0), ((0, 0), 1), ((1, 0), 1), ((0, 1), 1), ((1, 1), 0), ((0, 0), 5)] {
                    for from in [0, 40] {
                        let of = |signals: &[f64]| moment(signals, wanted, pair, lag, from);
                        let (noise, real) = (of(&noise), of(&signals));
                        assert!((noise - real).abs() < 0.15, "{lags} lags, class {wanted} {pair:?} {lag} {from}: {noise} {real}");
                    }
                }
            }
        }
    }

    #[test]
    fn levels_are_those_of_the_classes_and_noise_does_not_depend_on_its_neighbours() {
        let (signals, class, colour) = fitted(3);
        assert!((colour.levels[1] / colour.levels[0] - 2.0).abs() < 0.1, "{:?}", colour.levels);
        let mut there = signals.clone();
        colour.level(&class, &mut there, 2 * TIME);
        there.chunks_exact_mut(2 * TIME).zip(&class).for_each(|(segment, &class)| colour.unlevel(class, segment));
        assert!(signals.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + a.abs())));
        let (many, few) = (made(&colour, 40).0, made(&colour, 2).0);
        assert_eq!(many[..few.len()], few);
    }

    /// White noise of which emphasis has made a channel: the channel was an autoregressive process of variance 1 / (1 − 0.8²).
    #[test]
    fn what_emphasis_does_to_a_channel_follows_from_its_covariance() {
        let mut covariances = vec![0.0; 9 * 4];
        (covariances[0], covariances[3]) = (1.0, 4.0);
        let colour = Colour::of_covariances(2, 8, vec![covariances]).unwrap();
        for ratio in colour.emphasised(0, 0.8) {
            assert!((ratio - 0.6).abs() < 1e-6, "√(1 − 0.8²): {ratio}");
        }
    }

    #[test]
    fn what_is_kept_gives_the_same_noise() {
        let (_, _, colour) = fitted(4);
        let arrays = colour.arrays();
        assert_eq!(Colour::from_arrays(&arrays).as_ref(), Ok(&colour));
        assert_eq!(colour.sizes(), (2, 2));
        assert!(Colour::from_arrays(&BTreeMap::new()).is_err());
        let mut broken = arrays.clone();
        for array in broken.values_mut() {
            array.values.fill(0.0);
        }
        assert!(Colour::from_arrays(&broken).unwrap_err().contains("positive definite"));
        let mut broken = arrays;
        broken.values_mut().next().unwrap().shape = vec![5, 4];
        assert!(Colour::from_arrays(&broken).unwrap_err().contains("shape"));
    }

    #[test]
    fn channels_that_depend_on_each_other_are_no_hindrance_and_silence_is_none() {
        let (signals, class) = process(40);
        let doubled: Vec<f32> = signals.chunks_exact(2).flat_map(|p| [p[0], p[1], -p[0] - p[1]]).collect();
        let fitting = Fitting { signals: &doubled, width: 3 * TIME, class: &class, classes: 2, channels: 3, lags: 2 };
        assert!(Colour::fit(&fitting).is_some());
        let silent = vec![0.0; doubled.len()];
        assert_eq!(Colour::fit(&Fitting { signals: &silent, ..fitting }), None);
    }
}

//! What pictures show of many segments: their mean and spread, some of them, and their spectrum.

use physiosynth_signal::{Seed, SegmentSet};
use rayon::prelude::*;

use crate::spectrum::{Spectrum, welch};

/// How many segments are drawn as thin lines.
const EXAMPLES: usize = 50;
/// How many segments a spectrum is averaged over at most.
const SPECTRUM_SEGMENTS: usize = 1_000;
/// Segments summed by one thread at a time. Part sums are added in order, so that the number of threads changes nothing.
const CHUNK: usize = 512;

/// A set of segments of one class, in physical units of one channel.
#[derive(Debug, Clone)]
pub(crate) struct Waveforms {
    /// How many segments.
    pub count: usize,
    /// Mean at each time; NaN where no segment is known.
    pub mean: Vec<f64>,
    /// Standard deviation at each time; 0 for a single segment.
    pub deviation: Vec<f64>,
    /// Some of the segments, chosen by the seed.
    pub examples: Vec<Vec<f32>>,
    /// Power spectral density; none where segments are too short or not finite.
    pub spectrum: Option<Spectrum>,
}

impl Waveforms {
    /// Of the segments at `indices`; none where there are none.
    pub(crate) fn new(set: &SegmentSet, indices: &[usize], channel: usize, seed: Seed, purpose: &str) -> Option<Self> {
        if indices.is_empty() || set.time() == 0 || channel >= set.channels() {
            return None;
        }
        let (mean, deviation) = moments(set, indices, channel);
        let some = |n: usize, what: &str| choose(indices, n, seed, &format!("{what} {purpose}"));
        let row = |&i: &usize| physical(set, i, channel);
        let examples: Vec<_> = some(EXAMPLES, "report examples").iter().map(row).collect();
        let for_spectrum: Vec<_> = some(SPECTRUM_SEGMENTS, "report spectrum").iter().map(row).collect();
        let spectrum = welch(for_spectrum.iter().map(Vec::as_slice), set.sampling_frequency_hz);
        Some(Self { count: indices.len(), mean, deviation, examples, spectrum })
    }

    /// Least and greatest value worth showing: the examples' ends and mean ± SD. One example that stands out by more than half
    /// of what the others span (an artefact) is cut off by the plot instead of flattening all others.
    pub(crate) fn extent(&self) -> impl Iterator<Item = f64> + '_ {
        let finite = |e: &Vec<f32>| -> Vec<f64> { e.iter().copied().filter(|v| v.is_finite()).map(f64::from).collect() };
        let ends = |pick: fn(f64, f64) -> f64| -> Vec<f64> {
            let mut ends: Vec<f64> = self.examples.iter().filter_map(|e| finite(e).into_iter().reduce(pick)).collect();
            ends.sort_by(f64::total_cmp);
            ends
        };
        let (lows, mut highs) = (ends(f64::min), ends(f64::max));
        highs.reverse();
        let band = self.mean.iter().zip(&self.deviation).flat_map(|(m, d)| [m - d, m + d]);
        let span = match (lows.get(1), highs.get(1)) {
            (Some(low), Some(high)) => high - low,
            _ => f64::INFINITY,
        };
        let end = |ends: &[f64]| match ends {
            [first, second, _, _, ..] if (first - second).abs() > 0.5 * span => Some(*second),
            [first, ..] => Some(*first),
            [] => None,
        };
        [end(&lows), end(&highs)].into_iter().flatten().chain(band)
    }
}

/// Segment `i` in physical units.
fn physical(set: &SegmentSet, i: usize, channel: usize) -> Vec<f32> {
    let (scale, offset) = (set.scale[[i, channel]], set.offset[[i, channel]]);
    (0..set.time()).map(|t| set.signals[[i, t, channel]] * scale + offset).collect()
}

/// `n` of `indices` without repeats, in rising order, by the stream of `purpose`.
fn choose(indices: &[usize], n: usize, seed: Seed, purpose: &str) -> Vec<usize> {
    use rand::RngExt;
    if indices.len() <= n {
        return indices.to_vec();
    }
    let mut random = seed.stream(purpose, 0);
    let mut pool = indices.to_vec();
    for k in 0..n {
        let other = random.random_range(k..pool.len());
        pool.swap(k, other);
    }
    pool.truncate(n);
    pool.sort_unstable();
    pool
}

/// Sum, sum of squares and number of finite values at each time.
type Sums = Vec<(f64, f64, u32)>;

fn moments(set: &SegmentSet, indices: &[usize], channel: usize) -> (Vec<f64>, Vec<f64>) {
    let parts: Vec<Sums> = indices
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut sums: Sums = vec![(0.0, 0.0, 0); set.time()];
            for &i in chunk {
                let (scale, offset) = (set.scale[[i, channel]], set.offset[[i, channel]]);
                for (t, sum) in sums.iter_mut().enumerate() {
                    let value = f64::from(set.signals[[i, t, channel]] * scale + offset);
                    if value.is_finite() {
                        sum.0 += value;
                        sum.1 += value * value;
                        sum.2 += 1;
                    }
                }
            }
            sums
        })
        .collect();
    let mut total: Sums = vec![(0.0, 0.0, 0); set.time()];
    for part in &parts {
        for (sum, add) in total.iter_mut().zip(part) {
            *sum = (sum.0 + add.0, sum.1 + add.1, sum.2 + add.2);
        }
    }
    let mean = |s: &(f64, f64, u32)| if s.2 > 0 { s.0 / f64::from(s.2) } else { f64::NAN };
    let deviation = |s: &(f64, f64, u32)| {
        let m = mean(s);
        if s.2 > 1 { ((s.1 - m * s.0) / f64::from(s.2 - 1)).max(0.0).sqrt() } else { 0.0 }
    };
    (total.iter().map(mean).collect(), total.iter().map(deviation).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::set_of;

    #[test]
    fn moments_are_in_physical_units_and_ignore_gaps() {
        let mut set = set_of(&[("N", "train", 3)], 8);
        for i in 0..3 {
            for t in 0..8 {
                set.signals[[i, t, 0]] = i as f32;
            }
            set.scale[[i, 0]] = 2.0;
            set.offset[[i, 0]] = 1.0;
        }
        set.signals[[2, 0, 0]] = f32::NAN;
        let w = Waveforms::new(&set, &[0, 1, 2], 0, Seed(1), "test").unwrap();
        assert_eq!(w.mean[0], 2.0);
        assert_eq!(w.mean[1], 3.0);
        assert_eq!(w.deviation[1], 2.0);
        assert_eq!(w.count, 3);
    }

    #[test]
    fn one_artefact_does_not_flatten_the_others() {
        let mut set = set_of(&[("N", "train", 20)], 30);
        set.signals[[4, 3, 0]] = 50.0;
        let all: Vec<usize> = (0..20).collect();
        let w = Waveforms::new(&set, &all, 0, Seed(1), "test").unwrap();
        let top = w.extent().fold(f64::NEG_INFINITY, f64::max);
        assert!(top < 20.0 && top > 1.19, "{top}");
    }

    #[test]
    fn choice_follows_the_seed_without_repeats() {
        let all: Vec<usize> = (0..1000).collect();
        let one = choose(&all, 30, Seed(1), "a");
        assert_eq!(one, choose(&all, 30, Seed(1), "a"));
        assert_ne!(one, choose(&all, 30, Seed(2), "a"));
        assert!(one.windows(2).all(|p| p[0] < p[1]));
        assert_eq!(choose(&all[..5], 30, Seed(1), "a").len(), 5);
    }
}

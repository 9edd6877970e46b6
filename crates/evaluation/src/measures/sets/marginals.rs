//! Marginal distribution difference: histograms instant by instant.

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "marginal_distribution_difference",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "TSGBench's MDD (Ang et al. 2023): at each instant but the first and in each channel, the mean over 50 bins of the \
                     absolute difference of the two sets' histogram densities, bins spread over the real values there; averaged over \
                     instants and channels; 0 for equal histograms. Amplitudes are scaled by the reference's range in the channel, as \
                     TSGBench scales its data to [0, 1]. Values outside the real range are not seen, nor how instants hang together.",
    },
    compute: |sets: &Comparison| marginal_difference(sets.reference, sets.candidate, sets.shape.channels),
};

const BINS: usize = 50;

/// TSGBench's marginal distribution difference of `[segment, time × channel]` sets. A bin holds its lower edge (the last one both;
/// TSGBench leaves values on an edge out of the scored set's bins). None where a set is empty or no channel of the reference varies.
pub fn marginal_difference(reference: &Pool, candidate: &Pool, channels: usize) -> Option<f64> {
    let length = reference.length();
    if reference.is_empty() || candidate.is_empty() || channels == 0 || length <= channels {
        return None;
    }
    let bounds: Vec<(f32, f32)> = extremes(reference);
    let ranges: Vec<f64> = (0..channels)
        .map(|c| {
            let of_channel = bounds.iter().skip(c).step_by(channels);
            let (low, high) = of_channel.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), b| (l.min(b.0), h.max(b.1)));
            f64::from(high) - f64::from(low)
        })
        .collect();
    let (real, scored) = (histograms(reference, &bounds, &ranges), histograms(candidate, &bounds, &ranges));
    let (mut sum, mut count) = (0.0, 0_usize);
    for (at, bound) in bounds.iter().enumerate().skip(channels) {
        let range = ranges[at % channels];
        if range > 0.0 && range.is_finite() {
            let width = width(*bound, range) / range;
            let share = |counts: &[u32], set: &Pool, bin: usize| f64::from(counts[at * BINS + bin]) / set.len() as f64;
            let difference = |bin| (share(&real, reference, bin) - share(&scored, candidate, bin)).abs();
            sum += (0..BINS).map(difference).sum::<f64>() / width / BINS as f64;
            count += 1;
        }
    }
    (count > 0).then(|| sum / count as f64)
}

/// Least and greatest value at each instant and channel.
fn extremes(set: &Pool) -> Vec<(f32, f32)> {
    let mut bounds = vec![(f32::INFINITY, f32::NEG_INFINITY); set.length()];
    for segment in set.iter() {
        for (bound, &x) in bounds.iter_mut().zip(segment) {
            *bound = (bound.0.min(x), bound.1.max(x));
        }
    }
    bounds
}

/// A bin's width; where all values are equal, TSGBench widens the range by 10⁻⁵ of the scaled unit.
fn width(bound: (f32, f32), range: f64) -> f64 {
    let own = f64::from(bound.1) - f64::from(bound.0);
    if own > 0.0 { own / BINS as f64 } else { 1e-5 * range / BINS as f64 }
}

fn histograms(set: &Pool, bounds: &[(f32, f32)], ranges: &[f64]) -> Vec<u32> {
    let mut counts = vec![0_u32; set.length() * BINS];
    let inverse: Vec<f64> = bounds.iter().enumerate().map(|(at, &b)| 1.0 / width(b, ranges[at % ranges.len()])).collect();
    for segment in set.iter() {
        for (at, &x) in segment.iter().enumerate() {
            let (low, high) = bounds[at];
            // What is no number is in no bin.
            if x >= low && (x <= high || low == high) {
                let bin = (f64::from(x) - f64::from(low)) * inverse[at];
                if bin < BINS as f64 || x == high {
                    counts[at * BINS + (bin as usize).min(BINS - 1)] += 1;
                }
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_for_equal_sets_and_all_for_disjoint_ones() {
        let a = Pool::of_samples((0..400).map(|i| ((i * 37) % 101) as f32).collect(), 4);
        assert_eq!(marginal_difference(&a, &a, 1), Some(0.0));
        let far = Pool::of_samples(a.samples().iter().map(|x| x + 1000.0).collect(), 4);
        // Nothing of it is in any bin: what is left is the mean real density, 1 over the range.
        let found = marginal_difference(&a, &far, 1).unwrap();
        assert!((1.0..1.1).contains(&found), "{found}");
        assert_eq!(marginal_difference(&a, &Pool::default(), 1), None);
        let flat = Pool::of_samples(vec![2.0; 40], 4);
        assert_eq!(marginal_difference(&flat, &a, 1), None);
    }
}

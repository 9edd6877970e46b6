//! Distance to the closest record and nearest-neighbour distance ratio: a screen, no attack.

use crate::neighbours::{Across, Prepared, centre};
use crate::pool::Pool;

/// The percentile of held-out segments' distances that synthetic ones are counted below.
pub(crate) const PERCENTILE: f64 = 0.05;

pub(crate) const DISTANCE_DEFINITION: &str = "Distance to the closest record: root-mean-square difference from the nearest real \
     training segment of the reference half, in the physical unit; the median over segments. A screen only: what lies near the middle \
     of a class is near to everybody, and a generator that adds noise to copies is far from all.";

pub(crate) const CLOSER_DEFINITION: &str = "Share of segments nearer to the training reference than 95% of held-out subjects' segments \
     are, 0 to 1; of fresh subjects 0.05. A screen only: fresh segments of training subjects (`same`) come out high without any \
     copy, noisy copies low.";

pub(crate) const RATIO_DEFINITION: &str = "Nearest-neighbour distance ratio: distance to the nearest training segment of the reference \
     half over that to the second nearest, 0 to 1; the median over segments. Copies come near 0; a screen only, blind where the \
     reference holds near-duplicates.";

/// Root-mean-square difference from the nearest segment of a reference, and distance ratio to the second nearest, for each segment of a
/// set; infinite, and none, where there is none.
pub(crate) struct Closest {
    pub rms: Vec<f64>,
    pub ratio: Vec<Option<f64>>,
}

/// The closest records of `pool` in `reference`.
pub(crate) fn closest(pool: &Pool, reference: &Pool) -> Closest {
    let middle = centre(reference);
    let across = Across::of(&Prepared::new(pool, &middle), &Prepared::new(reference, &middle), 2);
    let of = |i: usize| (across.squared(i).first().copied(), across.squared(i).get(1).copied());
    let samples = reference.length().max(1) as f64;
    Closest {
        rms: (0..pool.len()).map(|i| of(i).0.map_or(f64::INFINITY, |d| (d / samples).sqrt())).collect(),
        ratio: (0..pool.len())
            .map(|i| {
                let (first, second) = (of(i).0?, of(i).1.filter(|s| s.is_finite())?);
                Some(if second > 0.0 { (first / second).sqrt() } else { 1.0 })
            })
            .collect(),
    }
}

/// The distance that [`PERCENTILE`] of `rms` lie below; none of nothing.
pub(crate) fn threshold(rms: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = rms.iter().copied().filter(|d| d.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len().saturating_sub(1)) as f64 * PERCENTILE).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let reference = Pool::of_samples(vec![0.0, 0.0, 3.0, 4.0], 2);
        let found = closest(&Pool::of_samples(vec![0.6, 0.8, 3.0, 4.0], 2), &reference);
        assert!((found.rms[0] - 0.5_f64.sqrt()).abs() < 1e-6 && found.rms[1] == 0.0);
        assert!((found.ratio[0].unwrap() - 0.25).abs() < 1e-6 && found.ratio[1] == Some(0.0));
        assert_eq!(threshold(&(0..=100).map(f64::from).collect::<Vec<_>>()), Some(5.0));
        assert_eq!(threshold(&[]), None);
    }
}

//! α-precision: do candidates fill the reference's spheres as they should?

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "alpha_precision",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Integrated α-precision (Alaa et al. 2022): 1 − 2·mean|P(α) − α| over 30 α from 0 to 1, P(α) the share of scored segments \
                     within the sphere about the real mean that holds the share α of real ones; 1 at best. In signal space: no \
                     embedding is learned, so a sphere stands for a class that may be anything but one; distances from the mean are \
                     all it sees.",
    },
    compute: |sets: &Comparison| {
        let centre = mean(sets.reference);
        let (real, scored) = (radii(sets.reference, &centre), radii(sets.candidate, &centre));
        let inside = |alpha: f64| {
            let radius = quantile(&real, alpha);
            scored.iter().filter(|&&d| d <= radius).count() as f64 / scored.len() as f64
        };
        (!real.is_empty() && !scored.is_empty()).then(|| integrated(inside))
    },
};

/// Values of α, both ends included.
const STEPS: usize = 30;

/// `1 − 2·Σ|curve(α) − α|·Δα`, as the authors' code has it.
pub(super) fn integrated(curve: impl Fn(f64) -> f64) -> f64 {
    let step = 1.0 / (STEPS - 1) as f64;
    1.0 - 2.0 * step * (0..STEPS).map(|i| (curve(i as f64 * step) - i as f64 * step).abs()).sum::<f64>()
}

pub(super) fn mean(pool: &crate::Pool) -> Vec<f64> {
    pool.mean().into_iter().map(f64::from).collect()
}

/// Distances from `centre`, in the segments' order.
pub(super) fn radii(pool: &crate::Pool, centre: &[f64]) -> Vec<f64> {
    let of = |segment: &[f32]| segment.iter().zip(centre).map(|(&x, c)| (f64::from(x) - c).powi(2)).sum::<f64>().sqrt();
    pool.iter().map(of).collect()
}

/// The quantile `q` of unsorted values, linear between ranks.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q.clamp(0.0, 1.0) * (sorted.len().max(1) - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * (at - low as f64),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_integrals() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[3.0, 1.0], 0.25), 1.5);
        assert!((integrated(|a| a) - 1.0).abs() < 1e-12);
        // All inside at every α: the mean of 1 − α over 30 steps is a half, times 30/29.
        assert!((integrated(|_| 1.0) - (1.0 - 30.0 / 29.0)).abs() < 1e-12);
    }
}

//! Wasserstein distance of amplitudes.

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "amplitude_wasserstein",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Wasserstein-1 distance of the two sets' amplitudes, ∫|F − G| over all samples of a channel, averaged over channels, in \
                     the physical unit; from 0. How far amplitudes must be moved on average: sees wrong gain and offset, blind to \
                     time and to which segment an amplitude is in.",
    },
    compute: |sets: &Comparison| {
        let (reference, candidate) = (sets.reference_amplitudes(), sets.amplitudes());
        let distances: Option<Vec<f64>> = reference.iter().zip(&candidate).map(|(a, b)| wasserstein_1(a, b)).collect();
        distances.filter(|d| !d.is_empty()).map(|d| d.iter().sum::<f64>() / d.len() as f64)
    },
};

/// Wasserstein-1 distance of two samples in ascending order. None where one is empty.
pub fn wasserstein_1(a: &[f32], b: &[f32]) -> Option<f64> {
    let (n, m) = (a.len(), b.len());
    let mut before = f64::from(a.first()?.min(*b.first()?));
    if n == m {
        return Some(a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).abs()).sum::<f64>() / n as f64);
    }
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while i < n || j < m {
        let first = i < n && (j == m || a[i] <= b[j]);
        let value = f64::from(if first { a[i] } else { b[j] });
        sum += (value - before) * (i as f64 / n as f64 - j as f64 / m as f64).abs();
        before = value;
        if first {
            i += 1;
        } else {
            j += 1;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(wasserstein_1(&[0.0, 1.0], &[2.0, 5.0]), Some(3.0));
        assert_eq!(wasserstein_1(&[0.0], &[2.0, 4.0]), Some(3.0));
        assert_eq!(wasserstein_1(&[1.0, 1.0, 1.0], &[1.0]), Some(0.0));
        assert_eq!(wasserstein_1(&[], &[1.0]), None);
    }
}

//! Skewness difference.

use super::OfSets;
use super::moments::difference;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "skewness_difference",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "TSGBench's SD (Ang et al. 2023): absolute difference of the two sets' skewness, third central moment over the cubed \
                     standard deviation (that with n − 1), over all samples of a channel; averaged over channels; from 0. One number \
                     of the amplitudes alone: blind to time, scale and offset.",
    },
    compute: |sets: &Comparison| skewness_difference(sets.reference, sets.candidate, sets.shape.channels),
};

/// TSGBench's skewness difference. None where a set is empty or constant in a channel.
pub fn skewness_difference(a: &Pool, b: &Pool, channels: usize) -> Option<f64> {
    difference(a, b, channels, |[m2, m3, _], n| m3 / (m2 * n / (n - 1.0)).powf(1.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let even = Pool::of_samples(vec![-1.0, 0.0, 1.0], 3);
        let skew = Pool::of_samples(vec![0.0, 0.0, 3.0], 3);
        // m3 = 2, m2·3/2 = 3.
        let expected = 2.0 / 3.0_f64.powf(1.5);
        assert!((skewness_difference(&even, &skew, 1).unwrap() - expected).abs() < 1e-12);
        assert_eq!(skewness_difference(&even, &Pool::of_samples(vec![1.0; 3], 3), 1), None);
    }
}

//! Kurtosis difference.

use super::OfSets;
use super::moments::difference;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "kurtosis_difference",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "TSGBench's KD (Ang et al. 2023): absolute difference of the two sets' kurtosis, fourth central moment over the squared \
                     variance (that with n), over all samples of a channel; averaged over channels; from 0. One number of the \
                     amplitudes alone, ruled by the largest: blind to time, scale and offset.",
    },
    compute: |sets: &Comparison| kurtosis_difference(sets.reference, sets.candidate, sets.shape.channels),
};

/// TSGBench's kurtosis difference. None where a set is empty or constant in a channel.
pub fn kurtosis_difference(a: &Pool, b: &Pool, channels: usize) -> Option<f64> {
    difference(a, b, channels, |[m2, _, m4], _| m4 / (m2 * m2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let two = Pool::of_samples(vec![-1.0, 1.0, -1.0, 1.0], 4);
        let three = Pool::of_samples(vec![-1.0, 0.0, 0.0, 1.0], 4);
        assert_eq!(kurtosis_difference(&two, &three, 1), Some(1.0));
        assert_eq!(kurtosis_difference(&two, &Pool::default(), 1), None);
    }
}

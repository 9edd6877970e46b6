//! What the signal is taken to be beyond its ends.

use serde::{Deserialize, Serialize};

/// How a signal goes on beyond its ends; names as in PyWavelets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundary {
    /// Mirrored about the ends with the end samples repeated: `… x1 x0 | x0 x1 … xN | xN …`. No jump, right for recordings.
    #[default]
    Symmetric,
    /// One period of a periodic signal, with as few coefficients as possible. An odd signal is lengthened by its last sample.
    Periodization,
}

impl Boundary {
    /// Where the sample at position `index` (possibly outside) of a signal of `len > 0` samples is found inside it.
    pub(crate) fn source(self, index: isize, len: usize) -> usize {
        let n = len as isize;
        match self {
            Self::Symmetric => {
                let folded = index.rem_euclid(2 * n);
                (if folded < n { folded } else { 2 * n - 1 - folded }) as usize
            }
            Self::Periodization => {
                // An odd signal has its last sample twice.
                let period = n + n % 2;
                index.rem_euclid(period).min(n - 1) as usize
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Boundary;

    #[test]
    fn symmetric_repeats_the_end_samples_and_folds_more_than_once() {
        let found: Vec<usize> = (-7..10).map(|i| Boundary::Symmetric.source(i, 3)).collect();
        assert_eq!(found, [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2]);
        assert_eq!(Boundary::Symmetric.source(-40, 1), 0);
    }

    #[test]
    fn periodization_lengthens_an_odd_signal_by_its_last_sample() {
        let found: Vec<usize> = (-4..8).map(|i| Boundary::Periodization.source(i, 3)).collect();
        assert_eq!(found, [0, 1, 2, 2, 0, 1, 2, 2, 0, 1, 2, 2]);
        let even: Vec<usize> = (-2..6).map(|i| Boundary::Periodization.source(i, 4)).collect();
        assert_eq!(even, [2, 3, 0, 1, 2, 3, 0, 1]);
    }
}

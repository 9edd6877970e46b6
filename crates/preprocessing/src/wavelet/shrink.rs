//! What becomes of a coefficient under a threshold.

use serde::{Deserialize, Serialize};

use super::Sample;

/// How coefficients are shrunk; each sets those of magnitude up to the threshold to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shrink {
    /// `sign(x) (|x| - t)`: continuous, but takes `t` from every peak as well (Donoho 1995).
    #[default]
    Soft,
    /// `x` as it is: keeps peaks whole, but leaves spikes where noise just passes the threshold.
    Hard,
    /// `x - t² / x`: continuous like soft, and near to hard for large coefficients (the non-negative garrote; Gao 1998).
    Garrote,
}

impl Shrink {
    /// Shrinks `coefficients` in place by `threshold` (not negative; infinity sets all to zero).
    pub fn apply<T: Sample>(self, coefficients: &mut [T], threshold: f64) {
        if threshold == f64::INFINITY {
            coefficients.fill(T::default());
            return;
        }
        let t = T::from_f64(threshold);
        match self {
            Self::Soft => T::shrink_soft(coefficients, t),
            Self::Hard => T::shrink_hard(coefficients, t),
            Self::Garrote => T::shrink_garrote(coefficients, t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(rule: Shrink, threshold: f64) -> Vec<f64> {
        let mut values = vec![-4.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 8.0];
        rule.apply(&mut values, threshold);
        values
    }

    /// pywt.threshold([-4, -1, -.5, 0, .5, 1, 2, 5, 8], 1, mode) for "soft", "garrote"; "hard" but at |x| = t, kept there.
    #[test]
    fn the_rules_by_hand() {
        assert_eq!(shrunk(Shrink::Soft, 1.0), [-3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 4.0, 7.0]);
        assert_eq!(shrunk(Shrink::Hard, 1.0), [-4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 5.0, 8.0]);
        assert_eq!(shrunk(Shrink::Garrote, 1.0), [-3.75, 0.0, 0.0, 0.0, 0.0, 0.0, 1.5, 4.8, 7.875]);
    }

    #[test]
    fn no_threshold_changes_nothing_and_an_infinite_one_leaves_nothing() {
        for rule in [Shrink::Soft, Shrink::Hard, Shrink::Garrote] {
            assert_eq!(shrunk(rule, 0.0), [-4.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 8.0]);
            assert_eq!(shrunk(rule, f64::INFINITY), [0.0; 9]);
        }
    }

    #[test]
    fn both_precisions_agree() {
        let mut single: Vec<f32> = (0..103).map(|n| (n as f32 * 0.37).sin()).collect();
        let mut double: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
        Shrink::Garrote.apply(&mut single, 0.25);
        Shrink::Garrote.apply(&mut double, 0.25);
        assert!(single.iter().zip(&double).all(|(x, y)| (f64::from(*x) - y).abs() < 1e-6));
    }
}

use super::Pairwise;
use crate::comparison::Shape;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "mae",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Mean absolute error, mean |x−y|, in the signal's physical unit (mV for ECG).",
    },
    many: None,
    compute: |real, other, _: Shape| mae(real, other),
};

/// Mean absolute difference, in the segments' unit. None for empty segments.
pub fn mae(real: &[f32], other: &[f32]) -> Option<f64> {
    let sum: f64 = real.iter().zip(other).map(|(&x, &y)| (f64::from(x) - f64::from(y)).abs()).sum();
    (!real.is_empty()).then(|| sum / real.len() as f64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::mae(&[0.0, 0.0], &[3.0, -1.0]), Some(2.0));
        assert_eq!(super::mae(&[], &[]), None);
    }
}

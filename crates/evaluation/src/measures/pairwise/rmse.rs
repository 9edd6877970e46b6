use super::Pairwise;
use crate::comparison::Shape;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "rmse",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Root-mean-square error, √(mean (x−y)²), in the signal's physical unit (mV for ECG).",
    },
    many: None,
    compute: |real, other, _: Shape| rmse(real, other),
};

/// Root-mean-square difference, in the segments' unit. None for empty segments.
pub fn rmse(real: &[f32], other: &[f32]) -> Option<f64> {
    let sum: f64 = real.iter().zip(other).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    (!real.is_empty()).then(|| (sum / real.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::rmse(&[0.0, 0.0], &[3.0, -3.0]), Some(3.0));
        assert_eq!(super::rmse(&[], &[]), None);
    }
}

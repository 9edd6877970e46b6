use super::Pairwise;
use crate::comparison::Shape;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "prd",
        unit: Unit::Percent,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Percentage root-mean-square difference, 100·√(Σ(x−y)²/Σx²), x the real segment with its baseline removed but not \
                 its mean; 0 is identity, about 141 is what unrelated segments of equal power get. Zigel et al. 2000.",
    },
    many: None,
    compute: |real, other, _: Shape| prd(real, other),
};

/// Percentage root-mean-square difference of `other` from `real`, in percent of `real`'s energy about zero.
/// None where `real` is zero throughout.
pub fn prd(real: &[f32], other: &[f32]) -> Option<f64> {
    let energy: f64 = real.iter().map(|&x| f64::from(x).powi(2)).sum();
    let error: f64 = real.iter().zip(other).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    (energy > 0.0).then(|| 100.0 * (error / energy).sqrt())
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::prd(&[3.0, 4.0], &[3.0, 4.0]), Some(0.0));
        assert_eq!(super::prd(&[3.0, 4.0], &[0.0, 0.0]), Some(100.0));
        assert_eq!(super::prd(&[0.0, 0.0], &[1.0, 0.0]), None);
    }
}

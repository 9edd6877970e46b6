use super::Pairwise;
use crate::comparison::Shape;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "pearson",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Higher,
        definition: "Pearson's correlation of the two segments' samples, −1 to 1; blind to amplitude and offset.",
    },
    many: None,
    compute: |real, other, _: Shape| pearson(real, other),
};

/// Pearson's correlation coefficient over all samples. None where either segment is constant.
pub fn pearson(real: &[f32], other: &[f32]) -> Option<f64> {
    let n = real.len() as f64;
    let mean = |x: &[f32]| x.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(real), mean(other));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (&x, &y) in real.iter().zip(other) {
        let (dx, dy) = (f64::from(x) - mean_x, f64::from(y) - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::pearson(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0]), Some(1.0));
        assert_eq!(super::pearson(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(super::pearson(&[1.0, 1.0], &[3.0, 2.0]), None);
    }
}

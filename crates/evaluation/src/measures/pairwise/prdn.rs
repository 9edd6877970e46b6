use super::Pairwise;
use crate::comparison::Shape;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "prdn",
        unit: Unit::Percent,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Normalised percentage root-mean-square difference, 100·√(Σ(x−y)²/Σ(x−x̄)²), x the real segment, x̄ its mean by \
                     channel: unlike PRD it does not shrink where a baseline or offset adds energy; 0 is identity. Zigel et al. 2000. \
                     Blind to where in the segment the difference lies.",
    },
    many: None,
    compute: |real, other, shape: Shape| prdn(real, other, shape.channels),
};

/// Percentage root-mean-square difference of `other` from `real` (`[time, channel]`), in percent of `real`'s energy about its mean by
/// channel. None where `real` is constant in every channel.
pub fn prdn(real: &[f32], other: &[f32], channels: usize) -> Option<f64> {
    let time = real.len().checked_div(channels).filter(|&t| t > 0)?;
    let mut energy = 0.0;
    for channel in 0..channels {
        let values = || real.iter().skip(channel).step_by(channels).map(|&x| f64::from(x));
        let mean = values().sum::<f64>() / time as f64;
        energy += values().map(|x| (x - mean).powi(2)).sum::<f64>();
    }
    let error: f64 = real.iter().zip(other).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    (energy > 0.0).then(|| 100.0 * (error / energy).sqrt())
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::prdn(&[3.0, 5.0], &[3.0, 5.0], 1), Some(0.0));
        assert_eq!(super::prdn(&[3.0, 5.0], &[4.0, 4.0], 1), Some(100.0));
        // Two channels that differ in offset alone have no energy.
        assert_eq!(super::prdn(&[1.0, 7.0, 1.0, 7.0], &[0.0; 4], 2), None);
        assert_eq!(super::prdn(&[], &[], 1), None);
    }
}

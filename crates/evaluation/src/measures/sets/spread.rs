//! Within-class spread: how much the segments of a class differ from one another.

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "spread_ratio",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Within-class spread, √(mean over time and channel of the variance across segments), of the scored segments \
                     over that of the real reference. 1 is as varied as real; near 0 is collapse to the mean. Blind to how the \
                     variance is shared out: two modes far apart spread as much as a continuum.",
    },
    compute: |sets: &Comparison| {
        let real = spread(sets.reference.iter()).filter(|&s| s > 0.0)?;
        Some(spread(sets.candidate.iter())? / real)
    },
};

/// √ of the mean over samples of the variance across segments, in the physical unit. None for fewer than two segments.
pub fn spread<'a>(segments: impl Iterator<Item = &'a [f32]> + Clone) -> Option<f64> {
    let n = segments.clone().count();
    let length = segments.clone().next()?.len();
    if n < 2 || length == 0 {
        return None;
    }
    let mut mean = vec![0.0_f64; length];
    for segment in segments.clone() {
        for (m, &x) in mean.iter_mut().zip(segment) {
            *m += f64::from(x) / n as f64;
        }
    }
    let sum: f64 = segments.map(|s| s.iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>()).sum();
    Some((sum / ((n - 1) as f64 * length as f64)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn known_values() {
        let (a, b) = ([0.0, 0.0_f32], [2.0, 0.0_f32]);
        assert_eq!(spread([&a[..], &b[..]].into_iter()), Some(1.0));
        assert_eq!(spread([&a[..], &a[..]].into_iter()), Some(0.0));
        assert_eq!(spread([&a[..]].into_iter()), None);
    }
}

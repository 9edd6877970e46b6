//! Share of the reference that candidates come near to.

use super::{BySegment, Over};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: BySegment = BySegment {
    about: About {
        name: "coverage",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Share of real reference segments whose ball (as for precision) holds at least one scored segment, 0 to 1; none where \
                     the sets differ in size. Naeem et al. 2020. Since balls are the real segments' own, noise does not swell it as it \
                     does recall; copies reach 1.",
    },
    over: Over::Reference,
    compute: |sets: &Comparison| {
        let radii = sets.reference_neighbours();
        let reached = sets.meeting().reached_by.iter().enumerate();
        let covered = |(i, by): (usize, &crate::Nearest)| {
            let radius = radii.radius_squared(i)?.sqrt() as f32;
            sets.equal_sizes().then_some(f64::from(u8::from(by.distance < radius)))
        };
        reached.map(covered).collect()
    },
};

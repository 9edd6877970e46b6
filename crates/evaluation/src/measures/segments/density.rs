//! How densely packed the reference is where candidates are.

use super::{BySegment, Over};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: BySegment = BySegment {
    about: About {
        name: "density",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "In how many real reference segments' balls (as for precision) a scored segment lies, over k, averaged; from 0, \
                     about 1 where both sets are drawn alike. Naeem et al. 2020. Over that of `same` the segments crowd where real \
                     ones are densest: near the class mean, or on copies.",
    },
    over: Over::Candidates,
    compute: |sets: &Comparison| {
        // With fewer reference segments than that, a ball reaches to the farthest of them.
        let k = sets.shape.neighbours.min(sets.reference.len().saturating_sub(1)).max(1);
        sets.meeting().inside.iter().map(|&balls| Some(f64::from(balls) / k as f64)).collect()
    },
};

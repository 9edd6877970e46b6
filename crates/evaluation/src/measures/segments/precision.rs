//! Share of candidates on the reference's manifold.

use super::{BySegment, Over};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: BySegment = BySegment {
    about: About {
        name: "precision",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Share of scored segments that lie within the ball of at least one real reference segment, a ball reaching to its \
                     k-th nearest real neighbour (evaluation.neighbours; Euclidean over all samples, no embedding), 0 to 1. \
                     Kynkäänniemi et al. 2019. Copies and a single good segment repeated reach 1; one far-off real segment with its \
                     large ball raises it, which density does not suffer from.",
    },
    over: Over::Candidates,
    compute: |sets: &Comparison| sets.meeting().inside.iter().map(|&balls| Some(f64::from(u8::from(balls > 0)))).collect(),
};

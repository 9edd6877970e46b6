//! Share of candidates that are no copies.

use super::{BySegment, Over};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: BySegment = BySegment {
    about: About {
        name: "authenticity",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Share of scored segments that lie farther from their nearest real reference segment than that one does from its own \
                     nearest real neighbour, 0 (all copies) to 1. Alaa et al. 2022, in signal space (no embedding is learned). Fresh \
                     segments get about the value of `same`. A little noise added to a copy hides it (see `jittered_copy`), and copies of \
                     training segments outside the reference half are not seen; no attack is made: privacy has measures of its own.",
    },
    over: Over::Candidates,
    compute: |sets: &Comparison| {
        let own = sets.reference_neighbours();
        let authentic = |nearest: &crate::Nearest| {
            let to_next_real = own.nearest_squared(nearest.index)?.sqrt() as f32;
            Some(f64::from(u8::from(to_next_real < nearest.distance)))
        };
        sets.nearest().iter().map(authentic).collect()
    },
};

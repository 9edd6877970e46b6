//! Share of the reference on the candidates' manifold.

use super::{BySegment, Over};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: BySegment = BySegment {
    about: About {
        name: "recall",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Share of real reference segments that lie within the ball of at least one scored segment, a ball reaching to its \
                     k-th nearest neighbour among the scored ones, 0 to 1; none where the sets differ in size. Kynkäänniemi et al. \
                     2019. Scored segments that lie far from everything have large balls and swell it, even to 1 for noise: read \
                     coverage first.",
    },
    over: Over::Reference,
    compute: |sets: &Comparison| {
        let value = |&recalled: &bool| sets.equal_sizes().then_some(f64::from(u8::from(recalled)));
        sets.meeting().recalled.iter().map(value).collect()
    },
};

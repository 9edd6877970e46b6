//! How many different real segments the scored ones crowd around.

use std::collections::BTreeSet;

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "distinct_nearest_share",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Share of distinct segments among the nearest real training segments of the scored ones, 0 to 1. Low where \
                     many synthetic segments crowd around few real ones; 1 for copies.",
    },
    compute: |sets: &Comparison| {
        // Fewer segments than the reference has would raise their share: no value then.
        let comparable = sets.candidate.len() == sets.reference.len() && !sets.candidate.is_empty();
        let different: BTreeSet<usize> = sets.nearest().iter().map(|nearest| nearest.index).collect();
        comparable.then(|| different.len() as f64 / sets.candidate.len() as f64)
    },
};

//! β-recall: does the reference find candidates nearby, and all kinds of them?

use super::OfSets;
use super::alpha_precision::{integrated, mean, quantile, radii};
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "beta_recall",
        unit: Unit::None,
        family: Family::Diversity,
        better: Better::NearSame,
        definition: "Integrated β-recall (Alaa et al. 2022, the authors' code): 1 − 2·mean|R(β) − β| over 30 β from 0 to 1, R(β) the share of \
                     real reference segments whose nearest scored segment is no farther than their nearest real one, and is within the \
                     share β of such segments nearest to the scored ones' mean; 1 at best, about a half for fresh segments; none where \
                     the sets differ in size. In signal space: no embedding is learned.",
    },
    compute: |sets: &Comparison| {
        if !sets.equal_sizes() {
            return None;
        }
        let own = sets.reference_neighbours();
        let from_middle = radii(sets.candidate, &mean(sets.candidate));
        let reached = &sets.meeting().reached_by;
        let far: Vec<f64> = reached.iter().map(|by| from_middle[by.index]).collect();
        let near: Option<Vec<bool>> =
            reached.iter().enumerate().map(|(i, by)| Some(by.distance <= own.nearest_squared(i)?.sqrt() as f32)).collect();
        let near = near?;
        let curve = |beta: f64| {
            let radius = quantile(&far, beta);
            near.iter().zip(&far).filter(|&(&near, &far)| near && far <= radius).count() as f64 / far.len() as f64
        };
        Some(integrated(curve))
    },
};

//! Attacks on the privacy of the people whose recordings a generator was trained on. Each is a file of its own.
//!
//! Two attacks ask whether somebody was in the training set ([`distance`], [`density_ratio`]; a new one is one new file and one line
//! in [`ATTACKS`]), one whether a synthetic patient can be tied to a real person ([`linkage`]), one whether segments were copied
//! ([`copies`]); [`closest_record`] is a screen that proves nothing.
//!
//! What the attackers know: the synthetic segments, recordings of the people they ask about, and recordings of other people of the
//! same kind (the reference population). They do not have the model. What they are *not* given, since it would take many trainings:
//! reference models trained with and without each person (the likelihood-ratio attack of Carlini et al. 2022 in full). The robust
//! ratio of Zarifzadeh et al. 2024 (RMIA) is therefore not listed: with densities in the place of models, its score is the share of
//! the population whose ratio the candidate's exceeds, a step function of the density ratio that grows with it; its curve would be
//! the density ratio's, only coarser.
//!
//! What "no attack succeeded" rests on: the subjects at hand and these attacks. A guarantee would take training with differential
//! privacy (DP-SGD with its ε), which [`crate::Scores`] would then state beside the attacks.

pub(crate) mod closest_record;
pub(crate) mod copies;
mod density_ratio;
mod distance;
pub(crate) mod linkage;
pub(crate) mod membership;
pub(crate) mod nearness;
pub(crate) mod people;
pub(crate) mod roc;
pub(crate) mod rows;

use std::collections::BTreeMap;

use crate::scores::{Better, Family, Measure};

/// What an attacker sees of a candidate segment.
pub(crate) struct Seen<'a> {
    /// Distances to the nearest published segments, ascending, at least one.
    pub published: &'a [f32],
    /// Distances to the nearest segments of the reference population, ascending, at least one.
    pub population: &'a [f32],
    /// Distances below this count as this: an exact copy is not infinitely near.
    pub floor: f32,
}

/// An attack on membership: the higher its score, the rather it takes a segment for one that was trained on.
pub(crate) struct Attack {
    /// Its name in measures, in snake case.
    pub name: &'static str,
    /// How the score comes about, and its source.
    pub definition: &'static str,
    pub score: fn(&Seen) -> f64,
}

/// Every attack on membership, in the order of the tables.
pub(crate) const ATTACKS: [Attack; 2] = [distance::ATTACK, density_ratio::ATTACK];

/// What stands in a row of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub same: Option<f64>,
    pub held_out: Option<f64>,
    pub baselines: BTreeMap<String, f64>,
    /// Synthetic segments.
    pub segments: usize,
    /// Real subjects.
    pub subjects: usize,
}

impl Row {
    /// The measure of this row.
    pub(crate) fn measure(self, name: &str, unit: &str, class: &str, better: Better, definition: String) -> Measure {
        let (low, high) = self.interval.unzip();
        Measure {
            name: name.into(),
            unit: unit.into(),
            family: Family::Privacy,
            class: class.into(),
            value: self.value,
            low,
            high,
            segments: self.segments,
            subjects: self.subjects,
            same: self.same,
            held_out: self.held_out,
            baselines: self.baselines,
            better,
            definition,
        }
    }
}

/// The median of finite values; none of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = if sorted.len().is_multiple_of(2) { *sorted.get(sorted.len() / 2 - 1)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

//! From values of segments to the rows of the table.

use std::collections::BTreeSet;

use crate::cases::Case;
use crate::clinical::wasserstein::{wasserstein, wasserstein_by_subject};
use crate::intervals::{interval, mean};
use crate::pool::Pool;
use crate::scores::{Better, Family, Measure};

use super::Context;
use super::halves::Halves;

/// Fewest values on each side of a distance.
pub(super) const FEWEST: usize = 8;
/// A quantity is compared where at least this share of the reference's segments has it: the P waves that are found in a third of ventricular
/// beats are none, and their PR intervals say nothing.
pub(super) const COMMON: f64 = 0.5;

/// The same thing of each set of segments.
#[derive(Debug, Clone, Default)]
pub(super) struct Sets<T> {
    pub(super) reference: T,
    pub(super) synthetic: T,
    pub(super) same: T,
    pub(super) held_out: T,
    pub(super) baselines: Vec<(&'static str, T)>,
}

impl<T> Sets<T> {
    pub(super) fn map<R>(&self, of: impl Fn(&T) -> R) -> Sets<R> {
        Sets {
            reference: of(&self.reference),
            synthetic: of(&self.synthetic),
            same: of(&self.same),
            held_out: of(&self.held_out),
            baselines: self.baselines.iter().map(|(name, value)| (*name, of(value))).collect(),
        }
    }
}

impl<T: Clone> Sets<Vec<T>> {
    /// Adds another class's; baselines that one of the two lacks are left out.
    pub(super) fn append(&mut self, other: &Self) {
        self.reference.extend_from_slice(&other.reference);
        self.synthetic.extend_from_slice(&other.synthetic);
        self.same.extend_from_slice(&other.same);
        self.held_out.extend_from_slice(&other.held_out);
        self.baselines.retain(|(name, _)| other.baselines.iter().any(|(n, _)| n == name));
        for (name, values) in &mut self.baselines {
            if let Some((_, more)) = other.baselines.iter().find(|(n, _)| n == name) {
                values.extend_from_slice(more);
            }
        }
    }
}

/// The pools of a class, its baselines' among them.
pub(super) fn pools(case: &Case) -> Sets<Pool> {
    Sets {
        reference: case.reference.clone(),
        synthetic: case.synthetic.clone(),
        same: case.same.clone(),
        held_out: case.held_out.clone(),
        baselines: case.baselines.clone(),
    }
}

/// The subject of each segment of the sets, in their order.
pub(super) struct Whose {
    pub(super) synthetic: Vec<String>,
    reference: Vec<String>,
    same: Vec<String>,
}

impl Whose {
    pub(super) fn of(case: &Case) -> Self {
        Self {
            synthetic: case.synthetic.subjects.clone(),
            reference: case.reference.subjects.clone(),
            same: case.same.subjects.clone(),
        }
    }

    /// Adds another class's.
    pub(super) fn append(&mut self, other: Self) {
        self.synthetic.extend(other.synthetic);
        self.reference.extend(other.reference);
        self.same.extend(other.same);
    }

    /// How many subjects the reference is of.
    pub(super) fn real_subjects(&self) -> usize {
        self.reference.iter().collect::<BTreeSet<_>>().len()
    }

    /// Random halves of those that the segments of `reference` and then `same` are of.
    pub(super) fn halves(&self, class: &str, context: &Context) -> Option<Halves> {
        Halves::draw(self.reference.iter().chain(&self.same), class, context)
    }
}

/// What a row is about.
pub(super) struct Row<'a> {
    pub(super) name: String,
    pub(super) unit: &'a str,
    pub(super) class: &'a str,
    pub(super) better: Better,
    pub(super) definition: String,
    /// How many synthetic segments, and how many real subjects in the reference.
    pub(super) segments: usize,
    pub(super) subjects: usize,
}

impl Row<'_> {
    /// The row with these values (`reference` is not shown) and interval.
    pub(super) fn measure(self, values: &Sets<Option<f64>>, interval: Option<(f64, f64)>) -> Measure {
        let (low, high) = interval.unzip();
        Measure {
            name: self.name,
            unit: self.unit.into(),
            family: Family::Clinical,
            class: self.class.into(),
            value: values.synthetic,
            low,
            high,
            segments: self.segments,
            subjects: self.subjects,
            same: values.same,
            held_out: values.held_out,
            baselines: values.baselines.iter().filter_map(|(name, value)| Some(((*name).to_string(), (*value)?))).collect(),
            better: self.better,
            definition: self.definition,
        }
    }

    /// The row of the Wasserstein distances of a quantity from the reference's; none where the reference lacks it. `halves` are of the
    /// segments of `reference` and then `same`.
    pub(super) fn distances(
        self,
        values: &Sets<Vec<Option<f64>>>,
        subjects: &[String],
        halves: Option<&Halves>,
        context: &Context,
    ) -> Option<Measure> {
        let present = |set: &[Option<f64>]| -> Vec<f64> { set.iter().copied().flatten().collect() };
        let reference = present(&values.reference);
        if reference.len() < FEWEST || (reference.len() as f64) < COMMON * values.reference.len() as f64 {
            return None;
        }
        let row = values.map(|set| {
            let values = present(set);
            if values.len() < FEWEST { None } else { wasserstein(&reference, &values) }
        });
        let whose: Vec<&str> =
            values.synthetic.iter().zip(subjects).filter(|(value, _)| value.is_some()).map(|(_, s)| s.as_str()).collect();
        let with_interval = row.synthetic.and_then(|_| {
            wasserstein_by_subject(&reference, &present(&values.synthetic), &whose, context.config.minimum_subjects)
        });
        let mut measure = self.measure(&row, with_interval.and_then(|(_, interval)| interval));
        if let Some(halves) = halves {
            let training: Vec<Option<f64>> = values.reference.iter().chain(&values.same).copied().collect();
            Halves::into_row(&halves.distances(&training), &mut measure);
        }
        Some(measure)
    }

    /// The row of the shares of segments for which something holds.
    pub(super) fn shares(self, values: &Sets<Vec<bool>>, subjects: &[String], context: &Context) -> Measure {
        let number = |set: &Vec<bool>| -> Vec<Option<f64>> { set.iter().map(|&b| Some(f64::from(u8::from(b)))).collect() };
        let numbers = values.map(number);
        let row = numbers.map(|set| mean(set.iter().copied().flatten()));
        let purpose = format!("evaluation/bootstrap/{}/{}", self.name, self.class);
        let around = interval(&numbers.synthetic, subjects, context.config, context.seed, &purpose);
        self.measure(&row, around)
    }
}

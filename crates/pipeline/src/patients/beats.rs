//! Beats for a patient, from the generator's model.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use burn::tensor::Device;
use physiosynth_generator::{Request, generate};
use physiosynth_signal::{Progress, Seed, SegmentSet, Split};
use rand::RngExt;

use super::rhythm::Planned;

/// A subject with fewer training segments of a class than this lends them only where nobody has more.
const FEWEST: usize = 5;

/// A beat that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    /// Its class.
    pub(super) label: String,
    /// Seconds since the beat before and to the next, NaN where unknown.
    pub(super) rr_s: [f32; 2],
}

/// The generator's model, asked for beats. The one place that knows how segments are asked for.
pub(super) struct Beats<'a> {
    model_dir: &'a Path,
    segments: &'a SegmentSet,
    seed: Seed,
    device: &'a Device,
    progress: Quiet<'a>,
    /// Training segments of each class by subject.
    counts: BTreeMap<String, BTreeMap<String, usize>>,
}

impl<'a> Beats<'a> {
    pub(super) fn new(
        model_dir: &'a Path,
        segments: &'a SegmentSet,
        seed: Seed,
        device: &'a Device,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for segment in segments.segments.iter().filter(|segment| segment.split == Split::Train) {
            *counts.entry(segment.label.clone()).or_default().entry(segment.subject.clone()).or_default() += 1;
        }
        Self { model_dir, segments, seed, device, progress: Quiet(progress), counts }
    }

    /// One segment for each wish, in their order. What is drawn is keyed by the patient, the piece of the record and the attempt.
    pub(super) fn make(&mut self, patient: &Planned, (piece, attempt): (u64, u64), wishes: &[Wish]) -> Result<SegmentSet> {
        let mut by_class: BTreeMap<&str, usize> = BTreeMap::new();
        for wish in wishes {
            *by_class.entry(&wish.label).or_default() += 1;
        }
        let key = format!("{}, piece {piece}, attempt {attempt}", patient.name);
        let mut requests = Vec::with_capacity(by_class.len());
        for (label, count) in &by_class {
            let subject = self.lender(patient, label)?;
            requests.push(Request { label: (*label).to_owned(), subject: Some(subject), count: *count, patient: key.clone() });
        }
        let made = generate(self.model_dir, self.segments, &requests, self.seed, self.device, &self.progress)?;
        // Segments came class by class: each wish takes the next of its class.
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        let mut from = 0;
        for (label, count) in &by_class {
            next.insert(label, from);
            from += count;
        }
        let mut order = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let Some(index) = next.get_mut(wish.label.as_str()) else { bail!("no segment of class {} was made", wish.label) };
            order.push(*index);
            *index += 1;
        }
        let mut set = made.select(&order);
        for segment in &mut set.segments {
            segment.subject.clone_from(&patient.name);
            segment.record.clone_from(&patient.name);
        }
        Ok(set)
    }

    /// The training subject whose segments of a class the patient's beats start from: the one that the rhythm was drawn around, or, where
    /// that one has none, another, the same for the whole record.
    fn lender(&self, patient: &Planned, label: &str) -> Result<String> {
        let Some(having) = self.counts.get(label) else {
            let all = self.counts.keys().cloned().collect::<Vec<_>>().join(", ");
            bail!(
                "patient {} has beats of class {label}, of which there are no training segments; there are {all}",
                patient.name
            );
        };
        if having.contains_key(&patient.around) {
            return Ok(patient.around.clone());
        }
        let enough: Vec<&String> = having.iter().filter(|(_, count)| **count >= FEWEST).map(|(name, _)| name).collect();
        let lenders = if enough.is_empty() { having.keys().collect() } else { enough };
        let mut stream = self.seed.stream(&format!("lender of class {label}"), patient.index as u64);
        let index = stream.random_range(0..lenders.len().max(1));
        Ok(lenders.get(index).map_or_else(String::new, |name| (*name).clone()))
    }
}

/// Progress that shows nothing of its own, but hears when the user asks to stop.
struct Quiet<'a>(&'a dyn Progress);

impl Progress for Quiet<'_> {
    fn begin(&self, _task: &str, _total: u64, _unit: &str) {}
    fn advance(&self, _steps: u64) {}
    fn note(&self, _remark: &str) {}
    fn warn(&self, warning: &str) {
        self.0.warn(warning);
    }
    fn end(&self) {}
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

//! Beats for a patient, from the generator's model.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use burn::tensor::Device;
use physiosynth_generator::{Around, ModelFiles, Request, SamplerConfig, generate};
use physiosynth_signal::{Progress, Seed, SegmentSet, Split};
use rand::RngExt;

use super::Order;
use super::rhythm::Planned;

/// A subject with fewer training segments of a class than this lends them only where nobody has more.
const FEWEST: usize = 5;

/// A beat that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    /// Its class.
    pub(super) label: String,
    /// What is around it.
    pub(super) around: Around,
}

/// The generator's model, asked for beats. The one place that knows how segments are asked for.
pub(super) struct Beats<'a> {
    model: &'a ModelFiles,
    segments: &'a SegmentSet,
    sampler: &'a SamplerConfig,
    /// Whether beats start from training segments (the paired objective), which some subject has to lend.
    paired: bool,
    seed: Seed,
    device: &'a Device,
    progress: Quiet<'a>,
    /// Training segments of each class by subject.
    counts: BTreeMap<String, BTreeMap<String, usize>>,
    /// Of each class, how many segments the patient in work was given.
    asked: BTreeMap<String, u64>,
}

impl<'a> Beats<'a> {
    pub(super) fn new(
        model: &'a ModelFiles,
        segments: &'a SegmentSet,
        order: &Order<'a>,
        device: &'a Device,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for segment in segments.segments.iter().filter(|segment| segment.split == Split::Train) {
            *counts.entry(segment.label.clone()).or_default().entry(segment.subject.clone()).or_default() += 1;
        }
        let (sampler, paired, seed) = (order.sampler, order.paired, order.seed);
        Self { model, segments, sampler, paired, seed, device, progress: Quiet(progress), counts, asked: BTreeMap::new() }
    }

    /// Begins another patient.
    pub(super) fn begin(&mut self) {
        self.asked.clear();
    }

    /// One segment for each wish, in their order: others than the patient was given before.
    pub(super) fn make(&mut self, patient: &Planned, wishes: &[Wish]) -> Result<SegmentSet> {
        let mut by_class: BTreeMap<&str, Vec<Around>> = BTreeMap::new();
        for wish in wishes {
            by_class.entry(&wish.label).or_default().push(wish.around.clone());
        }
        let mut requests = Vec::with_capacity(by_class.len());
        for (label, around) in &by_class {
            let asked = self.asked.entry((*label).to_owned()).or_default();
            let first = *asked;
            *asked += around.len() as u64;
            requests.push(Request {
                label: (*label).to_owned(),
                subject: self.subject(patient, label)?,
                count: around.len(),
                patient: patient.name.clone(),
                around: around.clone(),
                first,
            });
        }
        let made = generate(self.model, self.segments, &requests, self.sampler, self.seed, self.device, &self.progress)?;
        // Segments came class by class: each wish takes the next of its class.
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        let mut from = 0;
        for (label, around) in &by_class {
            next.insert(label, from);
            from += around.len();
        }
        let mut order = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let Some(index) = next.get_mut(wish.label.as_str()) else { bail!("no segment of class {} was made", wish.label) };
            order.push(*index);
            *index += 1;
        }
        Ok(made.select(&order))
    }

    /// The training subject that beats of a class are asked of. The paired objective starts from that subject's segments: of the one that
    /// the rhythm was drawn around, or, where that one has none, of another, the same for the whole record. Otherwise nobody, unless the
    /// patient is to be a training subject.
    fn subject(&self, patient: &Planned, label: &str) -> Result<Option<String>> {
        if !self.paired && !patient.known {
            return Ok(None);
        }
        let Some(having) = self.counts.get(label) else {
            let all = self.counts.keys().cloned().collect::<Vec<_>>().join(", ");
            bail!(
                "patient {} has beats of class {label}, of which there are no training segments; there are {all}",
                patient.name
            );
        };
        let own = having.contains_key(&patient.around).then(|| patient.around.clone());
        if !self.paired {
            return Ok(own);
        }
        if own.is_some() {
            return Ok(own);
        }
        let enough: Vec<&String> = having.iter().filter(|(_, count)| **count >= FEWEST).map(|(name, _)| name).collect();
        let lenders = if enough.is_empty() { having.keys().collect() } else { enough };
        let mut stream = self.seed.stream(&format!("lender of class {label}"), patient.index as u64);
        let index = stream.random_range(0..lenders.len().max(1));
        Ok(lenders.get(index).map(|name| (*name).clone()))
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

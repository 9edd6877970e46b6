//! `about.json`: what a shareable model is, from what, and how it did.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use physiosynth_evaluation::{Better, Outcome, Scores};
use physiosynth_generator::export::LeftOut;
use serde::{Deserialize, Serialize};

/// What is known of a shareable model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Version of this layout: 1.
    pub(crate) format: u32,
    /// Name of the folder it was written to.
    pub(crate) name: String,
    /// Name and version of the program that trained it.
    pub(crate) made_by: String,
    pub(crate) data: Data,
    pub(crate) source: Source,
    /// How many training subjects the distributions over people are over.
    pub(crate) subjects: usize,
    /// Classes that it makes, with the original codes of each.
    pub(crate) classes: BTreeMap<String, Vec<String>>,
    /// Rhythms that its patients may have, as their marks name them.
    pub(crate) rhythms: Vec<String>,
    /// What too few training subjects had to be told of.
    pub(crate) left_out: Vec<LeftOut>,
    /// Weights of the network.
    pub(crate) parameters: usize,
    /// Channels, with their units.
    pub(crate) channels: Vec<(String, String)>,
    pub(crate) sampling_frequency_hz: f64,
    /// Measures of segments that it made, against the run's real ones; empty where they were not taken.
    pub(crate) scores: Vec<Score>,
    /// What they amount to, by question: without the reasons, which name subjects.
    pub(crate) verdicts: BTreeMap<String, Outcome>,
    /// The verdicts of the run that it comes from.
    pub(crate) run_verdicts: BTreeMap<String, Outcome>,
}

/// The data that it was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Data {
    /// The database's short name.
    pub(crate) database: String,
    /// Its title and version; the short name where they are not known.
    pub(crate) title: String,
    /// Its licence; empty where not known.
    pub(crate) licence: String,
    /// What has to be cited.
    pub(crate) cite: Vec<String>,
}

/// The training that it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) preset: String,
    pub(crate) seed: u64,
    /// Segments and subjects of each split.
    pub(crate) splits: Vec<(String, usize, usize)>,
    /// Seconds that the stage `train` took, and on what.
    pub(crate) train_s: f64,
    pub(crate) device: String,
    /// The configuration of preprocessing, network and rhythm model.
    pub(crate) settings: serde_json::Value,
}

/// A measure, of the model and of the run that it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) class: String,
    /// What the values count in; empty for pure numbers.
    pub(crate) unit: String,
    /// Of what the shareable model made.
    pub(crate) value: Option<f64>,
    /// The 95% interval over subjects.
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// Of what the run made, whose model knows its training subjects.
    pub(crate) run: Option<f64>,
    pub(crate) same: Option<f64>,
    pub(crate) held_out: Option<f64>,
    pub(crate) better: Better,
}

impl Data {
    /// What they are and under which licence, in a sentence.
    pub(crate) fn words(&self) -> String {
        let licence = if self.licence.is_empty() { String::new() } else { format!(", {}", self.licence) };
        format!("Trained on {}{licence}.", self.title)
    }
}

impl About {
    /// The layout's version, to begin with.
    pub(crate) const FORMAT: u32 = 1;

    /// From the bytes of the file at `path`.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let about: Self = serde_json::from_slice(bytes)
            .with_context(|| format!("{} does not describe a model of this version; export it again", path.display()))?;
        if about.format != Self::FORMAT {
            bail!("{} is of version {}, and this program reads {}; export it again", path.display(), about.format, Self::FORMAT);
        }
        Ok(about)
    }

    /// Takes in the scores of what it made, beside those of its run.
    pub(crate) fn score(&mut self, own: Option<&Scores>, run: Option<&Scores>) {
        let Some(first) = own.or(run) else { return };
        let row = |measure: &physiosynth_evaluation::Measure| {
            let of = |scores: Option<&Scores>| scores.and_then(|scores| scores.measure(&measure.name, &measure.class)).cloned();
            let (own, run) = (of(own), of(run));
            Score {
                name: measure.name.clone(),
                class: measure.class.clone(),
                unit: measure.unit.clone(),
                value: own.as_ref().and_then(|m| m.value),
                low: own.as_ref().and_then(|m| m.low),
                high: own.as_ref().and_then(|m| m.high),
                run: run.as_ref().and_then(|m| m.value),
                same: measure.same,
                held_out: measure.held_out,
                better: measure.better,
            }
        };
        self.scores = first.measures.iter().filter(|m| super::card::is_shown(m)).map(row).collect();
        let verdicts = |scores: Option<&Scores>| {
            let all = scores.iter().flat_map(|scores| &scores.verdicts);
            all.map(|(question, verdict)| (question.clone(), verdict.outcome)).collect()
        };
        (self.verdicts, self.run_verdicts) = (verdicts(own), verdicts(run));
    }
}

//! What an evaluation produces: plain values, serialised as `scores.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exhibits::Exhibits;

/// Which question a measure helps to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Does a synthetic segment look like a real one?
    Fidelity,
    /// Does the set hold all that real segments hold?
    Diversity,
    /// Does it serve in place of real data?
    Utility,
    /// Does it keep its training subjects' secrets?
    Privacy,
    /// Does it make medical sense?
    Clinical,
}

/// Which values of a measure are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// The higher, the better.
    Higher,
    /// The lower, the better.
    Lower,
    /// The closer to the `same` reference, the better: beyond it is copying, or noise.
    NearSame,
}

/// One measure of one class, between its references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The field's name for it, in snake case, with the pairing where it has one: `prd_nearest`, `dtw_class_mean`.
    pub name: String,
    /// What the values count in: `mV`, `%`; empty for pure numbers.
    #[serde(default)]
    pub unit: String,
    /// The question it belongs to.
    pub family: Family,
    /// Class label, or `all`.
    pub class: String,
    /// The synthetic segments' value; none where it could not be computed (too few segments).
    pub value: Option<f64>,
    /// Lower end of the 95% interval over subjects; none where subjects are too few.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// How many synthetic segments were scored (as many real ones stand on the other side).
    pub segments: usize,
    /// How many real subjects they were scored against.
    pub subjects: usize,
    /// The value of one random half of the training subjects' segments against the other: what a perfect sampler gets.
    pub same: Option<f64>,
    /// The value of held-out subjects' segments against the training subjects': what generalisation costs.
    pub held_out: Option<f64>,
    /// The values of simple generators, by name; `training_copy` for segments copied from the training set.
    pub baselines: BTreeMap<String, f64>,
    /// Which values are good.
    pub better: Better,
    /// Formula, unit and source in one or two sentences.
    pub definition: String,
}

/// What an evaluation concludes about one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// By the thresholds of `verdicts.rs`, yes.
    Pass,
    /// By the thresholds of `verdicts.rs`, no.
    Fail,
    /// The data or the measures at hand do not allow an answer.
    NotAssessable,
}

/// An outcome with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was concluded.
    pub outcome: Outcome,
    /// The measures and thresholds that decided it, in words.
    pub because: String,
}

/// Everything an evaluation found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Every measure of every class.
    pub measures: Vec<Measure>,
    /// `faithful`, `diverse`, `useful`, `private`, `plausible`.
    pub verdicts: BTreeMap<String, Verdict>,
    /// What a reader should know of how the scores came about: subsample sizes, classes left out and why.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What a report draws besides the measures.
    #[serde(default)]
    pub exhibits: Exhibits,
}

impl Scores {
    /// The measure of this name and class.
    pub fn measure(&self, name: &str, class: &str) -> Option<&Measure> {
        self.measures.iter().find(|m| m.name == name && m.class == class)
    }
}

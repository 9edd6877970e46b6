//! The parts of an evaluation, each answering for some families of measures. A new one is one new file and one line in
//! [`ASSESSMENTS`].

mod clinical;
mod comparisons;
mod discrimination;
mod maps;
mod nearest;
mod privacy;
mod utility;

use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet};

use crate::EvaluationConfig;
use crate::cases::Case;
use crate::clinical::variability::RecordBeats;
use crate::comparison::Shape;
use crate::exhibits::Exhibits;
use crate::scores::Measure;

pub(crate) use clinical::plausible;

/// What assessments work on.
pub(crate) struct Context<'a> {
    /// All real segments, of every split.
    pub real: &'a SegmentSet,
    pub synthetic: &'a SegmentSet,
    /// Beats of whole records, where they are known.
    pub records: &'a [RecordBeats],
    /// The classes that have segments enough, each with its sets.
    pub cases: &'a [Case],
    pub shape: Shape,
    /// The signals' physical units, for the tables.
    pub physical: &'a str,
    pub config: &'a EvaluationConfig,
    pub seed: Seed,
    pub progress: &'a dyn Progress,
}

/// What an assessment found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub measures: Vec<Measure>,
    pub notes: Vec<String>,
    pub exhibits: Exhibits,
}

/// A part of an evaluation.
pub(crate) struct Assessment {
    pub run: fn(&Context) -> Result<Findings, Cancelled>,
}

/// Every assessment, in the order of the tables.
pub(crate) const ASSESSMENTS: [Assessment; 7] = [
    comparisons::ASSESSMENT,
    discrimination::ASSESSMENT,
    utility::ASSESSMENT,
    privacy::ASSESSMENT,
    clinical::ASSESSMENT,
    maps::ASSESSMENT,
    nearest::ASSESSMENT,
];

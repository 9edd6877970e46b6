use physiosynth_signal::{SegmentSet, Split};
use serde::{Deserialize, Serialize};

use crate::class_map::CLASSES;
use crate::clustering::ClusterInfo;
use crate::segmentation::Dropped;

/// What preprocessing did, for the manifest and the report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The database.
    pub database: String,
    /// The signal used.
    pub lead: String,
    /// Physical unit of the segments.
    pub unit: String,
    /// Working rate, in hertz.
    pub sampling_frequency_hz: f64,
    /// Samples per segment.
    pub time: usize,
    /// Index of the mark in a segment.
    pub mark_index: usize,
    /// The class map, one entry per beat code.
    pub class_map: Vec<CodeClass>,
    /// How the split was made.
    pub split_strategy: String,
    /// The records used, in the database's order.
    pub records: Vec<RecordSummary>,
    /// The records left out.
    pub skipped: Vec<Skipped>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Segments per class and split, classes in their usual order.
    pub counts: Vec<ClassCount>,
    /// The clusters, in order of their numbers.
    pub clusters: Vec<ClusterInfo>,
    /// Stretches of training records before and after denoising.
    pub stretches: Vec<Stretch>,
    /// Estimate of the most memory held at once by preprocessing, in bytes: the records under work and the segments.
    pub memory_bytes: u64,
    /// Seconds spent in each step. Steps on records are added up over the threads that did them.
    pub timings: Vec<Timing>,
}

/// One row of the class map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeClass {
    /// Annotation code.
    pub code: String,
    /// What it marks.
    pub meaning: String,
    /// Its class.
    pub class: String,
}

/// One record that was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordSummary {
    /// Its name.
    pub record: String,
    /// Whose it is.
    pub subject: String,
    /// Where it went.
    pub split: Split,
    /// Its duration in seconds.
    pub duration_s: f64,
    /// Sampling frequency of the source, in hertz.
    pub source_sampling_frequency_hz: f64,
    /// Annotated beats.
    pub beats: usize,
    /// Segments cut.
    pub segments: usize,
    /// Beats that gave no segment.
    pub dropped: Dropped,
    /// Missing samples of the source.
    pub missing_samples: usize,
    /// What is odd about it.
    pub problems: Vec<String>,
}

/// One record that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its name.
    pub record: String,
    /// Why.
    pub reason: String,
}

/// Segments of a class in each split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// Training segments.
    pub train: usize,
    /// Validation segments.
    pub validation: usize,
    /// Test segments.
    pub test: usize,
}

/// A few seconds of a record, at the source's rate and in its physical unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// The record.
    pub record: String,
    /// The signal.
    pub lead: String,
    /// Its physical unit.
    pub unit: String,
    /// Its sampling frequency, in hertz.
    pub sampling_frequency_hz: f64,
    /// Where the stretch begins, in seconds from the start of the record.
    pub start_s: f64,
    /// As recorded.
    pub before: Vec<f32>,
    /// After denoising.
    pub after: Vec<f32>,
    /// Annotated beats in it: index into the samples, and code.
    pub marks: Vec<(usize, String)>,
}

/// Time spent in a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The step.
    pub step: String,
    /// Seconds.
    pub seconds: f64,
}

/// Counts the segments of each class in each split: the classes of beats in their order, then other labels by name. Classes without
/// segments are left out.
pub(crate) fn class_counts(set: &SegmentSet) -> Vec<ClassCount> {
    let others = set.labels().into_iter().filter(|label| !CLASSES.contains(&label.as_str()));
    let classes = CLASSES.iter().map(|class| (*class).to_owned()).chain(others);
    let mut counts: Vec<ClassCount> = classes.map(|class| ClassCount { class, train: 0, validation: 0, test: 0 }).collect();
    for segment in &set.segments {
        let Some(of_class) = counts.iter_mut().find(|counts| counts.class == segment.label) else { continue };
        match segment.split {
            Split::Train => of_class.train += 1,
            Split::Validation => of_class.validation += 1,
            Split::Test => of_class.test += 1,
            Split::Synthetic => {}
        }
    }
    counts.into_iter().filter(|counts| counts.train + counts.validation + counts.test > 0).collect()
}

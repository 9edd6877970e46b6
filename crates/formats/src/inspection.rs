use std::collections::BTreeMap;
use std::path::Path;

use physiosynth_signal::{Annotation, RecordSource as _};
use serde::Serialize;

use crate::FormatError;
use crate::database::{RecordingsConfig, inspect_path, open_database_with};
use crate::recording::Recording;

/// What is in a record, and all that is wrong with it. Serialises to an entry of `records` in `inspect --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Name of the record.
    pub name: String,
    /// Its subject; the record's name where the database does not say.
    pub subject: String,
    /// Duration in seconds; 0 where nothing says.
    pub duration_s: f64,
    /// Its signals, in order.
    pub signals: Vec<SignalFacts>,
    /// Its annotations, wherever they are kept.
    pub annotations: AnnotationFacts,
    /// What is wrong, each in a sentence that names the file and the place.
    pub problems: Vec<String>,
}

/// What a header says of one signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalFacts {
    /// Label.
    pub label: String,
    /// Physical unit.
    pub unit: String,
    /// Samples per second, in hertz.
    pub sampling_frequency_hz: f64,
    /// Number of samples.
    pub samples: u64,
}

/// Annotations, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AnnotationFacts {
    /// How many there are.
    pub count: usize,
    /// How many of each code.
    pub codes: BTreeMap<String, usize>,
}

/// Inspects every record of a database, or the one record that `path` names, with nothing said about its files. See [`inspect_with`].
pub fn inspect(path: &Path) -> Result<Vec<Inspection>, FormatError> {
    inspect_with(path, &RecordingsConfig::default())
}

/// Inspects every record of a database, or the one record that `path` names; `options` says of its files what they do not say
/// themselves. Annotations are counted wherever the database keeps them (see [`open_database_with`]).
pub fn inspect_with(path: &Path, options: &RecordingsConfig) -> Result<Vec<Inspection>, FormatError> {
    let database = open_database_with(path, options)?;
    Ok((0..database.entries().len()).filter_map(|index| database.inspect(index)).collect())
}

/// Inspects one record, named with or without extension. Never fails: what is wrong is in [`Inspection::problems`].
pub fn inspect_record(path: &Path) -> Inspection {
    inspect_path(path)
}

/// What is in a recording, whatever its format.
pub fn inspect_recording(recording: &Recording) -> Inspection {
    let record = &recording.record;
    let facts = |(channel, &samples): (&physiosynth_signal::Channel, &u64)| SignalFacts {
        label: channel.label.clone(),
        unit: channel.unit.clone(),
        sampling_frequency_hz: channel.sampling_frequency_hz,
        samples,
    };
    let mut annotations = AnnotationFacts::default();
    annotations.add(&record.annotations);
    Inspection {
        name: record.name.clone(),
        subject: record.subject.clone(),
        duration_s: recording.duration_s(),
        signals: record.channels.iter().zip(recording.lengths()).map(facts).collect(),
        annotations,
        problems: recording.problems.clone(),
    }
}

impl AnnotationFacts {
    /// Counts further annotations.
    pub(crate) fn add<'a>(&mut self, marks: impl IntoIterator<Item = &'a Annotation>) {
        for mark in marks {
            self.count += 1;
            *self.codes.entry(mark.code.clone().into_owned()).or_insert(0) += 1;
        }
    }
}

/// Of a record of which nothing is known yet.
pub(crate) fn nothing(name: String) -> Inspection {
    Inspection {
        subject: name.clone(),
        name,
        duration_s: 0.0,
        signals: Vec::new(),
        annotations: AnnotationFacts::default(),
        problems: Vec::new(),
    }
}

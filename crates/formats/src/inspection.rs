use std::collections::BTreeMap;
use std::path::Path;

use physiosynth_signal::RecordSource as _;
use serde::Serialize;

use crate::database::{is_table, marks_beside, open_database};
use crate::recording::{OpenOptions, Recording, open};
use crate::wfdb::{self, Header, Location, REFERENCE_ANNOTATOR, header};
use crate::{FormatError, edf};

/// How many problems of one kind are listed; the rest are counted.
const LISTED: usize = 5;

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
    /// Its reference annotations.
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

/// Inspects every record of a database, or the one record that `path` names.
pub fn inspect(path: &Path) -> Result<Vec<Inspection>, FormatError> {
    let database = open_database(path)?;
    let records = database.entries().iter().enumerate();
    let inspections = records.filter_map(|(index, entry)| {
        let mut inspection = inspect_record(&database.record_path(index)?);
        inspection.name.clone_from(&entry.name);
        inspection.subject.clone_from(&entry.subject);
        Some(inspection)
    });
    Ok(inspections.collect())
}

/// Inspects one record, named with or without extension. Never fails: what is wrong is in [`Inspection::problems`].
pub fn inspect_record(path: &Path) -> Inspection {
    if edf::is_recording(path) {
        return edf::inspect(path);
    }
    if is_table(path) {
        return inspect_table(path);
    }
    let location = Location::new(path);
    let mut inspection = nothing(location.name());
    let header_path = location.file("hea");
    let mut frames = None;
    let mut rate = None;
    match header::read(&header_path) {
        Ok(header) => {
            rate = Some(header.sampling_frequency());
            frames = inspect_signals(&mut inspection, &header_path, &header);
        }
        Err(error) => inspection.problems.push(error.to_string()),
    }
    inspect_annotations(&mut inspection, &location.file(REFERENCE_ANNOTATOR), rate, frames);
    inspection
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
    let codes = record.code_counts().into_iter().map(|(code, count)| (code.into_owned(), count)).collect();
    Inspection {
        name: record.name.clone(),
        subject: record.subject.clone(),
        duration_s: recording.duration_s(),
        signals: record.channels.iter().zip(recording.lengths()).map(facts).collect(),
        annotations: AnnotationFacts { count: record.annotations.len(), codes },
        problems: recording.problems.clone(),
    }
}

fn inspect_table(path: &Path) -> Inspection {
    let options = OpenOptions { annotations: marks_beside(path), ..OpenOptions::default() };
    match open(path, &options) {
        Ok(recording) => inspect_recording(&recording),
        Err(error) => Inspection { problems: vec![error.to_string()], ..nothing(Location::new(path).name()) },
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

/// Reads all signals for their sums; gives the record's number of frames.
fn inspect_signals(inspection: &mut Inspection, header_path: &Path, header: &Header) -> Option<u64> {
    let problems = &mut inspection.problems;
    if header.name != inspection.name {
        problems.push(format!("{}: the record line names record '{}'", header_path.display(), header.name));
    }
    let frames;
    (inspection.signals, frames) = wfdb::inspect_signals(header_path, header, problems);
    inspection.duration_s = frames.unwrap_or(0) as f64 / header.sampling_frequency();
    frames
}

fn inspect_annotations(inspection: &mut Inspection, path: &Path, rate: Option<f64>, frames: Option<u64>) {
    let file = match wfdb::read_annotation_file(path) {
        Ok(file) => file,
        Err(error) => return inspection.problems.push(error.to_string()),
    };
    for annotation in &file.annotations {
        *inspection.annotations.codes.entry(annotation.code.clone().into_owned()).or_insert(0) += 1;
    }
    inspection.annotations.count = file.annotations.len();
    if let Some(rate) = rate {
        let problems = &mut inspection.problems;
        let mut found = 0;
        let mut collect = |problem: FormatError| {
            found += 1;
            if found <= LISTED {
                problems.push(problem.to_string());
            }
            Ok(())
        };
        // Everything goes to `collect`, which never ends the check.
        let _ = wfdb::check_annotations(path, &file, rate, frames, &mut collect);
        if found > LISTED {
            problems.push(format!("{}: {} more problems of this kind", path.display(), found - LISTED));
        }
    }
}

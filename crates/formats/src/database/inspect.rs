//! What is in the records of a database, and what is marked beside them.

use std::path::Path;

use super::listing::{self, Item, Reader};
use super::{Database, RecordingsConfig, marks, marks_beside, statements};
use crate::recording::{OpenOptions, open};
use crate::wfdb::{self, Header, Location, REFERENCE_ANNOTATOR, header};
use crate::{FormatError, Inspection, edf, inspection};

/// How many problems of one kind are listed; the rest are counted.
const LISTED: usize = 5;

impl Database {
    /// What is in record `index`, and all that is wrong with it. `None` where there are fewer records.
    pub fn inspect(&self, index: usize) -> Option<Inspection> {
        let (entry, item) = (self.entries.get(index)?, self.items.get(index)?);
        let statement = self.statements.get(index).and_then(Option::as_ref);
        let mut inspection = inspect_item(item, &self.options, statement);
        inspection.name.clone_from(&entry.name);
        inspection.subject.clone_from(&entry.subject);
        Some(inspection)
    }
}

/// What is in the record at a path, with or without extension.
pub(crate) fn inspect_path(path: &Path) -> Inspection {
    let missing = || Item { name: Location::new(path).name(), reader: Reader::Wfdb, path: path.to_path_buf() };
    inspect_item(&listing::one(path).unwrap_or_else(missing), &RecordingsConfig::default(), None)
}

fn inspect_item(item: &Item, options: &RecordingsConfig, statement: Option<&statements::Row>) -> Inspection {
    let mut inspection = match item.reader {
        Reader::Edf => edf::inspect(&item.path),
        Reader::Table => inspect_table(item, options),
        Reader::Wfdb => inspect_wfdb(item, statement.is_some()),
    };
    let rate = inspection.signals.iter().map(|signal| signal.sampling_frequency_hz).fold(0.0, f64::max);
    if item.reader == Reader::Edf && rate > 0.0 {
        let mut problems = Problems::default();
        // What cannot be read is among the problems.
        let marks = marks::beside(item, &[], rate, &mut problems.report()).unwrap_or_default();
        inspection.annotations.add(&marks);
        problems.add_to(&mut inspection, &item.path);
    }
    let samples = (inspection.duration_s * rate).round() as u64;
    inspection.annotations.add(&statement.and_then(|statement| statement.annotation(samples)));
    inspection
}

fn inspect_table(item: &Item, options: &RecordingsConfig) -> Inspection {
    let options = OpenOptions { annotations: marks_beside(&item.path), ..options.open_options() };
    match open(&item.path, &options) {
        Ok(recording) => inspection::inspect_recording(&recording),
        Err(error) => Inspection { problems: vec![error.to_string()], ..inspection::nothing(item.name.clone()) },
    }
}

/// A WFDB record, which has to have annotations unless something is `stated` of it elsewhere.
fn inspect_wfdb(item: &Item, stated: bool) -> Inspection {
    let location = Location::new(&item.path);
    let mut inspection = inspection::nothing(location.name());
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
    let reference = location.file(REFERENCE_ANNOTATOR);
    if reference.is_file() {
        inspect_annotations(&mut inspection, &reference, rate, frames);
    } else if let (Some(rate), false) = (rate, marks::files(item).is_empty()) {
        let mut problems = Problems::default();
        let channels: Vec<(&str, u64)> =
            inspection.signals.iter().map(|signal| (signal.label.as_str(), signal.samples)).collect();
        let marks = marks::beside(item, &channels, rate, &mut problems.report()).unwrap_or_default();
        inspection.annotations.add(&marks);
        problems.add_to(&mut inspection, &header_path);
    } else if !stated {
        inspect_annotations(&mut inspection, &reference, rate, frames);
    }
    inspection
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
    inspection.annotations.add(&file.annotations);
    if let Some(rate) = rate {
        let mut problems = Problems::default();
        // Everything goes into the list, which never ends the check.
        let _ = wfdb::check_annotations(path, &file, rate, frames, &mut problems.report());
        problems.add_to(inspection, path);
    }
}

/// Problems of one kind.
#[derive(Default)]
struct Problems {
    listed: Vec<String>,
    others: usize,
}

impl Problems {
    /// What takes them, and lets the check go on.
    fn report(&mut self) -> impl FnMut(FormatError) -> Result<(), FormatError> {
        |problem| {
            if self.listed.len() < LISTED {
                self.listed.push(problem.to_string());
            } else {
                self.others += 1;
            }
            Ok(())
        }
    }

    fn add_to(self, inspection: &mut Inspection, path: &Path) {
        inspection.problems.extend(self.listed);
        if self.others > 0 {
            inspection.problems.push(format!("{}: {} more problems of this kind", path.display(), self.others));
        }
    }
}

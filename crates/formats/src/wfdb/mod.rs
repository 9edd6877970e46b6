//! WFDB records: a text header (`.hea`), signal files (`.dat`), annotation files (`.atr` and others), after the WFDB
//! programmer's and applications guides: header(5), signal(5), annot(5).

pub mod annotation;
pub mod header;
pub mod signal;

mod text;
mod write;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Record};

use crate::FormatError;
use annotation::AnnotationFile;
pub use header::{Header, SignalLine};
use signal::INITIAL_VALUE;
pub use signal::SignalFormat;
pub use write::write_record;

/// Extension of the annotation file that goes with a record unless another is asked for: the reference annotations.
pub const REFERENCE_ANNOTATOR: &str = "atr";

/// What of a record to read, and how strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Label of the only signal to convert and keep; all where `None`. Only the file with this signal is then read, and its
    /// other signals are checked but not converted. A record without it is read without channels.
    pub lead: Option<String>,
    /// Whether the sum and the first value of each signal are compared with the header's.
    pub verify_checksums: bool,
}

impl Default for ReadOptions {
    /// All signals, verified.
    fn default() -> Self {
        Self { lead: None, verify_checksums: true }
    }
}

/// Where the files of a record are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    folder: PathBuf,
    name: OsString,
}

impl Location {
    /// From a path with one of a record's extensions, or without.
    pub(crate) fn new(path: &Path) -> Self {
        let known = path.extension().is_some_and(|extension| ["hea", "dat", REFERENCE_ANNOTATOR].iter().any(|e| extension == *e));
        let name = if known { path.file_stem() } else { path.file_name() };
        Self { folder: path.parent().unwrap_or(Path::new("")).to_path_buf(), name: name.unwrap_or_default().to_os_string() }
    }

    /// The record's file with this extension.
    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(".");
        name.push(extension);
        self.folder.join(name)
    }

    /// The record's name.
    pub(crate) fn name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}

/// Reads the header of a record, named with or without extension.
pub fn read_header(path: &Path) -> Result<Header, FormatError> {
    header::read(&Location::new(path).file("hea"))
}

/// Reads the annotations of a record, named with or without extension, from the file with this extension (`atr`).
///
/// Positions are as in the file, whether or not they are within the record.
pub fn read_annotations(path: &Path, extension: &str) -> Result<Vec<Annotation>, FormatError> {
    Ok(read_annotation_file(&Location::new(path).file(extension))?.annotations)
}

pub(crate) fn read_annotation_file(path: &Path) -> Result<AnnotationFile, FormatError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "the record's annotations".into(),
            remedy: "put the annotation file beside the header, or leave the record out",
        },
        _ => FormatError::Io { path: path.to_path_buf(), action: "read the annotations", source },
    })?;
    annotation::decode(path, &bytes)
}

/// Reads a record, named with or without extension: its signals in physical units, and its reference annotations. A record
/// without an annotation file is read without annotations.
pub fn read_record(path: &Path, options: &ReadOptions) -> Result<Record, FormatError> {
    let location = Location::new(path);
    let header_path = location.file("hea");
    let header = header::read(&header_path)?;
    refuse_segments(&header_path, &header)?;
    let mut record =
        Record { sampling_frequency_hz: header.sampling_frequency(), start: header.start(), ..Record::new(location.name()) };
    let labelled = |lead: &String| header.signals.iter().enumerate().find(|(index, line)| line.label(*index) == *lead);
    // No signal has the index that stands for a lead that the record lacks.
    let only = options.lead.as_ref().map(|lead| labelled(lead).map_or(usize::MAX, |(index, _)| index));
    // A sum that holds says more than a first value that doesn't: such headers were edited by hand. `inspect` tells.
    let mut refuse = |error| match error {
        FormatError::Checksum { what: INITIAL_VALUE, signal, .. }
            if header.signals.get(signal).is_some_and(|line| line.checksum.is_some()) =>
        {
            Ok(())
        }
        error => Err(error),
    };
    let (header_path, verify) = (header_path.as_path(), options.verify_checksums);
    let mut reading = signal::Reading { header_path, header: &header, only, verify, report: &mut refuse };
    let mut frames = header.samples;
    for group in signal::groups(&header).iter().filter(|group| only.is_none_or(|only| group.contains(only))) {
        let (found, channels) = signal::read_group(&mut reading, group)?;
        check_frames(header_path, group, *frames.get_or_insert(found), found)?;
        record.channels.extend(channels);
    }
    let annotation_path = location.file(REFERENCE_ANNOTATOR);
    match read_annotation_file(&annotation_path) {
        Ok(file) => {
            check_annotations(&annotation_path, &file, record.sampling_frequency_hz, frames, &mut Err)?;
            record.annotations = file.annotations;
        }
        Err(FormatError::Missing { .. }) => {}
        Err(error) => return Err(error),
    }
    record.comments = header.comments;
    Ok(record)
}

pub(crate) fn refuse_segments(path: &Path, header: &Header) -> Result<(), FormatError> {
    match header.segments {
        None => Ok(()),
        Some(count) => Err(FormatError::Unsupported {
            path: path.to_path_buf(),
            what: format!("a record of several segments ({count}, line 1) is"),
            remedy: "name one of its segments, which are records of their own",
        }),
    }
}

/// Files of a record whose header states no length have to agree on it.
pub(crate) fn check_frames(path: &Path, group: &signal::Group, expected: u64, found: u64) -> Result<(), FormatError> {
    if expected == found {
        return Ok(());
    }
    let line = group.signals.first().map_or(1, |line| line.line);
    Err(FormatError::Malformed {
        path: path.to_path_buf(),
        place: format!("line {line}"),
        cause: format!("the file named here holds {found} samples per signal, the files before it {expected}"),
        remedy: "state the number of samples on the record line, or fetch the files again",
    })
}

/// Checks that annotations count in the record's samples and lie within them; each that does not goes to `report`.
pub(crate) fn check_annotations(
    path: &Path,
    file: &AnnotationFile,
    sampling_frequency_hz: f64,
    samples: Option<u64>,
    report: &mut dyn FnMut(FormatError) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    if let Some(hertz) = file.time_resolution_hz.filter(|&hertz| hertz != sampling_frequency_hz) {
        report(FormatError::Unsupported {
            path: path.to_path_buf(),
            what: format!("a time resolution of {hertz} Hz in a record of {sampling_frequency_hz} Hz is"),
            remedy: "rewrite the annotations at the record's sampling frequency",
        })?;
    }
    let Some(samples) = samples else { return Ok(()) };
    for (index, annotation) in file.annotations.iter().enumerate() {
        if !u64::try_from(annotation.sample).is_ok_and(|sample| sample < samples) {
            report(FormatError::AnnotationOutside { path: path.to_path_buf(), index, sample: annotation.sample, samples })?;
        }
    }
    Ok(())
}

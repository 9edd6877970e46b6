//! WFDB records: a text header (`.hea`), signal files (`.dat`), annotation files (`.atr` and others), after the WFDB
//! programmer's and applications guides: header(5), signal(5), annot(5).

pub mod annotation;
mod digitise;
pub mod header;
mod inspect;
mod record;
mod recording;
mod segments;
pub mod signal;
mod start;
mod stream;

mod text;
mod write;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_signal::Annotation;

use crate::FormatError;
pub use annotation::{AnnotationFile, as_mit, write_annotations};
pub use header::{Header, SegmentLine, SignalLine};
pub(crate) use inspect::inspect_signals;
pub use physiosynth_signal::{Sex, SubjectInfo, subject_info};
pub use record::read_record;
pub(crate) use recording::open;
pub use signal::SignalFormat;
pub(crate) use start::later;
pub use stream::RecordWriter;
pub use write::{fitting_format, write_record, write_recording};

/// Extension of the annotation file that goes with a record unless another is asked for: the reference annotations.
pub const REFERENCE_ANNOTATOR: &str = "atr";

/// Samples that one reading may hold in memory where the files do not store each of them: null signals, gaps between
/// segments, FLAC. Two gibibytes; longer records are read in parts.
pub const LARGEST_READING: u64 = 1 << 29;

/// What of a record to read, and how strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WfdbReadOptions {
    /// Label of the only signal to convert and keep; all where `None`. Only the file with this signal is then read, and its
    /// other signals are checked but not converted. A record without it is read without channels.
    pub lead: Option<String>,
    /// Whether the sum and the first value of each signal are compared with the header's, where it is read whole.
    pub verify_checksums: bool,
    /// First frame to read: the record's first where `None`. Frames are samples at the record's sampling frequency.
    pub from: Option<u64>,
    /// The frame after the last to read: the record's end where `None`.
    pub to: Option<u64>,
    /// Whether signals of several samples per frame are averaged to one, so that all have the record's sampling frequency, as
    /// wfdb-python does unless told `smooth_frames=False`. Otherwise each signal comes at its own, full rate.
    pub smooth_frames: bool,
}

impl Default for WfdbReadOptions {
    /// All signals whole, at their own rates, verified.
    fn default() -> Self {
        Self { lead: None, verify_checksums: true, from: None, to: None, smooth_frames: false }
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

    /// From a path to any of a record's files, or to none: without its extension, if there is a header of that name.
    pub(crate) fn of_any(path: &Path) -> Self {
        let stem = Self::new(&path.with_extension("hea"));
        let own = Self::new(path);
        if !own.file("hea").is_file() && stem.file("hea").is_file() { stem } else { own }
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
/// Positions are in samples at the record's sampling frequency, whether or not they are within the record. Where the file has
/// a time resolution of its own they are converted, if there is a header to tell the record's; [`read_annotation_file`] gives
/// them as they are.
pub fn read_annotations(path: &Path, extension: &str) -> Result<Vec<Annotation>, FormatError> {
    let location = Location::new(path);
    let mut file = read_annotation_file(&location.file(extension))?;
    if file.time_resolution_hz.is_some()
        && let Ok(header) = header::read(&location.file("hea"))
    {
        file.rescale(header.sampling_frequency());
    }
    Ok(file.annotations)
}

/// Reads an annotation file, named with its extension: annotations as they are, and what the file says of itself.
pub fn read_annotation_file(path: &Path) -> Result<AnnotationFile, FormatError> {
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

/// Checks that annotations lie within the record's samples; each that does not goes to `report`.
pub(crate) fn check_annotations(
    path: &Path,
    file: &AnnotationFile,
    sampling_frequency_hz: f64,
    samples: Option<u64>,
    report: &mut dyn FnMut(FormatError) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let Some(samples) = samples else { return Ok(()) };
    for (index, annotation) in file.annotations.iter().enumerate() {
        let sample = file.rescaled(annotation.sample, sampling_frequency_hz);
        if !u64::try_from(sample).is_ok_and(|sample| sample < samples) {
            report(FormatError::AnnotationOutside { path: path.to_path_buf(), index, sample, samples })?;
        }
    }
    Ok(())
}

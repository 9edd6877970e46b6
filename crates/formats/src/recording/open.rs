//! Opens a recording of any format.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use physiosynth_signal::Annotation;

use super::Recording;
use crate::database::add_marks_beside;
use crate::{FormatError, delimited, edf, hdf5, npy, wfdb};

/// A format of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header, signal files, annotation files.
    Wfdb,
    /// EDF or EDF+: 16 bits.
    Edf,
    /// BDF or BDF+: 24 bits.
    Bdf,
    /// Delimited text.
    Delimited,
    /// HDF5, also as MATLAB 7.3 writes it.
    Hdf5,
    /// A NumPy array `[time, channel]`.
    Npy,
}

impl Format {
    /// The format that files with this extension are in; `None` where none is known.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "hea" | "dat" => Self::Wfdb,
            "edf" | "rec" => Self::Edf,
            "bdf" => Self::Bdf,
            "csv" | "tsv" | "txt" => Self::Delimited,
            "h5" | "hdf5" | "hdf" | "mat" => Self::Hdf5,
            "npy" => Self::Npy,
            _ => return None,
        })
    }

    /// The format of what is at a path: by how the file begins, else by its name. A WFDB record may be named without extension.
    pub fn of(path: &Path) -> Result<Self, FormatError> {
        let refuse = |cause: &str| FormatError::Malformed {
            path: path.to_path_buf(),
            place: "as a recording".into(),
            cause: cause.to_owned(),
            remedy: "name a WFDB record (NAME or NAME.hea), an EDF, BDF, CSV, TSV, HDF5 or .npy file, or a folder of records",
        };
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
        let named = Self::of_extension(&extension);
        if !path.is_file() {
            let header = wfdb::Location::new(path).file("hea");
            if header.is_file() || named == Some(Self::Wfdb) {
                return Ok(Self::Wfdb);
            }
            return Err(FormatError::Missing {
                path: path.to_path_buf(),
                named_by: "asked for".into(),
                remedy: "check the name and the folder; a WFDB record is named with or without .hea",
            });
        }
        let mut start = [0; 8];
        let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start));
        read.map_err(FormatError::io(path, "read the file"))?;
        if start.starts_with(b"\x93NUMPY") {
            return Ok(Self::Npy);
        }
        if let Some(coding) = edf::header::recognise(&start) {
            return Ok(if coding == edf::Coding::Bdf { Self::Bdf } else { Self::Edf });
        }
        if hdf5::is_hdf5(path) {
            return Ok(Self::Hdf5);
        }
        // A signal file or an annotation file stands for its record.
        if named.is_none() && wfdb::Location::of_any(path).file("hea").is_file() {
            return Ok(Self::Wfdb);
        }
        named.ok_or_else(|| refuse("neither its beginning nor its extension is that of a known format"))
    }
}

/// What files do not say themselves, and what else to read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenOptions {
    /// Samples per second, for formats that need not state it (text, HDF5 of other programs, NumPy).
    pub rate_hz: Option<f64>,
    /// Unit of all signals, for the same formats.
    pub unit: Option<String>,
    /// For HDF5 files of other programs.
    pub hdf5: hdf5::Hdf5ReadOptions,
    /// For delimited text.
    pub delimited: delimited::TextReadOptions,
    /// Extension of the annotation file of a WFDB record; where `None`, `atr`, or the files by lead that there are instead.
    pub annotator: Option<String>,
    /// A file with the annotations (see [`read_annotations_of`]), in place of the recording's own.
    pub annotations: Option<PathBuf>,
}

/// Opens a recording: a WFDB record named with or without extension, or a file. Only what is asked for is read, but that text is
/// looked through once when it is opened, and that HDF5 arrays of `[channel, time]` that are stored in an uncommon way (another
/// compression than gzip, chunks that were never written) are held by whole channels.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Recording<'static>, FormatError> {
    let mut recording = match Format::of(path)? {
        Format::Wfdb => {
            let record = wfdb::Location::of_any(path).file("hea");
            wfdb::open(&record, options.annotator.as_deref().unwrap_or(wfdb::REFERENCE_ANNOTATOR))?
        }
        Format::Edf | Format::Bdf => edf::open(path)?,
        Format::Delimited => {
            let mut own = options.delimited.clone();
            own.rate_hz = own.rate_hz.or(options.rate_hz);
            own.unit = own.unit.or_else(|| options.unit.clone());
            let beside = delimited::annotations_beside(path);
            own.annotations = own.annotations.or_else(|| Some(beside).filter(|path| path.is_file()));
            delimited::open(path, &own)?
        }
        Format::Hdf5 => {
            let mut own = options.hdf5.clone();
            own.rate_hz = own.rate_hz.or(options.rate_hz);
            own.unit = own.unit.or_else(|| options.unit.clone());
            hdf5::open(path, &own)?
        }
        Format::Npy => npy::open(path, options.rate_hz, options.unit.as_deref())?,
    };
    if let Some(annotations) = &options.annotations {
        recording.record.annotations = read_annotations_of(annotations, recording.record.sampling_frequency_hz)?;
    } else if options.annotator.is_none() {
        let Recording { record, problems, lengths, .. } = &mut recording;
        add_marks_beside(path, record, lengths, problems);
    }
    Ok(recording)
}

/// Reads annotations for signals of `rate_hz` samples per second from a file of their own: delimited text, an EDF+ file, or a WFDB
/// annotation file.
pub fn read_annotations_of(path: &Path, rate_hz: f64) -> Result<Vec<Annotation>, FormatError> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    if edf::is_recording(path) {
        let seconds = |ns: i64| (ns as f64 * rate_hz / 1e9).round() as i64;
        let mut marks: Vec<Annotation> = edf::read_marks(path)?
            .into_iter()
            .map(|timed| Annotation {
                duration: seconds(timed.duration_ns.unwrap_or(0)).max(0),
                ..Annotation::beat(seconds(timed.onset_ns), timed.text)
            })
            .collect();
        marks.sort_by_key(|mark| mark.sample);
        return Ok(marks);
    }
    if Format::of_extension(&extension) == Some(Format::Delimited) {
        return delimited::read_annotations(path, rate_hz);
    }
    let mut file = wfdb::read_annotation_file(path)?;
    file.rescale(rate_hz);
    Ok(file.annotations)
}

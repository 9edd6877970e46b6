//! Recordings as delimited text (`.csv`, `.tsv`): a row for each sample, a column for each signal.
//!
//! **Reading** takes what spreadsheets and other programs write: comma, semicolon or tab; a row of names or none; a second
//! row of units (as `PhysioNet`'s exports have it); decimal commas where the delimiter is not the comma; empty cells, `NaN`, `NA`,
//! `-` for missing samples; lines that begin with `#` are comments. The sampling frequency is given, or told by a column of
//! times, whose rows have to be evenly spaced.
//!
//! **Writing**: first column `time_s`, then one column per signal under its label, in physical units, `NaN` where missing, all
//! digits that an `f32` needs. Where signals differ in sampling frequency the rows are those of the fastest; the others have
//! `NaN` between their samples.

mod annotations;
mod columns;
mod lines;
mod recording;
pub(crate) mod table;
mod times;
mod write;

use std::io::{BufRead, Cursor, Seek};
use std::path::{Path, PathBuf};

use physiosynth_signal::{Channel, Record};

use crate::FormatError;
use crate::recording::Survey;
pub use annotations::{annotations_beside, read_annotations, write_annotations};
use columns::Columns;
use lines::{Lines, Place};
pub(crate) use recording::open;
use times::Times;
pub use write::{write_record, write_recording};

/// How to read a delimited text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextReadOptions {
    /// Between fields; found out where `None`.
    pub delimiter: Option<char>,
    /// Samples per second; by the column of times where `None`.
    pub rate_hz: Option<f64>,
    /// Name or number (from 1) of the column of times; by its name (`time_s`, `time`, `t`, `time_ms`, …) where `None`.
    pub time_column: Option<String>,
    /// Names or numbers (from 1) of the columns to read; all but the times where empty.
    pub columns: Vec<String>,
    /// Unit of the signals, where the text has no row of units.
    pub unit: Option<String>,
    /// File of annotations (see [`read_annotations`]).
    pub annotations: Option<PathBuf>,
}

/// What makes a table of numbers no recording.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum CsvProblem {
    #[error("there are no two rows with times after one another, so that no sampling frequency follows")]
    FewTimes,
    #[error("times are not evenly spaced: row {row} is {off_s:.6} s away from where steps of {step_s:.6} s put it")]
    Uneven { row: usize, off_s: f64, step_s: f64 },
    #[error("there is no sampling frequency: neither given, nor is there a column of times")]
    NoRate,
    #[error("the sampling frequency given is {0} Hz")]
    BadRate(f64),
    #[error("there is no column '{0}'")]
    NoColumn(String),
    #[error("there is no row of samples")]
    Empty,
    #[error("column {column} ('{name}') holds '{found}', which is no number")]
    NotANumber { column: usize, name: String, found: String },
    #[error("there are {found} fields where the first row has {expected}")]
    Fields { found: usize, expected: usize },
}

const REMEDY: &str = "correct the line, or give the delimiter, the columns and the sampling frequency";

/// A malformed-file error at a line.
fn malformed(path: &Path, line: usize, problem: &CsvProblem) -> FormatError {
    FormatError::Malformed { path: path.to_path_buf(), place: format!("line {line}"), cause: problem.to_string(), remedy: REMEDY }
}

/// Text of a file: UTF-8, else Latin-1.
fn text_of(path: &Path) -> Result<String, FormatError> {
    let bytes = std::fs::read(path).map_err(unopened(path))?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect()))
}

/// What is said of a file that cannot be opened.
fn unopened(path: &Path) -> impl FnOnce(std::io::Error) -> FormatError {
    |source| match source.kind() {
        std::io::ErrorKind::NotFound => FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name a file of delimited text",
        },
        _ => FormatError::Io { path: path.to_path_buf(), action: "read the file", source },
    }
}

/// Reads a recording.
pub fn read_record(path: &Path, options: &TextReadOptions) -> Result<Record, FormatError> {
    open(path, options)?.into_record()
}

/// Parses a recording; `path` stands in messages.
pub fn parse(path: &Path, text: &str, options: &TextReadOptions) -> Result<Record, FormatError> {
    let table = Table::scan(path, &mut Lines::new(path, Cursor::new(text)), options, true)?;
    let mut record = table.record;
    for (channel, samples) in record.channels.iter_mut().zip(table.samples) {
        channel.samples = samples;
    }
    Ok(record)
}

/// Rows from one place that is kept to the next.
const STRIDE: u64 = 1 << 14;

/// A table of which every row was looked at.
struct Table {
    /// The record, its channels without samples.
    record: Record,
    columns: Columns,
    /// Rows of samples.
    rows: u64,
    /// Where the rows 0, [`STRIDE`], … begin.
    places: Vec<Place>,
    /// The samples of each channel, where they were asked for.
    samples: Vec<Vec<f32>>,
    /// What they are like, where they were not.
    surveys: Vec<Survey>,
}

impl Table {
    /// Looks at every line; holds the samples if asked to.
    fn scan<R: BufRead + Seek>(
        path: &Path,
        lines: &mut Lines<R>,
        options: &TextReadOptions,
        hold: bool,
    ) -> Result<Self, FormatError> {
        let columns = Columns::read(path, lines, options)?;
        let mut samples = vec![Vec::new(); columns.signals.len()];
        let wanted = vec![true; columns.signals.len()];
        let mut surveys = vec![Survey::default(); columns.signals.len()];
        let mut look = |samples: &mut Vec<Vec<f32>>| {
            for (survey, samples) in surveys.iter_mut().zip(samples) {
                survey.take(samples);
                samples.clear();
            }
        };
        let (mut times, mut places) = (Times::default(), Vec::new());
        let (mut rows, mut last) = (0_u64, 1);
        // Rows of a million samples, however many columns there are.
        let looked_at = ((1 << 20) / columns.signals.len().max(1) as u64).max(1);
        while let Some((place, text)) = lines.next()? {
            if rows.is_multiple_of(STRIDE) {
                places.push(place);
            }
            if !hold && rows.is_multiple_of(looked_at) {
                look(&mut samples);
            }
            let time = columns.row(&text, &wanted, &mut samples).map_err(|problem| malformed(path, place.line, &problem))?;
            if let Some(seconds) = time {
                times.push(seconds);
            }
            (rows, last) = (rows + 1, place.line);
        }
        if !hold {
            look(&mut samples);
        }
        let rate = match options.rate_hz {
            Some(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
            Some(rate) => Err(CsvProblem::BadRate(rate)),
            None if columns.time.is_some() => times.rate(),
            None => Err(CsvProblem::NoRate),
        };
        let rate = rate.map_err(|problem| malformed(path, last, &problem))?;
        let channel = |&index: &usize| {
            let unit = columns.units.get(index).filter(|unit| !unit.is_empty()).or(options.unit.as_ref());
            let name = columns.names.get(index).cloned().unwrap_or_default();
            Channel::new(name, unit.cloned().unwrap_or_default(), rate, Vec::new())
        };
        let channels = columns.signals.iter().map(channel).collect();
        let record = Record { sampling_frequency_hz: rate, channels, ..Record::default() };
        Ok(Self { record, columns, rows, places, samples, surveys })
    }
}

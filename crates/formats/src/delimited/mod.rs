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
pub(crate) mod table;
mod times;
mod write;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Channel, Record};

use crate::FormatError;
pub use annotations::{annotations_beside, read_annotations, write_annotations};
use times::Times;
pub use write::{write_record, write_recording};

/// How to read a delimited text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
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
    let bytes = std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name a file of delimited text",
        },
        _ => FormatError::Io { path: path.to_path_buf(), action: "read the file", source },
    })?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect()))
}

/// Reads a recording.
pub fn read_record(path: &Path, options: &ReadOptions) -> Result<Record, FormatError> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut record = parse(path, &text_of(path)?, options)?;
    (record.subject, record.name) = (name.clone(), name);
    if let Some(annotations) = &options.annotations {
        record.annotations = read_annotations(annotations, record.sampling_frequency_hz)?;
    }
    Ok(record)
}

/// What the columns are.
#[derive(Debug)]
struct Columns {
    names: Vec<String>,
    units: Vec<String>,
    /// The column of times, and the seconds that one of its units is.
    time: Option<(usize, f64)>,
    /// The columns of signals, in the order asked for.
    signals: Vec<usize>,
}

/// Parses a recording; `path` stands in messages.
pub fn parse(path: &Path, text: &str, options: &ReadOptions) -> Result<Record, FormatError> {
    let mut lines = table::lines(text).peekable();
    let (_, first) = *lines.peek().ok_or_else(|| malformed(path, 1, &CsvProblem::Empty))?;
    let delimiter = options.delimiter.unwrap_or_else(|| table::delimiter(first));
    let numeric =
        |line: &str| table::fields(line, delimiter).iter().any(|cell| number(cell, delimiter).is_some_and(|n| !n.is_nan()));
    // Labels may be numbers: a row in which a column is named as one of times is a row of names all the same.
    let named = !numeric(first) || table::fields(first, delimiter).iter().any(|cell| times::unit_of(cell).is_some());
    if named {
        lines.next();
    }
    // A row of units follows the names where it holds no number and not missing samples alone.
    let units = lines.peek().map(|(_, line)| *line).filter(|line| {
        named && !numeric(line) && table::fields(line, delimiter).iter().any(|cell| number(cell, delimiter).is_none())
    });
    if units.is_some() {
        lines.next();
    }
    let columns = Columns::new(first, units, named, delimiter, options).map_err(|problem| malformed(path, 1, &problem))?;
    let mut samples = vec![Vec::new(); columns.signals.len()];
    let mut times = Times::default();
    let mut cells = Vec::with_capacity(columns.names.len());
    let mut last = 1;
    for (line, text) in lines {
        cells.clear();
        table::raw_fields(text, delimiter, |cell| cells.push(cell));
        row(&columns, &cells, delimiter, &mut times, &mut samples).map_err(|problem| malformed(path, line, &problem))?;
        last = line;
    }
    let rate = match options.rate_hz {
        Some(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Some(rate) => Err(CsvProblem::BadRate(rate)),
        None if columns.time.is_some() => times.rate().map(|(rate, _)| rate),
        None => Err(CsvProblem::NoRate),
    };
    let rate = rate.map_err(|problem| malformed(path, last, &problem))?;
    let unit = |index: usize| columns.units.get(index).filter(|unit| !unit.is_empty()).or(options.unit.as_ref()).cloned();
    let channels = columns.signals.iter().zip(samples).map(|(&index, samples)| {
        let name = columns.names.get(index).cloned().unwrap_or_default();
        Channel::new(name, unit(index).unwrap_or_default(), rate, samples)
    });
    Ok(Record { sampling_frequency_hz: rate, channels: channels.collect(), ..Record::default() })
}

/// Takes one row.
fn row(
    columns: &Columns,
    cells: &[&str],
    delimiter: char,
    times: &mut Times,
    samples: &mut [Vec<f32>],
) -> Result<(), CsvProblem> {
    if cells.len() != columns.names.len() {
        return Err(CsvProblem::Fields { found: cells.len(), expected: columns.names.len() });
    }
    let cell = |index: usize| table::unquoted(cells.get(index).copied().unwrap_or(""));
    let refuse = |index: usize| CsvProblem::NotANumber {
        column: index + 1,
        name: columns.names.get(index).cloned().unwrap_or_default(),
        found: cell(index).into_owned(),
    };
    if let Some((index, unit_s)) = columns.time {
        let text = cell(index);
        let text = if delimiter == ',' { text } else { text.replace(',', ".").into() };
        times.push(times::seconds(&text, unit_s).ok_or_else(|| refuse(index))?);
    }
    for (&index, samples) in columns.signals.iter().zip(samples) {
        samples.push(number(&cell(index), delimiter).ok_or_else(|| refuse(index))?);
    }
    Ok(())
}

/// A sample; NaN where it is missing, `None` where it is no number.
fn number(cell: &str, delimiter: char) -> Option<f32> {
    if let Ok(value) = cell.parse::<f32>() {
        return Some(value);
    }
    if matches!(cell, "" | "-" | "NA" | "N/A" | "n/a" | "null" | "NULL" | "None") {
        return Some(f32::NAN);
    }
    if delimiter == ',' { None } else { cell.replacen(',', ".", 1).parse().ok() }
}

impl Columns {
    fn new(first: &str, units: Option<&str>, named: bool, delimiter: char, options: &ReadOptions) -> Result<Self, CsvProblem> {
        let names: Vec<String> = table::fields(first, delimiter)
            .into_iter()
            .enumerate()
            .map(|(index, name)| if named { name.into_owned() } else { (index + 1).to_string() })
            .collect();
        let units = units.map(|line| table::fields(line, delimiter).into_iter().map(Cow::into_owned).collect::<Vec<_>>());
        let column = |wanted: &String| {
            let by_number = || wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|&i| i < names.len());
            names.iter().position(|name| name == wanted).or_else(by_number).ok_or_else(|| CsvProblem::NoColumn(wanted.clone()))
        };
        let in_row_of_units = |index: usize| units.as_ref().and_then(|units| times::unit_of(units.get(index)?));
        let time = match &options.time_column {
            Some(wanted) => {
                let index = column(wanted)?;
                let by_name = names.get(index).and_then(|name| times::unit_of(name));
                Some((index, in_row_of_units(index).or(by_name).unwrap_or(1.0)))
            }
            None => names.iter().position(|name| times::unit_of(name).is_some()).map(|index| {
                let by_name = names.get(index).and_then(|name| times::unit_of(name));
                (index, in_row_of_units(index).or(by_name).unwrap_or(1.0))
            }),
        };
        let signals = if options.columns.is_empty() {
            (0..names.len()).filter(|&index| time.is_none_or(|(time, _)| time != index)).collect()
        } else {
            options.columns.iter().map(column).collect::<Result<_, _>>()?
        };
        Ok(Self { names, units: units.unwrap_or_default(), time, signals })
    }
}

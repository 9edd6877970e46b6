//! What the columns of a table are, and what its rows hold.

use std::borrow::Cow;
use std::io::{BufRead, Seek};
use std::path::Path;

use super::lines::Lines;
use super::{CsvProblem, TextReadOptions, malformed, table, times};
use crate::FormatError;

/// What the columns are.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) units: Vec<String>,
    /// The column of times, and the seconds that one of its units is.
    pub(super) time: Option<(usize, f64)>,
    /// The columns of signals, in the order asked for.
    pub(super) signals: Vec<usize>,
    delimiter: char,
}

impl Columns {
    /// Reads the rows of names and of units, where there are any; the rows of samples are next.
    pub(super) fn read<R: BufRead + Seek>(
        path: &Path,
        lines: &mut Lines<R>,
        options: &TextReadOptions,
    ) -> Result<Self, FormatError> {
        let (place, first) = lines.next()?.ok_or_else(|| malformed(path, 1, &CsvProblem::Empty))?;
        let first = first.into_owned();
        let delimiter = options.delimiter.unwrap_or_else(|| table::delimiter(&first));
        let numeric =
            |line: &str| table::fields(line, delimiter).iter().any(|cell| number(cell, delimiter).is_some_and(|n| !n.is_nan()));
        // Labels may be numbers: a row in which a column is named as one of times is a row of names all the same.
        let named = !numeric(&first) || table::fields(&first, delimiter).iter().any(|cell| times::unit_of(cell).is_some());
        let mut units = None;
        if !named {
            lines.go_to(place)?;
        } else if let Some((place, line)) = lines.next()? {
            // A row of units follows the names where it holds no number and not missing samples alone.
            let is_units =
                !numeric(&line) && table::fields(&line, delimiter).iter().any(|cell| number(cell, delimiter).is_none());
            units = is_units.then(|| line.into_owned());
            if units.is_none() {
                lines.go_to(place)?;
            }
        }
        Self::new(&first, units.as_deref(), named, delimiter, options).map_err(|problem| malformed(path, 1, &problem))
    }

    fn new(
        first: &str,
        units: Option<&str>,
        named: bool,
        delimiter: char,
        options: &TextReadOptions,
    ) -> Result<Self, CsvProblem> {
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
        Ok(Self { names, units: units.unwrap_or_default(), time, signals, delimiter })
    }

    /// Appends the samples of a row to those of the channels that are wanted, and gives its time, where there is a column of times.
    pub(super) fn row(&self, text: &str, wanted: &[bool], samples: &mut [Vec<f32>]) -> Result<Option<f64>, CsvProblem> {
        let mut cells = Vec::with_capacity(self.names.len());
        table::raw_fields(text, self.delimiter, |cell| cells.push(cell));
        if cells.len() != self.names.len() {
            return Err(CsvProblem::Fields { found: cells.len(), expected: self.names.len() });
        }
        let cell = |index: usize| table::unquoted(cells.get(index).copied().unwrap_or(""));
        let refuse = |index: usize| CsvProblem::NotANumber {
            column: index + 1,
            name: self.names.get(index).cloned().unwrap_or_default(),
            found: cell(index).into_owned(),
        };
        let time = |(index, unit_s): (usize, f64)| {
            let text = cell(index);
            let text = if self.delimiter == ',' { text } else { text.replace(',', ".").into() };
            times::seconds(&text, unit_s).ok_or_else(|| refuse(index))
        };
        let time = self.time.map(time).transpose()?;
        for ((&index, samples), _) in self.signals.iter().zip(samples).zip(wanted).filter(|(_, wanted)| **wanted) {
            // Mostly a cell is a number as it stands.
            let plain = cells.get(index).and_then(|cell| cell.parse().ok());
            samples.push(plain.or_else(|| number(&cell(index), self.delimiter)).ok_or_else(|| refuse(index))?);
        }
        Ok(time)
    }
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

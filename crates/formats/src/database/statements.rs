//! PTB-XL's tables: whose a record is, what was said of it, and which tenth of the database it is in.
//!
//! `ptbxl_database.csv` has a row for each recording, with `patient_id`, `scp_codes` (statements with their likelihood in percent:
//! `{'NORM': 100.0, 'SR': 0.0}`), `strat_fold` (1 to 10; by its authors 9 validates and 10 tests), `filename_lr` and `filename_hr` (the same
//! recording at 100 and at 500 samples a second). `scp_statements.csv` has a row for each statement, with `diagnostic` (1 where it is a
//! diagnosis) and `diagnostic_class`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Split};

use crate::FormatError;
use crate::delimited::table;

/// The table of recordings.
const TABLE: &str = "ptbxl_database.csv";
/// The table of statements.
const STATEMENTS: &str = "scp_statements.csv";

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Whose it is.
    pub(super) patient: String,
    /// What it is used for, by the database's authors.
    pub(super) split: Option<Split>,
    /// Class of its likeliest diagnosis (`NORM`, `MI`, `STTC`, `CD`, `HYP`), else its likeliest statement.
    pub(super) label: Option<String>,
    /// All statements, as they stand in the table.
    pub(super) statements: String,
}

impl Row {
    /// The label over a record of so many samples, with all statements as its text.
    pub(super) fn annotation(&self, samples: u64) -> Option<Annotation> {
        let mark = Annotation::beat(0, self.label.clone()?).with_aux(&self.statements);
        Some(Annotation { duration: samples as i64, ..mark })
    }
}

/// The tables' files, where they are.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    [TABLE, STATEMENTS].map(|name| folder.join(name)).into()
}

/// Rows of the table by the names of the recordings; empty where there is no table.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, Row>, FormatError> {
    let path = folder.join(TABLE);
    let Some(text) = text_of(&path)? else { return Ok(BTreeMap::new()) };
    let classes = classes(folder)?;
    let malformed = |line: usize, cause: String| FormatError::Malformed {
        path: path.clone(),
        place: format!("line {line}"),
        cause,
        remedy: "fetch the table again",
    };
    let mut lines = records(&text).into_iter();
    let Some((first, names)) = lines.next() else { return Ok(BTreeMap::new()) };
    let column = |name: &str| {
        let found = names.iter().position(|other| other == name);
        found.ok_or_else(|| malformed(first, format!("there is no column '{name}'")))
    };
    let (patient, codes, fold) = (column("patient_id")?, column("scp_codes")?, column("strat_fold")?);
    let files = [column("filename_lr")?, column("filename_hr")?];
    let mut rows = BTreeMap::new();
    for (line, fields) in lines {
        let field = |index: usize| fields.get(index).map_or("", String::as_str);
        // pandas writes a column of whole numbers with a gap in it as 15709.0.
        let patient = field(patient).strip_suffix(".0").unwrap_or(field(patient));
        if patient.is_empty() {
            return Err(malformed(line, "the patient is missing".into()));
        }
        let statements = field(codes).to_owned();
        let row = Row {
            patient: patient.to_owned(),
            split: match field(fold) {
                "9" => Some(Split::Validation),
                "10" => Some(Split::Test),
                other => other.parse().ok().filter(|fold: &u8| (1..=8).contains(fold)).map(|_| Split::Train),
            },
            label: label(&statements, &classes),
            statements,
        };
        rows.extend(files.map(|index| (field(index).to_owned(), row.clone())));
    }
    Ok(rows)
}

/// Whether a record is another of these at a fifth of its rate.
pub(super) fn is_coarser(name: &str, names: &std::collections::BTreeSet<String>) -> bool {
    let stem = name.strip_prefix("records100/").and_then(|name| name.strip_suffix("_lr"));
    stem.is_some_and(|stem| names.contains(&format!("records500/{stem}_hr")))
}

/// Class of each diagnostic statement.
fn classes(folder: &Path) -> Result<BTreeMap<String, String>, FormatError> {
    let Some(text) = text_of(&folder.join(STATEMENTS))? else { return Ok(BTreeMap::new()) };
    let mut lines = records(&text).into_iter();
    let names = lines.next().map(|(_, names)| names).unwrap_or_default();
    let column = |name: &str| names.iter().position(|other| other == name);
    let (Some(diagnostic), Some(class)) = (column("diagnostic"), column("diagnostic_class")) else { return Ok(BTreeMap::new()) };
    let class_of = |(_, fields): (usize, Vec<String>)| {
        let is = fields.get(diagnostic)?.parse() == Ok(1.0_f64);
        Some((fields.first()?.clone(), fields.get(class)?.clone())).filter(|(_, class)| is && !class.is_empty())
    };
    Ok(lines.filter_map(class_of).collect())
}

/// The class of the likeliest diagnosis, else the likeliest statement; of several, the first.
fn label(statements: &str, classes: &BTreeMap<String, String>) -> Option<String> {
    let parts = statements.trim_matches(['{', '}']).split(',');
    let stated: Vec<(&str, f64)> = parts
        .filter_map(|part| {
            let (code, likelihood) = part.split_once(':')?;
            Some((code.trim().trim_matches(['\'', '"']), likelihood.trim().parse().ok()?))
        })
        .collect();
    let likeliest = |among: &dyn Fn(&str) -> bool| {
        let mut best: Option<(&str, f64)> = None;
        for &(code, likelihood) in stated.iter().filter(|(code, _)| among(code)) {
            if best.is_none_or(|(_, highest)| likelihood > highest) {
                best = Some((code, likelihood));
            }
        }
        best.map(|(code, _)| code)
    };
    let diagnosis = likeliest(&|code| classes.contains_key(code)).and_then(|code| classes.get(code)).cloned();
    diagnosis.or_else(|| likeliest(&|_| true).map(str::to_owned))
}

fn text_of(path: &Path) -> Result<Option<String>, FormatError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FormatError::io(path, "read the table of recordings")(error)),
    }
}

/// Rows with the numbers of their first lines: a report in quotes may go over several lines.
fn records(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut records = Vec::new();
    let mut open = String::new();
    let mut first = 1;
    for (index, line) in text.lines().enumerate() {
        if open.is_empty() {
            first = index + 1;
        } else {
            open.push('\n');
        }
        open.push_str(line);
        if open.matches('"').count().is_multiple_of(2) {
            if !open.trim().is_empty() {
                records.push((first, table::fields(&open, ',').into_iter().map(std::borrow::Cow::into_owned).collect()));
            }
            open.clear();
        }
    }
    records
}

//! A folder of recordings: which records it has, whose they are, what their marks mean, and reading them one by one.

mod files;
mod inspect;
mod known;
mod listing;
mod marks;
mod options;
mod statements;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Record, RecordEntry, RecordSource, SourceError};

use crate::replace::replace_file;
use crate::wfdb::{self, Location, REFERENCE_ANNOTATOR, WfdbReadOptions};
use crate::{FormatError, edf, recording};
pub(crate) use inspect::inspect_path;
use listing::{Item, Reader};
pub(crate) use marks::add_marks_beside;
pub use options::{AxesChoice, RecordingsConfig};

/// Name of the file that lists a database's records.
const LIST: &str = "RECORDS";

/// An opened database: its list of records. Records are read when asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    folder: PathBuf,
    name: String,
    entries: Vec<RecordEntry>,
    items: Vec<Item>,
    /// How to read its files.
    options: RecordingsConfig,
    /// What each record's codes stand for, where that is known.
    labels: Vec<Option<&'static BTreeMap<String, String>>>,
    /// What a table says of each record, where there is one.
    statements: Vec<Option<statements::Row>>,
}

/// Opens a folder of recordings, or one by its path (a WFDB record with or without extension), with nothing said about its files.
/// See [`open_database_with`].
pub fn open_database(path: &Path) -> Result<Database, FormatError> {
    open_database_with(path, &RecordingsConfig::default())
}

/// Opens a folder of recordings, or one by its path (a WFDB record with or without extension); `options` says of its files what they
/// do not say themselves.
///
/// The records are those that the folder's `RECORDS` lists, in its order; without that file, all headers and all EDF and BDF
/// files in the folder, by name; where there are none of these, all HDF5 files, texts and `.npy` arrays, each with the annotations in
/// `NAME.annotations.csv` (or `.tsv`) beside it. A recording that is there as header and as EDF file is taken as WFDB.
///
/// **Subjects** are those of a table `subjects.csv` (or `.tsv`) in the folder, with columns `record` and `subject`; else those
/// known of public databases (`data/databases.toml`), which are recognised by the names of their records; else each record is
/// a subject, and its entry says that this is not known. **Labels** of annotations, where a database's codes mean something that
/// depends on the record, come from the same place (see [`Database::label`]); annotations also from where LUDB, Sleep-EDF and CHB-MIT
/// keep them, and for PTB-XL from its tables, one of the class of each recording over all of it.
pub fn open_database_with(path: &Path, options: &RecordingsConfig) -> Result<Database, FormatError> {
    if path.is_dir() {
        let mut items = listing::all(path)?;
        let names: BTreeSet<String> = items.iter().map(|item| item.name.clone()).collect();
        items.retain(|item| !statements::is_coarser(&item.name, &names));
        let company: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
        return Database::new((path.to_path_buf(), folder_name(path)), items, &company, options);
    }
    let Some(item) = listing::one(path) else {
        return Err(FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name a folder of recordings, a record that has a header (.hea), or an EDF, HDF5, CSV or .npy file",
        });
    };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    // Who the subject is may follow from the company that the record keeps; a folder whose list is broken says nothing.
    let company: Vec<String> = listing::all(&folder).unwrap_or_default().into_iter().map(|item| item.name).collect();
    let name = format!("{}/{}", folder_name(&folder), item.name);
    Database::new((folder, name), vec![item], &company, options)
}

/// Writes the list of a database's records (`RECORDS`) into its folder, so that [`open_database`] gives them in this order.
pub fn write_record_list(folder: &Path, names: &[String]) -> Result<(), FormatError> {
    let text: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    replace_file(&folder.join(LIST), text.as_bytes())
}

impl Database {
    /// With the records `items` of a folder that holds `company`.
    fn new(
        (folder, name): (PathBuf, String),
        items: Vec<Item>,
        company: &[String],
        options: &RecordingsConfig,
    ) -> Result<Self, FormatError> {
        let beside = subjects::beside(&folder)?;
        let statements = statements::read(&folder)?;
        let (mut entries, mut labels, mut statements_of) = (Vec::new(), Vec::new(), Vec::new());
        for item in &items {
            let known = known::database_of(&item.name, company);
            let row = statements.get(&item.name);
            let stated = beside.get(subjects::without_extension(&item.name)).cloned();
            let otherwise = || row.map(|row| row.patient.clone()).or_else(|| known.and_then(|known| subject(known, item)));
            // A table beside the data is the last word on whose they are, also by what it leaves out.
            let subject = if beside.is_empty() { otherwise() } else { stated };
            let subject_known = subject.is_some();
            entries.push(RecordEntry {
                name: item.name.clone(),
                subject: subject.unwrap_or_else(|| item.name.clone()),
                subject_known,
                split: row.and_then(|row| row.split),
            });
            labels.push(known.and_then(|known| known.labels(&item.name)));
            statements_of.push(row.cloned());
        }
        Ok(Self { folder, name, entries, items, options: options.clone(), labels, statements: statements_of })
    }

    /// The folder that the records are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Path of record `index`: of a WFDB record without extension, else the file. `None` where there are fewer records.
    pub fn record_path(&self, index: usize) -> Option<PathBuf> {
        self.items.get(index).map(|item| item.path.clone())
    }

    /// The files that the records are read from, with those of the folder that list them and say whose they are; sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        files::of(&self.folder, &self.items)
    }

    /// What a table of the database says of record `index` as a whole: of PTB-XL the class of its diagnosis, over all `samples` of
    /// it. [`read`](RecordSource::read) puts it among the annotations.
    pub fn stated(&self, index: usize, samples: u64) -> Option<Annotation> {
        self.statements.get(index)?.as_ref()?.annotation(samples)
    }

    /// What an annotation code stands for in record `index`, where that is known of the database: `executed/left-fist` for
    /// `T1` in run 3 of EEGMMIDB. [`read`](RecordSource::read) puts it into [`aux`](physiosynth_signal::Annotation::aux).
    pub fn label(&self, index: usize, code: &str) -> Option<&str> {
        self.labels.get(index)?.and_then(|codes| codes.get(code)).map(String::as_str)
    }
}

impl RecordSource for Database {
    fn name(&self) -> &str {
        &self.name
    }

    fn entries(&self) -> &[RecordEntry] {
        &self.entries
    }

    fn read(&self, index: usize, lead: Option<&str>) -> Result<Record, SourceError> {
        let (Some(entry), Some(item)) = (self.entries.get(index), self.items.get(index)) else {
            return Err(format!("{}: there is no record number {index}", self.name).into());
        };
        let lead = lead.map(str::to_owned);
        let mut record = match item.reader {
            Reader::Wfdb => wfdb::read_record(&item.path, &WfdbReadOptions { lead, ..WfdbReadOptions::default() })?,
            Reader::Table => read_table(&item.path, &self.options, lead.as_deref())?,
            Reader::Edf => edf::read_record(&item.path, &edf::EdfReadOptions { lead, ..edf::EdfReadOptions::default() })?,
        };
        marks::add(item, &mut record)?;
        record.annotations.extend(self.stated(index, (record.duration_s() * record.sampling_frequency_hz).round() as u64));
        if item.reader == Reader::Wfdb && self.statements.get(index).is_none_or(Option::is_none) {
            check_marked(item, &entry.name)?;
        }
        for annotation in record.annotations.iter_mut().filter(|annotation| annotation.aux.is_empty()) {
            if let Some(label) = self.label(index, &annotation.code) {
                label.clone_into(&mut annotation.aux);
            }
        }
        record.name.clone_from(&entry.name);
        record.subject.clone_from(&entry.subject);
        Ok(record)
    }
}

/// A WFDB record of a database has to have annotations, if none are in their file.
fn check_marked(item: &Item, name: &str) -> Result<(), FormatError> {
    let annotations = Location::new(&item.path).file(REFERENCE_ANNOTATOR);
    if annotations.is_file() || !marks::files(item).is_empty() {
        return Ok(());
    }
    Err(FormatError::Missing {
        path: annotations,
        named_by: format!("the reference annotations of record {name}"),
        remedy: "put the annotation file beside the header, or take the record out of RECORDS",
    })
}

/// Whose a record of a known database is: by its name, or by a comment of its header, where there it is.
fn subject(known: &known::Known, item: &Item) -> Option<String> {
    let Some(word) = &known.subject_comment else { return Some(known.subject(&item.name)) };
    let header = wfdb::read_header(&item.path).ok()?;
    let numbered = |comment: &str| {
        let number = comment.trim().strip_prefix(word.as_str())?.trim();
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{word} {number}"))
    };
    header.comments.iter().find_map(|comment| numbered(comment))
}

/// The file of annotations beside a file of text, HDF5 or NumPy.
fn marks_beside(path: &Path) -> Option<PathBuf> {
    ["csv", "tsv"]
        .map(|extension| path.with_extension(format!("annotations.{extension}")))
        .into_iter()
        .find(|path| path.is_file())
}

/// Reads a file of text, HDF5 or NumPy; of its channels only the one of this label, where one is asked for.
fn read_table(path: &Path, options: &RecordingsConfig, lead: Option<&str>) -> Result<Record, FormatError> {
    let options = recording::OpenOptions { annotations: marks_beside(path), ..options.open_options() };
    let mut record = recording::open(path, &options)?.into_record()?;
    if let Some(lead) = lead {
        record.channels.retain(|channel| channel.label == lead);
    }
    Ok(record)
}

/// The folder's own name, for reports.
fn folder_name(folder: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let resolved = || fs::canonicalize(folder).ok().and_then(|path| name(&path));
    name(folder).or_else(resolved).unwrap_or_else(|| "database".into())
}

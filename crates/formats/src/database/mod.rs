//! A folder of recordings: which records it has, whose they are, what their marks mean, and reading them one by one.

mod files;
mod known;
mod listing;
mod subjects;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Record, RecordEntry, RecordSource, SourceError};

use crate::replace::replace_file;
use crate::wfdb::{self, Location, REFERENCE_ANNOTATOR, ReadOptions};
use crate::{FormatError, edf};
use listing::{Item, Reader};

/// Name of the file that lists a database's records.
const LIST: &str = "RECORDS";

/// An opened database: its list of records. Records are read when asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    folder: PathBuf,
    name: String,
    entries: Vec<RecordEntry>,
    items: Vec<Item>,
    /// What each record's codes stand for, where that is known.
    labels: Vec<Option<&'static BTreeMap<String, String>>>,
}

/// Opens a folder of WFDB records and EDF files, or one record by its path (with or without extension).
///
/// The records are those that the folder's `RECORDS` lists, in its order; without that file, all headers and all EDF and BDF
/// files in the folder, by name. A recording that is there as both is taken as WFDB.
///
/// **Subjects** are those of a table `subjects.csv` (or `.tsv`) in the folder, with columns `record` and `subject`; else those
/// known of public databases (`data/databases.toml`), which are recognised by the names of their records; else each record is
/// a subject, and its entry says that this is not known. **Labels** of annotations, where a database's codes mean something that
/// depends on the record, come from the same place (see [`Database::label`]).
pub fn open_database(path: &Path) -> Result<Database, FormatError> {
    if path.is_dir() {
        let items = listing::all(path)?;
        let company: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
        return Database::new(path.to_path_buf(), folder_name(path), items, &company);
    }
    let Some(item) = listing::one(path) else {
        return Err(FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name a folder of WFDB records or EDF files, a record that has a header (.hea), or an EDF file",
        });
    };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    // Who the subject is may follow from the company that the record keeps; a folder whose list is broken says nothing.
    let company: Vec<String> = listing::all(&folder).unwrap_or_default().into_iter().map(|item| item.name).collect();
    let name = format!("{}/{}", folder_name(&folder), item.name);
    Database::new(folder, name, vec![item], &company)
}

/// Writes the list of a database's records (`RECORDS`) into its folder, so that [`open_database`] gives them in this order.
pub fn write_record_list(folder: &Path, names: &[String]) -> Result<(), FormatError> {
    let text: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    replace_file(&folder.join(LIST), text.as_bytes())
}

impl Database {
    /// With the records `items` of a folder that holds `company`.
    fn new(folder: PathBuf, name: String, items: Vec<Item>, company: &[String]) -> Result<Self, FormatError> {
        let beside = subjects::beside(&folder)?;
        let (mut entries, mut labels) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for item in &items {
            let known = known::database_of(&item.name, company);
            let stated = beside.get(subjects::without_extension(&item.name)).cloned();
            // A table beside the data is the last word on whose they are, also by what it leaves out.
            let subject = if beside.is_empty() { known.map(|known| known.subject(&item.name)) } else { stated };
            let subject_known = subject.is_some();
            entries.push(RecordEntry {
                name: item.name.clone(),
                subject: subject.unwrap_or_else(|| item.name.clone()),
                subject_known,
            });
            labels.push(known.and_then(|known| known.labels(&item.name)));
        }
        Ok(Self { folder, name, entries, items, labels })
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
            Reader::Wfdb => read_wfdb(&item.path, &entry.name, lead)?,
            Reader::Edf => edf::read_record(&item.path, &edf::ReadOptions { lead, ..edf::ReadOptions::default() })?,
        };
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

/// Reads a WFDB record of a database, which has to have its reference annotations.
fn read_wfdb(path: &Path, name: &str, lead: Option<String>) -> Result<Record, FormatError> {
    let record = wfdb::read_record(path, &ReadOptions { lead, ..ReadOptions::default() })?;
    let annotations = Location::new(path).file(REFERENCE_ANNOTATOR);
    if record.annotations.is_empty() && !annotations.is_file() {
        return Err(FormatError::Missing {
            path: annotations,
            named_by: format!("the reference annotations of record {name}"),
            remedy: "put the annotation file beside the header, or take the record out of RECORDS",
        });
    }
    Ok(record)
}

/// The folder's own name, for reports.
fn folder_name(folder: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let resolved = || fs::canonicalize(folder).ok().and_then(|path| name(&path));
    name(folder).or_else(resolved).unwrap_or_else(|| "database".into())
}

//! A folder of recordings: which records it has, whose they are, and reading them one by one.

mod subjects;

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use physiosynth_signal::{Record, RecordEntry, RecordSource, SourceError};

use crate::FormatError;
use crate::replace::replace_file;
use crate::wfdb::{self, Location, REFERENCE_ANNOTATOR, ReadOptions};

/// Name of the file that lists a database's records.
const LIST: &str = "RECORDS";

/// An opened database: its list of records. Records are read when asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    folder: PathBuf,
    name: String,
    entries: Vec<RecordEntry>,
}

/// Opens a folder of WFDB records, or one record by its path (with or without extension).
///
/// The records are those that the folder's `RECORDS` lists, in its order; without that file, all headers in the folder, by
/// name.
pub fn open_database(path: &Path) -> Result<Database, FormatError> {
    if path.is_dir() {
        let names = record_names(path)?;
        return Ok(Database { folder: path.to_path_buf(), name: folder_name(path), entries: entries(&names, &names) });
    }
    let location = Location::new(path);
    if !location.file("hea").is_file() {
        return Err(FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name a folder of WFDB records, or a record that has a header (.hea)",
        });
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    let name = location.name();
    // Who the subject is may follow from the company that the record keeps; a folder whose list is broken says nothing.
    let company = record_names(&folder).unwrap_or_default();
    let entries = entries(std::slice::from_ref(&name), &company);
    Ok(Database { name: format!("{}/{name}", folder_name(&folder)), folder, entries })
}

/// Writes the list of a database's records (`RECORDS`) into its folder, so that [`open_database`] gives them in this order.
pub fn write_record_list(folder: &Path, names: &[String]) -> Result<(), FormatError> {
    let text: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    replace_file(&folder.join(LIST), text.as_bytes())
}

impl Database {
    /// The folder that the records are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Path of record `index`, without extension; `None` where there are fewer records.
    pub fn record_path(&self, index: usize) -> Option<PathBuf> {
        self.entries.get(index).map(|entry| self.folder.join(&entry.name))
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
        let entry = self.entries.get(index).ok_or_else(|| format!("{}: there is no record number {index}", self.name))?;
        let path = self.folder.join(&entry.name);
        let options = ReadOptions { lead: lead.map(str::to_owned), ..ReadOptions::default() };
        let mut record = wfdb::read_record(&path, &options)?;
        let annotations = Location::new(&path).file(REFERENCE_ANNOTATOR);
        if record.annotations.is_empty() && !annotations.is_file() {
            return Err(Box::new(FormatError::Missing {
                path: annotations,
                named_by: format!("the reference annotations of record {}", entry.name),
                remedy: "put the annotation file beside the header, or take the record out of RECORDS",
            }));
        }
        record.name.clone_from(&entry.name);
        record.subject.clone_from(&entry.subject);
        Ok(record)
    }
}

/// The folder's own name, for reports.
fn folder_name(folder: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let resolved = || fs::canonicalize(folder).ok().and_then(|path| name(&path));
    name(folder).or_else(resolved).unwrap_or_else(|| "database".into())
}

/// The names of a folder's records.
fn record_names(folder: &Path) -> Result<Vec<String>, FormatError> {
    let list = folder.join(LIST);
    let names = match fs::read_to_string(&list) {
        Ok(text) => listed(&list, &text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => headers(folder)?,
        Err(error) => return Err(FormatError::io(&list, "read the list of records")(error)),
    };
    if names.is_empty() {
        return Err(FormatError::Missing {
            path: folder.join("*.hea"),
            named_by: "the headers of a database's records".into(),
            remedy: "name a folder that has WFDB records in it",
        });
    }
    Ok(names)
}

/// The names that a list gives, one per line.
fn listed(list: &Path, text: &str) -> Result<Vec<String>, FormatError> {
    let mut names: Vec<String> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.trim();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(FormatError::OutsideFolder { path: list.to_path_buf(), line: index + 1, named: name.into() });
        }
        if name.ends_with('/') || names.iter().any(|other| other == name) {
            let what = if name.ends_with('/') { "is a folder, not a record" } else { "is listed twice" };
            return Err(FormatError::Malformed {
                path: list.to_path_buf(),
                place: format!("line {}", index + 1),
                cause: format!("'{name}' {what}"),
                remedy: "list each record once, without extension",
            });
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The names of the headers in a folder, sorted.
fn headers(folder: &Path) -> Result<Vec<String>, FormatError> {
    let action = "list the folder";
    let mut names = Vec::new();
    for item in fs::read_dir(folder).map_err(FormatError::io(folder, action))? {
        let path = item.map_err(FormatError::io(folder, action))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden
            && path.extension().is_some_and(|extension| extension == "hea")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The entries of `names`, in a folder that holds the records `company`.
fn entries(names: &[String], company: &[String]) -> Vec<RecordEntry> {
    let entry = |name: &String| {
        let known = subjects::subject_of(name, company);
        RecordEntry { name: name.clone(), subject: known.unwrap_or(name).to_owned(), subject_known: known.is_some() }
    };
    names.iter().map(entry).collect()
}

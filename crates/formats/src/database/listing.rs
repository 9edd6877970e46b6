//! Which records a folder has.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::LIST;
use super::{marks, subjects};
use crate::recording::Format;
use crate::wfdb::Location;
use crate::{FormatError, edf};

/// What a record is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A WFDB header and what it names.
    Wfdb,
    /// An EDF or BDF file.
    Edf,
    /// A file of text, HDF5 or NumPy.
    Table,
}

/// A record of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Name within the database.
    pub(super) name: String,
    pub(super) reader: Reader,
    /// The file; of a WFDB record without extension.
    pub(super) path: PathBuf,
}

/// Whether an extension is that of EDF or BDF recordings.
pub(super) fn is_edf_extension(extension: &str) -> bool {
    edf::EXTENSIONS.iter().any(|other| extension.eq_ignore_ascii_case(other))
}

fn has_edf_extension(path: &Path) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(is_edf_extension)
}

/// Whether a file is a recording as text, in HDF5 or as a NumPy array, by its name: not what stands beside one.
fn is_table(path: &Path) -> bool {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let (name, stem, extension) = (text(path.file_name()), text(path.file_stem()), text(path.extension()));
    let beside = [".annotations", ".labels", ".subjects", ".rr", ".derived_from"].iter().any(|what| stem.ends_with(what));
    let readable = || matches!(Format::of_extension(&extension), Some(Format::Delimited | Format::Hdf5 | Format::Npy));
    !beside
        && !extension.eq_ignore_ascii_case("txt")
        && !subjects::TABLES.contains(&name.as_str())
        && readable()
        && path.is_file()
}

/// The record that a path names, with or without extension; `None` where there is none.
pub(super) fn one(path: &Path) -> Option<Item> {
    let item = |path: &Path, reader, name: String| Some(Item { name, reader, path: path.to_path_buf() });
    if edf::is_recording(path) {
        return item(path, Reader::Edf, path.file_stem()?.to_string_lossy().into_owned());
    }
    if is_table(path) {
        return item(path, Reader::Table, path.file_stem()?.to_string_lossy().into_owned());
    }
    let location = Location::new(path);
    if location.file("hea").is_file() {
        let name = location.name();
        return item(&path.with_file_name(&name), Reader::Wfdb, name);
    }
    let found = edf::EXTENSIONS
        .iter()
        .flat_map(|extension| [extension.to_string(), extension.to_uppercase()].map(|extension| location.file(&extension)));
    item(&found.into_iter().find(|path| path.is_file())?, Reader::Edf, location.name())
}

/// The records of a folder: those that its `RECORDS` lists, in that order, else all in it, by name.
pub(super) fn all(folder: &Path) -> Result<Vec<Item>, FormatError> {
    let list = folder.join(LIST);
    let items = match fs::read_to_string(&list) {
        Ok(text) => listed(folder, &list, &text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => found(folder)?,
        Err(error) => return Err(FormatError::io(&list, "read the list of records")(error)),
    };
    let mut items = items;
    let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
    items.retain(|item| item.reader != Reader::Edf || !marks::is_hypnogram(&item.name, &names));
    if items.is_empty() {
        return Err(FormatError::Missing {
            path: folder.join("*.hea"),
            named_by: "the headers of a database's records, or its EDF, HDF5, CSV or .npy files".into(),
            remedy: "name a folder that has recordings in it",
        });
    }
    Ok(items)
}

/// The records that a list names, one per line: WFDB records without extension, other files with it.
fn listed(folder: &Path, list: &Path, text: &str) -> Result<Vec<Item>, FormatError> {
    let mut items: Vec<Item> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !Path::new(line).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(FormatError::OutsideFolder { path: list.to_path_buf(), line: index + 1, named: line.into() });
        }
        if line.ends_with('/') || !seen.insert(line.to_owned()) {
            let what = if line.ends_with('/') { "is a folder, not a record" } else { "is listed twice" };
            return Err(FormatError::Malformed {
                path: list.to_path_buf(),
                place: format!("line {}", index + 1),
                cause: format!("'{line}' {what}"),
                remedy: "list each record once: a WFDB record without extension, another file with it",
            });
        }
        let path = folder.join(line);
        let stem = line.rsplit_once('.').filter(|(_, extension)| is_edf_extension(extension)).map(|(stem, _)| stem);
        items.push(match stem {
            Some(stem) => Item { name: stem.to_owned(), reader: Reader::Edf, path },
            None if is_table(&path) => Item { name: without_last(line).to_owned(), reader: Reader::Table, path },
            // Without extension it is a WFDB record, unless only an EDF file has that name.
            None => match one(&path).filter(|item| item.reader == Reader::Edf) {
                Some(item) => Item { name: line.to_owned(), ..item },
                None => Item { name: line.to_owned(), reader: Reader::Wfdb, path },
            },
        });
    }
    tell_apart(&mut items);
    Ok(items)
}

/// A name without its extension.
fn without_last(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The headers and EDF files in a folder, by name; where there are none, its tables. An EDF file beside a header of its name is the
/// same recording, once.
fn found(folder: &Path) -> Result<Vec<Item>, FormatError> {
    let action = "list the folder";
    let (mut headers, mut files, mut tables) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for item in fs::read_dir(folder).map_err(FormatError::io(folder, action))? {
        let path = item.map_err(FormatError::io(folder, action))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else { continue };
        let stem = without_last(name).to_owned();
        if path.extension().is_some_and(|extension| extension == "hea") {
            headers.insert(stem, path.with_extension(""));
        } else if has_edf_extension(&path) && path.is_file() {
            // Other programs write files of the name `.rec` too.
            let other = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("rec")) && !edf::is_edf(&path);
            if !other {
                files.insert(name.to_owned(), (stem, path));
            }
        } else if is_table(&path) {
            tables.insert(name.to_owned(), (stem, path));
        }
    }
    files.retain(|_, (stem, _)| !headers.contains_key(stem));
    // Beside recordings of a clinical format, tables are mostly about them.
    tables.retain(|_, _| headers.is_empty() && files.is_empty());
    let headers = headers.into_iter().map(|(name, path)| Item { name, reader: Reader::Wfdb, path });
    let tables = tables.into_values().map(|(name, path)| Item { name, reader: Reader::Table, path });
    let files = files.into_values().map(|(name, path)| Item { name, reader: Reader::Edf, path });
    let mut items: Vec<Item> = headers.chain(files).chain(tables).collect();
    tell_apart(&mut items);
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// Records that would have one name (`a.edf` and `a.bdf`) keep their extensions.
fn tell_apart(items: &mut [Item]) {
    let mut counts = BTreeMap::new();
    for item in items.iter() {
        *counts.entry(item.name.clone()).or_insert(0) += 1;
    }
    for item in items.iter_mut().filter(|item| item.reader != Reader::Wfdb && counts.get(&item.name).is_some_and(|&n| n > 1)) {
        if let Some(extension) = item.path.extension() {
            item.name = format!("{}.{}", item.name, extension.to_string_lossy());
        }
    }
}

//! Who was recorded: by a table beside the data, else by what is known of the database.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::FormatError;
use crate::delimited::table;

/// Names of the table, in the folder of the recordings.
pub(super) const TABLES: [&str; 2] = ["subjects.csv", "subjects.tsv"];

/// Reads the table beside the data: a row of names with `record` and `subject` among them, then a row for each record. Empty
/// where there is none.
pub(super) fn beside(folder: &Path) -> Result<BTreeMap<String, String>, FormatError> {
    let mut subjects = BTreeMap::new();
    for path in TABLES.map(|name| folder.join(name)) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(FormatError::io(&path, "read the table of subjects")(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let malformed = |line: usize, cause: String| FormatError::Malformed {
            path: path.clone(),
            place: format!("line {line}"),
            cause,
            remedy: "write a row of names, `record` and `subject` among them, and a row for each record",
        };
        let mut lines = table::lines(&text);
        let Some((first, names)) = lines.next() else { continue };
        let delimiter = table::delimiter(names);
        let names = table::fields(names, delimiter);
        let column = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
        let (Some(record), Some(subject)) = (column("record"), column("subject")) else {
            return Err(malformed(first, "there is no column 'record' or none 'subject'".into()));
        };
        for (number, line) in lines {
            let fields = table::fields(line, delimiter);
            let (Some(record), Some(subject)) = (fields.get(record), fields.get(subject).filter(|name| !name.is_empty())) else {
                return Err(malformed(number, "the record or its subject is missing".into()));
            };
            subjects.insert(without_extension(record).to_owned(), subject.clone().into_owned());
        }
    }
    Ok(subjects)
}

/// `S001R03.edf` as `S001R03`.
pub(super) fn without_extension(name: &str) -> &str {
    let known = |extension: &str| extension == "hea" || super::listing::is_edf_extension(extension);
    name.rsplit_once('.').filter(|(_, extension)| known(extension)).map_or(name, |(name, _)| name)
}

//! The files that a database's content is in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::listing::{Item, Reader};
use super::{LIST, marks, statements, subjects};
use crate::wfdb::{self, Location, REFERENCE_ANNOTATOR, header};

/// The files of these records, and those of the folder that say which records there are and whose; only those that exist.
pub(super) fn of(folder: &Path, items: &[Item]) -> Vec<PathBuf> {
    let mut files: BTreeSet<PathBuf> = std::iter::once(LIST).chain(subjects::TABLES).map(|name| folder.join(name)).collect();
    files.extend(statements::files(folder));
    for item in items {
        files.extend(marks::files(item));
        match item.reader {
            Reader::Edf | Reader::Table => files.extend([item.path.clone()]),
            Reader::Wfdb => record(&item.path, &mut files),
        }
    }
    files.into_iter().filter(|path| path.is_file()).collect()
}

/// Header, annotations, and what the header names: signal files, and the headers of segments with theirs.
fn record(path: &Path, files: &mut BTreeSet<PathBuf>) {
    let location = Location::new(path);
    let header_path = location.file("hea");
    files.extend([header_path.clone(), location.file(REFERENCE_ANNOTATOR)]);
    // A header that cannot be read names nothing; reading the record will tell.
    let Ok(header) = header::read(&header_path) else { return };
    named(&header_path, &header, files);
    for line in &header.segment_lines {
        let Ok(segment) = wfdb::signal::signal_path(&header_path, &format!("{}.hea", line.name), line.line) else { continue };
        if let Ok(header) = header::read(&segment) {
            named(&segment, &header, files);
        }
        files.insert(segment);
    }
}

fn named(header_path: &Path, header: &wfdb::Header, files: &mut BTreeSet<PathBuf>) {
    files
        .extend(header.signals.iter().filter_map(|line| wfdb::signal::signal_path(header_path, &line.file_name, line.line).ok()));
}

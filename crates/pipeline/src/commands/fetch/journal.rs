//! Which files have been verified, so that they need not be again: a line each, appended when a file is whole.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use super::list::Listed;
use crate::files;

const NAME: &str = ".verified";

/// Size and time of change of a file that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    bytes: u64,
    changed_ns: u128,
}

/// The verified files of a folder.
pub(super) struct Journal {
    folder: PathBuf,
    known: BTreeMap<(String, String), State>,
    file: Mutex<File>,
}

impl Journal {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        // A line that was cut off by a crash is of no file.
        let known = std::fs::read_to_string(&path).unwrap_or_default().lines().filter_map(line).collect();
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { folder: folder.to_path_buf(), known, file: Mutex::new(file) })
    }

    /// Whether a file is there, verified: unchanged since it was, or by its checksum now.
    pub(super) fn holds(&self, file: &Listed) -> bool {
        let path = self.folder.join(&file.path);
        let Some(now) = state(&path) else { return false };
        if self.known.get(&(file.path.clone(), file.sha256.clone())) == Some(&now) {
            return true;
        }
        files::sha256(&path).is_ok_and(|sum| sum == file.sha256) && self.add(file, &path).is_ok()
    }

    /// Notes that a file is there, verified.
    pub(super) fn add(&self, file: &Listed, path: &Path) -> std::io::Result<()> {
        let Some(State { bytes, changed_ns }) = state(path) else { return Ok(()) };
        let line = format!("{}\t{bytes}\t{changed_ns}\t{}\n", file.sha256, file.path);
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(line.as_bytes())
    }
}

fn state(path: &Path) -> Option<State> {
    let facts = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let changed_ns = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    Some(State { bytes: facts.len(), changed_ns })
}

fn line(line: &str) -> Option<((String, String), State)> {
    let mut fields = line.splitn(4, '\t');
    let (sum, bytes, changed) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(((fields.next()?.to_owned(), sum.to_owned()), State { bytes, changed_ns: changed }))
}

//! The folder of a run, and what lies where in it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A run's folder, held by this process alone as long as this value lives, unless it is only read.
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes the folder where it does not exist, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot write to the run folder {}; choose another with --output", path.display());
        fs::create_dir_all(path).with_context(cannot)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(".lock")).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => {
                bail!("another physiosynth is at work in {}; wait for it, or choose another --output", path.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
        }
    }

    /// A folder that is only read: not locked.
    pub(crate) fn to_read(path: &Path) -> Self {
        Self { path: path.to_path_buf(), _lock: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.path.join("manifest.json")
    }

    /// Real segments, all splits.
    pub(crate) fn segments(&self) -> PathBuf {
        self.path.join("segments.h5")
    }

    /// What preprocessing did, for the report: records, splits, clusters, stretches before and after denoising.
    pub(crate) fn preprocessing(&self) -> PathBuf {
        self.path.join("preprocessing.json")
    }

    /// The beats of every record in order of time, all splits: what the rhythm model learns from.
    pub(crate) fn rhythms(&self) -> PathBuf {
        self.path.join("rhythms.json")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.path.join("model")
    }

    pub(crate) fn synthetic(&self) -> PathBuf {
        self.path.join("synthetic.h5")
    }

    pub(crate) fn scores(&self) -> PathBuf {
        self.path.join("scores.json")
    }

    pub(crate) fn figures(&self) -> PathBuf {
        self.path.join("figures")
    }

    pub(crate) fn page(&self) -> PathBuf {
        self.path.join("index.html")
    }

    pub(crate) fn share(&self) -> PathBuf {
        self.path.join("share")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let held = RunFolder::open(&path).unwrap();
        let error = RunFolder::open(&path).err().unwrap().to_string();
        assert!(error.contains("another physiosynth"), "{error}");
        drop(held);
        RunFolder::open(&path).unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_a_folder_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = RunFolder::open(file.path()).err().unwrap().to_string();
        assert!(error.contains("--output"), "{error}");
    }
}

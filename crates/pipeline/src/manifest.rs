//! `manifest.json`: what a run was made from and what it made, so that finished stages are known and results can be traced.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::files;

/// Something that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) record: String,
    pub(crate) reason: String,
}

/// The device that a stage computed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) reason: String,
}

/// A stage that was begun, and finished where `finished` says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StageRecord {
    /// SHA-256 of the settings that decide the stage and of its inputs' checksums: while it stays the same, so does the result.
    pub(crate) key: String,
    pub(crate) finished: bool,
    /// Seconds it took, over all attempts that were not killed.
    pub(crate) seconds: f64,
    /// Files it wrote, relative to the run folder, with their SHA-256.
    pub(crate) outputs: BTreeMap<String, String>,
    /// Times of the parts of the stage, in seconds.
    #[serde(default)]
    pub(crate) parts: Vec<(String, f64)>,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Name and version of what made the run.
    pub(crate) versions: BTreeMap<String, String>,
    /// The command line of the latest call, without the program's folder.
    pub(crate) command: String,
    pub(crate) seed: u64,
    /// How the database calls itself, and where it was.
    pub(crate) database: String,
    /// Every input file with its SHA-256; empty for the demo, which is made from the seed.
    pub(crate) inputs: BTreeMap<String, String>,
    pub(crate) device: Option<Device>,
    pub(crate) threads: usize,
    pub(crate) skipped: Vec<Skipped>,
    /// What a reader of the results should know.
    pub(crate) notes: Vec<String>,
    pub(crate) stages: BTreeMap<String, StageRecord>,
}

impl Manifest {
    /// The manifest of a run folder; a new one where there is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| {
            format!("{} is not a manifest of this version; choose another --output, or remove it", path.display())
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("the manifest cannot be written as JSON")?;
        text.push('\n');
        files::write_atomically(path, text.as_bytes())
    }

    /// Whether `stage` is done for this key, its files still being what it wrote.
    pub(crate) fn is_done(&self, stage: &str, key: &str, folder: &Path) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.finished
                && record.key == key
                && record.outputs.iter().all(|(name, sum)| files::sha256(&folder.join(name)).is_ok_and(|found| found == *sum))
        })
    }

    /// Whether `stage` was begun with this key, so that what it left may be resumed.
    pub(crate) fn was_begun(&self, stage: &str, key: &str) -> bool {
        self.stages.get(stage).is_some_and(|record| record.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_done_only_with_its_key_and_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scores.json");
        std::fs::write(&file, "1").unwrap();
        let mut manifest = Manifest::default();
        let outputs = BTreeMap::from([("scores.json".to_string(), files::sha256(&file).unwrap())]);
        let record = StageRecord { key: "k".into(), finished: true, seconds: 1.0, outputs, parts: vec![] };
        manifest.stages.insert("evaluate".into(), record);
        let path = folder.path().join("manifest.json");
        manifest.write(&path).unwrap();
        let manifest = Manifest::read(&path).unwrap();
        assert!(manifest.is_done("evaluate", "k", folder.path()));
        assert!(!manifest.is_done("evaluate", "other", folder.path()));
        std::fs::write(&file, "2").unwrap();
        assert!(!manifest.is_done("evaluate", "k", folder.path()));
        assert!(manifest.was_begun("evaluate", "k") && !manifest.was_begun("train", "k"));
    }

    #[test]
    fn a_broken_manifest_is_an_error_with_a_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{").unwrap();
        let error = Manifest::read(file.path()).unwrap_err().to_string();
        assert!(error.contains("choose another --output"), "{error}");
    }
}

//! The database of a run: a folder of recordings, or a simulation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use physiosynth_signal::{RecordSource, Seed};
use physiosynth_simulator::{SimulatedDatabase, SimulatedEegDatabase};
use rayon::prelude::*;

use crate::config::Config;
use crate::files;

/// The name of the simulated ECG database on the command line.
pub(crate) const DEMO: &str = "demo";
/// The name of the simulated EEG database on the command line.
pub(crate) const DEMO_EEG: &str = "demo-eeg";

/// Whether a database of that name is simulated.
pub(crate) fn is_demo(database: &str) -> bool {
    [DEMO, DEMO_EEG].contains(&database)
}

/// An opened database.
pub(crate) struct Source {
    pub(crate) records: Box<dyn RecordSource>,
    pub(crate) simulated: bool,
}

impl Source {
    /// Opens the configuration's database.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        if config.database == DEMO {
            let records = SimulatedDatabase::new(&config.simulator, Seed(config.seed))?;
            return Ok(Self { records: Box::new(records), simulated: true });
        }
        if config.database == DEMO_EEG {
            let records = SimulatedEegDatabase::new(&config.simulator.eeg, Seed(config.seed))?;
            return Ok(Self { records: Box::new(records), simulated: true });
        }
        let path = Path::new(&config.database);
        if !path.exists() {
            bail!(
                "there is no database at {}; give --database the folder that holds its .hea or .edf files, or `{DEMO}` or `{DEMO_EEG}` for a simulated one",
                path.display()
            );
        }
        let records = physiosynth_formats::open_database(path)?;
        Ok(Self { records: Box::new(records), simulated: false })
    }

    /// Every input file with its SHA-256; none for the demo, which is made from the seed.
    pub(crate) fn checksums(&self, config: &Config) -> Result<BTreeMap<String, String>> {
        if self.simulated { Ok(BTreeMap::new()) } else { checksums(Path::new(&config.database), self.records.as_ref()) }
    }
}

/// SHA-256 of every file that belongs to one of the records: the same folder and the same name, whatever the extension.
fn checksums(database: &Path, records: &dyn RecordSource) -> Result<BTreeMap<String, String>> {
    let root = if database.is_dir() { database } else { database.parent().unwrap_or(Path::new(".")) };
    let stems: BTreeSet<PathBuf> = records.entries().iter().map(|entry| root.join(&entry.name)).collect();
    let folders: BTreeSet<&Path> = stems.iter().filter_map(|stem| stem.parent()).collect();
    let mut paths = Vec::new();
    for folder in folders {
        let list = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        paths.extend(
            list.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.is_file() && stems.contains(&p.with_extension(""))),
        );
    }
    paths
        .par_iter()
        .map(|path| Ok((path.strip_prefix(root).unwrap_or(path).display().to_string(), files::sha256(path)?)))
        .collect()
}

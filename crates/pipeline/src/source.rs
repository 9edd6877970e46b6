//! The database of a run: a folder of recordings, a database that was fetched, or a simulation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use physiosynth_signal::{RecordSource, Seed};
use physiosynth_simulator::{SimulatedDatabase, SimulatedEegDatabase};
use rayon::prelude::*;

use crate::commands::fetch::{Cached, cached};
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
/// The file that says whose the data are, in the folder of a database that was fetched and with what is made from it.
pub(crate) const ATTRIBUTION: &str = "ATTRIBUTION.txt";

/// An opened database.
pub(crate) struct Source {
    pub(crate) records: Box<dyn RecordSource>,
    pub(crate) simulated: bool,
    /// Its folder, and the files in it that are read.
    files: (PathBuf, Vec<PathBuf>),
}

impl Source {
    /// Opens the configuration's database.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        if config.database == DEMO {
            let records = SimulatedDatabase::new(&config.simulator, Seed(config.seed))?;
            return Ok(Self { records: Box::new(records), simulated: true, files: (PathBuf::new(), Vec::new()) });
        }
        if config.database == DEMO_EEG {
            let records = SimulatedEegDatabase::new(&config.simulator.eeg, Seed(config.seed))?;
            return Ok(Self { records: Box::new(records), simulated: true, files: (PathBuf::new(), Vec::new()) });
        }
        let database = physiosynth_formats::open_database_with(&locate(&config.database)?, &config.recordings)?;
        let files = (database.folder().to_path_buf(), database.files());
        Ok(Self { records: Box::new(database), simulated: false, files })
    }

    /// Every input file with its SHA-256; none for the demo, which is made from the seed.
    pub(crate) fn checksums(&self) -> Result<BTreeMap<String, String>> {
        let (root, files) = &self.files;
        files
            .par_iter()
            .map(|path| Ok((path.strip_prefix(root).unwrap_or(path).display().to_string(), files::sha256(path)?)))
            .collect()
    }

    /// Whose the data are, where the database's folder says.
    pub(crate) fn attribution(&self) -> Option<Vec<u8>> {
        let folder = Some(&self.files.0).filter(|_| !self.simulated)?;
        std::fs::read(folder.join(ATTRIBUTION)).ok()
    }
}

/// Where a database is: a path, else the short name of one that was fetched.
pub(crate) fn locate(database: &str) -> Result<PathBuf> {
    let path = Path::new(database);
    if path.exists() {
        return Ok(path.to_path_buf());
    }
    match cached(database) {
        Cached::Whole(folder) => Ok(folder),
        Cached::Missing => bail!(
            "there is no folder {database}, and {database} was not fetched whole; `physiosynth fetch {database}` fetches it"
        ),
        Cached::Unknown => bail!(
            "there is no database at {}; give --database the folder that holds its recordings, the name of one that was fetched, or `{DEMO}` \
             for the simulated one",
            path.display()
        ),
    }
}

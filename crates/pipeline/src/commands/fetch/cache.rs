//! Where fetched databases are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::catalogue::catalogue;
use crate::files;

/// Overrides the folder.
const VARIABLE: &str = "PHYSIOSYNTH_CACHE";
/// Marks a database that is there whole.
const COMPLETE: &str = ".complete";

/// The user's cache folder of this program: `$PHYSIOSYNTH_CACHE`, else where the system has caches.
fn folder() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME");
    let system = if cfg!(target_os = "windows") {
        variable("LOCALAPPDATA").map(|folder| folder.join("physiosynth").join("cache"))
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches/physiosynth"))
    } else {
        // Relative paths are invalid there (XDG base directory specification).
        let xdg = variable("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
        xdg.or_else(|| home().map(|home| home.join(".cache"))).map(|folder| folder.join("physiosynth"))
    };
    let cannot = || format!("there is no home folder to keep databases in; set {VARIABLE}, or give --output");
    variable(VARIABLE).or(system).with_context(cannot)
}

/// Where a version of a database is kept.
pub(super) fn folder_of(name: &str, version: &str) -> Result<PathBuf> {
    Ok(folder()?.join("databases").join(format!("{name}-{version}")))
}

/// Marks a database as whole.
pub(super) fn complete(folder: &Path, list_sha256: &str) -> Result<()> {
    files::write_atomically(&folder.join(COMPLETE), format!("{list_sha256}\n").as_bytes())
}

/// What the cache has of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cached {
    /// All of it, in this folder.
    Whole(PathBuf),
    /// Nothing, or not all.
    Missing,
    /// It is none that could be fetched.
    Unknown,
}

/// What the cache has under a short name.
pub(crate) fn cached(name: &str) -> Cached {
    let Some(entry) = catalogue().get(name) else { return Cached::Unknown };
    match folder_of(name, &entry.version) {
        Ok(folder) if folder.join(COMPLETE).is_file() => Cached::Whole(folder),
        _ => Cached::Missing,
    }
}

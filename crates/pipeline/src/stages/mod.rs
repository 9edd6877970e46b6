//! The five stages of a run. Each is a file that says what decides it, what it writes, and how it is done; here is when.

mod evaluate;
pub(crate) mod generate;
mod preprocess;
mod records;
mod report;
mod rhythm;
mod train;

pub(crate) use report::splits;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::config::Config;
use crate::files;
use crate::manifest::{Manifest, StageRecord};
use crate::run_folder::RunFolder;
use crate::terminal::Terminal;

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Preprocess,
    Train,
    Generate,
    Evaluate,
    Report,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preprocess => "preprocess",
            Self::Train => "train",
            Self::Generate => "generate",
            Self::Evaluate => "evaluate",
            Self::Report => "report",
        })
    }
}

/// What a stage works with.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) folder: &'a RunFolder,
    pub(crate) manifest: &'a mut Manifest,
    pub(crate) terminal: &'a Terminal,
}

/// What decides the result of a stage: its settings and its input files, which must exist.
struct Decides {
    settings: Value,
    files: Vec<PathBuf>,
}

/// What a stage made.
#[derive(Default)]
pub(crate) struct Made {
    /// The files and folders that the next stages or the user rely on.
    pub(crate) outputs: Vec<PathBuf>,
    /// Times of its parts, in seconds.
    pub(crate) parts: Vec<(String, f64)>,
}

impl Stage {
    /// Every stage, in the order of a run.
    pub(crate) const ALL: [Self; 5] = [Self::Preprocess, Self::Train, Self::Generate, Self::Evaluate, Self::Report];

    fn decides(self, context: &mut Context) -> Result<Decides> {
        match self {
            Self::Preprocess => preprocess::decides(context),
            Self::Train => train::decides(context),
            Self::Generate => generate::decides(context),
            Self::Evaluate => Ok(evaluate::decides(context)),
            Self::Report => Ok(report::decides(context)),
        }
    }

    /// Does the stage, unless it is done already. Says so either way.
    pub(crate) fn ensure(self, context: &mut Context) -> Result<()> {
        let key = self.key(context)?;
        let name = self.to_string();
        if context.manifest.is_done(&name, &key, context.folder.path()) {
            eprintln!("{name}: up to date");
            return Ok(());
        }
        let resumed = context.manifest.was_begun(&name, &key);
        let before = context.manifest.stages.get(&name).filter(|_| resumed).map_or(0.0, |record| record.seconds);
        let mut record = StageRecord { key, finished: false, seconds: before, outputs: BTreeMap::new(), parts: Vec::new() };
        context.manifest.stages.insert(name.clone(), record.clone());
        context.manifest.write(&context.folder.manifest())?;

        let started = Instant::now();
        let made = match self {
            Self::Preprocess => preprocess::execute(context),
            Self::Train => train::execute(context, resumed),
            Self::Generate => generate::execute(context),
            Self::Evaluate => evaluate::execute(context),
            Self::Report => report::execute(context),
        };
        record.seconds = before + started.elapsed().as_secs_f64();
        let result =
            made.map(|made| (record.parts, record.outputs) = (made.parts, checksums(&made.outputs, context.folder.path())));
        record.finished = result.is_ok();
        context.manifest.stages.insert(name, record);
        context.manifest.write(&context.folder.manifest())?;
        result
    }

    /// SHA-256 over what decides the stage.
    fn key(self, context: &mut Context) -> Result<String> {
        let decides = self.decides(context)?;
        let mut inputs = BTreeMap::new();
        for path in decides.files {
            let name = relative(&path, context.folder.path());
            if !path.exists() {
                let earlier = Self::ALL.iter().take_while(|stage| **stage != self).map(ToString::to_string).collect::<Vec<_>>();
                bail!(
                    "{self} needs {name}, which is not in {}; run the earlier stages first ({}), or all with `physiosynth run --output {}`",
                    context.folder.path().display(),
                    earlier.join(", "),
                    context.folder.path().display()
                );
            }
            inputs.insert(name, files::sha256(&path)?);
        }
        let all = json!({"stage": self.to_string(), "version": env!("CARGO_PKG_VERSION"), "settings": decides.settings, "inputs": inputs});
        Ok(files::sha256_of(all.to_string().as_bytes()))
    }
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// Checksums of files, and of the files in folders.
fn checksums(paths: &[PathBuf], folder: &Path) -> BTreeMap<String, String> {
    let mut sums = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            let inside: Vec<PathBuf> =
                std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
            sums.extend(checksums(&inside, folder));
        } else if let Ok(sum) = files::sha256(path) {
            sums.insert(relative(path, folder), sum);
        }
    }
    sums
}

/// A JSON value of settings.
fn settings<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).context("settings cannot be written as JSON")
}

/// Reads a JSON file that an earlier stage wrote.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not what this version writes; remove it and run its stage again", path.display()))
}

/// Writes a value as JSON, atomically.
pub(crate) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).with_context(|| format!("cannot write {} as JSON", path.display()))?;
    text.push('\n');
    files::write_atomically(path, text.as_bytes())
}

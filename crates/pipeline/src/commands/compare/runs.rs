//! What a run folder says of its run. Of a model only what is shown is read, so that runs of other versions can be compared too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use physiosynth_evaluation::{Outcome, Scores};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::manifest::Manifest;
use crate::run_folder::RunFolder;

/// A run with all that is compared.
pub(super) struct Run {
    pub(super) facts: RunFacts,
    /// Every setting by its dotted key.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) scores: Scores,
    /// SHA-256 of the real segments; none where the run does not say.
    pub(super) segments: Option<String>,
}

/// What is shown of a run as it is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunFacts {
    /// The folder's name; its whole path where another has that name too.
    pub(super) name: String,
    pub(super) folder: String,
    /// Trained values; none where the run has no model of ours.
    pub(super) parameters: Option<u64>,
    pub(super) steps: Option<u64>,
    pub(super) train_loss: Option<f64>,
    pub(super) validation_loss: Option<f64>,
    /// Wall time of the stages, by name.
    pub(super) seconds: BTreeMap<String, f64>,
    /// Threads it computed with; 0 where the run does not say.
    pub(super) threads: usize,
    pub(super) verdicts: BTreeMap<String, Outcome>,
    /// The course of training.
    pub(super) history: Vec<Epoch>,
}

/// Losses of an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Epoch {
    pub(super) step: u64,
    pub(super) train_loss: f64,
    pub(super) validation_loss: Option<f64>,
}

#[derive(Deserialize)]
struct Model {
    parameters: u64,
}

/// Reads the runs in these folders.
pub(super) fn read(folders: &[PathBuf]) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    let names: Vec<String> = folders.iter().map(|path| name(path)).collect();
    for (path, name) in folders.iter().zip(&names) {
        let alone = names.iter().filter(|other| *other == name).count() == 1;
        let name = if alone { name.clone() } else { path.display().to_string() };
        if runs.iter().any(|run| run.facts.name == name) {
            bail!("{} is named twice; name each run once", path.display());
        }
        runs.push(one(path, name)?);
    }
    Ok(runs)
}

/// The last part of a path; of `.` and the like, that of the folder it stands for.
fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let last = path.file_name().or(whole.file_name());
    last.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn one(path: &Path, name: String) -> Result<Run> {
    let folder = RunFolder::to_read(path);
    if !path.is_dir() {
        bail!("{} is no folder; name the folders of finished runs, such as reports/mitdb-standard", path.display());
    }
    if !folder.config().exists() {
        bail!("{} is no run folder: it has no config.toml; make one with `physiosynth run --output {0}`", path.display());
    }
    if !folder.scores().exists() {
        bail!(
            "the run in {} is not finished: it has no scores.json; finish it with `physiosynth evaluate --output {0}`",
            path.display()
        );
    }
    let manifest = Manifest::read(&folder.manifest())?;
    let stale = manifest.stages.get("evaluate").is_some_and(|stage| !stage.finished);
    if stale {
        bail!("the scores in {} are of an earlier run; finish this one with `physiosynth evaluate --output {0}`", path.display());
    }
    let text = std::fs::read_to_string(folder.config()).with_context(|| format!("cannot read {}", folder.config().display()))?;
    let table: Table = text.parse().with_context(|| format!("{} is not valid TOML", folder.config().display()))?;
    let mut settings = BTreeMap::new();
    flatten(&table, "", &mut settings);
    let scores: Scores = json(&folder.scores())?.with_context(|| format!("cannot read {}", folder.scores().display()))?;
    let model: Option<Model> = json(&folder.model().join("config.json"))?;
    let history: Vec<Epoch> = json(&folder.model().join("history.json"))?.unwrap_or_default();
    let last = history.last();
    let facts = RunFacts {
        name,
        folder: path.display().to_string(),
        parameters: model.map(|model| model.parameters),
        steps: last.map(|loss| loss.step),
        train_loss: last.map(|loss| loss.train_loss),
        validation_loss: last.and_then(|loss| loss.validation_loss),
        seconds: manifest.stages.iter().map(|(stage, record)| (stage.clone(), record.seconds)).collect(),
        threads: manifest.threads,
        verdicts: scores.verdicts.iter().map(|(question, verdict)| (question.clone(), verdict.outcome)).collect(),
        history,
    };
    let segments = manifest.stages.get("preprocess").and_then(|stage| stage.outputs.get("segments.h5").cloned());
    Ok(Run { facts, settings, scores, segments })
}

/// A JSON file's value; none where there is no such file.
fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause).with_context(|| format!("cannot read {}", path.display())),
    };
    let value = serde_json::from_slice(&text);
    value
        .map(Some)
        .with_context(|| format!("{} is not what this version reads; run the stage that writes it again", path.display()))
}

fn flatten(table: &Table, prefix: &str, into: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let dotted = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) => flatten(inner, &format!("{dotted}."), into),
            toml::Value::String(text) => drop(into.insert(dotted, text.clone())),
            other => drop(into.insert(dotted, other.to_string())),
        }
    }
}

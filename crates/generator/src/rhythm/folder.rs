//! The files of the rhythm model, below the generator's model folder.
//!
//! `rhythm.json`: configuration, vocabulary, portraits of the training records; `best.safetensors`: the weights that sampling uses;
//! `last.safetensors`: what resuming needs; `report.json`: how it did on the validation subjects. Each is written under a temporary
//! name, synced, and renamed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::portrait::{Portraits, Standard};
use super::tokens::Vocabulary;
use super::{RhythmConfig, RhythmError};
use crate::files::ModelFiles;
use crate::optimiser::Optimiser;
use crate::weights::{self, Array};

/// Name of the folder within a model folder.
pub const FOLDER: &str = "rhythm";
/// Name of the file with the description.
pub const DESCRIPTION: &str = "rhythm.json";
/// Name of the file with the weights that sampling uses.
pub const BEST: &str = "best.safetensors";
/// Name of the file that training resumes from.
pub const LAST: &str = "last.safetensors";
/// Name of the file that says how the model did.
pub const REPORT: &str = "report.json";

/// Everything that fixes the model's shape and meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    /// Version of this layout: 1.
    pub(super) format: u32,
    pub(super) rhythm: RhythmConfig,
    pub(super) seed: u64,
    pub(super) vocabulary: Vocabulary,
    pub(super) standard: Standard,
    pub(super) portraits: Portraits,
    /// Tells the training data from any other, in hexadecimal.
    pub(super) data: String,
}

/// What is known of a validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Validated {
    pub(super) step: u64,
    /// Mean training loss of the steps since the last validation, in nats per beat.
    pub(super) train_loss: f64,
    /// Nats per beat of the validation subjects; none where there are none.
    pub(super) validation: Option<f64>,
}

/// What `last.safetensors` says beside its arrays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct History {
    pub(super) finished: bool,
    pub(super) validations: Vec<Validated>,
}

/// A description with its best weights.
pub(super) type Trained = (Description, BTreeMap<String, Array>);

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    files: ModelFiles,
}

impl Folder {
    /// Below this model folder. Files that are part of the program can only be read.
    pub(super) fn new(files: impl Into<ModelFiles>) -> Self {
        Self { files: files.into() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path(&format!("{FOLDER}/{name}"))
    }

    fn file(&self, name: &str, cause: &impl ToString) -> RhythmError {
        RhythmError::File { path: self.path(name), cause: cause.to_string() }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RhythmError> {
        self.files.read(&format!("{FOLDER}/{name}")).map_err(|cause| self.file(name, &cause))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RhythmError> {
        weights::write_atomically(&self.path(name), bytes).map_err(|cause| self.file(name, &cause))
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, RhythmError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|cause| self.file(name, &cause))
    }

    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RhythmError> {
        let text = serde_json::to_string_pretty(value).map_err(|cause| self.file(name, &cause))?;
        self.write(name, (text + "\n").as_bytes())
    }

    /// Removes all of it.
    pub(super) fn clear(&self) -> Result<(), RhythmError> {
        match std::fs::remove_dir_all(self.files.path(FOLDER)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(self.file("", &cause)),
            _ => Ok(()),
        }
    }

    /// Starts anew with this description.
    pub(super) fn start(&self, description: &Description) -> Result<(), RhythmError> {
        self.clear()?;
        std::fs::create_dir_all(self.files.path(FOLDER)).map_err(|cause| self.file("", &cause))?;
        self.write_json(DESCRIPTION, description)
    }

    /// Whether the folder's description is exactly this one, byte for byte.
    pub(super) fn describes(&self, description: &Description) -> bool {
        let text = serde_json::to_string_pretty(description).unwrap_or_default() + "\n";
        matches!(self.read(DESCRIPTION), Ok(Some(bytes)) if bytes == text.as_bytes())
    }

    /// The description and best weights of a finished or unfinished training; `None` where there is none.
    pub(super) fn trained(&self) -> Result<Option<Trained>, RhythmError> {
        let (Some(description), Some(bytes)) = (self.json(DESCRIPTION)?, self.read(BEST)?) else { return Ok(None) };
        let description: Description = description;
        if let Some(problem) = description.portraits.problem(&description.vocabulary) {
            return Err(self.file(DESCRIPTION, &problem));
        }
        let (arrays, _) = weights::from_safetensors(&bytes).map_err(|cause| self.file(BEST, &cause))?;
        Ok(Some((description, arrays)))
    }

    /// `model` with arrays of the file `name`.
    pub(super) fn with_arrays<M: Module>(
        &self,
        name: &str,
        model: M,
        arrays: &BTreeMap<String, Array>,
    ) -> Result<M, RhythmError> {
        weights::with_arrays(model, arrays).map_err(|cause| self.file(name, &cause))
    }

    /// Makes the folder of a model that is handed on.
    pub(super) fn hand_on(&self, description: &Description, arrays: &BTreeMap<String, Array>) -> Result<(), RhythmError> {
        self.start(description)?;
        self.write(BEST, &weights::to_safetensors(arrays, None).map_err(|cause| self.file(BEST, &cause))?)
    }

    pub(super) fn save_best(&self, model: &impl Module) -> Result<(), RhythmError> {
        let bytes = weights::arrays(model).and_then(|arrays| weights::to_safetensors(&arrays, None));
        self.write(BEST, &bytes.map_err(|cause| self.file(BEST, &cause))?)
    }

    pub(super) fn save_last(&self, model: &impl Module, optimiser: &Optimiser, history: &History) -> Result<(), RhythmError> {
        let mut arrays = weights::arrays(model).map_err(|cause| self.file(LAST, &cause))?;
        arrays.extend(optimiser.arrays().map_err(|cause| self.file(LAST, &cause))?);
        let text = serde_json::to_string(history).map_err(|cause| self.file(LAST, &cause))?;
        let bytes = weights::to_safetensors(&arrays, Some(&text)).map_err(|cause| self.file(LAST, &cause))?;
        self.write(LAST, &bytes)
    }

    /// The state to resume from, `model` with its weights; `None` where nothing was saved, or it cannot be used.
    pub(super) fn load_last<M: Module>(&self, model: M, device: &Device) -> Option<(M, Optimiser, History)> {
        let (arrays, text) = weights::from_safetensors(&self.read(LAST).ok()??).ok()?;
        let history = serde_json::from_str(&text?).ok()?;
        let model = weights::with_arrays(model, &arrays).ok()?;
        Some((model, Optimiser::from_arrays(&arrays, device), history))
    }

    /// What the training reported.
    pub(super) fn report<T: DeserializeOwned>(&self) -> Result<Option<T>, RhythmError> {
        self.json(REPORT)
    }
}

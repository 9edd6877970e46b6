//! The model folder: what is kept of a training, so that it can be used and resumed.
//!
//! | file | holds |
//! |---|---|
//! | `config.json` | [`ModelDescription`] |
//! | `best.safetensors` | the weights for generation: the running mean over training steps where there is one, after the last epoch or the one with the lowest validation loss |
//! | `last.safetensors` | the weights of the last saved epoch, their running mean (`average.…`), Adam's moments (`optimiser.…`) and, in the metadata, the history: all that resuming needs, in one file so that it is never half new |
//! | `history.json` | one entry per epoch |
//! | `population.json` | the denoising objective's [`Population`]: what new patients are drawn from |
//! | `colour.safetensors` | where [`GeneratorConfig::noise_lags`](crate::GeneratorConfig::noise_lags) asks for it: the covariance of the channels over lags, by class, that the noise has |
//! | `spectra.safetensors` | beside it: the mean relative spectrum and power of each channel, by class, that what is generated is given |
//! | `people.json` | in a model that is handed on, instead of the above: people as distributions alone |
//!
//! No file holds a time or a date; two trainings with the same seed and data on the CPU write the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::colour::Colour;
use crate::files::ModelFiles;
use crate::model::{Generator, ModelDescription};
use crate::optimiser::Optimiser;
use crate::population::pooled::Pooled;
use crate::population::{Crowd, People, Population};
use crate::spectra::{Shape, Spectra};
use crate::training::Epoch;
use crate::weights::{self, Array};

/// Name of the file with the weights that generation uses.
pub const BEST: &str = "best.safetensors";
/// Name of the file that training resumes from.
pub const LAST: &str = "last.safetensors";
/// Name of the file with the model's description.
pub const DESCRIPTION: &str = "config.json";
/// Name of the file with the training history.
pub const HISTORY: &str = "history.json";
/// Name of the file with what new patients are drawn from.
pub const POPULATION: &str = "population.json";
/// Name of the file with the covariances of the noise.
pub const COLOUR: &str = "colour.safetensors";
/// Name of the file with the spectra of the classes.
pub const SPECTRA: &str = "spectra.safetensors";
/// Name of the file that a model has in its place that was handed on.
pub const PEOPLE: &str = "people.json";

/// What the names of the running mean's arrays begin with.
const AVERAGE: &str = "average.";

/// What went wrong with a file of the model folder.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The system refused.
    #[error("{path}: {action} failed: {cause}; check that the folder exists, is writable and has space")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {cause}; train again, or give the folder of a finished training")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// There is no trained model.
    #[error("{path}: no trained model here; train one first (`physiosynth train`)")]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
}

/// What `last.safetensors` says beside its arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// Whether the training came to its end.
    finished: bool,
    /// The finished epochs.
    history: Vec<Epoch>,
}

/// The state of a training after a finished epoch.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) model: Generator,
    /// The running mean of the weights; none where the configuration asks for none.
    pub(crate) average: Option<Generator>,
    pub(crate) optimiser: Optimiser,
    pub(crate) history: Vec<Epoch>,
    pub(crate) finished: bool,
}

/// The model folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    files: ModelFiles,
}

impl Folder {
    /// Files that are part of the program can only be read.
    pub(crate) fn new(files: impl Into<ModelFiles>) -> Self {
        Self { files: files.into() }
    }

    fn io(&self, name: &str, action: &'static str) -> impl FnOnce(std::io::Error) -> CheckpointError {
        let path = self.files.path(name);
        move |cause| CheckpointError::Io { path, action, cause }
    }

    fn format(&self, name: &str) -> impl Fn(String) -> CheckpointError {
        let path = self.files.path(name);
        move |cause| CheckpointError::Format { path: path.clone(), cause }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        self.files.read(name).map_err(self.io(name, "reading"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        weights::write_atomically(&self.files.path(name), bytes).map_err(self.io(name, "writing"))
    }

    fn write_arrays(&self, name: &str, arrays: &BTreeMap<String, Array>) -> Result<(), CheckpointError> {
        self.write(name, &weights::to_safetensors(arrays, None).map_err(self.format(name))?)
    }

    /// The arrays of a file; none where there is no such file.
    fn read_arrays(&self, name: &str) -> Result<Option<BTreeMap<String, Array>>, CheckpointError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        weights::from_safetensors(&bytes).map(|(arrays, _)| Some(arrays)).map_err(self.format(name))
    }

    fn json(&self, name: &str, value: &impl Serialize) -> Result<String, CheckpointError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| self.format(name)(error.to_string()))?;
        Ok(text + "\n")
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), CheckpointError> {
        self.write(name, self.json(name, value)?.as_bytes())
    }

    /// Whether the folder's description is exactly this one. Bytes are compared: numbers read back may be off by rounding.
    pub(crate) fn describes(&self, description: &ModelDescription) -> Result<bool, CheckpointError> {
        Ok(self.read(DESCRIPTION)?.as_deref() == Some(self.json(DESCRIPTION, description)?.as_bytes()))
    }

    /// Makes the folder, removes what an earlier training left in it, and describes the new one.
    pub(crate) fn start(&self, description: &ModelDescription) -> Result<(), CheckpointError> {
        std::fs::create_dir_all(self.files.path("")).map_err(self.io("", "making the folder"))?;
        // The state first: without it nothing is resumed, whatever else is left.
        for name in [LAST, BEST, HISTORY, POPULATION, COLOUR, SPECTRA, PEOPLE, DESCRIPTION] {
            match std::fs::remove_file(self.files.path(name)) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(self.io(name, "removing")(cause)),
                _ => {}
            }
        }
        self.write_json(DESCRIPTION, description)
    }

    /// The description of the model in the folder; `None` where there is none.
    pub(crate) fn description(&self) -> Result<Option<ModelDescription>, CheckpointError> {
        let Some(bytes) = self.read(DESCRIPTION)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| self.format(DESCRIPTION)(error.to_string()))
    }

    /// The description and the best weights, for generation.
    pub(crate) fn trained(&self) -> Result<(ModelDescription, BTreeMap<String, Array>), CheckpointError> {
        let missing = |name: &str| CheckpointError::Missing { path: self.files.path(name) };
        let description = self.description()?.ok_or_else(|| missing(DESCRIPTION))?;
        let bytes = self.read(BEST)?.ok_or_else(|| missing(BEST))?;
        let (arrays, _) = weights::from_safetensors(&bytes).map_err(self.format(BEST))?;
        Ok((description, arrays))
    }

    /// Keeps what new patients are drawn from.
    pub(crate) fn save_population(&self, population: &Population) -> Result<(), CheckpointError> {
        self.write_json(POPULATION, population)
    }

    /// What new patients are drawn from, subject by subject.
    pub(crate) fn population(&self) -> Result<Population, CheckpointError> {
        let missing = || CheckpointError::Missing { path: self.files.path(POPULATION) };
        let bytes = self.read(POPULATION)?.ok_or_else(missing)?;
        serde_json::from_slice(&bytes).map_err(|error| self.format(POPULATION)(error.to_string()))
    }

    /// Keeps the colour of the noise, where it has one.
    pub(crate) fn save_colour(&self, colour: Option<&Colour>) -> Result<(), CheckpointError> {
        colour.map_or(Ok(()), |colour| self.write_arrays(COLOUR, &colour.arrays()))
    }

    /// The colour of the noise of the model; none where it is white.
    pub(crate) fn colour(&self, description: &ModelDescription) -> Result<Option<Colour>, CheckpointError> {
        let Some(arrays) = self.read_arrays(COLOUR)? else { return Ok(None) };
        let format = self.format(COLOUR);
        let colour = Colour::from_arrays(&arrays).map_err(&format)?;
        if colour.sizes() != (description.channels(), description.classes.len()) {
            return Err(format("it is for other channels or classes than the model's".into()));
        }
        Ok(Some(colour))
    }

    /// Keeps the spectra of the classes, where what is generated is to be given them.
    pub(crate) fn save_spectra(&self, spectra: Option<&Spectra>) -> Result<(), CheckpointError> {
        spectra.map_or(Ok(()), |spectra| self.write_arrays(SPECTRA, &spectra.arrays()))
    }

    /// The spectra of the model's classes; none where it has none to give.
    pub(crate) fn spectra(&self, description: &ModelDescription) -> Result<Option<Spectra>, CheckpointError> {
        let Some(arrays) = self.read_arrays(SPECTRA)? else { return Ok(None) };
        let shape = Shape {
            time: description.time,
            channels: description.channels(),
            sampling_frequency_hz: description.sampling_frequency_hz,
        };
        Spectra::from_arrays(&arrays, description.classes.len(), shape).map(Some).map_err(self.format(SPECTRA))
    }

    /// Who new patients are drawn from; `numbers` stand for the training subjects in the network.
    pub(crate) fn crowd(
        &self,
        description: &ModelDescription,
        numbers: Vec<Vec<f32>>,
    ) -> Result<Box<dyn Crowd>, CheckpointError> {
        let Some(bytes) = self.read(PEOPLE)? else { return Ok(Box::new(People::fit(self.population()?, numbers))) };
        let format = self.format(PEOPLE);
        let pooled: Pooled = serde_json::from_slice(&bytes).map_err(|error| format(error.to_string()))?;
        match pooled.problem(description.generator.subject_dimensions, description.channels()) {
            Some(problem) => Err(format(problem)),
            None => Ok(Box::new(pooled)),
        }
    }

    /// `model` with `arrays`, which came from the file `name`.
    pub(crate) fn with_arrays(
        &self,
        name: &str,
        model: Generator,
        arrays: &BTreeMap<String, Array>,
    ) -> Result<Generator, CheckpointError> {
        weights::with_arrays(model, arrays).map_err(self.format(name))
    }

    /// Makes a folder of a model that is handed on.
    pub(crate) fn hand_on(
        &self,
        description: &ModelDescription,
        arrays: &BTreeMap<String, Array>,
        pooled: &Pooled,
    ) -> Result<(), CheckpointError> {
        self.start(description)?;
        self.write_json(PEOPLE, pooled)?;
        self.write(BEST, &weights::to_safetensors(arrays, None).map_err(self.format(BEST))?)
    }

    /// Saves the weights of `model` as the best.
    pub(crate) fn save_best(&self, model: &Generator) -> Result<(), CheckpointError> {
        let arrays = weights::arrays(model).map_err(self.format(BEST))?;
        self.write(BEST, &weights::to_safetensors(&arrays, None).map_err(self.format(BEST))?)
    }

    /// Saves all that resuming needs, then the history beside it.
    pub(crate) fn save_last(&self, state: &State) -> Result<(), CheckpointError> {
        let format = self.format(LAST);
        let mut arrays = weights::arrays(&state.model).map_err(&format)?;
        if let Some(average) = &state.average {
            let average = weights::arrays(average).map_err(&format)?;
            arrays.extend(average.into_iter().map(|(path, array)| (format!("{AVERAGE}{path}"), array)));
        }
        arrays.extend(state.optimiser.arrays().map_err(&format)?);
        let saved = Saved { finished: state.finished, history: state.history.clone() };
        let text = serde_json::to_string(&saved).map_err(|error| format(error.to_string()))?;
        self.write(LAST, &weights::to_safetensors(&arrays, Some(&text)).map_err(&format)?)?;
        self.write_json(HISTORY, &state.history)
    }

    /// The state to resume from, with its parameters in place of `model`'s; `None` where nothing was saved.
    pub(crate) fn load_last(&self, model: Generator, device: &Device) -> Result<Option<State>, CheckpointError> {
        let Some(bytes) = self.read(LAST)? else { return Ok(None) };
        let format = self.format(LAST);
        let (arrays, text) = weights::from_safetensors(&bytes).map_err(&format)?;
        let text = text.ok_or_else(|| format("the metadata lack the training's history".into()))?;
        let saved: Saved = serde_json::from_str(&text).map_err(|error| format(error.to_string()))?;
        let model = self.with_arrays(LAST, model, &arrays)?;
        let averages: BTreeMap<String, Array> =
            arrays.iter().filter_map(|(name, array)| Some((name.strip_prefix(AVERAGE)?.to_owned(), array.clone()))).collect();
        let average = if averages.is_empty() { None } else { Some(self.with_arrays(LAST, model.valid(), &averages)?) };
        let optimiser = Optimiser::from_arrays(&arrays, device);
        // A crash between the two writes leaves the history one save behind.
        self.write_json(HISTORY, &saved.history)?;
        Ok(Some(State { model, average, optimiser, history: saved.history, finished: saved.finished }))
    }
}

//! A trained model without its training subjects, to be handed on.
//!
//! What a training keeps of its subjects (see [`checkpoint`](crate::checkpoint)) stays behind: their names, the table of numbers that
//! stand for them in the network, the facts of their beats, the portraits of their rhythms, the training's history. In its place stand
//! distributions over them, each fitted to all of them, in numbers of four digits. The network's weights are the training's: they were
//! fitted to the subjects' beats, and what they give away of those is what attacks on the model's output have to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::tensor::Device;
use physiosynth_signal::Seed;

use crate::checkpoint::{BEST, CheckpointError, Folder};
use crate::files::ModelFiles;
use crate::model::{Generator, ModelDescription};
use crate::objective::ObjectiveName;
use crate::population::pooled::Pooled;
use crate::rhythm::{self, RhythmError};

pub use crate::population::pooled::LeftOut;
pub use crate::shares::FEWEST;

/// With fewer training subjects, a distribution over them is about each of them.
pub const FEWEST_SUBJECTS: usize = 5;
/// The weights that stand for the training subjects.
const TABLE: &str = "conditions.subjects";

/// What was handed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The model, without its subjects.
    pub description: ModelDescription,
    /// How many training subjects its distributions are over.
    pub subjects: usize,
    /// Classes that it makes, with the original codes of each.
    pub classes: BTreeMap<String, Vec<String>>,
    /// Rhythms that its patients may have, as their marks name them.
    pub rhythms: Vec<String>,
    /// What fewer than [`FEWEST`] training subjects had, so that it is not in the model; in order of kind and name.
    pub left_out: Vec<LeftOut>,
}

/// Why a model cannot be handed on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file of the model could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The rhythm model could not be read or written.
    #[error(transparent)]
    Rhythm(#[from] RhythmError),
    /// The objective needs real segments.
    #[error(
        "the model was trained with the paired objective: it makes nothing without real segments, which must not be handed on; train with generator.objective = \"denoising\""
    )]
    Paired,
    /// There is no rhythm model.
    #[error(
        "there is no rhythm model beside the network, and without one patients' rhythms come from real segments; train with rhythm.enabled = true, on an ECG"
    )]
    NoRhythm,
    /// A distribution would tell of single people.
    #[error(
        "the model was trained on {found} subjects: a distribution over fewer than {FEWEST_SUBJECTS} tells of each; train on more"
    )]
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// The network could not be read.
    #[error("the network's weights cannot be read: {0}; train again")]
    Weights(String),
}

/// Writes the model that a training kept in `model_dir` into the folder `output`, without anything of one training subject.
pub fn export(model_dir: &Path, output: &Path) -> Result<Exported, ExportError> {
    let (from, to) = (ModelFiles::from(model_dir), ModelFiles::from(output));
    let folder = Folder::new(&from);
    let (mut description, mut arrays) = folder.trained()?;
    if description.generator.objective != ObjectiveName::Denoising {
        return Err(ExportError::Paired);
    }
    let network = Generator::new(&description.generator, description.sizes(), Seed(description.seed), &Device::flex());
    let numbers = folder.with_arrays(BEST, network, &arrays)?.trained_subjects().map_err(ExportError::Weights)?;
    let population = folder.population()?;
    if population.members.len() < FEWEST_SUBJECTS {
        return Err(ExportError::TooFew { found: population.members.len() });
    }
    let pooled = Pooled::of(&population, &numbers);
    let classes = pooled.classes();

    description.subjects.clear();
    description.data.clear();
    let table = arrays.get_mut(TABLE).ok_or_else(|| ExportError::Weights(format!("there is no '{TABLE}'")))?;
    table.shape = vec![0, description.generator.subject_dimensions];
    table.values.clear();
    let (colour, spectra) = (folder.colour(&description)?, folder.spectra(&description)?);
    Folder::new(&to).hand_on(&description, &arrays, &pooled)?;
    Folder::new(&to).save_colour(colour.as_ref())?;
    Folder::new(&to).save_spectra(spectra.as_ref())?;
    let kept: BTreeSet<String> = classes.keys().cloned().collect();
    let rhythm = rhythm::hand_on(&from, &to, &kept)?.ok_or(ExportError::NoRhythm)?;
    // A class is named once, with the subjects of the segments.
    let rhythms = rhythm.left_out.into_iter().filter(|left| left.kind == "rhythm");
    let left_out: BTreeSet<_> = pooled.left_out.iter().cloned().chain(rhythms).collect();
    Ok(Exported {
        description,
        subjects: pooled.subjects,
        classes,
        rhythms: rhythm.rhythms,
        left_out: left_out.into_iter().collect(),
    })
}

//! The rhythm of new patients: which beat comes when.
//!
//! A recurrent model over the beats of annotated records, one after the other: told of a patient (a [`Portrait`]: mean rate,
//! variability, shares of classes and rhythms) and of the beats so far, it gives the rhythm in force at the next beat, its class and its
//! interval. Sampled, it makes any number of beats from one patient's portrait: couplets, bigeminy, the pause behind a premature
//! beat, fibrillation and heart-rate variability come out of what it learned, not out of rules.
//!
//! ```text
//! BeatSequence (train, validation) ──► train ──► model folder ──► RhythmModel::patients, sample ──► RhythmBeat …
//! ```
//!
//! New patients are drawn around the portraits of the training records. A model that is handed on has distributions of portraits
//! instead (`pooled.rs`), and what of a record is private is told by none of the beats themselves.

mod baselines;
mod config;
mod examples;
mod export;
mod folder;
mod mixture;
mod net;
mod pooled;
mod portrait;
mod sampling;
mod tokens;
#[cfg(test)]
pub(crate) mod toy;
mod training;

use std::path::PathBuf;

use physiosynth_signal::Cancelled;

pub use config::{RhythmConfig, RhythmConfigError};
pub(crate) use export::hand_on;
pub use folder::{BEST, DESCRIPTION, FOLDER, LAST, REPORT};
pub use portrait::{KnownPortrait, Patient, Portrait};
pub use sampling::{IntervalLimits, RhythmBeat, RhythmModel};
pub use training::{Foreseen, Likelihood, RhythmReport, train};

/// Why there is no rhythm model, or it gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum RhythmError {
    /// A value of the configuration is out of range.
    #[error(transparent)]
    Config(#[from] RhythmConfigError),
    /// The beat sequences are inconsistent.
    #[error("the beat sequences do not fit together: {0}; preprocess again")]
    Sequences(String),
    /// A file of the model folder could not be read or written.
    #[error("{path}: {cause}; check that the folder is writable and has space, or train again")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The loss or the gradient is no number any more.
    #[error("learning rhythms diverged at step {step}: loss {loss}; lower rhythm.learning_rate (now {learning_rate})")]
    Diverged {
        /// The step, from 1.
        step: u64,
        /// Its loss.
        loss: f64,
        /// `rhythm.learning_rate`.
        learning_rate: f64,
    },
    /// Computing failed.
    #[error("the rhythm model failed: {0}; train again")]
    Device(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

//! The BiRNN generator: model, objectives, training, checkpoints, sampling, assembly of records.
//!
//! ```text
//! SegmentSet (train, validation) ──► data ──► objective ──► training ──► model folder
//! requests, model folder ──► sampling ──► SegmentSet (synthetic)
//! ```
//!
//! - [`device::choose`] opens what to compute on; [`device::devices`] lists what there is.
//! - [`training::train`] fits a [`model::Generator`] to what an [`objective`] shows it, and keeps it in a folder.
//! - [`memory::reach`] measures how far a trained network's memory reaches.
//! - [`sampling::generate`] makes synthetic segments of the classes and subjects asked for.
//!
//! Randomness is drawn on the host from streams keyed by purpose and step, so that on the CPU the same seed gives the same bytes,
//! with any number of threads, resumed or not. Networks are `physiosynth-recurrent`'s; no recurrence is computed here.
#![forbid(unsafe_code)]

pub mod assembly;
mod average;
pub mod checkpoint;
mod colour;
mod conditions;
pub mod config;
mod data;
pub mod device;
mod emphasis;
pub mod epochs;
pub mod export;
mod files;
mod gaussian;
pub mod memory;
mod mixing;
pub mod model;
pub mod objective;
mod optimiser;
pub mod population;
pub mod rhythm;
pub mod sampling;
mod shares;
mod spectra;
#[cfg(test)]
mod toy;
pub mod training;
mod weights;
mod windows;

pub use conditions::Covariate;
pub use config::{EegConfig, GeneratorConfig};
pub use data::DataError;
pub use device::{ChosenDevice, DeviceChoice, DeviceError, DeviceInfo};
pub use files::ModelFiles;
pub use objective::ObjectiveName;
pub use sampling::{Around, Request, SampleError, Sampler, SamplerConfig, generate};
pub use training::{Epoch, Existing, Stopped, TrainError, TrainingOutcome, train};

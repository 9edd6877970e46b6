//! From annotated records to equal-length, normalised, clustered segments.
//!
//! [`preprocess`] does the whole of it; each step is a module of its own. The order is part of the contract:
//!
//! 1. [`split`](mod@split) by subject, from the list of records alone;
//! 2. the lead by name;
//! 3. [`denoise`]: wavelet denoising and baseline removal, at the source's sampling frequency;
//! 4. [`resample`] once, the whole record, before any cut;
//! 5. [`normalise`]: z-scores, with scale and offset kept;
//! 6. [`segmentation`]: a window around each annotated beat, with class and intervals;
//! 7. [`clustering`] by class, subject and shape, and the two [`groups`] of the paired objective.
//!
//! An EEG goes the same way with other parts: several channels, filters, epochs of events ([`eeg`]).
//!
//! Whatever is fitted is fitted on training subjects alone.
#![forbid(unsafe_code)]

mod class_map;
pub mod clustering;
mod config;
pub mod denoise;
mod dot;
pub mod eeg;
pub mod groups;
pub mod length;
pub mod normalise;
mod preprocess;
mod record_segments;
pub mod resample;
mod residual;
mod rhythm;
pub mod segmentation;
pub mod split;
mod summary;
pub mod wavelet;

pub use class_map::{CLASSES, ClassMap};
pub use config::{KindChoice, PreprocessingConfig};
pub use eeg::EegConfig;
pub use normalise::{Normalise, Scaling};
pub use preprocess::{Prepared, PreprocessError, preprocess};
pub use resample::{ResampleError, Resampler};
pub use summary::{ClassCount, CodeClass, RecordSummary, Skipped, Stretch, Summary, Timing};

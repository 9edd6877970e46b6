//! Electroencephalograms: from a database of EEG records to epochs of several channels.
//!
//! The steps are those of an ECG in the same order, with other parts:
//!
//! 1. the [split](crate::split) by subject; by record where there is one subject only;
//! 2. channels by name, pattern or montage, and their reference ([`montage`]);
//! 3. at the source's rate, a notch at the [mains] frequency and a zero-phase band-pass ([`filter`]), then wavelet denoising with
//!    settings of its own, which keep the power of each band from 1 to 45 Hz within 5% (`tests/eeg.rs` holds it to that on real
//!    recordings);
//! 4. resampling, once, the whole record;
//! 5. z-scores, channel by channel;
//! 6. [`epochs`] of one length from annotated events, a label being what the database says that a code stands for;
//! 7. clusters by class and subject. Shapes are not clustered: the waves of two epochs are never in step.

mod config;
pub mod epochs;
pub mod filter;
pub mod mains;
pub mod montage;
mod preprocess;
mod record;

pub use config::{EegConfig, Mains, Reference};
pub use montage::canonical;
pub(crate) use preprocess::preprocess;
pub use record::{Cleaned, clean};

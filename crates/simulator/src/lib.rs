//! Simulated, annotated recordings: the demo databases, and ground truth for tests. Electrocardiograms are described here,
//! electroencephalograms in [`eeg`].
//!
//! The signal is the dynamical model of McSharry, Clifford, Tarassenko & Smith, "A dynamical model for generating synthetic
//! electrocardiogram signals", IEEE Transactions on Biomedical Engineering 50(3), 2003: a point runs round a circle once a
//! beat, and waves P, Q, R, S, T are pulled up or down as it passes their angles ([`model`]). The time round the circle is
//! the RR interval, whose spectrum has a Mayer-wave and a respiratory peak, with premature beats put in ([`rhythm`]). What a
//! recorder adds is added on top, each part by itself ([`noise`]), and the sum is digitised.
//!
//! Everything follows from the seed, per subject: the order in which records are read does not matter.
//!
//! ```
//! use physiosynth_signal::{RecordSource, Seed};
//! use physiosynth_simulator::{SimulatedDatabase, SimulatorConfig};
//!
//! let config = SimulatorConfig { subjects: 2, duration_s: 20.0, ..SimulatorConfig::default() };
//! let database = SimulatedDatabase::new(&config, Seed(1))?;
//! let record = database.read(0, Some("MLII"))?;
//! assert_eq!((record.name.as_str(), record.channels[0].samples.len()), ("sim01", 7200));
//! assert_eq!(record.annotations[0].aux, "(N");
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
#![forbid(unsafe_code)]

mod config;
mod database;
pub mod eeg;
mod error;
mod fiducials;
pub mod model;
pub mod morphology;
pub mod noise;
pub mod rhythm;
mod subject;

pub use config::SimulatorConfig;
pub use database::{NoiseParts, SimulatedDatabase, SimulatedRecord};
pub use eeg::{EegConfig, SimulatedEegDatabase};
pub use error::SimulatorError;
pub use fiducials::{Fiducials, WaveLimits};
pub use subject::{NoiseLevels, Subject};

/// Labels of the simulated leads, in channel order.
pub const LEADS: [&str; 2] = ["MLII", "V1"];

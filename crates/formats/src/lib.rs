//! Read and write recordings and segment files.
//!
//! A recording is read into a [`Record`](physiosynth_signal::Record), whatever its format: signals in physical units,
//! annotations, what the header says. A folder of recordings is a [`Database`], read record by record.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use physiosynth_formats::{WfdbReadOptions, open_database, read_record};
//! use physiosynth_signal::RecordSource;
//!
//! let record = read_record(Path::new("mitdb/100"), &WfdbReadOptions::default())?;
//! println!("{} lasts {} s", record.name, record.duration_s());
//!
//! let database = open_database(Path::new("mitdb"))?;
//! for entry in database.entries() {
//!     println!("record {} is of subject {}", entry.name, entry.subject);
//! }
//! # Ok::<(), physiosynth_formats::FormatError>(())
//! ```
//!
//! Each recording format has a folder: [`wfdb`], with one file per signal format; [`edf`]; [`delimited`] text; [`hdf5`]. A
//! [`recording`] of any of them can be read in parts and written in another. Segments are in [HDF5](segments) or [`npy`] arrays.
#![forbid(unsafe_code)]

mod database;
pub mod delimited;
pub mod edf;
mod error;
pub mod hdf5;
mod inspection;
pub mod npy;
mod numbers;
pub mod recording;
mod replace;
pub mod segments;
pub mod wfdb;

pub use database::{AxesChoice, Database, RecordingsConfig, open_database, open_database_with, write_record_list};
pub use error::FormatError;
pub use inspection::{AnnotationFacts, Inspection, SignalFacts, inspect, inspect_record, inspect_recording, inspect_with};
pub use wfdb::{RecordWriter, SignalFormat, WfdbReadOptions, read_annotations, read_header, read_record, write_record};

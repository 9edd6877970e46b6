//! The nouns shared by every crate of physiosynth: [`Record`], [`Channel`], [`Annotation`], [`SegmentSet`] and what goes
//! with them. No input or output, no algorithms.
//!
//! Conventions, held throughout the workspace:
//!
//! - sampling frequencies are in hertz, durations in seconds (`_s`) or milliseconds (`_ms`), as the name says;
//! - samples of a [`Channel`] are in the channel's physical unit, `f32`, `NaN` where a sample is missing;
//! - [`SegmentSet::signals`] is `[segment, time, channel]`, row-major;
//! - a sample index counts from the start of the record at the record's own sampling frequency.
//!
//! ```
//! use physiosynth_signal::{Annotation, Channel, Record};
//!
//! let record = Record::new("100")
//!     .with_channel(Channel::new("MLII", "mV", 360.0, vec![0.0; 720]))
//!     .with_annotations(vec![Annotation::beat(180, "N")]);
//! assert_eq!(record.duration_s(), 2.0);
//! assert_eq!(record.channel("MLII").map(|c| c.samples.len()), Some(720));
//! ```
#![forbid(unsafe_code)]

mod annotation;
mod kind;
mod progress;
mod random;
mod record;
mod segments;
mod sequence;
mod source;
mod subject_info;

pub use annotation::{Annotation, Code};
pub use kind::SignalKind;
pub use progress::{Cancelled, Progress, Silent};
pub use random::Seed;
pub use record::{Channel, Digitisation, Record};
pub use segments::{Group, Segment, SegmentError, SegmentSet, Split};
pub use sequence::{BeatSequence, Residual};
pub use source::{RecordEntry, RecordSource, SourceError};
pub use subject_info::{Sex, SubjectInfo, subject_info};

//! Measures of synthetic against real segments: fidelity and diversity, each between its references and beside its
//! baselines.
#![forbid(unsafe_code)]

mod scores;

pub use scores::{Better, Family, Measure, Outcome, Scores, Verdict};

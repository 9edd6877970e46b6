//! Measures that give segments a value of their own: each candidate segment, or each reference segment. The set's is their mean, and
//! subjects can be resampled for its interval. Each in a file of its own; a new one is one new file and one line in
//! [`BY_SEGMENT`].

mod authenticity;
mod coverage;
mod density;
mod precision;
mod recall;

use super::About;
use crate::comparison::Comparison;

/// Whose segments have the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The set under judgement's.
    Candidates,
    /// The real reference's.
    Reference,
}

/// A measure with a value for each segment of one of the sets.
#[derive(Clone, Copy)]
pub struct BySegment {
    /// What it is.
    pub about: About,
    /// Whose segments have values.
    pub over: Over,
    /// One value per segment; none where it is undefined for the segment.
    pub compute: fn(&Comparison) -> Vec<Option<f64>>,
}

/// Every measure by segment, in the order of the tables.
pub const BY_SEGMENT: [BySegment; 5] =
    [precision::MEASURE, recall::MEASURE, density::MEASURE, coverage::MEASURE, authenticity::MEASURE];

//! Measures that give each segment of a set a value of its own, given the reference; the set's is their mean, and subjects
//! can be resampled for its interval. Each in a file of its own; a new one is one new file and one line in [`BY_SEGMENT`].

use super::About;
use crate::comparison::Comparison;

/// A measure with a value for each candidate segment.
#[derive(Clone, Copy)]
pub struct BySegment {
    /// What it is.
    pub about: About,
    /// One value per candidate segment; none where it is undefined for the segment.
    pub compute: fn(&Comparison) -> Vec<Option<f64>>,
}

/// Every measure by segment, in the order of the tables.
pub const BY_SEGMENT: [BySegment; 0] = [];

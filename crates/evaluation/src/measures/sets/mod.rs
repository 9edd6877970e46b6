//! Measures of one set against another, each in a file of its own. A new one is one new file and one line in [`OF_SETS`].

mod distinct;
mod predictive;
mod spread;

pub use spread::spread;

use super::About;
use crate::comparison::Comparison;

/// A measure of a set as a whole.
#[derive(Clone, Copy)]
pub struct OfSets {
    /// What it is.
    pub about: About,
    /// The measure; none where it is undefined for these sets.
    pub compute: fn(&Comparison) -> Option<f64>,
}

/// Every measure of sets, in the order of the tables.
pub const OF_SETS: [OfSets; 3] = [spread::MEASURE, distinct::MEASURE, predictive::MEASURE];

//! The measures of segments, by what they look at: pairs of segments, each segment among a set, or sets.

pub mod pairwise;
pub mod segments;
pub mod sets;

use crate::scores::{Better, Family};

/// What a measure counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A pure number.
    None,
    /// Percent.
    Percent,
    /// The signal's physical unit.
    Physical,
    /// A unit of its own.
    Named(&'static str),
}

/// What a reader of the tables is told about a measure.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The field's short name, in snake case.
    pub name: &'static str,
    /// What it counts in.
    pub unit: Unit,
    /// The question it helps to answer.
    pub family: Family,
    /// Which values are good.
    pub better: Better,
    /// Formula, range, source, and what it cannot see.
    pub definition: &'static str,
}

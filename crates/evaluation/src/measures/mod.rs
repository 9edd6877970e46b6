//! The measures that compare one segment with another, each in a file of its own. A new one is one new file and one line
//! in [`PAIRWISE`].
//!
//! A segment is a row-major slice `[time, channel]` in physical units; the real one comes first.

mod dtw;
mod frechet;
mod mae;
mod pearson;
mod prd;
mod rmse;
pub mod spread;

pub use dtw::dtw;
pub use frechet::frechet;
pub use mae::mae;
pub use pearson::pearson;
pub use prd::prd;
pub use rmse::rmse;

use crate::scores::Better;

/// What a pairwise measure is told besides the two segments.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Channels per segment: samples of one instant lie side by side.
    pub channels: usize,
    /// Half-width in samples of the band of dynamic time warping.
    pub band: usize,
}

/// What a measure counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A pure number.
    None,
    /// Percent.
    Percent,
    /// The signal's physical unit.
    Physical,
}

/// A measure of one segment against another.
#[derive(Clone, Copy)]
pub struct Pairwise {
    /// The field's short name, in snake case.
    pub name: &'static str,
    /// What it counts in.
    pub unit: Unit,
    /// Which values are good.
    pub better: Better,
    /// Formula, unit, range and source.
    pub definition: &'static str,
    /// The measure: real segment, other segment, shape. None where it is undefined for the pair.
    pub compute: fn(&[f32], &[f32], Shape) -> Option<f64>,
}

/// Every pairwise measure, in the order of the tables.
pub const PAIRWISE: [Pairwise; 6] = [prd::MEASURE, rmse::MEASURE, mae::MEASURE, pearson::MEASURE, frechet::MEASURE, dtw::MEASURE];

//! Measures of one segment against another, each in a file of its own. A new one is one new file and one line in
//! [`PAIRWISE`].
//!
//! Each is scored twice: on pairs of a segment and its nearest real one (`…_nearest`), and on the mean segments of a class
//! (`…_class_mean`). A segment is a row-major slice `[time, channel]` in physical units; the real one comes first.

mod dtw;
mod frechet;
mod mae;
mod pearson;
mod prd;
mod prdn;
mod rmse;
mod side_by_side;

pub use dtw::dtw;
pub use frechet::frechet;
pub use mae::mae;
pub use pearson::pearson;
pub use prd::prd;
pub use prdn::prdn;
pub use rmse::rmse;

use super::About;
use crate::comparison::Shape;

/// A measure of one segment against another.
#[derive(Clone, Copy)]
pub struct Pairwise {
    /// What it is.
    pub about: About,
    /// The measure: real segment, other segment, shape. None where it is undefined for the pair.
    pub compute: fn(&[f32], &[f32], Shape) -> Option<f64>,
    /// The same for several pairs at once, to the last bit, where that is faster.
    pub many: Option<Many>,
}

/// A segment and another one.
pub type Pair<'a> = (&'a [f32], &'a [f32]);

/// Of several pairs: one value for each.
pub type Many = fn(&[Pair], Shape) -> Vec<Option<f64>>;

/// Every pairwise measure, in the order of the tables.
pub const PAIRWISE: [Pairwise; 7] =
    [prd::MEASURE, prdn::MEASURE, rmse::MEASURE, mae::MEASURE, pearson::MEASURE, frechet::MEASURE, dtw::MEASURE];

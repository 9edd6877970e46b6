//! Classifiers that sit in judgement: they learn to tell classes apart (utility) or real from synthetic (discrimination).
//!
//! What a classifier is told of a segment is in [`Examples`], made by [`describe`]; how well it did, in [`Confusion`] and
//! [`area_under_curve`].

mod confusion;
mod examples;
mod forest;
pub mod networks;
mod ranking;

use physiosynth_signal::Seed;

pub use confusion::Confusion;
pub use examples::{Described, Examples, Table, describe, plain};
pub use forest::Forest;
pub use networks::{Architecture, Learnt, Network};
pub use ranking::{accuracy, area_under_curve};

/// Something that can be taught classes by examples.
///
/// The same examples, seed and purpose give the same bits, for any number of threads.
pub trait Classifier: Sync {
    /// Its name in the tables: the end of its measures' names.
    fn name(&self) -> &'static str;

    /// Learns from `examples`, of which the `i`-th is of class `labels[i]`, an index below `classes`. Classes weigh the same in
    /// all, however many examples each has. Draws from streams of `seed` under `purpose`.
    fn fit(&self, examples: &Examples, labels: &[usize], classes: usize, seed: Seed, purpose: &str) -> Box<dyn Fitted>;
}

/// A classifier that has learnt.
pub trait Fitted: Send + Sync {
    /// Probability of each class for each of `examples`, `[example, class]`; rows sum to 1.
    fn probabilities(&self, examples: &Examples) -> Table;

    /// Where in each of `examples` it looked: the weight of each stretch of equal length, `[example, stretch]`; rows sum to 1. None of
    /// what has no attention.
    fn attention(&self, _examples: &Examples) -> Option<Table> {
        None
    }
}

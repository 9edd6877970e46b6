//! Simple generators that stand in the same tables: a generator is worth its cost where it beats them. Each is a file of its
//! own; a new one is one new file and one line in [`BASELINES`].

mod copy;
mod jittered;
mod mcsharry;
mod mean_noise;
mod pca_gaussian;
mod var;

use physiosynth_signal::Seed;

use crate::comparison::Shape;
use crate::pool::Pool;

/// What a baseline is fitted on.
pub struct Fitting<'a> {
    /// All real training segments drawn for the class.
    pub train: &'a Pool,
    /// The half of them that everything is scored against; a baseline makes as many.
    pub reference: &'a Pool,
    /// How segments are laid out.
    pub shape: Shape,
    /// Baselines draw from streams of their own purpose, with the class's name in it.
    pub seed: Seed,
    /// The class.
    pub class: &'a str,
}

/// A simple generator of segments of one class.
#[derive(Clone, Copy)]
pub struct Baseline {
    /// Its name in the tables, in snake case.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub definition: &'static str,
    /// Makes as many segments as the reference has; none where it cannot be fitted.
    pub make: fn(&Fitting) -> Option<Pool>,
}

/// Every baseline, in the order of the tables.
pub const BASELINES: [Baseline; 6] =
    [copy::BASELINE, jittered::BASELINE, mean_noise::BASELINE, pca_gaussian::BASELINE, mcsharry::BASELINE, var::BASELINE];

/// What every baseline that can be fitted makes.
pub(crate) fn made(fitting: &Fitting) -> Vec<(&'static str, Pool)> {
    BASELINES.iter().filter_map(|baseline| Some((baseline.name, (baseline.make)(fitting)?))).collect()
}

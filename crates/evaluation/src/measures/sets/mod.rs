//! Measures of one set against another, each in a file of its own. A new one is one new file and one line in [`OF_SETS`].

mod alpha_precision;
mod autocorrelation;
mod beta_recall;
mod distinct;
mod gaussian_frechet;
mod kurtosis;
mod marginals;
mod mmd;
mod moments;
mod predictive;
mod skewness;
mod spectrum;
mod spread;
mod wasserstein;

pub use autocorrelation::autocorrelation_difference;
pub use gaussian_frechet::{COMPONENTS, gaussian_frechet_squared};
pub(crate) use gaussian_frechet::{components, frechet_squared};
pub use kurtosis::kurtosis_difference;
pub use marginals::marginal_difference;
pub use mmd::{Mmd, mmd};
pub use skewness::skewness_difference;
pub use spectrum::{Spectrum, log_spectral_distance, welch};
pub use spread::spread;
pub use wasserstein::wasserstein_1;

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
pub const OF_SETS: [OfSets; 19] = [
    marginals::MEASURE,
    autocorrelation::MEASURE,
    skewness::MEASURE,
    kurtosis::MEASURE,
    wasserstein::MEASURE,
    spectrum::WHOLE,
    spectrum::BANDS[0],
    spectrum::BANDS[1],
    spectrum::BANDS[2],
    spectrum::BANDS[3],
    spectrum::BANDS[4],
    gaussian_frechet::MEASURE,
    mmd::SQUARED,
    mmd::P_VALUE,
    predictive::MEASURE,
    alpha_precision::MEASURE,
    beta_recall::MEASURE,
    spread::MEASURE,
    distinct::MEASURE,
];

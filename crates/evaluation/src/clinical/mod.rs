//! Clinical quantities of signals: pure functions from samples and marks to what a cardiologist or a neurologist would read off.
//! All of them return missing values for what cannot be had, and never fail.

pub mod bands;
pub mod beat;
pub mod connectivity;
pub mod delineate;
pub mod hjorth;
pub mod limits;
pub mod spectrum;
pub mod variability;
pub mod wasserstein;

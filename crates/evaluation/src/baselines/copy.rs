//! A generator that copies: where it wins, a measure rewards copying.

use super::{Baseline, Fitting};

pub(super) const BASELINE: Baseline = Baseline {
    name: "training_copy",
    definition: "The real reference itself, as a generator that copies its training segments would give it.",
    make: |fitting: &Fitting| Some(fitting.reference.clone()),
};

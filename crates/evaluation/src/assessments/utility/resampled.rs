//! How far values on held-out subjects are to be trusted.

use std::collections::BTreeSet;

use rand::RngExt;

use super::{Confusion, Judged};

/// What came of drawing held-out subjects and training draws anew, with replacement.
pub(super) struct Resampled {
    /// By real and by synthetic training, of each round.
    rounds: Vec<[Confusion; 2]>,
}

impl Resampled {
    /// Without the held-out subjects in `without`. No rounds where subjects are fewer than the configuration asks for, or one of
    /// them has over half of one of `classes`.
    pub(super) fn new(judged: &Judged, without: &BTreeSet<usize>, classes: &[usize], purpose: &str) -> Self {
        let (context, ground) = (judged.trial.context, judged.trial.ground);
        let all = judged.repeats.first().map_or(0, |repeat| repeat.trtr.len());
        let subjects: Vec<usize> = (0..all).filter(|subject| !without.contains(subject)).collect();
        let dominant = ground.dominant();
        let dominated = classes.iter().filter_map(|class| dominant.get(class)).any(|of_class| !of_class.is_subset(without));
        if subjects.len() < context.config.minimum_subjects || dominated {
            return Self { rounds: Vec::new() };
        }
        let purpose = format!("evaluation/utility/bootstrap/{}{purpose}", judged.trial.name);
        let mut rng = context.seed.stream(&purpose, 0);
        let round = |_| {
            let repeat = &judged.repeats[rng.random_range(0..judged.repeats.len())];
            let mut both = [(); 2].map(|()| Confusion::new(ground.classes.len(), ground.taught));
            for _ in 0..subjects.len() {
                let subject = subjects[rng.random_range(0..subjects.len())];
                both[0].merge(&repeat.trtr[subject]);
                both[1].merge(&repeat.tstr[subject]);
            }
            both
        };
        Self { rounds: (0..context.config.bootstrap_rounds).map(round).collect() }
    }

    /// The 95% interval of a value of the confusions by real and by synthetic training.
    pub(super) fn interval(&self, value: &dyn Fn(&[Confusion; 2]) -> Option<f64>) -> Option<(f64, f64)> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(value).collect();
        values.sort_by(f64::total_cmp);
        let at = |q: f64| values.get((values.len().saturating_sub(1) as f64 * q).round() as usize).copied();
        Some((at(0.025)?, at(0.975)?))
    }
}

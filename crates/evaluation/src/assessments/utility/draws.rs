//! Training sets of equal sizes, drawn anew for each repetition.

use physiosynth_signal::{SegmentSet, Split};
use rand::seq::SliceRandom;

use super::super::Context;
use super::ground::Ground;
use crate::baselines::{BASELINES, Fitting};
use crate::cases::FEWEST;
use crate::pool::Pool;

/// The sets of one repetition: as many segments of each taught class in each.
pub(super) struct Draw {
    /// Real training segments.
    pub reference: Pool,
    /// As many others of them.
    pub other: Pool,
    /// Synthetic segments; without a class that the generator lacks.
    pub synthetic: Pool,
}

impl Draw {
    pub(super) fn new(context: &Context, ground: &Ground, draw: u64) -> Self {
        let mut sets = Self { reference: Pool::default(), other: Pool::default(), synthetic: Pool::default() };
        for class in &ground.classes[..ground.taught] {
            let shuffled = |set: &SegmentSet, split: Split, purpose: &str| {
                let mut indices = set.indices(|s| s.label == *class && s.split == split);
                indices.shuffle(&mut context.seed.stream(&format!("evaluation/utility/{purpose}/{class}"), draw));
                indices
            };
            let train = shuffled(context.real, Split::Train, "train");
            let made = shuffled(context.synthetic, Split::Synthetic, "synthetic");
            let most = context.config.segments_per_class.min(train.len() / 2);
            // A class that was hardly made leaves real training as it would be: what is missing is the generator's fault.
            let n = if made.len() < FEWEST { most } else { most.min(made.len()) };
            sets.reference.append(&Pool::new(context.real, &train[..n]));
            sets.other.append(&Pool::new(context.real, &train[n..2 * n]));
            sets.synthetic.append(&Pool::new(context.synthetic, &made[..n.min(made.len())]));
        }
        sets
    }

    /// What each baseline makes in place of `synthetic`, for those that can be fitted to every taught class.
    pub(super) fn baselines(&self, context: &Context, ground: &Ground) -> Vec<(&'static str, Pool)> {
        let made = BASELINES.iter().map(|baseline| {
            let mut all = Pool::default();
            for class in &ground.classes[..ground.taught] {
                let reference = self.reference.of_class(class);
                let mut train = reference.clone();
                train.append(&self.other.of_class(class));
                let shape = context.shape;
                let fitting = Fitting { train: &train, reference: &reference, shape, seed: context.seed, class };
                all.append(&(baseline.make)(&fitting)?);
            }
            Some((baseline.name, all))
        });
        made.flatten().collect()
    }
}

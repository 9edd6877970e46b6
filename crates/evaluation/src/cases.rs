//! The sets that stand against one another, class by class and in all.

use physiosynth_signal::{Seed, SegmentSet};
use rand::seq::SliceRandom;

use crate::pool::Pool;

/// The sets that one class is judged with. All but `held_out` have as many segments as `reference`, where there are so many.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) class: String,
    /// Half of the real training segments: what everything is scored against.
    pub(crate) reference: Pool,
    /// The other half.
    pub(crate) same: Pool,
    /// Segments of subjects that were not trained on; may be empty.
    pub(crate) held_out: Pool,
    /// The synthetic segments.
    pub(crate) synthetic: Pool,
}

impl Case {
    /// The classes together, under the name `all`: each set the union of the classes' sets, so that all hold equal shares of a class.
    pub(crate) fn union(cases: &[Self]) -> Self {
        let mut all = Self { class: "all".into(), ..Self::default() };
        for case in cases {
            all.reference.append(&case.reference);
            all.same.append(&case.same);
            all.held_out.append(&case.held_out);
            all.synthetic.append(&case.synthetic);
        }
        all
    }

    /// All real training segments of the case: what baselines are fitted on, as the generator was.
    pub(crate) fn train(&self) -> Pool {
        let mut train = self.reference.clone();
        train.append(&self.same);
        train
    }
}

/// Fewest segments on each side with which a class is scored.
pub(crate) const FEWEST: usize = 4;

/// Draws the sets of `class`, at most `cap` segments each; `Err` says in words why it cannot be scored.
pub(crate) fn draw(class: &str, real: &SegmentSet, synthetic: &SegmentSet, cap: usize, seed: Seed) -> Result<Case, String> {
    use physiosynth_signal::Split;
    let shuffled = |set: &SegmentSet, split: Split, purpose: &str| {
        let mut indices = set.indices(|s| s.label == class && s.split == split);
        indices.shuffle(&mut seed.stream(&format!("evaluation/{purpose}/{class}"), 0));
        indices
    };
    let train = shuffled(real, Split::Train, "train");
    // Test subjects are what nothing was chosen on; a run without them falls back to its validation subjects.
    let any_test = real.segments.iter().any(|s| s.split == Split::Test);
    let held_out = shuffled(real, if any_test { Split::Test } else { Split::Validation }, "held-out");
    let made = shuffled(synthetic, Split::Synthetic, "synthetic");
    let n = cap.min(train.len() / 2).min(made.len());
    if n < FEWEST {
        return Err(format!(
            "class {class} is not scored: {} real training segments and {} synthetic ones; at least {} and {FEWEST} are needed",
            train.len(),
            made.len(),
            2 * FEWEST
        ));
    }
    Ok(Case {
        class: class.to_string(),
        reference: Pool::new(real, &train[..n]),
        same: Pool::new(real, &train[n..2 * n]),
        held_out: if held_out.len() < FEWEST { Pool::default() } else { Pool::new(real, &held_out[..n.min(held_out.len())]) },
        synthetic: Pool::new(synthetic, &made[..n]),
    })
}

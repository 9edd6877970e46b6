//! The sets that stand against one another, class by class and in all.

use std::collections::{BTreeMap, BTreeSet};

use physiosynth_signal::{Seed, SegmentSet};
use rand::seq::SliceRandom;

use crate::baselines::{self, BASELINES, Fitting};
use crate::comparison::Shape;
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
    /// What baselines make in place of the synthetic segments; without those that could not be fitted.
    pub(crate) baselines: Vec<(&'static str, Pool)>,
}

impl Case {
    /// The classes together, under the name `all`: each set the union of the classes' sets, so that all hold equal shares of a class.
    /// A baseline that could not be fitted to every class is left out.
    pub(crate) fn union(cases: &[Self]) -> Self {
        let mut all = Self { class: "all".into(), ..Self::default() };
        for case in cases {
            all.reference.append(&case.reference);
            all.same.append(&case.same);
            all.held_out.append(&case.held_out);
            all.synthetic.append(&case.synthetic);
        }
        let complete = BASELINES.iter().filter_map(|baseline| {
            let mut all = Pool::default();
            for case in cases {
                all.append(case.baseline(baseline.name)?);
            }
            Some((baseline.name, all))
        });
        all.baselines = complete.collect();
        all
    }

    fn baseline(&self, name: &str) -> Option<&Pool> {
        self.baselines.iter().find(|made| made.0 == name).map(|made| &made.1)
    }

    /// The case with its baselines, fitted as the generator was on all real training segments drawn. They are made once, for all
    /// assessments.
    pub(crate) fn with_baselines(mut self, shape: Shape, seed: Seed) -> Self {
        let train = self.train();
        let fitting = Fitting { train: &train, reference: &self.reference, shape, seed, class: &self.class };
        self.baselines = baselines::made(&fitting);
        self
    }

    /// All real training segments of the case.
    pub(crate) fn train(&self) -> Pool {
        let mut train = self.reference.clone();
        train.append(&self.same);
        train
    }
}

/// What decides on a verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deciding {
    /// Class label, or `all`.
    pub(crate) class: String,
    /// Share of its synthetic segments that say themselves of which training subject they are.
    pub(crate) named: f64,
}

impl Deciding {
    fn of(case: &Case) -> Self {
        let trained: BTreeSet<&String> = case.reference.subjects.iter().chain(&case.same.subjects).collect();
        let named = case.synthetic.subjects.iter().filter(|subject| !subject.is_empty() && trained.contains(subject)).count();
        Self { class: case.class.clone(), named: named as f64 / case.synthetic.len().max(1) as f64 }
    }
}

/// What decides on verdicts: the classes whose reference has `minimum` subjects or more, none of them with over half of its segments
/// (all classes where there is no such class), and all together. `notes` gets which are left out, and why.
pub(crate) fn deciding(cases: &[Case], minimum: usize, notes: &mut Vec<String>) -> Vec<Deciding> {
    let unfit = |case: &Case| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        case.reference.subjects.iter().for_each(|subject| *counts.entry(subject).or_default() += 1);
        let (most, n) = counts.iter().max_by_key(|(_, n)| **n)?;
        if counts.len() < minimum {
            return Some(format!("it has {} training subjects, and {minimum} are needed", counts.len()));
        }
        (2 * n > case.reference.len()).then(|| format!("subject {most} has {} of its {} segments", n, case.reference.len()))
    };
    let why: Vec<Option<String>> = cases.iter().map(unfit).collect();
    let none = why.iter().all(Option::is_some);
    let mut deciding = Vec::new();
    for (case, why) in cases.iter().zip(why) {
        match why {
            Some(why) if !none => {
                notes.push(format!(
                    "class {} does not decide whether segments are faithful, diverse and plausible: {why}",
                    case.class
                ));
            }
            _ => deciding.push(Deciding::of(case)),
        }
    }
    if !cases.is_empty() {
        deciding.push(Deciding::of(&Case::union(cases)));
    }
    deciding
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
        baselines: Vec::new(),
    })
}

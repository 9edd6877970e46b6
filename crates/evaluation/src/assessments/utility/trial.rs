//! One classifier trained and tested.

use std::collections::BTreeSet;

use physiosynth_signal::Cancelled;

use super::super::Context;
use super::draws::Draw;
use super::ground::Ground;
use super::tested::Tested;
use crate::exhibits::Attention;
use crate::judges::{Classifier, Confusion, Described, Examples, Fitted, Table, describe};
use crate::pool::Pool;

/// Classifiers are taught as many segments of a rare class as of a common one; what they then answer is weighted by how frequent the
/// class is among real training segments, to this power: 0 would find many rare classes where there are none, 1 hardly any.
/// Chosen, as the leaf size and the descriptions were, on subjects of MIT-BIH's DS1 left out in turn.
const PREVALENCE_POWER: f64 = 0.3;

/// A classifier, what it is told of a segment, and the held-out segments so described.
pub(super) struct Trial<'a> {
    pub context: &'a Context<'a>,
    pub ground: &'a Ground,
    pub judge: &'a dyn Classifier,
    /// The end of its measures' names.
    pub name: String,
    pub described: Described,
    /// Which held-out segments it is tested on: of networks, some.
    pub tested: Tested,
    /// Those, described.
    pub held_out: Examples,
}

/// What came of one repetition.
pub(super) struct Repeat {
    /// Trained on real, tested on each held-out subject.
    pub trtr: Vec<Confusion>,
    /// Trained on synthetic, tested on each held-out subject.
    pub tstr: Vec<Confusion>,
    /// The rest, where asked for.
    pub reverse: Option<Reverse>,
    /// Where it looked, of judges with attention.
    pub attentions: Vec<Attention>,
}

/// What is tested on synthetic segments, and trained on more than one set.
pub(super) struct Reverse {
    /// Trained on real, tested on synthetic, as if classes were as frequent there as held out.
    pub trts: Confusion,
    /// The same, tested on other real training segments.
    pub same: Confusion,
    /// Macro-F1 on held-out subjects, trained on real and synthetic together.
    pub augmented: f64,
    /// The same, trained on real and as many more real ones.
    pub doubled: f64,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        ground: &'a Ground,
        judge: &'a dyn Classifier,
        name: String,
        described: Described,
    ) -> Self {
        let held_out = describe(&ground.held_out, context.shape.channels, described, &vec![1.0; ground.held_out.len()]);
        let (tested, held_out) = if described.curves {
            let tested = Tested::some(ground);
            let held_out = held_out.select(&tested.indices);
            (tested, held_out)
        } else {
            (Tested::all(ground), held_out)
        };
        Self { context, ground, judge, name, described, tested, held_out }
    }

    /// Trains and tests on the sets of repetition `number`.
    pub(super) fn repeat(&self, draw: &Draw, number: usize, reverse: bool) -> Result<Repeat, Cancelled> {
        let real = self.taught(&draw.reference);
        let synthetic = self.taught(&draw.synthetic);
        let by_real = self.fit(&real, &format!("real/{number}"))?;
        let by_synthetic = self.fit(&synthetic, &format!("synthetic/{number}"))?;
        let trtr = self.on_held_out(by_real.as_ref());
        let tstr = self.on_held_out(by_synthetic.as_ref());
        let mut attentions = self.attentions(by_real.as_ref(), "real");
        attentions.extend(self.attentions(by_synthetic.as_ref(), "synthetic"));
        if !reverse {
            return Ok(Repeat { trtr, tstr, reverse: None, attentions });
        }
        let other = self.taught(&draw.other);
        let on = |tested: &(Examples, Vec<usize>)| self.as_held_out(self.confusion(by_real.as_ref(), tested));
        let with = |more: &(Examples, Vec<usize>), purpose: &str| {
            let mut both = real.clone();
            both.0.append(&more.0);
            both.1.extend(&more.1);
            let fitted = self.fit(&both, &format!("{purpose}/{number}"))?;
            Ok::<_, Cancelled>(total(&self.on_held_out(fitted.as_ref())).macro_f1())
        };
        let reverse = Reverse {
            trts: on(&synthetic),
            same: on(&other),
            augmented: with(&synthetic, "augmented")?,
            doubled: with(&other, "doubled")?,
        };
        Ok(Repeat { trtr, tstr, reverse: Some(reverse), attentions })
    }

    /// Trained on `pool`, tested on each held-out subject.
    pub(super) fn trained_on(&self, pool: &Pool, purpose: &str) -> Result<Vec<Confusion>, Cancelled> {
        let fitted = self.fit(&self.taught(pool), purpose)?;
        Ok(self.on_held_out(fitted.as_ref()))
    }

    fn taught(&self, pool: &Pool) -> (Examples, Vec<usize>) {
        let weights = self.ground.weights(pool);
        (describe(pool, self.context.shape.channels, self.described, &weights), self.ground.labels_of(pool))
    }

    fn fit(&self, (examples, labels): &(Examples, Vec<usize>), purpose: &str) -> Result<Box<dyn Fitted>, Cancelled> {
        if self.context.progress.cancelled() {
            return Err(Cancelled);
        }
        let purpose = format!("utility/{}/{purpose}", self.name);
        Ok(self.judge.fit(examples, labels, self.ground.taught, self.context.seed, &purpose))
    }

    fn predict(&self, fitted: &dyn Fitted, examples: &Examples) -> Vec<usize> {
        let factors: Vec<f64> = self.ground.prevalence.iter().map(|share| share.powf(PREVALENCE_POWER)).collect();
        let most_likely = |row: &[f32]| {
            let weighed = row.iter().zip(&factors).map(|(&p, factor)| f64::from(p) * factor);
            weighed.enumerate().fold((0, f64::NEG_INFINITY), |best, (class, p)| if p > best.1 { (class, p) } else { best }).0
        };
        fitted.probabilities(examples).rows().map(most_likely).collect()
    }

    fn on_held_out(&self, fitted: &dyn Fitted) -> Vec<Confusion> {
        let ground = self.ground;
        let subjects = ground.subjects.iter().max().map_or(0, |last| last + 1);
        let mut of_subjects = vec![Confusion::new(ground.classes.len(), ground.taught); subjects];
        let predicted = self.predict(fitted, &self.held_out);
        for ((&i, &count), predicted) in self.tested.indices.iter().zip(&self.tested.counts).zip(predicted) {
            of_subjects[ground.subjects[i]].add(ground.labels[i], predicted, count);
        }
        of_subjects
    }

    fn confusion(&self, fitted: &dyn Fitted, (examples, labels): &(Examples, Vec<usize>)) -> Confusion {
        let mut confusion = Confusion::new(self.ground.taught, self.ground.taught);
        for (predicted, &label) in self.predict(fitted, examples).into_iter().zip(labels) {
            confusion.add(label, predicted, 1.0);
        }
        confusion
    }

    /// Mean attention on the held-out segments of each taught class.
    fn attentions(&self, fitted: &dyn Fitted, trained_on: &str) -> Vec<Attention> {
        let Some(weights) = fitted.attention(&self.held_out) else { return Vec::new() };
        let of_class = |(label, class): (usize, &String)| {
            let members: Vec<usize> =
                (0..self.held_out.len()).filter(|&i| self.ground.labels[self.tested.indices[i]] == label).collect();
            let all: f64 = members.iter().map(|&i| self.tested.counts[i]).sum();
            let mean = |table: &Table, step: usize| {
                let mut mean = vec![0.0; table.columns().div_ceil(step)];
                for &i in &members {
                    let share = self.tested.counts[i] / all;
                    for (m, &x) in mean.iter_mut().zip(table.row(i).iter().step_by(step)) {
                        *m += share * f64::from(x);
                    }
                }
                mean
            };
            Attention {
                judge: self.name.clone(),
                trained_on: trained_on.into(),
                class: class.clone(),
                weights: mean(&weights, 1),
                mean_segment: mean(&self.held_out.signals, self.held_out.channels),
            }
        };
        self.ground.classes[..self.ground.taught].iter().enumerate().map(of_class).collect()
    }

    fn as_held_out(&self, confusion: Confusion) -> Confusion {
        let mut totals = vec![0.0; self.ground.classes.len()];
        for &label in &self.ground.labels {
            totals[label] += 1.0;
        }
        confusion.with_totals(&totals)
    }
}

/// All subjects together.
pub(super) fn total(of_subjects: &[Confusion]) -> Confusion {
    rest(of_subjects, &BTreeSet::new())
}

/// All subjects but those in `without` together.
pub(super) fn rest(of_subjects: &[Confusion], without: &BTreeSet<usize>) -> Confusion {
    let mut of_rest = of_subjects.iter().enumerate().filter(|(subject, _)| !without.contains(subject)).map(|(_, one)| one);
    let mut all = of_rest.next().cloned().unwrap_or_default();
    for one in of_rest {
        all.merge(one);
    }
    all
}

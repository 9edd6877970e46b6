//! What utility is judged on: the classes fit for it, and the held-out segments.

use std::collections::{BTreeMap, BTreeSet};

use physiosynth_signal::{SegmentSet, Split};
use rand::seq::SliceRandom;

use super::super::Context;
use crate::pool::Pool;

/// Fewest segments of a class among the training and among the held-out ones.
const FEWEST_SEGMENTS: usize = 50;
/// A subject counts for a class with this many of its segments.
const COUNTS_FROM: usize = 5;
/// Fewest subjects that count, in training and held out.
const FEWEST_SUBJECTS: [usize; 2] = [3, 2];
/// Largest share of a class's segments that one subject may have. Above it, a class is that subject's shape.
const LARGEST_SHARE: f64 = 0.8;
/// Held-out segments tested at most; of more, so many are drawn.
const HELD_OUT_AT_MOST: usize = 50_000;

/// What classifiers are taught, and what they are tested on.
pub(super) struct Ground {
    /// Classes fit for teaching, sorted, then the held-out segments' other ones.
    pub classes: Vec<String>,
    /// How many of `classes` are taught.
    pub taught: usize,
    /// Share of each taught class among the real training segments of the taught ones.
    pub prevalence: Vec<f64>,
    /// All held-out segments (a random part where there are very many).
    pub held_out: Pool,
    /// Class of each, an index into `classes`.
    pub labels: Vec<usize>,
    /// Subject of each, an index.
    pub subjects: Vec<usize>,
}

impl Ground {
    /// `Err` says in words why there is nothing to judge on; `notes` gets what a reader should know.
    pub(super) fn new(context: &Context, notes: &mut Vec<String>) -> Result<Self, String> {
        let real = context.real;
        let any_test = real.segments.iter().any(|s| s.split == Split::Test);
        let split = if any_test { Split::Test } else { Split::Validation };
        let (train, mut held_out) = (real.indices(|s| s.split == Split::Train), real.indices(|s| s.split == split));
        if held_out.is_empty() {
            return Err("utility is not assessable: there are no held-out subjects to test on".into());
        }
        let (of_train, of_held_out) = (by_class(real, &train), by_class(real, &held_out));
        let mut classes = Vec::new();
        for (class, subjects) in &of_train {
            let unfit = unfit(subjects, FEWEST_SUBJECTS[0], "training").or_else(|| match of_held_out.get(class) {
                None => Some("no held-out segments".into()),
                Some(subjects) => unfit(subjects, FEWEST_SUBJECTS[1], "held-out"),
            });
            match unfit {
                None => classes.push((*class).to_string()),
                Some(why) => notes.push(format!("class {class} is no target of the utility classifiers: {why}")),
            }
        }
        if classes.len() < 2 {
            return Err(format!("utility is not assessable: {} class is fit for it, and two are needed", classes.len()));
        }
        let taught = classes.len();
        let counts: Vec<f64> = classes.iter().map(|c| of_train[c.as_str()].values().sum::<usize>() as f64).collect();
        let all: f64 = counts.iter().sum();
        classes.extend(of_held_out.keys().map(|c| (*c).to_string()).filter(|c| !of_train.contains_key(c.as_str())));
        let untaught: Vec<String> = of_train.keys().map(|c| (*c).to_string()).filter(|c| !classes.contains(c)).collect();
        classes.extend(untaught.into_iter().filter(|c| of_held_out.contains_key(c.as_str())));
        if held_out.len() > HELD_OUT_AT_MOST {
            notes.push(format!(
                "utility is tested on {HELD_OUT_AT_MOST} of {} held-out segments, drawn at random",
                held_out.len()
            ));
            held_out.shuffle(&mut context.seed.stream("evaluation/utility/held-out", 0));
            held_out.truncate(HELD_OUT_AT_MOST);
            held_out.sort_unstable();
        }
        let held_out = Pool::new(real, &held_out);
        Ok(Self {
            labels: indices(&held_out.labels, &classes),
            subjects: numbered(&held_out.subjects),
            prevalence: counts.iter().map(|n| n / all).collect(),
            taught,
            classes,
            held_out,
        })
    }

    /// The held-out subjects that give over half of a taught class, or would once the larger ones were left out, by class: what
    /// is found of such a class is what is found of them.
    pub(super) fn dominant(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let of_class = |class: usize| {
            let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
            for (&subject, _) in self.subjects.iter().zip(&self.labels).filter(|(_, label)| **label == class) {
                *counts.entry(subject).or_default() += 1;
            }
            let mut out = BTreeSet::new();
            while let Some((&subject, &n)) = counts.iter().max_by_key(|(_, n)| **n) {
                if 2 * n <= counts.values().sum() {
                    break;
                }
                out.insert(subject);
                counts.remove(&subject);
            }
            (class, out)
        };
        (0..self.taught).map(of_class).filter(|(_, out)| !out.is_empty()).collect()
    }

    /// All that [`dominant`](Self::dominant) names. None where nobody is, or where too few held-out segments or subjects of a taught
    /// class would be left without them.
    pub(super) fn without_largest(&self) -> Option<BTreeSet<usize>> {
        let without: BTreeSet<usize> = self.dominant().into_values().flatten().collect();
        let fit = |class: usize| {
            let mut left: BTreeMap<usize, usize> = BTreeMap::new();
            let of_class = self.subjects.iter().zip(&self.labels).filter(|(_, label)| **label == class);
            for (&subject, _) in of_class.filter(|(subject, _)| !without.contains(subject)) {
                *left.entry(subject).or_default() += 1;
            }
            left.values().sum::<usize>() >= FEWEST_SEGMENTS
                && left.values().filter(|&&n| n >= COUNTS_FROM).count() >= FEWEST_SUBJECTS[1]
        };
        (!without.is_empty() && (0..self.taught).all(fit)).then_some(without)
    }

    /// The name of a subject of `subjects`.
    pub(super) fn name(&self, subject: usize) -> &str {
        let at = self.subjects.iter().position(|&s| s == subject);
        at.and_then(|at| self.held_out.subjects.get(at)).map_or("", String::as_str)
    }

    /// The taught class of each of `pool`'s segments.
    pub(super) fn labels_of(&self, pool: &Pool) -> Vec<usize> {
        indices(&pool.labels, &self.classes)
    }

    /// How much each segment of a drawn set counts, so that classes weigh as among the real training segments.
    pub(super) fn weights(&self, pool: &Pool) -> Vec<f64> {
        let labels = self.labels_of(pool);
        let mut counts = vec![0.0; self.classes.len()];
        for &label in &labels {
            counts[label] += 1.0;
        }
        labels.iter().map(|&label| self.prevalence.get(label).copied().unwrap_or(0.0) / counts[label]).collect()
    }
}

type OfSubjects<'a> = BTreeMap<&'a str, usize>;

fn by_class<'a>(set: &'a SegmentSet, indices: &[usize]) -> BTreeMap<&'a str, OfSubjects<'a>> {
    let mut counts: BTreeMap<&str, OfSubjects> = BTreeMap::new();
    for segment in indices.iter().map(|&i| &set.segments[i]) {
        *counts.entry(&segment.label).or_default().entry(&segment.subject).or_default() += 1;
    }
    counts
}

/// Why a class is no target, in words.
fn unfit(subjects: &OfSubjects, fewest: usize, which: &str) -> Option<String> {
    let all: usize = subjects.values().sum();
    if all < FEWEST_SEGMENTS {
        return Some(format!("{all} {which} segments, and {FEWEST_SEGMENTS} are needed"));
    }
    let counting = subjects.values().filter(|&&n| n >= COUNTS_FROM).count();
    if counting < fewest {
        return Some(format!("{counting} {which} subjects have {COUNTS_FROM} segments of it, and {fewest} are needed"));
    }
    let (most, n) = subjects.iter().max_by_key(|(_, n)| **n)?;
    let share = *n as f64 / all as f64;
    (share > LARGEST_SHARE).then(|| format!("subject {most} has {:.0}% of its {which} segments", 100.0 * share))
}

fn indices(labels: &[String], classes: &[String]) -> Vec<usize> {
    labels.iter().map(|label| classes.iter().position(|class| class == label).unwrap_or(0)).collect()
}

fn numbered(subjects: &[String]) -> Vec<usize> {
    let names: BTreeSet<&String> = subjects.iter().collect();
    let number: BTreeMap<&String, usize> = names.into_iter().enumerate().map(|(i, name)| (name, i)).collect();
    subjects.iter().map(|subject| number[subject]).collect()
}

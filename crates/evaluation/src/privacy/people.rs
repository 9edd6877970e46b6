//! Who is asked about: training subjects and held-out subjects, with as many segments of a class each.

use std::collections::{BTreeMap, BTreeSet};

use physiosynth_signal::{Seed, SegmentSet, Split};
use rand::seq::SliceRandom;

use crate::EvaluationConfig;
use crate::pool::Pool;

/// Most people of a side: enough for a false-positive rate of 1%.
const MOST: usize = 100;

/// Training and held-out people with segments of one class.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub class: String,
    /// Subjects: those trained on first.
    pub names: Vec<String>,
    /// How many of them were trained on.
    pub trained: usize,
    /// Their segments, one person's after another's; of each person in an order drawn by lot.
    pub pool: Pool,
    /// Index of the person of each segment.
    pub person: Vec<usize>,
    /// Which half of the person's segments each is in.
    pub second_half: Vec<bool>,
}

/// Who was trained on, and who was not, in an order drawn by lot.
pub(crate) struct Sides {
    pub trained: Vec<String>,
    /// Subjects of test and validation splits without a training segment.
    pub held_out: Vec<String>,
    /// Subjects with segments on both sides: they belong to neither.
    pub both: usize,
}

impl Sides {
    pub(crate) fn of(real: &SegmentSet, seed: Seed) -> Self {
        let of = |keep: &dyn Fn(Split) -> bool| -> BTreeSet<&str> {
            real.segments.iter().filter(|s| keep(s.split)).map(|s| s.subject.as_str()).collect()
        };
        let trained = of(&|split| split == Split::Train);
        let other = of(&|split| matches!(split, Split::Test | Split::Validation));
        let both: BTreeSet<&str> = trained.intersection(&other).copied().collect();
        let shuffled = |names: &BTreeSet<&str>, step: u64| {
            let mut names: Vec<String> = names.difference(&both).map(|&s| s.to_string()).collect();
            names.shuffle(&mut seed.stream("evaluation/privacy/people", step));
            names
        };
        Self { trained: shuffled(&trained, 0), held_out: shuffled(&other, 1), both: both.len() }
    }
}

impl People {
    /// Draws people and segments of `class`; `Err` says in words why the class cannot be attacked.
    pub(crate) fn draw(
        class: &str,
        real: &SegmentSet,
        sides: &Sides,
        config: &EvaluationConfig,
        seed: Seed,
    ) -> Result<Self, String> {
        let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, s) in real.segments.iter().enumerate() {
            if s.label == class && s.split != Split::Synthetic && real.physical(i).iter().all(|x| x.is_finite()) {
                of.entry(&s.subject).or_default().push(i);
            }
        }
        let present = |names: &[String]| -> Vec<String> {
            let mut present: Vec<String> =
                names.iter().filter(|name| of.contains_key(name.as_str())).take(MOST).cloned().collect();
            present.sort();
            present
        };
        let (trained, held_out) = (present(&sides.trained), present(&sides.held_out));
        // Both sides are halved in every round: of four, two ask about two.
        let fewest = config.minimum_subjects.max(4);
        if trained.len() < fewest || held_out.len() < fewest {
            return Err(format!(
                "class {class} is not attacked: {} training subjects and {} held-out ones have it; {fewest} of each are needed",
                trained.len(),
                held_out.len()
            ));
        }
        let mut rng = seed.stream(&format!("evaluation/privacy/segments/{class}"), 0);
        let (mut indices, mut person, mut second_half) = (Vec::new(), Vec::new(), Vec::new());
        for (at, name) in trained.iter().chain(&held_out).enumerate() {
            let mut own = of.remove(name.as_str()).unwrap_or_default();
            own.shuffle(&mut rng);
            own.truncate(config.privacy_segments_per_subject);
            person.extend(own.iter().map(|_| at));
            second_half.extend((0..own.len()).map(|i| i % 2 == 1));
            indices.extend(own);
        }
        Ok(Self {
            class: class.into(),
            trained: trained.len(),
            names: trained.into_iter().chain(held_out).collect(),
            pool: Pool::new(real, &indices),
            person,
            second_half,
        })
    }

    /// Indices of the segments for which `keep` holds of person and half.
    pub(crate) fn indices(&self, keep: impl Fn(usize, bool) -> bool) -> Vec<usize> {
        (0..self.person.len()).filter(|&i| keep(self.person[i], self.second_half[i])).collect()
    }

    /// The segments of the training subjects: what baselines are fitted on.
    pub(crate) fn training_pool(&self) -> Pool {
        self.pool.select(&self.indices(|person, _| person < self.trained))
    }

    /// The segments of the held-out subjects.
    pub(crate) fn held_out_pool(&self) -> Pool {
        self.pool.select(&self.indices(|person, _| person >= self.trained))
    }
}

//! Linkage: can a synthetic patient be tied to one real person?
//!
//! A person is as far from a training subject as the median of their segments is from that subject's nearest segment of the class. A
//! patient is tied to the nearest training subject the more, the smaller the ratio of that distance to the second nearest subject's.
//! Held-out people give the ratios of those who were not trained on.

use std::collections::BTreeMap;

use physiosynth_signal::{Seed, SegmentSet, Split};
use rand::seq::SliceRandom;

use super::median;
use super::membership::{COPY, OTHER, SAME, SYNTHETIC};
use super::nearness::Nearness;
use super::people::People;
use crate::neighbours::{Across, Prepared, centre};
use crate::pool::Pool;

/// Fewest segments of a class that make a person or a patient.
const FEWEST: usize = 4;

/// The people of `held_out` among the sets.
pub(crate) const HELD_OUT: &str = "held_out";

/// What makes a synthetic patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patient {
    /// Segments of one synthetic subject.
    Subject,
    /// Segments of one synthetic record.
    Record,
    /// Segments derived from one real subject.
    Source,
}

/// How `synthetic` names its patients: by the first of subject, record and source that tells at least two apart; none where nothing
/// does.
pub(crate) fn patients(synthetic: &SegmentSet) -> Option<Patient> {
    [Patient::Subject, Patient::Record, Patient::Source].into_iter().find(|by| {
        let mut names =
            synthetic.segments.iter().filter(|s| s.split == Split::Synthetic).map(|s| by.name(s)).filter(|n| !n.is_empty());
        let first = names.next();
        names.any(|name| Some(name) != first)
    })
}

impl Patient {
    fn name(self, segment: &physiosynth_signal::Segment) -> &str {
        match self {
            Self::Subject => &segment.subject,
            Self::Record => &segment.record,
            Self::Source => &segment.derived_from,
        }
    }

    /// In words, for the notes.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Subject => "each synthetic subject is a patient",
            Self::Record => "each synthetic record is a patient",
            Self::Source => {
                "the synthetic segments name no patients, so those derived from one real subject are taken for a patient"
            }
        }
    }
}

/// A person or patient with the training subject nearest to them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tied {
    pub name: String,
    /// The nearest training subject.
    pub nearest: String,
    /// Its distance over the second nearest subject's.
    pub ratio: f64,
    /// The training subject that most of a patient's segments were derived from, where it is known and among the training subjects.
    pub source: Option<String>,
}

/// Who is tied to whom in one class, by set.
pub(crate) struct Linked {
    pub class: String,
    pub sets: BTreeMap<&'static str, Vec<Tied>>,
    /// Training subjects that may be tied to.
    pub trained: usize,
}

impl Linked {
    /// Synthetic patients with segments enough.
    pub(crate) fn patients(&self) -> usize {
        self.sets.get(SYNTHETIC).map_or(0, Vec::len)
    }
}

/// Ties the synthetic patients of the class, the held-out people and the training subjects themselves to training subjects.
pub(crate) fn link(people: &People, nearness: &Nearness, synthetic: &SegmentSet, by: Patient, most: usize, seed: Seed) -> Linked {
    let real = |person: usize, first_half_only: bool| people.indices(|p, second| p == person && !(first_half_only && second));
    let tie = |person: usize, halves: bool, except: Option<usize>| {
        let queries = real(person, halves);
        let distance = |q: usize, target: usize| nearness.nearest(q, target, halves);
        let (nearest, ratio) = nearest(&queries, people.trained, except, distance)?;
        Some(Tied { name: people.names[person].clone(), nearest: people.names[nearest].clone(), ratio, source: None })
    };
    let training = 0..people.trained;
    let sets = BTreeMap::from([
        (HELD_OUT, (people.trained..people.names.len()).filter_map(|p| tie(p, false, None)).collect()),
        (SAME, training.clone().filter_map(|p| tie(p, false, Some(p))).collect()),
        (COPY, training.clone().filter_map(|p| tie(p, false, None)).collect()),
        (OTHER, training.filter_map(|p| tie(p, true, None)).collect()),
        (SYNTHETIC, tie_patients(people, synthetic, by, most, seed)),
    ]);
    Linked { class: people.class.clone(), sets, trained: people.trained }
}

fn tie_patients(people: &People, synthetic: &SegmentSet, by: Patient, most: usize, seed: Seed) -> Vec<Tied> {
    let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, s) in synthetic.segments.iter().enumerate() {
        if s.label == people.class && s.split == Split::Synthetic && !by.name(s).is_empty() {
            of.entry(by.name(s)).or_default().push(i);
        }
    }
    let mut rng = seed.stream(&format!("evaluation/privacy/patients/{}", people.class), 0);
    let mut indices = Vec::new();
    let mut patients = Vec::new();
    for (name, mut own) in of {
        own.shuffle(&mut rng);
        own.truncate(most);
        patients.push((name, indices.len()..indices.len() + own.len()));
        indices.extend(own);
    }
    let pool = Pool::new(synthetic, &indices);
    let middle = centre(&people.pool);
    let queries = Prepared::new(&pool, &middle);
    let to: Vec<Across> = (0..people.trained)
        .map(|target| {
            let own = people.pool.select(&people.indices(|p, _| p == target));
            Across::of(&queries, &Prepared::new(&own, &middle), 1)
        })
        .collect();
    let distance = |q: usize, target: usize| to[target].squared(q).first().map_or(f32::INFINITY, |d| d.sqrt() as f32);
    let tie = |(name, range): (&str, std::ops::Range<usize>)| {
        let source = most_frequent(indices[range.clone()].iter().map(|&i| synthetic.segments[i].derived_from.as_str()));
        let queries: Vec<usize> = range.collect();
        let (nearest, ratio) = nearest(&queries, people.trained, None, distance)?;
        let source = source.filter(|s| people.names[..people.trained].iter().any(|name| name == s)).map(String::from);
        Some(Tied { name: format!("patient {name}"), nearest: people.names[nearest].clone(), ratio, source })
    };
    patients.into_iter().filter_map(tie).collect()
}

/// The training subject nearest to the segments `queries`, and its distance over the second nearest's. None for too few segments, or
/// fewer than two subjects at a finite distance.
fn nearest(
    queries: &[usize],
    trained: usize,
    except: Option<usize>,
    distance: impl Fn(usize, usize) -> f32,
) -> Option<(usize, f64)> {
    if queries.len() < FEWEST {
        return None;
    }
    let far = |target: usize| median(queries.iter().map(|&q| f64::from(distance(q, target))));
    let mut all: Vec<(f64, usize)> =
        (0..trained).filter(|&t| Some(t) != except).filter_map(|target| Some((far(target)?, target))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, second) = (all.first()?, all.get(1)?);
    Some((first.1, if second.0 > 0.0 { first.0 / second.0 } else { 1.0 }))
}

fn most_frequent<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names.filter(|n| !n.is_empty()) {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(_, n)| n).map(|(name, _)| name)
}

//! Membership: were these people, and these segments, trained on?
//!
//! Candidates are segments of training subjects (members) and of held-out subjects (others), as many of each person. In every round
//! random halves of both sides are asked about; the rest of the held-out subjects are the reference population, so that no candidate
//! is compared with itself; every second round asks about the halves that the round before left out. A segment's score is the mean
//! over the rounds that ask about it, a person's the mean over their segments, or a high one of them.
//!
//! Held-back segments of the *same* training subjects do not exist where splits are by subject, so members are compared with other
//! people. What is measured is therefore whether *people* who were trained on stand out, by any of their segments: an upper bound
//! of what can be learned about one segment. The null of the p-values is that training and held-out subjects are exchangeable. Where
//! the split itself favours one side (other wards, other diagnoses), it does not hold: `same` shows by how much, being real segments
//! of training subjects who were not asked about, published in the place of synthetic ones.

use std::collections::BTreeMap;

use physiosynth_signal::Seed;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::nearness::Nearness;
use super::people::People;
use super::roc::Person;
use super::{ATTACKS, Seen, median};
use crate::pool::Pool;

/// Real segments of training subjects who are not asked about.
pub(crate) const SAME: &str = "same";
/// The candidates themselves.
pub(crate) const COPY: &str = "training_copy";
/// Other segments of the people asked about: what a perfect sampler of each training subject would publish.
pub(crate) const OTHER: &str = "other_segments_of_training_subjects";
/// The segments under judgement.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// Scores of one class: for each published set, for each of [`ATTACKS`], one score per segment of `people`; none where a segment was
/// not asked about.
pub(crate) struct Attacked {
    pub people: People,
    /// Published synthetic segments.
    pub synthetic: usize,
    pub sets: BTreeMap<&'static str, Vec<Vec<Option<f64>>>>,
}

/// What is published.
enum Published {
    /// The same in every round: distances of every candidate, one row each.
    Fixed(Vec<Vec<f32>>),
    /// Segments of the training subjects whom the round does not ask about.
    TheOthers,
}

/// Attacks `synthetic` and each of `baselines`, which were fitted on the training candidates.
pub(crate) fn attack(
    people: People,
    nearness: &Nearness,
    synthetic: &Pool,
    baselines: &[(&'static str, Pool)],
    rounds: usize,
    seed: Seed,
) -> Attacked {
    let trained = people.trained;
    let n = people.pool.len();
    let own = |keep: &(dyn Fn(usize, bool) -> bool + Sync)| -> Published {
        Published::Fixed((0..n).into_par_iter().map(|i| nearness.merged(i, keep)).collect())
    };
    let mut published = vec![
        (SYNTHETIC, Published::Fixed(nearness.to(&people, synthetic))),
        (SAME, Published::TheOthers),
        (COPY, own(&|person, _| person < trained)),
        (OTHER, own(&|person, second| person < trained && second)),
    ];
    for (name, pool) in baselines.iter().filter(|(name, pool)| *name != COPY && !pool.is_empty()) {
        published.push((name, Published::Fixed(nearness.to(&people, pool))));
    }
    let rounds = Rounds::new(&people, nearness, rounds, seed);
    let sets = published.iter().map(|(name, published)| {
        // The other half of the subjects' segments is what is published then.
        let asked = |i: usize| *name != OTHER || !people.second_half[i];
        let rows: Vec<Option<Vec<f64>>> =
            (0..n).into_par_iter().map(|i| asked(i).then(|| rounds.scores(i, published)).flatten()).collect();
        let of_attack = |a: usize| rows.iter().map(|row| row.as_ref().map(|row| row[a])).collect();
        (*name, (0..ATTACKS.len()).map(of_attack).collect())
    });
    let sets = sets.collect();
    Attacked { people, synthetic: synthetic.len(), sets }
}

/// The rounds of an attack: who is asked about, and what the population of each looks like from there.
struct Rounds<'a> {
    people: &'a People,
    nearness: &'a Nearness,
    /// `[round, person]`.
    asked: Vec<Vec<bool>>,
    /// `[segment, round]`: distances to the population's nearest segments; empty where the person is not asked about.
    population: Vec<Vec<Vec<f32>>>,
    floor: f32,
}

impl<'a> Rounds<'a> {
    fn new(people: &'a People, nearness: &'a Nearness, rounds: usize, seed: Seed) -> Self {
        let asked = rounds_of(people, rounds, seed);
        let population = (0..people.pool.len())
            .into_par_iter()
            .map(|i| {
                let of = |asked: &Vec<bool>| nearness.merged(i, |person, _| person >= people.trained && !asked[person]);
                asked.iter().map(|asked| if asked[people.person[i]] { of(asked) } else { Vec::new() }).collect()
            })
            .collect();
        Self { people, nearness, asked, population, floor: floor(people, nearness) }
    }

    /// The score of segment `i` under each attack, the mean over the rounds that ask about its person.
    fn scores(&self, i: usize, published: &Published) -> Option<Vec<f64>> {
        let people = self.people;
        let mut sums = vec![(0.0, 0.0); ATTACKS.len()];
        for (asked, population) in self.asked.iter().zip(&self.population[i]).filter(|(asked, _)| asked[people.person[i]]) {
            let others;
            let published = match published {
                Published::Fixed(rows) => &rows[i],
                Published::TheOthers => {
                    others = self.nearness.merged(i, |person, _| person < people.trained && !asked[person]);
                    &others
                }
            };
            if published.is_empty() || population.is_empty() {
                continue;
            }
            for (sum, attack) in sums.iter_mut().zip(&ATTACKS) {
                *sum = (sum.0 + (attack.score)(&Seen { published, population, floor: self.floor }), sum.1 + 1.0);
            }
        }
        sums.iter().all(|s| s.1 > 0.0).then(|| sums.iter().map(|s| s.0 / s.1).collect())
    }
}

/// Who is asked about in each round.
fn rounds_of(people: &People, rounds: usize, seed: Seed) -> Vec<Vec<bool>> {
    let purpose = format!("evaluation/privacy/halves/{}", people.class);
    let mut all = Vec::with_capacity(rounds + 1);
    for pair in 0..rounds.div_ceil(2) {
        let mut rng = seed.stream(&purpose, pair as u64);
        let mut asked = vec![false; people.names.len()];
        for side in [0..people.trained, people.trained..people.names.len()] {
            let mut order: Vec<usize> = side.collect();
            order.shuffle(&mut rng);
            // Which half is the larger one of an odd number changes from pair to pair.
            let half = if pair % 2 == 0 { order.len() / 2 } else { order.len().div_ceil(2) };
            for &person in &order[..half] {
                asked[person] = true;
            }
        }
        let complement = asked.iter().map(|a| !a).collect();
        all.push(asked);
        all.push(complement);
    }
    all
}

/// The distance that copies count as: a thousandth of the usual one to another person.
fn floor(people: &People, nearness: &Nearness) -> f32 {
    let to_others = (0..people.pool.len()).map(|i| {
        let others = (people.trained..people.names.len()).filter(|&p| p != people.person[i]);
        f64::from(others.map(|p| nearness.nearest(i, p, false)).fold(f32::INFINITY, f32::min))
    });
    (median(to_others).unwrap_or(0.0) * 1e-3) as f32 + f32::MIN_POSITIVE
}

/// Whose score is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Each segment's.
    Segment,
    /// Each person's: the mean of their segments'.
    Subject,
    /// Each person's: that of which a tenth of their segments' are higher.
    SubjectTop,
}

/// Every level, in the order of the tables.
pub(crate) const LEVELS: [Level; 3] = [Level::Segment, Level::Subject, Level::SubjectTop];

impl Level {
    /// Its name in measures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Subject => "subject",
            Self::SubjectTop => "subject_top",
        }
    }

    /// What it takes for a score, in words.
    pub(crate) fn definition(self) -> &'static str {
        match self {
            Self::Segment => "Asked of each segment: those of training subjects against those of held-out subjects.",
            Self::Subject => "Asked of each subject, by the mean score of their segments.",
            Self::SubjectTop => "Asked of each subject, by their segments' score at the 90th percentile.",
        }
    }

    /// The people with the scores that count at this level.
    pub(crate) fn of(self, people: &[Person]) -> Vec<Person> {
        let of = |person: &Person| {
            let mut scores = person.scores.clone();
            scores.sort_by(f64::total_cmp);
            let one = match self {
                Self::Segment => return person.clone(),
                Self::Subject => scores.iter().sum::<f64>() / scores.len().max(1) as f64,
                Self::SubjectTop => scores.get((scores.len().saturating_sub(1)) * 9 / 10).copied().unwrap_or(f64::NAN),
            };
            Person { member: person.member, scores: vec![one] }
        };
        people.iter().filter(|p| !p.scores.is_empty()).map(of).collect()
    }
}

/// The people asked about under attack number `attack` on `set`: of one class with their scores, of several with their segments' ranks
/// within each class (0 to 1), so that a class whose segments lie far from one another does not decide. None where a class lacks the
/// set.
pub(crate) fn scored(classes: &[&Attacked], set: &str, attack: usize) -> Option<Vec<Person>> {
    let mut of_name: BTreeMap<&str, Person> = BTreeMap::new();
    for class in classes {
        let scores = class.sets.get(set)?.get(attack)?;
        let ranks = if classes.len() > 1 { ranks(scores) } else { scores.clone() };
        for (&person, score) in class.people.person.iter().zip(ranks) {
            let member = person < class.people.trained;
            let entry = of_name.entry(&class.people.names[person]).or_insert_with(|| Person { member, scores: Vec::new() });
            entry.scores.extend(score);
        }
    }
    Some(of_name.into_values().collect())
}

/// Ranks from 0 to 1, ties sharing the mean of theirs.
pub(crate) fn ranks(scores: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| scores[i].is_some()).collect();
    order.sort_by(|&a, &b| scores[a].unwrap_or(0.0).total_cmp(&scores[b].unwrap_or(0.0)));
    let mut ranks = vec![None; scores.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        for &i in tied {
            ranks[i] = Some((before as f64 + tied.len() as f64 / 2.0) / order.len() as f64);
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_ties_and_skip_the_missing() {
        assert_eq!(
            ranks(&[Some(2.0), None, Some(-1.0), Some(2.0), Some(9.0)]),
            [Some(0.5), None, Some(0.125), Some(0.5), Some(0.875)]
        );
    }

    #[test]
    fn levels() {
        let person = Person { member: true, scores: (0..21).rev().map(f64::from).collect() };
        assert_eq!(Level::Subject.of(std::slice::from_ref(&person))[0].scores, [10.0]);
        assert_eq!(Level::SubjectTop.of(std::slice::from_ref(&person))[0].scores, [18.0]);
        assert_eq!(Level::Segment.of(std::slice::from_ref(&person)), [person]);
    }
}

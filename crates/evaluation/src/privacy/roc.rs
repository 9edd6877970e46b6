//! How well scores tell members from others, counted by people: area under the curve, true-positive rate at a low false-positive
//! rate, what resampling and permuting people make of them.

use physiosynth_signal::Seed;
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

/// A person with the scores of what is theirs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    /// Whether the attack should find them.
    pub member: bool,
    pub scores: Vec<f64>,
}

/// How well an attack does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Success {
    /// Area under the ROC curve: the probability that a member's score is above another's, ties counted half.
    pub auc: f64,
    /// True-positive rate at the false-positive rate asked for.
    pub tpr: f64,
}

/// Permutations of the people behind a p-value.
const PERMUTATIONS: u64 = 1999;

/// Scores in descending order, with whose they are.
pub(crate) struct Ranking {
    order: Vec<(f64, usize)>,
    counts: Vec<usize>,
    member: Vec<bool>,
}

impl Ranking {
    pub(crate) fn new(people: &[Person]) -> Self {
        let mut order: Vec<(f64, usize)> =
            people.iter().enumerate().flat_map(|(at, person)| person.scores.iter().map(move |&s| (s, at))).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let counts = people.iter().map(|p| p.scores.len()).collect();
        Self { order, counts, member: people.iter().map(|p| p.member).collect() }
    }

    /// The lowest false-positive rate that the scores of non-members can resolve: one of them; and not below 1%, where single people
    /// would decide.
    pub(crate) fn lowest_rate(&self) -> f64 {
        let others: usize = self.counts.iter().zip(&self.member).filter(|(_, member)| !**member).map(|(n, _)| n).sum();
        (1.0 / others.max(1) as f64).max(0.01)
    }

    /// Success at the false-positive rate `rate`, each person counted `weights` times. None where a side is empty.
    fn weighted(&self, weights: &[f64], member: &[bool], rate: f64) -> Option<Success> {
        let (mut members, mut others) = (0.0, 0.0);
        for ((&n, &w), &member) in self.counts.iter().zip(weights).zip(member) {
            *(if member { &mut members } else { &mut others }) += w * n as f64;
        }
        if members <= 0.0 || others <= 0.0 {
            return None;
        }
        let allowed = rate * others + 1e-9;
        let (mut area, mut found, mut accused, mut best) = (0.0, 0.0, 0.0, 0.0);
        for tied in self.order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let (mut m, mut o) = (0.0, 0.0);
            for &(_, at) in tied {
                *(if member[at] { &mut m } else { &mut o }) += weights[at];
            }
            area += o * (found + m / 2.0);
            found += m;
            accused += o;
            if accused <= allowed {
                best = found;
            }
        }
        Some(Success { auc: area / (members * others), tpr: best / members })
    }

    /// The attack's success as observed.
    pub(crate) fn success(&self) -> Option<Success> {
        self.weighted(&vec![1.0; self.member.len()], &self.member, self.lowest_rate())
    }

    /// 95% intervals of area and true-positive rate by resampling people, members and others each among themselves.
    pub(crate) fn intervals(&self, rounds: usize, seed: Seed, purpose: &str) -> Option<[(f64, f64); 2]> {
        let rate = self.lowest_rate();
        let side = |member: bool| -> Vec<usize> { (0..self.member.len()).filter(|&i| self.member[i] == member).collect() };
        let sides = [side(true), side(false)];
        let drawn: Vec<Success> = (0..rounds as u64)
            .into_par_iter()
            .filter_map(|round| {
                let mut rng = seed.stream(purpose, round);
                let mut weights = vec![0.0; self.member.len()];
                for side in sides.iter().filter(|side| !side.is_empty()) {
                    for _ in 0..side.len() {
                        weights[side[rng.random_range(0..side.len())]] += 1.0;
                    }
                }
                self.weighted(&weights, &self.member, rate)
            })
            .collect();
        if drawn.is_empty() {
            return None;
        }
        let of = |get: fn(&Success) -> f64| {
            let mut values: Vec<f64> = drawn.iter().map(get).collect();
            values.sort_by(f64::total_cmp);
            let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
            (at(0.025), at(0.975))
        };
        Some([of(|s| s.auc), of(|s| s.tpr)])
    }

    /// Share of permutations of who is a member, whole people at a time, that do at least as well: in area, in true-positive rate.
    pub(crate) fn p_values(&self, seed: Seed, purpose: &str) -> Option<[f64; 2]> {
        let observed = self.success()?;
        let (rate, ones) = (self.lowest_rate(), vec![1.0; self.member.len()]);
        let at_least: Vec<[bool; 2]> = (0..PERMUTATIONS)
            .into_par_iter()
            .map(|round| {
                let mut member = self.member.clone();
                member.shuffle(&mut seed.stream(purpose, round));
                // Sums in another order may differ in their last digits.
                let least = |a: f64, b: f64| a >= b - 1e-12;
                self.weighted(&ones, &member, rate)
                    .map_or([false; 2], |s| [least(s.auc, observed.auc), least(s.tpr, observed.tpr)])
            })
            .collect();
        let p = |which: usize| (1 + at_least.iter().filter(|a| a[which]).count()) as f64 / (PERMUTATIONS + 1) as f64;
        Some([p(0), p(1)])
    }

    /// The ROC curve, at most about `points` points of it: false-positive rates, true-positive rates.
    pub(crate) fn curve(&self, points: usize) -> (Vec<f64>, Vec<f64>) {
        let total = |member: bool| self.order.iter().filter(|(_, at)| self.member[*at] == member).count().max(1) as f64;
        let (members, others) = (total(true), total(false));
        let mut all = vec![(0.0, 0.0)];
        let (mut found, mut accused) = (0.0, 0.0);
        for tied in self.order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let m = tied.iter().filter(|(_, at)| self.member[*at]).count();
            found += m as f64;
            accused += (tied.len() - m) as f64;
            all.push((accused / others, found / members));
        }
        let step = all.len().div_ceil(points.max(2)).max(1);
        let last = all.len() - 1;
        all.iter().enumerate().filter(|(i, _)| i % step == 0 || *i == last).map(|(_, point)| *point).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(members: &[&[f64]], others: &[&[f64]]) -> Ranking {
        let of = |member: bool, scores: &&[f64]| Person { member, scores: scores.to_vec() };
        Ranking::new(&members.iter().map(|s| of(true, s)).chain(others.iter().map(|s| of(false, s))).collect::<Vec<_>>())
    }

    #[test]
    fn known_values() {
        // scikit-learn's example of an area of 0.75.
        let ranking = people(&[&[0.35], &[0.8]], &[&[0.1], &[0.4]]);
        assert_eq!(ranking.success(), Some(Success { auc: 0.75, tpr: 1.0 }));
        assert!((ranking.lowest_rate() - 0.5).abs() < 1e-12);
        let tied = people(&[&[0.5, 0.5]], &[&[0.5], &[0.5]]);
        assert_eq!(tied.success(), Some(Success { auc: 0.5, tpr: 0.0 }));
        assert_eq!(people(&[&[0.5]], &[]).success(), None);
    }

    #[test]
    fn what_permuting_and_resampling_people_make_of_it() {
        let apart: Vec<[f64; 2]> = (0..8).map(|i| [f64::from(i), f64::from(i) + 0.5]).collect();
        let (low, high): (Vec<&[f64]>, Vec<&[f64]>) =
            (apart[..4].iter().map(|s| &s[..]).collect(), apart[4..].iter().map(|s| &s[..]).collect());
        let [found, _] = people(&high, &low).p_values(Seed(1), "test").unwrap();
        // One of the 70 ways to pick four of eight.
        assert!((0.005..0.03).contains(&found), "{found}");
        let [not_found, _] = people(&low, &high).p_values(Seed(1), "test").unwrap();
        assert!(not_found > 0.99);
        assert_eq!(people(&high, &low).intervals(100, Seed(1), "test").unwrap()[0], (1.0, 1.0));
    }

    #[test]
    fn curves_begin_and_end_in_the_corners() {
        let scores: Vec<f64> = (0..1000).map(|i| f64::from(i % 337)).collect();
        let (x, y) = people(&[&scores[..500]], &[&scores[500..]]).curve(50);
        assert!(x.len() <= 52 && x.len() == y.len());
        assert_eq!((x[0], y[0], x[x.len() - 1], y[y.len() - 1]), (0.0, 0.0, 1.0, 1.0));
        assert!(x.is_sorted() && y.is_sorted());
    }
}

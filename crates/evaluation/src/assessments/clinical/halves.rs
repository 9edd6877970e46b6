//! What different people give: distances between a quantity's values of one random half of the training subjects and the other half's.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::Context;
use crate::intervals::mean;
use crate::scores::Measure;

/// How often subjects are halved.
const DRAWS: u64 = 200;
/// The distance that so many of the draws stay below is what a row is judged by.
const QUANTILE: f64 = 0.95;
/// Its name among a row's baselines.
pub(super) const LIMIT: &str = "subject_halves_p95";

/// What a definition says of it.
pub(super) const HALVES: &str = "subject_halves_p95: what 95 of 100 random halves of the training subjects stay below, each half's values against \
     the other half's.";

/// Random halves of the subjects of training segments.
pub(super) struct Halves {
    /// The person of each segment.
    person: Vec<usize>,
    /// For each draw, whether each person is in the first half.
    draws: Vec<Vec<bool>>,
}

impl Halves {
    /// Halves the subjects, one for each segment. None where they are fewer than intervals ask for, or than four.
    pub(super) fn draw<'a>(subjects: impl Iterator<Item = &'a String>, class: &str, context: &Context) -> Option<Self> {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let person: Vec<usize> = subjects
            .map(|name| {
                let next = numbers.len();
                *numbers.entry(name).or_insert(next)
            })
            .collect();
        let people = numbers.len();
        if people < context.config.minimum_subjects.max(4) {
            return None;
        }
        let purpose = format!("evaluation/clinical/halves/{class}");
        let half = |draw: u64| {
            let mut first: Vec<bool> = (0..people).map(|i| i < people / 2).collect();
            first.shuffle(&mut context.seed.stream(&purpose, draw));
            first
        };
        Some(Self { person, draws: (0..DRAWS).map(half).collect() })
    }

    /// Of each draw the Wasserstein-1 distance between the values of the two halves, one value for each segment; none where a half has
    /// none.
    pub(super) fn distances(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let mut known: Vec<(f64, usize)> = values
            .iter()
            .zip(&self.person)
            .filter_map(|(value, &person)| Some((value.filter(|x| x.is_finite())?, person)))
            .collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.draws.par_iter().map(|first| between(&known, first)).collect()
    }

    /// Puts what the halves give into a row: the 95th percentile of the distances beside its baselines.
    pub(super) fn into_row(distances: &[Option<f64>], row: &mut Measure) {
        if let Some(limit) = quantile(distances, QUANTILE) {
            row.baselines.insert(LIMIT.into(), limit);
        }
    }
}

/// The draws' mean over several quantities, such as channels.
pub(super) fn over(of_each: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    let draws = of_each.iter().map(Vec::len).max().unwrap_or(0);
    (0..draws).map(|draw| mean(of_each.iter().filter_map(|distances| *distances.get(draw)?))).collect()
}

/// The distance that a share `q` of the draws stays below; none where fewer than half of them have one.
pub(super) fn quantile(distances: &[Option<f64>], q: f64) -> Option<f64> {
    let mut known: Vec<f64> = distances.iter().copied().flatten().collect();
    if known.is_empty() || 2 * known.len() < distances.len() {
        return None;
    }
    known.sort_by(f64::total_cmp);
    known.get(((known.len() - 1) as f64 * q).round() as usize).copied()
}

/// The area between the distribution functions of the values of those who are in the first half and of the others.
fn between(sorted: &[(f64, usize)], first: &[bool]) -> Option<f64> {
    let is_first = |person: usize| first.get(person).copied().unwrap_or(false);
    let of_first = sorted.iter().filter(|v| is_first(v.1)).count() as f64;
    let of_second = sorted.len() as f64 - of_first;
    if of_first == 0.0 || of_second == 0.0 {
        return None;
    }
    let (mut below, mut below_second, mut area) = (0.0, 0.0, 0.0);
    for pair in sorted.windows(2) {
        if is_first(pair[0].1) {
            below += 1.0;
        } else {
            below_second += 1.0;
        }
        area += (below / of_first - below_second / of_second).abs() * (pair[1].0 - pair[0].0);
    }
    Some(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_people_not_of_segments() {
        // Three people at 0, two at 1; ten segments each.
        let sorted: Vec<(f64, usize)> = (0..50).map(|i| (if i < 30 { 0.0 } else { 1.0 }, i / 10)).collect();
        let apart = between(&sorted, &[true, true, false, false, false]).unwrap();
        assert!((apart - 2.0 / 3.0).abs() < 1e-12, "{apart}");
        assert_eq!(between(&sorted, &[false, false, false, true, true]), Some(1.0));
        assert_eq!(between(&sorted, &[false; 5]), None);
        assert_eq!(between(&[], &[true, false]), None);
    }

    #[test]
    fn quantiles_of_what_is_known() {
        let draws: Vec<Option<f64>> = (0..101).map(|i| Some(f64::from(i))).collect();
        assert_eq!(quantile(&draws, 0.95), Some(95.0));
        assert_eq!(quantile(&[Some(1.0), None, None], 0.5), None);
        assert_eq!(over(&[vec![Some(1.0), None], vec![Some(3.0), None]]), [Some(2.0), None]);
    }
}

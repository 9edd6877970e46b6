//! Maximum mean discrepancy, and whether it could be chance.

use std::collections::BTreeMap;

use physiosynth_signal::Seed;
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::OfSets;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::neighbours::squared_distance;
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const SQUARED: OfSets = OfSets {
    about: About {
        name: "mmd_squared",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Squared maximum mean discrepancy (Gretton et al. 2012), unbiased: mean k within one set plus that within the other, equal \
                     pairs left out, less twice the mean between them; k is the mean of five Gaussian kernels whose widths are ¼, ½, 1, \
                     2 and 4 times the median distance within the reference. On at most 1,000 segments a side, drawn by the seed. \
                     About 0, or below, where both sets are drawn alike; at most 2. Small differences in long segments drown in it.",
    },
    compute: |sets: &Comparison| sets.mmd().map(|m| m.squared),
};

pub(super) const P_VALUE: OfSets = OfSets {
    about: About {
        name: "mmd_p",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Higher,
        definition: "How often the squared maximum mean discrepancy would be as large if it did not matter which set a subject is in: share \
                     of 199 exchanges, 0.005 to 1. Whole subjects are exchanged (a subject with segments in both sets has its two parts \
                     swapped or not): beats of a subject are alike, so exchanging single beats always rejects. None for fewer than \
                     five subjects. A large value is no proof that the sets are alike.",
    },
    compute: |sets: &Comparison| sets.mmd().and_then(|m| m.p),
};

/// Segments a side.
const SUBSAMPLE: usize = 1000;
const WIDTHS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
const EXCHANGES: usize = 199;
/// Fewer units than this have too few exchanges for a p-value.
const FEWEST_UNITS: usize = 5;

/// The discrepancy and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmd {
    /// Unbiased estimate of the squared discrepancy.
    pub squared: f64,
    /// By exchanging subjects; none where they are too few.
    pub p: Option<f64>,
}

/// Of `candidate` from `reference`. None for fewer than two segments, or where all reference segments are equal.
pub fn mmd(reference: &Pool, candidate: &Pool, seed: Seed) -> Option<Mmd> {
    let (real, scored) = (drawn(reference, seed, "evaluation/mmd/reference"), drawn(candidate, seed, "evaluation/mmd/candidate"));
    let (n, m) = (real.len(), scored.len());
    if n < 2 || m < 2 {
        return None;
    }
    let segment = |i: usize| if i < n { reference.segment(real[i]) } else { candidate.segment(scored[i - n]) };
    let mut distances: Vec<Vec<f64>> =
        (0..n + m).into_par_iter().map(|i| (0..i).map(|j| squared_distance(segment(i), segment(j))).collect()).collect();
    let mut within: Vec<f64> = distances.iter().take(n).flatten().copied().collect();
    let middle = within.len() / 2;
    let median_squared = *within.select_nth_unstable_by(middle, f64::total_cmp).1;
    if median_squared.is_nan() || median_squared <= 0.0 {
        return None;
    }
    let kernel = |d: f64| WIDTHS.iter().map(|w| (-d / (2.0 * w * w * median_squared)).exp()).sum::<f64>() / WIDTHS.len() as f64;
    distances.par_iter_mut().for_each(|row| row.iter_mut().for_each(|d| *d = kernel(*d)));
    let subjects: Vec<(&str, usize)> = (0..n + m)
        .map(|i| if i < n { (reference.subjects[real[i]].as_str(), 0) } else { (candidate.subjects[scored[i - n]].as_str(), 1) })
        .collect();
    let groups = Groups::new(&subjects, &distances);
    let sides: Vec<usize> = groups.side.clone();
    let squared = groups.statistic(&sides);
    Some(Mmd { squared, p: groups.p_value(squared, seed) }).filter(|found| found.squared.is_finite())
}

fn drawn(pool: &Pool, seed: Seed, purpose: &str) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..pool.len()).collect();
    if pool.len() > SUBSAMPLE {
        indices.shuffle(&mut seed.stream(purpose, 0));
        indices.truncate(SUBSAMPLE);
    }
    indices
}

/// A group is a subject's segments in one of the sets; all that exchanges need is the sum of the kernel from group to group.
struct Groups {
    /// Set of each group.
    side: Vec<usize>,
    /// Segments in each.
    size: Vec<f64>,
    /// `[group, group]`, without a segment's own kernel value of 1.
    sums: Vec<f64>,
    /// Groups of a subject that is in both sets.
    pairs: Vec<[usize; 2]>,
    /// Groups of the others.
    single: Vec<usize>,
}

impl Groups {
    /// `subjects` of the segments with their sets, `kernel` below the diagonal.
    fn new(subjects: &[(&str, usize)], kernel: &[Vec<f64>]) -> Self {
        let mut names: BTreeMap<(&str, usize), usize> = subjects.iter().map(|&key| (key, 0)).collect();
        names.values_mut().enumerate().for_each(|(at, group)| *group = at);
        let count = names.len();
        let of: Vec<usize> = subjects.iter().map(|key| names[key]).collect();
        let (mut sums, mut size) = (vec![0.0; count * count], vec![0.0; count]);
        for (i, row) in kernel.iter().enumerate() {
            size[of[i]] += 1.0;
            for (j, k) in row.iter().enumerate() {
                sums[of[i] * count + of[j]] += k;
                sums[of[j] * count + of[i]] += k;
            }
        }
        let (mut pairs, mut single) = (Vec::new(), Vec::new());
        for (&(name, side), &group) in &names {
            match names.get(&(name, 1 - side)) {
                Some(&other) if side == 0 => pairs.push([group, other]),
                Some(_) => {}
                None => single.push(group),
            }
        }
        Self { side: names.keys().map(|key| key.1).collect(), size, sums, pairs, single }
    }

    fn statistic(&self, side: &[usize]) -> f64 {
        let count = side.len();
        let (mut sums, mut sizes) = ([[0.0; 2]; 2], [0.0; 2]);
        for (g, row) in self.sums.chunks_exact(count).enumerate() {
            sizes[side[g]] += self.size[g];
            for (sum, &other) in row.iter().zip(side) {
                sums[side[g]][other] += sum;
            }
        }
        let within = |s: usize| sums[s][s] / (sizes[s] * (sizes[s] - 1.0));
        within(0) + within(1) - 2.0 * sums[0][1] / (sizes[0] * sizes[1])
    }

    fn p_value(&self, observed: f64, seed: Seed) -> Option<f64> {
        if self.pairs.len() + self.single.len() < FEWEST_UNITS {
            return None;
        }
        let as_large = (0..EXCHANGES)
            .into_par_iter()
            .filter(|&round| {
                let mut rng = seed.stream("evaluation/mmd/exchange", round as u64);
                let mut side = self.side.clone();
                for &[a, b] in &self.pairs {
                    if rng.random_bool(0.5) {
                        side.swap(a, b);
                    }
                }
                let mut labels: Vec<usize> = self.single.iter().map(|&g| self.side[g]).collect();
                labels.shuffle(&mut rng);
                for (&g, label) in self.single.iter().zip(labels) {
                    side[g] = label;
                }
                let found = self.statistic(&side);
                // A side of one segment has no mean within: no evidence against chance.
                found.is_nan() || found >= observed
            })
            .count();
        Some((1 + as_large) as f64 / (1 + EXCHANGES) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `subjects` subjects with an offset each, `count` segments of 8 samples; all shifted.
    fn beats(first: u64, subjects: u64, count: usize, shift: f32) -> Pool {
        let (mut samples, mut names) = (Vec::new(), Vec::new());
        for subject in first..first + subjects {
            let mut rng = Seed(2).stream("mmd", subject);
            let own: f32 = rng.random_range(-1.0..1.0);
            for _ in 0..count {
                samples.extend((0..8).map(|_| own + shift + rng.random_range(-0.3_f32..0.3)));
                names.push(subject.to_string());
            }
        }
        let mut pool = Pool::of_samples(samples, 8);
        pool.subjects = names;
        pool
    }

    #[test]
    fn exchanging_subjects_does_not_reject_what_is_drawn_alike() {
        let low = (0..20).filter(|&round| {
            let (a, b) = (beats(round * 40, 8, 30, 0.0), beats(round * 40 + 20, 8, 30, 0.0));
            mmd(&a, &b, Seed(round)).unwrap().p.unwrap() < 0.05
        });
        assert!(low.count() <= 3, "one in twenty is expected");
        // Every segment a subject of its own: what goes wrong when beats are exchanged.
        let (mut a, mut b) = (beats(0, 8, 30, 0.0), beats(20, 8, 30, 0.0));
        a.subjects = (0..240).map(|i| format!("a{i}")).collect();
        b.subjects = (0..240).map(|i| format!("b{i}")).collect();
        assert!(mmd(&a, &b, Seed(1)).unwrap().p.unwrap() < 0.01);
    }

    #[test]
    fn a_shift_is_found_and_a_subject_in_both_sets_is_swapped() {
        let (a, b) = (beats(0, 12, 20, 0.0), beats(20, 12, 20, 2.0));
        let found = mmd(&a, &b, Seed(1)).unwrap();
        assert!(found.squared > 0.2 && found.p.unwrap() < 0.02, "{found:?}");
        let (same, found) = (beats(0, 12, 20, 0.0), mmd(&a, &beats(0, 12, 20, 0.6), Seed(1)).unwrap());
        assert!(found.p.unwrap() < 0.05, "a shift within subjects: {found:?}");
        assert!(mmd(&a, &same, Seed(1)).unwrap().squared <= 0.0);
        assert_eq!(mmd(&beats(0, 2, 20, 0.0), &beats(9, 2, 20, 0.0), Seed(1)).unwrap().p, None);
        assert_eq!(mmd(&a, &Pool::default(), Seed(1)), None);
    }
}

//! The nearest segments of one set to each segment of another, and how far they are.

use rayon::prelude::*;

use super::scan::{Judge, Limits, limit, scan, squared_distance};
use super::{Prepared, parts};
use crate::pool::Pool;

/// Distances from each query to its nearest segments of another set, `[query, k]`, ascending; infinite for queries with missing
/// samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Across {
    k: usize,
    squared: Vec<f64>,
}

impl Across {
    /// The `k` nearest segments of `reference` to each of `queries`, or as many as there are. A segment that is in both sets is its
    /// own neighbour, at distance 0.
    pub fn of(queries: &Prepared, reference: &Prepared, k: usize) -> Self {
        let k = k.min(reference.pool.len());
        let found: Vec<Vec<f64>> = parts(queries.pool.len())
            .into_par_iter()
            .map(|range| {
                let squared = vec![f64::INFINITY; k * range.len()];
                let mut judge = Nearby { queries: queries.pool, reference: reference.pool, first: range.start, k, squared };
                let mut limits = Limits::rows_only(range.len(), &reference.centred);
                if k > 0 {
                    scan(&queries.centred, range, &reference.centred, &mut limits, &mut judge);
                }
                judge.squared
            })
            .collect();
        Self { k, squared: found.concat() }
    }

    /// How many neighbours each query has.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Squared distances of query `i` to its neighbours, the nearest first; empty where there is no such query or neighbour.
    pub fn squared(&self, i: usize) -> &[f64] {
        self.squared.get(i * self.k..(i + 1) * self.k).unwrap_or_default()
    }
}

struct Nearby<'a> {
    queries: &'a Pool,
    reference: &'a Pool,
    first: usize,
    k: usize,
    squared: Vec<f64>,
}

impl Judge for Nearby<'_> {
    fn near(&mut self, limits: &mut Limits, i: usize, j: usize, _low: f32) {
        let distance = squared_distance(self.queries.segment(self.first + i), self.reference.segment(j));
        let own = &mut self.squared[i * self.k..(i + 1) * self.k];
        let place = own.partition_point(|&d| d <= distance);
        if let Some(moved) = own.get_mut(place..).filter(|moved| !moved.is_empty()) {
            moved.rotate_right(1);
            moved[0] = distance;
            let farthest = own[self.k - 1];
            limits.row[i] = if farthest > 0.0 { limit(farthest) } else { f32::NEG_INFINITY };
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    use super::*;
    use crate::neighbours::centre;

    #[test]
    fn equals_a_full_sort() {
        for (n, m, length, k) in [(1, 1, 3, 2), (40, 7, 9, 5), (25, 100, 30, 3)] {
            let mut rng = Seed(4).stream("across", n as u64);
            let mut pool = |count: usize| {
                Pool::of_samples((0..count * length).map(|_| 50.0 + rng.random_range(-1.0_f32..1.0)).collect(), length)
            };
            let (queries, reference) = (pool(n), pool(m));
            let centre = centre(&reference);
            let found = Across::of(&Prepared::new(&queries, &centre), &Prepared::new(&reference, &centre), k);
            assert_eq!(found.k(), k.min(m));
            for i in 0..n {
                let mut all: Vec<f64> = reference.iter().map(|s| squared_distance(queries.segment(i), s)).collect();
                all.sort_by(f64::total_cmp);
                assert_eq!(found.squared(i), &all[..k.min(m)]);
            }
        }
    }
}

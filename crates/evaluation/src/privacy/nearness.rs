//! How near each candidate segment is to each person's: worked out once, put together anew for every set of people.

use crate::neighbours::{Across, Prepared, centre};
use crate::pool::Pool;

use super::people::People;

/// Distances of every segment of [`People`] to the nearest segments of every person, half by half.
///
/// Memory: 8·k bytes for each pair of a segment and a person; with 200 people of 30 segments and k = 5 about 50 MB.
pub(crate) struct Nearness {
    k: usize,
    people: usize,
    /// `[segment, person, half, k]`, ascending, infinite where there is nobody.
    near: Vec<f32>,
    centre: Vec<f32>,
}

impl Nearness {
    pub(crate) fn of(people: &People, k: usize) -> Self {
        let centre = centre(&people.pool);
        let (n, persons) = (people.pool.len(), people.names.len());
        let mut near = vec![f32::INFINITY; n * persons * 2 * k];
        let queries = Prepared::new(&people.pool, &centre);
        for person in 0..persons {
            for half in 0..2 {
                let own = people.pool.select(&people.indices(|p, second| p == person && usize::from(second) == half));
                let across = Across::of(&queries, &Prepared::new(&own, &centre), k);
                for i in 0..n {
                    let to = &mut near[((i * persons + person) * 2 + half) * k..];
                    for (to, &squared) in to.iter_mut().zip(across.squared(i)) {
                        *to = squared.sqrt() as f32;
                    }
                }
            }
        }
        Self { k, people: persons, near, centre }
    }

    /// Distances of every segment to the nearest ones of `pool`: one row each, ascending.
    pub(crate) fn to(&self, people: &People, pool: &Pool) -> Vec<Vec<f32>> {
        let across = Across::of(&Prepared::new(&people.pool, &self.centre), &Prepared::new(pool, &self.centre), self.k);
        (0..people.pool.len()).map(|i| across.squared(i).iter().map(|s| s.sqrt() as f32).collect()).collect()
    }

    /// Distance from segment `i` to the nearest one of `person`, of one half or of both.
    pub(crate) fn nearest(&self, i: usize, person: usize, second_half_only: bool) -> f32 {
        let at = (i * self.people + person) * 2 * self.k;
        let second = self.near[at + self.k];
        if second_half_only { second } else { self.near[at].min(second) }
    }

    /// The `k` least distances from segment `i` to segments of the people and halves that are kept, ascending; fewer where these have
    /// fewer segments.
    pub(crate) fn merged(&self, i: usize, keep: impl Fn(usize, bool) -> bool) -> Vec<f32> {
        let mut least = vec![f32::INFINITY; self.k];
        for person in 0..self.people {
            for half in 0..2 {
                if !keep(person, half == 1) {
                    continue;
                }
                let at = ((i * self.people + person) * 2 + half) * self.k;
                for &distance in &self.near[at..at + self.k] {
                    if distance >= least[self.k - 1] {
                        break;
                    }
                    let place = least.partition_point(|&d| d <= distance);
                    least[place..].rotate_right(1);
                    least[place] = distance;
                }
            }
        }
        least.retain(|d| d.is_finite());
        least
    }
}

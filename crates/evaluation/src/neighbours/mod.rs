//! Who is near whom: the neighbours of each segment within a set, and what happens where two sets meet. Euclidean distances over
//! all samples in physical units.
//!
//! Time grows with the product of the sets' sizes, memory with their sum: two further copies of each set's samples and a few
//! numbers a segment.

mod across;
mod scan;

pub use across::Across;
use std::ops::Range;

use rayon::prelude::*;

use crate::comparison::Nearest;
use crate::pool::Pool;
pub(crate) use scan::squared_distance;
use scan::{Centred, Judge, Limits, limit, scan};

/// Parts that a pass over all pairs is cut into, for threads to share. Each keeps a column of its own, so not too many.
const PARTS: usize = 12;

/// A set made ready for passes over its pairs with others.
#[derive(Debug)]
pub struct Prepared<'a> {
    pool: &'a Pool,
    centred: Centred,
}

impl<'a> Prepared<'a> {
    /// `centre` is any segment near the middle of all sets that are to meet, and the same for all of them.
    pub fn new(pool: &'a Pool, centre: &[f32]) -> Self {
        Self { pool, centred: Centred::new(pool.samples(), centre) }
    }
}

/// The middle that sets are made ready with: the mean segment, missing samples left out.
pub fn centre(pool: &Pool) -> Vec<f32> {
    let mut sums = vec![(0.0_f64, 0_u32); pool.length()];
    for segment in pool.iter() {
        for (sum, &x) in sums.iter_mut().zip(segment) {
            if x.is_finite() {
                *sum = (sum.0 + f64::from(x), sum.1 + 1);
            }
        }
    }
    sums.into_iter().map(|(sum, n)| (sum / f64::from(n.max(1))) as f32).collect()
}

/// The nearest neighbours of each segment among the others of its own set.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    k: usize,
    /// Squared distances to the nearest, the second, … the k-th: `[segment, k]`.
    squared: Vec<f64>,
}

impl Neighbours {
    /// The `k` nearest of each, or as many as there are. Segments with missing samples have none: infinitely far.
    pub fn of(set: &Prepared, k: usize) -> Self {
        let n = set.pool.len();
        let k = k.min(n.saturating_sub(1));
        let found: Vec<Vec<f64>> = parts(n)
            .into_par_iter()
            .map(|range| {
                let mut judge = Within { pool: set.pool, first: range.start, k, squared: vec![f64::INFINITY; k * range.len()] };
                let mut limits = Limits::rows_only(range.len(), &set.centred);
                if k > 0 {
                    scan(&set.centred, range, &set.centred, &mut limits, &mut judge);
                }
                judge.squared
            })
            .collect();
        Self { k, squared: found.concat() }
    }

    /// Squared distance from segment `i` to its k-th neighbour; none where the set holds no other segment.
    pub fn radius_squared(&self, i: usize) -> Option<f64> {
        self.squared.get((i + 1) * self.k - usize::from(self.k > 0)).copied().filter(|_| self.k > 0)
    }

    /// Squared distance from segment `i` to its nearest neighbour.
    pub fn nearest_squared(&self, i: usize) -> Option<f64> {
        self.squared.get(i * self.k).copied().filter(|_| self.k > 0)
    }
}

fn parts(n: usize) -> Vec<Range<usize>> {
    let size = n.div_ceil(PARTS).max(1);
    (0..n).step_by(size).map(|start| start..(start + size).min(n)).collect()
}

struct Within<'a> {
    pool: &'a Pool,
    first: usize,
    k: usize,
    squared: Vec<f64>,
}

impl Judge for Within<'_> {
    fn near(&mut self, limits: &mut Limits, i: usize, j: usize, _low: f32) {
        if j == self.first + i {
            return;
        }
        let distance = squared_distance(self.pool.segment(self.first + i), self.pool.segment(j));
        let own = &mut self.squared[i * self.k..(i + 1) * self.k];
        let place = own.partition_point(|&d| d <= distance);
        if let Some(moved) = own.get_mut(place..).filter(|moved| !moved.is_empty()) {
            moved.rotate_right(1);
            moved[0] = distance;
            // Nothing is nearer than nothing at all: a crowd of equal segments is not compared pair by pair.
            let farthest = own[self.k - 1];
            limits.row[i] = if farthest > 0.0 { limit(farthest) } else { f32::NEG_INFINITY };
        }
    }
}

/// What happens where a candidate set meets a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    /// The nearest reference segment of each candidate one; the first of several equally near.
    pub nearest: Vec<Nearest>,
    /// The nearest candidate segment of each reference one.
    pub reached_by: Vec<Nearest>,
    /// In how many reference segments' balls (as far as their k-th neighbour in the reference) each candidate segment lies.
    pub inside: Vec<u32>,
    /// Whether each reference segment lies in a candidate segment's ball (as far as its k-th neighbour among the candidates).
    pub recalled: Vec<bool>,
}

impl Meeting {
    /// Of `candidate` and `reference`, with the neighbours of either where balls are asked for.
    pub fn of(candidate: &Prepared, reference: &Prepared, balls: Option<(&Neighbours, &Neighbours)>) -> Self {
        let columns = reference.pool.len();
        let parts: Vec<Between> =
            parts(candidate.pool.len()).into_par_iter().map(|range| Between::run(candidate, range, reference, balls)).collect();
        let mut meeting = Self {
            nearest: Vec::with_capacity(candidate.pool.len()),
            reached_by: Vec::new(),
            inside: Vec::with_capacity(candidate.pool.len()),
            recalled: vec![false; columns],
        };
        let mut reached = vec![NOBODY; columns];
        for part in &parts {
            meeting.nearest.extend(part.nearest.iter().map(Found::public));
            meeting.inside.extend(&part.inside);
            for (best, new) in reached.iter_mut().zip(&part.reached) {
                best.improve(*new);
            }
            for (all, new) in meeting.recalled.iter_mut().zip(&part.recalled) {
                *all |= new;
            }
        }
        meeting.reached_by = reached.iter().map(Found::public).collect();
        meeting
    }
}

#[derive(Debug, Clone, Copy)]
struct Found {
    squared: f64,
    index: usize,
}

const NOBODY: Found = Found { squared: f64::INFINITY, index: 0 };

impl Found {
    fn improve(&mut self, new: Self) -> bool {
        // Parts and columns come in ascending order, so the first of equals stays.
        let better = new.squared < self.squared;
        if better {
            *self = new;
        }
        better
    }

    fn public(&self) -> Nearest {
        Nearest { index: self.index, distance: self.squared.sqrt() as f32 }
    }
}

/// A part of the candidates against the whole reference.
struct Between<'a> {
    candidate: &'a Prepared<'a>,
    reference: &'a Prepared<'a>,
    first: usize,
    /// Squared radii of the reference's balls, of the part's candidates' balls.
    balls: Option<(&'a Neighbours, &'a Neighbours)>,
    nearest: Vec<Found>,
    reached: Vec<Found>,
    inside: Vec<u32>,
    recalled: Vec<bool>,
}

impl<'a> Between<'a> {
    fn run(
        candidate: &'a Prepared<'a>,
        range: Range<usize>,
        reference: &'a Prepared<'a>,
        balls: Option<(&'a Neighbours, &'a Neighbours)>,
    ) -> Self {
        let columns = reference.pool.len();
        let mut part = Self {
            candidate,
            reference,
            first: range.start,
            balls,
            nearest: vec![NOBODY; range.len()],
            reached: vec![NOBODY; columns],
            inside: vec![0; range.len()],
            recalled: vec![false; columns],
        };
        let mut limits = Limits::rows_only(range.len(), &reference.centred);
        if let Some((own, _)) = balls {
            for (i, ball) in range.clone().zip(&mut limits.ball) {
                *ball = own.radius_squared(i).map_or(f32::NEG_INFINITY, limit);
            }
            limits.open[..columns].fill(f32::INFINITY);
            limits.column[..columns].fill(f32::INFINITY);
        }
        scan(&candidate.centred, range, &reference.centred, &mut limits, &mut part);
        part
    }

    /// The limit of column `j`: its ball and its nearest so far both matter.
    fn column_limit(&self, j: usize) -> f32 {
        let ball = self.balls.and_then(|(_, reference)| reference.radius_squared(j)).unwrap_or(0.0);
        limit(ball.max(self.reached[j].squared))
    }
}

impl Judge for Between<'_> {
    fn near(&mut self, limits: &mut Limits, i: usize, j: usize, low: f32) {
        let squared_radius = self.balls.and_then(|(_, reference)| reference.radius_squared(j));
        let high = low + self.candidate.centred.width(self.first + i, &self.reference.centred, j);
        let surely_inside = squared_radius.is_some_and(|r| f64::from(high) < r);
        let no_nearest = low >= limits.row[i] && low >= limit(self.reached[j].squared);
        let no_recall = low >= limits.ball[i].min(limits.open[j]);
        if surely_inside && no_nearest && no_recall {
            self.inside[i] += 1;
            return;
        }
        let squared = squared_distance(self.candidate.pool.segment(self.first + i), self.reference.pool.segment(j));
        if self.nearest[i].improve(Found { squared, index: j }) {
            limits.row[i] = limit(squared);
        }
        if let Some((own, _)) = self.balls {
            self.inside[i] += u32::from(squared_radius.is_some_and(|r| squared < r));
            if self.reached[j].improve(Found { squared, index: self.first + i }) {
                limits.column[j] = self.column_limit(j);
            }
            if own.radius_squared(self.first + i).is_some_and(|r| squared < r) {
                self.recalled[j] = true;
                limits.open[j] = f32::NEG_INFINITY;
            }
        }
    }
}

#[cfg(test)]
mod tests;

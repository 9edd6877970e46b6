//! One set of segments against the real reference, with what several measures need of the two worked out once.

use std::sync::OnceLock;

use physiosynth_signal::Seed;
use rayon::prelude::*;

use crate::pool::Pool;

/// What measures are told of the segments' layout, and of their settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Channels per segment: samples of one instant lie side by side.
    pub channels: usize,
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// Half-width in samples of the band of dynamic time warping.
    pub band: usize,
    /// Neighbours that a neighbourhood reaches to (the k of precision, recall, density, coverage).
    pub neighbours: usize,
}

/// The nearest segment of a set, by Euclidean distance over all samples in physical units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Its index there.
    pub index: usize,
    /// How far it is, in the physical unit × √samples.
    pub distance: f32,
}

/// A candidate set (synthetic, `same`, `held_out` or a baseline's) against the reference.
pub struct Comparison<'a> {
    /// Real training segments that all candidates are scored against.
    pub reference: &'a Pool,
    /// The set under judgement.
    pub candidate: &'a Pool,
    /// How segments are laid out, and settings.
    pub shape: Shape,
    /// For measures that draw; they name a purpose of their own.
    pub seed: Seed,
    nearest: OnceLock<Vec<Nearest>>,
}

impl<'a> Comparison<'a> {
    /// Of `candidate` against `reference`.
    pub fn new(reference: &'a Pool, candidate: &'a Pool, shape: Shape, seed: Seed) -> Self {
        Self { reference, candidate, shape, seed, nearest: OnceLock::new() }
    }

    /// The nearest reference segment of each candidate segment.
    pub fn nearest(&self) -> &[Nearest] {
        self.nearest.get_or_init(|| nearest(self.candidate, self.reference))
    }
}

/// The nearest segment of `reference` for each of `pool`; the first of several equally near.
pub fn nearest(pool: &Pool, reference: &Pool) -> Vec<Nearest> {
    (0..pool.len())
        .into_par_iter()
        .map(|i| {
            let query = pool.segment(i);
            let mut best = (f32::INFINITY, 0);
            for (j, candidate) in reference.iter().enumerate() {
                let distance: f32 = query.iter().zip(candidate).map(|(x, y)| (x - y) * (x - y)).sum();
                if distance < best.0 {
                    best = (distance, j);
                }
            }
            Nearest { index: best.1, distance: best.0.sqrt() }
        })
        .collect()
}

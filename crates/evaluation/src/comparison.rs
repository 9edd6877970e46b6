//! One set of segments against the real reference, with what several measures need of the two worked out once.

use std::sync::{Arc, OnceLock};

use physiosynth_signal::Seed;

use crate::neighbours::{self, Meeting, Neighbours, Prepared};
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

/// What is worked out of a reference once, for all candidates that stand against it.
struct OfReference<'a> {
    centre: Vec<f32>,
    prepared: Prepared<'a>,
    neighbours: OnceLock<Neighbours>,
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
    shared: Arc<OfReference<'a>>,
    neighbours: OnceLock<Neighbours>,
    meeting: OnceLock<Meeting>,
}

impl<'a> Comparison<'a> {
    /// Of `candidate` against `reference`.
    pub fn new(reference: &'a Pool, candidate: &'a Pool, shape: Shape, seed: Seed) -> Self {
        let centre = neighbours::centre(reference);
        let prepared = Prepared::new(reference, &centre);
        let shared = Arc::new(OfReference { centre, prepared, neighbours: OnceLock::new() });
        Self { reference, candidate, shape, seed, shared, neighbours: OnceLock::new(), meeting: OnceLock::new() }
    }

    /// Of another candidate against the same reference: what is known of the reference is shared.
    #[must_use]
    pub fn beside(&self, candidate: &'a Pool) -> Self {
        let shared = Arc::clone(&self.shared);
        let (neighbours, meeting) = (OnceLock::new(), OnceLock::new());
        Self { reference: self.reference, candidate, shape: self.shape, seed: self.seed, shared, neighbours, meeting }
    }

    /// The nearest reference segment of each candidate segment.
    pub fn nearest(&self) -> &[Nearest] {
        &self.meeting().nearest
    }

    /// The neighbours of each reference segment in the reference.
    pub fn reference_neighbours(&self) -> &Neighbours {
        self.shared.neighbours.get_or_init(|| Neighbours::of(&self.shared.prepared, self.shape.neighbours))
    }

    /// The neighbours of each candidate segment among the candidates.
    pub fn candidate_neighbours(&self) -> &Neighbours {
        self.neighbours.get_or_init(|| Neighbours::of(&self.prepared(), self.shape.neighbours))
    }

    /// Who is near whom between the two sets.
    pub fn meeting(&self) -> &Meeting {
        self.meeting.get_or_init(|| {
            let prepared = self.prepared();
            let own = self.neighbours.get_or_init(|| Neighbours::of(&prepared, self.shape.neighbours));
            Meeting::of(&prepared, &self.shared.prepared, Some((own, self.reference_neighbours())))
        })
    }

    /// Whether both sets have as many segments: measures that depend on the size have no value otherwise.
    pub fn equal_sizes(&self) -> bool {
        self.candidate.len() == self.reference.len() && !self.candidate.is_empty()
    }

    fn prepared(&self) -> Prepared<'a> {
        Prepared::new(self.candidate, &self.shared.centre)
    }
}

/// The nearest segment of `reference` for each of `pool`; the first of several equally near.
pub fn nearest(pool: &Pool, reference: &Pool) -> Vec<Nearest> {
    let centre = neighbours::centre(reference);
    Meeting::of(&Prepared::new(pool, &centre), &Prepared::new(reference, &centre), None).nearest
}

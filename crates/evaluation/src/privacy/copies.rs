//! Copies: synthetic segments that lie where only the training segment itself could.

use physiosynth_signal::SegmentSet;

use crate::neighbours::{Across, Meeting, Prepared, centre};
use crate::pool::Pool;

/// A segment this much nearer to a training segment than that segment's nearest neighbour in the training set is a near copy.
pub(crate) const NEAR: f64 = 0.25;

/// A distance below this share of the segment's own norm is rounding: an exact copy.
const EXACT: f64 = 1e-5;

/// Training segments held at a time.
const BLOCK: usize = 8192;

pub(crate) const EXACT_DEFINITION: &str = "Share of segments that equal a training segment of the class up to rounding (distance below \
     10⁻⁵ of its norm), 0 to 1. All training and all synthetic segments are looked at. Reference `same`: training segments drawn by \
     lot among the rest, which shows how often a recording repeats itself.";

pub(crate) const NEAR_DEFINITION: &str = "Share of segments nearer to a training segment of the class than a quarter of that segment's \
     distance to its nearest neighbour in the whole training set, or equal to it; 0 to 1. References: `same` is training segments \
     drawn by lot among the rest, so fresh segments of the same people; `held_out` is other people's. Blind to copies whose time \
     axis, amplitude or noise was changed by more than that.";

/// Whether a segment is a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copied {
    pub exact: bool,
    /// Exact copies are near ones too.
    pub near: bool,
}

#[derive(Clone, Copy)]
struct Best {
    distance: f64,
    index: usize,
}

/// Which of `queries` copy one of the segments `training` of `real`. Memory: [`BLOCK`] training segments at a time.
pub(crate) fn find(queries: &Pool, real: &SegmentSet, training: &[usize]) -> Vec<Copied> {
    let middle = centre(queries);
    let prepared = Prepared::new(queries, &middle);
    let mut best = vec![Best { distance: f64::INFINITY, index: 0 }; queries.len()];
    for block in training.chunks(BLOCK) {
        let pool = Pool::new(real, block);
        let met = Meeting::of(&prepared, &Prepared::new(&pool, &middle), None);
        for (best, new) in best.iter_mut().zip(&met.nearest) {
            if let Some(&index) = block.get(new.index).filter(|_| f64::from(new.distance) < best.distance) {
                *best = Best { distance: f64::from(new.distance), index };
            }
        }
    }
    let mut hit: Vec<usize> = best.iter().filter(|b| b.distance.is_finite()).map(|b| b.index).collect();
    hit.sort_unstable();
    hit.dedup();
    let originals = Pool::new(real, &hit);
    let own = own_distances(&originals, real, training, &middle);
    let of = |best: &Best| {
        let at = hit.binary_search(&best.index).ok().filter(|_| best.distance.is_finite());
        let Some(at) = at else { return Copied { exact: false, near: false } };
        let norm = originals.segment(at).iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let exact = best.distance <= EXACT * norm;
        Copied { exact, near: exact || best.distance < NEAR * own[at] }
    };
    best.iter().map(of).collect()
}

/// Distance of each of `originals`, which are among `training`, to its nearest other segment there; infinite where there is none.
fn own_distances(originals: &Pool, real: &SegmentSet, training: &[usize], middle: &[f32]) -> Vec<f64> {
    let prepared = Prepared::new(originals, middle);
    // The two nearest of each: the first is the segment itself.
    let mut nearest = vec![[f64::INFINITY; 2]; originals.len()];
    for block in training.chunks(BLOCK) {
        let pool = Pool::new(real, block);
        let across = Across::of(&prepared, &Prepared::new(&pool, middle), 2);
        for (i, two) in nearest.iter_mut().enumerate() {
            let mut all: Vec<f64> = two.iter().chain(across.squared(i)).copied().collect();
            all.sort_by(f64::total_cmp);
            two.copy_from_slice(&all[..2]);
        }
    }
    nearest.iter().map(|two| two[1].sqrt()).collect()
}

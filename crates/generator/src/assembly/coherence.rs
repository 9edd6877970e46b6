//! Beats of one class change slowly.
//!
//! A heart's beats drift in shape: neighbours are more alike than beats of the same class half an hour apart. Segments are drawn
//! independently of one another; put in another order they are the same segments, with the neighbours more alike. Each next beat of a
//! class is the one most like the last among a few drawn at random from those of the piece that are left. In the training records of
//! MIT-BIH, neighbouring beats N differ by 0.92 (median over records; 0.62 to 1.02) of what beats drawn at random differ by; two candidates
//! give 0.86, three 0.78, four 0.72.

use std::collections::BTreeMap;

use physiosynth_signal::{Seed, SegmentSet};
use rand::RngExt;

/// Puts a record's segments in order, piece by piece.
#[derive(Debug, Clone)]
pub struct Coherence {
    candidates: usize,
    seed: Seed,
    purpose: String,
    pieces: u64,
    /// The last shape of each class.
    last: BTreeMap<String, Vec<f32>>,
}

impl Coherence {
    /// For the record `name`; `candidates` as [`AssemblyConfig::candidates`](super::AssemblyConfig::candidates).
    pub fn new(candidates: usize, seed: Seed, name: &str) -> Self {
        Self { candidates, seed, purpose: format!("order of the beats of {name}"), pieces: 0, last: BTreeMap::new() }
    }

    /// Reorders `order`, segments of `beats` for the beats of a piece, among beats of the same class.
    pub fn order(&mut self, beats: &SegmentSet, order: &mut [usize]) {
        if self.candidates < 2 {
            return;
        }
        let mut stream = self.seed.stream(&self.purpose, self.pieces);
        self.pieces += 1;
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, &segment) in order.iter().enumerate() {
            if let Some(known) = beats.segments.get(segment) {
                places.entry(&known.label).or_default().push(place);
            }
        }
        for (label, places) in places {
            let mut left: Vec<(usize, Vec<f32>)> =
                places.iter().map(|&place| (order[place], shape(beats, order[place]))).collect();
            for place in places {
                let chosen = match self.last.get(label) {
                    None => 0,
                    Some(last) => {
                        let draws = (0..self.candidates.min(left.len())).map(|_| stream.random_range(0..left.len()));
                        let distance = |index: &usize| left.get(*index).map_or(f32::MAX, |(_, shape)| distance(shape, last));
                        draws
                            .map(|index| (index, distance(&index)))
                            .min_by(|a, b| a.1.total_cmp(&b.1))
                            .map_or(0, |(index, _)| index)
                    }
                };
                let (segment, shape) = left.swap_remove(chosen);
                order[place] = segment;
                self.last.insert(label.to_owned(), shape);
            }
        }
    }
}

/// A segment in physical units without its mean, all channels.
fn shape(beats: &SegmentSet, segment: usize) -> Vec<f32> {
    let physical = beats.physical(segment);
    let mean = physical.mean().unwrap_or(0.0);
    physical.iter().map(|value| value - mean).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy;

    #[test]
    fn neighbours_are_more_alike_and_no_segment_is_lost() {
        let mut set = toy::segments(400, 60, 3);
        set.scale.fill(1.0);
        set.offset.fill(0.0);
        let roughness = |order: &[usize], label: &str| {
            let own: Vec<Vec<f32>> = order.iter().filter(|i| set.segments[**i].label == label).map(|i| shape(&set, *i)).collect();
            own.windows(2).map(|pair| distance(&pair[0], &pair[1])).sum::<f32>()
        };
        let came: Vec<usize> = (0..400).collect();
        let mut order = came.clone();
        let mut coherence = Coherence::new(4, Seed(1), "r");
        for piece in order.chunks_mut(200) {
            coherence.order(&set, piece);
        }
        for label in ["N", "V"] {
            assert!(roughness(&order, label) < 0.8 * roughness(&came, label));
        }
        for (piece, before) in order.chunks(200).zip(came.chunks(200)) {
            let mut sorted = piece.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, before);
        }
        assert!(order.iter().zip(&came).all(|(a, b)| set.segments[*a].label == set.segments[*b].label));
        let mut same = came.clone();
        Coherence::new(1, Seed(1), "r").order(&set, &mut same);
        assert_eq!(same, came);
    }
}

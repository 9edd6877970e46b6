//! The two groups of the paired objective: noise is added to the segments of A, and the network learns to turn them into
//! segments of B.

use std::collections::BTreeMap;

use physiosynth_signal::{Group, Seed, SegmentSet, Split};
use rand::seq::SliceRandom;

/// Divides the training segments of each cluster into two seeded halves, A having the odd one; a cluster of one segment has
/// no B. All other segments are in neither.
pub fn pair(set: &mut SegmentSet, seed: Seed) {
    let mut clusters: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (i, segment) in set.segments.iter_mut().enumerate() {
        segment.group = Group::None;
        if segment.split == Split::Train && segment.cluster >= 0 {
            clusters.entry(segment.cluster).or_default().push(i);
        }
    }
    for (cluster, mut members) in clusters {
        members.shuffle(&mut seed.stream("groups A and B of a cluster", cluster as u64));
        let half = members.len().div_ceil(2);
        for (place, i) in members.into_iter().enumerate() {
            set.segments[i].group = if place < half { Group::A } else { Group::B };
        }
    }
}

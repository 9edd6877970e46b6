//! Clusters of segments, and the two groups that are paired within them.

use std::collections::BTreeMap;

use physiosynth_signal::{Group, Seed, SegmentSet};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::config::Per;

/// The members of each cluster, in order of the cluster's key.
pub(super) fn clusters(set: &SegmentSet, chosen: &[usize], per: Per) -> Vec<Vec<usize>> {
    let mut clusters: BTreeMap<(&str, &str, i32), Vec<usize>> = BTreeMap::new();
    for (position, &i) in chosen.iter().enumerate() {
        let segment = &set.segments[i];
        let subject = if per == Per::Patient { segment.subject.as_str() } else { "" };
        clusters.entry((&segment.label, subject, segment.cluster)).or_default().push(position);
    }
    clusters.into_values().collect()
}

/// The clusters of the chosen segments that have members of both groups, as (A, B).
pub(super) fn pairs(
    set: &SegmentSet,
    chosen: &[usize],
    per: Per,
    seed: Seed,
    what: &str,
    remarks: &mut Vec<String>,
) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut rng = seed.stream(&format!("generator: {what} groups"), 0);
    let mut unpaired = 0;
    let mut paired = Vec::new();
    for members in clusters(set, chosen, per) {
        let (a, b) = halves(set, chosen, &members, &mut rng);
        if a.is_empty() || b.is_empty() {
            unpaired += members.len();
        } else {
            paired.push((a, b));
        }
    }
    if unpaired > 0 {
        remarks.push(format!("{unpaired} {what} segments are in clusters without a second segment to pair with: not used"));
    }
    paired
}

/// The members of a cluster in group A and in group B.
fn halves(set: &SegmentSet, chosen: &[usize], members: &[usize], rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
    let of = |group| members.iter().copied().filter(|&m| set.segments[chosen[m]].group == group).collect::<Vec<usize>>();
    let (mut a, mut b, mut neither) = (of(Group::A), of(Group::B), of(Group::None));
    neither.shuffle(rng);
    for member in neither {
        if a.len() <= b.len() { a.push(member) } else { b.push(member) }
    }
    a.sort_unstable();
    b.sort_unstable();
    (a, b)
}

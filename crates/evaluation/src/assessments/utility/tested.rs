//! Which held-out segments a classifier is tested on.

use std::collections::BTreeMap;

use super::ground::Ground;

/// Segments of a subject's class that networks are tested on at most: looking at all of them would take longer than to learn.
const AT_MOST: usize = 100;

/// Held-out segments, and how many each stands for.
pub(super) struct Tested {
    /// Indices of [`Ground::held_out`].
    pub indices: Vec<usize>,
    /// One for each index; they sum to all held-out segments.
    pub counts: Vec<f64>,
}

impl Tested {
    /// All of them, once.
    pub(super) fn all(ground: &Ground) -> Self {
        Self { indices: (0..ground.held_out.len()).collect(), counts: vec![1.0; ground.held_out.len()] }
    }

    /// Of each subject's segments of a class at most [`AT_MOST`], evenly spread over them, each standing for as many as all: shares and
    /// totals are those of all held-out segments, but for what chance makes of the choice.
    pub(super) fn some(ground: &Ground) -> Self {
        let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for (i, (&subject, &label)) in ground.subjects.iter().zip(&ground.labels).enumerate() {
            groups.entry((subject, label)).or_default().push(i);
        }
        let mut tested = Self { indices: Vec::new(), counts: Vec::new() };
        for group in groups.values() {
            let step = group.len().div_ceil(AT_MOST);
            let before = tested.indices.len();
            tested.indices.extend(group.iter().step_by(step));
            let taken = tested.indices.len() - before;
            tested.counts.extend(std::iter::repeat_n(group.len() as f64 / taken as f64, taken));
        }
        tested
    }

    /// What a reader is to know of it; nothing where all are tested.
    pub(super) fn words(&self) -> String {
        if self.counts.iter().all(|&count| count == 1.0) {
            return String::new();
        }
        format!(", by way of {} of them ({AT_MOST} of a subject's class at most)", self.indices.len())
    }
}

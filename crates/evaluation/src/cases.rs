use physiosynth_signal::{Seed, SegmentSet};
use rand::seq::SliceRandom;

/// Segments of one class, in physical units and flat, with the subject of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pool {
    /// `[segment, time × channel]`, row-major.
    samples: Vec<f32>,
    /// Samples per segment, over all channels.
    length: usize,
    /// One per segment: whom the interval's resampling takes it to be from.
    pub(crate) subjects: Vec<String>,
}

impl Pool {
    /// The segments at `indices`. A synthetic segment counts as its source subject's where it has one.
    fn new(set: &SegmentSet, indices: &[usize]) -> Self {
        let length = set.time() * set.channels();
        let mut samples = Vec::with_capacity(indices.len() * length);
        let mut subjects = Vec::with_capacity(indices.len());
        for &i in indices {
            samples.extend(set.physical(i).iter());
            let segment = &set.segments[i];
            subjects.push(if segment.derived_from.is_empty() { &segment.subject } else { &segment.derived_from }.clone());
        }
        Self { samples, length, subjects }
    }

    pub(crate) fn len(&self) -> usize {
        self.subjects.len()
    }

    pub(crate) fn segment(&self, i: usize) -> &[f32] {
        &self.samples[i * self.length..(i + 1) * self.length]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.samples.chunks_exact(self.length.max(1))
    }

    /// The mean segment.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let mut sum = vec![0.0_f64; self.length];
        for segment in self.iter() {
            for (s, &x) in sum.iter_mut().zip(segment) {
                *s += f64::from(x);
            }
        }
        let n = self.len().max(1) as f64;
        sum.into_iter().map(|s| (s / n) as f32).collect()
    }

    /// How many subjects the segments are from.
    pub(crate) fn subject_count(&self) -> usize {
        self.subjects.iter().collect::<std::collections::BTreeSet<_>>().len()
    }
}

/// The sets that one class is judged with. All but `held_out` have as many segments as `reference`, where there are so many.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) class: String,
    /// Half of the real training segments: what everything is scored against.
    pub(crate) reference: Pool,
    /// The other half.
    pub(crate) same: Pool,
    /// Segments of subjects that were not trained on; may be empty.
    pub(crate) held_out: Pool,
    /// The synthetic segments.
    pub(crate) synthetic: Pool,
}

/// Fewest segments on each side with which a class is scored.
pub(crate) const FEWEST: usize = 4;

/// Draws the sets of `class`, at most `cap` segments each; `Err` says in words why it cannot be scored.
pub(crate) fn draw(class: &str, real: &SegmentSet, synthetic: &SegmentSet, cap: usize, seed: Seed) -> Result<Case, String> {
    use physiosynth_signal::Split;
    let shuffled = |set: &SegmentSet, split: Split, purpose: &str| {
        let mut indices = set.indices(|s| s.label == class && s.split == split);
        indices.shuffle(&mut seed.stream(&format!("evaluation/{purpose}/{class}"), 0));
        indices
    };
    let train = shuffled(real, Split::Train, "train");
    // Test subjects are what nothing was chosen on; a run without them falls back to its validation subjects.
    let any_test = real.segments.iter().any(|s| s.split == Split::Test);
    let held_out = shuffled(real, if any_test { Split::Test } else { Split::Validation }, "held-out");
    let made = shuffled(synthetic, Split::Synthetic, "synthetic");
    let n = cap.min(train.len() / 2).min(made.len());
    if n < FEWEST {
        return Err(format!(
            "class {class} is not scored: {} real training segments and {} synthetic ones; at least {} and {FEWEST} are needed",
            train.len(),
            made.len(),
            2 * FEWEST
        ));
    }
    Ok(Case {
        class: class.to_string(),
        reference: Pool::new(real, &train[..n]),
        same: Pool::new(real, &train[n..2 * n]),
        held_out: if held_out.len() < FEWEST { Pool::default() } else { Pool::new(real, &held_out[..n.min(held_out.len())]) },
        synthetic: Pool::new(synthetic, &made[..n]),
    })
}

use std::collections::BTreeSet;

use physiosynth_signal::SegmentSet;

/// Segments in physical units and flat, with what is known of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    /// `[segment, time × channel]`, row-major.
    samples: Vec<f32>,
    /// Samples per segment, over all channels.
    length: usize,
    /// Class of each.
    pub labels: Vec<String>,
    /// Subject of each: whom the interval's resampling takes it to be from. A synthetic segment counts as its source subject's
    /// where it has one.
    pub subjects: Vec<String>,
    /// Seconds to the beat before and after, NaN where unknown.
    pub rr_s: Vec<[f32; 2]>,
}

impl Pool {
    /// The segments of `set` at `indices`.
    pub fn new(set: &SegmentSet, indices: &[usize]) -> Self {
        let mut pool = Self { length: set.time() * set.channels(), ..Self::default() };
        pool.samples.reserve(indices.len() * pool.length);
        for &i in indices {
            let segment = &set.segments[i];
            let subject = if segment.derived_from.is_empty() { &segment.subject } else { &segment.derived_from };
            pool.samples.extend(set.physical(i).iter());
            pool.labels.push(segment.label.clone());
            pool.subjects.push(subject.clone());
            pool.rr_s.push([segment.rr_before_s, segment.rr_after_s]);
        }
        pool
    }

    /// Segments of `length` samples each of which nothing else is known: every one a subject of its own.
    #[must_use]
    pub fn of_samples(samples: Vec<f32>, length: usize) -> Self {
        let n = samples.len().checked_div(length).unwrap_or(0);
        Self {
            samples,
            length,
            labels: vec![String::new(); n],
            subjects: (0..n).map(|i| i.to_string()).collect(),
            rr_s: vec![[f32::NAN; 2]; n],
        }
    }

    /// The same segments with other samples, as many: what a baseline makes of them.
    #[must_use]
    pub fn with_samples(&self, samples: Vec<f32>) -> Self {
        debug_assert_eq!(samples.len(), self.samples.len());
        Self { samples, ..self.clone() }
    }

    /// Adds the segments of `other`.
    pub fn append(&mut self, other: &Self) {
        self.length = self.length.max(other.length);
        self.samples.extend_from_slice(&other.samples);
        self.labels.extend_from_slice(&other.labels);
        self.subjects.extend_from_slice(&other.subjects);
        self.rr_s.extend_from_slice(&other.rr_s);
    }

    /// The segments at `indices`, in that order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            samples: indices.iter().flat_map(|&i| self.segment(i)).copied().collect(),
            length: self.length,
            labels: indices.iter().map(|&i| self.labels[i].clone()).collect(),
            subjects: indices.iter().map(|&i| self.subjects[i].clone()).collect(),
            rr_s: indices.iter().map(|&i| self.rr_s[i]).collect(),
        }
    }

    /// The segments of one class.
    #[must_use]
    pub fn of_class(&self, class: &str) -> Self {
        self.select(&(0..self.len()).filter(|&i| self.labels[i] == class).collect::<Vec<_>>())
    }

    /// How many segments.
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// Samples per segment, over all channels.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Segment `i`, `[time × channel]`.
    pub fn segment(&self, i: usize) -> &[f32] {
        &self.samples[i * self.length..(i + 1) * self.length]
    }

    /// All segments in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.samples.chunks_exact(self.length.max(1))
    }

    /// The samples of all segments, `[segment, time × channel]`.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The mean segment.
    pub fn mean(&self) -> Vec<f32> {
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
    pub fn subject_count(&self) -> usize {
        self.subjects.iter().collect::<BTreeSet<_>>().len()
    }
}

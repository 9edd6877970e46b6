//! Epochs cut anew at other places.
//!
//! Waves of an EEG have no fixed place in an epoch, so an event of several epochs holds many more windows than those it was cut into. Where one
//! epoch follows the other without a gap, training is shown windows that begin anywhere between them: a few hundred epochs are then gone through
//! many times before a network knows them by heart.

use std::collections::BTreeMap;

use physiosynth_signal::SegmentSet;

/// Steps over the seams may be that many times as large, squared and in the mean, as those within epochs, where epochs follow one another.
const SMOOTH: f64 = 2.0;

/// Segments that go on in others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Windows {
    /// As they were cut, `[segment][time × channel]`.
    signals: Vec<f32>,
    /// Samples × channels of a segment.
    width: usize,
    channels: usize,
    /// The segment that each goes on in.
    next: Vec<Option<usize>>,
}

impl Windows {
    /// Finds which of the chosen segments, whose samples are given, go on in which: the next of their record and label, one epoch on. None where
    /// none do, or where what is called the next does not begin where the last ended (epochs that overlap).
    pub(crate) fn find(set: &SegmentSet, chosen: &[usize], signals: &[f32]) -> Option<Self> {
        let (channels, width) = (set.channels(), set.channels() * set.time());
        let mut records: BTreeMap<(&str, &str, &str), BTreeMap<i64, usize>> = BTreeMap::new();
        for (place, &i) in chosen.iter().enumerate() {
            let segment = &set.segments[i];
            let record = records.entry((&segment.subject, &segment.record, &segment.label)).or_default();
            // Of two at one place neither is known to be the right one.
            record.insert(segment.sample, place);
        }
        let steps = || records.values().flat_map(|record| record.keys().zip(record.keys().skip(1)).map(|(a, b)| b - a));
        let step = steps().filter(|&step| step > 0).min()?;
        let mut next = vec![None; chosen.len()];
        for record in records.values() {
            for ((a, &i), (b, &j)) in record.iter().zip(record.iter().skip(1)) {
                // Where an epoch begins is rounded to a sample of the record.
                if b - a <= step + 1 {
                    next[i] = Some(j);
                }
            }
        }
        let found = Self { signals: signals.to_vec(), width, channels, next };
        (found.next.iter().any(Option::is_some) && found.smooth()).then_some(found)
    }

    /// Whether segments go on in what is called their next.
    fn smooth(&self) -> bool {
        let (mut within, mut over, mut count) = (0.0, 0.0, 0.0);
        for (i, j) in self.next.iter().enumerate().filter_map(|(i, next)| next.map(|j| (i, j))) {
            let segment = self.segment(i);
            let (last, first) = (&segment[self.width - self.channels..], &self.segment(j)[..self.channels]);
            let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
            over += last.iter().zip(first).map(square).sum::<f64>();
            let steps = (self.width / self.channels - 1).max(1) as f64;
            within += segment.iter().zip(&segment[self.channels..]).map(square).sum::<f64>() / steps;
            count += 1.0;
        }
        count > 0.0 && over <= SMOOTH * within
    }

    fn segment(&self, i: usize) -> &[f32] {
        &self.signals[i * self.width..(i + 1) * self.width]
    }

    /// Samples that the window that begins in segment `i` may be later, at most: up to just before the next begins.
    pub(crate) fn room(&self, i: usize) -> usize {
        if self.next[i].is_some() { self.width / self.channels } else { 1 }
    }

    /// The window that begins `late` samples after segment `i`, which must be less than its room.
    pub(crate) fn cut(&self, i: usize, late: usize) -> Vec<f32> {
        let from = late * self.channels;
        let mut window = self.segment(i)[from..].to_vec();
        if let Some(j) = self.next[i] {
            window.extend_from_slice(&self.segment(j)[..from]);
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;
    use physiosynth_signal::{Segment, Split};

    use super::*;

    /// Two channels of a record with waves, cut every `step` of 20 samples into epochs of 20.
    fn set(step: usize, starts: &[(usize, &'static str)]) -> SegmentSet {
        let mut set = SegmentSet::empty(20, 128.0, 0, vec!["C3".into(), "C4".into()], vec!["uV".into(); 2]);
        let wave = |t: usize, c: usize| (t as f32 / [9.0, 13.0][c]).sin();
        let mut samples = Vec::new();
        for &(place, label) in starts {
            let begin = place * step;
            samples.extend((0..40).map(|i| wave(begin + i / 2, i % 2)));
            // The record has more samples a second.
            let mut segment = Segment::new(label, "s", Split::Train);
            segment.sample = (begin as f64 * 1.25).round() as i64;
            segment.record = "r".into();
            set.segments.push(segment);
        }
        set.signals = Array3::from_shape_vec((starts.len(), 20, 2), samples).unwrap();
        set
    }

    fn found(set: &SegmentSet) -> Option<Windows> {
        let chosen: Vec<usize> = (0..set.segments.len()).collect();
        Windows::find(set, &chosen, set.signals.as_slice().unwrap())
    }

    #[test]
    fn windows_between_two_epochs_of_an_event_are_the_recordings() {
        let windows = found(&set(20, &[(0, "a"), (1, "a"), (2, "b"), (5, "a"), (6, "a"), (7, "a")])).unwrap();
        assert_eq!((0..6).map(|i| windows.room(i)).collect::<Vec<_>>(), [20, 1, 1, 20, 20, 1]);
        let window = windows.cut(4, 7);
        let wave = |t: usize, c: usize| (t as f32 / [9.0, 13.0][c]).sin();
        let expected: Vec<f32> = (0..40).map(|i| wave(6 * 20 + 7 + i / 2, i % 2)).collect();
        assert_eq!(window, expected);
        assert_eq!(windows.cut(2, 0), windows.segment(2));
    }

    #[test]
    fn epochs_that_overlap_or_stand_alone_have_none() {
        assert_eq!(found(&set(10, &[(0, "a"), (1, "a"), (2, "a"), (3, "a")])), None);
        assert_eq!(found(&set(20, &[(0, "a"), (1, "b")])), None);
        assert_eq!(found(&set(20, &[])), None);
    }
}

//! From annotations to beats with their intervals, and from beats to windows of a record.

use std::ops::Range;

use physiosynth_signal::{Annotation, Code};
use serde::{Deserialize, Serialize};

use crate::ClassMap;

/// One annotated beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    /// Position of the mark, in samples at the source's sampling frequency.
    pub sample: i64,
    /// The annotation's code.
    pub code: Code,
    /// Its class.
    pub class: &'static str,
    /// Time since the beat before, in seconds; NaN where unknown.
    pub rr_before_s: f32,
    /// Time to the next beat, in seconds; NaN where unknown.
    pub rr_after_s: f32,
    /// The rhythm in force, as the last mark at or before it names it (`(AFIB`); empty before the first.
    pub rhythm: String,
}

/// The beats among a record's annotations, in order of position, each with the intervals to its neighbours; the rhythm in force is left empty.
///
/// An interval is unknown (NaN)
/// - before the first and after the last beat of a record;
/// - where ventricular flutter lies in it (`[`, `]` or a wave `!`): its waves are no beats;
/// - where a change of signal quality lies in it (`~`): beats may have been unreadable there;
/// - where it is longer than `maximum_gap_s`: the annotator has paused, not the heart;
/// - where both marks are on one sample.
///
/// An isolated artefact (`|`) is something the annotator judged to be no beat, so that it hides none.
pub fn beats(annotations: &[Annotation], sampling_frequency_hz: f64, map: ClassMap, maximum_gap_s: f64) -> Vec<Beat> {
    let mut order: Vec<&Annotation> = annotations.iter().collect();
    order.sort_by_key(|annotation| annotation.sample);
    let mut beats: Vec<Beat> = Vec::with_capacity(order.len());
    let (mut interrupted, mut flutter) = (true, false);
    for annotation in order {
        let code: &str = &annotation.code;
        match code {
            "[" => flutter = true,
            "]" => flutter = false,
            _ => {}
        }
        interrupted |= flutter || matches!(code, "[" | "]" | "!" | "~");
        let Some(class) = map.class(code) else { continue };
        let rr_s = match beats.last() {
            Some(last) if !interrupted => (annotation.sample - last.sample) as f64 / sampling_frequency_hz,
            _ => f64::NAN,
        };
        let rr_before_s = if rr_s > 0.0 && rr_s <= maximum_gap_s { rr_s as f32 } else { f32::NAN };
        if let Some(last) = beats.last_mut() {
            last.rr_after_s = rr_before_s;
        }
        beats.push(Beat {
            sample: annotation.sample,
            code: annotation.code.clone(),
            class,
            rr_before_s,
            rr_after_s: f32::NAN,
            rhythm: String::new(),
        });
        interrupted = flutter;
    }
    beats
}

/// How windows lie around their marks, in samples at the working rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Samples before the mark; also the mark's index within the window.
    pub before: usize,
    /// Samples from the mark on, the mark's own included.
    pub after: usize,
}

impl Window {
    /// The window that reaches `before_ms` before the mark and `after_ms` behind it, rounded to whole samples.
    pub fn from_milliseconds(before_ms: f64, after_ms: f64, sampling_frequency_hz: f64) -> Self {
        let samples = |ms: f64| (ms * sampling_frequency_hz / 1000.0).round().max(0.0) as usize;
        Self { before: samples(before_ms), after: samples(after_ms) }
    }

    /// Samples in a window.
    pub fn length(self) -> usize {
        self.before + self.after
    }

    /// The window around a mark, where it lies wholly inside a record of `samples`.
    pub fn around(self, mark: i64, samples: usize) -> Option<Range<usize>> {
        let start = usize::try_from(mark).ok()?.checked_sub(self.before)?;
        let end = start + self.length();
        (end <= samples).then_some(start..end)
    }
}

/// The position at the working rate of sample `sample` of the source, when `down` source samples become `up`: the nearest.
pub fn at_working_rate(sample: i64, up: usize, down: usize) -> i64 {
    let (up, down) = (up as i128, down as i128);
    (i128::from(sample) * up * 2 + down).div_euclid(down * 2) as i64
}

/// Beats that gave no segment, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dropped {
    /// The window reaches over an end of the record.
    pub beyond_ends: usize,
    /// The window holds missing samples.
    pub missing: usize,
    /// The window is constant, so that it has no z-score (with `normalise = "segment"`).
    pub constant: usize,
}

impl Dropped {
    /// All of them.
    pub fn total(self) -> usize {
        self.beyond_ends + self.missing + self.constant
    }
}

/// Where samples are missing, asked about ranges in constant time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// Number of missing samples before each; empty where none is missing.
    before: Vec<u32>,
}

impl Missing {
    /// Finds the NaN of a signal.
    pub fn find(signal: &[f32]) -> Self {
        if !signal.iter().any(|x| x.is_nan()) {
            return Self::default();
        }
        let mut before = Vec::with_capacity(signal.len() + 1);
        let mut count = 0;
        before.push(0);
        for x in signal {
            count += u32::from(x.is_nan());
            before.push(count);
        }
        Self { before }
    }

    /// How many samples are missing in all.
    pub fn count(&self) -> usize {
        self.before.last().map_or(0, |&n| n as usize)
    }

    /// Whether a sample of `range` is missing; positions beyond the signal are not.
    pub fn touches(&self, range: Range<usize>) -> bool {
        let Some(last) = self.before.len().checked_sub(1) else { return false };
        self.before[range.end.min(last)] > self.before[range.start.min(last)]
    }

    /// Whether window `range` at the working rate touches a missing sample of the source.
    pub fn touches_resampled(&self, range: &Range<usize>, up: usize, down: usize) -> bool {
        self.touches(range.start * down / up..(range.end * down).div_ceil(up))
    }
}

/// Replaces missing samples by straight lines between their neighbours, and by the nearest value at the ends, so that
/// filters can pass over them. Windows that touch them are dropped afterwards. `false` where no sample is known.
pub fn bridge(signal: &mut [f32]) -> bool {
    let mut last_known: Option<usize> = None;
    for i in 0..signal.len() {
        if signal[i].is_nan() {
            continue;
        }
        match last_known {
            None => {
                let value = signal[i];
                signal[..i].fill(value);
            }
            Some(from) if i - from > 1 => {
                let (a, b) = (signal[from], signal[i]);
                for (step, x) in signal[from + 1..i].iter_mut().enumerate() {
                    *x = a + (b - a) * (step + 1) as f32 / (i - from) as f32;
                }
            }
            Some(_) => {}
        }
        last_known = Some(i);
    }
    if let Some(from) = last_known {
        let value = signal[from];
        signal[from..].fill(value);
    }
    last_known.is_some() || signal.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(list: &[(i64, &'static str)]) -> Vec<Annotation> {
        list.iter().map(|&(sample, code)| Annotation::beat(sample, code)).collect()
    }

    fn intervals(list: &[(i64, &'static str)]) -> Vec<f32> {
        beats(&marks(list), 100.0, ClassMap::Dechazal, 6.0).iter().map(|b| b.rr_before_s).collect()
    }

    #[test]
    fn intervals_join_consecutive_beats() {
        let found = beats(&marks(&[(0, "+"), (100, "N"), (180, "V"), (280, "|"), (300, "N")]), 100.0, ClassMap::Dechazal, 6.0);
        let rr: Vec<_> = found.iter().map(|b| (b.rr_before_s, b.rr_after_s)).collect();
        assert!(rr[0].0.is_nan() && rr[2].1.is_nan());
        assert_eq!((rr[0].1, rr[1].0, rr[1].1, rr[2].0), (0.8, 0.8, 1.2, 1.2));
        assert_eq!(found[1].class, "V");
    }

    #[test]
    fn intervals_are_unknown_across_flutter_noise_and_gaps() {
        for between in ["~", "!", "[", "]"] {
            let rr = intervals(&[(0, "N"), (80, "N"), (100, between), (160, "N")]);
            assert_eq!(rr[1], 0.8);
            assert!(rr[2].is_nan(), "{between}");
        }
        let rr = intervals(&[(0, "N"), (10, "["), (90, "N"), (180, "N"), (200, "]"), (270, "N"), (360, "N")]);
        assert!(rr[..4].iter().all(|x| x.is_nan()), "beats inside flutter too: {rr:?}");
        assert_eq!(rr[4], 0.9);
        let rr = intervals(&[(0, "N"), (600, "N"), (1201, "N")]);
        assert_eq!(rr[1], 6.0);
        assert!(rr[2].is_nan());
    }

    #[test]
    fn doubled_and_unordered_marks_do_no_harm() {
        let rr = intervals(&[(200, "N"), (100, "N"), (100, "V")]);
        assert!(rr[0].is_nan() && rr[1].is_nan());
        assert_eq!(rr[2], 1.0);
    }

    #[test]
    fn windows_lie_wholly_inside() {
        let window = Window::from_milliseconds(250.0, 450.0, 180.0);
        assert_eq!((window.before, window.after, window.length()), (45, 81, 126));
        assert_eq!(window.around(45, 126), Some(0..126));
        assert_eq!(window.around(44, 1000), None);
        assert_eq!(window.around(46, 126), None);
        assert_eq!(window.around(-5, 1000), None);
        assert_eq!(window.around(i64::MAX, 1000), None);
    }

    #[test]
    fn marks_move_to_the_nearest_sample() {
        assert_eq!([0, 1, 2, 3, -1].map(|s| at_working_rate(s, 1, 2)), [0, 1, 1, 2, 0]);
        assert_eq!(at_working_rate(125, 18, 25), 90);
    }

    #[test]
    fn missing_samples_are_bridged_and_remembered() {
        let mut signal = [f32::NAN, 1.0, f32::NAN, f32::NAN, 4.0, f32::NAN];
        let missing = Missing::find(&signal);
        assert_eq!(missing.count(), 4);
        assert!(bridge(&mut signal));
        assert_eq!(signal, [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert!(!missing.touches(1..2) && missing.touches(1..3) && missing.touches(5..9) && !missing.touches(4..5));
        assert!(missing.touches_resampled(&(1..2), 1, 2));
        assert!(!missing.touches_resampled(&(8..9), 2, 1));
        assert!(!bridge(&mut [f32::NAN, f32::NAN]));
        assert!(!Missing::find(&[1.0, 2.0]).touches(0..2));
    }
}

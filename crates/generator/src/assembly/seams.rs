//! Where each beat stands, which part of it is used, and how it meets its neighbours.

use std::f32::consts::PI;
use std::ops::Range;

use physiosynth_signal::SegmentSet;

use super::AssemblyConfig;

/// Share of its own RR interval that a window may reach back before it holds the beat before (its T wave ends at about half).
const REACH_BACK: f32 = 0.6;
/// Where the next beat's P wave may begin, as a share of a short RR interval.
const SHORT_LEAD: f32 = 0.4;

/// One beat's place in the record, in samples.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// The mark.
    pub(super) mark: usize,
    /// Where the window's first sample is.
    pub(super) start: usize,
    /// The part of the window that holds this beat alone.
    pub(super) valid: Range<usize>,
}

/// How two neighbouring beats meet. Positions are in samples of the record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seam {
    /// The windows overlap: weights change over `fade`; differences fade in from `from` and out to `to`.
    Fade {
        /// End of the earlier beat's guarded part.
        from: usize,
        /// Where the weights change.
        fade: Range<usize>,
        /// Start of the later beat's guarded part.
        to: usize,
    },
    /// Nothing covers some samples, or the windows end where the next begin. A short gap leaves no room for a curve between levels that
    /// differ: the ends then go towards each other, from `from` and up to `to`.
    Gap {
        /// What nothing covers; may be empty.
        gap: Range<usize>,
        /// End of the earlier beat's guarded part.
        from: usize,
        /// Start of the later beat's guarded part.
        to: usize,
        /// The share of their difference that the ends take away: 1 where the gap is empty, 0 where it is as long as a change-over.
        share: f32,
    },
}

/// The beats and seams of a stretch of a record.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) beats: Vec<Placed>,
    /// `seams[i]` is between beats `i` and `i + 1`.
    pub(super) seams: Vec<Seam>,
}

impl Layout {
    /// Of beats in order of time.
    pub(super) fn new(beats: Vec<Placed>, rate: f64, config: &AssemblyConfig) -> Self {
        let seams = beats.windows(2).map(|pair| seam(&pair[0], &pair[1], rate, config)).collect();
        Self { beats, seams }
    }

    /// The samples of the record that beat `i` contributes to.
    pub(super) fn used(&self, i: usize) -> Range<usize> {
        let valid = &self.beats[i].valid;
        let start = match i.checked_sub(1).map(|before| &self.seams[before]) {
            Some(Seam::Fade { fade, .. }) => fade.start,
            _ => valid.start,
        };
        let end = match self.seams.get(i) {
            Some(Seam::Fade { fade, .. }) => fade.end,
            _ => valid.end,
        };
        start..end
    }

    /// Weight of beat `i` at a sample that it contributes to; the weights of neighbours add up to 1.
    pub(super) fn weight(&self, i: usize, position: usize) -> f32 {
        let rising = |seam: &Seam| match seam {
            Seam::Fade { fade, .. } => rise(position, fade),
            Seam::Gap { gap, .. } => f32::from(u8::from(position >= gap.start)),
        };
        let before = i.checked_sub(1).map_or(1.0, |before| rising(&self.seams[before]));
        let after = self.seams.get(i).map_or(0.0, rising);
        before * (1.0 - after)
    }

    /// What no beat covers between the beats, with the number of the beat that stands before it.
    pub(super) fn gaps(&self) -> Vec<(usize, Range<usize>)> {
        let gap = |(index, seam): (usize, &Seam)| match seam {
            Seam::Gap { gap, .. } if !gap.is_empty() => Some((index, gap.clone())),
            _ => None,
        };
        self.seams.iter().enumerate().filter_map(gap).collect()
    }
}

/// Half a cosine from 0 before `range` to 1 behind it.
fn rise(position: usize, range: &Range<usize>) -> f32 {
    if position >= range.end {
        1.0
    } else if position < range.start {
        0.0
    } else {
        let share = (position - range.start) as f32 + 0.5;
        0.5 - 0.5 * (PI * share / range.len() as f32).cos()
    }
}

/// A window at its mark, and what of it belongs to its own beat. `reach` is how far behind the mark the window was drawn out (see
/// [`super::repolarisation`]): a function from samples behind the mark in the segment to samples behind it in the record.
pub(super) fn place(
    (beats, segment): (&SegmentSet, usize),
    mark: usize,
    config: &AssemblyConfig,
    reach: impl Fn(usize) -> usize,
) -> Placed {
    let rate = beats.sampling_frequency_hz as f32;
    let (before, after) = (beats.mark_index, beats.time() - beats.mark_index);
    let known = &beats.segments[segment];
    // NaN (unknown) leaves the window as it is; so does an interval of no sense.
    let own_before = if known.rr_before_s > 0.0 { (REACH_BACK * known.rr_before_s * rate) as usize } else { before };
    let own_after = if known.rr_after_s > 0.0 {
        let lead = (config.lead_s as f32).min(SHORT_LEAD * known.rr_after_s);
        ((known.rr_after_s - lead) * rate) as usize
    } else {
        after
    };
    let start = mark - before;
    Placed { mark, start, valid: mark - own_before.min(before)..mark + reach(own_after.clamp(1, after)).clamp(1, after) }
}

/// How `a` meets `b` behind it.
fn seam(a: &Placed, b: &Placed, rate: f64, config: &AssemblyConfig) -> Seam {
    let samples = |seconds: f64| (seconds * rate).round() as usize;
    let distance = b.mark - a.mark;
    let fade = samples(config.fade_s);
    let (guard_after, guard_before) = (samples(config.guard_after_s), samples(config.guard_before_s));
    // Where RR is too short for both guards and a change-over, a third of it at most is for that, the rest for the guards in
    // proportion.
    let guards = (guard_after + guard_before).min(distance - fade.min(distance / 3));
    let share = |guard: usize| guard * guards / (guard_after + guard_before).max(1);
    let (from, to) = (a.mark + share(guard_after), b.mark - share(guard_before));
    if a.valid.end <= b.valid.start {
        let gap = a.valid.end..b.valid.start;
        let share = 1.0 - gap.len() as f32 / fade.max(1) as f32;
        return Seam::Gap { from: from.min(gap.start), to: to.max(gap.end), share: share.max(0.0), gap };
    }
    // The change-over lies where both windows are, and outside both guards as far as there is room.
    let (low, high) = (from.max(b.valid.start), to.min(a.valid.end));
    let lead = samples(config.lead_s.min(f64::from(SHORT_LEAD) * distance as f64 / rate));
    let fade = if low >= high {
        let at = low.min(a.valid.end).max(b.valid.start);
        at..at
    } else if high - low <= fade {
        low..high
    } else {
        let end = b.mark.saturating_sub(lead).clamp(low + fade, high);
        end - fade..end
    };
    Seam::Fade { from: from.min(fade.start), to: to.max(fade.end), fade }
}

impl Seam {
    /// Adds to both windows what makes them meet in the middle of the fade: their difference there, shared in proportion to the
    /// room that each has, fading in over that room. `enough` samples are enough room for all of the difference.
    pub(super) fn meet(&self, enough: usize, (a, before): (&Placed, &mut [f32]), (b, after): (&Placed, &mut [f32])) {
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
        let (from, fade, to, difference) = match self {
            Self::Fade { from, fade, to } => {
                // The difference over the fade, or over the few samples around it that both have.
                let middle = usize::midpoint(fade.start, fade.end);
                let first = fade.start.min(middle.saturating_sub(2)).max(b.start);
                let range = first..fade.end.max(middle + 3).min(a.start + before.len());
                let differences: Vec<f32> = range.map(|at| after[at - b.start] - before[at - a.start]).collect();
                (from, fade, to, mean(&differences))
            }
            Self::Gap { gap, from, to, share } => {
                let (end, begin) = (gap.start - a.start, gap.end - b.start);
                let (last, first) = (&before[end.saturating_sub(3)..end], &after[begin..(begin + 3).min(after.len())]);
                (from, gap, to, share * (mean(first) - mean(last)))
            }
        };
        let (room_a, room_b) = (fade.start - from, to - fade.end);
        let room = room_a + room_b;
        if room == 0 {
            return;
        }
        // With less room than for a smooth ramp, less of it: the rest is left to the fade.
        let difference = difference * (room as f32 / enough.max(1) as f32).min(1.0);
        let share = room_a as f32 / room as f32;
        for at in *from..(a.start + before.len()) {
            before[at - a.start] += difference * share * rise(at, &(*from..fade.start));
        }
        for at in b.start..*to {
            after[at - b.start] -= difference * (1.0 - share) * (1.0 - rise(at, &(fade.end..*to)));
        }
    }
}

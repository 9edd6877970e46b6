//! Assembly of beats into a continuous record.
//!
//! Beats come as windows around their marks, each with a level of its own; a record is one curve without steps. In order:
//!
//! 1. **Marks.** Beat `i` stands `rr_before_s` behind beat `i − 1`, rounded to samples without adding up the rounding.
//! 2. **What of a window is used.** Where a segment's own RR intervals are known and shorter than its window, its window also
//!    holds parts of its old neighbours; those are left out, or they would appear twice.
//! 3. **Seams.** Where two windows overlap, the earlier hands over to the later before the later one's P wave (`lead_s` before
//!    the mark), by weights along half a cosine that add up to one. From `guard_before_s` before to `guard_after_s` behind
//!    each mark the beat's own weight is 1 (where RR is too short for that and a change-over, they share it in proportion), so
//!    no QRS complex is blended away.
//! 4. **Baseline.** Each window's level, the median of its first 80 ms (between T and P wave), is replaced by the median level
//!    of all beats: one flat baseline, because levels drawn independently of one another would jump from beat to beat and
//!    wander that is made up would pass for a finding. What difference remains at an overlap (a T wave that has not ended) is
//!    shared between the two beats and fades in towards the seam, over half a cosine outside the guarded parts, so that
//!    both curves meet instead of being averaged across a step; no tilt of a whole beat, thus no sawtooth.
//! 5. **Gaps.** Where RR exceeds the windows, a curve joins them whose level and slope continue those of both ends (lines
//!    fitted to the last 60 ms; cubic Hermite polynomials), with noise of the beats' own: an autoregressive process fitted to what
//!    a parabola leaves of the windows' quiet starts.
//!
//! QT is as in the segment: T waves are not moved for another RR.

mod bridge;
mod seams;

use physiosynth_signal::{Annotation, Channel, Record, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

use bridge::{Noise, fill_gap};
use seams::{Layout, Seam};

/// One beat of a rhythm.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedBeat {
    /// Class that the segment for it must have.
    pub label: String,
    /// Time since the beat before, in seconds; ignored for the first beat.
    pub rr_before_s: f32,
}

/// How beats are joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssemblyConfig {
    /// Length of the change-over between two overlapping beats, in seconds. Default 0.08.
    pub fade_s: f64,
    /// Where a beat's own part begins, in seconds before its mark: before the P wave. Default 0.25.
    pub lead_s: f64,
    /// Time before each mark that is the beat's alone, in seconds. Default 0.08.
    pub guard_before_s: f64,
    /// Time behind each mark that is the beat's alone, in seconds. Default 0.12.
    pub guard_after_s: f64,
    /// Least time before the first and behind the last mark, in seconds. Default 1.
    pub edge_s: f64,
    /// Whether gaps get noise like the beats' own instead of a ruled line. Default true.
    pub noise: bool,
}

impl Default for AssemblyConfig {
    fn default() -> Self {
        Self { fade_s: 0.08, lead_s: 0.25, guard_before_s: 0.08, guard_after_s: 0.12, edge_s: 1.0, noise: true }
    }
}

impl AssemblyConfig {
    /// Checks each value against its range.
    pub fn validate(&self) -> Result<(), AssemblyError> {
        for (key, value, most) in [
            ("fade_s", self.fade_s, 1.0),
            ("lead_s", self.lead_s, 1.0),
            ("guard_before_s", self.guard_before_s, 1.0),
            ("guard_after_s", self.guard_after_s, 1.0),
            ("edge_s", self.edge_s, 3600.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(AssemblyError::Config { key, value, most });
            }
        }
        Ok(())
    }
}

/// Why no record was made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AssemblyError {
    /// A setting is out of its range.
    #[error("{key} = {value}: must be from 0 to {most} seconds")]
    Config {
        /// The key.
        key: &'static str,
        /// What was given.
        value: f64,
        /// The most that is allowed.
        most: f64,
    },
    /// The set of beats is inconsistent.
    #[error("the beats are inconsistent: {0}; this is a fault of the program that made them: report it")]
    Beats(String),
    /// The plan has no beats.
    #[error("record {0}: no beats are planned; ask for a longer record")]
    Empty(String),
    /// Not one segment for each planned beat.
    #[error("record {name}: {planned} beats are planned and {given} segments given; give one segment for each")]
    Count {
        /// The record.
        name: String,
        /// Planned beats.
        planned: usize,
        /// Segments given.
        given: usize,
    },
    /// A segment that cannot stand for its beat.
    #[error("record {name}, beat {beat}: segment {segment} {cause}; choose another segment for it")]
    Segment {
        /// The record.
        name: String,
        /// Index of the planned beat.
        beat: usize,
        /// Index of the segment.
        segment: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// An RR interval that no rhythm has.
    #[error("record {name}, beat {beat}: the RR interval is {rr_s} s; it must be from {LEAST_RR_S} to {MOST_RR_S} s")]
    Interval {
        /// The record.
        name: String,
        /// Index of the planned beat.
        beat: usize,
        /// The interval, in seconds.
        rr_s: f32,
    },
}

/// The shortest RR interval; ventricular flutter stays above it.
const LEAST_RR_S: f32 = 0.1;
/// The longest RR interval; what is longer is an interruption, not an interval.
const MOST_RR_S: f32 = 30.0;
/// Part of a window's start that its level is taken from, in seconds.
const LEVEL_S: f64 = 0.08;
/// Least room in which two beats are bent to meet, in seconds.
const MEET_S: f64 = 0.12;
/// First line of every record's comments.
const NOTICE: &str = "SYNTHETIC: generated beats joined into a record; not recorded from any person.";

/// Joins segments into the record `name`: segment `order[i]` of `beats` for beat `i` of `plan`, in physical units, at the segments'
/// sampling frequency. At each mark stands an annotation with the segment's code (its label where it has no code), at the
/// first sample a rhythm mark `(N`. The first comment says SYNTHETIC; callers add theirs to it. Each channel's length is the
/// plan's, plus `edge_s` (or the part of a window that is longer) at both ends. Memory and time are proportional to the
/// record's length.
///
/// The noise in gaps is drawn from `seed`, by the record's name, channel and gap; nothing else is random.
pub fn assemble(
    name: &str,
    beats: &SegmentSet,
    order: &[usize],
    plan: &[PlannedBeat],
    config: &AssemblyConfig,
    seed: Seed,
) -> Result<Record, AssemblyError> {
    config.validate()?;
    check(name, beats, order, plan)?;
    let layout = Layout::new(beats, order, plan, config);
    let mut record = Record::new(name);
    for channel in 0..beats.channels() {
        let samples = render(name, beats, order, &layout, channel, config, seed);
        let (label, unit) = (&beats.channel_names[channel], &beats.channel_units[channel]);
        record = record.with_channel(Channel::new(label, unit, beats.sampling_frequency_hz, samples));
    }
    let mut annotations = vec![Annotation::beat(0, "+").with_aux("(N")];
    for (beat, &segment) in layout.beats.iter().zip(order) {
        let segment = &beats.segments[segment];
        let code = if segment.code.is_empty() { &segment.label } else { &segment.code };
        annotations.push(Annotation::beat(beat.mark as i64, code.clone()));
    }
    record.comments.push(NOTICE.to_owned());
    Ok(record.with_annotations(annotations))
}

/// Everything that later steps rely on.
fn check(name: &str, beats: &SegmentSet, order: &[usize], plan: &[PlannedBeat]) -> Result<(), AssemblyError> {
    beats.check().map_err(|error| AssemblyError::Beats(error.to_string()))?;
    if beats.mark_index >= beats.time() {
        return Err(AssemblyError::Beats(format!("the mark is at {} of {} samples", beats.mark_index, beats.time())));
    }
    if !(beats.sampling_frequency_hz >= 20.0 && beats.sampling_frequency_hz.is_finite()) {
        return Err(AssemblyError::Beats(format!("{} Hz are too few for a beat", beats.sampling_frequency_hz)));
    }
    if plan.is_empty() {
        return Err(AssemblyError::Empty(name.to_owned()));
    }
    if plan.len() != order.len() {
        return Err(AssemblyError::Count { name: name.to_owned(), planned: plan.len(), given: order.len() });
    }
    for (beat, (planned, &segment)) in plan.iter().zip(order).enumerate() {
        let wrong = |cause| Err(AssemblyError::Segment { name: name.to_owned(), beat, segment, cause });
        let Some(known) = beats.segments.get(segment) else {
            return wrong(format!("is not among the {} there are", beats.len()));
        };
        if known.label != planned.label {
            return wrong(format!("is of class {} where {} is planned", known.label, planned.label));
        }
        if !beats.physical(segment).iter().all(|value| value.is_finite()) {
            return wrong("has samples that are missing or infinite".to_owned());
        }
        if beat > 0 && !(LEAST_RR_S..=MOST_RR_S).contains(&planned.rr_before_s) {
            return Err(AssemblyError::Interval { name: name.to_owned(), beat, rr_s: planned.rr_before_s });
        }
    }
    Ok(())
}

/// One channel of the record.
fn render(
    name: &str,
    beats: &SegmentSet,
    order: &[usize],
    layout: &Layout,
    channel: usize,
    config: &AssemblyConfig,
    seed: Seed,
) -> Vec<f32> {
    let rate = beats.sampling_frequency_hz;
    let mut windows: Vec<Vec<f32>> = order.iter().map(|&segment| beats.physical(segment).column(channel).to_vec()).collect();
    let noise = config.noise.then(|| Noise::fit(&windows, rate));
    let enough = (MEET_S * rate).round() as usize;
    let level = align_levels(&mut windows, layout, rate);
    for (i, seam) in layout.seams.iter().enumerate() {
        if let Seam::Fade { .. } = seam {
            let (before, after) = windows.split_at_mut(i + 1);
            if let (Some(before), Some(after)) = (before.last_mut(), after.first_mut()) {
                seam.meet(enough, (&layout.beats[i], before), (&layout.beats[i + 1], after));
            }
        }
    }
    let mut out = vec![0.0_f32; layout.length];
    for (i, (beat, window)) in layout.beats.iter().zip(&windows).enumerate() {
        for position in layout.used(i) {
            out[position] += window[position - beat.start] * layout.weight(i, position);
        }
    }
    for (index, gap) in layout.gaps().into_iter().enumerate() {
        let mut stream = seed.stream(&format!("assembly of {name}, channel {channel}"), index as u64);
        let drawn = noise.as_ref().map_or_else(|| vec![0.0; gap.len()], |noise| noise.draw(gap.len(), &mut stream));
        fill_gap(&mut out, gap, &drawn, rate);
    }
    for value in &mut out {
        *value += level;
    }
    out
}

/// Takes each window's level away and returns the median of them.
fn align_levels(windows: &mut [Vec<f32>], layout: &Layout, rate: f64) -> f32 {
    let length = ((LEVEL_S * rate).round() as usize).max(1);
    let mut levels: Vec<f32> = Vec::with_capacity(windows.len());
    for (i, (window, beat)) in windows.iter_mut().zip(&layout.beats).enumerate() {
        let used = layout.used(i);
        let from = (used.start - beat.start).min(window.len() - 1);
        let to = (from + length).min(window.len());
        let level = median(&mut window[from..to].to_vec());
        for value in window.iter_mut() {
            *value -= level;
        }
        levels.push(level);
    }
    median(&mut levels)
}

/// The median, the lower of the middle two where there are two; 0 of nothing.
fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;

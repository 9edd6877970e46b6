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
//! 6. **Repolarisation.** Where a segment was made for another RR interval than it gets, its ST segment and T wave are drawn out or in
//!    along a line, so that QT follows RR by the patient's slope (`repolarisation`). PR and QRS stay as they are.
//! 7. **Breathing.** Amplitude and baseline go a little with it (`breathing`).
//!
//! An [`Assembler`] does this piece by piece, so that a record of any length needs the memory of a piece; [`assemble`] is for records
//! that fit. What denoising took away can be put back by a [`ResidualNoise`].

mod assembler;
mod breathing;
mod bridge;
mod coherence;
mod noise;
mod repolarisation;
mod seams;

use physiosynth_signal::{Channel, Record, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

pub use assembler::{Assembler, Piece};
pub use coherence::Coherence;
pub use noise::ResidualNoise;

/// One beat of a rhythm.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedBeat {
    /// Class that the segment for it must have.
    pub label: String,
    /// Time since the beat before, in seconds; ignored for the first beat of a record.
    pub rr_before_s: f32,
    /// The rhythm in force, such as `(AFIB`; empty where it bears no name. Where it changes, a rhythm mark is written.
    pub rhythm: String,
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
    /// Seconds by which QT grows where RR grows by one second: the middle of the patients' slopes. Default 0.154, the slope over people of
    /// Sagie et al. (1992); 0 leaves T waves where they are.
    pub qt_slope: f64,
    /// How much the amplitude goes up and down with breathing, as a share. Default 0.03; 0 for not at all.
    pub respiration: f64,
    /// Among how many segments the next beat of a class is the one most like the last (see [`Coherence`]). Default 4; 1 takes them as they
    /// come.
    pub candidates: usize,
}

impl Default for AssemblyConfig {
    fn default() -> Self {
        Self {
            fade_s: 0.08,
            lead_s: 0.25,
            guard_before_s: 0.08,
            guard_after_s: 0.12,
            edge_s: 1.0,
            noise: true,
            qt_slope: 0.154,
            respiration: 0.03,
            candidates: 4,
        }
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
            ("qt_slope", self.qt_slope, 1.0),
            ("respiration", self.respiration, 0.5),
            ("candidates", self.candidates as f64, 10_000.0),
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
    #[error("{key} = {value}: must be from 0 to {most}")]
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
pub const NOTICE: &str = "SYNTHETIC: generated beats joined into a record; not recorded from any person.";

/// Joins segments into the record `name`: segment `order[i]` of `beats` for beat `i` of `plan`, in physical units, at the segments'
/// sampling frequency. At each mark stands an annotation with the segment's code (its label where it has no code), and where a rhythm
/// with a name begins, a rhythm mark. The first comment says SYNTHETIC; callers add theirs to it. Each channel's length is the
/// plan's, plus `edge_s` (or the part of a window that is longer) at both ends.
///
/// What is random (noise in gaps, the slope of QT, breathing) is drawn from `seed`, by the record's name. Memory and time are
/// proportional to the record's length; an [`Assembler`] needs less.
pub fn assemble(
    name: &str,
    beats: &SegmentSet,
    order: &[usize],
    plan: &[PlannedBeat],
    config: &AssemblyConfig,
    seed: Seed,
) -> Result<Record, AssemblyError> {
    if plan.is_empty() {
        return Err(AssemblyError::Empty(name.to_owned()));
    }
    let mut assembler = Assembler::new(name, config, seed)?;
    let (mut first, last) = (assembler.push(beats, order, plan)?, assembler.finish());
    let mut record = Record::new(name);
    for (index, (label, unit)) in beats.channel_names.iter().zip(&beats.channel_units).enumerate() {
        let mut samples = first.samples.get_mut(index).map(std::mem::take).unwrap_or_default();
        samples.extend_from_slice(last.samples.get(index).map_or(&[], Vec::as_slice));
        record = record.with_channel(Channel::new(label, unit, beats.sampling_frequency_hz, samples));
    }
    record.comments.push(NOTICE.to_owned());
    Ok(record.with_annotations(first.annotations))
}

/// Everything that later steps rely on; `first` where the first beat begins the record.
fn check(name: &str, beats: &SegmentSet, order: &[usize], plan: &[PlannedBeat], first: bool) -> Result<(), AssemblyError> {
    beats.check().map_err(|error| AssemblyError::Beats(error.to_string()))?;
    if beats.mark_index >= beats.time() {
        return Err(AssemblyError::Beats(format!("the mark is at {} of {} samples", beats.mark_index, beats.time())));
    }
    if !(beats.sampling_frequency_hz >= 20.0 && beats.sampling_frequency_hz.is_finite()) {
        return Err(AssemblyError::Beats(format!("{} Hz are too few for a beat", beats.sampling_frequency_hz)));
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
        if (beat > 0 || !first) && !(LEAST_RR_S..=MOST_RR_S).contains(&planned.rr_before_s) {
            return Err(AssemblyError::Interval { name: name.to_owned(), beat, rr_s: planned.rr_before_s });
        }
    }
    Ok(())
}

/// The median, the lower of the middle two where there are two; 0 of nothing.
fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;

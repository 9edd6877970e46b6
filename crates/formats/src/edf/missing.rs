//! Missing samples in a format that has no code for them: stretches named by annotations.

use super::clock::SECOND_NS;
use super::timeline::{TimedAnnotation, Timeline};

/// Text of an annotation over samples that are missing: in all channels, in one (`BAD_missing@@LABEL`, as MNE writes the
/// channel of an annotation), or in the one of a number where labels are not unique (`BAD_missing #3`, from 0). MNE keeps
/// away from stretches whose text begins with `BAD`.
pub(crate) const MISSING: &str = "BAD_missing";
/// Between an annotation's text and the label of its channel.
pub(crate) const OF_CHANNEL: &str = "@@";
/// Text of an annotation over samples that fill the last data record, as MNE writes it.
pub(crate) const PADDING: &str = "BAD_ACQ_SKIP";

/// Samples that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Index of the only channel concerned, among the ordinary signals; all where `None`.
    pub(crate) channel: Option<usize>,
    /// Start and end in nanoseconds after the first sample.
    pub(crate) from_ns: i64,
    pub(crate) to_ns: i64,
}

/// Takes the annotations that tell of missing samples out of a timeline. `labels` are those of the ordinary signals.
pub(crate) fn take_gaps(timeline: &mut Timeline, labels: &[&str]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    timeline.annotations.retain(|annotation| match gap(annotation, labels) {
        Some(gap) => {
            gaps.push(gap);
            false
        }
        None => true,
    });
    gaps
}

fn gap(annotation: &TimedAnnotation, labels: &[&str]) -> Option<Gap> {
    let rest = annotation.text.strip_prefix(MISSING)?;
    let channel = if rest.is_empty() {
        None
    } else if let Some(label) = rest.strip_prefix(OF_CHANNEL) {
        Some(labels.iter().position(|other| *other == label)?)
    } else {
        Some(rest.strip_prefix(" #")?.parse().ok().filter(|&index: &usize| index < labels.len())?)
    };
    let to_ns = annotation.onset_ns.checked_add(annotation.duration_ns?)?;
    Some(Gap { channel, from_ns: annotation.onset_ns, to_ns })
}

/// Takes the annotation that tells of padding at the end out of a timeline: where the padding begins, in nanoseconds.
pub(crate) fn take_padding(timeline: &mut Timeline, record_ns: i64, tolerance_ns: i64) -> Option<i64> {
    let last = timeline.stretches.last()?;
    let duration_ns = i64::try_from(last.records).ok()?.checked_mul(record_ns)?;
    let end_ns = last.start_ns.checked_add(duration_ns)?;
    let is_padding = |annotation: &TimedAnnotation| {
        annotation.text == PADDING
            && annotation.duration_ns.is_some_and(|duration| {
                // Less than a data record, up to the end.
                (0..record_ns).contains(&duration)
                    && annotation.onset_ns.saturating_add(duration).abs_diff(end_ns) <= tolerance_ns.unsigned_abs()
            })
    };
    let found = timeline.annotations.iter().position(is_padding)?;
    Some(timeline.annotations.remove(found).onset_ns)
}

/// Marks the samples of a channel that are missing, the first of them being `first`.
pub(crate) fn mark(samples: &mut [f32], rate: f64, first: u64, gaps: &[Gap], channel: usize) {
    for gap in gaps.iter().filter(|gap| gap.channel.is_none_or(|only| only == channel)) {
        let index = |ns: i64| ((ns as f64 * rate / SECOND_NS as f64).round() as u64).saturating_sub(first) as usize;
        let (from, to) = (index(gap.from_ns), index(gap.to_ns).min(samples.len()));
        if let Some(missing) = samples.get_mut(from..to) {
            missing.fill(f32::NAN);
        }
    }
}

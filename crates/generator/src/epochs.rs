//! Assembly of epochs into a continuous record of several channels, such as an EEG with events.
//!
//! Epochs follow one another with `fade_s` of overlap, over which the earlier goes out with the cosine and the later comes in with the
//! sine of a quarter turn. The squares of both weights add up to one, so two epochs whose waves have nothing to do with each other
//! keep their power throughout the change-over, where weights that add up to one would lose half of it in the middle. All channels
//! change over at the same time, so that their covariance is kept. An epoch's level (mean) over its own channel is left as it is.

use std::f64::consts::FRAC_PI_2;

use physiosynth_signal::{Annotation, Channel, Record, SegmentSet};

/// One event: so many epochs of one class in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedEvent {
    /// The class.
    pub label: String,
    /// How many epochs, at least one.
    pub epochs: usize,
}

/// Why no record was made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EpochsError {
    /// The change-over is none, or leaves nothing of an epoch for itself.
    #[error("a change-over of {fade_s} s: it must be from 0 to half of an epoch ({most_s} s)")]
    Fade {
        /// What was given.
        fade_s: f64,
        /// The most that is allowed.
        most_s: f64,
    },
    /// Not one segment for each planned epoch.
    #[error(
        "record {name}: {planned} epochs are planned and {given} segments given; give one segment for each, and at least one"
    )]
    Count {
        /// The record.
        name: String,
        /// Planned epochs.
        planned: usize,
        /// Segments given.
        given: usize,
    },
    /// A segment that is not there, or is of another class than its event.
    #[error("record {name}: segment {segment} is no segment of class {label}; choose another segment for it")]
    Segment {
        /// The record.
        name: String,
        /// Index of the segment.
        segment: usize,
        /// Class that was planned.
        label: String,
    },
}

/// How many epochs of `time` samples fill `samples`, each overlapping the last by `fade`.
pub fn epochs_for(samples: usize, time: usize, fade: usize) -> usize {
    let step = time.saturating_sub(fade).max(1);
    1 + samples.saturating_sub(time).div_ceil(step)
}

/// Joins the segments `order` of `set` to a record of the planned events, in physical units, with an annotation for each event: its
/// class as the code, onset in the middle of the change-over into it, and duration. `fade_s` is the change-over in seconds.
pub fn assemble_epochs(
    name: &str,
    set: &SegmentSet,
    order: &[usize],
    events: &[PlannedEvent],
    fade_s: f64,
) -> Result<Record, EpochsError> {
    let (time, channels, fs) = (set.time(), set.channels(), set.sampling_frequency_hz);
    let most_s = 0.5 * time as f64 / fs;
    if !(0.0..=most_s).contains(&fade_s) {
        return Err(EpochsError::Fade { fade_s, most_s });
    }
    let labels: Vec<&str> = events.iter().flat_map(|e| std::iter::repeat_n(e.label.as_str(), e.epochs)).collect();
    if labels.len() != order.len() || order.is_empty() {
        return Err(EpochsError::Count { name: name.into(), planned: labels.len(), given: order.len() });
    }
    for (&segment, label) in order.iter().zip(&labels) {
        if set.segments.get(segment).is_none_or(|s| s.label != *label) {
            return Err(EpochsError::Segment { name: name.into(), segment, label: (*label).into() });
        }
    }
    let fade = (fade_s * fs).round() as usize;
    let step = time - fade;
    let length = step * (order.len() - 1) + time;
    let mut samples = vec![vec![0.0_f32; length]; channels];
    for (place, &segment) in order.iter().enumerate() {
        let weights = weights(time, fade, place > 0, place + 1 < order.len());
        let physical = set.physical(segment);
        for (channel, made) in samples.iter_mut().enumerate() {
            let column = physical.column(channel);
            for (x, (y, w)) in made[place * step..].iter_mut().zip(column.iter().zip(&weights)) {
                *x += y * w;
            }
        }
    }
    let mut record = Record::new(name).with_annotations(annotations(events, step, fade, length));
    record.sampling_frequency_hz = fs;
    record.channels = samples
        .into_iter()
        .zip(set.channel_names.iter().zip(&set.channel_units))
        .map(|(samples, (label, unit))| Channel::new(label, unit, fs, samples))
        .collect();
    Ok(record)
}

/// Weights of one epoch: in at its start and out at its end where there is a neighbour.
fn weights(time: usize, fade: usize, fade_in: bool, fade_out: bool) -> Vec<f32> {
    let quarter = |i: usize| FRAC_PI_2 * (i as f64 + 0.5) / fade as f64;
    (0..time)
        .map(|i| {
            let rise = if fade_in && i < fade { quarter(i).sin() } else { 1.0 };
            let fall = if fade_out && i >= time - fade { quarter(i - (time - fade)).cos() } else { 1.0 };
            (rise * fall) as f32
        })
        .collect()
}

/// One annotation for each event; the first begins with the record, the last ends with it.
fn annotations(events: &[PlannedEvent], step: usize, fade: usize, length: usize) -> Vec<Annotation> {
    let mut place = 0;
    let last = events.len().saturating_sub(1);
    let mut marks = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let start = if place == 0 { 0 } else { place * step + fade / 2 };
        place += event.epochs;
        let end = if index == last { length } else { place * step + fade / 2 };
        let mut mark = Annotation::beat(start as i64, event.label.clone());
        mark.duration = (end - start) as i64;
        marks.push(mark);
    }
    marks
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};
    use physiosynth_signal::{Seed, Segment, Split};
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    const TIME: usize = 256;

    /// Epochs of white noise in two channels that are equal but for their scale; every fourth is of class `b`.
    fn noise(count: usize) -> SegmentSet {
        let mut set = SegmentSet::empty(TIME, 128.0, 0, vec!["C3".into(), "C4".into()], vec!["uV".into(); 2]);
        let mut rng = Seed(3).stream("test", 0);
        let drawn: Vec<f32> = (0..count * TIME).flat_map(|_| [StandardNormal.sample(&mut rng); 2]).collect();
        set.signals = Array3::from_shape_vec((count, TIME, 2), drawn).unwrap();
        set.scale = Array2::from_shape_fn((count, 2), |(_, c)| if c == 0 { 10.0 } else { 20.0 });
        set.offset = Array2::zeros((count, 2));
        set.segments = (0..count)
            .map(|i| Segment { code: String::new(), ..Segment::new(if i % 4 == 3 { "b" } else { "a" }, "s", Split::Synthetic) })
            .collect();
        set
    }

    fn event(label: &str, epochs: usize) -> PlannedEvent {
        PlannedEvent { label: label.into(), epochs }
    }

    #[test]
    fn power_is_kept_across_the_change_over_and_channels_stay_together() {
        let set = noise(400);
        let events: Vec<PlannedEvent> = (0..100).flat_map(|_| [event("a", 3), event("b", 1)]).collect();
        let order: Vec<usize> = (0..400).collect();
        let record = assemble_epochs("syn", &set, &order, &events, 0.25).unwrap();
        let (step, fade) = (TIME - 32, 32);
        let samples = &record.channels[0].samples;
        assert_eq!(samples.len(), step * 399 + TIME);
        let power = |inside: bool| {
            let chosen = samples.iter().enumerate().filter(|(i, _)| (i % step < fade && *i >= step) == inside);
            let (sum, n) = chosen.fold((0.0, 0), |(sum, n), (_, &x)| (sum + f64::from(x).powi(2), n + 1));
            sum / f64::from(n)
        };
        assert!((power(true) / power(false) - 1.0).abs() < 0.05, "{} {}", power(true), power(false));
        assert!(samples.iter().zip(&record.channels[1].samples).all(|(a, b)| (2.0 * a - b).abs() < 1e-4));
    }

    #[test]
    fn annotations_name_events_with_onset_and_duration_without_gaps() {
        let set = noise(8);
        let events = [event("a", 2), event("b", 1), event("a", 1)];
        let record = assemble_epochs("syn", &set, &[0, 1, 3, 2], &events, 0.25).unwrap();
        let marks: Vec<_> = record.annotations.iter().map(|a| (a.code.as_ref(), a.sample, a.duration)).collect();
        assert_eq!(marks, [("a", 0, 464), ("b", 464, 224), ("a", 688, 240)]);
        assert_eq!(record.channels[0].samples.len(), 928);
        assert_eq!((epochs_for(928, TIME, 32), epochs_for(929, TIME, 32), epochs_for(1, TIME, 32)), (4, 5, 1));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let set = noise(4);
        let fails =
            |order: &[usize], events: &[PlannedEvent], fade| assemble_epochs("syn", &set, order, events, fade).unwrap_err();
        assert!(matches!(fails(&[0], &[event("a", 1)], 1.5), EpochsError::Fade { .. }));
        assert!(matches!(fails(&[0], &[event("a", 2)], 0.1), EpochsError::Count { planned: 2, given: 1, .. }));
        assert!(matches!(fails(&[], &[], 0.1), EpochsError::Count { .. }));
        assert!(matches!(fails(&[3], &[event("a", 1)], 0.1), EpochsError::Segment { segment: 3, .. }));
        assert!(matches!(fails(&[9], &[event("a", 1)], 0.1), EpochsError::Segment { segment: 9, .. }));
    }
}

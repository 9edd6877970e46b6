//! Synthetic patients of an EEG database: a sequence of events like that of a training record, epochs from the model, joined into
//! continuous EDF+ recordings.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use physiosynth_formats::{edf, write_record_list};
use physiosynth_generator::epochs::{PlannedEvent, assemble_epochs, epochs_for};
use physiosynth_generator::{Request, SampleError, SamplerConfig};
use physiosynth_signal::{Record, Seed, Segment, SegmentSet, SignalKind, Split};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::Order;
use crate::files;

/// Change-over between two epochs, in seconds: one wave of the alpha rhythm and more.
const FADE_S: f64 = 0.25;
/// Epochs that are made at a time, about.
const AT_ONCE: usize = 1024;

/// One patient to be made.
struct Patient {
    name: String,
    /// The training subject whose epochs are started from, and one of whose records' events are followed.
    source: String,
    events: Vec<PlannedEvent>,
}

/// Whether the segments are an EEG's.
pub(crate) fn is_eeg(segments: &SegmentSet) -> bool {
    matches!(SignalKind::of_channels(&segments.channel_names, &segments.channel_units), SignalKind::Eeg(_))
}

/// How epochs are sampled: they are not in phase with anything, so they share no noise.
pub(crate) fn sampler(config: &SamplerConfig) -> SamplerConfig {
    SamplerConfig { likeness: 0.0, drift: 0.0, ..config.clone() }
}

/// Makes the epochs that are asked for.
pub(crate) type Maker<'a> = dyn Fn(&[Request]) -> Result<SegmentSet, SampleError> + 'a;

/// Makes the patients that `order` asks for, of the classes named, and writes their recordings into `folder`, with a list of them (`RECORDS`) and a
/// `README.txt`. `segments` are those that the model was trained on: patients follow the order and lengths of their events. Gives the records' names.
///
/// A patient is a new one, but with the paired objective or with subjects named, where epochs are like those of the training subject whose events it follows.
pub(crate) fn make(
    order: &Order,
    segments: &SegmentSet,
    labels: &[String],
    generate: &Maker,
    folder: &Path,
) -> Result<Vec<String>> {
    let patients = plan(order, segments, labels);
    if patients.is_empty() && order.patients > 0 {
        bail!(
            "no patient can be made: patients of an EEG follow the events of training subjects, and there are none with these classes and of these names"
        );
    }
    let named = named(order);
    let epochs = |patient: &Patient| patient.events.iter().map(|event| event.epochs).sum::<usize>();
    let mut left = patients.as_slice();
    while !left.is_empty() {
        // As many at a time as fill batches; an epoch does not depend on what else is asked for.
        let mut count = 0;
        let now = left.iter().position(|patient| {
            count += epochs(patient);
            count >= AT_ONCE
        });
        let (now, later) = left.split_at(now.map_or(left.len(), |last| last + 1));
        left = later;
        let requests: Vec<Request> = now.iter().flat_map(|patient| requests(patient, named)).collect();
        let made = generate(&requests)?;
        for patient in now {
            write(folder, &record(patient, &made, order.duration_s)?)?;
        }
    }
    let names: Vec<String> = patients.iter().map(|patient| patient.name.clone()).collect();
    // As PhysioNet does it, EDF files are listed with their extension.
    write_record_list(folder, &names.iter().map(|name| format!("{name}.edf")).collect::<Vec<_>>())?;
    files::write_atomically(&folder.join("README.txt"), read_me(&patients, order.database, named).as_bytes())?;
    Ok(names)
}

/// Whether patients are like a training subject.
fn named(order: &Order) -> bool {
    order.paired || !order.subjects.is_empty()
}

/// One synthetic epoch for each that is planned.
fn requests(patient: &Patient, named: bool) -> Vec<Request> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &patient.events {
        *counts.entry(&event.label).or_default() += event.epochs;
    }
    let request = |(label, count): (&str, usize)| Request {
        label: label.to_string(),
        subject: named.then(|| patient.source.clone()),
        count,
        patient: patient.name.clone(),
        around: Vec::new(),
        first: 0,
    };
    counts.into_iter().map(request).collect()
}

/// Draws the patients: each starts from another training subject while there are any.
fn plan(order: &Order, segments: &SegmentSet, labels: &[String]) -> Vec<Patient> {
    let seed = order.seed;
    let training = segments.select(&segments.indices(|s| s.split == Split::Train && labels.contains(&s.label)));
    let mut sources: Vec<String> =
        training.subjects().into_iter().filter(|name| order.subjects.is_empty() || order.subjects.contains(name)).collect();
    if sources.is_empty() {
        return Vec::new();
    }
    sources.shuffle(&mut seed.stream("patients", 0));
    let fs = segments.sampling_frequency_hz;
    let samples = (order.duration_s * fs).round() as usize;
    let count = epochs_for(samples, segments.time(), (FADE_S * fs).round() as usize);
    (0..order.patients)
        .map(|index| {
            let source = sources[index % sources.len()].clone();
            let events = Course::like_one_of(&training, &source, seed, index as u64).draw(count, seed, index as u64);
            Patient { name: format!("syn{:03}", index + 1), source, events }
        })
        .collect()
}

/// How the events of a record follow one another.
#[derive(Debug, Default, PartialEq)]
struct Course {
    /// Every event: class and length in epochs.
    events: Vec<(String, usize)>,
    /// Class → indices into `events` of what came behind an event of it.
    next: BTreeMap<String, Vec<usize>>,
}

impl Course {
    /// That of one of a subject's records, drawn for the patient: records of other tasks have other events.
    fn like_one_of(training: &SegmentSet, subject: &str, seed: Seed, patient: u64) -> Self {
        let mut of_record: BTreeMap<&str, Vec<&Segment>> = BTreeMap::new();
        for segment in training.segments.iter().filter(|s| s.subject == subject) {
            of_record.entry(&segment.record).or_default().push(segment);
        }
        let drawn = seed.stream("record whose events a patient follows", patient).random_range(0..of_record.len().max(1));
        of_record.into_values().nth(drawn).map_or_else(Self::default, Self::of)
    }

    /// From a record's segments: those that stand end to end and have one label are one event.
    fn of(mut members: Vec<&Segment>) -> Self {
        let mut course = Self::default();
        members.sort_by_key(|s| s.sample);
        let steps = members.windows(2).map(|pair| pair[1].sample - pair[0].sample);
        let step = steps.filter(|&step| step > 0).min().unwrap_or(1);
        let mut before: Option<&Segment> = None;
        for segment in members {
            match (before, course.events.last_mut()) {
                (Some(last), Some(event)) if last.label == segment.label && segment.sample - last.sample <= step + 1 => {
                    event.1 += 1;
                }
                _ => {
                    if let Some(last) = before {
                        course.next.entry(last.label.clone()).or_default().push(course.events.len());
                    }
                    course.events.push((segment.label.clone(), 1));
                }
            }
            before = Some(segment);
        }
        course
    }

    /// A course of `count` epochs: from a random event, each time to one of those that came behind an event of the same class, or to
    /// any where none did.
    fn draw(&self, count: usize, seed: Seed, patient: u64) -> Vec<PlannedEvent> {
        let mut rng = seed.stream("course of events of a patient", patient);
        let all: Vec<usize> = (0..self.events.len()).collect();
        let (mut drawn, mut left) = (Vec::<PlannedEvent>::new(), count);
        let mut choices: &[usize] = &all;
        while left > 0 && !choices.is_empty() {
            let (label, epochs) = &self.events[choices[rng.random_range(0..choices.len())]];
            let epochs = (*epochs).min(left);
            left -= epochs;
            drawn.push(PlannedEvent { label: label.clone(), epochs });
            choices = self.next.get(label).map_or(&all, Vec::as_slice);
        }
        drawn
    }
}

/// Joins a patient's epochs and cuts the record to its duration, a whole number of samples.
fn record(patient: &Patient, epochs: &SegmentSet, duration_s: f64) -> Result<Record> {
    let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, segment) in epochs.segments.iter().enumerate().filter(|(_, s)| s.subject == patient.name).rev() {
        made.entry(&segment.label).or_default().push(index);
    }
    let mut order = Vec::new();
    for event in &patient.events {
        for _ in 0..event.epochs {
            let Some(index) = made.get_mut(event.label.as_str()).and_then(Vec::pop) else {
                bail!("patient {} has fewer epochs of {} than are planned", patient.name, event.label);
            };
            order.push(index);
        }
    }
    let mut record = assemble_epochs(&patient.name, epochs, &order, &patient.events, FADE_S)?;
    let samples = (duration_s * record.sampling_frequency_hz).round() as usize;
    record.channels.iter_mut().for_each(|channel| channel.samples.truncate(samples));
    record.annotations.retain(|a| a.sample < samples as i64);
    record.annotations.iter_mut().for_each(|a| a.duration = a.duration.min(samples as i64 - a.sample));
    record.subject.clone_from(&patient.name);
    Ok(record)
}

/// Writes a recording as EDF+, whose header says in patient and equipment that it is synthetic.
fn write(folder: &Path, record: &Record) -> Result<()> {
    let options = edf::WriteOptions {
        patient: Some(format!("{} X X SYNTHETIC_not_a_person", record.name)),
        recording: Some(format!("X X SYNTHETIC_physiosynth_{}", env!("CARGO_PKG_VERSION"))),
        ..edf::WriteOptions::default()
    };
    Ok(edf::write_record(&folder.join(format!("{}.edf", record.name)), record, &options)?)
}

fn read_me(patients: &[Patient], database: &str, named: bool) -> String {
    let sources: Vec<String> = patients.iter().map(|p| format!("{}.edf of subject {}", p.name, p.source)).collect();
    let sources = sources.join("; ");
    let how = if named {
        format!("Each epoch was made to be like a training subject's: {sources}.")
    } else {
        format!("Each epoch was made from noise, for a new patient; the order of events follows a training subject's: {sources}.")
    };
    format!(
        "SYNTHETIC DATA\n\n\
         syn*.edf       {} synthetic patients as EDF+ recordings, in physical units, with events as annotations\n\
         synthetic.h5   where present: synthetic epochs by class, with what each was made from in derived_from\n\n\
         Made by physiosynth {} from the database \"{database}\"; not recordings of any person. Cite that database and keep to its licence.\n\
         {how}\n\n\
         Before you pass this on: read the report's verdict \"private?\". Nothing has shown that these data cannot be traced to a person.\n\
         Treat these files with the care that the source database asks for.\n",
        patients.len(),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two records with the events a (2 epochs), b (1), a (2), b (1), …, epochs of 320 samples.
    fn training() -> SegmentSet {
        let mut set = SegmentSet::empty(4, 128.0, 0, vec!["C3".into()], vec!["uV".into()]);
        for record in ["r1", "r2"] {
            for (place, label) in ["a", "a", "b", "a", "a", "b"].into_iter().enumerate() {
                set.segments.push(Segment {
                    code: String::new(),
                    record: record.into(),
                    cluster: 0,
                    sample: place as i64 * 320 + if place > 2 { 17 } else { 0 },
                    ..Segment::new(label, "s", Split::Train)
                });
            }
        }
        set
    }

    #[test]
    fn events_follow_one_another_as_in_the_recordings() {
        let course = Course::like_one_of(&training(), "s", Seed(1), 0);
        let event = |label: &str, n| (label.to_string(), n);
        assert_eq!(course.events, [event("a", 2), event("b", 1), event("a", 2), event("b", 1)]);
        let drawn = course.draw(10, Seed(1), 0);
        assert_eq!(drawn.iter().map(|e| e.epochs).sum::<usize>(), 10);
        assert!(drawn.windows(2).all(|pair| pair[0].label != pair[1].label), "{drawn:?}");
        assert_eq!(drawn, course.draw(10, Seed(1), 0));
        assert!(Course::like_one_of(&training(), "nobody", Seed(1), 0).draw(3, Seed(1), 0).is_empty());
    }
}

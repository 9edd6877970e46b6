//! Synthetic patients of an EEG database: a sequence of events like that of a training record, epochs from the model, joined into
//! continuous EDF+ recordings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::edf;
use physiosynth_formats::segments::write_segments;
use physiosynth_generator::epochs::{PlannedEvent, assemble_epochs, epochs_for};
use physiosynth_generator::{Request, SampleError, SamplerConfig};
use physiosynth_signal::{Record, Seed, Segment, SegmentSet, SignalKind, Split};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::Context;
use crate::config::{Config, GenerationConfig};
use crate::files;

/// Change-over between two epochs, in seconds: one wave of the alpha rhythm and more.
const FADE_S: f64 = 0.25;

/// One patient to be made.
struct Patient {
    name: String,
    /// The training subject whose epochs are started from, and one of whose records' events are followed.
    source: String,
    events: Vec<PlannedEvent>,
}

/// Whether the segments are an EEG's.
pub(super) fn is_eeg(segments: &SegmentSet) -> bool {
    matches!(SignalKind::of_channels(&segments.channel_names, &segments.channel_units), SignalKind::Eeg(_))
}

/// Makes the patients and writes what may be shared into `share/`: their recordings, the synthetic segments, and what they are.
///
/// With `named`, epochs are like those of the training subject whose events a patient follows; else the patient is a new one.
pub(super) fn make(
    context: &mut Context,
    segments: &SegmentSet,
    synthetic: &SegmentSet,
    named: bool,
    generate: &dyn Fn(&[Request]) -> Result<SegmentSet, SampleError>,
) -> Result<()> {
    let config = context.config;
    let seed = Seed(config.seed);
    let made: BTreeSet<&str> = synthetic.segments.iter().map(|s| s.label.as_str()).collect();
    let patients = plan(&config.generation, segments, &made, seed);
    let requests: Vec<Request> = patients.iter().flat_map(|patient| requests(patient, named)).collect();
    let epochs = generate(&requests)?;
    // Nothing of an earlier run may stay among what is handed on.
    let share = context.folder.share();
    files::remove(&share)?;
    std::fs::create_dir_all(&share).with_context(|| format!("cannot make the folder {}", share.display()))?;
    let database = context.manifest.database.clone();
    for patient in &patients {
        let record = record(patient, &epochs, config.generation.patient_duration_s)?;
        write(&share, &record)?;
    }
    // Segments of a named person stay in the run folder.
    if config.generation.subjects.is_empty() {
        write_segments(&share.join("synthetic.h5"), synthetic)?;
    }
    files::write_atomically(&share.join("README.txt"), read_me(&patients, &database, named).as_bytes())?;
    let notes = &mut context.manifest.notes;
    notes.retain(|note| !note.starts_with("Generation:"));
    notes.push("Generation: synthetic patients follow the order and lengths of the events of a training record.".into());
    Ok(())
}

/// How epochs are sampled: they are not in phase with anything, so they share no noise.
pub(super) fn sampler(config: &Config) -> SamplerConfig {
    SamplerConfig { likeness: 0.0, drift: 0.0, ..config.generation.sampler.clone() }
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
fn plan(config: &GenerationConfig, segments: &SegmentSet, labels: &BTreeSet<&str>, seed: Seed) -> Vec<Patient> {
    let training = segments.select(&segments.indices(|s| s.split == Split::Train && labels.contains(s.label.as_str())));
    let mut sources: Vec<String> =
        training.subjects().into_iter().filter(|name| config.subjects.is_empty() || config.subjects.contains(name)).collect();
    if sources.is_empty() {
        return Vec::new();
    }
    sources.shuffle(&mut seed.stream("patients", 0));
    let fs = segments.sampling_frequency_hz;
    let samples = (config.patient_duration_s * fs).round() as usize;
    let count = epochs_for(samples, segments.time(), (FADE_S * fs).round() as usize);
    (0..config.patients)
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
         synthetic.h5   synthetic epochs by class, with what each was made from in derived_from\n\n\
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

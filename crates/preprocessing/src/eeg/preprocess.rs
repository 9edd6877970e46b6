//! The whole of it for a database of EEG records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ndarray::{Array2, Array3, Axis};
use physiosynth_signal::{Cancelled, Progress, RecordEntry, RecordSource, Seed, Segment, SegmentSet, Split};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::epochs::label;
use super::record::{CutRecord, cut};
use crate::clustering::{ClusteringConfig, cluster};
use crate::denoise::DenoiseMemory;
use crate::normalise::Scaling;
use crate::preprocess::{Prepared, PreprocessError, causes};
use crate::split::{Assignment, SplitPlan, SplitStrategy, by_record, split};
use crate::summary::{CodeClass, Skipped, Stretch, Summary, Timing, class_counts};
use crate::{Normalise, PreprocessingConfig};

/// A record that the split uses.
struct Job {
    index: usize,
    split: Split,
    subject: String,
}

/// See [`crate::preprocess`].
pub(crate) fn preprocess(
    source: &dyn RecordSource,
    config: &PreprocessingConfig,
    seed: Seed,
    strict: bool,
    progress: &dyn Progress,
) -> Result<Prepared, PreprocessError> {
    let entries = source.entries();
    let plan = plan(source, config, seed)?;
    let mut summary = Summary {
        database: source.name().into(),
        sampling_frequency_hz: config.eeg.sampling_frequency_hz,
        split_strategy: plan.strategy,
        notes: plan.notes,
        time: config.eeg.time(),
        mark_index: config.eeg.mark_index(),
        ..Summary::default()
    };
    let mut jobs = Vec::new();
    for (index, (entry, assignment)) in entries.iter().zip(plan.assignments).enumerate() {
        match assignment {
            Assignment::Use { split, subject } => jobs.push(Job { index, split, subject }),
            Assignment::Skip { reason } => summary.skipped.push(Skipped { record: entry.name.clone(), reason }),
        }
    }
    let clock = Instant::now();
    progress.begin("preprocessing", jobs.len() as u64, "records");
    let names: Vec<&str> = jobs.iter().map(|job| entries[job.index].name.as_str()).collect();
    let outcomes: Vec<Option<Result<CutRecord, String>>> = jobs
        .par_iter()
        .map_init(DenoiseMemory::default, |memory, job| {
            let outcome = (!progress.cancelled()).then(|| {
                let record = source.read(job.index, None).map_err(|error| causes(&error))?;
                cut(&record, job.subject.clone(), job.split, config, seed, memory)
            });
            progress.advance(1);
            outcome
        })
        .collect();
    progress.end();
    let mut records: Vec<CutRecord> = Vec::new();
    for (name, outcome) in names.into_iter().zip(outcomes) {
        let like = records.first().map(|first| (&first.names, &first.units));
        match outcome.ok_or(Cancelled)?.and_then(|record| alike(record, like)) {
            Ok(record) => records.push(record),
            Err(reason) if strict => return Err(PreprocessError::Record { record: name.into(), reason }),
            Err(reason) => {
                progress.warn(&format!("record {name} set aside: {reason}"));
                summary.skipped.push(Skipped { record: name.into(), reason });
            }
        }
    }
    summary.skipped.sort_by_key(|skipped| entries.iter().position(|entry| entry.name == skipped.record));
    usable(source, &records, &summary)?;
    summary.timings.push(Timing { step: "read, filter and cut".into(), seconds: clock.elapsed().as_secs_f64() });
    finish(records, config, seed, summary, progress)
}

/// The split by subject; by record, with all kinds of record on both sides, where there is one subject only.
fn plan(source: &dyn RecordSource, config: &PreprocessingConfig, seed: Seed) -> Result<SplitPlan, PreprocessError> {
    let entries: &[RecordEntry] = source.entries();
    let subjects: BTreeSet<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    let by_subject = config.split.strategy != SplitStrategy::Record && (subjects.len() > 1 || entries.len() < 3);
    if by_subject {
        return Ok(split(entries, &config.split, seed)?);
    }
    // Which events a record holds, without its samples; one that cannot be read is reported when its turn comes.
    let kinds: Vec<String> = (0..entries.len())
        .map(|index| {
            let record = source.read(index, Some("")).unwrap_or_default();
            let labels: BTreeSet<&str> = record.annotations.iter().map(label).collect();
            labels.into_iter().collect::<Vec<_>>().join(", ")
        })
        .collect();
    Ok(by_record(entries, &kinds, &config.split, seed)?)
}

/// The record, where its channels are those of the first.
fn alike(record: CutRecord, first: Option<(&Vec<String>, &Vec<String>)>) -> Result<CutRecord, String> {
    match first {
        Some((names, _)) if *names != record.names => Err(format!(
            "its channels are {}, those of the records before {}; name channels that all have in preprocessing.eeg.channels",
            record.names.join(", "),
            names.join(", ")
        )),
        Some((_, units)) if *units != record.units => {
            Err(format!("its units are {}, those of the records before {}", record.units.join(", "), units.join(", ")))
        }
        _ => Ok(record),
    }
}

fn usable(source: &dyn RecordSource, records: &[CutRecord], summary: &Summary) -> Result<(), PreprocessError> {
    let reasons = || summary.skipped.iter().map(|s| format!("{}: {}", s.record, s.reason)).collect::<Vec<_>>().join("; ");
    let database = source.name().to_owned();
    if records.iter().all(|record| record.epochs.is_empty()) {
        return Err(PreprocessError::NothingUsable { database, records: source.entries().len(), reasons: reasons() });
    }
    if !records.iter().any(|record| record.summary.split == Split::Train && !record.epochs.is_empty()) {
        return Err(PreprocessError::NothingToTrainOn { database, reasons: reasons() });
    }
    Ok(())
}

/// Joins the records' epochs, clusters them and completes the summary.
fn finish(
    records: Vec<CutRecord>,
    config: &PreprocessingConfig,
    seed: Seed,
    mut summary: Summary,
    progress: &dyn Progress,
) -> Result<Prepared, PreprocessError> {
    let mut stretches: Vec<&Stretch> = records.iter().filter_map(|record| record.stretch.as_ref()).collect();
    stretches.shuffle(&mut seed.stream("stretches shown", 0));
    summary.stretches = stretches.into_iter().take(3).cloned().collect();
    let clock = Instant::now();
    let mut segments = join(records, config, &mut summary)?;
    if config.normalise == Normalise::TrainingSet {
        fit_training_set(&mut segments)?;
    }
    summary.timings.push(Timing { step: "join".into(), seconds: clock.elapsed().as_secs_f64() });
    let clock = Instant::now();
    let whole = ClusteringConfig { largest_number: 1, ..config.clustering.clone() };
    progress.begin("clustering", 1, "passes");
    summary.clusters = cluster(&mut segments, &whole, seed);
    crate::groups::pair(&mut segments, seed);
    progress.advance(1);
    progress.end();
    if progress.cancelled() {
        return Err(Cancelled.into());
    }
    summary.timings.push(Timing { step: "cluster".into(), seconds: clock.elapsed().as_secs_f64() });
    summary.memory_bytes = 2 * 4 * segments.signals.len() as u64;
    summary.counts = class_counts(&segments);
    for counts in summary.counts.iter().filter(|counts| counts.train < 10) {
        summary.notes.push(format!("class {} has only {} training segments", counts.class, counts.train));
    }
    segments.check().map_err(|error| PreprocessError::Shape(error.to_string()))?;
    Ok(Prepared { segments, summary, sequences: Vec::new() })
}

/// One set of all records' epochs; each record is dropped once its epochs are copied.
fn join(records: Vec<CutRecord>, config: &PreprocessingConfig, summary: &mut Summary) -> Result<SegmentSet, PreprocessError> {
    let (names, units) = records.first().map(|r| (r.names.clone(), r.units.clone())).unwrap_or_default();
    let (time, channels) = (config.eeg.time(), names.len());
    let count: usize = records.iter().map(|record| record.epochs.len()).sum();
    let mut signals = Vec::with_capacity(count * time * channels);
    let (mut scales, mut offsets) = (Vec::with_capacity(count * channels), Vec::with_capacity(count * channels));
    let mut segments = Vec::with_capacity(count);
    let mut classes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for record in records {
        signals.extend_from_slice(&record.signals);
        drop(record.signals);
        for (epoch, sample, scalings) in record.epochs {
            scales.extend(scalings.iter().map(|s| s.scale));
            offsets.extend(scalings.iter().map(|s| s.offset));
            *classes.entry((epoch.code.to_string(), epoch.label.clone())).or_default() += 1;
            segments.push(Segment {
                code: epoch.code.into_owned(),
                record: record.summary.record.clone(),
                sample,
                age_years: record.info.age_years.map(|age| age as f32),
                sex: record.info.sex,
                ..Segment::new(epoch.label, record.summary.subject.clone(), record.summary.split)
            });
        }
        summary.records.push(record.summary);
    }
    summary.unit = units.first().cloned().unwrap_or_default();
    summary.lead = if channels == 1 { names.concat() } else { format!("{channels} channels") };
    summary.notes.push(format!("taken for an EEG; {channels} channels: {}", names.join(", ")));
    let row = |((code, class), n): ((String, String), usize)| CodeClass { code, meaning: format!("{n} epochs"), class };
    summary.class_map = classes.into_iter().map(row).collect();
    let shape = |error: ndarray::ShapeError| PreprocessError::Shape(error.to_string());
    Ok(SegmentSet {
        signals: Array3::from_shape_vec((count, time, channels), signals).map_err(shape)?,
        scale: Array2::from_shape_vec((count, channels), scales).map_err(shape)?,
        offset: Array2::from_shape_vec((count, channels), offsets).map_err(shape)?,
        segments,
        sampling_frequency_hz: config.eeg.sampling_frequency_hz,
        mark_index: config.eeg.mark_index(),
        channel_names: names,
        channel_units: units,
    })
}

/// Gives every channel the scale and offset of its training segments, which are in physical units until then.
fn fit_training_set(set: &mut SegmentSet) -> Result<(), PreprocessError> {
    let train = set.indices(|s| s.split == Split::Train);
    for channel in 0..set.channels() {
        let mut of_channel = set.signals.index_axis_mut(Axis(2), channel);
        let rows: Vec<Vec<f32>> = train.iter().map(|&i| of_channel.row(i).to_vec()).collect();
        let scaling = Scaling::fit(rows.iter().map(Vec::as_slice)).ok_or(PreprocessError::ConstantTrainingSet)?;
        of_channel.mapv_inplace(|x| (x - scaling.offset) / scaling.scale);
        set.scale.column_mut(channel).fill(scaling.scale);
        set.offset.column_mut(channel).fill(scaling.offset);
    }
    Ok(())
}

use std::time::Instant;

use ndarray::{Array2, Array3};
use physiosynth_signal::{BeatSequence, Cancelled, Progress, RecordSource, Seed, Segment, SegmentSet, SourceError, Split};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::clustering::{ClusteringConfigError, cluster};
use crate::denoise::DenoiseMemory;
use crate::normalise::Scaling;
use crate::record_segments::{CutRecord, StepSeconds, cut, is_ectopic};
use crate::split::{Assignment, SplitError, split};
use crate::summary::{CodeClass, Skipped, Stretch, Summary, Timing, class_counts};
use crate::{ClassMap, Normalise, PreprocessingConfig};

/// Why a database could not be preprocessed.
#[derive(Debug, thiserror::Error)]
pub enum PreprocessError {
    /// A configuration value breaks a rule.
    #[error("preprocessing.{key} {rule}")]
    Config {
        /// The key below `preprocessing`.
        key: &'static str,
        /// The rule, with the value found.
        rule: String,
    },
    /// A value of `preprocessing.clustering` breaks a rule.
    #[error(transparent)]
    Clustering(#[from] ClusteringConfigError),
    /// The database cannot be split as asked.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A record is bad, and bad records are to stop the run.
    #[error("record {record}: {reason} (without --strict the record would be set aside)")]
    Record {
        /// The record.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database lists no record.
    #[error("database '{0}' lists no records")]
    Empty(String),
    /// No record could be used.
    #[error("database '{database}': none of its {records} records can be used. {reasons}")]
    NothingUsable {
        /// The database.
        database: String,
        /// How many records it has.
        records: usize,
        /// What was looked for, what was found, and why records were left out.
        reasons: String,
    },
    /// Records could be used, but none of those that train.
    #[error("database '{database}': no training record can be used, only held-out ones. {reasons}")]
    NothingToTrainOn {
        /// The database.
        database: String,
        /// Why training records were left out.
        reasons: String,
    },
    /// All training segments together are constant.
    #[error("the training segments are constant: they have no common z-score (preprocessing.normalise = \"training-set\")")]
    ConstantTrainingSet,
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An array of segments has the wrong size: a fault of this crate.
    #[error("segments do not fit together: {0}")]
    Shape(String),
}

/// What [`preprocess`] makes of a database.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The segments of all splits, records in the database's order, beats in order of time.
    pub segments: SegmentSet,
    /// The beats of every record in order of time, those without a segment included: what a model of rhythm learns from.
    pub sequences: Vec<BeatSequence>,
    /// What was done.
    pub summary: Summary,
}

/// A record that the split uses.
struct Job {
    index: usize,
    split: Split,
    subject: String,
}

/// What became of a job.
enum Outcome {
    Cut(Box<CutRecord>),
    /// The reason, and whether the record is at fault.
    LeftOut(String, bool),
    Cancelled,
}

/// Turns an annotated database into segments: split by subject → lead by name → denoising and baseline removal at the
/// source's rate → resampling to the working rate → z-score → windows around the beats → clusters and groups.
///
/// A record that cannot be read, or gives nothing, is reported in the summary and left out; with `strict` the first such
/// record (in the database's order) is an error instead. Records without the lead, or that the split leaves out, are
/// reported in both cases.
///
/// Records are read and worked on in parallel on the current rayon pool, and each is dropped when its segments are cut.
/// Memory is bounded by threads × (one record as read, plus four copies of its lead) + twice the segments;
/// [`Summary::memory_bytes`] gives the figure for this database. The result is the same for any number of threads.
pub fn preprocess(
    source: &dyn RecordSource,
    config: &PreprocessingConfig,
    seed: Seed,
    strict: bool,
    progress: &dyn Progress,
) -> Result<Prepared, PreprocessError> {
    config.validate()?;
    let entries = source.entries();
    if entries.is_empty() {
        return Err(PreprocessError::Empty(source.name().into()));
    }
    if config.is_eeg(source) {
        return crate::eeg::preprocess(source, config, seed, strict, progress);
    }
    let plan = split(entries, &config.split, seed)?;
    let mut summary = Summary {
        database: source.name().into(),
        lead: config.lead.clone(),
        sampling_frequency_hz: config.sampling_frequency_hz,
        class_map: class_rows(config.class_map),
        split_strategy: plan.strategy,
        notes: plan.notes,
        ..Summary::default()
    };
    let mut jobs = Vec::new();
    for (index, (entry, assignment)) in entries.iter().zip(plan.assignments).enumerate() {
        match assignment {
            Assignment::Use { split, subject } => jobs.push(Job { index, split, subject }),
            Assignment::Skip { reason } => summary.skipped.push(Skipped { record: entry.name.clone(), reason }),
        }
    }
    progress.begin("preprocessing", jobs.len() as u64, "records");
    let outcomes: Vec<Outcome> = jobs
        .into_par_iter()
        .map_init(DenoiseMemory::default, |memory, job| work(source, job, (config, seed), memory, progress))
        .collect();
    progress.end();
    let records = collect(source, outcomes, strict, &mut summary, progress)?;
    finish(source, records, config, seed, summary, progress)
}

/// Reads and cuts one record.
fn work(
    source: &dyn RecordSource,
    job: Job,
    (config, seed): (&PreprocessingConfig, Seed),
    memory: &mut DenoiseMemory,
    progress: &dyn Progress,
) -> Outcome {
    if progress.cancelled() {
        return Outcome::Cancelled;
    }
    let clock = Instant::now();
    let read = source.read(job.index, Some(&config.lead));
    let seconds = clock.elapsed().as_secs_f64();
    let outcome = match read {
        Err(error) => Outcome::LeftOut(causes(&error), true),
        Ok(record) => match cut(record, job.subject, job.split, config, seed, memory) {
            Ok(mut record) => {
                record.seconds.read = seconds;
                Outcome::Cut(Box::new(record))
            }
            Err(problem) => Outcome::LeftOut(problem.to_string(), problem.is_fault()),
        },
    };
    progress.advance(1);
    outcome
}

/// An error with its causes, on one line.
pub(crate) fn causes(error: &SourceError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

/// Keeps the records that were cut, reports the others.
fn collect(
    source: &dyn RecordSource,
    outcomes: Vec<Outcome>,
    strict: bool,
    summary: &mut Summary,
    progress: &dyn Progress,
) -> Result<Vec<CutRecord>, PreprocessError> {
    if progress.cancelled() || outcomes.iter().any(|outcome| matches!(outcome, Outcome::Cancelled)) {
        return Err(Cancelled.into());
    }
    let left: Vec<&str> = summary.skipped.iter().map(|s| s.record.as_str()).collect();
    let used: Vec<&str> = source.entries().iter().map(|e| e.name.as_str()).filter(|name| !left.contains(name)).collect();
    let mut records: Vec<CutRecord> = Vec::new();
    let mut skipped = Vec::new();
    for (name, outcome) in used.into_iter().zip(outcomes) {
        let (reason, fault) = match outcome {
            Outcome::Cut(record) => match to_unit(*record, records.first().map(|first| first.unit.clone())) {
                Ok(record) => {
                    records.push(record);
                    continue;
                }
                Err(reason) => (reason, true),
            },
            Outcome::LeftOut(reason, fault) => (reason, fault),
            Outcome::Cancelled => return Err(Cancelled.into()),
        };
        if strict && fault {
            return Err(PreprocessError::Record { record: name.into(), reason });
        }
        if fault {
            progress.warn(&format!("record {name} set aside: {reason}"));
        }
        skipped.push(Skipped { record: name.into(), reason });
    }
    summary.skipped.extend(skipped);
    let order = |record: &str| source.entries().iter().position(|entry| entry.name == record);
    summary.skipped.sort_by_key(|skipped| order(&skipped.record));
    let reasons = || summary.skipped.iter().map(|s| format!("{}: {}", s.record, s.reason)).collect::<Vec<_>>().join("; ");
    let database = source.name().to_owned();
    if records.iter().all(|record| record.beats.is_empty()) {
        let reasons = format!("Looked for signal '{}'; {}. {}", summary.lead, leads_present(source), reasons());
        return Err(PreprocessError::NothingUsable { database, records: source.entries().len(), reasons });
    }
    if !records.iter().any(|record| record.summary.split == Split::Train && !record.beats.is_empty()) {
        return Err(PreprocessError::NothingToTrainOn { database, reasons: reasons() });
    }
    Ok(records)
}

/// Names the signals of the first records, so that the user can choose among them.
fn leads_present(source: &dyn RecordSource) -> String {
    let mut labels: Vec<String> = Vec::new();
    let records: Vec<_> = (0..source.entries().len().min(3)).filter_map(|i| source.read(i, None).ok()).collect();
    for label in records.iter().flat_map(|record| &record.channels).map(|channel| &channel.label) {
        if !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    if labels.is_empty() {
        "its first records have no signals".into()
    } else {
        format!("its first records have {}", labels.join(", "))
    }
}

/// The record with its scales in `unit`, where that is another power of ten of the volt.
fn to_unit(mut record: CutRecord, unit: Option<String>) -> Result<CutRecord, String> {
    let Some(unit) = unit.filter(|unit| *unit != record.unit) else { return Ok(record) };
    let volts = |unit: &str| match unit {
        "V" => Some(1.0),
        "mV" => Some(1e-3),
        "uV" | "µV" | "μV" => Some(1e-6),
        "nV" => Some(1e-9),
        _ => None,
    };
    let (Some(own), Some(common)) = (volts(&record.unit), volts(&unit)) else {
        return Err(format!("its signal is in '{}', that of the records before in '{unit}'", record.unit));
    };
    let ratio: f64 = own / common;
    let factor = ratio as f32;
    for (_, scaling) in &mut record.beats {
        *scaling = Scaling { scale: scaling.scale * factor, offset: scaling.offset * factor };
    }
    if let Some(residual) = &mut record.sequence.residual {
        for density in &mut residual.density {
            *density *= ratio.powi(2);
        }
        residual.unit.clone_from(&unit);
    }
    record.unit = unit;
    Ok(record)
}

/// Joins the records' segments, clusters them and completes the summary.
fn finish(
    source: &dyn RecordSource,
    records: Vec<CutRecord>,
    config: &PreprocessingConfig,
    seed: Seed,
    mut summary: Summary,
    progress: &dyn Progress,
) -> Result<Prepared, PreprocessError> {
    let window = config.window();
    let threads = rayon::current_num_threads().min(records.len()) as u64;
    let largest = records.iter().map(|record| record.working_bytes).max().unwrap_or(0);
    let total: u64 = records.iter().map(|record| size_of_val(&record.signals[..]) as u64).sum();
    let described: usize = records.iter().map(|record| record.beats.len()).sum();
    let per_segment = (size_of::<Segment>() + 4 * 16) as u64;
    summary.memory_bytes = (threads * largest + total).max(2 * total) + described as u64 * per_segment;
    summary.stretches = choose_stretches(&records, seed);
    let steps = records.iter().fold(StepSeconds::default(), |sum, record| StepSeconds {
        read: sum.read + record.seconds.read,
        denoise: sum.denoise + record.seconds.denoise,
        resample: sum.resample + record.seconds.resample,
        normalise: sum.normalise + record.seconds.normalise,
        segment: sum.segment + record.seconds.segment,
    });

    let clock = Instant::now();
    let mut sequences = Vec::with_capacity(records.len());
    let mut segments = join(records, config, &mut summary, &mut sequences)?;
    let joined = clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    if config.normalise == Normalise::TrainingSet {
        fit_training_set(&mut segments)?;
    }
    let normalised = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    progress.begin("clustering", 1, "passes");
    summary.clusters = cluster(&mut segments, &config.clustering, seed);
    crate::groups::pair(&mut segments, seed);
    progress.advance(1);
    progress.end();
    let clustered = clock.elapsed().as_secs_f64();
    if progress.cancelled() {
        return Err(Cancelled.into());
    }
    summary.time = window.length();
    summary.mark_index = window.before;
    summary.counts = class_counts(&segments);
    describe_classes(source, &mut summary);
    let timings = [
        ("read", steps.read),
        ("denoise", steps.denoise),
        ("resample", steps.resample),
        ("normalise", steps.normalise + normalised),
        ("segment", steps.segment + joined),
        ("cluster", clustered),
    ];
    summary.timings = timings.map(|(step, seconds)| Timing { step: step.into(), seconds }).into();
    segments.check().map_err(|error| PreprocessError::Shape(error.to_string()))?;
    Ok(Prepared { segments, sequences, summary })
}

/// Notes classes that cannot be learned or judged.
fn describe_classes(source: &dyn RecordSource, summary: &mut Summary) {
    if let [only] = &summary.counts[..] {
        summary.notes.push(format!("database '{}' holds beats of one class only: {}", source.name(), only.class));
    }
    for counts in &summary.counts {
        if counts.train == 0 {
            summary.notes.push(format!("class {} has no training segments: none can be generated", counts.class));
        } else if counts.train < 10 {
            summary.notes.push(format!("class {} has only {} training segments", counts.class, counts.train));
        }
    }
}

/// Three stretches of training records in a seeded order, those with ectopic beats first.
fn choose_stretches(records: &[CutRecord], seed: Seed) -> Vec<Stretch> {
    let mut stretches: Vec<&Stretch> = records.iter().filter_map(|record| record.stretch.as_ref()).collect();
    stretches.shuffle(&mut seed.stream("stretches shown", 0));
    let ectopic =
        |stretch: &Stretch| stretch.marks.iter().any(|(_, code)| ClassMap::Dechazal.class(code).is_some_and(is_ectopic));
    stretches.sort_by_key(|stretch| !ectopic(stretch));
    stretches.into_iter().take(3).cloned().collect()
}

/// One set of all records' segments; each record is dropped once its segments are copied.
fn join(
    records: Vec<CutRecord>,
    config: &PreprocessingConfig,
    summary: &mut Summary,
    sequences: &mut Vec<BeatSequence>,
) -> Result<SegmentSet, PreprocessError> {
    let window = config.window();
    let count: usize = records.iter().map(|record| record.beats.len()).sum();
    let mut signals = Vec::with_capacity(count * window.length());
    let mut scales = Vec::with_capacity(count);
    let mut offsets = Vec::with_capacity(count);
    let mut segments = Vec::with_capacity(count);
    for record in records {
        summary.unit.clone_from(&record.unit);
        signals.extend_from_slice(&record.signals);
        drop(record.signals);
        for (beat, scaling) in record.beats {
            scales.push(scaling.scale);
            offsets.push(scaling.offset);
            segments.push(Segment {
                code: beat.code.into_owned(),
                record: record.summary.record.clone(),
                sample: beat.sample,
                rr_before_s: beat.rr_before_s,
                rr_after_s: beat.rr_after_s,
                rhythm: beat.rhythm,
                age_years: record.info.age_years.map(|age| age as f32),
                sex: record.info.sex,
                ..Segment::new(beat.class, record.summary.subject.clone(), record.summary.split)
            });
        }
        sequences.push(record.sequence);
        summary.records.push(record.summary);
    }
    let shape = |error: ndarray::ShapeError| PreprocessError::Shape(error.to_string());
    Ok(SegmentSet {
        signals: Array3::from_shape_vec((count, window.length(), 1), signals).map_err(shape)?,
        scale: Array2::from_shape_vec((count, 1), scales).map_err(shape)?,
        offset: Array2::from_shape_vec((count, 1), offsets).map_err(shape)?,
        segments,
        sampling_frequency_hz: config.sampling_frequency_hz,
        mark_index: window.before,
        channel_names: vec![config.lead.clone()],
        channel_units: vec![summary.unit.clone()],
    })
}

/// Gives all segments the scale and offset of the training segments. Until then `signals × scale` is physical, the scale
/// being the conversion of the record's unit.
fn fit_training_set(set: &mut SegmentSet) -> Result<(), PreprocessError> {
    let time = set.time();
    let SegmentSet { signals, scale, offset, segments, .. } = set;
    let samples = signals.as_slice_mut().unwrap_or_default();
    for (row, factor) in samples.chunks_exact_mut(time).zip(scale.iter()).filter(|(_, factor)| **factor != 1.0) {
        for x in row {
            *x *= factor;
        }
    }
    let train = samples.chunks_exact(time).zip(segments.iter()).filter(|(_, s)| s.split == Split::Train).map(|(row, _)| row);
    let scaling = Scaling::fit(train).ok_or(PreprocessError::ConstantTrainingSet)?;
    samples.par_chunks_mut(time).for_each(|row| scaling.apply(row));
    scale.fill(scaling.scale);
    offset.fill(scaling.offset);
    Ok(())
}

fn class_rows(map: ClassMap) -> Vec<CodeClass> {
    map.rows()
        .map(|(code, meaning, class)| CodeClass { code: code.into(), meaning: meaning.into(), class: class.into() })
        .collect()
}

//! What is done with one record, from its samples to its segments. Records are worked on in parallel; each is dropped as
//! soon as its segments are cut.

use std::time::Instant;

use physiosynth_signal::{BeatSequence, Channel, Record, Seed, Split, SubjectInfo, subject_info};
use rand::RngExt;

use crate::denoise::{DenoiseMemory, Denoiser};
use crate::normalise::Scaling;
use crate::resample::Resampler;
use crate::segmentation::{Beat, Dropped, Missing, at_working_rate, beats, bridge};
use crate::summary::{RecordSummary, Stretch};
use crate::{Normalise, PreprocessingConfig, residual, rhythm};

/// Duration of a stretch shown before and after denoising.
const STRETCH_S: f64 = 10.0;

/// Why a record gives nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordProblem {
    #[error("it has no signal '{0}'")]
    NoLead(String),
    #[error("signal '{lead}' has {missing} missing samples and no other")]
    NoSamples { lead: String, missing: usize },
    #[error("signal '{0}' is constant, so that it has no z-score; leave the record out or choose another lead")]
    Constant(String),
    #[error("its sampling frequency: {0}")]
    Resample(#[from] crate::ResampleError),
    #[error("denoising: {0}")]
    Denoise(#[from] crate::denoise::DenoiseError),
    #[error("denoising returned {found} samples for {expected}")]
    DenoisedLength { expected: usize, found: usize },
    #[error("none of its {0} annotations marks a beat of the class map")]
    NoBeats(usize),
}

impl RecordProblem {
    /// Whether something is wrong with the record, rather than that it merely has no such signal.
    pub(crate) fn is_fault(&self) -> bool {
        !matches!(self, Self::NoLead(_))
    }
}

/// The segments of one record.
pub(crate) struct CutRecord {
    pub(crate) summary: RecordSummary,
    pub(crate) unit: String,
    /// What the header says of the subject.
    pub(crate) info: SubjectInfo,
    /// `[segment, time]`, normalised unless the whole training set shares a scale.
    pub(crate) signals: Vec<f32>,
    /// The beat of each segment, and its scaling.
    pub(crate) beats: Vec<(Beat, Scaling)>,
    /// All of its beats in order of time.
    pub(crate) sequence: BeatSequence,
    /// A stretch to show, of training records.
    pub(crate) stretch: Option<Stretch>,
    pub(crate) seconds: StepSeconds,
    /// Bytes of samples held while the record was worked on.
    pub(crate) working_bytes: u64,
}

/// Seconds one record took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepSeconds {
    pub(crate) read: f64,
    pub(crate) denoise: f64,
    pub(crate) resample: f64,
    pub(crate) normalise: f64,
    pub(crate) segment: f64,
}

/// Turns one record into segments.
pub(crate) fn cut(
    record: Record,
    subject: String,
    split: Split,
    config: &PreprocessingConfig,
    seed: Seed,
    memory: &mut DenoiseMemory,
) -> Result<CutRecord, RecordProblem> {
    let mut seconds = StepSeconds::default();
    let found = record.channels.iter().position(|channel| channel.label == config.lead);
    let info = subject_info(&record.comments);
    let Record { name, mut channels, annotations, sampling_frequency_hz: marks_hz, .. } = record;
    let channel = match found {
        Some(i) => channels.swap_remove(i),
        None => return Err(RecordProblem::NoLead(config.lead.clone())),
    };
    drop(channels);
    let Channel { unit, sampling_frequency_hz, mut samples, .. } = channel;
    let resampler = Resampler::new(sampling_frequency_hz, config.sampling_frequency_hz)?;
    let mut problems = Vec::new();

    let clock = Instant::now();
    samples.iter_mut().filter(|x| x.is_infinite()).for_each(|x| *x = f32::NAN);
    let missing = Missing::find(&samples);
    if missing.count() > 0 {
        problems.push(format!("{} missing samples: bridged for filtering, segments that touch them left out", missing.count()));
    }
    if samples.is_empty() || (missing.count() > 0 && !bridge(&mut samples)) {
        return Err(RecordProblem::NoSamples { lead: config.lead.clone(), missing: missing.count() });
    }
    if samples.iter().all(|x| *x == samples[0]) {
        return Err(RecordProblem::Constant(config.lead.clone()));
    }
    let mut clean = Vec::new();
    if config.denoise.enabled {
        Denoiser::new(&config.denoise, sampling_frequency_hz)?.apply_into(&samples, &mut clean, memory)?;
    } else {
        clean.clone_from(&samples);
    }
    if clean.len() != samples.len() {
        return Err(RecordProblem::DenoisedLength { expected: samples.len(), found: clean.len() });
    }
    seconds.denoise = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let marks_hz = if marks_hz > 0.0 { marks_hz } else { sampling_frequency_hz };
    let mut found = beats(&annotations, marks_hz, config.class_map, config.maximum_gap_s);
    if found.is_empty() {
        return Err(RecordProblem::NoBeats(annotations.len()));
    }
    rhythm::set_in_force(&annotations, &mut found);
    if marks_hz != sampling_frequency_hz {
        // Annotations count in another rate than this signal's: positions are kept in the signal's samples.
        for beat in &mut found {
            beat.sample = (beat.sample as f64 * sampling_frequency_hz / marks_hz).round() as i64;
        }
    }
    let outside = found.iter().filter(|b| b.sample < 0 || b.sample >= samples.len() as i64).count();
    if outside > 0 {
        problems.push(format!("{outside} beat annotations lie outside the signal's {} samples", samples.len()));
    }
    let source = Source { name: &name, unit: &unit, lead: &config.lead, sampling_frequency_hz };
    let stretch = (split == Split::Train).then(|| source.stretch(&samples, &clean, &found, &missing, seed)).flatten();
    let duration_s = samples.len() as f64 / sampling_frequency_hz;
    let source_bytes = size_of_val(&samples[..]) as u64 * 4;
    let residual = if config.denoise.enabled { residual::spectrum(&samples, &clean, sampling_frequency_hz, &unit) } else { None };
    drop(samples);
    let about = (name.clone(), subject.clone(), split);
    let sequence = rhythm::sequence(about, &found, sampling_frequency_hz, residual);
    seconds.segment = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let mut signal = resampler.apply(&clean);
    drop(clean);
    seconds.resample = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let scaling = match config.normalise {
        Normalise::Record => {
            let scaling = fit_record(&signal, &missing, &resampler);
            let scaling = scaling.ok_or_else(|| RecordProblem::Constant(config.lead.clone()))?;
            scaling.apply(&mut signal);
            scaling
        }
        Normalise::Segment | Normalise::TrainingSet => Scaling::NONE,
    };
    seconds.normalise = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let total = found.len();
    let cutter = Cutter { signal: &signal, missing: &missing, resampler: &resampler, config, scaling };
    let (signals, kept, dropped) = cutter.cut(found);
    seconds.segment += clock.elapsed().as_secs_f64();
    let summary = RecordSummary {
        record: name,
        subject,
        split,
        duration_s,
        source_sampling_frequency_hz: sampling_frequency_hz,
        beats: total,
        segments: kept.len(),
        dropped,
        missing_samples: missing.count(),
        problems,
    };
    Ok(CutRecord { summary, unit, info, signals, beats: kept, sequence, stretch, seconds, working_bytes: source_bytes })
}

/// Fits a z-score to a record's known samples.
fn fit_record(signal: &[f32], missing: &Missing, resampler: &Resampler) -> Option<Scaling> {
    if missing.count() == 0 {
        return Scaling::fit([signal].into_iter());
    }
    let (up, down) = (resampler.up(), resampler.down());
    let known = signal.iter().enumerate().filter(|(i, _)| !missing.touches_resampled(&(*i..*i + 1), up, down));
    let known: Vec<f32> = known.map(|(_, x)| *x).collect();
    Scaling::fit([&known[..]].into_iter())
}

/// Cuts windows out of a resampled record.
struct Cutter<'a> {
    signal: &'a [f32],
    missing: &'a Missing,
    resampler: &'a Resampler,
    config: &'a PreprocessingConfig,
    scaling: Scaling,
}

impl Cutter<'_> {
    fn cut(&self, found: Vec<Beat>) -> (Vec<f32>, Vec<(Beat, Scaling)>, Dropped) {
        let window = self.config.window();
        let (up, down) = (self.resampler.up(), self.resampler.down());
        let mut signals = Vec::with_capacity(found.len() * window.length());
        let mut kept = Vec::with_capacity(found.len());
        let mut dropped = Dropped::default();
        for beat in found {
            let Some(range) = window.around(at_working_rate(beat.sample, up, down), self.signal.len()) else {
                dropped.beyond_ends += 1;
                continue;
            };
            if self.missing.touches_resampled(&range, up, down) {
                dropped.missing += 1;
                continue;
            }
            let samples = &self.signal[range];
            let mut scaling = self.scaling;
            if self.config.normalise == Normalise::Segment {
                let Some(own) = Scaling::fit([samples].into_iter()) else {
                    dropped.constant += 1;
                    continue;
                };
                scaling = own;
            }
            let start = signals.len();
            signals.extend_from_slice(samples);
            if self.config.normalise == Normalise::Segment {
                scaling.apply(&mut signals[start..]);
            }
            kept.push((beat, scaling));
        }
        (signals, kept, dropped)
    }
}

/// What a stretch says of its record.
struct Source<'a> {
    name: &'a str,
    unit: &'a str,
    lead: &'a str,
    sampling_frequency_hz: f64,
}

impl Source<'_> {
    /// A stretch around a beat drawn with the seed, an ectopic one (S, V, F) if the record has any; none where the record is
    /// shorter or samples are missing there.
    fn stretch(&self, before: &[f32], after: &[f32], beats: &[Beat], missing: &Missing, seed: Seed) -> Option<Stretch> {
        let length = (STRETCH_S * self.sampling_frequency_hz).round() as usize;
        let last_start = before.len().checked_sub(length)?;
        let ectopic: Vec<&Beat> = beats.iter().filter(|beat| is_ectopic(beat.class)).collect();
        let all: Vec<&Beat> = if ectopic.is_empty() { beats.iter().collect() } else { ectopic };
        let mut rng = seed.stream(&format!("stretch of record {}", self.name), 0);
        let centre = all.get(rng.random_range(0..all.len().max(1)))?.sample;
        let start = usize::try_from(centre).ok()?.saturating_sub(length / 2).min(last_start);
        let range = start..start + length;
        if missing.touches(range.clone()) {
            return None;
        }
        let inside = |beat: &&Beat| usize::try_from(beat.sample).is_ok_and(|sample| range.contains(&sample));
        Some(Stretch {
            record: self.name.into(),
            lead: self.lead.into(),
            unit: self.unit.into(),
            sampling_frequency_hz: self.sampling_frequency_hz,
            start_s: start as f64 / self.sampling_frequency_hz,
            before: before[range.clone()].to_vec(),
            after: after[range.clone()].to_vec(),
            marks: beats.iter().filter(inside).map(|b| (b.sample as usize - start, b.code.to_string())).collect(),
        })
    }
}

/// Whether a class is one of ectopic beats.
pub(crate) fn is_ectopic(class: &str) -> bool {
    matches!(class, "S" | "V" | "F")
}

//! Synthetic patients as records: a rhythm, beats along it, joined, with annotations; written as they are made.
//!
//! [`make`] is the one way to do so, for the stage `generate` of a run and for `physiosynth generate --model`; for an EEG [`epochs::make`] is.

mod beats;
pub(crate) mod epochs;
mod files;
mod plausible;
mod rhythm;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use physiosynth_generator::assembly::{Assembler, AssemblyConfig, Coherence, PlannedBeat, ResidualNoise};
use physiosynth_generator::{Around, ModelFiles, SamplerConfig};
use physiosynth_signal::{Annotation, Cancelled, Progress, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

use beats::{Beats, Wish};
use plausible::implausible;
use rhythm::{Planned, Rhythms};

use crate::shareable::Shareable;

/// Beats that are made, looked at and joined at a time: what a record of any length needs memory for.
const PIECE: usize = 512;
/// How often a beat that is not plausible is made anew before it is left as it is.
const ATTEMPTS: usize = 3;

/// The format that patients' records are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordFormat {
    /// WFDB: `.hea`, `.dat` (format 16), `.atr`. Written piece by piece.
    #[default]
    Wfdb,
    /// EDF+. A record is held in memory until it is whole.
    Edf,
}

impl RecordFormat {
    /// The name used in configurations.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wfdb => "wfdb",
            Self::Edf => "edf",
        }
    }
}

/// What patients to make.
pub(crate) struct Order<'a> {
    /// How many.
    pub(crate) patients: usize,
    /// Length of each one's record in seconds.
    pub(crate) duration_s: f64,
    /// The training subjects to be like; nobody in particular where empty.
    pub(crate) subjects: &'a [String],
    /// Whether what denoising took away is put back.
    pub(crate) noise: bool,
    pub(crate) format: RecordFormat,
    pub(crate) assembly: &'a AssemblyConfig,
    /// How noise becomes segments.
    pub(crate) sampler: &'a SamplerConfig,
    /// Whether the model has the paired objective.
    pub(crate) paired: bool,
    /// What the training data are called.
    pub(crate) database: &'a str,
    /// The model, where it was handed on without its training subjects.
    pub(crate) shareable: Option<&'a Shareable>,
    pub(crate) seed: Seed,
}

/// What became of one patient: a row of `patients.json`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct PatientMade {
    pub(crate) record: String,
    pub(crate) duration_s: f64,
    /// Beats by class.
    pub(crate) beats: BTreeMap<String, usize>,
    /// Beats that were made anew because they were not plausible.
    pub(crate) beats_rejected: usize,
    /// Beats that were left although they are not plausible, after as many attempts as are made.
    pub(crate) beats_implausible: usize,
    /// Intervals that were drawn anew because no heart has them.
    pub(crate) intervals_rejected: usize,
}

/// What was made.
pub(crate) struct Made {
    pub(crate) patients: Vec<PatientMade>,
    /// Whether the rhythms were learned rather than simulated.
    pub(crate) learned_rhythm: bool,
}

/// Makes the patients that `order` asks for with the model, and writes their records into `folder`, with a list of them
/// (`RECORDS`), `patients.json` and a `README.txt`. `segments` are those that the model was trained on; none of them where
/// it was handed on.
pub(crate) fn make(
    (model, segments): (&ModelFiles, &SegmentSet),
    order: &Order,
    device: &Device,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Made> {
    let rhythms = Rhythms::open(model, segments)?;
    let planned = rhythms.plan(order)?;
    let mut beats = Beats::new(model, segments, order, device, progress);
    progress.begin("patients", (planned.len() as f64 * order.duration_s).round() as u64, "seconds of record");
    let mut patients = Vec::with_capacity(planned.len());
    for patient in &planned {
        beats.begin();
        patients.push(one(patient, &rhythms, &mut beats, order, folder, progress)?);
    }
    progress.end();
    files::describe(folder, &patients, rhythms.learned(), order)?;
    Ok(Made { patients, learned_rhythm: rhythms.learned() })
}

/// Makes one patient's record.
fn one(
    patient: &Planned,
    rhythms: &Rhythms,
    beats: &mut Beats,
    order: &Order,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<PatientMade> {
    let (plan, intervals_rejected) = rhythms.sample(patient, order)?;
    let mut made = PatientMade { record: patient.name.clone(), intervals_rejected, ..PatientMade::default() };
    let mut assembler = Assembler::new(&patient.name, order.assembly, order.seed)?;
    let mut noise: Option<Vec<ResidualNoise>> = None;
    let mut writer: Option<files::Writer> = None;
    let mut annotations: Vec<Annotation> = Vec::new();
    let mut position = 0;
    let mut coherence = Coherence::new(order.assembly.candidates, order.seed, &patient.name);
    for (number, piece) in plan.chunks(PIECE).enumerate() {
        if progress.cancelled() {
            return Err(Cancelled.into());
        }
        let next = plan.get((number + 1) * PIECE);
        let (segments, mut chosen) = plausible_beats(beats, patient, (piece, next), &mut made)?;
        coherence.order(&segments, &mut chosen);
        let joined = assembler.push(&segments, &chosen, piece)?;
        annotations.extend(joined.annotations);
        let mut samples = joined.samples;
        put_back(&mut noise, patient, &segments, order, (&mut samples, position));
        position += samples.first().map_or(0, Vec::len);
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(files::Writer::create(folder, patient, &segments, &samples, (order, rhythms.learned()))?),
        };
        writer.write(&samples)?;
        progress.advance(piece.iter().map(|beat| f64::from(beat.rr_before_s).max(0.0)).sum::<f64>() as u64);
        for beat in piece {
            *made.beats.entry(beat.label.clone()).or_default() += 1;
        }
    }
    let mut rest = assembler.finish().samples;
    if let (Some(noise), false) = (&mut noise, rest.is_empty()) {
        noise.iter_mut().zip(&mut rest).for_each(|(noise, samples)| noise.add(samples, position));
    }
    if let Some(mut writer) = writer {
        writer.write(&rest)?;
        made.duration_s = writer.finish(annotations)?;
    }
    Ok(made)
}

/// Segments for a piece of a plan, in the order that is given beside them; those that are not plausible made anew.
fn plausible_beats(
    beats: &mut Beats,
    patient: &Planned,
    (piece, next): (&[PlannedBeat], Option<&PlannedBeat>),
    made: &mut PatientMade,
) -> Result<(SegmentSet, Vec<usize>)> {
    let after = piece.iter().skip(1).chain(next).map(|beat| beat.rr_before_s).chain([f32::NAN]);
    let wishes: Vec<Wish> = piece
        .iter()
        .zip(after)
        .map(|(beat, rr_after_s)| Wish {
            label: beat.label.clone(),
            around: Around { rr_s: [beat.rr_before_s, rr_after_s], rhythm: beat.rhythm.clone() },
        })
        .collect();
    let mut set = beats.make(patient, &wishes)?;
    let mut chosen: Vec<usize> = (0..wishes.len()).collect();
    let mut poor: Vec<usize> = implausible(&set, &chosen, &wishes);
    for _ in 0..ATTEMPTS {
        if poor.is_empty() {
            break;
        }
        made.beats_rejected += poor.len();
        let again: Vec<Wish> = poor.iter().filter_map(|beat| wishes.get(*beat).cloned()).collect();
        let replacements = beats.make(patient, &again)?;
        let better = implausible(&replacements, &(0..again.len()).collect::<Vec<_>>(), &again);
        let from = set.len();
        set.append(&replacements)?;
        for (index, beat) in poor.iter().enumerate() {
            if let Some(chosen) = chosen.get_mut(*beat) {
                *chosen = from + index;
            }
        }
        poor = better.into_iter().filter_map(|index| poor.get(index).copied()).collect();
    }
    made.beats_implausible += poor.len();
    Ok((set, chosen))
}

/// Adds the patient's noise to samples that begin at `from`, where it is asked for and known.
fn put_back(
    noise: &mut Option<Vec<ResidualNoise>>,
    patient: &Planned,
    segments: &SegmentSet,
    order: &Order,
    (samples, from): (&mut [Vec<f32>], usize),
) {
    let Some(residual) = patient.residual.as_ref().filter(|_| order.noise) else { return };
    let rate = segments.sampling_frequency_hz;
    let new = |channel| ResidualNoise::new(residual, rate, order.seed, &patient.name, channel);
    let noise = noise.get_or_insert_with(|| (0..segments.channels()).map(new).collect());
    noise.iter_mut().zip(samples).for_each(|(noise, samples)| noise.add(samples, from));
}

/// What the manifest says of the patients.
pub(crate) fn note(made: &Made) -> Vec<String> {
    if made.patients.is_empty() {
        return Vec::new();
    }
    let sum = |of: fn(&PatientMade) -> usize| made.patients.iter().map(of).sum::<usize>();
    let beats = sum(|patient| patient.beats.values().sum());
    let rhythm = if made.learned_rhythm {
        "Generation: the rhythms of synthetic patients are sampled from the rhythm model, for new patients."
    } else {
        "Generation: the RR intervals of synthetic patients come from the simulator's rhythm, not from a learned one, so measures of \
         heart-rate variability are not applicable to them."
    };
    let rejected = format!(
        "Generation: of {beats} beats of {} synthetic patients, {} were made anew because they were not plausible (rate, QRS, QT, \
         amplitude), {} were left although they are not; {} intervals were drawn anew.",
        made.patients.len(),
        sum(|patient| patient.beats_rejected),
        sum(|patient| patient.beats_implausible),
        sum(|patient| patient.intervals_rejected)
    );
    vec![rhythm.to_owned(), rejected]
}

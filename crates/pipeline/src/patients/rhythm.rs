//! Which beat comes when, in each patient: from the rhythm model, or from the simulator where there is none.

use anyhow::{Result, bail};
use physiosynth_evaluation::clinical::limits::RATE_PER_MIN;
use physiosynth_generator::ModelFiles;
use physiosynth_generator::assembly::PlannedBeat;
use physiosynth_generator::rhythm::{IntervalLimits, Patient, RhythmModel};
use physiosynth_signal::{Residual, Segment, SegmentSet, Split};
use physiosynth_simulator::rhythm::{RhythmConfig, rhythm};
use rand::seq::SliceRandom;

use super::Order;

/// A training subject with fewer beats of class N than this is no model for a simulated rhythm: its rate cannot be told.
const FEWEST_NORMAL: usize = 8;
/// The simulator's rhythm by the name that annotations give it.
const SIMULATED: &str = "(N";

/// One patient to be made.
pub(super) struct Planned {
    /// Name of the record.
    pub(super) name: String,
    /// Number from 0.
    pub(super) index: usize,
    /// The training subject that the rhythm was drawn around; empty where the model does not say.
    pub(super) around: String,
    /// Whether the patient is to be that subject.
    pub(super) known: bool,
    /// What denoising took away, where it is known.
    pub(super) residual: Option<Residual>,
    portrait: Option<Patient>,
}

/// Where rhythms come from.
pub(super) enum Rhythms<'a> {
    Learned(Box<RhythmModel>),
    Simulated(&'a SegmentSet),
}

impl<'a> Rhythms<'a> {
    /// The model's rhythms, or simulated ones at the training subjects' rates.
    pub(super) fn open(model: &ModelFiles, segments: &'a SegmentSet) -> Result<Self> {
        Ok(match RhythmModel::open(model)? {
            Some(model) => Self::Learned(Box::new(model)),
            None => Self::Simulated(segments),
        })
    }

    pub(super) fn learned(&self) -> bool {
        matches!(self, Self::Learned(_))
    }

    /// Who is to be made.
    pub(super) fn plan(&self, order: &Order) -> Result<Vec<Planned>> {
        let named = |index: usize, around: &str, portrait: Option<Patient>| Planned {
            name: format!("syn{:03}", index + 1),
            index,
            around: around.to_owned(),
            known: !order.subjects.is_empty(),
            residual: portrait.as_ref().and_then(|patient| patient.portrait.residual.clone()),
            portrait,
        };
        match self {
            Self::Learned(model) if order.subjects.is_empty() => {
                let patients = model.patients(order.patients, order.seed);
                let planned = |(index, patient): (usize, Patient)| named(index, &patient.subject.clone(), Some(patient));
                Ok(patients.into_iter().enumerate().map(planned).collect())
            }
            Self::Learned(model) => {
                let mut known = Vec::new();
                for subject in order.subjects {
                    let own = model.known(subject);
                    if own.is_empty() {
                        let all = model.subjects().join(", ");
                        bail!("the rhythm model has no training subject '{subject}'; it has {all}");
                    }
                    known.extend(own);
                }
                let of = |index: usize| known.get(index % known.len().max(1)).cloned();
                let planned = |index| of(index).map(|patient| named(index, &patient.subject.clone(), Some(patient)));
                Ok((0..order.patients).filter_map(planned).collect())
            }
            Self::Simulated(segments) => {
                let mut sources: Vec<String> = segments
                    .subjects()
                    .into_iter()
                    .filter(|name| order.subjects.is_empty() || order.subjects.contains(name))
                    .filter(|name| of(segments, name, "N").count() >= FEWEST_NORMAL)
                    .collect();
                sources.shuffle(&mut order.seed.stream("patients", 0));
                let source = |index: usize| sources.get(index % sources.len().max(1));
                Ok((0..order.patients).filter_map(|index| Some(named(index, source(index)?, None))).collect())
            }
        }
    }

    /// The beats of a patient's record, and how many intervals were drawn anew.
    pub(super) fn sample(&self, patient: &Planned, order: &Order) -> Result<(Vec<PlannedBeat>, usize)> {
        match (self, &patient.portrait) {
            (Self::Learned(model), Some(portrait)) => {
                let limits = IntervalLimits { least_s: 60.0 / RATE_PER_MIN[1], most_s: 60.0 / RATE_PER_MIN[0] };
                let (beats, redrawn) = model.sample(portrait, order.duration_s, limits, order.seed, patient.index as u64)?;
                let name = |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
                let planned = |beat: &physiosynth_generator::rhythm::RhythmBeat| PlannedBeat {
                    label: name(model.classes(), beat.class),
                    rr_before_s: beat.rr_before_s as f32,
                    rhythm: name(model.rhythms(), beat.rhythm),
                };
                Ok((beats.iter().map(planned).collect(), redrawn))
            }
            (Self::Simulated(segments), _) => {
                let config = simulated(segments, &patient.around);
                let beats = rhythm(order.seed, patient.index as u64, &config, order.duration_s)?;
                let planned = |beat: &physiosynth_simulator::rhythm::RhythmBeat| PlannedBeat {
                    label: beat.label.to_owned(),
                    rr_before_s: beat.rr_before_s as f32,
                    rhythm: SIMULATED.to_owned(),
                };
                Ok((beats.iter().map(planned).collect(), 0))
            }
            (Self::Learned(_), None) => bail!("patient {} has no portrait to make a rhythm from", patient.name),
        }
    }
}

/// Training segments of a subject and class.
fn of<'a>(segments: &'a SegmentSet, subject: &'a str, label: &'a str) -> impl Iterator<Item = &'a Segment> {
    segments.segments.iter().filter(move |s| s.split == Split::Train && s.subject == subject && s.label == label)
}

/// The simulator's rhythm at a subject's rate, with its shares of premature beats.
fn simulated(segments: &SegmentSet, subject: &str) -> RhythmConfig {
    let mut intervals: Vec<f32> =
        of(segments, subject, "N").map(|s| s.rr_before_s).filter(|rr| rr.is_finite() && *rr > 0.0).collect();
    intervals.sort_by(f32::total_cmp);
    let defaults = RhythmConfig::default();
    let rate =
        intervals.get(intervals.len() / 2).map_or(defaults.mean_rate_per_min, |&rr| 60.0 / f64::from(rr)).clamp(30.0, 180.0);
    let count = |label: &str| of(segments, subject, label).count() as f64;
    let (normal, atrial, ventricular) = (count("N"), count("S"), count("V"));
    let total = normal + atrial + ventricular;
    // The rhythm model takes premature beats up to four in ten.
    let shrink = (0.39 / ((atrial + ventricular) / total)).min(1.0);
    RhythmConfig {
        mean_rate_per_min: rate,
        sdnn_s: defaults.sdnn_s.min(0.2 * 60.0 / rate),
        share_s: shrink * atrial / total,
        share_v: shrink * ventricular / total,
        ..defaults
    }
}

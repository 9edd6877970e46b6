//! Synthetic patients: a rhythm from the simulator, beats from the model, joined into WFDB records.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use physiosynth_formats::{SignalFormat, write_record, write_record_list};
use physiosynth_generator::assembly::{PlannedBeat, assemble};
use physiosynth_generator::{ObjectiveName, Request};
use physiosynth_signal::{Seed, SegmentSet, Split};
use physiosynth_simulator::rhythm::{RhythmBeat, RhythmConfig, rhythm};
use rand::seq::SliceRandom;

use crate::config::{Config, GenerationConfig};
use crate::files;

/// A training subject with fewer beats of class N than this is no model for a patient: its rhythm cannot be told.
const FEWEST_NORMAL: usize = 8;

/// One patient to be made.
pub(super) struct Patient {
    name: String,
    /// The training subject whose segments the beats start from.
    source: String,
    beats: Vec<RhythmBeat>,
}

impl Patient {
    /// One synthetic segment for each beat.
    pub(super) fn requests(&self) -> Vec<Request> {
        let mut by_label: BTreeMap<&str, Vec<[f32; 2]>> = BTreeMap::new();
        for (index, beat) in self.beats.iter().enumerate() {
            let after = self.beats.get(index + 1).map_or(f32::NAN, |next| next.rr_before_s as f32);
            by_label.entry(beat.label).or_default().push([beat.rr_before_s as f32, after]);
        }
        let request = |(label, rr_s): (&str, Vec<[f32; 2]>)| Request {
            label: label.to_string(),
            subject: Some(self.source.clone()),
            count: rr_s.len(),
            patient: self.name.clone(),
            rr_s,
        };
        by_label.into_iter().map(request).collect()
    }
}

/// Draws the patients: each starts from another training subject while there are any, and has its rate and its share of
/// premature beats.
pub(super) fn plan(config: &GenerationConfig, segments: &SegmentSet, seed: Seed) -> Result<Vec<Patient>> {
    let mut sources: Vec<String> = segments
        .subjects()
        .into_iter()
        .filter(|name| config.subjects.is_empty() || config.subjects.contains(name))
        .filter(|name| of(segments, name, "N").count() >= FEWEST_NORMAL)
        .collect();
    if sources.is_empty() || config.patients == 0 {
        return Ok(Vec::new());
    }
    sources.shuffle(&mut seed.stream("patients", 0));
    (0..config.patients)
        .map(|index| {
            let source = sources[index % sources.len()].clone();
            let beats = rhythm(seed, index as u64, &rhythm_of(segments, &source), config.patient_duration_s)?;
            Ok(Patient { name: format!("syn{:03}", index + 1), source, beats })
        })
        .collect()
}

/// Training segments of a subject and class.
fn of<'a>(segments: &'a SegmentSet, subject: &'a str, label: &'a str) -> impl Iterator<Item = &'a physiosynth_signal::Segment> {
    segments.segments.iter().filter(move |s| s.split == Split::Train && s.subject == subject && s.label == label)
}

/// The simulator's rhythm at a subject's rate, with its shares of premature beats.
fn rhythm_of(segments: &SegmentSet, subject: &str) -> RhythmConfig {
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

/// Joins `beats`, made for the patients' [`requests`](Patient::requests), into records in `folder`, and says beside them what
/// they are.
pub(super) fn write(folder: &Path, patients: &[Patient], beats: &SegmentSet, database: &str, config: &Config) -> Result<()> {
    let paired = config.generator.objective == ObjectiveName::Paired;
    for patient in patients {
        let mut record = record(patient, beats, config)?;
        record.subject.clone_from(&patient.name);
        record.comments.extend([
            format!(
                "Made by physiosynth {} from the database {database}; not a recording of any person.",
                env!("CARGO_PKG_VERSION")
            ),
            if paired {
                format!("Each beat was made from a real training segment of subject {} with noise added.", patient.source)
            } else {
                "Each beat was made from noise alone, for a patient drawn at random.".to_string()
            },
            "RR intervals come from a simulated rhythm: heart-rate variability means nothing here.".to_string(),
            "Nothing has shown that these data cannot be traced to a person.".to_string(),
        ]);
        write_record(folder, &record, SignalFormat::Format16)?;
    }
    let names: Vec<String> = patients.iter().map(|patient| patient.name.clone()).collect();
    write_record_list(folder, &names)?;
    files::write_atomically(&folder.join("README.txt"), read_me(patients.len(), database, paired).as_bytes())
}

fn record(patient: &Patient, beats: &SegmentSet, config: &Config) -> Result<physiosynth_signal::Record> {
    // Beats of a class are used up in the order in which they were made.
    let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, segment) in beats.segments.iter().enumerate().filter(|(_, s)| s.subject == patient.name).rev() {
        made.entry(&segment.label).or_default().push(index);
    }
    let mut order = Vec::new();
    let mut plan = Vec::new();
    for beat in &patient.beats {
        let Some(index) = made.get_mut(beat.label).and_then(Vec::pop) else {
            bail!("patient {} has fewer {} beats than its rhythm asks for", patient.name, beat.label);
        };
        order.push(index);
        plan.push(PlannedBeat { label: beat.label.to_string(), rr_before_s: beat.rr_before_s as f32 });
    }
    Ok(assemble(&patient.name, beats, &order, &plan, &config.generation.assembly, Seed(config.seed))?)
}

fn read_me(patients: usize, database: &str, paired: bool) -> String {
    let made = if paired {
        "the paired objective makes each synthetic beat from a real training beat with noise added. Read the\n\
         report's verdict \"private?\": attacks that tell whose beats were trained on usually succeed."
    } else {
        "each synthetic beat was made from noise alone, for patients drawn at random: none is meant to be\n\
         a person of the source database. That is an intention, not a proof: read the report's verdict \"private?\"."
    };
    format!(
        "SYNTHETIC DATA\n\n\
         syn*.hea, .dat, .atr   {patients} synthetic patients as WFDB records, in physical units, with beat annotations\n\
         synthetic.h5           synthetic segments by class; derived_from names what each was made from, if anything\n\n\
         Made by physiosynth {} from the database \"{database}\". Cite that database and keep to its licence.\n\n\
         Before you pass this on: {made} Treat these files with the care\n\
         that the source database asks for.\n",
        env!("CARGO_PKG_VERSION")
    )
}

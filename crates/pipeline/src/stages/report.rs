//! Stage 5: everything → `figures/`, `index.html`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, anyhow};
use physiosynth_evaluation::Scores;
use physiosynth_formats::open_database;
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::checkpoint::HISTORY;
use physiosynth_generator::config::Keep;
use physiosynth_generator::training::Epoch;
use physiosynth_preprocessing::{Stretch, Summary};
use physiosynth_reporting::{ClusterRow, Report, RunFacts, SplitRow, Strip, write_report};
use physiosynth_signal::{Record, RecordSource, SegmentSet};
use serde_json::json;

use super::{Context, Decides, Made, Stage, read_json, records};
use crate::manifest::Manifest;
use crate::patients::epochs;
use crate::source::is_demo;

/// Length of a strip on ECG paper, in seconds.
const STRIP_S: f64 = 10.0;
/// How many are drawn of each kind.
const STRIPS: usize = 3;
/// Synthetic patients among whom those to show are chosen.
const PATIENTS_LOOKED_AT: usize = 12;

pub(super) fn decides(context: &Context) -> Decides {
    let folder = context.folder;
    let settings = json!({"notes": context.manifest.notes, "skipped": context.manifest.skipped, "seed": context.config.seed});
    let files =
        vec![folder.segments(), folder.preprocessing(), folder.model().join(HISTORY), folder.synthetic(), folder.scores()];
    Decides { settings, files }
}

pub(super) fn execute(context: &mut Context) -> Result<Made> {
    let folder = context.folder;
    let real = read_segments(&folder.segments())?;
    let synthetic = read_segments(&folder.synthetic())?;
    let summary: Summary = read_json(&folder.preprocessing())?;
    let scores: Scores = read_json(&folder.scores())?;
    let history: Vec<Epoch> = read_json(&folder.model().join(HISTORY))?;
    // The epoch whose weights generated.
    let best_epoch = match context.config.generator.keep {
        Keep::Last => history.last().map(|e| e.epoch as u32),
        Keep::Best => history
            .iter()
            .filter_map(|e| Some((e.validation_loss?, e.epoch)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, epoch)| epoch as u32),
    };
    let eeg = epochs::is_eeg(&real);
    let stretches: Vec<_> = summary.stretches.iter().map(stretch).collect();
    let report = Report {
        facts: facts(context, &real, &synthetic, &summary),
        real: &real,
        synthetic: &synthetic,
        scores: &scores,
        history: &history.iter().map(epoch).collect::<Vec<_>>(),
        best_epoch,
        stretches: &stretches,
        // Strips are drawn on ECG paper.
        real_strips: if eeg {
            Vec::new()
        } else {
            most_varied(&summary.stretches).into_iter().take(STRIPS).map(real_strip).collect()
        },
        synthetic_strips: if eeg { Vec::new() } else { synthetic_strips(&folder.share())? },
        clusters: &clusters(&summary),
    };
    write_report(&report, folder.path(), context.terminal)?;
    Ok(Made { outputs: vec![folder.figures(), folder.page()], parts: Vec::new() })
}

fn epoch(e: &Epoch) -> physiosynth_reporting::Epoch {
    physiosynth_reporting::Epoch {
        epoch: e.epoch as u32,
        train_loss: e.train_loss,
        validation_loss: e.validation_loss.unwrap_or(f64::NAN),
        gradient_norm_mean: e.gradient_norm_mean,
        gradient_norm_max: e.gradient_norm_max,
        learning_rate: e.learning_rate,
    }
}

fn stretch(s: &Stretch) -> physiosynth_reporting::Stretch {
    physiosynth_reporting::Stretch {
        record: s.record.clone(),
        lead: s.lead.clone(),
        unit: s.unit.clone(),
        sampling_frequency_hz: s.sampling_frequency_hz,
        start_s: s.start_s,
        before: s.before.clone(),
        after: s.after.clone(),
        marks: s.marks.clone(),
    }
}

/// The stretches, those with the most different codes first.
fn most_varied(stretches: &[Stretch]) -> Vec<&Stretch> {
    let codes = |s: &Stretch| s.marks.iter().map(|(_, code)| code).collect::<BTreeSet<_>>().len();
    let mut order: Vec<&Stretch> = stretches.iter().collect();
    order.sort_by_key(|s| std::cmp::Reverse(codes(s)));
    order
}

/// The denoised stretch, since synthetic beats are made from denoised ones.
fn real_strip(s: &Stretch) -> Strip {
    Strip {
        title: format!("Real: record {}, {}, denoised", s.record, s.lead),
        unit: s.unit.clone(),
        sampling_frequency_hz: s.sampling_frequency_hz,
        samples: s.after.clone(),
        marks: s.marks.clone(),
    }
}

/// Of each of the first synthetic patients the stretch with the most different codes, the first such one; patients with the most varied
/// stretch first.
fn synthetic_strips(share: &Path) -> Result<Vec<Strip>> {
    // A run may have been asked for segments alone.
    if records::files(share).is_empty() {
        return Ok(Vec::new());
    }
    let patients = open_database(share)?;
    let mut strips: Vec<(usize, Strip)> = Vec::new();
    for index in 0..patients.entries().len().min(PATIENTS_LOOKED_AT) {
        let record = patients.read(index, None).map_err(|error| anyhow!("{error}"))?;
        strips.extend(most_varied_window(&record));
    }
    strips.sort_by_key(|(codes, _)| std::cmp::Reverse(*codes));
    Ok(strips.into_iter().map(|(_, strip)| strip).take(STRIPS).collect())
}

/// Of the stretches of a record of [`STRIP_S`] each (the whole of a shorter one) that with the most different codes of beats, and how many
/// those are.
fn most_varied_window(record: &Record) -> Option<(usize, Strip)> {
    let channel = record.channels.first()?;
    let length = ((STRIP_S * channel.sampling_frequency_hz) as usize).min(channel.samples.len());
    if length == 0 {
        return None;
    }
    let marks_from = |start: usize| -> Vec<(usize, String)> {
        let beats = record.annotations.iter().filter(|a| a.code != "+");
        let placed = beats.filter_map(|a| Some((usize::try_from(a.sample).ok()?.checked_sub(start)?, a.code.to_string())));
        placed.filter(|(at, _)| *at < length).collect()
    };
    let codes = |marks: &[(usize, String)]| marks.iter().map(|(_, code)| code).collect::<BTreeSet<_>>().len();
    let windows = (0..channel.samples.len() / length).map(|index| (index * length, marks_from(index * length)));
    let (start, marks) = windows.rev().max_by_key(|(_, marks)| codes(marks))?;
    let strip = Strip {
        title: format!("Synthetic: patient {}, {}", record.name, channel.label),
        unit: channel.unit.clone(),
        sampling_frequency_hz: channel.sampling_frequency_hz,
        samples: channel.samples[start..start + length].to_vec(),
        marks,
    };
    Some((codes(&strip.marks), strip))
}

fn clusters(summary: &Summary) -> Vec<ClusterRow> {
    summary
        .clusters
        .iter()
        .map(|c| ClusterRow {
            id: c.id,
            class: c.class.clone(),
            subject: c.subject.clone(),
            segments: c.train,
            silhouette: c.silhouette.map_or(f64::NAN, Into::into),
        })
        .collect()
}

fn facts(context: &Context, real: &SegmentSet, synthetic: &SegmentSet, summary: &Summary) -> RunFacts {
    let manifest: &Manifest = context.manifest;
    let config = context.config;
    let title = context.folder.path().file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy().into_owned());
    let mut notes = summary.notes.clone();
    notes.extend(manifest.notes.iter().cloned());
    let timings = Stage::ALL.iter().filter_map(|s| Some((s.to_string(), manifest.stages.get(&s.to_string())?.seconds)));
    RunFacts {
        title,
        database: summary.database.clone(),
        simulated: is_demo(&config.database),
        seed: config.seed,
        device: manifest.device.as_ref().map_or_else(String::new, |d| format!("{} ({})", d.name, d.reason)),
        preset: config.preset.to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        command: manifest.command.clone(),
        timings: timings.filter(|(name, _)| name != "report").collect(),
        skipped: manifest.skipped.iter().map(|s| (s.record.clone(), s.reason.clone())).collect(),
        notes,
        splits: splits(real).into_iter().chain(splits(synthetic)).collect(),
    }
}

/// One row per split of a set.
pub(crate) fn splits(set: &SegmentSet) -> Vec<SplitRow> {
    let mut rows: BTreeMap<_, (std::collections::BTreeSet<&str>, BTreeMap<&str, usize>)> = BTreeMap::new();
    for s in &set.segments {
        let row = rows.entry(s.split).or_default();
        row.0.insert(if s.derived_from.is_empty() { &s.subject } else { &s.derived_from });
        *row.1.entry(&s.label).or_default() += 1;
    }
    rows.into_iter()
        .map(|(split, (subjects, classes))| SplitRow {
            split: split.to_string(),
            subjects: subjects.len(),
            segments: classes.into_iter().map(|(class, n)| (class.to_string(), n)).collect(),
        })
        .collect()
}

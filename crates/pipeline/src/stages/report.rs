//! Stage 5: everything → `figures/`, `index.html`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use physiosynth_evaluation::Scores;
use physiosynth_formats::segments::read_segments;
use physiosynth_formats::{ReadOptions, read_record};
use physiosynth_generator::checkpoint::HISTORY;
use physiosynth_generator::config::Keep;
use physiosynth_generator::training::Epoch;
use physiosynth_preprocessing::{Stretch, Summary};
use physiosynth_reporting::{ClusterRow, Report, RunFacts, SplitRow, Strip, write_report};
use physiosynth_signal::{Record, SegmentSet};
use serde_json::json;

use super::{Context, Decides, Made, Stage, eeg_patients, read_json};
use crate::manifest::Manifest;
use crate::source::is_demo;

/// Length of a strip on ECG paper, in seconds.
const STRIP_S: f64 = 10.0;

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
        real_strip: most_varied(&summary.stretches).filter(|_| !eeg_patients::is_eeg(&real)).map(real_strip),
        synthetic_strip: synthetic_strip(&folder.share())?,
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

/// The stretch with the most different codes; the first such one.
fn most_varied(stretches: &[Stretch]) -> Option<&Stretch> {
    let codes = |s: &Stretch| s.marks.iter().map(|(_, code)| code).collect::<std::collections::BTreeSet<_>>().len();
    stretches.iter().rev().max_by_key(|s| codes(s))
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

/// The stretch of the synthetic patients that holds most beats other than N; the first such one.
fn synthetic_strip(share: &Path) -> Result<Option<Strip>> {
    let Ok(list) = std::fs::read_to_string(share.join("RECORDS")) else { return Ok(None) };
    let mut best: Option<(usize, Strip)> = None;
    for name in list.lines() {
        let record = read_record(&share.join(name), &ReadOptions::default())?;
        for (others, strip) in windows(&record) {
            if best.as_ref().is_none_or(|(most, _)| others > *most) {
                best = Some((others, strip));
            }
        }
    }
    Ok(best.map(|(_, strip)| strip))
}

/// Stretches of a record of [`STRIP_S`] each (the whole of a shorter one), with how many beats other than N are in it.
fn windows(record: &Record) -> Vec<(usize, Strip)> {
    let Some(channel) = record.channels.first() else { return Vec::new() };
    let length = ((STRIP_S * channel.sampling_frequency_hz) as usize).min(channel.samples.len());
    if length == 0 {
        return Vec::new();
    }
    (0..channel.samples.len() / length)
        .map(|index| {
            let start = index * length;
            let marks: Vec<(usize, String)> = record
                .annotations
                .iter()
                .filter(|a| a.code != "+")
                .filter_map(|a| Some((usize::try_from(a.sample).ok()?.checked_sub(start)?, a.code.to_string())))
                .filter(|(at, _)| *at < length)
                .collect();
            let others = marks.iter().filter(|(_, code)| code != "N").count();
            let strip = Strip {
                title: format!("Synthetic: patient {}, {}", record.name, channel.label),
                unit: channel.unit.clone(),
                sampling_frequency_hz: channel.sampling_frequency_hz,
                samples: channel.samples[start..start + length].to_vec(),
                marks,
            };
            (others, strip)
        })
        .collect()
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

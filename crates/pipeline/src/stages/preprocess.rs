//! Stage 1: real recordings → `segments.h5`, `rhythms.json`.

use anyhow::{Context as _, Result};
use physiosynth_formats::RecordingsConfig;
use physiosynth_formats::segments::write_segments;
use physiosynth_preprocessing::preprocess;
use physiosynth_signal::Seed;
use serde_json::json;

use super::{Context, Decides, Made, settings, write_json};
use crate::files;
use crate::manifest::Skipped;
use crate::source::{ATTRIBUTION, Source};

pub(super) fn decides(context: &mut Context) -> Result<Decides> {
    let source = Source::open(context.config)?;
    // The checksums stand for the recordings themselves; the demo's settings for the demo.
    let config = context.config;
    context.manifest.inputs = source.checksums()?;
    let database = if source.simulated { settings(&config.simulator)? } else { settings(&context.manifest.inputs)? };
    let mut decisive = json!({
        "preprocessing": settings(&config.preprocessing)?, "database": database, "seed": config.seed, "strict": config.strict,
    });
    // What was said of the files matters where something was said.
    if !source.simulated && config.recordings != RecordingsConfig::default() {
        decisive["recordings"] = settings(&config.recordings)?;
    }
    Ok(Decides { settings: decisive, files: Vec::new() })
}

pub(super) fn execute(context: &mut Context) -> Result<Made> {
    let config = context.config;
    let source = Source::open(config)?;
    let prepared =
        preprocess(source.records.as_ref(), &config.preprocessing, Seed(config.seed), config.strict, context.terminal)?;
    let started = std::time::Instant::now();
    write_segments(&context.folder.segments(), &prepared.segments)?;
    let written = started.elapsed().as_secs_f64();
    let text = serde_json::to_vec(&prepared.sequences).context("the beat sequences cannot be written as JSON")?;
    files::write_atomically(&context.folder.rhythms(), &text)?;
    write_json(&context.folder.preprocessing(), &prepared.summary)?;
    // Goes with all that is made from the database.
    let attribution = context.folder.path().join(ATTRIBUTION);
    match source.attribution() {
        Some(text) => files::write_atomically(&attribution, &text)?,
        None => files::remove(&attribution)?,
    }

    let summary = prepared.summary;
    context.manifest.database = source.records.name().to_string();
    context.manifest.skipped =
        summary.skipped.iter().map(|s| Skipped { record: s.record.clone(), reason: s.reason.clone() }).collect();
    let mut parts: Vec<(String, f64)> = summary.timings.iter().map(|t| (t.step.clone(), t.seconds)).collect();
    parts.push(("write segments.h5".into(), written));
    Ok(Made { outputs: vec![context.folder.segments(), context.folder.rhythms(), context.folder.preprocessing()], parts })
}

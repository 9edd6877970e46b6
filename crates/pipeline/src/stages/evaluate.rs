//! Stage 4: `segments.h5`, `synthetic.h5` and the synthetic patients' annotations → `scores.json`.

use anyhow::Result;
use physiosynth_evaluation::evaluate_with_records;
use physiosynth_formats::segments::read_segments;
use physiosynth_signal::Seed;
use serde_json::json;

use super::{Context, Decides, Made, records, write_json};

pub(super) fn decides(context: &Context) -> Decides {
    let config = context.config;
    let settings = json!({"evaluation": config.evaluation, "seed": config.seed});
    let mut files = vec![context.folder.segments(), context.folder.synthetic()];
    files.extend(records::files(&context.folder.share()));
    Decides { settings, files }
}

pub(super) fn execute(context: &mut Context) -> Result<Made> {
    let real = read_segments(&context.folder.segments())?;
    let synthetic = read_segments(&context.folder.synthetic())?;
    let config = context.config;
    let records = records::sequences(config, &real, &context.folder.share())?;
    let scores = evaluate_with_records(&real, &synthetic, &records, &config.evaluation, Seed(config.seed), context.terminal)?;
    write_json(&context.folder.scores(), &scores)?;
    Ok(Made { outputs: vec![context.folder.scores()], parts: Vec::new() })
}

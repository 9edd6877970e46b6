//! Stage 4: `segments.h5` and `synthetic.h5` → `scores.json`.

use anyhow::Result;
use physiosynth_evaluation::evaluate;
use physiosynth_formats::segments::read_segments;
use physiosynth_signal::Seed;
use serde_json::json;

use super::{Context, Decides, Made, write_json};

pub(super) fn decides(context: &Context) -> Decides {
    let config = context.config;
    let settings = json!({"evaluation": config.evaluation, "seed": config.seed});
    Decides { settings, files: vec![context.folder.segments(), context.folder.synthetic()] }
}

pub(super) fn execute(context: &mut Context) -> Result<Made> {
    let real = read_segments(&context.folder.segments())?;
    let synthetic = read_segments(&context.folder.synthetic())?;
    let config = context.config;
    let scores = evaluate(&real, &synthetic, &config.evaluation, Seed(config.seed), context.terminal)?;
    write_json(&context.folder.scores(), &scores)?;
    Ok(Made { outputs: vec![context.folder.scores()], parts: Vec::new() })
}

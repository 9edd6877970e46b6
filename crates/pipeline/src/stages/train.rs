//! Stage 2: `segments.h5`, `rhythms.json` → `model/`.

use anyhow::Result;
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::Existing;
use physiosynth_generator::config::Keep;
use physiosynth_generator::device::choose;
use physiosynth_generator::train;
use physiosynth_signal::{Progress, Seed};
use serde_json::json;

use super::{Context, Decides, Made, rhythm, settings};
use crate::manifest::Device;

pub(super) fn decides(context: &mut Context) -> Result<Decides> {
    let config = context.config;
    let (_, chosen) = choose(config.device)?;
    let device = Device { name: chosen.name, kind: chosen.kind.to_string(), reason: chosen.reason };
    let (generator, rhythm) = (settings(&config.generator)?, settings(&config.rhythm)?);
    let settings = json!({"generator": generator, "rhythm": rhythm, "seed": config.seed, "device": device.kind});
    context.manifest.device = Some(device);
    Ok(Decides { settings, files: vec![context.folder.segments(), context.folder.rhythms()] })
}

pub(super) fn execute(context: &mut Context, resumed: bool) -> Result<Made> {
    let config = context.config;
    let (device, chosen) = choose(config.device)?;
    eprintln!("computing on {} ({})", chosen.name, chosen.reason);
    let segments = read_segments(&context.folder.segments())?;
    // What an earlier run of other settings left is replaced; what this one left is gone on with.
    let existing = if resumed { Existing::ResumeOrReplace } else { Existing::Replace };
    let seed = Seed(config.seed);
    let outcome = train(&segments, &config.generator, seed, &device, &context.folder.model(), existing, context.terminal)?;
    if outcome.resumed_from > 0 {
        context.terminal.warn(&format!("training went on from epoch {}", outcome.resumed_from));
    }
    let (training, validation) = outcome.segments;
    context.manifest.notes.retain(|note| !note.starts_with("Training:"));
    let kept = match config.generator.keep {
        Keep::Best => "the best are kept",
        Keep::Last => "the last are kept",
    };
    let mut note = format!(
        "Training: {} parameters on {training} segments, watched on {validation} of the validation subjects, whose loss was lowest after \
         epoch {} of {}; {kept}.",
        outcome.parameters,
        outcome.best_epoch,
        outcome.history.len()
    );
    for remark in &outcome.remarks {
        note.push(' ');
        note.push_str(remark);
    }
    context.manifest.notes.push(note);
    rhythm::train(context)?;
    Ok(Made { outputs: vec![context.folder.model()], parts: Vec::new() })
}

//! Stage 2, second part: `rhythms.json` → `model/rhythm/`.

use anyhow::Result;
use physiosynth_generator::rhythm::{FOLDER, RhythmReport};
use physiosynth_signal::{BeatSequence, Progress, Seed};

use super::{Context, read_json};
use crate::files;

/// How notes of this part begin.
const NOTE: &str = "Rhythm:";

/// Trains the rhythm model beside the generator's network, and notes how it did.
pub(super) fn train(context: &mut Context) -> Result<()> {
    let config = context.config;
    context.manifest.notes.retain(|note| !note.starts_with(NOTE));
    let model = context.folder.model();
    if !config.rhythm.enabled {
        return files::remove(&model.join(FOLDER));
    }
    let sequences: Vec<BeatSequence> = read_json(&context.folder.rhythms())?;
    let report = physiosynth_generator::rhythm::train(&sequences, &config.rhythm, Seed(config.seed), &model, context.terminal)?;
    let Some(report) = report else {
        // An EEG has no beats at all.
        if sequences.is_empty() {
            return Ok(());
        }
        context.terminal.warn("no training record has enough beats to learn a rhythm from; patients get a simulated one");
        return Ok(());
    };
    context.manifest.notes.push(note(&report));
    Ok(())
}

/// How the model foresees beats, beside two simple ones.
fn note(report: &RhythmReport) -> String {
    let (whose, seen) = match &report.validation {
        Some(validation) => ("the validation subjects", validation),
        None => ("the training records (no subject validates)", &report.training),
    };
    format!(
        "{NOTE} the class of the next beat and the logarithm of its interval cost {:.3} nats a beat on {whose} ({} records, {} beats); \
         {:.3} where each beat depends on the last alone, {:.3} where beats are independent. Best step {}.",
        seen.network.beat(),
        seen.records,
        seen.beats,
        seen.markov.beat(),
        seen.independent.beat(),
        report.best_step
    )
}

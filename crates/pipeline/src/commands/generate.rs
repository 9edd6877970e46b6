//! `generate --model`: patients' records from a trained model, outside of a run.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::ObjectiveName;
use physiosynth_generator::device::choose;
use physiosynth_generator::sampling::objective;
use physiosynth_signal::Seed;

use crate::cli::Generate;
use crate::config::{Config, Flags};
use crate::error::Usage;
use crate::manifest::Manifest;
use crate::run_folder::RunFolder;
use crate::terminal::Terminal;
use crate::{files, interrupt, patients};

/// Patients that are made where nobody says how many.
const PATIENTS: usize = 10;

/// Writes records of synthetic patients into the output folder.
pub(crate) fn generate(arguments: &Generate) -> Result<()> {
    interrupt::install();
    let run = arguments.as_run();
    let Some(output) = &run.output else {
        return Err(Usage("name the folder for the records with --output".into()).into());
    };
    let Some(model) = &arguments.model else {
        return Err(Usage("name the run whose model is to be used with --model".into()).into());
    };
    let model = finished(model)?;
    if output.join("manifest.json").exists() {
        return Err(Usage(format!("{} is a run folder; name another folder for the records", output.display())).into());
    }
    // Nothing is written there: several may read one run at a time.
    let folder = RunFolder::to_read(&model);
    let text = std::fs::read_to_string(folder.config())
        .with_context(|| format!("cannot read the settings in {}", folder.config().display()))?;
    let flags = Flags { device: run.device.as_deref(), seed: run.seed, set: &run.set, ..Flags::default() };
    let config = Config::resolve(Some((&folder.config(), &text)), &flags)?;
    let database = Manifest::read(&folder.manifest())?.database;
    let (device, _) = choose(config.device)?;
    let segments = read_segments(&folder.segments())?;
    std::fs::create_dir_all(output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    let order = patients::Order {
        patients: arguments.patients.unwrap_or(PATIENTS),
        duration_s: config.generation.patient_duration_s,
        subjects: &config.generation.subjects,
        noise: config.generation.noise,
        format: config.generation.format,
        assembly: &config.generation.assembly,
        sampler: &config.generation.sampler,
        paired: objective(&folder.model())? == ObjectiveName::Paired,
        database: &database,
        seed: Seed(config.seed),
    };
    let terminal = Terminal::new();
    let made = patients::make((&folder.model(), &segments), &order, &device, output, &terminal)?;
    let mut text = format!("{} synthetic patients in {}\n", made.patients.len(), output.display());
    for note in patients::note(&made) {
        text.push_str(note.trim_start_matches("Generation: "));
        text.push('\n');
    }
    files::print(&text)
}

/// The run folder that was named, which must hold a model.
fn finished(named: &Path) -> Result<std::path::PathBuf> {
    if named.as_os_str() == "pretrained" && !named.exists() {
        bail!("this version brings no pretrained model; give --model the folder of a finished run");
    }
    if !named.join("model").is_dir() {
        bail!("{} holds no trained model; give --model the folder of a finished run", named.display());
    }
    Ok(named.to_path_buf())
}

//! `generate --model`: patients' records from a trained model, outside of a run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::device::choose;
use physiosynth_generator::sampling::objective;
use physiosynth_generator::{ModelFiles, ObjectiveName, Request, Sampler, generate as from_model};
use physiosynth_signal::Seed;

use crate::cli::Generate;
use crate::config::{Config, Flags};
use crate::error::Usage;
use crate::manifest::Manifest;
use crate::patients::epochs;
use crate::run_folder::RunFolder;
use crate::shareable::{ABOUT, PRETRAINED, Shareable};
use crate::stages::generate::classes;
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
    let Some(named) = &arguments.model else {
        return Err(Usage("name the model with --model: a run's folder, an exported model's, or `pretrained`".into()).into());
    };
    let model = Model::open(named)?;
    for (file, what) in [("manifest.json", "a run"), (ABOUT, "a model")] {
        if output.join(file).exists() {
            return Err(Usage(format!("{} is {what} folder; name another folder for the records", output.display())).into());
        }
    }
    let flags = Flags { device: run.device.as_deref(), seed: run.seed, set: &run.set, ..Flags::default() };
    let (path, text) = &model.config;
    let config = Config::resolve(Some((path, text)), &flags)?;
    if let (Some(shareable), Some(subject)) = (&model.shareable, config.generation.subjects.first()) {
        let name = &shareable.about.name;
        return Err(Usage(format!(
            "--subject {subject}: the model {name} was handed on without its training subjects and makes new patients alone; only the run that it \
             comes from can make that one"
        ))
        .into());
    }
    let (device, _) = choose(config.device)?;
    let sampler = &config.generation.sampler;
    let segments = match &model.segments {
        Some(path) => read_segments(path)?,
        None => Sampler::open(&model.files, sampler, &device)?.nothing(),
    };
    std::fs::create_dir_all(output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    let eeg = epochs::is_eeg(&segments);
    let sampler = &if eeg { epochs::sampler(sampler) } else { sampler.clone() };
    let order = patients::Order {
        patients: arguments.patients.unwrap_or(PATIENTS),
        duration_s: config.generation.patient_duration_s,
        subjects: &config.generation.subjects,
        noise: config.generation.noise,
        format: config.generation.format,
        assembly: &config.generation.assembly,
        sampler,
        paired: objective(&model.files)? == ObjectiveName::Paired,
        database: &model.database,
        shareable: model.shareable.as_ref(),
        seed: Seed(config.seed),
    };
    let terminal = Terminal::new();
    if eeg {
        let (classes, _) = classes(&config.generation, &segments)?;
        let opened = if order.paired { None } else { Some(Sampler::open(&model.files, sampler, &device)?) };
        let make = |requests: &[Request]| match &opened {
            Some(opened) => opened.generate(requests, order.seed, &terminal),
            None => from_model(&model.files, &segments, requests, sampler, order.seed, &device, &terminal),
        };
        let made = epochs::make(&order, &segments, &classes, &make, output)?;
        return files::print(&format!("{} synthetic patients in {}\n", made.len(), output.display()));
    }
    let made = patients::make((&model.files, &segments), &order, &device, output, &terminal)?;
    let mut text = format!("{} synthetic patients in {}\n", made.patients.len(), output.display());
    for note in patients::note(&made) {
        text.push_str(note.trim_start_matches("Generation: "));
        text.push('\n');
    }
    files::print(&text)
}

/// What `--model` named.
struct Model {
    files: ModelFiles,
    /// The training segments; none where the model was handed on.
    segments: Option<PathBuf>,
    /// The settings' place, for messages, and text.
    config: (PathBuf, String),
    /// What the training data are called.
    database: String,
    shareable: Option<Shareable>,
}

impl Model {
    /// The program's own model, that of an exported folder, or that of a finished run.
    fn open(named: &Path) -> Result<Self> {
        let shareable = if named.as_os_str() == PRETRAINED && !named.exists() {
            Some(Shareable::pretrained()?)
        } else {
            Shareable::open(named)?
        };
        if let Some(shareable) = shareable {
            let Shareable { about, files, config, .. } = shareable.clone();
            return Ok(Self { files, segments: None, config, database: about.data.database, shareable: Some(shareable) });
        }
        // Nothing is written there: several may read one run at a time.
        let folder = RunFolder::to_read(named);
        if !folder.model().is_dir() {
            bail!(
                "{} holds no trained model; give --model the folder of a finished run or of an exported model, or `{PRETRAINED}`",
                named.display()
            );
        }
        let text = std::fs::read_to_string(folder.config())
            .with_context(|| format!("cannot read the settings in {}", folder.config().display()))?;
        Ok(Self {
            files: ModelFiles::from(&folder.model()),
            segments: Some(folder.segments()),
            config: (folder.config(), text),
            database: Manifest::read(&folder.manifest())?.database,
            shareable: None,
        })
    }
}

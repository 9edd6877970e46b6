//! `export`: a finished run's model without its training subjects, with a card.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use physiosynth_evaluation::{Scores, evaluate};
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::device::choose;
use physiosynth_generator::export::{Exported, export as hand_on};
use physiosynth_generator::{ModelFiles, Sampler, SamplerConfig, generate};
use physiosynth_signal::{Seed, SegmentSet, Split};
use toml::Table;

use super::fetch;
use crate::cli::Export;
use crate::config::{Config, Flags};
use crate::error::Usage;
use crate::manifest::Manifest;
use crate::run_folder::RunFolder;
use crate::shareable::{ABOUT, About, CARD, CONFIG, Data, MODEL, Source, card};
use crate::source::{ATTRIBUTION, is_demo};
use crate::stages::{splits, write_json};
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// What a config file says above its settings.
const SETTINGS: &str =
    "# What patients are made with. `physiosynth generate --model FOLDER --set KEY=VALUE` changes any of it.\n\n";

/// Writes the shareable model of a run into the output folder.
pub(crate) fn export(arguments: &Export) -> Result<()> {
    interrupt::install();
    let (run, output) = (RunFolder::to_read(&arguments.run), &arguments.output);
    if !run.model().is_dir() {
        bail!("{} holds no trained model; give the folder of a finished run", arguments.run.display());
    }
    if output.join("manifest.json").exists() {
        return Err(Usage(format!("{} is a run folder; name another folder for the model", output.display())).into());
    }
    let text = std::fs::read_to_string(run.config())
        .with_context(|| format!("cannot read the settings in {}", run.config().display()))?;
    let config =
        Config::resolve(Some((&run.config(), &text)), &Flags { device: arguments.device.as_deref(), ..Flags::default() })?;
    let manifest = Manifest::read(&run.manifest())?;
    let real = read_segments(&run.segments())?;

    let model = output.join(MODEL);
    std::fs::create_dir_all(&model).with_context(|| format!("cannot make the folder {}", model.display()))?;
    let exported = hand_on(&run.model(), &model)?;
    let sampler = SamplerConfig { novelty: 1.0, ..config.generation.sampler.clone() };
    let mut about = about(output, &exported, (&config, &manifest), &real);
    let own = if arguments.unscored { None } else { Some(score(&model, &exported, &sampler, &config, &real)?) };
    about.score(own.as_ref(), scores_of(&run)?.as_ref());

    let write = |name: &str, text: &str| files::write_atomically(&output.join(name), text.as_bytes());
    write(CONFIG, &settings(&config, sampler, &about.data.database)?)?;
    write(ATTRIBUTION, &attribution(&run, &about.data)?)?;
    write(CARD, &card(&about))?;
    // Last: by this file the folder is known.
    write_json(&output.join(ABOUT), &about)?;
    files::print(&summary(output, &exported)?)
}

/// What the model is, without scores.
fn about(output: &Path, exported: &Exported, (config, manifest): (&Config, &Manifest), real: &SegmentSet) -> About {
    let database = &manifest.database;
    let known = fetch::attribution(database);
    let (title, licence, cite) = match known {
        Some(known) => (format!("{} {}", known.title, known.version), known.licence.clone(), known.cite.clone()),
        None if is_demo(database) => ("the simulated demo, which is of nobody".to_owned(), String::new(), Vec::new()),
        None => (format!("the database {database}"), String::new(), Vec::new()),
    };
    let name = output.canonicalize().ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    let description = &exported.description;
    let train = manifest.stages.get("train");
    let settings = serde_json::json!({
        "preprocessing": config.preprocessing, "generator": description.generator, "rhythm": config.rhythm,
    });
    let subjects = |split: &physiosynth_reporting::SplitRow| {
        (split.split.clone(), split.subjects, split.segments.iter().map(|(_, n)| n).sum::<usize>())
    };
    About {
        format: About::FORMAT,
        name: name.unwrap_or_else(|| "model".to_owned()),
        made_by: format!("physiosynth {}", manifest.versions.get("physiosynth").map_or("", String::as_str)),
        data: Data { database: database.clone(), title, licence, cite },
        source: Source {
            preset: config.preset.to_string(),
            seed: config.seed,
            splits: splits(real).iter().map(subjects).collect(),
            train_s: train.map_or(0.0, |stage| stage.seconds.round()),
            device: manifest.device.as_ref().map_or_else(|| "an unknown device".to_owned(), |device| device.name.clone()),
            settings,
        },
        subjects: exported.subjects,
        classes: exported.classes.clone(),
        rhythms: exported.rhythms.clone(),
        left_out: exported.left_out.clone(),
        parameters: description.parameters - exported.subjects * description.generator.subject_dimensions,
        channels: description.channel_names.iter().cloned().zip(description.channel_units.iter().cloned()).collect(),
        sampling_frequency_hz: description.sampling_frequency_hz,
        scores: Vec::new(),
        verdicts: std::collections::BTreeMap::new(),
        run_verdicts: std::collections::BTreeMap::new(),
    }
}

/// What the exported model's segments score, made and judged as the run's were.
fn score(model: &Path, exported: &Exported, sampler: &SamplerConfig, config: &Config, real: &SegmentSet) -> Result<Scores> {
    let (device, _) = choose(config.device)?;
    let (terminal, seed, generation) = (Terminal::new(), Seed(config.seed), &config.generation);
    let enough = |label: &str| {
        real.segments.iter().filter(|s| s.split == Split::Train && s.label == label).count() >= generation.smallest_class
    };
    let classes: Vec<String> = exported.classes.keys().filter(|label| enough(label)).cloned().collect();
    let model = ModelFiles::from(model);
    let people = Sampler::open(&model, sampler, &device)?;
    let requests = people.spread(&classes, generation.segments_per_class, generation.segment_patients, seed);
    let synthetic = generate(&model, &people.nothing(), &requests, sampler, seed, &device, &terminal)?;
    Ok(evaluate(real, &synthetic, &config.evaluation, seed, &terminal)?)
}

/// The scores of the run, where it was evaluated.
fn scores_of(run: &RunFolder) -> Result<Option<Scores>> {
    let path = run.scores();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).map(Some).with_context(|| format!("{} is not of this version; evaluate again", path.display()))
}

/// The settings that generating takes, alone: others may change from version to version.
fn settings(config: &Config, sampler: SamplerConfig, database: &str) -> Result<String> {
    let mut generation = Table::new();
    generation.insert("sampler".into(), Table::try_from(sampler).context("the settings cannot be written as TOML")?.into());
    let assembly = Table::try_from(&config.generation.assembly).context("the settings cannot be written as TOML")?;
    generation.insert("assembly".into(), assembly.into());
    let mut table = Table::new();
    table.insert("database".into(), database.into());
    table.insert("generation".into(), generation.into());
    let text = toml::to_string_pretty(&table).context("the settings cannot be written as TOML")?;
    Ok(format!("{SETTINGS}{text}"))
}

/// Whose the data are: as the run says, as is known of the database, or that nothing is known.
fn attribution(run: &RunFolder, data: &Data) -> Result<String> {
    let own = run.path().join(ATTRIBUTION);
    if own.exists() {
        return std::fs::read_to_string(&own).with_context(|| format!("cannot read {}", own.display()));
    }
    Ok(match fetch::attribution(&data.database) {
        Some(known) => known.attribution_text(),
        None => format!("Trained on {}. Keep to its licence.\n", data.title),
    })
}

fn summary(output: &Path, exported: &Exported) -> Result<String> {
    let mut bytes = 0;
    for name in ["", MODEL, "model/rhythm"] {
        let folder = output.join(name);
        let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        bytes += entries
            .flatten()
            .filter_map(|entry| entry.metadata().ok())
            .filter(std::fs::Metadata::is_file)
            .map(|d| d.len())
            .sum::<u64>();
    }
    let left_out: Vec<String> = exported.left_out.iter().map(|left| format!("{} {}", left.kind, left.name)).collect();
    Ok(format!(
        "a model without its {} training subjects in {} ({:.2} MB); the card is {}\nleft out, as too few subjects had it: {}\n",
        exported.subjects,
        output.display(),
        bytes as f64 / 1e6,
        output.join(CARD).display(),
        if left_out.is_empty() { "nothing".to_owned() } else { left_out.join(", ") }
    ))
}

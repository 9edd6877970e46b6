//! `evaluate`: the stage of a run, or anyone's segment files against one another.

mod files;
mod sides;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use physiosynth_evaluation::{Scores, evaluate as score};
use physiosynth_reporting::{Report, RunFacts, write_report};
use physiosynth_signal::{Seed, SegmentSet};

use self::files::SegmentFile;
use self::sides::{Sides, sides};
use super::run;
use crate::cli;
use crate::config::Config;
use crate::error::Usage;
use crate::manifest::Manifest;
use crate::run_folder::RunFolder;
use crate::stages::{Stage, splits};
use crate::terminal::Terminal;
use crate::{files as on_disk, interrupt};

/// Scores the files named on the command line, or does the stage of a run where none is.
pub(crate) fn evaluate(arguments: &cli::Evaluate) -> Result<()> {
    match (&arguments.real, &arguments.synthetic) {
        (Some(real), Some(synthetic)) => of_files(arguments, real, synthetic),
        _ => run::run(&arguments.run, Some(Stage::Evaluate)),
    }
}

fn of_files(arguments: &cli::Evaluate, real: &Path, synthetic: &Path) -> Result<()> {
    interrupt::install();
    let Some(output) = &arguments.run.output else {
        return Err(Usage("name a folder for the results with --output".into()).into());
    };
    let config = run::resolve(&arguments.run, None)?;
    let started = Instant::now();
    let declared = &arguments.declared;
    let real = SegmentFile::read("--real", real, declared, None)?;
    let read = |option, path: &Path| SegmentFile::read(option, path, declared, Some(&real));
    let synthetic = read("--synthetic", synthetic)?;
    let holdout = arguments.holdout.as_deref().map(|path| read("--holdout", path)).transpose()?;
    let mut manifest = manifest(&config, [Some(&real), Some(&synthetic), holdout.as_ref()].into_iter().flatten())?;
    let title = format!("{} against {}", synthetic.name(), real.name());
    let database = real.name();
    let Sides { real, synthetic, notes } = sides(real, synthetic, holdout)?;
    for note in &notes {
        eprintln!("note: {note}");
    }

    let folder = RunFolder::open(output)?;
    let earlier = Manifest::read(&folder.manifest())?;
    if !earlier.stages.is_empty() || folder.segments().exists() {
        bail!("{} is the folder of a run, whose scores would be lost; choose another --output", output.display());
    }

    let terminal = Terminal::new();
    let mut scores = score(&real, &synthetic, &config.evaluation, Seed(config.seed), &terminal)?;
    manifest.notes.clone_from(&notes);
    scores.notes.splice(0..0, notes);
    on_disk::write_atomically(&folder.config(), config.to_toml()?.as_bytes())?;
    crate::stages::write_json(&folder.scores(), &scores)?;
    manifest.write(&folder.manifest())?;
    let seconds = started.elapsed().as_secs_f64();
    let facts = RunFacts {
        title,
        database,
        seed: config.seed,
        device: "CPU".into(),
        preset: config.preset.to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        command: manifest.command,
        timings: vec![("evaluate".into(), seconds)],
        splits: splits(&real).into_iter().chain(splits(&synthetic)).collect(),
        ..RunFacts::default()
    };
    report(facts, &real, &synthetic, &scores, &folder, &terminal)?;
    summary(&scores, &folder, seconds)
}

/// What was read, with checksums, and what computed the results.
fn manifest<'a>(config: &Config, files: impl Iterator<Item = &'a SegmentFile>) -> Result<Manifest> {
    let mut manifest = Manifest { seed: config.seed, threads: rayon::current_num_threads(), ..run::made_by() };
    for path in files.flat_map(SegmentFile::files) {
        manifest.inputs.insert(path.display().to_string(), on_disk::sha256(&path)?);
    }
    Ok(manifest)
}

fn report(
    facts: RunFacts,
    real: &SegmentSet,
    synthetic: &SegmentSet,
    scores: &Scores,
    folder: &RunFolder,
    terminal: &Terminal,
) -> Result<()> {
    let report = Report {
        facts,
        real,
        synthetic,
        scores,
        history: &[],
        best_epoch: None,
        stretches: &[],
        real_strips: Vec::new(),
        synthetic_strips: Vec::new(),
        clusters: &[],
    };
    write_report(&report, folder.path(), terminal).context("the report could not be written")?;
    Ok(())
}

fn summary(scores: &Scores, folder: &RunFolder, seconds: f64) -> Result<()> {
    let line = |name: &str, path: PathBuf| format!("{name:<13} {}\n", path.display());
    let text = format!(
        "\n{:<11} {seconds:>7.1} s\n\n{}\n{}{}{}",
        "evaluate",
        run::verdicts(scores),
        line("on one sheet", folder.figures().join("overview.png")),
        line("report", folder.page()),
        line("scores", folder.scores())
    );
    on_disk::print(&text)
}

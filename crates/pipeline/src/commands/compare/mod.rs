//! `compare`: finished runs side by side.
//!
//! | file | holds |
//! |---|---|
//! | `runs.rs` | what a run folder says of its run |
//! | `settings.rs` | the settings that differ |
//! | `measures.rs` | the measures, and which run is best by each |
//! | `alike.rs` | whether the runs were scored alike |
//! | `tables.rs` | all of it as text and as Markdown |
//! | `figures.rs` | all of it as pictures |

mod alike;
mod figures;
mod measures;
mod runs;
mod settings;
mod tables;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use physiosynth_formats::segments::read_segments;
use physiosynth_generator::device::{DeviceChoice, choose};
use physiosynth_generator::memory::{Reach, reach};
use physiosynth_signal::Progress as _;
use serde::Serialize;

use self::measures::MeasureRow;
use self::runs::RunFacts;
use self::settings::SettingRow;
use crate::cli;
use crate::error::Usage;
use crate::run_folder::RunFolder;
use crate::stages::write_json;
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// What `--json` prints and `comparison.json` holds. Lists that go by run have the order of `runs`.
#[derive(Debug, Serialize)]
struct Comparison {
    runs: Vec<RunFacts>,
    /// Settings that are not the same in all runs.
    settings: Vec<SettingRow>,
    measures: Vec<MeasureRow>,
    /// What forbids to read differences between the runs as differences between their generators.
    warnings: Vec<String>,
    /// How far each network's memory reaches; none where it was not asked for or could not be measured.
    memory: Vec<Option<Reach>>,
}

/// Sets the runs side by side: a table, and files and figures where a folder for them is named.
pub(crate) fn compare(arguments: &cli::Compare) -> Result<()> {
    interrupt::install();
    if arguments.runs.len() < 2 {
        return Err(Usage("name two run folders or more, such as `physiosynth compare reports/a reports/b`".into()).into());
    }
    let terminal = Terminal::new();
    let runs = runs::read(&arguments.runs)?;
    let warnings = alike::warnings(&runs);
    for warning in &warnings {
        terminal.warn(warning);
    }
    let settings = settings::differing(&runs);
    let measures = measures::rows(&runs);
    let mut comparison = Comparison {
        settings,
        measures,
        warnings,
        memory: vec![None; runs.len()],
        runs: runs.into_iter().map(|run| run.facts).collect(),
    };
    if let Some(output) = &arguments.output {
        comparison.memory = memory(&arguments.runs, &terminal)?;
        write(&comparison, output)?;
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&comparison).context("the comparison cannot be written as JSON")?;
        return files::print(&(text + "\n"));
    }
    let mut text = tables::text(&comparison);
    if let Some(output) = &arguments.output {
        writeln!(text, "\ntables and figures  {}", output.display())?;
    }
    files::print(&text)
}

/// How far each network's memory reaches. A run without a model of ours, or without its segments, has none: a warning says why.
fn memory(folders: &[PathBuf], terminal: &Terminal) -> Result<Vec<Option<Reach>>> {
    // On the CPU, so that the numbers are the same on every machine of a kind.
    let (device, _) = choose(DeviceChoice::Cpu)?;
    let measured = |path: &Path| -> Result<Reach> {
        let folder = RunFolder::to_read(path);
        let segments = read_segments(&folder.segments())?;
        Ok(reach(&folder.model(), &segments, &device, terminal)?)
    };
    let mut all = Vec::new();
    for path in folders {
        match measured(path) {
            Err(error) if terminal.cancelled() => return Err(error),
            Err(error) => {
                let why = crate::error::chain(&error);
                terminal.warn(&format!("the memory of {} is not measured: {why}", path.display()));
                all.push(None);
            }
            Ok(reach) => all.push(Some(reach)),
        }
    }
    Ok(all)
}

/// `comparison.json`, `comparison.md` and the figures.
fn write(comparison: &Comparison, output: &Path) -> Result<()> {
    std::fs::create_dir_all(output)
        .with_context(|| format!("cannot make the folder {}; choose another with --output", output.display()))?;
    write_json(&output.join("comparison.json"), comparison)?;
    for (name, bytes) in figures::draw(comparison)? {
        files::write_atomically(&output.join(name), &bytes)?;
    }
    files::write_atomically(&output.join("comparison.md"), tables::markdown(comparison).as_bytes())
}

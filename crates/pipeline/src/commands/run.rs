//! `run`, and its stages one at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use physiosynth_evaluation::{Outcome, Scores, Verdict};

use crate::cli;
use crate::config::{Config, Flags};
use crate::error::Usage;
use crate::manifest::Manifest;
use crate::run_folder::RunFolder;
use crate::source::is_demo;
use crate::stages::{Context, Stage};
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// Does every stage of a run, or only the one given.
pub(crate) fn run(arguments: &cli::Run, only: Option<Stage>) -> Result<()> {
    interrupt::install();
    let config = resolve(arguments, only)?;
    let path = arguments.output.clone().unwrap_or_else(|| default_output(&config));
    let folder = RunFolder::open(&path)?;
    files::write_atomically(&folder.config(), config.to_toml()?.as_bytes())?;

    let mut manifest = Manifest::read(&folder.manifest())?;
    let Manifest { versions, command, .. } = made_by();
    (manifest.versions, manifest.command) = (versions, command);
    manifest.seed = config.seed;
    manifest.threads = rayon::current_num_threads();

    let terminal = Terminal::new();
    let stages: &[Stage] = match &only {
        Some(stage) => std::slice::from_ref(stage),
        None => &Stage::ALL,
    };
    let mut context = Context { config: &config, folder: &folder, manifest: &mut manifest, terminal: &terminal };
    for stage in stages {
        stage.ensure(&mut context)?;
    }
    summary(&folder, &manifest, only)
}

/// A stage that is run alone takes the run folder's own settings, unless it is given a file.
pub(super) fn resolve(arguments: &cli::Run, only: Option<Stage>) -> Result<Config> {
    let own = arguments.output.as_ref().map(|folder| folder.join("config.toml")).filter(|path| only.is_some() && path.exists());
    if only.is_some_and(|stage| stage != Stage::Preprocess) && arguments.output.is_none() && arguments.config.is_none() {
        return Err(Usage("name the run folder with --output".into()).into());
    }
    let path = arguments.config.clone().or(own);
    let text = match &path {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("cannot read the settings in {}", path.display()))?)
        }
        None => None,
    };
    let file = path.as_deref().zip(text.as_deref());
    let flags = Flags {
        preset: arguments.preset,
        database: arguments.database.as_deref(),
        device: arguments.device.as_deref(),
        seed: arguments.seed,
        strict: arguments.strict,
        set: &arguments.set,
    };
    let mut config = Config::resolve(file, &flags)?;
    if arguments.config.is_none() && path.is_some() {
        // A folder's own settings speak of what is made, not of how its last command was called.
        config.strict = arguments.strict;
    }
    Ok(config)
}

/// `reports/<database>-<preset>`.
fn default_output(config: &Config) -> PathBuf {
    let database = if is_demo(&config.database) {
        config.database.clone()
    } else {
        let path = Path::new(&config.database);
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        path.file_stem().map_or_else(|| "database".into(), |name| name.to_string_lossy().into_owned())
    };
    Path::new("reports").join(format!("{database}-{}", config.preset))
}

/// A manifest that says what computes now, and by which command.
pub(super) fn made_by() -> Manifest {
    Manifest { versions: versions(), command: command_line(), ..Manifest::default() }
}

/// What computed the run: this program, the platform, and the libraries whose numbers end up in the results.
fn versions() -> BTreeMap<String, String> {
    let program =
        [("physiosynth", env!("CARGO_PKG_VERSION")), ("platform", std::env::consts::ARCH), ("system", std::env::consts::OS)];
    let libraries = ["burn", "wgpu", "hdf5-pure", "rustfft"].map(|name| (name, locked(name)));
    program.into_iter().chain(libraries).map(|(name, version)| (name.to_string(), version.to_string())).collect()
}

/// The version of a library in the lock file that this program was built from.
fn locked(library: &str) -> &'static str {
    const LOCK: &str = include_str!("../../../../Cargo.lock");
    let entry = format!("name = \"{library}\"\nversion = \"");
    LOCK.split_once(&entry).and_then(|(_, rest)| rest.split('"').next()).unwrap_or("unknown")
}

/// The command as typed, the program without its folder.
fn command_line() -> String {
    let mut words = std::env::args();
    words.next();
    std::iter::once("physiosynth".to_string()).chain(words).collect::<Vec<_>>().join(" ")
}

/// What came out, in a few lines on standard output.
fn summary(folder: &RunFolder, manifest: &Manifest, only: Option<Stage>) -> Result<()> {
    let done = |stage: Stage| manifest.stages.get(&stage.to_string()).filter(|r| r.finished);
    let mut text = String::from("\n");
    for skipped in &manifest.skipped {
        writeln!(text, "left out: record {}: {}", skipped.record, skipped.reason)?;
    }
    for stage in Stage::ALL {
        if let Some(record) = done(stage) {
            writeln!(text, "{:<11} {:>7.1} s", stage.to_string(), record.seconds)?;
        }
    }
    let judged = only.is_none_or(|stage| matches!(stage, Stage::Evaluate | Stage::Report));
    if judged && done(Stage::Evaluate).is_some() {
        let cannot = || format!("cannot read {}", folder.scores().display());
        let scores: Scores =
            serde_json::from_slice(&std::fs::read(folder.scores()).with_context(cannot)?).with_context(cannot)?;
        write!(text, "\n{}", verdicts(&scores))?;
    }
    text.push('\n');
    if only.is_none_or(|stage| stage == Stage::Report) {
        writeln!(text, "on one sheet  {}", folder.figures().join("overview.png").display())?;
        writeln!(text, "report        {}", folder.page().display())?;
    } else {
        writeln!(text, "run folder    {}", folder.path().display())?;
    }
    files::print(&text)
}

/// One line for each verdict.
pub(super) fn verdicts(scores: &Scores) -> String {
    let line = |(name, verdict): (&String, &Verdict)| {
        let outcome = match verdict.outcome {
            Outcome::Pass => "yes",
            Outcome::Fail => "NO",
            Outcome::NotAssessable => "not assessable",
        };
        let because = physiosynth_reporting::text_in_words(&verdict.because, &scores.measures);
        format!("{:<10} {outcome:<15} {because}\n", format!("{name}?"))
    };
    scores.verdicts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_are_named_with_the_versions_of_the_lock_file() {
        let versions = super::versions();
        assert!(versions["burn"].starts_with("0.") && versions["hdf5-pure"].contains('.'), "{versions:?}");
        assert!(!versions.values().any(|v| v == "unknown"), "{versions:?}");
    }
}

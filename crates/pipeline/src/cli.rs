//! What the user may type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use physiosynth_generator::device::DeviceChoice;

use crate::commands::bench::Size;
use crate::commands::convert::{Convert, seconds};
use crate::commands::fetch::Fetch;
use crate::config::Preset;

/// Learn an annotated database of biomedical signals; write synthetic patients; show how faithful and diverse they are.
///
/// Start with `physiosynth run`: it simulates a small annotated ECG database in memory, learns it, and writes a report in a
/// few minutes, without a download. Then give it your own: `physiosynth run --database FOLDER`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: database in, synthetic patients and a report out.
    ///
    /// Five stages, each of which can be run alone: preprocess, train, generate, evaluate, report. A stage that is already
    /// done with the same inputs and settings is not run again, so the same command resumes a run that was stopped.
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Stage 1: read, denoise, resample, normalise, segment and cluster the real recordings → segments.h5.
    Preprocess(Run),
    /// Stage 2: train the BiRNN → model/. Resumes from the last checkpoint.
    Train(Run),
    /// Stage 3: sample the trained model → synthetic.h5 and synthetic patients under share/.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(Generate),
    /// Stage 4: score synthetic against real segments → scores.json.
    Evaluate(Run),
    /// Stage 5: draw the figures and write the page → figures/, index.html.
    Report(Run),
    /// What is in a record or a database: signals, rates, units, annotation counts, problems.
    Inspect(Inspect),
    /// Convert recordings between WFDB, EDF+, BDF+, CSV, HDF5 and NumPy arrays, one or a whole database.
    Convert(Convert),
    /// Download a public database, verified by its checksums, resuming. The only command that uses the network.
    Fetch(Fetch),
    /// Write the simulated annotated ECG database as WFDB records.
    Simulate(Simulate),
    /// Time training and running the recurrent layers on this machine's devices.
    Bench(Bench),
    /// What this machine can compute on, and which of it would be chosen.
    Devices,
}

const RUN_EXAMPLES: &str = "Examples:
  physiosynth run                                        the embedded demo
  physiosynth run --preset quick                         the same in under a minute, on less
  physiosynth run --database mitdb --output reports/mit  a WFDB database
  physiosynth run --set generator.units=64 --set preprocessing.denoise.wavelet=db6
  physiosynth run --config reports/mit/config.toml --output reports/again

The report is DIR/index.html; DIR/figures/overview.png is the run on one sheet.
DIR/config.toml holds every setting with its value; --config takes it back.";

const GENERATE_EXAMPLES: &str = "Examples:
  physiosynth generate --output reports/mit --class V --count 500
  physiosynth generate --output reports/mit --subject 119 --subject 208";

/// Options of a run and of its stages.
#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    /// The run folder [default: reports/DATABASE-PRESET]. A stage takes its settings from the config.toml in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// The database: a folder of WFDB records, or `demo` [default: demo].
    #[arg(long, value_name = "DIR")]
    pub(crate) database: Option<String>,
    /// A TOML file of settings, such as the config.toml of an earlier run.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How much to do: `quick` ends in a minute on two cores, `standard` in five, `thorough` has no limit [default: standard].
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// What to compute on: `auto` takes a hardware GPU where there is one, else the CPU [default: auto].
    #[arg(long, value_name = "auto|cpu|wgpu")]
    pub(crate) device: Option<String>,
    /// Seed of everything random; the same seed gives the same files on the same machine's CPU [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Override one setting, such as generator.units=64. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Stop at the first bad record instead of setting it aside.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Options of the generate stage.
#[derive(Debug, Clone, Args)]
pub(crate) struct Generate {
    #[command(flatten)]
    run: Run,
    /// Only this class. May be repeated [default: every class of the training data].
    #[arg(long, value_name = "LABEL")]
    class: Vec<String>,
    /// Start only from this training subject's segments. May be repeated [default: any].
    #[arg(long, value_name = "NAME")]
    subject: Vec<String>,
    /// How many segments of each class.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Generate {
    /// The same as settings of a run.
    pub(crate) fn as_run(&self) -> Run {
        let mut run = self.run.clone();
        let list = |names: &[String]| format!("[{}]", names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", "));
        if !self.class.is_empty() {
            run.set.push(format!("generation.classes={}", list(&self.class)));
        }
        if !self.subject.is_empty() {
            run.set.push(format!("generation.subjects={}", list(&self.subject)));
        }
        run.set.extend(self.count.map(|n| format!("generation.segments_per_class={n}")));
        run
    }
}

/// Options of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A database folder, or one record: WFDB (with or without its .hea), EDF, BDF, CSV, TSV, HDF5, .npy.
    pub(crate) path: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the record, its signals and annotations, as a PNG picture; of a folder, its first record.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) plot: Option<PathBuf>,
    /// Where to begin: seconds after the first sample, or [hh:]mm:ss.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) from: Option<f64>,
    /// Where to end [default: the end; of a picture, 10 s after its beginning].
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) to: Option<f64>,
    /// Samples per second, for CSV, HDF5 and .npy.
    #[arg(long, value_name = "HZ")]
    pub(crate) rate: Option<f64>,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Folder to write the records into; made where it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Override one setting of the simulator, such as simulator.subjects=20. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Only this device; `wgpu` may be a software adapter [default: the CPU, and a hardware GPU where there is one].
    #[arg(long, value_name = "auto|cpu|wgpu")]
    pub(crate) device: Option<DeviceChoice>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Other sizes: batch, time steps and units of each, such as 64x126x64,1x126x64 [default: five that differ in kind].
    #[arg(long, value_name = "BATCHxTIMExUNITS", value_delimiter = ',')]
    pub(crate) sizes: Vec<Size>,
    /// Runs that each median is of, after two that warm up [default: as many as 0.3 s hold, 3 to 25].
    #[arg(long, value_name = "N", value_parser = rounds)]
    pub(crate) rounds: Option<usize>,
}

fn rounds(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| "a whole number from 1 to 10000".into())
}

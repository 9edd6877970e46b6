//! What the user may type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use physiosynth_formats::npy::Axes;
use physiosynth_generator::device::DeviceChoice;

use crate::commands::bench::Size;
use crate::commands::convert::{Convert, seconds};
use crate::commands::fetch::Fetch;
use crate::config::Preset;
use crate::patients::RecordFormat;

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
    /// Stage 4: score synthetic against real segments → scores.json; or judge anyone's segment files.
    ///
    /// With --real and --synthetic, segment files (.h5) or NumPy arrays (.npy) from any generator are compared, and a report is written
    /// to --output. Beside `X.npy`, `X.labels.npy` and `X.subjects.npy` (or .txt, a line each) name class and subject of each segment, `X.rr.npy`
    /// the seconds to the beats around it, `X.derived_from.npy` the real subject that a synthetic segment was made from.
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(Evaluate),
    /// Stage 5: draw the figures and write the page → figures/, index.html.
    Report(Run),
    /// Hand a run's model on: a folder without its training subjects, with a model card, for `generate --model FOLDER`.
    ///
    /// Names, the table of subjects in the network and everything kept of single subjects stay behind; distributions over all of them take
    /// their place. The model is sampled and scored as the run's was, for the card.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// What is in a record or a database: signals, rates, units, annotation counts, problems.
    Inspect(Inspect),
    /// Convert recordings between WFDB, EDF+, BDF+, CSV, HDF5 and NumPy arrays, one or a whole database.
    Convert(Convert),
    /// Download a public database, verified by its checksums, resuming. The only command that uses the network.
    Fetch(Fetch),
    /// Write a simulated annotated database: ECG as WFDB records, or EEG as EDF+ files.
    Simulate(Simulate),
    /// Set finished runs side by side: what differs in their settings, losses, measures with their intervals, verdicts.
    ///
    /// A run is called best by a measure only where its 95% interval lies apart from every other run's. Runs that were not scored alike
    /// (other real segments, other settings of the evaluation) are compared with a warning.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(Compare),
    /// Time training and running the recurrent layers on this machine's devices.
    Bench(Bench),
    /// What this machine can compute on, and which of it would be chosen.
    Devices,
}

const RUN_EXAMPLES: &str = "Examples:
  physiosynth run                                        the embedded demo
  physiosynth run --preset quick                         the same in under a minute, on less
  physiosynth run --database mitdb --output reports/mit  a WFDB database
  physiosynth run --database demo-eeg                    the embedded EEG demo; any folder of EDF+ files works too
  physiosynth run --set generator.units=64 --set preprocessing.denoise.wavelet=db6
  physiosynth run --config reports/mit/config.toml --output reports/again

The report is DIR/index.html; DIR/figures/overview.png is the run on one sheet.
DIR/config.toml holds every setting with its value; --config takes it back.";

const GENERATE_EXAMPLES: &str = "Examples:
  physiosynth generate --output reports/mit --class V --count 500
  physiosynth generate --output reports/mit --subject 119 --subject 208
  physiosynth generate --model pretrained --patients 10 --minutes 5 --output patients   no training, no data needed
  physiosynth generate --model reports/mit --patients 50 --minutes 30 --output patients

`pretrained` is the model that comes with the program (models/mitdb-ds1). With --model, --output is a folder of records alone: WFDB (or EDF+ with --format edf), annotated, headers saying SYNTHETIC.";

const EXPORT_EXAMPLES: &str = "Examples:
  physiosynth export reports/mit --output my-model
  physiosynth generate --model my-model --patients 10 --minutes 5 --output patients";

const COMPARE_EXAMPLES: &str = "Examples:
  physiosynth compare reports/lstm reports/gru
  physiosynth compare reports/* --output comparison      comparison.md, comparison.json, measures.png, losses.png, memory.png

memory.png shows how far each network's memory reaches: the norm of the gradient of an output by an input, by their distance in time,
before and after training.";

const EVALUATE_EXAMPLES: &str = "Examples:
  physiosynth evaluate --output reports/mit              the stage of a run
  physiosynth evaluate --real reports/mit/segments.h5 --synthetic other.h5 --output reports/other
  physiosynth evaluate --real train.npy --synthetic gan.npy --holdout test.npy --rate 360 --units mV --channels MLII --mark 90
                       --output reports/gan";

/// Options of a run and of its stages.
#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    /// The run folder [default: reports/DATABASE-PRESET]. A stage takes its settings from the config.toml in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// The database: a folder of recordings, the name of one that was fetched, or `demo` (ECG) or `demo-eeg` for a simulated one [default: demo].
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
    /// How many synthetic patients, each a record.
    #[arg(long, value_name = "N")]
    pub(crate) patients: Option<usize>,
    /// Length of each patient's record in minutes.
    #[arg(long, value_name = "M")]
    pub(crate) minutes: Option<f64>,
    /// Write only patients' records into --output, with this model: the folder of a finished run, or of an exported model, or `pretrained`.
    #[arg(long, value_name = "RUN|FOLDER|pretrained")]
    pub(crate) model: Option<PathBuf>,
    /// Put back noise and baseline wander like those that denoising took away.
    #[arg(long)]
    pub(crate) noise: bool,
    /// Format of patients' records.
    #[arg(long, value_enum)]
    pub(crate) format: Option<RecordFormat>,
}

impl Generate {
    /// Whether patients are asked for apart from a run's stage.
    pub(crate) fn stands_alone(&self) -> bool {
        self.model.is_some()
    }

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
        run.set.extend(self.patients.map(|n| format!("generation.patients={n}")));
        run.set.extend(self.minutes.map(|m| format!("generation.patient_duration_s={:?}", 60.0 * m)));
        run.set.extend(self.noise.then(|| "generation.noise=true".to_owned()));
        run.set.extend(self.format.map(|format| format!("generation.format=\"{}\"", format.name())));
        run
    }
}

/// Options of the evaluate stage, and of `evaluate` for anyone's files.
#[derive(Debug, Clone, Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    pub(crate) run: Run,
    /// Real segments: those that were trained on and, where rows are of the split `test`, held-out ones.
    #[arg(long, value_name = "FILE", requires = "synthetic", conflicts_with_all = ["database", "strict"])]
    pub(crate) real: Option<PathBuf>,
    /// Synthetic segments.
    #[arg(long, value_name = "FILE", requires = "real")]
    pub(crate) synthetic: Option<PathBuf>,
    /// Real segments of subjects that were not trained on (the rows of the split `test` where there are any) [default: REAL's test rows].
    #[arg(long, value_name = "FILE", requires = "real")]
    pub(crate) holdout: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: Declared,
}

/// What arrays do not say themselves.
#[derive(Debug, Clone, Args)]
pub(crate) struct Declared {
    /// Sampling frequency of arrays, in hertz.
    #[arg(long, value_name = "HZ", requires = "real", value_parser = hertz)]
    pub(crate) rate: Option<f64>,
    /// Physical unit of arrays: mV, uV. Without one nothing clinical is assessed, unless the channels' names tell.
    #[arg(long, value_name = "UNIT", requires = "real")]
    pub(crate) units: Option<String>,
    /// Names of the channels, such as I,II,V1: they tell an ECG from an EEG.
    #[arg(long, value_name = "NAME,…", requires = "real", value_delimiter = ',')]
    pub(crate) channels: Vec<String>,
    /// Index in time, from 0, of the mark that segments are aligned to: the R peak of beats.
    #[arg(long, value_name = "INDEX", requires = "real")]
    pub(crate) mark: Option<usize>,
    /// The order of the axes behind the first of arrays with three [default: the shorter one is the channels].
    #[arg(long, value_enum, requires = "real")]
    pub(crate) axes: Option<AxisOrder>,
}

/// The order of two axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AxisOrder {
    /// [segment, time, channel]
    TimeChannel,
    /// [segment, channel, time]
    ChannelTime,
}

impl From<AxisOrder> for Axes {
    fn from(order: AxisOrder) -> Self {
        match order {
            AxisOrder::TimeChannel => Self::TimeChannel,
            AxisOrder::ChannelTime => Self::ChannelTime,
        }
    }
}

fn hertz(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|hz: &f64| hz.is_finite() && *hz > 0.0).ok_or_else(|| "a frequency in hertz, above 0".into())
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder of a finished run.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Folder to write the model into; made where it does not exist.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Do not sample and score the exported model: the card then has the run's own scores alone.
    #[arg(long)]
    pub(crate) unscored: bool,
    /// What to sample on [default: as the run].
    #[arg(long, value_name = "auto|cpu|wgpu")]
    pub(crate) device: Option<String>,
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
    /// Where to begin: seconds after the first sample, or mm:ss or hh:mm:ss.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) from: Option<f64>,
    /// Where to end [default: the end; of a picture, 10 s after its beginning].
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) to: Option<f64>,
    /// Samples per second, for CSV, HDF5 and .npy.
    #[arg(long, value_name = "HZ")]
    pub(crate) rate: Option<f64>,
    /// Take what the files do not say themselves from `[recordings]` of this configuration, as a run does.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Say one thing that the files do not, such as recordings.unit=mV. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// What can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Simulated {
    /// Electrocardiograms with annotated beats, as WFDB records.
    Ecg,
    /// Electroencephalograms with annotated events, as EDF+ files.
    Eeg,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Folder to write the records into; made where it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// What to simulate.
    #[arg(long, value_enum, default_value_t = Simulated::Ecg)]
    pub(crate) kind: Simulated,
    /// Seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Override one setting of the simulator, such as simulator.subjects=20. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Options of `compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Run folders, two or more.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Write tables (Markdown, JSON) and figures into this folder, and measure how far the networks' memory reaches.
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

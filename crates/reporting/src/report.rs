use physiosynth_evaluation::Scores;
use physiosynth_signal::SegmentSet;

/// Everything that a report shows: plain values and borrowed sets, so that the pipeline alone knows where they came from.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// What was run, on what, with what.
    pub facts: RunFacts,
    /// The real segments of every split. Pictures compare against the training split, which is what the generator has
    /// seen; where a class has no training segment, against all of that class.
    pub real: &'a SegmentSet,
    /// The synthetic segments.
    pub synthetic: &'a SegmentSet,
    /// What the evaluation found.
    pub scores: &'a Scores,
    /// One entry per epoch of training, in order.
    pub history: &'a [Epoch],
    /// The epoch (as counted in [`Epoch::epoch`]) whose weights were kept.
    pub best_epoch: Option<u32>,
    /// Stretches of real records before and after denoising.
    pub stretches: &'a [Stretch],
    /// Stretches of real records on ECG paper; the overview shows the first.
    pub real_strips: Vec<Strip>,
    /// The same of synthetic records.
    pub synthetic_strips: Vec<Strip>,
    /// The clusters that training segments were put in.
    pub clusters: &'a [ClusterRow],
}

/// What was run, on what, with what, and what was left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// The run's name.
    pub title: String,
    /// What the database is called.
    pub database: String,
    /// Whether the database is simulated: if not, the page warns that it shows real recordings.
    pub simulated: bool,
    /// The run's seed; it also chooses which segments are drawn.
    pub seed: u64,
    /// What it was computed on, in words.
    pub device: String,
    /// Name of the preset.
    pub preset: String,
    /// Version of physiosynth.
    pub version: String,
    /// The command line that made the run.
    pub command: String,
    /// Stage and seconds, in the order they ran.
    pub timings: Vec<(String, f64)>,
    /// Record and reason, for each record set aside.
    pub skipped: Vec<(String, String)>,
    /// What a reader should know: limits, substitutions, what is not applicable and why.
    pub notes: Vec<String>,
    /// How subjects and segments fall into the splits.
    pub splits: Vec<SplitRow>,
}

/// One split, or the synthetic set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitRow {
    /// `train`, `validation`, `test`, `synthetic`.
    pub split: String,
    /// How many subjects.
    pub subjects: usize,
    /// Class and number of segments.
    pub segments: Vec<(String, usize)>,
}

/// One epoch of training. Values that were not measured are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Its number.
    pub epoch: u32,
    /// Mean training loss over the epoch.
    pub train_loss: f64,
    /// Mean loss on the validation subjects after the epoch.
    pub validation_loss: f64,
    /// Mean over the epoch's steps of the global gradient norm before clipping.
    pub gradient_norm_mean: f64,
    /// Largest global gradient norm of the epoch before clipping.
    pub gradient_norm_max: f64,
    /// Learning rate at the end of the epoch.
    pub learning_rate: f64,
}

/// A stretch of a record before and after denoising.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Record it is from.
    pub record: String,
    /// Label of the channel.
    pub lead: String,
    /// Physical unit of the samples.
    pub unit: String,
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// Where in the record it begins, in seconds.
    pub start_s: f64,
    /// Samples as recorded.
    pub before: Vec<f32>,
    /// The same samples denoised.
    pub after: Vec<f32>,
    /// Index of sample and text of each annotation.
    pub marks: Vec<(usize, String)>,
}

/// A stretch of a record to be drawn on ECG paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// What it shows: `record 100, MLII`. Pictures say `real` or `synthetic` before it.
    pub title: String,
    /// Physical unit of the samples; paper is drawn to scale for `mV`, `uV` and `V`.
    pub unit: String,
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// The samples.
    pub samples: Vec<f32>,
    /// Index of sample and text of each annotation.
    pub marks: Vec<(usize, String)>,
}

/// One cluster of training segments.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRow {
    /// The number that segments carry in [`Segment::cluster`](physiosynth_signal::Segment::cluster).
    pub id: i32,
    /// Class of its segments.
    pub class: String,
    /// Their subject, or empty where the cluster holds several subjects.
    pub subject: String,
    /// How many segments.
    pub segments: usize,
    /// Mean silhouette of the clustering it belongs to, −1 to 1; NaN where it was not computed.
    pub silhouette: f64,
}

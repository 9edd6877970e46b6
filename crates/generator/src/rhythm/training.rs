//! Training of the rhythm model.

use std::f64::consts::PI;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use physiosynth_signal::{BeatSequence, Cancelled, Progress, Seed, Split};
use serde::{Deserialize, Serialize};

use super::baselines::Baselines;
use super::examples::{Nats, Stretches, of_records};
use super::folder::{Description, Folder, History, REPORT, Validated};
use super::net::{RhythmNet, Sizes};
use super::portrait::{KnownPortrait, Portrait, Portraits, Standard};
use super::tokens::{Track, Vocabulary, tokens};
use super::{RhythmConfig, RhythmError};
use crate::optimiser::{self, Optimiser};

/// The norm of the gradient over all parameters is limited to this.
const CLIP_NORM: f64 = 1.0;
/// Steps over which the learning rate rises.
const WARM_UP: u64 = 20;
/// Share of the full learning rate that is left at the end.
const LAST_RATE: f64 = 0.02;

/// Mean negative log-likelihood in nats per beat: the lower, the better the beats were foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// Of the class of each beat.
    pub class: f64,
    /// Of the logarithm of each known interval (a density: it may be negative).
    pub interval: f64,
    /// Of the rhythm in force at each beat; `None` for models that do not foresee it.
    pub rhythm: Option<f64>,
}

impl Likelihood {
    fn of(nats: &Nats, rhythm: bool) -> Self {
        let nine = |x: f64| format!("{x:.8e}").parse().unwrap_or(x);
        Self {
            class: nine(nats.class / nats.beats.max(1.0)),
            interval: nine(nats.interval / nats.intervals.max(1.0)),
            rhythm: rhythm.then(|| nine(nats.rhythm / nats.beats.max(1.0))),
        }
    }

    /// Class and interval together.
    pub fn beat(&self) -> f64 {
        self.class + self.interval
    }
}

/// How the model and two simple ones foresee the beats of some subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    /// Records.
    pub records: usize,
    /// Beats.
    pub beats: usize,
    /// The network.
    pub network: Likelihood,
    /// Classes and intervals drawn independently of one another, by the patient's shares and variability.
    pub independent: Likelihood,
    /// Each beat depends on the one before alone.
    pub markov: Likelihood,
}

/// What a training of the rhythm model gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RhythmReport {
    /// Step whose weights are the best on the validation subjects; the last where there are none.
    pub best_step: u64,
    /// On the training records.
    pub training: Foreseen,
    /// On the validation subjects' records.
    pub validation: Option<Foreseen>,
}

/// The records of one split as the network takes them.
struct Part {
    tracks: Vec<Track>,
    portraits: Vec<Portrait>,
}

struct Training<'a> {
    config: &'a RhythmConfig,
    seed: Seed,
    vocabulary: &'a Vocabulary,
    train: Part,
    validation: Part,
    device: Device,
    folder: Folder,
    progress: &'a dyn Progress,
}

/// Trains the rhythm model on the training records among `sequences`, chosen on those of the validation subjects, and keeps it in the
/// folder `rhythm` below `model_dir`. What an earlier training with the same configuration, seed and data left there is gone on with.
///
/// Records with too few known intervals are left out; `None` where none is left, and then there is no such folder. Computed on the
/// CPU whatever the device of the generator: steps are many and small. The files depend on the arguments alone, resumed or not.
pub fn train<'a>(
    sequences: &'a [BeatSequence],
    config: &RhythmConfig,
    seed: Seed,
    model_dir: &Path,
    progress: &dyn Progress,
) -> Result<Option<RhythmReport>, RhythmError> {
    config.validate()?;
    if let Some(problem) = sequences.iter().find_map(BeatSequence::problem) {
        return Err(RhythmError::Sequences(problem));
    }
    let folder = Folder::new(model_dir);
    let of_split = |split: Split| sequences.iter().filter(move |record| record.split == split);
    let records: Vec<&BeatSequence> = of_split(Split::Train).collect();
    let vocabulary = Vocabulary::of(&records);
    let portrait = |record: &BeatSequence| Portrait::of(record, &tokens(record, &vocabulary), &vocabulary);
    let with_portraits = |records: &[&'a BeatSequence]| -> Vec<(&'a BeatSequence, Portrait)> {
        records.iter().filter_map(|record| Some((*record, portrait(record)?))).collect()
    };
    let train = with_portraits(&records);
    if train.is_empty() {
        folder.clear()?;
        return Ok(None);
    }
    let validation = with_portraits(&of_split(Split::Validation).collect::<Vec<_>>());
    let portraits: Vec<KnownPortrait> =
        train.iter().map(|(r, p)| KnownPortrait { subject: r.subject.clone(), portrait: p.clone() }).collect();
    let standard = Standard::of(&portraits);
    let part = |records: Vec<(&BeatSequence, Portrait)>| {
        let track =
            |(r, p): &(&BeatSequence, Portrait)| Track::new(tokens(r, &vocabulary), p.log_rr, standard.apply(p), &vocabulary);
        Part { tracks: records.iter().map(track).collect(), portraits: records.into_iter().map(|(_, p)| p).collect() }
    };
    let (train, validation) = (part(train), part(validation));
    let data = fingerprint(&train, &validation);
    let description = Description {
        format: 1,
        rhythm: config.clone(),
        seed: seed.0,
        vocabulary: vocabulary.clone(),
        standard,
        portraits: Portraits::Known(portraits),
        data,
    };
    let training =
        Training { config, seed, vocabulary: &vocabulary, train, validation, device: Device::flex(), folder, progress };
    training.run(&description).map(Some)
}

/// FNV-1a over the records' beats.
fn fingerprint(train: &Part, validation: &Part) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |word: u64| {
        for byte in word.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for token in train.tracks.iter().chain(&validation.tracks).flat_map(|track| &track.tokens) {
        eat(token.class as u64);
        eat(token.rhythm as u64);
        eat(token.log_rr.map_or(0, f64::to_bits));
    }
    format!("{hash:016x}")
}

impl Training<'_> {
    fn run(&self, description: &Description) -> Result<RhythmReport, RhythmError> {
        let patient = description.standard.width();
        let sizes = Sizes::new(self.vocabulary, self.config.units, self.config.components, patient);
        let fresh = || RhythmNet::new(sizes, self.seed, &self.device.clone().autodiff());
        let same = self.folder.describes(description);
        let found = same.then(|| self.folder.load_last(fresh(), &self.device)).flatten();
        let (mut net, mut optimiser, mut history) = if let Some(found) = found {
            found
        } else {
            self.folder.start(description)?;
            (fresh(), Optimiser::new(), History::default())
        };
        self.progress.begin("learning rhythms", self.config.steps as u64, "steps");
        let mut step = history.validations.last().map_or(0, |validated| validated.step);
        self.progress.advance(step);
        while !history.finished {
            let until = (step + self.config.validate_every as u64).min(self.config.steps as u64);
            let mut losses = 0.0;
            let count = until - step;
            while step < until {
                if self.progress.cancelled() {
                    self.progress.end();
                    return Err(Cancelled.into());
                }
                let (next, loss) = self.step(net, &mut optimiser, step)?;
                net = next;
                losses += loss;
                step += 1;
                self.progress.advance(1);
            }
            let validation = match &self.validation.tracks[..] {
                [] => None,
                tracks => Some(self.foresee(&net, tracks)?.per_beat()),
            };
            let nine = |x: f64| format!("{x:.8e}").parse().unwrap_or(x);
            let train_loss = nine(losses / count.max(1) as f64);
            let validated = Validated { step, train_loss, validation: validation.map(nine) };
            let told = validated.validation.map_or(String::new(), |loss| format!(", validation {loss:.3}"));
            self.progress.note(&format!("{:.3} nats a beat{told}", validated.train_loss));
            history.validations.push(validated);
            if best(&history) == step {
                self.folder.save_best(&net)?;
            }
            history.finished = step >= self.config.steps as u64;
            self.folder.save_last(&net, &optimiser, &history)?;
        }
        self.progress.end();
        self.report(sizes, &history)
    }

    /// One step: the new network and the loss.
    fn step(&self, net: RhythmNet, optimiser: &mut Optimiser, step: u64) -> Result<(RhythmNet, f64), RhythmError> {
        let config = self.config;
        let size = (config.batch, config.length);
        let batch = Stretches::draw(&self.train.tracks, size, config.portrait_noise, self.vocabulary, (self.seed, step));
        let loss = batch.loss(&net, &self.device.clone().autodiff());
        let mut sum = optimiser::Sum::default();
        sum.add(&net, loss);
        let measured = optimiser::measure(sum).map_err(RhythmError::Device)?;
        let (loss, norm) = (measured.loss, measured.norm);
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(RhythmError::Diverged { step: step + 1, loss, learning_rate: config.learning_rate });
        }
        let factor = optimiser::clip_factor(norm, CLIP_NORM);
        Ok((optimiser.step(net, measured, factor, self.rate(step)), loss))
    }

    /// The learning rate of a step: a short rise, then half a cosine.
    fn rate(&self, step: u64) -> f64 {
        let rise = ((step + 1) as f64 / WARM_UP as f64).min(1.0);
        let share = step as f64 / self.config.steps as f64;
        let fall = LAST_RATE + (1.0 - LAST_RATE) * (0.5 + 0.5 * (PI * share).cos());
        self.config.learning_rate * rise * fall
    }

    fn foresee(&self, net: &RhythmNet, tracks: &[Track]) -> Result<Nats, RhythmError> {
        of_records(&net.valid(), tracks, self.vocabulary, &self.device).map_err(RhythmError::Device)
    }

    fn report(&self, sizes: Sizes, history: &History) -> Result<RhythmReport, RhythmError> {
        let Some((_, arrays)) = self.folder.trained()? else {
            return Err(RhythmError::Device("the weights just written are not there".into()));
        };
        let net = RhythmNet::new(sizes, self.seed, &self.device.clone().autodiff());
        let net = self.folder.with_arrays(super::folder::BEST, net, &arrays)?;
        let baselines = Baselines::fit(&self.train.tracks, &self.train.portraits);
        let foreseen = |part: &Part| -> Result<Option<Foreseen>, RhythmError> {
            if part.tracks.is_empty() {
                return Ok(None);
            }
            let nats = self.foresee(&net, &part.tracks)?;
            let mut simple = [Nats::default(); 2];
            for (track, portrait) in part.tracks.iter().zip(&part.portraits) {
                for (sum, found) in simple.iter_mut().zip(baselines.nats(track, portrait)) {
                    sum.add(found);
                }
            }
            Ok(Some(Foreseen {
                records: part.tracks.len(),
                beats: nats.beats as usize,
                network: Likelihood::of(&nats, true),
                independent: Likelihood::of(&simple[0], false),
                markov: Likelihood::of(&simple[1], false),
            }))
        };
        let Some(training) = foreseen(&self.train)? else {
            return Err(RhythmError::Sequences("no training record has beats".into()));
        };
        let report = RhythmReport { best_step: best(history), training, validation: foreseen(&self.validation)? };
        self.folder.write_json(REPORT, &report)?;
        Ok(report)
    }
}

/// The step with the best weights: the lowest validation loss, the first of equals; without validation, the last.
fn best(history: &History) -> u64 {
    let loss = |validated: &Validated| validated.validation.filter(|loss| loss.is_finite());
    let lowest = history.validations.iter().filter(|v| loss(v).is_some());
    let lowest = lowest.min_by(|a, b| loss(a).unwrap_or(f64::MAX).total_cmp(&loss(b).unwrap_or(f64::MAX)));
    lowest.or(history.validations.last()).map_or(0, |validated| validated.step)
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Silent;

    use super::super::toy;
    use super::*;

    fn config() -> RhythmConfig {
        let small =
            RhythmConfig { units: 16, components: 2, batch: 8, length: 60, validate_every: 40, ..RhythmConfig::default() };
        RhythmConfig { steps: 320, learning_rate: 0.01, ..small }
    }

    #[test]
    fn the_network_foresees_better_than_both_baselines() {
        let folder = tempfile::tempdir().unwrap();
        let report = train(&toy::records(8, 400), &config(), Seed(1), folder.path(), &Silent).unwrap().unwrap();
        let validation = report.validation.unwrap();
        assert_eq!((validation.records, validation.beats), (2, 2 * 399));
        // The toy's intervals depend on the last beat alone; which beat comes depends on more.
        assert!(validation.network.class < validation.markov.class - 0.1, "{validation:?}");
        assert!(validation.network.beat() < validation.markov.beat(), "{validation:?}");
        assert!(validation.markov.beat() < validation.independent.beat() - 0.5, "{validation:?}");
    }

    #[test]
    fn a_resumed_training_writes_the_same_files() {
        /// Asks to stop after some steps.
        struct Stop(std::sync::atomic::AtomicU64);
        impl Progress for Stop {
            fn begin(&self, _: &str, _: u64, _: &str) {}
            fn advance(&self, steps: u64) {
                let left = &self.0;
                left.store(
                    left.load(std::sync::atomic::Ordering::Relaxed).saturating_sub(steps),
                    std::sync::atomic::Ordering::Relaxed,
                );
            }
            fn note(&self, _: &str) {}
            fn warn(&self, _: &str) {}
            fn end(&self) {}
            fn cancelled(&self) -> bool {
                self.0.load(std::sync::atomic::Ordering::Relaxed) == 0
            }
        }
        let records = toy::records(6, 200);
        let config = RhythmConfig { steps: 30, validate_every: 10, ..config() };
        let [whole, pieces] = [0, 1].map(|_| tempfile::tempdir().unwrap());
        train(&records, &config, Seed(1), whole.path(), &Silent).unwrap();
        let stopped = train(&records, &config, Seed(1), pieces.path(), &Stop(17.into()));
        assert!(matches!(stopped, Err(RhythmError::Cancelled(_))));
        train(&records, &config, Seed(1), pieces.path(), &Silent).unwrap();
        for name in ["rhythm.json", "best.safetensors", "last.safetensors", "report.json"] {
            let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join("rhythm").join(name)).unwrap();
            assert!(read(&whole) == read(&pieces), "{name} differs");
        }
    }

    #[test]
    fn records_without_intervals_give_no_model() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(train(&toy::records(2, 5), &config(), Seed(1), folder.path(), &Silent).unwrap(), None);
        assert!(!folder.path().join("rhythm").exists());
    }
}

//! Training: steps, validation, early stopping, checkpoints, history.

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::{Device, TensorData};
use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

use crate::average;
use crate::checkpoint::{CheckpointError, Folder, State};
use crate::config::{ConfigError, GeneratorConfig, Keep};
use crate::data::{DataError, TrainingData};
use crate::model::{Generator, InputLayout, ModelDescription};
use crate::objective::{self, Batch, Objective, ObjectiveName};
use crate::optimiser::{self, Optimiser};
use crate::population::Population;

/// The remark beside the progress is renewed after so many steps.
const NOTE_EVERY: usize = 10;
/// Batches that are drawn before they are needed, at most.
const AHEAD: usize = 2;

/// What is known of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Training steps taken so far.
    pub step: u64,
    /// Mean training loss of the epoch's steps, with dropout: squared error, for `paired` in normalised units, for `denoising` relative
    /// to what is left to learn at each noise level.
    pub train_loss: f64,
    /// Loss of the validation subjects' segments at the epoch's end, without dropout, under the weights' running mean where there is
    /// one; none where there are none.
    pub validation_loss: Option<f64>,
    /// Mean over the steps of the norm of the gradient over all parameters, before clipping.
    pub gradient_norm_mean: f64,
    /// The largest of those norms.
    pub gradient_norm_max: f64,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Wall time of the epoch, in seconds; 0 for epochs of an earlier process. Never written: files hold no times.
    #[serde(skip)]
    pub seconds: f64,
}

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// All epochs are done.
    Epochs,
    /// The validation loss had not fallen for `patience` epochs.
    Patience,
}

/// What a training gave; the model itself is in its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingOutcome {
    /// One entry per epoch.
    pub history: Vec<Epoch>,
    /// Number of the epoch with the lowest validation loss, or the last where nothing validates.
    pub best_epoch: usize,
    /// Why it ended.
    pub stopped: Stopped,
    /// How many epochs were there before, from an earlier process.
    pub resumed_from: usize,
    /// How many training and validation segments were used.
    pub segments: (usize, usize),
    /// Number of trained values.
    pub parameters: usize,
    /// What was left out of the data and why, for the report.
    pub remarks: Vec<String>,
}

/// What to do with a training already in the model folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Go on with it; an error where it had another configuration, seed or data.
    #[default]
    Resume,
    /// Go on with it where it is the same; start anew where it had another configuration, seed or data, or cannot be read.
    ResumeOrReplace,
    /// Start anew.
    Replace,
}

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A value of the configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to train on.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of the model folder could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The folder holds another training.
    #[error("{folder} holds a training with another {what}; name another folder, or ask to replace it")]
    OtherTraining {
        /// The model folder.
        folder: String,
        /// What differs.
        what: &'static str,
    },
    /// The loss or the gradient is no number any more.
    #[error(
        "training diverged at epoch {epoch}, step {step}: loss {loss}, gradient norm {norm}; lower generator.learning_rate (now \
         {learning_rate}) or generator.clip_norm (now {clip_norm}). Epochs up to {saved} are saved"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step, from 1.
        step: u64,
        /// The loss of that step.
        loss: f64,
        /// The gradient's norm at that step.
        norm: f64,
        /// `generator.learning_rate`.
        learning_rate: f64,
        /// `generator.clip_norm`.
        clip_norm: f64,
        /// The last finished epoch.
        saved: usize,
    },
    /// The device failed.
    #[error("computing failed on the device: {cause}; try the device 'cpu'")]
    Device {
        /// What burn said.
        cause: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Trains a generator on the segments of the split `train`, validated on those of the split `validation`, and keeps it in
/// `model_dir` (see [`checkpoint`](crate::checkpoint)).
///
/// On the CPU the files depend on the arguments alone: not on the number of threads, nor on whether the training was
/// interrupted and resumed.
pub fn train(
    segments: &SegmentSet,
    config: &GeneratorConfig,
    seed: Seed,
    device: &Device,
    model_dir: &Path,
    existing: Existing,
    progress: &dyn Progress,
) -> Result<TrainingOutcome, TrainError> {
    config.validate()?;
    let config = &config.for_segments(segments);
    let data = TrainingData::new(segments, config, seed)?;
    data.remarks.iter().for_each(|remark| progress.warn(remark));
    let device = device.clone().without_autodiff();
    let channels = segments.channels();
    let mut description = describe(segments, config, seed, &data);
    let model = Generator::new(config, description.sizes(), seed, &device.clone().autodiff());
    description.parameters = model.num_params();
    let folder = Folder::new(model_dir);
    let state = begin(&folder, model_dir, &description, (model, &device), existing, progress)?;
    if config.objective == ObjectiveName::Denoising {
        folder.save_population(&Population::of(segments, &data))?;
        folder.save_colour(data.colour.as_ref())?;
        folder.save_spectra(data.spectra.as_ref())?;
    }
    let mut objective = objective::objective(&data, config, seed, channels);
    let steps_per_epoch = match config.steps_per_epoch {
        0 => objective.steps_per_pass(config.batch),
        steps => steps,
    };
    let training = Training {
        config,
        seed,
        device,
        layout: InputLayout::new(config, description.sizes()),
        channels,
        steps_per_epoch,
        validation: objective.validation(config.generation_batch),
        folder,
        progress,
    };
    let resumed_from = state.history.len();
    let (history, stopped) = training.run(state, objective.as_mut())?;
    Ok(TrainingOutcome {
        best_epoch: best(&history).map_or(0, |epoch| epoch.epoch),
        history,
        stopped,
        resumed_from,
        segments: (data.train.len(), data.validation.len()),
        parameters: description.parameters,
        remarks: data.remarks.clone(),
    })
}

/// The description of the model to be trained, its number of parameters still 0.
fn describe(set: &SegmentSet, config: &GeneratorConfig, seed: Seed, data: &TrainingData) -> ModelDescription {
    ModelDescription {
        format: 2,
        generator: config.clone(),
        seed: seed.0,
        time: set.time(),
        sampling_frequency_hz: set.sampling_frequency_hz,
        mark_index: set.mark_index,
        channel_names: set.channel_names.clone(),
        channel_units: set.channel_units.clone(),
        classes: data.classes.clone(),
        codes: data.codes.clone(),
        rhythms: data.rhythms.clone(),
        subjects: data.subjects.clone(),
        deviation: data.deviation(),
        data: format!("{:016x}", data.fingerprint()),
        parameters: 0,
    }
}

/// The state to start from: saved, or new.
fn begin(
    folder: &Folder,
    model_dir: &Path,
    description: &ModelDescription,
    (model, device): (Generator, &Device),
    existing: Existing,
    progress: &dyn Progress,
) -> Result<State, TrainError> {
    let found = match existing {
        Existing::Replace => None,
        Existing::Resume => folder.description()?,
        Existing::ResumeOrReplace => folder.description().unwrap_or_else(|error| {
            progress.warn(&format!("the model there is replaced: {error}"));
            None
        }),
    };
    let differs = found.as_ref().and_then(|found| {
        let config = (found.generator != description.generator).then_some("configuration");
        let seed = (found.seed != description.seed).then_some("seed");
        let same = matches!(folder.describes(description), Ok(true));
        config.or(seed).or("data".into()).filter(|_| !same)
    });
    match (found, differs) {
        (Some(_), None) => match folder.load_last(model.clone(), device) {
            Ok(Some(state)) => return Ok(state),
            Err(error) if existing == Existing::Resume => return Err(error.into()),
            Err(error) => progress.warn(&format!("the model there is replaced: {error}")),
            Ok(None) => {}
        },
        (Some(_), Some(what)) if existing == Existing::Resume => {
            return Err(TrainError::OtherTraining { folder: model_dir.display().to_string(), what });
        }
        _ => {}
    }
    folder.start(description)?;
    let average = (description.generator.average_decay > 0.0).then(|| model.valid());
    Ok(State { model, average, optimiser: Optimiser::new(), history: Vec::new(), finished: false })
}

/// The epoch with the best weights: the lowest validation loss, the first of equals; without validation, the last.
fn best(history: &[Epoch]) -> Option<&Epoch> {
    let loss = |epoch: &Epoch| epoch.validation_loss.filter(|loss| loss.is_finite());
    let lowest = history.iter().filter(|epoch| loss(epoch).is_some());
    let lowest = lowest.min_by(|a, b| loss(a).unwrap_or(f64::MAX).total_cmp(&loss(b).unwrap_or(f64::MAX)));
    lowest.or(history.last())
}

/// What stays the same through a training.
struct Training<'a> {
    config: &'a GeneratorConfig,
    seed: Seed,
    device: Device,
    layout: InputLayout,
    channels: usize,
    steps_per_epoch: usize,
    validation: Vec<Batch>,
    folder: Folder,
    progress: &'a dyn Progress,
}

impl Training<'_> {
    fn run(&self, mut state: State, objective: &mut dyn Objective) -> Result<(Vec<Epoch>, Stopped), TrainError> {
        let total = (self.config.epochs * self.steps_per_epoch) as u64;
        self.progress.begin("training", total, "steps");
        self.progress.advance((state.history.len() * self.steps_per_epoch) as u64);
        let mut saved = state.history.len();
        while !state.finished {
            // Tensors are shared, not copied: what is kept here costs nothing until the first step.
            let before = state.clone();
            state = match self.epoch(state, objective) {
                Ok(state) => state,
                Err(error) => {
                    if before.history.len() > saved {
                        self.folder.save_last(&before)?;
                    }
                    self.progress.end();
                    return Err(error);
                }
            };
            state.finished = self.reason_to_stop(&state.history).is_some();
            // The best weights first: if the process dies before the state is saved, the epoch is done again and gives the same.
            let best = best(&state.history).map(|e| e.epoch) == Some(state.history.len());
            let kept = match self.config.keep {
                Keep::Best => best,
                Keep::Last => true,
            };
            let saves = state.finished || state.history.len() - saved >= self.config.checkpoint_epochs;
            if kept && (saves || self.config.keep == Keep::Best) {
                self.folder.save_best(state.average.as_ref().unwrap_or(&state.model))?;
            }
            if saves {
                self.folder.save_last(&state)?;
                saved = state.history.len();
            }
        }
        self.progress.end();
        let stopped = self.reason_to_stop(&state.history).unwrap_or(Stopped::Epochs);
        Ok((state.history, stopped))
    }

    fn reason_to_stop(&self, history: &[Epoch]) -> Option<Stopped> {
        let since_best = history.len() - best(history).map_or(0, |epoch| epoch.epoch);
        if history.len() >= self.config.epochs {
            Some(Stopped::Epochs)
        } else if self.config.patience > 0 && since_best >= self.config.patience {
            Some(Stopped::Patience)
        } else {
            None
        }
    }

    /// One epoch. Batches are drawn on a thread of their own, two ahead at most: what is drawn depends on the step alone, so nothing
    /// depends on who is faster.
    fn epoch(&self, state: State, objective: &mut dyn Objective) -> Result<State, TrainError> {
        let number = state.history.len();
        objective.begin_epoch(number, self.steps_per_epoch * self.config.batch);
        let objective: &dyn Objective = objective;
        std::thread::scope(|scope| {
            let (give, drawn) = mpsc::sync_channel(AHEAD);
            scope.spawn(move || {
                for step in 0..self.steps_per_epoch {
                    let batch = objective.batch(step, self.config.batch, (number * self.steps_per_epoch + step) as u64);
                    // Nobody takes it where the training was stopped.
                    if give.send(batch).is_err() {
                        return;
                    }
                }
            });
            self.steps(state, &drawn)
        })
    }

    /// The steps of an epoch, each with the next batch that was drawn, and the validation behind them.
    fn steps(&self, mut state: State, drawn: &mpsc::Receiver<Batch>) -> Result<State, TrainError> {
        let begun = Instant::now();
        let number = state.history.len();
        let steps = (self.config.epochs * self.steps_per_epoch) as u64;
        let (mut losses, mut norms, mut largest, mut rate) = (0.0, 0.0, 0.0_f64, 0.0);
        for step in 0..self.steps_per_epoch {
            if self.progress.cancelled() {
                return Err(Cancelled.into());
            }
            let global = (number * self.steps_per_epoch + step) as u64;
            rate = self.config.learning_rate_at(global, steps);
            let batch =
                drawn.recv().map_err(|_| TrainError::Device { cause: "the thread that draws batches has ended".into() })?;
            let (model, loss, norm) = self.step(state.model, &mut state.optimiser, batch, global, rate)?;
            if !(loss.is_finite() && norm.is_finite()) {
                return Err(self.diverged(number, global, loss, norm));
            }
            state.model = model;
            state.average = state.average.map(|mean| average::updated(mean, &state.model, self.config.average_decay, global));
            losses += loss;
            norms += norm;
            largest = largest.max(norm);
            self.progress.advance(1);
            if step % NOTE_EVERY == 0 {
                let rate = ((step + 1) * self.config.batch) as f64 / begun.elapsed().as_secs_f64();
                let loss = losses / (step + 1) as f64;
                self.progress.note(&format!("epoch {}: loss {loss:.4}, norm {norm:.3}, {rate:.0} segments a second", number + 1));
            }
        }
        let validation_loss = self.validate(&state)?.map(nine_digits);
        let count = self.steps_per_epoch as f64;
        state.history.push(Epoch {
            epoch: number + 1,
            step: ((number + 1) * self.steps_per_epoch) as u64,
            train_loss: nine_digits(losses / count),
            validation_loss,
            gradient_norm_mean: nine_digits(norms / count),
            gradient_norm_max: nine_digits(largest),
            learning_rate: nine_digits(rate),
            seconds: begun.elapsed().as_secs_f64(),
        });
        let validation = validation_loss.map_or(String::new(), |loss| format!(", validation {loss:.4}"));
        self.progress.note(&format!("epoch {}: loss {:.4}{validation}", number + 1, losses / count));
        Ok(state)
    }

    fn diverged(&self, epoch: usize, step: u64, loss: f64, norm: f64) -> TrainError {
        let (learning_rate, clip_norm) = (self.config.learning_rate, self.config.clip_norm);
        TrainError::Diverged { epoch: epoch + 1, step: step + 1, loss, norm, learning_rate, clip_norm, saved: epoch }
    }

    /// One step: the new model, the loss and the gradient's norm before clipping.
    fn step(
        &self,
        model: Generator,
        optimiser: &mut Optimiser,
        batch: Batch,
        global: u64,
        rate: f64,
    ) -> Result<(Generator, f64, f64), TrainError> {
        let device = self.device.clone().autodiff();
        let mut masks = self.seed.stream("generator: dropout", global);
        let mut sum = optimiser::Sum::default();
        // Memory is that of one part: its graph is gone before the next is built.
        for (part, share) in batch.parts(self.config.accumulate) {
            let input = self.layout.input(&part.noisy, &part.told, &device);
            let output = model.forward(input, Some(&mut masks));
            let loss = mean_squared_error(output, &part.target, &device);
            sum.add(&model, if share == 1.0 { loss } else { loss.mul_scalar(share) });
        }
        let measured = optimiser::measure(sum).map_err(|cause| TrainError::Device { cause })?;
        let (loss, norm) = (measured.loss, measured.norm);
        let factor = optimiser::clip_factor(norm, self.config.clip_norm);
        Ok((optimiser.step(model, measured, factor, rate), loss, norm))
    }

    /// Mean squared error over the validation examples; summed on the host, in order.
    fn validate(&self, state: &State) -> Result<Option<f64>, TrainError> {
        if self.validation.is_empty() {
            return Ok(None);
        }
        let model = state.average.clone().unwrap_or_else(|| state.model.valid());
        let (mut sum, mut count) = (0.0, 0_usize);
        for batch in &self.validation {
            if self.progress.cancelled() {
                return Err(Cancelled.into());
            }
            let output = model.forward(self.layout.input(&batch.noisy, &batch.told, &self.device), None);
            let output = output.try_into_vec_as::<f32>().map_err(|error| TrainError::Device { cause: error.to_string() })?;
            sum += output.iter().zip(&batch.target).map(|(&x, &y)| f64::from(x - y).powi(2)).sum::<f64>();
            count += output.len();
        }
        debug_assert_eq!(count % self.channels, 0);
        Ok(Some(sum / count as f64))
    }
}

/// `x` to nine significant digits: a history read back from its file is then the same to the last bit (the reader of JSON may be
/// off by one in the seventeenth), so that a resumed training writes the same bytes.
pub(crate) fn nine_digits(x: f64) -> f64 {
    format!("{x:.8e}").parse().unwrap_or(x)
}

/// The loss as a scalar on the device: over each segment first, then over segments (sums of millions of values at once are not in
/// a fixed order on the CPU backend).
fn mean_squared_error(output: Tensor<3>, target: &[f32], device: &Device) -> Tensor<1> {
    let [batch, time, channels] = output.dims();
    let target = Tensor::<3>::from_data(TensorData::new(target.to_vec(), [batch, time, channels]), device);
    (output - target).square().reshape([batch, time * channels]).mean_dim(1).mean()
}

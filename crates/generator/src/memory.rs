//! How far a network's memory reaches: the gradient of what it says at one time step with respect to what it heard at another.
//!
//! Of a network with output frames `y` and input frames `x`, this measures `‖∂y_T/∂x_t‖` (the Frobenius norm of the Jacobian of
//! one frame by one frame) by the distance between `T` and `t`: looking back from the last frame, and looking ahead from the first
//! one where a network reads in both directions. If the gradient dies out with distance, what is far away can neither be used nor be
//! learned (Bengio, Simard & Frasconi 1994, "Learning long-term dependencies with gradient descent is difficult"). Before training
//! the norm shows what the cell lets through; after training, what the network came to use: it can be small there because nothing
//! far away is needed.
//!
//! The Jacobian is exact, one backward pass for each value of a frame. Norms are those of the network itself, between the scaled noisy
//! segment it is given and what it gives back, on real segments of the validation subjects under the conditions of validation. Frames
//! that do not divide a segment leave its last samples out.

use std::path::Path;

use burn::tensor::Device;
use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{BEST, CheckpointError, Folder};
use crate::config::GeneratorConfig;
use crate::data::{DataError, TrainingData};
use crate::model::{Generator, InputLayout, ModelDescription};
use crate::objective::{Batch, ObjectiveName, objective};

/// Segments that norms are averaged over, evenly spaced among those of the validation subjects.
pub const SEGMENTS: usize = 64;

/// The reach of a trained model, and of the same network before its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// Milliseconds between one time step of the network and the next.
    pub step_ms: f64,
    /// Real segments that were averaged over.
    pub segments: usize,
    /// One curve for each noise level, direction and state of the weights.
    pub curves: Vec<Curve>,
}

/// Gradient norm by distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Whether the weights are those of generation, or those that training began with.
    pub trained: bool,
    /// Where the input lies.
    pub direction: Direction,
    /// The noise of the segments: `denoising`: its standard deviation, in units of the normalised signal; `paired`: the ratio of signal to
    /// noise in decibels.
    pub noise: f64,
    /// Root mean square over the segments of `‖∂y_T/∂x_t‖` by the distance between `T` and `t` in steps, from 0.
    pub norms: Vec<f64>,
}

/// Where the input lies that the output is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Earlier than the output, which is the last whole frame.
    Back,
    /// Later than the output, which is the first frame.
    Ahead,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The model could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is nothing to measure on.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The segments are others than those of the training.
    #[error("the segments do not fit the model: {0}; keep segments.h5 and model/ of one run together")]
    Mismatch(String),
    /// No segment of a validation subject.
    #[error(
        "there are no segments of validation subjects to measure on; give preprocessing.split.validation_share a share above 0"
    )]
    NoValidation,
    /// The device failed.
    #[error("computing gradients failed on the device: {0}; try the device 'cpu'")]
    Device(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Measures the model in `model_dir` on the validation subjects among `segments`, which are those it was trained with. With the denoising
/// objective at three noise levels: the median of training, and a standard deviation of its logarithm to either side.
///
/// The same files give the same numbers, whatever the number of threads.
pub fn reach(model_dir: &Path, segments: &SegmentSet, device: &Device, progress: &dyn Progress) -> Result<Reach, MemoryError> {
    let folder = Folder::new(model_dir);
    let (description, arrays) = folder.trained()?;
    let (config, seed) = (&description.generator, Seed(description.seed));
    if let Some(why) = description.mismatch(segments) {
        return Err(MemoryError::Mismatch(why));
    }
    let data = TrainingData::new(segments, config, seed)?;
    if [&data.classes, &data.codes, &data.subjects] != [&description.classes, &description.codes, &description.subjects] {
        return Err(MemoryError::Mismatch("other classes, codes or subjects than in training".into()));
    }
    let device = device.clone().without_autodiff().autodiff();
    let untrained = Generator::new(config, description.sizes(), seed, &device);
    let trained = folder.with_arrays(BEST, untrained.clone(), &arrays)?;

    let directions: &[Direction] = if config.bidirectional { &[Direction::Back, Direction::Ahead] } else { &[Direction::Back] };
    let levels = levels(config);
    let mut reach = Reach { step_ms: step_ms(&description), segments: 0, curves: Vec::new() };
    progress.begin("measuring memory", (levels.len() * 2 * directions.len()) as u64, "curves");
    for (noise, shown) in levels {
        let batch = examples(&data, &shown, seed, description.channels()).ok_or(MemoryError::NoValidation)?;
        let probe = Probe::new(&description, &batch, &device);
        reach.segments = probe.segments;
        for (trained, model) in [(false, &untrained), (true, &trained)] {
            for &direction in directions {
                if progress.cancelled() {
                    return Err(Cancelled.into());
                }
                let norms = probe.norms(model, direction).map_err(MemoryError::Device)?;
                reach.curves.push(Curve { trained, direction, noise, norms });
                progress.advance(1);
            }
        }
    }
    progress.end();
    Ok(reach)
}

fn step_ms(description: &ModelDescription) -> f64 {
    1000.0 * description.generator.frame as f64 / description.sampling_frequency_hz
}

/// Noise levels, each with a configuration under which validation has that level alone.
fn levels(config: &GeneratorConfig) -> Vec<(f64, GeneratorConfig)> {
    match config.objective {
        ObjectiveName::Paired => vec![(config.snr_db, config.clone())],
        ObjectiveName::Denoising => [-1.0, 0.0, 1.0]
            .into_iter()
            .map(|deviations: f64| {
                let noise_mean = deviations.mul_add(config.noise_deviation, config.noise_mean);
                (noise_mean.exp(), GeneratorConfig { noise_mean, noise_deviation: 0.0, ..config.clone() })
            })
            .collect(),
    }
}

/// At most [`SEGMENTS`] of the validation examples, evenly spaced; none where there are none.
fn examples(data: &TrainingData, config: &GeneratorConfig, seed: Seed, channels: usize) -> Option<Batch> {
    let all = objective(data, config, seed, channels).validation(1);
    let count = all.len().min(SEGMENTS);
    let mut joined = Batch::default();
    for one in (0..count).filter_map(|k| all.get(k * all.len() / count)) {
        joined.noisy.extend_from_slice(&one.noisy);
        joined.told.append(&one.told);
        joined.target.extend_from_slice(&one.target);
    }
    (count > 0).then_some(joined)
}

/// What the gradients of every model are taken on.
struct Probe<'a> {
    layout: InputLayout,
    batch: &'a Batch,
    device: &'a Device,
    segments: usize,
    /// Values of a frame.
    frame: usize,
    /// Whole frames of a segment.
    steps: usize,
}

impl<'a> Probe<'a> {
    fn new(description: &ModelDescription, batch: &'a Batch, device: &'a Device) -> Self {
        let samples = description.generator.frame.max(1);
        Self {
            layout: InputLayout::new(&description.generator, description.sizes()),
            batch,
            device,
            segments: batch.noisy.len() / (description.time * description.channels()).max(1),
            frame: samples * description.channels(),
            steps: (description.time / samples).max(1),
        }
    }

    /// The norms by distance, 0 first.
    fn norms(&self, model: &Generator, direction: Direction) -> Result<Vec<f64>, String> {
        let output = match direction {
            Direction::Back => self.steps - 1,
            Direction::Ahead => 0,
        };
        let mut squares = vec![0.0; self.steps];
        for value in 0..self.frame {
            let (input, frames) = self.layout.input(&self.batch.noisy, &self.batch.told, self.device).tracked();
            let said = model.forward(input, None);
            let [batch, time, channels] = said.dims();
            // Segments do not touch each other: the gradient of their sum is each one's own.
            let sum = said.reshape([batch, time * channels]).narrow(1, output * self.frame + value, 1).sum();
            let gradient = frames.grad(&sum.backward()).ok_or("the input has no gradient")?;
            let [_, steps, _] = gradient.dims();
            let gradient = gradient.narrow(2, 0, self.frame).try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
            for (place, values) in gradient.chunks_exact(self.frame).enumerate() {
                if let Some(sum) = squares.get_mut(place % steps) {
                    *sum += values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
                }
            }
        }
        if direction == Direction::Back {
            squares.reverse();
        }
        Ok(squares.iter().map(|sum| (sum / self.segments.max(1) as f64).sqrt()).collect())
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_recurrent::Cell;
    use physiosynth_signal::Silent;

    use super::*;
    use crate::toy;
    use crate::training::{Existing, train};

    fn config() -> GeneratorConfig {
        GeneratorConfig { units: 4, frame: 3, epochs: 1, steps_per_epoch: 2, batch: 8, ..Default::default() }
    }

    fn measured(config: &GeneratorConfig) -> Reach {
        let (folder, set) = (tempfile::tempdir().unwrap(), toy::segments(64, 16, 3));
        train(&set, config, Seed(5), &Device::flex(), folder.path(), Existing::Replace, &Silent).unwrap();
        reach(folder.path(), &set, &Device::flex(), &Silent).unwrap()
    }

    /// Differences of the output under small changes of one input, for one segment.
    #[test]
    fn norms_agree_with_finite_differences() {
        let set = toy::segments(64, 16, 3);
        for bidirectional in [true, false] {
            let config = GeneratorConfig { bidirectional, ..config() };
            let folder = tempfile::tempdir().unwrap();
            train(&set, &config, Seed(5), &Device::flex(), folder.path(), Existing::Replace, &Silent).unwrap();
            let (description, arrays) = Folder::new(folder.path()).trained().unwrap();
            let device = Device::flex().autodiff();
            let model = Generator::new(&config, description.sizes(), Seed(1), &device);
            let model = Folder::new(folder.path()).with_arrays(BEST, model, &arrays).unwrap();
            let data = TrainingData::new(&set, &config, Seed(5)).unwrap();
            let batch = objective(&data, &config, Seed(5), 1).validation(1).remove(0);
            let probe = Probe::new(&description, &batch, &device);
            assert_eq!((probe.segments, probe.frame, probe.steps), (1, 3, 5), "the last sample of 16 is no whole frame");
            let said = |noisy: &[f32]| -> Vec<f32> {
                let input = probe.layout.input(noisy, &batch.told, &device);
                model.forward(input, None).inner().try_into_vec_as().unwrap()
            };
            for direction in [Direction::Back, Direction::Ahead] {
                let norms = probe.norms(&model, direction).unwrap();
                for (distance, norm) in norms.iter().enumerate() {
                    let (output, input) = if direction == Direction::Back { (4, 4 - distance) } else { (0, distance) };
                    let mut square = 0.0;
                    for i in 3 * input..3 * input + 3 {
                        let moved = |by: f32| {
                            let mut noisy = batch.noisy.clone();
                            noisy[i] += by;
                            said(&noisy)
                        };
                        let (up, down) = (moved(0.01), moved(-0.01));
                        square += (3 * output..3 * output + 3).map(|k| f64::from((up[k] - down[k]) / 0.02).powi(2)).sum::<f64>();
                    }
                    let expected = square.sqrt();
                    assert!((norm - expected).abs() < 1e-3 + 0.01 * expected, "{direction:?} {distance}: {norm} {expected}");
                }
                let far = norms[1..].iter().all(|norm| *norm > 0.0);
                assert_eq!(far, bidirectional || direction == Direction::Back, "{direction:?}: {norms:?}");
            }
        }
    }

    #[test]
    fn a_model_is_measured_before_and_after_training_the_same_every_time() {
        let reach = measured(&config());
        assert_eq!(reach, measured(&config()));
        assert_eq!((reach.curves.len(), reach.step_ms), (3 * 2 * 2, 30.0));
        assert!(reach.segments > 4 && reach.segments <= SEGMENTS);
        assert_ne!(reach.curves[0].norms, reach.curves[2].norms, "training changed it");
        for objective in [ObjectiveName::Paired, ObjectiveName::Denoising] {
            let config = GeneratorConfig { objective, bidirectional: false, cell: Cell::Gru, ..config() };
            let reach = measured(&config);
            assert!(reach.curves.iter().all(|curve| curve.direction == Direction::Back && curve.norms.len() == 5));
            assert_eq!(reach.curves.len(), if objective == ObjectiveName::Paired { 2 } else { 6 });
        }
    }

    #[test]
    fn what_does_not_belong_to_the_model_is_refused() {
        let (folder, set) = (tempfile::tempdir().unwrap(), toy::segments(64, 16, 3));
        assert!(matches!(reach(folder.path(), &set, &Device::flex(), &Silent), Err(MemoryError::Checkpoint(_))));
        train(&set, &config(), Seed(5), &Device::flex(), folder.path(), Existing::Replace, &Silent).unwrap();
        let longer = reach(folder.path(), &toy::segments(64, 20, 3), &Device::flex(), &Silent).unwrap_err();
        assert!(longer.to_string().contains("samples per segment"), "{longer}");
        let mut others = set.clone();
        others.segments.iter_mut().for_each(|segment| segment.subject.push('x'));
        let others = reach(folder.path(), &others, &Device::flex(), &Silent).unwrap_err();
        assert!(others.to_string().contains("subjects"), "{others}");
        let mut none = set;
        none.segments.iter_mut().filter(|s| s.subject == "p2").for_each(|s| s.split = physiosynth_signal::Split::Test);
        let none = reach(folder.path(), &none, &Device::flex(), &Silent).unwrap_err();
        assert!(matches!(none, MemoryError::NoValidation), "{none}");
    }
}

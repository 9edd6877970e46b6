//! The network: stacked (bidirectional) recurrent layers with a linear head at each time step.
//!
//! The network's time steps are frames of one or more samples. The input at each is, in this order, the frame's samples of the noisy
//! signal and where the frame stands relative to the mark (sines and cosines of several periods). What is the same at every step, the
//! conditions (`conditions.rs`), is handed to the recurrent net apart and multiplied with its weights once; the paired objective
//! tells the class alone (one-hot: the first layer's weights for a class are its embedding, one vector per gate). Output at each step:
//! `W·h + S·noisy + b`, with `h` the top layer's output; the skip `S` from the noisy frame starts at 0 and lets an objective keep its
//! input where that pays.

use std::f64::consts::PI;

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::{Device, TensorData};
use physiosynth_recurrent::{Inputs, Recurrent, RecurrentConfig, with_path_ids};
use physiosynth_signal::{Seed, SegmentSet};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::conditions::{ConditionNet, ConditionSizes, Covariate, Told};
use crate::config::GeneratorConfig;
use crate::objective::ObjectiveName;

/// Everything that fixes the network's shape and meaning: what `config.json` beside the weights holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// Version of this layout: 2.
    pub format: u32,
    /// The configuration it was trained with.
    pub generator: GeneratorConfig,
    /// The seed of its training.
    pub seed: u64,
    /// Samples per segment.
    pub time: usize,
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// Index of the mark within the segment.
    pub mark_index: usize,
    /// Labels of the channels, in order.
    pub channel_names: Vec<String>,
    /// Physical units of the channels.
    pub channel_units: Vec<String>,
    /// Class labels, in order of their one-hot code.
    pub classes: Vec<String>,
    /// Original annotation codes, likewise.
    pub codes: Vec<String>,
    /// Rhythms that are named, likewise.
    #[serde(default)]
    pub rhythms: Vec<String>,
    /// Names of the training subjects, likewise.
    pub subjects: Vec<String>,
    /// Standard deviation of the training segments' samples, in normalised units.
    pub deviation: f64,
    /// Tells the training data from any other, in hexadecimal.
    pub data: String,
    /// Number of trained values.
    pub parameters: usize,
}

impl ModelDescription {
    /// Channels per segment.
    pub fn channels(&self) -> usize {
        self.channel_names.len()
    }

    /// The sizes of its network.
    pub fn sizes(&self) -> ModelSizes {
        ModelSizes {
            time: self.time,
            mark_index: self.mark_index,
            channels: self.channels(),
            conditions: ConditionSizes {
                classes: self.classes.len(),
                codes: self.codes.len(),
                rhythms: self.rhythms.len(),
                age: self.generator.tells(Covariate::Age),
                sex: self.generator.tells(Covariate::Sex),
                subjects: self.subjects.len(),
                dimensions: self.generator.subject_dimensions,
            },
        }
    }

    /// Why `set` cannot go through this model; `None` where it can.
    pub(crate) fn mismatch(&self, set: &SegmentSet) -> Option<String> {
        let differ = |what: &str, model: String, found: String| {
            (model != found).then(|| format!("{what}: {model} in training, {found} in the segments given"))
        };
        differ("samples per segment", self.time.to_string(), set.time().to_string())
            .or_else(|| differ("mark index", self.mark_index.to_string(), set.mark_index.to_string()))
            .or_else(|| differ("channels", self.channel_names.join(", "), set.channel_names.join(", ")))
            .or_else(|| {
                let rate = |hz: f64| format!("{hz} Hz");
                differ("sampling frequency", rate(self.sampling_frequency_hz), rate(set.sampling_frequency_hz))
            })
    }
}

/// The sizes that the data give a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSizes {
    /// Samples per segment.
    pub time: usize,
    /// Index of the mark within the segment.
    pub mark_index: usize,
    /// Channels per segment.
    pub channels: usize,
    /// What it is told.
    pub conditions: ConditionSizes,
}

/// The linear layer at each time step.
#[derive(Module, Debug)]
struct Head {
    /// `[directions × units, frame × channels]`.
    weight: Param<Tensor<2>>,
    /// From the noisy frame, `[frame × channels, frame × channels]`; zeros at first.
    skip: Param<Tensor<2>>,
    /// `[frame × channels]`.
    bias: Param<Tensor<1>>,
}

/// The generator's network.
#[derive(Module, Debug)]
pub struct Generator {
    recurrent: Recurrent,
    head: Head,
    /// None where the class alone is told.
    conditions: Option<ConditionNet>,
}

impl Generator {
    /// The network with weights drawn from `seed` on the host. On an autodiff device it can be trained.
    ///
    /// The configuration must have passed [`GeneratorConfig::validate`].
    pub fn new(config: &GeneratorConfig, sizes: ModelSizes, seed: Seed, device: &Device) -> Self {
        let mut rng = seed.stream("generator: weights", 0);
        let told = config.objective == ObjectiveName::Denoising;
        let recurrent = RecurrentConfig {
            cell: config.cell,
            input: InputLayout::new(config, sizes).features(),
            constant: if told { sizes.conditions.width() } else { sizes.conditions.classes },
            units: config.units,
            layers: config.layers,
            bidirectional: config.bidirectional,
            dropout: config.dropout,
            ..Default::default()
        };
        let (width, frame) = (recurrent.output(), config.frame * sizes.channels);
        let recurrent = recurrent.init(device, &mut rng);
        let bound = 1.0 / (width as f64).sqrt();
        let mut uniform = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-bound..bound) as f32).collect() };
        let (weight, bias) = (uniform(width * frame), uniform(frame));
        let head = Head {
            weight: Param::from_data(TensorData::new(weight, [width, frame]), device),
            skip: Param::from_data(TensorData::new(vec![0.0_f32; frame * frame], [frame, frame]), device),
            bias: Param::from_data(TensorData::new(bias, [frame]), device),
        };
        let conditions = told.then(|| ConditionNet::new(sizes.conditions, device, &mut rng));
        with_path_ids(Self { recurrent, head, conditions })
    }

    /// From the input of an [`InputLayout`] for the same sizes to signals `[batch, time, channels]`. With `dropout`, masks are
    /// drawn from it: training.
    ///
    /// # Panics
    ///
    /// On an input of other sizes.
    pub fn forward(&self, input: ModelInput<'_>, dropout: Option<&mut dyn Rng>) -> Tensor<3> {
        let ModelInput { frames, told, time, classes } = input;
        let [batch, steps, _] = frames.dims();
        let [width, frame] = self.head.weight.dims();
        let device = frames.device();
        let constant = match &self.conditions {
            Some(conditions) => conditions.forward(told, &device),
            None => told.class(classes, &device),
        };
        let noisy = frames.clone().narrow(2, 0, frame).reshape([batch * steps, frame]);
        let inputs = Inputs::new(frames).constant(constant);
        let inputs = match dropout {
            Some(rng) => inputs.dropout(rng),
            None => inputs,
        };
        let hidden = self.recurrent.run(inputs).unwrap_or_else(|problem| panic!("{problem}"));
        let hidden = hidden.reshape([batch * steps, width]);
        let output =
            hidden.matmul(self.head.weight.val()) + noisy.matmul(self.head.skip.val()) + self.head.bias.val().unsqueeze();
        // The last frame reaches beyond the segment where the frames do not divide it.
        let samples = steps * frame;
        output.reshape([batch, samples]).narrow(1, 0, time.0 * time.1).reshape([batch, time.0, time.1])
    }

    /// The numbers that stand for each training subject; none where the objective tells no subjects.
    pub(crate) fn trained_subjects(&self) -> Result<Vec<Vec<f32>>, String> {
        self.conditions.as_ref().map_or(Ok(Vec::new()), ConditionNet::trained_subjects)
    }
}

/// What the network takes, made by `InputLayout::input`.
#[derive(Debug, Clone)]
pub struct ModelInput<'a> {
    /// Noisy frame and position at each step: `[batch, steps, features]`.
    frames: Tensor<3>,
    told: &'a Told,
    /// Samples and channels of a segment.
    time: (usize, usize),
    classes: usize,
}

impl ModelInput<'_> {
    /// The same, and its frames `[batch, steps, features]` as the leaf that a gradient can be asked of: on an autodiff device.
    pub(crate) fn tracked(mut self) -> (Self, Tensor<3>) {
        self.frames = self.frames.require_grad();
        let frames = self.frames.clone();
        (self, frames)
    }
}

/// How noisy segments and conditions become the network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct InputLayout {
    time: usize,
    channels: usize,
    classes: usize,
    /// Samples per step.
    frame: usize,
    /// `[steps × position features]`.
    positions: Vec<f32>,
    /// Position features of a step.
    width: usize,
}

impl InputLayout {
    /// For segments of these sizes.
    ///
    /// Position features are the sine and cosine of the time from the mark to the frame's middle with periods of twice the segment,
    /// once, a half, a quarter, … of it, down to four samples or [`GeneratorConfig::positions`] of them: coarse ones say on which side of the mark a frame is, fine ones exactly
    /// where. The position in samples over the segment's length is the position in seconds over its duration, so the sampling
    /// frequency cancels.
    pub fn new(config: &GeneratorConfig, sizes: ModelSizes) -> Self {
        let (time, frame) = (sizes.time, config.frame.max(1));
        let periods = period_count(time, config.positions);
        let mut positions = Vec::with_capacity(time.div_ceil(frame) * 2 * periods);
        for step in 0..time.div_ceil(frame) {
            let from_mark = (step * frame) as f64 + (frame - 1) as f64 / 2.0 - sizes.mark_index as f64;
            for k in 0..periods {
                let period = 2.0 * time as f64 / f64::from(1_u32 << k);
                let (sine, cosine) = (2.0 * PI * from_mark / period).sin_cos();
                positions.extend([sine as f32, cosine as f32]);
            }
        }
        Self { time, channels: sizes.channels, classes: sizes.conditions.classes, frame, positions, width: 2 * periods }
    }

    /// Features per time step of the network, without the conditions.
    pub fn features(&self) -> usize {
        self.frame * self.channels + self.width
    }

    /// The input for noisy segments `[batch][time × channel]` under these conditions, a row for each.
    pub(crate) fn input<'a>(&self, noisy: &[f32], told: &'a Told, device: &Device) -> ModelInput<'a> {
        let (steps, width) = (self.time.div_ceil(self.frame), self.width);
        let (frame, segment) = (self.frame * self.channels, self.time * self.channels);
        let batch = noisy.len() / segment.max(1);
        let mut values = Vec::with_capacity(batch * steps * self.features());
        for samples in noisy.chunks_exact(segment) {
            for (step, frame_samples) in samples.chunks(frame).enumerate() {
                values.extend_from_slice(frame_samples);
                values.extend(std::iter::repeat_n(0.0, frame - frame_samples.len()));
                values.extend_from_slice(&self.positions[step * width..(step + 1) * width]);
            }
        }
        let frames = Tensor::from_data(TensorData::new(values, [batch, steps, self.features()]), device);
        ModelInput { frames, told, time: (self.time, self.channels), classes: self.classes }
    }
}

/// How many periods: 2·time, time, time/2, … while they are four samples or longer; at least 1, at most as many as asked for.
fn period_count(time: usize, most: usize) -> usize {
    (0..most).take_while(|k| 2 * time >= 4 << k).count().max(most.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::Condition;

    const SIZES: ModelSizes = ModelSizes {
        time: 5,
        mark_index: 2,
        channels: 2,
        conditions: ConditionSizes { classes: 3, codes: 2, rhythms: 1, age: false, sex: false, subjects: 2, dimensions: 2 },
    };

    fn config(objective: ObjectiveName, frame: usize) -> GeneratorConfig {
        GeneratorConfig { units: 3, objective, frame, subject_dimensions: 2, ..Default::default() }
    }

    fn told(classes: &[usize]) -> Told {
        let mut told = Told::default();
        for &class in classes {
            told.push(SIZES.conditions, &Condition { class: Some(class), ..Condition::NONE }, 1.0);
        }
        told
    }

    #[test]
    fn periods_end_at_four_samples() {
        assert_eq!(period_count(126, 8), 6);
        assert_eq!(period_count(2, 8), 1);
        assert_eq!(period_count(100_000, 8), 8);
        assert_eq!((period_count(126, 2), period_count(126, 0), period_count(1, 8)), (2, 0, 1));
    }

    #[test]
    fn frames_hold_their_samples_then_their_position() {
        let sizes = ModelSizes { time: 5, mark_index: 1, ..SIZES };
        let noisy: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let told = told(&[2]);
        let one = InputLayout::new(&config(ObjectiveName::Paired, 1), sizes).input(&noisy, &told, &Device::flex());
        let (dims, values) = (one.frames.dims(), one.frames.try_into_vec_as::<f32>().unwrap());
        assert_eq!(dims, [1, 5, 2 + 4]);
        // At the mark: sine 0, cosine 1, for each period.
        assert_eq!(values[6..12], [2.0, 3.0, 0.0, 1.0, 0.0, 1.0]);
        let two = InputLayout::new(&config(ObjectiveName::Paired, 2), sizes).input(&noisy, &told, &Device::flex());
        let (dims, values) = (two.frames.dims(), two.frames.try_into_vec_as::<f32>().unwrap());
        assert_eq!(dims, [1, 3, 4 + 4]);
        assert_eq!(values[8..12], [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(values[16..20], [8.0, 9.0, 0.0, 0.0], "filled up");
        assert!((values[4] - (2.0 * PI * -0.5 / 10.0).sin() as f32).abs() < 1e-6, "half a sample before the mark");
    }

    #[test]
    fn weights_depend_on_the_seed_alone_and_output_has_the_signals_shape() {
        let device = Device::flex();
        for objective in [ObjectiveName::Paired, ObjectiveName::Denoising] {
            for frame in [1, 2, 4, 5] {
                let config = config(objective, frame);
                let told = told(&[0, 2]);
                let output = |seed| -> Vec<f32> {
                    let input = InputLayout::new(&config, SIZES).input(&[0.5; 20], &told, &device);
                    let output = Generator::new(&config, SIZES, Seed(seed), &device).forward(input, None);
                    assert_eq!(output.dims(), [2, 5, 2]);
                    output.try_into_vec_as().unwrap()
                };
                assert_eq!(output(1), output(1));
                assert_ne!(output(1), output(2));
                assert_ne!(output(1)[..10], output(1)[10..], "the class matters");
            }
        }
    }

    #[test]
    fn subjects_are_told_by_the_denoising_objective_alone() {
        let subjects = |objective| {
            let model = Generator::new(&config(objective, 2), SIZES, Seed(1), &Device::flex());
            model.trained_subjects().unwrap().len()
        };
        assert_eq!((subjects(ObjectiveName::Paired), subjects(ObjectiveName::Denoising)), (0, 2));
    }
}

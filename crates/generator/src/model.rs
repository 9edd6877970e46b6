//! The network: stacked (bidirectional) recurrent layers with a linear head at each time step.
//!
//! The input at each time step is, in this order, the noisy signal's channels, where the step stands relative to the mark (sines
//! and cosines of several periods), and the class (one-hot: the first layer's weights for a class are its embedding, one vector
//! per gate, so a learned embedding in front of them would add nothing). The class is the same at every step, so it is handed to
//! the recurrent net apart and multiplied with its weights once. Output at each step: `W·h + S·noisy + b`, with `h` the top
//! layer's output; the skip `S` from the noisy signal starts at 0 and lets an objective keep its input where that pays.

use std::f64::consts::PI;

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::{Device, TensorData};
use physiosynth_recurrent::{Inputs, Recurrent, RecurrentConfig, with_path_ids};
use physiosynth_signal::{Seed, SegmentSet};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::config::GeneratorConfig;

/// Everything that fixes the network's shape and meaning: what `config.json` beside the weights holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// Version of this layout: 1.
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
    /// Class labels, in order of their one-hot code.
    pub classes: Vec<String>,
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

/// The linear layer at each time step.
#[derive(Module, Debug)]
struct Head {
    /// `[directions × units, channels]`.
    weight: Param<Tensor<2>>,
    /// From the noisy signal, `[channels, channels]`; zeros at first.
    skip: Param<Tensor<2>>,
    /// `[channels]`.
    bias: Param<Tensor<1>>,
}

/// The generator's network.
#[derive(Module, Debug)]
pub struct Generator {
    recurrent: Recurrent,
    head: Head,
}

impl Generator {
    /// The network with weights drawn from `seed` on the host. On an autodiff device it can be trained.
    ///
    /// The configuration must have passed [`GeneratorConfig::validate`].
    pub fn new(config: &GeneratorConfig, time: usize, channels: usize, classes: usize, seed: Seed, device: &Device) -> Self {
        let mut rng = seed.stream("generator: weights", 0);
        let recurrent = RecurrentConfig {
            cell: config.cell,
            input: InputLayout::new(time, 0, channels, classes).features(),
            constant: classes,
            units: config.units,
            layers: config.layers,
            bidirectional: config.bidirectional,
            dropout: config.dropout,
            ..Default::default()
        };
        let width = recurrent.output();
        let recurrent = recurrent.init(device, &mut rng);
        let bound = 1.0 / (width as f64).sqrt();
        let mut uniform = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-bound..bound) as f32).collect() };
        let (weight, bias) = (uniform(width * channels), uniform(channels));
        let head = Head {
            weight: Param::from_data(TensorData::new(weight, [width, channels]), device),
            skip: Param::from_data(TensorData::new(vec![0.0_f32; channels * channels], [channels, channels]), device),
            bias: Param::from_data(TensorData::new(bias, [channels]), device),
        };
        with_path_ids(Self { recurrent, head })
    }

    /// From the input of an [`InputLayout`] for the same sizes to signals `[batch, time, channels]`. With `dropout`, masks are
    /// drawn from it: training.
    ///
    /// # Panics
    ///
    /// On an input of other sizes.
    pub fn forward(&self, input: ModelInput, dropout: Option<&mut dyn Rng>) -> Tensor<3> {
        let ModelInput { sequence, class } = input;
        let [batch, time, _] = sequence.dims();
        let [width, channels] = self.head.weight.dims();
        let noisy = sequence.clone().narrow(2, 0, channels).reshape([batch * time, channels]);
        let inputs = Inputs::new(sequence).constant(class);
        let inputs = match dropout {
            Some(rng) => inputs.dropout(rng),
            None => inputs,
        };
        let hidden = self.recurrent.run(inputs).unwrap_or_else(|problem| panic!("{problem}"));
        let hidden = hidden.reshape([batch * time, width]);
        let output =
            hidden.matmul(self.head.weight.val()) + noisy.matmul(self.head.skip.val()) + self.head.bias.val().unsqueeze();
        output.reshape([batch, time, channels])
    }
}

/// What the network takes, made by [`InputLayout::input`].
#[derive(Debug, Clone)]
pub struct ModelInput {
    /// Noisy signal and position at each step: `[batch, time, features]`.
    sequence: Tensor<3>,
    /// One-hot: `[batch, classes]`.
    class: Tensor<2>,
}

/// How noisy segments and classes become the network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct InputLayout {
    time: usize,
    channels: usize,
    classes: usize,
    /// `[time × position features]`.
    positions: Vec<f32>,
}

impl InputLayout {
    /// For segments of `time` samples with the mark at `mark_index`.
    ///
    /// Position features are the sine and cosine of the time from the mark with periods of twice the segment, once, a half, a
    /// quarter, … of it, down to four samples: coarse ones say on which side of the mark a step is, fine ones exactly where. The position
    /// in samples over the segment's length is the position in seconds over its duration, so the sampling frequency cancels.
    pub fn new(time: usize, mark_index: usize, channels: usize, classes: usize) -> Self {
        let periods = period_count(time);
        let mut positions = Vec::with_capacity(time * 2 * periods);
        for step in 0..time {
            let from_mark = step as f64 - mark_index as f64;
            for k in 0..periods {
                let period = 2.0 * time as f64 / f64::from(1_u32 << k);
                let (sine, cosine) = (2.0 * PI * from_mark / period).sin_cos();
                positions.extend([sine as f32, cosine as f32]);
            }
        }
        Self { time, channels, classes, positions }
    }

    /// Features per time step, without the class.
    pub fn features(&self) -> usize {
        self.channels + 2 * period_count(self.time)
    }

    /// The input for noisy segments `[batch][time × channel]` of these classes.
    pub fn input(&self, noisy: &[f32], class: &[usize], device: &Device) -> ModelInput {
        let width = 2 * period_count(self.time);
        let mut values = Vec::with_capacity(class.len() * self.time * self.features());
        for segment in noisy.chunks_exact(self.time * self.channels).take(class.len()) {
            for (step, samples) in segment.chunks_exact(self.channels).enumerate() {
                values.extend_from_slice(samples);
                values.extend_from_slice(&self.positions[step * width..(step + 1) * width]);
            }
        }
        let one_hot = class.iter().flat_map(|class| (0..self.classes).map(move |c| if c == *class { 1.0_f32 } else { 0.0 }));
        let one_hot = TensorData::new(one_hot.collect::<Vec<_>>(), [class.len(), self.classes]);
        ModelInput {
            sequence: Tensor::from_data(TensorData::new(values, [class.len(), self.time, self.features()]), device),
            class: Tensor::from_data(one_hot, device),
        }
    }
}

/// How many periods: 2·time, time, time/2, … while they are four samples or longer; at most 8, at least 1.
fn period_count(time: usize) -> usize {
    (0..8).take_while(|k| 2 * time >= 4 << k).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_at_four_samples() {
        assert_eq!(period_count(126), 6);
        assert_eq!(period_count(2), 1);
        assert_eq!(period_count(100_000), 8);
    }

    #[test]
    fn input_holds_signal_position_and_class() {
        let layout = InputLayout::new(4, 1, 2, 3);
        let noisy: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let input = layout.input(&noisy, &[2], &Device::flex());
        assert_eq!((input.sequence.dims(), input.class.dims()), ([1, 4, 2 + 4], [1, 3]));
        let class: Vec<f32> = input.class.try_into_vec_as().unwrap();
        assert_eq!(class, [0.0, 0.0, 1.0]);
        let values: Vec<f32> = input.sequence.try_into_vec_as().unwrap();
        assert_eq!(values[..2], [0.0, 1.0]);
        // At the mark: sine 0, cosine 1, for each period.
        assert_eq!(values[6..12], [2.0, 3.0, 0.0, 1.0, 0.0, 1.0]);
    }

    /// Weights from when the class was a feature of every step are the same weights.
    #[test]
    fn the_class_counts_as_the_last_features_of_every_step() {
        let config = GeneratorConfig { units: 3, ..Default::default() };
        let (device, layout) = (Device::flex(), InputLayout::new(5, 2, 2, 3));
        let net = Generator::new(&config, 5, 2, 3, Seed(1), &device).recurrent;
        let whole = RecurrentConfig { input: layout.features() + 3, constant: 0, ..net.config().clone() };
        let whole = whole.init(&device, &mut Seed(1).stream("generator: weights", 0));
        for (layer, expected) in net.layers.iter().zip(&whole.layers) {
            assert_eq!(layer.weight_ih.to_data(), expected.weight_ih.to_data());
        }
        let noisy: Vec<f32> = (0..20).map(|i| (i as f32).sin()).collect();
        let ModelInput { sequence, class } = layout.input(&noisy, &[0, 2], &device);
        let repeated = class.clone().unsqueeze_dim::<3>(1).expand([2, 5, 3]);
        let expected = whole.forward(Tensor::cat(vec![sequence.clone(), repeated], 2), None);
        let found = net.run(Inputs::new(sequence).constant(class)).unwrap();
        let apart: f32 = (found - expected).abs().max().into_scalar();
        assert!(apart < 1e-6, "{apart:e}");
    }

    #[test]
    fn weights_depend_on_the_seed_alone_and_output_has_the_signals_shape() {
        let config = GeneratorConfig { units: 3, ..Default::default() };
        let device = Device::flex();
        let model = |seed| Generator::new(&config, 5, 2, 3, Seed(seed), &device);
        let input = InputLayout::new(5, 2, 2, 3).input(&[0.5; 20], &[0, 2], &device);
        let output = |seed| -> Vec<f32> {
            let output = model(seed).forward(input.clone(), None);
            assert_eq!(output.dims(), [2, 5, 2]);
            output.try_into_vec_as().unwrap()
        };
        assert_eq!(output(1), output(1));
        assert_ne!(output(1), output(2));
        assert_ne!(output(1)[..10], output(1)[10..], "the class matters");
    }
}

//! Convolutions, a bidirectional recurrent layer over what they found, and attention: a weighted mean over time whose weights say
//! where the network looked.

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;
use burn::tensor::activation::softmax;
use physiosynth_recurrent::{Cell, Recurrent, RecurrentConfig};
use rand::Rng;

use super::layers::{Convolution, Linear};

/// Filters of each convolution; each halves the time steps.
const FILTERS: [usize; 2] = [16, 24];
/// Units of the recurrent layer in each direction.
const UNITS: usize = 24;
/// Units that score a time step.
const SCORING: usize = 16;

/// A convolutional-recurrent network with additive attention (Bahdanau et al. 2015): the weight of a step is the softmax over steps of
/// `v·tanh(W·h + b)`.
#[derive(Module, Debug)]
pub(super) struct Attentive {
    convolutions: Vec<Convolution>,
    recurrent: Recurrent,
    scoring: Linear,
    score: Linear,
}

impl Attentive {
    pub(super) fn new(channels: usize, device: &Device, rng: &mut impl Rng) -> Self {
        let mut inputs = channels;
        let mut convolutions = Vec::new();
        for filters in FILTERS {
            convolutions.push(Convolution::new(inputs, filters, 2, 3, device, rng));
            inputs = filters;
        }
        let recurrent =
            RecurrentConfig { cell: Cell::Gru, input: inputs, units: UNITS, bidirectional: true, ..Default::default() };
        Self {
            convolutions,
            recurrent: recurrent.init(device, rng),
            scoring: Linear::new(Self::WIDTH, SCORING, 0.5, device, rng),
            score: Linear::new(SCORING, 1, 0.5, device, rng),
        }
    }

    /// Values that [`forward`](Self::forward) gives for each row.
    pub(super) const WIDTH: usize = 2 * UNITS;

    /// `[batch, time, channels]` → `[batch, WIDTH]`, and the weight of each stretch of time, `[batch, ⌈time / 4⌉]`.
    pub(super) fn forward(&self, signals: Tensor<3>) -> (Tensor<2>, Tensor<2>) {
        let found = self.convolutions.iter().fold(signals, |x, convolution| convolution.forward(x));
        let hidden = self.recurrent.forward(found, None);
        let [batch, steps, width] = hidden.dims();
        let scores = self.score.forward(self.scoring.forward(hidden.clone().reshape([batch * steps, width])).tanh());
        let weights = softmax(scores.reshape([batch, steps]), 1);
        let seen = (hidden * weights.clone().unsqueeze_dim::<3>(2)).sum_dim(1).squeeze_dim(1);
        (seen, weights)
    }
}

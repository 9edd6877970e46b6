//! Convolutions over one another, then the mean and the maximum of what each filter found.

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;
use rand::Rng;

use super::layers::Convolution;

/// Filters of each convolution; each halves the time steps.
const FILTERS: [usize; 3] = [16, 24, 32];

/// A convolutional network: it sees what shapes there are, and only roughly where.
#[derive(Module, Debug)]
pub(super) struct Convolutional {
    convolutions: Vec<Convolution>,
}

impl Convolutional {
    pub(super) fn new(channels: usize, device: &Device, rng: &mut impl Rng) -> Self {
        let mut inputs = channels;
        let convolutions = FILTERS.iter().map(|&filters| {
            let convolution = Convolution::new(inputs, filters, 2, 3, device, rng);
            inputs = filters;
            convolution
        });
        Self { convolutions: convolutions.collect() }
    }

    /// Values that [`forward`](Self::forward) gives for each row.
    pub(super) const WIDTH: usize = 2 * FILTERS[FILTERS.len() - 1];

    /// `[batch, time, channels]` → `[batch, WIDTH]`.
    pub(super) fn forward(&self, signals: Tensor<3>) -> Tensor<2> {
        let seen = self.convolutions.iter().fold(signals, |x, convolution| convolution.forward(x));
        let pooled = Tensor::cat(vec![seen.clone().mean_dim(1), seen.max_dim(1)], 2);
        pooled.squeeze_dim(1)
    }
}

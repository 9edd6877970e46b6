//! What the networks are made of: layers whose weights are drawn on the host.

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, TensorData};
use rand::{Rng, RngExt};

/// `x·W + b`.
#[derive(Module, Debug)]
pub(super) struct Linear {
    /// `[inputs, outputs]`.
    weight: Param<Tensor<2>>,
    /// `[outputs]`.
    bias: Param<Tensor<1>>,
}

impl Linear {
    /// Weights uniform between ±√(6 / inputs) (He et al. 2015, for what is rectified after it) times `gain`; biases 0.
    pub(super) fn new(inputs: usize, outputs: usize, gain: f64, device: &Device, rng: &mut impl Rng) -> Self {
        let bound = (gain * (6.0 / inputs.max(1) as f64).sqrt()) as f32;
        let weight: Vec<f32> = (0..inputs * outputs).map(|_| rng.random_range(-bound..=bound)).collect();
        Self {
            weight: Param::from_data(TensorData::new(weight, [inputs, outputs]), device),
            bias: Param::from_data(TensorData::new(vec![0.0_f32; outputs], [outputs]), device),
        }
    }

    /// `[rows, inputs]` → `[rows, outputs]`.
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }
}

/// A convolution over time in steps of `stride`, rectified. Its kernel is `reach` strides long, so that the stretches it looks at are
/// whole strides side by side: the convolution is one matrix product, forward and back.
#[derive(Module, Debug)]
pub(super) struct Convolution {
    linear: Linear,
    #[module(skip)]
    stride: usize,
    #[module(skip)]
    reach: usize,
}

impl Convolution {
    pub(super) fn new(channels: usize, filters: usize, stride: usize, reach: usize, device: &Device, rng: &mut impl Rng) -> Self {
        Self { linear: Linear::new(channels * stride * reach, filters, 1.0, device, rng), stride, reach }
    }

    /// `[batch, time, channels]` → `[batch, ⌈time / stride⌉, filters]`; beyond either end lie zeros.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, channels] = x.dims();
        let steps = time.div_ceil(self.stride);
        let strides = steps + self.reach - 1;
        let before = (self.reach - 1) * self.stride / 2;
        let device = x.device();
        let zeros = |n: usize| (n > 0).then(|| Tensor::zeros([batch, n, channels], &device));
        let after = strides * self.stride - before - time;
        let padded: Vec<Tensor<3>> = [zeros(before), Some(x), zeros(after)].into_iter().flatten().collect();
        let strided = Tensor::cat(padded, 1).reshape([batch, strides, self.stride * channels]);
        let stretches = (0..self.reach).map(|at| strided.clone().narrow(1, at, steps)).collect();
        let stretches: Tensor<3> = Tensor::cat(stretches, 2);
        let filtered = self.linear.forward(stretches.reshape([batch * steps, self.reach * self.stride * channels]));
        let filters = filtered.dims()[1];
        relu(filtered).reshape([batch, steps, filters])
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    #[test]
    fn a_convolution_is_the_sum_over_its_stretch() {
        let device = Device::flex();
        let mut rng = Seed(1).stream("convolution", 0);
        let (time, channels, filters, stride, reach) = (7, 2, 3, 2, 3);
        let convolution = Convolution::new(channels, filters, stride, reach, &device, &mut rng);
        let x: Vec<f32> = (0..time * channels).map(|i| (i as f32 * 0.7).sin()).collect();
        let y = convolution.forward(Tensor::from_data(TensorData::new(x.clone(), [1, time, channels]), &device));
        assert_eq!(y.dims(), [1, 4, filters]);
        let y: Vec<f32> = y.try_into_vec_as().unwrap();
        let weight: Vec<f32> = convolution.linear.weight.val().try_into_vec_as().unwrap();
        for step in 0..4 {
            for filter in 0..filters {
                let mut sum = 0.0;
                for tap in 0..stride * reach {
                    let Some(at) = (step * stride + tap).checked_sub(2).filter(|&at| at < time) else { continue };
                    for channel in 0..channels {
                        sum += x[at * channels + channel] * weight[(tap * channels + channel) * filters + filter];
                    }
                }
                assert!((y[step * filters + filter] - sum.max(0.0)).abs() < 1e-5);
            }
        }
    }
}

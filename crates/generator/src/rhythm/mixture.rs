//! Mixtures of logistic distributions: the density of an interval's logarithm, and draws from it.

use burn::Tensor;
use burn::tensor::activation::{log_softmax, sigmoid};
use rand::{Rng, RngExt};

/// Bounds of a component's scale, in the units of the value: from below what the annotations resolve to wider than any rhythm.
const SCALE: [f64; 2] = [0.01, 3.0];

/// Numbers that fix a mixture of `components`: weights, means and scales.
pub(super) const fn width(components: usize) -> usize {
    3 * components
}

/// The logarithm of the density of `value`, `[rows, 1]`, under the mixtures that `parameters`, `[rows, 3 × components]`, fix:
/// the logarithms of the weights up to a constant, the means, and what a logistic function takes to the scales.
pub(super) fn log_density(parameters: &Tensor<2>, value: Tensor<2>) -> Tensor<2> {
    let components = parameters.dims()[1] / 3;
    let part = |index: usize| parameters.clone().narrow(1, index * components, components);
    let log_scale = sigmoid(part(2)).mul_scalar((SCALE[1] / SCALE[0]).ln()).add_scalar(SCALE[0].ln());
    let distance = ((value - part(1)) / log_scale.clone().exp()).abs();
    // log f(u) = −|u| − 2 log(1 + e^−|u|), the same on both sides.
    let log_logistic = distance.clone().neg() - distance.neg().exp().log1p().mul_scalar(2.0) - log_scale;
    let terms = log_softmax(part(0), 1) + log_logistic;
    let largest = terms.clone().max_dim(1).detach();
    (terms - largest.clone()).exp().sum_dim(1).log() + largest
}

/// A value of the mixture that `parameters` fix.
pub(super) fn draw(parameters: &[f32], stream: &mut impl Rng) -> f64 {
    let components = parameters.len() / 3;
    let (weights, rest) = parameters.split_at(components);
    let (means, scales) = rest.split_at(components);
    let largest = weights.iter().fold(f32::MIN, |a, b| a.max(*b));
    let weights = weights.iter().map(|weight| f64::from(weight - largest).exp());
    let chosen = super::portrait::by_share(weights, stream);
    let uniform: f64 = stream.random_range(1e-12..1.0 - 1e-12);
    let (Some(mean), Some(scale)) = (means.get(chosen), scales.get(chosen)) else { return 0.0 };
    let share = 1.0 / (1.0 + (-f64::from(*scale)).exp());
    f64::from(*mean) + SCALE[0] * (SCALE[1] / SCALE[0]).powf(share) * (uniform / (1.0 - uniform)).ln()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use physiosynth_signal::Seed;

    use super::*;

    const PARAMETERS: [f32; 6] = [0.0, 1.0, -1.0, 1.5, -0.5, -1.0];

    fn density(values: &[f32]) -> Vec<f32> {
        let device = Device::flex();
        let rows = values.len();
        let parameters = Tensor::from_data(TensorData::new(PARAMETERS.repeat(rows), [rows, 6]), &device);
        let values = Tensor::from_data(TensorData::new(values.to_vec(), [rows, 1]), &device);
        log_density(&parameters, values).exp().try_into_vec_as().unwrap()
    }

    #[test]
    fn the_density_adds_up_to_one() {
        let values: Vec<f32> = (0..8000).map(|i| i as f32 * 0.005 - 20.0).collect();
        let sum: f32 = density(&values).iter().map(|d| d * 0.005).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn draws_follow_the_density() {
        let mut stream = Seed(1).stream("draws", 0);
        let draws: Vec<f64> = (0..20_000).map(|_| draw(&PARAMETERS, &mut stream)).collect();
        for [low, high] in [[-3.0_f32, -1.0], [-1.0, 0.5], [0.5, 1.5], [1.5, 4.0]] {
            let steps: Vec<f32> = (0..400).map(|i| low + (high - low) * (i as f32 + 0.5) / 400.0).collect();
            let expected = density(&steps).iter().sum::<f32>() / 400.0 * (high - low);
            let found = draws.iter().filter(|x| (f64::from(low)..f64::from(high)).contains(x)).count() as f32 / 20_000.0;
            assert!((found - expected).abs() < 0.01, "{found} {expected} between {low} and {high}");
        }
    }
}

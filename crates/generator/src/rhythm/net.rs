//! The network: a recurrent layer in one direction, and three heads that take turns.
//!
//! At each beat the layer takes what is told of that beat ([`Features`]), beside what is told of the patient, the same at every
//! beat. Its output gives the rhythm of the next beat by a softmax; that rhythm, once known, and the output give the class of the
//! next beat by a softmax, and for each class a mixture of logistic distributions of the logarithm of its interval. So `p(rhythm,
//! class, interval | past) = p(rhythm | past) · p(class | rhythm, past) · p(interval | class, rhythm, past)`.

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, TensorData};
use physiosynth_recurrent::{Cell, Inputs, Recurrent, RecurrentConfig, State, with_path_ids};
use physiosynth_signal::Seed;
use rand::{Rng, RngExt};

use super::mixture;
use super::tokens::{Features, Vocabulary};

/// A linear layer.
#[derive(Module, Debug)]
struct Linear {
    /// `[inputs, outputs]`.
    weight: Param<Tensor<2>>,
    /// `[outputs]`.
    bias: Param<Tensor<1>>,
}

impl Linear {
    fn new(inputs: usize, outputs: usize, device: &Device, rng: &mut impl Rng) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        let mut uniform = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-bound..bound) as f32).collect() };
        let (weight, bias) = (uniform(inputs * outputs), uniform(outputs));
        Self {
            weight: Param::from_data(TensorData::new(weight, [inputs, outputs]), device),
            bias: Param::from_data(TensorData::new(bias, [outputs]), device),
        }
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        input.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }
}

/// The rhythm model's network.
#[derive(Module, Debug)]
pub(super) struct RhythmNet {
    recurrent: Recurrent,
    rhythm: Linear,
    joint: Linear,
    class: Linear,
    interval: Linear,
    /// From the numbers told of the last beat straight to the mixtures: an interval is close to the last ones.
    direct: Linear,
}

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) units: usize,
    pub(super) components: usize,
    pub(super) classes: usize,
    pub(super) rhythms: usize,
    /// Values told at each beat.
    pub(super) features: usize,
    /// Values told of the patient.
    pub(super) patient: usize,
}

impl Sizes {
    pub(super) fn new(vocabulary: &Vocabulary, units: usize, components: usize, patient: usize) -> Self {
        let (classes, rhythms) = (vocabulary.classes.len(), vocabulary.rhythms.len());
        Self { units, components, classes, rhythms, features: Features::new(vocabulary).width(), patient }
    }
}

/// Logarithms of what a network gives to the beats that came, each `[rows, 1]`.
pub(super) struct LogProbabilities {
    pub(super) rhythm: Tensor<2>,
    pub(super) class: Tensor<2>,
    /// Density in units of deviation; of no meaning where the interval is unknown.
    pub(super) interval: Tensor<2>,
}

/// Beats that came, one row each.
pub(super) struct Came {
    /// One-hot, `[rows, rhythms]`.
    pub(super) rhythm: Tensor<2>,
    /// One-hot, `[rows, classes]`.
    pub(super) class: Tensor<2>,
    /// Deviation of the interval, `[rows, 1]`.
    pub(super) deviation: Tensor<2>,
}

impl RhythmNet {
    pub(super) fn new(sizes: Sizes, seed: Seed, device: &Device) -> Self {
        let mut rng = seed.stream("rhythm: weights", 0);
        let Sizes { units, components, classes, rhythms, features, patient } = sizes;
        let recurrent = RecurrentConfig {
            cell: Cell::Gru,
            input: features,
            constant: patient,
            units,
            layers: 1,
            bidirectional: false,
            ..Default::default()
        };
        let recurrent = recurrent.init(device, &mut rng);
        let mut linear = |inputs: usize, outputs: usize| Linear::new(inputs, outputs, device, &mut rng);
        let mixtures = classes * mixture::width(components);
        with_path_ids(Self {
            recurrent,
            rhythm: linear(units, rhythms),
            joint: linear(units + rhythms, units),
            class: linear(units, classes),
            interval: linear(units, mixtures),
            direct: linear(Features::NUMBERS, mixtures),
        })
    }

    /// Runs the recurrent layer over `features`, `[batch, beats, features]`; gives `[batch × beats, units]` and the state after the last.
    pub(super) fn run(&self, features: Tensor<3>, patient: Tensor<2>, state: Option<State>) -> (Tensor<2>, State) {
        let [batch, beats, _] = features.dims();
        let inputs = Inputs::new(features).constant(patient);
        let inputs = match state {
            Some(state) => inputs.state(state),
            None => inputs,
        };
        // Sizes are those that the network was made with: features and patient come from the same vocabulary.
        let (hidden, state) = self.recurrent.run_with_state(inputs).unwrap_or_else(|problem| panic!("{problem}"));
        let units = hidden.dims()[2];
        (hidden.reshape([batch * beats, units]), state)
    }

    /// What the next beat's rhythm may be: logarithms of probabilities up to a constant, `[rows, rhythms]`.
    pub(super) fn rhythms(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.rhythm.forward(hidden)
    }

    /// What the next beat may be in a rhythm (one-hot, `[rows, rhythms]`): classes as [`rhythms`](Self::rhythms), and each class's mixture
    /// behind one another, `[rows, classes × width]`. `numbers` are the first [`Features::NUMBERS`] told of the last beat.
    pub(super) fn beats(&self, hidden: Tensor<2>, rhythm: Tensor<2>, numbers: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let joint = relu(self.joint.forward(Tensor::cat(vec![hidden, rhythm], 1)));
        (self.class.forward(joint.clone()), self.interval.forward(joint) + self.direct.forward(numbers))
    }

    /// What the network gives to the beats that came behind each of `features`, `[batch, beats, features]`.
    pub(super) fn log_probabilities(&self, features: Tensor<3>, patient: Tensor<2>, came: Came) -> LogProbabilities {
        let [batch, beats, width] = features.dims();
        let rows = batch * beats;
        let numbers = features.clone().reshape([rows, width]).narrow(1, 0, Features::NUMBERS);
        let (hidden, _) = self.run(features, patient, None);
        let rhythm = (log_softmax(self.rhythms(hidden.clone()), 1) * came.rhythm.clone()).sum_dim(1);
        let (classes, mixtures) = self.beats(hidden, came.rhythm, numbers);
        let class = (log_softmax(classes, 1) * came.class.clone()).sum_dim(1);
        let count = came.class.dims()[1];
        let width = mixtures.dims()[1] / count;
        let own = mixtures.reshape([rows, count, width]) * came.class.reshape([rows, count, 1]);
        let interval = mixture::log_density(&own.sum_dim(1).reshape([rows, width]), came.deviation);
        LogProbabilities { rhythm, class, interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_in_pieces_is_the_sequence_whole() {
        let vocabulary = Vocabulary { classes: vec!["N".into(), "V".into()], rhythms: vec!["(N".into(), "(B".into()] };
        let sizes = Sizes::new(&vocabulary, 8, 2, 3);
        let device = Device::flex();
        let net = RhythmNet::new(sizes, Seed(1), &device);
        let values: Vec<f32> = (0..12 * sizes.features).map(|i| (i as f32 * 0.7).sin()).collect();
        let features = Tensor::<3>::from_data(TensorData::new(values, [1, 12, sizes.features]), &device);
        let patient = Tensor::<2>::ones([1, 3], &device);
        let (whole, _) = net.run(features.clone(), patient.clone(), None);
        let (first, state) = net.run(features.clone().narrow(1, 0, 7), patient.clone(), None);
        let (second, _) = net.run(features.narrow(1, 7, 5), patient, Some(state));
        let apart: f32 = (whole - Tensor::cat(vec![first, second], 0)).abs().max().into_scalar();
        assert!(apart < 1e-6, "{apart}");
    }
}

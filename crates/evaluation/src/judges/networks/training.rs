//! How a network learns: batches in which classes are equally frequent, and `AdamW` with a rate that rises and falls.
//!
//! No subjects are kept aside to stop by. On subjects of MIT-BIH's DS1 left out in turn, that cost more than it gained (macro-F1 0.66
//! against 0.70 of the attentive network, 0.65 against 0.67 of the convolutional one, means of three seeds), since rare classes are few
//! subjects' already; and twice the steps still gained (0.71), so that what ends after a fixed number of them has not learnt too long.

use burn::Tensor;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, TensorData};
use physiosynth_signal::Seed;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::Net;
use super::inputs::{Inputs, Scaling};

const BATCH: usize = 64;
/// Highest learning rate, reached after [`RISING`] of the steps; from there it falls to nothing along a cosine.
const RATE: f64 = 8e-3;
const RISING: f64 = 0.15;
const WEIGHT_DECAY: f32 = 1e-2;
/// Share of the values before the head that are dropped in a step.
const DROPOUT: f32 = 0.2;
/// A network is sure of no label: this much of each is spread over the classes.
const SMOOTHING: f32 = 0.05;

/// What a network learns from.
pub(super) struct Lesson<'a> {
    pub scaling: &'a Scaling,
    pub inputs: &'a Inputs,
    pub labels: &'a [usize],
    pub classes: usize,
    pub steps: usize,
    pub seed: Seed,
    /// Names the streams that are drawn from.
    pub purpose: &'a str,
}

impl Lesson<'_> {
    /// `net` after `steps` steps.
    pub(super) fn learn(&self, mut net: Net, device: &Device) -> Net {
        let mut rounds = Rounds::new(self.labels, self.classes, self.stream("batches"));
        let mut masks = self.stream("dropout");
        let mut optimiser = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY).with_epsilon(1e-8).init();
        for step in 0..self.steps {
            let loss = self.loss(&net, &rounds.batch(), &mut masks, device);
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimiser.step(self.rate(step), net, gradients);
        }
        net
    }

    fn stream(&self, what: &str) -> ChaCha8Rng {
        self.seed.stream(&format!("evaluation/network/{}/{what}", self.purpose), 0)
    }

    fn rate(&self, step: usize) -> f64 {
        let at = (step as f64 + 0.5) / self.steps.max(1) as f64;
        let falling = (at - RISING) / (1.0 - RISING);
        if at < RISING { RATE * at / RISING } else { RATE * 0.5 * (1.0 + (std::f64::consts::PI * falling).cos()) }
    }

    /// Mean cross-entropy of `batch`.
    fn loss(&self, net: &Net, batch: &[usize], masks: &mut ChaCha8Rng, device: &Device) -> Tensor<1> {
        let (signals, facts) = self.scaling.tensors(self.inputs, batch, device);
        let logits = net.head(drop_out(net.look(signals, facts).embedding, masks));
        let spread = SMOOTHING / self.classes.max(1) as f32;
        let target = batch.iter().flat_map(|&i| {
            (0..self.classes).map(move |class| if self.labels[i] == class { 1.0 - SMOOTHING + spread } else { spread })
        });
        let target = TensorData::new(target.collect::<Vec<f32>>(), [batch.len(), self.classes]);
        (log_softmax(logits, 1) * Tensor::<2>::from_data(target, device)).sum_dim(1).mean().neg()
    }
}

/// Zeroes a share of the values and scales the others up, so that the mean stays.
fn drop_out(values: Tensor<2>, rng: &mut impl Rng) -> Tensor<2> {
    let shape = values.dims();
    let mask: Vec<f32> =
        (0..shape[0] * shape[1]).map(|_| if rng.random::<f32>() < DROPOUT { 0.0 } else { 1.0 / (1.0 - DROPOUT) }).collect();
    let mask = Tensor::from_data(TensorData::new(mask, shape), &values.device());
    values * mask
}

/// Endless batches: classes take turns, and a class's examples come in a new order each time that all have been seen.
struct Rounds {
    /// Examples of each class that has any, and how many of the present order have been used.
    classes: Vec<(Vec<usize>, usize)>,
    turn: usize,
    rng: ChaCha8Rng,
}

impl Rounds {
    fn new(labels: &[usize], classes: usize, rng: ChaCha8Rng) -> Self {
        let of_class = |class: usize| (0..labels.len()).filter(|&i| labels[i] == class).collect::<Vec<_>>();
        let classes = (0..classes).map(of_class).filter(|examples| !examples.is_empty());
        // As if all had been seen: the first use brings an order.
        Self { classes: classes.map(|examples| (examples.clone(), examples.len())).collect(), turn: 0, rng }
    }

    fn batch(&mut self) -> Vec<usize> {
        let count = self.classes.len();
        (0..if count == 0 { 0 } else { BATCH })
            .map(|_| {
                let (examples, used) = &mut self.classes[self.turn % count];
                self.turn += 1;
                if *used == examples.len() {
                    examples.shuffle(&mut self.rng);
                    *used = 0;
                }
                *used += 1;
                examples[*used - 1]
            })
            .collect()
    }
}

//! How a network learns: batches in which classes are equally frequent, AdamW with a rate that rises and falls, and the best weights by
//! the loss on subjects kept aside.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, TensorData};
use physiosynth_signal::Seed;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::inputs::{Inputs, Scaling};
use super::{Net, ROWS};

const BATCH: usize = 64;
/// Highest learning rate, reached after [`RISING`] of the steps; from there it falls to nothing along a cosine.
const RATE: f64 = 8e-3;
const RISING: f64 = 0.15;
const WEIGHT_DECAY: f32 = 1e-2;
/// Share of the values before the head that are dropped in a step.
const DROPOUT: f32 = 0.2;
/// A network is sure of no label: this much of each is spread over the classes.
const SMOOTHING: f32 = 0.05;
/// Share of the examples kept aside to choose the weights by.
const ASIDE: f64 = 0.15;
/// How often those are looked at.
const LOOKS: usize = 8;

/// What a network learns from.
pub(super) struct Lesson<'a> {
    pub scaling: &'a Scaling,
    pub inputs: &'a Inputs,
    pub labels: &'a [usize],
    /// One for each example, or none at all where subjects are unknown.
    pub subjects: &'a [String],
    pub classes: usize,
    pub steps: usize,
    pub seed: Seed,
    /// Names the streams that are drawn from.
    pub purpose: &'a str,
}

impl Lesson<'_> {
    /// `net` after `steps` steps, or as it was when the examples kept aside spoke best of it.
    pub(super) fn learn(&self, mut net: Net, device: &Device) -> Net {
        let (learnt, aside) = self.parted();
        let mut rounds = Rounds::new(self.labels, &learnt, self.classes, self.stream("batches"));
        let mut masks = self.stream("dropout");
        let mut optimiser = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY).with_epsilon(1e-8).init();
        let mut best: Option<(f64, Net)> = None;
        for step in 0..self.steps {
            let batch = rounds.batch();
            let loss = self.loss(&net, &batch, Some(&mut masks), device).mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimiser.step(self.rate(step), net, gradients);
            let looks = |step: usize| step * LOOKS / self.steps.max(1);
            if !aside.is_empty() && looks(step + 1) > looks(step) {
                let loss = self.loss_aside(&net, &aside, device);
                if best.as_ref().is_none_or(|(lowest, _)| loss < *lowest) {
                    best = Some((loss, net.clone()));
                }
            }
        }
        best.map_or(net, |(_, best)| best)
    }

    fn stream(&self, what: &str) -> ChaCha8Rng {
        self.seed.stream(&format!("evaluation/network/{}/{what}", self.purpose), 0)
    }

    fn rate(&self, step: usize) -> f64 {
        let at = (step as f64 + 0.5) / self.steps.max(1) as f64;
        let falling = (at - RISING) / (1.0 - RISING);
        if at < RISING { RATE * at / RISING } else { RATE * 0.5 * (1.0 + (std::f64::consts::PI * falling).cos()) }
    }

    /// Examples to learn from, and those kept aside: whole subjects where they are known. Nothing is kept aside where a class would be
    /// missing from either.
    fn parted(&self) -> (Vec<usize>, Vec<usize>) {
        let all = self.labels.len();
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for i in 0..all {
            let subject = self.subjects.get(i).filter(|subject| !subject.is_empty());
            groups.entry(subject.map_or_else(|| format!("#{i}"), |subject| format!("={subject}"))).or_default().push(i);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.shuffle(&mut self.stream("aside"));
        let wanted = all as f64 * ASIDE;
        let (mut learnt, mut aside) = (Vec::new(), Vec::new());
        for group in groups {
            // A subject of half of the examples would leave too few.
            let fits = (aside.len() as f64) < wanted && (aside.len() + group.len()) as f64 <= 2.0 * wanted;
            if fits { aside.extend(group) } else { learnt.extend(group) }
        }
        let has = |part: &[usize], class: usize| part.iter().any(|&i| self.labels[i] == class);
        let complete = (0..self.classes).all(|class| has(&learnt, class) == has(&aside, class));
        learnt.sort_unstable();
        aside.sort_unstable();
        if complete { (learnt, aside) } else { ((0..all).collect(), Vec::new()) }
    }

    /// Cross-entropy of each of `batch`, `[batch]`.
    fn loss(&self, net: &Net, batch: &[usize], masks: Option<&mut ChaCha8Rng>, device: &Device) -> Tensor<1> {
        let (signals, facts) = self.scaling.tensors(self.inputs, batch, device);
        let drop = |values: Tensor<2>| match masks {
            Some(rng) => drop_out(values, rng),
            None => values,
        };
        let logits = net.head(drop(net.look(signals, facts).embedding));
        let spread = SMOOTHING / self.classes.max(1) as f32;
        let target = batch.iter().flat_map(|&i| {
            (0..self.classes).map(move |class| if self.labels[i] == class { 1.0 - SMOOTHING + spread } else { spread })
        });
        let target = TensorData::new(target.collect::<Vec<f32>>(), [batch.len(), self.classes]);
        (log_softmax(logits, 1) * Tensor::<2>::from_data(target, device)).sum_dim(1).squeeze_dim::<1>(1).neg()
    }

    /// Mean over classes of the mean cross-entropy.
    fn loss_aside(&self, net: &Net, aside: &[usize], device: &Device) -> f64 {
        let net = net.valid();
        let device = device.clone().without_autodiff();
        let mut sums = vec![(0.0_f64, 0.0_f64); self.classes];
        for rows in aside.chunks(ROWS) {
            let losses = self.loss(&net, rows, None, &device).try_into_vec_as::<f32>().unwrap_or_default();
            for (&i, loss) in rows.iter().zip(losses) {
                let of_class = &mut sums[self.labels[i]];
                *of_class = (of_class.0 + f64::from(loss), of_class.1 + 1.0);
            }
        }
        let means = sums.iter().filter(|(_, n)| *n > 0.0).map(|(sum, n)| sum / n);
        means.clone().sum::<f64>() / means.count().max(1) as f64
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
    fn new(labels: &[usize], learnt: &[usize], classes: usize, rng: ChaCha8Rng) -> Self {
        let of_class = |class: usize| learnt.iter().copied().filter(|&i| labels[i] == class).collect::<Vec<_>>();
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

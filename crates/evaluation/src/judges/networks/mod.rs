//! Networks as judges: a convolutional one, and a convolutional-recurrent one with attention.
//!
//! They are small and learn for a fixed number of steps, on the CPU whatever else a run computes on, so that scores do not depend on
//! the machine's GPU. All randomness is the host's.

mod attentive;
mod convolutional;
mod inputs;
mod layers;
mod side_by_side;
mod training;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;
use burn::tensor::activation::{relu, softmax};
use physiosynth_recurrent::with_path_ids;
use physiosynth_signal::Seed;
use rand::Rng;

use super::{Classifier, Examples, Fitted, Table};
use attentive::Attentive;
use convolutional::Convolutional;
use inputs::{Scaling, table};
use layers::Linear;
use training::Lesson;

pub(crate) use side_by_side::side_by_side;

/// Examples that a network looks at together when it does not learn.
const ROWS: usize = 256;

/// Values of the layer before the head: what a segment is to a network.
pub const EMBEDDING: usize = 24;

/// What a network is built like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Three convolutions, then the mean and the maximum over time of each filter.
    Convolutional,
    /// Two convolutions, a bidirectional GRU, additive attention over time.
    Attentive,
}

/// A network to be taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// What it is built like.
    pub architecture: Architecture,
    /// Training steps, each on 64 examples.
    pub steps: usize,
}

impl Network {
    /// One of each architecture.
    pub fn all(steps: usize) -> [Self; 2] {
        [Architecture::Convolutional, Architecture::Attentive].map(|architecture| Self { architecture, steps })
    }

    /// Teaches a new network; see [`Classifier::fit`].
    pub fn learn(&self, examples: &Examples, labels: &[usize], classes: usize, seed: Seed, purpose: &str) -> Learnt {
        let device = Device::flex().autodiff();
        let scaling = Scaling::of(examples);
        let inputs = scaling.apply(examples);
        let purpose = format!("{}/{purpose}", self.name());
        let mut weights = seed.stream(&format!("evaluation/network/{purpose}/weights"), 0);
        let net = Net::new(self.architecture, &scaling, classes, &device, &mut weights);
        let lesson = Lesson { scaling: &scaling, inputs: &inputs, labels, classes, steps: self.steps, seed, purpose: &purpose };
        let net = lesson.learn(net, &device).valid();
        Learnt { net, scaling, classes }
    }
}

impl Classifier for Network {
    fn name(&self) -> &'static str {
        match self.architecture {
            Architecture::Convolutional => "convolutional",
            Architecture::Attentive => "attentive",
        }
    }

    fn fit(&self, examples: &Examples, labels: &[usize], classes: usize, seed: Seed, purpose: &str) -> Box<dyn Fitted> {
        Box::new(self.learn(examples, labels, classes, seed, purpose))
    }
}

/// A network that has learnt.
pub struct Learnt {
    net: Net,
    scaling: Scaling,
    classes: usize,
}

impl Learnt {
    /// What each of `examples` is to the network: the values before its head, `[example, EMBEDDING]`.
    pub fn embedding(&self, examples: &Examples) -> Table {
        self.over(examples, EMBEDDING, |seen| Some(seen.embedding)).unwrap_or_default()
    }

    /// What `of` makes of each example, in order.
    fn over(&self, examples: &Examples, columns: usize, of: impl Fn(Seen) -> Option<Tensor<2>>) -> Option<Table> {
        let device = Device::flex();
        let inputs = self.scaling.apply(examples);
        let indices: Vec<usize> = (0..examples.signals.len()).collect();
        let mut all = Table::new(columns, Vec::new());
        for rows in indices.chunks(ROWS) {
            let (signals, facts) = self.scaling.tensors(&inputs, rows, &device);
            all.append(&table(of(self.net.look(signals, facts))?));
        }
        Some(all)
    }
}

impl Fitted for Learnt {
    fn probabilities(&self, examples: &Examples) -> Table {
        let head = |seen: Seen| Some(softmax(self.net.head(seen.embedding), 1));
        self.over(examples, self.classes, head).unwrap_or_default()
    }

    fn attention(&self, examples: &Examples) -> Option<Table> {
        self.over(examples, 0, |seen| seen.attention)
    }
}

/// A network's weights.
#[derive(Module, Debug)]
struct Net {
    body: Body,
    hidden: Linear,
    head: Linear,
}

/// What looks at the curve.
#[expect(clippy::large_enum_variant, reason = "there is one of it in a network, and burn derives no module for a box")]
#[derive(Module, Debug)]
enum Body {
    Convolutional(Convolutional),
    Attentive(Attentive),
}

/// What a network makes of a batch.
struct Seen {
    /// `[batch, EMBEDDING]`.
    embedding: Tensor<2>,
    /// `[batch, stretch]`; of networks without attention none.
    attention: Option<Tensor<2>>,
}

impl Net {
    fn new(architecture: Architecture, scaling: &Scaling, classes: usize, device: &Device, rng: &mut impl Rng) -> Self {
        let channels = scaling.channels();
        let (body, width) = match architecture {
            Architecture::Convolutional => (Body::Convolutional(Convolutional::new(channels, device, rng)), Convolutional::WIDTH),
            Architecture::Attentive => (Body::Attentive(Attentive::new(channels, device, rng)), Attentive::WIDTH),
        };
        let hidden = Linear::new(width + scaling.facts(), EMBEDDING, 1.0, device, rng);
        with_path_ids(Self { body, hidden, head: Linear::new(EMBEDDING, classes, 0.5, device, rng) })
    }

    fn look(&self, signals: Tensor<3>, facts: Option<Tensor<2>>) -> Seen {
        let (seen, attention) = match &self.body {
            Body::Convolutional(body) => (body.forward(signals), None),
            Body::Attentive(body) => {
                let (seen, attention) = body.forward(signals);
                (seen, Some(attention))
            }
        };
        let known = match facts {
            Some(facts) => Tensor::cat(vec![seen, facts], 1),
            None => seen,
        };
        Seen { embedding: relu(self.hidden.forward(known)), attention }
    }

    /// Logits, `[batch, classes]`, of an embedding.
    fn head(&self, embedding: Tensor<2>) -> Tensor<2> {
        self.head.forward(embedding)
    }
}

#[cfg(test)]
mod tests;

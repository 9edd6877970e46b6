//! What a recurrent net is made of.

use burn::Tensor;
use burn::module::Param;
use burn::tensor::{Device, TensorData};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::identity::drawn_id;
use crate::{Kernel, Layer, Recurrent};

/// The recurrence computed at each time step.
///
/// Written for one direction, `x` the input and `h` the hidden state at the step before; `σ` is the logistic function,
/// `∘` the product by element. Gates stand in a weight's rows in the order given, as in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000). Gates i, f, g, o:
    /// `i, f, o = σ(Wx + Uh + b)`, `g = tanh(Wx + Uh + b)`, `c' = f∘c + i∘g`, `h' = o∘tanh(c')`.
    #[default]
    Lstm,
    /// Gated recurrent unit (Cho et al. 2014). Gates r, z, n: `r, z = σ(Wx + Uh + b)`,
    /// `n = tanh(Wx + b + r∘(Uh + b'))` (see [`RecurrentConfig::reset_after`]), `h' = (1 − z)∘n + z∘h`.
    Gru,
    /// Elman's simple net (1990): `h' = tanh(Wx + Uh + b)`.
    Simple,
}

impl Cell {
    /// How many gates a weight of this cell holds, each `units` rows high.
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Simple => 1,
        }
    }
}

/// A recurrent net: cell, sizes, stacking. Ready for use as a table of a configuration file.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use physiosynth_recurrent::{Cell, RecurrentConfig};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// let config = RecurrentConfig { cell: Cell::Gru, input: 3, units: 8, bidirectional: true, ..Default::default() };
/// config.validate()?;
/// let device = Device::flex();
/// let net = config.init(&device, &mut ChaCha8Rng::seed_from_u64(7));
/// let output = net.forward(Tensor::zeros([5, 20, 3], &device), None);
/// assert_eq!(output.dims(), [5, 20, 16]);
/// # Ok::<(), physiosynth_recurrent::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecurrentConfig {
    /// The recurrence: `lstm`, `gru` or `simple`. Default `lstm`.
    pub cell: Cell,
    /// Features of the input at each time step. Default 1.
    pub input: usize,
    /// Inputs that are the same at every step of a sequence (conditions), fed to the first layer beside the sequence
    /// ([`Inputs::constant`](crate::Inputs::constant)) and multiplied with their weights once. Default 0.
    pub constant: usize,
    /// Units of each layer and direction. Default 64.
    pub units: usize,
    /// Layers stacked: each takes what the one below gives. Default 1.
    pub layers: usize,
    /// Whether a second set of units runs backwards through time; its output stands behind the forward one's. Default true.
    pub bidirectional: bool,
    /// Share of values dropped between layers while training, 0 to below 1. Default 0.
    pub dropout: f64,
    /// Where a GRU applies its reset gate: to the product with the hidden state (true; PyTorch, cuDNN, Keras's default:
    /// `r∘(Uh + b')`) or to the hidden state before the product (false; Cho et al. 2014: `U(r∘h) + b'`). Other cells ignore
    /// it. Default true.
    pub reset_after: bool,
    /// What the forget gate's bias of an LSTM starts at, on top of its draw: a positive value lets memory last from the
    /// first step (Jozefowicz et al. 2015). 1 in Keras, 0 in PyTorch. Other cells ignore it. Default 1.
    pub forget_bias: f64,
    /// Steps between those at which the fused CPU kernel keeps what the way back needs; what lies between is computed again.
    /// 0 keeps everything: fastest; 16 and more save most of the memory of long sequences and cost one more run forward. The
    /// results are the same to the last bit. Default 0.
    pub checkpoint: usize,
}

impl Default for RecurrentConfig {
    fn default() -> Self {
        Self {
            cell: Cell::Lstm,
            input: 1,
            constant: 0,
            units: 64,
            layers: 1,
            bidirectional: true,
            dropout: 0.0,
            reset_after: true,
            forget_bias: 1.0,
            checkpoint: 0,
        }
    }
}

/// What is wrong with a [`RecurrentConfig`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A size is zero.
    #[error("`{0}` of a recurrent net must be at least 1")]
    Empty(&'static str),
    /// The share to drop is no share, or is all.
    #[error("`dropout` of a recurrent net must be at least 0 and below 1, not {0}")]
    Dropout(f64),
    /// The forget gate's bias is not a number.
    #[error("`forget_bias` of a recurrent net must be finite, not {0}")]
    ForgetBias(f64),
}

impl RecurrentConfig {
    /// Directions through time: 2 when bidirectional, else 1.
    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Features of the output at each time step: directions × units.
    pub fn output(&self) -> usize {
        self.directions() * self.units
    }

    /// Names the first rule that the configuration breaks.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (size, name) in [(self.input, "input"), (self.units, "units"), (self.layers, "layers")] {
            if size == 0 {
                return Err(ConfigError::Empty(name));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ConfigError::Dropout(self.dropout));
        }
        if !self.forget_bias.is_finite() {
            return Err(ConfigError::ForgetBias(self.forget_bias));
        }
        Ok(())
    }

    /// Draws the weights and uploads them: each uniform between ±1/√units as in PyTorch, layer by layer in the order
    /// `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`; then an LSTM's [`forget_bias`](Self::forget_bias) is added to
    /// `bias_ih`. The values depend on `rng` alone, not on the device. Parameter identities are drawn from `rng` as well;
    /// [`with_path_ids`](crate::with_path_ids) makes those of a whole model depend on their paths alone.
    ///
    /// To train, pass an autodiff device (`device.autodiff()`). The configuration must have passed
    /// [`validate`](Self::validate).
    pub fn init(&self, device: &Device, rng: &mut impl Rng) -> Recurrent {
        let layers = (0..self.layers)
            .map(|index| {
                let input = if index == 0 { self.input + self.constant } else { self.output() };
                self.init_layer(input, device, rng)
            })
            .collect();
        Recurrent { layers, config: self.clone(), kernel: Kernel::Auto }
    }

    fn init_layer(&self, input: usize, device: &Device, rng: &mut impl Rng) -> Layer {
        let (directions, rows) = (self.directions(), self.cell.gates() * self.units);
        let bound = 1.0 / (self.units as f64).sqrt();
        let weight_ih = uniform(directions * rows * input, bound, rng);
        let weight_hh = uniform(directions * rows * self.units, bound, rng);
        let mut bias_ih = uniform(directions * rows, bound, rng);
        let bias_hh = uniform(directions * rows, bound, rng);
        if self.cell == Cell::Lstm {
            for direction in bias_ih.chunks_mut(rows) {
                for bias in direction.iter_mut().skip(self.units).take(self.units) {
                    *bias += self.forget_bias as f32;
                }
            }
        }
        Layer {
            weight_ih: parameter(weight_ih, [directions, rows, input], device, rng),
            weight_hh: parameter(weight_hh, [directions, rows, self.units], device, rng),
            bias_ih: parameter(bias_ih, [directions, rows], device, rng),
            bias_hh: parameter(bias_hh, [directions, rows], device, rng),
        }
    }
}

/// `n` draws, uniform between −`bound` and `bound`.
fn uniform(n: usize, bound: f64, rng: &mut impl Rng) -> Vec<f32> {
    let step = 2.0 * bound / f64::from(1_u32 << 24);
    (0..n).map(|_| (f64::from(rng.next_u32() >> 8) * step - bound) as f32).collect()
}

fn parameter<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device, rng: &mut impl Rng) -> Param<Tensor<D>> {
    let mut param = Param::from_data(TensorData::new(values, shape), device);
    param.id = drawn_id(rng);
    param
}

//! The layers under the names that users know, each a thin cover over [`Recurrent`].

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;
use rand::Rng;

use crate::recurrent::or_panic;
use crate::{Cell, ConfigError, InputError, Inputs, Kernel, Recurrent, RecurrentConfig, State, StateDict, StateDictError};

/// Where a GRU applies its reset gate r, of the two definitions in use. Weights trained with one make no sense in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResetGate {
    /// To the product with the hidden state, `r∘(Uh + b')`: PyTorch, cuDNN, and Keras by default (`reset_after=True`).
    #[default]
    After,
    /// To the hidden state before the product, `U(r∘h) + b'`: Cho et al. 2014, and Keras with `reset_after=False`.
    Before,
}

/// What an LSTM carries from one piece of a sequence to the next, as PyTorch's `(h_n, c_n)`; row `layer × directions +
/// direction`.
#[derive(Debug, Clone)]
pub struct LstmState {
    /// Hidden states: `[layers × directions, batch, units]`.
    pub hidden: Tensor<3>,
    /// Cell states: `[layers × directions, batch, units]`.
    pub cell: Tensor<3>,
}

impl From<LstmState> for State {
    fn from(LstmState { hidden, cell }: LstmState) -> Self {
        Self { hidden, cell: Some(cell) }
    }
}

impl From<&LstmState> for State {
    fn from(state: &LstmState) -> Self {
        state.clone().into()
    }
}

/// The state of a net of LSTM cells.
fn lstm_state(State { hidden, cell }: State) -> LstmState {
    let cell = cell.unwrap_or_else(|| hidden.zeros_like());
    LstmState { hidden, cell }
}

/// The state of a net whose cells have hidden states alone.
fn hidden_state(state: State) -> Tensor<3> {
    state.hidden
}

/// What a named layer and its configuration have in common with the others.
macro_rules! named {
    ($layer:ident, $config:ident, $cell:expr, $state:ty, $of:expr) => {
        impl $config {
            /// Takes `input` features at each step into `units` units: one layer, forwards through time, nothing dropped.
            pub fn new(input: usize, units: usize) -> Self {
                Self(RecurrentConfig { cell: $cell, input, units, bidirectional: false, ..RecurrentConfig::default() })
            }

            /// Layers stacked, each taking what the one below gives (`num_layers` in PyTorch). Default 1.
            #[must_use]
            pub fn layers(mut self, layers: usize) -> Self {
                self.0.layers = layers;
                self
            }

            /// Whether a second set of units runs backwards through time; its output stands behind the forward one's. Default
            /// false.
            #[must_use]
            pub fn bidirectional(mut self, bidirectional: bool) -> Self {
                self.0.bidirectional = bidirectional;
                self
            }

            /// Share of values dropped between layers, 0 to below 1, in runs that bring a generator to draw from
            /// ([`Inputs::dropout`]). Default 0.
            #[must_use]
            pub fn dropout(mut self, share: f64) -> Self {
                self.0.dropout = share;
                self
            }

            /// Inputs that are the same at every step, fed by [`Inputs::constant`]. Default 0.
            #[must_use]
            pub fn constant(mut self, constants: usize) -> Self {
                self.0.constant = constants;
                self
            }

            /// Steps between those at which the fused CPU kernel keeps what the way back needs
            /// ([`RecurrentConfig::checkpoint`]). Default 0: keeps everything.
            #[must_use]
            pub fn checkpoint(mut self, steps: usize) -> Self {
                self.0.checkpoint = steps;
                self
            }

            /// Names the first rule that the configuration breaks.
            pub fn validate(&self) -> Result<(), ConfigError> {
                self.0.validate()
            }

            /// Draws the weights from `rng` and uploads them, as [`RecurrentConfig::init`] does. To train, pass an autodiff
            /// device (`device.autodiff()`).
            ///
            /// # Panics
            ///
            /// Where [`validate`](Self::validate) gives an error.
            pub fn init(&self, device: &Device, rng: &mut impl Rng) -> $layer {
                if let Err(problem) = self.validate() {
                    panic!("{problem}");
                }
                $layer { recurrent: self.0.init(device, rng) }
            }
        }

        impl From<$config> for RecurrentConfig {
            fn from(config: $config) -> Self {
                config.0
            }
        }

        impl $layer {
            /// Runs the layer over a `Tensor<3>`, `[batch, time, features]`, or [`Inputs`]; gives
            /// `[batch, time, directions × units]` and the state behind the last step.
            ///
            /// # Panics
            ///
            /// Where [`run`](Self::run) gives an error.
            pub fn forward<'a>(&self, inputs: impl Into<Inputs<'a>>) -> (Tensor<3>, $state) {
                or_panic(self.run(inputs))
            }

            /// As [`forward`](Self::forward), with an error where the inputs do not fit.
            pub fn run<'a>(&self, inputs: impl Into<Inputs<'a>>) -> Result<(Tensor<3>, $state), InputError> {
                let (output, state) = self.recurrent.run_with_state(inputs.into())?;
                Ok((output, $of(state)))
            }

            /// The net beneath, with its weights and its configuration.
            pub fn recurrent(&self) -> &Recurrent {
                &self.recurrent
            }

            /// The same layer with sequences run by `kernel`.
            #[must_use]
            pub fn with_kernel(self, kernel: Kernel) -> Self {
                Self { recurrent: self.recurrent.with_kernel(kernel) }
            }

            /// The same layer with PyTorch's weights in place of its own; see [`Recurrent::with_state_dict`].
            pub fn with_state_dict(self, weights: &StateDict, prefix: &str) -> Result<Self, StateDictError> {
                Ok(Self { recurrent: self.recurrent.with_state_dict(weights, prefix)? })
            }

            /// The same layer with Keras's weights in place of its own; see [`Recurrent::with_keras_weights`].
            pub fn with_keras_weights(self, weights: &StateDict, prefixes: &[&str]) -> Result<Self, StateDictError> {
                Ok(Self { recurrent: self.recurrent.with_keras_weights(weights, prefixes)? })
            }

            /// The weights under PyTorch's names; see [`Recurrent::state_dict`].
            pub fn state_dict(&self, prefix: &str) -> Result<StateDict, StateDictError> {
                self.recurrent.state_dict(prefix)
            }
        }

        impl From<$layer> for Recurrent {
            fn from(layer: $layer) -> Self {
                layer.recurrent
            }
        }
    };
}

/// Long short-term memory, as `torch.nn.LSTM` with `batch_first` and `keras.layers.LSTM` ([`Cell::Lstm`]).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use physiosynth_recurrent::{Inputs, LstmConfig};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// let device = Device::flex();
/// let lstm = LstmConfig::new(3, 8).layers(2).init(&device, &mut ChaCha8Rng::seed_from_u64(7));
/// let (output, state) = lstm.forward(Tensor::<3>::zeros([5, 20, 3], &device));
/// assert_eq!((output.dims(), state.cell.dims()), ([5, 20, 8], [2, 5, 8]));
/// // On from there.
/// let (output, _) = lstm.forward(Inputs::new(Tensor::zeros([5, 4, 3], &device)).state(&state));
/// assert_eq!(output.dims(), [5, 4, 8]);
/// ```
#[derive(Module, Debug)]
pub struct Lstm {
    recurrent: Recurrent,
}

/// An [`Lstm`]'s sizes and options.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmConfig(RecurrentConfig);

impl LstmConfig {
    /// What the forget gate's bias starts at, on top of its draw ([`RecurrentConfig::forget_bias`]). Default 1, as in Keras; 0
    /// in PyTorch.
    #[must_use]
    pub fn forget_bias(mut self, bias: f64) -> Self {
        self.0.forget_bias = bias;
        self
    }
}

named!(Lstm, LstmConfig, Cell::Lstm, LstmState, lstm_state);

/// Gated recurrent unit, as `torch.nn.GRU` with `batch_first` and `keras.layers.GRU` ([`Cell::Gru`]).
///
/// The state is that of the hidden units alone, `[layers × directions, batch, units]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use physiosynth_recurrent::{GruConfig, Inputs, Lengths, ResetGate};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// let device = Device::flex();
/// let config = GruConfig::new(3, 8).bidirectional(true).reset_gate(ResetGate::Before);
/// let gru = config.init(&device, &mut ChaCha8Rng::seed_from_u64(7));
/// // Two sequences, the second 6 steps long and padded to 20.
/// let inputs = Inputs::new(Tensor::zeros([2, 20, 3], &device)).lengths(&Lengths::new(&[20, 6], 20)?);
/// let (output, hidden) = gru.run(inputs)?;
/// assert_eq!((output.dims(), hidden.dims()), ([2, 20, 16], [2, 2, 8]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Module, Debug)]
pub struct Gru {
    recurrent: Recurrent,
}

/// A [`Gru`]'s sizes and options.
#[derive(Debug, Clone, PartialEq)]
pub struct GruConfig(RecurrentConfig);

impl GruConfig {
    /// Where the reset gate is applied. Default [`ResetGate::After`].
    #[must_use]
    pub fn reset_gate(mut self, gate: ResetGate) -> Self {
        self.0.reset_after = gate == ResetGate::After;
        self
    }
}

named!(Gru, GruConfig, Cell::Gru, Tensor<3>, hidden_state);

/// Elman's simple net, as `torch.nn.RNN` with `batch_first` and `keras.layers.SimpleRNN`, both with tanh ([`Cell::Simple`]).
///
/// The state is that of the hidden units alone, `[layers × directions, batch, units]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use physiosynth_recurrent::{Inputs, SimpleRnnConfig};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// let device = Device::flex();
/// let config = SimpleRnnConfig::new(3, 8).layers(2).constant(4).dropout(0.1);
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let net = config.init(&device, &mut rng);
/// // A training run: 4 conditions for each sequence, and a generator for the dropped values.
/// let inputs = Inputs::new(Tensor::zeros([5, 20, 3], &device)).constant(Tensor::ones([5, 4], &device)).dropout(&mut rng);
/// let (output, hidden) = net.run(inputs)?;
/// assert_eq!((output.dims(), hidden.dims()), ([5, 20, 8], [2, 5, 8]));
/// # Ok::<(), physiosynth_recurrent::InputError>(())
/// ```
#[derive(Module, Debug)]
pub struct SimpleRnn {
    recurrent: Recurrent,
}

/// A [`SimpleRnn`]'s sizes and options.
#[derive(Debug, Clone, PartialEq)]
pub struct SimpleRnnConfig(RecurrentConfig);

named!(SimpleRnn, SimpleRnnConfig, Cell::Simple, Tensor<3>, hidden_state);

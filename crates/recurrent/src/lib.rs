//! Recurrent layers for burn with whole-sequence kernels.
//!
//! [`Lstm`], [`Gru`] and [`SimpleRnn`], stacked or not, in one direction through time or both: configuration → `init` →
//! `forward`, `[batch, time, features]` in, `[batch, time, directions × units]` and the last state out. Beneath each lies a
//! [`Recurrent`], made by a [`RecurrentConfig`], which names the cell by a value and can stand in a configuration file.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use physiosynth_recurrent::{GruConfig, Inputs, Lengths, LstmConfig, SimpleRnnConfig};
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//!
//! let (device, mut rng) = (Device::flex(), ChaCha8Rng::seed_from_u64(7));
//! let input = Tensor::<3>::zeros([2, 20, 3], &device);
//!
//! let lstm = LstmConfig::new(3, 8).layers(2).bidirectional(true).init(&device, &mut rng);
//! let (output, state) = lstm.forward(input.clone());
//! assert_eq!((output.dims(), state.hidden.dims(), state.cell.dims()), ([2, 20, 16], [4, 2, 8], [4, 2, 8]));
//!
//! // Padded rows: 20 steps and 6.
//! let gru = GruConfig::new(3, 8).init(&device, &mut rng);
//! let (output, hidden) = gru.run(Inputs::new(input.clone()).lengths(&Lengths::new(&[20, 6], 20)?))?;
//! assert_eq!((output.dims(), hidden.dims()), ([2, 20, 8], [1, 2, 8]));
//!
//! // Five conditions for each sequence, the same at every step.
//! let simple = SimpleRnnConfig::new(3, 8).constant(5).init(&device, &mut rng);
//! let (output, _) = simple.run(Inputs::new(input).constant(Tensor::ones([2, 5], &device)))?;
//! assert_eq!(output.dims(), [2, 20, 8]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Beside PyTorch and Keras
//!
//! | here | `torch.nn` | `keras.layers` |
//! |---|---|---|
//! | [`LstmConfig::new(3, 8)`](LstmConfig::new) | `LSTM(3, 8, batch_first=True)` | `LSTM(8, return_sequences=True, return_state=True)` |
//! | [`GruConfig::new(3, 8)`](GruConfig::new) | `GRU(3, 8, batch_first=True)` | `GRU(8, …)` |
//! | [`.reset_gate(ResetGate::Before)`](GruConfig::reset_gate) | – | `GRU(8, reset_after=False, …)` |
//! | [`SimpleRnnConfig::new(3, 8)`](SimpleRnnConfig::new) | `RNN(3, 8, batch_first=True)` | `SimpleRNN(8, …)` |
//! | `.layers(2)`; default 1 | `num_layers=2`; default 1 | two layers, one after the other |
//! | `.bidirectional(true)`; default false | `bidirectional=True`; default `False` | `Bidirectional(…)`, `merge_mode="concat"` |
//! | `.dropout(0.1)` and [`Inputs::dropout`]: between layers | `dropout=0.1` and `train()`: between layers | – (`dropout` there is one mask for all steps of a layer's input) |
//! | [`Lengths`]; zeros behind a row's end | `pack_padded_sequence`; zeros | a mask padded on the right; a row's last output repeated |
//! | `.constant(5)` and [`Inputs::constant`] | the same values concatenated at every step | the same |
//! | [`Inputs::state`] and the state returned: `[layers × directions, batch, units]` | `h_0`, `c_0`; `h_n`, `c_n`: the same | `initial_state`, `return_state`: an array each |
//! | weights `[gates × units, features]` | the same | `[features, gates × units]` |
//! | gates i, f, g, o; r, z, n | the same | i, f, c, o; z, r, h |
//! | two biases, `bias_ih` and `bias_hh` | two | one; two in a `GRU` with `reset_after` |
//! | drawn uniform between ±1/√units; the forget gate's bias 1 higher ([`LstmConfig::forget_bias`]) | drawn uniform between ±1/√units | Glorot, orthogonal, zeros; the forget gate's bias 1 |
//! | [`StateDict::read`], [`Recurrent::with_state_dict`], [`Recurrent::state_dict`] | `load_state_dict`, `state_dict`, as safetensors | [`Recurrent::with_keras_weights`] |
//!
//! # What runs
//!
//! On the CPU and on GPUs a layer's whole run, forward and back, is one operation of a hand-written kernel (`src/kernel/mod.rs`
//! and `src/cube/mod.rs` explain them). Whatever has none (another device, another type than `f32`) takes burn's
//! tensor operations, with the same results; [`Kernel`] compares the two. Gradients come from burn's autodiff devices:
//! `init(&device.autodiff(), …)`.
//!
//! # The same every time
//!
//! Every random choice (weights, dropout masks) is drawn on the host from a generator that the caller passes. On the CPU the
//! results, gradients among them, are the same to the last bit from run to run and with any number of threads; on a GPU they
//! agree with the CPU's within rounding.
//!
//! # What can go wrong
//!
//! [`ConfigError`] for sizes that make no net, [`LengthError`] and [`InputError`] for inputs that do not fit one,
//! [`StateDictError`] for weights that do not; each names what was expected, what came and, of weights, the file and what to do.
//! `run` returns these, `forward` panics with the same words.

mod config;
#[cfg(all(any(feature = "wgpu", feature = "cuda"), not(feature = "fusion")))]
mod cube;
mod identity;
mod inputs;
mod kernel;
mod layer;
mod lengths;
mod named;
mod operation;
mod plain;
mod recurrent;
mod state_dict;

pub use config::{Cell, ConfigError, RecurrentConfig};
pub use identity::with_path_ids;
pub use inputs::{InputError, Inputs};
pub use layer::{Kernel, Layer};
pub use lengths::{LengthError, Lengths};
pub use named::{Gru, GruConfig, Lstm, LstmConfig, LstmState, ResetGate, SimpleRnn, SimpleRnnConfig};
pub use recurrent::{Recurrent, State};
pub use state_dict::{StateDict, StateDictError};

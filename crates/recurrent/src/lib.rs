//! Recurrent layers for burn with whole-sequence kernels.
//!
//! [`RecurrentConfig`] → [`init`](RecurrentConfig::init) → [`Recurrent::forward`]: `[batch, time, features]` in,
//! `[batch, time, directions × units]` out, as `torch.nn.LSTM` with `batch_first`, `torch.nn.GRU` and `torch.nn.RNN`.
//! Weights keep PyTorch's names, shapes and gate order, so that one can be loaded into the other.
//!
//! On the CPU a layer's whole run, forward and back, is one operation of a hand-written kernel (`src/kernel/mod.rs` explains
//! it with drawings); elsewhere it is made of burn's tensor operations ([`Kernel`]), with the same results. The kernel has no
//! GRU whose reset gate stands before the product ([`RecurrentConfig::reset_after`] = false), nor types other than `f32`: these
//! take the tensor operations too.
//!
//! Every random choice (weights, dropout masks) is drawn on the host from a generator that the caller passes.

mod config;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
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

//! Recurrent layers for burn with whole-sequence kernels.
//!
//! [`RecurrentConfig`] → [`init`](RecurrentConfig::init) → [`Recurrent::forward`]: `[batch, time, features]` in,
//! `[batch, time, directions × units]` out, as `torch.nn.LSTM` with `batch_first`, `torch.nn.GRU` and `torch.nn.RNN`.
//! Weights keep PyTorch's names, shapes and gate order, so that one can be loaded into the other.
//!
//! Every random choice (weights, dropout masks) is drawn on the host from a generator that the caller passes.

mod config;
mod fused;
mod identity;
mod kernel;
mod layer;
mod plain;

pub use config::{Cell, ConfigError, RecurrentConfig};
pub use identity::with_path_ids;
pub use layer::{Kernel, Layer, Recurrent, State};

//! One layer: its weights, and what a run of it takes.

use burn::Tensor;
use burn::module::{Module, Param};

use crate::Lengths;

/// One layer's weights; index 0 of the first axis is the forward direction, 1 the backward one.
///
/// With `directions = 1`, `layers[l].weight_ih[0]` is PyTorch's `weight_ih_l{l}`, and so on; `[1]` is the one whose name
/// ends in `_reverse`. Rows hold the gates one after the other, `units` rows each, in PyTorch's order: i, f, g, o (LSTM),
/// r, z, n (GRU).
#[derive(Module, Debug)]
pub struct Layer {
    /// Weights from the input: `[directions, gates × units, features]`; in the first layer those of inputs that are constant
    /// over time ([`RecurrentConfig::constant`](crate::RecurrentConfig::constant)) stand behind the sequence's.
    pub weight_ih: Param<Tensor<3>>,
    /// Weights from the hidden state: `[directions, gates × units, units]`.
    pub weight_hh: Param<Tensor<3>>,
    /// Biases beside the input's product: `[directions, gates × units]`.
    pub bias_ih: Param<Tensor<2>>,
    /// Biases beside the hidden state's product: `[directions, gates × units]`. They differ in effect from `bias_ih` only
    /// in a GRU's candidate n.
    pub bias_hh: Param<Tensor<2>>,
}

/// What a layer runs on.
#[derive(Debug, Clone)]
pub(crate) struct LayerRun<'a> {
    /// `[batch, time, features]`.
    pub input: Tensor<3>,
    /// `weight_ih` without the columns of constant inputs: `[directions, gates × units, features]`.
    pub weight_ih: Tensor<3>,
    /// The other weights.
    pub weights: &'a Layer,
    pub initial: LayerState,
    /// The share of constant inputs in the gates' sums, `[directions, batch, gates × units]`.
    pub offset: Option<Tensor<3>>,
    pub lengths: Option<Lengths>,
}

/// A layer's slice of the state: `[directions, batch, units]` each. Cells without a cell state carry it untouched.
#[derive(Debug, Clone)]
pub(crate) struct LayerState {
    pub hidden: Tensor<3>,
    pub cell: Tensor<3>,
}

/// Which code runs a sequence. [`Kernel::Auto`] unless two are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    /// The fused kernel where the device and the cell have one, else the plain operations.
    #[default]
    Auto,
    /// burn's tensor operations, step by step: runs on every device.
    Plain,
}

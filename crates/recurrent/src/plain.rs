//! A layer in burn's tensor operations: runs on every device, and is what the fused kernels must equal.
//!
//! The input is projected for all steps and both directions in one matrix product; then both directions advance together,
//! the backward one over a flipped sequence, so that a step costs one batched product and a handful of operations.

use burn::Tensor;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Bool, Device, TensorData};

use crate::layer::{Layer, LayerRun, LayerState};
use crate::{Cell, Lengths, RecurrentConfig};

/// Runs one layer over `[batch, time, features]`; gives `[batch, time, directions × units]` and the last state.
///
/// Rows that have ended keep the state they ended with; the backward direction's wait in their initial one.
pub(crate) fn run(config: &RecurrentConfig, run: LayerRun) -> (Tensor<3>, LayerState) {
    let LayerRun { mut input, weight_ih, weights, initial, offset, lengths } = run;
    let ([batch, time, features], device) = (input.dims(), input.device());
    let (directions, units) = (config.directions(), config.units);
    let padding = lengths.as_ref().map(|lengths| padding(lengths, time, &device));
    if let Some(padding) = &padding {
        // Zeros in place of what must not be seen: a product with it would let what is no number through.
        input = input.mask_fill(padding.clone().expand([batch, time, features]), 0.0);
    }
    let recurrent = Recurrence::new(config, weights);
    let mut state = initial;
    let mut outputs = Vec::with_capacity(time);
    let masks = padding.clone().map(|padding| masks(&padding, directions, units));
    for (index, projected) in steps(recurrent.project(input, weight_ih, weights, offset)).into_iter().enumerate() {
        let next = recurrent.step(projected, state.clone());
        state = match masks.as_ref().map(|masks| masks[index].clone()) {
            None => next,
            Some(ended) => LayerState {
                hidden: next.hidden.mask_where(ended.clone(), state.hidden),
                cell: next.cell.mask_where(ended, state.cell),
            },
        };
        outputs.push(state.hidden.clone());
    }
    let output = align(Tensor::stack::<4>(outputs, 1));
    let output = output.permute([2, 1, 0, 3]).reshape([batch, time, directions * units]);
    let output = match padding {
        None => output,
        Some(padding) => output.mask_fill(padding.expand([batch, time, directions * units]), 0.0),
    };
    (output, state)
}

/// True behind each row's end: `[batch, time, 1]`.
fn padding(lengths: &Lengths, time: usize, device: &Device) -> Tensor<3, Bool> {
    let steps = lengths.steps();
    let ended: Vec<bool> = steps.iter().flat_map(|length| (0..time).map(move |step| step >= *length)).collect();
    Tensor::from_data(TensorData::new(ended, [steps.len(), time, 1]), device)
}

/// For each step, in the order of computation, which rows do not take it: `[directions, batch, units]`.
fn masks(padding: &Tensor<3, Bool>, directions: usize, units: usize) -> Vec<Tensor<3, Bool>> {
    let [batch, time, _] = padding.dims();
    let at = |step: usize| padding.clone().narrow(1, step, 1).swap_dims(0, 1).expand([1, batch, units]);
    (0..time).map(|index| Tensor::cat([at(index), at(time - 1 - index)].into_iter().take(directions).collect(), 0)).collect()
}

/// Turns the backward direction of `[directions, time, batch, …]` around; its own inverse.
fn align(sequence: Tensor<4>) -> Tensor<4> {
    if sequence.dims()[0] == 1 {
        return sequence;
    }
    let forward = sequence.clone().narrow(0, 0, 1);
    let backward = sequence.narrow(0, 1, 1).flip([1]);
    Tensor::cat(vec![forward, backward], 0)
}

/// Cuts `[directions, time, batch, rows]` into its steps, `[directions, batch, rows]` each.
///
/// In two levels, since the gradient of a slice is as large as what it was cut from: cutting each of n steps out of the
/// whole would write n² steps on the way back, cutting √n blocks first writes 2n√n.
fn steps(sequence: Tensor<4>) -> Vec<Tensor<3>> {
    let time = sequence.dims()[1];
    let block = (1..=time).find(|n| n * n >= time).unwrap_or(1);
    let blocks = sequence.split(block, 1);
    blocks.into_iter().flat_map(|block| block.split(1, 1)).map(|step| step.squeeze_dim::<3>(1)).collect()
}

/// The weights in the shapes that a step wants, prepared once per sequence.
struct Recurrence {
    cell: Cell,
    reset_after: bool,
    units: usize,
    /// `[directions, units, gates × units]`.
    weight: Tensor<3>,
    /// `[directions, 1, gates × units]`.
    bias: Tensor<3>,
}

impl Recurrence {
    fn new(config: &RecurrentConfig, layer: &Layer) -> Self {
        Self {
            cell: config.cell,
            reset_after: config.reset_after,
            units: config.units,
            weight: layer.weight_hh.val().swap_dims(1, 2),
            bias: layer.bias_hh.val().unsqueeze_dim(1),
        }
    }

    /// The input's share of the gates at every step: `[directions, time, batch, gates × units]`, backward direction flipped.
    /// `bias_hh` is added here already, except where a gate stands between it and the sum (a GRU's n).
    fn project(&self, input: Tensor<3>, weight: Tensor<3>, layer: &Layer, offset: Option<Tensor<3>>) -> Tensor<4> {
        let [batch, time, features] = input.dims();
        let [directions, rows, _] = weight.dims();
        let mut bias = layer.bias_ih.val();
        if self.cell != Cell::Gru {
            bias = bias + layer.bias_hh.val();
        }
        let weight = weight.reshape([directions * rows, features]).transpose();
        let projected = input.reshape([batch * time, features]).matmul(weight) + bias.reshape([1, directions * rows]);
        let projected = align(projected.reshape([batch, time, directions, rows]).permute([2, 1, 0, 3]));
        match offset {
            None => projected,
            Some(offset) => projected + offset.unsqueeze_dim::<4>(1),
        }
    }

    fn step(&self, projected: Tensor<3>, state: LayerState) -> LayerState {
        match self.cell {
            Cell::Lstm => self.lstm(projected, state),
            Cell::Gru if self.reset_after => LayerState { hidden: self.gru_after(&projected, state.hidden), ..state },
            Cell::Gru => LayerState { hidden: self.gru_before(&projected, state.hidden), ..state },
            Cell::Simple => {
                let sum = projected + state.hidden.matmul(self.weight.clone());
                LayerState { hidden: sum.tanh(), ..state }
            }
        }
    }

    /// Gate `index` of `[directions, batch, gates × units]`.
    fn gate(&self, gates: &Tensor<3>, index: usize) -> Tensor<3> {
        gates.clone().narrow(2, index * self.units, self.units)
    }

    fn lstm(&self, projected: Tensor<3>, state: LayerState) -> LayerState {
        let sum = projected + state.hidden.matmul(self.weight.clone());
        let [input, forget] = [0, 1].map(|index| sigmoid(self.gate(&sum, index)));
        let candidate = self.gate(&sum, 2).tanh();
        let output = sigmoid(self.gate(&sum, 3));
        let cell = forget * state.cell + input * candidate;
        LayerState { hidden: output * cell.clone().tanh(), cell }
    }

    fn gru_after(&self, projected: &Tensor<3>, hidden: Tensor<3>) -> Tensor<3> {
        let product = hidden.clone().matmul(self.weight.clone()) + self.bias.clone();
        let [reset, update] = [0, 1].map(|index| sigmoid(self.gate(projected, index) + self.gate(&product, index)));
        let candidate = (self.gate(projected, 2) + reset * self.gate(&product, 2)).tanh();
        candidate.clone() + update * (hidden - candidate)
    }

    fn gru_before(&self, projected: &Tensor<3>, hidden: Tensor<3>) -> Tensor<3> {
        let gates = 2 * self.units;
        let product = hidden.clone().matmul(self.weight.clone().narrow(2, 0, gates)) + self.bias.clone().narrow(2, 0, gates);
        let [reset, update] = [0, 1].map(|index| sigmoid(self.gate(projected, index) + self.gate(&product, index)));
        let product = (reset * hidden.clone()).matmul(self.gate(&self.weight, 2)) + self.gate(&self.bias, 2);
        let candidate = (self.gate(projected, 2) + product).tanh();
        candidate.clone() + update * (hidden - candidate)
    }
}

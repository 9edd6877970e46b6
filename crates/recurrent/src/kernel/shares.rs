//! The sum of the tiles' gradients.

use rayon::prelude::*;

use super::Shape;
use super::pack::{self, Aligned, Layout};
use super::product::PANEL;
use crate::Cell;

/// Gradients of a layer's run, shaped as the [`Operands`](super::Operands).
pub(crate) struct Gradients {
    /// None unless asked for.
    pub input: Option<Vec<f32>>,
    pub weight_ih: Vec<f32>,
    pub weight_hh: Vec<f32>,
    pub bias_ih: Vec<f32>,
    pub bias_hh: Vec<f32>,
    pub hidden: Vec<f32>,
    /// None for cells without a cell state.
    pub cell: Option<Vec<f32>>,
    /// None unless offsets came.
    pub offset: Option<Vec<f32>>,
}

/// One tile's share of the gradients.
pub(super) struct Share {
    /// `[row, time, features]`; empty unless asked for.
    pub input: Vec<f32>,
    /// `[group][feature, unit or 1][PANEL][lane]`.
    pub weights: Aligned,
    /// `[row][width rounded up to panels]`.
    pub hidden: Vec<f32>,
    /// `[row][width]`.
    pub cell: Vec<f32>,
}

/// Adds the tiles' shares up and brings them into the operands' shapes.
pub(super) fn collect(shape: &Shape, layout: Layout, shares: &[Share], want_input: bool) -> Gradients {
    let tiles = shares.len() / shape.directions;
    let (input, units) = (shape.input, shape.units);
    let rows = shape.directions * shape.cell.gates() * units;
    let states = |width: usize, part: fn(&Share) -> &[f32]| -> Vec<f32> {
        shares.iter().flat_map(|share| part(share).chunks(width)).flat_map(|row| row[..units].iter().copied()).collect()
    };
    let mut gradients = Gradients {
        input: None,
        weight_ih: vec![0.0; rows * input],
        weight_hh: vec![0.0; rows * units],
        bias_ih: vec![0.0; rows],
        bias_hh: vec![0.0; rows],
        hidden: states(layout.panels(units) * PANEL * layout.lanes, |share| &share.hidden),
        cell: (shape.cell == Cell::Lstm).then(|| states(layout.width(), |share| &share.cell)),
        offset: None,
    };
    for (direction, shares) in shares.chunks(tiles).enumerate() {
        let mut total = Aligned::zeros(shares[0].weights.len());
        for share in shares {
            for (total, value) in total.iter_mut().zip(share.weights.iter()) {
                *total += value;
            }
        }
        unpack(layout, direction * shape.cell.gates() * units, &total, &mut gradients);
    }
    if want_input {
        gradients.input = Some(add_directions(shape, shares, tiles));
    }
    gradients
}

/// Brings one direction's weight gradients from `[group][factor][PANEL][lane]` into the operands' rows from `first` on.
fn unpack(layout: Layout, first: usize, packed: &[f32], gradients: &mut Gradients) {
    let (input, units, lanes) = (layout.input, layout.units, layout.lanes);
    let span = PANEL * lanes;
    for (group, packed) in packed.chunks_exact((input + units + 1) * span).enumerate() {
        for (vector, lane, row) in pack::rows(layout, group) {
            let (from_input, from_hidden) = layout.sums(vector);
            let (by_input, by_hidden) = (from_input * lanes + lane, from_hidden * lanes + lane);
            let row = first + row;
            for (k, target) in gradients.weight_ih[row * input..][..input].iter_mut().enumerate() {
                *target = packed[k * span + by_input];
            }
            for (k, target) in gradients.weight_hh[row * units..][..units].iter_mut().enumerate() {
                *target = packed[(input + k) * span + by_hidden];
            }
            gradients.bias_ih[row] = packed[(input + units) * span + by_input];
            gradients.bias_hh[row] = packed[(input + units) * span + by_hidden];
        }
    }
}

/// The input's gradient: the directions' shares added.
fn add_directions(shape: &Shape, shares: &[Share], tiles: usize) -> Vec<f32> {
    let row = shape.time * shape.input;
    let mut input = vec![0.0; shape.batch * row];
    input.par_chunks_mut(shape.tile_rows() * row).enumerate().for_each(|(tile, target)| {
        target.copy_from_slice(&shares[tile].input);
        for share in shares[tile..].iter().step_by(tiles).skip(1) {
            for (target, value) in target.iter_mut().zip(&share.input) {
                *target += value;
            }
        }
    });
    input
}

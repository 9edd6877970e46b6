//! What the steps read besides the input's products and the weights, gathered in one buffer by one launch.

use cubecl::prelude::*;

use super::cells::{Job, Places};
use super::plan::Kind;

/// Writes, one after the other: the biases of the sums, with what each row adds, `[directions, batch or 1, gates × units]`;
/// from `at.share` on a GRU's bias beside the share of the product that the reset gate takes, `[directions, units]`; from
/// `at.hidden` on the hidden states, from `at.cell` on an LSTM's cell states, `[directions, batch, units]`.
#[cube(launch)]
pub(super) fn prepare(
    bias_ih: &[f32],
    bias_hh: &[f32],
    offset: &[f32],
    hidden: &[f32],
    cell: &[f32],
    constants: &mut [f32],
    at: Places,
    #[comptime] job: Job,
) {
    let place = ABSOLUTE_POS;
    if place < constants.len() {
        let width = comptime!(job.gates() * job.units);
        let mut value = 0.0f32;
        if place < at.share {
            let gate = place % width;
            let mut rows = 1usize;
            if comptime!(job.offset) {
                rows = at.batch;
            }
            let bias = (place / (rows * width)) * width + gate;
            if bias < bias_ih.len() {
                value = bias_ih[bias];
                if comptime!(job.kind == Kind::GruAfter) {
                    if gate < comptime!(2 * job.units) {
                        value += bias_hh[bias];
                    }
                } else {
                    value += bias_hh[bias];
                }
                if comptime!(job.offset) {
                    value += offset[place];
                }
            }
        } else if place < at.hidden {
            if comptime!(job.kind == Kind::GruAfter) {
                let from = place - at.share;
                let bias = (from / job.units) * width + comptime!(2 * job.units) + from % job.units;
                if bias < bias_hh.len() {
                    value = bias_hh[bias];
                }
            }
        } else if place < at.cell {
            let from = place - at.hidden;
            if from < hidden.len() {
                value = hidden[from];
            }
        } else {
            if comptime!(job.kind == Kind::Lstm) {
                let from = place - at.cell;
                if from < cell.len() {
                    value = cell[from];
                }
            }
        }
        constants[place] = value;
    }
}

//! From the gradient of a cell's states to those of its sums.

use cubecl::prelude::*;

use super::cells::{Job, Places, first_row, own_row, squash, step_at};
use super::plan::Kind;

/// One unit of one row at one step.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Turn {
    /// The order of computation, forward.
    pub index: usize,
    pub unit: usize,
    /// Where the row ends.
    pub end: usize,
}

/// The gradients of a cell's sums.
#[cube]
pub(super) fn cell(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    other: &[f32],
    found: &mut [f32],
    deltas: &mut Shared<[f32]>,
    carried: &mut Array<f32>,
    carried_cell: &mut Array<f32>,
    memory: &mut Array<f32>,
    totals: &mut Array<f32>,
    turn: &Turn,
    #[comptime] r: usize,
    #[comptime] own: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    if comptime!(job.kind == Kind::Lstm) {
        lstm(behind, gates, kept, found, deltas, carried, carried_cell, memory, totals, turn, r, own, at, job);
    } else if comptime!(job.kind == Kind::Simple) {
        simple(behind, gates, kept, other, found, deltas, carried, totals, turn, r, own, at, job);
    } else {
        gru(behind, gates, kept, other, found, deltas, carried, totals, turn, r, own, at, job);
    }
}

/// Where a row and unit stand in `[directions, batch, units]`; some other row for those beyond the batch.
#[cube]
pub(super) fn state_of(unit: usize, r: usize, at: &Places, #[comptime] job: Job) -> usize {
    let row = (first_row(job) + r).min(at.batch - 1);
    (CUBE_POS_Y as usize * at.batch + row) * job.units + unit
}

/// Where the step at `index` stands in `[directions, batch, time]`; some other row's for rows beyond the batch.
#[cube]
pub(super) fn step_of(index: usize, r: usize, at: &Places, #[comptime] job: Job) -> usize {
    let row = (first_row(job) + r).min(at.batch - 1);
    (CUBE_POS_Y as usize * at.batch + row) * at.time + step_at(index, CUBE_POS_Y as usize, at.time)
}

/// Where the step at `index` stands in the output, `[batch, time, directions × units]`.
#[cube]
pub(super) fn output_of(index: usize, unit: usize, r: usize, at: &Places, #[comptime] job: Job) -> usize {
    let row = (first_row(job) + r).min(at.batch - 1);
    let step = step_at(index, CUBE_POS_Y as usize, at.time);
    ((row * at.time + step) * CUBE_COUNT_Y as usize + CUBE_POS_Y as usize) * job.units + unit
}

/// Hands a sum's gradient to the product, to the weight gradients and to the sum over time.
#[cube]
pub(super) fn hand(
    gates: &mut [f32],
    deltas: &mut Shared<[f32]>,
    totals: &mut Array<f32>,
    delta: f32,
    turn: &Turn,
    #[comptime] gate: usize,
    #[comptime] r: usize,
    #[comptime] own: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let width = comptime!(job.gates() * job.units);
    deltas[(own_row(job) + r) * width + gate * job.units + turn.unit] = delta;
    totals[comptime!(4 * own + gate)] += delta;
    if first_row(job) + r < at.batch {
        gates[step_of(turn.index, r, at, job) * width + gate * job.units + turn.unit] = delta;
    }
}

/// The gradients of an LSTM's sums. The hidden state that came out of this step is what the next one's weights were
/// multiplied with.
#[cube]
fn lstm(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    found: &mut [f32],
    deltas: &mut Shared<[f32]>,
    carried: &mut Array<f32>,
    carried_cell: &mut Array<f32>,
    memory: &mut Array<f32>,
    totals: &mut Array<f32>,
    turn: &Turn,
    #[comptime] r: usize,
    #[comptime] own: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let unit = turn.unit;
    let initial = state_of(unit, r, at, job);
    let mut before = kept[at.kept_cell + initial];
    if turn.index > 0 {
        before = kept[at.kept_trace + step_of(turn.index - 1, r, at, job) * job.units + unit];
    }
    let mut hidden = kept[at.kept_hidden + initial];
    let mut of_input = 0.0f32;
    let mut of_forget = 0.0f32;
    let mut of_candidate = 0.0f32;
    let mut of_shown = 0.0f32;
    if step_at(turn.index, CUBE_POS_Y as usize, at.time) < turn.end {
        let from = step_of(turn.index, r, at, job) * comptime!(4 * job.units) + unit;
        let input = gates[from];
        let forget = gates[from + job.units];
        let candidate = gates[from + 2 * job.units];
        let shown = gates[from + 3 * job.units];
        let squashed = squash(memory[own]);
        let of_hidden = carried[own] + behind[output_of(turn.index, unit, r, at, job)];
        let of_cell = carried_cell[own] + of_hidden * shown * (1.0f32 - squashed * squashed);
        of_input = of_cell * candidate * input * (1.0f32 - input);
        of_forget = of_cell * before * forget * (1.0f32 - forget);
        of_candidate = of_cell * input * (1.0f32 - candidate * candidate);
        of_shown = of_hidden * squashed * shown * (1.0f32 - shown);
        carried_cell[own] = of_cell * forget;
        carried[own] = 0.0f32;
        hidden = shown * squashed;
    }
    memory[own] = before;
    hand(gates, deltas, totals, of_input, turn, 0usize, r, own, at, job);
    hand(gates, deltas, totals, of_forget, turn, 1usize, r, own, at, job);
    hand(gates, deltas, totals, of_candidate, turn, 2usize, r, own, at, job);
    hand(gates, deltas, totals, of_shown, turn, 3usize, r, own, at, job);
    if first_row(job) + r < at.batch && turn.index + 1 < at.time {
        found[at.found_factors + step_of(turn.index + 1, r, at, job) * job.units + unit] = hidden;
    }
}

/// The hidden state before the step, of cells that keep nothing but the output; also noted for the weight gradients.
#[cube]
fn hidden_before(
    kept: &[f32],
    output: &[f32],
    found: &mut [f32],
    turn: &Turn,
    #[comptime] r: usize,
    at: &Places,
    #[comptime] job: Job,
) -> f32 {
    let mut hidden = kept[at.kept_hidden + state_of(turn.unit, r, at, job)];
    if turn.index > 0 {
        // The backward direction waits in its initial state until the row's end.
        if step_at(turn.index - 1, CUBE_POS_Y as usize, at.time) < turn.end {
            hidden = output[output_of(turn.index - 1, turn.unit, r, at, job)];
        }
    }
    if first_row(job) + r < at.batch {
        found[at.found_factors + step_of(turn.index, r, at, job) * job.units + turn.unit] = hidden;
    }
    hidden
}

/// The gradient of a simple net's sum.
#[cube]
fn simple(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    output: &[f32],
    found: &mut [f32],
    deltas: &mut Shared<[f32]>,
    carried: &mut Array<f32>,
    totals: &mut Array<f32>,
    turn: &Turn,
    #[comptime] r: usize,
    #[comptime] own: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    hidden_before(kept, output, found, turn, r, at, job);
    let mut delta = 0.0f32;
    if step_at(turn.index, CUBE_POS_Y as usize, at.time) < turn.end {
        let from = output_of(turn.index, turn.unit, r, at, job);
        let hidden = output[from];
        delta = (carried[own] + behind[from]) * (1.0f32 - hidden * hidden);
        carried[own] = 0.0f32;
    }
    hand(gates, deltas, totals, delta, turn, 0usize, r, own, at, job);
}

/// The gradients of a GRU's sums; where the reset gate stands before the product, all but that gate's.
#[cube]
fn gru(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    output: &[f32],
    found: &mut [f32],
    deltas: &mut Shared<[f32]>,
    carried: &mut Array<f32>,
    totals: &mut Array<f32>,
    turn: &Turn,
    #[comptime] r: usize,
    #[comptime] own: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let unit = turn.unit;
    let before = hidden_before(kept, output, found, turn, r, at, job);
    let width = comptime!(3 * job.units);
    let from = step_of(turn.index, r, at, job) * width + unit;
    let mut of_reset = 0.0f32;
    let mut of_update = 0.0f32;
    let mut of_candidate = 0.0f32;
    let mut of_share = 0.0f32;
    let mut passed = 0.0f32;
    if step_at(turn.index, CUBE_POS_Y as usize, at.time) < turn.end {
        let reset = gates[from];
        let update = gates[from + job.units];
        let candidate = gates[from + 2 * job.units];
        let of_hidden = carried[own] + behind[output_of(turn.index, unit, r, at, job)];
        of_update = of_hidden * (before - candidate) * update * (1.0f32 - update);
        of_candidate = of_hidden * (1.0f32 - update) * (1.0f32 - candidate * candidate);
        if comptime!(job.kind == Kind::GruAfter) {
            let share = kept[at.kept_trace + step_of(turn.index, r, at, job) * job.units + unit];
            of_reset = of_candidate * share * reset * (1.0f32 - reset);
            of_share = of_candidate * reset;
        }
        passed = reset * before;
        carried[own] = of_hidden * update;
    }
    hand(gates, deltas, totals, of_update, turn, 1usize, r, own, at, job);
    hand(gates, deltas, totals, of_candidate, turn, 2usize, r, own, at, job);
    let inside = first_row(job) + r < at.batch;
    if comptime!(job.kind == Kind::GruAfter) {
        hand(gates, deltas, totals, of_reset, turn, 0usize, r, own, at, job);
        // The product sees the candidate through the reset gate.
        deltas[(own_row(job) + r) * width + comptime!(2 * job.units) + unit] = of_share;
        totals[comptime!(4 * own + 3)] += of_share;
        if inside {
            found[at.found_besides + from] = of_reset;
            found[at.found_besides + from + job.units] = of_update;
            found[at.found_besides + from + 2 * job.units] = of_share;
        }
    } else {
        if inside {
            found[at.found_besides + step_of(turn.index, r, at, job) * job.units + unit] = passed;
        }
    }
}

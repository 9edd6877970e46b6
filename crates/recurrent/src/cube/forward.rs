//! The way forward, with the recurrent weights streamed from global memory.

use cubecl::prelude::*;

use super::cells::{Job, Places, first_row, own_row, sigmoid, squash, step_at};
use super::plan::Kind;

/// Runs a tile of rows in one direction through all steps.
///
/// `gates` holds the input's products, `[directions, batch, time, gates × units]`, and takes the gates in their place if they
/// are kept. `weight`: `[directions, units (of the hidden state), gates × units]`. `output`: `[batch, time, directions ×
/// units]`.
#[cube(launch)]
pub(super) fn forward(
    gates: &mut [f32],
    weight: &[f32],
    constants: &[f32],
    lengths: &[u32],
    output: &mut [f32],
    kept: &mut [f32],
    at: Places,
    #[comptime] job: Job,
) {
    let half = comptime!(job.groups * job.rows * job.units);
    let mut state = Shared::<[f32]>::new_slice(2 * half);
    let mut memory = Array::<f32>::new(comptime!(job.passes * job.rows));
    let mut ends = Array::<usize>::new(job.rows);
    read_ends(lengths, &mut ends, &at, job);
    begin(constants, kept, &mut state, &mut memory, &ends, &at, job);
    sync_cube();
    for index in 0..at.time {
        if comptime!(job.kind == Kind::GruBefore) {
            step_before(gates, weight, constants, output, &mut state, &ends, index, &at, job);
        } else {
            let old = (index % 2) * half;
            #[unroll]
            for pass in 0..job.passes {
                let unit = UNIT_POS_X as usize + pass * job.lanes;
                if unit < job.units {
                    let mut sums = Array::<f32>::new(comptime!(job.gates() * job.rows));
                    sum(&mut sums, &*gates, weight, constants, &state, old, unit, index, 0usize, job.gates(), &at, job);
                    finish(
                        &sums,
                        gates,
                        constants,
                        output,
                        kept,
                        &mut state,
                        &mut memory,
                        &ends,
                        old,
                        unit,
                        pass,
                        index,
                        &at,
                        job,
                    );
                }
            }
        }
        sync_cube();
    }
}

/// The steps of each row; none for rows beyond the batch.
#[cube]
pub(super) fn read_ends(lengths: &[u32], ends: &mut Array<usize>, at: &Places, #[comptime] job: Job) {
    #[unroll]
    for r in 0..job.rows {
        let row = first_row(job) + r;
        let mut end = 0usize;
        if row < at.batch {
            end = at.time;
            if comptime!(job.lengths) {
                end = lengths[row] as usize;
            }
        }
        ends[r] = end;
    }
}

/// Reads the initial states, and keeps what the way back needs of them.
#[cube]
pub(super) fn begin(
    constants: &[f32],
    kept: &mut [f32],
    state: &mut Shared<[f32]>,
    memory: &mut Array<f32>,
    ends: &Array<usize>,
    at: &Places,
    #[comptime] job: Job,
) {
    let direction = CUBE_POS_Y as usize;
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        if unit < job.units {
            #[unroll]
            for r in 0..job.rows {
                let row = first_row(job) + r;
                let mut hidden = 0.0f32;
                let mut cell = 0.0f32;
                if row < at.batch {
                    let place = (direction * at.batch + row) * job.units + unit;
                    hidden = constants[at.hidden + place];
                    if comptime!(job.kind == Kind::Lstm) {
                        cell = constants[at.cell + place];
                    }
                    if comptime!(job.keep) {
                        kept[at.kept_hidden + place] = hidden;
                        if comptime!(job.kind == Kind::Lstm) {
                            kept[at.kept_cell + place] = cell;
                        }
                        if direction == 0 && unit == 0 {
                            kept[at.kept_lengths + row] = f32::cast_from(ends[r] as u32);
                        }
                    }
                }
                state[(own_row(job) + r) * job.units + unit] = hidden;
                memory[pass * job.rows + r] = cell;
            }
        }
    }
}

/// Where the sums of a row begin among `[directions, batch, time, gates × units]`; some other row's for rows beyond the batch.
#[cube]
fn gates_of(r: usize, index: usize, at: &Places, #[comptime] job: Job) -> usize {
    let direction = CUBE_POS_Y as usize;
    let row = (first_row(job) + r).min(at.batch - 1);
    let step = step_at(index, direction, at.time);
    ((direction * at.batch + row) * at.time + step) * comptime!(job.gates() * job.units)
}

/// Where a row's biases begin among the constants.
#[cube]
fn base_of(r: usize, at: &Places, #[comptime] job: Job) -> usize {
    let direction = CUBE_POS_Y as usize;
    let mut row = direction;
    if comptime!(job.offset) {
        row = direction * at.batch + (first_row(job) + r).min(at.batch - 1);
    }
    row * comptime!(job.gates() * job.units)
}

/// What the sums have besides the product: the input's share and the biases; a gated share of the product (n of a GRU) its
/// bias alone. Asked for before the product and added behind it, so that reading it takes no time of its own.
#[cube]
fn given(
    sums: &mut Array<f32>,
    gates: &[f32],
    constants: &[f32],
    unit: usize,
    index: usize,
    #[comptime] first: usize,
    #[comptime] count: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    #[unroll]
    for r in 0..job.rows {
        let from = gates_of(r, index, at, job) + unit;
        let base = base_of(r, at, job) + unit;
        #[unroll]
        for gate in first..first + count {
            if comptime!(job.kind == Kind::GruAfter && gate == 2) {
                sums[gate * job.rows + r] = constants[at.share + CUBE_POS_Y as usize * job.units + unit];
            } else {
                sums[gate * job.rows + r] = gates[from + gate * job.units] + constants[base + gate * job.units];
            }
        }
    }
}

/// The sums of `count` gates from `first` on: the product with what stands in shared memory from `from` on, and the rest.
#[cube]
fn sum(
    sums: &mut Array<f32>,
    gates: &[f32],
    weight: &[f32],
    constants: &[f32],
    state: &Shared<[f32]>,
    from: usize,
    unit: usize,
    index: usize,
    #[comptime] first: usize,
    #[comptime] count: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let width = comptime!(job.gates() * job.units);
    let column = CUBE_POS_Y as usize * comptime!(width * job.units) + unit;
    let own = from + own_row(job) * job.units;
    let mut besides = Array::<f32>::new(comptime!(job.gates() * job.rows));
    given(&mut besides, gates, constants, unit, index, first, count, at, job);
    let mut hidden = Array::<f32>::new(job.rows);
    #[unroll]
    for gate in first..first + count {
        #[unroll]
        for r in 0..job.rows {
            sums[gate * job.rows + r] = 0.0f32;
        }
    }
    for k in 0..job.units {
        #[unroll]
        for r in 0..job.rows {
            hidden[r] = state[own + r * job.units + k];
        }
        #[unroll]
        for gate in first..first + count {
            let factor = weight[column + k * width + gate * job.units];
            #[unroll]
            for r in 0..job.rows {
                sums[gate * job.rows + r] += factor * hidden[r];
            }
        }
    }
    #[unroll]
    for gate in first..first + count {
        #[unroll]
        for r in 0..job.rows {
            sums[gate * job.rows + r] += besides[gate * job.rows + r];
        }
    }
}

/// From the sums to the new states, for the rows that take this step; the others keep theirs.
#[cube]
pub(super) fn finish(
    sums: &Array<f32>,
    gates: &mut [f32],
    constants: &[f32],
    output: &mut [f32],
    kept: &mut [f32],
    state: &mut Shared<[f32]>,
    memory: &mut Array<f32>,
    ends: &Array<usize>,
    old: usize,
    unit: usize,
    #[comptime] pass: usize,
    index: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let half = comptime!(job.groups * job.rows * job.units);
    let direction = CUBE_POS_Y as usize;
    let step = step_at(index, direction, at.time);
    #[unroll]
    for r in 0..job.rows {
        let row = first_row(job) + r;
        let place = (own_row(job) + r) * job.units + unit;
        let own = comptime!(pass * job.rows + r);
        let trace = at.kept_trace + ((direction * at.batch + row) * at.time + step) * job.units + unit;
        let mut hidden = state[old + place];
        let mut shown = 0.0f32;
        if step < ends[r] {
            let from = gates_of(r, index, at, job) + unit;
            if comptime!(job.kind == Kind::Lstm) {
                hidden = lstm(sums, gates, memory, from, r, own, job);
            } else if comptime!(job.kind == Kind::GruAfter) {
                let base = base_of(r, at, job) + comptime!(2 * job.units) + unit;
                let share = sums[2 * job.rows + r];
                hidden = gru(sums, gates, constants[base], share, hidden, from, r, job);
                if comptime!(job.keep) {
                    kept[trace] = share;
                }
            } else {
                hidden = squash(sums[r]);
            }
            shown = hidden;
        }
        state[half - old + place] = hidden;
        if row < at.batch {
            output[((row * at.time + step) * CUBE_COUNT_Y as usize + direction) * job.units + unit] = shown;
            if comptime!(job.kind == Kind::Lstm) {
                if comptime!(job.keep) {
                    kept[trace] = memory[own];
                }
                if comptime!(job.last) {
                    if index == at.time - 1 {
                        kept[(direction * at.batch + row) * job.units + unit] = memory[own];
                    }
                }
            }
        }
    }
}

/// The hidden state of an LSTM's unit; the cell state in place.
#[cube]
fn lstm(
    sums: &Array<f32>,
    gates: &mut [f32],
    memory: &mut Array<f32>,
    from: usize,
    #[comptime] r: usize,
    #[comptime] own: usize,
    #[comptime] job: Job,
) -> f32 {
    let input = sigmoid(sums[r]);
    let forget = sigmoid(sums[job.rows + r]);
    let candidate = squash(sums[2 * job.rows + r]);
    let shown = sigmoid(sums[3 * job.rows + r]);
    let cell = forget * memory[own] + input * candidate;
    memory[own] = cell;
    if comptime!(job.keep) {
        gates[from] = input;
        gates[from + job.units] = forget;
        gates[from + 2 * job.units] = candidate;
        gates[from + 3 * job.units] = shown;
    }
    shown * squash(cell)
}

/// The hidden state of a GRU's unit whose reset gate stands behind the product.
#[cube]
fn gru(
    sums: &Array<f32>,
    gates: &mut [f32],
    bias: f32,
    share: f32,
    hidden: f32,
    from: usize,
    #[comptime] r: usize,
    #[comptime] job: Job,
) -> f32 {
    let reset = sigmoid(sums[r]);
    let update = sigmoid(sums[job.rows + r]);
    let candidate = squash(gates[from + 2 * job.units] + bias + reset * share);
    if comptime!(job.keep) {
        gates[from] = reset;
        gates[from + job.units] = update;
        gates[from + 2 * job.units] = candidate;
    }
    candidate + update * (hidden - candidate)
}

/// A step of a GRU whose reset gate stands before the product: a second product, of what passes the gate, follows. The
/// hidden states stay in the first half of shared memory, what passes the gate stands in the second.
#[cube]
fn step_before(
    gates: &mut [f32],
    weight: &[f32],
    constants: &[f32],
    output: &mut [f32],
    state: &mut Shared<[f32]>,
    ends: &Array<usize>,
    index: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    let half = comptime!(job.groups * job.rows * job.units);
    let direction = CUBE_POS_Y as usize;
    let step = step_at(index, direction, at.time);
    let mut updates = Array::<f32>::new(comptime!(job.passes * job.rows));
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        if unit < job.units {
            let mut sums = Array::<f32>::new(comptime!(3 * job.rows));
            sum(&mut sums, &*gates, weight, constants, &*state, 0usize, unit, index, 0usize, 2usize, at, job);
            #[unroll]
            for r in 0..job.rows {
                let place = (own_row(job) + r) * job.units + unit;
                let reset = sigmoid(sums[r]);
                let update = sigmoid(sums[job.rows + r]);
                updates[comptime!(pass * job.rows + r)] = update;
                state[half + place] = reset * state[place];
                if comptime!(job.keep) {
                    if step < ends[r] {
                        let from = gates_of(r, index, at, job) + unit;
                        gates[from] = reset;
                        gates[from + job.units] = update;
                    }
                }
            }
        }
    }
    sync_cube();
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        if unit < job.units {
            let mut sums = Array::<f32>::new(comptime!(3 * job.rows));
            sum(&mut sums, &*gates, weight, constants, &*state, half, unit, index, 2usize, 1usize, at, job);
            #[unroll]
            for r in 0..job.rows {
                let row = first_row(job) + r;
                let place = (own_row(job) + r) * job.units + unit;
                let mut shown = 0.0f32;
                if step < ends[r] {
                    let candidate = squash(sums[2 * job.rows + r]);
                    shown = candidate + updates[comptime!(pass * job.rows + r)] * (state[place] - candidate);
                    state[place] = shown;
                    if comptime!(job.keep) {
                        gates[gates_of(r, index, at, job) + 2 * job.units + unit] = candidate;
                    }
                }
                if row < at.batch {
                    output[((row * at.time + step) * CUBE_COUNT_Y as usize + direction) * job.units + unit] = shown;
                }
            }
        }
    }
}

//! The way back, with the recurrent weights streamed from global memory.

use cubecl::prelude::*;

use super::cells::{Job, Places, first_row, own_row, step_at};
use super::gradients::{Turn, cell, hand, state_of, step_of};
use super::plan::Kind;

/// Takes a tile of rows in one direction back through all steps.
///
/// `gates` holds the gates, `[directions, batch, time, gates × units]`, and takes the gradients of their sums in their place.
/// `other`: an LSTM's gradient of the last cell states, `[directions, batch, units]`; for other cells the output. `weight`:
/// `[directions, gates × units, units]`.
#[cube(launch)]
pub(super) fn backward(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    other: &[f32],
    weight: &[f32],
    found: &mut [f32],
    at: Places,
    #[comptime] job: Job,
) {
    let owned = comptime!(job.passes * job.rows);
    let mut deltas = Shared::<[f32]>::new_slice(comptime!(job.groups * job.rows * job.gates() * job.units));
    let mut carried = Array::<f32>::new(owned);
    let mut carried_cell = Array::<f32>::new(owned);
    let mut memory = Array::<f32>::new(owned);
    let mut totals = Array::<f32>::new(comptime!(4 * owned));
    let mut ends = Array::<usize>::new(job.rows);
    read_ends(kept, &mut ends, &at, job);
    begin(kept, other, &mut carried, &mut carried_cell, &mut memory, &mut totals, &at, job);
    for back in 0..at.time {
        let index = at.time - 1 - back;
        #[unroll]
        for pass in 0..job.passes {
            let unit = UNIT_POS_X as usize + pass * job.lanes;
            if unit < job.units {
                #[unroll]
                for r in 0..job.rows {
                    let own = comptime!(pass * job.rows + r);
                    let turn = Turn { index, unit, end: ends[r] };
                    cell(
                        behind,
                        gates,
                        kept,
                        other,
                        found,
                        &mut deltas,
                        &mut carried,
                        &mut carried_cell,
                        &mut memory,
                        &mut totals,
                        &turn,
                        r,
                        own,
                        &at,
                        job,
                    );
                }
            }
        }
        sync_cube();
        if comptime!(job.kind == Kind::GruBefore) {
            reset_before(gates, weight, &*found, &mut deltas, &mut carried, &mut totals, &ends, index, &at, job);
            sync_cube();
        }
        #[unroll]
        for pass in 0..job.passes {
            let unit = UNIT_POS_X as usize + pass * job.lanes;
            if unit < job.units {
                let mut sums = Array::<f32>::new(job.rows);
                #[unroll]
                for r in 0..job.rows {
                    sums[r] = carried[comptime!(pass * job.rows + r)];
                }
                let count = comptime!(if job.kind == Kind::GruBefore { 2usize } else { job.gates() });
                add_product(&mut sums, weight, &deltas, unit, 0usize, count, job);
                #[unroll]
                for r in 0..job.rows {
                    carried[comptime!(pass * job.rows + r)] = sums[r];
                }
            }
        }
        sync_cube();
    }
    end(kept, found, &carried, &carried_cell, &totals, &at, job);
}

/// The steps of each row; none for rows beyond the batch.
#[cube]
pub(super) fn read_ends(kept: &[f32], ends: &mut Array<usize>, at: &Places, #[comptime] job: Job) {
    #[unroll]
    for r in 0..job.rows {
        let row = first_row(job) + r;
        let mut end = 0usize;
        if row < at.batch {
            end = at.time;
            if comptime!(job.lengths) {
                end = u32::cast_from(kept[at.kept_lengths + row]) as usize;
            }
        }
        ends[r] = end;
    }
}

/// What comes from behind the last step.
#[cube]
pub(super) fn begin(
    kept: &[f32],
    other: &[f32],
    carried: &mut Array<f32>,
    carried_cell: &mut Array<f32>,
    memory: &mut Array<f32>,
    totals: &mut Array<f32>,
    at: &Places,
    #[comptime] job: Job,
) {
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        #[unroll]
        for r in 0..job.rows {
            let own = comptime!(pass * job.rows + r);
            let mut behind_cell = 0.0f32;
            let mut cell = 0.0f32;
            if comptime!(job.kind == Kind::Lstm) {
                if unit < job.units {
                    cell = kept[at.kept_trace + step_of(at.time - 1, r, at, job) * job.units + unit];
                    if comptime!(job.last) {
                        behind_cell = other[state_of(unit, r, at, job)];
                    }
                }
            }
            carried[own] = 0.0f32;
            carried_cell[own] = behind_cell;
            memory[own] = cell;
            #[unroll]
            for gate in 0..4usize {
                totals[comptime!(4 * own + gate)] = 0.0f32;
            }
        }
    }
}

/// The gradient of the sum of a reset gate that stands before the product, through that product.
#[cube]
fn reset_before(
    gates: &mut [f32],
    weight: &[f32],
    found: &[f32],
    deltas: &mut Shared<[f32]>,
    carried: &mut Array<f32>,
    totals: &mut Array<f32>,
    ends: &Array<usize>,
    index: usize,
    at: &Places,
    #[comptime] job: Job,
) {
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        if unit < job.units {
            let mut sums = Array::<f32>::new(job.rows);
            #[unroll]
            for r in 0..job.rows {
                sums[r] = 0.0f32;
            }
            add_product(&mut sums, weight, &*deltas, unit, 2usize, 1usize, job);
            #[unroll]
            for r in 0..job.rows {
                let own = comptime!(pass * job.rows + r);
                let turn = Turn { index, unit, end: ends[r] };
                let mut delta = 0.0f32;
                if step_at(index, CUBE_POS_Y as usize, at.time) < turn.end {
                    let step = step_of(index, r, at, job);
                    let reset = gates[step * comptime!(3 * job.units) + unit];
                    let before = found[at.found_factors + step * job.units + unit];
                    delta = sums[r] * before * reset * (1.0f32 - reset);
                    carried[own] += sums[r] * reset;
                }
                hand(gates, deltas, totals, delta, &turn, 0usize, r, own, at, job);
            }
        }
    }
}

/// Adds to each row's sum what the gradients of `count` gates from `first` on give the unit's hidden state.
#[cube]
fn add_product(
    sums: &mut Array<f32>,
    weight: &[f32],
    deltas: &Shared<[f32]>,
    unit: usize,
    #[comptime] first: usize,
    #[comptime] count: usize,
    #[comptime] job: Job,
) {
    let width = comptime!(job.gates() * job.units);
    let column = CUBE_POS_Y as usize * comptime!(width * job.units) + unit;
    let own = own_row(job) * width;
    for k in comptime!(first * job.units)..comptime!((first + count) * job.units) {
        let factor = weight[column + k * job.units];
        #[unroll]
        for r in 0..job.rows {
            sums[r] += factor * deltas[own + r * width + k];
        }
    }
}

/// Writes what came out before the first step.
#[cube]
pub(super) fn end(
    kept: &[f32],
    found: &mut [f32],
    carried: &Array<f32>,
    carried_cell: &Array<f32>,
    totals: &Array<f32>,
    at: &Places,
    #[comptime] job: Job,
) {
    #[unroll]
    for pass in 0..job.passes {
        let unit = UNIT_POS_X as usize + pass * job.lanes;
        #[unroll]
        for r in 0..job.rows {
            let own = comptime!(pass * job.rows + r);
            let row = first_row(job) + r;
            if unit < job.units && row < at.batch {
                let state = state_of(unit, r, at, job);
                found[at.found_hidden + state] = carried[own];
                if comptime!(job.kind == Kind::Lstm) {
                    found[at.found_cell + state] = carried_cell[own];
                    found[at.found_factors + step_of(0, r, at, job) * job.units + unit] = kept[at.kept_hidden + state];
                }
                let width = comptime!(job.gates() * job.units);
                let sums = at.found_sums + (CUBE_POS_Y as usize * at.batch + row) * width + unit;
                #[unroll]
                for gate in 0..job.gates() {
                    found[sums + gate * job.units] = totals[comptime!(4 * own + gate)];
                }
                if comptime!(job.kind == Kind::GruAfter) {
                    // Those of the product, whose candidate stands behind the reset gate.
                    let besides = sums + CUBE_COUNT_Y as usize * at.batch * width;
                    found[besides] = totals[comptime!(4 * own)];
                    found[besides + job.units] = totals[comptime!(4 * own + 1)];
                    found[besides + 2 * job.units] = totals[comptime!(4 * own + 3)];
                }
            }
        }
    }
}

//! Both ways with the recurrent weights in registers, for nets of few units.
//!
//! An invocation holds what one gate of one unit needs and computes that gate's part of the sums for every row of the tile;
//! the parts meet in shared memory. Cells are then computed by those invocations alone that carry a row: as many along the
//! gates as the tile has rows. For these the functions of the streamed kernels fit as they are, with a group per row.

use cubecl::prelude::*;

use super::backward;
use super::cells::{Job, Places, step_at};
use super::forward;
use super::gradients::{Turn, cell};
use super::plan::Kind;

/// As [`forward::forward`]; invocations: units × gates.
#[cube(launch)]
pub(super) fn held_forward(
    gates: &mut [f32],
    weight: &[f32],
    constants: &[f32],
    lengths: &[u32],
    output: &mut [f32],
    kept: &mut [f32],
    at: Places,
    #[comptime] job: Job,
) {
    let width = comptime!(job.gates() * job.units);
    let half = comptime!(job.groups * job.units);
    let unit = UNIT_POS_X as usize;
    let gate = UNIT_POS_Y as usize;
    let carries = gate < job.groups;
    let mut state = Shared::<[f32]>::new_slice(2 * half);
    let mut parts = Shared::<[f32]>::new_slice(comptime!(job.groups * job.gates() * job.units));
    let mut memory = Array::<f32>::new(1usize);
    let mut ends = Array::<usize>::new(1usize);
    forward::read_ends(lengths, &mut ends, &at, job);
    if carries {
        forward::begin(constants, kept, &mut state, &mut memory, &ends, &at, job);
    }
    let mut held = Array::<f32>::new(job.units);
    let column = (CUBE_POS_Y as usize * job.units) * width + gate * job.units + unit;
    #[unroll]
    for k in 0..job.units {
        held[k] = weight[column + k * width];
    }
    sync_cube();
    for index in 0..at.time {
        let old = (index % 2) * half;
        #[unroll]
        for r in 0..job.groups {
            let given = start(&*gates, constants, unit, gate, r, index, &at, job);
            let mut sum = 0.0f32;
            #[unroll]
            for k in 0..job.units {
                sum += held[k] * state[old + comptime!(r * job.units + k)];
            }
            parts[comptime!(r * job.gates() * job.units) + gate * job.units + unit] = sum + given;
        }
        sync_cube();
        if carries {
            let mut sums = Array::<f32>::new(job.gates());
            #[unroll]
            for each in 0..job.gates() {
                sums[each] = parts[gate * width + each * job.units + unit];
            }
            forward::finish(
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
                0usize,
                index,
                &at,
                job,
            );
        }
        sync_cube();
    }
}

/// What a gate's sum has besides the product with the hidden states. Asked for before the product and added behind it, so
/// that reading it takes no time of its own.
#[cube]
fn start(
    gates: &[f32],
    constants: &[f32],
    unit: usize,
    gate: usize,
    #[comptime] r: usize,
    index: usize,
    at: &Places,
    #[comptime] job: Job,
) -> f32 {
    let direction = CUBE_POS_Y as usize;
    let width = comptime!(job.gates() * job.units);
    let place = gate * job.units + unit;
    let row = (CUBE_POS_X as usize * job.groups + r).min(at.batch - 1);
    let mut base = direction;
    if comptime!(job.offset) {
        base = direction * at.batch + row;
    }
    let step = (direction * at.batch + row) * at.time + step_at(index, direction, at.time);
    let mut given = gates[step * width + place] + constants[base * width + place];
    if comptime!(job.kind == Kind::GruAfter) {
        if gate == 2 {
            given = constants[at.share + direction * job.units + unit];
        }
    }
    given
}

/// As [`backward::backward`]; invocations: units × gates.
#[cube(launch)]
pub(super) fn held_backward(
    behind: &[f32],
    gates: &mut [f32],
    kept: &[f32],
    other: &[f32],
    weight: &[f32],
    found: &mut [f32],
    at: Places,
    #[comptime] job: Job,
) {
    let width = comptime!(job.gates() * job.units);
    let unit = UNIT_POS_X as usize;
    let gate = UNIT_POS_Y as usize;
    let carries = gate < job.groups;
    let mut deltas = Shared::<[f32]>::new_slice(comptime!(job.groups * job.gates() * job.units));
    let mut parts = Shared::<[f32]>::new_slice(comptime!(job.groups * job.gates() * job.units));
    let mut carried = Array::<f32>::new(1usize);
    let mut carried_cell = Array::<f32>::new(1usize);
    let mut memory = Array::<f32>::new(1usize);
    let mut totals = Array::<f32>::new(4usize);
    let mut ends = Array::<usize>::new(1usize);
    backward::read_ends(kept, &mut ends, &at, job);
    backward::begin(kept, other, &mut carried, &mut carried_cell, &mut memory, &mut totals, &at, job);
    let mut held = Array::<f32>::new(job.units);
    let column = (CUBE_POS_Y as usize * width + gate * job.units) * job.units + unit;
    #[unroll]
    for k in 0..job.units {
        held[k] = weight[column + k * job.units];
    }
    for back in 0..at.time {
        let index = at.time - 1 - back;
        if carries {
            let turn = Turn { index, unit, end: ends[0usize] };
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
                0usize,
                0usize,
                &at,
                job,
            );
        }
        sync_cube();
        #[unroll]
        for r in 0..job.groups {
            let from = comptime!(r * job.gates() * job.units) + gate * job.units;
            let mut sum = 0.0f32;
            #[unroll]
            for k in 0..job.units {
                sum += held[k] * deltas[from + k];
            }
            parts[from + unit] = sum;
        }
        sync_cube();
        if carries {
            #[unroll]
            for each in 0..job.gates() {
                carried[0usize] += parts[gate * width + each * job.units + unit];
            }
        }
    }
    if carries {
        backward::end(kept, found, &carried, &carried_cell, &totals, &at, job);
    }
}

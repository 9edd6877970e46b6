//! The fused CPU kernel: a whole sequence of one layer, forward and back.
//!
//! # Who computes what
//!
//! ```text
//!            batch rows                     one task = one direction × one tile of up to 12 rows, through all of time:
//!          ┌────────────┐                   nothing is shared between tasks, so any number of cores can take them and
//!  forward │ tile 0     │ ─ task 0          the sums come out the same. Weight gradients are summed per task, then the
//!          │ tile 1     │ ─ task 1          tasks' sums are added in the tasks' order.
//!          ├────────────┤
//! backward │ tile 0     │ ─ task 2
//!          │ tile 1     │ ─ task 3
//!          └────────────┘
//! ```
//!
//! Everything heavy is one product ([`product::multiply`]): 3 rows of factors, broadcast, times a *panel* of 4 vectors,
//! summed in 12 registers. Four gates of one vector of units make one panel, so that a cell's arithmetic follows in
//! registers right behind its product:
//!
//! ```text
//!            one step, one group of units (8 lanes with AVX2)
//!              i        f        g        o          4 vectors = one panel; a simple net puts 4 vectors of units there
//!  row 0    ████████ ████████ ████████ ████████      start from the biases
//!  row 1    ████████ ████████ ████████ ████████      + Σ over features: x[row][k]  × weight panel [k][4 vectors]
//!  row 2    ████████ ████████ ████████ ████████      + Σ over units:    h[row][k]  × weight panel [k][4 vectors]
//!                  ╰─ activations, c', h' ─╯         → h' to the history, gates to what is kept for the way back
//! ```
//!
//! The input is not projected beforehand: its share is summed in the same registers as the hidden state's, and 4 values per
//! unit and step never travel to memory and back. Weights are packed once per call ([`pack`]), panel by panel in the order of
//! reading; a panel stays in the first-level cache while the tile's rows pass over it.
//!
//! # The way back
//!
//! Per step, last to first ([`backward`](mod@backward)): the output's gradient joins the carried one; each cell turns it into
//! the gradients of its sums; these times the weights (packed the other way round) give what the previous hidden state gets,
//! and, if asked for, the input. The gradients of the sums of about 120 pairs (row, step) stay in the cache together with what
//! the weights had been multiplied with, transposed; then the same product, now over the pairs, adds them to the weight
//! gradients. A row of ones among the factors makes the bias gradients.
//!
//! # Memory
//!
//! Kept for the way back, in float32 values per unit, step, row and direction: LSTM 6 (4 gates, cell, hidden), GRU 5 (r, z, n,
//! the hidden state's share of n; hidden), simple 1; units rounded up to whole vectors. Without a way back, 1.
//!
//! # When changing it
//!
//! Vector instructions are switched on in one function per kernel, and count only in what is inlined into it: keep vector
//! operations out of closures, and closures and iterator adapters out of the innermost loops; either may stay outside, and
//! then costs five times the time (results don't change). Measure after every change. The exact order of each sum
//! over k is part of the promise that a result doesn't depend on tiles and threads. `cargo bench -p physiosynth-recurrent`.

#![expect(
    clippy::inline_always,
    reason = "vector instructions are on in one function per kernel; what is not inlined into it does without them"
)]

mod activation;
mod backward;
mod cells;
mod forward;
mod pack;
mod product;
mod shares;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::Cell;
pub(crate) use backward::backward;
use pack::Layout;

/// Rows of the batch that one task carries through time. Fixed, so that results don't depend on the number of threads: small
/// enough to feed many cores, and a multiple of the micro-kernel's block.
const TILE: usize = 12;

/// Sizes of one layer's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub cell: Cell,
    /// [`RecurrentConfig::reset_after`](crate::RecurrentConfig::reset_after).
    pub reset_after: bool,
    pub batch: usize,
    pub time: usize,
    pub input: usize,
    pub units: usize,
    pub directions: usize,
}

/// A layer's weights and initial states, as in [`Layer`](crate::Layer), in row-major order.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    /// `[batch, time, features]`.
    pub input: &'a [f32],
    /// `[directions, gates × units, features]`.
    pub weight_ih: &'a [f32],
    /// `[directions, gates × units, units]`.
    pub weight_hh: &'a [f32],
    /// `[directions, gates × units]`.
    pub bias_ih: &'a [f32],
    /// `[directions, gates × units]`.
    pub bias_hh: &'a [f32],
    /// `[directions, batch, units]`.
    pub hidden: &'a [f32],
    /// `[directions, batch, units]`.
    pub cell: &'a [f32],
    /// What each row adds to the input's product, `[directions, batch, gates × units]`.
    pub offset: Option<&'a [f32]>,
    /// Steps of each row; none where all take every one.
    pub lengths: Option<&'a [usize]>,
}

/// What a run gives.
pub(crate) struct Output {
    /// `[batch, time, directions × units]`.
    pub output: Vec<f32>,
    /// `[directions, batch, units]`, if asked for.
    pub last_cell: Option<Vec<f32>>,
    /// What [`backward()`] wants, if asked for.
    pub kept: Option<Arc<Kept>>,
}

/// Gradients from behind a run, shaped as in [`Output`].
#[derive(Clone, Copy)]
pub(crate) struct Behind<'a> {
    pub output: &'a [f32],
    pub last_cell: Option<&'a [f32]>,
}

/// One direction's weights.
struct Direction<'a> {
    weight_ih: &'a [f32],
    weight_hh: &'a [f32],
    bias_ih: &'a [f32],
    bias_hh: &'a [f32],
}

impl<'a> Operands<'a> {
    fn direction(&self, shape: &Shape, index: usize) -> Direction<'a> {
        let part = |values: &'a [f32]| {
            let len = values.len() / shape.directions;
            &values[index * len..][..len]
        };
        Direction {
            weight_ih: part(self.weight_ih),
            weight_hh: part(self.weight_hh),
            bias_ih: part(self.bias_ih),
            bias_hh: part(self.bias_hh),
        }
    }
}

/// Rows `first..first + rows` of the batch in one direction.
#[derive(Debug, Clone, Copy)]
struct Tile {
    direction: usize,
    first: usize,
    rows: usize,
}

impl Tile {
    /// Where in the sequence the `index`-th step of this direction stands.
    fn time(self, index: usize, time: usize) -> usize {
        if self.direction == 0 { index } else { time - 1 - index }
    }

    /// Copies this tile's rows of `[batch, units]` into rows of `width` values.
    fn read(self, source: &[f32], units: usize, width: usize, target: &mut [f32]) {
        let source = &source[self.first * units..][..self.rows * units];
        for (target, source) in target.chunks_mut(width).zip(source.chunks(units)) {
            target[..units].copy_from_slice(source);
        }
    }
}

impl Shape {
    fn tile_rows(&self) -> usize {
        let tiles = self.batch.div_ceil(TILE);
        self.batch.div_ceil(tiles).next_multiple_of(product::BLOCK)
    }

    /// All tasks: direction by direction, tile by tile.
    fn tiles(&self) -> Vec<Tile> {
        let rows = self.tile_rows();
        (0..self.directions)
            .flat_map(|direction| {
                (0..self.batch).step_by(rows).map(move |first| Tile { direction, first, rows: rows.min(self.batch - first) })
            })
            .collect()
    }

    /// The tile that holds `row` in `direction`, and its row there.
    fn tile_of(&self, direction: usize, row: usize) -> (usize, usize) {
        let rows = self.tile_rows();
        (direction * self.batch.div_ceil(rows) + row / rows, row % rows)
    }

    fn part<'a>(&self, values: &'a [f32], direction: usize) -> &'a [f32] {
        let len = self.batch * self.units;
        &values[direction * len..][..len]
    }
}

/// Vector instructions, chosen at run time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Vectors {
    /// 16 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// 8 lanes, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// What the target always has: NEON on 64-bit ARM, scalar code elsewhere.
    Native,
    /// 16 lanes in scalar code, so that wide layouts are tested where no such instructions are.
    #[cfg(test)]
    Wide,
}

impl Vectors {
    /// The widest that the processor has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return Self::Avx512(simd);
            }
            if let Some(simd) = pulp::x86::V3::try_new() {
                return Self::Avx2(simd);
            }
        }
        Self::Native
    }

    fn dispatch<O: WithSimd>(self, operation: O) -> O::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, operation),
            Self::Native => pulp::Arch::new().dispatch(operation),
            #[cfg(test)]
            Self::Wide => operation.with_simd(pulp::Scalar512b),
        }
    }
}

struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        S::F32_LANES
    }
}

/// What the way back needs of the way forward.
pub struct Kept {
    vectors: Vectors,
    traces: Vec<forward::Trace>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("tiles", &self.traces.len()).finish_non_exhaustive()
    }
}

/// Runs the layer; the last cell states only if `want_cell` (LSTM alone has them). `keep`: what [`backward()`] needs is kept,
/// and every how many steps ([`RecurrentConfig::checkpoint`](crate::RecurrentConfig::checkpoint)).
pub(crate) fn forward(vectors: Vectors, shape: &Shape, operands: &Operands<'_>, want_cell: bool, keep: Option<usize>) -> Output {
    let layout = Layout::new(shape, vectors.dispatch(Lanes));
    let weights: Vec<_> = (0..shape.directions)
        .into_par_iter()
        .map(|index| pack::Forward::new(layout, &operands.direction(shape, index)))
        .collect();
    let traces: Vec<_> = shape
        .tiles()
        .into_par_iter()
        .map(|tile| {
            let run = forward::Run {
                shape,
                tile,
                weights: &weights[tile.direction],
                input: operands.input,
                hidden: shape.part(operands.hidden, tile.direction),
                cell: shape.part(operands.cell, tile.direction),
                keep: keep.is_some(),
            };
            match shape.cell {
                Cell::Lstm => vectors.dispatch(forward::Lstm(run)),
                Cell::Gru => vectors.dispatch(forward::Gru(run)),
                Cell::Simple => vectors.dispatch(forward::Simple(run)),
            }
        })
        .collect();
    let output = gather(shape, layout, &traces);
    let last_cell = want_cell.then(|| last_cell(shape, layout, &traces));
    Output { output, last_cell, kept: keep.map(|_| Arc::new(Kept { vectors, traces })) }
}

/// Collects the tiles' last cell states.
fn last_cell(shape: &Shape, layout: Layout, traces: &[forward::Trace]) -> Vec<f32> {
    let (units, width) = (shape.units, layout.width());
    let of = |tile: Tile, trace: &forward::Trace| trace.cell[trace.cell.len() - tile.rows * width..].to_vec();
    shape
        .tiles()
        .into_iter()
        .zip(traces)
        .flat_map(|(tile, trace)| of(tile, trace).chunks(width).flat_map(|row| row[..units].to_vec()).collect::<Vec<_>>())
        .collect()
}

/// Collects the tiles' hidden states into the output.
fn gather(shape: &Shape, layout: Layout, traces: &[forward::Trace]) -> Vec<f32> {
    let (units, width) = (shape.units, layout.width());
    let mut output = vec![0.0; shape.batch * shape.time * shape.directions * units];
    output.par_chunks_mut(shape.time * shape.directions * units).enumerate().for_each(|(row, output)| {
        for direction in 0..shape.directions {
            let (tile, local) = shape.tile_of(direction, row);
            let trace = &traces[tile];
            let state = trace.hidden.len() / (shape.time + 1);
            let place = Tile { direction, first: row, rows: 1 };
            for index in 0..shape.time {
                let at = (place.time(index, shape.time) * shape.directions + direction) * units;
                output[at..][..units].copy_from_slice(&trace.hidden[(index + 1) * state + local * width..][..units]);
            }
        }
    });
    output
}

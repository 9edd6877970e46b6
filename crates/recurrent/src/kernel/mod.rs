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
//! backward │ tile 0     │ ─ task 2          Both directions' tasks write their hidden states straight into the output
//!          │ tile 1     │ ─ task 3          ([`shared`]).
//!          └────────────┘
//! ```
//!
//! Rows of different lengths are put in order, the longest first, before they are cut into tiles ([`tiles`]): the rows that
//! still have a step to take are then always a tile's first ones, and no step is computed for a row that has ended. The backward
//! direction starts each row at its own last step.
//!
//! ```text
//!  step    0 1 2 3 4 5 6        rows of a tile
//!  row 4   ▪ ▪ ▪ ▪ ▪ ▪ ▪
//!  row 0   ▪ ▪ ▪ ▪ ▪            steps 5, 6: one row; the micro-kernel takes 3, 2 or 1 at a time, and a row's sums don't
//!  row 2   ▪ ▪ ▪ ▪ ▪            depend on which
//!  row 3   ▪ ▪
//! ```
//!
//! Everything heavy is one product ([`product::multiply`]): 3 rows of factors, broadcast, times a *panel* of 4 vectors,
//! summed in 12 registers. Four gates of one vector of units make one panel, so that a cell's arithmetic follows right behind
//! its product:
//!
//! ```text
//!            one step, one group of units (8 lanes with AVX2)
//!              i        f        g        o          4 vectors = one panel; a simple net puts 4 vectors of units there
//!  row 0    ████████ ████████ ████████ ████████      start from zero, or the row's share of constant inputs
//!  row 1    ████████ ████████ ████████ ████████      + Σ over [h | 1 | x] of the row × weight panel [k][4 vectors];
//!  row 2    ████████ ████████ ████████ ████████        the one meets the biases
//!                  ╰─ activations, c', h' ─╯         → h' beside the next step's 1 and x, gates to the record
//! ```
//!
//! The input is not projected beforehand: its share is summed in the same registers as the hidden state's, and 4 values per
//! unit and step never travel to memory and back. Weights are packed once per call ([`pack`]), panel by panel in the order of
//! reading; a panel stays in the first-level cache while the tile's rows pass over it, and every other step takes the groups last to
//! first, to begin with what is there. A single row has too few sums to keep the arithmetic busy, so two groups are computed at
//! once for it.
//!
//! A GRU needs the two shares of n apart. Its sums stand as n (the input's share), r, z, n (the hidden state's): the input's
//! product adds to the first three, the hidden state's to the last three, each a *window* of three vectors. Where the reset gate
//! stands before the product, a second product follows within the step ([`candidate`]).
//!
//! # The way back
//!
//! Per step, last to first ([`backward`](mod@backward)): the output's gradient joins the carried one; each cell turns it into
//! the gradients of its sums; these times the weights (packed the other way round) give what the previous hidden state gets,
//! and, if asked for, the input. The gradients of the sums of about 120 pairs (row, step) stay in the cache together with what
//! the weights had been multiplied with, both pair by pair; then the same product, now over the pairs, adds them to the weight
//! gradients:
//!
//! ```text
//!  pair    factors [h | 1 | x]          gradients of the sums [group][4 vectors]
//!  0       ▪▪▪▪▪▪▪▪ ▪ ▪▪▪▪              ████ ████ ████ ...         3 factors × 4 vectors of one group, summed over the
//!  1       ▪▪▪▪▪▪▪▪ ▪ ▪▪▪▪              ████ ████ ████ ...         pairs in 12 registers; the one makes the bias gradients
//!  2       ▪▪▪▪▪▪▪▪ ▪ ▪▪▪▪              ████ ████ ████ ...
//! ```
//!
//! Rows of both are an odd number of cache lines apart, so that a column's values don't fall on the same few places of the cache.
//!
//! # The order of sums
//!
//! Each sum of a product runs over k in order, with one multiply-add each, in every block shape: a row's outputs, states and
//! gradients are the same bits in any batch, tile and thread. Weight gradients add a tile's pairs from the last step to the
//! first, then the tiles in order; they depend on the batch, but not on chunks, checkpoints and threads. Widths of vectors differ
//! by rounding, since products may be fused with sums on one and not the other.
//!
//! # Memory
//!
//! Kept for the way back, in float32 values per unit, step, row and direction, beside the output itself: LSTM 5 (4 gates, cell
//! state), GRU 4 (r, z, n, the hidden state's share of n; 3 with the reset gate before the product), simple 0; units rounded up
//! to whole vectors. With a checkpoint every n steps: LSTM 1/n, others 0, and the way back makes n steps' records again from the
//! output, once for each tile under way, with the same bits. Without a way back, nothing but two steps' states.
//!
//! Buffers come from a pool ([`pool`]) and go back to it: up to 256 MiB stay with the process after use, so that the next
//! step's need not be fetched from the system page by page.
//!
//! # When changing it
//!
//! Vector instructions are switched on in one function per kernel, and count only in what is inlined into it: keep vector
//! operations out of closures, and closures and iterator adapters out of the innermost loops; either may stay outside, and
//! then costs five times the time (results don't change). The products run at the processor's rate; what is left is around them:
//! activations, divisions of integers (a layout computes its own once), rows far apart that the caches' sets cannot hold together
//! ([`backward::Run`] asks for them a few rows ahead). Measure cycles after every change, not time.
//! `cargo bench -p physiosynth-pipeline -p physiosynth-recurrent --bench recurrent`.

#![expect(
    clippy::inline_always,
    reason = "vector instructions are on in one function per kernel; what is not inlined into it does without them"
)]

mod activation;
mod backward;
mod candidate;
mod cells;
mod forward;
mod pack;
mod pool;
mod product;
mod shared;
mod shares;
#[cfg(test)]
mod tests;
mod through;
mod tiles;
mod weights;

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::Cell;
use pack::Layout;
use pool::Buffer;
pub(crate) use shares::Gradients;

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
pub(crate) struct Outcome {
    /// `[batch, time, directions × units]`.
    pub output: Vec<f32>,
    /// `[directions, batch, units]`, if asked for.
    pub last_cell: Option<Vec<f32>>,
    /// What [`backward()`] wants, if asked for.
    pub kept: Option<Arc<Kept>>,
}

/// Gradients from behind a run, shaped as in [`Outcome`].
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
        Direction {
            weight_ih: shape.part(self.weight_ih, index),
            weight_hh: shape.part(self.weight_hh, index),
            bias_ih: shape.part(self.bias_ih, index),
            bias_hh: shape.part(self.bias_hh, index),
        }
    }
}

impl Shape {
    /// One direction's part of `values`.
    fn part<'a>(&self, values: &'a [f32], direction: usize) -> &'a [f32] {
        let len = values.len() / self.directions;
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

/// Copies `values` to the beginning of `target`, inline: a call to copy a row of a hundred values costs as much as the copy.
#[inline(always)]
fn copy<S: Simd>(target: &mut [f32], values: &[f32]) {
    let target = &mut target[..values.len()];
    let ((vectors, rest), (target, target_rest)) = (S::as_simd_f32s(values), S::as_mut_simd_f32s(target));
    let mut k = 0;
    while k < vectors.len() {
        target[k] = vectors[k];
        k += 1;
    }
    let mut k = 0;
    while k < rest.len() {
        target_rest[k] = rest[k];
        k += 1;
    }
}

/// What the way back needs of the way forward, beside the output.
pub struct Kept {
    vectors: Vectors,
    checkpoint: usize,
    traces: Vec<forward::Trace>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("tiles", &self.traces.len()).finish_non_exhaustive()
    }
}

/// Runs the layer; the last cell states only if `want_cell` (LSTM alone has them). `keep`: what [`backward()`] needs is kept,
/// and every how many steps ([`RecurrentConfig::checkpoint`](crate::RecurrentConfig::checkpoint)).
pub(crate) fn forward(vectors: Vectors, shape: &Shape, operands: &Operands<'_>, want_cell: bool, keep: Option<usize>) -> Outcome {
    let layout = Layout::new(shape, vectors.dispatch(Lanes));
    let weights = pack_each(shape, |index| pack::Forward::new(layout, &operands.direction(shape, index)));
    let tiles = tiles::tiles(shape, operands.lengths);
    let mut traces = Vec::new();
    let fill = |output: shared::Shared<'_>| {
        let task = |tile: &tiles::Tile| {
            let run = forward::Run { shape, layout, tile, operands, weights: &weights[tile.direction] };
            let run = forward::Whole { run, output, keep };
            match shape.cell {
                Cell::Lstm => vectors.dispatch(forward::Lstm(run)),
                Cell::Gru if shape.reset_after => vectors.dispatch(forward::Gru(run)),
                Cell::Gru => vectors.dispatch(forward::Before(run)),
                Cell::Simple => vectors.dispatch(forward::Simple(run)),
            }
        };
        traces = tiles.par_iter().with_max_len(1).map(task).collect();
    };
    #[expect(unsafe_code, reason = "see `shared`")]
    // SAFETY: the tiles are all rows in all directions, and each writes its rows' hidden states up to their ends and zeros
    // from there on.
    let output = unsafe { shared::filled(shape.batch * shape.time * shape.directions * shape.units, fill) };
    let last_cell = want_cell.then(|| shares::states(shape, &tiles, &traces, layout.width(), |trace| &trace.cell));
    let kept = keep.map(|checkpoint| Arc::new(Kept { vectors, checkpoint, traces }));
    Outcome { output, last_cell, kept }
}

/// Each direction's weights, packed.
fn pack_each<T: Send>(shape: &Shape, pack: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..shape.directions).into_par_iter().map(pack).collect()
}

/// Runs the layer back through time: from the gradient of `output`, which the way forward gave, to that of all that went in;
/// the input's only if `want_input`.
///
/// The tiles' shares are added in their order, so the result doesn't depend on the number of threads.
pub(crate) fn backward(
    shape: &Shape,
    operands: &Operands<'_>,
    output: &[f32],
    kept: &Kept,
    behind: Behind<'_>,
    want_input: bool,
) -> Gradients {
    let (vectors, checkpoint) = (kept.vectors, kept.checkpoint);
    let layout = Layout::new(shape, vectors.dispatch(Lanes));
    let weights = pack_each(shape, |index| {
        let direction = operands.direction(shape, index);
        let again = (checkpoint > 0).then(|| pack::Forward::new(layout, &direction));
        (pack::Backward::new(layout, &direction, want_input), again)
    });
    let none = pack::Forward::none();
    let tiles = tiles::tiles(shape, operands.lengths);
    let mut shares = Vec::new();
    let mut run = |inputs: &[shared::Shared<'_>]| {
        let task = |(tile, trace): (&tiles::Tile, &forward::Trace)| {
            let (weights, again) = &weights[tile.direction];
            let forward = forward::Run { shape, layout, tile, operands, weights: again.as_ref().unwrap_or(&none) };
            let input = inputs.get(tile.direction).copied();
            let run = backward::Run { forward, weights, trace, checkpoint, output, behind, input };
            match shape.cell {
                Cell::Lstm => vectors.dispatch(backward::Lstm(run)),
                Cell::Gru if shape.reset_after => vectors.dispatch(backward::Gru(run)),
                Cell::Gru => vectors.dispatch(backward::Before(run)),
                Cell::Simple => vectors.dispatch(backward::Simple(run)),
            }
        };
        shares = tiles.par_iter().zip(&kept.traces).with_max_len(1).map(task).collect();
    };
    let input = if want_input {
        Some(inputs(shape, operands.input.len(), run))
    } else {
        run(&[]);
        None
    };
    let gradients = shares::collect(shape, layout, &tiles, shares, operands.offset.is_some());
    Gradients { input, ..gradients }
}

/// The input's gradient, from `run`, which fills one for each direction.
fn inputs(shape: &Shape, len: usize, run: impl FnOnce(&[shared::Shared<'_>])) -> Vec<f32> {
    /// Values that one task adds.
    const PIECE: usize = 1 << 14;
    let mut other = Buffer::any(if shape.directions > 1 { len } else { 0 });
    #[expect(unsafe_code, reason = "see `shared`")]
    // SAFETY: the tiles of each direction are all rows, and each writes the gradients of its rows' steps and zeros behind.
    let mut input = unsafe {
        shared::filled(len, |first| {
            let second = shared::Shared::of(&mut other);
            run(&[first, second]);
        })
    };
    input.par_chunks_mut(PIECE).zip(other.par_chunks(PIECE)).for_each(|(input, other)| {
        for (input, other) in input.iter_mut().zip(other) {
            *input += other;
        }
    });
    input
}

//! The fused GPU kernels: a whole sequence of one layer, forward and back, through `CubeCL` (wgpu, CUDA).
//!
//! # Who computes what
//!
//! WebGPU orders nothing between workgroups (`CubeCL`: cubes), so a cube takes a tile of rows of one direction through all
//! steps by itself; its invocations wait for one another once or twice a step. Both directions and all tiles are one grid,
//! one launch:
//!
//! ```text
//!             tile 0     tile 1     tile 2             one cube, one step:
//!            ┌──────────┬──────────┬──────────┐
//!   forward  │ cube 0,0 │ cube 1,0 │ cube 2,0 │          h of the tile's rows          weights
//!            ├──────────┼──────────┼──────────┤        (shared memory)                (registers or L2)
//!  backward  │ cube 0,1 │ cube 1,1 │ cube 2,1 │              │       ╭─────────────────────╯
//!            └──────────┴──────────┴──────────┘              ▼       ▼
//!              rows 0–1   rows 2–3   rows 4                sums of all gates  +  the input's share (global memory)
//!                                                            │
//!  invocation = unit × group of rows (streamed)              ▼
//!               unit × gate          (held)                the cell, in registers ──► h' (shared), output, gates (global)
//! ```
//!
//! What needs no order is done outside, by large products over all steps at once: the input's share of the sums before, and
//! on the way back the gradients of weights and input. The launches of a layer:
//!
//! ```text
//!  forward   (mask) ─► input × weight_ih ─► ╮
//!            weight_hh turned over ───────► ├─► all steps of both directions ─► output, what is kept
//!            biases, offset, states ──────► ╯
//!  back      all steps ─► gradients of the sums ─► × weights: input (and the sum of both directions)
//!                                              ─► × input, × hidden states: weights
//!            their sums over time (offset) ──► summed over rows: biases
//! ```
//!
//! # Where the weights are
//!
//! Plans are made by [`choose`] from sizes and [`Limits`] alone, which WebGPU's defaults bound: 16 KiB shared by a cube of 256
//! invocations, 8 storage buffers. An LSTM of 64 units has 64 KiB of recurrent weights, so shared memory holds none of any
//! use; it holds the hidden states.
//!
//! - *Held* (up to 64 units, gates × units ≤ 256): an invocation reads the 64 or fewer weights of its unit and gate once, into
//!   registers. It makes one gate's sum for each row of the tile; the sums meet in shared memory, and as many invocations as
//!   there are (row, unit) pairs turn them into the new states. Two waits a step.
//! - *Streamed* (everything else up to 1,024 units at the default limits, more where more is shared): an invocation makes all
//!   gates of its unit, for up to 4 rows, and then the cell, in registers; weights are read from global memory at every step,
//!   neighbours reading neighbouring values, and the second-level cache keeps them. More units than invocations are taken in
//!   passes. One wait a step forward (the states are doubled), two back. A GRU whose reset gate stands before the product
//!   always takes this one, with a second product and wait.
//!
//! Tiles grow with the batch once there are more than 64 cubes: a higher tile reads the weights less often, a lower one keeps
//! more of the processor busy. A row's sums are the same sums in the same order in any tile. Where not even one row's states
//! fit, there is no plan, and the layer takes the plain operations.
//!
//! Rows of different lengths run to the longest; a row that has ended (backward: not begun) keeps its state, and shows zeros.
//!
//! # What is kept
//!
//! In values of 4 bytes per unit, step, row and direction, besides the output: LSTM 5 (gates i, f, g, o; cell), GRU 4 (r, z,
//! n; the hidden state's share of n; 3 where the reset gate stands before), simple 1. The gates take the place of the input's
//! products, and on the way back their gradients take the gates', so neither costs memory of its own. The way back adds, while
//! it lasts, the hidden states by step (1), and for a GRU 3 (1 where the reset gate stands before). Buffers are shared by
//! several things (`layout.rs`), as the kernels bind at most [`BUFFERS`].
//!
//! # What is known of it
//!
//! Tested, through wgpu's WGSL, on Mesa's llvmpipe, a software adapter: every cell and plan against the CPU kernels. It says
//! nothing about speed on hardware: **no kernel here has ever run on a GPU**, nor has SPIR-V or CUDA, which `CubeCL` makes from
//! the same source. On llvmpipe a training step of a bidirectional LSTM over 16 × 64 steps × 32 units takes 19 launches where
//! the plain operations take 6,063, and a fifth of their time (0.38 s of 1.9 s on two busy cores; of 64 units, 0.9 s of 2.5 s).
//!
//! No plane (subgroup) operations, no tensor cores, no half precision: this is what runs everywhere. With hardware at hand:
//!
//! - Unchecked launches: WGSL clamps every index of a checked one, which also keeps compilers from reading four values of
//!   shared memory at once. On llvmpipe it makes no difference.
//! - The gradients of weights are products with few rows and columns over all steps of all rows: splitting the sum fills a
//!   large GPU better.
//! - The next step's share of the input asked for a step ahead, in the streamed kernels too.
//! - Held weights for more units: two or four cubes' worth of invocations where the limits allow 512 or 1,024, half the
//!   weights in shared memory, or f16 weights with f32 sums.
//! - Planes in place of parts in shared memory; tensor cores for tiles of 16 rows and more.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::collapsible_if,
    clippy::collapsible_else_if,
    reason = "kernels: arrays are handles of a kernel's variables, and conditions known at compilation stay apart"
)]

mod backward;
mod cells;
mod forward;
mod gradients;
mod held;
mod layout;
mod mask;
mod plan;
mod prepare;
mod run;
mod run_back;
#[cfg(test)]
mod tests;

pub(crate) use plan::{Kind, Limits, Way, choose};
pub(crate) use run::{Kept, run};
pub(crate) use run_back::run_back;

/// Storage buffers that the largest kernel binds, `CubeCL`'s own included.
pub(crate) const BUFFERS: usize = 7;

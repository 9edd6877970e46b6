//! What every kernel does with a cell's sums.

use cubecl::prelude::*;

use super::plan::Kind;

/// The logistic function. The exponent is cut where single precision ends: shading languages promise nothing of infinities.
#[cube]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0f32 / (1.0f32 + (0.0f32 - x).min(80.0f32).exp())
}

/// The hyperbolic tangent, cut where it is 1 in single precision: some drivers divide infinity by infinity beyond.
#[cube]
pub(super) fn squash(x: f32) -> f32 {
    x.clamp(-15.0f32, 15.0f32).tanh()
}

/// What a kernel is compiled for.
#[expect(clippy::struct_excessive_bools, reason = "each switches a part of the kernel on, independently of the others")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub kind: Kind,
    pub units: usize,
    /// See [`Plan`](super::plan::Plan) for these four.
    pub lanes: usize,
    pub groups: usize,
    pub rows: usize,
    pub passes: usize,
    /// Forward: whether to keep what the way back needs.
    pub keep: bool,
    /// Whether the last cell states are wanted (way back: have a gradient).
    pub last: bool,
    /// Whether rows end at different steps.
    pub lengths: bool,
    /// Whether each row has sums of its own to start from.
    pub offset: bool,
}

impl Job {
    pub(super) const fn gates(&self) -> usize {
        self.kind.gates()
    }
}

/// What differs from run to run without a kernel of its own: sizes, and where regions of the buffers start (`layout.rs`).
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Places {
    pub batch: usize,
    pub time: usize,
    /// Of the constants: the share of the product that the reset gate takes.
    pub share: usize,
    /// Of the constants: hidden states, cell states.
    pub hidden: usize,
    pub cell: usize,
    /// Of what is kept: initial hidden and cell states, lengths, one value per unit and step.
    pub kept_hidden: usize,
    pub kept_cell: usize,
    pub kept_lengths: usize,
    pub kept_trace: usize,
    /// Of what the way back finds: the hidden states that the weights were multiplied with, what a GRU needs besides, the
    /// initial states' gradients, the sums' gradients summed over time.
    pub found_factors: usize,
    pub found_besides: usize,
    pub found_hidden: usize,
    pub found_cell: usize,
    pub found_sums: usize,
}

/// The first of the rows that this invocation carries.
#[cube]
pub(super) fn first_row(#[comptime] job: Job) -> usize {
    (CUBE_POS_X as usize * job.groups + UNIT_POS_Y as usize) * job.rows
}

/// That row's place in the tile.
#[cube]
pub(super) fn own_row(#[comptime] job: Job) -> usize {
    UNIT_POS_Y as usize * job.rows
}

/// The step of the sequence that is computed at `index`.
#[cube]
pub(super) fn step_at(index: usize, direction: usize, time: usize) -> usize {
    let mut step = index;
    if direction == 1 {
        step = time - 1 - index;
    }
    step
}

//! One tile of one direction, forward through time.

use pulp::{Simd, WithSimd};

use super::cells::CellKernel;
use super::pack::{self, Layout};
use super::product::{BLOCK, PANEL, Sums, multiply};
use super::{Shape, Tile};

/// What a tile's run leaves behind.
#[derive(Default)]
pub(super) struct Trace {
    /// Hidden states `[time + 1][row][width]`, in the order of computation, the initial ones first.
    pub hidden: Vec<f32>,
    /// Cell states, shaped as `hidden`; only the last ones unless kept for the way back.
    pub cell: Vec<f32>,
    /// What the cell keeps for the way back: `[time][group][row][PANEL][lane]`; empty where nothing is.
    pub kept: Vec<f32>,
}

/// Runs `tile` forward.
pub(super) struct Run<'a> {
    pub shape: &'a Shape,
    pub tile: Tile,
    pub weights: &'a pack::Forward,
    /// `[batch, time, features]`.
    pub input: &'a [f32],
    /// `[batch, units]` of this direction.
    pub hidden: &'a [f32],
    /// `[batch, units]` of this direction.
    pub cell: &'a [f32],
    /// Whether a way back will follow.
    pub keep: bool,
}

/// Scratch for one step.
struct Step<S: Simd> {
    /// `[row][vector]`, new values.
    hidden: Vec<S::f32s>,
    cell: Vec<S::f32s>,
    /// `[group][row][PANEL]`.
    kept: Vec<[S::f32s; PANEL]>,
}

pub(super) struct Lstm<'a>(pub Run<'a>);
pub(super) struct Gru<'a>(pub Run<'a>);
pub(super) struct Simple<'a>(pub Run<'a>);

macro_rules! with_simd {
    ($($name:ident, $vectors:literal;)*) => {$(
        impl WithSimd for $name<'_> {
            type Output = Trace;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Trace {
                self.0.run::<S, super::cells::$name, $vectors>(simd)
            }
        }
    )*};
}

with_simd! { Lstm, 4; Gru, 3; Simple, 4; }

impl Run<'_> {
    #[inline(always)]
    fn run<S: Simd, C: CellKernel<N>, const N: usize>(&self, simd: S) -> Trace {
        let layout = Layout::new(self.shape, S::F32_LANES);
        let (rows, width, time) = (self.tile.rows, layout.width(), self.shape.time);
        let keep_sums = self.keep && self.shape.cell != crate::Cell::Simple;
        let state = rows * width;
        let zero = simd.splat_f32s(0.0);
        let mut trace = Trace {
            hidden: Vec::with_capacity((time + 1) * state),
            cell: Vec::with_capacity(if self.keep && C::CELL { (time + 1) * state } else { 0 }),
            kept: Vec::with_capacity(if keep_sums { time * layout.groups() * rows * PANEL * layout.lanes } else { 0 }),
        };
        trace.hidden.resize(state, 0.0);
        self.tile.read(self.hidden, self.shape.units, width, &mut trace.hidden);
        let mut step = Step::<S> {
            hidden: vec![zero; state / S::F32_LANES],
            cell: vec![zero; if C::CELL { state / S::F32_LANES } else { 0 }],
            kept: vec![[zero; PANEL]; layout.groups() * rows],
        };
        if C::CELL {
            self.tile.read(self.cell, self.shape.units, width, pulp::bytemuck::cast_slice_mut(&mut step.cell));
        }
        for index in 0..time {
            if self.keep && C::CELL {
                trace.cell.extend_from_slice(pulp::bytemuck::cast_slice(&step.cell));
            }
            let previous = &trace.hidden[index * state..];
            for group in 0..layout.groups() {
                let mut row = 0;
                while row + BLOCK <= rows {
                    self.block::<S, C, N, BLOCK>(simd, layout, index, previous, &mut step, group, row);
                    row += BLOCK;
                }
                match rows - row {
                    2 => self.block::<S, C, N, 2>(simd, layout, index, previous, &mut step, group, row),
                    1 => self.block::<S, C, N, 1>(simd, layout, index, previous, &mut step, group, row),
                    _ => {}
                }
            }
            trace.hidden.extend_from_slice(pulp::bytemuck::cast_slice(&step.hidden));
            if keep_sums {
                trace.kept.extend_from_slice(pulp::bytemuck::cast_slice(step.kept.as_flattened()));
            }
        }
        trace.cell.extend_from_slice(pulp::bytemuck::cast_slice(&step.cell));
        trace
    }

    /// Rows `row..row + ROWS` of one group at one step: both products, then the cell.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "one place in four nested loops, inlined into them")]
    fn block<S: Simd, C: CellKernel<N>, const N: usize, const ROWS: usize>(
        &self,
        simd: S,
        layout: Layout,
        index: usize,
        previous: &[f32],
        step: &mut Step<S>,
        group: usize,
        row: usize,
    ) {
        let (features, units, width) = (layout.input, layout.units, layout.width());
        let panel = N * layout.lanes;
        let (bias, _) = S::as_simd_f32s(&self.weights.bias[group * PANEL * layout.lanes..][..PANEL * layout.lanes]);
        let mut sums: Sums<S, ROWS> = [[bias[0], bias[1], bias[2], bias[3]]; ROWS];
        let time = self.tile.time(index, self.shape.time);
        let inputs =
            std::array::from_fn(|r| &self.input[((self.tile.first + row + r) * self.shape.time + time) * features..][..features]);
        multiply::<S, ROWS, N>(simd, &mut sums, inputs, &self.weights.input[group * features * panel..][..features * panel]);
        let states = std::array::from_fn(|r| &previous[(row + r) * width..][..units]);
        if C::SPLIT {
            for sums in &mut sums {
                sums.swap(2, 3);
            }
        }
        multiply::<S, ROWS, N>(simd, &mut sums, states, &self.weights.hidden[group * units * panel..][..units * panel]);
        if C::SPLIT {
            for sums in &mut sums {
                sums.swap(2, 3);
            }
        }
        let (previous, _) = S::as_simd_f32s(previous);
        for (r, sums) in sums.into_iter().enumerate() {
            let at = (row + r) * (width / layout.lanes) + group * C::WIDE;
            let cell = if C::CELL { &mut step.cell[at..][..C::WIDE] } else { &mut [] };
            let kept = C::step(simd, sums, &previous[at..][..C::WIDE], cell, &mut step.hidden[at..][..C::WIDE]);
            step.kept[group * self.tile.rows + row + r] = kept;
        }
    }
}

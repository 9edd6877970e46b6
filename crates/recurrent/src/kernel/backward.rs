//! One tile of one direction, back through time.

use pulp::bytemuck::cast_slice;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::cells::{CellKernel, States};
use super::forward::Trace;
use super::pack::{self, Aligned, Layout};
use super::product::{BLOCK, PANEL, Sums, multiply};
use super::shares::{Gradients, Share, collect};
use super::{Behind, Kept, Lanes, Operands, Shape, Tile};
use crate::Cell;

/// Pairs (row, step) whose gate gradients are kept before they enter the weight gradients: as many as stay in the cache.
const CHUNK: usize = 120;
/// Added to a row of factors, so that rows don't fall on the same cache lines.
const STAGGER: usize = 16;

struct Run<'a> {
    shape: &'a Shape,
    tile: Tile,
    weights: &'a pack::Backward,
    trace: &'a Trace,
    input: &'a [f32],
    behind: Behind<'a>,
    want_input: bool,
}

struct Lstm<'a>(Run<'a>);
struct Gru<'a>(Run<'a>);
struct Simple<'a>(Run<'a>);

macro_rules! with_simd {
    ($($name:ident, $vectors:literal;)*) => {$(
        impl WithSimd for $name<'_> {
            type Output = Share;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Share {
                self.0.run::<S, super::cells::$name, $vectors>(simd)
            }
        }
    )*};
}

with_simd! { Lstm, 4; Gru, 3; Simple, 4; }

/// What a tile carries from step to step, and its scratch.
struct Carry {
    /// Gradient of the hidden state, `[row][width rounded up to panels]`.
    hidden: Aligned,
    /// Gradient of the cell state, `[row][width]`.
    cell: Aligned,
    /// Gradients of the sums, `[group][pair][PANEL][lane]`, a chunk's.
    sums: Aligned,
    /// What the weights were multiplied with, `[feature, unit or 1][pair]`, a chunk's.
    factors: Aligned,
    /// Pairs that `sums` and `factors` have room for in a row.
    room: usize,
}

impl Run<'_> {
    #[inline(always)]
    fn run<S: Simd, C: CellKernel<N>, const N: usize>(&self, simd: S) -> Share {
        let layout = Layout::new(self.shape, S::F32_LANES);
        let (rows, lanes, time) = (self.tile.rows, layout.lanes, self.shape.time);
        let steps = (CHUNK / rows).max(1);
        let room = steps * rows;
        let factors = self.shape.input + self.shape.units + 1;
        let span = PANEL * lanes;
        let mut carry = Carry {
            hidden: Aligned::zeros(rows * layout.panels(self.shape.units) * span),
            cell: Aligned::zeros(if C::CELL { rows * layout.width() } else { 0 }),
            sums: Aligned::zeros(layout.groups() * room * span),
            factors: Aligned::zeros(factors * (room + STAGGER)),
            room,
        };
        carry.factors[(factors - 1) * (room + STAGGER)..].fill(1.0);
        let mut share = Share {
            input: vec![0.0; if self.want_input { rows * time * self.shape.input } else { 0 }],
            weights: Aligned::zeros(layout.groups() * factors * span),
            hidden: Vec::new(),
            cell: Vec::new(),
        };
        self.read_cell_gradient(layout, &mut carry.cell);
        let mut end = time;
        while end > 0 {
            let start = end.saturating_sub(steps);
            for index in (start..end).rev() {
                let first = (end - 1 - index) * rows;
                self.step::<S, C, N>(simd, layout, index, first, &mut carry);
                self.to_hidden::<S, C, N>(simd, layout, first, &mut carry);
                if self.want_input {
                    self.to_input::<S, N>(simd, layout, index, first, &carry, &mut share.input);
                }
                self.collect_factors(layout, index, first, &mut carry);
            }
            Self::to_weights::<S>(simd, layout, factors, (end - start) * rows, &carry, &mut share.weights);
            end = start;
        }
        share.hidden = carry.hidden.to_vec();
        share.cell = carry.cell.to_vec();
        share
    }

    /// The output's gradient for `row` of the tile at `time`.
    fn gradient(&self, row: usize, time: usize) -> &[f32] {
        let (directions, units) = (self.shape.directions, self.shape.units);
        let step = (self.tile.first + row) * self.shape.time + time;
        &self.behind.output[(step * directions + self.tile.direction) * units..][..units]
    }

    fn read_cell_gradient(&self, layout: Layout, cell: &mut [f32]) {
        if let Some(gradient) = self.behind.last_cell {
            self.tile.read(self.shape.part(gradient, self.tile.direction), self.shape.units, layout.width(), cell);
        }
    }

    /// The gradient of one step's sums, from that of its hidden state.
    #[inline(always)]
    fn step<S: Simd, C: CellKernel<N>, const N: usize>(
        &self,
        simd: S,
        layout: Layout,
        index: usize,
        first: usize,
        carry: &mut Carry,
    ) {
        let (rows, lanes, groups) = (self.tile.rows, layout.lanes, layout.groups());
        let (vectors, wide) = (layout.width() / lanes, layout.panels(self.shape.units) * PANEL);
        let time = self.tile.time(index, self.shape.time);
        for (row, hidden) in carry.hidden.chunks_mut(wide * lanes).enumerate() {
            for (hidden, gradient) in hidden.iter_mut().zip(self.gradient(row, time)) {
                *hidden += gradient;
            }
        }
        let state = rows * vectors;
        let states = |values, index: usize| {
            let (values, _) = S::as_simd_f32s(values);
            &values[index * state..][..state]
        };
        let (previous, hidden) = (states(&self.trace.hidden, index), states(&self.trace.hidden, index + 1));
        let empty: &[S::f32s] = &[];
        let (previous_cell, cell) =
            if C::CELL { (states(&self.trace.cell, index), states(&self.trace.cell, index + 1)) } else { (empty, empty) };
        let (kept, _) = S::as_simd_f32s(&self.trace.kept);
        let (kept, _) = kept.as_chunks::<PANEL>();
        let kept = if kept.is_empty() { kept } else { &kept[index * groups * rows..][..groups * rows] };
        let (gradients, _) = S::as_mut_simd_f32s(&mut carry.hidden);
        let (cell_gradients, _) = S::as_mut_simd_f32s(&mut carry.cell);
        let (sums, _) = S::as_mut_simd_f32s(&mut carry.sums);
        let (sums, _) = sums.as_chunks_mut::<PANEL>();
        for group in 0..groups {
            for row in 0..rows {
                let at = row * vectors + group * C::WIDE..row * vectors + (group + 1) * C::WIDE;
                let of_cell = if C::CELL { at.clone() } else { 0..0 };
                let states = States {
                    hidden: &hidden[at.clone()],
                    previous: &previous[at],
                    cell: &cell[of_cell.clone()],
                    previous_cell: &previous_cell[of_cell.clone()],
                };
                let kept = kept.get(group * rows + row).copied().unwrap_or([simd.splat_f32s(0.0); PANEL]);
                sums[group * carry.room + first + row] = C::back(
                    simd,
                    kept,
                    &states,
                    &mut gradients[row * wide + group * C::WIDE..][..C::WIDE],
                    &mut cell_gradients[of_cell],
                );
            }
        }
    }

    /// Adds what reaches the previous hidden state through the weights.
    #[inline(always)]
    fn to_hidden<S: Simd, C: CellKernel<N>, const N: usize>(&self, simd: S, layout: Layout, first: usize, carry: &mut Carry) {
        for panel in 0..layout.panels(self.shape.units) {
            let mut row = 0;
            while row + BLOCK <= self.tile.rows {
                self.block_to_hidden::<S, C, N, BLOCK>(simd, layout, first, carry, panel, row);
                row += BLOCK;
            }
            match self.tile.rows - row {
                2 => self.block_to_hidden::<S, C, N, 2>(simd, layout, first, carry, panel, row),
                1 => self.block_to_hidden::<S, C, N, 1>(simd, layout, first, carry, panel, row),
                _ => {}
            }
        }
    }

    #[inline(always)]
    fn block_to_hidden<S: Simd, C: CellKernel<N>, const N: usize, const ROWS: usize>(
        &self,
        simd: S,
        layout: Layout,
        first: usize,
        carry: &mut Carry,
        panel: usize,
        row: usize,
    ) {
        let panels = layout.panels(self.shape.units);
        let (hidden, _) = S::as_mut_simd_f32s(&mut carry.hidden);
        let (hidden, _) = hidden.as_chunks_mut::<PANEL>();
        let mut sums: Sums<S, ROWS> = [[simd.splat_f32s(0.0); PANEL]; ROWS];
        for (r, sums) in sums.iter_mut().enumerate() {
            *sums = hidden[(row + r) * panels + panel];
        }
        let gradients = (&carry.sums, carry.room, first + row);
        through::<S, N, ROWS>(simd, layout, &mut sums, gradients, &self.weights.hidden, panel, C::SPLIT);
        for (r, sums) in sums.iter().enumerate() {
            hidden[(row + r) * panels + panel] = *sums;
        }
    }

    /// The gradient of the input at one step.
    #[inline(always)]
    fn to_input<S: Simd, const N: usize>(
        &self,
        simd: S,
        layout: Layout,
        index: usize,
        first: usize,
        carry: &Carry,
        input: &mut [f32],
    ) {
        let time = self.tile.time(index, self.shape.time);
        for panel in 0..layout.panels(self.shape.input) {
            let mut row = 0;
            while row + BLOCK <= self.tile.rows {
                self.block_to_input::<S, N, BLOCK>(simd, layout, time, first, carry, input, panel, row);
                row += BLOCK;
            }
            match self.tile.rows - row {
                2 => self.block_to_input::<S, N, 2>(simd, layout, time, first, carry, input, panel, row),
                1 => self.block_to_input::<S, N, 1>(simd, layout, time, first, carry, input, panel, row),
                _ => {}
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "one place in four nested loops, inlined into them")]
    fn block_to_input<S: Simd, const N: usize, const ROWS: usize>(
        &self,
        simd: S,
        layout: Layout,
        time: usize,
        first: usize,
        carry: &Carry,
        input: &mut [f32],
        panel: usize,
        row: usize,
    ) {
        let (features, span) = (self.shape.input, PANEL * layout.lanes);
        let count = span.min(features - panel * span);
        let mut sums: Sums<S, ROWS> = [[simd.splat_f32s(0.0); PANEL]; ROWS];
        let gradients = (&carry.sums, carry.room, first + row);
        through::<S, N, ROWS>(simd, layout, &mut sums, gradients, &self.weights.input, panel, false);
        for (r, sums) in sums.iter().enumerate() {
            let target = ((row + r) * self.shape.time + time) * features + panel * span;
            input[target..][..count].copy_from_slice(&cast_slice(sums)[..count]);
        }
    }

    /// Remembers what this step's weights were multiplied with, one column per row of the tile.
    #[inline(always)]
    fn collect_factors(&self, layout: Layout, index: usize, first: usize, carry: &mut Carry) {
        let (features, units, width) = (self.shape.input, self.shape.units, layout.width());
        let stride = carry.room + STAGGER;
        let time = self.tile.time(index, self.shape.time);
        let previous = &self.trace.hidden[index * self.tile.rows * width..];
        for row in 0..self.tile.rows {
            let input = &self.input[((self.tile.first + row) * self.shape.time + time) * features..][..features];
            let states = &previous[row * width..][..units];
            let targets = carry.factors[first + row..].iter_mut().step_by(stride);
            for (target, value) in targets.zip(input.iter().chain(states)) {
                *target = *value;
            }
        }
    }

    /// Adds a chunk's pairs to the weight gradients.
    #[inline(always)]
    fn to_weights<S: Simd>(simd: S, layout: Layout, factors: usize, pairs: usize, carry: &Carry, weights: &mut Aligned) {
        let span = PANEL * layout.lanes;
        let stride = carry.room + STAGGER;
        let (weights, _) = S::as_mut_simd_f32s(weights);
        let (weights, _) = weights.as_chunks_mut::<PANEL>();
        for (group, weights) in weights.chunks_exact_mut(factors).enumerate() {
            let sums = &carry.sums[group * carry.room * span..][..pairs * span];
            let factor = |row: usize| &carry.factors[row * stride..][..pairs];
            let mut blocks = weights.chunks_exact_mut(BLOCK);
            for (block, target) in blocks.by_ref().enumerate() {
                let mut local: Sums<S, BLOCK> = [target[0], target[1], target[2]];
                let rows = std::array::from_fn(|r| factor(block * BLOCK + r));
                multiply::<S, BLOCK, PANEL>(simd, &mut local, rows, sums);
                target.copy_from_slice(&local);
            }
            let rest = factors - factors % BLOCK;
            for (r, target) in blocks.into_remainder().iter_mut().enumerate() {
                let mut local: Sums<S, 1> = [*target];
                multiply::<S, 1, PANEL>(simd, &mut local, [factor(rest + r)], sums);
                *target = local[0];
            }
        }
    }
}

/// `sums += gradients of a step's sums × weights` for one panel of columns. With `split`, the third gate's gradient is
/// the fourth sum's (the hidden state's share of it).
#[inline(always)]
fn through<S: Simd, const N: usize, const ROWS: usize>(
    simd: S,
    layout: Layout,
    sums: &mut Sums<S, ROWS>,
    (gradients, room, first): (&Aligned, usize, usize),
    weights: &Aligned,
    panel: usize,
    split: bool,
) {
    let (lanes, groups, span) = (layout.lanes, layout.groups(), PANEL * layout.lanes);
    let depth = N * lanes;
    let weights = &weights[panel * groups * depth * span..][..groups * depth * span];
    for (group, weights) in weights.chunks_exact(depth * span).enumerate() {
        let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &gradients[(group * room + first + r) * span..][..span]);
        if split {
            let (head, tail) = weights.split_at(2 * lanes * span);
            multiply::<S, ROWS, PANEL>(simd, sums, rows, head);
            multiply::<S, ROWS, PANEL>(simd, sums, rows.map(|row| &row[3 * lanes..]), tail);
        } else {
            multiply::<S, ROWS, PANEL>(simd, sums, rows, weights);
        }
    }
}

/// Runs the layer back through time: from the output's gradient to that of all that went in.
///
/// The tiles' shares are added in their order, so the
/// result doesn't depend on the number of threads.
pub(crate) fn backward(shape: &Shape, operands: &Operands<'_>, kept: &Kept, behind: Behind<'_>, want_input: bool) -> Gradients {
    let vectors = kept.vectors;
    let layout = Layout::new(shape, vectors.dispatch(Lanes));
    let weights: Vec<_> = (0..shape.directions)
        .into_par_iter()
        .map(|index| pack::Backward::new(layout, &operands.direction(shape, index)))
        .collect();
    let shares: Vec<_> = shape
        .tiles()
        .into_par_iter()
        .zip(&kept.traces)
        .map(|(tile, trace)| {
            let weights = &weights[tile.direction];
            let run = Run { shape, tile, weights, trace, input: operands.input, behind, want_input };
            match shape.cell {
                Cell::Lstm => vectors.dispatch(Lstm(run)),
                Cell::Gru => vectors.dispatch(Gru(run)),
                Cell::Simple => vectors.dispatch(Simple(run)),
            }
        })
        .collect();
    collect(shape, layout, &shares, want_input)
}

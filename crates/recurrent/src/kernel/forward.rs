//! One tile of one direction, forward through time.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::cells::{CellKernel, Place};
use super::pack::{self, Layout};
use super::pool::Buffer;
use super::product::{BLOCK, Factors, PANEL, Sums};
use super::shared::{Shared, prefetch};
use super::tiles::Tile;
use super::{Operands, Shape, copy};

/// What a tile's run leaves behind.
pub(super) struct Trace {
    /// Each cell's record, `[step][row that takes it][group][vector][lane]`; empty where none is kept.
    pub records: Buffer,
    /// Cell states before every so many steps, `[checkpoint][row][width]`; empty where records are kept.
    pub checkpoints: Buffer,
    /// The last cell states, `[row][width]`; empty for cells without.
    pub cell: Buffer,
}

/// What a tile runs on.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub shape: &'a Shape,
    pub layout: Layout,
    pub tile: &'a Tile,
    pub operands: &'a Operands<'a>,
    pub weights: &'a pack::Forward,
}

/// A tile's run from the first step to the last.
pub(super) struct Whole<'a> {
    pub run: Run<'a>,
    /// `[batch, time, directions × units]`.
    pub output: Shared<'a>,
    /// None where no way back will follow; the steps between checkpoints, or 0 to keep everything.
    pub keep: Option<usize>,
}

/// A tile's states between two steps.
pub(super) struct State {
    /// `[row][hidden states, one, input]`: what the weights are multiplied with.
    pub now: Buffer,
    /// As `now`, for the step after.
    pub next: Buffer,
    /// `[row][width]`; empty for cells without.
    pub cell: Buffer,
    /// What the sums start from, `[row][group][PANEL][lane]`; empty where that is nothing.
    offsets: Buffer,
}

/// What becomes of a step's results.
pub(super) struct Sink<'a> {
    pub output: Option<Shared<'a>>,
    /// Records of all steps of the range; empty if none are wanted.
    pub records: &'a mut [f32],
    /// Cell states before every n-th step.
    pub checkpoints: Option<(usize, &'a mut [f32])>,
}

pub(super) struct Lstm<'a>(pub Whole<'a>);
pub(super) struct Gru<'a>(pub Whole<'a>);
pub(super) struct Before<'a>(pub Whole<'a>);
pub(super) struct Simple<'a>(pub Whole<'a>);

macro_rules! with_simd {
    ($($name:ident, $hidden:literal, $input:literal;)*) => {$(
        impl WithSimd for $name<'_> {
            type Output = Trace;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Trace {
                self.0.run::<S, super::cells::$name, $hidden, $input>(simd)
            }
        }
    )*};
}

with_simd! { Lstm, 4, 4; Gru, 3, 3; Before, 2, 3; Simple, 4, 4; }

impl Whole<'_> {
    #[inline(always)]
    fn run<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(self, simd: S) -> Trace {
        let Run { layout, tile, .. } = self.run;
        let (steps, state) = (tile.steps(), tile.rows() * layout.width());
        let mut trace = Trace { records: Buffer::any(0), checkpoints: Buffer::any(0), cell: Buffer::any(0) };
        let mut every = 0;
        match self.keep {
            Some(0) => trace.records = Buffer::any(tile.pairs(0..steps) * layout.groups() * C::RECORD * layout.lanes),
            Some(n) if C::CELL => {
                every = n;
                trace.checkpoints = Buffer::any(steps.div_ceil(n) * state);
            }
            _ => {}
        }
        let mut carried = self.run.start(C::CELL);
        self.run.enter::<S>(0, &mut carried.now);
        let sink = Sink {
            output: Some(self.output),
            records: &mut trace.records,
            checkpoints: (every > 0).then_some((every, &mut *trace.checkpoints)),
        };
        self.run.advance::<S, C, H, I>(simd, 0..steps, &mut carried, sink);
        self.run.clear_padding(self.output);
        trace.cell = carried.cell;
        trace
    }
}

impl Run<'_> {
    /// The initial states of this tile's rows.
    pub(super) fn start(&self, cell: bool) -> State {
        let (rows, stride, width, units) = (self.tile.rows(), self.layout.stride(), self.layout.width(), self.layout.units);
        let mut state = State {
            now: Buffer::zeros(rows * stride),
            next: Buffer::zeros(rows * stride),
            cell: Buffer::zeros(if cell { rows * width } else { 0 }),
            offsets: Buffer::any(0),
        };
        self.tile.read(self.shape.part(self.operands.hidden, self.tile.direction), units, stride, &mut state.now);
        if cell {
            self.tile.read(self.shape.part(self.operands.cell, self.tile.direction), units, width, &mut state.cell);
        }
        for row in 0..rows {
            state.now[row * stride + width] = 1.0;
            state.next[row * stride + width] = 1.0;
        }
        if let Some(offset) = self.operands.offset {
            state.offsets = pack::offsets(self.layout, &self.tile.rows, self.shape.part(offset, self.tile.direction));
        }
        state
    }

    /// The input of row `row` of the tile at its step `step`.
    #[inline(always)]
    pub(super) fn input(&self, row: usize, step: usize) -> &[f32] {
        let features = self.layout.input;
        let at = self.tile.rows[row] * self.shape.time + self.tile.time(row, step);
        &self.operands.input[at * features..][..features]
    }

    /// Where row `row` of the tile has its hidden state of step `step` in the output.
    #[inline(always)]
    pub(super) fn place(&self, row: usize, step: usize) -> usize {
        let at = self.tile.rows[row] * self.shape.time + self.tile.time(row, step);
        (at * self.shape.directions + self.tile.direction) * self.layout.units
    }

    /// Brings the inputs of `step` beside the hidden states.
    #[inline(always)]
    pub(super) fn enter<S: Simd>(&self, step: usize, states: &mut [f32]) {
        let (stride, one) = (self.layout.stride(), self.layout.width());
        for row in 0..self.tile.active(step) {
            copy::<S>(&mut states[row * stride + one + 1..], self.input(row, step));
            if step + 1 < self.tile.lengths[row] {
                prefetch(self.input(row, step + 1));
            }
        }
    }

    /// Runs `steps` on from `state`, which holds the inputs of the first of them.
    #[inline(always)]
    pub(super) fn advance<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(
        &self,
        simd: S,
        steps: Range<usize>,
        state: &mut State,
        mut sink: Sink<'_>,
    ) {
        let (layout, stride) = (self.layout, self.layout.stride());
        let record = layout.groups() * C::RECORD * layout.lanes;
        // A first half leaves the second what it found, kept or not.
        let mut scratch = Buffer::any(if C::BEFORE && sink.records.is_empty() { self.tile.rows() * record } else { 0 });
        let mut pairs = 0;
        for step in steps {
            let active = self.tile.active(step);
            if let Some((every, checkpoints)) = &mut sink.checkpoints
                && step % *every == 0
            {
                checkpoints[step / *every * state.cell.len()..][..state.cell.len()].copy_from_slice(&state.cell);
            }
            let records =
                if sink.records.is_empty() { &mut *scratch } else { &mut sink.records[pairs * record..][..active * record] };
            self.step::<S, C, H, I>(simd, (active, step % 2 == 1), state, records);
            if C::BEFORE {
                self.candidate::<S>(simd, active, state, records);
            } else {
                std::mem::swap(&mut state.now, &mut state.next);
            }
            if let Some(output) = sink.output {
                for row in 0..active {
                    let hidden = &state.now[row * stride..][..layout.units];
                    #[expect(unsafe_code, reason = "both directions write into the output")]
                    // SAFETY: these units of this step of this row belong to the row's tile in this direction, and no other
                    // task has that tile.
                    unsafe {
                        output.write::<S>(self.place(row, step), hidden);
                    }
                    if step + 1 < self.tile.lengths[row] {
                        output.prefetch(self.place(row, step + 1), layout.units);
                    }
                }
            }
            self.enter::<S>(step + 1, &mut state.now);
            pairs += active;
        }
    }

    /// One step of the first `rows` rows. With `turned`, the groups come last to first: taking turns, each step begins with the
    /// weights that the one before has left in the first-level cache.
    #[inline(always)]
    fn step<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(
        &self,
        simd: S,
        (rows, turned): (usize, bool),
        state: &mut State,
        records: &mut [f32],
    ) {
        let groups = self.layout.groups();
        let turn = |index: usize, count: usize| if turned { count - 1 - index } else { index };
        let mut index = 0;
        while index < groups && rows > 1 {
            let group = turn(index, groups);
            let mut row = 0;
            while row + BLOCK <= rows {
                self.block::<S, C, H, I, 1, BLOCK>(simd, state, records, group, row);
                row += BLOCK;
            }
            if row + 2 == rows {
                self.block::<S, C, H, I, 1, 2>(simd, state, records, group, row);
            }
            index += 1;
        }
        if rows % BLOCK == 1 {
            // A single row has too few sums to keep the arithmetic busy: two groups at once make up for it.
            let (row, blocks) = (rows - 1, groups.div_ceil(2));
            let mut index = 0;
            while index < blocks {
                let group = turn(index, blocks) * 2;
                if group + 2 <= groups {
                    self.block::<S, C, H, I, 2, 1>(simd, state, records, group, row);
                } else {
                    self.block::<S, C, H, I, 1, 1>(simd, state, records, group, row);
                }
                index += 1;
            }
        }
    }

    /// `ROWS` rows from `row` on of `GROUPS` groups from `group` on, at one step: both products, then the cell.
    #[inline(always)]
    fn block<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize, const GROUPS: usize, const ROWS: usize>(
        &self,
        simd: S,
        state: &mut State,
        records: &mut [f32],
        group: usize,
        row: usize,
    ) {
        let layout = self.layout;
        let (lanes, groups, stride) = (S::F32_LANES, layout.groups(), layout.stride());
        let mut sums: Sums<S, GROUPS, ROWS, PANEL> = [[[simd.splat_f32s(0.0); PANEL]; ROWS]; GROUPS];
        if !state.offsets.is_empty() {
            let (offsets, _) = S::as_simd_f32s(&state.offsets);
            let (offsets, _) = offsets.as_chunks::<PANEL>();
            for g in 0..GROUPS {
                for r in 0..ROWS {
                    sums[g][r] = offsets[(row + r) * groups + group + g];
                }
            }
        }
        let factors = Factors { values: &state.now[row * stride..], row: stride, step: 1 };
        let at = Place { group, width: layout.width(), depth: layout.depth() };
        C::sums::<S, GROUPS, ROWS>(simd, &mut sums, factors, self.weights, at);
        let (now, _) = S::as_simd_f32s(&state.now);
        let (next, _) = S::as_mut_simd_f32s(&mut state.next);
        let (cell, _) = S::as_mut_simd_f32s(&mut state.cell);
        let (records, _) = S::as_mut_simd_f32s(records);
        let (stride, units) = (stride / lanes, groups * C::WIDE);
        let of_cell =
            |g: usize, r: usize| if C::CELL { (row + r) * units + group + g..(row + r) * units + group + g + 1 } else { 0..0 };
        for g in 0..GROUPS {
            for r in 0..ROWS {
                C::gates(simd, &mut sums[g][r], &mut cell[of_cell(g, r)]);
            }
        }
        for g in 0..GROUPS {
            for r in 0..ROWS {
                let at = (row + r) * stride + (group + g) * C::WIDE;
                let record = if records.is_empty() {
                    0..0
                } else {
                    ((row + r) * groups + group + g) * C::RECORD..((row + r) * groups + group + g + 1) * C::RECORD
                };
                let (previous, hidden) = (&now[at..][..C::WIDE], &mut next[at..][..C::WIDE]);
                C::finish(simd, sums[g][r], previous, &cell[of_cell(g, r)], hidden, &mut records[record]);
            }
        }
    }

    /// Zeros behind the rows' ends.
    fn clear_padding(&self, output: Shared<'_>) {
        let Shape { time, directions, units, .. } = *self.shape;
        for (row, length) in self.tile.rows.iter().zip(&self.tile.lengths) {
            for step in *length..time {
                #[expect(unsafe_code, reason = "both directions write into the output")]
                // SAFETY: as in `advance`.
                unsafe {
                    output.clear(((row * time + step) * directions + self.tile.direction) * units, units);
                }
            }
        }
    }

    /// The states before `step`, the inputs of it beside them: from the output and, for an LSTM, `cell`.
    pub(super) fn restore<S: Simd>(&self, step: usize, output: &[f32], cell: &[f32], state: &mut State) {
        let (stride, units) = (self.layout.stride(), self.layout.units);
        if step > 0 {
            for row in 0..self.tile.active(step) {
                state.now[row * stride..][..units].copy_from_slice(&output[self.place(row, step - 1)..][..units]);
            }
        }
        state.cell.copy_from_slice(cell);
        self.enter::<S>(step, &mut state.now);
    }
}

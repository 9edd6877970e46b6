//! One tile of one direction, back through time.

use pulp::{Simd, WithSimd};

use super::cells::{CellKernel, States};
use super::forward::{self, Sink, Trace};
use super::pack::{self, Layout};
use super::pool::Buffer;
use super::product::{BLOCK, PANEL};
use super::shared::{Shared, prefetch};
use super::shares::Share;
use super::through::Through;
use super::{Behind, copy};

/// Pairs (row, step) whose gate gradients are kept before they enter the weight gradients: as many as stay in the cache.
const CHUNK: usize = 120;
/// What a tile's way back runs on.
pub(super) struct Run<'a> {
    /// The way forward, for what it did not keep.
    pub forward: forward::Run<'a>,
    pub weights: &'a pack::Backward,
    pub trace: &'a Trace,
    /// Steps between checkpoints; 0 where everything was kept.
    pub checkpoint: usize,
    /// `[batch, time, directions × units]`, as the way forward left it.
    pub output: &'a [f32],
    pub behind: Behind<'a>,
    /// This direction's gradient of the input, `[batch, time, features]`, if wanted.
    pub input: Option<Shared<'a>>,
}

pub(super) struct Lstm<'a>(pub Run<'a>);
pub(super) struct Gru<'a>(pub Run<'a>);
pub(super) struct Before<'a>(pub Run<'a>);
pub(super) struct Simple<'a>(pub Run<'a>);

macro_rules! with_simd {
    ($($name:ident, $hidden:literal, $input:literal;)*) => {$(
        impl WithSimd for $name<'_> {
            type Output = Share;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Share {
                self.0.run::<S, super::cells::$name, $hidden, $input>(simd)
            }
        }
    )*};
}

with_simd! { Lstm, 4, 4; Gru, 3, 3; Before, 2, 3; Simple, 4, 4; }

/// What a tile carries from step to step, and its scratch.
pub(super) struct Carry {
    /// Gradient of the hidden state, `[row][width rounded up to panels]`.
    pub hidden: Buffer,
    /// Gradient of the cell state, `[row][width]`.
    pub cell: Buffer,
    /// Gradients of the sums, `[pair][group][PANEL][lane]`, a chunk's.
    pub gates: Buffer,
    /// What the weights were multiplied with, `[pair][hidden state, one, input]`, a chunk's.
    pub factors: Buffer,
    /// Sums of the gradients of the sums over the steps, `[row][group][PANEL][lane]`; empty without offsets.
    pub offset: Buffer,
    /// Hidden states of a step, `[width]`.
    pub hidden_states: Buffer,
    /// Reset hidden states and ones, `[pair][hidden state, one]`, a chunk's; empty but for a GRU whose reset gate stands before
    /// the product, as is the next.
    pub reset: Buffer,
    /// Gradients of reset hidden states, `[row][width rounded up to panels]`.
    pub reset_gradient: Buffer,
    /// Pairs in the chunk, and how many there is room for.
    pub pairs: usize,
    pub room: usize,
}

impl Carry {
    /// Adds the gradients of a step's sums to those of the offsets.
    #[inline(always)]
    fn add_offsets<S: Simd>(&mut self, simd: S, layout: Layout, active: usize) {
        let span = layout.groups() * PANEL * layout.lanes;
        let mut row = 0;
        while row < active {
            let gates = &self.gates[(self.pairs + row) * layout.gates_stride()..][..span];
            add::<S>(simd, &mut self.offset[row * span..][..span], gates);
            row += 1;
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn run<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(&self, simd: S) -> Share {
        let layout = self.forward.layout;
        let (rows, steps) = (self.forward.tile.rows(), self.forward.tile.steps());
        let mut carry = self.start(C::CELL);
        let mut share = Share::new(layout);
        let segment = if self.checkpoint == 0 || C::RECORD == 0 { steps } else { self.checkpoint };
        let record = layout.groups() * C::RECORD * layout.lanes;
        let mut again = (self.checkpoint > 0 && C::RECORD > 0)
            .then(|| (self.forward.start(C::CELL), Buffer::any(segment.min(steps) * rows * record)));
        let mut end = steps;
        while end > 0 {
            let start = (end - 1) / segment * segment;
            let mut at = self.forward.tile.pairs(start..end) * record;
            let records: &[f32] = match &mut again {
                Some((state, records)) => {
                    self.again::<S, C, H, I>(simd, start..end, state, &mut records[..at]);
                    &records[..at]
                }
                None => &self.trace.records[..at],
            };
            for step in (start..end).rev() {
                let active = self.forward.tile.active(step);
                at -= active * record;
                if carry.pairs + active > carry.room {
                    Self::to_weights::<S, H, I>(simd, layout, &mut carry, &mut share);
                }
                self.step::<S, C, H, I>(simd, step, active, &records[at..], &mut carry);
                if C::BEFORE {
                    self.reset::<S>(simd, active, &records[at..], &mut carry);
                }
                if !carry.offset.is_empty() {
                    carry.add_offsets::<S>(simd, layout, active);
                }
                self.to_hidden::<S, C, H, I>(simd, active, &mut carry);
                if let Some(input) = self.input {
                    self.to_input::<S, I>(simd, step, active, &carry, input);
                }
                carry.pairs += active;
            }
            end = start;
        }
        Self::to_weights::<S, H, I>(simd, layout, &mut carry, &mut share);
        self.clear_padding();
        (share.hidden, share.cell, share.offset) = (carry.hidden, carry.cell, carry.offset);
        share
    }

    fn start(&self, cell: bool) -> Carry {
        let layout = self.forward.layout;
        let tile = self.forward.tile;
        let (rows, span) = (tile.rows(), PANEL * layout.lanes);
        let room = (CHUNK / rows).max(1) * rows;
        let mut carry = Carry {
            hidden: Buffer::zeros(rows * layout.panels(layout.units) * span),
            cell: Buffer::zeros(if cell { rows * layout.width() } else { 0 }),
            gates: Buffer::any(room * layout.gates_stride()),
            factors: Buffer::zeros(room * layout.stride()),
            offset: Buffer::zeros(if self.forward.operands.offset.is_some() { rows * layout.groups() * span } else { 0 }),
            hidden_states: Buffer::zeros(layout.width()),
            reset: Buffer::zeros(if layout.before { room * layout.stride() } else { 0 }),
            reset_gradient: Buffer::any(if layout.before { rows * layout.panels(layout.units) * span } else { 0 }),
            pairs: 0,
            room,
        };
        for factors in carry.factors.chunks_exact_mut(layout.stride()).chain(carry.reset.chunks_exact_mut(layout.stride())) {
            factors[layout.width()] = 1.0;
        }
        if let (true, Some(gradient)) = (cell, self.behind.last_cell) {
            let gradient = self.forward.shape.part(gradient, tile.direction);
            tile.read(gradient, layout.units, layout.width(), &mut carry.cell);
        }
        carry
    }

    /// The records of `steps`, computed once more.
    #[inline(always)]
    fn again<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(
        &self,
        simd: S,
        steps: std::ops::Range<usize>,
        state: &mut forward::State,
        records: &mut [f32],
    ) {
        if steps.start == 0 {
            *state = self.forward.start(C::CELL);
        }
        let cell = state.cell.len();
        self.forward.restore::<S>(
            steps.start,
            self.output,
            &self.trace.checkpoints[steps.start / self.checkpoint * cell..][..cell],
            state,
        );
        self.forward.advance::<S, C, H, I>(simd, steps, state, Sink { output: None, records, checkpoints: None });
    }

    /// Brings what row `row`'s weights were multiplied with at `step` to the chunk.
    #[inline(always)]
    fn collect<S: Simd>(&self, step: usize, row: usize, carry: &mut Carry) {
        let Layout { units, input, .. } = self.forward.layout;
        let (stride, width) = (self.forward.layout.stride(), self.forward.layout.width());
        let target = &mut carry.factors[(carry.pairs + row) * stride..][..width + 1 + input];
        let previous = if step == 0 {
            let tile = self.forward.tile;
            &self.forward.shape.part(self.forward.operands.hidden, tile.direction)[tile.rows[row] * units..][..units]
        } else {
            &self.output[self.forward.place(row, step - 1)..][..units]
        };
        copy::<S>(target, previous);
        copy::<S>(&mut target[width + 1..], self.forward.input(row, step));
    }

    /// Asks for what a row a little further on will read. Rows are often a power of two apart, so that few of them fit into the
    /// caches' sets: a whole step's would drive one another out.
    #[inline(always)]
    fn ahead(&self, step: usize, row: usize, active: usize) {
        /// Rows.
        const AHEAD: usize = 4;
        let (mut step, mut row) = (step, row + AHEAD);
        if row >= active {
            if step == 0 || row - active >= active {
                return;
            }
            (step, row) = (step - 1, row - active);
        }
        let units = self.forward.layout.units;
        prefetch(&self.behind.output[self.forward.place(row, step)..][..units]);
        prefetch(self.forward.input(row, step));
        if step > 0 {
            prefetch(&self.output[self.forward.place(row, step - 1)..][..units]);
        }
    }

    /// The gradient of one step's sums, from that of its hidden state.
    #[inline(always)]
    fn step<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(
        &self,
        simd: S,
        step: usize,
        active: usize,
        records: &[f32],
        carry: &mut Carry,
    ) {
        let layout = self.forward.layout;
        let (lanes, groups, units) = (S::F32_LANES, layout.groups(), layout.units);
        let (stride, gates_stride, columns) = (layout.stride(), layout.gates_stride(), layout.panels(units) * PANEL * lanes);
        let (records, _) = S::as_simd_f32s(records);
        let mut row = 0;
        while row < active {
            self.ahead(step, row, active);
            self.collect::<S>(step, row, carry);
            let place = self.forward.place(row, step);
            let gradient = &mut carry.hidden[row * columns..][..columns];
            add::<S>(simd, gradient, &self.behind.output[place..][..units]);
            let (gradient, _) = S::as_mut_simd_f32s(gradient);
            let pair = carry.pairs + row;
            let (previous, _) = S::as_simd_f32s(&carry.factors[pair * stride..][..layout.width()]);
            if C::RECORD == 0 {
                copy::<S>(&mut carry.hidden_states, &self.output[place..][..units]);
            }
            let (hidden, _) = S::as_simd_f32s(&carry.hidden_states);
            let cell = if C::CELL { &mut carry.cell[row * layout.width()..][..layout.width()] } else { &mut [] };
            let (cell, _) = S::as_mut_simd_f32s(cell);
            let (gates, _) = S::as_mut_simd_f32s(&mut carry.gates[pair * gates_stride..][..groups * PANEL * lanes]);
            let (gates, _) = gates.as_chunks_mut::<PANEL>();
            let mut group = 0;
            while group < groups {
                let unit = group * C::WIDE;
                let states = States { hidden: &hidden[unit..][..C::WIDE], previous: &previous[unit..][..C::WIDE] };
                let record = &records[(row * groups + group) * C::RECORD..][..C::RECORD];
                let cell = if C::CELL { &mut cell[unit..][..1] } else { &mut [] };
                gates[group] = C::back(simd, record, states, &mut gradient[unit..][..C::WIDE], cell);
                group += 1;
            }
            row += 1;
        }
    }

    /// Adds what reaches the previous hidden state through the weights.
    #[inline(always)]
    fn to_hidden<S: Simd, C: CellKernel<H, I>, const H: usize, const I: usize>(&self, simd: S, active: usize, carry: &mut Carry) {
        let layout = self.forward.layout;
        let panels = layout.panels(layout.units);
        let (hidden, _) = S::as_mut_simd_f32s(&mut carry.hidden);
        let (hidden, _) = hidden.as_chunks_mut::<PANEL>();
        let gates = &carry.gates[carry.pairs * layout.gates_stride()..];
        let through = Through { layout, gates, weights: &self.weights.hidden, window: C::WINDOW, panels };
        let mut panel = 0;
        while panel < panels {
            let mut group = 0;
            while group < layout.groups() {
                let groups = through.some::<S, H>(group);
                let mut row = 0;
                while row + BLOCK <= active {
                    through.add::<S, H, 1, BLOCK>(simd, hidden, (group, groups), panel, row);
                    row += BLOCK;
                }
                if row + 2 == active {
                    through.add::<S, H, 1, 2>(simd, hidden, (group, groups), panel, row);
                }
                group += groups;
            }
            panel += 1;
        }
        if active % BLOCK == 1 {
            let (row, groups) = (active - 1, layout.groups());
            let mut panel = 0;
            while panel + BLOCK <= panels {
                through.add::<S, H, BLOCK, 1>(simd, hidden, (0, groups), panel, row);
                panel += BLOCK;
            }
            if panel + 2 == panels {
                through.add::<S, H, 2, 1>(simd, hidden, (0, groups), panel, row);
            } else if panel + 1 == panels {
                through.add::<S, H, 1, 1>(simd, hidden, (0, groups), panel, row);
            }
        }
    }

    /// The gradient of the input at one step.
    #[inline(always)]
    fn to_input<S: Simd, const N: usize>(&self, simd: S, step: usize, active: usize, carry: &Carry, input: Shared<'_>) {
        let layout = self.forward.layout;
        let panels = layout.panels(layout.input);
        let gates = &carry.gates[carry.pairs * layout.gates_stride()..];
        let through = Through { layout, gates, weights: &self.weights.input, window: 0, panels };
        let mut panel = 0;
        while panel < panels {
            let mut row = 0;
            while row + BLOCK <= active {
                self.block_to_input::<S, N, BLOCK>(simd, through, step, input, panel, row);
                row += BLOCK;
            }
            if row + 2 == active {
                self.block_to_input::<S, N, 2>(simd, through, step, input, panel, row);
            } else if row + 1 == active {
                self.block_to_input::<S, N, 1>(simd, through, step, input, panel, row);
            }
            panel += 1;
        }
    }

    #[inline(always)]
    fn block_to_input<S: Simd, const N: usize, const ROWS: usize>(
        &self,
        simd: S,
        through: Through<'_>,
        step: usize,
        input: Shared<'_>,
        panel: usize,
        row: usize,
    ) {
        let (features, span) = (self.forward.layout.input, PANEL * S::F32_LANES);
        let count = span.min(features - panel * span);
        let mut sums = [[[simd.splat_f32s(0.0); PANEL]; ROWS]];
        through.sums::<S, N, 1, ROWS>(simd, &mut sums, (0, self.forward.layout.groups()), panel, row);
        let tile = self.forward.tile;
        for (r, sums) in sums[0].iter().enumerate() {
            let at = tile.rows[row + r] * self.forward.shape.time + tile.time(row + r, step);
            let values: &[f32] = pulp::bytemuck::cast_slice(sums);
            #[expect(unsafe_code, reason = "tasks fill one tensor, each its own rows")]
            // SAFETY: the row is of this tile alone, and the tensor of this direction alone.
            unsafe {
                input.write::<S>(at * features + panel * span, &values[..count]);
            }
        }
    }

    /// No gradient for padding.
    fn clear_padding(&self) {
        let (Some(input), tile, time) = (self.input, self.forward.tile, self.forward.shape.time) else {
            return;
        };
        for (row, length) in tile.rows.iter().zip(&tile.lengths) {
            let features = self.forward.layout.input;
            #[expect(unsafe_code, reason = "tasks fill one tensor, each its own rows")]
            // SAFETY: as in `block_to_input`.
            unsafe {
                input.clear((row * time + length) * features, (time - length) * features);
            }
        }
    }
}

/// `target += values`; `target` may be longer.
#[inline(always)]
fn add<S: Simd>(simd: S, target: &mut [f32], values: &[f32]) {
    let target = &mut target[..values.len()];
    let ((vectors, rest), (target, target_rest)) = (S::as_simd_f32s(values), S::as_mut_simd_f32s(target));
    let mut k = 0;
    while k < vectors.len() {
        target[k] = simd.add_f32s(target[k], vectors[k]);
        k += 1;
    }
    let mut k = 0;
    while k < rest.len() {
        target_rest[k] += rest[k];
        k += 1;
    }
}

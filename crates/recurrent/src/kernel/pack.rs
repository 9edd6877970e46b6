//! Weights laid out for the products, once per call and direction.

use super::pool::{Buffer, LINE};
use super::product::PANEL;
use super::{Direction, Shape};
use crate::Cell;

/// Where the gates of a cell stand among groups, vectors and lanes.
///
/// A *group* is what one panel computes: the gates of one vector of units, or of a simple net, four vectors of units. The
/// gradients of its sums stand in four vectors: i, f, g, o; a GRU's are n (the input's share), r, z, n (the hidden state's), so
/// that what belongs to each product is three vectors side by side, a *window*.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub cell: Cell,
    pub units: usize,
    pub input: usize,
    /// Values to a vector register.
    pub lanes: usize,
    /// Whether a GRU's reset gate stands before the product.
    pub before: bool,
    // What follows from these, so that no division stands in an inner loop.
    groups: usize,
    width: usize,
    stride: usize,
    gates_stride: usize,
}

/// One of the products that make the gates' sums. Cells whose sums don't need them apart do both in one, which is `Hidden`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Hidden,
    Input,
    /// Of the reset hidden state, where a GRU's reset gate stands before the product: for n alone.
    Reset,
}

impl Layout {
    pub(super) fn new(shape: &Shape, lanes: usize) -> Self {
        let (cell, units, input) = (shape.cell, shape.units, shape.input);
        let wide = if cell == Cell::Simple { PANEL } else { 1 };
        let groups = units.div_ceil(wide * lanes);
        let width = groups * wide * lanes;
        Self {
            cell,
            units,
            input,
            lanes,
            before: cell == Cell::Gru && !shape.reset_after,
            groups,
            width,
            stride: odd_lines(width + 1 + input),
            gates_stride: odd_lines(groups * PANEL * lanes),
        }
    }

    /// Whether both products go into the same sums.
    #[inline(always)]
    pub(super) fn joined(self) -> bool {
        self.cell != Cell::Gru
    }

    /// Vectors to the window of `part`.
    #[inline(always)]
    pub(super) fn window(self, part: Part) -> usize {
        match part {
            _ if self.joined() => PANEL,
            Part::Hidden if self.before => 2,
            Part::Hidden | Part::Input => 3,
            Part::Reset => 1,
        }
    }

    /// Where the window of `part` begins among a group's vectors.
    #[inline(always)]
    pub(super) fn window_start(self, part: Part) -> usize {
        usize::from(!self.joined() && part == Part::Hidden)
    }

    #[inline(always)]
    pub(super) fn groups(self) -> usize {
        self.groups
    }

    /// Units with padding: what a row of states takes.
    #[inline(always)]
    pub(super) fn width(self) -> usize {
        self.width
    }

    /// What the weights are multiplied with at one step of one row: the hidden state, a one (for the biases), the input.
    #[inline(always)]
    pub(super) fn depth(self) -> usize {
        self.width() + 1 + self.input
    }

    /// From one such row to the next, in values: an odd number of cache lines, so that no two rows nearby share their sets.
    #[inline(always)]
    pub(super) fn stride(self) -> usize {
        self.stride
    }

    /// From the gradients of one row's sums to the next's.
    #[inline(always)]
    pub(super) fn gates_stride(self) -> usize {
        self.gates_stride
    }

    /// The factors of `part` in a row: the first, and how many.
    #[inline(always)]
    pub(super) fn factors(self, part: Part) -> (usize, usize) {
        match part {
            Part::Hidden if self.joined() => (0, self.depth()),
            Part::Hidden => (0, self.width() + 1),
            Part::Input if self.joined() => (0, 0),
            Part::Reset if self.before => (0, self.width() + 1),
            Part::Reset => (0, 0),
            Part::Input => (self.width(), 1 + self.input),
        }
    }

    /// Column panels of `columns` values.
    #[inline(always)]
    pub(super) fn panels(self, columns: usize) -> usize {
        columns.div_ceil(PANEL * self.lanes)
    }

    /// The gate and the unit of lane `lane` of the window's vector `vector` of a group; none for padding.
    pub(super) fn place(self, part: Part, group: usize, vector: usize, lane: usize) -> Option<(usize, usize)> {
        let (gate, unit) = match (self.cell, part) {
            (Cell::Simple, _) => (0, (group * PANEL + vector) * self.lanes + lane),
            (Cell::Lstm, _) | (Cell::Gru, Part::Hidden) => (vector, group * self.lanes + lane),
            // n, r, z
            (Cell::Gru, Part::Input) => ((vector + 2) % 3, group * self.lanes + lane),
            (Cell::Gru, Part::Reset) => (2, group * self.lanes + lane),
        };
        (unit < self.units).then_some((gate, unit))
    }

    /// The weight row (PyTorch's order) of each lane of a group's window: `(place in the window, row)`.
    pub(super) fn rows(self, part: Part, group: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.window(part)).flat_map(move |vector| (0..self.lanes).map(move |lane| (vector, lane))).filter_map(
            move |(vector, lane)| {
                let (gate, unit) = self.place(part, group, vector, lane)?;
                Some((vector * self.lanes + lane, gate * self.units + unit))
            },
        )
    }
}

fn odd_lines(values: usize) -> usize {
    (values.div_ceil(LINE) | 1) * LINE
}

/// One direction's weights for the way forward: `[group][factor][vector of the window][lane]`.
pub(super) struct Forward {
    /// Both products where they are joined.
    pub hidden: Buffer,
    /// Empty where they are.
    pub input: Buffer,
    /// `[PANEL groups][hidden state or one][PANEL][lane]`; empty but for a GRU whose reset gate stands before the product.
    pub reset: Buffer,
}

impl Forward {
    /// No weights.
    pub(super) fn none() -> Self {
        Self { hidden: Buffer::any(0), input: Buffer::any(0), reset: Buffer::any(0) }
    }

    pub(super) fn new(layout: Layout, weights: &Direction<'_>) -> Self {
        let joined = layout.joined();
        let pack = |part: Part| {
            let (span, (first, depth)) = (layout.window(part) * layout.lanes, layout.factors(part));
            let mut packed = Buffer::zeros(layout.groups() * depth * span);
            if depth == 0 {
                return packed;
            }
            for (group, packed) in packed.chunks_exact_mut(depth * span).enumerate() {
                for (place, row) in layout.rows(part, group) {
                    let column = |target: &mut [f32], factor: usize, source: &[f32]| {
                        let at = (factor - first) * span + place;
                        for (target, value) in target[at..].iter_mut().step_by(span).zip(source) {
                            *target = *value;
                        }
                    };
                    let hidden = part == Part::Hidden;
                    let mut bias = 0.0;
                    if hidden {
                        column(packed, 0, &weights.weight_hh[row * layout.units..][..layout.units]);
                        bias += weights.bias_hh[row];
                    }
                    if joined || !hidden {
                        column(packed, layout.width() + 1, &weights.weight_ih[row * layout.input..][..layout.input]);
                        bias += weights.bias_ih[row];
                    }
                    column(packed, layout.width(), &[bias]);
                }
            }
            packed
        };
        Self { hidden: pack(Part::Hidden), input: pack(Part::Input), reset: reset(layout, weights) }
    }
}

/// The weights of [`Part::Reset`]; four groups make a panel.
fn reset(layout: Layout, weights: &Direction<'_>) -> Buffer {
    let (span, (_, depth)) = (PANEL * layout.lanes, layout.factors(Part::Reset));
    let mut packed = Buffer::zeros(layout.groups().div_ceil(PANEL) * depth * span);
    if depth > 0 {
        for group in 0..layout.groups() {
            for (place, row) in layout.rows(Part::Reset, group) {
                let at = group / PANEL * depth * span + group % PANEL * layout.lanes + place;
                let column = weights.weight_hh[row * layout.units..][..layout.units].iter();
                for (target, value) in packed[at..].iter_mut().step_by(span).zip(column) {
                    *target = *value;
                }
                packed[at + layout.width() * span] = weights.bias_hh[row];
            }
        }
    }
    packed
}

/// One direction's weights for the way back: `[panel][group][vector of the window][lane][PANEL × lanes columns]`.
pub(super) struct Backward {
    pub hidden: Buffer,
    /// Empty unless asked for.
    pub input: Buffer,
    /// Empty but for a GRU whose reset gate stands before the product.
    pub reset: Buffer,
}

impl Backward {
    pub(super) fn new(layout: Layout, weights: &Direction<'_>, want_input: bool) -> Self {
        let span = PANEL * layout.lanes;
        let pack = |part: Part, source: &[f32], columns: usize| {
            let window = layout.window(part) * layout.lanes;
            let mut packed = Buffer::zeros(layout.panels(columns) * layout.groups() * window * span);
            for (panel, first) in (0..columns).step_by(span).enumerate() {
                let count = span.min(columns - first);
                for group in 0..layout.groups() {
                    for (place, row) in layout.rows(part, group) {
                        let at = (panel * layout.groups() + group) * window + place;
                        packed[at * span..][..count].copy_from_slice(&source[row * columns + first..][..count]);
                    }
                }
            }
            packed
        };
        Self {
            hidden: pack(Part::Hidden, weights.weight_hh, layout.units),
            input: pack(Part::Input, weights.weight_ih, if want_input { layout.input } else { 0 }),
            reset: pack(Part::Reset, weights.weight_hh, if layout.before { layout.units } else { 0 }),
        }
    }
}

/// What rows add to the input's product, `[row][group][PANEL][lane]`, from `[batch, gates × units]` of one direction.
pub(super) fn offsets(layout: Layout, rows: &[usize], source: &[f32]) -> Buffer {
    let span = PANEL * layout.lanes;
    let mut packed = Buffer::zeros(rows.len() * layout.groups() * span);
    for (target, row) in packed.chunks_exact_mut(layout.groups() * span).zip(rows) {
        let gates = layout.cell.gates() * layout.units;
        let source = &source[row * gates..][..gates];
        for (group, target) in target.chunks_exact_mut(span).enumerate() {
            for (place, row) in layout.rows(Part::Input, group) {
                target[place] = source[row];
            }
        }
    }
    packed
}

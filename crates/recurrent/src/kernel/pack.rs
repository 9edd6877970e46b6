//! Weights laid out for the products, once per call and direction.

use super::product::PANEL;
use super::{Direction, Shape};
use crate::Cell;

/// Values that start on a cache line, so that no vector load straddles two.
pub(super) struct Aligned {
    values: Vec<f32>,
    start: usize,
}

impl Aligned {
    const LINE: usize = 64;

    pub(super) fn zeros(len: usize) -> Self {
        let spare = Self::LINE / size_of::<f32>();
        let mut values = vec![0.0; len + spare];
        let start = values.as_ptr().align_offset(Self::LINE).min(spare);
        values.truncate(start + len);
        Self { values, start }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.values[self.start..]
    }
}

impl std::ops::DerefMut for Aligned {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}

/// Where the gates of a cell stand among groups and lanes.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub cell: Cell,
    pub units: usize,
    pub input: usize,
    /// Values to a vector register.
    pub lanes: usize,
}

impl Layout {
    pub(super) fn new(shape: &Shape, lanes: usize) -> Self {
        Self { cell: shape.cell, units: shape.units, input: shape.input, lanes }
    }

    /// Vectors of units to a group.
    fn wide(self) -> usize {
        if self.cell == Cell::Simple { PANEL } else { 1 }
    }

    /// Vectors to a step of a forward panel.
    pub(super) fn vectors(self) -> usize {
        if self.cell == Cell::Gru { 3 } else { 4 }
    }

    pub(super) fn groups(self) -> usize {
        self.units.div_ceil(self.wide() * self.lanes)
    }

    /// Units with padding: what a row of hidden states takes.
    pub(super) fn width(self) -> usize {
        self.groups() * self.wide() * self.lanes
    }

    /// Column panels of `columns` values.
    pub(super) fn panels(self, columns: usize) -> usize {
        columns.div_ceil(PANEL * self.lanes)
    }

    /// The weight row (PyTorch's order) that vector `vector`, lane `lane` of a group computes; none for padding.
    pub(super) fn row(self, group: usize, vector: usize, lane: usize) -> Option<usize> {
        let (unit, gate) = match self.cell {
            Cell::Simple => ((group * PANEL + vector) * self.lanes + lane, 0),
            Cell::Lstm | Cell::Gru => (group * self.lanes + lane, vector),
        };
        (unit < self.units).then_some(gate * self.units + unit)
    }

    /// The sum that a forward panel's vector adds to, for the input's share and the hidden state's: they differ where a
    /// GRU keeps the two shares of n apart.
    pub(super) fn sums(self, vector: usize) -> (usize, usize) {
        (vector, if self.cell == Cell::Gru && vector == 2 { 3 } else { vector })
    }
}

/// One direction's weights for the way forward.
pub(super) struct Forward {
    /// `[group][feature][vector][lane]`.
    pub input: Aligned,
    /// `[group][unit][vector][lane]`.
    pub hidden: Aligned,
    /// What the sums start from: `[group][sum][lane]`.
    pub bias: Aligned,
}

impl Forward {
    pub(super) fn new(layout: Layout, weights: &Direction<'_>) -> Self {
        let (vectors, lanes) = (layout.vectors(), layout.lanes);
        let pack = |source: &[f32], columns: usize| {
            let mut packed = Aligned::zeros(layout.groups() * columns * vectors * lanes);
            for group in 0..layout.groups() {
                for (vector, lane, row) in rows(layout, group) {
                    let source = &source[row * columns..][..columns];
                    let target = &mut packed[(group * columns * vectors + vector) * lanes + lane..];
                    for (target, value) in target.iter_mut().step_by(vectors * lanes).zip(source) {
                        *target = *value;
                    }
                }
            }
            packed
        };
        let mut bias = Aligned::zeros(layout.groups() * PANEL * lanes);
        for group in 0..layout.groups() {
            for (vector, lane, row) in rows(layout, group) {
                let (from_input, from_hidden) = layout.sums(vector);
                bias[(group * PANEL + from_input) * lanes + lane] += weights.bias_ih[row];
                bias[(group * PANEL + from_hidden) * lanes + lane] += weights.bias_hh[row];
            }
        }
        Self { input: pack(weights.weight_ih, layout.input), hidden: pack(weights.weight_hh, layout.units), bias }
    }
}

/// One direction's weights for the way back: `[panel][group][vector][lane][PANEL × lanes columns]`.
pub(super) struct Backward {
    pub input: Aligned,
    pub hidden: Aligned,
}

impl Backward {
    pub(super) fn new(layout: Layout, weights: &Direction<'_>) -> Self {
        let (vectors, lanes) = (layout.vectors(), layout.lanes);
        let span = PANEL * lanes;
        let pack = |source: &[f32], columns: usize| {
            let mut packed = Aligned::zeros(layout.panels(columns) * layout.groups() * vectors * lanes * span);
            for (panel, first) in (0..columns).step_by(span).enumerate() {
                let count = span.min(columns - first);
                for group in 0..layout.groups() {
                    for (vector, lane, row) in rows(layout, group) {
                        let at = ((panel * layout.groups() + group) * vectors + vector) * lanes + lane;
                        packed[at * span..][..count].copy_from_slice(&source[row * columns + first..][..count]);
                    }
                }
            }
            packed
        };
        Self { input: pack(weights.weight_ih, layout.input), hidden: pack(weights.weight_hh, layout.units) }
    }
}

/// The places of a group that hold a weight row: `(vector, lane, row)`.
pub(super) fn rows(layout: Layout, group: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..layout.vectors())
        .flat_map(move |vector| (0..layout.lanes).map(move |lane| (vector, lane)))
        .filter_map(move |(vector, lane)| layout.row(group, vector, lane).map(|row| (vector, lane, row)))
}

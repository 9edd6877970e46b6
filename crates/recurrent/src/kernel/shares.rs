//! The sum of the tiles' gradients.

use rayon::prelude::*;

use super::Shape;
use super::pack::{Layout, Part};
use super::pool::Buffer;
use super::product::PANEL;
use super::tiles::Tile;
use crate::Cell;

/// Gradients of a layer's run, shaped as the [`Operands`](super::Operands).
pub(crate) struct Gradients {
    /// None unless asked for.
    pub input: Option<Vec<f32>>,
    pub weight_ih: Vec<f32>,
    pub weight_hh: Vec<f32>,
    pub bias_ih: Vec<f32>,
    pub bias_hh: Vec<f32>,
    pub hidden: Vec<f32>,
    /// None for cells without a cell state.
    pub cell: Option<Vec<f32>>,
    /// None unless offsets came.
    pub offset: Option<Vec<f32>>,
}

/// One tile's share of the gradients.
pub(super) struct Share {
    /// Of both products' weights, or the hidden state's where they are apart: `[group][factor][vector of the window][lane]`.
    pub by_hidden: Buffer,
    /// Of the input's product; empty where both are one.
    pub by_input: Buffer,
    /// Of the reset hidden state's product; empty where there is none.
    pub by_reset: Buffer,
    /// `[row][width rounded up to panels]`.
    pub hidden: Buffer,
    /// `[row][width]`.
    pub cell: Buffer,
    /// `[row][group][PANEL][lane]`; empty without offsets.
    pub offset: Buffer,
}

impl Share {
    pub(super) fn new(layout: Layout) -> Self {
        let of = |part| Buffer::zeros(layout.groups() * layout.factors(part).1 * layout.window(part) * layout.lanes);
        let none = || Buffer::any(0);
        let [by_hidden, by_input, by_reset] = [Part::Hidden, Part::Input, Part::Reset].map(of);
        Self { by_hidden, by_input, by_reset, hidden: none(), cell: none(), offset: none() }
    }
}

/// Adds the tiles' shares up, in their order, and brings them into the operands' shapes.
pub(super) fn collect(shape: &Shape, layout: Layout, tiles: &[Tile], mut shares: Vec<Share>, offsets: bool) -> Gradients {
    let (input, units, count) = (shape.input, shape.units, tiles.len() / shape.directions);
    let rows = shape.directions * shape.cell.gates() * units;
    let mut gradients = Gradients {
        input: None,
        weight_ih: vec![0.0; rows * input],
        weight_hh: vec![0.0; rows * units],
        bias_ih: vec![0.0; rows],
        bias_hh: vec![0.0; rows],
        hidden: states(shape, tiles, &shares, layout.panels(units) * PANEL * layout.lanes, |share| &share.hidden),
        cell: (shape.cell == Cell::Lstm).then(|| states(shape, tiles, &shares, layout.width(), |share| &share.cell)),
        offset: offsets.then(|| offset_rows(shape, layout, tiles, &shares)),
    };
    for (direction, shares) in shares.chunks_mut(count).enumerate() {
        let first = direction * shape.cell.gates() * units;
        add_up(shares, |share| &mut share.by_hidden);
        add_up(shares, |share| &mut share.by_input);
        add_up(shares, |share| &mut share.by_reset);
        for part in [Part::Hidden, Part::Input, Part::Reset] {
            unpack(layout, part, first, &shares[0], &mut gradients);
        }
    }
    gradients
}

/// Adds all tiles' values to the first's.
fn add_up(shares: &mut [Share], part: impl Fn(&mut Share) -> &mut Buffer) {
    /// Values that one task adds.
    const PIECE: usize = 1 << 13;
    let mut parts = shares.iter_mut().map(part);
    let Some(total) = parts.next() else {
        return;
    };
    let others: Vec<_> = parts.map(|part| &part[..]).collect();
    total.par_chunks_mut(PIECE).enumerate().for_each(|(piece, total)| {
        for other in &others {
            for (total, value) in total.iter_mut().zip(&other[piece * PIECE..]) {
                *total += value;
            }
        }
    });
}

/// Rows of `width` values of each tile, as `[directions, batch, units]`.
pub(super) fn states<T>(shape: &Shape, tiles: &[Tile], of: &[T], width: usize, values: impl Fn(&T) -> &Buffer) -> Vec<f32> {
    let units = shape.units;
    let mut states = vec![0.0; shape.directions * shape.batch * units];
    for (tile, of) in tiles.iter().zip(of) {
        for (values, row) in values(of).chunks_exact(width).zip(&tile.rows) {
            states[(tile.direction * shape.batch + row) * units..][..units].copy_from_slice(&values[..units]);
        }
    }
    states
}

/// The offsets' gradients, `[directions, batch, gates × units]`.
fn offset_rows(shape: &Shape, layout: Layout, tiles: &[Tile], shares: &[Share]) -> Vec<f32> {
    let (gates, span) = (shape.cell.gates() * shape.units, PANEL * layout.lanes);
    let mut rows = vec![0.0; shape.directions * shape.batch * gates];
    for (tile, share) in tiles.iter().zip(shares) {
        for (values, row) in share.offset.chunks_exact(layout.groups() * span).zip(&tile.rows) {
            let target = &mut rows[(tile.direction * shape.batch + row) * gates..][..gates];
            for (group, values) in values.chunks_exact(span).enumerate() {
                for (place, row) in layout.rows(Part::Input, group) {
                    target[row] = values[place];
                }
            }
        }
    }
    rows
}

/// Brings one direction's weight gradients into the operands' rows from `first` on.
fn unpack(layout: Layout, part: Part, first: usize, share: &Share, gradients: &mut Gradients) {
    let (input, units, joined) = (layout.input, layout.units, layout.joined());
    let (span, (skipped, depth)) = (layout.window(part) * layout.lanes, layout.factors(part));
    if depth == 0 {
        return;
    }
    let (packed, by_hidden, by_input) = match part {
        Part::Hidden => (&share.by_hidden, true, joined),
        Part::Input => (&share.by_input, false, true),
        Part::Reset => (&share.by_reset, true, false),
    };
    for (group, packed) in packed.chunks_exact(depth * span).enumerate() {
        for (place, row) in layout.rows(part, group) {
            let row = first + row;
            let column = |factor: usize| packed[(factor - skipped) * span + place..].iter().step_by(span);
            if by_hidden {
                for (target, value) in gradients.weight_hh[row * units..][..units].iter_mut().zip(column(0)) {
                    *target = *value;
                }
            }
            if by_input {
                for (target, value) in gradients.weight_ih[row * input..][..input].iter_mut().zip(column(layout.width() + 1)) {
                    *target = *value;
                }
            }
            let bias = packed[(layout.width() - skipped) * span + place];
            if by_hidden {
                gradients.bias_hh[row] = bias;
            }
            if by_input {
                gradients.bias_ih[row] = bias;
            }
        }
    }
}

//! Which rows of the batch go together.

use std::ops::Range;

use super::Shape;
use super::product::BLOCK;

/// Rows of the batch that one task carries through time. Fixed, so that results don't depend on the number of threads: small
/// enough to feed many cores, and a multiple of the micro-kernel's block.
const TILE: usize = 12;

/// Rows of the batch in one direction, the longest first: those that still have steps are always the first ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tile {
    pub direction: usize,
    /// Rows of the batch.
    pub rows: Vec<usize>,
    /// Steps of each.
    pub lengths: Vec<usize>,
}

impl Tile {
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Steps of the longest row.
    pub(super) fn steps(&self) -> usize {
        self.lengths.first().copied().unwrap_or(0)
    }

    /// How many rows take the `step`-th step.
    pub(super) fn active(&self, step: usize) -> usize {
        self.lengths.partition_point(|length| *length > step)
    }

    /// Pairs of a row and a step that it takes, in `steps`.
    pub(super) fn pairs(&self, steps: Range<usize>) -> usize {
        self.lengths.iter().map(|length| (*length).min(steps.end) - (*length).min(steps.start)).sum()
    }

    /// Where in the sequence the `step`-th step of row `row` stands.
    #[inline(always)]
    pub(super) fn time(&self, row: usize, step: usize) -> usize {
        if self.direction == 0 { step } else { self.lengths[row] - 1 - step }
    }

    /// Copies this tile's rows of `[batch, units]` into rows of `width` values.
    pub(super) fn read(&self, source: &[f32], units: usize, width: usize, target: &mut [f32]) {
        for (target, row) in target.chunks_mut(width).zip(&self.rows) {
            target[..units].copy_from_slice(&source[row * units..][..units]);
        }
    }
}

/// All tasks: direction by direction, tile by tile.
pub(super) fn tiles(shape: &Shape, lengths: Option<&[usize]>) -> Vec<Tile> {
    let length = |row: usize| lengths.map_or(shape.time, |lengths| lengths[row]);
    let mut order: Vec<_> = (0..shape.batch).collect();
    order.sort_by_key(|row| std::cmp::Reverse(length(*row)));
    let count = shape.batch.div_ceil(TILE);
    let rows = shape.batch.div_ceil(count).next_multiple_of(BLOCK);
    let tile = |direction, rows: &[usize]| {
        let lengths = rows.iter().map(|row| length(*row)).collect();
        Tile { direction, rows: rows.to_vec(), lengths }
    };
    (0..shape.directions).flat_map(|direction| order.chunks(rows).map(move |rows| tile(direction, rows))).collect()
}

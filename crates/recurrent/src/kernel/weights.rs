//! From a chunk of gradients of sums to those of the weights.

use pulp::Simd;

use super::backward::{Carry, Run};
use super::pack::{Layout, Part};
use super::product::{BLOCK, Factors, PANEL, Panels, Sums, multiply};
use super::shares::Share;

impl Run<'_> {
    /// Adds the chunk's pairs to the weight gradients, and empties the chunk.
    #[inline(always)]
    pub(super) fn to_weights<S: Simd, const H: usize, const I: usize>(
        simd: S,
        layout: Layout,
        carry: &mut Carry,
        share: &mut Share,
    ) {
        Self::part_to_weights::<S, H>(simd, layout, Part::Hidden, carry, &mut share.by_hidden);
        if !layout.joined() {
            Self::part_to_weights::<S, I>(simd, layout, Part::Input, carry, &mut share.by_input);
        }
        if layout.before {
            Self::part_to_weights::<S, 1>(simd, layout, Part::Reset, carry, &mut share.by_reset);
        }
        carry.pairs = 0;
    }

    #[inline(always)]
    fn part_to_weights<S: Simd, const N: usize>(simd: S, layout: Layout, part: Part, carry: &Carry, weights: &mut [f32]) {
        let (lanes, (first, depth)) = (S::F32_LANES, layout.factors(part));
        let (weights, _) = S::as_mut_simd_f32s(weights);
        let (weights, _) = weights.as_chunks_mut::<N>();
        let with = if part == Part::Reset { &carry.reset } else { &carry.factors };
        let mut group = 0;
        while group < layout.groups() {
            let start = (group * PANEL + layout.window_start(part)) * lanes;
            let panels = Panels { values: &carry.gates[start..], group: 0, step: layout.gates_stride() };
            let weights = &mut weights[group * depth..][..depth];
            let mut row = 0;
            while row < depth {
                let factors = Factors { values: &with[first + row..], row: 1, step: layout.stride() };
                if row + BLOCK <= depth {
                    outer::<S, N, BLOCK>(simd, &mut weights[row..], carry.pairs, factors, panels);
                    row += BLOCK;
                } else {
                    outer::<S, N, 1>(simd, &mut weights[row..], carry.pairs, factors, panels);
                    row += 1;
                }
            }
            group += 1;
        }
    }
}

/// Adds the pairs' products to `ROWS` rows of a group's weight gradients.
#[inline(always)]
fn outer<S: Simd, const N: usize, const ROWS: usize>(
    simd: S,
    weights: &mut [[S::f32s; N]],
    pairs: usize,
    factors: Factors<'_>,
    panels: Panels<'_>,
) {
    let (weights, _) = weights.as_chunks_mut::<ROWS>();
    let mut local: Sums<S, 1, ROWS, N> = [weights[0]];
    multiply::<S, 1, ROWS, N>(simd, &mut local, pairs, factors, panels);
    weights[0] = local[0];
}

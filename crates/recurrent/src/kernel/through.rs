//! From the gradients of one step's sums to those of what the weights were multiplied with.

use pulp::Simd;

use super::pack::Layout;
use super::product::{Factors, PANEL, Panels, Sums, multiply};

/// Factors of a product that pass over all rows before the next ones do: as much of a panel as stays in the first-level cache.
const DEPTH: usize = 128;

/// The gradients of one step's sums, times the weights.
#[derive(Clone, Copy)]
pub(super) struct Through<'a> {
    pub layout: Layout,
    /// From the step's first row on.
    pub gates: &'a [f32],
    pub weights: &'a [f32],
    /// Where the groups' windows begin.
    pub window: usize,
    pub panels: usize,
}

impl Through<'_> {
    /// How many groups from `group` on make as much of a panel as stays in the first-level cache.
    #[inline(always)]
    pub(super) fn some<S: Simd, const N: usize>(&self, group: usize) -> usize {
        (DEPTH / (N * S::F32_LANES)).max(1).min(self.layout.groups() - group)
    }

    /// Adds to `ROWS` rows of `[row][panel]` of `target` what comes from `groups` (the first, how many).
    #[inline(always)]
    pub(super) fn add<S: Simd, const N: usize, const GROUPS: usize, const ROWS: usize>(
        &self,
        simd: S,
        target: &mut [[S::f32s; PANEL]],
        groups: (usize, usize),
        panel: usize,
        row: usize,
    ) {
        let mut sums: Sums<S, GROUPS, ROWS, PANEL> = [[[simd.splat_f32s(0.0); PANEL]; ROWS]; GROUPS];
        for g in 0..GROUPS {
            for r in 0..ROWS {
                sums[g][r] = target[(row + r) * self.panels + panel + g];
            }
        }
        self.sums::<S, N, GROUPS, ROWS>(simd, &mut sums, groups, panel, row);
        for g in 0..GROUPS {
            for r in 0..ROWS {
                target[(row + r) * self.panels + panel + g] = sums[g][r];
            }
        }
    }

    #[inline(always)]
    pub(super) fn sums<S: Simd, const N: usize, const GROUPS: usize, const ROWS: usize>(
        &self,
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        (first, count): (usize, usize),
        panel: usize,
        row: usize,
    ) {
        let lanes = S::F32_LANES;
        let (stride, span) = (self.layout.gates_stride(), PANEL * lanes);
        let (window, groups) = (N * lanes, self.layout.groups());
        // Where the window is all of a group, groups follow one another without a gap.
        let (runs, depth) = if N == PANEL { (1, count * window) } else { (count, window) };
        let mut run = 0;
        while run < runs {
            let group = first + run;
            let from = row * stride + (group * PANEL + self.window) * lanes;
            let factors = Factors { values: &self.gates[from..], row: stride, step: 1 };
            let values = &self.weights[(panel * groups + group) * window * span..];
            let panels = Panels { values, group: groups * window * span, step: span };
            multiply::<S, GROUPS, ROWS, PANEL>(simd, sums, depth, factors, panels);
            run += 1;
        }
    }
}

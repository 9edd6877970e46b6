//! The second halves of the steps of a GRU whose reset gate stands before the product: n takes the reset hidden state, so that
//! two products follow one another.
//!
//! ```text
//!  forward   [h, 1, x] ─► r, z, input's share of n ─► r h ─► (r h) × weights ─► n, h'
//!  back      dh ─► dn, dz ─► dn × weights = d(r h) ─► dr, more of dh ─► (dr, dz) × weights
//! ```

use pulp::Simd;

use super::activation::tanh;
use super::backward::{self, Carry};
use super::cells::sigmoid_slope;
use super::forward::{self, State};
use super::product::{BLOCK, Factors, PANEL, Panels, Sums, multiply};
use super::through::Through;

/// Vectors of a record: the input's share of n (n, once it is known), r, z.
const RECORD: usize = 3;

impl forward::Run<'_> {
    /// From the reset states, in `state.next`, and the records to the new hidden states, in `state.now`.
    #[inline(always)]
    pub(super) fn candidate<S: Simd>(&self, simd: S, rows: usize, state: &mut State, records: &mut [f32]) {
        let mut panel = 0;
        while panel < self.layout.groups().div_ceil(PANEL) {
            let mut row = 0;
            while row + BLOCK <= rows {
                self.candidates::<S, BLOCK>(simd, panel, row, state, records);
                row += BLOCK;
            }
            if row + 2 == rows {
                self.candidates::<S, 2>(simd, panel, row, state, records);
            } else if row + 1 == rows {
                self.candidates::<S, 1>(simd, panel, row, state, records);
            }
            panel += 1;
        }
    }

    #[inline(always)]
    fn candidates<S: Simd, const ROWS: usize>(&self, simd: S, panel: usize, row: usize, state: &mut State, records: &mut [f32]) {
        let (groups, stride, depth) = (self.layout.groups(), self.layout.stride(), self.layout.width() + 1);
        let (lanes, span) = (S::F32_LANES, PANEL * S::F32_LANES);
        let mut sums: Sums<S, 1, ROWS, PANEL> = [[[simd.splat_f32s(0.0); PANEL]; ROWS]];
        let factors = Factors { values: &state.next[row * stride..], row: stride, step: 1 };
        let panels = Panels { values: &self.weights.reset[panel * depth * span..], group: 0, step: span };
        multiply::<S, 1, ROWS, PANEL>(simd, &mut sums, depth, factors, panels);
        let (records, _) = S::as_mut_simd_f32s(records);
        for r in 0..ROWS {
            for (j, sum) in sums[0][r].iter().enumerate().take(groups - panel * PANEL) {
                let group = panel * PANEL + j;
                let record = &mut records[((row + r) * groups + group) * RECORD..][..RECORD];
                let (hidden, _) = S::as_mut_simd_f32s(&mut state.now[(row + r) * stride + group * lanes..][..lanes]);
                let n = tanh(simd, simd.add_f32s(record[0], *sum));
                record[0] = n;
                hidden[0] = simd.mul_add_e_f32s(record[2], simd.sub_f32s(hidden[0], n), n);
            }
        }
    }
}

impl backward::Run<'_> {
    /// From n's gradient, among the gates', to r's; what reaches the hidden state through the reset one joins its gradient.
    #[inline(always)]
    pub(super) fn reset<S: Simd>(&self, simd: S, active: usize, records: &[f32], carry: &mut Carry) {
        let layout = self.forward.layout;
        let (groups, stride, panels) = (layout.groups(), layout.stride(), layout.panels(layout.units));
        let columns = panels * PANEL * S::F32_LANES;
        self.to_reset::<S>(simd, active, carry);
        let (records, _) = S::as_simd_f32s(records);
        for row in 0..active {
            let pair = carry.pairs + row;
            let (reset_gradient, _) = S::as_simd_f32s(&carry.reset_gradient[row * columns..][..columns]);
            let (gradient, _) = S::as_mut_simd_f32s(&mut carry.hidden[row * columns..][..columns]);
            let (previous, _) = S::as_simd_f32s(&carry.factors[pair * stride..][..layout.width()]);
            let (reset, _) = S::as_mut_simd_f32s(&mut carry.reset[pair * stride..][..layout.width()]);
            let (gates, _) = S::as_mut_simd_f32s(&mut carry.gates[pair * layout.gates_stride()..][..layout.gates_stride()]);
            for group in 0..groups {
                let (r, d) = (records[(row * groups + group) * RECORD + 1], reset_gradient[group]);
                gates[group * PANEL + 1] = simd.mul_f32s(simd.mul_f32s(d, previous[group]), sigmoid_slope(simd, r));
                gradient[group] = simd.mul_add_e_f32s(d, r, gradient[group]);
                reset[group] = simd.mul_f32s(r, previous[group]);
            }
        }
    }

    /// The gradients of the reset hidden states.
    #[inline(always)]
    fn to_reset<S: Simd>(&self, simd: S, active: usize, carry: &mut Carry) {
        let layout = self.forward.layout;
        let (groups, panels) = (layout.groups(), layout.panels(layout.units));
        carry.reset_gradient.fill(0.0);
        let (target, _) = S::as_mut_simd_f32s(&mut carry.reset_gradient);
        let (target, _) = target.as_chunks_mut::<PANEL>();
        let gates = &carry.gates[carry.pairs * layout.gates_stride()..];
        let through = Through { layout, gates, weights: &self.weights.reset, window: 0, panels };
        let mut panel = 0;
        while panel < panels {
            let mut row = 0;
            while row + BLOCK <= active {
                through.add::<S, 1, 1, BLOCK>(simd, target, (0, groups), panel, row);
                row += BLOCK;
            }
            while row < active {
                through.add::<S, 1, 1, 1>(simd, target, (0, groups), panel, row);
                row += 1;
            }
            panel += 1;
        }
    }
}

//! What each cell does with a group's sums, forward and back.

use pulp::Simd;

use super::activation::{sigmoid, tanh};
use super::product::PANEL;

/// One cell's arithmetic. `N` is the number of vectors to a step of a weight panel.
///
/// A *group* is what one panel computes: four vectors of sums for `WIDE` vectors of units.
pub(super) trait CellKernel<const N: usize>: Copy + Send + Sync + 'static {
    /// Vectors of units to a group.
    const WIDE: usize;
    /// Whether the third gate keeps the hidden state's share apart, as the fourth sum (a GRU's candidate).
    const SPLIT: bool;
    /// Whether there is a cell state beside the hidden one.
    const CELL: bool;

    /// From a group's sums to its new hidden state (and cell state, in place); gives what the way back wants kept.
    fn step<S: Simd>(
        simd: S,
        sums: [S::f32s; PANEL],
        previous: &[S::f32s],
        cell: &mut [S::f32s],
        hidden: &mut [S::f32s],
    ) -> [S::f32s; PANEL];

    /// From the gradient of a group's hidden state (`gradient`; and cell state, in place) to that of its sums. `gradient`
    /// is left with what reaches the previous hidden state directly, past the weights.
    fn back<S: Simd>(
        simd: S,
        kept: [S::f32s; PANEL],
        states: &States<'_, S>,
        gradient: &mut [S::f32s],
        cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL];
}

/// A group's states around a step, `WIDE` vectors each; those of the cell are empty where there is none.
pub(super) struct States<'a, S: Simd> {
    pub hidden: &'a [S::f32s],
    pub previous: &'a [S::f32s],
    pub cell: &'a [S::f32s],
    pub previous_cell: &'a [S::f32s],
}

/// `y (1 − y)`: the logistic function's derivative from its value.
#[inline(always)]
fn sigmoid_slope<S: Simd>(simd: S, y: S::f32s) -> S::f32s {
    simd.negate_mul_add_e_f32s(y, y, y)
}

/// `1 − y²`: tanh's derivative from its value.
#[inline(always)]
fn tanh_slope<S: Simd>(simd: S, y: S::f32s) -> S::f32s {
    simd.negate_mul_add_e_f32s(y, y, simd.splat_f32s(1.0))
}

#[derive(Clone, Copy)]
pub(super) struct Lstm;

impl CellKernel<4> for Lstm {
    const WIDE: usize = 1;
    const SPLIT: bool = false;
    const CELL: bool = true;

    #[inline(always)]
    fn step<S: Simd>(
        simd: S,
        [i, f, g, o]: [S::f32s; PANEL],
        _previous: &[S::f32s],
        cell: &mut [S::f32s],
        hidden: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let (i, f, g, o) = (sigmoid(simd, i), sigmoid(simd, f), tanh(simd, g), sigmoid(simd, o));
        let c = simd.mul_add_e_f32s(f, cell[0], simd.mul_f32s(i, g));
        cell[0] = c;
        hidden[0] = simd.mul_f32s(o, tanh(simd, c));
        [i, f, g, o]
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        [i, f, g, o]: [S::f32s; PANEL],
        states: &States<'_, S>,
        gradient: &mut [S::f32s],
        cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let dh = gradient[0];
        let squashed = tanh(simd, states.cell[0]);
        let through = simd.mul_f32s(simd.mul_f32s(dh, o), tanh_slope(simd, squashed));
        let dc = simd.add_f32s(cell_gradient[0], through);
        let di = simd.mul_f32s(simd.mul_f32s(dc, g), sigmoid_slope(simd, i));
        let df = simd.mul_f32s(simd.mul_f32s(dc, states.previous_cell[0]), sigmoid_slope(simd, f));
        let dg = simd.mul_f32s(simd.mul_f32s(dc, i), tanh_slope(simd, g));
        let d_o = simd.mul_f32s(simd.mul_f32s(dh, squashed), sigmoid_slope(simd, o));
        cell_gradient[0] = simd.mul_f32s(dc, f);
        gradient[0] = simd.splat_f32s(0.0);
        [di, df, dg, d_o]
    }
}

/// The GRU whose reset gate stands behind the product. Its sums: r, z, the input's share of n, the hidden state's.
#[derive(Clone, Copy)]
pub(super) struct Gru;

impl CellKernel<3> for Gru {
    const WIDE: usize = 1;
    const SPLIT: bool = true;
    const CELL: bool = false;

    #[inline(always)]
    fn step<S: Simd>(
        simd: S,
        [r, z, n, from_hidden]: [S::f32s; PANEL],
        previous: &[S::f32s],
        _cell: &mut [S::f32s],
        hidden: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let (r, z) = (sigmoid(simd, r), sigmoid(simd, z));
        let n = tanh(simd, simd.mul_add_e_f32s(r, from_hidden, n));
        hidden[0] = simd.mul_add_e_f32s(z, simd.sub_f32s(previous[0], n), n);
        [r, z, n, from_hidden]
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        [r, z, n, from_hidden]: [S::f32s; PANEL],
        states: &States<'_, S>,
        gradient: &mut [S::f32s],
        _cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let dh = gradient[0];
        let dn = simd.mul_f32s(simd.negate_mul_add_e_f32s(dh, z, dh), tanh_slope(simd, n));
        let dz = simd.mul_f32s(simd.mul_f32s(dh, simd.sub_f32s(states.previous[0], n)), sigmoid_slope(simd, z));
        let dr = simd.mul_f32s(simd.mul_f32s(dn, from_hidden), sigmoid_slope(simd, r));
        gradient[0] = simd.mul_f32s(dh, z);
        [dr, dz, dn, simd.mul_f32s(dn, r)]
    }
}

/// Elman's net: four vectors of units to a group, one sum each.
#[derive(Clone, Copy)]
pub(super) struct Simple;

impl CellKernel<4> for Simple {
    const WIDE: usize = PANEL;
    const SPLIT: bool = false;
    const CELL: bool = false;

    #[inline(always)]
    fn step<S: Simd>(
        simd: S,
        sums: [S::f32s; PANEL],
        _previous: &[S::f32s],
        _cell: &mut [S::f32s],
        hidden: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        for (unit, sum) in sums.into_iter().enumerate() {
            hidden[unit] = tanh(simd, sum);
        }
        sums
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        _kept: [S::f32s; PANEL],
        states: &States<'_, S>,
        gradient: &mut [S::f32s],
        _cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let mut sums = [simd.splat_f32s(0.0); PANEL];
        for (unit, sum) in sums.iter_mut().enumerate() {
            *sum = simd.mul_f32s(gradient[unit], tanh_slope(simd, states.hidden[unit]));
            gradient[unit] = simd.splat_f32s(0.0);
        }
        sums
    }
}

//! What each cell does with a group's sums, forward and back.

use pulp::Simd;

use super::activation::{add_half, divide, sigmoid_quotient, sigmoids, tanh, tanh_quotient};
use super::pack::Forward;
use super::product::{Factors, PANEL, Panels, Sums, multiply};

/// One cell's arithmetic. `H` and `I` are the numbers of vectors in the windows of the hidden state's and the input's product (see
/// [`Layout`](super::pack::Layout)).
pub(super) trait CellKernel<const H: usize, const I: usize>: Copy + Send + Sync + 'static {
    /// Vectors of units to a group.
    const WIDE: usize;
    /// Whether there is a cell state beside the hidden one.
    const CELL: bool;
    /// Vectors that the way back wants of each group: its *record*.
    const RECORD: usize;
    /// Where a group's window of the hidden state's product begins.
    const WINDOW: usize;
    /// Whether a reset hidden state goes through a product of its own: see [`candidate`](super::candidate). Then
    /// the new hidden state is the reset one, and [`Self::back`] leaves r's gradient out.
    const BEFORE: bool = false;

    /// Both products, from `sums` (laid out as the gradients) on; `GROUPS` groups from `group` on, `ROWS` rows of `state`, which
    /// are `factors.row` values apart. What comes out goes to [`Self::gates`].
    fn sums<S: Simd, const GROUPS: usize, const ROWS: usize>(
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        factors: Factors<'_>,
        weights: &Forward,
        at: Place,
    );

    /// The gates, in place of a group's sums, and the new cell state. In two halves with [`Self::finish`], each done for all rows
    /// of a block, so that the processor has several rows' chains of operations to work on at once.
    fn gates<S: Simd>(simd: S, sums: &mut [S::f32s; PANEL], cell: &mut [S::f32s]);

    /// From the gates to the new hidden state. `record` is empty if no way back will follow.
    fn finish<S: Simd>(
        simd: S,
        gates: [S::f32s; PANEL],
        previous: &[S::f32s],
        cell: &[S::f32s],
        hidden: &mut [S::f32s],
        record: &mut [S::f32s],
    );

    /// From the gradient of a group's hidden state (`gradient`; and cell state, in place) to that of its sums. `gradient`
    /// is left with what reaches the previous hidden state directly, past the weights.
    fn back<S: Simd>(
        simd: S,
        record: &[S::f32s],
        states: States<'_, S>,
        gradient: &mut [S::f32s],
        cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL];
}

/// A group, and what there is of factors.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub group: usize,
    /// Values of a row that are hidden states, with padding.
    pub width: usize,
    /// Hidden states, one, inputs.
    pub depth: usize,
}

/// A group's hidden states around a step, `WIDE` vectors each.
#[derive(Clone, Copy)]
pub(super) struct States<'a, S: Simd> {
    /// A simple net's alone.
    pub hidden: &'a [S::f32s],
    pub previous: &'a [S::f32s],
}

/// `y (1 − y)`: the logistic function's derivative from its value.
#[inline(always)]
pub(super) fn sigmoid_slope<S: Simd>(simd: S, y: S::f32s) -> S::f32s {
    simd.negate_mul_add_e_f32s(y, y, y)
}

/// `1 − y²`: tanh's derivative from its value.
#[inline(always)]
fn tanh_slope<S: Simd>(simd: S, y: S::f32s) -> S::f32s {
    simd.negate_mul_add_e_f32s(y, y, simd.splat_f32s(1.0))
}

/// Both products in one: four vectors of sums.
#[inline(always)]
fn joined<S: Simd, const GROUPS: usize, const ROWS: usize>(
    simd: S,
    sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
    factors: Factors<'_>,
    weights: &Forward,
    at: Place,
) {
    let span = PANEL * S::F32_LANES;
    let panels = Panels { values: &weights.hidden[at.group * at.depth * span..], group: at.depth * span, step: span };
    multiply::<S, GROUPS, ROWS, PANEL>(simd, sums, at.depth, factors, panels);
}

/// Both products of a GRU, whose sums are n (the input's share), r, z; gives the hidden state's product, r, z and what follows.
#[inline(always)]
fn apart<S: Simd, const GROUPS: usize, const ROWS: usize, const H: usize>(
    simd: S,
    sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
    factors: Factors<'_>,
    weights: &Forward,
    at: Place,
) -> Sums<S, GROUPS, ROWS, H> {
    let mut by_hidden: Sums<S, GROUPS, ROWS, H> = [[[simd.splat_f32s(0.0); H]; ROWS]; GROUPS];
    let (depth, span) = (at.width + 1, H * S::F32_LANES);
    let panels = Panels { values: &weights.hidden[at.group * depth * span..], group: depth * span, step: span };
    multiply::<S, GROUPS, ROWS, H>(simd, &mut by_hidden, depth, factors, panels);
    let mut local: Sums<S, GROUPS, ROWS, 3> = [[[simd.splat_f32s(0.0); 3]; ROWS]; GROUPS];
    for group in 0..GROUPS {
        for row in 0..ROWS {
            let ([n, r, z, _], by_hidden) = (sums[group][row], by_hidden[group][row]);
            local[group][row] = [n, simd.add_f32s(r, by_hidden[0]), simd.add_f32s(z, by_hidden[1])];
        }
    }
    let (depth, span) = (at.depth - at.width, 3 * S::F32_LANES);
    let panels = Panels { values: &weights.input[at.group * depth * span..], group: depth * span, step: span };
    let factors = Factors { values: &factors.values[at.width..], ..factors };
    multiply::<S, GROUPS, ROWS, 3>(simd, &mut local, depth, factors, panels);
    for group in 0..GROUPS {
        for row in 0..ROWS {
            let [n, r, z] = local[group][row];
            sums[group][row] = [n, r, z, sums[group][row][3]];
        }
    }
    by_hidden
}

#[derive(Clone, Copy)]
pub(super) struct Lstm;

impl CellKernel<4, 4> for Lstm {
    const WIDE: usize = 1;
    const CELL: bool = true;
    const RECORD: usize = 5;
    const WINDOW: usize = 0;

    #[inline(always)]
    fn sums<S: Simd, const GROUPS: usize, const ROWS: usize>(
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        factors: Factors<'_>,
        weights: &Forward,
        at: Place,
    ) {
        joined(simd, sums, factors, weights, at);
    }

    #[inline(always)]
    fn gates<S: Simd>(simd: S, sums: &mut [S::f32s; PANEL], cell: &mut [S::f32s]) {
        let [i, f, g, o] = *sums;
        let (i, f) = sigmoids(simd, i, f);
        let (g, o) = divide(simd, tanh_quotient(simd, g), sigmoid_quotient(simd, o));
        *sums = [i, f, g, add_half(simd, o)];
        cell[0] = simd.mul_add_e_f32s(f, cell[0], simd.mul_f32s(i, g));
    }

    #[inline(always)]
    fn finish<S: Simd>(
        simd: S,
        [i, f, g, o]: [S::f32s; PANEL],
        _previous: &[S::f32s],
        cell: &[S::f32s],
        hidden: &mut [S::f32s],
        record: &mut [S::f32s],
    ) {
        hidden[0] = simd.mul_f32s(o, tanh(simd, cell[0]));
        if let [to_i, to_f, to_g, to_o, to_c] = record {
            (*to_i, *to_f, *to_g, *to_o, *to_c) = (i, f, g, o, cell[0]);
        }
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        record: &[S::f32s],
        _states: States<'_, S>,
        gradient: &mut [S::f32s],
        cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let &[i, f, g, o, c] = record else {
            return [simd.splat_f32s(0.0); PANEL];
        };
        let dh = gradient[0];
        let squashed = tanh(simd, c);
        let through = simd.mul_f32s(dh, o);
        let dc = simd.mul_add_e_f32s(through, tanh_slope(simd, squashed), cell_gradient[0]);
        let di = simd.mul_f32s(simd.mul_f32s(dc, g), sigmoid_slope(simd, i));
        // f times the previous cell state is what i g left of the new one.
        let carried = simd.negate_mul_add_e_f32s(i, g, c);
        let through_f = simd.mul_f32s(dc, simd.negate_mul_add_e_f32s(f, carried, carried));
        let dg = simd.mul_f32s(simd.mul_f32s(dc, i), tanh_slope(simd, g));
        let through_o = simd.mul_f32s(simd.mul_f32s(dh, squashed), sigmoid_slope(simd, o));
        cell_gradient[0] = simd.mul_f32s(dc, f);
        gradient[0] = simd.splat_f32s(0.0);
        [di, through_f, dg, through_o]
    }
}

/// The GRU whose reset gate stands behind the product. Its sums: the input's share of n, r, z, the hidden state's share of n.
#[derive(Clone, Copy)]
pub(super) struct Gru;

impl CellKernel<3, 3> for Gru {
    const WIDE: usize = 1;
    const CELL: bool = false;
    const RECORD: usize = 4;
    const WINDOW: usize = 1;

    #[inline(always)]
    fn sums<S: Simd, const GROUPS: usize, const ROWS: usize>(
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        factors: Factors<'_>,
        weights: &Forward,
        at: Place,
    ) {
        let by_hidden = apart::<S, GROUPS, ROWS, 3>(simd, sums, factors, weights, at);
        for (sums, by_hidden) in sums.iter_mut().zip(by_hidden) {
            for (sums, [_, _, n]) in sums.iter_mut().zip(by_hidden) {
                sums[3] = n;
            }
        }
    }

    #[inline(always)]
    fn gates<S: Simd>(simd: S, sums: &mut [S::f32s; PANEL], _cell: &mut [S::f32s]) {
        let [n, r, z, from_hidden] = *sums;
        let (r, z) = sigmoids(simd, r, z);
        *sums = [simd.mul_add_e_f32s(r, from_hidden, n), r, z, from_hidden];
    }

    #[inline(always)]
    fn finish<S: Simd>(
        simd: S,
        [n, r, z, from_hidden]: [S::f32s; PANEL],
        previous: &[S::f32s],
        _cell: &[S::f32s],
        hidden: &mut [S::f32s],
        record: &mut [S::f32s],
    ) {
        let n = tanh(simd, n);
        hidden[0] = simd.mul_add_e_f32s(z, simd.sub_f32s(previous[0], n), n);
        if let [to_n, to_r, to_z, to_hidden] = record {
            (*to_n, *to_r, *to_z, *to_hidden) = (n, r, z, from_hidden);
        }
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        record: &[S::f32s],
        states: States<'_, S>,
        gradient: &mut [S::f32s],
        _cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let &[n, r, z, from_hidden] = record else {
            return [simd.splat_f32s(0.0); PANEL];
        };
        let dh = gradient[0];
        let dn = simd.mul_f32s(simd.negate_mul_add_e_f32s(dh, z, dh), tanh_slope(simd, n));
        let dz = simd.mul_f32s(simd.mul_f32s(dh, simd.sub_f32s(states.previous[0], n)), sigmoid_slope(simd, z));
        let dr = simd.mul_f32s(simd.mul_f32s(dn, from_hidden), sigmoid_slope(simd, r));
        gradient[0] = simd.mul_f32s(dh, z);
        [dn, dr, dz, simd.mul_f32s(dn, r)]
    }
}

/// The GRU whose reset gate stands before the product. Its sums: the input's share of n, r, z, nothing.
#[derive(Clone, Copy)]
pub(super) struct Before;

impl CellKernel<2, 3> for Before {
    const WIDE: usize = 1;
    const CELL: bool = false;
    const RECORD: usize = 3;
    const WINDOW: usize = 1;
    const BEFORE: bool = true;

    #[inline(always)]
    fn sums<S: Simd, const GROUPS: usize, const ROWS: usize>(
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        factors: Factors<'_>,
        weights: &Forward,
        at: Place,
    ) {
        apart::<S, GROUPS, ROWS, 2>(simd, sums, factors, weights, at);
    }

    #[inline(always)]
    fn gates<S: Simd>(simd: S, sums: &mut [S::f32s; PANEL], _cell: &mut [S::f32s]) {
        let [n, r, z, rest] = *sums;
        let (r, z) = sigmoids(simd, r, z);
        *sums = [n, r, z, rest];
    }

    /// `hidden` becomes the reset state, the record the input's share of n, r and z.
    #[inline(always)]
    fn finish<S: Simd>(
        simd: S,
        [n, r, z, _]: [S::f32s; PANEL],
        previous: &[S::f32s],
        _cell: &[S::f32s],
        hidden: &mut [S::f32s],
        record: &mut [S::f32s],
    ) {
        hidden[0] = simd.mul_f32s(r, previous[0]);
        if let [to_n, to_r, to_z] = record {
            (*to_n, *to_r, *to_z) = (n, r, z);
        }
    }

    /// r's gradient is left to the other half.
    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        record: &[S::f32s],
        states: States<'_, S>,
        gradient: &mut [S::f32s],
        _cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let zero = simd.splat_f32s(0.0);
        let &[n, _, z] = record else {
            return [zero; PANEL];
        };
        let dh = gradient[0];
        let dn = simd.mul_f32s(simd.negate_mul_add_e_f32s(dh, z, dh), tanh_slope(simd, n));
        let dz = simd.mul_f32s(simd.mul_f32s(dh, simd.sub_f32s(states.previous[0], n)), sigmoid_slope(simd, z));
        gradient[0] = simd.mul_f32s(dh, z);
        [dn, zero, dz, zero]
    }
}

/// Elman's net: four vectors of units to a group, one sum each.
#[derive(Clone, Copy)]
pub(super) struct Simple;

impl CellKernel<4, 4> for Simple {
    const WIDE: usize = PANEL;
    const CELL: bool = false;
    const RECORD: usize = 0;
    const WINDOW: usize = 0;

    #[inline(always)]
    fn sums<S: Simd, const GROUPS: usize, const ROWS: usize>(
        simd: S,
        sums: &mut Sums<S, GROUPS, ROWS, PANEL>,
        factors: Factors<'_>,
        weights: &Forward,
        at: Place,
    ) {
        joined(simd, sums, factors, weights, at);
    }

    #[inline(always)]
    fn gates<S: Simd>(_simd: S, _sums: &mut [S::f32s; PANEL], _cell: &mut [S::f32s]) {}

    #[inline(always)]
    fn finish<S: Simd>(
        simd: S,
        sums: [S::f32s; PANEL],
        _previous: &[S::f32s],
        _cell: &[S::f32s],
        hidden: &mut [S::f32s],
        _record: &mut [S::f32s],
    ) {
        let mut unit = 0;
        while unit < PANEL {
            hidden[unit] = tanh(simd, sums[unit]);
            unit += 1;
        }
    }

    #[inline(always)]
    fn back<S: Simd>(
        simd: S,
        _record: &[S::f32s],
        states: States<'_, S>,
        gradient: &mut [S::f32s],
        _cell_gradient: &mut [S::f32s],
    ) -> [S::f32s; PANEL] {
        let mut sums = [simd.splat_f32s(0.0); PANEL];
        let mut unit = 0;
        while unit < PANEL {
            sums[unit] = simd.mul_f32s(gradient[unit], tanh_slope(simd, states.hidden[unit]));
            gradient[unit] = simd.splat_f32s(0.0);
            unit += 1;
        }
        sums
    }
}

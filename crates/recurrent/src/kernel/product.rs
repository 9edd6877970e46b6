//! The one product that everything here is made of.

use pulp::Simd;

/// Rows that the micro-kernel takes at once: 3 rows × 4 vectors of sums, 3 factors and a vector of weights fill the 16
/// vector registers of AVX2.
pub(super) const BLOCK: usize = 3;
/// Vectors to a panel.
pub(super) const PANEL: usize = 4;

/// Sums of one block: `[group][row][vector]`.
pub(super) type Sums<S, const GROUPS: usize, const ROWS: usize, const N: usize> = [[[<S as Simd>::f32s; N]; ROWS]; GROUPS];

/// Numbers to multiply panels with: number k of row r is `values[r × row + k × step]`.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub values: &'a [f32],
    pub row: usize,
    pub step: usize,
}

/// Panels: vectors k of group g start at `values[g × group + k × step]`.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub values: &'a [f32],
    pub group: usize,
    pub step: usize,
}

/// `sums[g][r][j] += Σ_k factors[r][k] × panels[g][k][j]` for k below `depth`.
///
/// The sum over k runs in order with one multiply-add each, so a value doesn't depend on the block it was computed in.
#[inline(always)]
#[expect(unsafe_code, reason = "a bound checked for every load costs a tenth of the time")]
pub(super) fn multiply<S: Simd, const GROUPS: usize, const ROWS: usize, const N: usize>(
    simd: S,
    sums: &mut Sums<S, GROUPS, ROWS, N>,
    depth: usize,
    factors: Factors<'_>,
    panels: Panels<'_>,
) {
    if depth == 0 {
        return;
    }
    let lanes = S::F32_LANES;
    assert!((ROWS - 1) * factors.row + (depth - 1) * factors.step < factors.values.len(), "factors of every row");
    assert!((GROUPS - 1) * panels.group + (depth - 1) * panels.step + N * lanes <= panels.values.len(), "panels of every group");
    let (factor, weight) = (factors.values.as_ptr(), panels.values.as_ptr());
    let mut local = *sums;
    let mut broadcast = [simd.splat_f32s(0.0); ROWS];
    // Bare loops: in a function as large as the one this ends up in, the compiler doesn't promise to inline an iterator's
    // methods, and a call in the innermost loop costs five times the work.
    let mut k = 0;
    while k < depth {
        let mut row = 0;
        while row < ROWS {
            // SAFETY: row < ROWS and k < depth, so the place is at most the one that the first assertion found inside.
            broadcast[row] = simd.splat_f32s(unsafe { *factor.add(row * factors.row + k * factors.step) });
            row += 1;
        }
        let mut group = 0;
        while group < GROUPS {
            // Weights outside: one of them and the factors beside the sums are 16 registers; the other way it would be 17.
            let mut j = 0;
            while j < N {
                // SAFETY: group < GROUPS, k < depth and j < N, so the vector's end is at most the one that the second
                // assertion found inside; any bits are a vector of f32.
                let weights =
                    unsafe { weight.add(group * panels.group + k * panels.step + j * lanes).cast::<S::f32s>().read_unaligned() };
                let mut row = 0;
                while row < ROWS {
                    local[group][row][j] = simd.mul_add_e_f32s(broadcast[row], weights, local[group][row][j]);
                    row += 1;
                }
                j += 1;
            }
            group += 1;
        }
        k += 1;
    }
    *sums = local;
}

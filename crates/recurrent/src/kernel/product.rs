//! The one product that everything here is made of.

use pulp::Simd;

/// Rows that the micro-kernel takes at once: 3 rows × 4 vectors of sums, 3 factors and a vector of weights fill the 16
/// vector registers of AVX2.
pub(super) const BLOCK: usize = 3;
/// Vectors to a panel.
pub(super) const PANEL: usize = 4;

/// Sums of one block: `[row][vector]`.
pub(super) type Sums<S, const ROWS: usize> = [[<S as Simd>::f32s; PANEL]; ROWS];

/// `sums[row][j] += Σ_k factors[row][k] × panel[k][j]` for the first `N` vectors of each row; `panel` is `[k][N]` vectors.
///
/// The sum over k runs in order with one multiply-add each, so a value doesn't depend on the block it was computed in.
#[inline(always)]
pub(super) fn multiply<S: Simd, const ROWS: usize, const N: usize>(
    simd: S,
    sums: &mut Sums<S, ROWS>,
    factors: [&[f32]; ROWS],
    panel: &[f32],
) {
    let (panel, _) = S::as_simd_f32s(panel);
    let (panel, _) = panel.as_chunks::<N>();
    let depth = panel.len();
    let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
    let mut row = 0;
    while row < ROWS {
        rows[row] = &factors[row][..depth];
        row += 1;
    }
    let mut local = *sums;
    let mut factor = [simd.splat_f32s(0.0); ROWS];
    // Bare loops: in a function as large as the one this ends up in, the compiler doesn't promise to inline an iterator's
    // methods, and a call in the innermost loop costs five times the work.
    let mut k = 0;
    while k < depth {
        let weights = &panel[k];
        let mut row = 0;
        while row < ROWS {
            factor[row] = simd.splat_f32s(rows[row][k]);
            row += 1;
        }
        // Weights outside: one of them and the factors beside the sums are 16 registers; the other way it would be 17.
        let mut j = 0;
        while j < N {
            let mut row = 0;
            while row < ROWS {
                local[row][j] = simd.mul_add_e_f32s(factor[row], weights[j], local[row][j]);
                row += 1;
            }
            j += 1;
        }
        k += 1;
    }
    *sums = local;
}

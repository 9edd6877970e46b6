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
    let factors = factors.map(|row| &row[..panel.len()]);
    let zero = simd.splat_f32s(0.0);
    let mut local = *sums;
    for (k, weights) in panel.iter().enumerate() {
        // Weights outside: one of them and the factors beside the sums are 16 registers; the other way it would be 17.
        let mut factor = [zero; ROWS];
        for (factor, row) in factor.iter_mut().zip(&factors) {
            *factor = simd.splat_f32s(row[k]);
        }
        for j in 0..N {
            for row in 0..ROWS {
                local[row][j] = simd.mul_add_e_f32s(factor[row], weights[j], local[row][j]);
            }
        }
    }
    *sums = local;
}

//! Inner products and squared distances in `f32`, vectorised for the machine's widest instructions through `pulp`.
//!
//! These are called from plain loops, never from closures handed to an iterator: what is not inlined into the body that
//! `pulp` compiled for wide instructions does not get them, and is fifty times slower.
//!
//! Operands are padded with zeros to a multiple of [`LANES`] so that no vector width leaves a remainder.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use pulp::Simd;

/// Rows are padded to a multiple of this many values: a multiple of every vector width.
pub(crate) const LANES: usize = 16;

/// The length to which a row of `n` values is padded.
pub(crate) fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// The inner product of two rows of equal, padded length.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, _) = S::as_simd_f32s(a);
    let (b, _) = S::as_simd_f32s(b);
    let mut sum = [simd.splat_f32s(0.0); 2];
    let (pairs_a, rest_a) = a.as_chunks::<2>();
    let (pairs_b, rest_b) = b.as_chunks::<2>();
    for (x, y) in pairs_a.iter().zip(pairs_b) {
        sum[0] = simd.mul_add_e_f32s(x[0], y[0], sum[0]);
        sum[1] = simd.mul_add_e_f32s(x[1], y[1], sum[1]);
    }
    for (x, y) in rest_a.iter().zip(rest_b) {
        sum[0] = simd.mul_add_e_f32s(*x, *y, sum[0]);
    }
    simd.reduce_sum_f32s(simd.add_f32s(sum[0], sum[1]))
}

/// The inner products of two rows `x` with four rows `y`, each of equal, padded length: eight sums at once keep the
/// multipliers busy, and each value loaded is used more than once.
#[inline(always)]
pub(crate) fn dot_2x4<S: Simd>(simd: S, x: [&[f32]; 2], y: [&[f32]; 4]) -> [[f32; 4]; 2] {
    let (x0, x1) = (S::as_simd_f32s(x[0]).0, S::as_simd_f32s(x[1]).0);
    let (y0, y1) = (S::as_simd_f32s(y[0]).0, S::as_simd_f32s(y[1]).0);
    let (y2, y3) = (S::as_simd_f32s(y[2]).0, S::as_simd_f32s(y[3]).0);
    let mut sum = [[simd.splat_f32s(0.0); 4]; 2];
    for (((((x0, x1), y0), y1), y2), y3) in x0.iter().zip(x1).zip(y0).zip(y1).zip(y2).zip(y3) {
        sum[0][0] = simd.mul_add_e_f32s(*x0, *y0, sum[0][0]);
        sum[0][1] = simd.mul_add_e_f32s(*x0, *y1, sum[0][1]);
        sum[0][2] = simd.mul_add_e_f32s(*x0, *y2, sum[0][2]);
        sum[0][3] = simd.mul_add_e_f32s(*x0, *y3, sum[0][3]);
        sum[1][0] = simd.mul_add_e_f32s(*x1, *y0, sum[1][0]);
        sum[1][1] = simd.mul_add_e_f32s(*x1, *y1, sum[1][1]);
        sum[1][2] = simd.mul_add_e_f32s(*x1, *y2, sum[1][2]);
        sum[1][3] = simd.mul_add_e_f32s(*x1, *y3, sum[1][3]);
    }
    let mut products = [[0.0; 4]; 2];
    for (products, sums) in products.iter_mut().zip(sum) {
        for (product, sum) in products.iter_mut().zip(sums) {
            *product = simd.reduce_sum_f32s(sum);
        }
    }
    products
}

/// The squared Euclidean distance of two rows of equal, padded length, by differences: exact for near neighbours.
#[inline(always)]
pub(crate) fn squared_distance<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, _) = S::as_simd_f32s(a);
    let (b, _) = S::as_simd_f32s(b);
    let mut sum = [simd.splat_f32s(0.0); 2];
    let (pairs_a, rest_a) = a.as_chunks::<2>();
    let (pairs_b, rest_b) = b.as_chunks::<2>();
    for (x, y) in pairs_a.iter().zip(pairs_b) {
        let d = [simd.sub_f32s(x[0], y[0]), simd.sub_f32s(x[1], y[1])];
        sum[0] = simd.mul_add_e_f32s(d[0], d[0], sum[0]);
        sum[1] = simd.mul_add_e_f32s(d[1], d[1], sum[1]);
    }
    for (x, y) in rest_a.iter().zip(rest_b) {
        let d = simd.sub_f32s(*x, *y);
        sum[0] = simd.mul_add_e_f32s(d, d, sum[0]);
    }
    simd.reduce_sum_f32s(simd.add_f32s(sum[0], sum[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    struct All<'a>([&'a [f32]; 6]);
    impl WithSimd for All<'_> {
        type Output = ([[f32; 4]; 2], f32, f32);
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let [a, b, c, d, e, f] = self.0;
            (dot_2x4(simd, [a, b], [c, d, e, f]), dot(simd, a, b), squared_distance(simd, a, b))
        }
    }

    #[test]
    fn vectorised_sums_equal_plain_ones() {
        for length in [16, 48, 128] {
            let rows: Vec<Vec<f32>> =
                (0..6_u32).map(|r| (0..length).map(|i| ((i * 7 + r * 13) % 11) as f32 - 5.0).collect()).collect();
            let views: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let plain = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
            let (block, single, distance) = Arch::new().dispatch(All(views.clone().try_into().unwrap()));
            for i in 0..2 {
                for j in 0..4 {
                    assert_eq!(block[i][j], plain(views[i], views[2 + j]));
                }
            }
            assert_eq!(single, plain(views[0], views[1]));
            assert_eq!(distance, views[0].iter().zip(views[1]).map(|(x, y)| (x - y) * (x - y)).sum::<f32>());
        }
    }
}

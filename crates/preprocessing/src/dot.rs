//! Inner products and squared distances in `f32`, vectorised for the machine's widest instructions through `pulp`.
//!
//! These are plain loops over indices, called from plain loops: no iterator and no closure stands in them, for what is not inlined into the body that
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
    let (a, b) = (S::as_simd_f32s(a).0, S::as_simd_f32s(b).0);
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut sum = [simd.splat_f32s(0.0); 2];
    let mut i = 0;
    while i + 1 < n {
        sum[0] = simd.mul_add_e_f32s(a[i], b[i], sum[0]);
        sum[1] = simd.mul_add_e_f32s(a[i + 1], b[i + 1], sum[1]);
        i += 2;
    }
    if i < n {
        sum[0] = simd.mul_add_e_f32s(a[i], b[i], sum[0]);
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
    let n = x0.len().min(x1.len()).min(y0.len()).min(y1.len()).min(y2.len()).min(y3.len());
    let (x0, x1, y0, y1, y2, y3) = (&x0[..n], &x1[..n], &y0[..n], &y1[..n], &y2[..n], &y3[..n]);
    let zero = simd.splat_f32s(0.0);
    let [mut s00, mut s01, mut s02, mut s03, mut s10, mut s11, mut s12, mut s13] = [zero; 8];
    let mut i = 0;
    while i < n {
        let (a, b) = (x0[i], x1[i]);
        s00 = simd.mul_add_e_f32s(a, y0[i], s00);
        s01 = simd.mul_add_e_f32s(a, y1[i], s01);
        s02 = simd.mul_add_e_f32s(a, y2[i], s02);
        s03 = simd.mul_add_e_f32s(a, y3[i], s03);
        s10 = simd.mul_add_e_f32s(b, y0[i], s10);
        s11 = simd.mul_add_e_f32s(b, y1[i], s11);
        s12 = simd.mul_add_e_f32s(b, y2[i], s12);
        s13 = simd.mul_add_e_f32s(b, y3[i], s13);
        i += 1;
    }
    [
        [simd.reduce_sum_f32s(s00), simd.reduce_sum_f32s(s01), simd.reduce_sum_f32s(s02), simd.reduce_sum_f32s(s03)],
        [simd.reduce_sum_f32s(s10), simd.reduce_sum_f32s(s11), simd.reduce_sum_f32s(s12), simd.reduce_sum_f32s(s13)],
    ]
}

/// The squared Euclidean distance of two rows of equal, padded length, by differences: exact for near neighbours.
#[inline(always)]
pub(crate) fn squared_distance<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (S::as_simd_f32s(a).0, S::as_simd_f32s(b).0);
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut sum = [simd.splat_f32s(0.0); 2];
    let mut i = 0;
    while i + 1 < n {
        let d = [simd.sub_f32s(a[i], b[i]), simd.sub_f32s(a[i + 1], b[i + 1])];
        sum[0] = simd.mul_add_e_f32s(d[0], d[0], sum[0]);
        sum[1] = simd.mul_add_e_f32s(d[1], d[1], sum[1]);
        i += 2;
    }
    if i < n {
        let d = simd.sub_f32s(a[i], b[i]);
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

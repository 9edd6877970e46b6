//! The inner loops, on the widest vectors of the machine.
//!
//! Analysis and synthesis are one and the same sum over two sequences, once they are laid out in two phases:
//!
//! ```text
//! y0[r] = sum_i t[i][0] u[r + i] + t[i][1] v[r + i]
//! y1[r] = sum_i t[i][2] u[r + i] + t[i][3] v[r + i]
//! ```
//!
//! In analysis `u`, `v` are the even and odd samples and `y0`, `y1` approximation and detail; in synthesis the other way round.
//! All accesses are contiguous, so that a vector register holds neighbouring rows. Cost: `2 F` multiplications for two outputs.
//!
//! The loops are spelled out, by index and with named sums: iterators and array methods are not always inlined into a function
//! that switches vector instructions on, and each call left over costs more than the sums (measured: a factor of five).
#![expect(clippy::inline_always, reason = "vector code must be inlined into the function that switches the vector width on")]

use pulp::{Arch, Simd, WithSimd};

/// Number types that have the two-phase sum, and interleaving.
pub trait Lattice: Copy {
    /// `y0` and `y1` as the module says, for `r` in `0..y0.len()`; `y1` is as long, `u` and `v` longer by `taps.len() - 1`.
    fn lattice(u: &[Self], v: &[Self], taps: &[[Self; 4]], y0: &mut [Self], y1: &mut [Self]);
    /// Magnitudes reduced by `t`, down to zero.
    fn shrink_soft(values: &mut [Self], t: Self);
    /// Zero up to magnitude `t`.
    fn shrink_hard(values: &mut [Self], t: Self);
    /// `x - t² / x`, zero up to magnitude `t`.
    fn shrink_garrote(values: &mut [Self], t: Self);
}

/// The operands of [`Lattice::lattice`], to be run under whichever vector width the machine has.
struct Rows<'a, T> {
    u: &'a [T],
    v: &'a [T],
    taps: &'a [[T; 4]],
    y0: &'a mut [T],
    y1: &'a mut [T],
}

/// Vectors of rows that are summed at once, named one by one below: enough to hide the latency of a multiply-add.
const VECTORS: usize = 4;

macro_rules! lattice {
    ($float:ty, $lanes:ident, $as_simd:ident, $as_mut_simd:ident, $splat:ident, $mul_add:ident) => {
        impl Lattice for $float {
            fn lattice(u: &[Self], v: &[Self], taps: &[[Self; 4]], y0: &mut [Self], y1: &mut [Self]) {
                Arch::new().dispatch(Rows { u, v, taps, y0, y1 });
            }

            fn shrink_soft(values: &mut [Self], t: Self) {
                each(values, |x| (x.abs() - t).max(0.0).copysign(x));
            }

            fn shrink_hard(values: &mut [Self], t: Self) {
                each(values, |x| if x.abs() > t { x } else { 0.0 });
            }

            fn shrink_garrote(values: &mut [Self], t: Self) {
                each(values, |x| if x.abs() > t { x - t * t / x } else { 0.0 });
            }
        }

        impl WithSimd for Rows<'_, $float> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let Self { u, v, taps, y0, y1 } = self;
                let (rows, width) = (y0.len(), S::$lanes * VECTORS);
                let mut r = 0;
                while r + width <= rows {
                    let zero = simd.$splat(0.0);
                    let (mut a0, mut a1, mut a2, mut a3) = (zero, zero, zero, zero);
                    let (mut b0, mut b1, mut b2, mut b3) = (zero, zero, zero, zero);
                    let mut i = 0;
                    while i < taps.len() {
                        let t = &taps[i];
                        let (us, _) = S::$as_simd(&u[r + i..r + i + width]);
                        let (vs, _) = S::$as_simd(&v[r + i..r + i + width]);
                        let (a_u, b_u) = (simd.$splat(t[0]), simd.$splat(t[2]));
                        a0 = simd.$mul_add(a_u, us[0], a0);
                        b0 = simd.$mul_add(b_u, us[0], b0);
                        a1 = simd.$mul_add(a_u, us[1], a1);
                        b1 = simd.$mul_add(b_u, us[1], b1);
                        a2 = simd.$mul_add(a_u, us[2], a2);
                        b2 = simd.$mul_add(b_u, us[2], b2);
                        a3 = simd.$mul_add(a_u, us[3], a3);
                        b3 = simd.$mul_add(b_u, us[3], b3);
                        let (a_v, b_v) = (simd.$splat(t[1]), simd.$splat(t[3]));
                        a0 = simd.$mul_add(a_v, vs[0], a0);
                        b0 = simd.$mul_add(b_v, vs[0], b0);
                        a1 = simd.$mul_add(a_v, vs[1], a1);
                        b1 = simd.$mul_add(b_v, vs[1], b1);
                        a2 = simd.$mul_add(a_v, vs[2], a2);
                        b2 = simd.$mul_add(b_v, vs[2], b2);
                        a3 = simd.$mul_add(a_v, vs[3], a3);
                        b3 = simd.$mul_add(b_v, vs[3], b3);
                        i += 1;
                    }
                    let (ys, _) = S::$as_mut_simd(&mut y0[r..r + width]);
                    (ys[0], ys[1], ys[2], ys[3]) = (a0, a1, a2, a3);
                    let (ys, _) = S::$as_mut_simd(&mut y1[r..r + width]);
                    (ys[0], ys[1], ys[2], ys[3]) = (b0, b1, b2, b3);
                    r += width;
                }
                while r < rows {
                    let (mut sum0, mut sum1, mut i) = (0.0, 0.0, 0);
                    while i < taps.len() {
                        let (t, a, b) = (&taps[i], u[r + i], v[r + i]);
                        sum0 += t[0] * a + t[1] * b;
                        sum1 += t[2] * a + t[3] * b;
                        i += 1;
                    }
                    y0[r] = sum0;
                    y1[r] = sum1;
                    r += 1;
                }
            }
        }
    };
}

lattice!(f32, F32_LANES, as_simd_f32s, as_mut_simd_f32s, splat_f32s, mul_add_e_f32s);
lattice!(f64, F64_LANES, as_simd_f64s, as_mut_simd_f64s, splat_f64s, mul_add_e_f64s);

/// `change` of every value, in place.
#[inline(always)]
fn each<T: Copy>(values: &mut [T], change: impl Fn(T) -> T) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut i = 0;
            while i < values.len() {
                values[i] = change(values[i]);
                i += 1;
            }
        },
    );
}

/// The even and the odd samples of `pairs`, as many as `even` and `odd` hold.
pub fn split_phases<T: Copy>(pairs: &[T], even: &mut [T], odd: &mut [T]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let n = (pairs.len() / 2).min(even.len()).min(odd.len());
            let (pairs, even, odd) = (&pairs[..2 * n], &mut even[..n], &mut odd[..n]);
            let mut i = 0;
            while i < n {
                even[i] = pairs[2 * i];
                odd[i] = pairs[2 * i + 1];
                i += 1;
            }
        },
    );
}

/// The reverse of [`split_phases`].
pub fn join_phases<T: Copy>(even: &[T], odd: &[T], pairs: &mut [T]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let n = (pairs.len() / 2).min(even.len()).min(odd.len());
            let (pairs, even, odd) = (&mut pairs[..2 * n], &even[..n], &odd[..n]);
            let mut i = 0;
            while i < n {
                pairs[2 * i] = even[i];
                pairs[2 * i + 1] = odd[i];
                i += 1;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_remainder_give_the_sum_that_the_module_states() {
        for (rows, taps) in [(0, 1), (1, 1), (3, 8), (64, 3), (129, 20), (257, 8)] {
            let u: Vec<f64> = (0..rows + taps - 1).map(|n| f64::from(n).sin()).collect();
            let v: Vec<f64> = (0..rows + taps - 1).map(|n| f64::from(n).cos()).collect();
            let t: Vec<[f64; 4]> = (0..taps).map(f64::from).map(|i| [i, 1.0 - i, 0.5 * i, i * i]).collect();
            let (mut y0, mut y1) = (vec![0.0; rows as usize], vec![0.0; rows as usize]);
            f64::lattice(&u, &v, &t, &mut y0, &mut y1);
            for r in 0..rows as usize {
                let sum = |c: usize| (0..t.len()).map(|i| t[i][c] * u[r + i] + t[i][c + 1] * v[r + i]).sum::<f64>();
                assert!((y0[r] - sum(0)).abs() < 1e-11 && (y1[r] - sum(2)).abs() < 1e-9, "row {r} of {rows}");
            }
        }
    }

    #[test]
    fn phases_join_as_they_were_split() {
        let pairs: Vec<f32> = (0..202).map(|n| n as f32).collect();
        let (mut even, mut odd, mut joined) = (vec![0.0; 101], vec![0.0; 101], vec![0.0; 202]);
        split_phases(&pairs, &mut even, &mut odd);
        assert_eq!((even[100], odd[100]), (200.0, 201.0));
        join_phases(&even, &odd, &mut joined);
        assert_eq!(joined, pairs);
    }
}

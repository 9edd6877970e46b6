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

/// Vectors of rows that are summed at once: enough independent sums to hide the latency of a multiply-add.
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
                    let mut sum0 = [simd.$splat(0.0); VECTORS];
                    let mut sum1 = sum0;
                    for (i, t) in taps.iter().enumerate() {
                        let (us, _) = S::$as_simd(&u[r + i..r + i + width]);
                        let (vs, _) = S::$as_simd(&v[r + i..r + i + width]);
                        let t = t.map(|c| simd.$splat(c));
                        for l in 0..VECTORS {
                            sum0[l] = simd.$mul_add(t[0], us[l], sum0[l]);
                            sum1[l] = simd.$mul_add(t[2], us[l], sum1[l]);
                            sum0[l] = simd.$mul_add(t[1], vs[l], sum0[l]);
                            sum1[l] = simd.$mul_add(t[3], vs[l], sum1[l]);
                        }
                    }
                    S::$as_mut_simd(&mut y0[r..r + width]).0.copy_from_slice(&sum0);
                    S::$as_mut_simd(&mut y1[r..r + width]).0.copy_from_slice(&sum1);
                    r += width;
                }
                for r in r..rows {
                    let (mut sum0, mut sum1) = (0.0, 0.0);
                    for ((t, a), b) in taps.iter().zip(&u[r..]).zip(&v[r..]) {
                        sum0 += t[0] * a + t[1] * b;
                        sum1 += t[2] * a + t[3] * b;
                    }
                    y0[r] = sum0;
                    y1[r] = sum1;
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
            for value in values {
                *value = change(*value);
            }
        },
    );
}

/// The even and the odd samples of `pairs`, as many as `even` and `odd` hold.
pub fn split_phases<T: Copy>(pairs: &[T], even: &mut [T], odd: &mut [T]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((pair, even), odd) in pairs.chunks_exact(2).zip(even).zip(odd) {
                *even = pair[0];
                *odd = pair[1];
            }
        },
    );
}

/// The reverse of [`split_phases`].
pub fn join_phases<T: Copy>(even: &[T], odd: &[T], pairs: &mut [T]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((pair, even), odd) in pairs.chunks_exact_mut(2).zip(even).zip(odd) {
                pair[0] = *even;
                pair[1] = *odd;
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

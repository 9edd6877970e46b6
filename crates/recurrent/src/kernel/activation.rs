//! tanh and the logistic function on vectors.

use pulp::Simd;

/// tanh(x) = x P(x²) / Q(x²) up to this size; beyond, float32 knows only ±1.
const LIMIT: f32 = 9.0;
/// P and Q by rising power, fitted by `tests/goldens/fit_tanh.py` (largest relative error 2.1e-8 before rounding).
const P: [f32; 5] = [1.0, 0.133_810_2, 0.003_495_581, 2.060_896e-5, 1.335_447_9e-8];
const Q: [f32; 5] = [1.0, 0.467_143_35, 0.025_876_956, 0.000_328_562_3, 7.776_486_4e-7];
/// The same for the logistic function less a half, tanh(x/2) / 2 = x R(x²) / S(x²), up to twice the size.
const R: [f32; 5] = [P[0] / 4.0, P[1] / 16.0, P[2] / 64.0, P[3] / 256.0, P[4] / 1024.0];
const S: [f32; 5] = [Q[0], Q[1] / 4.0, Q[2] / 16.0, Q[3] / 64.0, Q[4] / 256.0];

#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, coefficients: [f32; N], z: S::f32s) -> S::f32s {
    let mut value = simd.splat_f32s(coefficients[N - 1]);
    let mut power = N - 1;
    while power > 0 {
        power -= 1;
        value = simd.mul_add_e_f32s(value, z, simd.splat_f32s(coefficients[power]));
    }
    value
}

/// `x` with what is beyond ±`limit` brought there; what is no number stays none.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::f32s, limit: f32) -> S::f32s {
    // x86 gives the second operand where one is no number: so a net that has diverged shows it.
    simd.min_f32s(simd.splat_f32s(limit), simd.max_f32s(simd.splat_f32s(-limit), x))
}

/// A value as a quotient, so that two can share a division, which takes as long as seven multiplications.
#[derive(Clone, Copy)]
pub(super) struct Quotient<S: Simd> {
    top: S::f32s,
    bottom: S::f32s,
}

#[inline(always)]
fn quotient<S: Simd>(simd: S, x: S::f32s, limit: f32, top: [f32; 5], bottom: [f32; 5]) -> Quotient<S> {
    let x = clamp(simd, x, limit);
    let z = simd.mul_f32s(x, x);
    Quotient { top: simd.mul_f32s(x, polynomial(simd, top, z)), bottom: polynomial(simd, bottom, z) }
}

/// tanh.
#[inline(always)]
pub(super) fn tanh_quotient<S: Simd>(simd: S, x: S::f32s) -> Quotient<S> {
    quotient(simd, x, LIMIT, P, Q)
}

/// The logistic function less a half.
#[inline(always)]
pub(super) fn sigmoid_quotient<V: Simd>(simd: V, x: V::f32s) -> Quotient<V> {
    quotient(simd, x, 2.0 * LIMIT, R, S)
}

/// Two quotients' values by one division.
#[inline(always)]
pub(super) fn divide<S: Simd>(simd: S, a: Quotient<S>, b: Quotient<S>) -> (S::f32s, S::f32s) {
    // At most 500² below: far from what float32 cannot hold.
    let inverse = simd.div_f32s(simd.splat_f32s(1.0), simd.mul_f32s(a.bottom, b.bottom));
    let (a_top, b_top) = (simd.mul_f32s(a.top, b.bottom), simd.mul_f32s(b.top, a.bottom));
    (simd.mul_f32s(a_top, inverse), simd.mul_f32s(b_top, inverse))
}

/// Adds the half that [`sigmoid_quotient`] leaves out.
#[inline(always)]
pub(super) fn add_half<S: Simd>(simd: S, value: S::f32s) -> S::f32s {
    simd.add_f32s(simd.splat_f32s(0.5), value)
}

/// tanh, within 4e-7.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let Quotient { top, bottom } = tanh_quotient(simd, x);
    simd.div_f32s(top, bottom)
}

/// Two logistic functions 1 / (1 + e⁻ˣ), within 3e-7.
#[inline(always)]
pub(super) fn sigmoids<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s) {
    let (a, b) = divide(simd, sigmoid_quotient(simd, a), sigmoid_quotient(simd, b));
    (add_half(simd, a), add_half(simd, b))
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, WithSimd};

    use super::*;

    struct Worst;

    impl WithSimd for Worst {
        type Output = [f64; 2];

        fn with_simd<S: Simd>(self, simd: S) -> [f64; 2] {
            let at = |function: fn(S, S::f32s) -> S::f32s, x: f32| {
                f64::from(pulp::bytemuck::cast_slice::<_, f32>(&[function(simd, simd.splat_f32s(x))])[0])
            };
            (-150_000..=150_000).map(|i| i as f32 * 1e-4).fold([0.0, 0.0], |[a, b], x| {
                let exact = f64::from(x);
                let tanh_error = (at(tanh::<S>, x) - exact.tanh()).abs();
                let sigmoid_error =
                    (at(|simd, x| sigmoids(simd, x, simd.splat_f32s(1.0)).0, x) - 1.0 / (1.0 + (-exact).exp())).abs();
                [tanh_error.max(a), sigmoid_error.max(b)]
            })
        }
    }

    #[test]
    fn within_rounding_of_the_exact_functions() {
        let [tanh, sigmoid] = Worst.with_simd(Scalar);
        assert!(tanh < 4e-7 && sigmoid < 3e-7, "tanh {tanh:e}, sigmoid {sigmoid:e}");
        assert!((super::tanh(Scalar, 40.0) - 1.0).abs() < 4e-7 && (super::tanh(Scalar, -40.0) + 1.0).abs() < 4e-7);
        assert_eq!(super::tanh(Scalar, 0.0), 0.0);
    }
}

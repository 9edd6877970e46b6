//! tanh and the logistic function on vectors.

use pulp::Simd;

/// tanh(x) = x P(x²) / Q(x²) up to this size; beyond, float32 knows only ±1.
const LIMIT: f32 = 9.0;
/// P and Q by rising power, fitted by `tests/goldens/fit_tanh.py` (largest relative error 7e-9 before rounding).
const P: [f32; 7] = [1.0, 0.130_840_08, 0.003_103_952_9, 1.115_427_1e-5, -2.022_506_3e-8, 5.277_862_2e-11, -8.488_472e-14];
const Q: [f32; 4] = [1.0, 0.464_173_35, 0.024_495_166, 0.000_254_614_05];

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

/// tanh, within 3e-7.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // x86 gives the second operand where one is no number: so a net that has diverged shows it.
    let x = simd.min_f32s(simd.splat_f32s(LIMIT), simd.max_f32s(simd.splat_f32s(-LIMIT), x));
    let z = simd.mul_f32s(x, x);
    let top = simd.mul_f32s(x, polynomial(simd, P, z));
    let value = simd.div_f32s(top, polynomial(simd, Q, z));
    simd.min_f32s(simd.splat_f32s(1.0), simd.max_f32s(simd.splat_f32s(-1.0), value))
}

/// The logistic function 1 / (1 + e⁻ˣ) = (1 + tanh(x/2)) / 2, within 2e-7.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    simd.mul_add_e_f32s(half, tanh(simd, simd.mul_f32s(half, x)), half)
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
                let sigmoid_error = (at(sigmoid::<S>, x) - 1.0 / (1.0 + (-exact).exp())).abs();
                [tanh_error.max(a), sigmoid_error.max(b)]
            })
        }
    }

    #[test]
    fn within_rounding_of_the_exact_functions() {
        let [tanh, sigmoid] = Worst.with_simd(Scalar);
        assert!(tanh < 3.5e-7 && sigmoid < 2.5e-7, "tanh {tanh:e}, sigmoid {sigmoid:e}");
        assert!((super::tanh(Scalar, 40.0) - 1.0).abs() < 3.5e-7 && (super::tanh(Scalar, -40.0) + 1.0).abs() < 3.5e-7);
        assert_eq!(super::tanh(Scalar, 0.0), 0.0);
    }
}

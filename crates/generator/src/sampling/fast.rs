//! DPM-Solver++(2M): a multistep method of second order, one pass through the network a step.
//!
//! Lu et al. 2022, "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models", algorithm 2, for noise that is
//! added to data of unchanged scale: with `λ = −ln σ` and `h = λ' − λ`, `x' = (σ'/σ)·x + (1 − e^(−h))·D`, where `D` is the denoised
//! segment extrapolated from this step's and the one's before. The first step is of first order, and so is the last, where σ' = 0 and
//! `x'` is the denoised segment itself.

use super::{Denoise, SampleError};

/// From `x`, noise of the first of `levels`, to a sample; `denoise` as for [`heun`](super::heun).
pub(super) fn solve(mut x: Vec<f32>, levels: &[f64], denoise: &mut Denoise<'_>) -> Result<Vec<f32>, SampleError> {
    let mut before: Option<(Vec<f32>, f64)> = None;
    for pair in levels.windows(2) {
        let (sigma, next) = (pair[0], pair[1]);
        let clean = denoise(&x, sigma)?;
        if next == 0.0 {
            return Ok(clean);
        }
        let h = (sigma / next).ln();
        let (kept, new) = (next / sigma, 1.0 - next / sigma);
        // Extrapolated by half of this step relative to the last one.
        let ahead = before.as_ref().map_or(0.0, |(_, last)| h / (2.0 * last));
        for (i, (x, y)) in x.iter_mut().zip(&clean).enumerate() {
            let y = f64::from(*y);
            let past = before.as_ref().map_or(y, |(clean, _)| f64::from(clean[i]));
            *x = (kept * f64::from(*x) + new * (y + ahead * (y - past))) as f32;
        }
        before = Some((clean, h));
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::{Method, SamplerConfig};

    #[test]
    fn follows_the_exact_solution_with_one_pass_a_step() {
        let exact = |x: &[f32], sigma: f64| -> Vec<f32> {
            x.iter().map(|x| (2.0 + (f64::from(*x) - 2.0) * 0.25 / (0.25 + sigma * sigma)) as f32).collect()
        };
        let error = |steps: usize| {
            let levels = SamplerConfig { method: Method::Fast, steps, ..Default::default() }.levels();
            let mut passes = 0;
            let mut denoise = |x: &[f32], s: f64| {
                passes += 1;
                Ok(exact(x, s))
            };
            let found = solve(vec![10.0], &levels, &mut denoise).unwrap();
            assert_eq!(passes, steps);
            (f64::from(found[0]) - 2.0 - 8.0 * 0.5 / 400.25_f64.sqrt()).abs()
        };
        // Of second order: twice the steps, a quarter of the error.
        assert!(error(36) < 0.0015, "{}", error(36));
        assert!(error(18) > 3.5 * error(36) && error(36) > 3.5 * error(72), "{} {} {}", error(18), error(36), error(72));
    }
}

//! Heun's method over falling noise levels (Karras et al. 2022, "Elucidating the design space of diffusion-based generative models",
//! algorithms 1 and 2).

use super::{Denoise, SampleError};

/// The most noise added again in a step, relative to what is there (their `γ ≤ √2 − 1`).
const MOST_CHURN: f64 = std::f64::consts::SQRT_2 - 1.0;

/// From `x`, noise of the first of `levels`, to a sample. `denoise(x, σ)` gives the clean segment expected under noise of standard
/// deviation σ; `noise(x, s)` adds noise of standard deviation s, and is called where `churn` (their `S_churn`) is above 0.
pub(super) fn solve(
    mut x: Vec<f32>,
    levels: &[f64],
    churn: f64,
    denoise: &mut Denoise<'_>,
    noise: &mut dyn FnMut(&mut [f32], f64),
) -> Result<Vec<f32>, SampleError> {
    let steps = levels.len().saturating_sub(1).max(1) as f64;
    for pair in levels.windows(2) {
        let (mut sigma, next) = (pair[0], pair[1]);
        if churn > 0.0 {
            let raised = sigma * (1.0 + (churn / steps).min(MOST_CHURN));
            noise(&mut x, (raised * raised - sigma * sigma).sqrt());
            sigma = raised;
        }
        let clean = denoise(&x, sigma)?;
        let slope: Vec<f32> = x.iter().zip(&clean).map(|(x, y)| ((f64::from(*x) - f64::from(*y)) / sigma) as f32).collect();
        let step = (next - sigma) as f32;
        let mut ahead: Vec<f32> = x.iter().zip(&slope).map(|(x, d)| x + step * d).collect();
        if next > 0.0 {
            let clean = denoise(&ahead, next)?;
            for ((x, d), (ahead, y)) in x.iter().zip(&slope).zip(ahead.iter_mut().zip(&clean)) {
                let there = ((f64::from(*ahead) - f64::from(*y)) / next) as f32;
                *ahead = x + step * 0.5 * (d + there);
            }
        }
        x = ahead;
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::SamplerConfig;

    /// Data that are normal with mean 2 and deviation 0.5 have an exact denoiser, and the exact solution keeps `(x − 2)/√(σ² + 0.25)`.
    fn exact(x: &[f32], sigma: f64) -> Vec<f32> {
        x.iter().map(|x| (2.0 + (f64::from(*x) - 2.0) * 0.25 / (0.25 + sigma * sigma)) as f32).collect()
    }

    #[test]
    fn follows_the_exact_solution_and_better_with_more_steps() {
        let start = vec![10.0_f32, -25.0, 2.0];
        let error = |steps: usize| {
            let levels = SamplerConfig { steps, ..Default::default() }.levels();
            let found = solve(start.clone(), &levels, 0.0, &mut |x, s| Ok(exact(x, s)), &mut |_, _| {}).unwrap();
            let expected = start.iter().map(|x| 2.0 + (f64::from(*x) - 2.0) * 0.5 / (400.25_f64).sqrt());
            found.iter().zip(expected).map(|(x, e)| (f64::from(*x) - e).abs()).fold(0.0, f64::max)
        };
        // Of second order: twice the steps, a quarter of the error.
        assert!(error(36) < 0.005, "{}", error(36));
        assert!(error(18) > 3.5 * error(36) && error(36) > 3.5 * error(72), "{} {} {}", error(18), error(36), error(72));
    }

    #[test]
    fn a_step_takes_two_passes_and_the_last_one() {
        let levels = SamplerConfig { steps: 5, ..Default::default() }.levels();
        let mut passes = 0;
        let mut denoise = |x: &[f32], s: f64| {
            passes += 1;
            Ok(exact(x, s))
        };
        solve(vec![1.0], &levels, 0.0, &mut denoise, &mut |_, _| {}).unwrap();
        assert_eq!(passes, 9);
    }

    #[test]
    fn churn_adds_the_variance_it_takes_away_again() {
        let levels = SamplerConfig { steps: 4, ..Default::default() }.levels();
        let mut added = Vec::new();
        let mut seen = Vec::new();
        let mut denoise = |x: &[f32], s: f64| {
            seen.push(s);
            Ok(exact(x, s))
        };
        solve(vec![1.0], &levels, 1.0, &mut denoise, &mut |_, s| added.push(s)).unwrap();
        assert_eq!(added.len(), 4);
        assert!((seen[0] - 25.0).abs() < 1e-9, "20 raised by a quarter: {}", seen[0]);
        assert!((added[0] - 15.0).abs() < 1e-9, "√(25² − 20²): {}", added[0]);
    }
}

//! Below which magnitude a coefficient is taken for noise.

use serde::{Deserialize, Serialize};

use super::Sample;

/// How the threshold of one level is chosen, from its `n` coefficients and the noise's standard deviation σ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Threshold {
    /// `σ sqrt(2 ln n)`: with it pure noise vanishes almost surely (`VisuShrink`; Donoho and Johnstone 1994). The strongest.
    Universal,
    /// The threshold with the smallest unbiased estimate of soft shrinkage's risk (Stein), or the universal one where the level
    /// is too sparse for that estimate: the hybrid `SureShrink` of Donoho and Johnstone (1995, section 2.4).
    Sure,
    /// The minimax threshold of soft shrinkage in the customary fit `σ (0.3936 + 0.1829 log2 n)`, 0 up to 32 coefficients
    /// (Donoho and Johnstone 1994, table 2). Weaker than the universal one.
    Minimax,
    /// `σ² / σ_x`, `σ_x² = max(mean square - σ², 0)` the signal's own variance in the level; everything goes where that is 0
    /// (`BayesShrink`; Chang, Yu and Vetterli 2000). Adapts to each level.
    #[default]
    Bayes,
}

impl Threshold {
    /// The threshold for the `coefficients` of one level under noise of standard deviation `sigma`, in the coefficients' unit.
    /// `scratch` is working memory. Linear, but for [`Self::Sure`], which sorts.
    pub fn value<T: Sample>(self, coefficients: &[T], sigma: f64, scratch: &mut Vec<T::Magnitude>) -> f64 {
        let n = coefficients.len() as f64;
        if coefficients.is_empty() || sigma <= 0.0 {
            return 0.0;
        }
        match self {
            Self::Universal => universal(n, sigma),
            Self::Minimax if coefficients.len() <= 32 => 0.0,
            Self::Minimax => sigma * (0.3936 + 0.1829 * n.log2()),
            Self::Sure => sure(coefficients, sigma, scratch),
            Self::Bayes => {
                let signal_variance = mean_square(coefficients) - sigma * sigma;
                if signal_variance > 0.0 { sigma * sigma / signal_variance.sqrt() } else { f64::INFINITY }
            }
        }
    }
}

fn universal(n: f64, sigma: f64) -> f64 {
    sigma * (2.0 * n.ln()).sqrt()
}

/// In blocks, so that the sum of many `f32` squares loses nothing and several are summed at once.
fn mean_square<T: Sample>(coefficients: &[T]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let blocks = coefficients.chunks_exact(8);
    let rest: f64 = blocks.remainder().iter().map(|c| c.to_f64() * c.to_f64()).sum();
    for block in blocks {
        for (sum, c) in sums.iter_mut().zip(block) {
            *sum += c.to_f64() * c.to_f64();
        }
    }
    (sums.iter().sum::<f64>() + rest) / coefficients.len() as f64
}

/// Stein's risk of soft shrinkage at threshold `t`, in units of σ²: `n - 2 #{|x| <= t} + sum min(x², t²)`; its minimum over `t`
/// is at one of the magnitudes.
fn sure<T: Sample>(coefficients: &[T], sigma: f64, scratch: &mut Vec<T::Magnitude>) -> f64 {
    let n = coefficients.len() as f64;
    let excess = mean_square(coefficients) / (sigma * sigma) - 1.0;
    let sparse = excess <= n.log2().powf(1.5) / n.sqrt();
    if sparse {
        return universal(n, sigma);
    }
    scratch.clear();
    scratch.extend(coefficients.iter().map(|c| c.magnitude()));
    scratch.sort_unstable();
    let (mut below, mut best, mut least) = (0.0, 0.0, n);
    for (index, &magnitude) in scratch.iter().enumerate() {
        let scaled = T::from_magnitude(magnitude).to_f64() / sigma;
        let square = scaled * scaled;
        below += square;
        let count = (index + 1) as f64;
        let risk = n - 2.0 * count + below + (n - count) * square;
        if risk < least {
            (best, least) = (scaled, risk);
        }
    }
    // Where the signal is dense no threshold beats the universal one from above.
    (best * sigma).min(universal(n, sigma))
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    use super::*;

    /// Normal numbers by Box and Muller's formula: exact enough to test an estimate.
    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = Seed(seed).stream("test", 0);
        (0..n)
            .map(|_| {
                let (u, v): (f64, f64) = (rng.random(), rng.random());
                (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
            })
            .collect()
    }

    #[test]
    fn the_closed_forms() {
        let (flat, mut scratch) = (vec![2.0_f64; 1024], Vec::new());
        let mut value = |rule: Threshold| rule.value(&flat, 0.5, &mut scratch);
        assert!((value(Threshold::Universal) - 0.5 * (2.0 * 1024_f64.ln()).sqrt()).abs() < 1e-12);
        assert!((value(Threshold::Minimax) - 0.5 * (0.3936 + 1.829)).abs() < 1e-12);
        assert!((value(Threshold::Bayes) - 0.25 / 3.75_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Threshold::Minimax.value(&[1.0; 32], 1.0, &mut Vec::new()), 0.0);
        assert_eq!(Threshold::Universal.value::<f64>(&[], 1.0, &mut Vec::new()), 0.0);
    }

    #[test]
    fn bayes_removes_a_level_without_signal() {
        assert_eq!(Threshold::Bayes.value(&[0.1, -0.1, 0.1], 1.0, &mut Vec::new()), f64::INFINITY);
    }

    /// The risk formula, by brute force over a grid of thresholds against the truth that the noise was added to.
    #[test]
    fn sure_finds_the_threshold_of_least_true_error() {
        let n = 4096;
        let truth: Vec<f64> = (0..n).map(|i| if i % 4 == 0 { 4.0 } else { 0.0 }).collect();
        let noisy: Vec<f64> = truth.iter().zip(normal(n, 3)).map(|(t, e)| t + e).collect();
        let error = |t: f64| -> f64 {
            let shrunk = noisy.iter().map(|x| x.signum() * (x.abs() - t).max(0.0));
            shrunk.zip(&truth).map(|(x, t)| (x - t).powi(2)).sum::<f64>() / n as f64
        };
        let chosen = Threshold::Sure.value(&noisy, 1.0, &mut Vec::new());
        let least = (0..60).map(|i| error(f64::from(i) * 0.1)).fold(f64::INFINITY, f64::min);
        assert!(error(chosen) < 1.03 * least, "threshold {chosen}: {} against {least}", error(chosen));
        let sparse = Threshold::Sure.value(&normal(n, 4), 1.0, &mut Vec::new());
        assert!((sparse - universal(n as f64, 1.0)).abs() < 1e-12);
    }
}

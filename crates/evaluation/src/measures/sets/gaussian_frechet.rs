//! Fréchet distance of Gaussians fitted to the two sets, along the reference's principal components.

use physiosynth_signal::Seed;

use super::OfSets;
use crate::comparison::Comparison;
use crate::linear::{Pca, symmetric};
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "gaussian_frechet",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Fréchet (Wasserstein-2) distance of two Gaussians with the sets' means and covariances (Dowson & Landau 1982; the \
                     formula of Fréchet inception distance), √((|μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)) / samples), along the first 16 \
                     principal components of the real reference (a quarter of its number where that is less): no net, fitted on real \
                     training segments only; in the physical unit, from 0. It grows as sets shrink; blind to all but mean and \
                     covariance, and to what lies outside the components. Not the discrete Fréchet distance.",
    },
    compute: |sets: &Comparison| {
        let found = squared(sets.reference_pca()?, sets.reference, sets.candidate)?;
        Some((found / sets.reference.length() as f64).sqrt())
    },
};

/// Principal components that the sets are seen along.
pub const COMPONENTS: usize = 16;

/// `|μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)` of the sets' coordinates along `pca`. None for fewer than two segments, or missing samples.
fn squared(pca: &Pca, a: &Pool, b: &Pool) -> Option<f64> {
    let along = |set: &Pool| set.iter().map(|s| pca.coordinates(s)).collect::<Vec<_>>();
    frechet_squared(&along(a), &along(b))
}

/// `|μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)` of two sets of points of equal dimension. None for fewer than two points, or what is no number.
pub(crate) fn frechet_squared(a: &[Vec<f64>], b: &[Vec<f64>]) -> Option<f64> {
    let ((mean_a, cov_a), (mean_b, cov_b)) = (gaussian(a)?, gaussian(b)?);
    let k = mean_a.len();
    let apart: f64 = mean_a.iter().zip(&mean_b).map(|(x, y)| (x - y).powi(2)).sum();
    let root = square_root(&cov_a, k)?;
    // (Σ₁Σ₂)^½ has the eigenvalues of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
    let middle = product(&product(&root, &cov_b, k), &root, k);
    let shared: f64 = symmetric(&middle, k)?.values.iter().map(|v| v.max(0.0).sqrt()).sum();
    let trace = |m: &[f64]| (0..k).map(|i| m[i * k + i]).sum::<f64>();
    Some((apart + trace(&cov_a) + trace(&cov_b) - 2.0 * shared).max(0.0))
}

/// The squared distance of `candidate` from `reference` along the first [`COMPONENTS`] principal components of `reference`.
pub fn gaussian_frechet_squared(reference: &Pool, candidate: &Pool, seed: Seed) -> Option<f64> {
    squared(&components(reference, seed)?, reference, candidate)
}

/// The components that the sets are seen along.
pub(crate) fn components(reference: &Pool, seed: Seed) -> Option<Pca> {
    Pca::fit(reference, COMPONENTS.min(reference.len() / 4).max(1), 1.0, seed)
}

fn gaussian(points: &[Vec<f64>]) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = points.len();
    let k = points.first()?.len();
    if n < 2 {
        return None;
    }
    let mean: Vec<f64> = (0..k).map(|i| points.iter().map(|p| p[i]).sum::<f64>() / n as f64).collect();
    let mut covariance = vec![0.0; k * k];
    for point in points {
        for i in 0..k {
            for j in 0..k {
                covariance[i * k + j] += (point[i] - mean[i]) * (point[j] - mean[j]) / (n - 1) as f64;
            }
        }
    }
    covariance.iter().all(|x| x.is_finite()).then_some((mean, covariance))
}

fn square_root(a: &[f64], k: usize) -> Option<Vec<f64>> {
    let parts = symmetric(a, k)?;
    let mut root = vec![0.0; k * k];
    for (value, vector) in parts.values.iter().zip(&parts.vectors) {
        for i in 0..k {
            for j in 0..k {
                root[i * k + j] += value.max(0.0).sqrt() * vector[i] * vector[j];
            }
        }
    }
    Some(root)
}

fn product(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
    let mut c = vec![0.0; k * k];
    for i in 0..k {
        for l in 0..k {
            for j in 0..k {
                c[i * k + j] += a[i * k + l] * b[l * k + j];
            }
        }
    }
    c
}

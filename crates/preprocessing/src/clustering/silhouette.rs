//! Silhouettes (Rousseeuw 1987): how much nearer points are to their own cluster than to the next one.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::points::Points;
use crate::dot::squared_distance;

/// The Euclidean distances of every pair of a set of points, computed once and asked for several clusterings.
/// Memory and cost grow with the square of the number of points (1,000 points: 4 MB).
#[derive(Debug, Clone, PartialEq)]
pub struct Distances {
    values: Vec<f32>,
    count: usize,
}

impl Distances {
    /// All distances, rows in parallel.
    pub fn new(points: &Points) -> Self {
        let rows: Vec<Vec<f32>> = (0..points.len()).into_par_iter().map(|i| Arch::new().dispatch(Row { points, i })).collect();
        Self { values: rows.concat(), count: points.len() }
    }

    /// The mean silhouette of a clustering of the points into `k`: in [−1, 1], higher is better separated. The silhouette
    /// of a point is `(b − a) / max(a, b)`, with `a` its mean distance to the other points of its cluster and `b` the
    /// lowest mean distance to the points of another; 0 in a cluster of one. `None` where fewer than two clusters hold points.
    ///
    /// # Panics
    /// Where a label is not below `k`.
    pub fn silhouette(&self, labels: &[u32], k: usize) -> Option<f64> {
        let mut sizes = vec![0_u32; k];
        for &label in labels {
            sizes[label as usize] += 1;
        }
        if labels.len() != self.count || sizes.iter().filter(|&&n| n > 0).count() < 2 {
            return None;
        }
        let of_points: Vec<f64> = self
            .values
            .par_chunks_exact(self.count)
            .zip(labels)
            .map(|(row, &own)| silhouette_of_point(row, labels, own as usize, &sizes))
            .collect();
        Some(of_points.iter().sum::<f64>() / self.count as f64)
    }
}

fn silhouette_of_point(distances: &[f32], labels: &[u32], own: usize, sizes: &[u32]) -> f64 {
    if sizes[own] < 2 {
        return 0.0;
    }
    let mut sums = vec![0.0_f64; sizes.len()];
    for (&distance, &label) in distances.iter().zip(labels) {
        sums[label as usize] += f64::from(distance);
    }
    let inside = sums[own] / f64::from(sizes[own] - 1);
    let others = (0..sizes.len()).filter(|&c| c != own && sizes[c] > 0);
    let outside = others.map(|c| sums[c] / f64::from(sizes[c])).fold(f64::INFINITY, f64::min);
    let larger = inside.max(outside);
    if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
}

/// The distances of point `i` to all.
struct Row<'a> {
    points: &'a Points,
    i: usize,
}

impl WithSimd for Row<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let own = self.points.row(self.i);
        let (data, stride) = (self.points.data(), self.points.stride());
        let mut distances = vec![0.0; self.points.len()];
        let mut j = 0;
        while j < distances.len() {
            distances[j] = squared_distance(simd, own, &data[j * stride..(j + 1) * stride]).sqrt();
            j += 1;
        }
        distances
    }
}

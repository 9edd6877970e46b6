//! K-means: k-means++ seeding (Arthur and Vassilvitskii 2007), Lloyd's iterations, the best of several starts.
//!
//! Distances to centres come from inner products, `|x − c|² = |x|² − 2 x·c + |c|²`, taken two points by four centres at a
//! time. Points are worked on in blocks of fixed size, in parallel, and the blocks' sums are added in order: the result is
//! the same for any number of threads. Cost: `points × k × dimensions` multiplications an iteration.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use physiosynth_signal::Seed;
use pulp::{Arch, Simd, WithSimd};
use rand::RngExt;
use rayon::prelude::*;

use super::points::Points;
use crate::dot::{dot, dot_2x4, squared_distance};

/// Points per block of parallel work; also the order in which sums are added.
const BLOCK: usize = 1024;

/// How many starts, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KMeans {
    /// Number of starts, of which the one with the lowest inertia is kept.
    pub restarts: usize,
    /// Most iterations of a start.
    pub iterations: usize,
    /// A start ends when no point changes its cluster, or when the centres' summed squared movement is at most this share
    /// of the mean variance of the data's dimensions (scikit-learn's `tol`).
    pub tolerance: f64,
}

impl Default for KMeans {
    fn default() -> Self {
        Self { restarts: 3, iterations: 100, tolerance: 1e-4 }
    }
}

/// A clustering of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The centres, one per cluster.
    pub centres: Points,
    /// The cluster of each point.
    pub labels: Vec<u32>,
    /// Sum of squared distances of the points to their centres.
    pub inertia: f64,
    /// Iterations done in the start that was kept.
    pub iterations: usize,
}

impl KMeans {
    /// Clusters `points` into `k` (at most as many as there are points; at least one). Starts draw from the streams
    /// (`purpose`, 0), (`purpose`, 1), …
    pub fn fit(&self, points: &Points, k: usize, seed: Seed, purpose: &str) -> Fit {
        let k = k.clamp(1, points.len().max(1));
        let starts: Vec<Fit> = (0..self.restarts.max(1))
            .into_par_iter()
            .map(|start| self.refine(points, plus_plus(points, k, seed, purpose, start as u64)))
            .collect();
        let best = starts.into_iter().reduce(|best, next| if next.inertia < best.inertia { next } else { best });
        best.unwrap_or_else(|| Fit { centres: points.select(&[]), labels: Vec::new(), inertia: 0.0, iterations: 0 })
    }

    /// Lloyd's iterations from given centres.
    pub fn refine(&self, points: &Points, mut centres: Points) -> Fit {
        let allowed = self.tolerance * mean_variance(points);
        let mut labels = vec![u32::MAX; points.len()];
        let mut done = 0;
        while done < self.iterations.max(1) {
            let (next, changed) = assign_into(points, &centres, &mut labels);
            done += 1;
            if !changed {
                break;
            }
            let moved = movement(&centres, &next);
            centres = next;
            if moved <= allowed {
                // The labels belong to the centres before: bring them up to date.
                assign_into(points, &centres, &mut labels);
                break;
            }
        }
        let inertia = inertia(points, &centres, &labels);
        Fit { centres, labels, inertia, iterations: done }
    }
}

/// The nearest centre of each point, the first of several equally near.
pub fn assign(points: &Points, centres: &Points) -> Vec<u32> {
    let prepared = Centres::new(centres);
    let blocks: Vec<Vec<u32>> = points
        .data()
        .par_chunks((points.stride() * BLOCK).max(1))
        .map(|block| Arch::new().dispatch(Nearest { block, centres: &prepared }))
        .collect();
    blocks.concat()
}

/// Writes the nearest centres into `labels`; returns the means of the clusters, and whether a label changed.
fn assign_into(points: &Points, centres: &Points, labels: &mut [u32]) -> (Points, bool) {
    let prepared = Centres::new(centres);
    let (stride, k) = (points.stride(), centres.len());
    let partial: Vec<(Vec<f32>, Vec<u32>, bool)> = points
        .data()
        .par_chunks((stride * BLOCK).max(1))
        .zip(labels.par_chunks_mut(BLOCK))
        .map(|(block, labels)| {
            let nearest = Arch::new().dispatch(Nearest { block, centres: &prepared });
            let changed = nearest != *labels;
            labels.copy_from_slice(&nearest);
            let (sums, counts) = block_sums(block, &nearest, k, stride);
            (sums, counts, changed)
        })
        .collect();
    let changed = partial.iter().any(|(_, _, changed)| *changed);
    let mut sums = vec![0.0_f64; k * stride];
    let mut counts = vec![0_u64; k];
    for (block_sums, block_counts, _) in &partial {
        sums.iter_mut().zip(block_sums).for_each(|(sum, part)| *sum += f64::from(*part));
        counts.iter_mut().zip(block_counts).for_each(|(count, part)| *count += u64::from(*part));
    }
    let mut next = centres.clone();
    for (c, &count) in counts.iter().enumerate() {
        if count > 0 {
            let mean = sums[c * stride..][..stride].iter().map(|sum| (sum / count as f64) as f32);
            next.row_mut(c).iter_mut().zip(mean).for_each(|(to, from)| *to = from);
        }
    }
    let empty: Vec<usize> = (0..k).filter(|&c| counts[c] == 0).collect();
    if !empty.is_empty() {
        refill(points, &prepared.points, labels, &mut next, &empty);
    }
    (next, changed)
}

/// Sums of the points of each cluster in one block (at most 1,024 values each, so `f32` holds them), and their numbers.
fn block_sums(block: &[f32], labels: &[u32], k: usize, stride: usize) -> (Vec<f32>, Vec<u32>) {
    let mut sums = vec![0.0_f32; k * stride];
    let mut counts = vec![0_u32; k];
    for (row, &label) in block.chunks_exact(stride.max(1)).zip(labels) {
        let label = label as usize;
        counts[label] += 1;
        sums[label * stride..][..stride].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    (sums, counts)
}

/// Gives each empty cluster the point farthest from its centre, a different one each.
fn refill(points: &Points, centres: &Points, labels: &[u32], next: &mut Points, empty: &[usize]) {
    let mut far: Vec<(f32, usize)> = points
        .rows()
        .zip(labels)
        .enumerate()
        .map(|(i, (row, &label))| (Arch::new().dispatch(Distance(row, centres.row(label as usize))), i))
        .collect();
    far.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (&cluster, &(_, i)) in empty.iter().zip(&far) {
        next.row_mut(cluster).copy_from_slice(points.row(i));
    }
}

/// k-means++: the first centre at random, each next one with probability proportional to its squared distance from the
/// nearest so far; of `2 + ln k` candidates the one that lowers the sum most.
fn plus_plus(points: &Points, k: usize, seed: Seed, purpose: &str, start: u64) -> Points {
    let n = points.len();
    let mut rng = seed.stream(purpose, start);
    if n == 0 {
        return points.select(&[]);
    }
    let mut chosen = vec![rng.random_range(0..n)];
    let mut nearest = Arch::new().dispatch(Distances { points, to: points.row(chosen[0]) });
    let candidates = 2 + (k as f64).ln() as usize;
    while chosen.len() < k {
        let total: f64 = nearest.iter().map(|&d| f64::from(d)).sum();
        let mut best: Option<(f64, usize, Vec<f32>)> = None;
        for _ in 0..candidates {
            let candidate = draw(&nearest, rng.random::<f64>() * total);
            let mut distances = Arch::new().dispatch(Distances { points, to: points.row(candidate) });
            distances.iter_mut().zip(&nearest).for_each(|(d, old)| *d = d.min(*old));
            let sum: f64 = distances.iter().map(|&d| f64::from(d)).sum();
            if best.as_ref().is_none_or(|(lowest, ..)| sum < *lowest) {
                best = Some((sum, candidate, distances));
            }
        }
        if let Some((_, candidate, distances)) = best {
            chosen.push(candidate);
            nearest = distances;
        }
    }
    points.select(&chosen)
}

/// The index at which the running sum of `weights` passes `target`.
fn draw(weights: &[f32], target: f64) -> usize {
    let mut sum = 0.0;
    for (i, &weight) in weights.iter().enumerate() {
        sum += f64::from(weight);
        if sum > target {
            return i;
        }
    }
    weights.len() - 1
}

/// The mean over dimensions of their variances.
fn mean_variance(points: &Points) -> f64 {
    let (n, d) = (points.len(), points.dimensions());
    if n == 0 || d == 0 {
        return 0.0;
    }
    let (mut sum, mut squares) = (vec![0.0_f64; d], vec![0.0_f64; d]);
    for i in 0..n {
        for ((s, q), &x) in sum.iter_mut().zip(&mut squares).zip(points.point(i)) {
            *s += f64::from(x);
            *q += f64::from(x) * f64::from(x);
        }
    }
    let n = n as f64;
    sum.iter().zip(&squares).map(|(s, q)| (q / n - (s / n) * (s / n)).max(0.0)).sum::<f64>() / d as f64
}

fn movement(from: &Points, to: &Points) -> f64 {
    from.data().iter().zip(to.data()).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum()
}

fn inertia(points: &Points, centres: &Points, labels: &[u32]) -> f64 {
    let stride = points.stride();
    let blocks: Vec<f64> = points
        .data()
        .par_chunks((stride * BLOCK).max(1))
        .zip(labels.par_chunks(BLOCK))
        .map(|(block, labels)| {
            let rows = block.chunks_exact(stride.max(1)).zip(labels);
            rows.map(|(row, &c)| f64::from(Arch::new().dispatch(Distance(row, centres.row(c as usize))))).sum()
        })
        .collect();
    blocks.iter().sum()
}

/// Centres with half their squared norms, padded to a multiple of four by centres that are never nearest.
struct Centres {
    points: Points,
    padded: Vec<f32>,
    half_norms: Vec<f32>,
}

impl Centres {
    fn new(centres: &Points) -> Self {
        let rows = centres.len().next_multiple_of(4);
        let mut padded = centres.data().to_vec();
        padded.resize(rows * centres.stride(), 0.0);
        let mut half_norms: Vec<f32> = centres.rows().map(|row| Arch::new().dispatch(Dot(row, row)) / 2.0).collect();
        half_norms.resize(rows, f32::INFINITY);
        Self { points: centres.clone(), padded, half_norms }
    }
}

/// The nearest centre of each row of a block: the largest `x·c − |c|²/2`.
struct Nearest<'a> {
    block: &'a [f32],
    centres: &'a Centres,
}

impl WithSimd for Nearest<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<u32> {
        // Indices only: an iterator here would be a call, and out of reach of the wide instructions (see `dot`).
        let stride = self.centres.points.stride();
        let (padded, half_norms) = (self.centres.padded.as_slice(), self.centres.half_norms.as_slice());
        let rows = self.block.len().checked_div(stride).unwrap_or(0);
        let mut labels = vec![0_u32; rows];
        let mut r = 0;
        while r < rows {
            let first = &self.block[r * stride..(r + 1) * stride];
            let other = if r + 1 < rows { r + 1 } else { r };
            let twin = &self.block[other * stride..(other + 1) * stride];
            let mut best = [(f32::NEG_INFINITY, 0_u32); 2];
            let mut q = 0;
            while q < half_norms.len() {
                let quad = &padded[q * stride..(q + 4) * stride];
                let (y0, rest) = quad.split_at(stride);
                let (y1, rest) = rest.split_at(stride);
                let (y2, y3) = rest.split_at(stride);
                let products = dot_2x4(simd, [first, twin], [y0, y1, y2, y3]);
                let mut c = 0;
                while c < 4 {
                    let norm = half_norms[q + c];
                    let scores = [products[0][c] - norm, products[1][c] - norm];
                    if scores[0] > best[0].0 {
                        best[0] = (scores[0], (q + c) as u32);
                    }
                    if scores[1] > best[1].0 {
                        best[1] = (scores[1], (q + c) as u32);
                    }
                    c += 1;
                }
                q += 4;
            }
            labels[r] = best[0].1;
            labels[other] = if other == r { best[0].1 } else { best[1].1 };
            r += 2;
        }
        labels
    }
}

/// Squared distances of all points to one.
struct Distances<'a> {
    points: &'a Points,
    to: &'a [f32],
}

impl WithSimd for Distances<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let (data, stride) = (self.points.data(), self.points.stride());
        let mut distances = vec![0.0; self.points.len()];
        let mut i = 0;
        while i < distances.len() {
            distances[i] = squared_distance(simd, &data[i * stride..(i + 1) * stride], self.to);
            i += 1;
        }
        distances
    }
}

/// The squared distance of two padded rows.
struct Distance<'a>(&'a [f32], &'a [f32]);

impl WithSimd for Distance<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        squared_distance(simd, self.0, self.1)
    }
}

/// The inner product of two padded rows.
struct Dot<'a>(&'a [f32], &'a [f32]);

impl WithSimd for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        dot(simd, self.0, self.1)
    }
}

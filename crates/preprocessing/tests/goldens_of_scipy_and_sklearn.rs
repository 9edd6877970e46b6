//! Resampling, k-means and silhouettes beside SciPy and scikit-learn: `goldens/make_resample_and_clusters.py` made the
//! values, and says with which versions.

use physiosynth_preprocessing::Resampler;
use physiosynth_preprocessing::clustering::Points;
use physiosynth_preprocessing::clustering::kmeans::{KMeans, assign};
use physiosynth_preprocessing::clustering::silhouette::Distances;
use physiosynth_signal::Seed;
use serde::Deserialize;

#[derive(Deserialize)]
struct Goldens {
    resampled: Vec<Resampled>,
    clusters: Vec<Clusters>,
}

#[derive(Deserialize)]
struct Resampled {
    up: usize,
    down: usize,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Clusters {
    count: usize,
    dimensions: usize,
    centres: usize,
    spread: f64,
    k: usize,
    inertia: f64,
    silhouette_of_fit: f64,
    silhouette_of_given: f64,
}

fn goldens() -> Goldens {
    serde_json::from_str(include_str!("goldens/resample_and_clusters.json")).unwrap()
}

/// The generator of the script.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}

fn signal(n: usize) -> Vec<f32> {
    let mut noise = Lcg(7);
    (0..n)
        .map(|i| {
            let i = i as f64;
            ((i * 0.05).sin() + 0.5 * (i * 0.31).sin() + noise.next() - 0.2) as f32
        })
        .collect()
}

fn blobs(case: &Clusters) -> Points {
    let mut noise = Lcg(11);
    let middle: Vec<Vec<f64>> = (0..case.centres).map(|_| (0..case.dimensions).map(|_| 4.0 * noise.next()).collect()).collect();
    let rows: Vec<Vec<f32>> = (0..case.count)
        .map(|i| {
            let around = &middle[i % case.centres];
            around.iter().map(|m| (m + case.spread * (noise.next() + noise.next() + noise.next() - 1.5)) as f32).collect()
        })
        .collect();
    Points::new(case.dimensions, rows.iter().map(Vec::as_slice))
}

#[test]
fn resampling_equals_scipy() {
    let input = signal(300);
    for golden in goldens().resampled {
        let output = Resampler::rational(golden.up, golden.down).unwrap().apply(&input);
        assert_eq!(output.len(), golden.values.len(), "{}/{}", golden.up, golden.down);
        for (n, (found, expected)) in output.iter().zip(&golden.values).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(error < 2e-6, "{}/{} sample {n}: {found} for {expected}", golden.up, golden.down);
        }
    }
}

#[test]
fn inertia_is_within_one_percent_of_scikit_learn() {
    for golden in goldens().clusters {
        let fit = KMeans::default().fit(&blobs(&golden), golden.k, Seed(5), "test");
        let ratio = fit.inertia / golden.inertia;
        assert!(ratio < 1.01, "k {}: {} for {}", golden.k, fit.inertia, golden.inertia);
        assert!(ratio > 0.9999, "k {}: below what twenty starts find: {} for {}", golden.k, fit.inertia, golden.inertia);
    }
}

#[test]
fn silhouettes_equal_scikit_learn() {
    for golden in goldens().clusters {
        let points = blobs(&golden);
        let distances = Distances::new(&points);
        let given = |i: usize| if i.is_multiple_of(3) { i % golden.k } else { (i * 7 % 5) % golden.k };
        let labels: Vec<u32> = (0..golden.count).map(|i| given(i) as u32).collect();
        let found = distances.silhouette(&labels, golden.k).unwrap();
        assert!((found - golden.silhouette_of_given).abs() < 1e-6, "{found} for {}", golden.silhouette_of_given);
        let fit = KMeans { restarts: 20, ..KMeans::default() }.fit(&points, golden.k, Seed(5), "test");
        let found = distances.silhouette(&fit.labels, golden.k).unwrap();
        assert!((found - golden.silhouette_of_fit).abs() < 1e-3, "{found} for {}", golden.silhouette_of_fit);
    }
}

#[test]
fn labels_are_the_nearest_centres() {
    for golden in goldens().clusters {
        let points = blobs(&golden);
        let fit = KMeans::default().fit(&points, golden.k, Seed(5), "test");
        let squared = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>();
        let mut inertia = 0.0;
        for (i, &label) in assign(&points, &fit.centres).iter().enumerate() {
            let own = squared(points.point(i), fit.centres.point(label as usize));
            let least = (0..golden.k).map(|c| squared(points.point(i), fit.centres.point(c))).fold(f64::INFINITY, f64::min);
            assert!(own <= least * (1.0 + 1e-5), "point {i}");
            assert_eq!(label, fit.labels[i]);
            inertia += own;
        }
        assert!((inertia / fit.inertia - 1.0).abs() < 1e-5, "{inertia} {}", fit.inertia);
    }
}

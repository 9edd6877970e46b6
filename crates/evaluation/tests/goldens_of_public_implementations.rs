//! Measures beside prdc, scikit-learn, SciPy, dtaidistance and the formulas of TSGBench and Alaa et al.: `goldens/make_measures.py` made
//! the values, and says with which versions.

use std::collections::BTreeMap;

use physiosynth_evaluation::measures::pairwise::dtw;
use physiosynth_evaluation::measures::segments::BY_SEGMENT;
use physiosynth_evaluation::measures::sets::{OF_SETS, welch};
use physiosynth_evaluation::{Comparison, Pool, Shape};
use physiosynth_signal::Seed;
use serde_json::Value;

const SEGMENTS: usize = 120;
const TIME: usize = 40;
const CHANNELS: usize = 2;
const SHAPE: Shape = Shape { channels: CHANNELS, sampling_frequency_hz: 100.0, band: 4, neighbours: 5 };

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/measures.json")).unwrap()
}

/// The generator of the script.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}

/// The script's beats.
fn beats(seed: u64, gain: f64) -> Pool {
    let mut noise = Lcg(seed);
    let mut samples = Vec::new();
    for _ in 0..SEGMENTS {
        let place = 15.0 + 8.0 * noise.next();
        let height = gain * (0.7 + 0.6 * noise.next());
        for t in 0..TIME {
            for c in 0..CHANNELS {
                let triangle = height * (1.0 - (t as f64 - place).abs() / 6.0).max(0.0);
                let value = (1.0 - 1.5 * c as f64) * triangle + 0.1 * ((t * 7) % 11) as f64 + 0.2 * (noise.next() - 0.5);
                samples.push(value as f32);
            }
        }
    }
    Pool::of_samples(samples, TIME * CHANNELS)
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-3), "{what}: {found}, expected {expected}");
}

#[test]
fn measures_have_the_values_of_public_implementations() {
    let (reference, candidate) = (beats(7, 1.0), beats(8, 1.15));
    let sets = Comparison::new(&reference, &candidate, SHAPE, Seed(1));
    let mut found: BTreeMap<&str, f64> = BTreeMap::new();
    for measure in &BY_SEGMENT {
        let values: Vec<f64> = (measure.compute)(&sets).into_iter().map(Option::unwrap).collect();
        found.insert(measure.about.name, values.iter().sum::<f64>() / values.len() as f64);
    }
    for measure in &OF_SETS {
        if let Some(value) = (measure.compute)(&sets) {
            found.insert(measure.about.name, value);
        }
    }
    let goldens = goldens();
    let expected = goldens["values"].as_object().unwrap();
    assert_eq!(expected.len(), 16);
    for (name, value) in expected {
        close(found[name.as_str()], value.as_f64().unwrap(), 1e-6, name);
    }
}

#[test]
fn neighbours_are_those_of_scikit_learn() {
    let (reference, candidate) = (beats(7, 1.0), beats(8, 1.15));
    let sets = Comparison::new(&reference, &candidate, SHAPE, Seed(1));
    let goldens = goldens();
    for (i, nearest) in sets.nearest().iter().enumerate() {
        assert_eq!(nearest.index as u64, goldens["nearest"][i].as_u64().unwrap());
        close(f64::from(nearest.distance), goldens["nearest_distances"][i].as_f64().unwrap(), 1e-6, "nearest");
        let radius = sets.reference_neighbours().radius_squared(i).unwrap().sqrt();
        close(radius, goldens["radii"][i].as_f64().unwrap(), 1e-8, "radius");
    }
}

#[test]
fn spectra_are_scipys() {
    let found = welch(&beats(7, 1.0), CHANNELS, SHAPE.sampling_frequency_hz);
    let goldens = goldens();
    for (c, density) in found.density.iter().enumerate() {
        assert_eq!(density.len(), goldens["welch"][c].as_array().unwrap().len());
        for (bin, value) in density.iter().enumerate().skip(1) {
            close(*value, goldens["welch"][c][bin].as_f64().unwrap(), 1e-9, "welch");
        }
    }
}

#[test]
fn warping_distances_are_dtaidistances() {
    let (a, b) = (beats(7, 1.0), beats(8, 1.15));
    let first = |x: &[f32]| -> Vec<f32> { x.iter().step_by(CHANNELS).copied().collect() };
    for case in goldens()["warped"].as_array().unwrap() {
        let (i, band) = (case["pair"].as_u64().unwrap() as usize, case["band"].as_u64().unwrap() as usize);
        let both = dtw(a.segment(i), b.segment(i), CHANNELS, band).unwrap();
        close(both, case["both"].as_f64().unwrap(), 1e-9, "both channels");
        let one = dtw(&first(a.segment(i)), &first(b.segment(i)), 1, band).unwrap();
        close(one, case["one"].as_f64().unwrap(), 1e-9, "one channel");
    }
}

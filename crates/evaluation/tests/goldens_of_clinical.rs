//! Clinical quantities beside SciPy, NumPy and `NeuroKit2`: `goldens/make_clinical.py` made the values, and says with which versions.

use std::f64::consts::TAU;

use physiosynth_evaluation::clinical::connectivity::{coherences, correlations, mean_absolute_difference};
use physiosynth_evaluation::clinical::hjorth::{hjorth, line_length_per_s};
use physiosynth_evaluation::clinical::spectrum::{BANDS, Welch};
use physiosynth_evaluation::clinical::variability::{Beat, annotated_beats, of_beats, variability};
use physiosynth_evaluation::clinical::wasserstein::wasserstein;
use physiosynth_signal::Annotation;
use serde_json::Value;

const RATE: f64 = 160.0;

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/clinical.json")).unwrap()
}

/// The generator of the script.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}

fn channels(n: usize) -> Vec<Vec<f64>> {
    let mut noise = [Lcg(7), Lcg(8), Lcg(9)];
    let mut rows = vec![Vec::new(); 3];
    for i in 0..n {
        let t = i as f64 / RATE;
        let alpha = 20.0 * (TAU * 10.0 * t).sin();
        let parts = [alpha, 0.6 * alpha + 5.0 * (TAU * 2.5 * t).sin(), 4.0 * (TAU * 21.0 * t).sin()];
        for (row, (part, noise)) in rows.iter_mut().zip(parts.into_iter().zip(&mut noise)) {
            row.push(part + 30.0 * (noise.next() - 0.5));
        }
    }
    rows
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {found} for {expected}");
}

#[test]
fn powers_and_shapes_of_channels() {
    let goldens = goldens();
    for (length, name) in [(1600, "long"), (100, "short")] {
        let welch = Welch::new(length, RATE).unwrap();
        for (samples, expected) in channels(length).iter().zip(goldens[name].as_array().unwrap()) {
            let spectrum = welch.spectrum(samples).unwrap();
            for (band, power) in BANDS.iter().zip(expected["powers"].as_array().unwrap()) {
                close(spectrum.power(*band).unwrap(), power, band.name);
            }
            let sum: f64 = BANDS.iter().map(|b| spectrum.relative(*b).unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-12, "shares sum to {sum}");
            close(spectrum.edge_hz().unwrap(), &expected["edge_hz"], "edge");
            close(spectrum.entropy().unwrap(), &expected["entropy"], "entropy");
            let shape = hjorth(samples, RATE).unwrap();
            close(shape.activity, &expected["activity"], "activity");
            close(shape.mobility_per_s, &expected["mobility_per_s"], "mobility");
            close(shape.complexity, &expected["complexity"], "complexity");
            close(line_length_per_s(samples, RATE).unwrap(), &expected["line_length_per_s"], "line length");
        }
    }
}

#[test]
fn connections_of_channels() {
    let segments = vec![channels(1600)];
    let welch = Welch::new(1600, RATE).unwrap();
    let (correlation, coherence) = (correlations(&segments), coherences(&segments, &welch));
    for (i, expected) in goldens()["pairs"].as_array().unwrap().iter().enumerate() {
        close(correlation[i].unwrap(), &expected["correlation"], "correlation");
        close(coherence[i].unwrap(), &expected["coherence"], "coherence");
    }
    assert!(mean_absolute_difference(&correlation, &correlation).unwrap() < 1e-15);
    // A single part has coherence 1 with everything.
    assert!(coherences(&[channels(300)], &Welch::new(300, RATE).unwrap()).iter().all(Option::is_none));
}

#[test]
fn distances_of_distributions() {
    let values = |n: usize, seed: u64, scale: f64| {
        let mut noise = Lcg(seed);
        (0..n).map(|_| scale * noise.next() + noise.next()).collect::<Vec<_>>()
    };
    close(wasserstein(&values(200, 5, 1.0), &values(137, 6, 1.6)).unwrap(), &goldens()["wasserstein"], "Wasserstein-1");
}

/// The beats whose intervals the script draws, from time 0 on.
fn beats() -> Vec<Beat> {
    let mut noise = Lcg(21);
    let mut time_ms = 0.0;
    let mut beats = vec![Beat { time_s: 0.0, normal: true, fibrillation: false, after_gap: true }];
    for i in 0..360 {
        time_ms += (800.0 + 60.0 * (f64::from(i) / 4.0).sin() + 120.0 * (noise.next() - 0.5)).round();
        beats.push(Beat { time_s: time_ms / 1000.0, normal: true, fibrillation: false, after_gap: false });
    }
    beats
}

#[test]
fn variability_of_intervals() {
    let expected = &goldens()["variability"];
    let found = of_beats(&beats(), false).unwrap();
    assert_eq!(found.intervals, 360);
    close(found.mean_nn_ms, &expected["mean_nn_ms"], "mean NN");
    close(found.sdnn_ms, &expected["sdnn_ms"], "SDNN");
    close(found.rmssd_ms, &expected["rmssd_ms"], "RMSSD");
    close(found.pnn50_percent, &expected["pnn50_percent"], "pNN50");
}

#[test]
fn ectopic_beats_gaps_and_fibrillation_are_kept_apart() {
    // 400 s at 75 per minute, differences of 20 ms; one beat ventricular, one gap.
    let mut marks = vec![Annotation::beat(0, "+").with_aux("(N")];
    marks.extend((1..500).map(|i| Annotation::beat(i * 288 + 7 * (i % 2), if i == 100 { "V" } else { "N" })));
    marks.insert(200, Annotation::beat(199 * 288 + 100, "~"));
    let found = variability(&annotated_beats(&marks, 360.0), 300.0);
    assert_eq!(found.len(), 1, "one whole window");
    // The first beat has no interval, the ectopic beat takes two, the gap one.
    assert_eq!((found[0].intervals, found[0].fibrillation), (374 - 1 - 2 - 1, false));
    assert!((found[0].rmssd_ms - 14.0 * 1000.0 / 360.0).abs() < 1e-9 && found[0].pnn50_percent == 0.0);

    let halves: Vec<Annotation> = (0..900)
        .flat_map(|i| {
            let rhythm = (i == 450).then(|| Annotation::beat(i * 288 - 10, "+").with_aux("(AFIB\0"));
            rhythm.into_iter().chain([Annotation::beat(i * 288, "N")])
        })
        .collect();
    let found = variability(&annotated_beats(&halves, 360.0), 300.0);
    let kinds: Vec<(f64, bool)> = found.iter().map(|v| (v.start_s, v.fibrillation)).collect();
    assert_eq!(kinds, [(0.0, false), (300.0, true)], "720 s: two whole windows, 360 s of each rhythm");
}

#[test]
fn nothing_panics_on_nothing() {
    assert!(Welch::new(7, RATE).is_none() && Welch::new(100, f64::NAN).is_none() && Welch::new(100, 0.0).is_none());
    let welch = Welch::new(100, RATE).unwrap();
    assert!(welch.spectrum(&[f64::NAN; 100]).is_none() && welch.spectrum(&[1.0; 10]).is_none());
    let flat = welch.spectrum(&[1.0; 100]).unwrap();
    assert!(flat.edge_hz().is_none() && flat.entropy().is_none() && flat.relative(BANDS[0]).is_none());
    assert!(hjorth(&[1.0; 100], RATE).is_none() && hjorth(&[f64::NAN; 100], RATE).is_none() && hjorth(&[], RATE).is_none());
    assert!(line_length_per_s(&[f64::NAN, 1.0], RATE).is_none() && line_length_per_s(&[1.0], RATE).is_none());
    assert!(correlations(&[]).is_empty() && coherences(&[], &welch).is_empty());
    assert_eq!(correlations(&[vec![vec![1.0; 100], vec![f64::NAN; 100]]]), [None]);
    assert!(variability(&[], 300.0).is_empty() && variability(&beats(), 0.0).is_empty() && of_beats(&[], true).is_none());
}

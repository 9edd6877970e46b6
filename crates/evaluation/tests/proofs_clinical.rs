//! Proofs that the clinical part of an evaluation sees what it should: beats with known faults are given to it.

use std::f64::consts::TAU;

use ndarray::{Array2, Array3};
use physiosynth_evaluation::clinical::beat::beat_quantities;
use physiosynth_evaluation::clinical::delineate::{Delineation, Neighbours, delineate, delineate_record};
use physiosynth_evaluation::clinical::variability::{Beat, RecordBeats};
use physiosynth_evaluation::{EvaluationConfig, Measure, Outcome, Scores, evaluate, evaluate_with_records};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;

const RATE: f64 = 250.0;
const MARK: usize = 62;
const TIME: usize = 175;

/// What is wrong with a set of beats.
#[derive(Clone, Copy)]
struct Fault {
    /// Factor on the times and widths of the QRS complex.
    wider: f64,
    /// Millivolts added from the end of the complex to the end of T.
    st_mv: f64,
    amplitude: f64,
    without_p: bool,
}

const NONE: Fault = Fault { wider: 1.0, st_mv: 0.0, amplitude: 1.0, without_p: false };

/// One beat of P, Q, R, S, T as Gaussians, in millivolts.
fn beat(rng: &mut impl RngExt, person: [f64; 4], fault: Fault) -> Vec<f32> {
    let mut near = |value: f64, share: f64| value * rng.random_range(1.0 - share..1.0 + share);
    let [r, t, at, p] = person;
    let q = fault.wider;
    let waves = [
        (near(-0.16, 0.02), 0.021, if fault.without_p { 0.0 } else { near(p, 0.06) }),
        (-0.027 * q, 0.0075 * q, near(-0.1, 0.1)),
        (0.0, 0.01 * q, near(r, 0.04)),
        (0.027 * q, 0.0085 * q, near(-0.2, 0.1)),
        (near(at, 0.01), 0.04, near(t, 0.05)),
    ];
    let sample = |i: usize| {
        let time = (i as f64 - MARK as f64) / RATE;
        let sum: f64 = waves.iter().map(|(c, w, a)| a * (-0.5 * ((time - c) / w).powi(2)).exp()).sum();
        let step = |from: f64| 1.0 / (1.0 + (-(time - from) / 0.005).exp());
        let st = fault.st_mv * (step(0.05 * q) - step(at + 0.08));
        (fault.amplitude * (sum + st) + rng.random_range(-0.005..0.005)) as f32
    };
    (0..TIME).map(sample).collect()
}

fn set(segments: &[(u64, Vec<f32>)], split: Split, names: &[&str], unit: &str) -> SegmentSet {
    let time = segments[0].1.len() / names.len();
    let own = |name: &str| name.to_string();
    let mut set =
        SegmentSet::empty(time, RATE, MARK.min(time - 1), names.iter().map(|n| own(n)).collect(), vec![own(unit); names.len()]);
    let n = segments.len();
    let samples: Vec<f32> = segments.iter().flat_map(|s| s.1.iter().copied()).collect();
    set.signals = Array3::from_shape_vec((n, time, names.len()), samples).unwrap();
    set.scale = Array2::ones((n, names.len()));
    set.offset = Array2::zeros((n, names.len()));
    let segment = |subject: u64| Segment {
        rr_before_s: 0.8 + 0.01 * (subject % 7) as f32,
        rr_after_s: 0.8,
        ..Segment::new("N", format!("s{subject}"), split)
    };
    set.segments = segments.iter().map(|s| segment(s.0)).collect();
    set
}

/// Twenty beats of each of `people` people.
fn beats(first: u64, people: u64, split: Split, fault: Fault) -> SegmentSet {
    let mut made = Vec::new();
    for subject in first..first + people {
        let mut rng = Seed(4).stream("people", subject);
        let mut between = |low: f64, high: f64| rng.random_range(low..high);
        let person = [between(0.95, 1.25), between(0.2, 0.32), between(0.25, 0.28), between(0.1, 0.16)];
        made.extend((0..20).map(|_| (subject, beat(&mut rng, person, fault))));
    }
    set(&made, split, &["MLII"], "mV")
}

fn real() -> SegmentSet {
    let mut set = beats(0, 12, Split::Train, NONE);
    set.append(&beats(20, 8, Split::Test, NONE)).unwrap();
    set
}

fn judge(fault: Fault) -> Scores {
    scores(&real(), &beats(100, 12, Split::Synthetic, fault))
}

fn scores(real: &SegmentSet, synthetic: &SegmentSet) -> Scores {
    evaluate(real, synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent).unwrap()
}

fn row<'a>(scores: &'a Scores, name: &str) -> &'a Measure {
    scores.measure(name, "N").unwrap_or_else(|| panic!("no {name}"))
}

fn value(scores: &Scores, name: &str) -> f64 {
    row(scores, name).value.unwrap()
}

/// Asserts that the verdict fails, and says so by this row.
fn fails_by(scores: &Scores, name: &str) {
    let verdict = &scores.verdicts["plausible"];
    assert!(verdict.outcome == Outcome::Fail && verdict.because.contains(name), "{name}: {verdict:?}");
}

#[test]
fn other_people_are_plausible() {
    let scores = judge(NONE);
    assert_eq!(scores.verdicts["plausible"].outcome, Outcome::Pass, "{:?}", scores.verdicts["plausible"]);
    let m = row(&scores, "wasserstein_qrs_ms");
    assert!(m.value.unwrap() < 5.0 && m.same.unwrap() < 5.0 && m.held_out.unwrap() < 5.0, "{m:?}");
    assert!(m.low.unwrap() <= m.value.unwrap() && m.value.unwrap() <= m.high.unwrap());
    for name in ["p_wave_share", "qrs_share", "t_wave_share"] {
        assert!(value(&scores, name) > 0.95, "{name}: {:?}", row(&scores, name));
    }
    assert_eq!(value(&scores, "outside_limits_share"), 0.0);
    assert!(scores.measure("wasserstein_qtc_bazett_ms", "all").is_some());
    assert!(scores.notes.iter().any(|n| n.contains("heart rate variability is not compared")), "{:?}", scores.notes);
}

#[test]
fn a_complex_wider_by_40_ms_is_seen() {
    // The complex of these beats lasts about 90 ms.
    let scores = judge(Fault { wider: 1.0 + 40.0 / 90.0, ..NONE });
    let wider = value(&scores, "wasserstein_qrs_ms");
    assert!((30.0..55.0).contains(&wider), "{wider}");
    fails_by(&scores, "wasserstein_qrs_ms");
}

#[test]
fn a_raised_st_segment_is_seen() {
    let scores = judge(Fault { st_mv: 0.2, ..NONE });
    for name in ["wasserstein_st60_mv", "wasserstein_st80_mv"] {
        let raised = value(&scores, name);
        assert!((0.13..0.25).contains(&raised), "{name}: {raised}");
        fails_by(&scores, name);
    }
}

#[test]
fn a_fifth_more_amplitude_is_seen() {
    let scores = judge(Fault { amplitude: 1.2, ..NONE });
    let m = row(&scores, "wasserstein_r_mv");
    // These people's R waves are a little lower than the training subjects', which takes from the fifth.
    let references = m.same.unwrap().max(m.held_out.unwrap());
    assert!(m.value.unwrap() > 0.1 && m.value.unwrap() > 3.0 * references, "{m:?}");
    fails_by(&scores, "wasserstein_r_mv");
}

#[test]
fn missing_p_waves_are_seen() {
    let scores = judge(Fault { without_p: true, ..NONE });
    assert!(value(&scores, "p_wave_share") < 0.2, "{:?}", row(&scores, "p_wave_share"));
    fails_by(&scores, "p_wave_share");
}

fn white(count: u64, length: usize, scale: f32) -> Vec<(u64, Vec<f32>)> {
    let mut rng = Seed(1).stream("white", 0);
    (0..count).map(|i| (i % 12, (0..length).map(|_| scale * rng.random_range(-1.0..1.0_f32)).collect())).collect()
}

#[test]
fn white_noise_is_not_plausible() {
    let scores = scores(&real(), &set(&white(240, TIME, 1.0), Split::Synthetic, &["MLII"], "mV"));
    assert!(value(&scores, "qrs_share") < 0.2, "{:?}", row(&scores, "qrs_share"));
    assert!(value(&scores, "outside_limits_share") > 0.8);
    fails_by(&scores, "beyond plausible limits");
}

#[test]
fn nothing_panics_on_constants_noise_missing_samples_and_short_segments() {
    let bad = |x: &[f32], rate: f64, mark: usize| {
        let waves = delineate(x, rate, mark, Neighbours::new(f64::NAN, -1.0));
        let _ = beat_quantities(x, rate, mark, &waves, Some(0.0));
        waves
    };
    for rate in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-6, 1.0, 128.0, 500.0, 1e9] {
        for length in [0_usize, 1, 3, 4, 10, 60, 175] {
            for mark in [0, length / 2, length.saturating_sub(1), length, usize::MAX] {
                assert_eq!(bad(&vec![1.0; length], rate, mark), Delineation::default(), "constant at {rate} Hz");
                assert_eq!(bad(&vec![f32::NAN; length], rate, mark), Delineation::default());
                bad(&vec![f32::MAX; length], rate, mark);
                for (_, x) in white(20, length, 1.0).iter().chain(&white(2, length, f32::MAX)).chain(&white(2, length, 1e-40)) {
                    bad(x, rate, mark);
                }
            }
        }
    }
    assert_eq!(delineate_record(&[0.0; 50], 250.0, &[0, 20, 20, 10, 49, 50, usize::MAX]).len(), 7);
    assert!(delineate_record(&[], 250.0, &[]).is_empty());

    // Sets of such segments: ten samples, constant, missing.
    let ten = |split| set(&white(40, 10, 1.0), split, &["MLII"], "mV");
    assert!(scores(&ten(Split::Train), &ten(Split::Synthetic)).measure("qrs_share", "N").is_some());
    for bad in [0.3, f32::NAN, f32::INFINITY] {
        let same = set(&(0..40).map(|i| (i, vec![bad; TIME])).collect::<Vec<_>>(), Split::Synthetic, &["MLII"], "mV");
        assert_eq!(value(&scores(&real(), &same), "outside_limits_share"), 1.0);
    }
}

/// Two channels with an alpha rhythm in common, `alpha` µV high.
fn eeg(first: u64, people: u64, split: Split, alpha: f64, together: bool) -> SegmentSet {
    let mut made = Vec::new();
    for subject in first..first + people {
        let mut rng = Seed(6).stream("eeg", subject);
        for _ in 0..20 {
            let (height, hz): (f64, f64) = (alpha * rng.random_range(0.8..1.2), rng.random_range(9.5..10.5));
            let phases = [rng.random_range(0.0..TAU), rng.random_range(0.0..TAU)];
            let mut samples = Vec::new();
            for i in 0..500 {
                for c in 0..2 {
                    let phase = if together { phases[0] } else { phases[c] };
                    let wave = height * (TAU * hz * f64::from(i) / RATE + phase).sin();
                    samples.push((wave + rng.random_range(-10.0..10.0)) as f32);
                }
            }
            made.push((subject, samples));
        }
    }
    set(&made, split, &["Cz..", "C3.."], "uV")
}

#[test]
fn an_eeg_is_known_by_its_electrodes_and_its_faults_are_seen() {
    let mut real = eeg(0, 10, Split::Train, 20.0, true);
    real.append(&eeg(20, 6, Split::Test, 20.0, true)).unwrap();
    let fresh = scores(&real, &eeg(100, 10, Split::Synthetic, 20.0, true));
    assert!(fresh.measure("qrs_share", "N").is_none());
    let share = row(&fresh, "wasserstein_alpha_share");
    assert!(share.value.unwrap() < 0.05, "{share:?}");
    assert!(value(&fresh, "channel_correlation_mae") < 0.05 && value(&fresh, "channel_coherence_mae") < 0.05);

    let lower = scores(&real, &eeg(100, 10, Split::Synthetic, 10.0, true));
    assert!(value(&lower, "wasserstein_alpha_power_uv2") > 5.0 * value(&fresh, "wasserstein_alpha_power_uv2"));
    fails_by(&lower, "wasserstein_alpha_power_uv2");

    let apart = scores(&real, &eeg(100, 10, Split::Synthetic, 20.0, false));
    assert!(value(&apart, "channel_correlation_mae") > 0.3);
    fails_by(&apart, "channel_correlation_mae");
}

#[test]
fn signals_of_no_known_kind_are_not_assessed() {
    let unknown = |split| set(&white(40, TIME, 1.0), split, &["ch1"], "adu");
    let scores = scores(&unknown(Split::Train), &unknown(Split::Synthetic));
    assert_eq!(scores.verdicts["plausible"].outcome, Outcome::NotAssessable);
    assert!(scores.notes.iter().any(|n| n.contains("neither names")), "{:?}", scores.notes);
}

/// Twenty minutes of a person's beats, the second half in atrial fibrillation where asked for; `steady` takes the variability away.
fn sequence(subject: u64, split: Split, fibrillates: bool, steady: f64) -> RecordBeats {
    let mut rng = Seed(6).stream("rhythm", subject);
    let (mean_s, breath_s) = (rng.random_range(0.7..0.95), rng.random_range(0.02..0.06) * steady);
    let mut beats = Vec::new();
    let mut time_s = 0.0;
    while time_s < 1210.0 {
        let fibrillation = fibrillates && time_s >= 600.0;
        beats.push(Beat { time_s, normal: true, fibrillation, after_gap: beats.is_empty() });
        let wander = if fibrillation { rng.random_range(-0.2..0.2) } else { breath_s * (TAU * time_s / 4.0).sin() };
        time_s += mean_s + wander + 0.01 * steady * rng.random_range(-1.0..1.0);
    }
    RecordBeats { subject: format!("s{subject}"), split, beats }
}

fn records(fibrillates: bool, steady: f64) -> Vec<RecordBeats> {
    let of = |people: std::ops::Range<u64>, split, steady| people.map(move |p| sequence(p, split, fibrillates, steady));
    of(0..12, Split::Train, 1.0).chain(of(20..28, Split::Test, 1.0)).chain(of(100..112, Split::Synthetic, steady)).collect()
}

/// Segments without a mark: nothing but records is assessed.
fn rhythm_scores(records: &[RecordBeats]) -> Scores {
    let (mut real, mut synthetic) = (real(), beats(100, 12, Split::Synthetic, NONE));
    (real.mark_index, synthetic.mark_index) = (0, 0);
    let config = EvaluationConfig {
        segments_per_class: 8,
        bootstrap_rounds: 10,
        network_steps: 0,
        privacy_rounds: 2,
        forest_trees: 4,
        utility_draws: 1,
        ..EvaluationConfig::default()
    };
    evaluate_with_records(&real, &synthetic, records, &config, Seed(5), &Silent).unwrap()
}

#[test]
fn records_are_judged_by_their_variability() {
    let scores = rhythm_scores(&records(false, 1.0));
    assert!(scores.notes.iter().any(|n| n.contains("where their R peak is")), "{:?}", scores.notes);
    for name in ["mean_nn_ms", "sdnn_ms", "rmssd_ms", "pnn50_percent"] {
        let m = scores.measure(&format!("wasserstein_{name}"), "all").unwrap_or_else(|| panic!("no {name}"));
        assert_eq!((m.segments, m.subjects), (48, 12), "four windows of each of twelve people");
        let (value, limit) = (m.value.unwrap(), m.baselines["subject_halves_p95"]);
        assert!(value <= limit.max(m.held_out.unwrap()) && m.same.unwrap() <= limit, "{name}: {value}, limit {limit}");
    }
    assert_eq!(scores.verdicts["plausible"].outcome, Outcome::Pass, "{:?}", scores.verdicts["plausible"]);
    assert!(scores.measure("wasserstein_sdnn_ms_afib", "all").is_none());

    // A metronome at the right rates.
    let scores = rhythm_scores(&records(false, 0.0));
    fails_by(&scores, "wasserstein_sdnn_ms");
    let rate = scores.measure("wasserstein_mean_nn_ms", "all").unwrap();
    assert!(rate.value.unwrap() <= rate.baselines["subject_halves_p95"].max(20.0));

    // Fibrillation stands by itself and leaves the other windows alone.
    let scores = rhythm_scores(&records(true, 1.0));
    let (sinus, afib) = (row_of(&scores, "wasserstein_sdnn_ms"), row_of(&scores, "wasserstein_sdnn_ms_afib"));
    assert_eq!((sinus.segments, afib.segments), (24, 24));
    assert!(sinus.value.unwrap() < 10.0 && sinus.held_out.unwrap() < 15.0, "{sinus:?}");
}

fn row_of<'a>(scores: &'a Scores, name: &str) -> &'a Measure {
    scores.measure(name, "all").unwrap_or_else(|| panic!("no {name}"))
}

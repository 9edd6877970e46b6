//! Proofs that measures of fidelity and diversity see what they claim to see, and that verdicts follow.
//!
//! Three disjoint groups of subjects: those trained on, held-out ones, and fresh ones.

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Measure, Outcome, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;
use rustfft::{FftPlanner, num_complex::Complex};

const TIME: usize = 64;
const TRAINED: u64 = 0;
const HELD_OUT: u64 = 100;
const FRESH: u64 = 200;

/// `count` beats of each of `subjects` subjects in `channels` leads. A subject's height, width and T wave are its own; `mode` 1 is a
/// beat upside down and later.
fn beats(first: u64, subjects: u64, count: usize, split: Split, class: &str, modes: u64, channels: usize) -> SegmentSet {
    let names: Vec<String> = (0..channels).map(|c| format!("lead{c}")).collect();
    let mut set = SegmentSet::empty(TIME, 100.0, 20, names, vec!["mV".into(); channels]);
    let mut values = Vec::new();
    for subject in first..first + subjects {
        let mut rng = Seed(11).stream(&format!("beats/{class}"), subject);
        let (height, width, t): (f32, f32, f32) =
            (rng.random_range(0.9..1.2), rng.random_range(2.5..3.5), rng.random_range(0.2..0.4));
        for beat in 0..count {
            let (h, p): (f32, f32) = (height + rng.random_range(-0.15..0.15), 20.0 + rng.random_range(-1.5..1.5));
            let turned = modes > 1 && beat % 2 == 1;
            let bump = |at: f32, centre: f32, width: f32| (-0.5 * ((at - centre) / width).powi(2)).exp();
            for time in 0..TIME {
                let at = time as f32;
                let plain = h * bump(at, p, width) + t * bump(at, 44.0, 5.0);
                let other = -0.8 * h * bump(at, p + 8.0, 1.5 * width) + t * bump(at, 52.0, 4.0);
                let value = if turned { other } else { plain };
                values.extend((0..channels).map(|c| value * (1.0 - 0.1 * c as f32) + rng.random_range(-0.02_f32..0.02)));
            }
            set.segments.push(Segment {
                sample: if split == Split::Synthetic { -1 } else { 0 },
                ..Segment::new(class, format!("s{subject}"), split)
            });
        }
    }
    let n = set.segments.len();
    set.signals = Array3::from_shape_vec((n, TIME, channels), values).unwrap();
    set.scale = Array2::ones((n, channels));
    set.offset = Array2::zeros((n, channels));
    set
}

fn synthetic(first: u64, modes: u64) -> SegmentSet {
    beats(first, 24, 20, Split::Synthetic, "N", modes, 1)
}

fn real(modes: u64) -> SegmentSet {
    let mut set = beats(TRAINED, 24, 20, Split::Train, "N", modes, 1);
    set.append(&beats(HELD_OUT, 24, 20, Split::Test, "N", modes, 1)).unwrap();
    set
}

fn judge(synthetic: &SegmentSet, modes: u64) -> Scores {
    evaluate(&real(modes), synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent)
        .unwrap()
}

fn of<'a>(scores: &'a Scores, name: &str) -> &'a Measure {
    scores.measure(name, "N").unwrap_or_else(|| panic!("{name}"))
}

/// The value, that of `same` and that of `held_out`.
fn row(scores: &Scores, name: &str) -> (f64, f64, f64) {
    let m = of(scores, name);
    (m.value.unwrap(), m.same.unwrap(), m.held_out.unwrap())
}

fn fails(scores: &Scores, verdict: &str) -> bool {
    scores.verdicts[verdict].outcome == Outcome::Fail
}

#[test]
fn fresh_subjects_stand_where_held_out_ones_stand() {
    let scores = judge(&synthetic(FRESH, 1), 1);
    assert!(!fails(&scores, "faithful") && !fails(&scores, "diverse"), "{:?}", scores.verdicts);
    for name in ["precision", "recall", "density", "coverage", "authenticity", "alpha_precision", "beta_recall"] {
        let (value, same, held_out) = row(&scores, name);
        let spread = (same - held_out).abs().max(0.12);
        assert!((value - held_out).abs() <= 1.5 * spread, "{name}: {value}, same {same}, held out {held_out}");
    }
    for name in ["rmse_nearest", "prdn_nearest", "dtw_nearest", "discrete_frechet_nearest", "gaussian_frechet"] {
        let (value, same, held_out) = row(&scores, name);
        assert!(value <= 1.6 * held_out.max(same), "{name}: {value}, same {same}, held out {held_out}");
    }
    for name in ["precision", "recall", "density", "coverage", "authenticity"] {
        let m = of(&scores, name);
        assert!(m.low.unwrap() <= m.value.unwrap() && m.value.unwrap() <= m.high.unwrap(), "{m:?}");
    }
    assert!(of(&scores, "mmd_p").value.unwrap() > 0.01);
}

#[test]
fn the_training_set_itself_is_no_new_data() {
    let mut copies = beats(TRAINED, 24, 20, Split::Train, "N", 1, 1);
    copies.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
    let scores = judge(&copies, 1);
    // Half of the copies are of reference segments and never authentic, half are the other half's.
    let (authenticity, same, _) = row(&scores, "authenticity");
    assert!(authenticity < 0.7 * same, "{authenticity} {same}");
    assert_eq!(of(&scores, "authenticity").baselines["training_copy"], 0.0);
    for name in ["prd_nearest", "prdn_nearest", "rmse_nearest", "mae_nearest", "dtw_nearest", "discrete_frechet_nearest"] {
        let (value, same, _) = row(&scores, name);
        assert!(value < 0.8 * same, "{name}: {value} {same}");
        assert_eq!(of(&scores, name).baselines["training_copy"], 0.0, "{name}");
    }
    // A blind spot that the definition names: jitter hides a copy from this measure.
    let jittered = of(&scores, "authenticity").baselines["jittered_copy"];
    assert!(jittered > authenticity, "{jittered} {authenticity}");
}

#[test]
fn half_of_the_modes_missing_halves_coverage_and_recall() {
    let scores = judge(&synthetic(FRESH, 1), 2);
    for name in ["coverage", "recall"] {
        let (value, same, _) = row(&scores, name);
        assert!((0.3..0.62).contains(&(value / same)), "{name}: {value} {same}");
    }
    let (precision, same, _) = row(&scores, "precision");
    assert!(precision > 0.8 * same, "what is there is right: {precision} {same}");
    assert!(fails(&scores, "diverse"));
    let whole = judge(&synthetic(FRESH, 2), 2);
    assert!(!fails(&whole, "diverse"), "{:?}", whole.verdicts);
}

#[test]
fn one_repeated_segment_is_a_collapse() {
    let varied = synthetic(FRESH, 1);
    let scores = judge(&varied.select(&[3; 400]), 1);
    let (coverage, same, _) = row(&scores, "coverage");
    assert!(coverage < 0.1 * same, "{coverage} {same}");
    assert_eq!(of(&scores, "recall").value, Some(0.0));
    assert!(fails(&scores, "diverse") && scores.verdicts["diverse"].because.contains("collapsed"));
    // Spread alone does not see two far-off segments repeated; coverage does.
    let two: Vec<usize> = (0..400).map(|i| i % 2).collect();
    let scores = judge(&synthetic(FRESH, 2).select(&two), 2);
    assert!(of(&scores, "spread_ratio").value.unwrap() > 0.8);
    assert!(fails(&scores, "diverse") && scores.verdicts["diverse"].because.contains("collapsed"), "{:?}", scores.verdicts);
}

/// The same moduli of the Fourier transform, other phases.
fn with_random_phases(set: &mut SegmentSet) {
    let mut rng = Seed(1).stream("phases", 0);
    let mut planner = FftPlanner::new();
    let (there, back) = (planner.plan_fft_forward(TIME), planner.plan_fft_inverse(TIME));
    for mut segment in set.signals.outer_iter_mut() {
        let mut values: Vec<Complex<f32>> = segment.iter().map(|&x| Complex::new(x, 0.0)).collect();
        there.process(&mut values);
        for k in 1..TIME / 2 {
            values[k] *= Complex::from_polar(1.0, rng.random_range(0.0..std::f32::consts::TAU));
            values[TIME - k] = values[k].conj();
        }
        back.process(&mut values);
        segment.iter_mut().zip(&values).for_each(|(x, v)| *x = v.re / TIME as f32);
    }
}

#[test]
fn random_phases_keep_the_spectrum_and_lose_the_shape() {
    // Beats are not periodic: a window's edges see the phases. Of the whole segment's, without a window, they keep all; of Welch's,
    // a few decibels, where noise of the same power is tens of decibels off.
    let mut set = synthetic(TRAINED, 1);
    with_random_phases(&mut set);
    let scores = judge(&set, 1);
    let (distance, _, _) = row(&scores, "log_spectral_distance_delta");
    assert!(distance < 3.0, "{distance} dB");
    let mut noise = synthetic(TRAINED, 1);
    let mut rng = Seed(1).stream("white", 0);
    noise.signals.mapv_inplace(|_| rng.random_range(-0.6..0.6));
    let white = judge(&noise, 1);
    let whole = |scores: &Scores| of(scores, "log_spectral_distance").value.unwrap();
    assert!(whole(&scores) < 0.4 * whole(&white), "{} {}", whole(&scores), whole(&white));
    assert!(fails(&scores, "faithful"));
    assert!(of(&scores, "precision").value.unwrap() < 0.1);
    let (rmse, same, _) = row(&scores, "rmse_nearest");
    assert!(rmse > 2.0 * same);
    assert!(of(&scores, "coverage").value.unwrap() < 0.1);
}

#[test]
fn amplitude_off_by_a_fifth_is_caught() {
    let mut taller = synthetic(TRAINED, 1);
    taller.scale.fill(1.2);
    let scores = judge(&taller, 1);
    let (value, same, held_out) = row(&scores, "amplitude_wasserstein");
    assert!(value > 3.0 * same && value > 1.5 * held_out, "{value} {same} {held_out}");
    assert!(fails(&scores, "faithful"), "{:?}", scores.verdicts);
    assert!(of(&scores, "mmd_p").value.unwrap() <= 0.05);
    // What is blind to amplitude stays blind.
    let pearson = of(&scores, "pearson_class_mean").value.unwrap();
    assert!(pearson > 0.999, "{pearson}");
}

#[test]
fn white_noise_fails() {
    let mut noise = synthetic(FRESH, 1);
    let mut rng = Seed(1).stream("white", 0);
    noise.signals.mapv_inplace(|_| rng.random_range(-1.0..1.0));
    let scores = judge(&noise, 1);
    assert!(fails(&scores, "faithful") && fails(&scores, "diverse"));
    assert_eq!(of(&scores, "precision").value, Some(0.0));
    assert_eq!(of(&scores, "coverage").value, Some(0.0));
    // Recall is swollen, as its definition warns.
    assert!(of(&scores, "recall").value.unwrap() > 0.9);
    assert!(of(&scores, "mmd_p").value.unwrap() <= 0.01);
    assert!(scores.notes.iter().any(|n| n.contains("does not beat sampling from a Gaussian")), "{:?}", scores.notes);
    let better = judge(&synthetic(FRESH, 1), 1);
    assert!(better.notes.iter().all(|n| !n.contains("precision (")), "{:?}", better.notes);
}

#[test]
fn one_lead_and_twelve() {
    for channels in [1, 12] {
        let mut set = beats(TRAINED, 6, 10, Split::Train, "N", 1, channels);
        set.append(&beats(HELD_OUT, 6, 10, Split::Test, "N", 1, channels)).unwrap();
        let made = beats(FRESH, 6, 10, Split::Synthetic, "N", 1, channels);
        let scores =
            evaluate(&set, &made, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent)
                .unwrap();
        let missing: Vec<&str> = scores.measures.iter().filter(|m| m.value.is_none()).map(|m| m.name.as_str()).collect();
        assert!(missing.is_empty(), "{channels}: {missing:?}");
        // The autoregressive process wants several channels.
        let baselines = 5 + usize::from(channels > 1);
        assert_eq!(of(&scores, "rmse_nearest").baselines.len(), baselines, "{:?}", of(&scores, "rmse_nearest").baselines);
    }
}

#[test]
fn seventeen_classes() {
    let empty = |split| beats(0, 0, 0, split, "N", 1, 1);
    let (mut set, mut made) = (empty(Split::Train), empty(Split::Synthetic));
    for class in 0..17 {
        let name = format!("c{class:02}");
        set.append(&beats(TRAINED, 3, 20, Split::Train, &name, 1, 1)).unwrap();
        set.append(&beats(HELD_OUT, 3, 20, Split::Test, &name, 1, 1)).unwrap();
        made.append(&beats(FRESH, 3, 5, Split::Synthetic, &name, 1, 1)).unwrap();
    }
    let config = EvaluationConfig { forest_trees: 4, utility_draws: 1, network_steps: 0, ..EvaluationConfig::default() };
    let scores = evaluate(&set, &made, &config, Seed(5), &Silent).unwrap();
    for name in ["coverage", "discriminator_auc_forest"] {
        assert_eq!(scores.measures.iter().filter(|m| m.name == name && m.value.is_some()).count(), 18, "{name}");
    }
    assert_eq!(scores.measures.iter().filter(|m| m.name == "trtr_sensitivity_forest").count(), 17);
}

#[test]
fn ten_segments() {
    let set = beats(TRAINED, 2, 5, Split::Train, "N", 1, 1);
    let made = beats(FRESH, 2, 5, Split::Synthetic, "N", 1, 1);
    let config = EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() };
    let scores = evaluate(&set, &made, &config, Seed(5), &Silent).unwrap();
    assert_eq!(of(&scores, "coverage").segments, 5);
    assert!(of(&scores, "dtw_nearest").value.is_some() && of(&scores, "mmd_squared").value.is_some());
    assert!(scores.measures.iter().all(|m| m.low.is_none()), "no interval over two subjects");
}

#[test]
fn thousands_of_segments() {
    let config = EvaluationConfig { segments_per_class: 5000, network_steps: 0, ..EvaluationConfig::default() };
    let mut set = beats(TRAINED, 20, 500, Split::Train, "N", 1, 1);
    set.append(&beats(HELD_OUT, 10, 500, Split::Test, "N", 1, 1)).unwrap();
    let made = beats(FRESH, 20, 250, Split::Synthetic, "N", 1, 1);
    let scores = evaluate(&set, &made, &config, Seed(5), &Silent).unwrap();
    assert_eq!(of(&scores, "coverage").segments, 5000);
    assert!(of(&scores, "coverage").value.unwrap() > 0.5);
}

/// A hundred thousand real training segments and as many synthetic ones, scored with the default settings. Prints its time and, on Linux,
/// the largest memory in use.
#[test]
fn a_hundred_thousand_segments() {
    let mut set = beats(TRAINED, 50, 2000, Split::Train, "N", 1, 1);
    set.append(&beats(HELD_OUT, 25, 2000, Split::Test, "N", 1, 1)).unwrap();
    let made = beats(FRESH, 50, 2000, Split::Synthetic, "N", 1, 1);
    let config = EvaluationConfig::default();
    let start = std::time::Instant::now();
    let scores = evaluate(&set, &made, &config, Seed(5), &Silent).unwrap();
    assert_eq!(of(&scores, "coverage").segments, config.segments_per_class);
    assert!(of(&scores, "coverage").value.unwrap() > 0.5);
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("memory unknown");
    println!("{} scored a side: {:.1?}, {peak}", config.segments_per_class, start.elapsed());
}

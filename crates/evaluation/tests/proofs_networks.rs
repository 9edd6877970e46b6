//! Proofs that the networks among the judges can judge: they tell what differs, do not tell what does not, and learn what a class is.

use std::sync::LazyLock;

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

const TIME: usize = 40;
const CLASSES: [&str; 2] = ["N", "V"];
const NETWORKS: [&str; 2] = ["convolutional", "attentive"];

/// `count` beats of each class of each of `subjects` subjects: bumps, those of V wider; how high and when is the subject's own. Other
/// `draw`s are other beats of the same subjects.
fn beats(first_subject: u64, subjects: u64, count: usize, split: Split, draw: u64) -> SegmentSet {
    let mut set = SegmentSet::empty(TIME, 100.0, 14, vec!["MLII".into()], vec!["mV".into()]);
    let mut curves = Vec::new();
    for subject in first_subject..first_subject + subjects {
        let mut own = Seed(11).stream("subjects", subject);
        let (height, place): (f32, f32) = (own.random_range(0.8..1.4), own.random_range(13.0..15.0));
        let mut rng = Seed(11).stream("beats", 1000 * draw + subject);
        for class in CLASSES {
            for _ in 0..count {
                let (h, p): (f32, f32) = (height + rng.random_range(-0.2..0.2), place + rng.random_range(-1.0..1.0));
                let width = if class == "V" { rng.random_range(4.0..6.0) } else { rng.random_range(2.0..3.5) };
                let noise: Vec<f32> = (0..TIME).map(|_| rng.random_range(-0.02..0.02)).collect();
                curves.extend((0..TIME).map(|t| h * (-((t as f32 - p) / width).powi(2)).exp() + noise[t]));
                set.segments.push(Segment {
                    sample: 0,
                    rr_before_s: 0.8,
                    rr_after_s: 0.8,
                    ..Segment::new(class, format!("s{subject}"), split)
                });
            }
        }
    }
    let n = set.segments.len();
    set.signals = Array3::from_shape_vec((n, TIME, 1), curves).unwrap();
    set.scale = Array2::from_elem((n, 1), 1.0);
    set.offset = Array2::zeros((n, 1));
    set
}

/// Without held-out subjects only what discriminates and embeds has work to do.
fn discriminate(synthetic: &SegmentSet) -> Scores {
    let config = EvaluationConfig { network_steps: 32, forest_trees: 4, privacy_rounds: 2, ..EvaluationConfig::default() };
    evaluate(&beats(0, 12, 20, Split::Train, 0), synthetic, &config, Seed(5), &Silent).unwrap()
}

fn fresh() -> SegmentSet {
    beats(0, 12, 10, Split::Synthetic, 1)
}

static OF_FRESH: LazyLock<Scores> = LazyLock::new(|| discriminate(&fresh()));
static OF_PHASES: LazyLock<Scores> = LazyLock::new(|| discriminate(&phase_randomised()));

/// Every segment with its own spectrum and random phases.
fn phase_randomised() -> SegmentSet {
    let mut set = fresh();
    let mut planner = FftPlanner::<f32>::new();
    let (forward, backward) = (planner.plan_fft_forward(TIME), planner.plan_fft_inverse(TIME));
    let mut rng = Seed(4).stream("phases", 0);
    for mut segment in set.signals.outer_iter_mut() {
        let mut bins: Vec<Complex<f32>> = segment.iter().map(|&x| Complex::new(x, 0.0)).collect();
        forward.process(&mut bins);
        for k in 1..TIME / 2 {
            bins[k] = Complex::from_polar(bins[k].norm(), rng.random_range(0.0..std::f32::consts::TAU));
            bins[TIME - k] = bins[k].conj();
        }
        backward.process(&mut bins);
        segment.iter_mut().zip(bins).for_each(|(x, bin)| *x = bin.re / TIME as f32);
    }
    set
}

#[test]
fn other_beats_of_the_same_people_are_not_told_apart() {
    for network in NETWORKS {
        let auc = OF_FRESH.measure(&format!("discriminator_auc_{network}"), "all").unwrap();
        assert!(auc.low.unwrap() <= 0.5 && 0.5 <= auc.high.unwrap() || (auc.value.unwrap() - 0.5).abs() < 0.06, "{auc:?}");
        // Copies of a segment share its fold.
        for area in [auc.value.unwrap(), auc.same.unwrap(), auc.baselines["training_copy"]] {
            assert!((0.35..0.65).contains(&area), "{auc:?}");
        }
    }
}

#[test]
fn random_phases_and_a_mean_with_noise_are_told_apart() {
    for network in NETWORKS {
        for class in ["N", "V", "all"] {
            let auc = OF_PHASES.measure(&format!("discriminator_auc_{network}"), class).unwrap();
            assert!(auc.value.unwrap() > 0.9, "{auc:?}");
            assert!(auc.baselines["mean_plus_noise"] > 0.8, "{auc:?}");
        }
        let score = OF_PHASES.measure(&format!("discriminative_score_{network}"), "all").unwrap();
        assert!(score.value.unwrap() > 0.3 && score.same.unwrap() < 0.15, "{score:?}");
    }
}

#[test]
fn white_noise_is_told_apart() {
    let mut noise = fresh();
    let mut rng = Seed(1).stream("white", 0);
    noise.signals.mapv_inplace(|_| rng.random_range(-1.0..1.0));
    let scores = discriminate(&noise);
    for network in NETWORKS {
        let auc = scores.measure(&format!("discriminator_auc_{network}"), "all").unwrap().value.unwrap();
        assert!(auc > 0.98, "{network}: {auc}");
    }
    let fid = scores.measure("context_fid", "all").unwrap();
    assert!(fid.value.unwrap() > 10.0 * fid.same.unwrap(), "{fid:?}");
}

#[test]
fn context_fid_sees_what_differs() {
    let far = |scores: &Scores, class: &str| scores.measure("context_fid", class).unwrap().clone();
    for class in ["N", "V", "all"] {
        let (fresh, phases) = (far(&OF_FRESH, class), far(&OF_PHASES, class));
        assert_eq!(fresh.same, phases.same, "the encoder and the reference do not depend on what is judged");
        assert!(fresh.value.unwrap() < 3.0 * fresh.same.unwrap() + 0.01, "{fresh:?}");
        assert!(phases.value.unwrap() > 10.0 * fresh.value.unwrap(), "{phases:?}");
        assert!(phases.baselines["training_copy"] < 1e-9, "{phases:?}");
    }
}

#[test]
fn what_is_learnt_of_copies_serves_as_well_as_real_and_attention_is_shown() {
    let mut real = beats(0, 8, 16, Split::Train, 0);
    let mut copies = real.clone();
    copies.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
    real.append(&beats(20, 5, 16, Split::Test, 0)).unwrap();
    let scores = |network_steps, threads| {
        let config = EvaluationConfig {
            network_steps,
            forest_trees: 4,
            utility_draws: 1,
            privacy_rounds: 2,
            ..EvaluationConfig::default()
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| evaluate(&real, &copies, &config, Seed(5), &Silent).unwrap())
    };
    let judged = scores(32, 2);
    for network in NETWORKS {
        let f1 = judged.measure(&format!("tstr_macro_f1_{network}"), "all").unwrap();
        assert!(f1.value.unwrap() > 0.85 && f1.same.unwrap() > 0.85, "{f1:?}");
        assert!(judged.exhibits.confusions.iter().any(|c| c.judge == network && c.trained_on == "synthetic"));
    }
    let attentions = &judged.exhibits.attentions;
    assert_eq!(attentions.len(), 2 * CLASSES.len(), "trained on real and on synthetic, for each class");
    for attention in attentions {
        assert_eq!((attention.weights.len(), attention.mean_segment.len()), (TIME / 4, TIME));
        assert!((attention.weights.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    }
    assert_eq!(scores(2, 3), scores(2, 1), "the number of threads decides nothing");
}

#[test]
fn no_steps_no_networks() {
    let config = EvaluationConfig { network_steps: 0, forest_trees: 4, privacy_rounds: 2, ..EvaluationConfig::default() };
    let scores = evaluate(&beats(0, 6, 6, Split::Train, 0), &fresh(), &config, Seed(5), &Silent).unwrap();
    assert!(scores.notes.iter().any(|note| note.contains("network_steps")));
    assert!(scores.measures.iter().all(|m| !NETWORKS.iter().any(|network| m.name.ends_with(network)) && m.name != "context_fid"));
}

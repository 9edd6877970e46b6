//! Proofs that the attacks on privacy can attack: sets that are known to give their training subjects away, and sets that do not.

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Outcome, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;

const TIME: usize = 64;

/// `count` beats of each of `subjects` subjects: three waves whose heights, places and widths are the subject's own, with small changes
/// from beat to beat and noise.
fn beats(first: u64, subjects: u64, count: usize, split: Split, class: &str) -> SegmentSet {
    let n = subjects as usize * count;
    let mut set = SegmentSet::empty(TIME, 100.0, 20, vec!["MLII".into()], vec!["mV".into()]);
    set.signals = Array3::zeros((n, TIME, 1));
    set.scale = Array2::from_elem((n, 1), 1.0);
    set.offset = Array2::zeros((n, 1));
    let tall = if class == "V" { 1.6 } else { 1.0 };
    for subject in first..first + subjects {
        let mut rng = Seed(11).stream("beats", subject);
        let waves: Vec<[f32; 3]> = [(0.15, 10.0, 3.0), (1.0, 20.0, 2.0), (0.3, 42.0, 6.0)]
            .map(|(height, place, width): (f32, f32, f32)| {
                [
                    tall * height * rng.random_range(0.6..1.4),
                    place + rng.random_range(-3.0..3.0),
                    width * rng.random_range(0.7..1.3),
                ]
            })
            .to_vec();
        for _ in 0..count {
            let (gain, shift): (f32, f32) = (rng.random_range(0.9..1.1), rng.random_range(-0.7..0.7));
            let i = set.segments.len();
            for t in 0..TIME {
                let wave = |[h, p, w]: &[f32; 3]| gain * h * (-((t as f32 - p - shift) / w).powi(2)).exp();
                let noise: f32 = rng.random_range(-0.03..0.03);
                set.signals[[i, t, 0]] = waves.iter().map(wave).sum::<f32>() + noise;
            }
            set.segments.push(segment(&format!("s{subject}"), split, class));
        }
    }
    set
}

fn segment(subject: &str, split: Split, class: &str) -> Segment {
    Segment { sample: 0, ..Segment::new(class, subject, split) }
}

const BEATS: usize = 24;

/// Twelve training subjects and ten held-out ones, two of them of the validation split.
fn real() -> SegmentSet {
    let mut set = beats(0, 12, BEATS, Split::Train, "N");
    set.append(&beats(20, 2, BEATS, Split::Validation, "N")).unwrap();
    set.append(&beats(22, 8, BEATS, Split::Test, "N")).unwrap();
    set
}

/// `set` as a generator would give it, its subjects renamed so that they are patients of their own.
fn published(mut set: SegmentSet) -> SegmentSet {
    for s in &mut set.segments {
        s.split = Split::Synthetic;
        s.subject = format!("syn-{}", s.subject);
        s.record = s.subject.clone();
    }
    set
}

fn attacked(real: &SegmentSet, synthetic: &SegmentSet) -> Scores {
    let config = EvaluationConfig { bootstrap_rounds: 200, network_steps: 0, ..EvaluationConfig::default() };
    evaluate(real, synthetic, &config, Seed(5), &Silent).unwrap()
}

fn value(scores: &Scores, name: &str) -> f64 {
    scores.measure(name, "all").and_then(|m| m.value).unwrap_or_else(|| panic!("{name} is missing: {:?}", scores.notes))
}

fn private(scores: &Scores) -> (Outcome, &str) {
    (scores.verdicts["private"].outcome, &scores.verdicts["private"].because)
}

#[test]
fn the_training_set_itself_is_found_by_every_attack() {
    let scores = attacked(&real(), &published(beats(0, 12, BEATS, Split::Train, "N")));
    assert_eq!(private(&scores).0, Outcome::Fail);
    assert!(private(&scores).1.contains("100.0% are exact copies"), "{:?}", private(&scores));
    for name in ["exact_copy_share", "near_copy_share"] {
        assert!((value(&scores, name) - 1.0).abs() < 1e-12, "{name}");
        assert_eq!(scores.measure(name, "N").unwrap().same, Some(0.0));
    }
    for attack in ["distance", "density_ratio"] {
        for level in ["segment", "subject", "subject_top"] {
            let name = format!("membership_{attack}_{level}");
            let m = scores.measure(&format!("{name}_auc"), "all").unwrap();
            assert!(m.value.unwrap() > 0.98 && m.low.unwrap() > 0.9, "{m:?}");
            assert!(value(&scores, &format!("{name}_p")) <= 0.001, "{name}");
            assert!(m.baselines["training_copy"] > 0.98, "{m:?}");
        }
        assert!(value(&scores, &format!("membership_{attack}_subject_tpr")) > 0.9);
    }
    assert!(value(&scores, "linkage_auc") > 0.9 && value(&scores, "linkage_p") <= 0.005);
    assert!(value(&scores, "nndr") < 0.6);
}

#[test]
fn fresh_subjects_give_nobody_away() {
    let scores = attacked(&real(), &published(beats(100, 12, BEATS, Split::Train, "N")));
    let (outcome, because) = private(&scores);
    assert_eq!(outcome, Outcome::Pass, "{because}");
    assert!(because.starts_with("No attack succeeded") && because.contains("no formal guarantee"), "{because}");
    for attack in ["distance", "density_ratio"] {
        let m = scores.measure(&format!("membership_{attack}_subject_auc"), "all").unwrap();
        assert!((0.2..0.8).contains(&m.value.unwrap()), "{m:?}");
        assert!((0.25..0.75).contains(&m.same.unwrap()), "{m:?}");
        assert!(m.low.unwrap() < 0.5 && 0.5 < m.high.unwrap(), "{m:?}");
    }
    assert!(value(&scores, "near_copy_share") < 0.01);
    assert_eq!(value(&scores, "exact_copy_share"), 0.0);
}

/// The null: real sets and fresh subjects drawn anew each time. Attacks succeed no more often than their p-values say.
#[test]
fn over_many_draws_fresh_subjects_are_found_no_more_often_than_chance() {
    let (mut areas, mut significant, mut failed) = (Vec::new(), 0, 0);
    for draw in 1..=20 {
        let first = 1000 * draw;
        let mut real = beats(first, 12, 16, Split::Train, "N");
        real.append(&beats(first + 20, 10, 16, Split::Test, "N")).unwrap();
        let scores = attacked(&real, &published(beats(first + 100, 12, 16, Split::Train, "N")));
        areas.push(value(&scores, "membership_density_ratio_subject_auc"));
        significant += usize::from(value(&scores, "membership_density_ratio_subject_p") <= 0.05);
        failed += usize::from(private(&scores).0 == Outcome::Fail);
    }
    let mean = areas.iter().sum::<f64>() / areas.len() as f64;
    assert!((mean - 0.5).abs() < 0.1, "{areas:?}");
    assert!(significant <= 4 && failed <= 2, "{significant} of 20 below 0.05, {failed} of 20 fail: {areas:?}");
}

/// Poor, yet private: what every training subject has a hand in ties to none of them.
#[test]
fn the_class_mean_with_noise_gives_nobody_away() {
    let training = beats(0, 12, BEATS, Split::Train, "N");
    let mean = training.signals.mean_axis(ndarray::Axis(0)).unwrap();
    let mut set = published(training);
    let mut rng = Seed(3).stream("noise", 0);
    for mut beat in set.signals.outer_iter_mut() {
        beat.assign(&mean.mapv(|x| x + rng.random_range(-0.1_f32..0.1)));
    }
    let scores = attacked(&real(), &set);
    let (outcome, because) = private(&scores);
    assert_eq!(outcome, Outcome::Pass, "{because}");
    // Smoothness alone does not tie a patient to anybody: the mean is as far from one subject as from the next.
    assert!(value(&scores, "linkage_ratio") > 0.9);
}

#[test]
fn a_generator_that_copies_half_of_what_it_gives_is_caught() {
    let mut set = beats(100, 6, BEATS, Split::Train, "N");
    set.append(&beats(0, 6, BEATS, Split::Train, "N")).unwrap();
    let scores = attacked(&real(), &published(set));
    let (outcome, because) = private(&scores);
    assert_eq!(outcome, Outcome::Fail, "{because}");
    assert!((value(&scores, "exact_copy_share") - 0.5).abs() < 0.01);
}

#[test]
fn derived_segments_with_tiny_jitter_are_caught() {
    let mut set = published(beats(0, 12, BEATS, Split::Train, "N"));
    for s in &mut set.segments {
        s.derived_from = s.subject.trim_start_matches("syn-").into();
    }
    let mut rng = Seed(1).stream("jitter", 0);
    set.signals.mapv_inplace(|x| x * 1.002 + rng.random_range(-0.004_f32..0.004));
    let scores = attacked(&real(), &set);
    let (outcome, because) = private(&scores);
    assert_eq!(outcome, Outcome::Fail);
    assert!(because.contains("exact or near copies") && because.contains("derived from"), "{because}");
    assert_eq!(value(&scores, "exact_copy_share"), 0.0);
    assert!(value(&scores, "near_copy_share") > 0.95);
    assert!(value(&scores, "linkage_source_share") > 0.9);
}

/// No copy, yet people are found: fresh beats of the training subjects, which every model of single people gives.
#[test]
fn other_segments_of_training_subjects_give_them_away_without_a_copy() {
    let mut twice = beats(0, 12, 2 * BEATS, Split::Train, "N");
    let fresh: Vec<usize> = (0..twice.len()).filter(|i| i % (2 * BEATS) >= BEATS).collect();
    let synthetic = published(twice.select(&fresh));
    twice = twice.select(&(0..twice.len()).filter(|i| i % (2 * BEATS) < BEATS).collect::<Vec<_>>());
    twice.append(&beats(20, 10, BEATS, Split::Test, "N")).unwrap();
    let scores = attacked(&twice, &synthetic);
    assert!(value(&scores, "near_copy_share") < 0.05);
    let m = scores.measure("membership_density_ratio_subject_auc", "all").unwrap();
    assert!(m.value.unwrap() > 0.9 && m.baselines["other_segments_of_training_subjects"] > 0.9, "{m:?}");
    assert_eq!(private(&scores).0, Outcome::Fail);
}

#[test]
fn too_few_subjects_or_none_held_out_are_not_assessable() {
    let synthetic = published(beats(100, 6, BEATS, Split::Train, "N"));
    let mut few = beats(0, 12, BEATS, Split::Train, "N");
    assert_eq!(private(&attacked(&few, &synthetic)).0, Outcome::NotAssessable);
    few.append(&beats(20, 4, BEATS, Split::Test, "N")).unwrap();
    let scores = attacked(&few, &synthetic);
    assert_eq!(private(&scores).0, Outcome::NotAssessable);
    assert!(scores.notes.iter().any(|n| n.contains("12 training subjects and 4 held-out ones")), "{:?}", scores.notes);
    // Copies are found without anybody held out.
    let copies = published(beats(0, 12, BEATS, Split::Train, "N"));
    assert_eq!(private(&attacked(&beats(0, 12, BEATS, Split::Train, "N"), &copies)).0, Outcome::Fail);
}

#[test]
fn several_classes_and_curves() {
    let mut real = real();
    real.append(&beats(0, 12, 8, Split::Train, "V")).unwrap();
    real.append(&beats(22, 8, 8, Split::Test, "V")).unwrap();
    // A class that only three training subjects have.
    real.append(&beats(0, 3, 8, Split::Train, "F")).unwrap();
    let mut synthetic = beats(100, 12, BEATS, Split::Train, "N");
    for class in ["V", "F"] {
        synthetic.append(&beats(100, 12, 8, Split::Train, class)).unwrap();
    }
    let scores = attacked(&real, &published(synthetic));
    assert!(scores.notes.iter().any(|n| n.contains("class F is not attacked: 3 training")), "{:?}", scores.notes);
    for class in ["N", "V", "all"] {
        assert!(scores.measure("membership_distance_segment_auc", class).is_some(), "{class}");
    }
    let curve = scores
        .exhibits
        .curves
        .iter()
        .find(|c| c.name == "membership_density_ratio_segment" && c.set == "training_copy" && c.class == "all")
        .unwrap();
    assert_eq!(curve.x.len(), curve.y.len());
    let found = curve.x.iter().zip(&curve.y).filter(|(x, _)| **x <= 0.05).map(|(_, y)| *y).fold(0.0, f64::max);
    assert!(found > 0.9, "{curve:?}");
}

#[test]
fn same_scores_for_any_number_of_threads() {
    let synthetic = published(beats(100, 6, BEATS, Split::Train, "N"));
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let one = pool(1).install(|| attacked(&real(), &synthetic));
    assert_eq!(one, pool(3).install(|| attacked(&real(), &synthetic)));
}

#[test]
fn ten_segments_and_ten_thousand() {
    let mut real = beats(0, 5, 2, Split::Train, "N");
    real.append(&beats(20, 5, 2, Split::Test, "N")).unwrap();
    let scores = attacked(&real, &published(beats(100, 5, 2, Split::Train, "N")));
    assert!(scores.measure("membership_distance_subject_auc", "all").is_some(), "{:?}", scores.notes);
    assert_ne!(private(&scores).0, Outcome::Fail, "{}", private(&scores).1);

    let mut real = beats(0, 50, 200, Split::Train, "N");
    real.append(&beats(60, 50, 40, Split::Test, "N")).unwrap();
    let synthetic = published(beats(200, 50, 200, Split::Train, "N"));
    let scores = attacked(&real, &synthetic);
    assert_eq!(scores.measure("near_copy_share", "N").unwrap().segments, 10_000);
    assert_eq!(private(&scores).0, Outcome::Pass, "{}", private(&scores).1);
}

//! Proofs that the judges can judge: sets whose faults are known are given to the evaluation, which must find them.

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Outcome, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;

const TIME: usize = 60;

/// `count` beats of each of `subjects` subjects: a bump whose height and place vary within and between subjects.
fn beats(first_subject: u64, subjects: u64, count: usize, split: Split, class: &str) -> SegmentSet {
    let mut set = SegmentSet::empty(TIME, 100.0, 20, vec!["MLII".into()], vec!["mV".into()]);
    for subject in first_subject..first_subject + subjects {
        let mut rng = Seed(11).stream("beats", subject);
        let (height, place): (f32, f32) = (rng.random_range(0.8..1.4), rng.random_range(18.0..22.0));
        for _ in 0..count {
            let (h, p): (f32, f32) = (height + rng.random_range(-0.2..0.2), place + rng.random_range(-1.0..1.0));
            let mut one = SegmentSet::empty(TIME, 100.0, 20, vec!["MLII".into()], vec!["mV".into()]);
            one.signals = Array3::from_shape_fn((1, TIME, 1), |(_, t, _)| h * (-((t as f32 - p) / 3.0).powi(2)).exp());
            one.scale = Array2::from_elem((1, 1), 1.0);
            one.offset = Array2::zeros((1, 1));
            one.segments.push(Segment {
                sample: if split == Split::Synthetic { -1 } else { 0 },
                ..Segment::new(class, format!("s{subject}"), split)
            });
            set.append(&one).unwrap();
        }
    }
    set
}

fn real() -> SegmentSet {
    let mut set = beats(0, 12, 20, Split::Train, "N");
    set.append(&beats(20, 8, 20, Split::Test, "N")).unwrap();
    set
}

fn judge(synthetic: &SegmentSet) -> Scores {
    evaluate(&real(), synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent).unwrap()
}

fn outcome(scores: &Scores, verdict: &str) -> Outcome {
    scores.verdicts[verdict].outcome
}

#[test]
fn fresh_subjects_pass_and_stand_at_the_references() {
    let scores = judge(&beats(100, 12, 20, Split::Synthetic, "N"));
    assert_eq!(outcome(&scores, "diverse"), Outcome::Pass, "{:?}", scores.verdicts);
    let m = scores.measure("rmse_nearest", "N").unwrap();
    let (value, same) = (m.value.unwrap(), m.same.unwrap());
    assert!(value < 1.5 * same, "{value} {same}");
    assert!(m.low.unwrap() <= value && value <= m.high.unwrap());
}

#[test]
fn one_repeated_segment_is_called_collapsed() {
    let varied = beats(100, 1, 1, Split::Synthetic, "N");
    let scores = judge(&varied.select(&[0; 100]));
    assert!(scores.measure("spread_ratio", "N").unwrap().value.unwrap() < 1e-9); // not 0: the mean is rounded
    assert_eq!(outcome(&scores, "diverse"), Outcome::Fail);
    assert!(scores.verdicts["diverse"].because.contains("collapsed"));
    let share = scores.measure("distinct_nearest_share", "N").unwrap();
    assert!(share.value.unwrap() < 0.02 && share.same.unwrap() > 0.3, "{share:?}");
}

#[test]
fn copies_of_the_training_set_beat_the_same_reference() {
    let mut copies = beats(0, 12, 20, Split::Train, "N");
    for s in &mut copies.segments {
        s.split = Split::Synthetic;
    }
    let scores = judge(&copies);
    let m = scores.measure("rmse_nearest", "N").unwrap();
    assert!(m.value.unwrap() < 0.7 * m.same.unwrap(), "{m:?}");
    assert_eq!(m.baselines["training_copy"], 0.0);
}

#[test]
fn white_noise_and_wrong_amplitude_are_not_faithful() {
    let mut noise = beats(100, 12, 20, Split::Synthetic, "N");
    let mut rng = Seed(1).stream("white", 0);
    noise.signals.mapv_inplace(|_| rng.random_range(-1.0..1.0));
    assert_eq!(outcome(&judge(&noise), "faithful"), Outcome::Fail);

    let mut taller = beats(0, 12, 20, Split::Synthetic, "N");
    taller.scale.fill(1.3);
    let scores = judge(&taller);
    assert_eq!(outcome(&scores, "faithful"), Outcome::Fail, "{:?}", scores.verdicts);
}

#[test]
fn same_seed_same_scores_for_any_number_of_threads() {
    let synthetic = beats(100, 6, 20, Split::Synthetic, "N");
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let one = pool(1).install(|| judge(&synthetic));
    assert_eq!(one, pool(3).install(|| judge(&synthetic)));
    let other =
        evaluate(&real(), &synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(6), &Silent)
            .unwrap();
    assert_ne!(one, other);
}

#[test]
fn classes_with_too_few_segments_are_named() {
    let mut training = real();
    training.append(&beats(0, 1, 2, Split::Train, "V")).unwrap();
    let synthetic = beats(100, 6, 20, Split::Synthetic, "N");
    let scores =
        evaluate(&training, &synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent)
            .unwrap();
    assert!(scores.notes.iter().any(|n| n.contains("class V is not scored: 2 real")), "{:?}", scores.notes);
    let nothing = evaluate(
        &training,
        &synthetic.select(&[]),
        &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() },
        Seed(5),
        &Silent,
    )
    .unwrap();
    assert!(nothing.measures.is_empty());
    assert_eq!(outcome(&nothing, "faithful"), Outcome::NotAssessable);
}

#[test]
fn sets_that_differ_in_rate_are_refused() {
    let mut synthetic = beats(100, 6, 20, Split::Synthetic, "N");
    synthetic.sampling_frequency_hz = 128.0;
    let error =
        evaluate(&real(), &synthetic, &EvaluationConfig { network_steps: 0, ..EvaluationConfig::default() }, Seed(5), &Silent)
            .unwrap_err();
    assert!(error.to_string().contains("sampling frequency: 100 and 128"), "{error}");
}

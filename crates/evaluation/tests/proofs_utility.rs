//! Proofs that the judges of utility can judge: what is known to serve, not to serve, or not to differ is given to them.

use std::sync::LazyLock;

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Outcome, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;
use rand::seq::SliceRandom;

const TIME: usize = 40;
const CLASSES: [&str; 3] = ["N", "S", "V"];

/// `count` beats of each class of each of `subjects` subjects. N and V differ in width, S comes early; how high and when is the
/// subject's own.
fn beats(first_subject: u64, subjects: u64, count: usize, split: Split) -> SegmentSet {
    let mut set = SegmentSet::empty(TIME, 100.0, 14, vec!["MLII".into()], vec!["mV".into()]);
    let mut curves = Vec::new();
    for subject in first_subject..first_subject + subjects {
        let mut rng = Seed(11).stream("beats", subject);
        let (height, rr): (f32, f32) = (rng.random_range(0.8..1.4), rng.random_range(0.7..0.9));
        for class in CLASSES {
            for _ in 0..count {
                let (h, p): (f32, f32) = (height + rng.random_range(-0.2..0.2), 14.0 + rng.random_range(-1.0..1.0));
                let width = if class == "V" { rng.random_range(3.5..6.0) } else { rng.random_range(2.0..3.8) };
                curves.extend((0..TIME).map(|t| h * (-((t as f32 - p) / width).powi(2)).exp()));
                let early = if class == "S" { rng.random_range(0.6..0.9) } else { rng.random_range(0.85..1.1) };
                set.segments.push(Segment {
                    sample: 0,
                    rr_before_s: rr * early,
                    rr_after_s: rr,
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

fn real() -> SegmentSet {
    let mut set = beats(0, 10, 14, Split::Train);
    set.append(&beats(20, 8, 14, Split::Test)).unwrap();
    set
}

fn config() -> EvaluationConfig {
    EvaluationConfig {
        utility_draws: 3,
        forest_trees: 40,
        network_steps: 0,
        bootstrap_rounds: 200,
        ..EvaluationConfig::default()
    }
}

fn judge(synthetic: &SegmentSet) -> Scores {
    evaluate(&real(), synthetic, &config(), Seed(5), &Silent).unwrap()
}

fn value(scores: &Scores, name: &str) -> f64 {
    scores.measure(name, "all").and_then(|m| m.value).unwrap_or_else(|| panic!("{name}: {:?}", scores.notes))
}

/// The training set, given as synthetic.
fn copies() -> SegmentSet {
    let mut copies = beats(0, 10, 14, Split::Train);
    copies.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
    copies
}

fn white_noise() -> SegmentSet {
    let mut noise = copies();
    let mut rng = Seed(1).stream("white", 0);
    noise.signals.mapv_inplace(|_| rng.random_range(-1.0..1.0));
    noise
        .segments
        .iter_mut()
        .for_each(|s| (s.rr_before_s, s.rr_after_s) = (rng.random_range(0.5..1.0), rng.random_range(0.5..1.0)));
    noise
}

/// Of the training set itself, and of white noise: several tests look at the same scores.
static OF_COPIES: LazyLock<Scores> = LazyLock::new(|| judge(&copies()));
static OF_NOISE: LazyLock<Scores> = LazyLock::new(|| judge(&white_noise()));

#[test]
fn the_training_set_itself_serves_as_well_as_real() {
    let scores = &*OF_COPIES;
    let ratio = scores.measure("tstr_over_trtr_forest", "all").unwrap();
    assert!(ratio.low.unwrap() <= 1.0 && 1.0 <= ratio.high.unwrap(), "{ratio:?}");
    let real = scores.measure("tstr_macro_f1_forest", "all").unwrap().same.unwrap();
    assert!(real > 0.75, "real training must itself do well: {real}");
    assert_eq!(scores.verdicts["useful"].outcome, Outcome::Pass, "{:?}", scores.verdicts["useful"]);
    // What S differs in is RR alone.
    let shape = scores.measure("tstr_f1_forest_shape", "S").unwrap().same.unwrap();
    assert!(shape < scores.measure("tstr_f1_forest", "S").unwrap().same.unwrap() - 0.1, "{shape}");
}

#[test]
fn real_training_is_scored_for_itself_with_intervals_over_subjects() {
    let of = |name: &str, class: &str| OF_COPIES.measure(name, class).unwrap_or_else(|| panic!("{name} {class}"));
    for (name, class) in [("macro_f1", "all"), ("f1", "N"), ("sensitivity", "S"), ("predictivity", "V")] {
        let (trtr, tstr) = (of(&format!("trtr_{name}_forest"), class), of(&format!("tstr_{name}_forest"), class));
        assert_eq!(trtr.value, tstr.same, "{name}");
        for m in [trtr, tstr] {
            let (value, low, high) = (m.value.unwrap(), m.low.unwrap(), m.high.unwrap());
            assert!(low <= value && value <= high && high - low < 0.4, "{m:?}");
        }
    }
    assert!(of("trts_sensitivity_forest", "S").value.is_some() && of("trts_predictivity_forest", "V").same.is_some());
    assert!(OF_COPIES.measures.iter().all(|m| !m.name.contains("without_largest")));
}

#[test]
fn whoever_has_over_half_of_a_class_is_left_out_beside_it() {
    let mut set = real();
    // 28 of each class more from one held-out subject, whose S beats are not early and so not found.
    let mut one = beats(40, 1, 90, Split::Test);
    one.segments.iter_mut().for_each(|s| s.rr_before_s = s.rr_after_s);
    set.append(&one.select(&one.indices(|s| s.label == "S"))).unwrap();
    // With the 8 others' 112, 90 is not over half.
    let scores = |set: &SegmentSet| evaluate(set, &copies(), &config(), Seed(5), &Silent).unwrap();
    assert!(scores(&set).measure("trtr_without_largest_f1_forest", "S").is_none());
    let mut more = beats(40, 1, 160, Split::Test);
    more.segments.iter_mut().for_each(|s| s.rr_before_s = s.rr_after_s);
    let mut set = real();
    set.append(&more.select(&more.indices(|s| s.label == "S"))).unwrap();
    let scores = scores(&set);
    let (with, without) = (
        scores.measure("trtr_sensitivity_forest", "S").unwrap(),
        scores.measure("trtr_without_largest_sensitivity_forest", "S").unwrap(),
    );
    assert!(with.low.is_none() && without.low.is_some());
    assert!(with.value.unwrap() < without.value.unwrap() - 0.1, "{with:?} {without:?}");
    assert!(scores.measure("trtr_macro_f1_forest", "all").unwrap().low.is_none());
    assert!(scores.measure("tstr_without_largest_macro_f1_forest", "all").unwrap().low.is_some());
    assert!(scores.measure("trtr_without_largest_f1_forest", "N").is_none());
    assert!(scores.notes.iter().any(|n| n.contains("held-out segments of class S are of s40")), "{:?}", scores.notes);
}

#[test]
fn shuffled_labels_bring_utility_to_chance() {
    let mut shuffled = copies();
    let mut labels: Vec<String> = shuffled.segments.iter().map(|s| s.label.clone()).collect();
    labels.shuffle(&mut Seed(3).stream("labels", 0));
    for (segment, label) in shuffled.segments.iter_mut().zip(labels) {
        segment.label = label;
    }
    let scores = judge(&shuffled);
    let f1 = value(&scores, "tstr_macro_f1_forest");
    assert!((0.2..0.45).contains(&f1), "three classes equally frequent: chance is a third, not {f1}");
    assert_eq!(scores.verdicts["useful"].outcome, Outcome::Fail);
    assert!(value(&scores, "augmentation_gain_forest") < 0.02);
}

#[test]
fn white_noise_is_not_useful_and_told_apart() {
    let scores = &*OF_NOISE;
    assert_eq!(scores.verdicts["useful"].outcome, Outcome::Fail, "{:?}", scores.verdicts["useful"]);
    assert!(value(scores, "discriminator_auc_forest") > 0.99);
    assert!(value(scores, "discriminative_score_forest") > 0.45);
    let predictive = scores.measure("predictive_score_ridge", "all").unwrap();
    assert!(predictive.value.unwrap() > 1.2 * predictive.same.unwrap(), "{predictive:?}");
}

#[test]
fn halves_of_the_same_are_not_told_apart() {
    // 150 segments a side and class: by chance alone the area of a class strays by 0.03 or so.
    let mut set = beats(0, 10, 30, Split::Train);
    let mut made = set.clone();
    made.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
    set.append(&beats(20, 2, 2, Split::Test)).unwrap();
    let few = EvaluationConfig { utility_draws: 1, ..config() };
    let scores = evaluate(&set, &made, &few, Seed(5), &Silent).unwrap();
    for class in ["N", "S", "V", "all"] {
        let m = scores.measure("discriminator_auc_forest", class).unwrap();
        // A copy of a segment never stands in another fold than the segment.
        for area in [m.value.unwrap(), m.same.unwrap(), m.baselines["training_copy"]] {
            assert!((0.4..0.6).contains(&area), "{class}: {m:?}");
        }
    }
}

#[test]
fn without_rr_or_subjects_both_sides_go_without() {
    let mut bare = copies();
    for s in &mut bare.segments {
        (s.rr_before_s, s.rr_after_s) = (f32::NAN, f32::NAN);
        s.subject = String::new();
    }
    let scores = judge(&bare);
    for words in ["have no RR intervals", "name no subjects"] {
        assert!(scores.notes.iter().any(|note| note.contains(words)), "{words}: {:?}", scores.notes);
    }
    assert!(scores.measure("tstr_macro_f1_forest_shape", "all").is_none());
    let m = scores.measure("tstr_macro_f1_forest", "all").unwrap();
    assert!((m.value.unwrap() - m.same.unwrap()).abs() < 0.1, "{m:?}");
}

#[test]
fn a_class_that_was_never_made_counts_as_missed() {
    let made = copies();
    let scores = judge(&made.select(&made.indices(|s| s.label != "V")));
    assert_eq!(scores.measure("tstr_sensitivity_forest", "V").unwrap().value, Some(0.0));
    assert_eq!(scores.verdicts["useful"].outcome, Outcome::Fail);
}

#[test]
fn one_persons_class_is_no_target_but_is_shown() {
    let mut set = real();
    let mut one = beats(0, 1, 30, Split::Train);
    one.append(&beats(20, 1, 30, Split::Test)).unwrap();
    one.segments.iter_mut().for_each(|s| s.label = "F".into());
    set.append(&one).unwrap();
    let scores = evaluate(&set, &copies(), &config(), Seed(5), &Silent).unwrap();
    assert!(scores.notes.iter().any(|n| n.contains("class F is no target of the utility classifiers")), "{:?}", scores.notes);
    assert!(scores.measure("tstr_f1_forest", "F").is_none());
    let matrix = &scores.exhibits.confusions[0];
    assert_eq!((matrix.actual.len(), matrix.predicted.len()), (4, 3));
    assert_eq!(matrix.counts[3].iter().sum::<f64>().round(), 90.0);
}

#[test]
fn without_held_out_subjects_nothing_is_said() {
    let only = beats(0, 10, 14, Split::Train);
    let scores = evaluate(&only, &copies(), &config(), Seed(5), &Silent).unwrap();
    assert_eq!(scores.verdicts["useful"].outcome, Outcome::NotAssessable);
    assert!(scores.exhibits.confusions.is_empty());
}

#[test]
fn scores_do_not_depend_on_threads() {
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let few = EvaluationConfig { utility_draws: 1, forest_trees: 6, ..config() };
    let scores = || evaluate(&real(), &copies(), &few, Seed(5), &Silent).unwrap();
    assert_eq!(threads(1).install(scores), threads(3).install(scores));
}

//! Proofs that the bar between the two references cannot be slipped under: people here differ so much that real new people cover
//! little of those trained on.

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{EvaluationConfig, Outcome, Scores, evaluate};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand::RngExt;

const TIME: usize = 48;
const BEATS: usize = 12;
const PEOPLE: u64 = 48;

/// Beats of subjects whose height, width and second wave are very much their own; `later` gives other beats of the same people.
fn people(subjects: std::ops::Range<u64>, split: Split, later: bool) -> SegmentSet {
    let mut set = SegmentSet::empty(TIME, 100.0, 14, vec!["lead".into()], vec!["mV".into()]);
    let mut values = Vec::new();
    for subject in subjects {
        let mut rng = Seed(3).stream("people", subject);
        let (height, width, second): (f32, f32, f32) =
            (rng.random_range(0.5..1.6), rng.random_range(1.5..4.5), rng.random_range(-0.4..0.6));
        let mut rng = Seed(4).stream(if later { "later" } else { "first" }, subject);
        for _ in 0..BEATS {
            let (h, p): (f32, f32) = (height * rng.random_range(0.9..1.1), 14.0 + rng.random_range(-0.7..0.7));
            let bump = |at: f32, centre: f32, width: f32| (-0.5 * ((at - centre) / width).powi(2)).exp();
            values.extend((0..TIME).map(|t| {
                let at = t as f32;
                h * bump(at, p, width) + second * bump(at, 34.0, 4.0) + rng.random_range(-0.02_f32..0.02)
            }));
            set.segments.push(Segment { sample: 0, ..Segment::new("N", format!("s{subject}"), split) });
        }
    }
    let n = set.segments.len();
    set.signals = Array3::from_shape_vec((n, TIME, 1), values).unwrap();
    set.scale = Array2::ones((n, 1));
    set.offset = Array2::zeros((n, 1));
    set
}

fn judge(synthetic: &SegmentSet) -> Scores {
    let mut real = people(0..PEOPLE, Split::Train, false);
    real.append(&people(1000..1000 + PEOPLE, Split::Test, false)).unwrap();
    let config = EvaluationConfig {
        forest_trees: 10,
        bootstrap_rounds: 200,
        privacy_rounds: 2,
        network_steps: 0,
        ..EvaluationConfig::default()
    };
    evaluate(&real, synthetic, &config, Seed(5), &Silent).unwrap()
}

/// The value of a measure, that of `same` and that of `held_out`.
fn row(scores: &Scores, name: &str) -> (f64, f64, f64) {
    let m = scores.measure(name, "N").unwrap();
    (m.value.unwrap(), m.same.unwrap(), m.held_out.unwrap())
}

fn outcomes(scores: &Scores) -> [Outcome; 2] {
    ["faithful", "diverse"].map(|verdict| scores.verdicts[verdict].outcome)
}

#[test]
fn new_people_pass_though_they_cover_little() {
    for first in [2000, 3000, 4000] {
        let scores = judge(&people(first..first + PEOPLE, Split::Synthetic, false));
        let (_, same, held_out) = row(&scores, "coverage");
        assert!(held_out < 0.75 * same, "the references must be apart for this to prove anything: {held_out} {same}");
        assert_eq!(outcomes(&scores), [Outcome::Pass; 2], "{first}: {:?}", scores.verdicts);
    }
}

#[test]
fn trained_people_pass_and_so_do_they_mixed_with_new_ones() {
    let scores = judge(&people(0..PEOPLE, Split::Synthetic, true));
    assert_eq!(outcomes(&scores), [Outcome::Pass; 2], "{:?}", scores.verdicts);
    let mut mixed = people(0..PEOPLE, Split::Synthetic, true);
    mixed.append(&people(2000..2000 + PEOPLE, Split::Synthetic, false)).unwrap();
    let scores = judge(&mixed);
    assert_eq!(outcomes(&scores), [Outcome::Pass; 2], "{:?}", scores.verdicts);
}

#[test]
fn a_third_of_the_trained_people_is_not_diverse_though_it_covers_more_than_new_people() {
    let mut some = people(0..PEOPLE / 3, Split::Synthetic, true);
    some.append(&people(0..PEOPLE / 3, Split::Synthetic, false)).unwrap();
    let scores = judge(&some);
    let (coverage, _, held_out) = row(&scores, "coverage");
    assert!(coverage > 0.8 * held_out, "new people must cover no more for this to prove anything: {coverage} {held_out}");
    assert_eq!(scores.verdicts["diverse"].outcome, Outcome::Fail, "{:?}", scores.verdicts);
    // Nor when they do not say who they are.
    some.segments.iter_mut().for_each(|s| s.subject = format!("new{}", s.subject));
    let scores = judge(&some);
    assert_eq!(scores.verdicts["diverse"].outcome, Outcome::Fail, "{:?}", scores.verdicts);
}

#[test]
fn half_noise_is_not_faithful() {
    let mut set = people(0..PEOPLE, Split::Synthetic, true);
    let mut rng = Seed(1).stream("noise", 0);
    for mut segment in set.signals.outer_iter_mut().step_by(2) {
        segment.mapv_inplace(|x| x + rng.random_range(-0.5..0.5));
    }
    let scores = judge(&set);
    assert_eq!(scores.verdicts["faithful"].outcome, Outcome::Fail, "{:?}", scores.verdicts);
}

//! Verdicts by thresholds that are written down here, the same for every set that is judged.
//!
//! They are no law of nature: the places between the references, and what is asked of new people there, were set while looking at
//! MIT-BIH and at simulated people, until sets that must fail failed and real new people passed (`tests/proofs_verdicts.rs`).
//!
//! **Which bar.** Synthetic segments are made from the training subjects, so that `same` (those subjects against themselves) is what
//! they are asked for. New people cannot reach it, and real ones must be able to pass: their bar is `held_out`. So that a poor
//! generator does not slip under the lower bar, a set cannot choose between them, but is placed (`verdicts/place.rs`): at `same` as far
//! as its segments say themselves of which training subject they are; else by its own `precision`, between the two references. Every
//! limit is taken at that place. Beats as near to the training subjects' as their own must then cover as much of them as their own do.
//! What places itself among new people is asked for what new people give: whether people like that can be, the other verdicts say. Where
//! `precision` does not tell new people from trained ones, shares are held to `same` and distances to `held_out`. Below, *expected* is
//! the value between `held_out` and `same` at the place; without anybody held out it is that of `same`.
//!
//! Shares of the expected are as given below at `same`, and fall to 0.6 at `held_out`: two groups of new people are that much apart. Half of
//! what held-out subjects give is too little everywhere.
//!
//! **Which classes decide.** Those with five training subjects or more, of whom none has over half of the segments (such a class
//! is reported and decides nothing), and all together. Where there is no such class, all that were scored.
//!
//! - **faithful**: synthetic segments lie no farther from real ones than `1.25 ×` expected (`rmse_nearest`); the class mean is no farther
//!   from the real class mean than `1.5 ×` expected, or than a quarter of the reference's own RMSE to its nearest neighbours,
//!   whichever is more (`rmse_class_mean`); `precision` is at least 0.8 and `density` at least 0.7 of the expected.
//! - **diverse**: the within-class spread is between 0.8 and 1.25 of the real one, or of the expected where that is farther off
//!   (`spread_ratio`); `coverage` is at least 0.8 and `recall` at least 0.7 of the expected. Collapsed is what spreads less than half as
//!   far as real, or covers, or has distinct nearest neighbours (`distinct_nearest_share`), less than a quarter of the expected.
//! - **useful**: for every judge of utility, a classifier trained on synthetic segments keeps 0.8 or more of the macro-F1 on held-out
//!   subjects that real training gives (`tstr_over_trtr_…`), and 0.5 or more of each class's F1 (`tstr_f1_…`; classes whose F1 by
//!   real training is below 0.3 are not asked about). Not assessable where real training itself is below 0.5 (`tstr_macro_f1_…`:
//!   `same`), where there are no held-out subjects, or fewer than two classes are fit for it. Copies of the training set pass:
//!   whether they are copies is for other measures.
//! - **private**: by the thresholds written down in `verdicts/private.rs`.
//! - **plausible**: in every class that decides and has 30 synthetic segments or more, at most 0.05 more of them are outside wide physiological limits than
//!   of real ones (`outside_limits_share`, the higher of `same` and held-out); each Wasserstein distance of a clinical quantity
//!   (`wasserstein_…`, `channel_…`) is at most the larger of how far people lie apart and what a reader of an ECG would not act on. How
//!   far people lie apart is the smaller of what 95 of 100 random halves of the training subjects stay below (`subject_halves_p95`; of
//!   five subjects or more, and not for `channel_…`) and of the larger of `2 ×` `same` and `1.5 ×` held-out subjects' (without held-out
//!   subjects the halves alone), and never less than held-out subjects' own. Not acted on are 10 ms of PR, QRS, SDNN and RMSSD, 20 ms
//!   of QT, RR and NN, 5% of pNN50, 0.1 mV of R and S, 0.05 mV of P, T and ST. The share of beats with a P
//!   wave, a QRS complex or a T wave is within 0.1 of real, or `1.5 ×` as far from it as held-out subjects' is. Not assessable where the
//!   signals are neither an ECG nor an EEG.
//!
//! A generator that is no better than sampling along principal components (`pca_gaussian`) is told so in the notes: on which of
//! `precision`, `density`, `coverage`, the discriminators' areas under the curve and the macro-F1 of classifiers trained on it, over
//! all classes, it is neither above that baseline nor at `same`.

mod place;
mod principal;
mod private;
pub(crate) mod subjects;

use std::collections::BTreeMap;

use crate::assessments::plausible;
use crate::cases::Deciding;
use crate::scores::{Outcome, Scores, Verdict};
use place::Place;
pub(crate) use principal::against_pca;

/// One group of people reaches so much of what another does: the share that is asked of new people.
const OF_HELD_OUT: f64 = 0.6;
const NEAREST: f64 = 1.25;
const MEAN: f64 = 1.5;
const PRECISION: f64 = 0.8;
const DENSITY: f64 = 0.7;
const COVERAGE: f64 = 0.8;
const RECALL: f64 = 0.7;
const SPREAD: [f64; 2] = [0.8, 1.25];
const COLLAPSED: f64 = 0.25;
const COLLAPSED_BELOW: f64 = 0.5;
/// What shows that segments crowd in few places.
const CROWDED: [&str; 2] = ["coverage", "distinct_nearest_share"];
const TSTR_OVER_TRTR: f64 = 0.8;
const CLASS_F1_KEPT: f64 = 0.5;
const CLASS_F1_ASKED_FROM: f64 = 0.3;
const TRTR_RESPECTABLE_FROM: f64 = 0.5;

/// All five verdicts; `deciding` are the classes that decide on `faithful`, `diverse` and `plausible`, and all together.
pub(crate) fn all(scores: &Scores, deciding: &[Deciding]) -> BTreeMap<String, Verdict> {
    BTreeMap::from([
        ("faithful".to_string(), faithful(scores, deciding)),
        ("diverse".to_string(), diverse(scores, deciding)),
        ("useful".to_string(), useful(scores)),
        ("private".to_string(), private::private(scores)),
        (
            "plausible".to_string(),
            conclude(&plausible(scores, deciding), "No class of an ECG or EEG could be assessed (see the notes)."),
        ),
    ])
}

fn conclude(findings: &[(bool, String)], nothing: &str) -> Verdict {
    if findings.is_empty() {
        return Verdict { outcome: Outcome::NotAssessable, because: nothing.to_string() };
    }
    let passed = findings.iter().all(|f| f.0);
    // On failure only what failed is of interest.
    let shown: Vec<&str> = findings.iter().filter(|f| passed || !f.0).map(|f| f.1.as_str()).collect();
    Verdict { outcome: if passed { Outcome::Pass } else { Outcome::Fail }, because: shown.join("; ") }
}

/// Whether `name` of `class` is at least `share` of what is expected at its place; none where it or the references are unknown.
fn at_least(scores: &Scores, name: &str, class: &str, place: Place, share: f64) -> Option<(bool, String)> {
    let m = scores.measure(name, class)?;
    let (value, expected) = (m.value?, place.expected(m)?);
    // A collapse is asked about below what new people give.
    let share = place.between(OF_HELD_OUT.min(share), share);
    let limit = share * expected;
    Some((
        value >= limit,
        format!("{class}: {name} is {value:.2}, limit {limit:.2} ({share:.2} of {expected:.2}, {})", place.words()),
    ))
}

/// Whether `name` of `class` is at most `times` what is expected at its place, or `floor` where that is more.
fn at_most(scores: &Scores, name: &str, class: &str, place: Place, times: f64, floor: f64) -> Option<(bool, String)> {
    let m = scores.measure(name, class)?;
    let (value, expected) = (m.value?, place.expected(m)?);
    let limit = (times * expected).max(floor);
    let of = if limit > times * expected {
        "a quarter of the distance from real to real".to_string()
    } else {
        format!("{times} × {expected:.3}, {}", place.words())
    };
    Some((value <= limit, format!("{class}: {name} is {value:.3} {}, limit {limit:.3} ({of})", m.unit)))
}

fn faithful(scores: &Scores, deciding: &[Deciding]) -> Verdict {
    let mut findings = Vec::new();
    for Deciding { class, named } in deciding {
        let place = Place::of(scores, class, *named);
        let quarter = scores.measure("rmse_nearest", class).and_then(|m| m.same).map_or(0.0, |same| same / 4.0);
        findings.extend(at_most(scores, "rmse_nearest", class, place, NEAREST, 0.0));
        findings.extend(at_most(scores, "rmse_class_mean", class, place, MEAN, quarter));
        findings.extend(at_least(scores, "precision", class, place, PRECISION));
        findings.extend(at_least(scores, "density", class, place, DENSITY));
    }
    conclude(&findings, "No class had enough segments to be scored.")
}

fn diverse(scores: &Scores, deciding: &[Deciding]) -> Verdict {
    let mut findings = Vec::new();
    for Deciding { class, named } in deciding {
        let Some(spread) = scores.measure("spread_ratio", class) else { continue };
        let Some(ratio) = spread.value else { continue };
        let place = Place::of(scores, class, *named);
        let expected = place.expected(spread).unwrap_or(1.0);
        let (least, most) = (SPREAD[0] * expected.min(1.0), SPREAD[1] * expected.max(1.0));
        let text = format!("{class}: spread is {ratio:.2} of real (limits {least:.2} to {most:.2})");
        findings.push(((least..=most).contains(&ratio), text));
        findings.extend(at_least(scores, "coverage", class, place, COVERAGE));
        findings.extend(at_least(scores, "recall", class, place, RECALL));
        let crowded =
            CROWDED.iter().find(|name| at_least(scores, name, class, place, COLLAPSED).is_some_and(|(enough, _)| !enough));
        if ratio < COLLAPSED_BELOW * expected.min(1.0) {
            findings.push((false, format!("{class}: collapsed: less than half of real spread")));
        } else if let Some(name) = crowded {
            findings.push((false, format!("{class}: collapsed: {name} is less than a quarter of real")));
        }
    }
    conclude(&findings, "No class had enough segments to be scored.")
}

fn useful(scores: &Scores) -> Verdict {
    let mut findings = Vec::new();
    let mut poor = Vec::new();
    for m in scores.measures.iter().filter(|m| m.class == "all") {
        let Some(judge) = m.name.strip_prefix("tstr_over_trtr_") else { continue };
        let real = scores.measure(&format!("tstr_macro_f1_{judge}"), "all").and_then(|m| m.same).unwrap_or(0.0);
        if real < TRTR_RESPECTABLE_FROM {
            poor.push(format!("{judge}: {real:.2}"));
            continue;
        }
        let Some(ratio) = m.value else { continue };
        findings.push((
            ratio >= TSTR_OVER_TRTR,
            format!("{judge}: trained on synthetic it keeps {ratio:.2} of its macro-F1 on held-out subjects, {real:.2} (limit {TSTR_OVER_TRTR})"),
        ));
        for of_class in scores.measures.iter().filter(|m| m.name.strip_prefix("tstr_f1_") == Some(judge)) {
            let (Some(synthetic), Some(real)) = (of_class.value, of_class.same) else { continue };
            if real < CLASS_F1_ASKED_FROM {
                continue;
            }
            let kept = synthetic / real;
            let text =
                format!("{judge}: of class {} it keeps {kept:.2} of its F1, {real:.2} (limit {CLASS_F1_KEPT})", of_class.class);
            findings.push((kept >= CLASS_F1_KEPT, text));
        }
    }
    let nothing = if poor.is_empty() {
        "No utility could be measured: it takes held-out subjects, and two classes with segments and subjects enough (see the notes)."
            .to_string()
    } else {
        format!(
            "Classifiers trained on real segments do too badly on held-out subjects for a share of it to mean anything: macro-F1 {} \
             (limit {TRTR_RESPECTABLE_FROM})",
            poor.join(", ")
        )
    };
    conclude(&findings, &nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::{Better, Family, Measure};

    /// Value of a measure at `place` between held-out subjects' (0) and that of `same` (1), times `times`.
    fn measure(name: &str, class: &str, [held_out, same]: [f64; 2], place: f64, times: f64) -> Measure {
        Measure {
            name: name.into(),
            unit: String::new(),
            family: Family::Fidelity,
            class: class.into(),
            value: Some(times * (held_out + place * (same - held_out))),
            low: None,
            high: None,
            segments: 100,
            subjects: 10,
            same: Some(same),
            held_out: Some(held_out),
            baselines: BTreeMap::new(),
            better: if name.starts_with("rmse") { Better::Lower } else { Better::Higher },
            definition: String::new(),
        }
    }

    /// Everything but spread and the distances at `[precision, others]`, times `times`.
    fn outcomes([precision, others]: [f64; 2], times: f64, named: f64) -> [Outcome; 2] {
        let mut scores = Scores::default();
        for class in ["N", "all"] {
            scores.measures.extend([
                measure("rmse_nearest", class, [0.3, 0.1], precision, 1.0),
                measure("rmse_class_mean", class, [0.1, 0.02], precision, 1.0),
                measure("precision", class, [0.5, 0.95], precision, times),
                measure("density", class, [0.3, 1.0], precision, times),
                measure("coverage", class, [0.15, 0.97], others, times),
                measure("recall", class, [0.4, 0.9], others, times),
                measure("spread_ratio", class, [1.0, 1.0], others, 1.0),
                measure("distinct_nearest_share", class, [0.2, 0.55], others, times),
            ]);
        }
        let verdicts = all(&scores, &["N", "all"].map(|class| Deciding { class: class.into(), named }));
        ["faithful", "diverse"].map(|name| verdicts[name].outcome)
    }

    #[test]
    fn both_references_and_all_between_pass() {
        for place in [0.0, 0.3, 0.7, 1.0] {
            assert_eq!(outcomes([place, place], 1.0, 0.0), [Outcome::Pass; 2], "{place}");
            assert_eq!(outcomes([place, place], 0.95, 0.0), [Outcome::Pass; 2], "{place}");
        }
    }

    #[test]
    fn who_names_training_subjects_is_held_to_them() {
        assert_eq!(outcomes([1.0, 1.0], 1.0, 1.0), [Outcome::Pass; 2]);
        assert_eq!(outcomes([0.0, 0.0], 1.0, 1.0), [Outcome::Fail; 2]);
    }

    #[test]
    fn half_of_held_out_fails() {
        assert_eq!(outcomes([0.0, 0.0], 0.5, 0.0), [Outcome::Fail; 2]);
    }

    #[test]
    fn nearness_of_trained_people_with_the_coverage_of_new_ones_fails() {
        assert_eq!(outcomes([1.0, 0.0], 1.0, 0.0), [Outcome::Pass, Outcome::Fail]);
        assert_eq!(outcomes([1.0, 0.6], 1.0, 0.0), [Outcome::Pass, Outcome::Fail]);
    }
}

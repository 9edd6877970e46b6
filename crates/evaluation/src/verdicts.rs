//! Verdicts by thresholds that were written down before any score was seen.
//!
//! A limit by the references is a share of the *lower* of `same` and `held_out`, where both are known: real segments of other subjects
//! must be able to pass.
//!
//! - **faithful**: in every scored class, synthetic segments lie no farther from real ones than `1.25 ×` the `same`
//!   reference (`rmse_nearest`); the class mean is no farther from the real class mean than `1.5 ×` held-out subjects' is, or than a
//!   quarter of the reference's own RMSE to its nearest neighbours, whichever is more (`rmse_class_mean`); `precision` is at least 0.8
//!   and `density` at least 0.7 of the references'.
//! - **diverse**: in every scored class the within-class spread is between 0.8 and 1.25 of the real one (`spread_ratio`); `coverage` is at
//!   least 0.8 and `recall` at least 0.7 of the references'. Collapsed is what spreads less than half as far as real, or covers, or has
//!   distinct nearest neighbours (`distinct_nearest_share`), less than a quarter as much as `same`.
//! - **useful**: for every judge of utility, a classifier trained on synthetic segments keeps 0.8 or more of the macro-F1 on held-out
//!   subjects that real training gives (`tstr_over_trtr_…`), and 0.5 or more of each class's F1 (`tstr_f1_…`; classes whose F1 by
//!   real training is below 0.3 are not asked about). Not assessable where real training itself is below 0.5 (`tstr_macro_f1_…`:
//!   `same`), where there are no held-out subjects, or fewer than two classes are fit for it. Copies of the training set pass:
//!   whether they are copies is for other measures.
//! - **private**: by the thresholds written down in `verdicts/private.rs`.
//! - **plausible**: in every class of 30 synthetic segments or more, at most 0.05 more of them are outside wide physiological limits than
//!   of real ones (`outside_limits_share`, the higher of `same` and held-out); each Wasserstein distance of a clinical quantity
//!   (`wasserstein_…`, `channel_…`) is at most the largest of `2 ×` `same`, `1.5 ×` held-out subjects' and what a reader of an ECG would
//!   not act on (10 ms of PR and QRS, 20 ms of QT and RR, 0.1 mV of R and S, 0.05 mV of P, T and ST); the share of beats with a P
//!   wave, a QRS complex or a T wave is within 0.1 of real, or `1.5 ×` as far from it as held-out subjects' is. Not assessable where the
//!   signals are neither an ECG nor an EEG.
//!
//! A generator that is no better than sampling along principal components (`pca_gaussian`) is told so in the notes: on which of
//! `precision`, `density` and `coverage`, over all classes, it is neither above that baseline nor at `same`.

mod private;
pub(crate) mod subjects;

use std::collections::BTreeMap;

use crate::assessments::plausible;
use crate::scores::{Outcome, Scores, Verdict};

const NEAREST_OVER_SAME: f64 = 1.25;
const MEAN_OVER_HELD_OUT: f64 = 1.5;
const PRECISION: f64 = 0.8;
const DENSITY: f64 = 0.7;
const COVERAGE: f64 = 0.8;
const RECALL: f64 = 0.7;
const COLLAPSED_OVER_SAME: f64 = 0.25;
const SPREAD: std::ops::RangeInclusive<f64> = 0.8..=1.25;
const COLLAPSED_BELOW: f64 = 0.5;
const TSTR_OVER_TRTR: f64 = 0.8;
const CLASS_F1_KEPT: f64 = 0.5;
const CLASS_F1_ASKED_FROM: f64 = 0.3;
const TRTR_RESPECTABLE_FROM: f64 = 0.5;

/// All five verdicts.
pub(crate) fn all(scores: &Scores) -> BTreeMap<String, Verdict> {
    BTreeMap::from([
        ("faithful".to_string(), faithful(scores)),
        ("diverse".to_string(), diverse(scores)),
        ("useful".to_string(), useful(scores)),
        ("private".to_string(), private::private(scores)),
        ("plausible".to_string(), conclude(&plausible(scores), "No class of an ECG or EEG had enough segments.")),
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

/// Whether `name` of `class` is at least `share` of the lower of its references; none where it or they are unknown.
fn at_least(scores: &Scores, name: &str, class: &str, share: f64) -> Option<(bool, String)> {
    let m = scores.measure(name, class)?;
    let (value, same) = (m.value?, m.same?);
    let (lower, of) = m.held_out.filter(|&h| h < same).map_or((same, "real to real"), |h| (h, "held-out subjects"));
    let text = format!("{class}: {name} is {value:.2}, limit {:.2} ({share} of that of {of})", share * lower);
    Some((value >= share * lower, text))
}

/// The measures that a generator must beat sampling along principal components on.
const AGAINST_PCA: [&str; 3] = ["precision", "density", "coverage"];

/// What a generator is told that does not beat sampling along principal components.
pub(crate) fn against_pca(scores: &Scores) -> Option<String> {
    let worse: Vec<String> = AGAINST_PCA
        .iter()
        .filter_map(|name| {
            let m = scores.measure(name, "all")?;
            let (value, baseline) = (m.value?, *m.baselines.get("pca_gaussian")?);
            let at_same = m.same.is_some_and(|same| value >= same);
            (value <= baseline && !at_same).then(|| format!("{name} ({value:.2} against {baseline:.2})"))
        })
        .collect();
    let on = worse
        .split_last()
        .map(|(last, rest)| if rest.is_empty() { last.clone() } else { format!("{} and {last}", rest.join(", ")) })?;
    Some(format!(
        "The generator does not beat sampling from a Gaussian along principal components (baseline pca_gaussian) on {on}: there its cost \
         is not repaid."
    ))
}

fn faithful(scores: &Scores) -> Verdict {
    let mut findings = Vec::new();
    for m in scores.measures.iter().filter(|m| m.name == "rmse_nearest" && m.class != "all") {
        let (Some(value), Some(same)) = (m.value, m.same) else { continue };
        let ratio = value / same;
        findings.push((
            ratio <= NEAREST_OVER_SAME,
            format!(
                "{}: RMSE to the nearest real segment is {ratio:.2}× that of real to real (limit {NEAREST_OVER_SAME})",
                m.class
            ),
        ));
        let Some(mean) = scores.measure("rmse_class_mean", &m.class) else { continue };
        let Some(distance) = mean.value else { continue };
        let held_out = mean.held_out.map(|h| MEAN_OVER_HELD_OUT * h).filter(|&h| h > same / 4.0);
        let (limit, of) = held_out.map_or((same / 4.0, "a quarter of real to real"), |h| (h, "1.5 × held-out subjects"));
        findings.push((
            distance <= limit,
            format!(
                "{}: class mean is {distance:.3} {unit} from the real one (limit {limit:.3}, {of})",
                m.class,
                unit = mean.unit
            ),
        ));
        findings.extend(at_least(scores, "precision", &m.class, PRECISION));
        findings.extend(at_least(scores, "density", &m.class, DENSITY));
    }
    conclude(&findings, "No class had enough segments to be scored.")
}

fn diverse(scores: &Scores) -> Verdict {
    let mut findings = Vec::new();
    for m in scores.measures.iter().filter(|m| m.name == "spread_ratio" && m.class != "all") {
        let Some(ratio) = m.value else { continue };
        findings.push((
            SPREAD.contains(&ratio),
            format!("{}: spread is {ratio:.2} of real (limits {} to {})", m.class, SPREAD.start(), SPREAD.end()),
        ));
        findings.extend(at_least(scores, "coverage", &m.class, COVERAGE));
        findings.extend(at_least(scores, "recall", &m.class, RECALL));
        let crowded = ["coverage", "distinct_nearest_share"].into_iter().find(|name| {
            let of = |name| scores.measure(name, &m.class).and_then(|m| Some((m.value?, m.same?)));
            of(*name).is_some_and(|(value, same)| value < COLLAPSED_OVER_SAME * same)
        });
        if ratio < COLLAPSED_BELOW {
            findings.push((false, format!("{}: collapsed: less than half of real spread", m.class)));
        } else if let Some(name) = crowded {
            findings.push((false, format!("{}: collapsed: {name} is less than a quarter of real to real", m.class)));
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

//! Verdicts by thresholds that were written down before any score was seen.
//!
//! - **faithful**: in every scored class, synthetic segments lie no farther from real ones than `1.25 ×` the `same`
//!   reference (`rmse_nearest`), and the class mean no farther from the real class mean than held-out subjects' is, or than
//!   a quarter of the reference's own RMSE to its nearest neighbours where there are none (`rmse_class_mean`).
//! - **diverse**: in every scored class the within-class spread is between 0.8 and 1.25 of the real one; below 0.5 it is
//!   called collapsed.
//! - **plausible**: in every class of 30 synthetic segments or more, at most 0.05 more of them are outside wide physiological limits than
//!   of real ones (`outside_limits_share`, the higher of `same` and held-out); each Wasserstein distance of a clinical quantity
//!   (`wasserstein_…`, `channel_…`) is at most the largest of `2 ×` `same`, `1.5 ×` held-out subjects' and what a reader of an ECG would
//!   not act on (10 ms of PR and QRS, 20 ms of QT and RR, 0.1 mV of R and S, 0.05 mV of P, T and ST); the share of beats with a P
//!   wave, a QRS complex or a T wave is within 0.1 of real, or `1.5 ×` as far from it as held-out subjects' is. Not assessable where the
//!   signals are neither an ECG nor an EEG.
//! - **useful**, **private**: not assessable, since no measure of this version speaks to them.

use std::collections::BTreeMap;

use crate::assessments::plausible;
use crate::scores::{Outcome, Scores, Verdict};

const NEAREST_OVER_SAME: f64 = 1.25;
const SPREAD: std::ops::RangeInclusive<f64> = 0.8..=1.25;
const COLLAPSED_BELOW: f64 = 0.5;

/// All five verdicts.
pub(crate) fn all(scores: &Scores) -> BTreeMap<String, Verdict> {
    let absent = |question: &str| Verdict {
        outcome: Outcome::NotAssessable,
        because: format!(
            "No {question} measure is computed in this version; nothing here says that the data are safe or fit for use."
        ),
    };
    BTreeMap::from([
        ("faithful".to_string(), faithful(scores)),
        ("diverse".to_string(), diverse(scores)),
        ("useful".to_string(), absent("utility")),
        ("private".to_string(), absent("privacy")),
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
        let (limit, of) = mean.held_out.map_or((same / 4.0, "a quarter of real to real"), |h| (h, "held-out subjects"));
        findings.push((
            distance <= limit,
            format!(
                "{}: class mean is {distance:.3} {unit} from the real one (limit {limit:.3}, {of})",
                m.class,
                unit = mean.unit
            ),
        ));
    }
    conclude(&findings, "No class had enough segments to be scored.")
}

fn diverse(scores: &Scores) -> Verdict {
    let mut findings = Vec::new();
    for m in scores.measures.iter().filter(|m| m.name == "spread_ratio" && m.class != "all") {
        let Some(ratio) = m.value else { continue };
        let word = if ratio < COLLAPSED_BELOW { ", collapsed" } else { "" };
        findings.push((
            SPREAD.contains(&ratio),
            format!("{}: spread is {ratio:.2} of real{word} (limits {} to {})", m.class, SPREAD.start(), SPREAD.end()),
        ));
    }
    conclude(&findings, "No class had enough segments to be scored.")
}

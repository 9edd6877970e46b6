//! What the verdict `plausible` goes by; `verdicts.rs` says it in words.

use super::halves::LIMIT as HALVES_LIMIT;
use crate::cases::Deciding;
use crate::scores::{Family, Measure, Scores};

/// A distance may be so many times that of real to real,
const OVER_SAME: f64 = 2.0;
/// or so many times that of held-out subjects,
const OVER_HELD_OUT: f64 = 1.5;
/// and a share outside the limits so much above the higher of the two.
const OUTSIDE: f64 = 0.05;
/// The share of beats with a wave may differ from the real one by so much, or by so many times what held-out subjects' does.
const PRESENCE: f64 = 0.1;
/// Classes with fewer segments are not asked about.
const FEWEST: usize = 30;

/// Differences that no reader of an ECG would act on; 0 for what is not listed.
fn negligible(name: &str) -> f64 {
    match name.trim_start_matches("wasserstein_").trim_end_matches("_afib") {
        "pr_ms" | "qrs_ms" | "sdnn_ms" | "rmssd_ms" => 10.0,
        "qt_ms" | "qtc_fridericia_ms" | "qtc_bazett_ms" | "rr_ms" | "mean_nn_ms" => 20.0,
        "pnn50_percent" => 5.0,
        "r_mv" | "s_mv" => 0.1,
        "p_mv" | "t_mv" | "st60_mv" | "st80_mv" => 0.05,
        _ => 0.0,
    }
}

/// How far different people lie apart: random halves of the training subjects, or held-out ones. Halves of people who differ much are
/// very far apart, so where somebody is held out the nearer of the two counts, and never less than held-out people's own distance.
fn people(m: &Measure, same: f64) -> f64 {
    let multiples = (OVER_SAME * same).max(OVER_HELD_OUT * m.held_out.unwrap_or(0.0));
    match (m.baselines.get(HALVES_LIMIT), m.held_out) {
        (Some(&halves), Some(held_out)) => halves.min(multiples).max(held_out),
        (Some(&halves), None) => halves,
        (None, _) => multiples,
    }
}

/// One finding for each clinical row that can be judged and that is of one of the classes `deciding`, or of all of them together: whether it
/// holds, and in words.
pub(crate) fn plausible(scores: &Scores, deciding: &[Deciding]) -> Vec<(bool, String)> {
    let decides = |m: &&Measure| m.class == "all" || deciding.iter().any(|one| one.class == m.class);
    let clinical = scores.measures.iter().filter(|m| m.family == Family::Clinical && m.segments >= FEWEST).filter(decides);
    // `all` repeats the classes, but for what is of records.
    let own =
        |m: &&Measure| m.class != "all" || !scores.measures.iter().any(|other| other.name == m.name && other.class != "all");
    clinical.filter(own).filter_map(finding).collect()
}

fn finding(m: &Measure) -> Option<(bool, String)> {
    let (value, same) = (m.value?, m.same?);
    let Measure { name, class, unit, .. } = m;
    let space = if unit.is_empty() { "" } else { " " };
    if name == "outside_limits_share" {
        let limit = m.held_out.map_or(same, |h| h.max(same)) + OUTSIDE;
        return Some((value <= limit, format!("{class}: {value:.2} of segments are beyond plausible limits (limit {limit:.2})")));
    }
    if name.starts_with("wasserstein_") || name.starts_with("channel_") {
        let limit = people(m, same).max(negligible(name));
        return Some((value <= limit, format!("{class}: {name} is {value:.3}{space}{unit} (limit {limit:.3})")));
    }
    if name.ends_with("_share") {
        let limit = PRESENCE.max(m.held_out.map_or(0.0, |h| OVER_HELD_OUT * (h - same).abs()));
        let text = format!("{class}: {name} is {value:.2}, real {same:.2} (may differ by {limit:.2})");
        return Some(((value - same).abs() <= limit, text));
    }
    None
}

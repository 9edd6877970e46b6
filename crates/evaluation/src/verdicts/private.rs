//! Was no attack on the training subjects' privacy successful? By thresholds that are the same for every set:
//!
//! - **copies**: none may be found. In every scored class the share of exact copies (`exact_copy_share`) is at most twice the greater of
//!   the references (of fresh recordings usually none is one, so a single copy fails), and that of near copies (`near_copy_share`) at
//!   most twice the greater of the references and 1% more, unless they are fewer than three;
//! - **membership**: an attack succeeds where its p-value is at most 0.005 (a dozen tests, so 5% in all) and it does better by 0.1 or
//!   more than both chance and `same`, which shows what the split alone gives away: for the area under the curve at each level
//!   (`membership_…_auc`, `membership_…_p`) and the true-positive rate (`membership_…_tpr`, `membership_…_tpr_p`), over all classes;
//! - **linkage**: succeeds by the same rule (`linkage_auc`, `linkage_p`), or where the nearest training subject is the source
//!   (`linkage_source_share`) of half of the synthetic patients or more, and of more than chance and three standard errors of it;
//! - distances to the closest record are a screen and decide nothing.
//!
//! Copies fail without held-out subjects. Without attacks on membership (fewer than five subjects on a side in every class, or none
//! held out) there is no pass. A pass means that no attack succeeded, never that there is a guarantee.

use crate::scores::{Measure, Outcome, Scores, Verdict};

const P: f64 = 0.005;
const MARGIN: f64 = 0.1;
const NEAR_COPIES: f64 = 0.01;
const FEWEST_NEAR_COPIES: f64 = 3.0;
const SOURCES_FOUND: f64 = 0.5;

/// Successful attacks that are named.
const SHOWN: usize = 3;

const NO_GUARANTEE: &str = "There is no formal guarantee: the generator was not trained with differential privacy, and other attacks, \
     or these with more subjects, may succeed.";

/// The verdict, with the attacks that decided it.
pub(super) fn private(scores: &Scores) -> Verdict {
    let mut succeeded: Vec<String> = scores.measures.iter().filter(|m| m.class != "all").filter_map(copies).collect();
    let all: Vec<&Measure> = scores.measures.iter().filter(|m| m.class == "all").collect();
    let areas: Vec<&&Measure> = all.iter().filter(|m| m.name.starts_with("membership_") && m.name.ends_with("_auc")).collect();
    succeeded.extend(strongest(all.iter().filter_map(|m| Some((m.value?, attack(scores, m)?))).collect()));
    succeeded.extend(all.iter().filter_map(|m| sources(scores, m)));
    if !succeeded.is_empty() {
        return Verdict { outcome: Outcome::Fail, because: succeeded.join("; ") };
    }
    let Some(widest) = areas.iter().filter_map(|m| Some((m.high?, m.value?, &m.name))).max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Verdict {
            outcome: Outcome::NotAssessable,
            because:
                "Membership could not be attacked: it takes held-out subjects, and five subjects on either side with segments of \
                      one class (see the notes). Nothing here says that the data are safe."
                    .into(),
        };
    };
    let linked = if all.iter().any(|m| m.name == "linkage_auc") { "" } else { " Linkage was not assessed (see the notes)." };
    Verdict {
        outcome: Outcome::Pass,
        because: format!(
            "No attack succeeded: no copies; membership found with an area under the curve of {:.2} at most; by {} up to {:.2} is \
             compatible with {} subjects.{linked} {NO_GUARANTEE}",
            areas.iter().filter_map(|m| m.value).fold(0.0, f64::max),
            widest.2,
            widest.0,
            areas.first().map_or(0, |m| m.subjects),
        ),
    }
}

/// The three most successful attacks, the others counted.
fn strongest(mut attacks: Vec<(f64, String)>) -> Vec<String> {
    attacks.sort_by(|a, b| b.0.total_cmp(&a.0));
    let more = attacks.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = attacks.into_iter().take(SHOWN).map(|(_, text)| text).collect();
    if more > 0 {
        shown.push(format!("{more} more tests of membership or linkage succeeded (see the measures)"));
    }
    shown
}

/// The greater of the references.
fn reference(m: &Measure) -> f64 {
    m.same.unwrap_or(0.0).max(m.held_out.unwrap_or(0.0))
}

fn copies(m: &Measure) -> Option<String> {
    let (value, reference) = (m.value?, reference(m));
    let (limit, what) = match m.name.as_str() {
        "exact_copy_share" => (2.0 * reference, "exact copies of training segments"),
        "near_copy_share" if value * m.segments as f64 + 0.5 > FEWEST_NEAR_COPIES => {
            (NEAR_COPIES + 2.0 * reference, "exact or near copies of training segments")
        }
        _ => return None,
    };
    (value > limit).then(|| format!("{}: {:.1}% are {what} (limit {:.1}%)", m.class, 100.0 * value, 100.0 * limit))
}

/// Attacks with a p-value: names ending in `_auc`, whose p-value is `_p`, and `_tpr` with `_tpr_p`.
fn attack(scores: &Scores, m: &Measure) -> Option<String> {
    let (p_name, chance): (String, f64) = match m.name.strip_suffix("_auc") {
        Some(stem) => (format!("{stem}_p"), 0.5),
        None => (format!("{}_p", m.name.strip_suffix("_tpr").map(|_| &m.name)?), 0.0),
    };
    let (value, p) = (m.value?, scores.measure(&p_name, "all")?.value?);
    let limit = chance.max(m.same.unwrap_or(0.0)) + MARGIN;
    (p <= P && value >= limit).then(|| format!("{} is {value:.2} (limit {limit:.2}; p = {p:.4}, limit {P})", m.name))
}

fn sources(scores: &Scores, m: &Measure) -> Option<String> {
    if m.name != "linkage_source_share" {
        return None;
    }
    let (value, chance) = (m.value?, *m.baselines.get("chance")?);
    let patients = scores.measure("linkage_source_patients", "all").and_then(|m| m.value).unwrap_or(1.0).max(1.0);
    let limit = SOURCES_FOUND.max(chance + 3.0 * (chance * (1.0 - chance) / patients).sqrt());
    (value >= limit).then(|| {
        format!(
            "{:.0}% of {patients} synthetic patients are nearest to the subject they were derived from (limit {:.0}%)",
            100.0 * value,
            100.0 * limit
        )
    })
}

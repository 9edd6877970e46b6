//! Whether runs were scored alike: where not, a difference between their scores is not one between their generators.

use std::collections::BTreeMap;

use super::runs::Run;

/// Settings that decide how a run is judged rather than what it makes.
const JUDGING: &str = "evaluation.";
/// Settings that decide what real segments there are.
const DATA: [&str; 2] = ["preprocessing.", "simulator."];

/// What forbids a plain comparison, in words; nothing where all is alike.
pub(super) fn warnings(runs: &[Run]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(groups) = apart(runs, |run| run.segments.clone()) {
        found.push(format!(
            "the real segments are not the same ({groups}): training and test data differ, so no measure compares generators alone"
        ));
    } else if let Some(keys) = differing(runs, |key| DATA.iter().any(|table| key.starts_with(table))) {
        found.push(format!("the real segments were made with other settings: {keys}"));
    }
    if let Some(keys) = differing(runs, |key| key.starts_with(JUDGING)) {
        found.push(format!(
            "the runs were judged with other settings: {keys}; score them again with `physiosynth evaluate --set …`"
        ));
    }
    if let Some(groups) = apart(runs, |run| run.settings.get("seed").cloned()) {
        found.push(format!("the seeds differ ({groups}): the halves and draws behind each measure's references do too"));
    }
    if let Some(keys) = differing(runs, |key| key == "generation.sampler.novelty" || key == "generation.subjects") {
        found.push(format!(
            "the runs made segments of other people ({keys}): of new patients privacy is asked, of training subjects fidelity"
        ));
    }
    found.extend(sizes(runs));
    found
}

/// The runs by what `of` says of them, in words, where it does not say the same of all. What is not known of a run does not count.
fn apart(runs: &[Run], of: impl Fn(&Run) -> Option<String>) -> Option<String> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for run in runs {
        if let Some(value) = of(run) {
            groups.entry(value).or_default().push(&run.facts.name);
        }
    }
    let words: Vec<String> = groups.into_values().map(|names| names.join(", ")).collect();
    (words.len() > 1).then(|| words.join(" | "))
}

/// The keys that differ among those chosen.
fn differing(runs: &[Run], chosen: impl Fn(&str) -> bool) -> Option<String> {
    let keys: Vec<String> = super::settings::differing(runs).into_iter().map(|row| row.key).filter(|key| chosen(key)).collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// Manifold and neighbour measures depend on how many segments they see.
fn sizes(runs: &[Run]) -> Option<String> {
    let size =
        |run: &Run| run.scores.measure("coverage", "all").map(|m| format!("{} segments, {} subjects", m.segments, m.subjects));
    let groups = apart(runs, size)?;
    Some(format!(
        "the runs were scored on other numbers of segments or subjects ({groups}): precision, density and coverage depend on them"
    ))
}

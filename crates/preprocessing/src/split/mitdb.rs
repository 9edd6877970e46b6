use physiosynth_signal::{RecordEntry, Seed, Split};
use rand::seq::SliceRandom;

use super::{Assignment, SplitConfig, SplitPlan};

/// DS1 of de Chazal, O'Dwyer and Reilly (2004), with the number of S, V and F beats of each record in the reference
/// annotations of MIT-BIH 1.0.0 (class map `dechazal`). They are published facts, known before anything is read, and let
/// validation subjects be drawn so that no class is lost.
const DS1: [(&str, [u32; 3]); 22] = [
    ("101", [3, 0, 0]),
    ("106", [0, 520, 0]),
    ("108", [4, 17, 2]),
    ("109", [0, 38, 2]),
    ("112", [2, 0, 0]),
    ("114", [12, 43, 4]),
    ("115", [0, 0, 0]),
    ("116", [1, 109, 0]),
    ("118", [96, 16, 0]),
    ("119", [0, 444, 0]),
    ("122", [0, 0, 0]),
    ("124", [31, 47, 5]),
    ("201", [128, 198, 2]),
    ("203", [2, 444, 1]),
    ("205", [3, 71, 11]),
    ("207", [107, 210, 0]),
    ("208", [2, 992, 373]),
    ("209", [383, 1, 0]),
    ("215", [3, 164, 1]),
    ("220", [94, 0, 0]),
    ("223", [73, 473, 14]),
    ("230", [0, 1, 0]),
];

/// DS2 of the same paper.
const DS2: [&str; 22] = [
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210", "212", "213", "214", "219", "221", "222", "228",
    "231", "232", "233", "234",
];

/// Records with paced beats, which EC57 leaves out.
const PACED: [&str; 4] = ["102", "104", "107", "217"];

/// Draws of validation subjects tried before the best so far is taken.
const DRAWS: u64 = 200;

/// Whether every record carries a name of MIT-BIH, with two or more to train on and one to test.
pub(super) fn recognises(entries: &[RecordEntry]) -> bool {
    let known = |name: &str| in_ds1(name) || DS2.contains(&name) || PACED.contains(&name);
    let train = entries.iter().filter(|e| in_ds1(&e.name)).count();
    let test = entries.iter().filter(|e| DS2.contains(&e.name.as_str())).count();
    entries.iter().all(|e| known(&e.name)) && train >= 2 && test >= 1
}

pub(super) fn has_training_record(entries: &[RecordEntry]) -> bool {
    entries.iter().any(|entry| in_ds1(&entry.name))
}

fn in_ds1(name: &str) -> bool {
    DS1.iter().any(|(record, _)| *record == name)
}

/// The published split of the records there are.
pub(super) fn plan(entries: &[RecordEntry], config: &SplitConfig, seed: Seed) -> SplitPlan {
    let mut notes = Vec::new();
    let present: Vec<(&str, [u32; 3])> =
        DS1.iter().filter(|(name, _)| entries.iter().any(|e| e.name == *name)).copied().collect();
    let validation = draw_validation(&present, config.validation_share, seed);
    if validation.is_empty() {
        notes.push("no validation subject could be taken out of DS1".into());
    } else {
        notes.push(format!("validation subjects, drawn out of DS1 with the seed: {}", validation.join(", ")));
    }
    if config.keep_202_in_test && entries.iter().any(|e| e.name == "202") {
        notes.push(
            "record 202 stays in the test set as asked, though it is of the same person as 201 in DS1: scores on it are not of \
             an unseen person"
                .into(),
        );
    }
    let assignments = entries.iter().map(|entry| assign(entry, &validation, config.keep_202_in_test)).collect();
    SplitPlan { strategy: "MIT-BIH, de Chazal et al. (2004): DS1 and DS2".into(), assignments, notes }
}

/// The subject of a record of MIT-BIH: itself, but for 202, which is of the same person as 201.
pub(super) fn subject(entry: &RecordEntry) -> &str {
    if entry.name == "202" && !entry.subject_known { "201" } else { &entry.subject }
}

fn assign(entry: &RecordEntry, validation: &[&str], keep_202: bool) -> Assignment {
    let name = entry.name.as_str();
    let used = |split| Assignment::Use { split, subject: subject(entry).into() };
    let skipped = |reason: &str| Assignment::Skip { reason: reason.into() };
    if validation.contains(&name) {
        used(Split::Validation)
    } else if in_ds1(name) {
        used(Split::Train)
    } else if name == "202" && !keep_202 {
        skipped("the same person as record 201, which is in DS1 (split.keep_202_in_test = true keeps it)")
    } else if DS2.contains(&name) {
        used(Split::Test)
    } else if PACED.contains(&name) {
        skipped("paced record, left out of the published split")
    } else {
        skipped("no record of DS1 or DS2 of the published split")
    }
}

/// Draws validation subjects until each of S, V and F has beats from at least one of them and keeps at least two thirds
/// of its beats in training; the first such draw is taken. If none of 200 is, the one that breaks fewest of these rules.
fn draw_validation(present: &[(&'static str, [u32; 3])], share: f64, seed: Seed) -> Vec<&'static str> {
    let count = if share > 0.0 { ((present.len() as f64 * share).round() as usize).max(1) } else { 0 };
    let count = count.min(present.len().saturating_sub(1));
    let mut best: Option<(usize, Vec<&'static str>)> = None;
    for attempt in 0..DRAWS {
        let mut drawn = present.to_vec();
        drawn.shuffle(&mut seed.stream("validation subjects of DS1", attempt));
        let broken = broken_rules(&drawn, count);
        if best.as_ref().is_none_or(|(fewest, _)| broken < *fewest) {
            let mut names: Vec<_> = drawn[..count].iter().map(|(name, _)| *name).collect();
            names.sort_unstable();
            best = Some((broken, names));
        }
        if broken == 0 {
            break;
        }
    }
    best.map(|(_, names)| names).unwrap_or_default()
}

/// How many classes a draw loses, on either side; the first `count` records validate.
fn broken_rules(drawn: &[(&str, [u32; 3])], count: usize) -> usize {
    (0..3)
        .map(|class| {
            let total: u32 = drawn.iter().map(|(_, beats)| beats[class]).sum();
            let validation: u32 = drawn[..count].iter().map(|(_, beats)| beats[class]).sum();
            usize::from(total > 0 && validation == 0) + usize::from(validation * 3 > total)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    fn all() -> Vec<RecordEntry> {
        let names = DS1.iter().map(|(n, _)| *n).chain(DS2).chain(PACED);
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.iter().map(|n| RecordEntry::of(*n, *n)).collect()
    }

    fn names_in(entries: &[RecordEntry], plan: &SplitPlan, wanted: Split) -> Vec<String> {
        let used = |a: &Assignment| matches!(a, Assignment::Use { split, .. } if *split == wanted);
        entries.iter().zip(&plan.assignments).filter(|(_, a)| used(a)).map(|(e, _)| e.name.clone()).collect()
    }

    #[test]
    fn auto_uses_the_published_split() {
        let entries = all();
        assert_eq!(entries.len(), 48);
        let plan = split(&entries, &SplitConfig::default(), Seed(3)).unwrap();
        let test = names_in(&entries, &plan, Split::Test);
        assert_eq!(test.len(), 21);
        assert!(!test.contains(&"202".to_string()));
        assert_eq!(names_in(&entries, &plan, Split::Validation).len(), 4);
        assert_eq!(names_in(&entries, &plan, Split::Train).len(), 18);
        for (entry, assignment) in entries.iter().zip(&plan.assignments) {
            if let Assignment::Skip { reason } = assignment {
                assert!(reason.contains(if entry.name == "202" { "201" } else { "paced" }), "{}: {reason}", entry.name);
            }
        }
        assert_eq!(plan.assignments.iter().filter(|a| matches!(a, Assignment::Skip { .. })).count(), 5);
    }

    #[test]
    fn every_seed_leaves_each_class_on_both_sides() {
        let entries = all();
        let mut draws = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let plan = split(&entries, &SplitConfig::default(), Seed(seed)).unwrap();
            let validation = names_in(&entries, &plan, Split::Validation);
            let sums = |names: &[String]| {
                let beats = DS1.iter().filter(|(n, _)| names.iter().any(|m| m == n)).map(|(_, b)| *b);
                beats.fold([0; 3], |sum, b| [sum[0] + b[0], sum[1] + b[1], sum[2] + b[2]])
            };
            assert!(sums(&validation).iter().all(|&n| n > 0), "seed {seed}: {validation:?}");
            let train = sums(&names_in(&entries, &plan, Split::Train));
            assert!(train[0] >= 600 && train[1] >= 2500 && train[2] >= 370, "seed {seed}: {train:?}");
            draws.insert(validation);
        }
        assert!(draws.len() > 20, "the seed decides: {} different draws", draws.len());
    }

    #[test]
    fn record_202_is_kept_on_request() {
        let entries = all();
        let config = SplitConfig { keep_202_in_test: true, ..SplitConfig::default() };
        let plan = split(&entries, &config, Seed(3)).unwrap();
        assert!(names_in(&entries, &plan, Split::Test).contains(&"202".to_string()));
        assert!(plan.notes.iter().any(|note| note.contains("same person")));
    }

    #[test]
    fn a_part_of_the_database_is_recognised_and_others_are_not() {
        let some: Vec<_> = all().into_iter().filter(|e| ["101", "106", "100", "102"].contains(&e.name.as_str())).collect();
        assert!(recognises(&some));
        let plan = split(&some, &SplitConfig::default(), Seed(0)).unwrap();
        assert_eq!((names_in(&some, &plan, Split::Train).len(), names_in(&some, &plan, Split::Validation).len()), (1, 1));
        let mut others = all();
        others[0].name = "sim01".into();
        assert!(!recognises(&others));
    }
}

//! By record: for a database of one subject, where nothing can be held out by subject.

use std::collections::BTreeMap;

use physiosynth_signal::{RecordEntry, Seed, Split};
use rand::seq::SliceRandom;

use super::{Assignment, SplitConfig, SplitError, SplitPlan};

/// A kind of record validates only where it has this many, so that training keeps two or more of it beside those that test.
const FEWEST_TO_VALIDATE: usize = 4;

/// Assigns every record to a split by itself, whoever its subject is. `kinds` says for each record what it holds (its events' names):
/// every kind is divided by the shares of the configuration, so that training sees what is tested. A kind with fewer than four records has
/// none that validate; one with a single record trains.
pub fn by_record(entries: &[RecordEntry], kinds: &[String], config: &SplitConfig, seed: Seed) -> Result<SplitPlan, SplitError> {
    config.check()?;
    let mut of_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, kind) in kinds.iter().enumerate().take(entries.len()) {
        of_kind.entry(kind).or_default().push(index);
    }
    let mut splits = vec![Split::Train; entries.len()];
    for (kind, mut members) in of_kind {
        members.shuffle(&mut seed.stream(&format!("split by record: {kind}"), 0));
        let n = members.len();
        let count = |share: f64| if share > 0.0 { ((n as f64 * share).round() as usize).max(1) } else { 0 };
        let test = count(config.test_share).min(n - 1);
        let validation = if n < FEWEST_TO_VALIDATE { 0 } else { count(config.validation_share).min(n - 1 - test) };
        for (place, &index) in members.iter().enumerate().take(test + validation) {
            splits[index] = if place < test { Split::Test } else { Split::Validation };
        }
    }
    let note = "records are held out, not subjects: held-out scores tell how recordings of the same people differ, not people; what needs \
                subjects (privacy, intervals) cannot be assessed";
    let assign = |(entry, &split): (&RecordEntry, &Split)| Assignment::Use { split, subject: entry.subject.clone() };
    Ok(SplitPlan {
        strategy: "random by record, seeded".into(),
        assignments: entries.iter().zip(&splits).map(assign).collect(),
        notes: vec![note.into()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kinds: &[&str], seed: u64) -> Vec<Split> {
        let entry = |i| RecordEntry::of(format!("S001R{i:02}"), "S001");
        let entries: Vec<RecordEntry> = (0..kinds.len()).map(entry).collect();
        let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        let plan = by_record(&entries, &kinds, &SplitConfig::default(), Seed(seed)).unwrap();
        assert!(plan.notes[0].contains("not subjects"));
        let of = |assignment: Assignment| match assignment {
            Assignment::Use { split, subject } => (subject == "S001").then_some(split).unwrap(),
            Assignment::Skip { .. } => panic!("none is left out"),
        };
        plan.assignments.into_iter().map(of).collect()
    }

    #[test]
    fn every_kind_trains_and_tests() {
        let kinds = ["executed", "imagined", "executed", "imagined", "executed", "imagined"];
        for seed in 0..20 {
            let splits = plan(&kinds, seed);
            for kind in ["executed", "imagined"] {
                let count = |wanted| (0..6).filter(|&i| kinds[i] == kind && splits[i] == wanted).count();
                assert_eq!((count(Split::Train), count(Split::Validation), count(Split::Test)), (2, 0, 1), "seed {seed}");
            }
        }
        assert!((1..20).any(|seed| plan(&kinds, seed) != plan(&kinds, 0)));
        assert_eq!(plan(&kinds, 3), plan(&kinds, 3));
    }

    #[test]
    fn many_records_of_a_kind_validate_and_a_single_one_trains() {
        let splits = plan(&["rest"; 10], 1);
        let count = |wanted| splits.iter().filter(|s| **s == wanted).count();
        assert_eq!((count(Split::Train), count(Split::Validation), count(Split::Test)), (6, 2, 2));
        assert_eq!(plan(&["rest"], 1), [Split::Train]);
    }
}

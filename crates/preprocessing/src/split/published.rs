//! The split that a database's authors published with it.

use std::collections::BTreeMap;

use physiosynth_signal::{RecordEntry, Split};

use super::{Assignment, SplitError, SplitPlan};

/// Whether each record is said to be for something, and some for training.
pub(super) fn divides(entries: &[RecordEntry]) -> bool {
    entries.iter().all(|entry| entry.split.is_some()) && entries.iter().any(|entry| entry.split == Some(Split::Train))
}

/// Each record as published. A subject with records in several splits is in the one furthest from training, since what is learned
/// of a person must not be tested on the same person.
pub(super) fn plan(entries: &[RecordEntry]) -> Result<SplitPlan, SplitError> {
    let without = entries.iter().filter(|entry| entry.split.is_none()).count();
    if without > 0 || entries.is_empty() {
        return Err(SplitError::NotPublished { found: entries.len(), without });
    }
    let mut subjects: BTreeMap<&str, Split> = BTreeMap::new();
    let mut moved = 0_usize;
    for (entry, split) in entries.iter().filter_map(|entry| Some((entry, entry.split?))) {
        let held = subjects.entry(&entry.subject).or_insert(split);
        moved += usize::from(*held != split);
        *held = (*held).max(split);
    }
    let mut notes = Vec::new();
    if moved > 0 {
        notes.push(format!("{moved} records are published in another split than others of their subject, who is held out whole"));
    }
    let assign = |entry: &RecordEntry| Assignment::Use {
        split: subjects.get(entry.subject.as_str()).copied().unwrap_or(Split::Train),
        subject: entry.subject.clone(),
    };
    Ok(SplitPlan { strategy: "as published with the database".into(), assignments: entries.iter().map(assign).collect(), notes })
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::super::{SplitConfig, SplitStrategy, split};
    use super::*;

    fn entries(of: &[(&str, Option<Split>)]) -> Vec<RecordEntry> {
        let entry = |(index, (subject, split)): (usize, &(&str, Option<Split>))| RecordEntry {
            split: *split,
            ..RecordEntry::of(format!("r{index}"), *subject)
        };
        of.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn records_are_used_as_published_and_subjects_are_kept_together() {
        let of = [("a", Split::Train), ("b", Split::Validation), ("c", Split::Test), ("d", Split::Train), ("d", Split::Test)];
        let entries = entries(&of.map(|(subject, split)| (subject, Some(split))));
        let plan = split(&entries, &SplitConfig::default(), Seed(1)).unwrap();
        let used = plan.assignments.iter().map(|assignment| match assignment {
            Assignment::Use { split, .. } => *split,
            Assignment::Skip { .. } => Split::Synthetic,
        });
        let expected = [Split::Train, Split::Validation, Split::Test, Split::Test, Split::Test];
        assert_eq!(used.collect::<Vec<_>>(), expected);
        assert!(plan.notes[0].starts_with("1 records"), "{:?}", plan.notes);
    }

    #[test]
    fn a_split_of_some_records_is_none() {
        let entries = entries(&[("a", Some(Split::Train)), ("b", None), ("c", None)]);
        let auto = split(&entries, &SplitConfig::default(), Seed(1)).unwrap();
        assert!(auto.strategy.contains("random"), "{}", auto.strategy);
        let asked = SplitConfig { strategy: SplitStrategy::Published, ..SplitConfig::default() };
        let error = split(&entries, &asked, Seed(1)).unwrap_err().to_string();
        assert!(error.contains("2 of 3"), "{error}");
    }
}

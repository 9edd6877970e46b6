//! Which subjects are trained on, which choose, which test: decided first, from the list of records alone, before any
//! sample is read, so that nothing about a held-out subject can leak into what is fitted.

mod mitdb;
mod published;
mod records;

use std::collections::BTreeMap;

use physiosynth_signal::{RecordEntry, Seed, Split};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

pub use records::by_record;

/// How records are assigned to train, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// How subjects are divided. Default `auto`.
    pub strategy: SplitStrategy,
    /// Share of subjects that validate, in [0, 1): of all subjects with `random`, of the published training subjects with
    /// `mitdb-dechazal`. Default 0.2.
    pub validation_share: f64,
    /// Share of all subjects that test, in [0, 1); `mitdb-dechazal` has its published test set instead. Default 0.2.
    pub test_share: f64,
    /// Keep MIT-BIH record 202 in the test set, though it is of the same person as 201, which trains. Default `false`.
    pub keep_202_in_test: bool,
}

impl Default for SplitConfig {
    fn default() -> Self {
        Self { strategy: SplitStrategy::Auto, validation_share: 0.2, test_share: 0.2, keep_202_in_test: false }
    }
}

impl SplitConfig {
    /// Fails unless the shares are shares.
    fn check(&self) -> Result<(), SplitError> {
        let (validation, test) = (self.validation_share, self.test_share);
        if validation >= 0.0 && test >= 0.0 && validation + test < 1.0 {
            return Ok(());
        }
        Err(SplitError::Shares { validation, test })
    }
}

/// How subjects are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitStrategy {
    /// `mitdb-dechazal` where the records' names are those of the MIT-BIH Arrhythmia Database, `published` where the database's
    /// authors divided all of it, else `random`.
    #[default]
    Auto,
    /// The published inter-patient split of de Chazal, O'Dwyer and Reilly (2004): DS1 trains (some of its subjects
    /// validate), DS2 tests, paced records are left out.
    MitdbDechazal,
    /// What the database says of each record (PTB-XL: its tenths 1 to 8 train, 9 validates, 10 tests).
    Published,
    /// By subject, drawn with the run's seed.
    Random,
    /// By record, whoever the subject is, drawn with the run's seed. Also what `auto` and `random` do with an EEG database of one
    /// subject, where nothing can be held out by subject.
    Record,
}

/// What the split decided about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignment {
    /// It is used.
    Use {
        /// In this split.
        split: Split,
        /// As a recording of this person.
        subject: String,
    },
    /// It is left out.
    Skip {
        /// Why.
        reason: String,
    },
}

/// The split of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitPlan {
    /// The strategy that was used, in words for the report.
    pub strategy: String,
    /// One per record, in the order of the records.
    pub assignments: Vec<Assignment>,
    /// What the user should know about it.
    pub notes: Vec<String>,
}

/// Why a database cannot be split as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// A share is no share.
    #[error(
        "preprocessing.split: validation_share {validation} and test_share {test} must each be at least 0 and together below 1"
    )]
    Shares {
        /// The share that should validate.
        validation: f64,
        /// The share that should test.
        test: f64,
    },
    /// The published MIT-BIH split was asked for, but the records are others.
    #[error(
        "preprocessing.split.strategy is mitdb-dechazal, but none of the {found} records carries the name of a training record \
         of MIT-BIH (101, 106, …); use strategy = \"random\""
    )]
    NotMitdb {
        /// How many records there are.
        found: usize,
    },
    /// The published split was asked for, but there is none.
    #[error(
        "preprocessing.split.strategy is published, but the database says of {without} of {found} records not what they are for; use \
         strategy = \"random\""
    )]
    NotPublished {
        /// How many records there are.
        found: usize,
        /// Of how many nothing is said.
        without: usize,
    },
}

/// Assigns every record of a database to a split, by subject. Uses names and subjects only, and the seed.
pub fn split(entries: &[RecordEntry], config: &SplitConfig, seed: Seed) -> Result<SplitPlan, SplitError> {
    config.check()?;
    match config.strategy {
        SplitStrategy::Auto if mitdb::recognises(entries) => Ok(mitdb::plan(entries, config, seed)),
        SplitStrategy::MitdbDechazal if !mitdb::has_training_record(entries) => {
            Err(SplitError::NotMitdb { found: entries.len() })
        }
        SplitStrategy::MitdbDechazal => Ok(mitdb::plan(entries, config, seed)),
        SplitStrategy::Auto if published::divides(entries) => published::plan(entries),
        SplitStrategy::Published => published::plan(entries),
        SplitStrategy::Auto | SplitStrategy::Random => Ok(random(entries, config, seed)),
        SplitStrategy::Record => by_record(entries, &vec![String::new(); entries.len()], config, seed),
    }
}

/// Subjects in a seeded order; the first test, the next validate, the rest train.
fn random(entries: &[RecordEntry], config: &SplitConfig, seed: Seed) -> SplitPlan {
    let mut notes = Vec::new();
    let mitdb = mitdb::recognises(entries);
    if !mitdb && entries.iter().any(|entry| !entry.subject_known) {
        notes.push("the database does not name its subjects: each record counts as a subject of its own".into());
    }
    let mut subjects: Vec<&str> = entries.iter().map(|entry| subject_of(entry, mitdb)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects.shuffle(&mut seed.stream("split by subject", 0));
    let (test, validation) = sizes(subjects.len(), config, &mut notes);
    let split_of: BTreeMap<&str, Split> = subjects
        .iter()
        .enumerate()
        .map(|(i, &subject)| {
            let split = if i < test {
                Split::Test
            } else if i < test + validation {
                Split::Validation
            } else {
                Split::Train
            };
            (subject, split)
        })
        .collect();
    let assign = |entry: &RecordEntry| {
        let subject = subject_of(entry, mitdb);
        Assignment::Use { split: split_of.get(subject).copied().unwrap_or(Split::Train), subject: subject.into() }
    };
    SplitPlan { strategy: "random by subject, seeded".into(), assignments: entries.iter().map(assign).collect(), notes }
}

/// Who a record is of; MIT-BIH's files do not say what is published, that two of its records are of one person.
fn subject_of(entry: &RecordEntry, mitdb: bool) -> &str {
    if mitdb { mitdb::subject(entry) } else { &entry.subject }
}

/// How many of `subjects` test and validate: the shares, rounded, at least one of each where a share is asked for and three
/// or more subjects allow it; one subject always trains.
fn sizes(subjects: usize, config: &SplitConfig, notes: &mut Vec<String>) -> (usize, usize) {
    match subjects {
        0 => (0, 0),
        1 => {
            notes.push("one subject only: all of it trains; nothing is held out, so no held-out score can be given".into());
            (0, 0)
        }
        2 => {
            let test = usize::from(config.test_share > 0.0);
            let validation = usize::from(test == 0 && config.validation_share > 0.0);
            notes.push(match (test, validation) {
                (1, _) => "two subjects only: one trains, one tests; none is left to validate".into(),
                (_, 1) => "two subjects only: one trains, one validates".into(),
                _ => "two subjects only: both train".into(),
            });
            (test, validation)
        }
        n => {
            let count = |share: f64| if share > 0.0 { ((n as f64 * share).round() as usize).max(1) } else { 0 };
            let test = count(config.test_share).min(n - 1);
            let validation = count(config.validation_share).min(n - 1 - test);
            (test, validation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<RecordEntry> {
        names.iter().map(|n| RecordEntry::of(*n, *n)).collect()
    }

    fn count(plan: &SplitPlan, wanted: Split) -> usize {
        plan.assignments.iter().filter(|a| matches!(a, Assignment::Use { split, .. } if *split == wanted)).count()
    }

    #[test]
    fn random_keeps_a_subject_in_one_split() {
        let mut all = Vec::new();
        for subject in 0..10 {
            for run in 0..3 {
                all.push(RecordEntry::of(format!("S{subject}R{run}"), format!("S{subject}")));
            }
        }
        for seed in 0..20 {
            let plan = split(&all, &SplitConfig::default(), Seed(seed)).unwrap();
            let mut of: BTreeMap<String, Split> = BTreeMap::new();
            for assignment in &plan.assignments {
                let Assignment::Use { split, subject } = assignment else { panic!("none is skipped") };
                assert_eq!(*of.entry(subject.clone()).or_insert(*split), *split);
            }
            assert_eq!((count(&plan, Split::Train), count(&plan, Split::Validation), count(&plan, Split::Test)), (18, 6, 6));
        }
    }

    #[test]
    fn few_subjects_are_split_with_a_note() {
        let config = SplitConfig::default();
        for (names, expected) in [
            (&["a"][..], (1, 0, 0)),
            (&["a", "b"][..], (1, 0, 1)),
            (&["a", "b", "c"][..], (1, 1, 1)),
            (&["a", "b", "c", "d"][..], (2, 1, 1)),
        ] {
            let plan = split(&entries(names), &config, Seed(1)).unwrap();
            let found = (count(&plan, Split::Train), count(&plan, Split::Validation), count(&plan, Split::Test));
            assert_eq!(found, expected, "{names:?}");
            assert_eq!(plan.notes.is_empty(), names.len() >= 3, "{:?}", plan.notes);
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let all = entries(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
        let config = SplitConfig::default();
        let first = split(&all, &config, Seed(1)).unwrap();
        assert_eq!(first, split(&all, &config, Seed(1)).unwrap());
        assert!((2..12).any(|s| split(&all, &config, Seed(s)).unwrap() != first));
    }

    #[test]
    fn unknown_subjects_are_told() {
        let mut all = entries(&["a", "b", "c"]);
        all[1].subject_known = false;
        let plan = split(&all, &SplitConfig::default(), Seed(1)).unwrap();
        assert!(plan.notes[0].contains("each record counts as a subject"), "{:?}", plan.notes);
    }

    #[test]
    fn wrong_shares_and_wrong_database_are_refused() {
        let config = SplitConfig { validation_share: 0.6, test_share: 0.4, ..SplitConfig::default() };
        assert!(split(&entries(&["a"]), &config, Seed(1)).unwrap_err().to_string().contains("together below 1"));
        let config = SplitConfig { test_share: f64::NAN, ..SplitConfig::default() };
        assert!(split(&entries(&["a"]), &config, Seed(1)).is_err());
        let config = SplitConfig { strategy: SplitStrategy::MitdbDechazal, ..SplitConfig::default() };
        assert!(split(&entries(&["a"]), &config, Seed(1)).unwrap_err().to_string().contains("random"));
    }
}

//! The settings that differ between runs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::runs::Run;

/// A setting with each run's value; none where a run does not know it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SettingRow {
    pub(super) key: String,
    pub(super) values: Vec<Option<String>>,
}

/// The settings that are not the same in all runs, by key.
pub(super) fn differing(runs: &[Run]) -> Vec<SettingRow> {
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    let row =
        |key: &String| SettingRow { key: key.clone(), values: runs.iter().map(|run| run.settings.get(key).cloned()).collect() };
    keys.into_iter().map(row).filter(|row| row.values.windows(2).any(|pair| pair[0] != pair[1])).collect()
}

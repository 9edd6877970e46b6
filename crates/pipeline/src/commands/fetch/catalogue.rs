//! What can be fetched: `data/databases.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

static TABLE: &str = include_str!("../../../../../data/databases.toml");

/// A database that can be fetched.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(in crate::commands) struct Entry {
    pub(in crate::commands) title: String,
    pub(in crate::commands) version: String,
    /// Of the folder of this version, which holds the list of checksums; ends with `/`.
    pub(super) address: String,
    pub(in crate::commands) licence: String,
    /// How much there is, roughly.
    pub(super) size: String,
    /// What has to be cited.
    pub(in crate::commands) cite: Vec<String>,
    /// SHA-256 of the list of checksums, where it is known.
    pub(super) list_sha256: Option<String>,
}

impl Entry {
    /// The licence in the few letters that it is known by.
    pub(super) fn licence_short(&self) -> &str {
        self.licence.rsplit_once('(').and_then(|(_, short)| short.strip_suffix(')')).unwrap_or(&self.licence)
    }

    /// What goes with the files, and with what is made from them.
    pub(in crate::commands) fn attribution_text(&self) -> String {
        let cite: String = self.cite.iter().flat_map(|cite| ["- ", cite.as_str(), "\n"]).collect();
        format!(
            "{} {}\n{}\nLicence: {}\n\nWhoever uses these data, or what was made from them, cites:\n\n{cite}",
            self.title, self.version, self.address, self.licence
        )
    }
}

/// All that can be fetched, by short name. The tests read the table, which is part of the program.
pub(super) fn catalogue() -> &'static BTreeMap<String, Entry> {
    static CATALOGUE: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());
    &CATALOGUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_says_what_is_needed() {
        let table: BTreeMap<String, Entry> = toml::from_str(TABLE).unwrap();
        let names: Vec<&str> = table.keys().map(String::as_str).collect();
        let expected = ["afdb", "chbmit", "eegmmidb", "incartdb", "ludb", "mitdb", "nstdb", "ptb-xl", "sleep-edfx", "svdb"];
        assert_eq!(names, expected);
        for (name, entry) in &table {
            let end = format!("{name}/{}/", entry.version);
            assert!(entry.address.starts_with("https://physionet.org/files/") && entry.address.ends_with(&end), "{name}");
            assert!(entry.licence.contains('(') && !entry.licence_short().is_empty() && !entry.cite.is_empty(), "{name}");
            let text = entry.attribution_text();
            assert!(text.contains(&entry.title) && text.contains("Goldberger"), "{name}: {text}");
            assert!(entry.list_sha256.as_ref().is_none_or(|sum| sum.len() == 64), "{name}");
        }
    }
}

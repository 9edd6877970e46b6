//! The documents against the program: `docs/configuration.md` names every setting, no other, and each preset's value.

use std::collections::BTreeMap;
use std::fs;

use crate::support::call;
use toml::{Table, Value};

const DOCUMENT: &str = include_str!("../docs/configuration.md");

/// What the run that asks for the settings changes, so that it is short.
const CHANGED: [(&str, &str); 2] = [("simulator.subjects", "3"), ("simulator.duration_s", "20")];

/// One row of the document: the value of each preset, as TOML.
struct Documented {
    standard: String,
    others: BTreeMap<String, String>,
}

/// Every row of the document by its dotted key. Headings such as `[preprocessing.split]` name the table.
fn documented() -> BTreeMap<String, Documented> {
    let mut rows = BTreeMap::new();
    let mut table = String::new();
    for line in DOCUMENT.lines() {
        if line.starts_with('#') {
            table = line
                .split_once('[')
                .and_then(|(_, rest)| rest.split_once(']'))
                .map_or_else(String::new, |(t, _)| format!("{t}."));
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 4, "a row has key, unit, default and meaning: {line}");
        let key = format!("{table}{}", cells[0].trim_end_matches('`'));
        let mut quoted = cells[2].split('`');
        let (mut standard, mut others) = (String::new(), BTreeMap::new());
        while let (Some(before), Some(value)) = (quoted.next(), quoted.next()) {
            match before.trim_matches([' ', ',', ';']) {
                "" => value.clone_into(&mut standard),
                preset => drop(others.insert(preset.to_owned(), value.to_owned())),
            }
        }
        assert!(!standard.is_empty() && cells[3].len() > 10, "no default or no meaning: {line}");
        assert!(rows.insert(key.clone(), Documented { standard, others }).is_none(), "{key} is described twice");
    }
    rows
}

/// The settings that a run with this preset writes down, by dotted key.
fn resolved(preset: &str) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("run");
    let set = CHANGED.map(|(key, value)| format!("{key}={value}"));
    let (code, _, err) =
        call(&["preprocess", "--preset", preset, "--output", output.to_str().unwrap(), "--set", &set[0], "--set", &set[1]]);
    assert_eq!(code, 0, "{err}");
    let table: Table = fs::read_to_string(output.join("config.toml")).unwrap().parse().unwrap();
    let mut flat = BTreeMap::new();
    flatten(&table, "", &mut flat);
    flat
}

fn flatten(table: &Table, prefix: &str, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => flatten(inner, &format!("{prefix}{key}."), into),
            value => drop(into.insert(format!("{prefix}{key}"), value.clone())),
        }
    }
}

#[test]
fn every_setting_is_described_with_the_value_of_each_preset() {
    let documented = documented();
    for preset in ["quick", "standard", "thorough"] {
        let resolved = resolved(preset);
        let (told, used): (Vec<_>, Vec<_>) = (documented.keys().collect(), resolved.keys().collect());
        assert_eq!(told, used, "docs/configuration.md (left) and config.toml (right) name different settings");
        for (key, row) in &documented {
            if CHANGED.iter().any(|(changed, _)| changed == key) {
                continue;
            }
            let text = row.others.get(preset).unwrap_or(&row.standard);
            let told = format!("value = {text}").parse::<Table>().unwrap()["value"].clone();
            assert_eq!(told, resolved[key], "docs/configuration.md: {key} under {preset}");
        }
    }
}

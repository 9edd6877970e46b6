//! Laying one TOML table over another whose keys are all the keys there are.

use toml::{Table, Value};

/// Lays `upper` over `lower`. `source` names where `upper` is from, for the error.
pub(super) fn lay(lower: &mut Table, upper: Table, source: &str) -> Result<(), String> {
    let mut known = Vec::new();
    paths(lower, "", &mut known);
    lay_at(lower, upper, "", &known).map_err(|problem| format!("{source}: {problem}"))
}

/// Applies one `key=value`. The value is TOML where it parses as such, and else a string.
pub(super) fn set(lower: &mut Table, assignment: &str) -> Result<(), String> {
    let (key, text) = assignment
        .split_once('=')
        .ok_or_else(|| format!("--set {assignment}: expected KEY=VALUE, such as generator.units=64"))?;
    let (key, text) = (key.trim(), text.trim());
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(text.to_string()));
    let mut upper = value;
    for part in key.rsplit('.') {
        upper = Value::Table(Table::from_iter([(part.to_string(), upper)]));
    }
    match upper {
        Value::Table(upper) => lay(lower, upper, &format!("--set {assignment}")),
        _ => Err(format!("--set {assignment}: the key is empty")),
    }
}

fn lay_at(lower: &mut Table, upper: Table, prefix: &str, known: &[String]) -> Result<(), String> {
    for (key, value) in upper {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let Some(slot) = lower.get_mut(&key) else { return Err(unknown(&whole(path, &value), known)) };
        match (slot, value) {
            (Value::Table(slot), Value::Table(value)) => lay_at(slot, value, &path, known)?,
            (Value::Table(_), value) => return Err(format!("{path} is a table of settings, not a value such as {value}")),
            // A whole number where a fraction is expected, as people write them; a bare word where text is.
            (slot @ Value::Float(_), Value::Integer(n)) => *slot = Value::Float(n as f64),
            (slot @ Value::String(_), value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_))) => {
                *slot = Value::String(value.to_string());
            }
            (slot, value) => {
                if slot.type_str() != value.type_str() {
                    return Err(format!("{path} is of type {}, such as {slot}; {value} is not", slot.type_str()));
                }
                *slot = value;
            }
        }
    }
    Ok(())
}

/// The path to the first value under `path`: of a misspelt table, the setting that was meant is found by its name as well.
fn whole(path: String, value: &Value) -> String {
    match value.as_table().and_then(|table| table.iter().next()) {
        Some((key, inner)) => whole(format!("{path}.{key}"), inner),
        None => path,
    }
}

/// Every key, tables included, as dotted paths.
fn paths(table: &Table, prefix: &str, into: &mut Vec<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        if let Value::Table(inner) = value {
            paths(inner, &path, into);
        }
        into.push(path);
    }
}

fn unknown(path: &str, known: &[String]) -> String {
    let mut ranked: Vec<(f64, &String)> = known
        .iter()
        .map(|candidate| {
            // A right name under a wrong table is as near as a misspelt one.
            let last = |p: &str| p.rsplit('.').next().unwrap_or(p).to_string();
            let whole = strsim::jaro_winkler(path, candidate);
            (whole.max(strsim::jaro_winkler(&last(path), &last(candidate)) * 0.95), candidate)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    match ranked.first() {
        Some((score, nearest)) if *score > 0.7 => format!("there is no setting {path}; did you mean {nearest}?"),
        _ => format!("there is no setting {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Table {
        "name = 'x'\nrate = 1.5\ncount = 3\nlist = []\n[inner]\nunits = 2\n".parse().unwrap()
    }

    #[test]
    fn set_parses_values_and_nested_keys() {
        let mut table = base();
        set(&mut table, "inner.units = 5").unwrap();
        set(&mut table, "name=MLII").unwrap();
        set(&mut table, "rate=2").unwrap();
        set(&mut table, "list=['a', 'b']").unwrap();
        assert_eq!(table["inner"]["units"].as_integer(), Some(5));
        assert_eq!(table["name"].as_str(), Some("MLII"));
        assert_eq!(table["rate"].as_float(), Some(2.0));
        assert_eq!(table["list"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn wrong_kinds_and_forms_are_named() {
        let mut table = base();
        for (assignment, word) in [
            ("count=lots", "count is of type integer"),
            ("inner=3", "table of settings"),
            ("units=3", "did you mean inner.units"),
            ("count", "expected KEY=VALUE"),
            ("qqqqqqqq=1", "no setting qqqqqqqq"),
        ] {
            let problem = set(&mut table, assignment).unwrap_err();
            assert!(problem.contains(word), "{assignment}: {problem}");
        }
        assert_eq!(table, base());
    }
}

use std::fmt::Write as _;

use anyhow::Result;
use physiosynth_formats::{Inspection, inspect as inspect_path};
use serde_json::json;

use crate::cli::Inspect;
use crate::files;

/// Prints what is in a record or a database. Problems are part of the answer, not a failure.
pub(crate) fn inspect(arguments: &Inspect) -> Result<()> {
    let records = inspect_path(&arguments.path)?;
    let text =
        if arguments.json { serde_json::to_string_pretty(&json!({ "records": records }))? + "\n" } else { table(&records)? };
    files::print(&text)
}

fn table(records: &[Inspection]) -> Result<String> {
    let mut text = String::new();
    for record in records {
        writeln!(text, "{}  subject {}, {:.1} s", record.name, record.subject, record.duration_s)?;
        for signal in &record.signals {
            let (label, unit, samples) = (&signal.label, &signal.unit, signal.samples);
            writeln!(text, "    {label:<8} {unit:<6} {} Hz, {samples} samples", signal.sampling_frequency_hz)?;
        }
        let codes: Vec<String> = record.annotations.codes.iter().map(|(code, n)| format!("{code} {n}")).collect();
        writeln!(text, "    {} annotations: {}", record.annotations.count, codes.join(", "))?;
        for problem in &record.problems {
            writeln!(text, "    PROBLEM {problem}")?;
        }
    }
    let annotations: usize = records.iter().map(|r| r.annotations.count).sum();
    let problems: usize = records.iter().map(|r| r.problems.len()).sum();
    writeln!(text, "{} records, {annotations} annotations, {problems} problems", records.len())?;
    Ok(text)
}

use anyhow::Result;
use physiosynth_formats::inspect as inspect_path;
use serde_json::json;

use crate::cli::Inspect;

/// Prints what is in a record or a database. Problems are part of the answer, not a failure.
pub(crate) fn inspect(arguments: &Inspect) -> Result<()> {
    let records = inspect_path(&arguments.path)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "records": records }))?);
        return Ok(());
    }
    for record in &records {
        println!("{}  subject {}, {:.1} s", record.name, record.subject, record.duration_s);
        for signal in &record.signals {
            println!(
                "    {:<8} {:<6} {} Hz, {} samples",
                signal.label, signal.unit, signal.sampling_frequency_hz, signal.samples
            );
        }
        let codes: Vec<String> = record.annotations.codes.iter().map(|(code, n)| format!("{code} {n}")).collect();
        println!("    {} annotations: {}", record.annotations.count, codes.join(", "));
        for problem in &record.problems {
            println!("    PROBLEM {problem}");
        }
    }
    let annotations: usize = records.iter().map(|r| r.annotations.count).sum();
    let problems: usize = records.iter().map(|r| r.problems.len()).sum();
    println!("{} records, {annotations} annotations, {problems} problems", records.len());
    Ok(())
}

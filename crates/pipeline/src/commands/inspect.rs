use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use physiosynth_formats::recording::{self, Format, Part, Recording};
use physiosynth_formats::{Inspection, RecordingsConfig, SignalFacts, inspect_recording, inspect_with, open_database_with};
use physiosynth_reporting::draw_record;
use serde_json::json;

use crate::cli::Inspect;
use crate::config::{Config, Flags};
use crate::files;

/// Seconds of a record that are drawn unless told otherwise.
const DRAWN_S: f64 = 10.0;

/// Prints what is in a record or a database, and draws it where asked to. Problems are part of the answer, not a failure.
pub(crate) fn inspect(arguments: &Inspect) -> Result<()> {
    let path = &arguments.path;
    let recordings = recordings(arguments)?;
    let part = Part { from_s: arguments.from.unwrap_or(0.0), to_s: arguments.to, signals: Vec::new() };
    if let Some(picture) = &arguments.plot {
        draw(path, &recordings, &part, picture)?;
    }
    let whole = part == Part::default();
    let database = path.is_dir() || matches!(Format::of(path), Ok(Format::Wfdb | Format::Edf | Format::Bdf) | Err(_));
    let records = if whole && database {
        inspect_with(path, &recordings)?
    } else {
        vec![inspect_recording(&open(path, &recordings)?.part(&part)?)]
    };
    let text = if arguments.json {
        serde_json::to_string_pretty(&json!({ "records": records }))? + "\n"
    } else {
        match records.as_slice() {
            [only] => single(only)?,
            records => table(records)?,
        }
    };
    files::print(&text)?;
    if let Some(picture) = arguments.plot.as_ref().filter(|_| !arguments.json) {
        files::print(&format!("picture: {}\n", picture.display()))?;
    }
    Ok(())
}

/// What is to be known of the files that they do not say themselves.
fn recordings(arguments: &Inspect) -> Result<RecordingsConfig> {
    let path = arguments.config.as_deref();
    let text =
        path.map(|path| std::fs::read_to_string(path).with_context(|| format!("cannot read the settings in {}", path.display())));
    let text = text.transpose()?;
    let file = path.zip(text.as_deref());
    let mut recordings = Config::resolve(file, &Flags { set: &arguments.set, ..Flags::default() })?.recordings;
    if let Some(rate) = arguments.rate {
        recordings.rate = rate.to_string();
    }
    Ok(recordings)
}

fn open(path: &Path, recordings: &RecordingsConfig) -> Result<Recording<'static>> {
    Ok(recording::open(path, &recordings.open_options())?)
}

/// Draws a record.
fn draw(path: &Path, recordings: &RecordingsConfig, part: &Part, picture: &Path) -> Result<()> {
    let mut path = path.to_path_buf();
    if path.is_dir() {
        let database = open_database_with(&path, recordings)?;
        path = database.record_path(0).with_context(|| format!("{} has no records", path.display()))?;
    }
    let recording = open(&path, recordings)?;
    // A little less than the whole of a longer recording shows its waves.
    let to_s = part.to_s.or_else(|| Some(part.from_s + DRAWN_S).filter(|end| *end < recording.duration_s()));
    let record = recording.part(&Part { to_s, ..part.clone() })?.into_record()?;
    files::write_atomically(picture, &draw_record(&record, part.from_s)?)
}

/// `30:05.6`, `1:00:00.0`.
fn clock(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round().max(0.0) as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    let rest = format!("{:02}.{}", rest / 10, rest % 10);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest}") } else { format!("{minutes}:{rest}") }
}

/// `N 2239, A 33, V 1`: the most frequent first.
fn counted(codes: &BTreeMap<String, usize>) -> String {
    let mut codes: Vec<(&String, &usize)> = codes.iter().collect();
    codes.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    codes.iter().map(|(code, n)| format!("{code} {n}")).collect::<Vec<_>>().join(", ")
}

/// One record, a row for each signal.
fn single(record: &Inspection) -> Result<String> {
    let mut text = String::new();
    let duration = format!("{} ({} s)", clock(record.duration_s), (record.duration_s * 1000.0).round() / 1000.0);
    writeln!(text, "{}  subject {}  {duration}", record.name, record.subject)?;
    if !record.signals.is_empty() {
        let rows = record.signals.iter().enumerate().map(|(index, signal)| {
            [
                (index + 1).to_string(),
                signal.label.clone(),
                signal.unit.clone(),
                signal.sampling_frequency_hz.to_string(),
                signal.samples.to_string(),
            ]
        });
        text.push('\n');
        text += &columns(&["no", "signal", "unit", "rate, Hz", "samples"], rows, &[true, false, false, true, true]);
        text.push('\n');
    }
    let codes = counted(&record.annotations.codes);
    let colon = if codes.is_empty() { "" } else { ": " };
    writeln!(text, "{} annotations{colon}{codes}", record.annotations.count)?;
    for problem in &record.problems {
        writeln!(text, "PROBLEM {problem}")?;
    }
    Ok(text)
}

/// Many records, a row for each.
fn table(records: &[Inspection]) -> Result<String> {
    let row = |record: &Inspection| {
        [
            record.name.clone(),
            record.subject.clone(),
            clock(record.duration_s),
            record.signals.len().to_string(),
            signals(&record.signals),
            rates(&record.signals),
            record.annotations.count.to_string(),
            if record.problems.is_empty() { String::new() } else { record.problems.len().to_string() },
        ]
    };
    let names = ["record", "subject", "duration", "signals", "", "rate, Hz", "annotations", "problems"];
    let right = [false, false, true, true, false, true, true, true];
    let mut text = columns(&names, records.iter().map(row), &right);
    text.push('\n');
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for (code, count) in records.iter().flat_map(|record| &record.annotations.codes) {
        *codes.entry(code.clone()).or_insert(0) += count;
    }
    for record in records {
        for problem in &record.problems {
            writeln!(text, "PROBLEM {}: {problem}", record.name)?;
        }
    }
    let annotations: usize = records.iter().map(|r| r.annotations.count).sum();
    let problems: usize = records.iter().map(|r| r.problems.len()).sum();
    let hours = records.iter().map(|r| r.duration_s).sum::<f64>();
    writeln!(text, "{} records, {}, {annotations} annotations, {problems} problems", records.len(), clock(hours))?;
    if !codes.is_empty() {
        writeln!(text, "codes: {}", counted(&codes))?;
    }
    Ok(text)
}

/// The first labels.
fn signals(signals: &[SignalFacts]) -> String {
    /// How many are named.
    const NAMED: usize = 3;
    let mut labels: Vec<&str> = signals.iter().take(NAMED).map(|signal| signal.label.as_str()).collect();
    if signals.len() > NAMED {
        labels.push("…");
    }
    labels.join(" ")
}

/// The sampling frequencies that there are.
fn rates(signals: &[SignalFacts]) -> String {
    let mut rates: Vec<f64> = signals.iter().map(|signal| signal.sampling_frequency_hz).collect();
    rates.sort_by(|a, b| b.total_cmp(a));
    rates.dedup();
    rates.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Rows under their names, in columns as wide as they need; `right` says which are set flush right.
fn columns<const N: usize>(names: &[&str; N], rows: impl Iterator<Item = [String; N]>, right: &[bool; N]) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let length = |text: &str| text.chars().count();
    let widths: [usize; N] = std::array::from_fn(|at| {
        let cell = |row: &[String; N]| row.get(at).map_or(0, |text| length(text));
        rows.iter().map(cell).chain(names.get(at).map(|name| length(name))).max().unwrap_or(0)
    });
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for ((cell, width), right) in cells.iter().zip(widths).zip(right) {
            let blanks = " ".repeat(width - length(cell).min(width));
            let cell = if *right { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") };
            text += &cell;
            text += "  ";
        }
        format!("{}\n", text.trim_end())
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(names.to_vec())).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_columns() {
        assert_eq!((clock(1805.55).as_str(), clock(3600.0).as_str(), clock(0.0).as_str()), ("30:05.6", "1:00:00.0", "0:00.0"));
        let rows = [["a".to_owned(), "10".to_owned()], ["µV".to_owned(), "9".to_owned()]];
        assert_eq!(columns(&["x", "n"], rows.into_iter(), &[false, true]), "x    n\na   10\nµV   9\n");
    }
}

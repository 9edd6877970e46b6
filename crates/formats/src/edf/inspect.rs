//! What is in a file, and all that is wrong with it.

use std::path::Path;

use super::{EdfReadOptions, read};
use crate::inspection::nothing;
use crate::{Inspection, SignalFacts};

/// Inspects a file. Never fails: what is wrong is among the problems.
pub(crate) fn inspect(path: &Path) -> Inspection {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut inspection = nothing(name);
    let recording = match read(path, &EdfReadOptions::default()) {
        Ok(recording) => recording,
        Err(error) => {
            inspection.problems.push(error.to_string());
            return inspection;
        }
    };
    let record = recording.record;
    inspection.duration_s = record.duration_s();
    inspection.signals = record
        .channels
        .iter()
        .map(|channel| SignalFacts {
            label: channel.label.clone(),
            unit: channel.unit.clone(),
            sampling_frequency_hz: channel.sampling_frequency_hz,
            samples: channel.samples.len() as u64,
        })
        .collect();
    inspection.annotations.add(&record.annotations);
    inspection.problems = recording.problems;
    let end = (inspection.duration_s * record.sampling_frequency_hz).round() as i64;
    let outside = record.annotations.iter().filter(|annotation| !(0..=end).contains(&annotation.sample)).count();
    if outside > 0 && !record.channels.is_empty() {
        inspection
            .problems
            .push(format!("{}: {outside} annotations begin before the first sample or after the last", path.display()));
    }
    inspection
}

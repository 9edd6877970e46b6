//! The beats of whole records, synthetic and real, for the evaluation of rhythm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use physiosynth_evaluation::clinical::variability::{RecordBeats, WINDOW_S, annotated_beats};
use physiosynth_formats::open_database;
use physiosynth_signal::{RecordSource, SegmentSet, Split};
use rayon::prelude::*;

use crate::config::Config;
use crate::source::Source;

/// The list of synthetic patients.
const LIST: &str = "RECORDS";
/// Extension of the annotations of WFDB records.
const ANNOTATIONS: &str = "atr";
/// How EDF files are listed.
const EDF: &str = ".edf";

/// The files of the synthetic patients in `share` that hold their annotations.
pub(super) fn files(share: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_to_string(share.join(LIST)).unwrap_or_default();
    let names = list.lines().map(str::trim).filter(|name| !name.is_empty());
    let path = |name: &str| if name.ends_with(EDF) { share.join(name) } else { share.join(name).with_extension(ANNOTATIONS) };
    names.map(path).filter(|path| path.exists()).collect()
}

/// The sequences of beats of the synthetic patients in `share`, and of the database's records that `real` was cut from. The real ones are
/// not read where no synthetic one is long enough for a window of variability; a database that is not there any more is none.
pub(super) fn sequences(config: &Config, real: &SegmentSet, share: &Path) -> Result<Vec<RecordBeats>> {
    let mut sequences = Vec::new();
    if !files(share).is_empty() {
        let patients = open_database(share)?;
        for (index, entry) in patients.entries().iter().enumerate() {
            // No channel has this name: annotations alone are wanted.
            let record = patients.read(index, Some("")).map_err(|error| anyhow!("{error}"))?;
            let beats = annotated_beats(&record.annotations, record.sampling_frequency_hz);
            sequences.push(RecordBeats { subject: entry.name.clone(), split: Split::Synthetic, beats });
        }
    }
    let long = sequences.iter().any(|s| s.beats.last().is_some_and(|beat| beat.time_s >= 0.98 * WINDOW_S));
    if !long {
        return Ok(sequences);
    }
    let Ok(source) = Source::open(config) else { return Ok(sequences) };
    let of_record: BTreeMap<&str, (&str, Split)> =
        real.segments.iter().map(|s| (s.record.as_str(), (s.subject.as_str(), s.split))).collect();
    let entries = source.records.entries();
    let real: Vec<Option<RecordBeats>> = entries
        .par_iter()
        .enumerate()
        .map(|(index, entry)| {
            let &(subject, split) = of_record.get(entry.name.as_str())?;
            // Annotations alone here too. What cannot be read now is left out, as preprocessing did.
            let record = source.records.read(index, Some("")).ok()?;
            let beats = annotated_beats(&record.annotations, record.sampling_frequency_hz);
            Some(RecordBeats { subject: subject.into(), split, beats })
        })
        .collect();
    sequences.extend(real.into_iter().flatten());
    Ok(sequences)
}

//! The beats of whole records, synthetic and real, for the evaluation of rhythm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use physiosynth_evaluation::clinical::variability::{BeatSequence, WINDOW_S, annotated_beats};
use physiosynth_formats::{read_annotations, read_header};
use physiosynth_signal::{SegmentSet, Split};
use rayon::prelude::*;

use crate::config::Config;
use crate::source::Source;

/// Extension of the annotations of synthetic patients.
const ANNOTATIONS: &str = "atr";

/// The annotation files of the synthetic patients in `share`.
pub(super) fn files(share: &Path) -> Vec<PathBuf> {
    patients(share).iter().map(|path| path.with_extension(ANNOTATIONS)).filter(|path| path.exists()).collect()
}

fn patients(share: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_to_string(share.join("RECORDS")).unwrap_or_default();
    list.lines().map(str::trim).filter(|name| !name.is_empty()).map(|name| share.join(name)).collect()
}

/// The sequences of beats of the synthetic patients in `share`, and of the database's records that `real` was cut from. The real ones are
/// not read where no synthetic one is long enough for a window of variability; a database that is not there any more is none.
pub(super) fn sequences(config: &Config, real: &SegmentSet, share: &Path) -> Result<Vec<BeatSequence>> {
    let mut sequences = Vec::new();
    for path in patients(share) {
        let rate = read_header(&path)?.sampling_frequency();
        let subject = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let beats = annotated_beats(&read_annotations(&path, ANNOTATIONS)?, rate);
        sequences.push(BeatSequence { subject, split: Split::Synthetic, beats });
    }
    let long = sequences.iter().any(|s| s.beats.last().is_some_and(|beat| beat.time_s >= 0.98 * WINDOW_S));
    if !long {
        return Ok(sequences);
    }
    let Ok(source) = Source::open(config) else { return Ok(sequences) };
    let of_record: BTreeMap<&str, (&str, Split)> =
        real.segments.iter().map(|s| (s.record.as_str(), (s.subject.as_str(), s.split))).collect();
    let entries = source.records.entries();
    let real: Vec<Option<BeatSequence>> = entries
        .par_iter()
        .enumerate()
        .map(|(index, entry)| {
            let &(subject, split) = of_record.get(entry.name.as_str())?;
            // No channel has this name: annotations alone are wanted. What cannot be read now is left out, as preprocessing did.
            let record = source.records.read(index, Some("")).ok()?;
            let beats = annotated_beats(&record.annotations, record.sampling_frequency_hz);
            Some(BeatSequence { subject: subject.into(), split, beats })
        })
        .collect();
    sequences.extend(real.into_iter().flatten());
    Ok(sequences)
}

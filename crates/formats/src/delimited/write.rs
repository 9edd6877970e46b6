use std::io::Write as _;
use std::path::Path;

use physiosynth_signal::{Channel, Record};

use super::table;
use crate::FormatError;
use crate::recording::Recording;
use crate::replace::Partial;

/// Tab for `.tsv`, else a comma.
pub(super) fn delimiter_for(path: &Path) -> char {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv")) { '\t' } else { ',' }
}

/// Writes a record's signals; tabs between the fields where the extension is `.tsv`, else commas.
///
/// A signal that is slower than the fastest has to fit into its rows: one row in 2, in 3, ….
pub fn write_record(path: &Path, record: &Record) -> Result<(), FormatError> {
    write_recording(path, &mut Recording::of(record)).map(drop)
}

/// As [`write_record`], from a recording that is read in parts; gives a sentence for each thing that has no place.
pub fn write_recording(path: &Path, recording: &mut Recording) -> Result<Vec<String>, FormatError> {
    let delimiter = delimiter_for(path);
    let fastest = recording.fastest_hz();
    let channels = &recording.record.channels;
    let steps: Vec<usize> = channels.iter().map(|channel| step(path, channel, fastest)).collect::<Result<_, FormatError>>()?;
    let ends = recording.lengths().iter().zip(&steps).filter(|(length, _)| **length > 0);
    let rows = ends.map(|(&length, &step)| (length - 1) * step as u64 + 1).max().unwrap_or(0);
    let mut bytes = b"time_s".to_vec();
    for channel in channels {
        // Writing to memory cannot fail, here and below.
        let _ = write!(bytes, "{delimiter}{}", table::quoted(&channel.label, delimiter));
    }
    bytes.push(b'\n');
    let mut file = Partial::new(path)?;
    let mut row = 0_u64;
    recording.each_block(&mut |block| {
        // The block ends with the row before that of the next sample of each channel.
        let mut samples: Vec<_> = block.iter().map(|samples| samples.iter()).collect();
        while row < rows {
            let due = |(left, step): (&std::slice::Iter<f32>, &usize)| row.is_multiple_of(*step as u64) && left.len() > 0;
            if !samples.iter().zip(&steps).any(due) && samples.iter().all(|left| left.len() == 0) {
                break;
            }
            let _ = write!(bytes, "{}", row as f64 / fastest);
            for (left, &step) in samples.iter_mut().zip(&steps) {
                let sample = if row.is_multiple_of(step as u64) { left.next().copied() } else { None };
                put(&mut bytes, delimiter, sample.unwrap_or(f32::NAN));
            }
            bytes.push(b'\n');
            row += 1;
            if bytes.len() >= PIECE {
                file.put(&bytes)?;
                bytes.clear();
            }
        }
        Ok(())
    })?;
    file.put(&bytes)?;
    file.commit()?;
    Ok(losses(&recording.record))
}

/// Bytes that are put into the file at a time.
const PIECE: usize = 1 << 18;

/// Appends a delimiter and a sample.
fn put(bytes: &mut Vec<u8>, delimiter: char, sample: f32) {
    let _ = bytes.write_all(delimiter.encode_utf8(&mut [0; 4]).as_bytes());
    let _ = match sample {
        sample if sample.is_nan() => bytes.write_all(b"NaN"),
        // As few digits as tell the number from its neighbours.
        sample if sample != 0.0 && !(1e-5..1e9).contains(&sample.abs()) => write!(bytes, "{sample:e}"),
        sample => write!(bytes, "{sample}"),
    };
}

/// What a text has no place for.
fn losses(record: &Record) -> Vec<String> {
    let mut units: Vec<&str> =
        record.channels.iter().map(|channel| channel.unit.as_str()).filter(|unit| !unit.is_empty()).collect();
    units.dedup();
    let mut warnings = Vec::new();
    if !units.is_empty() {
        warnings.push(format!("text has no place for units: the signals are in {}", units.join(", ")));
    }
    if let Some(start) = &record.start {
        warnings.push(format!("text has no place for the start time, {start}"));
    }
    if !record.comments.is_empty() {
        warnings.push(format!("text has no place for {} lines about subject and recording", record.comments.len()));
    }
    warnings
}

/// How many rows one sample of a channel takes.
fn step(path: &Path, channel: &Channel, fastest: f64) -> Result<usize, FormatError> {
    let ratio = fastest / channel.sampling_frequency_hz;
    let whole = ratio.round();
    if channel.sampling_frequency_hz > 0.0 && (1.0..=1e9).contains(&whole) && (ratio - whole).abs() <= 1e-9 * whole {
        return Ok(whole as usize);
    }
    Err(FormatError::Unwritable {
        path: path.to_path_buf(),
        cause: format!(
            "channel '{}' has {} samples per second, which do not fall on those of the fastest, {fastest}",
            channel.label, channel.sampling_frequency_hz
        ),
        remedy: "resample the channel, or write it to a file of its own",
    })
}

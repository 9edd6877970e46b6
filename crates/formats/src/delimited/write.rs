use std::io::Write as _;
use std::path::Path;

use physiosynth_signal::{Channel, Record};

use super::table;
use crate::FormatError;
use crate::replace::replace_file;

/// Tab for `.tsv`, else a comma.
pub(super) fn delimiter_for(path: &Path) -> char {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv")) { '\t' } else { ',' }
}

/// Writes a record's signals; tabs between the fields where the extension is `.tsv`, else commas.
///
/// A signal that is slower than the fastest has to fit into its rows: one row in 2, in 3, ….
pub fn write_record(path: &Path, record: &Record) -> Result<(), FormatError> {
    let delimiter = delimiter_for(path);
    let fastest = record.channels.iter().map(|channel| channel.sampling_frequency_hz).fold(0.0, f64::max);
    let steps: Vec<usize> =
        record.channels.iter().map(|channel| step(path, channel, fastest)).collect::<Result<_, FormatError>>()?;
    let ends = record.channels.iter().zip(&steps).filter(|(channel, _)| !channel.samples.is_empty());
    let rows = ends.map(|(channel, step)| (channel.samples.len() - 1) * step + 1).max().unwrap_or(0);
    let mut bytes = b"time_s".to_vec();
    for channel in &record.channels {
        // Writing to memory cannot fail, here and below.
        let _ = write!(bytes, "{delimiter}{}", table::quoted(&channel.label, delimiter));
    }
    bytes.push(b'\n');
    for row in 0..rows {
        let _ = write!(bytes, "{}", row as f64 / fastest);
        for (channel, &step) in record.channels.iter().zip(&steps) {
            let sample = if row % step == 0 { channel.samples.get(row / step).copied() } else { None };
            let _ = bytes.write_all(delimiter.encode_utf8(&mut [0; 4]).as_bytes());
            let _ = match sample.unwrap_or(f32::NAN) {
                sample if sample.is_nan() => bytes.write_all(b"NaN"),
                // As few digits as tell the number from its neighbours.
                sample if sample != 0.0 && !(1e-5..1e9).contains(&sample.abs()) => write!(bytes, "{sample:e}"),
                sample => write!(bytes, "{sample}"),
            };
        }
        bytes.push(b'\n');
    }
    replace_file(path, &bytes)
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

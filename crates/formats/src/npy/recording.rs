//! A recording as an array `[time, channel]`.

use std::path::Path;

use super::header;
use crate::FormatError;
use crate::recording::Recording;
use crate::replace::Partial;

/// Writes the signals of a recording, which have to be of one sampling frequency and length, as an array of `float32` in physical
/// units, NaN where missing; gives a sentence for each thing that has no place.
pub fn write_recording(path: &Path, recording: &mut Recording) -> Result<Vec<String>, FormatError> {
    let lengths = recording.lengths();
    let (columns, rows) = (lengths.len(), lengths.first().copied().unwrap_or(0));
    let fastest = recording.fastest_hz();
    if let Some(other) =
        recording.record.channels.iter().zip(lengths).find(|(c, n)| c.sampling_frequency_hz != fastest || **n != rows)
    {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!(
                "channel '{}' has {} samples per second, others {fastest}",
                other.0.label, other.0.sampling_frequency_hz
            ),
            remedy: "an array has one sampling frequency: choose signals of one, or write HDF5",
        });
    }
    let labels: Vec<&str> = recording.record.channels.iter().map(|channel| channel.label.as_str()).collect();
    let warnings = vec![format!(
        "an array holds samples alone: its columns are {}, at {fastest} Hz; annotations, units, start and comments have no place",
        labels.join(", ")
    )];
    let count = (rows as usize).saturating_mul(columns);
    let mut file = Partial::new(path)?;
    file.put(&header::encode(path, "<f4", &[rows as usize, columns], count)?)?;
    recording.each_block(&mut |block| {
        let length = block.first().map_or(0, Vec::len);
        let mut bytes = vec![0; 4 * columns * length];
        for (column, samples) in block.iter().enumerate() {
            let slots = bytes.chunks_exact_mut(4).skip(column).step_by(columns);
            slots.zip(samples).for_each(|(slot, sample)| slot.copy_from_slice(&sample.to_le_bytes()));
        }
        file.put(&bytes)
    })?;
    file.commit()?;
    Ok(warnings)
}

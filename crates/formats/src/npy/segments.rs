//! Segments as arrays: signals `[segment, channel, time]` or `[segment, time]`, labels in an array or a text file beside them.

use std::path::Path;

use ndarray::{Array2, Array3};
use physiosynth_signal::{Segment, SegmentSet, Split};

use super::{Values, read_array, write_f32, write_text};
use crate::FormatError;
use crate::replace::replace_file;

/// What arrays of signals do not say themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentOptions {
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// Names of the channels; `channel 1` and so on where there are too few.
    pub channel_names: Vec<String>,
    /// Unit of all channels.
    pub unit: String,
    /// Which split the segments are in.
    pub split: Split,
}

/// Reads segments from an array `[segment, channel, time]` or `[segment, time]` of numbers, in any order and byte order.
///
/// `labels` names an array of one text or whole number per segment, or a text file of a line per segment; without it labels are
/// empty. Samples are taken as physical values: scale 1, offset 0. The subject of each segment is the file's name.
pub fn read_segments(signals: &Path, labels: Option<&Path>, options: &SegmentOptions) -> Result<SegmentSet, FormatError> {
    let array = read_array(signals)?;
    let malformed = |path: &Path, cause: String| FormatError::Malformed {
        path: path.to_path_buf(),
        place: "shape".into(),
        cause,
        remedy: "write signals as [segment, channel, time] or [segment, time], and a label for each segment",
    };
    let (segments, channels, time) = match array.shape[..] {
        [segments, time] => (segments, 1, time),
        [segments, channels, time] => (segments, channels, time),
        _ => return Err(malformed(signals, format!("signals have 2 or 3 axes, not {}", array.shape.len()))),
    };
    let values = array.values.into_f32().ok_or_else(|| malformed(signals, "signals are numbers, not texts".into()))?;
    let shape = |_| malformed(signals, "the values do not fill the shape".into());
    let by_channel = Array3::from_shape_vec((segments, channels, time), values).map_err(shape)?;
    let labels = match labels {
        Some(path) => texts_of(path)?,
        None => vec![String::new(); segments],
    };
    if labels.len() != segments {
        return Err(malformed(signals, format!("there are {segments} segments and {} labels", labels.len())));
    }
    let name = signals.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let segment = |label: String| Segment::new(label, name.clone(), options.split);
    let names = (0..channels)
        .map(|index| options.channel_names.get(index).cloned().unwrap_or_else(|| format!("channel {}", index + 1)))
        .collect();
    let mut set = SegmentSet::empty(time, options.sampling_frequency_hz, 0, names, vec![options.unit.clone(); channels]);
    set.signals = by_channel.permuted_axes([0, 2, 1]).as_standard_layout().into_owned();
    set.scale = Array2::ones((segments, channels));
    set.offset = Array2::zeros((segments, channels));
    set.segments = labels.into_iter().map(segment).collect();
    Ok(set)
}

/// Labels, or other names, from an array or a text file.
pub(super) fn texts_of(path: &Path) -> Result<Vec<String>, FormatError> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        let array = read_array(path)?;
        return match (array.shape.len(), array.values) {
            (1, values @ (Values::Integer(_) | Values::Text(_))) => Ok(values.into_text()),
            _ => Err(FormatError::Malformed {
                path: path.to_path_buf(),
                place: "shape".into(),
                cause: "labels are texts or whole numbers along one axis".into(),
                remedy: "write labels as an array of one axis, or as a text file of a line each",
            }),
        };
    }
    let text = std::fs::read_to_string(path).map_err(FormatError::io(path, "read the labels"))?;
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

/// Writes segments in physical units as an array of `float32` `[segment, channel, time]` and, where `labels` names a file, their
/// labels: as an array of texts (`.npy`), else as a text file of a line each.
pub fn write_segments(signals: &Path, labels: Option<&Path>, set: &SegmentSet) -> Result<(), FormatError> {
    let (segments, time, channels) = set.signals.dim();
    let mut values = Vec::with_capacity(set.signals.len());
    for (segment, (scale, offset)) in set.signals.outer_iter().zip(set.scale.outer_iter().zip(set.offset.outer_iter())) {
        for (signal, (scale, offset)) in segment.columns().into_iter().zip(scale.iter().zip(offset)) {
            values.extend(signal.iter().map(|sample| sample * scale + offset));
        }
    }
    write_f32(signals, &[segments, channels, time], &values)?;
    let Some(path) = labels else { return Ok(()) };
    let texts: Vec<String> = set.segments.iter().map(|segment| segment.label.clone()).collect();
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        return write_text(path, &texts);
    }
    let text: String = texts.iter().flat_map(|label| [label.as_str(), "\n"]).collect();
    replace_file(path, text.as_bytes())
}

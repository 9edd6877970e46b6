//! Segments as any program that has NumPy saves them: `X.npy` with the signals, and beside it arrays named after it with what is known of
//! each segment.
//!
//! | file | one for each segment |
//! |---|---|
//! | `X.npy` | signals `[segment, time]`, `[segment, time, channel]` or `[segment, channel, time]`, physical values |
//! | `X.labels.npy` or `.txt` | class: a text or a whole number |
//! | `X.subjects.npy` or `.txt` | subject |
//! | `X.derived_from.npy` or `.txt` | the real subject that a synthetic segment was made from |
//! | `X.rr.npy` | `[segment, 2]`: seconds since the beat before and to the next one, NaN where unknown |
//!
//! All but the first may be missing: their fields stay empty, or NaN.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3};
use physiosynth_signal::{Segment, SegmentSet};

use super::segments::texts_of;
use super::{SegmentOptions, read_array};
use crate::FormatError;

/// The order of the last two axes of an array of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axes {
    /// `[segment, time, channel]`.
    TimeChannel,
    /// `[segment, channel, time]`.
    ChannelTime,
}

/// What may stand beside `X.npy`, by the word between its name and the extension.
const COMPANIONS: [&str; 4] = ["labels", "subjects", "derived_from", "rr"];

/// The files beside `signals` that [`read_with_companions`] reads.
pub fn companions(signals: &Path) -> Vec<PathBuf> {
    COMPANIONS.iter().filter_map(|what| companion(signals, what)).collect()
}

fn companion(signals: &Path, what: &str) -> Option<PathBuf> {
    ["npy", "txt"].into_iter().map(|extension| signals.with_extension(format!("{what}.{extension}"))).find(|path| path.is_file())
}

/// Reads signals and what stands beside them, and says in which order the last two axes were taken: as `axes` says, else the shorter one
/// for channels. Scale is 1, offset 0; the record of a segment is the file's name.
pub fn read_with_companions(
    signals: &Path,
    axes: Option<Axes>,
    options: &SegmentOptions,
) -> Result<(SegmentSet, Axes), FormatError> {
    let array = read_array(signals)?;
    let malformed = |cause: String| FormatError::Malformed {
        path: signals.to_path_buf(),
        place: "shape".into(),
        cause,
        remedy: "save numbers as [segment, time], [segment, time, channel] or [segment, channel, time]",
    };
    let (segments, axes, [second, third]) = match (array.shape.as_slice(), axes) {
        (&[segments, time], _) => (segments, Axes::TimeChannel, [time, 1]),
        (&[segments, second, third], axes) => {
            let shorter_last = if third <= second { Axes::TimeChannel } else { Axes::ChannelTime };
            (segments, axes.unwrap_or(shorter_last), [second, third])
        }
        _ => return Err(malformed(format!("signals have 2 or 3 axes, not {}", array.shape.len()))),
    };
    let values = array.values.into_f32().ok_or_else(|| malformed("signals are numbers, not texts".into()))?;
    let mut cube = Array3::from_shape_vec((segments, second, third), values)
        .map_err(|_| malformed("the values do not fill the shape".into()))?;
    if axes == Axes::ChannelTime {
        cube = cube.permuted_axes([0, 2, 1]).as_standard_layout().into_owned();
    }
    let (_, time, channels) = cube.dim();
    let names = |index: usize| options.channel_names.get(index).cloned().unwrap_or_else(|| format!("channel {}", index + 1));
    let units = vec![options.unit.clone(); channels];
    let mut set = SegmentSet::empty(time, options.sampling_frequency_hz, 0, (0..channels).map(names).collect(), units);
    set.signals = cube;
    set.scale = Array2::ones((segments, channels));
    set.offset = Array2::zeros((segments, channels));
    set.segments = described(signals, segments, options)?;
    Ok((set, axes))
}

fn described(signals: &Path, segments: usize, options: &SegmentOptions) -> Result<Vec<Segment>, FormatError> {
    let texts = |what: &str| -> Result<Vec<String>, FormatError> {
        let Some(path) = companion(signals, what) else { return Ok(vec![String::new(); segments]) };
        let texts = texts_of(&path)?;
        counted(&path, texts.len(), segments)?;
        Ok(texts)
    };
    let (labels, subjects, sources) = (texts("labels")?, texts("subjects")?, texts("derived_from")?);
    let rr = intervals(signals, segments)?;
    let record = signals.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let rows = labels.into_iter().zip(subjects).zip(sources).zip(rr);
    Ok(rows
        .map(|(((label, subject), derived_from), [rr_before_s, rr_after_s])| Segment {
            record: record.clone(),
            rr_before_s,
            rr_after_s,
            derived_from,
            ..Segment::new(label, subject, options.split)
        })
        .collect())
}

fn counted(path: &Path, found: usize, segments: usize) -> Result<(), FormatError> {
    if found == segments {
        return Ok(());
    }
    Err(FormatError::Malformed {
        path: path.to_path_buf(),
        place: "shape".into(),
        cause: format!("there are {segments} segments, and {found} values here"),
        remedy: "save one value for each segment, in the same order",
    })
}

fn intervals(signals: &Path, segments: usize) -> Result<Vec<[f32; 2]>, FormatError> {
    let Some(path) = companion(signals, "rr") else { return Ok(vec![[f32::NAN; 2]; segments]) };
    let array = read_array(&path)?;
    let shape = array.shape.clone();
    let wrong = || FormatError::Malformed {
        path: path.clone(),
        place: "shape".into(),
        cause: format!("RR intervals are numbers of shape ({segments}, 2), not {shape:?}"),
        remedy: "save the seconds since the beat before and to the next one for each segment",
    };
    let values = array.values.into_f32().filter(|_| array.shape == [segments, 2]).ok_or_else(wrong)?;
    Ok(values.as_chunks::<2>().0.to_vec())
}

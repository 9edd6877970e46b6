//! Recordings in HDF5: a layout of our own, and what other programs write.
//!
//! **Our layout**, readable with h5py as it is:
//!
//! | dataset | type, shape | what |
//! |---|---|---|
//! | `signals` | float32 `[time, channel]` | samples in physical units, NaN where missing; chunked, shuffled, deflated |
//! | `signals_2`, … `signals_12` | the same | channels of other sampling frequencies, one dataset for each |
//! | `annotation_sample`, `annotation_duration` | int64 | in samples at the record's sampling frequency |
//! | `annotation_time_s` | float64 | the same position in seconds |
//! | `annotation_code`, `annotation_aux` | UTF-8 of fixed size | what is marked; text |
//! | `annotation_subtype`, `annotation_channel`, `annotation_number` | int32 | the MIT format's fields |
//!
//! Attributes of each `signals`: `sampling_frequency_hz`, `channel_names`, `channel_units`, `channel_index` (which channel of the
//! record each column is, from 0), and how samples were digitised, so that a file that was converted can be converted back: `gain`,
//! `baseline` (NaN where unknown), `adc_resolution`, `adc_zero`. Attributes of the file: `format` (`physiosynth record`),
//! `format_version` (1), `name`, `subject`, `sampling_frequency_hz`, `start`, `comments`. The annotation datasets are absent where
//! there are no annotations.
//!
//! **Files of other programs**: see [`Hdf5ReadOptions`].

mod foreign;
mod read;
mod window;
mod write;

use std::path::Path;

use crate::FormatError;
pub(crate) use read::open;
pub use write::write_recording;

/// `format` attribute of our own files of records.
const FORMAT: &str = "physiosynth record";
/// `format` attribute of our own files of segments.
const SEGMENTS: &str = "physiosynth segments";
/// Version of the layout above; readers refuse a newer one.
const FORMAT_VERSION: i64 = 1;
/// Names of the datasets of signals.
const SIGNALS: [&str; 12] = [
    "signals",
    "signals_2",
    "signals_3",
    "signals_4",
    "signals_5",
    "signals_6",
    "signals_7",
    "signals_8",
    "signals_9",
    "signals_10",
    "signals_11",
    "signals_12",
];

/// What the axes of a dataset of signals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axes {
    /// `[time, channel]`: how NumPy users mostly have it.
    TimeChannel,
    /// `[channel, time]`: so MNE, and so a MATLAB matrix of one column per channel, whose axes HDF5 has in the opposite order.
    ChannelTime,
}

/// How to read a file that another program wrote (h5py, MATLAB 7.3): what it does not say itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hdf5ReadOptions {
    /// Path of the dataset with the signals: `signals`, `ecg/lead1`. The only one of numbers with one or two axes and more than
    /// one value where `None`.
    pub signals: Option<String>,
    /// What its axes are; the longer one is time where `None`. A dataset of one axis is one channel.
    pub axes: Option<Axes>,
    /// Samples per second. Where `None`, an attribute of the dataset, of the groups it is in, or a dataset of one number:
    /// `sampling_frequency_hz`, `sampling_frequency`, `sampling_rate`, `sample_rate`, `sfreq`, `fs`, `Fs`, `rate`, `srate`.
    pub rate_hz: Option<f64>,
    /// Path of a dataset of one number with the sampling frequency, or of an attribute (`ecg@fs`).
    pub rate_path: Option<String>,
    /// Names of the channels. Where empty, an attribute `channel_names`, `channels`, `ch_names`, `labels`, or `channel 1`, ….
    pub names: Vec<String>,
    /// Unit of the channels. Where `None`, an attribute `channel_units`, `units`, `unit`, or none.
    pub unit: Option<String>,
}

/// Whether a file is in HDF5, which may begin behind another header, as MATLAB's do.
pub fn is_hdf5(path: &Path) -> bool {
    hdf5_pure::is_hdf5(path).unwrap_or(false)
}

/// Whether a file holds segments, ours or of the same form: `signals` with three axes.
pub fn holds_segments(path: &Path) -> bool {
    let Ok(file) = hdf5_pure::File::open_streaming(path) else { return false };
    let stated = file.root().attrs().ok().and_then(|attributes| Some(attributes.get("format")?.as_str()? == SEGMENTS));
    stated.unwrap_or_else(|| file.dataset("signals").and_then(|dataset| dataset.shape()).is_ok_and(|shape| shape.len() == 3))
}

fn malformed(path: &Path, place: &str, cause: String, remedy: &'static str) -> FormatError {
    FormatError::Malformed { path: path.to_path_buf(), place: place.to_owned(), cause, remedy }
}

fn unreadable(path: &Path, place: &str, error: &hdf5_pure::Error) -> FormatError {
    malformed(path, place, error.to_string(), "it is damaged, cut short or no HDF5 file: write or fetch it again")
}

#[cfg(test)]
mod tests;

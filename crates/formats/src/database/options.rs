use serde::{Deserialize, Serialize};

use crate::recording::OpenOptions;
use crate::{delimited, hdf5};

/// What is to be known of a database's files that they do not say themselves. WFDB, EDF and BDF need none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingsConfig {
    /// Samples per second of HDF5, CSV and `.npy` files; of HDF5 also the path of a dataset (`info/fs`) or an attribute (`ecg@fs`)
    /// that holds it. Empty: what the file says. Default empty.
    pub rate: String,
    /// Unit of the signals of HDF5, CSV and `.npy` files. Empty: what the file says. Default empty.
    pub unit: String,
    /// Path of the dataset of signals in HDF5 files of other programs. Empty: the only one there is. Default empty.
    pub hdf5_signals: String,
    /// What the axes of that dataset are. Default `auto`.
    pub axes: AxesChoice,
    /// Names of its channels. Empty: what the file says. Default empty.
    pub labels: Vec<String>,
    /// Name or number (from 1) of the column of times in CSV files. Empty: by its name. Default empty.
    pub time_column: String,
    /// Names or numbers (from 1) of the columns to read of CSV files. Empty: all but the times. Default empty.
    pub columns: Vec<String>,
}

/// What the axes of a dataset of signals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AxesChoice {
    /// The longer one is time.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// `[time, channel]`.
    #[serde(rename = "time,channel")]
    TimeChannel,
    /// `[channel, time]`.
    #[serde(rename = "channel,time")]
    ChannelTime,
}

impl RecordingsConfig {
    /// The same for one file.
    pub fn open_options(&self) -> OpenOptions {
        let stated = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let rate_hz = self.rate.parse().ok();
        OpenOptions {
            rate_hz,
            unit: stated(&self.unit),
            hdf5: hdf5::Hdf5ReadOptions {
                signals: stated(&self.hdf5_signals),
                axes: match self.axes {
                    AxesChoice::Auto => None,
                    AxesChoice::TimeChannel => Some(hdf5::Axes::TimeChannel),
                    AxesChoice::ChannelTime => Some(hdf5::Axes::ChannelTime),
                },
                rate_path: stated(&self.rate).filter(|_| rate_hz.is_none()),
                names: self.labels.clone(),
                ..hdf5::Hdf5ReadOptions::default()
            },
            delimited: delimited::TextReadOptions {
                time_column: stated(&self.time_column),
                columns: self.columns.clone(),
                ..delimited::TextReadOptions::default()
            },
            ..OpenOptions::default()
        }
    }
}

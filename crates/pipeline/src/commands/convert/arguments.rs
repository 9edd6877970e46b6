//! What may be typed behind `convert`.

use std::path::PathBuf;

use clap::Args;
use physiosynth_formats::recording::{OpenOptions, Part};
use physiosynth_formats::{SignalFormat, delimited, hdf5};

use super::output::Kind;

const EXAMPLES: &str = "Examples:
  physiosynth convert mitdb/100 100.csv                         with 100.annotations.csv beside it
  physiosynth convert mitdb/100 100.edf --from 60 --to 0:02:00  a minute of it
  physiosynth convert S001R03.edf out/S001R03.hea --signals C3..,C4..
  physiosynth convert mitdb mitdb-edf/ --format edf             every record of a database
  physiosynth convert sheet.csv sheet.h5 --rate 250 --unit mV
  physiosynth convert study.mat study.edf --hdf5-signals ecg/data --rate ecg@fs --axes channel,time
  physiosynth convert synthetic.h5 synthetic.npy                segments, with synthetic.labels.txt

What a format cannot hold is told as a warning. docs/formats.md says what becomes of what.";

/// Options of `convert`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Convert {
    /// A record (WFDB with or without .hea, EDF, BDF, CSV, TSV, HDF5, MATLAB 7.3, .npy), a file of segments, or a folder of records.
    #[arg(value_name = "IN")]
    pub(super) input: PathBuf,
    /// A file whose extension names the format (.hea, .edf, .bdf, .csv, .tsv, .h5, .npy), or a folder.
    #[arg(value_name = "OUT")]
    pub(super) output: PathBuf,
    /// The format, where OUT is a folder [default: wfdb].
    #[arg(long, value_enum)]
    pub(super) format: Option<Kind>,
    /// The signal format of WFDB files: 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524, or flac for 516 [default: the
    /// narrowest of 16, 24 and 32 that holds the digital values].
    #[arg(long, value_name = "N", value_parser = signal_format)]
    pub(super) wfdb_format: Option<SignalFormat>,
    /// Where to begin: seconds after the first sample, or mm:ss or hh:mm:ss.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) from: Option<f64>,
    /// Where to end: seconds after the first sample, or mm:ss or hh:mm:ss.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) to: Option<f64>,
    /// Only these signals, in this order: labels, or numbers from 1.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub(super) signals: Vec<String>,
    /// Take the annotations from this file: CSV, TSV, EDF+ or WFDB.
    #[arg(long, value_name = "FILE")]
    pub(super) annotations: Option<PathBuf>,
    /// Extension of a WFDB record's annotation file [default: atr].
    #[arg(long, value_name = "EXT")]
    pub(super) annotator: Option<String>,
    /// Samples per second, for CSV, HDF5 and .npy; for HDF5 also the path of a dataset or an attribute (ecg@fs) that holds it.
    #[arg(long, value_name = "HZ|PATH")]
    pub(super) rate: Option<String>,
    /// Unit of the signals, for CSV, HDF5 and .npy.
    #[arg(long)]
    pub(super) unit: Option<String>,
    /// Name or number (from 1) of the column of times in CSV [default: by its name].
    #[arg(long, value_name = "NAME")]
    pub(super) time_column: Option<String>,
    /// Path of the dataset of signals in an HDF5 file of another program [default: the only one there is].
    #[arg(long, value_name = "PATH")]
    pub(super) hdf5_signals: Option<String>,
    /// Its axes: time,channel or channel,time [default: the longer is time].
    #[arg(long, value_name = "AXES", value_parser = axes)]
    pub(super) axes: Option<hdf5::Axes>,
    /// Names of its channels.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub(super) labels: Vec<String>,
}

impl Convert {
    /// How to open a recording.
    pub(super) fn open_options(&self) -> OpenOptions {
        let rate_hz = self.rate.as_ref().and_then(|rate| rate.parse().ok());
        let rate_path = self.rate.clone().filter(|_| rate_hz.is_none());
        OpenOptions {
            rate_hz,
            unit: self.unit.clone(),
            hdf5: hdf5::Hdf5ReadOptions {
                signals: self.hdf5_signals.clone(),
                axes: self.axes,
                rate_path,
                names: self.labels.clone(),
                ..hdf5::Hdf5ReadOptions::default()
            },
            delimited: delimited::TextReadOptions {
                time_column: self.time_column.clone(),
                ..delimited::TextReadOptions::default()
            },
            annotator: self.annotator.clone(),
            annotations: self.annotations.clone(),
        }
    }

    /// Which part to convert.
    pub(super) fn part(&self) -> Part {
        Part { from_s: self.from.unwrap_or(0.0), to_s: self.to, signals: self.signals.clone() }
    }
}

/// Seconds: `90`, `90.5`, `1:30`, `0:01:30.5`.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let refuse = || format!("'{text}' is no time: give seconds (90.5), or mm:ss or hh:mm:ss (0:01:30.5)");
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(refuse());
    }
    let mut seconds = 0.0;
    for (index, part) in parts.iter().enumerate() {
        let plain = part.bytes().all(|c| c.is_ascii_digit() || c == b'.');
        let value = part.parse::<f64>().ok().filter(|value| plain && value.is_finite()).ok_or_else(refuse)?;
        // What follows a larger unit is less than one of it.
        if index > 0 && value >= 60.0 {
            return Err(refuse());
        }
        seconds = seconds * 60.0 + value;
    }
    Ok(seconds)
}

fn signal_format(text: &str) -> Result<SignalFormat, String> {
    let number = if text.eq_ignore_ascii_case("flac") { Some(516) } else { text.parse().ok() };
    let format = number.and_then(SignalFormat::from_number).filter(|format| format.is_writable());
    format.ok_or_else(|| {
        format!("'{text}' is no signal format that can be written: 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524, flac")
    })
}

fn axes(text: &str) -> Result<hdf5::Axes, String> {
    match text {
        "time,channel" => Ok(hdf5::Axes::TimeChannel),
        "channel,time" => Ok(hdf5::Axes::ChannelTime),
        _ => Err("time,channel or channel,time".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in
            [("90", 90.0), ("90.5", 90.5), ("1:30", 90.0), ("0:01:30.5", 90.5), ("100:00", 6_000.0), ("0", 0.0)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "-1", "1:60", "1:2:3:4", "inf", "1e3", "1:"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn signal_formats() {
        assert_eq!(signal_format("flac"), Ok(SignalFormat::Format516));
        assert_eq!(signal_format("212"), Ok(SignalFormat::Format212));
        for text in ["8", "0", "17", "wav"] {
            assert!(signal_format(text).is_err(), "{text}");
        }
    }
}

//! A WFDB record that is read in parts.

use std::ops::Range;
use std::path::{Path, PathBuf};

use physiosynth_signal::Record;

use super::record::{Signals as Read, check_size, signals};
use super::{Location, WfdbReadOptions, check_annotations, header, inspect_signals, read_annotation_file};
use crate::FormatError;
use crate::recording::{Recording, Signals};
use crate::wfdb::Header;

/// Samples of a record that is read in one go, and checked then. A longer one is checked before.
const CHECKED_IN_ONE: u64 = 1 << 25;

/// A record's signals.
struct Source {
    header_path: PathBuf,
    header: Header,
    /// Samples per frame of each signal.
    per_frame: Vec<u64>,
    frames: u64,
}

/// Opens a record, named with or without extension, with the annotations of this annotator (`atr`); those outside the record are
/// left out, as a problem.
pub(crate) fn open(path: &Path, annotator: &str) -> Result<Recording<'static>, FormatError> {
    let location = Location::new(path);
    let header_path = location.file("hea");
    let header = header::read(&header_path)?;
    let rate = header.sampling_frequency();
    let none = WfdbReadOptions { from: Some(0), to: Some(0), ..WfdbReadOptions::default() };
    let Read { channels, frames, .. } = signals(&header_path, &header, &none)?;
    let frames = frames.unwrap_or(0);
    let per_frame: Vec<u64> =
        channels.iter().map(|channel| (channel.sampling_frequency_hz / rate).round().max(1.0) as u64).collect();
    let lengths: Vec<u64> = per_frame.iter().map(|&per_frame| frames.saturating_mul(per_frame)).collect();
    let mut record = Record {
        sampling_frequency_hz: rate,
        start: header.start(),
        channels,
        comments: header.comments.clone(),
        ..Record::new(location.name())
    };
    let mut problems = Vec::new();
    annotate(&mut record, &location.file(annotator), frames, &mut problems)?;
    if lengths.iter().fold(0, |sum: u64, &length| sum.saturating_add(length)) > CHECKED_IN_ONE {
        // Sums are of whole signals, which are not read in one go here.
        inspect_signals(&header_path, &header, &mut problems);
    }
    let source = Source { header_path: header_path.clone(), header, per_frame, frames };
    let mut recording = Recording::new(header_path, record, lengths, Box::new(source));
    recording.problems = problems;
    Ok(recording)
}

fn annotate(record: &mut Record, path: &Path, frames: u64, problems: &mut Vec<String>) -> Result<(), FormatError> {
    let mut file = match read_annotation_file(path) {
        Ok(file) => file,
        Err(FormatError::Missing { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut outside = 0_usize;
    check_annotations(path, &file, record.sampling_frequency_hz, Some(frames), &mut |problem| {
        if outside == 0 {
            problems.push(format!("{problem}; it is left out, and so are others like it"));
        }
        outside += 1;
        Ok(())
    })?;
    file.rescale(record.sampling_frequency_hz);
    record.annotations = file.annotations;
    if outside > 0 {
        record.annotations.retain(|mark| u64::try_from(mark.sample).is_ok_and(|sample| sample < frames));
    }
    Ok(())
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let wanted = || ranges.iter().zip(&self.per_frame).filter(|(range, _)| !range.is_empty());
        let from = wanted().map(|(range, per_frame)| range.start / per_frame).min().unwrap_or(0);
        let to = wanted().map(|(range, per_frame)| range.end.div_ceil(*per_frame)).max().unwrap_or(0).min(self.frames);
        if from >= to {
            return Ok(vec![Vec::new(); ranges.len()]);
        }
        let parts = to.saturating_sub(from).saturating_mul(self.per_frame.iter().sum());
        check_size(&self.header_path, parts)?;
        let options = WfdbReadOptions { from: Some(from), to: Some(to), ..WfdbReadOptions::default() };
        let read = signals(&self.header_path, &self.header, &options)?;
        let trim = |((channel, range), per_frame): ((physiosynth_signal::Channel, &Range<u64>), &u64)| {
            let first = from * per_frame;
            let mut samples = channel.samples;
            if range.is_empty() {
                return Vec::new();
            }
            samples.truncate((range.end - first) as usize);
            samples.drain(..(range.start - first) as usize);
            samples
        };
        Ok(read.channels.into_iter().zip(ranges).zip(&self.per_frame).map(trim).collect())
    }
}

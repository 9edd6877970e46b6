//! A recording that is read in parts.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Channel, Record};

use super::header::{Header, SignalHeader};
use super::layout::{self, Input, Layout};
use super::missing::{self, Gap};
use super::samples::{self, Span, Track};
use super::timeline::Stretch;
use super::{EdfReadOptions, Opened, WriteOptions, add_triggers, annotations, comments, digitisation, rate_of};
use crate::FormatError;
use crate::edf::clock::SECOND_NS;
use crate::recording::{Recording, Signals};

/// A file's signals.
struct Source {
    path: PathBuf,
    file: File,
    header: Header,
    layout: Layout,
    stretches: Vec<Stretch>,
    gaps: Vec<Gap>,
    /// Index in the header, and sampling frequency, of each ordinary signal.
    signals: Vec<(usize, f64)>,
}

/// Opens a file: its header and its annotations.
pub(crate) fn open(path: &Path) -> Result<Recording<'static>, FormatError> {
    let mut file = layout::open(path)?;
    let mut input = Input::new(path, &mut file)?;
    let Opened { header, layout, mut timeline, problems } = Opened::new(&mut input)?;
    let rate = rate_of(&header);
    let labels: Vec<&str> = header.ordinary().map(|(_, signal)| signal.label.as_str()).collect();
    let gaps = missing::take_gaps(&mut timeline, &labels);
    let padding_ns = missing::take_padding(&mut timeline, header.record_ns(), (SECOND_NS as f64 / rate) as i64);
    let whole = Span { from_s: 0.0, to_s: padding_ns.map(|ns| ns as f64 / SECOND_NS as f64) };

    let track = |signal: usize| Track::new(&header, &timeline.stretches, signal, whole);
    let lengths = header.ordinary().filter_map(|(signal, _)| Some(track(signal)?.length())).collect();
    let mut record = Record { sampling_frequency_hz: rate, ..Record::new(super::name_of(path)) };
    record.channels = header.ordinary().map(|(_, signal)| channel(&header, signal)).collect();
    record.start = header.start.map(|start| start.plus(timeline.start_ns).to_string());
    record.annotations = annotations(&timeline, rate, whole, &EdfReadOptions::default());
    if let Some((signal, stated)) = header.ordinary().find(|(_, signal)| header.is_status(signal)) {
        let own = header.sampling_frequency_hz(stated);
        let mut tracks: Vec<Track> = track(signal).into_iter().collect();
        samples::read(&mut input, &header, &layout, &timeline.stretches, &mut tracks)?;
        let samples = tracks.pop().map(|track| track.into_samples().1).unwrap_or_default();
        add_triggers(&mut record.annotations, &samples, rate / own);
    }
    record.annotations.sort_by_key(|annotation| annotation.sample);
    record.comments = comments(&header);

    let signals = header.ordinary().map(|(index, signal)| (index, header.sampling_frequency_hz(signal))).collect();
    let like = WriteOptions::like(&header);
    let source = Source { path: path.to_path_buf(), file, layout, stretches: timeline.stretches, gaps, signals, header };
    let mut recording = Recording::new(path.to_path_buf(), record, lengths, Box::new(source));
    recording.problems = problems;
    recording.edf = Some(like);
    Ok(recording)
}

/// What the header says of a signal.
fn channel(header: &Header, signal: &SignalHeader) -> Channel {
    let rate = header.sampling_frequency_hz(signal);
    Channel {
        digitisation: digitisation(header, signal),
        ..Channel::new(signal.label.clone(), signal.unit.clone(), rate, Vec::new())
    }
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let mut input = Input::new(&self.path, &mut self.file)?;
        let numbered = || self.signals.iter().zip(ranges).zip(0..);
        let wanted = numbered().filter(|((_, range), _)| !range.is_empty());
        let mut tracks: Vec<Track> = wanted
            .filter_map(|((&(signal, _), range), _)| {
                Track::of_samples(&self.header, &self.stretches, signal, Range::clone(range))
            })
            .collect();
        samples::read(&mut input, &self.header, &self.layout, &self.stretches, &mut tracks)?;
        let mut read: std::collections::BTreeMap<usize, Vec<f32>> = tracks.into_iter().map(Track::into_samples).collect();
        let samples = numbered().map(|((&(signal, rate), range), number)| {
            let mut samples = read.remove(&signal).unwrap_or_default();
            missing::mark(&mut samples, rate, range.start, &self.gaps, number);
            samples
        });
        Ok(samples.collect())
    }
}

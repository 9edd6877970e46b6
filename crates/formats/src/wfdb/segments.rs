//! Records of several segments, each a record of its own (header(5), "multi-segment records"). In a fixed layout all segments
//! have the same signals. In a variable layout the first segment, of length 0, lists all signals there are, and each other
//! segment has some of them, recognised by their description. A segment called `~` is a gap.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Channel, Digitisation};

use super::WfdbReadOptions;
use super::header::{self, Header, SegmentLine, SignalLine};
use super::record::{Signals, check_size, read_signals, window};
use super::signal::{Window, samples_in_memory, signal_path};
use crate::FormatError;

/// Name of a segment that is a gap.
const GAP: &str = "~";

/// What the segments of a record have in common.
pub(super) struct Layout {
    /// The signals of the record.
    pub signals: Vec<SignalLine>,
    /// Whether segments have some of them, rather than all in this order.
    pub variable: bool,
    /// Frames of all segments together.
    pub frames: u64,
}

/// Finds out the layout of a record of several segments.
pub(super) fn layout(path: &Path, header: &Header) -> Result<Layout, FormatError> {
    let lines = &header.segment_lines;
    let variable = lines.first().is_some_and(|first| first.samples == 0 && first.name != GAP);
    let frames = lines.iter().try_fold(0_u64, |sum, line| sum.checked_add(line.samples));
    let frames = frames.ok_or_else(|| malformed(path, 1, "the segments are longer than a file can be".into()))?;
    let signals = match lines.iter().find(|line| line.name != GAP) {
        Some(line) => segment_header(path, header, line)?.1.signals,
        None => Vec::new(),
    };
    Ok(Layout { signals, variable, frames })
}

/// Header of a segment, which has to be of the record's rate and no record of segments itself, and the file it is in.
pub(super) fn segment_header(path: &Path, header: &Header, line: &SegmentLine) -> Result<(PathBuf, Header), FormatError> {
    let segment_path = signal_path(path, &format!("{}.hea", line.name), line.line)?;
    let segment = header::read(&segment_path).map_err(|error| match error {
        FormatError::Missing { path: missing, .. } => FormatError::Missing {
            path: missing,
            named_by: format!("named by line {} of {}", line.line, path.display()),
            remedy: "put the segment's files beside the record's header, or read a part of the record without it",
        },
        error => error,
    })?;
    if segment.segments.is_some() {
        let cause = format!("the segment '{}' is itself a record of several segments", line.name);
        return Err(malformed(path, line.line, cause));
    }
    let (own, record) = (segment.sampling_frequency(), header.sampling_frequency());
    if segment.sampling_frequency_hz.is_some() && own != record {
        let cause = format!("the segment '{}' has {own} samples per second, the record {record}", line.name);
        return Err(malformed(path, line.line, cause));
    }
    if let Some(samples) = segment.samples.filter(|&samples| samples != line.samples && line.samples > 0) {
        let cause = format!("the segment '{}' has {samples} samples by its own header, {} by this one", line.name, line.samples);
        return Err(malformed(path, line.line, cause));
    }
    Ok((segment_path, segment))
}

/// Reads the signals of a record of several segments; `report` also gets the header of the segment with the problem.
pub(super) fn read(
    path: &Path,
    header: &Header,
    options: &WfdbReadOptions,
    report: &mut dyn FnMut(FormatError, &Header) -> Result<(), FormatError>,
) -> Result<Signals, FormatError> {
    let layout = layout(path, header)?;
    let window = window(path, layout.frames, options)?;
    let wanted = |(index, line): &(usize, &SignalLine)| options.lead.as_ref().is_none_or(|lead| line.label(*index) == *lead);
    let wanted: Vec<(usize, &SignalLine)> = layout.signals.iter().enumerate().filter(wanted).collect();
    let total = wanted.iter().map(|(_, line)| samples_in_memory(std::slice::from_ref(line), window));
    check_size(path, total.fold(0, u64::saturating_add))?;
    let rate = header.sampling_frequency();
    let mut channels: Vec<Channel> = wanted.iter().map(|(index, line)| channel(line, *index, rate, options)).collect();

    let mut begin = 0;
    for line in &header.segment_lines {
        let end = begin + line.samples;
        let part = Window { from: window.from.clamp(begin, end) - begin, to: window.to.clamp(begin, end) - begin };
        begin = end;
        if part.frames() == 0 {
            continue;
        }
        if line.name != GAP && !channels.is_empty() {
            let (segment_path, segment) = segment_header(path, header, line)?;
            let places = places(&layout, &segment, path, line)?;
            let own = WfdbReadOptions { lead: None, from: Some(part.from), to: Some(part.to), ..options.clone() };
            // One signal of the record is at most one of the segment; its other signals need not be converted.
            let only = match wanted.as_slice() {
                [(index, _)] if options.lead.is_some() => Some(places.get(index).copied().unwrap_or(usize::MAX)),
                _ => None,
            };
            let read = read_signals(&segment_path, &segment, only, &own, &mut |error| report(error, &segment))?;
            let mut found: BTreeMap<usize, Channel> = match only {
                Some(only) => read.channels.into_iter().map(|channel| (only, channel)).collect(),
                None => read.channels.into_iter().enumerate().collect(),
            };
            for (channel, (index, _)) in channels.iter_mut().zip(&wanted) {
                if let Some(own) = places.get(index).and_then(|place| found.remove(place)) {
                    channel.samples.extend(own.samples);
                }
            }
        }
        // A signal that the segment lacks is missing there.
        for (channel, (_, line)) in channels.iter_mut().zip(&wanted) {
            let per_frame = if options.smooth_frames { 1 } else { line.frame_samples() as usize };
            channel.samples.resize((begin.min(window.to) - window.from) as usize * per_frame, f32::NAN);
        }
    }
    Ok(Signals { channels, frames: Some(layout.frames), window })
}

/// A channel of the record, still without samples.
fn channel(line: &SignalLine, index: usize, rate: f64, options: &WfdbReadOptions) -> Channel {
    let per_frame = if options.smooth_frames { 1 } else { line.frame_samples() };
    Channel {
        digitisation: Some(Digitisation {
            gain: line.effective_gain(),
            baseline: f64::from(line.effective_baseline()),
            adc_resolution: line.adc_resolution.unwrap_or(0),
            adc_zero: line.adc_zero.unwrap_or(0),
        }),
        ..Channel::new(line.label(index), line.unit(), rate * f64::from(per_frame), Vec::new())
    }
}

/// Which of a segment's signals each of the record's is: by place in a fixed layout, by description in a variable one, where
/// the second of a description is the second of it.
fn places(
    layout: &Layout,
    segment: &Header,
    path: &Path,
    segment_line: &SegmentLine,
) -> Result<BTreeMap<usize, usize>, FormatError> {
    let refuse = |cause: String| malformed(path, segment_line.line, format!("the segment '{}' {cause}", segment_line.name));
    let mut places = BTreeMap::new();
    if !layout.variable && segment.signals.len() != layout.signals.len() {
        let (own, record) = (segment.signals.len(), layout.signals.len());
        return Err(refuse(format!("has {own} signals, the first segment {record}")));
    }
    for (place, own) in segment.signals.iter().enumerate() {
        let label = own.label(place);
        let index = if layout.variable {
            let mut same = layout.signals.iter().enumerate().filter(|(index, line)| line.label(*index) == label);
            same.find(|(index, _)| !places.contains_key(index)).map(|(index, _)| index)
        } else {
            Some(place)
        };
        let Some((index, line)) = index.and_then(|index| layout.signals.get(index).map(|line| (index, line))) else {
            return Err(refuse(format!("has a signal '{label}' that the record's layout does not list")));
        };
        if own.frame_samples() != line.frame_samples() {
            let (own, record) = (own.frame_samples(), line.frame_samples());
            return Err(refuse(format!("has {own} samples per frame of '{label}', the record {record}")));
        }
        if own.unit() != line.unit() {
            return Err(refuse(format!("has '{label}' in {}, the record in {}", own.unit(), line.unit())));
        }
        places.insert(index, place);
    }
    Ok(places)
}

fn malformed(path: &Path, line: usize, cause: String) -> FormatError {
    FormatError::Malformed {
        path: path.to_path_buf(),
        place: format!("line {line}"),
        cause,
        remedy: "correct the headers after WFDB's header(5), or fetch them again",
    }
}

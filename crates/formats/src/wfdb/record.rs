use std::path::Path;

use physiosynth_signal::{Channel, Record};

use super::header::{self, Header};
use super::signal::{Group, INITIAL_VALUE, Reading, SignalFile, Window, groups, samples_in_memory};
use super::{
    LARGEST_READING, Location, REFERENCE_ANNOTATOR, WfdbReadOptions, check_annotations, read_annotation_file, segments, start,
};
use crate::FormatError;

/// Gets problems that need not end a reading; what it returns as an error does.
pub(super) type Report<'a> = dyn FnMut(FormatError) -> Result<(), FormatError> + 'a;

/// Reads a record, named with or without extension: its signals in physical units, and its reference annotations. A record
/// without an annotation file is read without annotations.
///
/// A record of several segments is read as one, with NaN where no signal was recorded. Of a part of a record
/// ([`WfdbReadOptions::from`], [`WfdbReadOptions::to`]), positions of annotations and the start time count from the part's first
/// sample, and what lies outside the part is not read (format 8 is read from its start: each sample is a sum of differences).
pub fn read_record(path: &Path, options: &WfdbReadOptions) -> Result<Record, FormatError> {
    let location = Location::new(path);
    let header_path = location.file("hea");
    let header = header::read(&header_path)?;
    let rate = header.sampling_frequency();
    let Signals { channels, frames, window } = signals(&header_path, &header, options)?;
    let annotation_path = location.file(REFERENCE_ANNOTATOR);
    let mut annotations = match read_annotation_file(&annotation_path) {
        Ok(mut file) => {
            check_annotations(&annotation_path, &file, rate, frames, &mut Err)?;
            file.rescale(rate);
            file.annotations
        }
        Err(FormatError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    if options.from.is_some() || options.to.is_some() {
        annotations.retain(|a| u64::try_from(a.sample).is_ok_and(|sample| (window.from..window.to).contains(&sample)));
        for annotation in &mut annotations {
            annotation.sample -= window.from as i64;
        }
    }
    Ok(Record {
        sampling_frequency_hz: rate,
        start: header.start().and_then(|stated| start::later(stated, window.from as f64 / rate)),
        channels,
        annotations,
        comments: header.comments,
        ..Record::new(location.name())
    })
}

/// Reads the signals of a record, of one segment or of several.
pub(super) fn signals(header_path: &Path, header: &Header, options: &WfdbReadOptions) -> Result<Signals, FormatError> {
    if header.segments.is_some() {
        // The headers of segments are their own: whether their initial values count is decided as for records alone.
        segments::read(header_path, header, options, &mut |error, segment| refuse(segment, error))
    } else {
        read_signals(header_path, header, only(header, options), options, &mut |error| refuse(header, error))
    }
}

/// A sum that holds says more than a first value that doesn't: such headers were edited by hand. `inspect` tells.
fn refuse(header: &Header, error: FormatError) -> Result<(), FormatError> {
    match error {
        FormatError::Checksum { what: INITIAL_VALUE, signal, .. }
            if header.signals.get(signal).is_some_and(|line| line.checksum.is_some()) =>
        {
            Ok(())
        }
        error => Err(error),
    }
}

/// Index of the only signal asked for. No signal has the index that stands for a lead that the record lacks.
fn only(header: &Header, options: &WfdbReadOptions) -> Option<usize> {
    let labelled = |lead: &String| header.signals.iter().enumerate().position(|(index, line)| line.label(index) == *lead);
    options.lead.as_ref().map(|lead| labelled(lead).unwrap_or(usize::MAX))
}

/// What was read of a record's signals.
pub(super) struct Signals {
    /// The channels asked for, of the frames asked for.
    pub channels: Vec<Channel>,
    /// Frames of the whole record; `None` where nothing tells.
    pub frames: Option<u64>,
    /// The frames asked for.
    pub window: Window,
}

/// Reads signals of a record of one segment; of them only one, where its index is given.
pub(super) fn read_signals(
    header_path: &Path,
    header: &Header,
    only: Option<usize>,
    options: &WfdbReadOptions,
    report: &mut Report,
) -> Result<Signals, FormatError> {
    let groups = groups(header_path, header)?;
    let wanted: Vec<&Group> = groups.iter().filter(|group| only.is_none_or(|only| group.contains(only))).collect();
    let (files, frames) = open(header_path, header, &wanted)?;
    let window = window(header_path, frames.unwrap_or(0), options)?;
    let unstored = files.iter().filter(|file| file.is_unbounded()).map(|file| samples_in_memory(file.group.wanted(only), window));
    check_size(header_path, unstored.fold(0, u64::saturating_add))?;
    let (verify, smooth) = (options.verify_checksums, options.smooth_frames);
    let mut reading = Reading { header, only, smooth, verify, report };
    let mut channels = Vec::new();
    for file in files {
        channels.extend(file.read(&mut reading, window, frames.unwrap_or(0))?);
    }
    Ok(Signals { channels, frames, window })
}

/// Opens signal files, which have to agree on the record's length; gives it too.
fn open<'a>(
    header_path: &Path,
    header: &Header,
    groups: &[&'a Group<'a>],
) -> Result<(Vec<SignalFile<'a>>, Option<u64>), FormatError> {
    let mut frames = header.samples;
    let mut files = Vec::with_capacity(groups.len());
    for group in groups {
        let file = SignalFile::open(header_path, header, group)?;
        if let Some(found) = file.frames {
            check_frames(header_path, group, *frames.get_or_insert(found), found)?;
        }
        files.push(file);
    }
    Ok((files, frames))
}

/// Files of a record whose header states no length have to agree on it.
pub(super) fn check_frames(path: &Path, group: &Group, expected: u64, found: u64) -> Result<(), FormatError> {
    if expected == found {
        return Ok(());
    }
    let line = group.signals.first().map_or(1, |line| line.line);
    Err(FormatError::Malformed {
        path: path.to_path_buf(),
        place: format!("line {line}"),
        cause: format!("the file named here holds {found} samples per signal, the files before it {expected}"),
        remedy: "state the number of samples on the record line, or fetch the files again",
    })
}

/// The frames asked for, of a record with this many.
pub(super) fn window(header_path: &Path, frames: u64, options: &WfdbReadOptions) -> Result<Window, FormatError> {
    let (from, to) = (options.from.unwrap_or(0), options.to.unwrap_or(frames));
    if from > to || to > frames {
        return Err(FormatError::NoSuchPart { path: header_path.to_path_buf(), from, to, samples: frames });
    }
    Ok(Window { from, to })
}

/// Refuses a reading that would hold too many samples that no file stores one by one.
pub(super) fn check_size(header_path: &Path, samples: u64) -> Result<(), FormatError> {
    if samples <= LARGEST_READING {
        return Ok(());
    }
    Err(FormatError::TooLarge { path: header_path.to_path_buf(), what: "the record", samples, limit: LARGEST_READING })
}

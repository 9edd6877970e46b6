use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use physiosynth_signal::Channel;

use super::extent::{Extent, frame_of};
use super::track::{Track, take_pairs, tracks};
use super::{Blocks, Coding, SignalFormat, Storage, Window, flac};
use crate::FormatError;
use crate::wfdb::header::{Header, SignalLine};

/// Samples that are decoded at a time: their bytes, their digital values and what is made of them stay in the cache.
const BATCH_SAMPLES: usize = 8_192;

/// What to read, and what to do about signals that are not what the header says.
pub(crate) struct Reading<'a> {
    /// Its content.
    pub header: &'a Header,
    /// Index of the only signal to convert; all where `None`.
    pub only: Option<usize>,
    /// Whether signals of several samples per frame are averaged to one.
    pub smooth: bool,
    /// Whether sums and initial values are compared with the header's, where a signal is read whole.
    pub verify: bool,
    /// Gets each [`FormatError::Checksum`]; what it returns as an error ends the reading.
    pub report: &'a mut dyn FnMut(FormatError) -> Result<(), FormatError>,
}

/// Consecutive signals that share a file.
pub(crate) struct Group<'a> {
    /// Index of the first of them in the header.
    pub first: usize,
    /// Their lines.
    pub signals: &'a [SignalLine],
}

impl<'a> Group<'a> {
    /// The lines of those that are asked for.
    pub(crate) fn wanted(&self, only: Option<usize>) -> &'a [SignalLine] {
        match only.map(|only| only.checked_sub(self.first)) {
            None => self.signals,
            Some(index) => index.and_then(|index| self.signals.get(index..=index)).unwrap_or(&[]),
        }
    }

    /// Whether signal `index` of the header is among them.
    pub(crate) fn contains(&self, index: usize) -> bool {
        (self.first..self.first + self.signals.len()).contains(&index)
    }
}

/// The signal files of a record. Signals of one file have to be listed together.
pub(crate) fn groups<'a>(header_path: &Path, header: &'a Header) -> Result<Vec<Group<'a>>, FormatError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut names = BTreeSet::new();
    let mut first = 0;
    for signals in header.signals.chunk_by(|a, b| a.file_name == b.file_name) {
        let null = signals.iter().all(|line| line.format == SignalFormat::Format0.number());
        if let Some(line) = signals.first().filter(|line| !null && !names.insert(line.file_name.as_str())) {
            return Err(FormatError::Malformed {
                path: header_path.to_path_buf(),
                place: format!("line {}", line.line),
                cause: format!("signals of '{}' stand before and after those of another file", line.file_name),
                remedy: "list the signals of each file together, in their order in the file",
            });
        }
        groups.push(Group { first, signals });
        first += signals.len();
    }
    Ok(groups)
}

/// An opened signal file.
pub(crate) struct SignalFile<'a> {
    /// Its signals.
    pub group: &'a Group<'a>,
    /// Frames that it has; `None` where it has no samples at all.
    pub frames: Option<u64>,
    path: PathBuf,
    coding: &'static Coding,
    source: Source,
}

/// Where samples come from.
enum Source {
    /// Nowhere: they are missing.
    Nothing,
    /// Blocks of one size.
    Blocks { file: File, blocks: &'static Blocks, extent: Extent },
    /// A FLAC stream, of which this is sample 0.
    Flac { stream: flac::Stream, offset: u64 },
}

impl<'a> SignalFile<'a> {
    /// Opens the file of a group and finds out how many frames it has.
    pub(crate) fn open(header_path: &Path, header: &Header, group: &'a Group<'a>) -> Result<Self, FormatError> {
        let coding = coding(header_path, group.signals)?;
        let Some(line) = group.signals.first() else {
            return Ok(Self { group, frames: None, path: header_path.to_path_buf(), coding, source: Source::Nothing });
        };
        if matches!(coding.storage, Storage::Nothing) {
            return Ok(Self { group, frames: None, path: header_path.to_path_buf(), coding, source: Source::Nothing });
        }
        let path = signal_path(header_path, &line.file_name, line.line)?;
        let file = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => FormatError::Missing {
                path: path.clone(),
                named_by: format!("named by line {} of {}", line.line, header_path.display()),
                remedy: "put the signal file beside its header, or take the record out of RECORDS",
            },
            _ => FormatError::Io { path: path.clone(), action: "open the signal file", source },
        })?;
        let (frames, source) = match &coding.storage {
            Storage::Nothing => (None, Source::Nothing),
            Storage::Blocks(blocks) => {
                let length = file.metadata().map_err(FormatError::io(&path, "find the size of the file"))?.len();
                let extent = Extent::new(header, group.signals, (coding, blocks), length, &path)?;
                (Some(extent.frames), Source::Blocks { file, blocks, extent })
            }
            Storage::Flac => {
                let (frames, stream) = open_flac(file, &path, (header_path, header), group, coding)?;
                (Some(frames), Source::Flac { stream, offset: line.byte_offset.unwrap_or(0) })
            }
        };
        Ok(Self { group, frames, path, coding, source })
    }

    /// Reads a part of the file, which has to be within the record of `frames` frames; gives the channels asked for.
    pub(crate) fn read(self, reading: &mut Reading, window: Window, frames: u64) -> Result<Vec<Channel>, FormatError> {
        let Self { group, path, coding, source, .. } = self;
        let mut tracks = tracks(reading, group, coding, window);
        // Samples that stand later in the file than their time says are taken from there, as far as it goes.
        let lag = group.signals.iter().map(|line| u64::from(line.skew.unwrap_or(0)).div_ceil(u64::from(line.frame_samples())));
        let last = window.to.saturating_add(lag.max().unwrap_or(0)).min(frames);
        match source {
            Source::Nothing => {}
            Source::Blocks { mut file, blocks, extent } => {
                let part = Window { from: window.from, to: last.min(extent.frames) };
                decode(&mut file, &path, blocks, &extent, part, &mut tracks)?;
            }
            Source::Flac { mut stream, offset } => {
                let per_frame = group.signals.first().map_or(1, |line| u64::from(line.frame_samples()));
                let of = |frame: u64| frame.saturating_mul(per_frame).saturating_add(offset);
                stream.read(&path, of(window.from)..of(last), &mut |channels, at| {
                    for (track, samples) in tracks.iter_mut().zip(channels) {
                        track.start_at_sample(at - offset);
                        track.take_own(samples);
                    }
                })?;
            }
        }
        let whole = window.from == 0 && window.to == frames;
        if reading.verify && whole && reading.header.samples.is_some() && !matches!(coding.storage, Storage::Nothing) {
            for (index, (track, line)) in tracks.iter().zip(group.signals).enumerate() {
                track.verify(&path, group.first + index, line, reading.report)?;
            }
        }
        let rate = reading.header.sampling_frequency();
        let channels = tracks.into_iter().zip(group.signals).enumerate();
        let channels =
            channels.filter_map(|(index, (track, line))| track.into_channel(group.first + index, line, rate, reading.smooth));
        Ok(channels.collect())
    }

    /// Whether the file's own size does not bound how much memory its samples take.
    pub(crate) fn is_unbounded(&self) -> bool {
        !matches!(self.source, Source::Blocks { .. })
    }
}

/// Opens a FLAC stream, checked against what the header says of it.
fn open_flac(
    file: File,
    path: &Path,
    (header_path, header): (&Path, &Header),
    group: &Group,
    coding: &Coding,
) -> Result<(u64, flac::Stream), FormatError> {
    let malformed = |line: &SignalLine, cause: String, remedy| FormatError::Malformed {
        path: header_path.to_path_buf(),
        place: format!("line {}", line.line),
        cause,
        remedy,
    };
    let first = group.signals.first().map_or(1, SignalLine::frame_samples);
    if let Some(line) = group.signals.iter().find(|line| line.frame_samples() != first) {
        let cause = format!("{} samples per frame differ from the {first} of the file's first signal", line.frame_samples());
        return Err(malformed(line, cause, "signals of one FLAC file share their rate: correct the header"));
    }
    let mut stream = flac::Stream::open(path, file)?;
    let info = stream.info();
    if let Some(line) = group.signals.first()
        && usize::from(info.channels) != group.signals.len()
    {
        let cause = format!("{} signals are in '{}', which has {} channels", group.signals.len(), line.file_name, info.channels);
        return Err(malformed(line, cause, "correct the header, or fetch both files again"));
    }
    if let Some(line) = group.signals.first()
        && u16::from(info.bits) > coding.resolution
    {
        let cause =
            format!("format {} has {} bits, the samples of '{}' {}", line.format, coding.resolution, line.file_name, info.bits);
        return Err(malformed(line, cause, "correct the format, or fetch both files again"));
    }
    let offset = group.signals.first().and_then(|line| line.byte_offset).unwrap_or(0);
    let frames = match header.samples {
        Some(frames) => frames,
        None => stream.samples(path)?.saturating_sub(offset) / u64::from(first),
    };
    // A stream that tells its length is checked before anything is read; one that does not, while it is.
    if let Some(held) = info.samples
        && frames.checked_mul(u64::from(first)).and_then(|samples| samples.checked_add(offset)).is_none_or(|needed| needed > held)
    {
        return Err(FormatError::Malformed {
            path: path.to_path_buf(),
            place: "stream information".into(),
            cause: format!("the stream has {held} samples per channel, fewer than the {frames} frames of {first} of the header"),
            remedy: "the file is cut short or the header states too many samples: fetch both again",
        });
    }
    Ok((frames, stream))
}

/// The file that a line of a header names, which has to be in the header's folder or below it.
pub(crate) fn signal_path(header_path: &Path, name: &str, line: usize) -> Result<PathBuf, FormatError> {
    let named = Path::new(name);
    if named.as_os_str().is_empty() || !named.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(FormatError::OutsideFolder { path: header_path.to_path_buf(), line, named: name.to_owned() });
    }
    Ok(header_path.parent().unwrap_or(Path::new("")).join(named))
}

/// The one format of the signals that share a file.
fn coding(header_path: &Path, signals: &[SignalLine]) -> Result<&'static Coding, FormatError> {
    let mut found = None;
    for line in signals {
        let Some(format) = SignalFormat::from_number(line.format) else {
            return Err(FormatError::Unsupported {
                path: header_path.to_path_buf(),
                what: format!(
                    "signal format {} (line {}), which is none of {}, is",
                    line.format,
                    line.line,
                    SignalFormat::known()
                ),
                remedy: "correct the header, or fetch it again",
            });
        };
        if found.is_some_and(|first| first != format) {
            return Err(FormatError::Malformed {
                path: header_path.to_path_buf(),
                place: format!("line {}", line.line),
                cause: format!("format {} differs from that of the other signals in '{}'", line.format, line.file_name),
                remedy: "signals that share a file share its format: correct the header, or fetch it again",
            });
        }
        found = Some(format);
    }
    Ok(found.unwrap_or(SignalFormat::Format0).coding())
}

/// Reads and decodes frames of a file of blocks, batch by batch.
fn decode(
    file: &mut File,
    path: &Path,
    blocks: &Blocks,
    extent: &Extent,
    window: Window,
    tracks: &mut [Track],
) -> Result<(), FormatError> {
    // From the start of a block; differences from the start of the file, since each sample is the sum of all of them.
    let first = if blocks.differences { 0 } else { window.from - window.from % blocks.samples as u64 };
    let start = first.saturating_mul(extent.frame as u64);
    let byte = extent.offset + start / blocks.samples as u64 * blocks.bytes as u64;
    file.seek(SeekFrom::Start(byte)).map_err(FormatError::io(path, "seek in the file"))?;
    for track in &mut *tracks {
        track.start_at(first);
    }
    // Whole frames and whole blocks of the code in each batch, so that only the last may be partial.
    let unit = extent.frame.saturating_mul(blocks.samples);
    let total = window.to.saturating_sub(first).saturating_mul(extent.frame as u64);
    let batch = (BATCH_SAMPLES / unit).max(1).saturating_mul(unit).min(total as usize);
    let size = |samples: usize| blocks.bytes_of(samples as u64).unwrap_or(0) as usize;
    let mut digital = vec![0_i32; batch];
    let mut bytes = vec![0_u8; size(batch)];
    let mut left = total;
    while left > 0 {
        let samples = digital.len().min(left as usize);
        let (Some(digital), Some(bytes)) = (digital.get_mut(..samples), bytes.get_mut(..size(samples))) else { break };
        file.read_exact(bytes).map_err(FormatError::io(path, "read the signal file"))?;
        let taken = blocks.pairs.is_some_and(|convert| take_pairs(tracks, bytes, samples / extent.frame, convert));
        if !taken {
            (blocks.decode)(bytes, digital);
            for track in &mut *tracks {
                track.take(digital, extent.frame);
            }
        }
        left -= samples as u64;
    }
    Ok(())
}

/// Samples in memory that a part of a record takes, over these signals.
pub(crate) fn samples_in_memory(signals: &[SignalLine], window: Window) -> u64 {
    frame_of(signals).saturating_mul(window.frames())
}

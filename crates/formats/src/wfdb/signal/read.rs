use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use physiosynth_signal::{Channel, Digitisation};

use super::{Coding, SignalFormat, checksum};
use crate::FormatError;
use crate::wfdb::header::{Header, SignalLine};

/// Samples that are decoded at a time: their bytes, their digital values and what is made of them stay in the cache.
const BATCH_SAMPLES: usize = 8_192;

/// What [`FormatError::Checksum`] calls a signal's first sample.
pub(crate) const INITIAL_VALUE: &str = "initial value";

/// What to read, and what to do about signals that are not what the header says.
pub(crate) struct Reading<'a> {
    /// The header file.
    pub header_path: &'a Path,
    /// Its content.
    pub header: &'a Header,
    /// Index of the only signal to convert; all where `None`.
    pub only: Option<usize>,
    /// Whether sums and initial values are compared with the header's.
    pub verify: bool,
    /// Gets each [`FormatError::Checksum`]; what it returns as an error ends the reading.
    pub report: &'a mut dyn FnMut(FormatError) -> Result<(), FormatError>,
}

/// Consecutive signals that share a file, interleaved in it.
pub(crate) struct Group<'a> {
    /// Index of the first of them in the header.
    pub first: usize,
    /// Their lines.
    pub signals: &'a [SignalLine],
}

impl Group<'_> {
    /// Whether signal `index` of the header is among them.
    pub(crate) fn contains(&self, index: usize) -> bool {
        (self.first..self.first + self.signals.len()).contains(&index)
    }
}

/// The signal files of a record.
pub(crate) fn groups(header: &Header) -> Vec<Group<'_>> {
    let mut first = 0;
    let by_file = header.signals.chunk_by(|a, b| a.file_name == b.file_name);
    by_file
        .map(|signals| {
            let group = Group { first, signals };
            first += signals.len();
            group
        })
        .collect()
}

/// Reads one file: its number of frames, and the channels asked for.
pub(crate) fn read_group(reading: &mut Reading, group: &Group) -> Result<(u64, Vec<Channel>), FormatError> {
    let Some(line) = group.signals.first() else {
        return Ok((0, Vec::new()));
    };
    let path = signal_path(reading.header_path, line)?;
    let coding = coding(reading.header_path, group.signals)?;
    let mut file = File::open(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => FormatError::Missing {
            path: path.clone(),
            named_by: format!("named by line {} of {}", line.line, reading.header_path.display()),
            remedy: "put the signal file beside its header, or take the record out of RECORDS",
        },
        _ => FormatError::Io { path: path.clone(), action: "open the signal file", source },
    })?;
    let length = file.metadata().map_err(FormatError::io(&path, "find the size of the file"))?.len();
    let extent = Extent::new(reading.header, group, coding, length, &path)?;
    file.seek(SeekFrom::Start(extent.offset)).map_err(FormatError::io(&path, "seek in the file"))?;

    let mut tracks = tracks(reading, group, coding, extent.frames);
    decode(&mut file, &path, coding, &extent, &mut tracks)?;
    if reading.verify && reading.header.samples.is_some() {
        for (index, (track, line)) in tracks.iter().zip(group.signals).enumerate() {
            verify(reading, &path, group.first + index, track, line)?;
        }
    }
    let rate = reading.header.sampling_frequency();
    let channels = tracks.into_iter().zip(group.signals).enumerate();
    let channels = channels.filter_map(|(index, (track, line))| track.into_channel(group.first + index, line, rate));
    Ok((extent.frames, channels.collect()))
}

/// The file that a signal line names, which has to be in the header's folder or below it.
fn signal_path(header_path: &Path, line: &SignalLine) -> Result<PathBuf, FormatError> {
    let named = Path::new(&line.file_name);
    if named.as_os_str().is_empty() || !named.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(FormatError::OutsideFolder {
            path: header_path.to_path_buf(),
            line: line.line,
            named: line.file_name.clone(),
        });
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
                what: format!("signal format {} (line {}) is", line.format, line.line),
                remedy: "convert the record to format 16 with WFDB's xform",
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
    Ok(found.unwrap_or(SignalFormat::Format16).coding())
}

/// Where the samples are in a file, checked against its length before anything is allocated.
struct Extent {
    /// First byte.
    offset: u64,
    /// Samples per frame, over all signals of the file.
    frame: usize,
    /// Frames.
    frames: u64,
}

impl Extent {
    fn new(header: &Header, group: &Group, coding: &Coding, length: u64, path: &Path) -> Result<Self, FormatError> {
        let offset = group.signals.first().and_then(|line| line.byte_offset).unwrap_or(0);
        let frame: u64 = group.signals.iter().map(|line| u64::from(line.frame_samples())).sum();
        let held = coding.samples(length.saturating_sub(offset));
        let frames = header.samples.unwrap_or(held / frame);
        let samples = frames.checked_mul(frame);
        if offset > length || samples.is_none_or(|samples| samples > held) {
            let expected = samples.and_then(|samples| coding.bytes(samples)).and_then(|bytes| bytes.checked_add(offset));
            return Err(FormatError::Truncated {
                path: path.to_path_buf(),
                expected: expected.unwrap_or(u64::MAX),
                found: length,
                because: format!("{frames} frames of {frame} samples in format {}, from byte {offset}", coding.number),
                remedy: "the file is cut short or the header states too many samples: fetch both again",
            });
        }
        // A frame that a file holds fits in memory's address range; one that none holds has no frames.
        let frame = if frames == 0 { 1 } else { frame as usize };
        Ok(Self { offset, frame, frames })
    }
}

/// From digital values to physical ones: `(digital − baseline) / gain` in `f64`, rounded once, to `f32`.
enum Conversion {
    /// Of up to 12 bits: a value for each pattern of the 12 low bits.
    Table(Box<[f32; 4096]>),
    /// Of more.
    Linear { baseline: f64, gain: f64, missing: i32 },
}

impl Conversion {
    fn new(line: &SignalLine, coding: &Coding) -> Self {
        let (baseline, gain, missing) = (f64::from(line.effective_baseline()), line.effective_gain(), coding.missing);
        let linear = Self::Linear { baseline, gain, missing };
        if coding.resolution > 12 {
            return linear;
        }
        let mut table = Box::new([0.0; 4096]);
        for (bits, value) in (0_i32..).zip(table.iter_mut()) {
            *value = linear.one((bits << 20) >> 20);
        }
        Self::Table(table)
    }

    fn one(&self, digital: i32) -> f32 {
        match self {
            Self::Table(table) => table[digital as usize & 0xFFF],
            Self::Linear { missing, .. } if digital == *missing => f32::NAN,
            Self::Linear { baseline, gain, .. } => ((f64::from(digital) - baseline) / gain) as f32,
        }
    }
}

/// One signal while its file is decoded.
struct Track {
    /// Place of its samples in each frame.
    offset: usize,
    /// Samples in each frame.
    per_frame: usize,
    /// Sum of the digital values so far, modulo 2³².
    sum: i32,
    /// First digital value.
    initial: Option<i32>,
    /// How to convert, and what was converted, where the signal is wanted.
    wanted: Option<(Conversion, Vec<f32>)>,
    digitisation: Digitisation,
}

fn tracks(reading: &Reading, group: &Group, coding: &Coding, frames: u64) -> Vec<Track> {
    let mut offset = 0;
    let tracks = group.signals.iter().enumerate().map(|(index, line)| {
        let per_frame = line.frame_samples() as usize;
        let wanted = reading.only.is_none_or(|only| only == group.first + index);
        let track = Track {
            offset,
            per_frame,
            sum: 0,
            initial: None,
            wanted: wanted.then(|| (Conversion::new(line, coding), Vec::with_capacity(frames as usize * per_frame))),
            digitisation: Digitisation {
                gain: line.effective_gain(),
                baseline: line.effective_baseline(),
                adc_resolution: line.adc_resolution.unwrap_or(0),
                adc_zero: line.adc_zero.unwrap_or(0),
            },
        };
        offset += per_frame;
        track
    });
    tracks.collect()
}

impl Track {
    /// Takes this signal's samples out of whole frames.
    fn take(&mut self, digital: &[i32], frame: usize) {
        if self.initial.is_none() {
            self.initial = digital.get(self.offset).copied();
        }
        if self.per_frame == 1 && frame == 1 {
            self.extend(digital.iter().copied());
        } else if self.per_frame == 1 && frame == 2 {
            let second = self.offset == 1;
            let pairs = digital.as_chunks::<2>().0;
            self.extend(pairs.iter().map(|&[a, b]| if second { b } else { a }));
        } else if self.per_frame == 1 {
            let offset = self.offset;
            self.extend(digital.chunks_exact(frame).map(|samples| samples.get(offset).copied().unwrap_or(0)));
        } else {
            for samples in digital.chunks_exact(frame) {
                let own = samples.get(self.offset..self.offset + self.per_frame).unwrap_or(&[]);
                self.extend(own.iter().copied());
            }
        }
    }

    /// Two passes over values in the cache: each becomes a tight loop, where one loop would carry the sum through memory.
    fn extend(&mut self, digital: impl Iterator<Item = i32> + Clone) {
        self.sum = digital.clone().fold(self.sum, i32::wrapping_add);
        match &mut self.wanted {
            None => {}
            Some((Conversion::Table(table), samples)) => samples.extend(digital.map(|value| table[value as usize & 0xFFF])),
            Some((conversion, samples)) => samples.extend(digital.map(|value| conversion.one(value))),
        }
    }

    fn into_channel(self, index: usize, line: &SignalLine, rate: f64) -> Option<Channel> {
        let (_, mut samples) = self.wanted?;
        // Skew: this signal's sample i was written into frame i + skew, so what follows its last sample is unknown.
        let skew = (line.skew.unwrap_or(0) as usize).saturating_mul(self.per_frame).min(samples.len());
        if skew > 0 {
            samples.rotate_left(skew);
            let known = samples.len() - skew;
            samples.iter_mut().skip(known).for_each(|sample| *sample = f32::NAN);
        }
        Some(Channel {
            label: line.label(index),
            unit: line.unit().to_owned(),
            sampling_frequency_hz: rate * self.per_frame as f64,
            samples,
            digitisation: Some(self.digitisation),
        })
    }
}

/// Reads and decodes the file, batch by batch.
fn decode(file: &mut File, path: &Path, coding: &Coding, extent: &Extent, tracks: &mut [Track]) -> Result<(), FormatError> {
    // Whole frames and whole blocks of the code in each batch, so that only the last may be partial.
    let unit = extent.frame.saturating_mul(coding.block_samples);
    let total = extent.frames.saturating_mul(extent.frame as u64);
    let batch = (BATCH_SAMPLES / unit).max(1).saturating_mul(unit).min(total as usize);
    let mut digital = vec![0_i32; batch];
    let mut bytes = vec![0_u8; (batch * coding.block_bytes).div_ceil(coding.block_samples)];
    let mut left = total;
    while left > 0 {
        let samples = digital.len().min(left as usize);
        let length = (samples * coding.block_bytes).div_ceil(coding.block_samples);
        let (Some(digital), Some(bytes)) = (digital.get_mut(..samples), bytes.get_mut(..length)) else { break };
        file.read_exact(bytes).map_err(FormatError::io(path, "read the signal file"))?;
        (coding.decode)(bytes, digital);
        for track in &mut *tracks {
            track.take(digital, extent.frame);
        }
        left -= samples as u64;
    }
    Ok(())
}

/// Compares a signal with what the header says of it.
fn verify(reading: &mut Reading, path: &Path, signal: usize, track: &Track, line: &SignalLine) -> Result<(), FormatError> {
    let mut mismatch = |what, expected, found| {
        let label = line.label(signal);
        (reading.report)(FormatError::Checksum { path: path.to_path_buf(), signal, label, what, expected, found })
    };
    // Headers write the sum signed or unsigned: the 16 bits count.
    if let Some(expected) = line.checksum.filter(|&expected| expected as i16 != checksum(track.sum)) {
        mismatch("checksum", expected, i64::from(checksum(track.sum)))?;
    }
    if let (Some(expected), Some(found)) = (line.initial_value, track.initial)
        && expected != found
    {
        mismatch(INITIAL_VALUE, i64::from(expected), i64::from(found))?;
    }
    Ok(())
}

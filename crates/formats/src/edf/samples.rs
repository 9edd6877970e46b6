//! Samples: from the blocks of the data records to channels.

use super::clock::SECOND_NS;
use super::header::{Coding, Header, Line};
use super::layout::{Input, Layout};
use super::timeline::Stretch;
use crate::FormatError;

/// Bytes that are read and converted at a time.
const PIECE: u64 = 1 << 18;
/// Gaps are filled with as many missing samples as there are samples, or with this many (1 GiB), whichever is more.
const MOST_MISSING: u64 = 1 << 28;

/// A signal that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    /// Index of the signal in the header.
    signal: usize,
    line: Line,
    per_record: u64,
    /// First and end of the samples wanted, counted from the first of the file, gaps included.
    from: u64,
    to: u64,
    /// Where each stretch begins.
    starts: Vec<u64>,
    samples: Vec<f32>,
}

/// The part of a recording that is wanted, in seconds after its first sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) from_s: f64,
    pub(crate) to_s: Option<f64>,
}

impl Track {
    /// The track of signal `signal`.
    pub(crate) fn new(header: &Header, stretches: &[Stretch], signal: usize, span: Span) -> Option<Self> {
        let stated = header.signals.get(signal)?;
        let rate = header.sampling_frequency_hz(stated);
        let per_record = stated.samples_per_record;
        let mut end = 0;
        let starts = stretches.iter().map(|stretch| {
            // Rounding may put a start one sample before the end of the stretch before.
            let start = ((stretch.start_ns as f64 * rate / SECOND_NS as f64).round() as u64).max(end);
            end = start.saturating_add(stretch.records.saturating_mul(per_record));
            start
        });
        let starts = starts.collect();
        let index = |seconds: f64| ((seconds * rate).round() as u64).min(end);
        let (from, to) = (index(span.from_s), span.to_s.map_or(end, index));
        let digits = Line { scale: 1.0, zero: 0.0, shift: 0.0 };
        let line = header.line(stated).unwrap_or(digits);
        Some(Self { signal, line, per_record, from, to: to.max(from), starts, samples: Vec::new() })
    }

    /// The track of a range of samples of signal `signal`, counted from the first of the file, gaps included.
    pub(crate) fn of_samples(header: &Header, stretches: &[Stretch], signal: usize, range: std::ops::Range<u64>) -> Option<Self> {
        let whole = Self::new(header, stretches, signal, Span { from_s: 0.0, to_s: None })?;
        let to = range.end.min(whole.to);
        Some(Self { from: range.start.min(to), to, ..whole })
    }

    /// How many samples it will have.
    pub(crate) fn length(&self) -> u64 {
        self.to - self.from
    }

    /// Which part of the block of the `nth` data record of a stretch is wanted, in samples, and where it goes.
    fn wanted(&self, stretch: usize, nth: u64) -> Option<(usize, usize, usize)> {
        // A start beyond all times is beyond the part wanted, too.
        let at = self.starts.get(stretch)?.saturating_add(nth.saturating_mul(self.per_record));
        let (low, high) = (at.max(self.from), at.saturating_add(self.per_record).min(self.to));
        (low < high).then(|| ((low - at) as usize, (high - at) as usize, (low - self.from) as usize))
    }

    /// Takes samples that go to `place`; what lies between them and the last ones is missing.
    fn take(&mut self, bytes: &[u8], coding: Coding, place: usize) {
        if self.samples.len() < place {
            self.samples.resize(place, f32::NAN);
        }
        let Line { scale, zero, shift } = self.line;
        // In f64, rounded once: 24 bits and a 16-bit scale do not fit an f32's 24. What the closures use is moved into them, so that
        // it stays in registers.
        let convert = move |digital: i32| ((f64::from(digital) - zero) * scale + shift) as f32;
        match coding {
            Coding::Edf => {
                let (chunks, _) = bytes.as_chunks::<2>();
                self.samples.extend(chunks.iter().map(move |&two| convert(i32::from(i16::from_le_bytes(two)))));
            }
            Coding::Bdf => {
                let (chunks, _) = bytes.as_chunks::<3>();
                self.samples.extend(chunks.iter().map(move |&[a, b, c]| convert(i32::from_le_bytes([0, a, b, c]) >> 8)));
            }
        }
    }

    /// Index of its signal, and its samples.
    pub(crate) fn into_samples(self) -> (usize, Vec<f32>) {
        (self.signal, self.samples)
    }
}

/// Reads the samples of `tracks`.
pub(crate) fn read(
    input: &mut Input,
    header: &Header,
    layout: &Layout,
    stretches: &[Stretch],
    tracks: &mut [Track],
) -> Result<(), FormatError> {
    let wanted: u64 = tracks.iter().map(Track::length).fold(0, u64::saturating_add);
    // Every sample that is recorded takes bytes of the file; those that gaps are filled with do not.
    let recorded: u64 = tracks.iter().map(|track| layout.records.saturating_mul(track.per_record)).fold(0, u64::saturating_add);
    if wanted > recorded.saturating_mul(2).max(recorded.saturating_add(MOST_MISSING)) {
        return Err(FormatError::Unsupported {
            path: input.path.to_path_buf(),
            what: format!("a recording of {recorded} samples whose gaps make it {wanted} long is"),
            remedy: "read a part of it",
        });
    }
    for track in &mut *tracks {
        track.samples = Vec::with_capacity(track.length() as usize);
    }
    let width = header.coding.sample_bytes() as u64;
    let block_bytes: u64 = tracks.iter().map(|track| track.per_record * width).sum();
    // A few signals of many in long data records: theirs alone are read.
    let blockwise = layout.record_bytes > PIECE || (layout.record_bytes > PIECE / 16 && block_bytes * 4 < layout.record_bytes);
    let mut bytes = Vec::new();
    for (index, stretch) in stretches.iter().enumerate() {
        let (first, end) = range(stretch, index, tracks);
        let mut nth = first;
        while nth < end && blockwise {
            for track in &mut *tracks {
                block(input, header.coding, layout, (stretch.first + nth, index, nth), track, &mut bytes)?;
            }
            nth += 1;
        }
        while nth < end {
            let records = (PIECE / layout.record_bytes.max(1)).max(1).min(end - nth);
            bytes.resize((records * layout.record_bytes) as usize, 0);
            input.read_at(layout.record(stretch.first + nth), &mut bytes)?;
            for record in bytes.chunks_exact(layout.record_bytes.max(1) as usize) {
                for track in &mut *tracks {
                    let Some((low, high, place)) = track.wanted(index, nth) else { continue };
                    let offset = layout.blocks.get(track.signal).map_or(0, |block| block.0) as usize;
                    let width = width as usize;
                    track.take(record.get(offset + low * width..offset + high * width).unwrap_or(&[]), header.coding, place);
                }
                nth += 1;
            }
        }
    }
    for track in tracks {
        track.samples.resize(track.length() as usize, f32::NAN);
    }
    Ok(())
}

/// The data records of a stretch, counted from its first, that hold anything wanted.
fn range(stretch: &Stretch, index: usize, tracks: &[Track]) -> (u64, u64) {
    let mut range = (stretch.records, 0);
    for track in tracks.iter().filter(|track| track.per_record > 0 && track.length() > 0) {
        let start = track.starts.get(index).copied().unwrap_or(0);
        let first = track.from.saturating_sub(start) / track.per_record;
        let end = track.to.saturating_sub(start).div_ceil(track.per_record).min(stretch.records);
        range = (range.0.min(first), range.1.max(end));
    }
    range
}

/// Reads what is wanted of one signal's block in one data record, piece by piece.
fn block(
    input: &mut Input,
    coding: Coding,
    layout: &Layout,
    (record, stretch, nth): (u64, usize, u64),
    track: &mut Track,
    bytes: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let Some((low, high, place)) = track.wanted(stretch, nth) else { return Ok(()) };
    let width = coding.sample_bytes();
    let offset = layout.record(record) + layout.blocks.get(track.signal).map_or(0, |block| block.0);
    let (mut low, mut place) = (low, place);
    while low < high {
        let samples = (PIECE as usize / width).min(high - low);
        bytes.resize(samples * width, 0);
        input.read_at(offset + (low * width) as u64, bytes)?;
        track.take(bytes, coding, place);
        (low, place) = (low + samples, place + samples);
    }
    Ok(())
}

//! Streams: metadata, then frames (RFC 9639, 7 and 8).

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::frame::{self, Fault, Info};
use crate::FormatError;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 17;
/// Bytes that no frame exceeds: 8 channels of 65,535 samples of 25 bits, with room for headers.
const LARGEST_FRAME: usize = 1 << 21;
/// Bytes between two places within which frames are looked at one by one rather than halving the distance again.
const NEAR: u64 = 1 << 16;
const REMEDY: &str = "fetch the file again";

/// Takes a block of samples, a slice per channel, and the number of its first sample.
pub(crate) type Sink<'a> = dyn FnMut(&[&[i32]], u64) + 'a;

/// An opened stream.
pub(crate) struct Stream<R = std::fs::File> {
    source: R,
    info: Info,
    /// Byte at which the first frame begins.
    first: u64,
    /// Bytes of the whole file.
    length: u64,
    /// Places of some frames: number of the first sample, and byte after `first`.
    seek_points: Vec<(u64, u64)>,
}

impl<R: Read + Seek> Stream<R> {
    /// Reads what precedes the frames; `path` is for messages only.
    pub(crate) fn open(path: &Path, mut source: R) -> Result<Self, FormatError> {
        let length = source.seek(SeekFrom::End(0)).map_err(FormatError::io(path, "find the size of the file"))?;
        let malformed = |at: u64, cause: &str| malformed(path, at, cause);
        let mut at = 0;
        if read_at::<4>(path, &mut source, at)? != *b"fLaC" {
            return Err(malformed(0, "this is no FLAC stream"));
        }
        at += 4;
        let mut info = None;
        let mut seek_points = Vec::new();
        loop {
            let [kind, size @ ..] = read_at::<4>(path, &mut source, at)?;
            let size = u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
            at += 4;
            if at + size > length {
                return Err(malformed(at, "a block of metadata is longer than the file"));
            }
            match kind & 0x7F {
                0 if size >= 34 => info = Some(stream_info(path, &read_at(path, &mut source, at)?, at)?),
                3 => seek_points = seek_table(path, &mut source, at, size)?,
                _ => {}
            }
            at += size;
            if kind & 0x80 != 0 {
                break;
            }
        }
        let info = info.ok_or_else(|| malformed(4, "the stream does not describe itself"))?;
        Ok(Self { source, info, first: at, length, seek_points })
    }

    /// What the stream says of itself.
    pub(crate) fn info(&self) -> Info {
        self.info
    }

    /// Samples per channel: as the stream says, or counted.
    pub(crate) fn samples(&mut self, path: &Path) -> Result<u64, FormatError> {
        if let Some(samples) = self.info.samples {
            return Ok(samples);
        }
        let mut end = 0;
        self.decode(path, self.first, &mut |block, at| {
            end = at.saturating_add(block.first().map_or(0, |channel| channel.len() as u64));
            true
        })?;
        Ok(end)
    }

    /// Decodes the samples in `range`, block by block, which have to be there.
    pub(crate) fn read(&mut self, path: &Path, range: Range<u64>, sink: &mut Sink) -> Result<(), FormatError> {
        if range.is_empty() {
            return Ok(());
        }
        let start = self.locate(path, range.start)?;
        let mut next = range.start;
        let mut result = self.decode(path, start, &mut |block, at| forward(block, at, &mut next, range.end, sink));
        if next == range.start && start != self.first {
            // What looked like a frame was none: from the beginning, then.
            result = self.decode(path, self.first, &mut |block, at| forward(block, at, &mut next, range.end, sink));
        }
        result?;
        if next < range.end {
            let cause = format!("the stream ends after sample {next}; {} are needed", range.end);
            return Err(malformed(path, self.length, &cause));
        }
        Ok(())
    }

    /// Decodes frame by frame from a byte, until the end or until `take` returns false.
    fn decode(&mut self, path: &Path, start: u64, take: &mut dyn FnMut(&[&[i32]], u64) -> bool) -> Result<(), FormatError> {
        self.source.seek(SeekFrom::Start(start)).map_err(FormatError::io(path, "seek in the file"))?;
        let mut channels = vec![Vec::new(); usize::from(self.info.channels)];
        // Bytes from `done` on are still to be decoded; `ended` says that no more follow.
        let (mut bytes, mut done, mut at, mut ended) = (Vec::new(), 0, start, false);
        let mut wanted = CHUNK;
        loop {
            if bytes.len() - done < wanted && !ended {
                bytes.drain(..done);
                done = 0;
                let missing = (wanted.max(CHUNK) - bytes.len()) as u64;
                let read = self.source.by_ref().take(missing).read_to_end(&mut bytes);
                ended = (read.map_err(FormatError::io(path, "read the signal file"))? as u64) < missing;
            }
            let rest = bytes.get(done..).unwrap_or(&[]);
            if rest.is_empty() {
                return Ok(());
            }
            match frame::decode(rest, &self.info, &mut channels) {
                Ok((header, size)) => {
                    done += size;
                    at += size as u64;
                    // Twice the size of this frame is likely to hold the next; if not, it is asked for below.
                    wanted = (2 * size).min(LARGEST_FRAME);
                    let block: Vec<&[i32]> = channels.iter().map(Vec::as_slice).collect();
                    if !take(&block, header.first) {
                        return Ok(());
                    }
                }
                Err(Fault::Exhausted) if !ended && rest.len() < LARGEST_FRAME => wanted = (2 * rest.len()).max(CHUNK),
                Err(Fault::Exhausted) => return Err(malformed(path, at, "the stream ends within a frame")),
                Err(Fault::Broken(cause)) => return Err(malformed(path, at, cause)),
            }
        }
    }

    /// A byte at which a frame begins, at or before the one with this sample: by the seek table, then by halving.
    fn locate(&mut self, path: &Path, sample: u64) -> Result<u64, FormatError> {
        if sample == 0 {
            return Ok(self.first);
        }
        let (mut low, mut high) = (self.first, self.length);
        for &(first, offset) in &self.seek_points {
            let byte = self.first.saturating_add(offset);
            // A table that contradicts itself does not put the start behind the end.
            if first <= sample && (low..high).contains(&byte) {
                low = byte;
            } else if first > sample && byte < high && byte > low {
                high = byte;
            }
        }
        let mut bytes = Vec::new();
        while high - low > NEAR {
            let middle = low + (high - low) / 2;
            match self.frame_after(path, middle, high, &mut bytes)? {
                Some((byte, first)) if first <= sample => low = byte,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The first frame that begins between two bytes: its byte and its first sample.
    fn frame_after(&mut self, path: &Path, from: u64, to: u64, bytes: &mut Vec<u8>) -> Result<Option<(u64, u64)>, FormatError> {
        self.source.seek(SeekFrom::Start(from)).map_err(FormatError::io(path, "seek in the file"))?;
        bytes.clear();
        let length = (to - from).min(LARGEST_FRAME as u64);
        // Most frames are far smaller than the largest: look a little further each time.
        let mut seen = 0;
        while (bytes.len() as u64) < length {
            let more = (bytes.len() as u64).max(NEAR / 4).min(length - bytes.len() as u64);
            let read =
                self.source.by_ref().take(more).read_to_end(bytes).map_err(FormatError::io(path, "read the signal file"))?;
            let whole = bytes.len().saturating_sub(16);
            for at in seen..if (read as u64) < more { bytes.len() } else { whole } {
                if bytes.get(at) == Some(&0xFF)
                    && let Some(header) = bytes.get(at..).and_then(|rest| frame::header(rest, &self.info).ok())
                {
                    return Ok(Some((from + at as u64, header.first)));
                }
            }
            seen = whole;
            if (read as u64) < more {
                break;
            }
        }
        Ok(None)
    }
}

/// Hands on what of a block comes next, up to `end`; says whether more is needed.
fn forward(block: &[&[i32]], at: u64, next: &mut u64, end: u64, sink: &mut Sink) -> bool {
    let length = block.first().map_or(0, |channel| channel.len() as u64);
    let bound = |sample: u64| sample.clamp(at, at.saturating_add(length)) - at;
    let (from, to) = (bound(*next), bound(end));
    if from < to && at + from == *next {
        let part: Vec<&[i32]> = block.iter().map(|c| c.get(from as usize..to as usize).unwrap_or(&[])).collect();
        sink(&part, at + from);
        *next = at + to;
    }
    // A frame beyond what comes next means that the place was wrong, or that one is missing.
    *next < end && at <= *next
}

fn malformed(path: &Path, at: u64, cause: &str) -> FormatError {
    FormatError::Malformed { path: path.to_path_buf(), place: format!("byte {at}"), cause: cause.to_owned(), remedy: REMEDY }
}

/// `N` bytes at a place.
fn read_at<const N: usize>(path: &Path, source: &mut (impl Read + Seek), at: u64) -> Result<[u8; N], FormatError> {
    let mut bytes = [0; N];
    let read = source.seek(SeekFrom::Start(at)).and_then(|_| source.read_exact(&mut bytes));
    match read {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(malformed(path, at, "the stream ends too early")),
        Err(error) => Err(FormatError::io(path, "read the signal file")(error)),
    }
}

fn stream_info(path: &Path, bytes: &[u8; 34], at: u64) -> Result<Info, FormatError> {
    let word = |from: usize| bytes.iter().skip(from).take(8).fold(0_u64, |word, &byte| (word << 8) | u64::from(byte));
    // From byte 10: rate (20 bits), channels − 1 (3), bits − 1 (5), samples (36).
    let fields = word(10);
    let (channels, bits) = (((fields >> 41) & 7) as u8 + 1, ((fields >> 36) & 31) as u8 + 1);
    if !(4..=24).contains(&bits) {
        return Err(malformed(path, at, &format!("samples have {bits} bits; signal files have 4 to 24")));
    }
    let samples = fields & ((1 << 36) - 1);
    Ok(Info { block: (word(2) >> 48) as u16, channels, bits, samples: Some(samples).filter(|&samples| samples > 0) })
}

/// The places of frames that the stream states; those without a frame are left out.
fn seek_table(path: &Path, source: &mut (impl Read + Seek), at: u64, size: u64) -> Result<Vec<(u64, u64)>, FormatError> {
    source.seek(SeekFrom::Start(at)).map_err(FormatError::io(path, "seek in the file"))?;
    let mut bytes = Vec::new();
    source.take(size).read_to_end(&mut bytes).map_err(FormatError::io(path, "read the signal file"))?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
    let points = bytes.as_chunks::<18>().0.iter().map(|point| {
        let (sample, rest) = point.split_at(8);
        (number(sample), number(rest.split_at(8).0))
    });
    Ok(points.filter(|&(sample, _)| sample != u64::MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: of sample 100 it is said that it lies before sample 0.
    #[test]
    fn a_seek_table_that_contradicts_itself_is_no_trap() {
        let mut bytes = b"fLaC\0\0\0\x22".to_vec();
        let mut info = [0; 34];
        // 360 samples a second, one channel of 16 bits.
        info[10..14].copy_from_slice(&[0x00, 0x16, 0x80, 0xF0]);
        bytes.extend(info);
        bytes.extend([0x83, 0, 0, 36]);
        for (sample, offset) in [(100_u64, 5_000_u64), (0, 8_000)] {
            bytes.extend(sample.to_be_bytes());
            bytes.extend(offset.to_be_bytes());
            bytes.extend([0x10, 0]);
        }
        let first = bytes.len() as u64;
        bytes.extend(vec![0; 20_000]);
        let path = Path::new("x.dat");
        let mut stream = Stream::open(path, std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(stream.seek_points, [(100, 5_000), (0, 8_000)]);
        assert!(stream.locate(path, 50).unwrap() < first + 5_000);
        assert!(stream.read(path, 50..60, &mut |_, _| ()).is_err());
    }
}

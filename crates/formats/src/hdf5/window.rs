//! Parts of a dataset `[channel, time]`, whose rows are too long to be read whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use hdf5_pure::{Chunk, Dataset, Datatype, DatatypeByteOrder, FloatingPointLayout, Layout};

use super::malformed;
use crate::FormatError;
use crate::numbers::{NumberKind, NumberType};

/// Identifiers of the filters that are undone here, as HDF5 registers them.
const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER32: u16 = 3;
/// Samples of chunks that are kept because the next part begins in them: 64 MiB.
const MOST_KEPT: usize = 1 << 24;
/// Bytes that are read and converted at a time.
const PIECE: u64 = 1 << 20;

/// A dataset `[channel, time]` that can be read by time, and the file it is in.
pub(super) struct Window {
    path: PathBuf,
    file: File,
    numbers: NumberType,
    stored: Stored,
}

/// Where the samples are.
enum Stored {
    /// One after the other: the first byte, and the samples of a channel.
    Contiguous { address: u64, times: u64 },
    /// In chunks.
    Chunked(Chunks),
}

struct Chunks {
    /// Channels and samples of each in a chunk.
    shape: [u64; 2],
    /// By the first channel and the first sample.
    places: BTreeMap<(u64, u64), Chunk>,
    /// Filters in the order in which they were applied.
    filters: Vec<u16>,
    /// Chunks that the part read last ends in.
    kept: HashMap<(u64, u64), Vec<f32>>,
}

impl Window {
    /// Of a dataset of this shape. `None` where it is stored in another way than most programs do (another compression, chunks that
    /// were never written, numbers of odd widths): it can be read by whole channels then.
    pub(super) fn new(path: &Path, dataset: &Dataset, shape: [u64; 2]) -> Option<Self> {
        let numbers = number_type(&dataset.datatype().ok()?)?;
        let stored = match dataset.layout().ok()? {
            Layout::Contiguous { address, .. } => Stored::Contiguous { address: address?, times: shape[1] },
            Layout::Chunked { chunk_shape, .. } => Stored::Chunked(Chunks::new(dataset, shape, chunk_shape.try_into().ok()?)?),
            _ => return None,
        };
        Some(Self { path: path.to_path_buf(), file: File::open(path).ok()?, numbers, stored })
    }

    /// Samples of a range of each channel.
    pub(super) fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let mut samples: Vec<Vec<f32>> =
            ranges.iter().map(|range| Vec::with_capacity((range.end - range.start) as usize)).collect();
        match &mut self.stored {
            Stored::Contiguous { address, times } => {
                let mut bytes = Vec::new();
                for ((row, range), out) in (0..).zip(ranges).zip(&mut samples) {
                    let mut at = range.start;
                    while at < range.end {
                        let end = range.end.min(at + PIECE);
                        let size = self.numbers.size as u64;
                        let offset = address.saturating_add((row * *times + at) * size);
                        fill(&self.path, &mut self.file, offset, (end - at) * size, &mut bytes)?;
                        self.numbers.append_f32(&bytes, out);
                        at = end;
                    }
                }
            }
            Stored::Chunked(chunks) => chunks.read((&self.path, &mut self.file, self.numbers), ranges, &mut samples)?,
        }
        Ok(samples)
    }
}

/// How the numbers of a dataset are stored; `None` where they do not fill their bytes in the usual way.
fn number_type(datatype: &Datatype) -> Option<NumberType> {
    let (kind, size, order) = match datatype {
        Datatype::FixedPoint { size, byte_order, layout }
            if layout.bit_offset == 0 && u32::from(layout.bit_precision) == 8 * size && matches!(size, 1 | 2 | 4 | 8) =>
        {
            (if layout.signed { NumberKind::Signed } else { NumberKind::Unsigned }, *size, *byte_order)
        }
        Datatype::FloatingPoint { size: size @ 4, byte_order, layout } if *layout == FloatingPointLayout::IEEE754_BINARY32 => {
            (NumberKind::Float, *size, *byte_order)
        }
        Datatype::FloatingPoint { size: size @ 8, byte_order, layout } if *layout == FloatingPointLayout::IEEE754_BINARY64 => {
            (NumberKind::Float, *size, *byte_order)
        }
        _ => return None,
    };
    let big_endian = match order {
        DatatypeByteOrder::LittleEndian => false,
        DatatypeByteOrder::BigEndian => true,
        DatatypeByteOrder::Vax => return None,
    };
    Some(NumberType { kind, size: size as usize, big_endian })
}

/// Reads `length` bytes from a place in the file.
fn fill(path: &Path, file: &mut File, offset: u64, length: u64, bytes: &mut Vec<u8>) -> Result<(), FormatError> {
    bytes.resize(length as usize, 0);
    let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
    read.map_err(FormatError::io(path, "read the signals"))
}

impl Chunks {
    fn new(dataset: &Dataset, shape: [u64; 2], chunk: [u64; 2]) -> Option<Self> {
        let filters = dataset.filters();
        if chunk.contains(&0) || filters.iter().any(|filter| !matches!(*filter, DEFLATE | SHUFFLE | FLETCHER32)) {
            return None;
        }
        let key = |chunk: Chunk| match chunk.offset[..] {
            [channel, time] => Some(((channel, time), chunk)),
            _ => None,
        };
        let places: BTreeMap<(u64, u64), Chunk> = dataset.chunks().ok()?.into_iter().map(key).collect::<Option<_>>()?;
        let wanted = shape[0].div_ceil(chunk[0]).checked_mul(shape[1].div_ceil(chunk[1]))?;
        let inside = |&(channel, time): &(u64, u64)| {
            channel < shape[0] && time < shape[1] && channel.is_multiple_of(chunk[0]) && time.is_multiple_of(chunk[1])
        };
        let whole = places.keys().filter(|key| inside(key)).count() as u64 == wanted;
        whole.then_some(Self { shape: chunk, places, filters, kept: HashMap::new() })
    }

    fn read(
        &mut self,
        (path, file, numbers): (&Path, &mut File, NumberType),
        ranges: &[Range<u64>],
        samples: &mut [Vec<f32>],
    ) -> Result<(), FormatError> {
        let [height, width] = self.shape;
        let mut kept = HashMap::new();
        // The chunks side by side hold some channels each.
        for (number, (ranges, samples)) in (0..).zip(ranges.chunks(height as usize).zip(samples.chunks_mut(height as usize))) {
            let wanted = || ranges.iter().filter(|range| !range.is_empty());
            let (Some(from), Some(to)) = (wanted().map(|range| range.start).min(), wanted().map(|range| range.end).max()) else {
                continue;
            };
            for column in from / width..to.div_ceil(width) {
                let key = (number * height, column * width);
                let chunk = match self.kept.remove(&key) {
                    Some(chunk) => chunk,
                    None => self.chunk((path, file, numbers), key)?,
                };
                for ((row, range), out) in chunk.chunks_exact(width as usize).zip(ranges).zip(&mut *samples) {
                    let (low, high) = (range.start.max(key.1), range.end.min(key.1 + width));
                    if low < high {
                        out.extend_from_slice(row.get((low - key.1) as usize..(high - key.1) as usize).unwrap_or(&[]));
                    }
                }
                let held: usize = kept.values().map(Vec::len).sum();
                if key.1 + width > to && held + chunk.len() <= MOST_KEPT {
                    kept.insert(key, chunk);
                }
            }
        }
        self.kept = kept;
        Ok(())
    }

    /// The samples of a chunk, row by row.
    fn chunk(&self, (path, file, numbers): (&Path, &mut File, NumberType), key: (u64, u64)) -> Result<Vec<f32>, FormatError> {
        let refuse = |cause: &str| {
            let place = format!("the chunk of channel {} at sample {}", key.0, key.1);
            malformed(path, &place, cause.to_owned(), "it is damaged or cut short: write or fetch it again")
        };
        let place = self.places.get(&key).ok_or_else(|| refuse("it is not there"))?;
        let count = (self.shape[0] * self.shape[1]) as usize;
        let needed = count * numbers.size;
        let mut bytes = Vec::new();
        fill(path, file, place.address, place.storage_size, &mut bytes)?;
        for (number, filter) in self.filters.iter().enumerate().rev() {
            // A chunk that a filter did not make smaller may be stored without it.
            if place.filter_mask >> number & 1 == 1 {
                continue;
            }
            bytes = match *filter {
                DEFLATE => {
                    let mut inflated = Vec::with_capacity(needed);
                    // A checksum may follow the samples.
                    let read = ZlibDecoder::new(bytes.as_slice()).take(needed as u64 + 4).read_to_end(&mut inflated);
                    read.map_err(|error| refuse(&error.to_string()))?;
                    inflated
                }
                SHUFFLE => unshuffled(&bytes, numbers.size),
                _ => checked(bytes).ok_or_else(|| refuse("its checksum is wrong"))?,
            };
        }
        if bytes.len() < needed {
            return Err(refuse(&format!("it holds {} bytes where {needed} are needed", bytes.len())));
        }
        let mut samples = Vec::with_capacity(count);
        numbers.append_f32(bytes.get(..needed).unwrap_or(&[]), &mut samples);
        Ok(samples)
    }
}

/// Undoes HDF5's shuffle, which puts the first bytes of all numbers first, then the second ones, and so on.
fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let mut whole = bytes.to_vec();
    for (place, plane) in bytes.chunks_exact(count.max(1)).take(size).enumerate() {
        whole.iter_mut().skip(place).step_by(size).zip(plane).for_each(|(slot, &byte)| *slot = byte);
    }
    whole
}

/// Bytes without the checksum that ends them (Fletcher's, of words of 16 bits, the higher byte first); `None` where it is another.
fn checked(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (data, stated) = bytes.split_last_chunk::<4>()?;
    let (mut first, mut second) = (0_u32, 0_u32);
    let fold = |sum: u32| (sum & 0xFFFF) + (sum >> 16);
    // So many words do not overflow the sums.
    for block in data.chunks(720) {
        for word in block.chunks(2) {
            first += u32::from(word.first().copied().unwrap_or(0)) << 8 | u32::from(word.get(1).copied().unwrap_or(0));
            second += first;
        }
        (first, second) = (fold(first), fold(second));
    }
    (first, second) = (fold(first), fold(second));
    if second << 16 | first != u32::from_le_bytes(*stated) {
        return None;
    }
    bytes.truncate(bytes.len() - 4);
    Some(bytes)
}

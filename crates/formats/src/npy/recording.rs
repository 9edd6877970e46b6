//! A recording as an array `[time, channel]`.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Channel, Record};

use super::header::{self, Header, Kind};
use crate::FormatError;
use crate::numbers::{NumberKind, NumberType};
use crate::recording::{Recording, Signals};
use crate::replace::Partial;

/// More channels than any recording has: an array of more columns is one of `[channel, time]`, or damaged.
const MOST_CHANNELS: usize = 1 << 16;
/// Bytes that are read and converted at a time.
const PIECE: u64 = 1 << 20;

/// Opens an array `[time, channel]` or `[time]` of numbers, of `rate_hz` samples per second in `unit`.
pub(crate) fn open(path: &Path, rate_hz: Option<f64>, unit: Option<&str>) -> Result<Recording<'static>, FormatError> {
    let refuse = |cause: String, remedy| FormatError::Malformed {
        path: path.to_path_buf(),
        place: "as a recording".into(),
        cause,
        remedy,
    };
    let rate = rate_hz.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or_else(|| {
        refuse(
            "an array does not state its sampling frequency".into(),
            "give it (--rate HZ; in a configuration: recordings.rate)",
        )
    })?;
    let (header, file, at) = opened(path)?;
    let (rows, columns) = match header.shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => return Err(refuse(format!("the array has {} axes", header.shape.len()), "store one record as [time, channel]")),
    };
    if columns > MOST_CHANNELS {
        return Err(refuse(format!("each of its {columns} columns would be a channel"), "store one record as [time, channel]"));
    }
    let numbers = number_type(&header).ok_or_else(|| refuse("its values are texts".into(), "store numbers"))?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut record = Record { sampling_frequency_hz: rate, ..Record::new(name) };
    let channel = |number: usize| Channel::new(format!("channel {number}"), unit.unwrap_or_default(), rate, Vec::new());
    record.channels = (1..=columns).map(channel).collect();
    let (rows, columns) = (rows as u64, columns as u64);
    // Of one column, and of no rows, both orders are the same.
    let by_column = header.fortran && columns > 1;
    let source = Source { path: path.to_path_buf(), file, numbers, at: at as u64, rows, columns, by_column };
    Ok(Recording::new(path.to_path_buf(), record, vec![rows; columns as usize], Box::new(source)))
}

/// The header of a file, checked against the file's length, and where its values begin.
fn opened(path: &Path) -> Result<(Header, File, usize), FormatError> {
    let mut file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            FormatError::Missing { path: path.to_path_buf(), named_by: "asked for".into(), remedy: "name a .npy file" }
        }
        _ => FormatError::Io { path: path.to_path_buf(), action: "open the file", source },
    })?;
    let here = FormatError::io(path, "read the file");
    let mut start = Vec::new();
    let mut read = |bytes: u64, start: &mut Vec<u8>| (&mut file).take(bytes).read_to_end(start);
    let header = read(12, &mut start).and_then(|_| {
        let rest = header::length(&start).saturating_sub(start.len());
        read(rest as u64, &mut start)
    });
    header.map_err(here)?;
    let (header, at) = header::parse(path, &start)?;
    let length = file.metadata().map_err(FormatError::io(path, "find the size of the file"))?.len();
    header.extent(path, at, length)?;
    Ok((header, file, at))
}

fn number_type(header: &Header) -> Option<NumberType> {
    let kind = match header.kind {
        Kind::Float => NumberKind::Float,
        Kind::Signed => NumberKind::Signed,
        Kind::Unsigned => NumberKind::Unsigned,
        Kind::Text | Kind::Bytes => return None,
    };
    Some(NumberType { kind, size: header.size, big_endian: header.big_endian })
}

/// An array on disk.
struct Source {
    path: PathBuf,
    file: File,
    numbers: NumberType,
    /// Where the values begin.
    at: u64,
    rows: u64,
    columns: u64,
    /// Whether a column follows the other, and not a row.
    by_column: bool,
}

impl Source {
    /// Appends the values from number `first` to `end`, in the order in which they lie in the file.
    fn append(&mut self, first: u64, end: u64, bytes: &mut Vec<u8>, out: &mut Vec<f32>) -> Result<(), FormatError> {
        let size = self.numbers.size as u64;
        let mut at = first;
        while at < end {
            let count = (PIECE / size).min(end - at);
            bytes.resize((count * size) as usize, 0);
            let read = self.file.seek(SeekFrom::Start(self.at + at * size)).and_then(|_| self.file.read_exact(bytes));
            read.map_err(FormatError::io(&self.path, "read the values"))?;
            self.numbers.append_f32(bytes, out);
            at += count;
        }
        Ok(())
    }
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let mut samples: Vec<Vec<f32>> =
            ranges.iter().map(|range| Vec::with_capacity((range.end - range.start) as usize)).collect();
        let mut bytes = Vec::new();
        if self.by_column {
            for ((column, range), out) in (0..).zip(ranges).zip(&mut samples) {
                let first = column * self.rows;
                self.append(first + range.start, first + range.end, &mut bytes, out)?;
            }
            return Ok(samples);
        }
        let wanted = || ranges.iter().filter(|range| !range.is_empty());
        let (Some(from), Some(to)) = (wanted().map(|range| range.start).min(), wanted().map(|range| range.end).max()) else {
            return Ok(samples);
        };
        let step = (PIECE / (self.numbers.size as u64 * self.columns.max(1))).max(1);
        let mut values = Vec::new();
        let mut row = from;
        while row < to {
            let end = to.min(row + step);
            values.clear();
            self.append(row * self.columns, end * self.columns, &mut bytes, &mut values)?;
            for ((column, range), out) in ranges.iter().enumerate().zip(&mut samples) {
                let (low, high) = (range.start.max(row), range.end.min(end));
                let rows = values.iter().skip(column).step_by(self.columns as usize);
                out.extend(rows.skip(low.saturating_sub(row) as usize).take(high.saturating_sub(low) as usize));
            }
            row = end;
        }
        Ok(samples)
    }
}

/// Writes the signals of a recording, which have to be of one sampling frequency and length, as an array of `float32` in physical
/// units, NaN where missing; gives a sentence for each thing that has no place.
pub fn write_recording(path: &Path, recording: &mut Recording) -> Result<Vec<String>, FormatError> {
    let lengths = recording.lengths();
    let (columns, rows) = (lengths.len(), lengths.first().copied().unwrap_or(0));
    let fastest = recording.fastest_hz();
    if let Some(other) =
        recording.record.channels.iter().zip(lengths).find(|(c, n)| c.sampling_frequency_hz != fastest || **n != rows)
    {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!(
                "channel '{}' has {} samples per second, others {fastest}",
                other.0.label, other.0.sampling_frequency_hz
            ),
            remedy: "an array has one sampling frequency: choose signals of one, or write HDF5",
        });
    }
    let labels: Vec<&str> = recording.record.channels.iter().map(|channel| channel.label.as_str()).collect();
    let warnings = vec![format!(
        "an array holds samples alone: its columns are {}, at {fastest} Hz; annotations, units, start and comments have no place",
        labels.join(", ")
    )];
    let count = (rows as usize).saturating_mul(columns);
    let mut file = Partial::new(path)?;
    file.put(&header::encode(path, "<f4", &[rows as usize, columns], count)?)?;
    recording.each_block(&mut |block| {
        let length = block.first().map_or(0, Vec::len);
        let mut bytes = vec![0; 4 * columns * length];
        for (column, samples) in block.iter().enumerate() {
            let slots = bytes.chunks_exact_mut(4).skip(column).step_by(columns);
            slots.zip(samples).for_each(|(slot, sample)| slot.copy_from_slice(&sample.to_le_bytes()));
        }
        file.put(&bytes)
    })?;
    file.commit()?;
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Part;

    /// The value of a row and a column.
    fn value(row: usize, column: usize) -> i16 {
        (row * 3 + column * 10_000) as i16
    }

    const ROWS: usize = 5_000;

    /// An array of whole numbers of 16 bits, in one of the orders of bytes and of values.
    fn file(path: &Path, big_endian: bool, fortran: bool) {
        let order = if big_endian { '>' } else { '<' };
        let head = header::encode(path, &format!("{order}i2"), &[ROWS, 3], ROWS * 3).unwrap();
        let head = String::from_utf8_lossy(&head[10..]).replace("False", if fortran { "True " } else { "False" });
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((head.len() as u16).to_le_bytes());
        bytes.extend(head.bytes());
        let mut put = |row, column| {
            let value = value(row, column);
            bytes.extend(if big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
        };
        if fortran {
            (0..3).for_each(|column| (0..ROWS).for_each(|row| put(row, column)));
        } else {
            (0..ROWS).for_each(|row| (0..3).for_each(|column| put(row, column)));
        }
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn parts_of_arrays_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.npy");
        for (big_endian, fortran) in [(false, false), (true, false), (false, true), (true, true)] {
            file(&path, big_endian, fortran);
            let expected = |column: usize, rows: Range<usize>| rows.map(|row| f32::from(value(row, column))).collect::<Vec<_>>();
            let open = || open(&path, Some(100.0), Some("mV")).unwrap();
            let whole = open().into_record().unwrap();
            assert_eq!(
                (whole.channels.len(), whole.channels[2].label.as_str(), whole.channels[0].unit.as_str()),
                (3, "channel 3", "mV")
            );
            for (column, channel) in whole.channels.iter().enumerate() {
                assert_eq!(channel.samples, expected(column, 0..ROWS));
            }
            assert_eq!(
                open().read(&[7..9, 0..0, 4_000..ROWS as u64]).unwrap(),
                [expected(0, 7..9), Vec::new(), expected(2, 4_000..ROWS)]
            );
            let part = Part { from_s: 10.0, to_s: Some(12.5), signals: vec!["2".into()] };
            assert_eq!(open().part(&part).unwrap().into_record().unwrap().channels[0].samples, expected(1, 1_000..1_250));
        }
    }

    #[test]
    fn what_is_no_recording_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.npy");
        let said = |shape: &[usize], values: usize, bytes: usize, rate| {
            let mut content = header::encode(&path, "<f4", shape, values).unwrap();
            content.extend(vec![0; bytes]);
            std::fs::write(&path, content).unwrap();
            open(&path, rate, None).map_or_else(|error| error.to_string(), |recording| format!("{:?}", recording.lengths()))
        };
        assert_eq!(said(&[4], 4, 16, Some(1.0)), "[4]");
        assert!(said(&[4], 4, 16, None).contains("--rate"));
        assert!(said(&[4, 2, 2], 16, 64, Some(1.0)).contains("3 axes"));
        assert!(said(&[4, 2], 8, 31, Some(1.0)).contains("4 × 2 values of 4 bytes"));
        // No values, and as many channels as nobody has.
        assert!(said(&[0, 1 << 40], 0, 0, Some(1.0)).contains("would be a channel"));
        assert_eq!(said(&[0, 2], 0, 0, Some(1.0)), "[0, 0]");
    }
}

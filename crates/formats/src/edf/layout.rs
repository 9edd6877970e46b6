//! Where the data records are in a file: what the header says, checked against the file's size.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::header::{self, BLOCK, Header};
use crate::FormatError;

/// Something that can be read at any place: a file, or bytes in memory.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A source with its name and its length.
pub(crate) struct Input<'a> {
    pub(crate) path: &'a Path,
    pub(crate) source: &'a mut dyn Source,
    pub(crate) length: u64,
}

impl<'a> Input<'a> {
    pub(crate) fn new(path: &'a Path, source: &'a mut dyn Source) -> Result<Self, FormatError> {
        let length = source.seek(SeekFrom::End(0)).map_err(FormatError::io(path, "find the size of the file"))?;
        Ok(Self { path, source, length })
    }

    /// Fills `bytes` from the place `offset`.
    pub(crate) fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), FormatError> {
        let read = self.source.seek(SeekFrom::Start(offset)).and_then(|_| self.source.read_exact(bytes));
        read.map_err(FormatError::io(self.path, "read the file"))
    }

    /// Reads and parses the header.
    pub(crate) fn header(&mut self) -> Result<Header, FormatError> {
        let refuse = |expected: u64, found| FormatError::Truncated {
            path: self.path.to_path_buf(),
            expected,
            found,
            because: "its header".into(),
            remedy: "the file is cut short or is no EDF: fetch it again",
        };
        if self.length < BLOCK as u64 {
            return Err(refuse(BLOCK as u64, self.length));
        }
        let mut bytes = vec![0; BLOCK];
        self.read_at(0, &mut bytes)?;
        let expected = (header::announced_signals(self.path, &bytes)? as u64).saturating_add(1).saturating_mul(BLOCK as u64);
        // Nothing is allocated for signals that the file is too short to describe.
        if expected > self.length {
            return Err(refuse(expected, self.length));
        }
        bytes.resize(expected as usize, 0);
        self.read_at(0, &mut bytes)?;
        header::parse(self.path, &bytes)
    }
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> Result<File, FormatError> {
    File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "asked for".into(),
            remedy: "name an EDF or BDF file with its extension",
        },
        _ => FormatError::Io { path: path.to_path_buf(), action: "open the file", source },
    })
}

/// Data records in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// First byte of the first.
    pub(crate) offset: u64,
    /// Bytes of each.
    pub(crate) record_bytes: u64,
    /// How many there are, whole.
    pub(crate) records: u64,
    /// First byte and length of each signal's block in a record.
    pub(crate) blocks: Vec<(u64, u64)>,
}

impl Layout {
    /// From the header and the file's size. What does not agree is a problem, and the size decides.
    pub(crate) fn new(path: &Path, header: &Header, length: u64, problems: &mut Vec<String>) -> Self {
        let width = header.coding.sample_bytes() as u64;
        let mut record_bytes = 0;
        // At most 10⁴ signals of less than 2³² samples each: no sum overflows.
        let blocks = header.signals.iter().map(|signal| {
            let block = (record_bytes, signal.samples_per_record * width);
            record_bytes += block.1;
            block
        });
        let blocks = blocks.collect();
        let mut problem = |text: String| problems.push(format!("{}: {text}", path.display()));

        let mut offset = header.length();
        let stated = u64::try_from(header.header_bytes).unwrap_or(0);
        if stated != offset {
            let fits = |offset: u64| {
                let data = u64::try_from(header.records).ok().and_then(|records| records.checked_mul(record_bytes));
                data.and_then(|data| data.checked_add(offset)) == Some(length)
            };
            problem(format!(
                "the header states {} bytes for itself; {} signals take {offset}",
                header.header_bytes,
                header.signals.len()
            ));
            // Behind a header that is padded the data fill the file exactly.
            if stated > offset && fits(stated) && !fits(offset) {
                offset = stated;
            }
        }

        let data = length.saturating_sub(offset);
        let held = data.checked_div(record_bytes).unwrap_or(0);
        let records = match u64::try_from(header.records) {
            Ok(stated) if stated > held => {
                problem(format!(
                    "the file is cut short: {stated} data records are stated, {held} are there whole; what is left of the next is \
                     not read"
                ));
                held
            }
            Ok(stated) if stated > 0 || held == 0 => {
                let rest = data - stated * record_bytes;
                if rest > 0 {
                    problem(format!("{rest} bytes behind the {stated} data records that the header states are not read"));
                }
                stated
            }
            _ => {
                let stated = header.records;
                problem(format!("the number of data records is stated as {stated}; there are {held} by the size of the file"));
                held
            }
        };
        Self { offset, record_bytes, records, blocks }
    }

    /// Where data record `index` begins in the file.
    pub(crate) fn record(&self, index: u64) -> u64 {
        self.offset + index * self.record_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edf::header::{Coding, Extension, SignalHeader};

    fn header(records: i64, header_bytes: i64) -> Header {
        let signal = SignalHeader {
            label: "C3".into(),
            transducer: String::new(),
            unit: "uV".into(),
            physical_minimum: -1.0,
            physical_maximum: 1.0,
            digital_minimum: -1,
            digital_maximum: 1,
            prefiltering: String::new(),
            samples_per_record: 5,
            annotations: false,
        };
        Header {
            coding: Coding::Edf,
            extension: Extension::Plain,
            patient: String::new(),
            recording: String::new(),
            start: None,
            header_bytes,
            records,
            record_duration_s: 1.0,
            signals: vec![signal],
            problems: Vec::new(),
        }
    }

    #[test]
    fn the_size_of_the_file_decides() {
        for (records, header_bytes, length, expected, problems) in [
            (3, 512, 542, (512, 3), 0),
            (-1, 512, 542, (512, 3), 1),
            (0, 512, 542, (512, 3), 1),
            (0, 512, 512, (512, 0), 0),
            (4, 512, 545, (512, 3), 1),
            (2, 512, 542, (512, 2), 1),
            (3, 512, 549, (512, 3), 1),
            // A header that is longer than its signals need, and one that lies about it.
            (3, 768, 798, (768, 3), 1),
            (3, 768, 542, (512, 3), 1),
            (3, -5, 542, (512, 3), 1),
            (i64::MAX, 512, 512, (512, 0), 1),
        ] {
            let mut found = Vec::new();
            let layout = Layout::new(Path::new("x.edf"), &header(records, header_bytes), length, &mut found);
            assert_eq!(
                ((layout.offset, layout.records), found.len()),
                (expected, problems),
                "{records} {header_bytes}: {found:?}"
            );
        }
    }
}

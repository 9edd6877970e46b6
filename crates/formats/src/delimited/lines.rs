//! Lines of a file, one at a time.

use std::borrow::Cow;
use std::io::{BufRead, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::FormatError;

/// Bytes that a line may have: 64 MiB.
const LONGEST: u64 = 64 << 20;

/// Where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its first byte.
    pub(super) offset: u64,
    /// Its number, from 1.
    pub(super) line: usize,
}

/// The lines that hold something; comments (`#`) left out.
pub(super) struct Lines<R> {
    path: PathBuf,
    reader: R,
    bytes: Vec<u8>,
    /// Where the next line begins.
    next: Place,
}

impl<R: BufRead + Seek> Lines<R> {
    /// From the start; `path` stands in messages.
    pub(super) fn new(path: &Path, reader: R) -> Self {
        Self { path: path.to_path_buf(), reader, bytes: Vec::new(), next: Place { offset: 0, line: 1 } }
    }

    /// Goes on at a line.
    pub(super) fn go_to(&mut self, place: Place) -> Result<(), FormatError> {
        if self.next != place {
            self.reader.seek(SeekFrom::Start(place.offset)).map_err(FormatError::io(&self.path, "read the file"))?;
            self.next = place;
        }
        Ok(())
    }

    /// The next line and where it begins: UTF-8, else Latin-1.
    pub(super) fn next(&mut self) -> Result<Option<(Place, Cow<'_, str>)>, FormatError> {
        loop {
            self.bytes.clear();
            let place = self.next;
            let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.bytes);
            let read = read.map_err(FormatError::io(&self.path, "read the file"))? as u64;
            if read == 0 {
                return Ok(None);
            }
            if read == LONGEST {
                return Err(FormatError::Malformed {
                    path: self.path.clone(),
                    place: format!("line {}", place.line),
                    cause: format!("the line is longer than {} MiB", LONGEST >> 20),
                    remedy: "name a file of delimited text with a row for each sample",
                });
            }
            self.next = Place { offset: place.offset + read, line: place.line + 1 };
            if self.bytes.ends_with(b"\n") {
                self.bytes.truncate(self.bytes.len() - if self.bytes.ends_with(b"\r\n") { 2 } else { 1 });
            }
            let start = if place.offset == 0 && self.bytes.starts_with(MARK) { MARK.len() } else { 0 };
            let blank = text(self.bytes.get(start..).unwrap_or(&[])).trim().is_empty();
            if !blank && self.bytes.get(start) != Some(&b'#') {
                return Ok(Some((place, text(self.bytes.get(start..).unwrap_or(&[])))));
            }
        }
    }
}

/// UTF-8's byte-order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn lines_that_hold_something_and_where_they_begin() {
        let content = b"\xEF\xBB\xBFa\r\n\n# c\n \t\nb\xB5\n\xC2\xB5\rc";
        let mut lines = Lines::new(Path::new("x"), Cursor::new(content));
        let mut found = Vec::new();
        while let Some((place, text)) = lines.next().unwrap() {
            found.push((place.offset, place.line, text.into_owned()));
        }
        assert_eq!(found, [(0, 1, "a".to_owned()), (14, 5, "bµ".into()), (17, 6, "µ\rc".into())]);
        lines.go_to(Place { offset: 14, line: 5 }).unwrap();
        assert_eq!(lines.next().unwrap().unwrap().1, "bµ");
        lines.go_to(Place { offset: 0, line: 1 }).unwrap();
        assert_eq!(lines.next().unwrap().unwrap().1, "a");
    }

    #[test]
    fn a_file_without_line_ends_is_not_read_whole() {
        let mut lines = Lines::new(Path::new("x"), Cursor::new(vec![b'1'; LONGEST as usize + 1]));
        let error = lines.next().unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("64 MiB"), "{error}");
    }
}

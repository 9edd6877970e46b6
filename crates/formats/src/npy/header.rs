//! The header: a Python dictionary of three entries.

use std::path::Path;

use crate::FormatError;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The values begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// What kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `f4`, `f8`.
    Float,
    /// `i1` to `i8`.
    Signed,
    /// `u1` to `u8`, and `b1`.
    Unsigned,
    /// `U`: UTF-32, filled up with NULs.
    Text,
    /// `S`: bytes, filled up with NULs.
    Bytes,
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Bytes of a value.
    pub(super) size: usize,
    pub(super) big_endian: bool,
    pub(super) fortran: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    /// How many values there are, and the bytes that they take, in a file of `length` bytes in which they begin at byte `at`.
    pub(super) fn extent(&self, path: &Path, at: usize, length: u64) -> Result<(usize, usize), FormatError> {
        let count = self.shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        let needed = count.and_then(|count| count.checked_mul(self.size));
        let fits = |needed: &usize| *needed as u64 <= length.saturating_sub(at as u64);
        // Checked before anything is allocated. Values of no size (`U0`) take no bytes, however many there are said to be.
        let plausible = |count: &usize| self.size > 0 || *count as u64 <= length;
        if let (Some(count), Some(needed)) = (count.filter(plausible), needed.filter(fits)) {
            return Ok((count, needed));
        }
        let shape = self.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        Err(FormatError::Truncated {
            path: path.to_path_buf(),
            expected: needed.map_or(u64::MAX, |needed| needed.saturating_add(at) as u64),
            found: length,
            because: format!("{shape} values of {} bytes behind {at} bytes of header", self.size),
            remedy: "the file is cut short: write it again",
        })
    }
}

/// How many bytes of a file its header takes, by its first twelve; fewer than that where they are of another format.
pub(super) fn length(start: &[u8]) -> usize {
    match *start {
        [_, _, _, _, _, _, 1, _, a, b, ..] => 10 + usize::from(u16::from_le_bytes([a, b])),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => 12_usize.saturating_add(u32::from_le_bytes([a, b, c, d]) as usize),
        _ => 0,
    }
}

/// The header of a file, and where the values begin.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<(Header, usize), FormatError> {
    let refuse = |place: &str, cause: String| FormatError::Malformed {
        path: path.to_path_buf(),
        place: place.into(),
        cause,
        remedy: "write the array again with numpy.save",
    };
    let (Some(magic), Some(&[major, _])) = (bytes.get(..6), bytes.get(6..8)) else {
        return Err(refuse("byte 0", "the file is too short to be an array".into()));
    };
    if magic != MAGIC {
        return Err(refuse("byte 0", "the file does not begin as .npy files do".into()));
    }
    let (length, start): (usize, usize) = match (major, bytes.get(8..12)) {
        (1, Some(&[a, b, ..])) => (usize::from(u16::from_le_bytes([a, b])), 10),
        (2 | 3, Some(&[a, b, c, d])) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (major, _) => return Err(refuse("byte 6", format!("version {major} is not one of 1 to 3"))),
    };
    let Some(text) = bytes.get(start..start.saturating_add(length)) else {
        return Err(refuse("byte 8", format!("a header of {length} bytes is longer than the file")));
    };
    let text = String::from_utf8_lossy(text);
    let header = dictionary(&text).ok_or_else(|| refuse("header", format!("'{}' is no description of an array", text.trim())))?;
    let (descr, fortran, shape) = header;
    let (kind, size, big_endian) = values(&descr).ok_or_else(|| FormatError::Unsupported {
        path: path.to_path_buf(),
        what: format!("an array of type '{descr}' is"),
        remedy: "write it as float32, float64, integers or texts",
    })?;
    Ok((Header { kind, size, big_endian, fortran, shape }, start + length))
}

/// `descr`, `fortran_order` and `shape` of `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn dictionary(text: &str) -> Option<(String, bool, Vec<usize>)> {
    let mut rest = text.trim().strip_prefix('{')?;
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    loop {
        rest = rest.trim_start();
        if let Some(end) = rest.strip_prefix('}') {
            return end.trim().is_empty().then_some((descr?, fortran?, shape?));
        }
        let (key, after) = string(rest)?;
        rest = after.trim_start().strip_prefix(':')?.trim_start();
        match key {
            "descr" => {
                // A list describes records of several fields.
                let (value, after) = if rest.starts_with('[') { bracketed(rest)? } else { string(rest)? };
                (descr, rest) = (Some(value.to_owned()), after);
            }
            "fortran_order" => {
                let (value, after) = match rest.strip_prefix("True") {
                    Some(after) => (true, after),
                    None => (false, rest.strip_prefix("False")?),
                };
                (fortran, rest) = (Some(value), after);
            }
            "shape" => {
                let (inside, after) = rest.strip_prefix('(')?.split_once(')')?;
                let lengths = inside.split(',').map(str::trim).filter(|length| !length.is_empty());
                // Python 2 wrote long integers with an L.
                let lengths = lengths.map(|length| length.trim_end_matches('L').parse().ok());
                (shape, rest) = (Some(lengths.collect::<Option<Vec<usize>>>()?), after);
            }
            _ => return None,
        }
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// A string in quotes, and what follows it.
fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

/// A list with its brackets, and what follows it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let end = text.find(']')? + 1;
    Some((text.get(..end)?, text.get(end..)?))
}

/// Kind, size and byte order of `<f4`, `|b1`, `>U12`.
fn values(descr: &str) -> Option<(Kind, usize, bool)> {
    let (order, rest) = match descr.chars().next()? {
        order @ ('<' | '>' | '|' | '=') => (order, descr.get(1..)?),
        _ => ('=', descr),
    };
    let (kind, size) = (rest.chars().next()?, rest.get(1..)?.parse::<usize>().ok()?);
    let (kind, size) = match (kind, size) {
        ('f', 4 | 8) => (Kind::Float, size),
        ('i', 1 | 2 | 4 | 8) => (Kind::Signed, size),
        ('u', 1 | 2 | 4 | 8) | ('b', 1) => (Kind::Unsigned, size),
        ('U', characters) => (Kind::Text, characters.checked_mul(4)?),
        ('S' | 'a', bytes) => (Kind::Bytes, bytes),
        _ => return None,
    };
    Some((kind, size, order == '>'))
}

/// Everything before the values of an array of `count` values.
pub(super) fn encode(path: &Path, descr: &str, shape: &[usize], count: usize) -> Result<Vec<u8>, FormatError> {
    if shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length)) != Some(count) {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!("an array of shape {shape:?} has not {count} values"),
            remedy: "give the shape of the values",
        });
    }
    let lengths = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // `(3,)` has a comma.
    let lengths = if shape.len() == 1 { lengths + "," } else { lengths };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}");
    let before = MAGIC.len() + 4;
    let padding = ALIGNMENT - (before + text.len() + 1) % ALIGNMENT;
    text.extend(std::iter::repeat_n(' ', padding % ALIGNMENT));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[1, 0]);
    // A shape has at most a few dozen axes: 64 KiB hold it.
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Ok(bytes)
}

//! NumPy's `.npy` files, versions 1 to 3: arrays of numbers or of texts, and segments as such arrays.
//!
//! The layout is that of NumPy's documentation, *numpy.lib.format*: a magic number, a version, the length of a header that is a Python
//! dictionary (`descr`, `fortran_order`, `shape`), the values.

mod companions;
mod header;
mod recording;
mod segments;

use std::path::Path;

use crate::FormatError;
use crate::replace::replace_file;
pub use companions::{Axes, companions, read_with_companions};
use header::{Header, Kind};
pub(crate) use recording::open;
pub use recording::write_recording;
pub use segments::{SegmentOptions, read_segments, write_segments};

/// An array as read, in C order: the last index runs fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length along each axis; empty for a single value.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Values,
}

/// The values of an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of `float32`.
    F32(Vec<f32>),
    /// Of `float64`.
    F64(Vec<f64>),
    /// Of signed and unsigned integers of 8 to 64 bits, and of booleans.
    Integer(Vec<i64>),
    /// Of texts (`U`) and bytes (`S`), without what they are filled up with.
    Text(Vec<String>),
}

impl Values {
    /// Numbers as `f32`; `None` where they are texts.
    pub fn into_f32(self) -> Option<Vec<f32>> {
        match self {
            Self::F32(values) => Some(values),
            Self::F64(values) => Some(values.into_iter().map(|value| value as f32).collect()),
            Self::Integer(values) => Some(values.into_iter().map(|value| value as f32).collect()),
            Self::Text(_) => None,
        }
    }

    /// Each value as a text.
    pub fn into_text(self) -> Vec<String> {
        match self {
            Self::F32(values) => values.iter().map(ToString::to_string).collect(),
            Self::F64(values) => values.iter().map(ToString::to_string).collect(),
            Self::Integer(values) => values.iter().map(ToString::to_string).collect(),
            Self::Text(values) => values,
        }
    }
}

/// Reads an array of numbers or texts.
pub fn read_array(path: &Path) -> Result<Array, FormatError> {
    let bytes = std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            FormatError::Missing { path: path.to_path_buf(), named_by: "asked for".into(), remedy: "name a .npy file" }
        }
        _ => FormatError::Io { path: path.to_path_buf(), action: "read the file", source },
    })?;
    parse(path, &bytes)
}

/// Parses the content of a file; `path` stands in messages.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Array, FormatError> {
    let (header, at) = header::parse(path, bytes)?;
    let (count, needed) = header.extent(path, at, bytes.len() as u64)?;
    let data = bytes.get(at..).and_then(|data| data.get(..needed)).unwrap_or(&[]);
    let values = match header.kind {
        Kind::Float if header.size == 4 => Values::F32(numbers(data, &header, f32::from_le_bytes)),
        Kind::Float => Values::F64(numbers(data, &header, f64::from_le_bytes)),
        Kind::Signed | Kind::Unsigned => Values::Integer(integers(path, data, &header)?),
        Kind::Text | Kind::Bytes => Values::Text(texts(data, &header, count)),
    };
    Ok(Array { values: in_c_order(values, &header), shape: header.shape })
}

/// Values of `N` bytes each, whatever their byte order.
fn numbers<const N: usize, T>(data: &[u8], header: &Header, from: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = data.as_chunks::<N>();
    let ordered = |mut chunk: [u8; N]| {
        if header.big_endian {
            chunk.reverse();
        }
        from(chunk)
    };
    chunks.iter().map(|&chunk| ordered(chunk)).collect()
}

fn integers(path: &Path, data: &[u8], header: &Header) -> Result<Vec<i64>, FormatError> {
    let signed = header.kind == Kind::Signed;
    Ok(match (header.size, signed) {
        (1, true) => numbers(data, header, |b| i64::from(i8::from_le_bytes(b))),
        (1, false) => numbers(data, header, |b| i64::from(u8::from_le_bytes(b))),
        (2, true) => numbers(data, header, |b| i64::from(i16::from_le_bytes(b))),
        (2, false) => numbers(data, header, |b| i64::from(u16::from_le_bytes(b))),
        (4, true) => numbers(data, header, |b| i64::from(i32::from_le_bytes(b))),
        (4, false) => numbers(data, header, |b| i64::from(u32::from_le_bytes(b))),
        (_, true) => numbers(data, header, i64::from_le_bytes),
        (_, false) => {
            let values = numbers(data, header, u64::from_le_bytes);
            values.into_iter().map(i64::try_from).collect::<Result<_, _>>().map_err(|_| FormatError::Unsupported {
                path: path.to_path_buf(),
                what: "a whole number of 2⁶³ and more is".into(),
                remedy: "write the array as int64 or float64",
            })?
        }
    })
}

fn texts(data: &[u8], header: &Header, count: usize) -> Vec<String> {
    if header.size == 0 {
        return vec![String::new(); count];
    }
    let cut = |text: String| text.trim_end_matches('\0').to_owned();
    let text = |cell: &[u8]| {
        if header.kind == Kind::Bytes {
            return cut(String::from_utf8_lossy(cell).into_owned());
        }
        // UTF-32.
        let points = numbers(cell, header, u32::from_le_bytes);
        cut(points.into_iter().map(|point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    };
    data.chunks_exact(header.size).map(text).collect()
}

/// From Fortran order, where the first index runs fastest, to C order.
fn in_c_order(values: Values, header: &Header) -> Values {
    if !header.fortran || header.shape.len() < 2 {
        return values;
    }
    match values {
        Values::F32(values) => Values::F32(reorder(&values, &header.shape)),
        Values::F64(values) => Values::F64(reorder(&values, &header.shape)),
        Values::Integer(values) => Values::Integer(reorder(&values, &header.shape)),
        Values::Text(values) => Values::Text(reorder(&values, &header.shape)),
    }
}

fn reorder<T: Clone>(values: &[T], shape: &[usize]) -> Vec<T> {
    // Steps in the Fortran array along each axis.
    let strides: Vec<usize> = shape.iter().scan(1, |stride, &length| Some(std::mem::replace(stride, *stride * length))).collect();
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut ordered = Vec::with_capacity(values.len());
    while let (true, Some(value)) = (ordered.len() < values.len(), values.get(at)) {
        ordered.push(value.clone());
        for ((index, &length), &stride) in index.iter_mut().zip(shape).zip(&strides).rev() {
            *index += 1;
            at += stride;
            if *index < length {
                break;
            }
            at -= stride * length;
            *index = 0;
        }
    }
    ordered
}

/// Writes an array of `float32` in C order. A shape that is not that of the values is an error.
pub fn write_f32(path: &Path, shape: &[usize], values: &[f32]) -> Result<(), FormatError> {
    let mut bytes = header::encode(path, "<f4", shape, values.len())?;
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    replace_file(path, &bytes)
}

/// Writes texts as an array of one axis.
pub fn write_text(path: &Path, texts: &[String]) -> Result<(), FormatError> {
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    let mut bytes = header::encode(path, &format!("<U{width}"), &[texts.len()], texts.len())?;
    for text in texts {
        let points = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
        points.for_each(|point| bytes.extend_from_slice(&point.to_le_bytes()));
    }
    replace_file(path, &bytes)
}

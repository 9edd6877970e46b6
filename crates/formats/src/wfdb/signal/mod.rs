//! Signal files: a table of signal formats, one file each, and the reader of a file's signals.

mod format16;
mod format212;
mod read;

pub(crate) use read::{Group, INITIAL_VALUE, Reading, groups, read_group};

/// A signal format that can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalFormat {
    /// 16-bit two's complement, little-endian.
    Format16,
    /// 12-bit two's complement, two samples in three bytes.
    Format212,
}

/// All of them.
static CODINGS: [&Coding; 2] = [&format16::CODING, &format212::CODING];

impl SignalFormat {
    /// The format of this number in a header, where it is one of those that can be read.
    pub fn from_number(number: u32) -> Option<Self> {
        CODINGS.iter().find(|coding| coding.number == number).map(|coding| coding.format)
    }

    /// Its number in a header.
    pub fn number(self) -> u32 {
        self.coding().number
    }

    /// The numbers of all formats that can be read, as a list for messages: `16, 212`.
    pub fn known() -> String {
        CODINGS.iter().map(|coding| coding.number.to_string()).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn coding(self) -> &'static Coding {
        match self {
            Self::Format16 => &format16::CODING,
            Self::Format212 => &format212::CODING,
        }
    }
}

/// What a signal format is: everything that the reader and the writer need to know of it.
pub(crate) struct Coding {
    /// The format this describes.
    pub format: SignalFormat,
    /// Its number in a header.
    pub number: u32,
    /// Bits per sample.
    pub resolution: u16,
    /// Smallest value that is a sample.
    pub minimum: i32,
    /// Largest value.
    pub maximum: i32,
    /// The value that marks a missing sample.
    pub missing: i32,
    /// Samples that are coded together.
    pub block_samples: usize,
    /// Bytes that `block_samples` samples take.
    pub block_bytes: usize,
    /// Decodes as many samples as the second argument has room for; bytes that are short leave the rest as it was.
    pub decode: fn(&[u8], &mut [i32]),
    /// Appends the code of samples that are within the format's range.
    pub encode: fn(&[i32], &mut Vec<u8>),
}

impl Coding {
    /// Bytes that `samples` samples take; `None` where that is beyond 64 bits.
    pub(crate) fn bytes(&self, samples: u64) -> Option<u64> {
        Some(samples.checked_mul(self.block_bytes as u64)?.div_ceil(self.block_samples as u64))
    }

    /// How many whole samples `bytes` bytes hold.
    pub(crate) fn samples(&self, bytes: u64) -> u64 {
        // Widened: bytes × samples per block may be beyond 64 bits.
        (u128::from(bytes) * self.block_samples as u128 / self.block_bytes as u128) as u64
    }
}

/// The 16-bit sum of samples that headers carry, as it accumulates.
pub(crate) fn checksum(sum: i32) -> i16 {
    sum as i16
}

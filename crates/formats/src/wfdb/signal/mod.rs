//! Signal files: a table of signal formats, one file each, and the reader of a file's signals.

mod extent;
pub(crate) mod flac;
mod format0;
mod format16;
mod format160;
mod format212;
mod format24;
mod format310;
mod format311;
mod format32;
mod format61;
mod format8;
mod format80;
mod read;
mod track;

pub(crate) use extent::Window;
pub(crate) use read::{Group, Reading, SignalFile, groups, samples_in_memory, signal_path};
pub(crate) use track::INITIAL_VALUE;

/// A signal format (WFDB's signal(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalFormat {
    /// A null signal: no file, every sample missing.
    Format0,
    /// 8-bit first differences. Read only.
    Format8,
    /// 16-bit two's complement, little-endian.
    Format16,
    /// 24-bit two's complement, little-endian.
    Format24,
    /// 32-bit two's complement, little-endian.
    Format32,
    /// 16-bit two's complement, big-endian.
    Format61,
    /// 8-bit offset binary.
    Format80,
    /// 16-bit offset binary, little-endian.
    Format160,
    /// 12-bit two's complement, two samples in three bytes.
    Format212,
    /// 10-bit two's complement, three samples in four bytes.
    Format310,
    /// 10-bit two's complement, three samples in four bytes, laid out otherwise.
    Format311,
    /// 8-bit samples, FLAC-compressed.
    Format508,
    /// 16-bit samples, FLAC-compressed.
    Format516,
    /// 24-bit samples, FLAC-compressed.
    Format524,
}

/// All of them.
static CODINGS: [&Coding; 14] = [
    &format0::CODING,
    &format8::CODING,
    &format16::CODING,
    &format24::CODING,
    &format32::CODING,
    &format61::CODING,
    &format80::CODING,
    &format160::CODING,
    &format212::CODING,
    &format310::CODING,
    &format311::CODING,
    &flac::CODING_508,
    &flac::CODING_516,
    &flac::CODING_524,
];

impl SignalFormat {
    /// The format of this number in a header, where there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        CODINGS.iter().find(|coding| coding.number == number).map(|coding| coding.format)
    }

    /// Its number in a header.
    pub fn number(self) -> u32 {
        self.coding().number
    }

    /// Whether records can be written in it.
    pub fn is_writable(self) -> bool {
        match &self.coding().storage {
            Storage::Nothing => false,
            Storage::Blocks(blocks) => blocks.encode.is_some(),
            Storage::Flac => true,
        }
    }

    /// Bits per sample.
    pub fn resolution(self) -> u16 {
        self.coding().resolution
    }

    /// The numbers of all formats, as a list for messages: `0, 8, 16, …`.
    pub fn known() -> String {
        CODINGS.iter().map(|coding| coding.number.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Decodes up to `limit` samples from the content of a signal file of this format, in the order in which they stand there
    /// (formats 508, 516 and 524: frame by frame of time, channel by channel; format 8: the differences themselves). What
    /// cannot be decoded is left out. For files of records use [`read_record`](crate::read_record).
    pub fn decode(self, bytes: &[u8], limit: usize) -> Vec<i32> {
        match &self.coding().storage {
            Storage::Nothing => Vec::new(),
            Storage::Blocks(blocks) => {
                let mut samples = vec![0; (blocks.samples_in(bytes.len() as u64) as usize).min(limit)];
                (blocks.decode)(bytes, &mut samples);
                samples
            }
            Storage::Flac => flac::decode_all(bytes, limit),
        }
    }

    pub(crate) fn coding(self) -> &'static Coding {
        match self {
            Self::Format0 => &format0::CODING,
            Self::Format8 => &format8::CODING,
            Self::Format16 => &format16::CODING,
            Self::Format24 => &format24::CODING,
            Self::Format32 => &format32::CODING,
            Self::Format61 => &format61::CODING,
            Self::Format80 => &format80::CODING,
            Self::Format160 => &format160::CODING,
            Self::Format212 => &format212::CODING,
            Self::Format310 => &format310::CODING,
            Self::Format311 => &format311::CODING,
            Self::Format508 => &flac::CODING_508,
            Self::Format516 => &flac::CODING_516,
            Self::Format524 => &flac::CODING_524,
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
    /// The value that marks a missing sample, where the format has one.
    pub missing: Option<i32>,
    /// How samples stand in the file.
    pub storage: Storage,
}

/// How the samples of a format stand in a file.
pub(crate) enum Storage {
    /// Not at all.
    Nothing,
    /// In blocks of one size.
    Blocks(Blocks),
    /// As a FLAC stream.
    Flac,
}

/// Samples in blocks of one size.
pub(crate) struct Blocks {
    /// Samples that are coded together.
    pub samples: usize,
    /// Bytes that they take.
    pub bytes: usize,
    /// Bytes that the first sample, the first two, … of a block take: what has to be there of the last block.
    pub partial: &'static [usize],
    /// Whether values are differences to the sample before, the first of them to the header's initial value.
    pub differences: bool,
    /// Decodes as many samples as the second argument has room for, from the start of a block; bytes that are short leave the
    /// rest as it was.
    pub decode: fn(&[u8], &mut [i32]),
    /// Appends the code of samples that are within the format's range.
    pub encode: Option<Encode>,
    /// Converts two signals that share a file straight from their code, where that is worth a way of its own.
    pub pairs: Option<ConvertPairs>,
}

/// Makes physical values of two interleaved signals of up to 12 bits: from whole blocks, by a table for each, of as many samples as there
/// is room for in each; gives the sums of their digital values modulo 2³².
pub(crate) type ConvertPairs = fn(&[u8], [&[f32; 4096]; 2], [&mut [f32]; 2]) -> [i32; 2];

/// Appends the code of samples.
pub(crate) type Encode = fn(&[i32], &mut Vec<u8>);

impl Blocks {
    /// Bytes that `samples` samples take; `None` where that is beyond 64 bits.
    pub(crate) fn bytes_of(&self, samples: u64) -> Option<u64> {
        let (whole, rest) = (samples / self.samples as u64, (samples % self.samples as u64) as usize);
        let partial = rest.checked_sub(1).and_then(|last| self.partial.get(last)).copied().unwrap_or(0);
        whole.checked_mul(self.bytes as u64)?.checked_add(partial as u64)
    }

    /// How many whole samples `bytes` bytes hold.
    pub(crate) fn samples_in(&self, bytes: u64) -> u64 {
        let (whole, rest) = (bytes / self.bytes as u64, (bytes % self.bytes as u64) as usize);
        let partial = self.partial.iter().take_while(|&&needed| needed <= rest).count();
        whole.saturating_mul(self.samples as u64).saturating_add(partial as u64)
    }
}

/// The 16-bit sum of samples that headers carry, as it accumulates.
pub(crate) fn checksum(sum: i32) -> i16 {
    sum as i16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_in_order_and_agrees_with_itself() {
        assert!(CODINGS.is_sorted_by_key(|coding| coding.number));
        for coding in CODINGS {
            assert_eq!(coding.format.number(), coding.number);
            assert_eq!(SignalFormat::from_number(coding.number), Some(coding.format));
        }
    }

    #[test]
    fn sizes_and_sample_counts_are_each_others_inverse() {
        for coding in CODINGS {
            let Storage::Blocks(blocks) = &coding.storage else { continue };
            for samples in 0..50 {
                let bytes = blocks.bytes_of(samples).unwrap();
                // Two samples of a block of format 310 take as many bytes as three.
                let twin = coding.number == 310 && samples % 3 == 2;
                assert_eq!(blocks.samples_in(bytes), samples + u64::from(twin), "format {}", coding.number);
                assert!(samples == 0 || blocks.samples_in(bytes - 1) < samples, "format {}", coding.number);
            }
            assert_eq!(blocks.partial.len() + 1, blocks.samples);
            assert!(blocks.bytes > 4 || blocks.bytes_of(u64::MAX / 8).is_some());
        }
    }

    proptest! {
        #[test]
        fn every_format_with_a_writer_gives_back_what_it_was_given(values in prop::collection::vec(any::<i32>(), 0..70)) {
            for coding in CODINGS {
                let Storage::Blocks(Blocks { encode: Some(encode), decode, .. }) = &coding.storage else { continue };
                let shift = 32 - u32::from(coding.resolution);
                let samples: Vec<i32> = values.iter().map(|&value| value >> shift).collect();
                let mut bytes = Vec::new();
                encode(&samples, &mut bytes);
                let Storage::Blocks(blocks) = &coding.storage else { continue };
                prop_assert_eq!(bytes.len() as u64, blocks.bytes_of(samples.len() as u64).unwrap());
                let mut back = vec![0; samples.len()];
                decode(&bytes, &mut back);
                prop_assert_eq!(&back, &samples, "format {}", coding.number);
                prop_assert_eq!(&coding.format.decode(&bytes, samples.len()), &samples);
            }
        }
    }
}

//! Format 8: each byte is the difference between a sample and the one before of its signal, in two's complement. The first
//! sample is the header's initial value plus the first difference. No value marks a missing sample.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 8. Read only: differences beyond a byte cannot be written.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format8,
    number: 8,
    // Sums of differences have no width of their own.
    resolution: 32,
    minimum: i32::MIN,
    maximum: i32::MAX,
    missing: None,
    storage: Storage::Blocks(Blocks { samples: 1, bytes: 1, partial: &[], differences: true, decode, encode: None, pairs: None }),
};

fn decode(bytes: &[u8], samples: &mut [i32]) {
    for (sample, &byte) in samples.iter_mut().zip(bytes) {
        *sample = i32::from(byte as i8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_signed() {
        let mut samples = [0; 3];
        decode(&[1, 0xFF, 0x80], &mut samples);
        assert_eq!(samples, [1, -1, -128]);
    }
}

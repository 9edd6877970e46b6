//! Format 16: each sample is a 16-bit two's complement amplitude, least significant byte first.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 16. −32768 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format16,
    number: 16,
    resolution: 16,
    minimum: -32_767,
    maximum: 32_767,
    missing: Some(-32_768),
    storage: Storage::Blocks(Blocks {
        samples: 1,
        bytes: 2,
        partial: &[],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

fn decode(bytes: &[u8], samples: &mut [i32]) {
    for (sample, pair) in samples.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *sample = i32::from(i16::from_le_bytes(*pair));
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    bytes.extend(samples.iter().flat_map(|&sample| (sample as i16).to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_significant_byte_first_and_signed() {
        let mut samples = [0; 3];
        decode(&[0x01, 0x02, 0xFF, 0xFF, 0x00, 0x80], &mut samples);
        assert_eq!(samples, [0x0201, -1, -32_768]);
    }
}

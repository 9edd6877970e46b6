//! Format 32: each sample is a 32-bit two's complement amplitude, least significant byte first.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 32. −2³¹ marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format32,
    number: 32,
    resolution: 32,
    minimum: -i32::MAX,
    maximum: i32::MAX,
    missing: Some(i32::MIN),
    storage: Storage::Blocks(Blocks {
        samples: 1,
        bytes: 4,
        partial: &[],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

fn decode(bytes: &[u8], samples: &mut [i32]) {
    for (sample, quad) in samples.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *sample = i32::from_le_bytes(*quad);
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_significant_byte_first_and_signed() {
        let mut samples = [0; 2];
        decode(&[0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x80], &mut samples);
        assert_eq!(samples, [0x0403_0201, i32::MIN]);
    }
}

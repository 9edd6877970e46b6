//! Format 24: each sample is a 24-bit two's complement amplitude, least significant byte first.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 24. −2²³ marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format24,
    number: 24,
    resolution: 24,
    minimum: -8_388_607,
    maximum: 8_388_607,
    missing: Some(-8_388_608),
    storage: Storage::Blocks(Blocks {
        samples: 1,
        bytes: 3,
        partial: &[],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

fn decode(bytes: &[u8], samples: &mut [i32]) {
    for (sample, &[low, middle, high]) in samples.iter_mut().zip(bytes.as_chunks::<3>().0) {
        *sample = i32::from_le_bytes([0, low, middle, high]) >> 8;
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    for sample in samples {
        let [low, middle, high, _] = sample.to_le_bytes();
        bytes.extend([low, middle, high]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_significant_byte_first_and_signed() {
        let mut samples = [0; 3];
        decode(&[0x01, 0x02, 0x03, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x80], &mut samples);
        assert_eq!(samples, [0x03_0201, -1, -8_388_608]);
    }
}

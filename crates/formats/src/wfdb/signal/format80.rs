//! Format 80: each sample is an 8-bit amplitude in offset binary: 128 in the file is 0.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 80. −128 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format80,
    number: 80,
    resolution: 8,
    minimum: -127,
    maximum: 127,
    missing: Some(-128),
    storage: Storage::Blocks(Blocks {
        samples: 1,
        bytes: 1,
        partial: &[],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

fn decode(bytes: &[u8], samples: &mut [i32]) {
    for (sample, &byte) in samples.iter_mut().zip(bytes) {
        *sample = i32::from(byte) - 128;
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    bytes.extend(samples.iter().map(|&sample| (sample + 128) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_range_is_zero() {
        let mut samples = [0; 3];
        decode(&[0, 128, 255], &mut samples);
        assert_eq!(samples, [-128, 0, 127]);
    }
}

//! Format 160: each sample is a 16-bit amplitude in offset binary, least significant byte first: 32768 in the file is 0.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 160. −32768 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format160,
    number: 160,
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
        *sample = i32::from(u16::from_le_bytes(*pair)) - 32_768;
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    bytes.extend(samples.iter().flat_map(|&sample| ((sample + 32_768) as u16).to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_range_is_zero() {
        let mut samples = [0; 3];
        decode(&[0x00, 0x00, 0x00, 0x80, 0xFF, 0xFF], &mut samples);
        assert_eq!(samples, [-32_768, 0, 32_767]);
    }
}

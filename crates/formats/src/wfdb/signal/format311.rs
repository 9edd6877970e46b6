//! Format 311: each sample is a 10-bit two's complement amplitude, three of them in the 30 low bits of a 32-bit word with the
//! least significant byte first, the first sample lowest. The two high bits are unused.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 311. −512 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format311,
    number: 311,
    resolution: 10,
    minimum: -511,
    maximum: 511,
    missing: Some(-512),
    storage: Storage::Blocks(Blocks {
        samples: 3,
        bytes: 4,
        partial: &[2, 3],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

/// The ten low bits as a signed number.
#[inline]
fn signed(bits: u32) -> i32 {
    (bits << 22) as i32 >> 22
}

fn decode(bytes: &[u8], samples: &mut [i32]) {
    let (blocks, rest) = bytes.as_chunks::<4>();
    let (triples, short) = samples.as_chunks_mut::<3>();
    for (triple, block) in triples.iter_mut().zip(blocks) {
        let word = u32::from_le_bytes(*block);
        *triple = [signed(word), signed(word >> 10), signed(word >> 20)];
    }
    let tail = blocks.get(triples.len()).map_or(rest, |block| block.as_slice());
    let word = tail.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte));
    // One sample needs two bytes, two need three.
    for (index, sample) in short.iter_mut().enumerate().take_while(|(index, _)| tail.len() >= index + 2) {
        *sample = signed(word >> (10 * index));
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    let (triples, short) = samples.as_chunks::<3>();
    let bits = |sample: i32| sample as u32 & 0x3FF;
    for &[first, second, third] in triples {
        bytes.extend((bits(first) | (bits(second) << 10) | (bits(third) << 20)).to_le_bytes());
    }
    let word = short.iter().rev().fold(0, |word, &sample| (word << 10) | bits(sample)).to_le_bytes();
    bytes.extend(word.iter().take(if short.is_empty() { 0 } else { short.len() + 1 }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sample_is_lowest() {
        let mut samples = [0; 3];
        decode(&(0xC000_0000_u32 | (0x3FF << 20) | (5 << 10) | 0x200).to_le_bytes(), &mut samples);
        assert_eq!(samples, [-512, 5, -1]);
    }

    #[test]
    fn the_last_block_may_be_short() {
        for (values, length) in [(&[7, -9, 300, -512][..], 6), (&[7, -9, 300, 1, -2], 7)] {
            let mut bytes = Vec::new();
            encode(values, &mut bytes);
            assert_eq!(bytes.len(), length);
            let mut back = vec![0; values.len()];
            decode(&bytes, &mut back);
            assert_eq!(back, values);
        }
    }
}

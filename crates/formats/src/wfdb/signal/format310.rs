//! Format 310: each sample is a 10-bit two's complement amplitude, three of them in four bytes, which are two 16-bit words
//! with the least significant byte first. The first sample is bits 1 to 10 of the first word, the second those of the second
//! word; the third sample's five low bits are the first word's high ones, its five high bits the second word's. Bit 0 of each
//! word is unused.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 310. −512 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format310,
    number: 310,
    resolution: 10,
    minimum: -511,
    maximum: 511,
    missing: Some(-512),
    storage: Storage::Blocks(Blocks {
        samples: 3,
        bytes: 4,
        partial: &[2, 4],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: None,
    }),
};

/// The ten low bits as a signed number.
#[inline]
fn signed(bits: u16) -> i32 {
    i32::from((bits << 6) as i16 >> 6)
}

fn decode(bytes: &[u8], samples: &mut [i32]) {
    let (blocks, rest) = bytes.as_chunks::<4>();
    let (triples, short) = samples.as_chunks_mut::<3>();
    for (triple, &[a, b, c, d]) in triples.iter_mut().zip(blocks) {
        let (first, second) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        *triple = [signed(first >> 1), signed(second >> 1), signed((first >> 11) | ((second >> 11) << 5))];
    }
    let tail = blocks.get(triples.len()).map_or(rest, |block| block.as_slice());
    for (sample, word) in short.iter_mut().zip(tail.as_chunks::<2>().0) {
        *sample = signed(u16::from_le_bytes(*word) >> 1);
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    let word = |sample: i32| ((sample as u16) & 0x3FF) << 1;
    let (triples, short) = samples.as_chunks::<3>();
    for &[first, second, third] in triples {
        let third = third as u16;
        bytes.extend((word(first) | (third << 11)).to_le_bytes());
        bytes.extend((word(second) | ((third >> 5) << 11)).to_le_bytes());
    }
    bytes.extend(short.iter().flat_map(|&sample| word(sample).to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_sample_is_in_the_high_bits_of_both_words() {
        let mut samples = [0; 3];
        // First word: 5 in bits 1 to 10, 0b10001 above; second: −1, 0b00010 above.
        decode(&[0x0A, 0x88, 0xFE, 0x17], &mut samples);
        assert_eq!(samples, [5, -1, 0b00010_10001]);
    }

    #[test]
    fn the_last_block_may_be_short() {
        for (values, length) in [(&[7, -9, 300, -512][..], 6), (&[7, -9, 300, 1, -2], 8)] {
            let mut bytes = Vec::new();
            encode(values, &mut bytes);
            assert_eq!(bytes.len(), length);
            let mut back = vec![0; values.len()];
            decode(&bytes, &mut back);
            assert_eq!(back, values);
        }
    }
}

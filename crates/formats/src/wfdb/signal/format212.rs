//! Format 212: each sample is a 12-bit two's complement amplitude, two of them in three bytes. The first sample's eight low
//! bits are the first byte, its four high bits the low half of the second; the second sample's four high bits are the high
//! half of the second byte, its eight low bits the third.

use super::{Blocks, Coding, SignalFormat, Storage};

/// Format 212. −2048 marks a missing sample.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format212,
    number: 212,
    resolution: 12,
    minimum: -2_047,
    maximum: 2_047,
    missing: Some(-2_048),
    storage: Storage::Blocks(Blocks { samples: 2, bytes: 3, partial: &[2], differences: false, decode, encode: Some(encode) }),
};

/// The sample whose low and high bits stand where a 16-bit value's twelve upper bits would.
#[inline]
fn sign_extended(high: u8, low: u8) -> i32 {
    i32::from(((u16::from(high) << 12) | (u16::from(low) << 4)) as i16 >> 4)
}

fn decode(bytes: &[u8], samples: &mut [i32]) {
    let (blocks, rest) = bytes.as_chunks::<3>();
    let (pairs, single) = samples.as_chunks_mut::<2>();
    for (pair, &[first, shared, second]) in pairs.iter_mut().zip(blocks) {
        *pair = [sign_extended(shared & 0x0F, first), sign_extended(shared >> 4, second)];
    }
    // An odd number of samples ends with a block of which the third byte may not even be there.
    let tail = blocks.get(pairs.len()).map_or(rest, |block| block.as_slice());
    if let ([sample], [first, shared, ..]) = (single, tail) {
        *sample = sign_extended(shared & 0x0F, *first);
    }
}

fn encode(samples: &[i32], bytes: &mut Vec<u8>) {
    let (pairs, single) = samples.as_chunks::<2>();
    for &[first, second] in pairs {
        bytes.extend([first as u8, ((first >> 8) as u8 & 0x0F) | ((second >> 8) as u8) << 4, second as u8]);
    }
    if let [sample] = single {
        bytes.extend([*sample as u8, (sample >> 8) as u8 & 0x0F]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_record_100_are_its_initial_values() {
        // mitdb/100.dat begins E3 33 F3; the header's initial values are 995 and 1011.
        let mut samples = [0; 2];
        decode(&[0xE3, 0x33, 0xF3], &mut samples);
        assert_eq!(samples, [995, 1011]);
    }

    #[test]
    fn signs_are_extended_from_bit_11() {
        let mut samples = [0; 2];
        decode(&[0xFF, 0x8F, 0x00], &mut samples);
        assert_eq!(samples, [-1, -2_048]);
    }

    #[test]
    fn an_odd_last_sample_needs_two_bytes_only() {
        let mut bytes = Vec::new();
        encode(&[1, 2, -3], &mut bytes);
        assert_eq!(bytes.len(), 5);
        let mut samples = [0; 3];
        decode(&bytes, &mut samples);
        assert_eq!(samples, [1, 2, -3]);
        bytes.push(0xAB);
        decode(&bytes, &mut samples);
        assert_eq!(samples, [1, 2, -3]);
    }
}

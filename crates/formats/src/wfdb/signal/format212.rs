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
    storage: Storage::Blocks(Blocks {
        samples: 2,
        bytes: 3,
        partial: &[2],
        differences: false,
        decode,
        encode: Some(encode),
        pairs: Some(convert_pairs),
    }),
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

/// Four pairs at a time: twelve bytes are two overlapping words of eight, of which each holds two pairs whole.
fn convert_pairs(bytes: &[u8], tables: [&[f32; 4096]; 2], samples: [&mut [f32]; 2]) -> [i32; 2] {
    let ([one, two], [firsts, seconds]) = (tables, samples);
    let fours = bytes.as_chunks::<12>().0;
    let ((firsts, first_rest), (seconds, second_rest)) = (firsts.as_chunks_mut::<4>(), seconds.as_chunks_mut::<4>());
    let whole = fours.len().min(firsts.len()).min(seconds.len());
    // Sums of values that have 2048 added, so that none is negative.
    let (mut sum_one, mut sum_two, count) = (0_u32, 0_u32, firsts.len() * 4 + first_rest.len());
    for ((bytes, first), second) in fours.iter().zip(firsts).zip(seconds) {
        let &[a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let (low, high) = (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes([e, f, g, h, i, j, k, l]));
        let [p, q, r, s] = [pair(low as u32), pair((low >> 24) as u32), pair((high >> 16) as u32), pair((high >> 40) as u32)];
        *first = [one[p.0], one[q.0], one[r.0], one[s.0]];
        *second = [two[p.1], two[q.1], two[r.1], two[s.1]];
        let lifted = |bits: usize| (bits ^ 0x800) as u32;
        sum_one = sum_one.wrapping_add(lifted(p.0) + lifted(q.0) + lifted(r.0) + lifted(s.0));
        sum_two = sum_two.wrapping_add(lifted(p.1) + lifted(q.1) + lifted(r.1) + lifted(s.1));
    }
    let rest = bytes.get(12 * whole..).unwrap_or(&[]);
    for ((&[a, b, c], first), second) in rest.as_chunks::<3>().0.iter().zip(first_rest).zip(second_rest) {
        let p = pair(u32::from_le_bytes([a, b, c, 0]));
        (*first, *second) = (one[p.0], two[p.1]);
        sum_one = sum_one.wrapping_add((p.0 ^ 0x800) as u32);
        sum_two = sum_two.wrapping_add((p.1 ^ 0x800) as u32);
    }
    let added = (count as u32).wrapping_mul(2_048);
    [sum_one.wrapping_sub(added) as i32, sum_two.wrapping_sub(added) as i32]
}

/// The twelve bits of both samples of a block, which is in the 24 low bits.
#[inline(always)]
#[expect(clippy::inline_always, reason = "otherwise it is a call for each two samples: three times the instructions")]
fn pair(block: u32) -> (usize, usize) {
    ((block & 0xFFF) as usize, (((block >> 4) & 0xF00) | ((block >> 16) & 0xFF)) as usize)
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
    fn pairs_are_converted_as_they_are_decoded() {
        // All pairs of a few values, in numbers that fill the last four or not.
        let values = [-2_048, -2_047, -1, 0, 1, 995, 2_047];
        let pairs: Vec<i32> = values.iter().flat_map(|&a| values.map(|b| [a, b])).flatten().collect();
        let one: [f32; 4096] = std::array::from_fn(|bits| bits as f32);
        let two = one.map(|value| -value);
        for count in 0..=values.len() * values.len() {
            let samples = &pairs[..2 * count];
            let mut bytes = Vec::new();
            encode(samples, &mut bytes);
            for room in [count, count.saturating_sub(1)] {
                let (mut first, mut second) = (vec![0.0; room], vec![0.0; room]);
                let sums = convert_pairs(&bytes, [&one, &two], [&mut first, &mut second]);
                let expected = |offset: usize| samples[..2 * room].iter().skip(offset).step_by(2);
                assert_eq!(sums, [expected(0).sum::<i32>(), expected(1).sum::<i32>()], "{count}");
                assert!(first.iter().zip(expected(0)).all(|(found, value)| *found == (value & 0xFFF) as f32), "{count}");
                assert!(second.iter().zip(expected(1)).all(|(found, value)| *found == -(value & 0xFFF) as f32), "{count}");
            }
        }
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

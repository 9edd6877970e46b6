//! Writing streams: blocks of fixed size, each channel by the best of the five polynomial predictors with Rice-coded residuals,
//! or as it is where that is shorter (RFC 9639).

use super::crc::{crc8, crc16};

/// Channels that a stream can have.
pub(crate) const MAX_CHANNELS: usize = 8;

/// Samples per block and channel.
const BLOCK: usize = 4_096;
/// Largest number of partitions of a block, as a power of two.
const LARGEST_PARTITIONING: u32 = 6;
/// The rate that streams state. Records have theirs in the header; this is what WFDB's own writers put here, since low rates
/// cannot be stated.
const NOMINAL_RATE: u64 = 96_000;

/// Bytes of what stands before a stream's first frame.
pub(crate) const START_BYTES: usize = 42;

/// A stream that is written as samples come.
pub(crate) struct Encoder {
    /// Bits of a sample: 8, 16 or 24.
    bits: u16,
    /// Samples that do not yet fill a block.
    pending: Vec<Vec<i32>>,
    /// Blocks written.
    blocks: u64,
    /// Samples of each channel.
    length: u64,
    smallest: usize,
    largest: usize,
}

impl Encoder {
    /// Of this many channels, with samples of `bits` bits (8, 16 or 24).
    pub(crate) fn new(channels: usize, bits: u16) -> Self {
        Self { bits, pending: vec![Vec::new(); channels], blocks: 0, length: 0, smallest: usize::MAX, largest: 0 }
    }

    /// Takes samples, of each channel as many, and appends the blocks that they fill.
    pub(crate) fn take(&mut self, channels: &[&[i32]], bytes: &mut Vec<u8>) {
        self.pending.iter_mut().zip(channels).for_each(|(pending, samples)| pending.extend_from_slice(samples));
        let held = self.pending.first().map_or(0, Vec::len);
        self.blocks_up_to(held - held % BLOCK, bytes);
    }

    fn blocks_up_to(&mut self, end: usize, bytes: &mut Vec<u8>) {
        for from in (0..end).step_by(BLOCK) {
            let to = (from + BLOCK).min(end);
            let before = bytes.len();
            let block: Vec<&[i32]> = self.pending.iter().map(|channel| channel.get(from..to).unwrap_or(&[])).collect();
            frame(&block, self.bits, self.blocks, bytes);
            let size = bytes.len() - before;
            (self.smallest, self.largest) = (self.smallest.min(size), self.largest.max(size));
            self.blocks += 1;
            self.length += (to - from) as u64;
        }
        self.pending.iter_mut().for_each(|channel| drop(channel.drain(..end.min(channel.len()))));
    }

    /// Appends the last block, and gives what stands before the first.
    pub(crate) fn finish(mut self, bytes: &mut Vec<u8>) -> [u8; START_BYTES] {
        let held = self.pending.first().map_or(0, Vec::len);
        self.blocks_up_to(held, bytes);
        let mut stream = Writer::default();
        stream.bytes.extend(b"fLaC");
        // The only block of metadata: the stream's information, 34 bytes.
        stream.put(0x80, 8);
        stream.put(34, 24);
        stream.put(BLOCK as u64, 16);
        stream.put(BLOCK as u64, 16);
        stream.put(if self.largest == 0 { 0 } else { self.smallest as u64 }, 24);
        stream.put(self.largest as u64, 24);
        stream.put(NOMINAL_RATE, 20);
        stream.put((self.pending.len() as u64).saturating_sub(1), 3);
        stream.put(u64::from(self.bits) - 1, 5);
        // A length beyond 36 bits is stated as unknown.
        stream.put(Some(self.length).filter(|&length| length < 1 << 36).unwrap_or(0), 36);
        // No digest of the samples: each frame has its check sum.
        stream.put(0, 64);
        stream.put(0, 64);
        let mut start = [0; START_BYTES];
        start.iter_mut().zip(stream.finish()).for_each(|(slot, byte)| *slot = byte);
        start
    }
}

/// Bits on their way into bytes, the most significant of each byte first.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Bits that are not yet a whole byte, at the low end.
    pending: u64,
    count: u32,
}

impl Writer {
    /// The `count` low bits of `value`, at most 32 of them unless whole bytes precede.
    fn put(&mut self, value: u64, count: u32) {
        if count > 32 {
            self.put(value >> 32, count - 32);
            return self.put(value, 32);
        }
        self.pending = (self.pending << count) | (value & ((1 << count) - 1));
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }

    fn zeros(&mut self, mut count: u64) {
        while count > 32 {
            self.put(0, 32);
            count -= 32;
        }
        self.put(0, count as u32);
    }

    /// The bytes, the last filled with zeros.
    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.bytes
    }
}

fn frame(block: &[&[i32]], bits: u16, number: u64, bytes: &mut Vec<u8>) {
    let length = block.first().map_or(0, |channel| channel.len());
    let mut header = Writer::default();
    // Fixed size of blocks; size of this one, the rate of 96 kHz, channels coded alone, sample size.
    header.put(0xFFF8, 16);
    header.put(if length == BLOCK { 12 } else { 7 }, 4);
    header.put(11, 4);
    header.put(block.len() as u64 - 1, 4);
    header.put(
        match bits {
            8 => 1,
            16 => 4,
            _ => 6,
        },
        3,
    );
    header.put(0, 1);
    coded_number(&mut header, number);
    if length != BLOCK {
        header.put(length as u64 - 1, 16);
    }
    let sum = crc8(&header.bytes);
    header.put(u64::from(sum), 8);
    for channel in block {
        subframe(&mut header, channel, bits);
    }
    let frame = header.finish();
    bytes.extend(&frame);
    bytes.extend(crc16(&frame).to_be_bytes());
}

/// A number of up to 36 bits, coded as UTF-8 codes characters.
fn coded_number(out: &mut Writer, number: u64) {
    if number < 0x80 {
        return out.put(number, 8);
    }
    // n bytes carry 5n + 1 bits.
    let length = (2..7_u32).find(|n| number < 1 << (5 * n + 1)).unwrap_or(7);
    let ones = (0xFF00_u64 >> length) & 0xFF;
    out.put(ones | (number >> (6 * (length - 1))), 8);
    for byte in (0..length - 1).rev() {
        out.put(0x80 | ((number >> (6 * byte)) & 0x3F), 8);
    }
}

/// How a block's residuals are coded: partitions, a parameter for each, and the bits that takes.
struct Coding {
    partitioning: u32,
    parameters: Vec<u32>,
    cost: u64,
}

fn subframe(out: &mut Writer, samples: &[i32], bits: u16) {
    let width = u32::from(bits);
    let Some(&first) = samples.first() else { return };
    if samples.iter().all(|&sample| sample == first) {
        out.put(0, 8);
        return out.put(first as u64, width);
    }
    let mut best: Option<(usize, Vec<u32>, Coding)> = None;
    let mut residual = samples.to_vec();
    for order in 0..=4.min(samples.len() - 1) {
        if order > 0 {
            // Each polynomial's residuals are the differences of the one before.
            for at in (order..residual.len()).rev() {
                residual[at] -= residual[at - 1];
            }
        }
        let folded: Vec<u32> = residual.iter().skip(order).map(|&r| ((r << 1) ^ (r >> 31)) as u32).collect();
        let coding = partition(&folded, order, width);
        let cost = coding.cost + order as u64 * u64::from(width);
        if best.as_ref().is_none_or(|(order, _, best)| cost < best.cost + *order as u64 * u64::from(width)) {
            best = Some((order, folded, coding));
        }
    }
    let verbatim = samples.len() as u64 * u64::from(width);
    match best {
        Some((order, folded, coding)) if coding.cost + order as u64 * u64::from(width) < verbatim => {
            out.put((8 + order as u64) << 1, 8);
            for &sample in samples.iter().take(order) {
                out.put(sample as u64, width);
            }
            residuals(out, &folded, order, &coding, width);
        }
        _ => {
            out.put(1 << 1, 8);
            for &sample in samples {
                out.put(sample as u64, width);
            }
        }
    }
}

/// Bits of a parameter, and the largest one.
fn parameter_width(width: u32) -> (u32, u32) {
    if width > 16 { (5, 30) } else { (4, 14) }
}

/// Lengths of the partitions: the first lacks the samples that the predictor starts from.
fn lengths(total: usize, order: usize, partitioning: u32) -> impl Iterator<Item = usize> {
    let each = total >> partitioning;
    (0..1_usize << partitioning).map(move |index| if index == 0 { each - order } else { each })
}

/// The cheapest way to code residuals, which are folded to be positive.
fn partition(folded: &[u32], order: usize, width: u32) -> Coding {
    let total = folded.len() + order;
    let (bits, largest) = parameter_width(width);
    let mut best = Coding { partitioning: 0, parameters: Vec::new(), cost: u64::MAX };
    for partitioning in 0..=LARGEST_PARTITIONING.min(total.trailing_zeros()) {
        if total >> partitioning <= order {
            break;
        }
        let (mut cost, mut rest) = (6, folded);
        let mut parameters = Vec::with_capacity(1 << partitioning);
        for length in lengths(total, order, partitioning) {
            let (own, others) = rest.split_at(length.min(rest.len()));
            rest = others;
            let sum: u64 = own.iter().map(|&value| u64::from(value)).sum();
            let mean = sum / own.len().max(1) as u64;
            let guess = mean.max(1).ilog2();
            let exact =
                |k: u32| own.iter().map(|&value| u64::from(value >> k)).sum::<u64>() + own.len() as u64 * u64::from(k + 1);
            let candidates = guess.saturating_sub(1).min(largest)..=(guess + 1).min(largest);
            let (bits_needed, parameter) = candidates.map(|k| (exact(k), k)).min().unwrap_or((u64::MAX, 0));
            cost += u64::from(bits) + bits_needed;
            parameters.push(parameter);
        }
        if cost < best.cost {
            best = Coding { partitioning, parameters, cost };
        }
    }
    best
}

fn residuals(out: &mut Writer, folded: &[u32], order: usize, coding: &Coding, width: u32) {
    let (bits, _) = parameter_width(width);
    out.put(u64::from(bits == 5), 2);
    out.put(u64::from(coding.partitioning), 4);
    let mut rest = folded;
    for (length, &parameter) in lengths(folded.len() + order, order, coding.partitioning).zip(&coding.parameters) {
        let (own, others) = rest.split_at(length.min(rest.len()));
        rest = others;
        out.put(u64::from(parameter), bits);
        for &value in own {
            out.zeros(u64::from(value >> parameter));
            out.put(1, 1);
            out.put(u64::from(value), parameter);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode_all;
    use super::*;

    /// The stream of these channels, given in two parts.
    fn encode(channels: &[&[i32]], bits: u16) -> Vec<u8> {
        let mut encoder = Encoder::new(channels.len(), bits);
        let half = channels.first().map_or(0, |channel| channel.len() / 2);
        let mut frames = Vec::new();
        encoder.take(&channels.iter().map(|channel| &channel[..half]).collect::<Vec<_>>(), &mut frames);
        encoder.take(&channels.iter().map(|channel| &channel[half..]).collect::<Vec<_>>(), &mut frames);
        let mut bytes = encoder.finish(&mut frames).to_vec();
        bytes.extend(frames);
        bytes
    }

    #[test]
    fn coded_numbers_have_the_lengths_of_utf_8() {
        for (number, expected) in [(0x45, vec![0x45]), (0x100, vec![0xC4, 0x80]), (0xFFFF, vec![0xEF, 0xBF, 0xBF])] {
            let mut out = Writer::default();
            coded_number(&mut out, number);
            assert_eq!(out.bytes, expected);
        }
        let mut out = Writer::default();
        coded_number(&mut out, (1 << 36) - 1);
        assert_eq!(out.bytes, [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]);
    }

    #[test]
    fn smooth_signals_shrink() {
        let wave: Vec<i32> = (0..20_000).map(|i| ((f64::from(i) * 0.02).sin() * 1000.0) as i32).collect();
        let bytes = encode(&[&wave], 16);
        assert!(bytes.len() < 20_000, "{} bytes for 40,000", bytes.len());
        assert_eq!(decode_all(&bytes, usize::MAX), wave);
    }

    proptest! {
        #[test]
        fn streams_give_back_what_they_were_given(
            bits in prop::sample::select(vec![8_u16, 16, 24]),
            channels in 1_usize..=8,
            length in prop_oneof![0_usize..40, 4_090_usize..4_100, 8_192_usize..8_200],
            seed in any::<u64>(),
            step in 0_u32..24,
        ) {
            // A random walk, from flat to as rough as the width allows.
            let mut state = seed | 1;
            let limit = (1_i64 << (bits - 1)) - 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as i64 % (1_i64 << step) - (1_i64 << step) / 2
            };
            let all: Vec<Vec<i32>> = (0..channels)
                .map(|_| {
                    let mut value = 0_i64;
                    (0..length).map(|_| { value = (value + next()).clamp(-limit - 1, limit); value as i32 }).collect()
                })
                .collect();
            let slices: Vec<&[i32]> = all.iter().map(Vec::as_slice).collect();
            let bytes = encode(&slices, bits);
            let interleaved: Vec<i32> = (0..length).flat_map(|time| all.iter().map(move |channel| channel[time])).collect();
            prop_assert_eq!(decode_all(&bytes, usize::MAX), interleaved);
        }

        #[test]
        fn damaged_streams_never_panic(position in 0_usize..3_000, byte in any::<u8>(), cut in 0_usize..3_000) {
            let wave: Vec<i32> = (0..6_000).map(|i| (i * i / 50) % 3_000 - 1_500).collect();
            let mut bytes = encode(&[&wave, &wave], 16);
            let length = bytes.len();
            if let Some(place) = bytes.get_mut(position) { *place ^= byte; }
            bytes.truncate(length - cut.min(length));
            let _ = decode_all(&bytes, 100_000);
        }
    }
}

//! Frames: a block of samples of every channel (RFC 9639, 9).

use super::bits::Bits;
use super::crc::{crc8, crc16};
use super::subframe;

/// Why a frame could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More bytes are needed.
    Exhausted,
    /// It breaks a rule.
    Broken(&'static str),
}

/// What a stream says of itself (RFC 9639, 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Info {
    /// Samples per block, where all blocks but the last have the same number; the largest otherwise.
    pub block: u16,
    /// Channels.
    pub channels: u8,
    /// Bits per sample.
    pub bits: u8,
    /// Samples per channel, where the stream tells.
    pub samples: Option<u64>,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Number of the frame's first sample.
    pub first: u64,
    /// Samples per channel.
    pub length: usize,
    /// How the channels are coded: alone below 8, by difference otherwise.
    assignment: u32,
    /// Bytes of the header.
    bytes: usize,
}

/// Reads a frame's header at the start of `bytes` and checks it against the stream's information.
pub(super) fn header(bytes: &[u8], info: &Info) -> Result<Header, Fault> {
    let mut bits = Bits::new(bytes);
    let sync = bits.unsigned(15)?;
    if sync != 0b111_1111_1111_1100 {
        return Err(Fault::Broken("no frame begins here"));
    }
    let variable = bits.unsigned(1)? == 1;
    let (block, rate) = (bits.unsigned(4)?, bits.unsigned(4)?);
    let (assignment, width) = (bits.unsigned(4)?, bits.unsigned(3)?);
    let reserved = bits.unsigned(1)?;
    if reserved != 0 || block == 0 || rate == 15 || assignment > 10 || width == 3 {
        return Err(Fault::Broken("a frame's header has reserved values"));
    }
    let number = coded_number(&mut bits)?;
    let length = match block {
        1 => 192,
        2..=5 => 576 << (block - 2),
        6 => bits.unsigned(8)? + 1,
        7 => bits.unsigned(16)? + 1,
        _ => 256 << (block - 8),
    };
    match rate {
        12 => drop(bits.unsigned(8)?),
        13 | 14 => drop(bits.unsigned(16)?),
        _ => {}
    }
    let end = bits.align();
    let sum = bits.unsigned(8)?;
    if bytes.get(..end).map(crc8) != u8::try_from(sum).ok() {
        return Err(Fault::Broken("a frame's header does not match its check sum"));
    }
    let channels = if assignment < 8 { assignment + 1 } else { 2 };
    let width = [u32::from(info.bits), 8, 12, 0, 16, 20, 24, 32].get(width as usize).copied().unwrap_or(0);
    if channels != u32::from(info.channels) || width != u32::from(info.bits) || length > 65_535 {
        return Err(Fault::Broken("a frame's header does not match the stream's"));
    }
    let first = if variable { number } else { number.saturating_mul(u64::from(info.block)) };
    Ok(Header { first, length: length as usize, assignment, bytes: end + 1 })
}

/// A number of up to 36 bits, coded as UTF-8 codes characters.
fn coded_number(bits: &mut Bits) -> Result<u64, Fault> {
    let broken = Err(Fault::Broken("a frame's number is not coded as it should be"));
    let lead = bits.unsigned(8)?;
    let ones = (lead as u8).leading_ones();
    match ones {
        0 => return Ok(u64::from(lead)),
        2..=7 => {}
        _ => return broken,
    }
    let mut number = u64::from(lead & (0x7F >> ones));
    for _ in 1..ones {
        let next = bits.unsigned(8)?;
        if next >> 6 != 0b10 {
            return broken;
        }
        number = (number << 6) | u64::from(next & 0x3F);
    }
    Ok(number)
}

/// Decodes the frame at the start of `bytes` into a buffer per channel; gives its header and how many bytes it takes.
pub(super) fn decode(bytes: &[u8], info: &Info, channels: &mut [Vec<i32>]) -> Result<(Header, usize), Fault> {
    let header = header(bytes, info)?;
    let mut bits = Bits::new(bytes.get(header.bytes..).unwrap_or(&[]));
    for (index, channel) in channels.iter_mut().enumerate() {
        channel.resize(header.length, 0);
        // The difference of two channels needs a bit more than they.
        let difference = matches!((header.assignment, index), (8 | 10, 1) | (9, 0));
        subframe::decode(&mut bits, u32::from(info.bits) + u32::from(difference), channel)?;
    }
    let end = header.bytes + bits.align();
    let sum = bits.unsigned(16)?;
    if bytes.get(..end).map(crc16) != u16::try_from(sum).ok() {
        return Err(Fault::Broken("a frame does not match its check sum"));
    }
    if let [first, second] = channels {
        undo_stereo(header.assignment, first, second);
    }
    Ok((header, end + 2))
}

/// The two channels of a frame that has one of them, or their mean, and their difference.
fn undo_stereo(assignment: u32, first: &mut [i32], second: &mut [i32]) {
    let pairs = first.iter_mut().zip(second);
    match assignment {
        8 => pairs.for_each(|(left, side)| *side = left.wrapping_sub(*side)),
        9 => pairs.for_each(|(side, right)| *side = side.wrapping_add(*right)),
        10 => pairs.for_each(|(middle, side)| {
            let sum = (*middle << 1) | (*side & 1);
            let left = sum.wrapping_add(*side) >> 1;
            *side = sum.wrapping_sub(*side) >> 1;
            *middle = left;
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        for (bytes, expected) in [
            (&[0x45][..], 0x45),
            (&[0xC4, 0x80], 0x100),
            (&[0xEF, 0xBF, 0xBF], 0xFFFF),
            (&[0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF], (1 << 36) - 1),
        ] {
            assert_eq!(coded_number(&mut Bits::new(bytes)), Ok(expected));
        }
        assert!(coded_number(&mut Bits::new(&[0x80])).is_err() && coded_number(&mut Bits::new(&[0xFF, 0x80])).is_err());
        assert!(coded_number(&mut Bits::new(&[0xC4, 0x40])).is_err());
    }

    #[test]
    fn the_stereo_codings_are_undone() {
        let (left, right) = ([5, -7, 100], [2, -8, 101]);
        let side: Vec<i32> = left.iter().zip(right).map(|(l, r)| l - r).collect();
        let middle: Vec<i32> = left.iter().zip(right).map(|(l, r)| (l + r) >> 1).collect();
        for (assignment, first, second) in
            [(8, left.to_vec(), side.clone()), (9, side.clone(), right.to_vec()), (10, middle, side)]
        {
            let (mut first, mut second) = (first, second);
            undo_stereo(assignment, &mut first, &mut second);
            assert_eq!((first.as_slice(), second.as_slice()), (&left[..], &right[..]), "assignment {assignment}");
        }
    }
}

//! Formats 508, 516 and 524: samples of up to 8, 16 and 24 bits in a FLAC stream (RFC 9639), one channel per signal. Where
//! signals have several samples per frame, they follow each other in their channel; a stream's channels share one rate.
//!
//! The codec is this module's own: records are read in parts, frame by frame and channel by channel, with every frame's
//! check sums verified and its place in the file named where it is damaged, which the pure-Rust decoders there are do not
//! offer (claxon has no seeking, symphonia decodes packets of an audio player to scaled samples).

mod bits;
mod crc;
mod encode;
mod frame;
mod stream;
mod subframe;

use super::{Coding, SignalFormat, Storage};

pub(crate) use encode::{Encoder, MAX_CHANNELS, START_BYTES};
pub(crate) use stream::Stream;

/// Format 508. −128 marks a missing sample.
pub(super) static CODING_508: Coding = Coding {
    format: SignalFormat::Format508,
    number: 508,
    resolution: 8,
    minimum: -127,
    maximum: 127,
    missing: Some(-128),
    storage: Storage::Flac,
};

/// Format 516. −32768 marks a missing sample.
pub(super) static CODING_516: Coding = Coding {
    format: SignalFormat::Format516,
    number: 516,
    resolution: 16,
    minimum: -32_767,
    maximum: 32_767,
    missing: Some(-32_768),
    storage: Storage::Flac,
};

/// Format 524. −2²³ marks a missing sample.
pub(super) static CODING_524: Coding = Coding {
    format: SignalFormat::Format524,
    number: 524,
    resolution: 24,
    minimum: -8_388_607,
    maximum: 8_388_607,
    missing: Some(-8_388_608),
    storage: Storage::Flac,
};

/// Decodes up to `limit` samples of a stream, those of one time together; stops where the stream is damaged.
pub(super) fn decode_all(bytes: &[u8], limit: usize) -> Vec<i32> {
    let mut samples = Vec::new();
    let path = std::path::Path::new("");
    let Ok(mut stream) = Stream::open(path, std::io::Cursor::new(bytes)) else { return samples };
    let channels = u64::from(stream.info().channels);
    // Errors end the decoding; what was decoded before them counts.
    let _ = stream.read(path, 0..(limit as u64).div_ceil(channels), &mut |block, _| {
        let length = block.first().map_or(0, |channel| channel.len());
        for time in 0..length {
            samples.extend(block.iter().filter_map(|channel| channel.get(time)));
        }
    });
    samples.truncate(limit);
    samples
}

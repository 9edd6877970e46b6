use std::path::Path;

use super::{Blocks, Coding};
use crate::FormatError;
use crate::wfdb::header::{Header, SignalLine};

/// Frames of a record, from one to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// First frame.
    pub from: u64,
    /// The frame after the last.
    pub to: u64,
}

impl Window {
    /// How many frames these are.
    pub(crate) fn frames(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// Where the samples are in a file of blocks, checked against its length before anything is allocated.
pub(super) struct Extent {
    /// First byte.
    pub offset: u64,
    /// Samples per frame, over all signals of the file.
    pub frame: usize,
    /// Frames.
    pub frames: u64,
}

/// Samples per frame, over all of these signals.
pub(super) fn frame_of(signals: &[SignalLine]) -> u64 {
    signals.iter().map(|line| u64::from(line.frame_samples())).sum::<u64>().max(1)
}

impl Extent {
    pub(super) fn new(
        header: &Header,
        signals: &[SignalLine],
        (coding, blocks): (&Coding, &Blocks),
        length: u64,
        path: &Path,
    ) -> Result<Self, FormatError> {
        let offset = signals.first().and_then(|line| line.byte_offset).unwrap_or(0);
        let frame = frame_of(signals);
        let held = blocks.samples_in(length.saturating_sub(offset));
        let frames = header.samples.unwrap_or(held / frame);
        let samples = frames.checked_mul(frame);
        if offset > length || samples.is_none_or(|samples| samples > held) {
            let expected = samples.and_then(|samples| blocks.bytes_of(samples)).and_then(|bytes| bytes.checked_add(offset));
            return Err(FormatError::Truncated {
                path: path.to_path_buf(),
                expected: expected.unwrap_or(u64::MAX),
                found: length,
                because: format!("{frames} frames of {frame} samples in format {}, from byte {offset}", coding.number),
                remedy: "the file is cut short or the header states too many samples: fetch both again",
            });
        }
        // A frame that a file holds fits in memory's address range; one that none holds has no frames.
        let frame = if frames == 0 { 1 } else { frame as usize };
        Ok(Self { offset, frame, frames })
    }
}

use physiosynth_signal::{Channel, Digitisation};

use super::read::{Group, Reading};
use super::{Coding, ConvertPairs, Storage, Window, checksum};
use crate::FormatError;
use crate::wfdb::header::SignalLine;

/// What [`FormatError::Checksum`] calls a signal's first sample.
pub(crate) const INITIAL_VALUE: &str = "initial value";

/// From digital values to physical ones: `(digital − baseline) / gain` in `f64`, rounded once, to `f32`.
enum Conversion {
    /// Of up to 12 bits: a value for each pattern of the 12 low bits.
    Table(Box<[f32; 4096]>),
    /// Of more, with the value that marks a missing sample.
    Marked { baseline: f64, gain: f64, missing: i32 },
    /// Of a format that cannot mark missing samples.
    Plain { baseline: f64, gain: f64 },
}

impl Conversion {
    fn new(line: &SignalLine, coding: &Coding) -> Self {
        let (baseline, gain) = (f64::from(line.effective_baseline()), line.effective_gain());
        let linear = match coding.missing {
            Some(missing) => Self::Marked { baseline, gain, missing },
            None => Self::Plain { baseline, gain },
        };
        if !(1..=12).contains(&coding.resolution) {
            return linear;
        }
        let mut table = Box::new([0.0; 4096]);
        for (bits, value) in (0_i32..).zip(table.iter_mut()) {
            *value = linear.one((bits << 20) >> 20);
        }
        Self::Table(table)
    }

    fn one(&self, digital: i32) -> f32 {
        match self {
            Self::Table(table) => table[digital as usize & 0xFFF],
            Self::Marked { missing, .. } if digital == *missing => f32::NAN,
            Self::Marked { baseline, gain, .. } | Self::Plain { baseline, gain } => {
                ((f64::from(digital) - baseline) / gain) as f32
            }
        }
    }

    /// Appends the physical values. One loop for each kind of conversion, so that each is a tight one.
    fn extend(&self, samples: &mut Vec<f32>, digital: impl Iterator<Item = i32>) {
        match *self {
            Self::Table(ref table) => samples.extend(digital.map(|value| table[value as usize & 0xFFF])),
            Self::Marked { baseline, gain, missing } => samples.extend(digital.map(|value| {
                let physical = ((f64::from(value) - baseline) / gain) as f32;
                if value == missing { f32::NAN } else { physical }
            })),
            Self::Plain { baseline, gain } => {
                samples.extend(digital.map(|value| ((f64::from(value) - baseline) / gain) as f32));
            }
        }
    }
}

/// One signal while its file is decoded.
pub(super) struct Track {
    /// Place of its samples in each frame.
    offset: usize,
    /// Samples in each frame.
    per_frame: usize,
    /// Number of the next sample of this signal in the file.
    position: u64,
    /// Which samples of this signal in the file are asked for. Those past the file's end are unknown.
    keep: std::ops::Range<u64>,
    /// Sum of the digital values so far, modulo 2³².
    sum: i32,
    /// First digital value of the file.
    initial: Option<i32>,
    /// The last value, where the file has differences.
    last: Option<i32>,
    /// How to convert, and what was converted, where the signal is wanted.
    wanted: Option<(Conversion, Vec<f32>)>,
    digitisation: Digitisation,
}

/// Takes the next `frames` frames of two signals straight from their code, where both are wanted and all of it is asked for; tells
/// whether it did. The start of a file goes the other way, which finds the first values.
pub(super) fn take_pairs(tracks: &mut [Track], bytes: &[u8], frames: usize, convert: ConvertPairs) -> bool {
    let [first, second] = tracks else { return false };
    let (start, end) = (first.position, first.position.saturating_add(frames as u64));
    let whole = |track: &Track| track.per_frame == 1 && track.keep.start <= start && end <= track.keep.end;
    if start == 0 || second.position != start || !whole(first) || !whole(second) {
        return false;
    }
    let (Some((Conversion::Table(one), ones)), Some((Conversion::Table(two), twos))) = (&mut first.wanted, &mut second.wanted)
    else {
        return false;
    };
    let (from_one, from_two) = (ones.len(), twos.len());
    ones.resize(from_one + frames, 0.0);
    twos.resize(from_two + frames, 0.0);
    let (Some(ones), Some(twos)) = (ones.get_mut(from_one..), twos.get_mut(from_two..)) else { return false };
    let [sum_one, sum_two] = convert(bytes, [one, two], [ones, twos]);
    for (track, sum) in [(first, sum_one), (second, sum_two)] {
        track.sum = track.sum.wrapping_add(sum);
        track.position = end;
    }
    true
}

/// Samples that are reserved for at most before any is read, where a file does not bound their number.
const RESERVED: u64 = 1 << 22;

/// The tracks of a file's signals, for this part of the record.
pub(super) fn tracks(reading: &Reading, group: &Group, coding: &Coding, window: Window) -> Vec<Track> {
    let differences = matches!(&coding.storage, Storage::Blocks(blocks) if blocks.differences);
    let bounded = matches!(coding.storage, Storage::Blocks(_));
    let mut offset = 0;
    let tracks = group.signals.iter().enumerate().map(|(index, line)| {
        let per_frame = line.frame_samples() as usize;
        let wanted = reading.only.is_none_or(|only| only == group.first + index);
        let skew = u64::from(line.skew.unwrap_or(0));
        let bound = |frame: u64| frame.saturating_mul(per_frame as u64).saturating_add(skew);
        let keep = bound(window.from)..bound(window.to);
        let expected = if bounded { keep.end - keep.start } else { (keep.end - keep.start).min(RESERVED) };
        let track = Track {
            offset,
            per_frame,
            position: 0,
            keep,
            sum: 0,
            initial: None,
            last: differences.then(|| line.initial_value.or(line.adc_zero).unwrap_or(0)),
            wanted: wanted.then(|| (Conversion::new(line, coding), Vec::with_capacity(expected as usize))),
            digitisation: Digitisation {
                gain: line.effective_gain(),
                baseline: f64::from(line.effective_baseline()),
                adc_resolution: line.adc_resolution.unwrap_or(0),
                adc_zero: line.adc_zero.unwrap_or(0),
            },
        };
        offset = offset.saturating_add(per_frame);
        track
    });
    tracks.collect()
}

impl Track {
    /// What comes next is from this frame of the file.
    pub(super) fn start_at(&mut self, frame: u64) {
        self.position = frame.saturating_mul(self.per_frame as u64);
    }

    /// What comes next is this sample of the file.
    pub(super) fn start_at_sample(&mut self, sample: u64) {
        self.position = sample;
    }

    /// Takes this signal's samples out of whole frames.
    pub(super) fn take(&mut self, digital: &[i32], frame: usize) {
        let (offset, per_frame) = (self.offset, self.per_frame);
        let count = digital.len() / frame * per_frame;
        if per_frame == 1 && frame == 1 {
            self.extend(digital.iter().copied(), count);
        } else if per_frame == 1 && frame == 2 {
            let pairs = digital.as_chunks::<2>().0;
            if offset == 1 {
                self.extend(pairs.iter().map(|&[_, second]| second), count);
            } else {
                self.extend(pairs.iter().map(|&[first, _]| first), count);
            }
        } else if per_frame == 1 {
            self.extend(digital.chunks_exact(frame).map(|samples| samples.get(offset).copied().unwrap_or(0)), count);
        } else {
            let own = digital.chunks_exact(frame).flat_map(|frame| frame.get(offset..offset + per_frame).unwrap_or(&[]));
            self.extend(own.copied(), count);
        }
    }

    /// Takes consecutive samples of this signal alone.
    pub(super) fn take_own(&mut self, digital: &[i32]) {
        self.extend(digital.iter().copied(), digital.len());
    }

    /// Two passes over values in the cache: each becomes a tight loop, where one loop would carry the sum through memory.
    fn extend(&mut self, digital: impl Iterator<Item = i32> + Clone, count: usize) {
        if let Some(last) = &mut self.last {
            let absolute: Vec<i32> = digital
                .map(|difference| {
                    *last = last.wrapping_add(difference);
                    *last
                })
                .collect();
            self.extend_absolute(absolute.iter().copied(), count);
        } else {
            self.extend_absolute(digital, count);
        }
    }

    fn extend_absolute(&mut self, digital: impl Iterator<Item = i32> + Clone, count: usize) {
        self.sum = digital.clone().fold(self.sum, i32::wrapping_add);
        if self.position == 0 && self.initial.is_none() {
            self.initial = digital.clone().next();
        }
        let (start, end) = (self.position, self.position.saturating_add(count as u64));
        self.position = end;
        let Some((conversion, samples)) = &mut self.wanted else { return };
        if self.keep.start <= start && end <= self.keep.end {
            conversion.extend(samples, digital);
        } else {
            let skip = self.keep.start.saturating_sub(start).min(count as u64) as usize;
            let kept = self.keep.end.min(end).saturating_sub(self.keep.start.max(start)) as usize;
            conversion.extend(samples, digital.skip(skip).take(kept));
        }
    }

    /// The channel, once all of the file that is asked for was taken.
    pub(super) fn into_channel(self, index: usize, line: &SignalLine, rate: f64, smooth: bool) -> Option<Channel> {
        let (_, mut samples) = self.wanted?;
        // What lies past the file's end, where the signal's sample 0 is not the file's, is unknown.
        samples.resize((self.keep.end - self.keep.start) as usize, f32::NAN);
        let per_frame = if smooth { 1 } else { self.per_frame };
        if smooth && self.per_frame > 1 {
            samples = frame_means(&samples, self.per_frame);
        }
        Some(Channel {
            label: line.label(index),
            unit: line.unit().to_owned(),
            sampling_frequency_hz: rate * per_frame as f64,
            samples,
            digitisation: Some(self.digitisation),
        })
    }

    /// Compares the signal, taken whole, with what the header says of it.
    pub(super) fn verify(
        &self,
        path: &std::path::Path,
        signal: usize,
        line: &SignalLine,
        report: &mut dyn FnMut(FormatError) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let mut mismatch = |what, expected, found| {
            let label = line.label(signal);
            report(FormatError::Checksum { path: path.to_path_buf(), signal, label, what, expected, found })
        };
        // Headers write the sum signed or unsigned: the 16 bits count.
        if let Some(expected) = line.checksum.filter(|&expected| expected as i16 != checksum(self.sum)) {
            mismatch("checksum", expected, i64::from(checksum(self.sum)))?;
        }
        // Differences begin from the initial value: it says nothing of the first sample.
        if let (Some(expected), Some(found), None) = (line.initial_value, self.initial, self.last)
            && expected != found
        {
            mismatch(INITIAL_VALUE, i64::from(expected), i64::from(found))?;
        }
        Ok(())
    }
}

/// The mean of each frame; missing where one of its samples is.
fn frame_means(samples: &[f32], per_frame: usize) -> Vec<f32> {
    let mean = |frame: &[f32]| (frame.iter().map(|&sample| f64::from(sample)).sum::<f64>() / per_frame as f64) as f32;
    samples.chunks_exact(per_frame).map(mean).collect()
}

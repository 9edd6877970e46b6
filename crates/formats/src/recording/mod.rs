//! A recording of any format, read in parts: what conversion works with. However long it is, a block of samples is in memory
//! at a time.

mod losses;
mod open;
mod part;
mod survey;

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use physiosynth_signal::{Channel, Record};

use crate::{FormatError, edf};
pub use losses::Rounding;
pub(crate) use losses::Roundings;
pub use open::{Format, OpenOptions, open, read_annotations_of};
pub use part::Part;
pub use survey::Survey;

/// Samples that a recording may have to be held whole: 128 MiB.
const HELD_SAMPLES: u64 = 1 << 25;
/// Samples of a block of a longer one: 32 MiB.
const BLOCK_SAMPLES: u64 = 1 << 23;

/// Where the samples of a recording come from.
pub(crate) trait Signals {
    /// Reads, of each channel, the samples of a range, which lies within the channel. A channel of which none are wanted has an
    /// empty range.
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError>;
}

/// A recording whose samples are read when they are asked for.
pub struct Recording<'a> {
    /// All but the samples: the channels have labels, units, sampling frequencies and digitisation, and are empty.
    pub record: Record,
    /// What is wrong with the file, and was read all the same.
    pub problems: Vec<String>,
    /// How the EDF file that it comes from states its signals.
    pub(crate) edf: Option<edf::WriteOptions>,
    /// Samples of each channel.
    lengths: Vec<u64>,
    /// The file, for messages.
    path: PathBuf,
    source: Box<dyn Signals + 'a>,
    /// Of each channel, its index in the source, and its first sample there.
    places: Vec<(usize, u64)>,
    /// Channels of the source.
    in_source: usize,
    held: Option<Vec<Vec<f32>>>,
    surveys: Option<Vec<Survey>>,
}

impl std::fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("path", &self.path).field("lengths", &self.lengths).finish_non_exhaustive()
    }
}

impl<'a> Recording<'a> {
    /// With channels that have no samples, as many of which as `lengths` says come from `source`.
    pub(crate) fn new(path: PathBuf, record: Record, lengths: Vec<u64>, source: Box<dyn Signals + 'a>) -> Self {
        let places: Vec<(usize, u64)> = (0..record.channels.len()).map(|index| (index, 0)).collect();
        let in_source = places.len();
        Self { record, problems: Vec::new(), edf: None, lengths, path, source, places, in_source, held: None, surveys: None }
    }

    /// Of a record in memory.
    pub fn of(record: &'a Record) -> Self {
        let lengths = record.channels.iter().map(|channel| channel.samples.len() as u64).collect();
        let source = Box::new(InMemory { channels: Cow::Borrowed(&record.channels) });
        Self::new(PathBuf::from(&record.name), without_samples(record), lengths, source)
    }

    /// Of a record that was read whole.
    pub(crate) fn of_owned(path: PathBuf, record: Record) -> Recording<'static> {
        let lengths = record.channels.iter().map(|channel| channel.samples.len() as u64).collect();
        let outline = without_samples(&record);
        let source = Box::new(InMemory { channels: Cow::Owned(record.channels) });
        Recording::new(path, outline, lengths, source)
    }

    /// How to write it as EDF: as the EDF file that it comes from states its signals, where it comes from one.
    pub fn edf_options(&self) -> edf::WriteOptions {
        self.edf.clone().unwrap_or_default()
    }

    /// Samples of each channel.
    pub fn lengths(&self) -> &[u64] {
        &self.lengths
    }

    /// Samples of all channels together.
    pub fn samples(&self) -> u64 {
        self.lengths.iter().fold(0, |sum, &length| sum.saturating_add(length))
    }

    /// Duration in seconds of the longest channel.
    pub fn duration_s(&self) -> f64 {
        let durations =
            self.lengths.iter().zip(&self.record.channels).map(|(&n, channel)| n as f64 / channel.sampling_frequency_hz);
        durations.fold(0.0, f64::max)
    }

    /// The highest sampling frequency of the channels, in hertz; 0 without channels.
    pub fn fastest_hz(&self) -> f64 {
        self.record.channels.iter().map(|channel| channel.sampling_frequency_hz).fold(0.0, f64::max)
    }

    /// The record with all its samples.
    pub fn into_record(mut self) -> Result<Record, FormatError> {
        let whole: Vec<Range<u64>> = self.lengths.iter().map(|&length| 0..length).collect();
        let samples = self.read(&whole)?;
        for (channel, samples) in self.record.channels.iter_mut().zip(samples) {
            channel.samples = samples;
        }
        Ok(self.record)
    }

    /// Reads a range of each channel.
    pub(crate) fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let mut wanted = vec![0..0; self.in_source];
        for (range, &(index, offset)) in ranges.iter().zip(&self.places) {
            if let Some(slot) = wanted.get_mut(index) {
                *slot = range.start + offset..range.end + offset;
            }
        }
        let mut found = self.source.read(&wanted)?;
        let taken = self.places.iter().map(|&(index, _)| found.get_mut(index).map(std::mem::take).unwrap_or_default());
        Ok(taken.collect())
    }

    /// Calls `each` with consecutive blocks of the recording: the samples of each channel, in its order. A slower channel has in
    /// a block the samples whose times fall among those of the fastest. One that is short enough is read once and held.
    pub(crate) fn each_block(&mut self, each: &mut dyn FnMut(&[Vec<f32>]) -> Result<(), FormatError>) -> Result<(), FormatError> {
        if self.samples() <= HELD_SAMPLES {
            let block = match self.held.take() {
                Some(block) => block,
                None => self.read(&self.lengths.iter().map(|&length| 0..length).collect::<Vec<_>>())?,
            };
            let result = each(&block);
            self.held = Some(block);
            return result;
        }
        for ranges in self.blocks(BLOCK_SAMPLES) {
            let block = self.read(&ranges)?;
            each(&block)?;
        }
        Ok(())
    }

    /// The ranges of blocks of about this many samples.
    fn blocks(&self, samples: u64) -> Vec<Vec<Range<u64>>> {
        let fastest = self.fastest_hz();
        let ratios: Vec<f64> = self.record.channels.iter().map(|channel| channel.sampling_frequency_hz / fastest).collect();
        let rows =
            self.lengths.iter().zip(&ratios).map(|(&length, ratio)| (length as f64 / ratio).ceil() as u64).max().unwrap_or(0);
        let step = ((samples as f64 / ratios.iter().sum::<f64>()) as u64).max(1);
        // The first sample that is not before a row of the fastest channel; but for rounding.
        let index = |row: u64, (&length, ratio): (&u64, &f64)| {
            if row >= rows { length } else { ((row as f64 * ratio - 1e-6).ceil().max(0.0) as u64).min(length) }
        };
        let range = |row: u64| {
            self.lengths
                .iter()
                .zip(&ratios)
                .map(|channel| index(row, channel)..index(row.saturating_add(step), channel))
                .collect()
        };
        (0..rows.div_ceil(step)).map(|block| range(block * step)).collect()
    }
}

/// The highest rate of which all these are whole multiples, in hertz: at its times every channel has a sample. `None` where there is
/// none worth the name.
pub(crate) fn common_rate(rates: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let slowest = rates.clone().fold(f64::INFINITY, f64::min);
    let whole = |ratio: f64| (ratio - ratio.round()).abs() <= 1e-9 * ratio;
    let fits = |base: &f64| rates.clone().all(|rate| whole(rate / base));
    (1..=MOST_DIVISIONS).map(|parts| slowest / f64::from(parts)).find(fits).filter(|base| base.is_finite() && *base > 0.0)
}

/// Into how many parts the slowest channel's samples are divided, looking for a common rate.
const MOST_DIVISIONS: u32 = 1_000;

/// The record, its channels without their samples.
fn without_samples(record: &Record) -> Record {
    let outline = |channel: &Channel| Channel {
        digitisation: channel.digitisation.clone(),
        ..Channel::new(channel.label.clone(), channel.unit.clone(), channel.sampling_frequency_hz, Vec::new())
    };
    Record {
        name: record.name.clone(),
        subject: record.subject.clone(),
        sampling_frequency_hz: record.sampling_frequency_hz,
        start: record.start.clone(),
        channels: record.channels.iter().map(outline).collect(),
        annotations: record.annotations.clone(),
        comments: record.comments.clone(),
    }
}

/// Channels that are in memory.
struct InMemory<'a> {
    channels: Cow<'a, [Channel]>,
}

impl Signals for InMemory<'_> {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let part = |(channel, range): (&Channel, &Range<u64>)| {
            channel.samples.get(range.start as usize..range.end as usize).unwrap_or(&[]).to_vec()
        };
        Ok(self.channels.iter().zip(ranges).map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_rates() {
        let common = |rates: &[f64]| common_rate(rates.iter().copied());
        assert_eq!(
            (common(&[360.0, 360.0]), common(&[100.0, 1.0]), common(&[500.0, 200.0])),
            (Some(360.0), Some(1.0), Some(100.0))
        );
        assert_eq!(common(&[100.0, 12.8]), Some(0.8));
        assert_eq!((common(&[]), common(&[100.0, 100.0 * std::f64::consts::SQRT_2])), (None, None));
    }

    #[test]
    fn blocks_partition_every_channel_in_order() {
        let channel = |rate: f64, length: usize| Channel::new("c", "mV", rate, (0..length).map(|i| i as f32).collect());
        let record = Record::new("r")
            .with_channel(channel(250.0, 1_000))
            .with_channel(channel(100.0, 400))
            .with_channel(channel(1.0, 4))
            .with_channel(channel(250.0 / 3.0, 334));
        let mut recording = Recording::of(&record);
        for size in [1, 7, 100, 1_000, 10_000] {
            let mut found = vec![Vec::new(); 4];
            for ranges in recording.blocks(size) {
                let block = recording.read(&ranges).unwrap();
                found.iter_mut().zip(block).for_each(|(all, part)| all.extend(part));
            }
            for (found, channel) in found.iter().zip(&record.channels) {
                assert_eq!(found, &channel.samples, "blocks of {size}");
            }
        }
        assert_eq!(recording.into_record().unwrap(), record);
    }
}

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

/// What is done with a block: the samples of each channel.
pub(crate) type Each<'a> = dyn FnMut(&[Vec<f32>]) -> Result<(), FormatError> + 'a;

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
    /// The most samples that are held whole, and those of a block of a longer recording.
    sizes: (u64, u64),
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
        let sizes = (HELD_SAMPLES, BLOCK_SAMPLES);
        Self {
            record,
            problems: Vec::new(),
            edf: None,
            lengths,
            path,
            source,
            places,
            in_source,
            held: None,
            sizes,
            surveys: None,
        }
    }

    /// The same, never held whole, and in blocks of about this many samples.
    #[cfg(test)]
    pub(crate) fn in_blocks_of(mut self, samples: u64) -> Self {
        self.sizes = (0, samples);
        self
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
    pub(crate) fn each_block(&mut self, each: &mut Each) -> Result<(), FormatError> {
        if self.samples() <= self.sizes.0 {
            let block = match self.held.take() {
                Some(block) => block,
                None => self.read(&self.lengths.iter().map(|&length| 0..length).collect::<Vec<_>>())?,
            };
            let result = each(&block);
            self.held = Some(block);
            return result;
        }
        for ranges in self.blocks(self.sizes.1) {
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
pub(crate) fn common_rate(rates: &[f64]) -> Option<f64> {
    let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let whole = |ratio: f64| (ratio - ratio.round()).abs() <= 1e-9 * ratio;
    let fits = |base: &f64| rates.iter().all(|rate| whole(rate / base));
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
    use physiosynth_signal::{Annotation, Digitisation};

    use super::*;
    use crate::{SignalFormat, delimited, hdf5, npy, wfdb};

    /// Two leads and, at a quarter of their rate, a third; with gaps, one of them across the borders of blocks.
    fn long() -> Record {
        let wave = |n: u32, step: f32| (0..n).map(|i| ((i as f32 * step).sin() * 400.0).round() / 200.0).collect::<Vec<f32>>();
        let mut lead = Channel::new("MLII", "mV", 100.0, wave(6_001, 0.3));
        lead.digitisation = Some(Digitisation { gain: 200.0, baseline: 10.0, adc_resolution: 12, adc_zero: 0 });
        lead.samples[900..2_100].fill(f32::NAN);
        let mut other = Channel::new("V1", "mV", 100.0, wave(6_001, 0.07));
        other.samples[5_990..].fill(f32::NAN);
        let mut record = Record::new("long").with_channel(lead).with_channel(other);
        record.annotations = (0..50).map(|n| Annotation::beat(n * 119, "N")).collect();
        record
    }

    #[test]
    fn what_is_written_does_not_depend_on_the_size_of_blocks() {
        let record = long();
        let mut mixed = long();
        mixed.channels.iter_mut().for_each(|channel| channel.samples.truncate(6_000));
        mixed.channels.push(Channel::new("resp", "", 25.0, (0..1_500).map(|i| (i % 40) as f32).collect()));
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, of: &Record, block: Option<u64>, write: &dyn Fn(&std::path::Path, &mut Recording)| {
            let at = folder.path().join(format!("{name}-{}", block.unwrap_or(0)));
            std::fs::create_dir(&at).unwrap();
            let recording = Recording::of(of);
            write(&at, &mut block.map_or_else(|| Recording::of(of), |samples| recording.in_blocks_of(samples)));
            let mut files: Vec<_> = std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
        };
        let check = |name: &str, of: &Record, to: &dyn Fn(&std::path::Path, &mut Recording)| {
            let whole = write(name, of, None, to);
            assert!(!whole.is_empty());
            for block in [97, 999, 4_096] {
                assert_eq!(write(name, of, Some(block), to), whole, "{name}, blocks of {block}");
            }
        };
        for number in [16, 212, 24, 310, 516] {
            let format = SignalFormat::from_number(number).unwrap();
            for (kind, record) in [("one", &record), ("mixed", &mixed)] {
                let mut record = record.clone();
                record.sampling_frequency_hz = if kind == "one" { 100.0 } else { 25.0 };
                record.annotations.retain(|mark| mark.sample < 1_500);
                check(&format!("wfdb-{kind}-{number}"), &record, &|at, recording| {
                    drop(wfdb::write_recording(at, recording, format).unwrap());
                });
            }
        }
        for (kind, record) in [("one", &record), ("mixed", &mixed)] {
            for extension in ["edf", "bdf"] {
                for discontinuous in [false, true] {
                    let options = edf::WriteOptions { discontinuous, ..edf::WriteOptions::default() };
                    check(&format!("{extension}-{kind}-{discontinuous}"), record, &|at, recording| {
                        drop(edf::write_recording(&at.join(format!("r.{extension}")), recording, &options).unwrap());
                    });
                }
            }
            check(&format!("csv-{kind}"), record, &|at, recording| {
                drop(delimited::write_recording(&at.join("r.csv"), recording).unwrap());
            });
            check(&format!("hdf5-{kind}"), record, &|at, recording| hdf5::write_recording(&at.join("r.h5"), recording).unwrap());
        }
        check("npy", &record, &|at, recording| drop(npy::write_recording(&at.join("r.npy"), recording).unwrap()));
    }

    #[test]
    fn files_read_in_blocks_are_those_read_whole() {
        let record = long();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        wfdb::write_record(folder.path(), &record, SignalFormat::Format516).unwrap();
        edf::write_record(&at("r.edf"), &record, &edf::WriteOptions::default()).unwrap();
        hdf5::write_recording(&at("r.h5"), &mut Recording::of(&record)).unwrap();
        npy::write_recording(&at("r.npy"), &mut Recording::of(&record)).unwrap();
        for name in ["long", "r.edf", "r.h5", "r.npy"] {
            let open = || open(&at(name), &OpenOptions { rate_hz: Some(100.0), ..OpenOptions::default() }).unwrap();
            let whole = open().into_record().unwrap();
            let mut found: Vec<Vec<u32>> = vec![Vec::new(); 2];
            let collect = &mut |block: &[Vec<f32>]| {
                found.iter_mut().zip(block).for_each(|(all, part)| all.extend(part.iter().map(|sample| sample.to_bits())));
                Ok(())
            };
            open().in_blocks_of(777).each_block(collect).unwrap();
            for (found, channel) in found.iter().zip(&whole.channels) {
                assert_eq!(found, &channel.samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>(), "{name}");
            }
        }
    }

    #[test]
    fn common_rates() {
        let common = common_rate;
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

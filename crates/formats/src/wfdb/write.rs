use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use physiosynth_signal::{Digitisation, Record};

use super::digitise::{Digitiser, holds};
use super::header::DEFAULT_UNIT;
use super::signal::{Blocks, Coding, Encode, SignalFormat, Storage, checksum, flac};
use super::{REFERENCE_ANNOTATOR, annotation};
use crate::FormatError;
use crate::recording::{Recording, Roundings, common_rate};
use crate::replace::{Partial, replace_file};

/// Unit of a signal that has none, in headers, where an empty one would mean millivolts.
const NO_UNIT: &str = "NU";

/// Writes a record into a folder, which is created where it does not exist: `NAME.dat` with all signals in `format`
/// (in the FLAC formats, up to eight of one rate; `NAME_2.dat` and so on have the others), `NAME.atr` with the annotations, and
/// `NAME.hea`, the last to appear. Each file replaces one of its name in one step.
///
/// Samples become digital values by the channel's digitisation. Where it has none, or a value would not fit the format, gain
/// and baseline are chosen so that the channel's range fills the format's. NaN becomes the format's mark for a missing
/// sample. A channel without a unit is written with `NU` ("no units"). Annotation durations have no place in this format.
pub fn write_record(folder: &Path, record: &Record, format: SignalFormat) -> Result<(), FormatError> {
    write_recording(folder, &mut Recording::of(record), format).map(drop)
}

/// As [`write_record`], from a recording that is read in parts; gives a sentence for each thing that is not read back as it was.
pub fn write_recording(folder: &Path, recording: &mut Recording, format: SignalFormat) -> Result<Vec<String>, FormatError> {
    let name = recording.record.name.clone();
    let file = |extension: &str| folder.join(format!("{name}.{extension}"));
    let (header_path, annotation_path) = (file("hea"), file(REFERENCE_ANNOTATOR));
    if !format.is_writable() {
        return Err(FormatError::Unwritable {
            path: header_path,
            cause: format!("signal format {} cannot hold any signal", format.number()),
            remedy: "choose another, such as 16",
        });
    }
    let layout = Layout::new(&header_path, &recording.record, recording.lengths())?;
    let coding = format.coding();
    let surveys = recording.surveys()?;
    let digitisers = recording.record.channels.iter().zip(&surveys);
    let mut digitisers: Vec<Digitiser> =
        digitisers.map(|(channel, survey)| Digitiser::new(&file("dat"), channel, survey, coding)).collect::<Result<_, _>>()?;
    let annotations = &recording.record.annotations;
    // Positions count at the record's sampling frequency, and files can say so where frames are fewer.
    let rate = recording.record.sampling_frequency_hz;
    let samples = (layout.frames as f64 * rate / layout.rate).round() as i64;
    if let Some(outside) = annotations.iter().position(|a| !(0..samples).contains(&a.sample)) {
        return Err(FormatError::Unwritable {
            path: annotation_path,
            cause: format!("annotation {outside} lies outside the record's {samples} samples"),
            remedy: "take it out, or correct its position",
        });
    }
    let resolution = Some(rate).filter(|rate| *rate != layout.rate);
    let annotations = annotation::encode(&annotation_path, annotations, resolution)?;
    let groups = files(&layout, coding);

    std::fs::create_dir_all(folder).map_err(FormatError::io(folder, "create the folder"))?;
    let mut outputs = groups
        .iter()
        .enumerate()
        .map(|(index, channels)| Output::new(&folder.join(file_name(&name, index)), channels.clone(), coding))
        .collect::<Result<Vec<_>, _>>()?;
    recording.each_block(&mut |block| {
        digitisers.iter_mut().zip(block).for_each(|(digitiser, samples)| digitiser.take(samples));
        outputs.iter_mut().try_for_each(|output| output.take(&mut digitisers, &layout, false))
    })?;
    for mut output in outputs {
        output.take(&mut digitisers, &layout, true)?;
        output.finish()?;
    }
    let header = header(&recording.record, &layout, &digitisers, &groups, coding);
    replace_file(&annotation_path, &annotations)?;
    replace_file(&header_path, header.as_bytes())?;

    let mut roundings = Roundings::default();
    for ((channel, digitiser), &samples) in recording.record.channels.iter().zip(&digitisers).zip(recording.lengths()) {
        roundings.add(&channel.label, &channel.unit, samples, digitiser.rounding);
    }
    let mut warnings: Vec<String> = roundings.warning(&format!("{} bits", coding.resolution)).into_iter().collect();
    if resolution.is_some() && !recording.record.annotations.is_empty() {
        warnings.push(format!(
            "the signals have {} frames per second in common; annotations are written at {rate} Hz, which many readers round to frames",
            layout.rate
        ));
    }
    Ok(warnings)
}

/// The format of the fewest bits, among 16, 24 and 32, that holds every channel as its own digitisation has it; 16 for channels that
/// have none.
pub fn fitting_format(recording: &mut Recording) -> Result<SignalFormat, FormatError> {
    let surveys = recording.surveys()?;
    let formats = [SignalFormat::Format16, SignalFormat::Format24, SignalFormat::Format32];
    let all = |format: &&SignalFormat| {
        recording
            .record
            .channels
            .iter()
            .zip(&surveys)
            .all(|(channel, survey)| holds(channel, survey, format.coding()).unwrap_or(true))
    };
    Ok(formats.iter().find(all).copied().unwrap_or(SignalFormat::Format16))
}

/// A signal file that is being written.
struct Output {
    file: Partial,
    /// The channels in it.
    channels: Range<usize>,
    code: Code,
    bytes: Vec<u8>,
}

/// How it is coded.
enum Code {
    Blocks { encode: Encode, samples: usize },
    Flac(flac::Encoder),
    Nothing,
}

impl Output {
    fn new(path: &Path, channels: Range<usize>, coding: &Coding) -> Result<Self, FormatError> {
        let mut file = Partial::new(path)?;
        let code = match &coding.storage {
            Storage::Blocks(Blocks { encode: Some(encode), samples, .. }) => Code::Blocks { encode: *encode, samples: *samples },
            Storage::Flac => {
                // What comes here is known at the end.
                file.put(&[0; flac::START_BYTES])?;
                Code::Flac(flac::Encoder::new(channels.len(), coding.resolution))
            }
            _ => Code::Nothing,
        };
        Ok(Self { file, channels, code, bytes: Vec::new() })
    }

    /// Writes what the channels have, in whole frames and whole blocks of the code; the rest only at the end.
    fn take(&mut self, digitisers: &mut [Digitiser], layout: &Layout, end: bool) -> Result<(), FormatError> {
        let per_frame = layout.per_frame.get(self.channels.clone()).unwrap_or(&[]);
        let Some(own) = digitisers.get_mut(self.channels.clone()) else { return Ok(()) };
        let frames = own.iter().zip(per_frame).map(|(channel, per_frame)| channel.pending.len() / per_frame).min().unwrap_or(0);
        let mut taken = frames;
        match &mut self.code {
            Code::Nothing => {}
            Code::Flac(encoder) => {
                let samples: Vec<&[i32]> = own
                    .iter()
                    .zip(per_frame)
                    .map(|(channel, per_frame)| channel.pending.get(..frames * per_frame).unwrap_or(&[]))
                    .collect();
                encoder.take(&samples, &mut self.bytes);
            }
            Code::Blocks { encode, samples } => {
                if !end {
                    taken -= frames % *samples;
                }
                interleave(own, per_frame, taken, *encode, &mut self.bytes);
            }
        }
        for (channel, per_frame) in own.iter_mut().zip(per_frame) {
            channel.pending.drain(..(taken * per_frame).min(channel.pending.len()));
        }
        self.file.put(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), FormatError> {
        if let Code::Flac(encoder) = std::mem::replace(&mut self.code, Code::Nothing) {
            let start = encoder.finish(&mut self.bytes);
            self.file.put(&self.bytes)?;
            self.file.put_at_start(&start)?;
        }
        self.file.commit()
    }
}

/// Appends the code of frames: frame by frame, the samples of each channel.
fn interleave(channels: &[Digitiser], per_frame: &[usize], frames: usize, encode: Encode, bytes: &mut Vec<u8>) {
    let frame: usize = per_frame.iter().sum();
    let mut flat = vec![0; frames * frame];
    let mut offset = 0;
    for (channel, &per_frame) in channels.iter().zip(per_frame) {
        for (frame, own) in flat.chunks_exact_mut(frame).zip(channel.pending.chunks_exact(per_frame)) {
            frame.iter_mut().skip(offset).zip(own).for_each(|(slot, &sample)| *slot = sample);
        }
        offset += per_frame;
    }
    encode(&flat, bytes);
}

/// Name of the signal file of this index.
fn file_name(record: &str, index: usize) -> String {
    if index == 0 { format!("{record}.dat") } else { format!("{record}_{}.dat", index + 1) }
}

/// Which channels go into which file: all into one, or, compressed, those of one rate, as many as a stream takes.
fn files(layout: &Layout, coding: &Coding) -> Vec<Range<usize>> {
    let mut files: Vec<Range<usize>> = Vec::new();
    for (index, per_frame) in layout.per_frame.iter().enumerate() {
        let fits = |file: &&mut Range<usize>| {
            !matches!(coding.storage, Storage::Flac)
                || (file.len() < flac::MAX_CHANNELS && layout.per_frame.get(file.start) == Some(per_frame))
        };
        match files.last_mut().filter(fits) {
            Some(file) => file.end = index + 1,
            None => files.push(index..index + 1),
        }
    }
    files
}

/// How the channels are laid out in the file.
pub(super) struct Layout {
    /// Frames per second: the record's sampling frequency, or, where that of a channel is no multiple of it, one of which all are.
    pub(super) rate: f64,
    /// Frames: samples per channel at the record's sampling frequency.
    pub(super) frames: usize,
    /// Samples per frame of each channel.
    pub(super) per_frame: Vec<usize>,
}

impl Layout {
    /// Checks that the record has a name that a header can bear, a sampling frequency, and channels that fit together.
    pub(super) fn new(path: &Path, record: &Record, lengths: &[u64]) -> Result<Self, FormatError> {
        let refuse = |cause: String, remedy| Err(FormatError::Unwritable { path: path.to_path_buf(), cause, remedy });
        if record.name.is_empty() || !record.name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-')) {
            let cause = format!("'{}' is no name of a WFDB record", record.name);
            return refuse(cause, "use letters, digits, '_' and '-'");
        }
        let rate = record.sampling_frequency_hz;
        if !(rate.is_finite() && rate > 0.0) {
            return refuse(format!("the sampling frequency is {rate} Hz"), "give the record one above 0");
        }
        let rates: Vec<f64> = record.channels.iter().map(|channel| channel.sampling_frequency_hz).collect();
        let multiple = |base: f64, rate: f64| rate >= base && (rate / base - (rate / base).round()).abs() <= 1e-9 * rate / base;
        let common = || common_rate(&rates).filter(|common| rates.iter().all(|&rate| multiple(*common, rate)));
        let rate = if rates.iter().all(|&own| multiple(rate, own)) { rate } else { common().unwrap_or(rate) };
        let mut layout = Self { rate, frames: 0, per_frame: Vec::with_capacity(record.channels.len()) };
        for (index, (channel, &length)) in record.channels.iter().zip(lengths).enumerate() {
            let ratio = channel.sampling_frequency_hz / rate;
            let whole = ratio.round();
            if !(1.0..=1e9).contains(&whole) || (ratio - whole).abs() > 1e-9 * whole {
                let cause = format!(
                    "channel '{}' has {} samples per second, no whole multiple of the record's {rate}",
                    channel.label, channel.sampling_frequency_hz
                );
                return refuse(cause, "resample the channel");
            }
            let (per_frame, length) = (whole as usize, length as usize);
            let frames = length / per_frame;
            if length % per_frame != 0 || (index > 0 && frames != layout.frames) {
                let cause = format!("channel '{}' of {length} samples does not end with the other channels", channel.label);
                return refuse(cause, "cut the channels to the same duration");
            }
            layout.frames = frames;
            layout.per_frame.push(per_frame);
        }
        Ok(layout)
    }
}

pub(super) fn header(
    record: &Record,
    layout: &Layout,
    digitisers: &[Digitiser],
    files: &[Range<usize>],
    coding: &Coding,
) -> String {
    let mut text = String::new();
    let mut comments: Vec<&str> = record.comments.iter().flat_map(|comment| comment.lines()).collect();
    let mut start = String::new();
    if let Some(stated) = &record.start {
        if is_base_time(stated) {
            start = format!(" {stated}");
        } else {
            comments.push(stated);
        }
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} {} {} {}{start}", record.name, digitisers.len(), layout.rate, layout.frames);
    let names =
        files.iter().enumerate().flat_map(|(index, channels)| channels.clone().map(move |_| file_name(&record.name, index)));
    for (((channel, digitiser), per_frame), name) in record.channels.iter().zip(digitisers).zip(&layout.per_frame).zip(names) {
        let frame = if *per_frame == 1 { String::new() } else { format!("x{per_frame}") };
        let Digitisation { gain, baseline, adc_resolution, adc_zero } = &digitiser.digitisation;
        let (sum, initial) = (checksum(digitiser.sum), digitiser.initial.unwrap_or(0));
        let line = format!(
            "{name} {}{frame} {gain}({baseline})/{} {adc_resolution} {adc_zero} {initial} {sum} 0 {}",
            coding.number,
            unit(&channel.unit),
            one_line(&channel.label)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for comment in comments {
        let _ = writeln!(text, "# {}", comment.trim());
    }
    text
}

/// Whether a text is a time of day, or one with a date, as headers write them: `17:27:45.5 15/08/1994`.
fn is_base_time(text: &str) -> bool {
    let mut fields = text.split(' ');
    let time = fields
        .next()
        .is_some_and(|time| time.contains(':') && time.bytes().all(|c| c.is_ascii_digit() || c == b':' || c == b'.'));
    let date =
        fields.next().is_none_or(|date| date.split('/').count() == 3 && date.bytes().all(|c| c.is_ascii_digit() || c == b'/'));
    time && date && fields.next().is_none()
}

/// A unit in one word.
fn unit(unit: &str) -> String {
    match unit.trim() {
        "" => NO_UNIT.to_owned(),
        unit if unit == DEFAULT_UNIT => unit.to_owned(),
        unit => unit.split_whitespace().collect::<Vec<_>>().join("_"),
    }
}

/// A label without line ends.
fn one_line(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_are_recognised() {
        assert!(is_base_time("17:27:45.5 15/08/1994") && is_base_time("0:00"));
        assert!(!is_base_time("1994-08-15T17:27:45") && !is_base_time("17:27 15.8.94") && !is_base_time(""));
    }
}

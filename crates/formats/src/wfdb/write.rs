use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use physiosynth_signal::{Digitisation, Record};

use super::digitise::{Digital, digitise};
use super::header::DEFAULT_UNIT;
use super::signal::{Blocks, Coding, Encode, SignalFormat, Storage, checksum, flac};
use super::{REFERENCE_ANNOTATOR, annotation};
use crate::FormatError;
use crate::replace::replace_file;

/// Unit of a signal that has none, in headers, where an empty one would mean millivolts.
const NO_UNIT: &str = "NU";

/// Writes a record into a folder, which is created where it does not exist: `NAME.dat` with all signals in `format`
/// (in the FLAC formats, up to eight of one rate; `NAME_2.dat` and so on have the others), `NAME.atr` with the annotations, and `NAME.hea`, the last to appear. Each file replaces one of its name in one step.
///
/// Samples become digital values by the channel's digitisation. Where it has none, or a value would not fit the format, gain
/// and baseline are chosen so that the channel's range fills the format's. NaN becomes the format's mark for a missing
/// sample. A channel without a unit is written with `NU` ("no units"). Annotation durations have no place in this format.
pub fn write_record(folder: &Path, record: &Record, format: SignalFormat) -> Result<(), FormatError> {
    let file = |extension: &str| folder.join(format!("{}.{extension}", record.name));
    let (header_path, annotation_path) = (file("hea"), file(REFERENCE_ANNOTATOR));
    if !format.is_writable() {
        return Err(FormatError::Unwritable {
            path: header_path,
            cause: format!("signal format {} cannot hold any signal", format.number()),
            remedy: "choose another, such as 16",
        });
    }
    let layout = Layout::new(&header_path, record)?;
    let coding = format.coding();
    let digital: Vec<_> =
        record.channels.iter().map(|channel| digitise(&file("dat"), channel, coding)).collect::<Result<_, _>>()?;
    if let Some(outside) = record.annotations.iter().position(|a| !(0..layout.frames as i64).contains(&a.sample)) {
        return Err(FormatError::Unwritable {
            path: annotation_path,
            cause: format!("annotation {outside} lies outside the record's {} samples", layout.frames),
            remedy: "take it out, or correct its position",
        });
    }
    let annotations = annotation::encode(&annotation_path, &record.annotations, None)?;
    let files = files(&layout, coding);
    let stated: Vec<Stated> = digital.iter().map(Stated::of).collect();
    let header = header(record, &layout, &stated, &files, coding);

    std::fs::create_dir_all(folder).map_err(FormatError::io(folder, "create the folder"))?;
    for (index, channels) in files.iter().enumerate() {
        let part = digital.get(channels.clone()).unwrap_or(&[]);
        let bytes = match &coding.storage {
            Storage::Flac => {
                let channels: Vec<&[i32]> = part.iter().map(|channel| channel.samples.as_slice()).collect();
                flac::encode(&channels, coding.resolution)
            }
            Storage::Blocks(Blocks { encode: Some(encode), .. }) => interleave(part, &layout, *encode),
            _ => continue,
        };
        replace_file(&folder.join(file_name(record, index)), &bytes)?;
    }
    replace_file(&annotation_path, &annotations)?;
    replace_file(&header_path, header.as_bytes())
}

/// Name of the signal file of this index.
fn file_name(record: &Record, index: usize) -> String {
    if index == 0 { format!("{}.dat", record.name) } else { format!("{}_{}.dat", record.name, index + 1) }
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
    /// Frames: samples per channel at the record's sampling frequency.
    pub(super) frames: usize,
    /// Samples per frame of each channel.
    pub(super) per_frame: Vec<usize>,
}

impl Layout {
    /// Checks that the record has a name that a header can bear, a sampling frequency, and channels that fit together.
    pub(super) fn new(path: &Path, record: &Record) -> Result<Self, FormatError> {
        let refuse = |cause: String, remedy| Err(FormatError::Unwritable { path: path.to_path_buf(), cause, remedy });
        if record.name.is_empty() || !record.name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-')) {
            let cause = format!("'{}' is no name of a WFDB record", record.name);
            return refuse(cause, "use letters, digits, '_' and '-'");
        }
        let rate = record.sampling_frequency_hz;
        if !(rate.is_finite() && rate > 0.0) {
            return refuse(format!("the sampling frequency is {rate} Hz"), "give the record one above 0");
        }
        let mut layout = Self { frames: 0, per_frame: Vec::with_capacity(record.channels.len()) };
        for (index, channel) in record.channels.iter().enumerate() {
            let ratio = channel.sampling_frequency_hz / rate;
            let whole = ratio.round();
            if !(1.0..=1e9).contains(&whole) || (ratio - whole).abs() > 1e-9 * whole {
                let cause = format!(
                    "channel '{}' has {} samples per second, no whole multiple of the record's {rate}",
                    channel.label, channel.sampling_frequency_hz
                );
                return refuse(cause, "resample the channel");
            }
            let (per_frame, length) = (whole as usize, channel.samples.len());
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

/// The content of the signal file: frame by frame, the samples of each channel.
fn interleave(digital: &[Digital], layout: &Layout, encode: Encode) -> Vec<u8> {
    let frame: usize = layout.per_frame.iter().sum();
    let mut flat = vec![0; layout.frames * frame];
    let mut offset = 0;
    for (channel, &per_frame) in digital.iter().zip(&layout.per_frame) {
        for (frame, own) in flat.chunks_exact_mut(frame).zip(channel.samples.chunks_exact(per_frame)) {
            frame.iter_mut().skip(offset).zip(own).for_each(|(slot, &sample)| *slot = sample);
        }
        offset += per_frame;
    }
    let mut bytes = Vec::with_capacity(flat.len() * 2);
    encode(&flat, &mut bytes);
    bytes
}

/// What the header says of a channel's samples.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) digitisation: Digitisation,
    /// The first digital value.
    pub(super) initial: i32,
    /// The sum of all, as far as it fits.
    pub(super) sum: i32,
}

impl Stated {
    fn of(digital: &Digital) -> Self {
        Self {
            digitisation: digital.digitisation.clone(),
            initial: digital.samples.first().copied().unwrap_or(0),
            sum: digital.samples.iter().fold(0, |sum, &sample| sum.wrapping_add(sample)),
        }
    }
}

pub(super) fn header(record: &Record, layout: &Layout, digital: &[Stated], files: &[Range<usize>], coding: &Coding) -> String {
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
    let _ = writeln!(text, "{} {} {} {}{start}", record.name, digital.len(), record.sampling_frequency_hz, layout.frames);
    let names = files.iter().enumerate().flat_map(|(index, channels)| channels.clone().map(move |_| file_name(record, index)));
    for (((channel, digital), per_frame), name) in record.channels.iter().zip(digital).zip(&layout.per_frame).zip(names) {
        let frame = if *per_frame == 1 { String::new() } else { format!("x{per_frame}") };
        let Digitisation { gain, baseline, adc_resolution, adc_zero } = &digital.digitisation;
        let (sum, initial) = (checksum(digital.sum), digital.initial);
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

use std::fmt::Write as _;
use std::path::Path;

use physiosynth_signal::{Channel, Digitisation, Record};

use super::header::{DEFAULT_GAIN, DEFAULT_UNIT};
use super::signal::{Coding, SignalFormat, checksum};
use super::{REFERENCE_ANNOTATOR, annotation};
use crate::FormatError;
use crate::replace::replace_file;

/// Unit of a signal that has none, in headers, where an empty one would mean millivolts.
const NO_UNIT: &str = "NU";

/// Writes a record into a folder, which is created where it does not exist: `NAME.dat` with all signals in `format`,
/// `NAME.atr` with the annotations, and `NAME.hea`, the last to appear. Each file replaces one of its name in one step.
///
/// Samples become digital values by the channel's digitisation. Where it has none, or a value would not fit the format, gain
/// and baseline are chosen so that the channel's range fills the format's. NaN becomes the format's mark for a missing
/// sample. A channel without a unit is written with `NU` ("no units"). Annotation durations have no place in this format.
pub fn write_record(folder: &Path, record: &Record, format: SignalFormat) -> Result<(), FormatError> {
    let file = |extension: &str| folder.join(format!("{}.{extension}", record.name));
    let (header_path, signal_path, annotation_path) = (file("hea"), file("dat"), file(REFERENCE_ANNOTATOR));
    let layout = Layout::new(&header_path, record)?;
    let coding = format.coding();
    let digital: Vec<_> = record.channels.iter().map(|c| digitise(&signal_path, c, coding)).collect::<Result<_, _>>()?;
    if let Some(outside) = record.annotations.iter().position(|a| !(0..layout.frames as i64).contains(&a.sample)) {
        return Err(FormatError::Unwritable {
            path: annotation_path,
            cause: format!("annotation {outside} lies outside the record's {} samples", layout.frames),
            remedy: "take it out, or correct its position",
        });
    }
    let annotations = annotation::encode(&annotation_path, &record.annotations)?;
    let signals = interleave(&digital, &layout, coding);
    let header = header(record, &layout, &digital, coding);

    std::fs::create_dir_all(folder).map_err(FormatError::io(folder, "create the folder"))?;
    if !record.channels.is_empty() {
        replace_file(&signal_path, &signals)?;
    }
    replace_file(&annotation_path, &annotations)?;
    replace_file(&header_path, header.as_bytes())
}

/// How the channels are laid out in the file.
struct Layout {
    /// Frames: samples per channel at the record's sampling frequency.
    frames: usize,
    /// Samples per frame of each channel.
    per_frame: Vec<usize>,
}

impl Layout {
    /// Checks that the record has a name that a header can bear, a sampling frequency, and channels that fit together.
    fn new(path: &Path, record: &Record) -> Result<Self, FormatError> {
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

/// A channel as digital values.
struct Digital {
    digitisation: Digitisation,
    samples: Vec<i32>,
}

fn digitise(path: &Path, channel: &Channel, coding: &Coding) -> Result<Digital, FormatError> {
    if let Some(index) = channel.samples.iter().position(|sample| sample.is_infinite()) {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!("sample {index} of channel '{}' is infinite", channel.label),
            remedy: "replace it by NaN, which stands for a missing sample",
        });
    }
    let stated = channel.digitisation.clone().filter(|d| d.gain.is_finite() && d.gain != 0.0);
    if let Some(digital) = stated.and_then(|digitisation| apply(&channel.samples, digitisation, coding)) {
        return Ok(digital);
    }
    let chosen = choose(&channel.samples, coding);
    apply(&channel.samples, chosen, coding).ok_or_else(|| FormatError::Unwritable {
        path: path.to_path_buf(),
        cause: format!("the range of channel '{}' fits no gain and baseline of format {}", channel.label, coding.number),
        remedy: "rescale the channel",
    })
}

/// The digital values under a digitisation; `None` where one of them is out of the format's range.
fn apply(samples: &[f32], digitisation: Digitisation, coding: &Coding) -> Option<Digital> {
    let (gain, baseline) = (digitisation.gain, f64::from(digitisation.baseline));
    let range = f64::from(coding.minimum)..=f64::from(coding.maximum);
    let digital = samples.iter().map(|&sample| {
        if sample.is_nan() {
            return Some(coding.missing);
        }
        let value = (f64::from(sample) * gain + baseline).round();
        range.contains(&value).then_some(value as i32)
    });
    Some(Digital { samples: digital.collect::<Option<_>>()?, digitisation })
}

/// Gain and baseline by which a channel's range fills the format's.
fn choose(samples: &[f32], coding: &Coding) -> Digitisation {
    let present = samples.iter().filter(|sample| !sample.is_nan()).map(|&sample| f64::from(sample));
    let (low, high) = present.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p), high.max(p)));
    let (gain, baseline) = if low > high || (low == 0.0 && high == 0.0) {
        (DEFAULT_GAIN, 0)
    } else if low == high {
        // One value alone: as 1 or −1.
        (1.0 / low.abs(), 0)
    } else {
        // Two values of the range are left for rounding the baseline.
        let (minimum, maximum) = (f64::from(coding.minimum) + 1.0, f64::from(coding.maximum) - 1.0);
        let centre = f64::midpoint(low, high);
        // The baseline is a 32-bit number; a gain held back for it is still finer than a sample's 24 bits.
        let limit = (f64::from(i32::MAX) - maximum) / centre.abs();
        let gain = shortened(((maximum - minimum) / (high - low)).min(limit));
        (gain, (f64::midpoint(minimum, maximum) - gain * centre).round() as i32)
    };
    Digitisation { gain, baseline, adc_resolution: coding.resolution, adc_zero: 0 }
}

/// The value cut to six significant decimal digits, for the reader of the header.
fn shortened(value: f64) -> f64 {
    let scale = 10_f64.powf(5.0 - value.log10().floor());
    let short = (value * scale).floor() / scale;
    if short.is_finite() && short > 0.0 { short } else { value }
}

/// The content of the signal file: frame by frame, the samples of each channel.
fn interleave(digital: &[Digital], layout: &Layout, coding: &Coding) -> Vec<u8> {
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
    (coding.encode)(&flat, &mut bytes);
    bytes
}

fn header(record: &Record, layout: &Layout, digital: &[Digital], coding: &Coding) -> String {
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
    for ((channel, digital), per_frame) in record.channels.iter().zip(digital).zip(&layout.per_frame) {
        let frame = if *per_frame == 1 { String::new() } else { format!("x{per_frame}") };
        let Digitisation { gain, baseline, adc_resolution, adc_zero } = &digital.digitisation;
        let sum = checksum(digital.samples.iter().fold(0, |sum, &sample| sum.wrapping_add(sample)));
        let initial = digital.samples.first().copied().unwrap_or(0);
        let line = format!(
            "{}.dat {}{frame} {gain}({baseline})/{} {adc_resolution} {adc_zero} {initial} {sum} 0 {}",
            record.name,
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
    fn chosen_gains_fill_the_range_and_fit_it() {
        for samples in [&[-0.5_f32, 1.5][..], &[1000.0, 1000.001], &[-1e-30, 1e-30], &[3e38, -3e38], &[7.25], &[0.0], &[f32::NAN]]
        {
            for format in [SignalFormat::Format16, SignalFormat::Format212] {
                let coding = format.coding();
                let chosen = choose(samples, coding);
                let digital = apply(samples, chosen.clone(), coding).unwrap_or_else(|| panic!("{samples:?} {chosen:?}"));
                for (&sample, &value) in samples.iter().zip(&digital.samples).filter(|(sample, _)| !sample.is_nan()) {
                    let back = (f64::from(value) - f64::from(chosen.baseline)) / chosen.gain;
                    let step = (1.0 / chosen.gain).max(f64::from(sample).abs() * 1e-9);
                    assert!((back - f64::from(sample)).abs() <= step, "{sample} → {value} → {back} under {chosen:?}");
                }
            }
        }
        let chosen = choose(&[-1.0, 1.0], SignalFormat::Format16.coding());
        assert_eq!((chosen.gain, chosen.baseline), (32_766.0, 0));
    }

    #[test]
    fn start_times_are_recognised() {
        assert!(is_base_time("17:27:45.5 15/08/1994") && is_base_time("0:00"));
        assert!(!is_base_time("1994-08-15T17:27:45") && !is_base_time("17:27 15.8.94") && !is_base_time(""));
    }
}

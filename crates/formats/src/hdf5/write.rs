use std::io::{self, Write as _};
use std::path::Path;

use physiosynth_signal::{Annotation, Channel};

use super::{FORMAT, FORMAT_VERSION, SIGNALS};
use crate::FormatError;
use crate::recording::Recording;
use crate::replace::Partial;
use crate::segments::structures::Datatype;
use crate::segments::writer::{Attribute, Rows, Writer};

/// An attribute takes 64 KiB in HDF5, 16 bytes per text.
const MOST_TEXTS: usize = 4_000;

/// Writes a recording in our own layout, in place of a file of that name, in one step. Nothing is lost.
pub fn write_recording(path: &Path, recording: &mut Recording) -> Result<(), FormatError> {
    let refuse = |cause: String, remedy| FormatError::Unwritable { path: path.to_path_buf(), cause, remedy };
    if recording.record.channels.len() > MOST_TEXTS || recording.record.comments.len() > MOST_TEXTS {
        return Err(refuse(format!("more than {MOST_TEXTS} channels or comments do not fit"), "write several files"));
    }
    let groups = groups(recording);
    if groups.len() > SIGNALS.len() {
        let cause = format!("the channels have {} sampling frequencies, and {} is the most", groups.len(), SIGNALS.len());
        return Err(refuse(cause, "resample some, or write several files"));
    }
    let failed = FormatError::io(path, "write the file");
    let mut partial = Partial::new(path)?;
    let mut broken = None;
    match write(&mut partial, recording, &groups, &mut broken) {
        Ok(()) => partial.commit(),
        Err(error) => Err(broken.unwrap_or_else(|| failed(error))),
    }
}

/// The channels of each sampling frequency, in the order in which they first appear; those of another length by themselves.
fn groups(recording: &Recording) -> Vec<Vec<usize>> {
    let mut groups: Vec<((f64, u64), Vec<usize>)> = Vec::new();
    for (index, (channel, &length)) in recording.record.channels.iter().zip(recording.lengths()).enumerate() {
        let key = (channel.sampling_frequency_hz, length);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, group)) => group.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Writes everything. Where reading failed, the error is left in `broken`.
fn write(
    partial: &mut Partial,
    recording: &mut Recording,
    groups: &[Vec<usize>],
    broken: &mut Option<FormatError>,
) -> io::Result<()> {
    let mut writer = Writer::new(partial)?;
    let rows_of =
        |group: &[usize]| group.first().and_then(|&first| recording.lengths().get(first)).copied().unwrap_or(0) as usize;
    let shapes: Vec<[usize; 2]> = groups.iter().map(|group| [rows_of(group), group.len()]).collect();
    writer.expect_rows(&shapes);
    for ((group, &name), &shape) in groups.iter().zip(&SIGNALS).zip(&shapes) {
        let mut rows = writer.begin_rows(name, shape);
        let mut failed = None;
        let read = recording.each_block(&mut |block| {
            if failed.is_none()
                && let Err(error) = push(&mut writer, &mut rows, group, block)
            {
                failed = Some(error);
            }
            Ok(())
        });
        if let Err(error) = read {
            *broken = Some(error);
            return Err(io::Error::other("reading failed"));
        }
        failed.map_or(Ok(()), Err)?;
        let channels: Vec<(usize, &Channel)> =
            group.iter().filter_map(|&index| Some((index, recording.record.channels.get(index)?))).collect();
        end(&mut writer, rows, &channels)?;
    }
    let record = &recording.record;
    if !record.annotations.is_empty() {
        annotations(&mut writer, &record.annotations, record.sampling_frequency_hz)?;
    }
    let mut attributes = vec![
        ("format", Attribute::Text(FORMAT)),
        ("format_version", Attribute::Integer(FORMAT_VERSION)),
        ("name", Attribute::Text(&record.name)),
        ("subject", Attribute::Text(&record.subject)),
        ("sampling_frequency_hz", Attribute::Float(record.sampling_frequency_hz)),
    ];
    attributes.extend(record.start.as_deref().map(|start| ("start", Attribute::Text(start))));
    if !record.comments.is_empty() {
        attributes.push(("comments", Attribute::Texts(&record.comments)));
    }
    writer.finish(&attributes)?.flush()
}

/// Adds a block's samples, row by row.
fn push<W: io::Write + io::Seek>(writer: &mut Writer<W>, rows: &mut Rows, group: &[usize], block: &[Vec<f32>]) -> io::Result<()> {
    let columns: Vec<&[f32]> = group.iter().filter_map(|&index| block.get(index).map(Vec::as_slice)).collect();
    let length = columns.first().map_or(0, |column| column.len());
    let mut values = vec![0.0; length * columns.len()];
    for (column, samples) in columns.iter().enumerate() {
        values.iter_mut().skip(column).step_by(columns.len()).zip(*samples).for_each(|(slot, &sample)| *slot = sample);
    }
    writer.push_rows(rows, &values)
}

fn end<W: io::Write + io::Seek>(writer: &mut Writer<W>, rows: Rows, channels: &[(usize, &Channel)]) -> io::Result<()> {
    let texts = |of: fn(&Channel) -> &String| channels.iter().map(|(_, channel)| of(channel).clone()).collect::<Vec<_>>();
    let stated = |of: fn(&physiosynth_signal::Digitisation) -> f64| {
        channels.iter().map(|(_, channel)| channel.digitisation.as_ref().map_or(f64::NAN, of)).collect::<Vec<_>>()
    };
    let whole = |of: fn(&physiosynth_signal::Digitisation) -> i64| {
        channels.iter().map(|(_, channel)| channel.digitisation.as_ref().map_or(0, of)).collect::<Vec<_>>()
    };
    let rate = channels.first().map_or(0.0, |(_, channel)| channel.sampling_frequency_hz);
    let (names, units) = (texts(|channel| &channel.label), texts(|channel| &channel.unit));
    let index: Vec<i64> = channels.iter().map(|&(index, _)| index as i64).collect();
    let (gain, baseline) = (stated(|d| d.gain), stated(|d| d.baseline));
    let (resolution, zero) = (whole(|d| i64::from(d.adc_resolution)), whole(|d| i64::from(d.adc_zero)));
    writer.end_rows(
        rows,
        &[
            ("sampling_frequency_hz", Attribute::Float(rate)),
            ("channel_names", Attribute::Texts(&names)),
            ("channel_units", Attribute::Texts(&units)),
            ("channel_index", Attribute::Integers(&index)),
            ("gain", Attribute::Floats(&gain)),
            ("baseline", Attribute::Floats(&baseline)),
            ("adc_resolution", Attribute::Integers(&resolution)),
            ("adc_zero", Attribute::Integers(&zero)),
        ],
    )
}

fn annotations<W: io::Write + io::Seek>(writer: &mut Writer<W>, marks: &[Annotation], rate: f64) -> io::Result<()> {
    let mut numbers = |name, datatype, bytes: Vec<u8>| writer.dataset(name, datatype, &[marks.len() as u64], &bytes);
    let long = |of: fn(&Annotation) -> i64| marks.iter().flat_map(|mark| of(mark).to_le_bytes()).collect();
    let short = |of: fn(&Annotation) -> i32| marks.iter().flat_map(|mark| of(mark).to_le_bytes()).collect();
    numbers("annotation_sample", Datatype::Int64, long(|mark| mark.sample))?;
    numbers("annotation_duration", Datatype::Int64, long(|mark| mark.duration))?;
    let seconds = marks.iter().flat_map(|mark| (mark.sample as f64 / rate).to_le_bytes()).collect();
    numbers("annotation_time_s", Datatype::Float64, seconds)?;
    numbers("annotation_subtype", Datatype::Int32, short(|mark| i32::from(mark.subtype)))?;
    numbers("annotation_channel", Datatype::Int32, short(|mark| i32::from(mark.channel)))?;
    numbers("annotation_number", Datatype::Int32, short(|mark| i32::from(mark.number)))?;
    let mut texts = |name, of: fn(&Annotation) -> &str| {
        let width = marks.iter().map(|mark| of(mark).len()).max().unwrap_or(0).max(1);
        let mut bytes = Vec::with_capacity(width * marks.len());
        for mark in marks {
            let end = bytes.len() + width;
            bytes.extend_from_slice(of(mark).as_bytes());
            bytes.resize(end, 0);
        }
        numbers(name, Datatype::Text(width as u32), bytes)
    };
    texts("annotation_code", |mark| &mark.code)?;
    texts("annotation_aux", |mark| &mark.aux)
}

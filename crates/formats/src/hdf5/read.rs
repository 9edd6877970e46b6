//! Our own layout, read in parts.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use hdf5_pure::{AttrValue, Dataset, File};
use physiosynth_signal::{Annotation, Channel, Digitisation, Record};

use super::{FORMAT, FORMAT_VERSION, Hdf5ReadOptions, SEGMENTS, SIGNALS, foreign, malformed, unreadable};
use crate::FormatError;
use crate::recording::{Recording, Signals};

/// Deflate makes at most this of one byte; more than that of a file's length is a damaged header, not data.
const MOST_EXPANSION: u64 = 1040;
/// A size that is taken at its word, whatever the file's length: 64 MiB.
const ALWAYS_PLAUSIBLE: u64 = 64 << 20;
const REMEDY: &str = "it is not what this program writes: write the file again";

/// Opens a file of a record: ours, or another program's as `options` say.
pub(crate) fn open(path: &Path, options: &Hdf5ReadOptions) -> Result<Recording<'static>, FormatError> {
    let bytes = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            FormatError::Missing { path: path.to_path_buf(), named_by: "asked for".into(), remedy: "name an HDF5 file" }
        }
        _ => FormatError::Io { path: path.to_path_buf(), action: "open the file", source },
    })?;
    let file = File::open_streaming(path).map_err(|error| unreadable(path, "as HDF5", &error))?;
    let attributes = file.root().attrs().map_err(|error| unreadable(path, "root group", &error))?;
    let opened = Opened { path: path.to_path_buf(), bytes: bytes.len(), file };
    match attributes.get("format").and_then(AttrValue::as_str) {
        Some(FORMAT) if options.signals.is_none() => opened.own(&attributes),
        Some(SEGMENTS) if options.signals.is_none() => Err(malformed(
            path,
            "attribute 'format'",
            "the file holds segments, not a record".into(),
            "convert it to .npy, or read it with h5py",
        )),
        _ => foreign::read(&opened, options),
    }
}

/// A file and its size.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) file: File,
}

impl Opened {
    /// A dataset and its shape, held against the file's length; `None` where there is none of this name.
    pub(super) fn dataset(&self, name: &str) -> Result<Option<(Dataset, Vec<u64>)>, FormatError> {
        let here = |error| unreadable(&self.path, &format!("dataset '{name}'"), &error);
        let Ok(dataset) = self.file.dataset(name) else { return Ok(None) };
        let shape = dataset.shape().map_err(here)?;
        let element = dataset.element_size().map_err(here)?;
        let chunk = dataset.chunk_shape().map_err(here)?.unwrap_or_default();
        for (what, shape) in [("shape", &shape), ("chunks", &chunk)] {
            let size = shape.iter().try_fold(element, |size, &dim| size.checked_mul(dim));
            if size.is_none_or(|size| size > self.bytes.saturating_mul(MOST_EXPANSION).max(ALWAYS_PLAUSIBLE)) {
                let cause =
                    format!("{what} {shape:?} of {element}-byte elements cannot come from a file of {} bytes", self.bytes);
                return Err(malformed(&self.path, &format!("dataset '{name}'"), cause, "write the file again: it is damaged"));
            }
        }
        for chunk in dataset.chunks().unwrap_or_default() {
            if chunk.address.checked_add(chunk.storage_size).is_none_or(|end| end > self.bytes) {
                let cause =
                    format!("a chunk of {} bytes at byte {} ends behind the file's end", chunk.storage_size, chunk.address);
                return Err(malformed(&self.path, &format!("dataset '{name}'"), cause, "fetch the file again: it is cut short"));
            }
        }
        Ok(Some((dataset, shape)))
    }

    /// Our own layout.
    fn own(self, attributes: &HashMap<String, AttrValue>) -> Result<Recording<'static>, FormatError> {
        if let Some(version) = attributes.get("format_version").and_then(AttrValue::as_i64).filter(|&v| v > FORMAT_VERSION) {
            let cause = format!("version {version} of the format is newer than {FORMAT_VERSION}");
            return Err(malformed(&self.path, "attribute 'format_version'", cause, "read it with a newer release"));
        }
        let text = |name: &str| attributes.get(name).and_then(AttrValue::as_str).map(str::to_owned);
        let file_name = self.path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut record = Record::new(text("name").unwrap_or(file_name));
        record.subject = text("subject").unwrap_or_else(|| record.name.clone());
        record.start = text("start");
        record.comments = attributes.get("comments").and_then(AttrValue::as_strings).map(<[String]>::to_vec).unwrap_or_default();
        let rate = attributes.get("sampling_frequency_hz").and_then(foreign::number);

        let mut placed: Vec<(usize, u64, Channel)> = Vec::new();
        let mut source = Source { path: self.path.clone(), datasets: Vec::new() };
        for name in SIGNALS {
            let Some((dataset, shape)) = self.dataset(name)? else { continue };
            let [rows, columns] = shape[..] else {
                return Err(malformed(
                    &self.path,
                    &format!("dataset '{name}'"),
                    format!("shape {shape:?} is not [time, channel]"),
                    REMEDY,
                ));
            };
            let attributes = dataset.attrs().map_err(|error| unreadable(&self.path, name, &error))?;
            let channels = channels(&self.path, name, columns as usize, &attributes, placed.len())?;
            source.datasets.push((dataset, channels.iter().map(|(index, _)| *index).collect()));
            placed.extend(channels.into_iter().map(|(index, channel)| (index, rows, channel)));
        }
        placed.sort_by_key(|(index, ..)| *index);
        if placed.iter().enumerate().any(|(at, (index, ..))| at != *index) {
            return Err(malformed(
                &self.path,
                "attribute 'channel_index'",
                "the channels are not numbered from 0".into(),
                REMEDY,
            ));
        }
        let lengths = placed.iter().map(|&(_, rows, _)| rows).collect();
        record.channels = placed.into_iter().map(|(.., channel)| channel).collect();
        let fastest = record.channels.iter().map(|channel| channel.sampling_frequency_hz).fold(0.0, f64::max);
        record.sampling_frequency_hz = rate.filter(|rate| rate.is_finite() && *rate > 0.0).unwrap_or(fastest);
        record.annotations = self.annotations()?;
        Ok(Recording::new(self.path, record, lengths, Box::new(source)))
    }

    fn annotations(&self) -> Result<Vec<Annotation>, FormatError> {
        let Some((samples, _)) = self.dataset("annotation_sample")? else { return Ok(Vec::new()) };
        let here = |error: hdf5_pure::Error| unreadable(&self.path, "the annotations", &error);
        let samples = samples.read_i64().map_err(here)?;
        let n = samples.len();
        let numbers = |name: &str| -> Result<Vec<i64>, FormatError> {
            let found = self.dataset(name)?.map(|(dataset, _)| dataset.read_i64().map_err(here)).transpose()?;
            Ok(found.unwrap_or_else(|| vec![0; n]))
        };
        let texts = |name: &str| -> Result<Vec<String>, FormatError> {
            let found = self.dataset(name)?.map(|(dataset, _)| dataset.read_string().map_err(here)).transpose()?;
            Ok(found.unwrap_or_else(|| vec![String::new(); n]))
        };
        let (duration, subtype) = (numbers("annotation_duration")?, numbers("annotation_subtype")?);
        let (channel, number) = (numbers("annotation_channel")?, numbers("annotation_number")?);
        let (code, aux) = (texts("annotation_code")?, texts("annotation_aux")?);
        if [duration.len(), subtype.len(), channel.len(), number.len(), code.len(), aux.len()].iter().any(|&len| len != n) {
            return Err(malformed(&self.path, "the annotations", format!("not all datasets have {n} values"), REMEDY));
        }
        let mark = |index: usize| Annotation {
            sample: at(&samples, index),
            duration: at(&duration, index),
            code: at(&code, index).into(),
            subtype: at(&subtype, index) as i8,
            channel: at(&channel, index) as u8,
            number: at(&number, index) as i8,
            aux: at(&aux, index),
        };
        Ok((0..n).map(mark).collect())
    }
}

/// A value of those that all have one.
fn at<T: Clone + Default>(values: &[T], index: usize) -> T {
    values.get(index).cloned().unwrap_or_default()
}

/// The channels of a dataset, with their places in the record.
fn channels(
    path: &Path,
    name: &str,
    columns: usize,
    attributes: &HashMap<String, AttrValue>,
    before: usize,
) -> Result<Vec<(usize, Channel)>, FormatError> {
    let wrong =
        |what: &str| malformed(path, &format!("dataset '{name}'"), format!("attribute '{what}' is missing or wrong"), REMEDY);
    let texts = |what: &str| {
        attributes.get(what).and_then(AttrValue::as_strings).filter(|texts| texts.len() == columns).ok_or_else(|| wrong(what))
    };
    let rate = attributes.get("sampling_frequency_hz").and_then(foreign::number);
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or_else(|| wrong("sampling_frequency_hz"))?;
    let (names, units) = (texts("channel_names")?, texts("channel_units")?);
    let index = attributes.get("channel_index").and_then(AttrValue::to_i64s).filter(|index| index.len() == columns);
    let floats = |what: &str| match attributes.get(what) {
        Some(AttrValue::F64Array(values)) => values.clone(),
        Some(AttrValue::F64(value)) => vec![*value],
        _ => Vec::new(),
    };
    let integers = |what: &str| attributes.get(what).and_then(AttrValue::to_i64s).unwrap_or_default();
    let (gain, baseline) = (floats("gain"), floats("baseline"));
    let (resolution, zero) = (integers("adc_resolution"), integers("adc_zero"));
    let channel = |(column, (label, unit)): (usize, (&String, &String))| {
        let stated =
            gain.get(column).zip(baseline.get(column)).filter(|(gain, baseline)| gain.is_finite() && baseline.is_finite());
        let digitisation = stated.map(|(&gain, &baseline)| Digitisation {
            gain,
            baseline,
            adc_resolution: resolution.get(column).and_then(|&bits| u16::try_from(bits).ok()).unwrap_or(0),
            adc_zero: zero.get(column).and_then(|&zero| i32::try_from(zero).ok()).unwrap_or(0),
        });
        let place = index.as_ref().and_then(|index| usize::try_from(*index.get(column)?).ok()).unwrap_or(before + column);
        (place, Channel { digitisation, ..Channel::new(label.clone(), unit.clone(), rate, Vec::new()) })
    };
    Ok(names.iter().zip(units).enumerate().map(channel).collect())
}

/// Datasets of signals, with the place of each column in the record.
struct Source {
    path: PathBuf,
    datasets: Vec<(Dataset, Vec<usize>)>,
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let mut samples = vec![Vec::new(); ranges.len()];
        for (dataset, places) in &self.datasets {
            let wanted = || places.iter().filter_map(|&place| ranges.get(place)).filter(|range| !range.is_empty());
            let (Some(from), Some(to)) = (wanted().map(|range| range.start).min(), wanted().map(|range| range.end).max()) else {
                continue;
            };
            let rows = dataset.read_f32_rows(from, to - from).map_err(|error| unreadable(&self.path, "signals", &error))?;
            for (column, &place) in places.iter().enumerate() {
                let (Some(slot), Some(range)) = (samples.get_mut(place), ranges.get(place)) else { continue };
                let own = rows.iter().skip(column).step_by(places.len());
                *slot = own.skip((range.start - from) as usize).take((range.end - range.start) as usize).copied().collect();
            }
        }
        Ok(samples)
    }
}

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{AttrValue, Dataset, File};
use ndarray::{Array2, Array3};
use physiosynth_signal::{Group, Segment, SegmentSet, Split};

use super::FORMAT_VERSION;
use crate::FormatError;

/// Deflate makes at most this of one byte; more than that of a file's length is a damaged header, not data.
const MOST_EXPANSION: u64 = 1040;
/// A size that is taken at its word, whatever the file's length: 64 MiB.
const ALWAYS_PLAUSIBLE: u64 = 64 << 20;

/// Reads a segment file: one of ours, or one of another program's with the datasets that it has.
///
/// `signals` (any numeric type; `[segment, time, channel]`, or `[segment, time]` for one channel) and `label` must be there, as
/// must the attribute `sampling_frequency_hz` of `signals`. What else is missing gets a neutral value: `code`, `group`,
/// `rhythm`, `derived_from` empty; `record` empty; `subject` that of `record`; `split` synthetic; `cluster` and `sample` −1; RR intervals
/// NaN; `scale` 1 and `offset` 0; `mark_index` 0; channels named `channel 1`, …, without unit.
pub fn read_segments(path: &Path) -> Result<SegmentSet, FormatError> {
    let bytes = std::fs::metadata(path)
        .map_err(|source| FormatError::Io { path: path.into(), action: "open the segment file", source })?
        .len();
    let reader = Reader { path, bytes, file: File::open_streaming(path).map_err(|error| unreadable(path, "as HDF5", &error))? };
    reader.check_version()?;
    reader.read()
}

/// What is being read, for messages and for bounds.
struct Reader<'a> {
    path: &'a Path,
    bytes: u64,
    file: File,
}

fn unreadable(path: &Path, place: &str, error: &hdf5_pure::Error) -> FormatError {
    FormatError::Malformed {
        path: path.into(),
        place: place.into(),
        cause: error.to_string(),
        remedy: "it is damaged, cut short, no HDF5 file, or laid out for HDF5 2 alone: write it again, with h5py without libver='latest'",
    }
}

impl Reader<'_> {
    fn wrong(&self, dataset: &str, cause: String, remedy: &'static str) -> FormatError {
        FormatError::Malformed { path: self.path.into(), place: format!("dataset '{dataset}'"), cause, remedy }
    }

    fn check_version(&self) -> Result<(), FormatError> {
        let attributes = self.file.root().attrs().map_err(|error| unreadable(self.path, "root group", &error))?;
        match attributes.get("format_version").and_then(AttrValue::as_i64) {
            Some(version) if version > FORMAT_VERSION => Err(FormatError::Malformed {
                path: self.path.into(),
                place: "attribute 'format_version'".into(),
                cause: format!("version {version} of the format is newer than {FORMAT_VERSION}"),
                remedy: "read it with the program that wrote it, or a newer release of this one",
            }),
            _ => Ok(()),
        }
    }

    /// The dataset and its shape, checked against the file's length; `None` where there is none of this name.
    fn dataset(&self, name: &str) -> Result<Option<(Dataset, Vec<u64>)>, FormatError> {
        let here = |error| unreadable(self.path, &format!("dataset '{name}'"), &error);
        let present = self.file.root().datasets().map_err(|error| unreadable(self.path, "root group", &error))?;
        if !present.iter().any(|other| other == name) {
            return Ok(None);
        }
        let dataset = self.file.dataset(name).map_err(here)?;
        let shape = dataset.shape().map_err(here)?;
        let element = dataset.element_size().map_err(here)?;
        self.plausible(name, "shape", &shape, element)?;
        if let Some(chunk) = dataset.chunk_shape().map_err(here)? {
            self.plausible(name, "chunks", &chunk, element)?;
        }
        // Only version 2 B-trees, of datasets that grow along several dimensions, cannot be listed; reading tells the rest.
        for chunk in dataset.chunks().unwrap_or_default() {
            if chunk.address.checked_add(chunk.storage_size).is_none_or(|end| end > self.bytes) {
                let cause =
                    format!("a chunk of {} bytes at byte {} ends behind the file's end", chunk.storage_size, chunk.address);
                return Err(self.wrong(name, cause, "write or fetch the file again: it is cut short or damaged"));
            }
        }
        Ok(Some((dataset, shape)))
    }

    /// Refuses sizes that only a damaged header claims, before memory is taken for them.
    fn plausible(&self, name: &str, what: &str, shape: &[u64], element: u64) -> Result<(), FormatError> {
        let size = shape.iter().try_fold(element, |size, &dim| size.checked_mul(dim));
        if size.is_some_and(|size| size <= self.bytes.saturating_mul(MOST_EXPANSION).max(ALWAYS_PLAUSIBLE)) {
            return Ok(());
        }
        let cause = format!("{what} {shape:?} of {element}-byte elements cannot come from a file of {} bytes", self.bytes);
        Err(self.wrong(name, cause, "write the file again: its header is damaged"))
    }

    fn required(&self, name: &'static str) -> Result<(Dataset, Vec<u64>), FormatError> {
        self.dataset(name)?.ok_or_else(|| {
            self.wrong(name, "is missing".into(), "add it: 'signals' [segment, time, channel] and 'label' [segment] are needed")
        })
    }

    fn read(&self) -> Result<SegmentSet, FormatError> {
        let (dataset, shape) = self.required("signals")?;
        let dims = match *shape {
            [n, time] => [n as usize, time as usize, 1],
            [n, time, channels] => [n as usize, time as usize, channels as usize],
            _ => {
                let cause = format!("shape {shape:?} is not [segment, time, channel]");
                return Err(self.wrong("signals", cause, "store it with three dimensions"));
            }
        };
        let attributes = dataset.attrs().map_err(|error| unreadable(self.path, "attributes of 'signals'", &error))?;
        let samples = dataset.read_f32().map_err(|error| unreadable(self.path, "dataset 'signals'", &error))?;
        let found = samples.len();
        let signals = Array3::from_shape_vec(dims, samples).map_err(|_| {
            self.wrong("signals", format!("holds {found} values, not those of shape {shape:?}"), "write the file again")
        })?;
        let [n, time, channels] = dims;
        Ok(SegmentSet {
            signals,
            scale: self.per_channel("scale", n, channels, 1.0)?,
            offset: self.per_channel("offset", n, channels, 0.0)?,
            segments: self.segments(n)?,
            sampling_frequency_hz: self.sampling_frequency(&attributes)?,
            mark_index: self.mark_index(&attributes, time)?,
            channel_names: self.names(&attributes, "channel_names", channels, |i| format!("channel {}", i + 1))?,
            channel_units: self.names(&attributes, "channel_units", channels, |_| String::new())?,
        })
    }

    fn sampling_frequency(&self, attributes: &HashMap<String, AttrValue>) -> Result<f64, FormatError> {
        let value = attributes.get("sampling_frequency_hz").and_then(number);
        value.filter(|hz| hz.is_finite() && *hz > 0.0).ok_or_else(|| {
            let cause = "attribute 'sampling_frequency_hz' is missing or no positive number".into();
            self.wrong("signals", cause, "set it, as in f['signals'].attrs['sampling_frequency_hz'] = 360.0 with h5py")
        })
    }

    fn mark_index(&self, attributes: &HashMap<String, AttrValue>, time: usize) -> Result<usize, FormatError> {
        let Some(value) = attributes.get("mark_index") else { return Ok(0) };
        value.as_u64().map(|index| index as usize).filter(|&index| index < time.max(1)).ok_or_else(|| {
            let cause = format!("attribute 'mark_index' is {value}, not an index below {time}");
            self.wrong("signals", cause, "set it to the index in time of the segments' mark")
        })
    }

    fn names(
        &self,
        attributes: &HashMap<String, AttrValue>,
        name: &str,
        channels: usize,
        default: impl Fn(usize) -> String,
    ) -> Result<Vec<String>, FormatError> {
        let Some(value) = attributes.get(name) else { return Ok((0..channels).map(default).collect()) };
        // No names come back as an array without a type where there are no channels to name.
        value.as_strings().filter(|names| names.len() == channels).map(<[String]>::to_vec).ok_or_else(|| {
            let cause = format!("attribute '{name}' is {value}, not one string for each of {channels} channels");
            self.wrong("signals", cause, "set it to a list of strings, one per channel")
        })
    }

    fn segments(&self, n: usize) -> Result<Vec<Segment>, FormatError> {
        let (label, _) = self.required("label")?;
        let label = self.texts("label", n, &label)?;
        let code = self.optional_texts("code", n)?;
        let record = self.optional_texts("record", n)?;
        let subject = self.optional_texts("subject", n)?;
        let rhythm = self.optional_texts("rhythm", n)?;
        let derived_from = self.optional_texts("derived_from", n)?;
        let split = self.named("split", n, Split::Synthetic)?;
        let group = self.named("group", n, Group::None)?;
        let cluster = self.numbers("cluster", n, -1, Dataset::read_i32)?;
        let sample = self.numbers("sample", n, -1, Dataset::read_i64)?;
        let rr_before = self.numbers("rr_before_s", n, f32::NAN, Dataset::read_f32)?;
        let rr_after = self.numbers("rr_after_s", n, f32::NAN, Dataset::read_f32)?;
        let age_years = self.numbers("age_years", n, f32::NAN, Dataset::read_f32)?;
        let sex = self.optional_texts("sex", n)?;
        let text = |texts: &Option<Vec<String>>, i: usize| texts.as_ref().map_or_else(String::new, |texts| texts[i].clone());
        let segments = label.into_iter().enumerate().map(|(i, label)| Segment {
            label,
            code: text(&code, i),
            subject: if subject.is_some() { text(&subject, i) } else { text(&record, i) },
            record: text(&record, i),
            split: split[i],
            group: group[i],
            cluster: cluster[i],
            sample: sample[i],
            rr_before_s: rr_before[i],
            rr_after_s: rr_after[i],
            rhythm: text(&rhythm, i),
            age_years: Some(age_years[i]).filter(|age| age.is_finite()),
            sex: text(&sex, i).parse().ok(),
            derived_from: text(&derived_from, i),
        });
        Ok(segments.collect())
    }

    /// Exactly `n` of something, or an error that says how many there are.
    fn exactly<T>(&self, name: &str, n: usize, values: Vec<T>) -> Result<Vec<T>, FormatError> {
        if values.len() == n {
            return Ok(values);
        }
        let cause = format!("holds {} values for {n} segments of 'signals'", values.len());
        Err(self.wrong(name, cause, "store one value per segment"))
    }

    fn texts(&self, name: &str, n: usize, dataset: &Dataset) -> Result<Vec<String>, FormatError> {
        let texts = dataset.read_string().map_err(|error| {
            self.wrong(name, error.to_string(), "store strings, of fixed or of variable length, one per segment")
        })?;
        self.exactly(name, n, texts)
    }

    fn optional_texts(&self, name: &str, n: usize) -> Result<Option<Vec<String>>, FormatError> {
        self.dataset(name)?.map(|(dataset, _)| self.texts(name, n, &dataset)).transpose()
    }

    fn named<T: Copy + std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
        n: usize,
        default: T,
    ) -> Result<Vec<T>, FormatError> {
        let Some(texts) = self.optional_texts(name, n)? else { return Ok(vec![default; n]) };
        let parse = |(i, text): (usize, &String)| {
            let wrong = |error: T::Err| self.wrong(name, format!("segment {i}: {error}"), "use one of those names");
            text.parse().map_err(wrong)
        };
        texts.iter().enumerate().map(parse).collect()
    }

    fn numbers<T: Copy>(
        &self,
        name: &str,
        n: usize,
        default: T,
        read: impl Fn(&Dataset) -> Result<Vec<T>, hdf5_pure::Error>,
    ) -> Result<Vec<T>, FormatError> {
        let Some((dataset, _)) = self.dataset(name)? else { return Ok(vec![default; n]) };
        let values = read(&dataset).map_err(|error| unreadable(self.path, &format!("dataset '{name}'"), &error))?;
        self.exactly(name, n, values)
    }

    /// `[segment, channel]`, or `[segment]` for one channel.
    fn per_channel(&self, name: &str, n: usize, channels: usize, default: f32) -> Result<Array2<f32>, FormatError> {
        let values = self.numbers(name, n * channels, default, Dataset::read_f32)?;
        Array2::from_shape_vec((n, channels), values)
            .map_err(|error| self.wrong(name, error.to_string(), "store it as [segment, channel]"))
    }
}

/// A number of any type.
fn number(value: &AttrValue) -> Option<f64> {
    value.as_f64().or_else(|| value.as_i64().map(|integer| integer as f64))
}

//! Files of other programs.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use hdf5_pure::{AttrValue, DType, Dataset, Group};
use physiosynth_signal::{Channel, Record};

use super::read::Opened;
use super::window::Window;
use super::{Axes, Hdf5ReadOptions, malformed, unreadable};
use crate::FormatError;
use crate::recording::{Recording, Signals};

/// Names that a sampling frequency may have.
const RATES: [&str; 10] =
    ["sampling_frequency_hz", "sampling_frequency", "sampling_rate", "sample_rate", "sfreq", "fs", "Fs", "FS", "rate", "srate"];
/// Names that the names of channels may have.
const NAMES: [&str; 5] = ["channel_names", "channels", "ch_names", "labels", "sig_name"];
/// Names that units may have.
const UNITS: [&str; 3] = ["channel_units", "units", "unit"];
/// How many datasets are listed.
const LISTED: usize = 12;
/// Groups within groups that are looked into.
const DEEPEST: usize = 8;

/// Reads a file as `options` say.
pub(super) fn read(opened: &Opened, options: &Hdf5ReadOptions) -> Result<Recording<'static>, FormatError> {
    let path = opened.path.clone();
    let name = match &options.signals {
        Some(name) => name.trim_matches('/').to_owned(),
        None => only_dataset(opened)?,
    };
    let Some((dataset, shape)) = opened.dataset(&name)? else {
        let cause = format!("there is no such dataset; there are {}", listed(&all(opened)?));
        return Err(malformed(&path, &format!("dataset '{name}'"), cause, "name the dataset that holds the signals"));
    };
    if !is_number(&dataset) {
        let cause = "its values are no numbers".to_owned();
        return Err(malformed(&path, &format!("dataset '{name}'"), cause, "name the dataset that holds the signals"));
    }
    let mut problems = Vec::new();
    let (axes, times, columns) = match (shape.as_slice(), options.axes) {
        (&[times], _) => (Axes::TimeChannel, times, 1),
        (&[times, columns], Some(Axes::TimeChannel)) => (Axes::TimeChannel, times, columns),
        (&[columns, times], Some(Axes::ChannelTime)) => (Axes::ChannelTime, times, columns),
        (&[first, second], None) => {
            let axes = if first >= second { Axes::TimeChannel } else { Axes::ChannelTime };
            let said = if axes == Axes::TimeChannel { "[time, channel]" } else { "[channel, time]" };
            if first.min(second) > 1 {
                problems
                    .push(format!("{}: '{name}' of shape {shape:?} is taken as {said}, its longer axis as time", path.display()));
            }
            (axes, first.max(second), first.min(second))
        }
        _ => {
            let cause = format!("shape {shape:?} has neither one axis nor two");
            return Err(malformed(&path, &format!("dataset '{name}'"), cause, "store one record as [time, channel]"));
        }
    };
    let attributes = dataset.attrs().map_err(|error| unreadable(&path, &name, &error))?;
    let rate = rate(opened, &name, &attributes, options)?;
    let columns = columns as usize;
    let labels = names(&path, &name, columns, &attributes, options)?;
    let units = units(columns, &attributes, options);
    let file_name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut record = Record { sampling_frequency_hz: rate, ..Record::new(file_name) };
    record.channels = labels.into_iter().zip(units).map(|(label, unit)| Channel::new(label, unit, rate, Vec::new())).collect();
    let window = if axes == Axes::ChannelTime { Window::new(&path, &dataset, [columns as u64, times]) } else { None };
    let step = step(&dataset, columns as u64);
    let source = Source { path: path.clone(), dataset, axes, columns, window, step, held: vec![None; columns] };
    let mut recording = Recording::new(path, record, vec![times; columns], Box::new(source));
    recording.problems = problems;
    Ok(recording)
}

/// A number of any type.
pub(super) fn number(value: &AttrValue) -> Option<f64> {
    let only = |value: &AttrValue| match value {
        AttrValue::F64Array(values) => values.first().copied(),
        AttrValue::F32Array(values) => values.first().map(|&value| f64::from(value)),
        value => value.to_i64s().and_then(|values| values.first().map(|&value| value as f64)),
    };
    value.as_f64().or_else(|| value.as_i64().map(|integer| integer as f64)).or_else(|| only(value))
}

fn is_number(dataset: &Dataset) -> bool {
    use DType::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    dataset.dtype().is_ok_and(|dtype| matches!(dtype, F32 | F64 | I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64))
}

/// All datasets of numbers, by path, with their shapes; those of MATLAB's own bookkeeping left out.
fn all(opened: &Opened) -> Result<Vec<(String, Vec<u64>)>, FormatError> {
    let mut found = Vec::new();
    visit(opened, &opened.file.root(), "", 0, &mut found)?;
    Ok(found)
}

fn visit(
    opened: &Opened,
    group: &Group,
    prefix: &str,
    depth: usize,
    found: &mut Vec<(String, Vec<u64>)>,
) -> Result<(), FormatError> {
    let here = |error| unreadable(&opened.path, if prefix.is_empty() { "root group" } else { prefix }, &error);
    for name in group.datasets().map_err(here)? {
        let path = format!("{prefix}{name}");
        if let Ok(Some((dataset, shape))) = opened.dataset(&path)
            && is_number(&dataset)
        {
            found.push((path, shape));
        }
    }
    for name in group.groups().map_err(here)? {
        if depth < DEEPEST && !name.starts_with('#') {
            let inner = group.group(&name).map_err(here)?;
            visit(opened, &inner, &format!("{prefix}{name}/"), depth + 1, found)?;
        }
    }
    Ok(())
}

/// The only dataset that can be signals.
fn only_dataset(opened: &Opened) -> Result<String, FormatError> {
    let all = all(opened)?;
    let fits = |shape: &[u64]| matches!(shape.len(), 1 | 2) && shape.iter().product::<u64>() > 1;
    let mut fitting = all.iter().filter(|(_, shape)| fits(shape));
    if let (Some((name, _)), None) = (fitting.next(), fitting.next()) {
        return Ok(name.clone());
    }
    let cause = format!("there are {}", listed(&all));
    Err(malformed(
        &opened.path,
        "as a recording",
        cause,
        "name the dataset that holds the signals (--hdf5-signals PATH; in a configuration: recordings.hdf5_signals)",
    ))
}

fn listed(datasets: &[(String, Vec<u64>)]) -> String {
    if datasets.is_empty() {
        return "no datasets of numbers".into();
    }
    let named: Vec<String> = datasets.iter().take(LISTED).map(|(name, shape)| format!("'{name}' {shape:?}")).collect();
    let others = if datasets.len() > LISTED { format!(" and {} others", datasets.len() - LISTED) } else { String::new() };
    format!("the datasets {}{others}", named.join(", "))
}

/// Samples per second.
fn rate(
    opened: &Opened,
    name: &str,
    attributes: &HashMap<String, AttrValue>,
    options: &Hdf5ReadOptions,
) -> Result<f64, FormatError> {
    let path = &opened.path;
    let usable = |rate: &f64| rate.is_finite() && *rate > 0.0;
    let wrong = |place: &str, cause: &str| {
        malformed(path, place, cause.to_owned(), "give the sampling frequency (--rate HZ; in a configuration: recordings.rate)")
    };
    if let Some(rate) = options.rate_hz {
        return Some(rate).filter(usable).ok_or_else(|| wrong("the sampling frequency given", "it is not above 0"));
    }
    if let Some(named) = &options.rate_path {
        let found = match named.split_once('@') {
            Some((object, attribute)) => attributes_of(opened, object).get(attribute).and_then(number),
            None => scalar(opened, named.trim_matches('/'))?,
        };
        return found.filter(usable).ok_or_else(|| wrong(&format!("'{named}'"), "it is no number above 0"));
    }
    let known = |attributes: &HashMap<String, AttrValue>| RATES.iter().find_map(|name| attributes.get(*name).and_then(number));
    if let Some(rate) = known(attributes).filter(usable) {
        return Ok(rate);
    }
    // The groups that the dataset is in, from within: their attributes, then datasets beside it.
    let mut group = name;
    loop {
        group = group.rsplit_once('/').map_or("", |(group, _)| group);
        if let Some(rate) = known(&attributes_of(opened, group)).filter(usable) {
            return Ok(rate);
        }
        for rate in RATES {
            let beside = if group.is_empty() { rate.to_owned() } else { format!("{group}/{rate}") };
            if let Some(rate) = scalar(opened, &beside)?.filter(usable) {
                return Ok(rate);
            }
        }
        if group.is_empty() {
            return Err(wrong(&format!("dataset '{name}'"), "nothing states its sampling frequency"));
        }
    }
}

/// Attributes of a dataset or a group; none where there is none.
fn attributes_of(opened: &Opened, name: &str) -> HashMap<String, AttrValue> {
    let name = name.trim_matches('/');
    if name.is_empty() {
        return opened.file.root().attrs().unwrap_or_default();
    }
    let dataset = opened.file.dataset(name).and_then(|dataset| dataset.attrs());
    dataset.or_else(|_| opened.file.group(name).and_then(|group| group.attrs())).unwrap_or_default()
}

/// The value of a dataset of one number.
fn scalar(opened: &Opened, name: &str) -> Result<Option<f64>, FormatError> {
    let Some((dataset, shape)) = opened.dataset(name)? else { return Ok(None) };
    if shape.iter().product::<u64>() != 1 || !is_number(&dataset) {
        return Ok(None);
    }
    Ok(dataset.read_f64().ok().and_then(|values| values.first().copied()))
}

fn names(
    path: &Path,
    name: &str,
    columns: usize,
    attributes: &HashMap<String, AttrValue>,
    options: &Hdf5ReadOptions,
) -> Result<Vec<String>, FormatError> {
    if !options.names.is_empty() {
        if options.names.len() == columns {
            return Ok(options.names.clone());
        }
        let cause = format!("it has {columns} channels, and {} names are given", options.names.len());
        return Err(malformed(path, &format!("dataset '{name}'"), cause, "give a name for each, or tell the axes (--axes)"));
    }
    let of = |names: &[String]| (names.len() == columns).then(|| names.to_vec());
    let stated = NAMES.iter().find_map(|name| of(attributes.get(*name)?.as_strings()?));
    Ok(stated.unwrap_or_else(|| (1..=columns).map(|number| format!("channel {number}")).collect()))
}

fn units(columns: usize, attributes: &HashMap<String, AttrValue>, options: &Hdf5ReadOptions) -> Vec<String> {
    if let Some(unit) = &options.unit {
        return vec![unit.clone(); columns];
    }
    let of = |value: &AttrValue| match (value.as_strings(), value.as_str()) {
        (Some(units), _) if units.len() == columns => Some(units.to_vec()),
        (_, Some(unit)) => Some(vec![unit.to_owned(); columns]),
        _ => None,
    };
    UNITS.iter().find_map(|name| of(attributes.get(*name)?)).unwrap_or_else(|| vec![String::new(); columns])
}

/// How many rows of so many values to read at a time: those of whole chunks.
fn step(dataset: &Dataset, columns: u64) -> u64 {
    /// Values that are read and converted at a time, unless a chunk has more.
    const PIECE: u64 = 1 << 20;
    let chunk = dataset.chunk_shape().ok().flatten().and_then(|shape| shape.first().copied()).unwrap_or(1).max(1);
    (PIECE / columns.max(1) / chunk).max(1).saturating_mul(chunk)
}

/// A dataset of signals. Of one of `[channel, time]` that cannot be read by time, each channel is held whole once it was asked for.
struct Source {
    path: PathBuf,
    dataset: Dataset,
    axes: Axes,
    columns: usize,
    window: Option<Window>,
    /// Rows of `[time, channel]` that are read at a time.
    step: u64,
    held: Vec<Option<Vec<f32>>>,
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let here = |error| unreadable(&self.path, "the signals", &error);
        if let Some(window) = &mut self.window {
            return window.read(ranges);
        }
        if self.axes == Axes::ChannelTime {
            let mut samples = Vec::with_capacity(ranges.len());
            for ((row, range), held) in ranges.iter().enumerate().zip(&mut self.held) {
                if !range.is_empty() && held.is_none() {
                    *held = Some(self.dataset.read_f32_rows(row as u64, 1).map_err(here)?);
                }
                let own = held.as_ref().and_then(|held| held.get(range.start as usize..range.end as usize));
                samples.push(own.unwrap_or(&[]).to_vec());
            }
            return Ok(samples);
        }
        let wanted = || ranges.iter().filter(|range| !range.is_empty());
        let (Some(from), Some(to)) = (wanted().map(|range| range.start).min(), wanted().map(|range| range.end).max()) else {
            return Ok(vec![Vec::new(); ranges.len()]);
        };
        let mut samples: Vec<Vec<f32>> =
            ranges.iter().map(|range| Vec::with_capacity((range.end - range.start) as usize)).collect();
        let mut row = from;
        while row < to {
            // Up to where a chunk ends, so that few are read twice.
            let end = to.min((row / self.step + 1).saturating_mul(self.step));
            let values = self.dataset.read_f32_rows(row, end - row).map_err(here)?;
            for ((column, range), out) in ranges.iter().enumerate().zip(&mut samples) {
                let (low, high) = (range.start.max(row), range.end.min(end));
                let own = values.iter().skip(column).step_by(self.columns);
                out.extend(own.skip(low.saturating_sub(row) as usize).take(high.saturating_sub(low) as usize));
            }
            row = end;
        }
        Ok(samples)
    }
}

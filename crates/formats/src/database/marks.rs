//! Annotations that a database keeps elsewhere than in a record's reference annotation file or in the recording itself.
//!
//! | where | as in |
//! |---|---|
//! | WFDB record `1` without `1.atr`, but with `1.i`, `1.ii`, …: a file for each lead, named by it | LUDB |
//! | `SC4001E0-PSG.edf` beside `SC4001EC-Hypnogram.edf`: annotations alone, of the same first seven characters | Sleep-EDF |
//! | `chb01_03.edf` beside `chb01_03.edf.seizures`, in the MIT format: `[` where a seizure begins, `]` where it ends | CHB-MIT |

use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Record};

use super::listing::{Item, Reader};
use crate::FormatError;
use crate::recording::read_annotations_of;
use crate::wfdb::{self, Location, REFERENCE_ANNOTATOR, header};

/// How a polysomnogram's name ends.
const PSG: &str = "-PSG";
/// How that of the file with its sleep stages ends.
const HYPNOGRAM: &str = "-Hypnogram";
/// Characters that both names begin with: series, subject, night, and the kind of recorder.
const COMMON: usize = 7;
/// What a seizure is called where only its beginning and its end are marked.
const SEIZURE: &str = "seizure";

/// The files, beside the recording, that its annotations are in.
pub(super) fn files(item: &Item) -> Vec<PathBuf> {
    match item.reader {
        Reader::Wfdb => by_lead(&item.path).into_iter().map(|(_, path)| path).collect(),
        Reader::Edf => hypnogram(&item.path).into_iter().chain(seizures(&item.path)).collect(),
        Reader::Table => super::marks_beside(&item.path).into_iter().collect(),
    }
}

/// Whether a file holds the sleep stages of a recording among these names, and is none itself.
pub(super) fn is_hypnogram(name: &str, names: &[String]) -> bool {
    let common = |name: &str| name.get(..name.rfind('/').map_or(0, |at| at + 1) + COMMON).map(str::to_owned);
    name.ends_with(HYPNOGRAM) && names.iter().any(|other| other.ends_with(PSG) && common(other) == common(name))
}

/// Adds to a record that was read what is marked beside it; of a WFDB record's files by lead those of the channels that it has.
pub(super) fn add(item: &Item, record: &mut Record) -> Result<(), FormatError> {
    let channels: Vec<(&str, u64)> =
        record.channels.iter().map(|channel| (channel.label.as_str(), channel.samples.len() as u64)).collect();
    let marks = beside(item, &channels, record.sampling_frequency_hz, &mut Err)?;
    record.annotations.extend(marks);
    record.annotations.sort_by_key(|mark| mark.sample);
    Ok(())
}

/// Adds to the outline of a recording, whose channels have these numbers of samples, what is marked beside it. What is wrong is
/// among the problems, and what lies outside a WFDB record is left out.
pub(crate) fn add_marks_beside(path: &Path, record: &mut Record, lengths: &[u64], problems: &mut Vec<String>) {
    let path = if path.is_file() { path.to_path_buf() } else { Location::of_any(path).file("hea") };
    let item = match super::listing::one(&path) {
        // A signal file stands for its record.
        None => super::listing::one(&Location::of_any(&path).file("hea")),
        item => item,
    };
    let Some(item) = item.filter(|item| item.reader != Reader::Table) else { return };
    let channels: Vec<(&str, u64)> =
        record.channels.iter().zip(lengths).map(|(channel, &length)| (channel.label.as_str(), length)).collect();
    let longest = channels.iter().map(|(_, length)| *length).max().unwrap_or(0);
    let mut wrong = Vec::new();
    let mut report = |problem: FormatError| {
        wrong.push(problem.to_string());
        Ok(())
    };
    // Nothing ends the reading: what cannot be read is reported.
    let mut marks = beside(&item, &channels, record.sampling_frequency_hz, &mut report).unwrap_or_default();
    if item.reader == Reader::Wfdb {
        marks.retain(|mark| u64::try_from(mark.sample).is_ok_and(|sample| sample < longest));
    }
    if let Some(first) = wrong.first() {
        problems.push(match wrong.len() {
            1 => first.clone(),
            n => format!("{first}; {} others like it", n - 1),
        });
    }
    if !marks.is_empty() {
        record.annotations.extend(marks);
        record.annotations.sort_by_key(|mark| mark.sample);
    }
}

/// What is marked beside a recording whose channels have these labels and numbers of samples, in samples at `rate`. What is wrong
/// goes to `report`, which may end the reading.
pub(super) fn beside(
    item: &Item,
    channels: &[(&str, u64)],
    rate: f64,
    report: &mut dyn FnMut(FormatError) -> Result<(), FormatError>,
) -> Result<Vec<Annotation>, FormatError> {
    let mut marks = Vec::new();
    match item.reader {
        Reader::Table => {}
        Reader::Wfdb => {
            for (label, path) in by_lead(&item.path) {
                let Some(channel) = channels.iter().position(|(other, _)| *other == label) else { continue };
                let mut file = match wfdb::read_annotation_file(&path) {
                    Ok(file) => file,
                    Err(error) => {
                        report(error)?;
                        continue;
                    }
                };
                let frames = channels.get(channel).map(|(_, samples)| *samples);
                wfdb::check_annotations(&path, &file, rate, frames, report)?;
                file.rescale(rate);
                let channel = u8::try_from(channel).unwrap_or(0);
                marks.extend(file.annotations.into_iter().map(|mark| Annotation { channel, ..mark }));
            }
        }
        Reader::Edf => {
            if let Some(path) = hypnogram(&item.path) {
                marks.extend(read_annotations_of(&path, rate).or_else(|error| report(error).map(|()| Vec::new()))?);
            }
            if let Some(path) = seizures(&item.path) {
                marks.extend(as_events(read_annotations_of(&path, rate).or_else(|error| report(error).map(|()| Vec::new()))?));
            }
        }
    }
    Ok(marks)
}

/// The annotation files of a WFDB record that has none for all leads, with the labels of the leads that name them.
fn by_lead(path: &Path) -> Vec<(String, PathBuf)> {
    let location = Location::new(path);
    if location.file(REFERENCE_ANNOTATOR).is_file() {
        return Vec::new();
    }
    // A header that cannot be read names no leads; reading the record tells.
    let Ok(header) = header::read(&location.file("hea")) else { return Vec::new() };
    let labels = header.signals.iter().enumerate().map(|(index, line)| line.label(index));
    let named = labels.map(|label| {
        let path = location.file(&label.to_lowercase());
        (label, path)
    });
    // A label may be anything, such as the name of a folder elsewhere.
    let plain = |label: &str| !label.is_empty() && label.chars().all(char::is_alphanumeric);
    named.filter(|(label, path)| plain(label) && path.is_file()).collect()
}

/// The file of sleep stages beside a polysomnogram.
fn hypnogram(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?.strip_suffix(PSG)?;
    let common = stem.get(..COMMON)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<PathBuf> = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        stem.starts_with(common) && stem.ends_with(HYPNOGRAM) && path.is_file()
    });
    found.sort();
    found.into_iter().next()
}

/// The file of seizures beside a recording.
fn seizures(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(".seizures");
    Some(path.with_file_name(name)).filter(|path| path.is_file())
}

/// One annotation with its duration for each `[` and the `]` after it; others as they are.
fn as_events(marks: Vec<Annotation>) -> Vec<Annotation> {
    let mut events: Vec<Annotation> = Vec::with_capacity(marks.len());
    let mut open = None;
    for mark in marks {
        match mark.code.as_ref() {
            "[" => {
                open = Some(events.len());
                events.push(Annotation { code: SEIZURE.into(), ..mark });
            }
            "]" => {
                if let Some(event) = open.take().and_then(|index: usize| events.get_mut(index)) {
                    event.duration = mark.sample - event.sample;
                }
            }
            _ => events.push(mark),
        }
    }
    events
}

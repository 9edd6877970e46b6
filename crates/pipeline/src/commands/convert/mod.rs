//! `convert`: recordings from one format to another, one or a whole database.

mod arguments;
mod database;
mod output;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use physiosynth_formats::recording::{self, Recording};
use physiosynth_formats::wfdb;
use physiosynth_formats::{SignalFormat, delimited, edf, hdf5, npy, segments};
use physiosynth_signal::Annotation;

pub(crate) use arguments::{Convert, seconds};
use output::{Kind, Output};

use crate::error::Usage;
use crate::files;

/// Converts what is at `input`: a record, segments, or every record of a folder.
pub(crate) fn convert(arguments: &Convert) -> Result<()> {
    let (input, output) = (arguments.input.as_path(), arguments.output.as_path());
    if input.is_dir() {
        return database::convert(arguments);
    }
    if hdf5::is_hdf5(input) && arguments.hdf5_signals.is_none() && hdf5::holds_segments(input) {
        return convert_segments(input, output);
    }
    let output = Output::of_record(input, output, arguments.format)?;
    let warnings = one(arguments, input, &output, None)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    files::print(&format!("{}\n", output.path.display()))
}

/// Converts one record, of which its database may say something as a whole; gives what is lost on the way.
fn one(arguments: &Convert, input: &Path, output: &Output, stated: Option<&Annotation>) -> Result<Vec<String>> {
    let mut recording = recording::open(input, &arguments.open_options())?.part(&arguments.part())?;
    if let Some(mark) = stated.filter(|_| arguments.annotations.is_none() && arguments.annotator.is_none()) {
        let duration = (recording.duration_s() * recording.record.sampling_frequency_hz).round() as i64;
        recording.record.annotations.insert(0, Annotation { duration, ..mark.clone() });
    }
    let mut warnings = std::mem::take(&mut recording.problems);
    let folder = output.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    if output.kind == Kind::Wfdb || output.kind == Kind::Hdf5 {
        if recording.record.subject == recording.record.name {
            recording.record.subject.clone_from(&output.name);
        }
        recording.record.name.clone_from(&output.name);
    }
    match output.kind {
        Kind::Wfdb => {
            let samples = (recording.duration_s() * recording.record.sampling_frequency_hz).round() as u64;
            warnings.extend(wfdb::as_mit(&mut recording.record.annotations, samples));
            let format = match arguments.wfdb_format {
                Some(format) => format,
                None => wfdb::fitting_format(&mut recording)?,
            };
            warnings.extend(advised(wfdb::write_recording(folder, &mut recording, format)?, format));
        }
        Kind::Edf | Kind::Bdf => warnings.extend(write_edf(&output.path, &mut recording, output.kind)?),
        Kind::Csv | Kind::Tsv => {
            warnings.extend(delimited::write_recording(&output.path, &mut recording)?);
            if !recording.record.annotations.is_empty() {
                delimited::write_annotations(&delimited::annotations_beside(&output.path), &recording.record)?;
            }
        }
        Kind::Hdf5 => hdf5::write_recording(&output.path, &mut recording)?,
        Kind::Npy => warnings.extend(npy::write_recording(&output.path, &mut recording)?),
    }
    Ok(warnings)
}

/// What is lost in WFDB, with what to do about it.
fn advised(warnings: Vec<String>, format: SignalFormat) -> Vec<String> {
    let finer = format.resolution() < 24;
    let advise = |warning: String| {
        let rounded = finer && warning.starts_with("samples are rounded");
        if rounded { format!("{warning}; --wfdb-format 24 or 32 keeps more") } else { warning }
    };
    warnings.into_iter().map(advise).collect()
}

/// Writes EDF+ or BDF+: an EDF file's own scaling and texts where it comes from one of the same width.
fn write_edf(path: &Path, recording: &mut Recording, kind: Kind) -> Result<Vec<String>> {
    let coding = if kind == Kind::Bdf { edf::Coding::Bdf } else { edf::Coding::Edf };
    let mut options = recording.edf_options();
    if options.coding.is_some_and(|own| own != coding) {
        options.scaling.clear();
    }
    options.coding = Some(coding);
    if options.patient.is_none() && !recording.record.comments.iter().any(|comment| comment.starts_with("patient: ")) {
        options.patient = Some(patient(&recording.record));
    }
    let warnings = edf::write_recording(path, recording, &options)?;
    let advise = |warning: String| {
        let rounded = kind == Kind::Edf && warning.starts_with("samples are rounded");
        if rounded { format!("{warning}; a .bdf file keeps 24 bits") } else { warning }
    };
    Ok(warnings.into_iter().map(advise).collect())
}

/// What the comments say of the subject, in the form of EDF+: code, sex, birthdate, name, and what else there is.
fn patient(record: &physiosynth_signal::Record) -> String {
    let info = wfdb::subject_info(&record.comments);
    let sex = info.sex.map_or('X', wfdb::Sex::letter);
    let code: String = record.subject.split_whitespace().collect::<Vec<_>>().join("_");
    let code = if code.is_empty() { "X".into() } else { code };
    let age = info.age_years.map_or(String::new(), |years| format!(" age={years}"));
    format!("{code} {sex} X X{age}")
}

/// Segments as arrays: `[segment, channel, time]` in physical units, and a line of text for each label.
fn convert_segments(input: &Path, output: &Path) -> Result<()> {
    if output.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("npy")) {
        let cause =
            format!("{} holds segments, which can be converted to .npy alone, and not to {}", input.display(), output.display());
        return Err(Usage(cause).into());
    }
    let set = segments::read_segments(input)?;
    let labels = output.with_extension("labels.txt");
    npy::write_segments(output, Some(&labels), &set)?;
    let shape = format!("[{}, {}, {}]", set.len(), set.channels(), set.time());
    files::print(&format!("{}  {shape} [segment, channel, time], physical units\n{}\n", output.display(), labels.display()))
}

/// Warnings of many records: each sentence once, with how many records it is about.
fn gathered(warnings: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    /// How many are printed.
    const PRINTED: usize = 24;
    let mut lines: Vec<String> = warnings
        .iter()
        .take(PRINTED)
        .map(|(warning, records)| match records.as_slice() {
            [only] => format!("{only}: {warning}"),
            [first, ..] => format!("{first} and {} others: {warning}", records.len() - 1),
            [] => warning.clone(),
        })
        .collect();
    if warnings.len() > PRINTED {
        lines.push(format!("{} further warnings; convert single records to see theirs", warnings.len() - PRINTED));
    }
    lines
}

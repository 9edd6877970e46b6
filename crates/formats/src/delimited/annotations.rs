//! Annotations as delimited text, in a file of their own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Record};

use super::{table, text_of, times};
use crate::FormatError;
use crate::replace::replace_file;

/// Names that columns may have.
const SAMPLE: [&str; 3] = ["sample", "sample #", "index"];
const ONSET: [&str; 3] = ["onset", "onset_s", "start"];
const DURATION: [&str; 2] = ["duration", "duration_s"];
const CODE: [&str; 10] = ["code", "symbol", "type", "label", "description", "annotation", "event", "trial_type", "text", "name"];
const AUX: [&str; 2] = ["aux", "aux_note"];
/// Names of the columns of the MIT format's fields.
const MIT: [&str; 3] = ["subtype", "channel", "number"];

/// Reads annotations for signals of `rate_hz` samples per second, in order of position.
///
/// A row of names is needed, with a column of positions (`sample`, or `time_s`, `onset`, … in seconds) and one of codes
/// (`code`, `symbol`, `label`, `description`, …); `duration_s` and `aux` are taken where they are.
pub fn read_annotations(path: &Path, rate_hz: f64) -> Result<Vec<Annotation>, FormatError> {
    parse(path, &text_of(path)?, rate_hz)
}

/// As [`read_annotations`], from a text; `path` stands in messages.
pub(crate) fn parse(path: &Path, text: &str, rate_hz: f64) -> Result<Vec<Annotation>, FormatError> {
    let malformed = |line: usize, cause: String| FormatError::Malformed {
        path: path.to_path_buf(),
        place: format!("line {line}"),
        cause,
        remedy: "write a row of names, with `sample` or `time_s`, and `code`, among them",
    };
    let mut lines = table::lines(text);
    let Some((first, names)) = lines.next() else { return Ok(Vec::new()) };
    let delimiter = table::delimiter(names);
    let names = table::fields(names, delimiter);
    let column = |wanted: &[&str]| names.iter().position(|name| wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)));
    let time = names.iter().enumerate().find_map(|(index, name)| Some((index, times::unit_of(name)?)));
    let sample = column(&SAMPLE);
    let onset = time.or_else(|| column(&ONSET).map(|index| (index, 1.0)));
    let (duration, aux) = (column(&DURATION), column(&AUX));
    let mit = MIT.map(|name| column(&[name]));
    let Some(code) = column(&CODE) else { return Err(malformed(first, "there is no column of codes".into())) };
    if sample.is_none() && onset.is_none() {
        return Err(malformed(first, "there is no column of positions".into()));
    }
    let mut annotations = Vec::new();
    for (line, text) in lines {
        let fields = table::fields(text, delimiter);
        let field = |index: usize| fields.get(index).map_or("", |field| field.as_ref());
        let seconds = |index: usize, unit_s: f64| times::seconds(&field(index).replace(',', "."), unit_s);
        let position = match (sample, onset) {
            (Some(index), _) => field(index).parse::<i64>().ok(),
            (None, Some((index, unit_s))) => seconds(index, unit_s).map(|seconds| (seconds * rate_hz).round() as i64),
            (None, None) => None,
        };
        let position = position.ok_or_else(|| malformed(line, "the position is no number".into()))?;
        let missing = |text: &str| matches!(text, "" | "n/a" | "NA" | "NaN" | "nan");
        let duration = match duration.filter(|&index| !missing(field(index))) {
            Some(index) => seconds(index, 1.0).ok_or_else(|| malformed(line, "the duration is no number".into()))?,
            None => 0.0,
        };
        // A column of another meaning may have the name: what is no number in range says nothing.
        let [subtype, channel, number] = mit.map(|index| index.and_then(|index| field(index).parse::<i16>().ok()).unwrap_or(0));
        annotations.push(Annotation {
            duration: (duration * rate_hz).round() as i64,
            subtype: i8::try_from(subtype).unwrap_or(0),
            channel: u8::try_from(channel).unwrap_or(0),
            number: i8::try_from(number).unwrap_or(0),
            ..Annotation::beat(position, field(code).to_owned()).with_aux(aux.map_or("", field))
        });
    }
    annotations.sort_by_key(|annotation| annotation.sample);
    Ok(annotations)
}

/// The file of annotations that belongs to a file of signals: `100.annotations.csv` to `100.csv`.
pub fn annotations_beside(path: &Path) -> PathBuf {
    let extension = path.extension().map_or_else(|| "csv".into(), |extension| extension.to_string_lossy());
    path.with_extension(format!("annotations.{extension}"))
}

/// Writes a record's annotations: `time_s`, `sample`, `duration_s`, `code`, `aux`, and the fields of the MIT format, `subtype`,
/// `channel` and `number`, where one of them is not 0.
pub fn write_annotations(path: &Path, record: &Record) -> Result<(), FormatError> {
    let delimiter = super::write::delimiter_for(path);
    let mut text = ["time_s", "sample", "duration_s", "code", "aux"].join(&delimiter.to_string());
    let fields = record.annotations.iter().any(|mark| (mark.subtype, mark.channel, mark.number) != (0, 0, 0));
    if fields {
        for name in MIT {
            // Writing to a string cannot fail, here and below.
            let _ = write!(text, "{delimiter}{name}");
        }
    }
    text.push('\n');
    let rate = record.sampling_frequency_hz;
    for annotation in &record.annotations {
        let (time, duration) = (annotation.sample as f64 / rate, annotation.duration as f64 / rate);
        let (code, aux) = (table::quoted(&annotation.code, delimiter), table::quoted(&annotation.aux, delimiter));
        // Writing to a string cannot fail.
        let _ = write!(text, "{time}{delimiter}{}{delimiter}{duration}{delimiter}{code}{delimiter}{aux}", annotation.sample);
        if fields {
            let Annotation { subtype, channel, number, .. } = annotation;
            let _ = write!(text, "{delimiter}{subtype}{delimiter}{channel}{delimiter}{number}");
        }
        text.push('\n');
    }
    replace_file(path, text.as_bytes())
}

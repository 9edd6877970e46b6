//! What an EDF file has no place for.

use physiosynth_signal::Record;

use super::{ascii, label};
use crate::edf::header::WIDTHS;

/// A sentence for each thing of a record that is not read back as it was, but for the samples.
pub(super) fn of_record(record: &Record) -> Vec<String> {
    let mut warnings = Vec::new();
    let changed =
        |text: &str, width: usize| ascii(text, width) != text.trim() && ascii(text, width).replace("uV", "µV") != text.trim();
    let labels = record.channels.iter().filter(|channel| changed(&channel.label, WIDTHS[0]));
    if let Some(first) = labels.clone().next() {
        let (count, new) = (labels.count(), ascii(&first.label, WIDTHS[0]));
        warnings.push(format!(
            "labels of {count} channels are not ASCII of {} characters: '{}' becomes '{new}'",
            WIDTHS[0], first.label
        ));
    }
    if let Some(channel) = record.channels.iter().find(|channel| label::is_reserved(&channel.label)) {
        let (old, new) = (ascii(&channel.label, WIDTHS[0]), label::written(&channel.label));
        warnings.push(format!(
            "'{}' is what signals of annotations are called in EDF: the channel's label becomes '{new}'",
            old.trim()
        ));
    }
    if let Some(channel) = record.channels.iter().find(|channel| changed(&channel.unit, WIDTHS[2])) {
        let new = ascii(&channel.unit, WIDTHS[2]);
        warnings.push(format!("the unit '{}' becomes '{new}' in EDF's {} ASCII characters", channel.unit, WIDTHS[2]));
    }
    let fields = record.annotations.iter().filter(|mark| (mark.subtype, mark.channel, mark.number) != (0, 0, 0)).count();
    if fields > 0 {
        warnings.push(format!("subtype, channel and number of {fields} annotations have no place in EDF"));
    }
    let merged = record.annotations.iter().filter(|mark| !mark.code.is_empty() && !mark.aux.is_empty()).count();
    if merged > 0 {
        warnings.push(format!("code and text of {merged} annotations are one text in EDF, with a space between"));
    }
    let comments =
        record.comments.iter().filter(|comment| !comment.starts_with("patient: ") && !comment.starts_with("recording: "));
    match comments.count() {
        0 => {}
        1 => warnings.push("a comment line has no place in EDF".into()),
        n => warnings.push(format!("{n} comment lines have no place in EDF")),
    }
    if record.start.as_ref().is_some_and(|start| start.parse::<crate::edf::StartTime>().is_err()) {
        warnings.push(format!("the start time '{}' is none that EDF can state", record.start.as_deref().unwrap_or_default()));
    }
    warnings
}

//! Every record of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use physiosynth_formats::recording::Format;
use physiosynth_formats::{open_database, write_record_list};
use physiosynth_signal::{Annotation, Progress as _, RecordSource as _};

use super::output::{Kind, Output, name_in};
use super::{Convert, gathered, one};
use crate::error::Usage;
use crate::terminal::Terminal;
use crate::{error, files};

/// A record of a folder.
struct Item {
    path: PathBuf,
    /// Name within the folder, without extension.
    name: String,
    /// Whose it is, where that is known.
    subject: Option<String>,
    /// What the database says of it as a whole.
    stated: Option<Annotation>,
}

/// Converts each record of the folder `IN` into the folder `OUT`.
pub(super) fn convert(arguments: &Convert) -> Result<()> {
    let (input, output) = (arguments.input.as_path(), arguments.output.as_path());
    if output.is_file()
        || (output.extension().is_some() && !output.is_dir() && Format::of_extension(&extension(output)).is_some())
    {
        let cause = format!(
            "{} is a folder, so OUT has to be one, and not {}; --format names the format",
            input.display(),
            output.display()
        );
        return Err(Usage(cause).into());
    }
    if input.canonicalize().is_ok_and(|input| output.canonicalize().is_ok_and(|output| input == output)) {
        return Err(Usage(format!("{} would be written over itself; give OUT another name", input.display())).into());
    }
    let kind = arguments.format.unwrap_or(Kind::Wfdb);
    let items = items(input)?;
    let terminal = Terminal::new();
    terminal.begin("convert", items.len() as u64, "records");
    let mut warnings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for item in &items {
        match one(arguments, &item.path, &Output::in_folder(output, &item.name, kind), item.stated.as_ref()) {
            Ok(found) => {
                for warning in found {
                    warnings.entry(warning).or_default().push(item.name.clone());
                }
                done.push(item);
            }
            Err(error) => {
                terminal.warn(&format!("{} is left out: {}", item.name, error::chain(&error)));
                failed.push(item.name.clone());
            }
        }
        terminal.advance(1);
    }
    terminal.end();
    for warning in gathered(&warnings) {
        eprintln!("warning: {warning}");
    }
    if !done.is_empty() {
        lists(output, kind, &done)?;
    }
    let plural = if done.len() == 1 { "" } else { "s" };
    files::print(&format!("{} record{plural} in {} → {}\n", done.len(), kind.title(), output.display()))?;
    if !failed.is_empty() {
        bail!("{} of {} records could not be converted: {}", failed.len(), items.len(), failed.join(", "));
    }
    Ok(())
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The list of records, where the format's readers look for one, and the table of subjects.
fn lists(folder: &Path, kind: Kind, items: &[&Item]) -> Result<()> {
    let names: Vec<String> = items
        .iter()
        .map(|item| match kind {
            Kind::Wfdb => name_in(&item.name, kind),
            _ => format!("{}.{}", item.name, kind.extension()),
        })
        .collect();
    if matches!(kind, Kind::Wfdb | Kind::Edf | Kind::Bdf) {
        write_record_list(folder, &names)?;
    }
    if items.iter().all(|item| item.subject.is_some()) {
        let row = |item: &&Item| {
            format!("{},{}\n", quoted(&name_in(&item.name, kind)), quoted(item.subject.as_deref().unwrap_or_default()))
        };
        let table: String = std::iter::once("record,subject\n".to_owned()).chain(items.iter().map(row)).collect();
        files::write_atomically(&folder.join("subjects.csv"), table.as_bytes())?;
    }
    Ok(())
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\'', '#']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// The records of a folder.
fn items(folder: &Path) -> Result<Vec<Item>> {
    let database = open_database(folder)?;
    let entries = database.entries().iter().enumerate();
    let item = |(index, entry): (usize, &physiosynth_signal::RecordEntry)| {
        let subject = entry.subject_known.then(|| entry.subject.clone());
        let stated = database.stated(index, 0);
        Some(Item { path: database.record_path(index)?, name: entry.name.clone(), subject, stated })
    };
    Ok(entries.filter_map(item).collect())
}

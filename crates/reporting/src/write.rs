use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use physiosynth_signal::{Cancelled, Progress};
use rayon::prelude::*;

use crate::context::Context;
use crate::error::ReportError;
use crate::figures::{Drawing, Figure, every_name, figures_for};
use crate::font;
use crate::page::{self, Content, Shown};
use crate::report::Report;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The pictures, in the order of the page.
    pub figures: Vec<PathBuf>,
    /// Name and reason of each figure that had nothing to show.
    pub left_out: Vec<(String, String)>,
}

/// Draws the figures of `report` into `folder/figures/*.png` and writes `folder/index.html`, which holds them all and opens
/// offline. Each file appears whole or not at all; pictures that an earlier report left and this one does not have are
/// removed.
///
/// Of segments that are no EEG only the first channel is drawn; the page says so where there are more.
///
/// # Errors
/// [`ReportError`]: sets that contradict themselves, a folder that cannot be written, or the user's wish to stop. An empty
/// synthetic set, missing classes, NaN and an empty history are no errors: the report shows what there is and says what is
/// missing.
pub fn write_report(report: &Report<'_>, folder: &Path, progress: &dyn Progress) -> Result<Written, ReportError> {
    font::check()?;
    report.real.check().map_err(|cause| ReportError::Segments { which: "real", cause })?;
    report.synthetic.check().map_err(|cause| ReportError::Segments { which: "synthetic", cause })?;
    let figures = folder.join("figures");
    fs::create_dir_all(&figures).map_err(ReportError::io(&figures, "create the folder"))?;

    let context = Context::new(report);
    let listed: Vec<&Figure> = figures_for(&context).collect();
    progress.begin("report", listed.len() as u64 + 1, "parts");
    for name in every_name().filter(|name| listed.iter().all(|figure| figure.name != *name)) {
        remove(&figures.join(format!("{name}.png")))?;
    }
    let drawn: Vec<Result<Content, ReportError>> = listed
        .par_iter()
        .map(|figure| {
            if progress.cancelled() {
                return Err(Cancelled.into());
            }
            let content = match (figure.draw)(&context) {
                Drawing::Picture(canvas) => Content::Picture(canvas.encode(figure.name)?),
                Drawing::Nothing(why) => Content::Nothing(why),
            };
            progress.advance(1);
            Ok(content)
        })
        .collect();

    let mut written = Written { page: folder.join("index.html"), figures: Vec::new(), left_out: Vec::new() };
    let mut shown = Vec::new();
    for (figure, content) in listed.iter().zip(drawn) {
        let (path, content) = (figures.join(format!("{}.png", figure.name)), content?);
        match &content {
            Content::Picture(bytes) => {
                replace(&path, bytes)?;
                written.figures.push(path);
            }
            Content::Nothing(why) => {
                remove(&path)?;
                written.left_out.push((figure.name.into(), (*why).into()));
            }
        }
        shown.push(Shown { name: figure.name, title: figure.title, caption: (figure.caption)(&context), content });
    }
    replace(&written.page, page::render(&context, &shown).as_bytes())?;
    progress.advance(1);
    progress.end();
    Ok(written)
}

/// Writes a file beside its final name, syncs it, and renames it into place.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let mut file = fs::File::create(&partial).map_err(ReportError::io(&partial, "create the file"))?;
    file.write_all(bytes).map_err(ReportError::io(&partial, "write"))?;
    file.sync_all().map_err(ReportError::io(&partial, "write to disk"))?;
    drop(file);
    fs::rename(&partial, path).map_err(ReportError::io(path, "put the finished file in place"))
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(ReportError::io(path, "remove the earlier picture")(cause))
        }
        _ => Ok(()),
    }
}

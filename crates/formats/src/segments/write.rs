use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use physiosynth_signal::{Segment, SegmentSet, Sex};

use super::structures::Datatype;
use super::writer::{Attribute, Writer};
use super::{FORMAT, FORMAT_VERSION};
use crate::FormatError;

/// An attribute takes 64 KiB in HDF5, 16 bytes per name.
const MOST_CHANNELS: usize = 4000;

/// Writes `set` to `path`, under a temporary name in the same folder until it is whole and on disk: at `path` there is
/// either what was there before or the complete file.
///
/// ```no_run
/// use std::path::Path;
/// use physiosynth_formats::segments::{read_segments, write_segments};
///
/// let set = read_segments(Path::new("segments.h5"))?;
/// write_segments(Path::new("copy.h5"), &set)?;
/// # Ok::<(), physiosynth_formats::FormatError>(())
/// ```
pub fn write_segments(path: &Path, set: &SegmentSet) -> Result<(), FormatError> {
    let fail = |cause: String, remedy| FormatError::Unwritable { path: path.into(), cause, remedy };
    set.check().map_err(|error| fail(error.to_string(), "this is a fault of the program that made the segments: report it"))?;
    if set.time() == 0 || set.channels() == 0 {
        return Err(fail("the segments have no samples or no channels".into(), "choose a window and channels that hold samples"));
    }
    if set.channels() > MOST_CHANNELS {
        return Err(fail(
            format!("{} channels exceed the {MOST_CHANNELS} whose names fit", set.channels()),
            "keep fewer channels",
        ));
    }
    let partial = partial_name(path);
    let written = write_to(&partial, set).and_then(|()| std::fs::rename(&partial, path)).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // What is left of a failed write is of no use; that it cannot be removed changes nothing about the failure.
        let _ = std::fs::remove_file(&partial);
        FormatError::Io { path: path.into(), action: "write the segments", source }
    })
}

/// The temporary name: hidden, beside the file, and told apart by process so that two runs do not share one.
fn partial_name(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(|| "segments".into(), |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.partial-{}", std::process::id()))
}

/// Makes the rename itself last through a power cut, where folders can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write_to(path: &Path, set: &SegmentSet) -> io::Result<()> {
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, File::create(path)?))?;
    let attributes = [
        ("sampling_frequency_hz", Attribute::Float(set.sampling_frequency_hz)),
        ("mark_index", Attribute::Integer(set.mark_index as i64)),
        ("channel_names", Attribute::Texts(&set.channel_names)),
        ("channel_units", Attribute::Texts(&set.channel_units)),
    ];
    let signals = set.signals.as_standard_layout();
    let samples = signals.as_slice().ok_or_else(|| io::Error::other("the samples are not in one block"))?;
    writer.signals("signals", [set.len(), set.time(), set.channels()], samples, &attributes)?;
    let n = set.len() as u64;
    for (name, array) in [("scale", &set.scale), ("offset", &set.offset)] {
        let bytes: Vec<u8> = array.iter().flat_map(|value| value.to_le_bytes()).collect();
        writer.dataset(name, Datatype::Float32, &[n, set.channels() as u64], &bytes)?;
    }
    texts(&mut writer, "label", set, |segment| &segment.label)?;
    texts(&mut writer, "code", set, |segment| &segment.code)?;
    texts(&mut writer, "subject", set, |segment| &segment.subject)?;
    texts(&mut writer, "record", set, |segment| &segment.record)?;
    texts(&mut writer, "split", set, |segment| segment.split.as_str())?;
    texts(&mut writer, "group", set, |segment| segment.group.as_str())?;
    texts(&mut writer, "rhythm", set, |segment| &segment.rhythm)?;
    texts(&mut writer, "sex", set, |segment| segment.sex.map_or("", Sex::as_str))?;
    texts(&mut writer, "derived_from", set, |segment| &segment.derived_from)?;
    numbers(&mut writer, "cluster", Datatype::Int32, set, |segment| segment.cluster.to_le_bytes())?;
    numbers(&mut writer, "sample", Datatype::Int64, set, |segment| segment.sample.to_le_bytes())?;
    numbers(&mut writer, "rr_before_s", Datatype::Float32, set, |segment| segment.rr_before_s.to_le_bytes())?;
    numbers(&mut writer, "rr_after_s", Datatype::Float32, set, |segment| segment.rr_after_s.to_le_bytes())?;
    numbers(&mut writer, "age_years", Datatype::Float32, set, |segment| segment.age_years.unwrap_or(f32::NAN).to_le_bytes())?;
    let mut out =
        writer.finish(&[("format", Attribute::Text(FORMAT)), ("format_version", Attribute::Integer(FORMAT_VERSION))])?;
    out.flush()?;
    out.get_ref().sync_all()
}

/// A dataset of one number per segment.
fn numbers<W: Write + io::Seek, const BYTES: usize>(
    writer: &mut Writer<W>,
    name: &'static str,
    datatype: Datatype,
    set: &SegmentSet,
    value: impl Fn(&Segment) -> [u8; BYTES],
) -> io::Result<()> {
    let bytes: Vec<u8> = set.segments.iter().flat_map(value).collect();
    writer.dataset(name, datatype, &[set.len() as u64], &bytes)
}

/// A dataset of one string per segment, as wide as the longest.
fn texts<W: Write + io::Seek>(
    writer: &mut Writer<W>,
    name: &'static str,
    set: &SegmentSet,
    value: impl Fn(&Segment) -> &str,
) -> io::Result<()> {
    let width = set.segments.iter().map(|segment| value(segment).len()).max().unwrap_or(0).max(1);
    let mut bytes = Vec::with_capacity(width * set.len());
    for segment in &set.segments {
        let end = bytes.len() + width;
        bytes.extend_from_slice(value(segment).as_bytes());
        bytes.resize(end, 0);
    }
    writer.dataset(name, Datatype::Text(width as u32), &[set.len() as u64], &bytes)
}

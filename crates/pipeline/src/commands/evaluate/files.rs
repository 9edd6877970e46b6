//! A segment file as anyone may have written it, and what it leaves unsaid.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::npy::{Axes, SegmentOptions, companions, read_with_companions};
use physiosynth_formats::segments::read_segments;
use physiosynth_signal::{SegmentSet, Split};

use crate::cli::Declared;
use crate::error::Usage;

/// A segment file as read.
pub(super) struct SegmentFile {
    pub(super) path: PathBuf,
    /// The option that named it.
    pub(super) option: &'static str,
    pub(super) set: SegmentSet,
    arrays: bool,
    /// What was decided in reading it.
    pub(super) notes: Vec<String>,
}

impl SegmentFile {
    /// Reads a segment file, or an array with what stands beside it. What the file does not say is taken from the options, then from
    /// `like`; what it does say wins.
    pub(super) fn read(option: &'static str, path: &Path, declared: &Declared, like: Option<&Self>) -> Result<Self> {
        let arrays = is_array(option, path)?;
        let mut guessed = false;
        let mut set = if arrays {
            let rate = declared.rate.or(like.map(|file| file.set.sampling_frequency_hz));
            let Some(sampling_frequency_hz) = rate else {
                return Err(
                    Usage(format!("{}: arrays do not say how fast they were sampled; give --rate HZ", path.display())).into()
                );
            };
            let options =
                SegmentOptions { sampling_frequency_hz, channel_names: Vec::new(), unit: String::new(), split: Split::Synthetic };
            let axes = declared.axes.map(Axes::from);
            let (set, taken) = read_with_companions(path, axes, &options).with_context(|| option.to_string())?;
            guessed = axes.is_none() && taken == Axes::ChannelTime;
            set
        } else {
            read_segments(path).with_context(|| option.to_string())?
        };
        if set.is_empty() || set.time() == 0 || set.channels() == 0 {
            bail!("{option} {}: holds no samples ({} segments × {} × {})", path.display(), set.len(), set.time(), set.channels());
        }
        declare(&mut set, declared).map_err(|why| Usage(format!("{option} {}: {why}", path.display())))?;
        let mut notes = Vec::new();
        if guessed {
            notes.push(format!(
                "{} is taken for {} channels of {} samples, the longer axis for time (--axes says otherwise)",
                path.display(),
                set.channels(),
                set.time()
            ));
        }
        Ok(Self { path: path.to_path_buf(), option, set, arrays, notes })
    }

    /// Its name without the folder.
    pub(super) fn name(&self) -> String {
        self.path.file_name().map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// The files that were read for it.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.path.clone()];
        if self.arrays {
            files.extend(companions(&self.path));
        }
        files
    }

    /// Whether it says which split each segment is in.
    pub(super) fn knows_splits(&self) -> bool {
        self.set.segments.iter().any(|s| s.split != Split::Synthetic)
    }

    /// Whether it names classes.
    pub(super) fn knows_labels(&self) -> bool {
        self.set.segments.iter().any(|s| !s.label.is_empty())
    }
}

/// Whether the file is a NumPy array; its first bytes tell.
fn is_array(option: &str, path: &Path) -> Result<bool> {
    let cannot = || format!("{option}: cannot read {}", path.display());
    if path.is_dir() {
        bail!(
            "{option} {} is a folder; name the segment file in it: a run's real segments are segments.h5, its synthetic ones synthetic.h5",
            path.display()
        );
    }
    let mut start = Vec::new();
    File::open(path).with_context(cannot)?.take(6).read_to_end(&mut start).with_context(cannot)?;
    if start.starts_with(b"PK") {
        bail!("{option} {}: an .npz archive is not read; save each array by itself with numpy.save", path.display());
    }
    Ok(start == b"\x93NUMPY" || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")))
}

/// Whether channels have no names of their own, but those that readers give.
pub(super) fn unnamed(names: &[String]) -> bool {
    names.iter().enumerate().all(|(index, name)| name.is_empty() || *name == format!("channel {}", index + 1))
}

/// Fills in what the options say and the file does not; `Err` where the two differ.
fn declare(set: &mut SegmentSet, declared: &Declared) -> Result<(), String> {
    let rate = set.sampling_frequency_hz;
    if let Some(hz) = declared.rate.filter(|hz| (hz - rate).abs() > 1e-9) {
        return Err(format!("--rate is {hz}, and the file says {rate}"));
    }
    if !declared.channels.is_empty() {
        if declared.channels.len() != set.channels() {
            let (named, found) = (declared.channels.len(), set.channels());
            return Err(format!("--channels names {named} channels ({}), and there are {found}", declared.channels.join(", ")));
        }
        if unnamed(&set.channel_names) {
            set.channel_names.clone_from(&declared.channels);
        } else if set.channel_names != declared.channels {
            return Err(format!(
                "--channels is {}, and the file says {}",
                declared.channels.join(", "),
                set.channel_names.join(", ")
            ));
        }
    }
    if let Some(unit) = &declared.units {
        if set.channel_units.iter().all(String::is_empty) {
            set.channel_units.fill(unit.clone());
        } else if set.channel_units.iter().any(|own| own != unit) {
            return Err(format!("--units is {unit}, and the file says {}", set.channel_units.join(", ")));
        }
    }
    if let Some(mark) = declared.mark {
        if mark >= set.time() {
            return Err(format!("--mark {mark} is behind the segments, which have {} samples", set.time()));
        }
        if set.mark_index == 0 {
            set.mark_index = mark;
        } else if set.mark_index != mark {
            return Err(format!("--mark is {mark}, and the file says {}", set.mark_index));
        }
    }
    Ok(())
}

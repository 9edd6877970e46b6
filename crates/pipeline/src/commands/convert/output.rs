//! Where a record goes, and in which format.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use physiosynth_formats::recording::Format;

use crate::error::Usage;

/// A format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Wfdb,
    Edf,
    Bdf,
    Csv,
    Tsv,
    Hdf5,
    Npy,
}

impl Kind {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Wfdb => "hea",
            Self::Edf => "edf",
            Self::Bdf => "bdf",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Hdf5 => "h5",
            Self::Npy => "npy",
        }
    }

    /// What it is called in messages.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Wfdb => "WFDB",
            Self::Edf => "EDF+",
            Self::Bdf => "BDF+",
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Hdf5 => "HDF5",
            Self::Npy => "NumPy arrays",
        }
    }

    /// The format of a file's name; `None` where its extension is none of ours.
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_ascii_lowercase();
        match Format::of_extension(&extension)? {
            Format::Wfdb => Some(Self::Wfdb),
            Format::Edf => Some(Self::Edf),
            Format::Bdf => Some(Self::Bdf),
            Format::Delimited => Some(if extension == "tsv" { Self::Tsv } else { Self::Csv }),
            // MATLAB's own files are HDF5 behind a header of theirs.
            Format::Hdf5 => (extension != "mat").then_some(Self::Hdf5),
            Format::Npy => Some(Self::Npy),
        }
    }
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) path: PathBuf,
    /// The record's name.
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Output {
    /// Where one record goes that is named on the command line: into the file `output`, or into it as a folder.
    pub(super) fn of_record(input: &Path, output: &Path, format: Option<Kind>) -> Result<Self> {
        let folder = output.is_dir() || output.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
        let found = if folder {
            let known = input.extension().and_then(|extension| Format::of_extension(&extension.to_string_lossy())).is_some();
            let name = if known { input.file_stem() } else { input.file_name() };
            let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Self::in_folder(output, &name, format.unwrap_or(Kind::Wfdb))
        } else {
            let kind = match (Kind::of(output), format) {
                (Some(named), Some(asked)) if named != asked => {
                    let cause = format!("{} is no name of a file in {}", output.display(), asked.title());
                    return Err(Usage(cause).into());
                }
                (Some(named), _) => named,
                (None, Some(asked)) => asked,
                (None, None) if output.extension().is_none() => Kind::Wfdb,
                (None, None) => {
                    let cause = "the extension names no format that can be written: .hea, .edf, .bdf, .csv, .tsv, .h5 or .npy; or give --format";
                    return Err(Usage(format!("{}: {cause}", output.display())).into());
                }
            };
            let known = Kind::of(output).is_some();
            let name = if known { output.file_stem() } else { output.file_name() };
            let path = if kind == Kind::Wfdb && known { output.with_extension("hea") } else { output.to_path_buf() };
            let path = if kind == Kind::Wfdb && !known { append(&path, "hea") } else { path };
            Self { path, name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), kind }
        };
        let same = |a: &Path, b: &Path| a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b));
        if same(input, &found.path) || same(&append(input, "hea"), &found.path) {
            let cause = format!("{} would be written over itself; give OUT another name", found.path.display());
            return Err(Usage(cause).into());
        }
        Ok(found)
    }

    /// Where a record of this name goes in a folder. The name may lead through folders of its own.
    pub(super) fn in_folder(folder: &Path, name: &str, kind: Kind) -> Self {
        let name = name_in(name, kind);
        let path = append(&folder.join(&name), kind.extension());
        let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
        Self { path, name, kind }
    }
}

/// The name of a record in a folder of this format: in WFDB what is neither letter nor digit nor `_` nor `-` becomes `_`.
pub(super) fn name_in(name: &str, kind: Kind) -> String {
    let (folders, own) = name.split_at(name.rfind('/').map_or(0, |at| at + 1));
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let own: String = if kind == Kind::Wfdb { own.chars().map(fit).collect() } else { own.to_owned() };
    format!("{folders}{own}")
}

/// The path with an extension behind whatever its name is.
fn append(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs() {
        let of = |output: &str, format: Option<Kind>| {
            let found = Output::of_record(Path::new("in/100.hea"), Path::new(output), format)?;
            anyhow::Ok((found.path.display().to_string(), found.name, found.kind))
        };
        let is = |output: &str, format: Option<Kind>, path: &str, name: &str, kind: Kind| {
            assert_eq!(of(output, format).unwrap(), (path.to_owned(), name.to_owned(), kind), "{output}");
        };
        is("out/a.csv", None, "out/a.csv", "a", Kind::Csv);
        is("out/a.dat", None, "out/a.hea", "a", Kind::Wfdb);
        is("out/a", None, "out/a.hea", "a", Kind::Wfdb);
        is("nowhere/", None, "nowhere/100.hea", "100", Kind::Wfdb);
        is("nowhere/", Some(Kind::Edf), "nowhere/100.edf", "100", Kind::Edf);
        is("a.HDF5", None, "a.HDF5", "a", Kind::Hdf5);
        is("a.xyz", Some(Kind::Csv), "a.xyz", "a.xyz", Kind::Csv);
        for (output, format) in [("a.xyz", None), ("a.mat", None), ("a.csv", Some(Kind::Edf))] {
            assert!(of(output, format).unwrap_err().is::<Usage>(), "{output}");
        }
        let inside = Output::in_folder(Path::new("o"), "S001/S001R03", Kind::Wfdb);
        assert_eq!((inside.path.display().to_string().as_str(), inside.name.as_str()), ("o/S001/S001R03.hea", "S001R03"));
        assert_eq!(name_in("a b/chb02_16+", Kind::Wfdb), "a b/chb02_16_");
        assert_eq!(name_in("chb02_16+", Kind::Csv), "chb02_16+");
    }
}

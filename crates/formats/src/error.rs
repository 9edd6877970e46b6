use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be read or written: one variant per cause. Every message names the file, the place in it where there
/// is one, what is wrong, and what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The operating system refused.
    #[error("{}: could not {action}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted, as a verb phrase: `open the file`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file that something else names is not there.
    #[error("{}: no such file ({named_by}); {remedy}", .path.display())]
    Missing {
        /// The file that is not there.
        path: PathBuf,
        /// What asked for it: `named by line 2 of /data/100.hea`.
        named_by: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The content breaks the format's rules.
    #[error("{}, {place}: {cause}; {remedy}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in the file: `line 3`, `byte 120`, `dataset 'label'`.
        place: String,
        /// Which rule is broken, with what was found.
        cause: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The file ends before its content does.
    #[error("{}: holds {found} bytes where {expected} are needed ({because}); {remedy}", .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that the content needs.
        expected: u64,
        /// Bytes that are there.
        found: u64,
        /// How the needed number comes about.
        because: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The samples are not those that the header describes.
    #[error(
        "{}: signal {signal} ('{label}'): the {what} of the header is {expected}, that of the samples {found}; the file is damaged \
         or the header is another record's: fetch both again", .path.display()
    )]
    Checksum {
        /// The signal file.
        path: PathBuf,
        /// Index of the signal in the header, from 0.
        signal: usize,
        /// Label of the signal.
        label: String,
        /// What was compared: `checksum` or `initial value`.
        what: &'static str,
        /// The header's value.
        expected: i64,
        /// The value computed from the samples.
        found: i64,
    },
    /// The file may well be correct, but uses something that cannot be read or written here.
    #[error("{}: {what} not supported yet; {remedy}", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported, with its verb: `signal format 310 (line 2) is`.
        what: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// A list or header names a file outside the folder that it lies in. Never followed.
    #[error(
        "{}, line {line}: names '{named}', which is outside its own folder; refused: files of a database lie in its folder, so \
         move the file there and name it without '..' or a leading '/'", .path.display()
    )]
    OutsideFolder {
        /// The file with the name in it.
        path: PathBuf,
        /// The line with the name in it, from 1.
        line: usize,
        /// The name.
        named: String,
    },
    /// An annotation is not within the record's samples.
    #[error(
        "{}, annotation {index}: marks sample {sample} of a record of {samples} samples; the annotations are another record's, \
         or the header's number of samples is wrong", .path.display()
    )]
    AnnotationOutside {
        /// The annotation file.
        path: PathBuf,
        /// Which annotation of the file, from 0.
        index: usize,
        /// Its position.
        sample: i64,
        /// How many samples per signal the record has.
        samples: u64,
    },
    /// A part of a record that it does not have was asked for.
    #[error("{}: the part from sample {from} to {to} was asked for, of a record of {samples} samples; ask for one within it", .path.display())]
    NoSuchPart {
        /// The record's header.
        path: PathBuf,
        /// First sample asked for.
        from: u64,
        /// The sample after the last asked for.
        to: u64,
        /// How many samples per signal the record has.
        samples: u64,
    },
    /// What a few bytes of a file stand for would fill the memory.
    #[error("{}: {what} would be {samples} samples in memory, of which {limit} are allowed in one reading; read it in parts", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is that large, as a noun: `the record`.
        what: &'static str,
        /// How many samples it has, over all signals.
        samples: u64,
        /// How many may be read at once.
        limit: u64,
    },
    /// The data cannot be written in this format as they are.
    #[error("{}: not written: {cause}; {remedy}", .path.display())]
    Unwritable {
        /// The file that was to be written.
        path: PathBuf,
        /// What stands in the way.
        cause: String,
        /// What the user can do.
        remedy: &'static str,
    },
}

impl FormatError {
    /// Wraps a system error: `File::open(path).map_err(FormatError::io(path, "open the file"))`.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }
}

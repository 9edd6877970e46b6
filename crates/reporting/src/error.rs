use std::path::{Path, PathBuf};

use physiosynth_signal::{Cancelled, SegmentError};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder of the report cannot be written.
    #[error("{}: cannot {action}: {cause}; check that the folder is writable and the disk has room", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: `create the folder`, `write`, `rename`.
        action: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A set of segments contradicts itself.
    #[error("the {which} segments are inconsistent: {cause}")]
    Segments {
        /// `real` or `synthetic`.
        which: &'static str,
        /// What disagrees.
        cause: SegmentError,
    },
    /// A picture could not be encoded.
    #[error("{name}.png: cannot encode {width} × {height} pixels: {cause}")]
    Encode {
        /// The figure.
        name: String,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What the encoder said.
        cause: png::EncodingError,
    },
    /// The embedded font is damaged: the program was built wrong.
    #[error("the embedded font {0} cannot be read; the program was built from a damaged source tree")]
    Font(&'static str),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ReportError {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |cause| Self::Io { path, action, cause }
    }
}

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::FormatError;

/// Writes a file under a temporary name beside its own, syncs it, and gives it its name: there is never half a file.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), FormatError> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = path.with_file_name(name);
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, path)).map_err(|source| {
        // What was left half-written is of no use; that it could not be removed either adds nothing to the cause.
        let _ = fs::remove_file(&partial);
        FormatError::Io { path: path.to_path_buf(), action: "write the file", source }
    })
}

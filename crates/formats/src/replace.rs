use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::FormatError;

/// Writes a file under a temporary name beside its own, syncs it, and gives it its name: there is never half a file.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), FormatError> {
    let mut partial = Partial::new(path)?;
    partial.put(content)?;
    partial.commit()
}

/// A file that gets its name when it is whole. Dropped before, it is removed.
pub(crate) struct Partial {
    path: PathBuf,
    /// Its name until then.
    meanwhile: PathBuf,
    /// `None` once it has its name.
    file: Option<BufWriter<File>>,
}

impl Partial {
    /// Makes the file, under a temporary name beside `path`.
    pub(crate) fn new(path: &Path) -> Result<Self, FormatError> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".partial");
        let partial = path.with_file_name(name);
        let file = File::create(&partial).map_err(FormatError::io(path, "create the file"))?;
        Ok(Self { path: path.to_path_buf(), meanwhile: partial, file: Some(BufWriter::with_capacity(1 << 18, file)) })
    }

    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let written = self.write_all(bytes);
        written.map_err(FormatError::io(&self.path, "write the file"))
    }

    /// Writes bytes over the start of the file.
    pub(crate) fn put_at_start(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let written = self.seek(SeekFrom::Start(0)).and_then(|_| self.write_all(bytes));
        written.map_err(FormatError::io(&self.path, "write the file"))
    }

    /// Syncs the file and gives it its name, in place of one that has it.
    pub(crate) fn commit(mut self) -> Result<(), FormatError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let written =
            file.flush().and_then(|()| file.get_ref().sync_all()).and_then(|()| fs::rename(&self.meanwhile, &self.path));
        written.map_err(|source| {
            // What was left half-written is of no use; that it could not be removed either adds nothing to the cause.
            let _ = fs::remove_file(&self.meanwhile);
            FormatError::Io { path: self.path.clone(), action: "write the file", source }
        })
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Seek for Partial {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_mut().map_or(Ok(0), |file| file.seek(to))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // As above.
            let _ = fs::remove_file(&self.meanwhile);
        }
    }
}

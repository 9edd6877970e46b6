//! Where a trained model's files are: in a folder, or within the program.

use std::io;
use std::path::{Path, PathBuf};

/// The files of a model that is only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelFiles {
    /// A model folder.
    Folder(PathBuf),
    /// Files that are part of the program.
    Embedded {
        /// What errors call the model.
        name: &'static str,
        /// Names relative to the model folder, with `/`, and contents.
        files: &'static [(&'static str, &'static [u8])],
    },
}

impl ModelFiles {
    /// The contents of the file; `None` where there is none of that name, relative to the model folder, with `/`.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => match std::fs::read(folder.join(name)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(cause) => Err(cause),
            },
            Self::Embedded { files, .. } => Ok(files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.to_vec())),
        }
    }

    /// The path of the file, or what stands for it in messages.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Embedded { name: model, .. } => Path::new(model).join(name),
        }
    }
}

impl From<&Path> for ModelFiles {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_path_buf())
    }
}

impl From<&PathBuf> for ModelFiles {
    fn from(folder: &PathBuf) -> Self {
        Self::Folder(folder.clone())
    }
}

impl From<&Self> for ModelFiles {
    fn from(files: &Self) -> Self {
        files.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_a_folder_and_in_the_program() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("rhythm")).unwrap();
        std::fs::write(folder.path().join("rhythm/a.json"), b"1").unwrap();
        let on_disk = ModelFiles::from(folder.path());
        let embedded = ModelFiles::Embedded { name: "shipped", files: &[("rhythm/a.json", b"1")] };
        for files in [&on_disk, &embedded] {
            assert_eq!(files.read("rhythm/a.json").unwrap(), Some(b"1".to_vec()));
            assert_eq!(files.read("a.json").unwrap(), None);
        }
        assert_eq!(embedded.path("a.json"), Path::new("shipped/a.json"));
    }
}

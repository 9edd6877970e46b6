//! A model that may leave the house: without its training subjects, described, with the licence of its data. One comes with the program.
//!
//! Its folder, written by `physiosynth export`, is like a run's without anything real:
//!
//! ```text
//! README.md         the model card, for people
//! about.json        the same for programs: an [`About`]
//! config.toml       settings that patients are made with
//! ATTRIBUTION.txt   whose the data are that it was trained on, and their licence
//! model/            the network, the rhythm model, and people as distributions
//! ```

mod about;
mod card;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use physiosynth_generator::ModelFiles;

pub(crate) use about::{About, Data, Score, Source};
pub(crate) use card::card;

/// What the program's own model is asked for by.
pub(crate) const PRETRAINED: &str = "pretrained";
/// Its name.
const SHIPPED: &str = "mitdb-ds1";
/// The description, by which such a folder is known.
pub(crate) const ABOUT: &str = "about.json";
/// The settings.
pub(crate) const CONFIG: &str = "config.toml";
/// The model card.
pub(crate) const CARD: &str = "README.md";
/// The folder of the model itself.
pub(crate) const MODEL: &str = "model";

/// The file of the program's own model; the path is that of the source tree.
macro_rules! shipped {
    ($name:literal) => {
        include_bytes!(concat!("../../../../models/mitdb-ds1/", $name))
    };
}

/// The files of the program's own model.
static FILES: [(&str, &[u8]); 5] = [
    ("config.json", shipped!("model/config.json")),
    ("best.safetensors", shipped!("model/best.safetensors")),
    ("people.json", shipped!("model/people.json")),
    ("rhythm/rhythm.json", shipped!("model/rhythm/rhythm.json")),
    ("rhythm/best.safetensors", shipped!("model/rhythm/best.safetensors")),
];

/// A model to be used.
#[derive(Debug, Clone)]
pub(crate) struct Shareable {
    pub(crate) about: About,
    pub(crate) files: ModelFiles,
    /// Its settings: where they are from, for messages, and their text.
    pub(crate) config: (PathBuf, String),
    pub(crate) attribution: String,
}

impl Shareable {
    /// The one that comes with the program.
    pub(crate) fn pretrained() -> Result<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            about: About::parse(shipped!("about.json"), Path::new(ABOUT))?,
            files: ModelFiles::Embedded { name: PRETRAINED, files: &FILES },
            config: (Path::new(PRETRAINED).join(CONFIG), text(shipped!("config.toml"))),
            attribution: text(shipped!("ATTRIBUTION.txt")),
        })
    }

    /// That of a folder; `None` where it is no such folder.
    pub(crate) fn open(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(ABOUT);
        if !path.exists() {
            return Ok(None);
        }
        let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let text = |name: &str| Ok::<_, anyhow::Error>(String::from_utf8_lossy(&read(&folder.join(name))?).into_owned());
        Ok(Some(Self {
            about: About::parse(&read(&path)?, &path)?,
            files: ModelFiles::from(&folder.join(MODEL)),
            config: (folder.join(CONFIG), text(CONFIG)?),
            attribution: text(crate::source::ATTRIBUTION)?,
        }))
    }
}

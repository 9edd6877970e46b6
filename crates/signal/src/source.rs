use crate::{Record, Split};

/// One record of a database, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// Name within the database, without extension.
    pub name: String,
    /// The subject it was recorded from.
    pub subject: String,
    /// Whether the database says who the subject is; if not, `subject` is the record's name.
    pub subject_known: bool,
    /// What the database's authors published it for; `None` where they did not.
    pub split: Option<Split>,
}

impl RecordEntry {
    /// A record whose subject is known, without a published split.
    pub fn of(name: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { name: name.into(), subject: subject.into(), subject_known: true, split: None }
    }
}

/// Why a record could not be read, in words that name the file, the place, the cause and the remedy.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// A database that can be read record by record, from several threads at once: a folder of recordings, or a simulation.
pub trait RecordSource: Sync {
    /// What the database is called in reports: `mitdb`, `simulated ECG`.
    fn name(&self) -> &str;

    /// The records, in a fixed order.
    fn entries(&self) -> &[RecordEntry];

    /// Reads record `index` of [`entries`](Self::entries) whole, annotations included. With `lead`, only the channel of
    /// that label is kept in `channels` (the record comes back without channels where it has no such lead, which is not
    /// an error here).
    fn read(&self, index: usize, lead: Option<&str>) -> Result<Record, SourceError>;
}

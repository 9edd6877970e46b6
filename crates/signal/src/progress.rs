/// How long work tells what it has done and learns that it should stop.
///
/// Libraries draw nothing: the binary shows these calls as a bar with a rate and an estimate of the time left.
pub trait Progress: Sync {
    /// A task of `total` steps begins; `unit` names a step in the plural ("records", "beats").
    fn begin(&self, task: &str, total: u64, unit: &str);
    /// `steps` more steps of the task are done.
    fn advance(&self, steps: u64);
    /// A short remark beside the bar, such as the current loss.
    fn note(&self, remark: &str);
    /// Something the user should know, kept above the bar.
    fn warn(&self, warning: &str);
    /// The task is over.
    fn end(&self);
    /// Whether the user has asked to stop. Long loops look at it between steps, save what is done, and return
    /// [`Cancelled`].
    fn cancelled(&self) -> bool;
}

/// Progress that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _task: &str, _total: u64, _unit: &str) {}
    fn advance(&self, _steps: u64) {}
    fn note(&self, _remark: &str) {}
    fn warn(&self, _warning: &str) {}
    fn end(&self) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// The user asked to stop; finished work is on disk and the same command resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped as asked; what was finished is saved, and the same command resumes from there")]
pub struct Cancelled;

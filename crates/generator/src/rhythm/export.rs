//! A rhythm model without anybody's record.

use std::collections::BTreeSet;

use super::RhythmError;
use super::folder::{Description, Folder};
use super::pooled::PooledPortraits;
use super::portrait::Portraits;
use crate::files::ModelFiles;
use crate::population::pooled::LeftOut;

/// What was handed on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HandedOn {
    /// Rhythms that new patients may have.
    pub(crate) rhythms: Vec<String>,
    /// What fewer subjects had than may be told of, and what else was not to be kept.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Writes the rhythm model below `from` below `to`, with distributions over the training subjects in place of their records' portraits; of
/// the classes, those `kept` alone. `None` where there is no such model.
pub(crate) fn hand_on(from: &ModelFiles, to: &ModelFiles, kept: &BTreeSet<String>) -> Result<Option<HandedOn>, RhythmError> {
    let Some((description, arrays)) = Folder::new(from).trained()? else { return Ok(None) };
    let (pooled, left_out) = PooledPortraits::of(description.portraits.known(), &description.vocabulary, kept);
    if let Some(problem) = pooled.problem(&description.vocabulary) {
        return Err(RhythmError::Sequences(format!(
            "too few subjects to hand a model on without telling of one of them ({problem})"
        )));
    }
    let named = |name: &String| !left_out.iter().any(|left| left.kind == "rhythm" && left.name == *name);
    let rhythms = description.vocabulary.rhythms.iter().filter(|name| named(name)).cloned().collect();
    let description = Description {
        standard: description.standard.rounded(),
        portraits: Portraits::Pooled(Box::new(pooled)),
        data: String::new(),
        ..description
    };
    Folder::new(to).hand_on(&description, &arrays)?;
    Ok(Some(HandedOn { rhythms, left_out }))
}

//! What each command does, beyond the stages.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod devices;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod run;
pub(crate) mod simulate;

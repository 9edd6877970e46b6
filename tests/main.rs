//! End-to-end tests through the real binary, in files named by what they are about.

mod commands;
mod compare;
mod convert;
mod documentation;
mod eeg;
mod evaluate;
mod export;
mod fetch;
mod patients;
mod run;
mod support;

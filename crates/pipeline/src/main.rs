//! `physiosynth`: from an annotated database of real recordings to synthetic patient data, with the evidence beside it.
//!
//! `main` turns errors into exit codes and [`run`] matches over the commands; everything else is a stage or a command in a
//! file of its own. Exit codes: 0 success, 1 failure (the cause is on standard error), 2 wrong usage.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod error;
mod files;
mod interrupt;
mod manifest;
mod patients;
mod run_folder;
mod shareable;
mod source;
mod stages;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Command};
use crate::error::Usage;

/// See the workspace's `Cargo.toml`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error::chain(&error));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Run(run) => commands::run::run(run, None),
        Command::Preprocess(run) => commands::run::run(run, Some(stages::Stage::Preprocess)),
        Command::Train(run) => commands::run::run(run, Some(stages::Stage::Train)),
        Command::Generate(generate) if generate.stands_alone() => commands::generate::generate(generate),
        Command::Generate(generate) => commands::run::run(&generate.as_run(), Some(stages::Stage::Generate)),
        Command::Evaluate(evaluate) => commands::evaluate::evaluate(evaluate),
        Command::Export(export) => commands::export::export(export),
        Command::Report(run) => commands::run::run(run, Some(stages::Stage::Report)),
        Command::Inspect(inspect) => commands::inspect::inspect(inspect),
        Command::Convert(convert) => commands::convert::convert(convert),
        Command::Fetch(fetch) => commands::fetch::fetch(fetch),
        Command::Simulate(simulate) => commands::simulate::simulate(simulate),
        Command::Compare(compare) => commands::compare::compare(compare),
        Command::Bench(bench) => commands::bench::bench(bench),
        Command::Devices => commands::devices::devices(),
    }
}

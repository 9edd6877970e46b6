use std::path::Path;

use anyhow::{Context, Result};
use physiosynth_formats::edf;
use physiosynth_signal::{Progress, Record, RecordSource, Seed};
use physiosynth_simulator::{SimulatedDatabase, SimulatedEegDatabase};

use crate::cli::{Simulate, Simulated};
use crate::config::{Config, Flags};
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// Writes a simulated database: ECG as WFDB records with a `RECORDS` list, EEG as EDF+ files.
pub(crate) fn simulate(arguments: &Simulate) -> Result<()> {
    interrupt::install();
    let config = Config::resolve(None, &Flags { set: &arguments.set, seed: Some(arguments.seed), ..Flags::default() })?;
    let seed = Seed(config.seed);
    let database: Box<dyn RecordSource> = match arguments.kind {
        Simulated::Ecg => Box::new(SimulatedDatabase::new(&config.simulator, seed)?),
        Simulated::Eeg => Box::new(SimulatedEegDatabase::new(&config.simulator.eeg, seed)?),
    };
    let folder = &arguments.output;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let terminal = Terminal::new();
    terminal.begin("simulate", database.entries().len() as u64, "records");
    for index in 0..database.entries().len() {
        if terminal.cancelled() {
            return Err(physiosynth_signal::Cancelled.into());
        }
        let record = database.read(index, None).map_err(anyhow::Error::from_boxed)?;
        match arguments.kind {
            Simulated::Ecg => physiosynth_formats::write_record(folder, &record, physiosynth_formats::SignalFormat::Format212)?,
            Simulated::Eeg => write_edf(folder, &record)?,
        }
        terminal.advance(1);
    }
    if arguments.kind == Simulated::Ecg {
        let names: Vec<String> = database.entries().iter().map(|entry| entry.name.clone()).collect();
        physiosynth_formats::write_record_list(folder, &names)?;
    }
    terminal.end();
    files::print(&format!("{} simulated records in {}\n", database.entries().len(), folder.display()))
}

/// The record as an EDF+ file, which says in its header that it is simulated.
fn write_edf(folder: &Path, record: &Record) -> Result<()> {
    let options = edf::WriteOptions {
        patient: Some(format!("{} X X SIMULATED_not_a_person", record.subject)),
        recording: Some(format!("X X SIMULATED_physiosynth_{}", env!("CARGO_PKG_VERSION"))),
        ..edf::WriteOptions::default()
    };
    Ok(edf::write_record(&folder.join(format!("{}.edf", record.name)), record, &options)?)
}

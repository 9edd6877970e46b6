use anyhow::{Context, Result};
use physiosynth_signal::{Progress, RecordSource, Seed};
use physiosynth_simulator::SimulatedDatabase;

use crate::cli::Simulate;
use crate::config::{Config, Flags};
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// Writes the simulated database as WFDB records with a `RECORDS` list.
pub(crate) fn simulate(arguments: &Simulate) -> Result<()> {
    interrupt::install();
    let config = Config::resolve(None, &Flags { set: &arguments.set, seed: Some(arguments.seed), ..Flags::default() })?;
    let database = SimulatedDatabase::new(&config.simulator, Seed(config.seed))?;
    let folder = &arguments.output;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let terminal = Terminal::new();
    terminal.begin("simulate", database.entries().len() as u64, "records");
    for index in 0..database.entries().len() {
        if terminal.cancelled() {
            return Err(physiosynth_signal::Cancelled.into());
        }
        let record = database.read(index, None).map_err(anyhow::Error::from_boxed)?;
        physiosynth_formats::write_record(folder, &record, physiosynth_formats::SignalFormat::Format212)?;
        terminal.advance(1);
    }
    let names: Vec<String> = database.entries().iter().map(|entry| entry.name.clone()).collect();
    physiosynth_formats::write_record_list(folder, &names)?;
    terminal.end();
    files::print(&format!("{} simulated records in {}\n", database.entries().len(), folder.display()))
}

//! Prints 20 s of each simulated subject as CSV, with the time all records take: `strips [SUBJECTS] [SEED] > strips.csv`.

use std::io::Write;
use std::time::Instant;

use physiosynth_signal::Seed;
use physiosynth_simulator::{SimulatedDatabase, SimulatorConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |i: usize, default: u64| std::env::args().nth(i).map_or(Ok(default), |text| text.parse::<u64>());
    let config = SimulatorConfig { subjects: argument(1, 16)? as usize, ..SimulatorConfig::default() };
    let database = SimulatedDatabase::new(&config, Seed(argument(2, 0)?))?;
    let start = Instant::now();
    let records = database.records()?;
    eprintln!("{} records of {} s in {:.3} s", records.len(), config.duration_s, start.elapsed().as_secs_f64());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "record,sample,mlii,v1,clean_mlii,code")?;
    for (index, record) in records.iter().enumerate() {
        let clean = database.components(index)?.clean;
        eprintln!("{} {:?} {:?}", record.name, record.code_counts(), database.subjects()[index].rhythm);
        let (from, to) = (7200, 14_400);
        for i in from..to.min(clean[0].samples.len()) {
            let code = record.annotations.iter().find(|a| a.sample == i as i64).map_or("", |a| a.code.as_ref());
            let values = [record.channels[0].samples[i], record.channels[1].samples[i], clean[0].samples[i]];
            writeln!(out, "{},{i},{:.4},{:.4},{:.5},{code}", record.name, values[0], values[1], values[2])?;
        }
    }
    Ok(())
}

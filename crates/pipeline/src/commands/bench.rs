//! `bench`: how fast the recurrent layers train and run on this machine.

mod training;

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use burn::tensor::Device;
use physiosynth_generator::device::{ChosenDevice, DeviceChoice, choose, devices as list};
use physiosynth_recurrent::Cell;
use physiosynth_signal::Progress;
use serde::Serialize;

use self::training::{FEATURES, Pass, Training};
use crate::cli::Bench;
use crate::terminal::Terminal;
use crate::{files, interrupt};

const CELLS: [(Cell, &str); 3] = [(Cell::Lstm, "lstm"), (Cell::Gru, "gru"), (Cell::Simple, "simple")];

/// What `benches/peers/recurrent.py` compares as well.
const SIZES: [Size; 5] = [
    Size { batch: 64, time: 256, units: 64 },
    Size { batch: 64, time: 256, units: 128 },
    Size { batch: 32, time: 1024, units: 64 },
    Size { batch: 128, time: 128, units: 64 },
    Size { batch: 1, time: 1000, units: 64 },
];

/// For a processor that plays a GPU, where the others would take minutes.
const SMALL: [Size; 1] = [Size { batch: 16, time: 64, units: 32 }];

/// Most products of a size's three numbers that are timed: the net keeps up to a dozen times as many values.
const LARGEST: usize = 1 << 26;

/// Runs before those that count: the first ones compile shaders and touch fresh memory.
const WARM_UP: usize = 2;

/// Unless told how many, runs go on for this long, within these numbers.
const ENOUGH: Duration = Duration::from_millis(300);
const FEWEST: usize = 3;
const MOST: usize = 25;

/// Batch, time steps and units, written `64x256x64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    batch: usize,
    time: usize,
    units: usize,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<usize>> = text.split('x').map(|n| n.parse().ok().filter(|&n| n > 0)).collect();
        let Some([batch, time, units]) = numbers.and_then(|n| <[usize; 3]>::try_from(n).ok()) else {
            return Err("a size is BATCHxTIMExUNITS, three whole numbers from 1, such as 64x256x64".into());
        };
        match batch.checked_mul(time).and_then(|n| n.checked_mul(units)) {
            Some(n) if n <= LARGEST => Ok(Self { batch, time, units }),
            _ => Err(format!("batch × time × units is more than {LARGEST}")),
        }
    }
}

/// The median of one pass, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Row {
    cell: &'static str,
    bidirectional: bool,
    layers: usize,
    batch: usize,
    time: usize,
    units: usize,
    features: usize,
    pass: &'static str,
    device: &'static str,
    device_name: String,
    /// Whether the device is a processor that plays a GPU.
    software: bool,
    median_s: f64,
    runs: usize,
    /// Batch × time over the time.
    samples_per_s: f64,
    /// Operations of the products over the time.
    gflop_per_s: f64,
    version: &'static str,
    threads: usize,
    vector_instructions: &'static str,
}

/// Times a training step and a forward pass per cell and size, on each device.
pub(crate) fn bench(arguments: &Bench) -> Result<()> {
    interrupt::install();
    let terminal = Terminal::new();
    let devices = devices(arguments.device, &terminal)?;
    let sizes_on = |device: &ChosenDevice| match (arguments.sizes.as_slice(), device.software) {
        ([], true) => SMALL.to_vec(),
        ([], false) => SIZES.to_vec(),
        (sizes, _) => sizes.to_vec(),
    };
    let total: usize = devices.iter().map(|(_, chosen)| sizes_on(chosen).len() * CELLS.len() * 2).sum();
    terminal.begin("bench", total as u64, "timings");
    let mut rows = Vec::with_capacity(total);
    for (device, chosen) in &devices {
        if chosen.software && arguments.sizes.is_empty() {
            terminal.warn(&format!("{} is a processor that plays a GPU: a small size only; --sizes names others", chosen.name));
        }
        for cell in CELLS {
            for size in sizes_on(chosen) {
                rows.extend(time_both(cell, size, (device, chosen), arguments.rounds, &terminal)?);
            }
        }
    }
    terminal.end();
    files::print(&if arguments.json { serde_json::to_string_pretty(&rows)? + "\n" } else { table(&rows, &devices)? })
}

/// The one asked for; else the CPU, and a hardware GPU where there is one.
fn devices(asked: Option<DeviceChoice>, terminal: &Terminal) -> Result<Vec<(Device, ChosenDevice)>> {
    if let Some(choice) = asked {
        return Ok(vec![choose(choice)?]);
    }
    let mut found = vec![choose(DeviceChoice::Cpu)?];
    let best = choose(DeviceChoice::Auto)?;
    if best.1.kind != DeviceChoice::Cpu {
        found.push(best);
    } else if list().iter().any(|device| device.available && !device.software && device.kind != DeviceChoice::Cpu) {
        terminal.warn(&best.1.reason);
    }
    Ok(found)
}

fn time_both(
    (cell, name): (Cell, &'static str),
    size: Size,
    (device, chosen): (&Device, &ChosenDevice),
    rounds: Option<usize>,
    terminal: &Terminal,
) -> Result<Vec<Row>> {
    let mut training = Training::new(cell, size, device);
    let mut rows = Vec::new();
    for pass in [Pass::Train, Pass::Forward] {
        let (median_s, runs) = time(&mut training, pass, rounds, terminal)?;
        terminal.advance(1);
        rows.push(Row {
            cell: name,
            bidirectional: true,
            layers: 1,
            batch: size.batch,
            time: size.time,
            units: size.units,
            features: FEATURES,
            pass: pass.as_str(),
            device: chosen.kind.as_str(),
            device_name: chosen.name.clone(),
            software: chosen.software,
            median_s,
            runs,
            samples_per_s: (size.batch * size.time) as f64 / median_s,
            gflop_per_s: pass.operations(cell, size) / median_s * 1e-9,
            version: env!("CARGO_PKG_VERSION"),
            threads: rayon::current_num_threads(),
            vector_instructions: vector_instructions(),
        });
    }
    Ok(rows)
}

/// Median in seconds and number of runs that it is of.
fn time(training: &mut Training, pass: Pass, rounds: Option<usize>, terminal: &Terminal) -> Result<(f64, usize)> {
    for _ in 0..WARM_UP {
        training.run(pass)?;
    }
    let begun = Instant::now();
    let mut seconds = Vec::new();
    while match rounds {
        Some(rounds) => seconds.len() < rounds,
        None => seconds.len() < FEWEST || seconds.len() < MOST && begun.elapsed() < ENOUGH,
    } {
        if terminal.cancelled() {
            return Err(physiosynth_signal::Cancelled.into());
        }
        let start = Instant::now();
        training.run(pass)?;
        // A clock may stand still over a run that is too short for it.
        seconds.push(start.elapsed().as_secs_f64().max(1e-9));
    }
    Ok((median(&mut seconds), seconds.len()))
}

/// The middle value, or the mean of the two in the middle; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (values.get(values.len().saturating_sub(1) / 2), values.get(values.len() / 2));
    lower.zip(upper).map_or(0.0, |(lower, upper)| f64::midpoint(*lower, *upper))
}

/// The widest that the processor has, of those that the CPU kernels know.
fn vector_instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            return "AVX2";
        }
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "none" }
}

fn table(rows: &[Row], devices: &[(Device, ChosenDevice)]) -> Result<String> {
    let mut text = format!(
        "{:<7}{:>18}  {:<6}{:>10}{:>12}{:>14}{:>10}\n",
        "cell", "batch×time×units", "device", "step ms", "forward ms", "samples/s", "GFLOP/s"
    );
    for pair in rows.chunks(2) {
        let [step, forward] = pair else { continue };
        let size = format!("{}×{}×{}", step.batch, step.time, step.units);
        let (step_ms, forward_ms) = (step.median_s * 1e3, forward.median_s * 1e3);
        writeln!(
            text,
            "{:<7}{size:>18}  {:<6}{step_ms:>10.2}{forward_ms:>12.2}{:>14.0}{:>10.2}",
            step.cell, step.device, step.samples_per_s, step.gflop_per_s
        )?;
    }
    text += "\nMedians. step: one training step (one bidirectional layer, 16 features, linear head, Adam); forward: one pass without\n\
             gradients; samples/s (batch × time) and GFLOP/s (the step's matrix products) are of training.\n";
    for (_, chosen) in devices {
        writeln!(text, "{}: {}, {}", chosen.kind, chosen.name, chosen.backend)?;
    }
    writeln!(text, "physiosynth {}, vector instructions {}", env!("CARGO_PKG_VERSION"), vector_instructions())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_three_whole_numbers_within_reason() {
        assert_eq!("64x256x8".parse(), Ok(Size { batch: 64, time: 256, units: 8 }));
        for wrong in ["64x256", "64x256x8x1", "64x0x8", "64x-1x8", "x", "", "9999999x9999999x9999999", "1x1x67108865"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}

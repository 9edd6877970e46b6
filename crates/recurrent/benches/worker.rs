//! This crate's part in `benches/peers/recurrent.py`: a process that waits on standard input, does what a line asks for, and
//! answers with the milliseconds it took.
//!
//! ```text
//! worker DEVICE CELL BATCH TIME UNITS      DEVICE: cpu, wgpu, cuda; CELL: lstm, gru, simple
//!
//! step       one training step: bidirectional layer, linear head, mean square, Adam
//! forward    one pass through layer and head that keeps nothing for the way back
//! matmul N   the product of two matrices, N × N
//! ```
//!
//! It says `ready` once the net, Adam's moments and the input are there and everything has run once on a sequence of two steps, so
//! that whoever watches the process sees in the first `step` what a step needs. By hand, for a profiler:
//! `yes step | head -20 | worker cpu lstm 64 256 64`.

mod training;

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use burn::tensor::Device;
use physiosynth_recurrent::Cell;
use training::{FEATURES, bidirectional, drawn};

const USAGE: &str = "worker cpu|wgpu|cuda lstm|gru|simple BATCH TIME UNITS";

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [device, cell, sizes @ ..] = words.as_slice() else {
        // `cargo bench` without a name starts every bench.
        println!("{USAGE}");
        return Ok(());
    };
    let sizes: Result<Vec<usize>, _> = sizes.iter().map(|size| size.parse()).collect();
    let Ok([batch, time, units]) = sizes.map_err(|_| ()).and_then(|sizes| <[usize; 3]>::try_from(sizes).map_err(|_| ())) else {
        return Err(USAGE.into());
    };
    let device = named(device)?.autodiff();
    let cell = match cell.as_str() {
        "lstm" => Cell::Lstm,
        "gru" => Cell::Gru,
        "simple" => Cell::Simple,
        _ => return Err(USAGE.into()),
    };
    let mut training = bidirectional(cell, units, &device);
    let input = drawn([batch, time, FEATURES], &device);
    let short = drawn([1, 2, FEATURES], &device);
    training.step(&short);
    training.forward(&short);
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let milliseconds = match line.map_err(|error| error.to_string())?.split_whitespace().collect::<Vec<_>>()[..] {
            ["step"] => timed(|| training.step(&input)),
            ["forward"] => timed(|| drop(black_box(training.forward(&input)))),
            ["matmul", size] => matmul(size.parse().map_err(|_| "matmul N")?, &device.clone().inner()),
            _ => return Err("a line is one of: step, forward, matmul N".into()),
        };
        println!("{milliseconds}");
    }
    Ok(())
}

fn named(device: &str) -> Result<Device, String> {
    match device {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(0)),
        _ => Err(format!("no device '{device}' in this build; {USAGE}")),
    }
}

/// Milliseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn matmul(size: usize, device: &Device) -> f64 {
    let [a, b] = [(); 2].map(|()| drawn([size, size], device));
    device.sync().expect("a device that works");
    timed(|| {
        black_box(a.matmul(b));
        device.sync().expect("a device that works");
    })
}

//! wgpu against the CPU. Needs an adapter (a software one such as Mesa's llvmpipe will do), so it runs only where
//! `PHYSIOSYNTH_TEST_WGPU=1` says that there is one.
#![cfg(feature = "wgpu")]

mod common;

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, DeviceKind};
use common::{Given, Run, difference, forward, operands, run_on, values};
use cubecl::logging::{LaunchObservation, LaunchObserver};
use physiosynth_recurrent::{Cell, Kernel, RecurrentConfig};

/// All cells, and whether a GRU's reset gate stands behind the product.
const CELLS: [(Cell, bool); 4] = [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)];

/// Launches are counted by the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The adapter, if there is said to be one.
fn adapter() -> Option<Device> {
    if std::env::var("PHYSIOSYNTH_TEST_WGPU").as_deref() == Ok("1") {
        return Some(Device::wgpu(DeviceKind::DefaultDevice));
    }
    println!("skipped: set PHYSIOSYNTH_TEST_WGPU=1 where there is an adapter");
    None
}

/// Outputs, states and every gradient, on both devices.
fn compare(config: &RecurrentConfig, given: &Given, wgpu: &Device) {
    let mut operands = operands(config, given);
    if let Some(lengths) = &given.lengths {
        let input = operands.get_mut("input").expect("an input").as_mut_slice::<f32>().expect("float32 values");
        for (row, length) in input.chunks_mut(given.size[1] * config.input).zip(lengths) {
            // What is no number in the padding must change nothing.
            row[length * config.input..].fill(f32::NAN);
        }
    }
    let expected = run_on(config, given, &operands, Kernel::Auto, &Device::flex());
    let (found, launched) = launches(|| run_on(config, given, &operands, Kernel::Auto, wgpu));
    for kernel in ["Forward", "Backward"] {
        let count = launched.iter().filter(|name| name.contains("physiosynth") && name.ends_with(kernel)).count();
        assert_eq!(count, config.layers, "{config:?} {given:?}: launches of {kernel}");
    }
    assert_eq!(found.len(), expected.len(), "{config:?} {given:?}");
    for (name, expected) in &expected {
        let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
        let apart = difference(&found[name], &expected);
        assert!(apart <= 1e-4, "{config:?} {given:?} {name}: {apart:e}");
    }
}

/// Collects the names of kernels.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl LaunchObserver for Names {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(kernel);
    }
}

/// What `work` gives, and the kernels that it launched.
fn launches<R>(work: impl FnOnce() -> R) -> (R, Vec<&'static str>) {
    let names = Arc::new(Names::default());
    let watching = LaunchObservation::new(Arc::clone(&names) as Arc<dyn LaunchObserver>);
    let result = work();
    drop(watching);
    let names = std::mem::take(&mut *names.0.lock().unwrap_or_else(PoisonError::into_inner));
    (result, names)
}

fn config((cell, reset_after): (Cell, bool), input: usize, units: usize) -> RecurrentConfig {
    RecurrentConfig { cell, reset_after, input, units, ..RecurrentConfig::default() }
}

fn given(size: [usize; 2], units: usize) -> Given {
    // Weights of the size that `init` draws: much larger ones make a chaotic net, which tells rounding errors apart.
    Given { size, initial: true, scale: 1.0 / (units as f32).sqrt(), lengths: None }
}

#[test]
fn every_cell_equals_the_cpu() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(wgpu) = adapter() else { return };
    for cell in CELLS {
        let one = RecurrentConfig { bidirectional: false, ..config(cell, 1, 1) };
        compare(&one, &given([1, 1], 1), &wgpu);
        let stacked = RecurrentConfig { layers: 2, constant: 2, ..config(cell, 3, 5) };
        compare(&stacked, &given([3, 6], 5), &wgpu);
        // Rows that end anywhere, among them the first and the last step.
        let ends = Given { lengths: Some(vec![6, 1, 4]), ..given([3, 6], 5) };
        compare(&stacked, &ends, &wgpu);
    }
}

#[test]
fn every_size_equals_the_cpu() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(wgpu) = adapter() else { return };
    let mut cells = CELLS.iter().cycle();
    // Units: odd, beyond 64, beyond the invocations of a cube. Batches: tiles of more than one row, the last one half empty.
    for (size, units) in [([2, 9], 33), ([3, 3], 70), ([2, 3], 130), ([2, 2], 300), ([1, 2], 300), ([71, 3], 6), ([150, 2], 20)] {
        compare(&config(*cells.next().expect("cells without end"), 2, units), &given(size, units), &wgpu);
    }
}

#[test]
fn states_are_handed_out_without_a_way_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(wgpu) = adapter() else { return };
    for cell in CELLS {
        let config = RecurrentConfig { layers: 2, ..config(cell, 3, 5) };
        let given = Given { lengths: Some(vec![6, 1, 4]), ..given([3, 6], 5) };
        let operands = operands(&config, &given);
        let [expected, found] = [&Device::flex(), &wgpu].map(|device| {
            let Run { output, last, .. } = forward(&config, &given, &operands, Kernel::Auto, device);
            let mut found = vec![values(&output), values(&last.hidden)];
            found.extend(last.cell.as_ref().map(values));
            found
        });
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
            let apart = difference(found, &expected);
            assert!(apart <= 1e-4, "{config:?} {index}: {apart:e}");
        }
    }
}

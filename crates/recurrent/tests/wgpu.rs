//! wgpu against the CPU. Needs an adapter (a software one such as Mesa's llvmpipe will do), so it runs only where
//! `PHYSIOSYNTH_TEST_WGPU=1` says that there is one.
#![cfg(feature = "wgpu")]

mod common;

use burn::tensor::{Device, DeviceKind};
use common::{difference, run};
use physiosynth_recurrent::{Cell, Kernel, RecurrentConfig};

#[test]
fn wgpu_equals_cpu() {
    if std::env::var("PHYSIOSYNTH_TEST_WGPU").as_deref() != Ok("1") {
        println!("skipped: set PHYSIOSYNTH_TEST_WGPU=1 where there is an adapter");
        return;
    }
    let wgpu = Device::wgpu(DeviceKind::DefaultDevice);
    for (cell, reset_after) in [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)] {
        for (size, units, layers, bidirectional) in [([1, 1], 1, 1, false), ([3, 6], 5, 2, true)] {
            let config =
                RecurrentConfig { cell, reset_after, input: 2, units, layers, bidirectional, ..RecurrentConfig::default() };
            let expected = run(&config, size, true, 0.5, Kernel::Auto, &Device::flex());
            let clock = std::time::Instant::now();
            let found = run(&config, size, true, 0.5, Kernel::Auto, &wgpu);
            println!("{cell:?} {reset_after} {size:?} {:?}", clock.elapsed());
            for (name, expected) in &expected {
                let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
                let apart = difference(&found[name], &expected);
                println!("{cell:?} {name}: {apart:e}");
            }
        }
    }
}

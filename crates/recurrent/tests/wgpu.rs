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
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let config = RecurrentConfig { cell, input: 2, units: 5, layers: 2, ..RecurrentConfig::default() };
        let expected = run(&config, [3, 6], true, 0.5, Kernel::Auto, &Device::flex());
        let found = run(&config, [3, 6], true, 0.5, Kernel::Auto, &wgpu);
        for (name, expected) in &expected {
            let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
            let apart = difference(&found[name], &expected);
            assert!(apart <= 1e-4, "{cell:?} {name}: {apart:e}");
        }
    }
}

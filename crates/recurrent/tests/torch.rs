//! Outputs, last states and every gradient against PyTorch's in float64 (`goldens/make_torch.py`).

mod common;

use std::collections::BTreeMap;

use burn::tensor::Device;
use common::{difference, run};
use physiosynth_recurrent::{Cell, Kernel, RecurrentConfig};

#[derive(serde::Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    cell: Cell,
    batch: usize,
    time: usize,
    input: usize,
    units: usize,
    layers: usize,
    bidirectional: bool,
    initial: bool,
    values: BTreeMap<String, Vec<f64>>,
}

fn check(kernel: Kernel) {
    let goldens: Goldens = serde_json::from_str(include_str!("goldens/torch.json")).expect("goldens in JSON");
    assert!(goldens.cases.len() > 10);
    for case in goldens.cases {
        let config = RecurrentConfig {
            cell: case.cell,
            input: case.input,
            units: case.units,
            layers: case.layers,
            bidirectional: case.bidirectional,
            ..RecurrentConfig::default()
        };
        let found = run(&config, [case.batch, case.time], case.initial, 0.5, kernel, &Device::flex());
        for (name, expected) in &case.values {
            // The script keeps every 31st value of long tensors.
            let stride = if found[name].len() == expected.len() { 1 } else { 31 };
            let found: Vec<f32> = found[name].iter().copied().step_by(stride).collect();
            let apart = difference(&found, expected);
            assert!(apart <= 1e-5, "{config:?} {}×{} {name}: {apart:e}", case.batch, case.time);
        }
    }
}

#[test]
fn fused_equals_torch() {
    check(Kernel::Auto);
}

#[test]
fn plain_equals_torch() {
    check(Kernel::Plain);
}

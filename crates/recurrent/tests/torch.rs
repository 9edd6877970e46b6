//! Outputs, last states and every gradient against PyTorch's in float64 (`goldens/make_torch.py`).

mod common;

use std::collections::BTreeMap;

use burn::tensor::Device;
use common::{Given, difference, operands, run_on};
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
    reset_after: bool,
    constant: usize,
    lengths: Option<Vec<usize>>,
    values: BTreeMap<String, Vec<f64>>,
}

fn check(kernel: Kernel) {
    let goldens: Goldens = serde_json::from_str(include_str!("goldens/torch.json")).expect("goldens in JSON");
    assert_eq!(goldens.cases.len(), 35);
    let mut problems = Vec::new();
    for case in goldens.cases {
        let config = RecurrentConfig {
            cell: case.cell,
            input: case.input,
            constant: case.constant,
            units: case.units,
            layers: case.layers,
            bidirectional: case.bidirectional,
            reset_after: case.reset_after,
            ..RecurrentConfig::default()
        };
        let given = Given { size: [case.batch, case.time], initial: case.initial, scale: 0.5, lengths: case.lengths };
        let mut operands = operands(&config, &given);
        if let Some(lengths) = &given.lengths {
            // What is no number in the padding must change nothing.
            let input = operands.get_mut("input").expect("an input").as_mut_slice::<f32>().expect("float32 values");
            for (row, length) in input.chunks_mut(case.time * case.input).zip(lengths) {
                row[length * case.input..].fill(f32::NAN);
            }
        }
        let found = run_on(&config, &given, &operands, kernel, &Device::flex());
        for (name, expected) in &case.values {
            // The script keeps every 31st value of long tensors.
            let stride = if found[name].len() == expected.len() { 1 } else { 31 };
            let found: Vec<f32> = found[name].iter().copied().step_by(stride).collect();
            let apart = difference(&found, expected);
            if apart > 1e-5 {
                problems.push(format!("{config:?} {given:?} {name}: {apart:e}"));
            }
        }
        assert_eq!(found.len(), case.values.len(), "something is not compared");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn fused_equals_torch() {
    check(Kernel::Auto);
}

#[test]
fn plain_equals_torch() {
    check(Kernel::Plain);
}

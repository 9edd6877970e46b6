//! Operands drawn as in `goldens/make_torch.py`, and runs that give back every gradient.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use physiosynth_recurrent::{Cell, Kernel, Recurrent, RecurrentConfig, State};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Value i is `(i + 1) × 2654435761 + seed × 40503`, hashed, spread over `[-scale, scale)`; exact in `f32`.
pub fn draw<const D: usize>(shape: [usize; D], seed: u64, scale: f32) -> TensorData {
    let values: Vec<f32> = (1..=shape.iter().product::<usize>() as u64)
        .map(|i| {
            let hash = i.wrapping_mul(2_654_435_761).wrapping_add(seed * 40_503).wrapping_mul(2_246_822_519);
            (((hash & 0xffff_ffff) >> 16) as f32 / 32_768.0 - 1.0) * scale
        })
        .collect();
    TensorData::new(values, shape)
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().expect("float32 values")
}

/// A net whose weights are drawn with `scale`.
pub fn net(config: &RecurrentConfig, device: &Device, scale: f32) -> Recurrent {
    let mut net = config.init(device, &mut ChaCha8Rng::seed_from_u64(1));
    let (directions, rows, units) = (config.directions(), config.cell.gates() * config.units, config.units);
    for (index, layer) in net.layers.iter_mut().enumerate() {
        let input = if index == 0 { config.input } else { config.output() };
        let seed = 10 * index as u64;
        layer.weight_ih = Param::from_data(draw([directions, rows, input], seed, scale), device);
        layer.weight_hh = Param::from_data(draw([directions, rows, units], seed + 1, scale), device);
        layer.bias_ih = Param::from_data(draw([directions, rows], seed + 2, scale), device);
        layer.bias_hh = Param::from_data(draw([directions, rows], seed + 3, scale), device);
    }
    net
}

/// Runs a net forward and back on the operands of the goldens (there, weights up to `scale` 0.5): outputs, last states and gradients by name.
pub fn run(
    config: &RecurrentConfig,
    [batch, time]: [usize; 2],
    initial: bool,
    scale: f32,
    kernel: Kernel,
    device: &Device,
) -> BTreeMap<String, Vec<f32>> {
    let device = device.clone().autodiff();
    let net = net(config, &device, scale).with_kernel(kernel);
    let lstm = config.cell == Cell::Lstm;
    let states = [config.layers * config.directions(), batch, config.units];
    let input = Tensor::<3>::from_data(draw([batch, time, config.input], 100, 1.0), &device).require_grad();
    let [hidden, cell] = [101, 102].map(|seed| Tensor::<3>::from_data(draw(states, seed, 1.0), &device).require_grad());
    let state = initial.then(|| State { hidden: hidden.clone(), cell: lstm.then(|| cell.clone()) });
    let (output, last) = net.forward_with_state(input.clone(), state.as_ref(), None);
    let weighted = |tensor: &Tensor<3>, seed| (tensor.clone() * Tensor::from_data(draw(tensor.dims(), seed, 1.0), &device)).sum();
    let mut loss = weighted(&output, 200) + weighted(&last.hidden, 201);
    if let Some(cell) = &last.cell {
        loss = loss + weighted(cell, 202);
    }
    let gradients = loss.backward();
    let mut found = BTreeMap::from([
        ("output".to_owned(), values(&output)),
        ("hidden".to_owned(), values(&last.hidden)),
        ("d_input".to_owned(), values(&input.grad(&gradients).expect("gradient of the input"))),
    ]);
    if let Some(cell) = &last.cell {
        found.insert("cell_state".to_owned(), values(cell));
    }
    if initial {
        found.insert("d_hidden".to_owned(), values(&hidden.grad(&gradients).expect("gradient of the state")));
        if lstm {
            found.insert("d_cell_state".to_owned(), values(&cell.grad(&gradients).expect("gradient of the cell")));
        }
    }
    for (index, layer) in net.layers.iter().enumerate() {
        let mut add = |name: &str, gradient: Option<Vec<f32>>| {
            found.insert(format!("d_{name}.{index}"), gradient.expect("gradient of a weight"));
        };
        add("weight_ih", layer.weight_ih.val().grad(&gradients).as_ref().map(values));
        add("weight_hh", layer.weight_hh.val().grad(&gradients).as_ref().map(values));
        add("bias_ih", layer.bias_ih.val().grad(&gradients).as_ref().map(values));
        add("bias_hh", layer.bias_hh.val().grad(&gradients).as_ref().map(values));
    }
    found
}

/// Largest absolute difference over largest reference value.
pub fn difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let apart = found.iter().zip(expected).fold(0.0_f64, |apart, (a, b)| apart.max((f64::from(*a) - b).abs()));
    apart / largest.max(f64::MIN_POSITIVE)
}

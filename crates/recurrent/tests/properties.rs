//! What holds for every net, whatever its numbers.

mod common;

use burn::tensor::{Device, Tensor};
use common::{difference, draw, net, run, values};
use physiosynth_recurrent::{Cell, ConfigError, Kernel, RecurrentConfig, State, with_path_ids};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const CELLS: [Cell; 3] = [Cell::Lstm, Cell::Gru, Cell::Simple];

fn config(cell: Cell, input: usize, units: usize) -> RecurrentConfig {
    RecurrentConfig { cell, input, units, ..RecurrentConfig::default() }
}

#[test]
fn fused_equals_plain() {
    for cell in CELLS {
        for (size, input, units, layers, bidirectional) in
            [([13, 21], 3, 33, 2, true), ([64, 40], 16, 64, 1, true), ([1, 300], 2, 20, 1, false)]
        {
            let config = RecurrentConfig { layers, bidirectional, ..config(cell, input, units) };
            // Weights of the size that `init` draws: much larger ones make a chaotic net, which tells rounding errors apart.
            let scale = 1.0 / (units as f32).sqrt();
            let fused = run(&config, size, true, scale, Kernel::Auto, &Device::flex());
            let plain = run(&config, size, true, scale, Kernel::Plain, &Device::flex());
            for (name, plain) in &plain {
                let plain: Vec<f64> = plain.iter().copied().map(f64::from).collect();
                let apart = difference(&fused[name], &plain);
                assert!(apart <= 1e-5, "{config:?} {name}: {apart:e}");
            }
        }
    }
}

#[test]
fn same_bits_with_any_number_of_threads() {
    let bits = |cell: Cell, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        let config = RecurrentConfig { layers: 2, ..config(cell, 3, 24) };
        let found = pool.install(|| run(&config, [40, 30], true, 0.3, Kernel::Auto, &Device::flex()));
        found.into_values().flatten().map(f32::to_bits).collect::<Vec<_>>()
    };
    for cell in CELLS {
        let one = bits(cell, 1);
        assert!(one == bits(cell, 2), "{cell:?}: two threads");
        assert!(one == bits(cell, 5), "{cell:?}: five threads");
    }
}

#[test]
fn two_pieces_equal_the_whole() {
    let device = Device::flex();
    for (cell, reset_after) in [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)] {
        let config = RecurrentConfig { bidirectional: false, layers: 2, reset_after, ..config(cell, 3, 11) };
        let net = net(&config, &device, 0.5);
        let input = Tensor::<3>::from_data(draw([5, 17, 3], 3, 1.0), &device);
        let (whole, end) = net.forward_with_state(input.clone(), None, None);
        let (first, state) = net.forward_with_state(input.clone().narrow(1, 0, 6), None, None);
        let (second, last) = net.forward_with_state(input.narrow(1, 6, 11), Some(&state), None);
        let pieces = Tensor::cat(vec![first, second], 1);
        let expect = |found: &Tensor<3>, expected: &Tensor<3>| {
            let expected: Vec<f64> = values(expected).into_iter().map(f64::from).collect();
            assert!(difference(&values(found), &expected) < 1e-6, "{config:?}");
        };
        expect(&pieces, &whole);
        expect(&last.hidden, &end.hidden);
        if let (Some(found), Some(expected)) = (&last.cell, &end.cell) {
            expect(found, expected);
        }
    }
}

/// Central differences of the loss by one value of the input, the first layer's weights and the states.
#[test]
fn gradients_equal_finite_differences() {
    let device = Device::flex();
    for (cell, reset_after) in [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)] {
        let config = RecurrentConfig { reset_after, ..config(cell, 2, 3) };
        let (batch, time) = (2, 4);
        let gradients = run(&config, [batch, time], true, 0.5, Kernel::Auto, &device);
        // The loss of `run`, with `step` added to value `index` of `operand`.
        let loss = |operand: &str, index: usize, step: f32| {
            let shifted = |mut data: burn::tensor::TensorData, name: &str| {
                if name == operand {
                    data.as_mut_slice::<f32>().expect("float32 values")[index] += step;
                }
                data
            };
            let mut net = net(&config, &device, 0.5);
            let layer = &mut net.layers[0];
            layer.weight_ih = layer.weight_ih.clone().map(|w| Tensor::from_data(shifted(w.to_data(), "d_weight_ih.0"), &device));
            layer.weight_hh = layer.weight_hh.clone().map(|w| Tensor::from_data(shifted(w.to_data(), "d_weight_hh.0"), &device));
            layer.bias_ih = layer.bias_ih.clone().map(|b| Tensor::from_data(shifted(b.to_data(), "d_bias_ih.0"), &device));
            layer.bias_hh = layer.bias_hh.clone().map(|b| Tensor::from_data(shifted(b.to_data(), "d_bias_hh.0"), &device));
            let states = [2, batch, 3];
            let hidden = Tensor::from_data(shifted(draw(states, 101, 1.0), "d_hidden"), &device);
            let memory = Tensor::from_data(shifted(draw(states, 102, 1.0), "d_cell_state"), &device);
            let state = State { hidden, cell: (cell == Cell::Lstm).then_some(memory) };
            let input = Tensor::from_data(shifted(draw([batch, time, 2], 100, 1.0), "d_input"), &device);
            let (output, last) = net.forward_with_state(input, Some(&state), None);
            let sum = |tensor: &Tensor<3>, seed| -> f64 {
                let weights = draw(tensor.dims(), seed, 1.0).try_to_vec::<f32>().expect("float32 values");
                values(tensor).iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(b)).sum()
            };
            sum(&output, 200) + sum(&last.hidden, 201) + last.cell.as_ref().map_or(0.0, |cell| sum(cell, 202))
        };
        for (name, gradient) in gradients.iter().filter(|(name, _)| name.starts_with("d_")) {
            for (index, gradient) in gradient.iter().enumerate() {
                let step = 1.0 / 128.0;
                let slope = (loss(name, index, step) - loss(name, index, -step)) / f64::from(2.0 * step);
                let apart = (slope - f64::from(*gradient)).abs();
                assert!(apart < 1e-3, "{cell:?} {name}[{index}]: {gradient} against {slope}");
            }
        }
    }
}

#[test]
fn dropout_comes_from_the_host_and_only_when_asked_for() {
    let device = Device::flex();
    let config = RecurrentConfig { layers: 2, dropout: 0.4, ..config(Cell::Lstm, 2, 8) };
    let net = net(&config, &device, 0.5);
    let input = Tensor::<3>::from_data(draw([4, 10, 2], 3, 1.0), &device);
    let dropped = |seed| values(&net.forward(input.clone(), Some(&mut ChaCha8Rng::seed_from_u64(seed))));
    assert_eq!(dropped(1), dropped(1));
    assert_ne!(dropped(1), dropped(2));
    assert_ne!(dropped(1), values(&net.forward(input.clone(), None)));
    assert_eq!(values(&net.forward(input.clone(), None)), values(&net.forward(input, None)));
}

#[test]
fn weights_and_identities_depend_on_the_seed_alone() {
    let config = config(Cell::Lstm, 3, 16);
    let init = |seed| config.init(&Device::flex(), &mut ChaCha8Rng::seed_from_u64(seed));
    let (one, same, other) = (init(5), init(5), init(6));
    assert_eq!(values(&one.layers[0].weight_hh.val()), values(&same.layers[0].weight_hh.val()));
    assert_ne!(values(&one.layers[0].weight_hh.val()), values(&other.layers[0].weight_hh.val()));
    assert_eq!(one.layers[0].bias_ih.id, same.layers[0].bias_ih.id);
    // Within ±1/√16, but for the forget gate, which starts one higher.
    let bias = values(&one.layers[0].bias_ih.val());
    assert!(bias[..16].iter().chain(&bias[32..64]).all(|value| value.abs() <= 0.25));
    assert!(bias[16..32].iter().all(|value| (value - 1.0).abs() <= 0.25));
    let weights = values(&one.layers[0].weight_ih.val());
    assert!(weights.iter().all(|value| value.abs() <= 0.25) && weights.iter().any(|value| value.abs() > 0.2));

    let (one, other) = (with_path_ids(one), with_path_ids(other));
    assert_eq!(one.layers[0].bias_ih.id, other.layers[0].bias_ih.id);
    assert_ne!(one.layers[0].bias_ih.id, one.layers[0].bias_hh.id);
}

#[test]
fn configurations_are_checked_and_read() {
    assert_eq!(config(Cell::Gru, 1, 0).validate(), Err(ConfigError::Empty("units")));
    assert_eq!(RecurrentConfig { dropout: 1.0, ..config(Cell::Gru, 1, 1) }.validate(), Err(ConfigError::Dropout(1.0)));
    let read: RecurrentConfig = serde_json::from_str(r#"{"cell":"simple","units":5}"#).expect("a configuration");
    assert_eq!(read, config(Cell::Simple, 1, 5));
    assert!(serde_json::from_str::<RecurrentConfig>(r#"{"unit":5}"#).is_err());
}

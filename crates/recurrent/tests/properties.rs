//! What holds for every net, whatever its numbers.

mod common;

use burn::tensor::{Device, Tensor};
use common::{Given, Operands, Run, difference, draw, forward, net_of, operands, run_on, values};
use physiosynth_recurrent::{Cell, ConfigError, Inputs, Kernel, Lengths, Recurrent, RecurrentConfig, with_path_ids};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Cells, with both places of a GRU's reset gate ([`RecurrentConfig::reset_after`]).
const CELLS: [(Cell, bool); 4] = [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)];

fn config((cell, reset_after): (Cell, bool), input: usize, units: usize) -> RecurrentConfig {
    RecurrentConfig { cell, reset_after, input, units, ..RecurrentConfig::default() }
}

/// A net whose weights are drawn with `scale`.
fn net(config: &RecurrentConfig, device: &Device, scale: f32) -> Recurrent {
    let given = Given { size: [1, 1], initial: false, scale, lengths: None };
    net_of(config, &operands(config, &given), device)
}

/// [`difference`] from values of the same kind.
fn apart(found: &[f32], expected: &[f32]) -> f64 {
    difference(found, &expected.iter().copied().map(f64::from).collect::<Vec<_>>())
}

/// Lengths from 1 to `time`, in no order.
fn some_lengths([batch, time]: [usize; 2]) -> Vec<usize> {
    (0..batch).map(|row| 1 + (row * 7 + 3) % time).collect()
}

#[test]
fn fused_equals_plain() {
    for cell in CELLS {
        for (size, input, units, layers, bidirectional, padded, constant) in [
            ([13, 21], 3, 33, 2, true, false, 0),
            ([64, 40], 16, 64, 1, true, false, 0),
            ([1, 300], 2, 20, 1, false, false, 0),
            ([37, 19], 3, 24, 2, true, true, 4),
            ([16, 50], 1, 17, 1, false, true, 0),
            ([12, 11], 2, 40, 1, true, false, 9),
        ] {
            let config = RecurrentConfig { layers, bidirectional, constant, ..config(cell, input, units) };
            // Weights of the size that `init` draws: much larger ones make a chaotic net, which tells rounding errors apart.
            let scale = 1.0 / (units as f32).sqrt();
            let given = Given { size, initial: true, scale, lengths: padded.then(|| some_lengths(size)) };
            let operands = operands(&config, &given);
            let fused = run_on(&config, &given, &operands, Kernel::Auto, &Device::flex());
            let plain = run_on(&config, &given, &operands, Kernel::Plain, &Device::flex());
            for (name, plain) in &plain {
                let apart = apart(&fused[name], plain);
                assert!(apart <= 1e-5, "{config:?} {given:?} {name}: {apart:e}");
            }
        }
    }
}

/// Nets, sizes and options drawn at random: the fused code agrees with the plain one, and with itself on another number of
/// threads.
#[test]
fn fused_equals_plain_whatever_is_drawn() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a thread pool");
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut below = |n: u32| (rng.next_u32() % n) as usize;
    for _ in 0..60 {
        let config = RecurrentConfig {
            layers: 1 + below(2),
            bidirectional: below(2) == 1,
            constant: below(2) * below(6),
            checkpoint: below(2) * below(9),
            ..config(CELLS[below(4)], 1 + below(20), 1 + below(40))
        };
        let size = [1 + below(30), 1 + below(25)];
        let lengths = (below(2) == 1).then(|| (0..size[0]).map(|_| 1 + below(size[1] as u32)).collect());
        // Sums large enough to saturate a cell would leave gradients of rounding errors alone.
        let scale = 1.0 / (config.units.max(config.input + config.constant) as f32).sqrt();
        let given = Given { size, initial: below(2) == 1, scale, lengths };
        let operands = operands(&config, &given);
        let fused = run_on(&config, &given, &operands, Kernel::Auto, &Device::flex());
        let plain = run_on(&config, &given, &operands, Kernel::Plain, &Device::flex());
        for (name, plain) in &plain {
            let apart = apart(&fused[name], plain);
            assert!(apart <= 1e-5, "{config:?} {given:?} {name}: {apart:e}");
        }
        let again = pool.install(|| run_on(&config, &given, &operands, Kernel::Auto, &Device::flex()));
        assert!(again == fused, "{config:?} {given:?}: three threads");
    }
}

#[test]
fn same_bits_from_run_to_run_and_with_any_number_of_threads() {
    let bits = |cell, padded: bool, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        let config = RecurrentConfig { layers: 2, constant: if padded { 2 } else { 0 }, ..config(cell, 3, 24) };
        let given = Given { size: [40, 30], initial: true, scale: 0.3, lengths: padded.then(|| some_lengths([40, 30])) };
        let operands = operands(&config, &given);
        let found = pool.install(|| run_on(&config, &given, &operands, Kernel::Auto, &Device::flex()));
        found.into_values().flatten().map(f32::to_bits).collect::<Vec<_>>()
    };
    for cell in CELLS {
        for padded in [false, true] {
            let one = bits(cell, padded, 1);
            assert!(one == bits(cell, padded, 1), "{cell:?}: one thread again");
            for threads in [2, 3, 5] {
                assert!(one == bits(cell, padded, threads), "{cell:?}: {threads} threads");
            }
        }
    }
}

#[test]
fn checkpoints_change_no_bit() {
    for cell in CELLS {
        for padded in [false, true] {
            let bits = |checkpoint| {
                let config = RecurrentConfig { layers: 2, checkpoint, ..config(cell, 3, 20) };
                let lengths = padded.then(|| some_lengths([15, 23]));
                let given = Given { size: [15, 23], initial: true, scale: 0.3, lengths };
                let found = run_on(&config, &given, &operands(&config, &given), Kernel::Auto, &Device::flex());
                found.into_values().flatten().map(f32::to_bits).collect::<Vec<_>>()
            };
            let whole = bits(0);
            for steps in [1, 4, 7, 22, 23, 24, 1000] {
                assert!(whole == bits(steps), "{cell:?}, padded {padded}: every {steps} steps");
            }
        }
    }
}

/// A row of a padded batch gives what it gives alone, without padding.
#[test]
fn padding_changes_nothing() {
    let device = Device::flex();
    for (cell, kernel) in CELLS.into_iter().flat_map(|cell| [(cell, Kernel::Auto), (cell, Kernel::Plain)]) {
        let config = RecurrentConfig { layers: 2, constant: 2, ..config(cell, 3, 11) };
        let net = net(&config, &device, 0.5).with_kernel(kernel);
        let ([batch, time], lengths) = ([5, 9], [4, 9, 1, 6, 3]);
        let sequence = Tensor::<3>::from_data(draw([batch, time, 3], 3, 1.0), &device);
        let constant = Tensor::<2>::from_data(draw([batch, 2], 4, 1.0), &device);
        let padded =
            Inputs::new(sequence.clone()).constant(constant.clone()).lengths(&Lengths::new(&lengths, time).expect("lengths"));
        let (output, state) = net.run_with_state(padded).expect("inputs that fit");
        for (row, length) in lengths.into_iter().enumerate() {
            let alone =
                Inputs::new(sequence.clone().narrow(0, row, 1).narrow(1, 0, length)).constant(constant.clone().narrow(0, row, 1));
            let (expected, last) = net.run_with_state(alone).expect("inputs that fit");
            let found = output.clone().narrow(0, row, 1);
            assert!(apart(&values(&found.clone().narrow(1, 0, length)), &values(&expected)) < 1e-6, "{config:?} row {row}");
            let behind = values(&found)[length * config.output()..].to_vec();
            assert!(behind.iter().all(|value| *value == 0.0), "{config:?} row {row}: {behind:?}");
            assert!(apart(&values(&state.hidden.clone().narrow(1, row, 1)), &values(&last.hidden)) < 1e-6);
            if let (Some(found), Some(expected)) = (&state.cell, &last.cell) {
                assert!(apart(&values(&found.clone().narrow(1, row, 1)), &values(expected)) < 1e-6);
            }
        }
    }
}

/// The loss that [`run_on`] differentiates, of a run without gradients.
fn loss(config: &RecurrentConfig, given: &Given, operands: &Operands, kernel: Kernel) -> f64 {
    let Run { output, last, .. } = forward(config, given, operands, kernel, &Device::flex());
    let sum = |tensor: &Tensor<3>, seed| -> f64 {
        let weights = draw(tensor.dims(), seed, 1.0).try_to_vec::<f32>().expect("float32 values");
        values(tensor).iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(b)).sum()
    };
    sum(&output, 200) + sum(&last.hidden, 201) + last.cell.as_ref().map_or(0.0, |cell| sum(cell, 202))
}

/// Central differences of the loss by every value of every operand.
#[test]
fn gradients_equal_finite_differences() {
    for cell in CELLS {
        for (kernel, padded, constant) in
            [(Kernel::Auto, false, 0), (Kernel::Auto, true, 2), (Kernel::Plain, false, 2), (Kernel::Plain, true, 0)]
        {
            let config = RecurrentConfig { constant, ..config(cell, 2, 3) };
            let given = Given { size: [2, 4], initial: true, scale: 0.5, lengths: padded.then(|| vec![2, 4]) };
            let operands = operands(&config, &given);
            let gradients = run_on(&config, &given, &operands, kernel, &Device::flex());
            for (name, data) in &operands {
                let gradient = &gradients[&format!("d_{name}")];
                for (index, gradient) in gradient.iter().enumerate() {
                    let step = 1.0 / 128.0;
                    let shifted = |step: f32| {
                        let mut operands = operands.clone();
                        let mut data = data.clone();
                        data.as_mut_slice::<f32>().expect("float32 values")[index] += step;
                        operands.insert(name.clone(), data);
                        loss(&config, &given, &operands, kernel)
                    };
                    let slope = (shifted(step) - shifted(-step)) / f64::from(2.0 * step);
                    let apart = (slope - f64::from(*gradient)).abs();
                    assert!(apart < 1e-3, "{config:?} {given:?} {name}[{index}]: {gradient} against {slope}");
                }
            }
        }
    }
}

/// A net too small for its batch, and one value of each.
#[test]
fn smallest_sizes_run() {
    for cell in CELLS {
        let config = RecurrentConfig { bidirectional: false, ..config(cell, 1, 1) };
        for size in [[1, 1], [1, 2], [30, 1]] {
            let given = Given { size, initial: false, scale: 0.5, lengths: None };
            let operands = operands(&config, &given);
            let [fused, plain] =
                [Kernel::Auto, Kernel::Plain].map(|kernel| run_on(&config, &given, &operands, kernel, &Device::flex()));
            assert!(plain.iter().all(|(name, plain)| apart(&fused[name], plain) <= 1e-5), "{config:?} {size:?}");
        }
    }
}

#[test]
fn dropout_comes_from_the_host_and_only_when_asked_for() {
    let device = Device::flex();
    let config = RecurrentConfig { layers: 2, dropout: 0.4, ..config((Cell::Lstm, true), 2, 8) };
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
    let config = config((Cell::Lstm, true), 3, 16);
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
    assert_eq!(config((Cell::Gru, true), 1, 0).validate(), Err(ConfigError::Empty("units")));
    assert_eq!(RecurrentConfig { dropout: 1.0, ..config((Cell::Gru, true), 1, 1) }.validate(), Err(ConfigError::Dropout(1.0)));
    let read: RecurrentConfig = serde_json::from_str(r#"{"cell":"simple","units":5}"#).expect("a configuration");
    assert_eq!(read, config((Cell::Simple, true), 1, 5));
    assert!(serde_json::from_str::<RecurrentConfig>(r#"{"unit":5}"#).is_err());
}

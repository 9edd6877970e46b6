//! Runs in pieces, with the state carried over; gradients through states alone; runs that want none.

#[path = "common/draw.rs"]
mod draw;

use burn::module::Module;
use burn::tensor::{Device, Gradients, Tensor};
use draw::{difference, draw, values};
use physiosynth_recurrent::{Cell, Inputs, Kernel, Lengths, Recurrent, RecurrentConfig, State};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const CELLS: [(Cell, bool); 4] = [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)];

/// Every cell, by both codes: two layers, one direction.
fn nets(device: &Device, bidirectional: bool) -> Vec<Recurrent> {
    let of = |(cell, reset_after), kernel| {
        let config = RecurrentConfig { cell, reset_after, input: 3, units: 11, layers: 2, bidirectional, ..Default::default() };
        config.init(device, &mut ChaCha8Rng::seed_from_u64(3)).with_kernel(kernel)
    };
    CELLS.into_iter().flat_map(|cell| [of(cell, Kernel::Auto), of(cell, Kernel::Plain)]).collect()
}

fn tensor<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    Tensor::from_data(draw(shape, seed, 1.0), device)
}

fn weighted<const D: usize>(tensor: &Tensor<D>, seed: u64) -> Tensor<1> {
    (tensor.clone() * self::tensor(tensor.dims(), seed, &tensor.device())).sum()
}

#[track_caller]
fn same(found: &[f32], expected: &[f32], what: &str) {
    let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
    let apart = difference(found, &expected);
    assert!(apart < 1e-5, "{what}: {apart:e}");
}

/// The gradients of all weights, one after the other.
fn of_weights(net: &Recurrent, gradients: &Gradients) -> Vec<f32> {
    let mut found = Vec::new();
    for layer in &net.layers {
        found.extend(values(&layer.weight_ih.val().grad(gradients).expect("a gradient")));
        found.extend(values(&layer.weight_hh.val().grad(gradients).expect("a gradient")));
        found.extend(values(&layer.bias_ih.val().grad(gradients).expect("a gradient")));
        found.extend(values(&layer.bias_hh.val().grad(gradients).expect("a gradient")));
    }
    found
}

fn of_state(state: &State, seed: u64) -> Tensor<1> {
    let hidden = weighted(&state.hidden, seed);
    state.cell.as_ref().map_or(hidden.clone(), |cell| hidden + weighted(cell, seed + 1))
}

#[test]
fn two_pieces_equal_the_whole_forth_and_back() {
    let device = Device::flex().autodiff();
    let (batch, time, cut) = (5, 17, 6);
    for net in nets(&device, false) {
        let what = format!("{net:?}");
        let states = [2, batch, 11];
        let leaves = || {
            let input = tensor([batch, time, 3], 3, &device).require_grad();
            let [hidden, cell] = [4, 5].map(|seed| tensor(states, seed, &device).require_grad());
            let cell = (net.config().cell == Cell::Lstm).then_some(cell);
            (input, State { hidden, cell })
        };
        let gradients = |output: Tensor<3>, end: &State, input: &Tensor<3>, start: &State| {
            let gradients = (weighted(&output, 6) + of_state(end, 7)).backward();
            let mut found = vec![values(&output), values(&end.hidden), of_weights(&net, &gradients)];
            found.extend(end.cell.as_ref().map(values));
            for leaf in [Some(input), Some(&start.hidden), start.cell.as_ref()].into_iter().flatten() {
                found.push(values(&leaf.grad(&gradients).expect("a gradient")));
            }
            found
        };
        let (input, start) = leaves();
        let (output, end) = net.forward_with_state(input.clone(), Some(&start), None);
        let whole = gradients(output, &end, &input, &start);

        let (input, start) = leaves();
        let (first, state) = net.forward_with_state(input.clone().narrow(1, 0, cut), Some(&start), None);
        let (second, end) = net.forward_with_state(input.clone().narrow(1, cut, time - cut), Some(&state), None);
        let pieces = gradients(Tensor::cat(vec![first, second], 1), &end, &input, &start);
        assert_eq!(whole.len(), pieces.len());
        for (found, expected) in pieces.iter().zip(&whole) {
            same(found, expected, &what);
        }
    }
}

/// A state that is cut off the graph carries values and no gradient.
#[test]
fn truncated_runs_stop_at_the_cut() {
    let device = Device::flex().autodiff();
    for net in nets(&device, false) {
        let what = format!("{net:?}");
        let [first, second] = [3, 4].map(|seed| tensor([2, 5, 3], seed, &device).require_grad());
        let (_, state) = net.forward_with_state(first.clone(), None, None);
        let cut = State { hidden: state.hidden.detach(), cell: state.cell.map(Tensor::detach) };
        let (output, _) = net.forward_with_state(second.clone(), Some(&cut), None);
        let gradients = weighted(&output, 6).backward();
        assert!(first.grad(&gradients).is_none(), "{what}");

        // The same values, brought from outside.
        let brought = State {
            hidden: Tensor::from_data(cut.hidden.to_data(), &device),
            cell: cut.cell.map(|cell| Tensor::from_data(cell.to_data(), &device)),
        };
        let again = tensor([2, 5, 3], 4, &device).require_grad();
        let (output, _) = net.forward_with_state(again.clone(), Some(&brought), None);
        let expected = weighted(&output, 6).backward();
        assert_eq!(values(&second.grad(&gradients).expect("a gradient")), values(&again.grad(&expected).expect("a gradient")));
        assert_eq!(of_weights(&net, &gradients), of_weights(&net, &expected), "{what}");
    }
}

/// A loss of the state alone.
type Loss = fn(&State) -> Tensor<1>;

/// Of a loss that sees the cell states alone, the hidden states alone, or the cell states twice over, with and without lengths:
/// both codes agree, and both with central differences by the input.
#[test]
fn gradients_come_through_each_state_alone() {
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let losses: [(&str, Loss); 3] = [
        ("cell", |state| weighted(state.cell.as_ref().unwrap_or(&state.hidden), 6)),
        ("hidden", |state| weighted(&state.hidden, 6)),
        ("cell twice", |state| {
            let cell = state.cell.clone().unwrap_or_else(|| state.hidden.clone());
            weighted(&cell.clone(), 6) + weighted(&cell.square(), 7)
        }),
    ];
    let lengths = Lengths::new(&[4, 2, 6], 6).expect("lengths");
    for ((name, of), padded) in losses.into_iter().flat_map(|loss| [(loss, false), (loss, true)]) {
        for (net, on_plain) in nets(&device, true).into_iter().zip(nets(&plain, true)) {
            let what = format!("{name}, padded {padded}, {net:?}");
            let inputs = |sequence| if padded { Inputs::new(sequence).lengths(&lengths) } else { Inputs::new(sequence) };
            let input = tensor([3, 6, 3], 3, &device).require_grad();
            let (_, state) = net.run_with_state(inputs(input.clone())).expect("inputs that fit");
            let gradients = of(&state).backward();
            let gradient = values(&input.grad(&gradients).expect("a gradient"));
            let loss = |index: usize, step: f32| {
                let mut data = draw([3, 6, 3], 3, 1.0);
                data.as_mut_slice::<f32>().expect("float32 values")[index] += step;
                let (_, state) = on_plain.run_with_state(inputs(Tensor::from_data(data, &plain))).expect("inputs that fit");
                of(&state).into_scalar::<f32>()
            };
            for (index, gradient) in gradient.iter().enumerate() {
                let slope = (loss(index, 0.015_625) - loss(index, -0.015_625)) / 0.031_25;
                assert!((slope - gradient).abs() < 1e-3, "{what} [{index}]: {gradient} against {slope}");
            }
        }
    }
}

/// Two runs of a net stand side by side in one graph, and one whose output nobody kept goes back all the same.
#[test]
fn runs_do_not_mix() {
    let device = Device::flex().autodiff();
    for net in nets(&device, true) {
        let inputs = [3, 4].map(|seed| tensor([2, 5, 3], seed, &device).require_grad());
        let alone = inputs.clone().map(|input| {
            let (output, state) = net.forward_with_state(input.clone(), None, None);
            let gradients = (weighted(&output, 6) + of_state(&state, 7)).backward();
            (values(&input.grad(&gradients).expect("a gradient")), of_weights(&net, &gradients))
        });
        let [a, b] = inputs.clone().map(|input| net.forward_with_state(input, None, None));
        let (of_a, of_b) = (weighted(&a.0, 6) + of_state(&a.1, 7), weighted(&b.0, 6) + of_state(&b.1.clone(), 7));
        drop((a, b));
        let gradients = (of_a + of_b).backward();
        for (input, (expected, _)) in inputs.iter().zip(&alone) {
            same(&values(&input.grad(&gradients).expect("a gradient")), expected, "an input");
        }
        let sum: Vec<f32> = alone[0].1.iter().zip(&alone[1].1).map(|(a, b)| a + b).collect();
        same(&of_weights(&net, &gradients), &sum, "the weights");
    }
}

/// A net that is not trained, or not on an autodiff device at all, gives the same bits.
#[test]
fn runs_without_gradients_give_the_same() {
    let device = Device::flex().autodiff();
    for net in nets(&device, true) {
        let bits = |net: &Recurrent, device: &Device| {
            let (output, state) = net.forward_with_state(tensor([3, 7, 3], 3, device), None, None);
            let mut bits = values(&output);
            bits.extend(values(&state.hidden));
            bits.extend(state.cell.iter().flat_map(values));
            bits.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let trained = bits(&net, &device);
        assert!(trained == bits(&net.valid(), &Device::flex()), "{net:?} off the autodiff device");
        assert!(trained == bits(&net.clone().no_grad(), &device), "{net:?} without trained parameters");
    }
}

/// The weights' gradients do not depend on whether anybody asks for the input's, or for the state's.
#[test]
fn inputs_need_not_be_differentiated() {
    let device = Device::flex().autodiff();
    for net in nets(&device, true) {
        let of = |tracked: bool| {
            let input = tensor([3, 7, 3], 3, &device);
            let input = if tracked { input.require_grad() } else { input };
            of_weights(&net, &weighted(&net.forward(input, None), 6).backward())
        };
        assert!(of(true) == of(false), "{net:?}");
        let (output, _) = net.forward_with_state(tensor([3, 7, 3], 3, &device), None, None);
        assert!(of_weights(&net, &weighted(&output, 6).backward()) == of(false), "{net:?} with a state nobody uses");
    }
}

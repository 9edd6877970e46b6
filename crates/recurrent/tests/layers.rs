//! The named layers: what they are made of, what they say, and that they learn.

#[path = "common/draw.rs"]
mod draw;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use draw::{difference, draw, values};
use physiosynth_recurrent::{
    Cell, ConfigError, GruConfig, InputError, Inputs, Kernel, LengthError, Lengths, LstmConfig, RecurrentConfig, ResetGate,
    SimpleRnnConfig, State,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

fn input(device: &Device) -> Tensor<3> {
    Tensor::from_data(draw([4, 9, 3], 1, 1.0), device)
}

#[test]
fn names_stand_for_configurations() {
    let one = RecurrentConfig { input: 3, units: 6, bidirectional: false, ..Default::default() };
    assert_eq!(RecurrentConfig::from(LstmConfig::new(3, 6)), one);
    assert_eq!(
        RecurrentConfig::from(LstmConfig::new(3, 6).forget_bias(0.0)),
        RecurrentConfig { forget_bias: 0.0, ..one.clone() }
    );
    assert_eq!(RecurrentConfig::from(GruConfig::new(3, 6)), RecurrentConfig { cell: Cell::Gru, ..one.clone() });
    let before = GruConfig::new(3, 6).reset_gate(ResetGate::Before);
    assert_eq!(RecurrentConfig::from(before), RecurrentConfig { cell: Cell::Gru, reset_after: false, ..one.clone() });
    let all = SimpleRnnConfig::new(3, 6).layers(2).bidirectional(true).dropout(0.25).constant(4).checkpoint(16);
    let expected =
        RecurrentConfig { cell: Cell::Simple, layers: 2, bidirectional: true, dropout: 0.25, constant: 4, checkpoint: 16, ..one };
    assert_eq!(RecurrentConfig::from(all), expected);
}

#[test]
fn layers_run_the_net_beneath() {
    let device = Device::flex();
    let lstm = LstmConfig::new(3, 6).layers(2).bidirectional(true).init(&device, &mut rng());
    let (expected, end) = lstm.recurrent().forward_with_state(input(&device), None, None);
    let (output, state) = lstm.forward(input(&device));
    assert_eq!(values(&output), values(&expected));
    assert_eq!(values(&state.hidden), values(&end.hidden));
    assert_eq!(Some(values(&state.cell)), end.cell.as_ref().map(values));
    assert_eq!((output.dims(), state.cell.dims()), ([4, 9, 12], [4, 4, 6]));

    let gru = GruConfig::new(3, 6).init(&device, &mut rng());
    let (whole, end) = gru.forward(input(&device));
    let (_, hidden) = gru.forward(input(&device).narrow(1, 0, 4));
    let (_, hidden) = gru.forward(Inputs::new(input(&device).narrow(1, 4, 5)).state(&hidden));
    let expected: Vec<f64> = values(&end).into_iter().map(f64::from).collect();
    assert!(difference(&values(&hidden), &expected) < 1e-6);
    assert_eq!(whole.dims(), [4, 9, 6]);

    // The two GRUs are two.
    let before = GruConfig::new(3, 6).reset_gate(ResetGate::Before).init(&device, &mut rng());
    assert_ne!(values(&before.forward(input(&device)).0), values(&whole));

    let simple = SimpleRnnConfig::new(3, 6).layers(2).dropout(0.5).init(&device, &mut rng());
    let dropped = simple.forward(Inputs::new(input(&device)).dropout(&mut rng())).0;
    assert_ne!(values(&dropped), values(&simple.forward(input(&device)).0));
    let plain = simple.clone().with_kernel(Kernel::Plain).forward(input(&device)).0;
    let expected: Vec<f64> = values(&plain).into_iter().map(f64::from).collect();
    assert!(difference(&values(&simple.forward(input(&device)).0), &expected) < 1e-5);
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let device = Device::flex();
    let zeros = |shape: [usize; 3]| Tensor::<3>::zeros(shape, &device);
    let lstm = LstmConfig::new(3, 6).init(&device, &mut rng());
    let problem = |inputs: Inputs| lstm.run(inputs).err();
    assert_eq!(problem(zeros([4, 9, 2]).into()), Some(InputError::Features { expected: 3, found: 2 }));
    assert_eq!(problem(zeros([4, 0, 3]).into()), Some(InputError::Empty { batch: 4, time: 0 }));
    assert_eq!(problem(zeros([0, 9, 3]).into()), Some(InputError::Empty { batch: 0, time: 9 }));
    let constant = Inputs::new(zeros([4, 9, 3])).constant(Tensor::zeros([4, 2], &device));
    assert_eq!(problem(constant), Some(InputError::Constant { expected: [0, 0], found: [4, 2] }));
    let state = State { hidden: zeros([1, 4, 6]), cell: Some(zeros([1, 5, 6])) };
    let of_state = |state: State| problem(Inputs::new(zeros([4, 9, 3])).state(state));
    assert_eq!(of_state(state), Some(InputError::State { expected: [1, 4, 6], found: [1, 5, 6] }));
    assert_eq!(of_state(zeros([1, 4, 6]).into()), Some(InputError::NoCell));
    let lengths = Lengths::new(&[3, 9], 9).expect("lengths");
    let other = LengthError::OtherBatch { rows: 2, time: 9, batch: 4, steps: 9 };
    assert_eq!(problem(Inputs::new(zeros([4, 9, 3])).lengths(&lengths)), Some(other.into()));

    let gru = GruConfig::new(3, 6).constant(2).init(&device, &mut rng());
    let found = gru.run(zeros([4, 9, 3])).err();
    assert_eq!(found, Some(InputError::Constant { expected: [4, 2], found: [0, 0] }));
    let said = catch_unwind(AssertUnwindSafe(|| gru.forward(zeros([4, 9, 3])))).expect_err("a panic");
    let said = said.downcast_ref::<String>().expect("a message");
    assert!(said.contains("constant inputs of shape [4, 2]"), "{said}");
    assert_eq!(SimpleRnnConfig::new(3, 0).validate(), Err(ConfigError::Empty("units")));
}

/// Each layer learns to give back what it saw three steps before; an optimizer finds all its parameters.
#[test]
fn layers_learn() {
    let device = Device::flex().autodiff();
    macro_rules! losses {
        ($config:expr) => {{
            let mut layer = $config.init(&device, &mut rng());
            assert_eq!(layer.num_params(), layer.recurrent().num_params());
            let mut optimiser = AdamConfig::new().init();
            let mut losses = Vec::new();
            for _ in 0..60 {
                let input = Tensor::<3>::from_data(draw([16, 12, 1], 1, 0.7), &device);
                let (output, _) = layer.forward(input.clone());
                let recalled = output.narrow(1, 3, 9).narrow(2, 0, 1);
                let loss = (recalled - input.narrow(1, 0, 9)).square().mean();
                losses.push(loss.clone().into_scalar::<f32>());
                let gradients = GradientsParams::from_grads(loss.backward(), &layer);
                assert_eq!(gradients.len(), 4, "gradients of every parameter");
                layer = optimiser.step(0.03, layer, gradients);
            }
            (losses[0], losses[59])
        }};
    }
    for (first, last) in [
        losses!(LstmConfig::new(1, 8)),
        losses!(GruConfig::new(1, 8)),
        losses!(GruConfig::new(1, 8).reset_gate(ResetGate::Before)),
        losses!(SimpleRnnConfig::new(1, 8)),
    ] {
        assert!(last < 0.5 * first, "from {first} to {last}");
    }
}

//! Weights from PyTorch's and Keras's files: results, names, and what is said where they do not fit
//! (`goldens/make_state_dict.py`, `goldens/make_keras.py`).

#[path = "common/draw.rs"]
mod draw;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use draw::{difference, draw, values};
use physiosynth_recurrent::{
    Gru, GruConfig, Lstm, LstmConfig, Recurrent, RecurrentConfig, ResetGate, SimpleRnn, SimpleRnnConfig, StateDict,
    StateDictError,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn torch() -> StateDict {
    StateDict::from_bytes(include_bytes!("goldens/torch.safetensors")).expect("a safetensors file")
}

fn keras() -> StateDict {
    StateDict::from_bytes(include_bytes!("goldens/keras.safetensors")).expect("a safetensors file")
}

fn encoder(device: &Device) -> Lstm {
    LstmConfig::new(3, 5).layers(2).bidirectional(true).init(device, &mut rng())
}

fn decoder(device: &Device) -> Gru {
    GruConfig::new(4, 6).init(device, &mut rng())
}

fn elman(device: &Device) -> SimpleRnn {
    SimpleRnnConfig::new(2, 7).bidirectional(true).init(device, &mut rng())
}

fn tensor<const D: usize>(weights: &StateDict, name: &str) -> Tensor<D> {
    let shape: [usize; D] = weights.shape(name).expect("an array").try_into().expect("its rank");
    Tensor::from_data(TensorData::new(weights.values(name).expect("values"), shape), &Device::flex())
}

#[track_caller]
fn check(weights: &StateDict, name: &str, found: &Tensor<3>) {
    let expected: Tensor<3> = tensor(weights, name);
    assert_eq!(found.dims(), expected.dims(), "{name}");
    let expected: Vec<f64> = values(&expected).into_iter().map(f64::from).collect();
    let apart = difference(&values(found), &expected);
    assert!(apart <= 1e-5, "{name}: {apart:e}");
}

#[test]
fn layers_give_what_pytorchs_give() {
    let (weights, device) = (torch(), Device::flex());
    let lstm = encoder(&device).with_state_dict(&weights, "encoder.rnn.").expect("float32 weights");
    let (output, state) = lstm.forward(tensor::<3>(&weights, "encoder.rnn.expected.input"));
    check(&weights, "encoder.rnn.expected.output", &output);
    check(&weights, "encoder.rnn.expected.hidden", &state.hidden);
    check(&weights, "encoder.rnn.expected.cell", &state.cell);

    let gru = decoder(&device).with_state_dict(&weights, "decoder.").expect("float64 weights without biases");
    let (output, hidden) = gru.forward(tensor::<3>(&weights, "decoder.expected.input"));
    check(&weights, "decoder.expected.output", &output);
    check(&weights, "decoder.expected.hidden", &hidden);

    let simple = elman(&device).with_state_dict(&weights, "").expect("float16 weights without a prefix");
    let (output, hidden) = simple.forward(tensor::<3>(&weights, "expected.input"));
    check(&weights, "expected.output", &output);
    check(&weights, "expected.hidden", &hidden);

    let small = LstmConfig::new(2, 3).init(&device, &mut rng());
    let small = small.with_state_dict(&weights, "small.").expect("bfloat16 weights");
    let (output, state) = small.forward(tensor::<3>(&weights, "small.expected.input"));
    check(&weights, "small.expected.output", &output);
    check(&weights, "small.expected.cell", &state.cell);
}

#[test]
fn layers_give_what_kerass_give() {
    let (weights, device) = (keras(), Device::flex());
    let run = |name: &str, net: Recurrent, prefixes: &[&str]| {
        let net = net.with_keras_weights(&weights, prefixes).expect("weights that fit");
        let output = net.forward(tensor(&weights, &format!("expected/{name}/input")), None);
        check(&weights, &format!("expected/{name}/output"), &output);
    };
    let rng = &mut rng();
    run("lstm", LstmConfig::new(3, 5).init(&device, rng).into(), &["lstm/lstm_cell/"]);
    let both = LstmConfig::new(3, 4).layers(2).bidirectional(true).init(&device, rng);
    let cells = [
        "both_0/forward_lstm/lstm_cell/",
        "both_0/backward_lstm/lstm_cell/",
        "both_1/forward_lstm_1/lstm_cell/",
        "both_1/backward_lstm_1/lstm_cell/",
    ];
    run("both", both.into(), &cells);
    run("after", GruConfig::new(3, 5).init(&device, rng).into(), &["after/gru_cell/"]);
    let before = GruConfig::new(3, 5).reset_gate(ResetGate::Before).init(&device, rng);
    run("before", before.into(), &["before/gru_cell/"]);
    run("bare", GruConfig::new(3, 3).init(&device, rng).into(), &["bare/gru_cell/"]);
    run("simple", SimpleRnnConfig::new(3, 6).init(&device, rng).into(), &["simple/simple_rnn_cell/"]);

    let message = |problem: Result<Gru, StateDictError>| problem.expect_err("weights that do not fit").to_string();
    let gru = || GruConfig::new(3, 5).init(&device, &mut self::rng());
    let found = message(gru().with_keras_weights(&weights, &["before/gru_cell/"]));
    assert!(found.contains("before/gru_cell/bias") && found.contains("[15]") && found.contains("[2, 15]"), "{found}");
    assert!(found.contains("reset_after"), "{found}");
    let found = message(gru().with_keras_weights(&weights, &["gru/"]));
    assert!(found.contains("\"after/gru_cell/\""), "{found}");
    let found = message(gru().with_keras_weights(&weights, &[]));
    assert!(found.contains("1 in all"), "{found}");
    let found = message(gru().with_keras_weights(&weights, &["after/gru_cell/", "bare/gru_cell/"]));
    assert!(found.contains("bare/gru_cell/kernel"), "{found}");
}

#[test]
fn weights_go_back_under_the_same_names() {
    let (weights, device) = (torch(), Device::flex().autodiff());
    let lstm = encoder(&device).with_state_dict(&weights, "encoder.rnn.").expect("weights that fit");
    let written = lstm.state_dict("encoder.rnn.").expect("weights of the device");
    let of_layer = |name: &&str| name.starts_with("encoder.rnn.") && !name.contains("expected");
    assert_eq!(written.names().collect::<Vec<_>>(), weights.names().filter(of_layer).collect::<Vec<_>>());
    for name in written.names() {
        assert_eq!(written.shape(name), weights.shape(name), "{name}");
        assert_eq!(written.values(name).expect("values"), weights.values(name).expect("values"), "{name}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lstm.safetensors");
    written.write(&path).expect("a file");
    let read = StateDict::read(&path).expect("the file");
    assert_eq!(read.to_bytes().expect("bytes"), written.to_bytes().expect("bytes"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left there");
    let again = encoder(&device).with_state_dict(&read, "encoder.rnn.").expect("weights that fit");
    assert_eq!(again.state_dict("").expect("weights"), lstm.state_dict("").expect("weights"));
}

/// Loaded parameters are those of before: trained where they were, and known to optimizers by the same identity.
#[test]
fn parameters_stay_what_they_are() {
    let device = Device::flex().autodiff();
    let before: Recurrent = encoder(&device).into();
    let after = before.clone().with_state_dict(&torch(), "encoder.rnn.").expect("weights that fit");
    assert_ne!(values(&before.layers[1].weight_hh.val()), values(&after.layers[1].weight_hh.val()));
    assert_eq!(before.layers[1].weight_hh.id, after.layers[1].weight_hh.id);
    let input = Tensor::<3>::from_data(draw([2, 3, 3], 1, 1.0), &device);
    let gradients = after.forward(input, None).sum().backward();
    assert!(after.layers[0].bias_hh.val().grad(&gradients).is_some());
    // Put on a plain device and back, as for a validation.
    let plain: Recurrent = encoder(&Device::flex()).into();
    let plain = plain.with_state_dict(&torch(), "encoder.rnn.").expect("weights that fit");
    assert!(plain.train().layers[0].bias_hh.val().is_require_grad());
    let frozen = before.no_grad().with_state_dict(&torch(), "encoder.rnn.").expect("weights that fit");
    assert!(!frozen.layers[0].bias_hh.val().is_require_grad());
}

/// Inputs that are constant over time have the last columns.
#[test]
fn constants_stand_behind_the_features() {
    let (weights, device) = (torch(), Device::flex());
    let config = RecurrentConfig { input: 2, constant: 1, units: 5, layers: 2, ..Default::default() };
    let net = config.init(&device, &mut rng()).with_state_dict(&weights, "encoder.rnn.").expect("weights that fit");
    let whole = encoder(&device).with_state_dict(&weights, "encoder.rnn.").expect("weights that fit");
    let constant = Tensor::<2>::from_data(draw([2, 1], 2, 1.0), &device);
    let sequence = Tensor::<3>::from_data(draw([2, 4, 2], 3, 1.0), &device);
    let repeated = Tensor::cat(vec![sequence.clone(), constant.clone().unsqueeze_dim::<3>(1).expand([2, 4, 1])], 2);
    let inputs = physiosynth_recurrent::Inputs::new(sequence).constant(constant);
    let found = values(&net.run(inputs).expect("inputs that fit"));
    let expected: Vec<f64> = values(&whole.forward(repeated).0).into_iter().map(f64::from).collect();
    assert!(difference(&found, &expected) < 1e-6);
}

#[test]
fn what_does_not_fit_is_said() {
    let device = Device::flex();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("net.safetensors");
    torch().write(&path).expect("a file");
    let weights = StateDict::read(&path).expect("the file");
    let says = |problem: Option<StateDictError>, parts: &[&str]| {
        let found = problem.expect("a problem").to_string();
        for part in parts {
            assert!(found.contains(part), "`{part}` is not in `{found}`");
        }
    };
    let lstm = |input, units, layers, bidirectional| {
        let config = LstmConfig::new(input, units).layers(layers).bidirectional(bidirectional);
        config.init(&device, &mut rng()).with_state_dict(&weights, "encoder.rnn.").err()
    };
    let file = path.display().to_string();
    says(lstm(3, 8, 2, true), &[&file, "`encoder.rnn.weight_ih_l0`", "[20, 3]", "[32, 3]", "units = 5"]);
    says(lstm(4, 5, 2, true), &["`encoder.rnn.weight_ih_l0`", "[20, 3]", "[20, 4]", "input + constant = 3"]);
    says(lstm(3, 5, 1, true), &["_l1", "layers = 2"]);
    says(lstm(3, 5, 3, true), &["`encoder.rnn.weight_ih_l2`", "layers = 2"]);
    says(lstm(3, 5, 2, false), &["_reverse", "bidirectional = true"]);
    let elsewhere = encoder(&device).with_state_dict(&weights, "rnn.").err();
    says(elsewhere, &["`rnn.weight_ih_l0`", "\"encoder.rnn.\"", "\"decoder.\"", "\"\""]);
    says(LstmConfig::new(4, 6).init(&device, &mut rng()).with_state_dict(&weights, "decoder.").err(), &["[18, 4]", "[24, 4]"]);
    let both = GruConfig::new(4, 6).bidirectional(true).init(&device, &mut rng());
    says(both.with_state_dict(&weights, "decoder.").err(), &["`decoder.weight_ih_l0_reverse`", "bidirectional = false"]);
    // Three gates of 20 units have the rows of four of 15.
    let mut odd = StateDict::new();
    odd.extend(GruConfig::new(1, 20).init(&device, &mut rng()).state_dict("").expect("weights"));
    says(LstmConfig::new(1, 15).init(&device, &mut rng()).with_state_dict(&odd, "").err(), &["weight_hh_l0", "3 gates", "GRU 3"]);

    let some = |name: &str, shape: &[usize], value: f32| {
        let mut weights = decoder(&device).state_dict("").expect("weights");
        weights.insert(name, shape, &vec![value; shape.iter().product()]).expect("values of that shape");
        decoder(&device).with_state_dict(&weights, "").err()
    };
    says(some("weight_hr_l0", &[1], 0.0), &["weight_hr_l0", "proj_size"]);
    says(some("bias_hh_l0", &[6], 0.0), &["bias_hh_l0", "[6]", "[18]"]);
    assert!(some("bias_of_mine", &[6], 0.0).is_none() && some("linear_l2.weight", &[6], 0.0).is_none());
    assert!(StateDict::new().insert("a", &[2, 2], &[1.0]).is_err());

    says(weights.values("encoder.steps").err(), &[&file, "encoder.steps", "I64", "F32"]);
    says(weights.values("nothing").err(), &["nothing"]);
    says(StateDict::read(folder.path().join("none")).err(), &["none", "reading"]);
    std::fs::write(&path, b"PK\x03\x04 a file of torch.save").expect("a file");
    says(StateDict::read(&path).err(), &[&file, "safetensors.torch.save_file"]);
    says(weights.write(folder.path().join("no/such/folder")).err(), &["writing"]);
}

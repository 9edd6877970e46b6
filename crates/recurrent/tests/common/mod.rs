//! Runs that give back every gradient.

mod draw;

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
pub use draw::{difference, draw, values};
use physiosynth_recurrent::{Cell, Inputs, Kernel, Lengths, Recurrent, RecurrentConfig, State};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a net is run on, apart from the net.
#[derive(Debug, Clone)]
pub struct Given {
    /// Batch and time.
    pub size: [usize; 2],
    /// Whether the states start at drawn values instead of zeros.
    pub initial: bool,
    /// Largest weight.
    pub scale: f32,
    /// Steps of each row.
    pub lengths: Option<Vec<usize>>,
}

/// Everything that is drawn, by name.
pub type Operands = BTreeMap<String, TensorData>;

/// Input, constants, states and weights, as the goldens' script draws them.
pub fn operands(config: &RecurrentConfig, given: &Given) -> Operands {
    let ([batch, time], scale) = (given.size, given.scale);
    let (directions, rows, units) = (config.directions(), config.cell.gates() * config.units, config.units);
    let mut drawn = Operands::from([("input".to_owned(), draw([batch, time, config.input], 100, 1.0))]);
    if given.initial {
        drawn.insert("hidden".to_owned(), draw([config.layers * directions, batch, units], 101, 1.0));
        if config.cell == Cell::Lstm {
            drawn.insert("cell_state".to_owned(), draw([config.layers * directions, batch, units], 102, 1.0));
        }
    }
    if config.constant > 0 {
        drawn.insert("constant".to_owned(), draw([batch, config.constant], 103, 1.0));
    }
    for index in 0..config.layers {
        let input = if index == 0 { config.input + config.constant } else { config.output() };
        let seed = 10 * index as u64;
        drawn.insert(format!("weight_ih.{index}"), draw([directions, rows, input], seed, scale));
        drawn.insert(format!("weight_hh.{index}"), draw([directions, rows, units], seed + 1, scale));
        drawn.insert(format!("bias_ih.{index}"), draw([directions, rows], seed + 2, scale));
        drawn.insert(format!("bias_hh.{index}"), draw([directions, rows], seed + 3, scale));
    }
    drawn
}

/// A net with these weights.
pub fn net_of(config: &RecurrentConfig, operands: &Operands, device: &Device) -> Recurrent {
    let mut net = config.init(device, &mut ChaCha8Rng::seed_from_u64(1));
    for (index, layer) in net.layers.iter_mut().enumerate() {
        let drawn = |name: &str| operands[&format!("{name}.{index}")].clone();
        layer.weight_ih = Param::from_data(drawn("weight_ih"), device);
        layer.weight_hh = Param::from_data(drawn("weight_hh"), device);
        layer.bias_ih = Param::from_data(drawn("bias_ih"), device);
        layer.bias_hh = Param::from_data(drawn("bias_hh"), device);
    }
    net
}

/// A run: what went in, and what came out.
pub struct Run {
    pub net: Recurrent,
    pub input: Tensor<3>,
    pub constant: Option<Tensor<2>>,
    pub state: Option<State>,
    pub output: Tensor<3>,
    pub last: State,
}

/// Runs a net forward on `operands`.
pub fn forward(config: &RecurrentConfig, given: &Given, operands: &Operands, kernel: Kernel, device: &Device) -> Run {
    let net = net_of(config, operands, device).with_kernel(kernel);
    let leaf = |name: &str| {
        let data = operands.get(name)?.clone();
        let tensor = Tensor::<3>::from_data(data, device);
        Some(if device.is_autodiff() { tensor.require_grad() } else { tensor })
    };
    let input = leaf("input").expect("an input");
    let state = leaf("hidden").map(|hidden| State { hidden, cell: leaf("cell_state") });
    let constant = operands.get("constant").map(|data| {
        let tensor = Tensor::<2>::from_data(data.clone(), device);
        if device.is_autodiff() { tensor.require_grad() } else { tensor }
    });
    let mut inputs = Inputs::new(input.clone());
    if let Some(state) = &state {
        inputs = inputs.state(state);
    }
    if let Some(constant) = &constant {
        inputs = inputs.constant(constant.clone());
    }
    if let Some(lengths) = &given.lengths {
        inputs = inputs.lengths(&Lengths::new(lengths, given.size[1]).expect("lengths"));
    }
    let (output, last) = net.run_with_state(inputs).expect("operands that fit");
    Run { net, input, constant, state, output, last }
}

/// Runs a net forward and back on `operands`: outputs, last states and gradients by name.
pub fn run_on(
    config: &RecurrentConfig,
    given: &Given,
    operands: &Operands,
    kernel: Kernel,
    device: &Device,
) -> BTreeMap<String, Vec<f32>> {
    let device = device.clone().autodiff();
    let Run { net, input, constant, state, output, last } = forward(config, given, operands, kernel, &device);
    let weighted = |tensor: &Tensor<3>, seed| (tensor.clone() * Tensor::from_data(draw(tensor.dims(), seed, 1.0), &device)).sum();
    let mut loss = weighted(&output, 200) + weighted(&last.hidden, 201);
    if let Some(cell) = &last.cell {
        loss = loss + weighted(cell, 202);
    }
    let gradients = loss.backward();
    let mut found = BTreeMap::from([("output".to_owned(), values(&output)), ("hidden".to_owned(), values(&last.hidden))]);
    if let Some(cell) = &last.cell {
        found.insert("cell_state".to_owned(), values(cell));
    }
    let mut add = |name: String, gradient: Option<Vec<f32>>| {
        let gradient = gradient.unwrap_or_else(|| panic!("gradient of {name}"));
        found.insert(format!("d_{name}"), gradient);
    };
    add("input".to_owned(), input.grad(&gradients).as_ref().map(values));
    if let Some(constant) = constant {
        add("constant".to_owned(), constant.grad(&gradients).as_ref().map(values));
    }
    if let Some(State { hidden, cell }) = state {
        add("hidden".to_owned(), hidden.grad(&gradients).as_ref().map(values));
        if let Some(cell) = cell {
            add("cell_state".to_owned(), cell.grad(&gradients).as_ref().map(values));
        }
    }
    for (index, layer) in net.layers.iter().enumerate() {
        add(format!("weight_ih.{index}"), layer.weight_ih.val().grad(&gradients).as_ref().map(values));
        add(format!("weight_hh.{index}"), layer.weight_hh.val().grad(&gradients).as_ref().map(values));
        add(format!("bias_ih.{index}"), layer.bias_ih.val().grad(&gradients).as_ref().map(values));
        add(format!("bias_hh.{index}"), layer.bias_hh.val().grad(&gradients).as_ref().map(values));
    }
    found
}

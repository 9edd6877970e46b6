//! One training step (bidirectional layer, linear head, Adam) and one forward pass, in milliseconds: the fused kernel, the
//! plain tensor operations and burn's stock LSTM, taken in turns so that a busy machine slows all of them alike. Medians.
//!
//! ```text
//! cargo bench -p physiosynth-recurrent            # batch 64, time 256, units 64
//! cargo bench -p physiosynth-recurrent -- 32 1024 64
//! cargo bench -p physiosynth-recurrent -- 32 1024 64 fused   # the fused kernel alone
//! ```

use std::time::Instant;

use burn::module::{Module, ModuleDisplay};
use burn::nn::{BiLstm, BiLstmConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use physiosynth_recurrent::{Cell, Kernel, Recurrent, RecurrentConfig};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Features of the input at each time step.
const FEATURES: usize = 16;
const ROUNDS: usize = 7;

/// A recurrent layer and its head.
#[derive(Module, Debug)]
struct Net<R: ModuleDisplay> {
    layer: R,
    head: Linear,
}

/// What is measured: how a layer runs.
trait Layer: Module + ModuleDisplay {
    fn run(&self, input: Tensor<3>) -> Tensor<3>;
}

impl Layer for Recurrent {
    fn run(&self, input: Tensor<3>) -> Tensor<3> {
        self.forward(input, None)
    }
}

impl Layer for BiLstm {
    fn run(&self, input: Tensor<3>) -> Tensor<3> {
        self.forward(input, None).0
    }
}

/// One contender: gives the times of a training step and of a forward pass.
type Contender = (String, Box<dyn FnMut() -> [f64; 2]>);

fn contender<R: Layer + 'static>(name: &str, layer: R, input: &Tensor<3>, units: usize) -> Contender {
    let device = input.device();
    let mut net = Some(Net { layer, head: LinearConfig::new(2 * units, 1).init(&device) });
    let mut adam = AdamConfig::new().init();
    let input = input.clone();
    let run = move || {
        let start = Instant::now();
        let model = net.take().expect("a net");
        let loss = model.head.forward(model.layer.run(input.clone())).powi_scalar(2).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let model = adam.step(1e-3, model, gradients);
        let step = start.elapsed().as_secs_f64() * 1e3;
        let plain = model.valid();
        let inner = input.clone().inner();
        let start = Instant::now();
        std::hint::black_box(plain.layer.run(inner).sum().into_scalar::<f32>());
        let forward = start.elapsed().as_secs_f64() * 1e3;
        net = Some(model);
        [step, forward]
    };
    (name.to_owned(), Box::new(run))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let [batch, time, units] = sizes.try_into().unwrap_or([64, 256, 64]);
    let fused_only = arguments.iter().any(|argument| argument == "fused");
    let device = Device::flex().autodiff();
    let input = Tensor::random([batch, time, FEATURES], Distribution::Default, &device);
    let mut contenders = Vec::new();
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let config = RecurrentConfig { cell, input: FEATURES, units, ..RecurrentConfig::default() };
        let net = config.init(&device, &mut ChaCha8Rng::seed_from_u64(1));
        contenders.push(contender(&format!("fused {cell:?}"), net.clone(), &input, units));
        if !fused_only {
            contenders.push(contender(&format!("plain {cell:?}"), net.with_kernel(Kernel::Plain), &input, units));
        }
    }
    if !fused_only {
        let stock = BiLstmConfig::new(FEATURES, units, true).init(&device);
        contenders.push(contender("burn-nn BiLstm", stock, &input, units));
    }
    let mut times = vec![[const { Vec::new() }; 2]; contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, run), times) in contenders.iter_mut().zip(&mut times) {
            let found = run();
            times.iter_mut().zip(found).for_each(|(times, found)| times.push(found));
        }
    }
    println!("batch {batch}, time {time}, units {units}, {FEATURES} features, both directions: medians of {ROUNDS}, ms");
    println!("{:<16} {:>14} {:>10}", "", "training step", "forward");
    for ((name, _), times) in contenders.iter().zip(&mut times) {
        let [step, forward] = times.each_mut().map(|times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("{name:<16} {step:>14.1} {forward:>10.1}");
    }
}

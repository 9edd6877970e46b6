//! What the benches time: a training step (recurrent layer, linear head, mean square, Adam) and a forward pass.

use burn::module::{Module, ModuleDisplay};
use burn::nn::{BiLstm, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use physiosynth_recurrent::{Cell, Recurrent, RecurrentConfig};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Features of the input at each time step.
pub const FEATURES: usize = 16;

/// What is measured: how a layer runs.
pub trait Layer: Module + ModuleDisplay {
    /// `[batch, time, features]` → `[batch, time, width]`.
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

/// A layer and its head.
#[derive(Module, Debug)]
struct Net<R: ModuleDisplay> {
    layer: R,
    head: Linear,
}

impl<R: Layer> Net<R> {
    fn loss(&self, input: Tensor<3>) -> Tensor<1> {
        self.head.forward(self.layer.run(input)).powi_scalar(2).mean()
    }
}

/// A net in training.
pub struct Training<R: ModuleDisplay> {
    /// Always there but while a step is under way: Adam takes the net and gives it back.
    net: Option<Net<R>>,
    adam: ModuleOptimizer,
    device: Device,
}

impl<R: Layer> Training<R> {
    /// `layer`, whose output is `width` wide, under a head of one output, on an autodiff device.
    pub fn new(layer: R, width: usize, device: &Device) -> Self {
        let head = LinearConfig::new(width, 1).init(device);
        Self { net: Some(Net { layer, head }), adam: AdamConfig::new().init(), device: device.clone() }
    }

    /// One step: forward, back, Adam. Returns when the device is done.
    pub fn step(&mut self, input: &Tensor<3>) {
        let net = self.net.take().expect("a net between steps");
        let gradients = GradientsParams::from_grads(net.loss(input.clone()).backward(), &net);
        self.net = Some(self.adam.step(1e-3, net, gradients));
        self.device.sync().expect("a device that works");
    }

    /// One pass through layer and head that keeps nothing for the way back. Returns when the output is there.
    pub fn forward(&self, input: &Tensor<3>) -> Tensor<3> {
        let net = self.net.as_ref().expect("a net between steps").valid();
        let output = net.head.forward(net.layer.run(input.clone().inner()));
        self.device.sync().expect("a device that works");
        output
    }
}

/// One bidirectional layer of this crate in training.
pub fn bidirectional(cell: Cell, units: usize, device: &Device) -> Training<Recurrent> {
    let config = RecurrentConfig { cell, input: FEATURES, units, ..RecurrentConfig::default() };
    Training::new(config.init(device, &mut ChaCha8Rng::seed_from_u64(1)), config.output(), device)
}

/// Values between −1 and 1.
pub fn drawn<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

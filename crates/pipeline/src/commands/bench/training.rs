//! What `bench` times: a bidirectional recurrent layer under a linear head, in training and at work, and what it costs.

use anyhow::{Context, Result};
use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use physiosynth_recurrent::{Cell, Recurrent, RecurrentConfig};
use physiosynth_signal::Seed;
use rand::Rng;

use super::Size;

/// Features of the input at each time step.
pub(super) const FEATURES: usize = 16;

/// The two things that are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// One training step: forward, mean of squares, back, Adam.
    Train,
    /// Layer and head over one batch, keeping nothing for the way back.
    Forward,
}

impl Pass {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Forward => "forward",
        }
    }

    /// Floating-point operations of the products; a multiplication and an addition are two. Per row, step and direction, with
    /// F features, U units and G gates: forward 2·G·U·(F + U), and 2·U in the head; back 2·G·U·U for the hidden state before,
    /// 2·G·U·(F + U) for the weights, 4·U in the head. (The input of the first layer needs no gradient.)
    pub(super) fn operations(self, cell: Cell, size: Size) -> f64 {
        let (units, gates, features) = (size.units as f64, cell.gates() as f64, FEATURES as f64);
        let rows = 2.0 * (size.batch * size.time) as f64;
        let forward = 2.0 * gates * units * (features + units) + 2.0 * units;
        let back = 2.0 * gates * units * (features + 2.0 * units) + 4.0 * units;
        match self {
            Self::Train => rows * (forward + back),
            Self::Forward => rows * forward,
        }
    }
}

#[derive(Module, Debug)]
struct Net {
    recurrent: Recurrent,
    /// `[directions × units, 1]`.
    head: Param<Tensor<2>>,
}

impl Net {
    /// `[batch, time, features]` → `[batch × time, 1]`.
    fn run(&self, input: Tensor<3>) -> Tensor<2> {
        let [batch, time, _] = input.dims();
        let [width, _] = self.head.val().dims();
        self.recurrent.forward(input, None).reshape([batch * time, width]).matmul(self.head.val())
    }
}

/// A net with its optimiser and a batch.
pub(super) struct Training {
    net: Net,
    adam: ModuleOptimizer,
    input: Tensor<3>,
    device: Device,
}

impl Training {
    /// One bidirectional layer with values drawn from a fixed seed, on `device`.
    pub(super) fn new(cell: Cell, size: Size, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let mut rng = Seed(0).stream("bench", 0);
        let config = RecurrentConfig { cell, input: FEATURES, units: size.units, ..RecurrentConfig::default() };
        let recurrent = config.init(&device, &mut rng);
        let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5).collect() };
        let head = TensorData::new(draw(config.output()), [config.output(), 1]);
        let input = TensorData::new(draw(size.batch * size.time * FEATURES), [size.batch, size.time, FEATURES]);
        Self {
            net: Net { recurrent, head: Param::from_data(head, &device) },
            adam: AdamConfig::new().init(),
            input: Tensor::from_data(input, &device),
            device,
        }
    }

    /// Does it once, and returns when the device is done.
    pub(super) fn run(&mut self, pass: Pass) -> Result<()> {
        match pass {
            Pass::Train => {
                let loss = self.net.run(self.input.clone()).powi_scalar(2).mean();
                let gradients = GradientsParams::from_grads(loss.backward(), &self.net);
                self.net = self.adam.step(1e-3, self.net.clone(), gradients);
            }
            Pass::Forward => drop(self.net.valid().run(self.input.clone().inner())),
        }
        self.device.sync().context("the device failed while it was timed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_by_hand() {
        // Two rows and directions; 1 gate of 1 unit: forward 2·(16 + 1) + 2, back 2·(16 + 2) + 4.
        let size = Size { batch: 1, time: 1, units: 1 };
        assert_eq!(Pass::Forward.operations(Cell::Simple, size), 2.0 * 36.0);
        assert_eq!(Pass::Train.operations(Cell::Simple, size), 2.0 * (36.0 + 40.0));
        let ratio = |a, b| Pass::Forward.operations(a, size) / Pass::Forward.operations(b, size);
        assert!(ratio(Cell::Lstm, Cell::Gru) > 1.0 && ratio(Cell::Gru, Cell::Simple) > 2.0);
    }

    #[test]
    fn a_step_changes_the_weights_and_a_pass_does_not() {
        let size = Size { batch: 2, time: 3, units: 4 };
        let mut training = Training::new(Cell::Gru, size, &Device::flex());
        let weights = |training: &Training| -> Vec<f32> { training.net.head.val().try_into_vec_as().unwrap() };
        let drawn = weights(&training);
        training.run(Pass::Forward).unwrap();
        assert_eq!(weights(&training), drawn);
        training.run(Pass::Train).unwrap();
        assert_ne!(weights(&training), drawn);
    }
}

//! The net: layers over one another, states, dropout between them.

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::TensorData;
use rand::Rng;

use crate::{Cell, RecurrentConfig, fused, plain};

/// One layer's weights; index 0 of the first axis is the forward direction, 1 the backward one.
///
/// With `directions = 1`, `layers[l].weight_ih[0]` is PyTorch's `weight_ih_l{l}`, and so on; `[1]` is the one whose name
/// ends in `_reverse`. Rows hold the gates one after the other, `units` rows each, in PyTorch's order: i, f, g, o (LSTM),
/// r, z, n (GRU).
#[derive(Module, Debug)]
pub struct Layer {
    /// Weights from the input: `[directions, gates × units, features]`.
    pub weight_ih: Param<Tensor<3>>,
    /// Weights from the hidden state: `[directions, gates × units, units]`.
    pub weight_hh: Param<Tensor<3>>,
    /// Biases beside the input's product: `[directions, gates × units]`.
    pub bias_ih: Param<Tensor<2>>,
    /// Biases beside the hidden state's product: `[directions, gates × units]`. They differ in effect from `bias_ih` only
    /// in a GRU's candidate n.
    pub bias_hh: Param<Tensor<2>>,
}

/// A stacked, uni- or bidirectional recurrent net, made by [`RecurrentConfig::init`].
#[derive(Module, Debug)]
pub struct Recurrent {
    /// Weights, from the input upwards.
    pub layers: Vec<Layer>,
    #[module(skip)]
    pub(crate) config: RecurrentConfig,
    #[module(skip)]
    pub(crate) kernel: Kernel,
}

/// Which code runs a sequence. [`Kernel::Auto`] unless two are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    /// The fused kernel where the device and the cell have one, else the plain operations.
    #[default]
    Auto,
    /// burn's tensor operations, step by step: runs on every device.
    Plain,
}

/// What a net carries from one piece of a sequence to the next, as in PyTorch: row `layer × directions + direction`.
#[derive(Debug, Clone)]
pub struct State {
    /// Hidden states: `[layers × directions, batch, units]`.
    pub hidden: Tensor<3>,
    /// Cell states of an LSTM, shaped as `hidden`; none for other cells.
    pub cell: Option<Tensor<3>>,
}

/// A layer's slice of the state: `[directions, batch, units]` each. Cells without a cell state carry it untouched.
#[derive(Debug, Clone)]
pub(crate) struct LayerState {
    pub hidden: Tensor<3>,
    pub cell: Tensor<3>,
}

impl Recurrent {
    /// What the net was made from.
    pub fn config(&self) -> &RecurrentConfig {
        &self.config
    }

    /// The same net with sequences run by `kernel`.
    #[must_use]
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Runs the net over `input`, `[batch, time, features]`, from zero states; gives `[batch, time, directions × units]`.
    ///
    /// `dropout` is the host's generator while training: masks are drawn from it, so they depend on it alone. `None`
    /// drops nothing.
    pub fn forward(&self, input: Tensor<3>, dropout: Option<&mut dyn Rng>) -> Tensor<3> {
        self.run(input, None, dropout, false).0
    }

    /// As [`forward`](Self::forward), from `state` (zeros where `None`), and gives the state after the last step too.
    ///
    /// The forward direction ends at the last step, the backward one at the first. Running a sequence in two pieces with
    /// the state carried over equals running it whole when the net has one direction only.
    pub fn forward_with_state(
        &self,
        input: Tensor<3>,
        state: Option<&State>,
        dropout: Option<&mut dyn Rng>,
    ) -> (Tensor<3>, State) {
        let (output, states) = self.run(input, state, dropout, true);
        let (hidden, cells): (Vec<_>, Vec<_>) = states.into_iter().map(|state| (state.hidden, state.cell)).unzip();
        let cell = (self.config.cell == Cell::Lstm).then(|| Tensor::cat(cells, 0));
        (output, State { hidden: Tensor::cat(hidden, 0), cell })
    }

    fn run(
        &self,
        mut input: Tensor<3>,
        state: Option<&State>,
        mut dropout: Option<&mut dyn Rng>,
        keep_states: bool,
    ) -> (Tensor<3>, Vec<LayerState>) {
        let mut states = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0
                && self.config.dropout > 0.0
                && let Some(rng) = dropout.as_deref_mut()
            {
                input = drop_out(input, self.config.dropout, rng);
            }
            let initial = self.initial(index, state, &input);
            let (output, last) = if self.kernel == Kernel::Auto && fused::supports(&self.config, &input) {
                fused::run(&self.config, layer, input, initial, keep_states)
            } else {
                plain::run(&self.config, layer, input, initial)
            };
            if keep_states {
                states.push(last);
            }
            input = output;
        }
        (input, states)
    }

    fn initial(&self, layer: usize, state: Option<&State>, input: &Tensor<3>) -> LayerState {
        let directions = self.config.directions();
        let shape = [directions, input.dims()[0], self.config.units];
        let rows = |tensor: &Tensor<3>| tensor.clone().narrow(0, layer * directions, directions);
        let zeros = || Tensor::zeros(shape, &input.device());
        LayerState {
            hidden: state.map_or_else(zeros, |state| rows(&state.hidden)),
            cell: state.and_then(|state| state.cell.as_ref()).map_or_else(zeros, rows),
        }
    }
}

/// Zeroes a share of the values and scales the others up, so that the mean stays.
fn drop_out(input: Tensor<3>, share: f64, rng: &mut dyn Rng) -> Tensor<3> {
    let shape = input.dims();
    let threshold = (share * 2.0_f64.powi(32)) as u32;
    let kept = (1.0 / (1.0 - share)) as f32;
    let mask: Vec<f32> = (0..shape.iter().product()).map(|_| if rng.next_u32() < threshold { 0.0 } else { kept }).collect();
    let mask = Tensor::from_data(TensorData::new(mask, shape), &input.device());
    input * mask
}

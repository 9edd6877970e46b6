//! The net: layers over one another, states, dropout between them.

use burn::Tensor;
use burn::module::Module;
use burn::tensor::TensorData;
use rand::Rng;

use crate::layer::{LayerRun, LayerState};
use crate::{Cell, InputError, Inputs, Kernel, Layer, RecurrentConfig, operation, plain};

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

/// What a net carries from one piece of a sequence to the next, as in PyTorch: row `layer × directions + direction`.
#[derive(Debug, Clone)]
pub struct State {
    /// Hidden states: `[layers × directions, batch, units]`.
    pub hidden: Tensor<3>,
    /// Cell states of an LSTM, shaped as `hidden`; none for other cells.
    pub cell: Option<Tensor<3>>,
}

impl From<&State> for State {
    fn from(state: &State) -> Self {
        state.clone()
    }
}

impl From<Tensor<3>> for State {
    /// Hidden states alone.
    fn from(hidden: Tensor<3>) -> Self {
        Self { hidden, cell: None }
    }
}

impl From<&Tensor<3>> for State {
    /// Hidden states alone.
    fn from(hidden: &Tensor<3>) -> Self {
        hidden.clone().into()
    }
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
    /// drops nothing. Constant inputs, lengths, and errors instead of panics: [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// Where [`run`](Self::run) gives an error.
    pub fn forward(&self, input: Tensor<3>, dropout: Option<&mut dyn Rng>) -> Tensor<3> {
        or_panic(self.run(Inputs { dropout, ..Inputs::new(input) }))
    }

    /// As [`forward`](Self::forward), from `state` (zeros where `None`), and gives the state after the last step too.
    ///
    /// The forward direction ends at the last step, the backward one at the first. Running a sequence in two pieces with
    /// the state carried over equals running it whole when the net has one direction only.
    ///
    /// # Panics
    ///
    /// Where [`run_with_state`](Self::run_with_state) gives an error.
    pub fn forward_with_state(
        &self,
        input: Tensor<3>,
        state: Option<&State>,
        dropout: Option<&mut dyn Rng>,
    ) -> (Tensor<3>, State) {
        or_panic(self.run_with_state(Inputs { state: state.cloned(), dropout, ..Inputs::new(input) }))
    }

    /// Runs the net; gives `[batch, time, directions × units]`, zeros behind a row's length.
    pub fn run(&self, inputs: Inputs<'_>) -> Result<Tensor<3>, InputError> {
        inputs.check(&self.config)?;
        Ok(self.stack(inputs, false).0)
    }

    /// As [`run`](Self::run), and gives each row's state after its last step (the backward direction's: after its first) too.
    pub fn run_with_state(&self, inputs: Inputs<'_>) -> Result<(Tensor<3>, State), InputError> {
        inputs.check(&self.config)?;
        let (output, states) = self.stack(inputs, true);
        Ok((output, self.state(states)))
    }

    fn stack(&self, inputs: Inputs<'_>, want_state: bool) -> (Tensor<3>, Vec<LayerState>) {
        let Inputs { sequence: mut input, mut constant, state, lengths, mut dropout } = inputs;
        let mut states = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0
                && self.config.dropout > 0.0
                && let Some(rng) = dropout.as_deref_mut()
            {
                input = drop_out(input, self.config.dropout, rng);
            }
            let initial = self.initial(index, state.as_ref(), &input);
            let (weight_ih, offset) = match constant.take() {
                Some(constant) => {
                    let (weight_ih, offset) = project(layer, self.config.input, constant);
                    (weight_ih, Some(offset))
                }
                None => (layer.weight_ih.val(), None),
            };
            let run = LayerRun { input, weight_ih, weights: layer, initial, offset, lengths: lengths.clone() };
            let (output, last) = if self.kernel == Kernel::Auto && operation::supports(&self.config, &run) {
                operation::run(&self.config, run, want_state)
            } else {
                let (output, last) = plain::run(&self.config, run);
                (output, Some(last))
            };
            states.extend(last);
            input = output;
        }
        (input, states)
    }

    fn state(&self, states: Vec<LayerState>) -> State {
        let (hidden, cells): (Vec<_>, Vec<_>) = states.into_iter().map(|state| (state.hidden, state.cell)).unzip();
        let cell = (self.config.cell == Cell::Lstm).then(|| Tensor::cat(cells, 0));
        State { hidden: Tensor::cat(hidden, 0), cell }
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

/// What a run gives; says what did not fit where it gives nothing.
pub(crate) fn or_panic<T>(run: Result<T, InputError>) -> T {
    run.unwrap_or_else(|problem| panic!("{problem}"))
}

/// Splits a layer's input weights into those of the sequence's `features` and those of `constant`, `[batch, constants]`, and
/// gives the latter's product, `[directions, batch, gates × units]`: the same at every step, so it is made once.
fn project(layer: &Layer, features: usize, constant: Tensor<2>) -> (Tensor<3>, Tensor<3>) {
    let weight = layer.weight_ih.val();
    let [directions, rows, columns] = weight.dims();
    let [batch, constants] = constant.dims();
    let of_constant = weight.clone().narrow(2, features, columns - features).reshape([directions * rows, constants]);
    let product = constant.matmul(of_constant.transpose()).reshape([batch, directions, rows]);
    (weight.narrow(2, 0, features), product.swap_dims(0, 1))
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

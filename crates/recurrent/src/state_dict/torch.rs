//! A net's weights under PyTorch's names.

use burn::Tensor;
use burn::module::Param;
use burn::tensor::TensorData;

use super::{StateDict, StateDictError};
use crate::{Layer, Recurrent, RecurrentConfig};

/// A layer's four kinds of weight, in the order of [`Layer`].
const KINDS: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

impl Recurrent {
    /// The same net with weights from a PyTorch `LSTM`, `GRU` or `RNN` in place of its own.
    ///
    /// Of layer l, `{prefix}weight_ih_l{l}`, `{prefix}weight_hh_l{l}`, `{prefix}bias_ih_l{l}` and `{prefix}bias_hh_l{l}`; for the
    /// backward direction the same with `_reverse` behind. The prefix is the layer's name in its model and a dot
    /// (`"encoder.rnn."`), or empty. All biases may be missing (`bias=False`): they become zeros. Weights of inputs that are
    /// constant over time are the last columns of `weight_ih_l0`, as if these stood behind the sequence's features at each
    /// step. Arrays of other names are not looked at; but where the prefix names more layers, directions or weights than the
    /// net has, that is an error.
    ///
    /// Parameters keep their identity, device and whether they are trained.
    pub fn with_state_dict(mut self, weights: &StateDict, prefix: &str) -> Result<Self, StateDictError> {
        let config = self.config().clone();
        weights.check_names(&config, prefix)?;
        let is_bias = |name: &str| name.starts_with("bias_ih_l") || name.starts_with("bias_hh_l");
        let biases = weights.names().any(|name| name.strip_prefix(prefix).is_some_and(is_bias));
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.into_iter().enumerate() {
            let mut kinds: [Vec<f32>; 4] = Default::default();
            for (kind, values) in kinds.iter_mut().enumerate() {
                let shape = shape(&config, index, kind);
                for direction in 0..config.directions() {
                    if kind < 2 || biases {
                        values.extend(weights.weight(&config, prefix, index, direction, kind, &shape)?);
                    } else {
                        values.resize(values.len() + shape.iter().product::<usize>(), 0.0);
                    }
                }
            }
            layers.push(replaced(layer, kinds));
        }
        self.layers = layers;
        Ok(self)
    }

    /// The net's weights under the names that [`with_state_dict`](Self::with_state_dict) reads and PyTorch's
    /// `load_state_dict` takes.
    pub fn state_dict(&self, prefix: &str) -> Result<StateDict, StateDictError> {
        let mut weights = StateDict::new();
        let config = self.config();
        for (index, layer) in self.layers.iter().enumerate() {
            let kinds = [
                values(layer.weight_ih.val(), KINDS[0])?,
                values(layer.weight_hh.val(), KINDS[1])?,
                values(layer.bias_ih.val(), KINDS[2])?,
                values(layer.bias_hh.val(), KINDS[3])?,
            ];
            for (kind, values) in kinds.iter().enumerate() {
                let shape = shape(config, index, kind);
                let size = shape.iter().product::<usize>().max(1);
                for (direction, values) in values.chunks(size).enumerate() {
                    weights.insert(name(prefix, index, direction, kind), &shape, values)?;
                }
            }
        }
        Ok(weights)
    }
}

impl StateDict {
    /// One weight of one direction.
    fn weight(
        &self,
        config: &RecurrentConfig,
        prefix: &str,
        layer: usize,
        direction: usize,
        kind: usize,
        shape: &[usize],
    ) -> Result<Vec<f32>, StateDictError> {
        let name = name(prefix, layer, direction, kind);
        if self.shape(&name).is_none() {
            let advice = self.missing(config, prefix, layer, direction);
            return Err(StateDictError::Missing { origin: self.origin(), name, advice });
        }
        self.fitting(&name, shape, |found| advice(config, layer, kind, found))
    }

    /// What to do where a weight is missing.
    fn missing(&self, config: &RecurrentConfig, prefix: &str, layer: usize, direction: usize) -> String {
        let has = |kind: usize, layer: usize, direction: usize| self.shape(&name(prefix, layer, direction, kind)).is_some();
        if !has(0, 0, 0) {
            let prefixes: Vec<String> =
                self.names().filter_map(|name| name.strip_suffix("weight_ih_l0")).map(|prefix| format!("{prefix:?}")).collect();
            return match prefixes.as_slice() {
                [] => "nothing in it is a recurrent layer of PyTorch's".to_owned(),
                found => format!("recurrent layers stand under the prefixes {}: give one of these", found.join(", ")),
            };
        }
        if layer > 0 && !has(0, layer, 0) {
            let found = (0..config.layers).take_while(|layer| has(0, *layer, 0)).count();
            return format!("make the net with layers = {found}");
        }
        if direction > 0 && !has(0, layer, direction) {
            return "make the net with bidirectional = false".to_owned();
        }
        "it has only some of the layer's weights; save the whole state dict".to_owned()
    }

    /// Whether what stands under the prefix is all the net's.
    fn check_names(&self, config: &RecurrentConfig, prefix: &str) -> Result<(), StateDictError> {
        for whole in self.names() {
            let Some((kind, rest)) = whole.strip_prefix(prefix).and_then(|name| name.split_once("_l")) else { continue };
            let (layer, reverse) = match rest.strip_suffix("_reverse") {
                Some(layer) => (layer, true),
                None => (rest, false),
            };
            let Ok(layer) = layer.parse::<usize>() else { continue };
            let advice = if kind == "weight_hr" {
                "projections of the hidden state (`proj_size`) are not supported".to_owned()
            } else if !KINDS.contains(&kind) {
                continue;
            } else if layer >= config.layers {
                format!("make the net with layers = {} or more", layer + 1)
            } else if reverse && !config.bidirectional {
                "make the net with bidirectional = true".to_owned()
            } else {
                continue;
            };
            return Err(StateDictError::Unexpected { origin: self.origin(), name: whole.to_owned(), advice });
        }
        Ok(())
    }
}

/// A weight's name.
fn name(prefix: &str, layer: usize, direction: usize, kind: usize) -> String {
    let suffix = if direction == 0 { "" } else { "_reverse" };
    format!("{prefix}{}_l{layer}{suffix}", KINDS[kind])
}

/// A weight's shape in one direction.
fn shape(config: &RecurrentConfig, layer: usize, kind: usize) -> Vec<usize> {
    let rows = config.cell.gates() * config.units;
    let input = if layer == 0 { config.input + config.constant } else { config.output() };
    match kind {
        0 => vec![rows, input],
        1 => vec![rows, config.units],
        _ => vec![rows],
    }
}

/// What to do where a weight has another shape.
fn advice(config: &RecurrentConfig, layer: usize, kind: usize, found: &[usize]) -> String {
    let (gates, units) = (config.cell.gates(), config.units);
    let rows = found.first().copied().unwrap_or(0);
    let of_net = format!("a net of {gates} gates ({:?}) × {units} units", config.cell);
    // Weights from the hidden state have a column for each unit, so they tell the gates from the units.
    if kind == 1
        && let [rows, columns] = *found
        && columns > 0
        && rows % columns == 0
        && rows / columns != gates
    {
        return format!("they are of a cell of {} gates (LSTM 4, GRU 3, RNN 1), this is {of_net}", rows / columns);
    }
    if rows != gates * units {
        let units = if rows % gates == 0 { format!("units = {}", rows / gates) } else { "the cell they are of".to_owned() };
        return format!("this is {of_net}: make it with {units}");
    }
    if kind == 0
        && let [_, columns] = *found
    {
        return if layer == 0 {
            format!("make the net with input + constant = {columns}")
        } else {
            format!("the layer below gives {} values, these weights take {columns}", config.output())
        };
    }
    format!("this is {of_net}")
}

/// The layer with these values in its parameters, which stay what they are otherwise.
pub(super) fn replaced(layer: Layer, values: [Vec<f32>; 4]) -> Layer {
    let [weight_ih, weight_hh, bias_ih, bias_hh] = values;
    Layer {
        weight_ih: parameter(layer.weight_ih, weight_ih),
        weight_hh: parameter(layer.weight_hh, weight_hh),
        bias_ih: parameter(layer.bias_ih, bias_ih),
        bias_hh: parameter(layer.bias_hh, bias_hh),
    }
}

fn parameter<const D: usize>(parameter: Param<Tensor<D>>, values: Vec<f32>) -> Param<Tensor<D>> {
    parameter.map(|own| {
        let value = Tensor::from_data(TensorData::new(values, own.dims()), (&own.device(), own.dtype()));
        value.set_require_grad(own.is_require_grad())
    })
}

fn values<const D: usize>(tensor: Tensor<D>, name: &str) -> Result<Vec<f32>, StateDictError> {
    let failed = |cause: String| StateDictError::Device { name: name.to_owned(), cause };
    tensor.try_into_vec_as::<f32>().map_err(|error| failed(error.to_string()))
}

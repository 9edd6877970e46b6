//! A net's weights from Keras's arrays.

use super::torch::replaced;
use super::{StateDict, StateDictError};
use crate::{Cell, Recurrent, RecurrentConfig};

impl Recurrent {
    /// The same net with weights from Keras's `LSTM`, `GRU` or `SimpleRNN` layers in place of its own.
    ///
    /// `prefixes` has one entry for each layer and direction, forwards before backwards; under each stand `kernel`,
    /// `[features, gates × units]`, `recurrent_kernel`, `[units, gates × units]`, and `bias`, `[gates × units]`, for a GRU with
    /// `reset_after` `[2, gates × units]`; without a bias (`use_bias=False`), zeros. Gates come in Keras's order (i, f, c, o; z, r,
    /// h). In Keras,
    ///
    /// ```python
    /// weights = {w.path: numpy.ascontiguousarray(w.numpy()) for w in model.weights}
    /// safetensors.numpy.save_file(weights, "model.safetensors")
    /// ```
    ///
    /// (contiguous, since safetensors 0.8 writes other arrays in the wrong order) writes them under names such as `lstm/lstm_cell/kernel`, whose prefix is `"lstm/lstm_cell/"`;
    /// `bidirectional/forward_lstm/lstm_cell/` and `bidirectional/backward_lstm/lstm_cell/` with `Bidirectional`.
    pub fn with_keras_weights(mut self, weights: &StateDict, prefixes: &[&str]) -> Result<Self, StateDictError> {
        let config = self.config().clone();
        let directions = config.directions();
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.into_iter().enumerate() {
            let mut kinds: [Vec<f32>; 4] = Default::default();
            for direction in 0..directions {
                let row = index * directions + direction;
                let Some(prefix) = prefixes.get(row) else {
                    let advice = format!("give one prefix for each layer and direction, {} in all", config.layers * directions);
                    return Err(StateDictError::Missing {
                        origin: weights.origin(),
                        name: format!("kernel of layer {index}, direction {direction}"),
                        advice,
                    });
                };
                let found = weights.keras(&config, prefix, index)?;
                for (values, found) in kinds.iter_mut().zip(found) {
                    values.extend(found);
                }
            }
            layers.push(replaced(layer, kinds));
        }
        if let Some(prefix) = prefixes.get(config.layers * directions) {
            return Err(StateDictError::Unexpected {
                origin: weights.origin(),
                name: format!("{prefix}kernel"),
                advice: format!("the net has {} layers of {directions} directions", config.layers),
            });
        }
        self.layers = layers;
        Ok(self)
    }
}

impl StateDict {
    /// The weights of one layer and direction, in the order of [`Layer`](crate::Layer).
    fn keras(&self, config: &RecurrentConfig, prefix: &str, layer: usize) -> Result<[Vec<f32>; 4], StateDictError> {
        let (units, rows) = (config.units, config.cell.gates() * config.units);
        let features = if layer == 0 { config.input + config.constant } else { config.output() };
        let kernel = self.keras_array(prefix, "kernel", &[features, rows])?;
        let recurrent_kernel = self.keras_array(prefix, "recurrent_kernel", &[units, rows])?;
        let two_biases = config.cell == Cell::Gru && config.reset_after;
        let biases = match (self.shape(&format!("{prefix}bias")), two_biases) {
            (None, _) => vec![0.0; 2 * rows],
            (Some(_), true) => self.keras_array(prefix, "bias", &[2, rows])?,
            (Some(_), false) => {
                let mut bias = self.keras_array(prefix, "bias", &[rows])?;
                bias.resize(2 * rows, 0.0);
                bias
            }
        };
        let order: &[usize] = if config.cell == Cell::Gru { &[1, 0, 2] } else { &[0, 1, 2, 3] };
        // Row `row` of the net is this column of Keras's.
        let columns: Vec<usize> = (0..rows).map(|row| order[row / units] * units + row % units).collect();
        let transposed = |kernel: &[f32]| {
            columns.iter().flat_map(|column| kernel.iter().skip(*column).step_by(rows)).copied().collect::<Vec<_>>()
        };
        let (of_input, of_hidden) = biases.split_at(rows);
        Ok([transposed(&kernel), transposed(&recurrent_kernel), transposed(of_input), transposed(of_hidden)])
    }

    fn keras_array(&self, prefix: &str, kind: &str, expected: &[usize]) -> Result<Vec<f32>, StateDictError> {
        let name = format!("{prefix}{kind}");
        if self.shape(&name).is_none() {
            let kernels: Vec<String> = self
                .names()
                .filter_map(|name| name.strip_suffix("recurrent_kernel"))
                .map(|prefix| format!("{prefix:?}"))
                .collect();
            let advice = format!("recurrent layers stand under the prefixes {}", kernels.join(", "));
            return Err(StateDictError::Missing { origin: self.origin(), name, advice });
        }
        self.fitting(&name, expected, |_| match kind {
            "bias" => "see `reset_after` for a GRU's; else make the net with the layer's cell and units".to_owned(),
            _ => "make the net with the layer's cell, features and units".to_owned(),
        })
    }
}

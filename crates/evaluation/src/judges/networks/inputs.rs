//! Examples as networks take them.

use burn::Tensor;
use burn::tensor::{Device, TensorData};

use crate::judges::{Examples, Table};

/// Standardised values stay within this many standard deviations: intervals across pauses have no bounds.
const FARTHEST: f32 = 6.0;

/// How values are standardised, learnt on training examples.
///
/// Each channel goes in twice, as it is and as steps from sample to sample, each with mean 0 and variance 1 over all samples of the
/// training examples. Steps are compressed, `asinh(step / q)` with `q` the median size of a step: what lies between heartbeats would be
/// nothing beside them otherwise, and it is there that noise shows, or is missing. Facts have mean 0 and variance 1 where they are
/// known; an unknown one is 0, and a flag behind the facts says so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scaling {
    channels: usize,
    time: usize,
    /// The median size of a step, per channel.
    quiet: Vec<f32>,
    /// Values, then steps, per channel.
    signals: Vec<Scale>,
    facts: Vec<Scale>,
}

/// Examples scaled, on the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Inputs {
    /// `[example, time × 2 channels]`.
    signals: Vec<f32>,
    /// `[example, 2 facts]`.
    facts: Vec<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    mean: f32,
    deviation: f32,
}

impl Scale {
    /// Of the finite ones of `values`; leaves alone what does not vary.
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let (mut n, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
        for x in values.filter(|x| x.is_finite()).map(f64::from) {
            n += 1.0;
            sum += x;
            squares += x * x;
        }
        let mean = if n > 0.0 { sum / n } else { 0.0 };
        let deviation = if n > 0.0 { (squares / n - mean * mean).max(0.0).sqrt() } else { 0.0 };
        let varies = deviation > 1e-6 * mean.abs() && deviation > 0.0;
        Self { mean: mean as f32, deviation: if varies { deviation as f32 } else { 1.0 } }
    }

    fn apply(self, x: f32) -> f32 {
        if x.is_finite() { ((x - self.mean) / self.deviation).clamp(-FARTHEST, FARTHEST) } else { 0.0 }
    }
}

/// The step of `channel` to its sample at `time` from the one before (0 at the first).
fn step(row: &[f32], channels: usize, time: usize, channel: usize) -> f32 {
    let at = time * channels + channel;
    if time > 0 { row[at] - row[at - channels] } else { 0.0 }
}

/// The median size of the steps of `channel`; 1 where there are none.
fn quiet(examples: &Examples, channels: usize, time: usize, channel: usize) -> f32 {
    let of_row = |row| (1..time).map(move |t| step(row, channels, t, channel).abs());
    let mut sizes: Vec<f32> = examples.signals.rows().flat_map(of_row).filter(|x| *x > 0.0 && x.is_finite()).collect();
    let middle = sizes.len() / 2;
    if sizes.is_empty() { 1.0 } else { *sizes.select_nth_unstable_by(middle, f32::total_cmp).1 }
}

impl Scaling {
    /// Of training examples.
    pub(super) fn of(examples: &Examples) -> Self {
        let channels = examples.channels.max(1);
        let time = examples.signals.columns() / channels;
        let mut scaling = Self {
            channels,
            time,
            quiet: (0..channels).map(|channel| quiet(examples, channels, time, channel)).collect(),
            signals: Vec::new(),
            facts: Vec::new(),
        };
        for which in 0..2 {
            for channel in 0..channels {
                let of_row = |row| (0..time).map(move |t| (row, t));
                let all = examples.signals.rows().flat_map(of_row);
                let scale = Scale::of(all.map(|(row, t)| scaling.sample(row, t, channel, which)));
                scaling.signals.push(scale);
            }
        }
        let fact = |column: usize| Scale::of(examples.facts.rows().map(|row| row[column]));
        scaling.facts = (0..examples.facts.columns()).map(fact).collect();
        scaling
    }

    /// The sample of `channel` at `time`, or (`which` = 1) the compressed step to it.
    fn sample(&self, row: &[f32], time: usize, channel: usize, which: usize) -> f32 {
        match which {
            0 => row[time * self.channels + channel],
            _ => (step(row, self.channels, time, channel) / self.quiet[channel]).asinh(),
        }
    }

    /// Values at each time step of an input.
    pub(super) fn channels(&self) -> usize {
        2 * self.channels
    }

    /// Values beside the curve.
    pub(super) fn facts(&self) -> usize {
        2 * self.facts.len()
    }

    /// `examples` scaled, which are described as those that this was learnt of.
    pub(super) fn apply(&self, examples: &Examples) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.signals.reserve(examples.signals.len() * self.time * self.channels());
        for row in examples.signals.rows() {
            for time in 0..self.time {
                for which in 0..2 {
                    for channel in 0..self.channels {
                        let scale = self.signals[which * self.channels + channel];
                        inputs.signals.push(scale.apply(self.sample(row, time, channel, which)));
                    }
                }
            }
        }
        for row in examples.facts.rows() {
            inputs.facts.extend(row.iter().zip(&self.facts).map(|(&x, scale)| scale.apply(x)));
            inputs.facts.extend(row.iter().map(|x| f32::from(u8::from(!x.is_finite()))));
        }
        inputs
    }

    /// Curves `[batch, time, channels]` and facts `[batch, facts]` of the examples at `indices`; no facts where there are none.
    pub(super) fn tensors(&self, inputs: &Inputs, indices: &[usize], device: &Device) -> (Tensor<3>, Option<Tensor<2>>) {
        let gathered = |values: &[f32], width: usize| -> Vec<f32> {
            indices.iter().flat_map(|&i| &values[i * width..(i + 1) * width]).copied().collect()
        };
        let (n, channels, facts) = (indices.len(), self.channels(), self.facts());
        let signals = TensorData::new(gathered(&inputs.signals, self.time * channels), [n, self.time, channels]);
        let of_facts = || TensorData::new(gathered(&inputs.facts, facts), [n, facts]);
        (Tensor::from_data(signals, device), (facts > 0).then(|| Tensor::from_data(of_facts(), device)))
    }
}

/// A tensor's rows as a table.
pub(super) fn table(tensor: Tensor<2>) -> Table {
    let columns = tensor.dims()[1];
    // The CPU device's tensors are float32 in its own memory: there is nothing that could fail but a wrong type.
    Table::new(columns, tensor.try_into_vec_as::<f32>().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_to_mean_zero_and_unknown_facts_are_flagged() {
        let examples = Examples {
            signals: Table::new(4, vec![1.0, 10.0, 3.0, 10.0, 5.0, 10.0, 7.0, f32::NAN]),
            channels: 2,
            facts: Table::new(1, vec![2.0, f32::NAN]),
            ..Examples::default()
        };
        let scaling = Scaling::of(&examples);
        assert_eq!((scaling.channels(), scaling.facts(), scaling.time), (4, 2, 2));
        let inputs = scaling.apply(&examples);
        let first: Vec<f32> = inputs.signals.iter().step_by(4).copied().collect();
        assert!(first.iter().sum::<f32>().abs() < 1e-6 && (first[0] + 3.0 / 5.0_f32.sqrt()).abs() < 1e-6, "{first:?}");
        // The second channel does not vary; its missing sample is 0.
        assert!(inputs.signals.iter().skip(1).step_by(4).all(|&x| x == 0.0));
        assert_eq!(inputs.facts, [0.0, 0.0, 0.0, 1.0]);
    }
}

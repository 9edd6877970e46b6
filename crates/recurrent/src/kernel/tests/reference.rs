//! The cells written out one number at a time in float64, and their gradients by central differences.

use crate::Cell;
use crate::kernel::Shape;

/// What a run takes, in the order of [`NAMES`], and how long the rows are.
#[derive(Clone)]
pub(super) struct Values {
    pub operands: [Vec<f64>; 8],
    pub lengths: Option<Vec<usize>>,
}

pub(super) const NAMES: [&str; 8] = ["input", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "hidden", "cell", "offset"];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Output, `[batch, time, directions × units]`, and last cell states, `[directions, batch, units]`.
pub(super) fn forward(shape: &Shape, values: &Values) -> [Vec<f64>; 2] {
    let Shape { batch, time, units, directions, .. } = *shape;
    let mut output = vec![0.0; batch * time * directions * units];
    let mut cells = Vec::new();
    for direction in 0..directions {
        for row in 0..batch {
            let length = values.lengths.as_ref().map_or(time, |lengths| lengths[row]);
            let of = |index: usize| values.operands[index][(direction * batch + row) * units..][..units].to_vec();
            let (mut h, mut c) = (of(5), of(6));
            for step in 0..length {
                let at = if direction == 0 { step } else { length - 1 - step };
                (h, c) = one(shape, values, [direction, row, at], &h, &c);
                output[((row * time + at) * directions + direction) * units..][..units].copy_from_slice(&h);
            }
            cells.extend(c);
        }
    }
    [output, cells]
}

/// One step of one row.
fn one(shape: &Shape, values: &Values, [direction, row, at]: [usize; 3], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let Shape { batch, time, input, units, .. } = *shape;
    let [xs, w_ih, w_hh, b_ih, b_hh, _, _, offset] = &values.operands;
    let gates = shape.cell.gates() * units;
    let x = &xs[(row * time + at) * input..][..input];
    let by_input = |gate: usize, unit: usize| {
        let k = direction * gates + gate * units + unit;
        let own = offset.get((direction * batch + row) * gates + gate * units + unit).copied().unwrap_or(0.0);
        b_ih[k] + own + x.iter().zip(&w_ih[k * input..]).map(|(a, b)| a * b).sum::<f64>()
    };
    let by_hidden = |gate: usize, unit: usize, h: &[f64]| {
        let k = direction * gates + gate * units + unit;
        b_hh[k] + h.iter().zip(&w_hh[k * units..]).map(|(a, b)| a * b).sum::<f64>()
    };
    let sum = |gate: usize, unit: usize| by_input(gate, unit) + by_hidden(gate, unit, h);
    let each = |value: &dyn Fn(usize) -> f64| (0..units).map(value).collect::<Vec<_>>();
    match shape.cell {
        Cell::Simple => (each(&|unit| sum(0, unit).tanh()), c.to_vec()),
        Cell::Lstm => {
            let c = each(&|unit| sigmoid(sum(1, unit)) * c[unit] + sigmoid(sum(0, unit)) * sum(2, unit).tanh());
            (each(&|unit| sigmoid(sum(3, unit)) * c[unit].tanh()), c)
        }
        Cell::Gru => {
            let r = each(&|unit| sigmoid(sum(0, unit)));
            let reset = each(&|unit| r[unit] * h[unit]);
            let n = each(&|unit| {
                let product = if shape.reset_after { r[unit] * by_hidden(2, unit, h) } else { by_hidden(2, unit, &reset) };
                (by_input(2, unit) + product).tanh()
            });
            (each(&|unit| n[unit] + sigmoid(sum(1, unit)) * (h[unit] - n[unit])), c.to_vec())
        }
    }
}

/// Gradients of `Σ output × by_output + Σ cells × by_cell` in each operand.
pub(super) fn gradients(shape: &Shape, values: &Values, by_output: &[f32], by_cell: Option<&[f32]>) -> Vec<Vec<f64>> {
    let weigh = |values: &[f64], by: &[f32]| values.iter().zip(by).map(|(a, b)| a * f64::from(*b)).sum::<f64>();
    let loss = |values: &Values| {
        let [output, cells] = forward(shape, values);
        weigh(&output, by_output) + by_cell.map_or(0.0, |by| weigh(&cells, by))
    };
    let slope = |operand: usize, index: usize| {
        let at = |step: f64| {
            let mut moved = values.clone();
            moved.operands[operand][index] += step;
            loss(&moved)
        };
        (at(1e-5) - at(-1e-5)) / 2e-5
    };
    (0..NAMES.len()).map(|operand| (0..values.operands[operand].len()).map(|index| slope(operand, index)).collect()).collect()
}

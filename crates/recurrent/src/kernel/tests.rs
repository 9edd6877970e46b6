//! The kernel against itself: widths, tiles, values that are no numbers. Against PyTorch: `tests/torch.rs`.

use super::*;

/// Values spread over ±`scale`, the same on every run.
fn spread(len: usize, seed: u32, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32 * scale
    };
    (0..len).map(|_| next()).collect()
}

/// Output and all gradients of one run.
fn run(vectors: Vectors, shape: &Shape) -> Vec<f32> {
    let rows = shape.directions * shape.cell.gates() * shape.units;
    let states = shape.directions * shape.batch * shape.units;
    let scale = 1.0 / (shape.units as f32).sqrt();
    let operands = Operands {
        input: &spread(shape.batch * shape.time * shape.input, 1, 1.0),
        weight_ih: &spread(rows * shape.input, 2, scale),
        weight_hh: &spread(rows * shape.units, 3, scale),
        bias_ih: &spread(rows, 4, scale),
        bias_hh: &spread(rows, 5, scale),
        hidden: &spread(states, 6, 1.0),
        cell: &spread(states, 7, 1.0),
        offset: None,
        lengths: None,
    };
    let want_cell = shape.cell == Cell::Lstm;
    let Output { output, last_cell, kept } = forward(vectors, shape, &operands, want_cell, Some(0));
    assert_eq!(forward(vectors, shape, &operands, want_cell, None).output, output, "kept or not");
    let gradient = spread(output.len(), 8, 1.0);
    let last_cell = last_cell.map(|values| spread(values.len(), 9, 1.0));
    let behind = Behind { output: &gradient, last_cell: last_cell.as_deref() };
    let found = backward(shape, &operands, &output, &kept.expect("kept"), behind, true);
    let parts = [Some(output), found.input, Some(found.weight_ih), Some(found.weight_hh), Some(found.bias_ih)];
    parts.into_iter().chain([Some(found.bias_hh), Some(found.hidden), found.cell]).flatten().flatten().collect()
}

/// The detected instructions are tested against PyTorch; here, that every other width agrees with them.
#[test]
fn every_width_gives_the_same() {
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        for (batch, time, input, units) in [(1, 3, 1, 1), (13, 7, 5, 19), (26, 11, 40, 48)] {
            let shape = Shape { cell, reset_after: true, batch, time, input, units, directions: 2 };
            let detected = run(Vectors::detect(), &shape);
            for vectors in [Vectors::Native, Vectors::Wide] {
                for (a, b) in detected.iter().zip(run(vectors, &shape)) {
                    assert!((a - b).abs() <= 2e-5 * a.abs().max(1.0), "{shape:?} {vectors:?}: {a} against {b}");
                }
            }
        }
    }
}

/// A diverged net must say so: saturating would hide it.
#[test]
#[cfg(target_arch = "x86_64")]
fn what_is_no_number_stays_none() {
    let vectors = Vectors::detect();
    if matches!(vectors, Vectors::Native) {
        return;
    }
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let shape = Shape { cell, reset_after: true, batch: 1, time: 1, input: 1, units: 1, directions: 1 };
        let one = [f32::NAN; 4];
        let rows = &one[..cell.gates()];
        let operands = Operands {
            input: &[1.0],
            weight_ih: rows,
            weight_hh: rows,
            bias_ih: rows,
            bias_hh: rows,
            hidden: &[0.0],
            cell: &[0.0],
            offset: None,
            lengths: None,
        };
        assert!(forward(vectors, &shape, &operands, false, None).output[0].is_nan(), "{cell:?}");
    }
}

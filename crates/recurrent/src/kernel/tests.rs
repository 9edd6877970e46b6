//! The kernel against cells written out in float64 (`reference`), and against itself: widths, tiles, threads, checkpoints, values
//! that are no numbers. Against PyTorch: `tests/torch.rs`.

mod reference;

use reference::{NAMES, Values};

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

/// What a run takes, in the order of [`NAMES`], and what comes from behind it.
#[derive(Clone)]
struct Case {
    shape: Shape,
    operands: [Vec<f32>; 8],
    lengths: Option<Vec<usize>>,
    checkpoint: usize,
    by_output: Vec<f32>,
    by_cell: Option<Vec<f32>>,
}

/// Output, last cell states and gradients, in the order of [`NAMES`].
#[derive(Debug, PartialEq)]
struct Found {
    output: Vec<f32>,
    last_cell: Option<Vec<f32>>,
    gradients: [Vec<f32>; 8],
}

fn shape(cell: Cell, [batch, time, input, units]: [usize; 4]) -> Shape {
    Shape { cell, reset_after: true, batch, time, input, units, directions: 2 }
}

/// All cells, the GRU in both forms.
fn cells(sizes: [usize; 4]) -> [Shape; 4] {
    let [lstm, gru, simple] = [Cell::Lstm, Cell::Gru, Cell::Simple].map(|cell| shape(cell, sizes));
    [lstm, gru, Shape { reset_after: false, ..gru }, simple]
}

impl Case {
    fn new(shape: Shape) -> Self {
        let rows = shape.directions * shape.cell.gates() * shape.units;
        let states = shape.directions * shape.batch * shape.units;
        let scale = 1.0 / (shape.units as f32).sqrt();
        let sizes = [
            (shape.batch * shape.time * shape.input, 1.0),
            (rows * shape.input, scale),
            (rows * shape.units, scale),
            (rows, scale),
            (rows, scale),
            (states, 1.0),
            (states, 1.0),
            (rows * shape.batch, scale),
        ];
        let mut seed = 0;
        let operands = sizes.map(|(len, scale)| {
            seed += 1;
            spread(len, seed, scale)
        });
        let by_output = spread(shape.batch * shape.time * shape.directions * shape.units, 9, 1.0);
        let by_cell = (shape.cell == Cell::Lstm).then(|| spread(states, 10, 1.0));
        Self { shape, operands, lengths: None, checkpoint: 0, by_output, by_cell }
    }

    /// Rows that end at different steps, the first and the last ones possible among them.
    fn ragged(mut self) -> Self {
        let Shape { batch, time, .. } = self.shape;
        self.lengths = Some((0..batch).map(|row| if row == 1 { time } else { 1 + row * 7 % time }).collect());
        self
    }

    fn without_offset(mut self) -> Self {
        self.operands[7].clear();
        self
    }

    fn run(&self, vectors: Vectors) -> Found {
        let shape = &self.shape;
        let [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset] = &self.operands;
        let offset = (!offset.is_empty()).then_some(&offset[..]);
        let lengths = self.lengths.as_deref();
        let operands = Operands { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset, lengths };
        let want_cell = shape.cell == Cell::Lstm;
        let Outcome { output, last_cell, kept } = forward(vectors, shape, &operands, want_cell, Some(self.checkpoint));
        let unkept = forward(vectors, shape, &operands, want_cell, None);
        assert_eq!((&unkept.output, &unkept.last_cell), (&output, &last_cell), "kept or not");
        let behind = Behind { output: &self.by_output, last_cell: self.by_cell.as_deref() };
        let kept = kept.expect("kept");
        let found = backward(shape, &operands, &output, &kept, behind, true);
        assert!(backward(shape, &operands, &output, &kept, behind, false).input.is_none(), "not asked for");
        let [input, cell, offset] = [found.input, found.cell, found.offset].map(Option::unwrap_or_default);
        let gradients = [input, found.weight_ih, found.weight_hh, found.bias_ih, found.bias_hh, found.hidden, cell, offset];
        Found { output, last_cell, gradients }
    }
}

/// Largest absolute difference over the largest value expected.
fn difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    found.iter().zip(expected).fold(0.0, |apart: f64, (a, b)| apart.max((f64::from(*a) - b).abs())) / largest
}

/// Output, states and every gradient of every cell, with rows of all lengths and constant inputs, by every width of vectors.
#[test]
fn everything_equals_the_cells_written_out() {
    for shape in cells([5, 4, 3, 9]).into_iter().chain(cells([4, 3, 1, 2])) {
        for case in [Case::new(shape), Case::new(shape).ragged(), Case::new(shape).without_offset()] {
            let operands = case.operands.each_ref().map(|values| values.iter().copied().map(f64::from).collect());
            let values = Values { operands, lengths: case.lengths.clone() };
            let [output, cells] = reference::forward(&shape, &values);
            let gradients = reference::gradients(&shape, &values, &case.by_output, case.by_cell.as_deref());
            for vectors in [Vectors::detect(), Vectors::Native, Vectors::Wide] {
                let found = case.run(vectors);
                let about = |name| format!("{shape:?} {:?} {vectors:?} {name}", case.lengths);
                assert!(difference(&found.output, &output) < 2e-6, "{}", about("output"));
                if let Some(found) = &found.last_cell {
                    assert!(difference(found, &cells) < 2e-6, "{}", about("cell"));
                }
                for ((name, found), expected) in NAMES.iter().zip(&found.gradients).zip(&gradients) {
                    if *name == "cell" && shape.cell != Cell::Lstm {
                        assert!(found.is_empty(), "{}", about(name));
                        continue;
                    }
                    let apart = difference(found, expected);
                    assert!(apart < 5e-6, "{}: {apart:e}", about(name));
                }
            }
        }
    }
}

/// Sizes of several groups and tiles, and of less than a vector.
#[test]
fn every_width_gives_the_same() {
    for sizes in [[1, 3, 1, 1], [13, 7, 5, 19], [26, 11, 40, 48], [2, 150, 16, 33]] {
        for shape in cells(sizes) {
            let case = Case::new(shape).ragged();
            let detected = case.run(Vectors::detect());
            for vectors in [Vectors::Native, Vectors::Wide] {
                let found = case.run(vectors);
                for (name, (a, b)) in NAMES.iter().zip(detected.gradients.iter().zip(&found.gradients)) {
                    let b: Vec<_> = b.iter().copied().map(f64::from).collect();
                    assert!(difference(a, &b) < 2e-5, "{shape:?} {vectors:?} {name}");
                }
            }
        }
    }
}

#[test]
fn threads_and_checkpoints_change_no_bit() {
    for shape in cells([30, 17, 3, 20]) {
        let case = Case::new(shape).ragged();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| case.run(Vectors::detect()))
        };
        let whole = on(1);
        assert!(on(4) == whole, "{shape:?} on four threads");
        for checkpoint in [1, 4, 17, 100] {
            let again = Case { checkpoint, ..case.clone() }.run(Vectors::detect());
            assert!(again == whole, "{shape:?} every {checkpoint} steps");
        }
    }
}

/// What stands behind a row's end is neither read nor given a gradient, be it no number.
#[test]
fn padding_is_not_seen() {
    for shape in cells([7, 6, 2, 5]) {
        let clean = Case::new(shape).ragged();
        let expected = clean.run(Vectors::detect());
        let mut case = clean.clone();
        let wide = shape.directions * shape.units;
        for (row, length) in clean.lengths.iter().flatten().enumerate() {
            for step in *length..shape.time {
                let at = row * shape.time + step;
                case.operands[0][at * shape.input..][..shape.input].fill(f32::NAN);
                case.by_output[at * wide..][..wide].fill(f32::NAN);
                assert!(expected.output[at * wide..][..wide].iter().all(|value| *value == 0.0), "{shape:?} output");
                let gradient = &expected.gradients[0][at * shape.input..][..shape.input];
                assert!(gradient.iter().all(|value| *value == 0.0), "{shape:?} gradient");
            }
        }
        assert!(case.run(Vectors::detect()) == expected, "{shape:?}");
    }
}

/// A row's results are the same alone and in any company, to the last bit.
#[test]
fn rows_do_not_depend_on_one_another() {
    for shape in cells([16, 5, 3, 70]) {
        let case = Case::new(shape).ragged();
        let all = case.run(Vectors::detect());
        for row in [0, 1, 15] {
            let one = Shape { batch: 1, ..shape };
            let mut alone = Case { shape: one, lengths: case.lengths.as_ref().map(|of| vec![of[row]]), ..case.clone() };
            // `[batch, …]` and `[directions, batch, …]`
            let of_batch = |values: &[f32]| values[row * values.len() / shape.batch..][..values.len() / shape.batch].to_vec();
            let of_directions = |values: &[f32]| -> Vec<f32> { values.chunks(values.len() / 2).flat_map(of_batch).collect() };
            alone.operands[0] = of_batch(&case.operands[0]);
            for index in 5..8 {
                alone.operands[index] = of_directions(&case.operands[index]);
            }
            alone.by_output = of_batch(&case.by_output);
            alone.by_cell = case.by_cell.as_deref().map(of_directions);
            let found = alone.run(Vectors::detect());
            assert!(found.output == of_batch(&all.output), "{shape:?} row {row}");
            assert!(found.gradients[0] == of_batch(&all.gradients[0]), "{shape:?} row {row}");
            assert!(found.gradients[5] == of_directions(&all.gradients[5]), "{shape:?} row {row}");
            assert!(found.gradients[7] == of_directions(&all.gradients[7]), "{shape:?} row {row}");
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
    for shape in cells([1, 1, 1, 1]) {
        let mut case = Case::new(shape);
        case.operands[2].fill(f32::NAN);
        assert!(case.run_forward(vectors).iter().all(|value| value.is_nan()), "{shape:?}");
    }
}

impl Case {
    #[cfg(target_arch = "x86_64")]
    fn run_forward(&self, vectors: Vectors) -> Vec<f32> {
        let [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, _] = &self.operands;
        let operands = Operands { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset: None, lengths: None };
        forward(vectors, &self.shape, &operands, false, None).output
    }
}

#[test]
fn tiles_cover_every_row_once_and_longest_first() {
    for batch in 1..100 {
        let shape = shape(Cell::Gru, [batch, 9, 1, 1]);
        let lengths: Vec<_> = (0..batch).map(|row| 1 + row * 5 % 9).collect();
        let mut seen = vec![0; 2 * batch];
        for tile in tiles::tiles(&shape, Some(&lengths)) {
            assert!(tile.lengths.is_sorted_by(|a, b| a >= b));
            for (row, length) in tile.rows.iter().zip(&tile.lengths) {
                assert_eq!(lengths[*row], *length);
                seen[tile.direction * batch + row] += 1;
            }
            let pairs: usize = (0..tile.steps()).map(|step| tile.active(step)).sum();
            assert_eq!(pairs, tile.pairs(0..tile.steps()));
        }
        assert!(seen.iter().all(|times| *times == 1), "batch {batch}");
    }
}

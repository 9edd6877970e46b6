//! The pass over all pairs of two sets: squared distances as `|x|² + |y|² − 2xy`, the products in blocks that stay in cache, and
//! only the pairs that may matter looked at again.
//!
//! Products in `f32` lose digits where two large segments are nearly equal, which is where nearest neighbours are. So the pass
//! only excludes: it works out a *lower bound* of each squared distance, the rounding error's worst case taken off, and hands the
//! pairs below a limit to a [`Judge`], which works out their distance by differences, in `f64`. What comes out is exact and the
//! same for every order, number of threads and vector width; no matrix of distances is ever held.
//!
//! The inner loops are plain loops over indices: no iterator and no closure stands in them, for what is not inlined into the body
//! that `pulp` compiled for wide instructions does not get them.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// Columns of a panel: two vectors of AVX2, one of AVX-512.
pub(super) const PANEL: usize = 16;

/// Rows taken at once: with two vectors of columns twelve sums, which keep the multipliers busy and fit the registers.
const ROWS: usize = 6;

/// Segments less a common centre, in rows and in panels of [`PANEL`] columns.
#[derive(Debug)]
pub(super) struct Centred {
    rows: Vec<f32>,
    /// `[panel, sample, column]`, zeros where columns are missing.
    panels: Vec<f32>,
    /// Squared norms, less the rounding error's worst case; infinite in columns that fill up the last panel.
    low_norms: Vec<f32>,
    /// Twice the error's share in a squared norm: from a lower bound to an upper one.
    pub(super) slack: f32,
    length: usize,
    pub(super) count: usize,
}

impl Centred {
    /// `samples` is `[segment, length]`, `centre` one segment. Distances do not depend on the centre, rounding errors do.
    pub(super) fn new(samples: &[f32], centre: &[f32]) -> Self {
        let length = centre.len();
        let count = samples.len().checked_div(length).unwrap_or(0);
        let rows: Vec<f32> = samples.chunks_exact(length.max(1)).flat_map(|s| s.iter().zip(centre).map(|(x, m)| x - m)).collect();
        // Each product is a sum of `length` terms; its error is below length·u·|x||y| ≤ length·u·(|x|² + |y|²)/2, u = 2⁻²⁴, taken
        // twice. Sixteen more units cover the rounding of differences, norms and limits.
        let share = (length as f64 + 16.0) * f64::from(f32::EPSILON) / 2.0;
        let padded = count.next_multiple_of(PANEL);
        let mut low_norms = vec![f32::INFINITY; padded];
        let mut panels = vec![0.0; padded * length];
        for (j, row) in rows.chunks_exact(length.max(1)).enumerate() {
            let norm: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            low_norms[j] = (norm * (1.0 - share)) as f32;
            let panel = &mut panels[(j / PANEL) * PANEL * length..];
            for (k, &x) in row.iter().enumerate() {
                panel[k * PANEL + j % PANEL] = x;
            }
        }
        Self { rows, panels, low_norms, slack: (2.1 * share) as f32, length, count }
    }

    /// What to add to a lower bound of the squared distance of row `i` of `self` and `j` of `other` for an upper one.
    pub(super) fn width(&self, i: usize, other: &Self, j: usize) -> f32 {
        self.slack * (self.low_norms[i] + other.low_norms[j])
    }
}

/// Squared distances below which a pair is handed to the judge: below the row's, or the column's, or below the row's ball where the
/// column is open. Rows count from the pass' first one.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) row: Vec<f32>,
    pub(super) ball: Vec<f32>,
    pub(super) column: Vec<f32>,
    /// Infinite where open, negative infinity where shut.
    pub(super) open: Vec<f32>,
}

impl Limits {
    /// No limit on rows, all columns shut.
    pub(super) fn rows_only(rows: usize, columns: &Centred) -> Self {
        let columns = columns.low_norms.len();
        Self {
            row: vec![f32::INFINITY; rows],
            ball: vec![f32::NEG_INFINITY; rows],
            column: vec![f32::NEG_INFINITY; columns],
            open: vec![f32::NEG_INFINITY; columns],
        }
    }
}

/// A squared distance as a limit that is surely not below it.
pub(super) fn limit(squared: f64) -> f32 {
    (squared * (1.0 + 4.0 * f64::from(f32::EPSILON))) as f32 + f32::MIN_POSITIVE
}

/// What is done with a pair that may matter.
pub(super) trait Judge {
    /// Row `i` (counted from the pass' first) and column `j`, whose squared distance is at least `low`; may lower limits.
    fn near(&mut self, limits: &mut Limits, i: usize, j: usize, low: f32);
}

/// Goes over all pairs of `range` of `rows` and all of `columns`: for each row in ascending order of columns.
pub(super) fn scan<J: Judge>(rows: &Centred, range: Range<usize>, columns: &Centred, limits: &mut Limits, judge: &mut J) {
    if rows.length == columns.length && rows.length > 0 {
        Arch::new().dispatch(Scan { rows, range, columns, limits, judge });
    }
}

struct Scan<'a, J> {
    rows: &'a Centred,
    range: Range<usize>,
    columns: &'a Centred,
    limits: &'a mut Limits,
    judge: &'a mut J,
}

impl<J: Judge> WithSimd for Scan<'_, J> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Vectors in a panel, known when this is compiled for a width.
        match PANEL / S::F32_LANES {
            1 => self.run::<S, 1>(simd),
            2 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            8 => self.run::<S, 8>(simd),
            _ => self.run::<S, PANEL>(simd),
        }
    }
}

impl<J: Judge> Scan<'_, J> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(mut self, simd: S) {
        let length = self.rows.length;
        let (first, end) = (self.range.start, self.range.end);
        let mut panel = 0;
        while panel * PANEL < self.columns.count {
            let data = &self.columns.panels[panel * PANEL * length..(panel + 1) * PANEL * length];
            let mut i = first;
            while i < end {
                let sums = products::<S, V>(simd, &self.rows.rows, i, end, S::as_simd_f32s(data).0, length);
                let mut r = 0;
                while r < ROWS && i + r < end {
                    self.sift::<S, V>(simd, &sums[r], i + r, panel);
                    r += 1;
                }
                i += ROWS;
            }
            panel += 1;
        }
    }

    /// Hands on what is below the limits of row `i` and a panel's columns.
    #[inline(always)]
    fn sift<S: Simd, const V: usize>(&mut self, simd: S, sums: &[S::f32s; V], i: usize, panel: usize) {
        let at = panel * PANEL;
        let local = i - self.range.start;
        let (row, ball) = (simd.splat_f32s(self.limits.row[local]), simd.splat_f32s(self.limits.ball[local]));
        let (norm, minus_two) = (simd.splat_f32s(self.rows.low_norms[i]), simd.splat_f32s(-2.0));
        let norms = S::as_simd_f32s(&self.columns.low_norms[at..at + PANEL]).0;
        let column = S::as_simd_f32s(&self.limits.column[at..at + PANEL]).0;
        let open = S::as_simd_f32s(&self.limits.open[at..at + PANEL]).0;
        let mut low = [simd.splat_f32s(0.0); V];
        let mut any = false;
        let mut v = 0;
        while v < V {
            low[v] = simd.mul_add_e_f32s(sums[v], minus_two, simd.add_f32s(norms[v], norm));
            let bound = simd.max_f32s(simd.max_f32s(row, column[v]), simd.min_f32s(ball, open[v]));
            any |= simd.first_true_m32s(simd.less_than_f32s(low[v], bound)) < S::F32_LANES;
            v += 1;
        }
        if any {
            let mut plain = [0.0_f32; PANEL];
            let store = S::as_mut_simd_f32s(&mut plain).0;
            let mut v = 0;
            while v < V {
                store[v] = low[v];
                v += 1;
            }
            self.hand_on(local, at, &plain);
        }
    }

    #[inline(never)]
    fn hand_on(&mut self, i: usize, at: usize, low: &[f32; PANEL]) {
        for (lane, &low) in low.iter().enumerate() {
            let j = at + lane;
            let limits = &mut *self.limits;
            if low < limits.row[i].max(limits.column[j]).max(limits.ball[i].min(limits.open[j])) {
                self.judge.near(limits, i, j, low);
            }
        }
    }
}

/// The inner products of [`ROWS`] rows from `i` on (the last one again where there are fewer) with a panel's columns.
#[inline(always)]
fn products<S: Simd, const V: usize>(
    simd: S,
    rows: &[f32],
    i: usize,
    end: usize,
    panel: &[S::f32s],
    length: usize,
) -> [[S::f32s; V]; ROWS] {
    let last = end - 1;
    let mut x = [&rows[..0]; ROWS];
    let mut r = 0;
    while r < ROWS {
        let at = if i + r < last { i + r } else { last };
        x[r] = &rows[at * length..(at + 1) * length];
        r += 1;
    }
    let [x0, x1, x2, x3, x4, x5] = x;
    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
    let mut rest = &panel[..length * V];
    let mut k = 0;
    while k < length {
        let y = &rest[..V];
        rest = &rest[V..];
        let values = [x0[k], x1[k], x2[k], x3[k], x4[k], x5[k]];
        let mut r = 0;
        while r < ROWS {
            let value = simd.splat_f32s(values[r]);
            let mut v = 0;
            while v < V {
                sums[r][v] = simd.mul_add_e_f32s(value, y[v], sums[r][v]);
                v += 1;
            }
            r += 1;
        }
        k += 1;
    }
    sums
}

/// The squared Euclidean distance of two segments by differences, in `f64`, always summed in the same order.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            let d = f64::from(x[lane]) - f64::from(y[lane]);
            sums[lane] += d * d;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

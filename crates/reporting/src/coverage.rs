//! How much of each pixel a line or a band covers.

use crate::canvas::Area;

/// Coverage of the pixels of an area, 0 to 1. Overlaps of one mark with itself are not counted twice.
pub(crate) struct Coverage {
    area: Area,
    /// Column by column.
    shares: Vec<f32>,
    /// First and last touched row of each column: a thin line touches little of the area that it spans.
    touched: Vec<(i32, i32)>,
}

impl Coverage {
    pub(crate) fn new(area: Area) -> Self {
        let (width, height) = (area.width().max(0) as usize, area.height().max(0) as usize);
        Self { area, shares: vec![0.0; width * height], touched: vec![(i32::MAX, i32::MIN); width] }
    }

    /// Position in `shares` of a pixel of the area.
    fn index(&self, x: i32, y: i32) -> usize {
        ((x - self.area.left) * self.area.height() + (y - self.area.top)) as usize
    }

    fn raise(&mut self, x: i32, y: i32, coverage: f32) {
        let area = self.area;
        if coverage <= 0.0 || !(area.left..area.right).contains(&x) || !(area.top..area.bottom).contains(&y) {
            return;
        }
        let at = self.index(x, y);
        self.shares[at] = self.shares[at].max(coverage);
        let rows = &mut self.touched[(x - area.left) as usize];
        *rows = (rows.0.min(y), rows.1.max(y));
    }

    /// Calls `pixel` for each covered pixel.
    pub(crate) fn each(&self, mut pixel: impl FnMut((i32, i32), f32)) {
        for (column, &(first, last)) in self.touched.iter().enumerate() {
            let x = self.area.left + column as i32;
            for y in first..=last {
                let coverage = self.shares[self.index(x, y)];
                if coverage > 0.0 {
                    pixel((x, y), coverage);
                }
            }
        }
    }

    /// One column of a band from `low` to `high`, with partly covered ends.
    pub(crate) fn column(&mut self, x: i32, low: f32, high: f32) {
        let first = (low.floor() as i32).max(self.area.top);
        let last = (high.ceil() as i32).min(self.area.bottom - 1);
        for y in first..=last {
            let covered = (high.min(y as f32 + 0.5) - low.max(y as f32 - 0.5)).clamp(0.0, 1.0);
            self.raise(x, y, covered);
        }
    }

    /// A straight piece with round ends: a pixel is covered by how far it is inside the distance `half` from the piece.
    pub(crate) fn segment(&mut self, from: (f32, f32), to: (f32, f32), half: f32) {
        if ![from.0, from.1, to.0, to.1].iter().all(|v| v.is_finite()) {
            return;
        }
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let square = dx * dx + dy * dy;
        let reach = half + 1.0;
        let rows = dy.abs() > dx.abs();
        // Walk along the longer side, looking only at the pixels near the line.
        let (a0, a1, b0, slope, clip_a, clip_b) = if rows {
            (from.1, to.1, from.0, dx / dy, (self.area.top, self.area.bottom), (self.area.left, self.area.right))
        } else {
            let slope = if dx == 0.0 { 0.0 } else { dy / dx };
            (from.0, to.0, from.1, slope, (self.area.left, self.area.right), (self.area.top, self.area.bottom))
        };
        let spread = reach * (1.0 + slope * slope).sqrt() + 1.0;
        let first = ((a0.min(a1) - reach).floor().max(clip_a.0 as f32)) as i32;
        let last = ((a0.max(a1) + reach).ceil().min(clip_a.1 as f32 - 1.0)) as i32;
        for a in first..=last {
            let centre = b0 + ((a as f32).clamp(a0.min(a1), a0.max(a1)) - a0) * slope;
            let low = ((centre - spread).floor().max(clip_b.0 as f32)) as i32;
            let high = ((centre + spread).ceil().min(clip_b.1 as f32 - 1.0)) as i32;
            for b in low..=high {
                let (x, y) = if rows { (b, a) } else { (a, b) };
                let (px, py) = (x as f32 - from.0, y as f32 - from.1);
                let t = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - t * dx).hypot(py - t * dy);
                let coverage = (half + 0.5 - distance).clamp(0.0, 1.0).min(2.0 * half);
                if coverage > 0.0 {
                    self.raise(x, y, coverage);
                }
            }
        }
    }
}

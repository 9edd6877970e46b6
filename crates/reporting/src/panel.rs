//! A plot within a picture: axes with units, and what is drawn between them.

use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::palette::{FAINT, FRAME, GRID, INK};
use crate::ticks;

/// The values an axis spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
}

impl Range {
    /// A linear range; one that is empty or not finite becomes 0 to 1, one without width is widened.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) if low < high => (low, high),
            (true, true) => {
                let by = (low.abs() * 0.1).max(0.5);
                (low - by, low + by)
            }
            _ => (0.0, 1.0),
        };
        Self { low, high, logarithmic: false }
    }

    /// The range of the finite `values`, with `margin` of its width added at both ends.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let (low, high) = extent(values);
        let by = if high > low { (high - low) * margin } else { 0.0 };
        Self::linear(low - by, high + by)
    }

    /// The range of the finite positive `values` on a logarithmic axis.
    pub(crate) fn logarithmic(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values.into_iter().filter(|&v| v > 0.0));
        let (low, high) = if low.is_finite() && high.is_finite() { (low / 1.25, high * 1.25) } else { (0.1, 10.0) };
        Self { low, high, logarithmic: true }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub(crate) fn share(self, value: f64) -> f64 {
        if self.logarithmic {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// Positions and texts of at most `most` ticks.
    fn ticks(self, most: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            let ticks = ticks::logarithmic(self.low, self.high, most);
            return ticks.into_iter().map(|t| (t, ticks::logarithmic_label(t))).collect();
        }
        let ticks = ticks::linear(self.low, self.high, most);
        ticks.iter().map(|&t| (t, ticks::label(t, &ticks))).collect()
    }
}

fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

/// What stands around a plot.
#[derive(Debug, Clone)]
pub(crate) struct Axes<'a> {
    /// Above the plot, at its left.
    pub title: &'a str,
    /// Behind the title, in grey.
    pub remark: &'a str,
    /// Name and unit under the plot; empty for none.
    pub x: &'a str,
    /// Name and unit left of the plot; empty for none.
    pub y: &'a str,
    /// Whether the x axis says its numbers.
    pub x_numbers: bool,
    /// Whether the y axis says its numbers.
    pub y_numbers: bool,
    /// Which ticks have lines across the plot.
    pub lines: Lines,
    /// Pixels per em of tick labels and axis names; titles are a little larger.
    pub size: f32,
    /// Colour of the title.
    pub colour: RGBColor,
}

/// Lines of a plot's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// At the ticks of both axes.
    Both,
    /// At the ticks of the x axis only: what lies up the plot has no scale.
    Across,
    /// None: neither axis has a scale.
    Neither,
}

impl Axes<'_> {
    /// Both axes numbered, no names yet.
    pub(crate) fn plain(size: f32) -> Self {
        Self { title: "", remark: "", x: "", y: "", x_numbers: true, y_numbers: true, lines: Lines::Both, size, colour: INK }
    }
}

/// A plot: an area of pixels and the ranges that map onto it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    pub area: Area,
    pub x: Range,
    pub y: Range,
}

impl Panel {
    /// Draws the axes within `outer` and returns what lies between them.
    pub(crate) fn draw(canvas: &mut Canvas, outer: Area, (x, y): (Range, Range), axes: &Axes<'_>) -> Self {
        let em = axes.size;
        let px = |ems: f32| (em * ems).round() as i32;
        let name = if axes.y.is_empty() { 0 } else { px(1.4) };
        let numbers = if axes.y_numbers { px(2.9) } else { px(0.4) };
        let title = if axes.title.is_empty() && axes.remark.is_empty() { px(0.5) } else { px(1.7) };
        let below = if axes.x_numbers { px(1.5) } else { px(0.3) } + if axes.x.is_empty() { 0 } else { px(1.3) };
        let area = Area::new(outer.left + name + numbers, outer.top + title, outer.right - px(0.7), outer.bottom - below);
        let panel = Self { area, x, y };
        panel.grid(canvas, axes);
        let kind = Type::regular(em, FAINT);
        if !axes.x.is_empty() {
            let at = (i32::midpoint(area.left, area.right) as f32, outer.bottom as f32 - em * 0.6);
            canvas.text(axes.x, at, Align::Centre, kind);
        }
        if !axes.y.is_empty() {
            canvas.text_upwards(axes.y, (outer.left as f32 + em * 0.7, i32::midpoint(area.top, area.bottom) as f32), kind);
        }
        panel.heading(canvas, outer, axes);
        panel
    }

    fn heading(&self, canvas: &mut Canvas, outer: Area, axes: &Axes<'_>) {
        let y = outer.top as f32 + axes.size * 0.8;
        let kind = Type::bold(axes.size * 1.1, axes.colour);
        let title = crate::font::fit(axes.title, kind.size, kind.weight, self.area.width() as f32);
        canvas.text(&title, (self.area.left as f32, y), Align::Left, kind);
        let used = if title.is_empty() { 0.0 } else { kind.width(&title) + axes.size * 0.7 };
        let kind = Type::regular(axes.size, FAINT);
        let room = self.area.width() as f32 - used;
        let remark = crate::font::fit(axes.remark, kind.size, kind.weight, room);
        canvas.text(&remark, (self.area.left as f32 + used, y), Align::Left, kind);
    }

    fn grid(&self, canvas: &mut Canvas, axes: &Axes<'_>) {
        let (em, area) = (axes.size, self.area);
        let kind = Type::regular(em, FAINT);
        let across = self.x.ticks((area.width() as f32 / (em * 2.7)).clamp(2.0, 13.0) as usize);
        let up = self.y.ticks((area.height() as f32 / (em * 1.6)).clamp(2.0, 8.0) as usize);
        for (tick, text) in across {
            let x = self.at_x(tick);
            let column = x.round() as i32;
            if axes.lines != Lines::Neither {
                canvas.fill(Area::new(column, area.top, column + 1, area.bottom), GRID);
            }
            if axes.x_numbers {
                canvas.text(&text, (x, area.bottom as f32 + em * 0.85), Align::Centre, kind);
            }
        }
        for (tick, text) in up {
            let y = self.at_y(tick);
            let row = y.round() as i32;
            if axes.lines == Lines::Both {
                canvas.fill(Area::new(area.left, row, area.right, row + 1), GRID);
            }
            if axes.y_numbers {
                canvas.text(&text, (area.left as f32 - em * 0.35, y), Align::Right, kind);
            }
        }
        canvas.outline(Area::new(area.left - 1, area.top - 1, area.right + 1, area.bottom + 1), 1, FRAME);
    }

    /// Pixel position of `value` across.
    pub(crate) fn at_x(&self, value: f64) -> f32 {
        (f64::from(self.area.left) + self.x.share(value) * f64::from(self.area.width() - 1)) as f32
    }

    /// Pixel position of `value` up.
    pub(crate) fn at_y(&self, value: f64) -> f32 {
        (f64::from(self.area.bottom - 1) - self.y.share(value) * f64::from(self.area.height() - 1)) as f32
    }

    /// A line through the points, clipped to the plot.
    pub(crate) fn line(&self, canvas: &mut Canvas, points: impl Iterator<Item = (f64, f64)>, pen: Pen) {
        let points: Vec<(f32, f32)> = points.map(|(x, y)| (self.at_x(x), self.at_y(y))).collect();
        canvas.stroke(&points, pen, self.area);
    }

    /// The area between two curves, clipped to the plot: `(x, low, high)`.
    pub(crate) fn band(&self, canvas: &mut Canvas, edges: impl Iterator<Item = (f64, f64, f64)>, pen: Pen) {
        let edges: Vec<(f32, f32, f32)> = edges.map(|(x, a, b)| (self.at_x(x), self.at_y(a), self.at_y(b))).collect();
        canvas.band(&edges, pen, self.area);
    }

    /// A dashed vertical line.
    pub(crate) fn upright(&self, canvas: &mut Canvas, x: f64, pen: Pen) {
        let x = self.at_x(x);
        canvas.dashed((x, self.area.top as f32), (x, self.area.bottom as f32), 6.0, pen, self.area);
    }

    /// A sentence in the middle of the plot, in place of data.
    pub(crate) fn say(&self, canvas: &mut Canvas, text: &str, size: f32) {
        let kind = Type::regular(size, FAINT);
        let lines = crate::font::wrap(text, size, kind.weight, self.area.width() as f32 - size);
        let x = i32::midpoint(self.area.left, self.area.right) as f32;
        let middle = i32::midpoint(self.area.top, self.area.bottom) as f32;
        for (k, line) in lines.iter().enumerate() {
            let y = middle + (k as f32 - (lines.len() as f32 - 1.0) / 2.0) * size * 1.3;
            let half = kind.width(line) / 2.0 + 6.0;
            let patch = [x - half, y - size * 0.65, x + half, y + size * 0.65].map(|v| v as i32);
            canvas.fill(Area::new(patch[0], patch[1], patch[2], patch[3]), crate::palette::WHITE);
            canvas.text(line, (x, y), Align::Centre, kind);
        }
    }
}

/// Draws a legend from `x` rightwards, lines or swatches with their names; returns where it ends.
pub(crate) fn legend(canvas: &mut Canvas, (x, y): (f32, f32), size: f32, entries: &[(&str, Sign)]) -> f32 {
    let mut x = x;
    for (name, sign) in entries {
        let long = size * 1.6;
        let all = canvas.area();
        match *sign {
            Sign::Line(pen) => canvas.stroke(&[(x, y), (x + long, y)], pen, all),
            Sign::Band(pen) => {
                let half = size * 0.45;
                canvas.band(&[(x, y - half, y + half), (x + long, y - half, y + half)], pen, all);
            }
            Sign::Dot(diameter, colour) => canvas.disc((x + long / 2.0, y), diameter, colour),
            Sign::Ring(diameter, colour) => ring(canvas, (x + long / 2.0, y), diameter, colour),
            Sign::Dashes(pen) => canvas.dashed((x, y), (x + long, y), 6.0, pen, all),
        }
        let kind = Type::regular(size, INK);
        canvas.text(name, (x + long + size * 0.5, y), Align::Left, kind);
        x += long + size * 1.7 + kind.width(name);
    }
    x
}

/// How wide [`legend`] will be.
pub(crate) fn legend_width(size: f32, entries: &[(&str, Sign)]) -> f32 {
    entries.iter().map(|(name, _)| size * 3.3 + Type::regular(size, INK).width(name)).sum::<f32>() - size * 1.2
}

/// A circle of which only the rim is coloured.
pub(crate) fn ring(canvas: &mut Canvas, centre: (f32, f32), diameter: f32, colour: RGBColor) {
    canvas.disc(centre, diameter, colour);
    canvas.disc(centre, diameter - 4.0, crate::palette::WHITE);
}

/// What a legend shows before a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sign {
    Line(Pen),
    Dashes(Pen),
    Band(Pen),
    Dot(f32, RGBColor),
    Ring(f32, RGBColor),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_survive_what_data_may_hold() {
        assert_eq!(Range::of([f64::NAN, 2.0, 4.0], 0.0), Range::linear(2.0, 4.0));
        assert_eq!(Range::of([], 0.1), Range::linear(0.0, 1.0));
        assert!(Range::of([3.0, 3.0], 0.1).low < 3.0);
        assert!(Range::logarithmic([0.0, -1.0, f64::NAN]).low > 0.0);
        let log = Range::logarithmic([1.0, 100.0]);
        assert!((log.share(10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn values_map_onto_the_area() {
        let mut canvas = Canvas::new(300, 200);
        let ranges = (Range::linear(0.0, 10.0), Range::linear(-1.0, 1.0));
        let panel = Panel::draw(&mut canvas, Area::new(0, 0, 300, 200), ranges, &Axes::plain(14.0));
        assert_eq!(panel.at_x(0.0), panel.area.left as f32);
        assert_eq!(panel.at_x(10.0), (panel.area.right - 1) as f32);
        assert_eq!(panel.at_y(1.0), panel.area.top as f32);
        assert!(panel.at_y(-1.0) > panel.at_y(1.0));
    }
}

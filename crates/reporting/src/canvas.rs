//! The picture being drawn: plotters' bitmap backend over a buffer of our own, with the few marks that figures are made of.
//!
//! plotters draws lines wider than a pixel as polygons without anti-aliasing; strokes and bands here compute each pixel's
//! coverage and leave the blending to the backend.

use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::{Color, RGBColor};

use crate::coverage::Coverage;
use crate::error::ReportError;
use crate::font::{self, Weight};

/// A rectangle of pixels; `right` and `bottom` lie outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    pub(crate) fn new(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self { left, top, right: right.max(left), bottom: bottom.max(top) }
    }

    pub(crate) fn width(self) -> i32 {
        self.right - self.left
    }

    pub(crate) fn height(self) -> i32 {
        self.bottom - self.top
    }

    pub(crate) fn inset(self, by: i32) -> Self {
        Self::new(self.left + by, self.top + by, self.right - by, self.bottom - by)
    }

    fn intersect(self, other: Self) -> Self {
        Self::new(self.left.max(other.left), self.top.max(other.top), self.right.min(other.right), self.bottom.min(other.bottom))
    }

    /// Cell (`row`, `column`) of a grid of `rows` by `columns` cells with `gap` pixels between them.
    pub(crate) fn cell(self, (row, rows): (usize, usize), (column, columns): (usize, usize), gap: i32) -> Self {
        let part = |from: i32, length: i32, k: usize, n: usize| {
            let (k, n) = (k as i32, n.max(1) as i32);
            let size = (length - gap * (n - 1)) / n;
            (from + k * (size + gap), from + k * (size + gap) + size)
        };
        let (left, right) = part(self.left, self.width(), column, columns);
        let (top, bottom) = part(self.top, self.height(), row, rows);
        Self::new(left, top, right, bottom)
    }
}

/// Which point of a text is given, horizontally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    /// Pixels per em.
    pub size: f32,
    pub weight: Weight,
    pub colour: RGBColor,
}

impl Type {
    pub(crate) fn regular(size: f32, colour: RGBColor) -> Self {
        Self { size, weight: Weight::Regular, colour }
    }

    pub(crate) fn bold(size: f32, colour: RGBColor) -> Self {
        Self { size, weight: Weight::Bold, colour }
    }

    pub(crate) fn width(self, text: &str) -> f32 {
        font::width(text, self.size, self.weight)
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    /// Pixels.
    pub width: f32,
    pub colour: RGBColor,
    /// 0 to 1.
    pub alpha: f64,
}

impl Pen {
    pub(crate) fn new(width: f32, colour: RGBColor) -> Self {
        Self { width, colour, alpha: 1.0 }
    }

    pub(crate) fn faded(width: f32, colour: RGBColor, alpha: f64) -> Self {
        Self { width, colour, alpha }
    }
}

/// A picture in RGB.
pub(crate) struct Canvas {
    pixels: Vec<u8>,
    size: (u32, u32),
}

impl Canvas {
    /// A white picture.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { pixels: vec![255; width as usize * height as usize * 3], size: (width, height) }
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    pub(crate) fn area(&self) -> Area {
        Area::new(0, 0, self.size.0 as i32, self.size.1 as i32)
    }

    /// Runs `draw` on the backend.
    fn with(&mut self, draw: impl FnOnce(&mut BitMapBackend<'_>)) {
        draw(&mut BitMapBackend::with_buffer(&mut self.pixels, self.size));
    }

    /// Blends `colour` into one pixel; nothing where it is outside. The backend can fail only where it writes files itself.
    fn tint(backend: &mut BitMapBackend<'_>, at: (i32, i32), colour: RGBColor, alpha: f64) {
        let _ = backend.draw_pixel(at, colour.mix(alpha).to_backend_color());
    }

    /// Fills a rectangle.
    pub(crate) fn fill(&mut self, area: Area, colour: RGBColor) {
        self.fill_faded(area, colour, 1.0);
    }

    pub(crate) fn fill_faded(&mut self, area: Area, colour: RGBColor, alpha: f64) {
        let area = area.intersect(self.area());
        if area.width() == 0 || area.height() == 0 {
            return;
        }
        // The backend's own rectangles lack their last row and column.
        self.with(|b| {
            for y in area.top..area.bottom {
                (area.left..area.right).for_each(|x| Self::tint(b, (x, y), colour, alpha));
            }
        });
    }

    /// Draws the outline of a rectangle, `width` pixels inwards.
    pub(crate) fn outline(&mut self, area: Area, width: i32, colour: RGBColor) {
        self.fill(Area::new(area.left, area.top, area.right, area.top + width), colour);
        self.fill(Area::new(area.left, area.bottom - width, area.right, area.bottom), colour);
        self.fill(Area::new(area.left, area.top, area.left + width, area.bottom), colour);
        self.fill(Area::new(area.right - width, area.top, area.right, area.bottom), colour);
    }

    /// Draws `text` with its capitals centred on `y`.
    pub(crate) fn text(&mut self, text: &str, (x, y): (f32, f32), align: Align, kind: Type) {
        let left = x - aligned(kind.width(text), align);
        let baseline = y + font::cap_height(kind.size) / 2.0;
        let (left, baseline) = (left.round() as i32, baseline.round() as i32);
        self.glyphs(text, kind, |dx, dy| (left + dx, baseline + dy));
    }

    /// Draws `text` upwards, centred on `y`, its capitals centred on `x`.
    pub(crate) fn text_upwards(&mut self, text: &str, (x, y): (f32, f32), kind: Type) {
        let bottom = (y + kind.width(text) / 2.0).round() as i32;
        let baseline = (x + font::cap_height(kind.size) / 2.0).round() as i32;
        self.glyphs(text, kind, |dx, dy| (baseline + dy, bottom - dx));
    }

    /// Draws `text` in lines of at most `room` pixels, the first with its capitals centred on `y`; returns the next line's y.
    pub(crate) fn paragraph(&mut self, text: &str, (x, y): (f32, f32), room: f32, most_lines: usize, kind: Type) -> f32 {
        let mut lines = font::wrap(text, kind.size, kind.weight, room);
        if lines.len() > most_lines {
            let rest = lines.split_off(most_lines.saturating_sub(1)).join(" ");
            lines.push(font::fit(&rest, kind.size, kind.weight, room));
        }
        let mut y = y;
        for line in &lines {
            self.text(line, (x, y), Align::Left, kind);
            y += (kind.size * 1.3).round();
        }
        y
    }

    fn glyphs(&mut self, text: &str, kind: Type, place: impl Fn(i32, i32) -> (i32, i32)) {
        let (w, h) = (self.size.0 as i32, self.size.1 as i32);
        self.with(|backend| {
            font::rasterise(text, kind.size, kind.weight, |dx, dy, coverage| {
                let (x, y) = place(dx, dy);
                if (0..w).contains(&x) && (0..h).contains(&y) && coverage > 0.0 {
                    Self::tint(backend, (x, y), kind.colour, f64::from(coverage));
                }
            });
        });
    }

    /// Draws a line through `points` with round joins and caps, inside `clip`. A point that is not finite leaves a gap; a
    /// single point is a disc.
    pub(crate) fn stroke(&mut self, points: &[(f32, f32)], pen: Pen, clip: Area) {
        let clip = clip.intersect(self.area());
        let Some(bounds) = bounds(points, pen.width, clip) else { return };
        let mut mask = Coverage::new(bounds);
        let alone = |k: usize| {
            let finite = |p: Option<&(f32, f32)>| p.is_some_and(|p| p.0.is_finite() && p.1.is_finite());
            let before = k > 0 && finite(points.get(k - 1));
            !before && !finite(points.get(k + 1))
        };
        for (k, pair) in points.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            mask.segment(*from, *to, pen.width / 2.0);
            if alone(k) {
                mask.segment(*from, *from, pen.width / 2.0);
            }
        }
        if let Some(&last) = points.last()
            && alone(points.len() - 1)
        {
            mask.segment(last, last, pen.width / 2.0);
        }
        self.blend(&mask, pen);
    }

    /// A filled disc.
    pub(crate) fn disc(&mut self, centre: (f32, f32), diameter: f32, colour: RGBColor) {
        self.stroke(&[centre], Pen::new(diameter, colour), self.area());
    }

    /// A straight line in dashes of `dash` pixels with gaps of the same length.
    pub(crate) fn dashed(&mut self, from: (f32, f32), to: (f32, f32), dash: f32, pen: Pen, clip: Area) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if !length.is_finite() || length <= 0.0 {
            return;
        }
        for k in 0..(length / (2.0 * dash)).ceil().min(10_000.0) as usize {
            let at = |d: f32| (from.0 + dx * d.min(length) / length, from.1 + dy * d.min(length) / length);
            let start = k as f32 * 2.0 * dash;
            self.stroke(&[at(start), at(start + dash)], pen, clip);
        }
    }

    /// Fills between two curves given at the same rising x positions: `(x, low y, high y)`, in either order of y.
    pub(crate) fn band(&mut self, edges: &[(f32, f32, f32)], pen: Pen, clip: Area) {
        let clip = clip.intersect(self.area());
        let all: Vec<(f32, f32)> = edges.iter().flat_map(|e| [(e.0, e.1), (e.0, e.2)]).collect();
        let Some(bounds) = bounds(&all, 0.0, clip) else { return };
        let mut mask = Coverage::new(bounds);
        for pair in edges.windows(2) {
            let [a, b] = pair else { continue };
            if ![a.0, a.1, a.2, b.0, b.1, b.2].iter().all(|v| v.is_finite()) || b.0 <= a.0 {
                continue;
            }
            // The last column of a piece is the first of the next one; maxima make them one.
            for x in (a.0.ceil() as i32).max(bounds.left)..=(b.0.floor() as i32).min(bounds.right - 1) {
                let t = (x as f32 - a.0) / (b.0 - a.0);
                let (p, q) = (a.1 + t * (b.1 - a.1), a.2 + t * (b.2 - a.2));
                mask.column(x, p.min(q), p.max(q));
            }
        }
        self.blend(&mask, pen);
    }

    fn blend(&mut self, mask: &Coverage, pen: Pen) {
        self.with(|backend| {
            mask.each(|at, coverage| Self::tint(backend, at, pen.colour, f64::from(coverage) * pen.alpha));
        });
    }

    /// The picture as a PNG file.
    pub(crate) fn encode(&self, name: &str) -> Result<Vec<u8>, ReportError> {
        let (width, height) = self.size;
        let failed = |cause| ReportError::Encode { name: name.into(), width, height, cause };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        let indexed = crate::indexed::indexed(&self.pixels);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(indexed.palette);
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&indexed.pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    #[cfg(test)]
    pub(crate) fn pixel(&self, x: i32, y: i32) -> RGBColor {
        let at = (y as usize * self.size.0 as usize + x as usize) * 3;
        RGBColor(self.pixels[at], self.pixels[at + 1], self.pixels[at + 2])
    }
}

fn aligned(width: f32, align: Align) -> f32 {
    match align {
        Align::Left => 0.0,
        Align::Centre => width / 2.0,
        Align::Right => width,
    }
}

/// The part of `clip` that a line of `width` through `points` may touch.
fn bounds(points: &[(f32, f32)], width: f32, clip: Area) -> Option<Area> {
    let mut bounds: Option<(f32, f32, f32, f32)> = None;
    for &(x, y) in points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
        let (l, t, r, b) = bounds.unwrap_or((x, y, x, y));
        bounds = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
    }
    let (l, t, r, b) = bounds?;
    let grown = width / 2.0 + 2.0;
    let area = Area::new((l - grown) as i32, (t - grown) as i32, (r + grown) as i32 + 1, (b + grown) as i32 + 1).intersect(clip);
    (area.width() > 0 && area.height() > 0).then_some(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: RGBColor = RGBColor(0, 0, 0);

    fn ink(canvas: &Canvas) -> f64 {
        canvas.pixels.iter().map(|&v| 1.0 - f64::from(v) / 255.0).sum::<f64>() / 3.0
    }

    #[test]
    fn a_stroke_covers_its_length_times_its_width() {
        for to in [(90.0, 10.0), (10.0, 90.0), (70.0, 70.0), (40.0, 85.5)] {
            let mut canvas = Canvas::new(100, 100);
            canvas.stroke(&[(10.0, 10.0), to], Pen::new(3.0, BLACK), canvas.area());
            let expected = 3.0 * f64::from((to.0 - 10.0_f32).hypot(to.1 - 10.0)) + std::f64::consts::PI * 2.25;
            assert!((ink(&canvas) / expected - 1.0).abs() < 0.05, "{to:?}: {} beside {expected}", ink(&canvas));
        }
    }

    #[test]
    fn fills_are_exact_down_to_one_pixel() {
        for (width, height) in [(1, 40), (40, 1), (1, 1), (30, 20)] {
            let mut canvas = Canvas::new(100, 100);
            canvas.fill(Area::new(10, 10, 10 + width, 10 + height), BLACK);
            assert_eq!(ink(&canvas).round() as i32, width * height);
        }
    }

    #[test]
    fn gaps_clips_and_lone_points() {
        let mut canvas = Canvas::new(100, 100);
        let gap = (f32::NAN, 50.0);
        let clip = Area::new(0, 0, 60, 100);
        canvas.stroke(&[(10.0, 50.0), gap, (40.0, 50.0), (90.0, 50.0)], Pen::new(4.0, BLACK), clip);
        assert_eq!(canvas.pixel(10, 50), BLACK);
        assert_eq!(canvas.pixel(25, 50), RGBColor(255, 255, 255));
        assert_eq!(canvas.pixel(59, 50), BLACK);
        assert_eq!(canvas.pixel(60, 50), RGBColor(255, 255, 255));
        let far = (f32::MAX, f32::INFINITY);
        canvas.stroke(&[far, (1e30, -1e30)], Pen::new(4.0, BLACK), clip);
        canvas.stroke(&[], Pen::new(4.0, BLACK), clip);
    }

    #[test]
    fn a_band_fills_between_its_edges() {
        let mut canvas = Canvas::new(100, 100);
        let edges = [(10.0, 20.0, 60.0), (50.5, 30.0, 40.0), (90.0, 20.0, 60.0)];
        canvas.band(&edges, Pen::new(0.0, BLACK), canvas.area());
        assert_eq!(canvas.pixel(12, 40), BLACK);
        assert_eq!(canvas.pixel(50, 25), RGBColor(255, 255, 255));
        assert!((ink(&canvas) - 80.0 * 25.0).abs() < 60.0, "{}", ink(&canvas));
    }

    #[test]
    fn text_is_drawn_both_ways() {
        let (mut across, mut up) = (Canvas::new(200, 200), Canvas::new(200, 200));
        across.text("millivolt", (100.0, 100.0), Align::Centre, Type::regular(20.0, BLACK));
        up.text_upwards("millivolt", (100.0, 100.0), Type::regular(20.0, BLACK));
        assert!(ink(&across) > 100.0);
        assert!((ink(&across) - ink(&up)).abs() < 1.0);
    }
}

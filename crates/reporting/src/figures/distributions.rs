//! How clinical quantities are distributed, class by class, real and synthetic.

use physiosynth_evaluation::exhibits::{Distribution, DistributionOfSet};

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::{Context, in_order};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::font::fit;
use crate::palette::{FAINT, FRAME, GRID, HELD_OUT, INK, REAL, SYNTHETIC};
use crate::panel::{Axes, Lines, Panel, Range, Sign, legend};
use crate::words::quantity_in_words;

pub(super) const FIGURE: Figure = Figure {
    name: "distributions",
    title: "Intervals, amplitudes and powers",
    caption: |_| {
        "A plot per quantity, a line per class, in the quantity's own unit: how often which value occurs (kernel density, each class scaled \
         to its own peak). Blue area: real segments of the training subjects; light blue: of held-out subjects, which shows how far people \
         differ; orange: synthetic segments. Ticks below are the medians. Quantities are shown where at least half of the real segments have \
         them. Orange should lie where blue does, as wide and with as many peaks."
            .into()
    },
    draw,
};

/// Quantities drawn.
const QUANTITIES: usize = 18;
/// Classes drawn of a quantity.
const CLASSES: usize = 6;
/// Pixels per class.
const LANE: i32 = 62;

fn draw(context: &Context<'_>) -> Drawing {
    let all: Vec<&Distribution> = context.report.scores.exhibits.distributions.iter().filter(|d| drawable(d)).collect();
    let mut names: Vec<&str> = Vec::new();
    for distribution in &all {
        if !names.contains(&distribution.name.as_str()) {
            names.push(&distribution.name);
        }
    }
    names.truncate(QUANTITIES);
    if names.is_empty() {
        return Drawing::Nothing("the segments are neither an ECG nor an EEG whose quantities could be read off");
    }
    let plots: Vec<Vec<&Distribution>> = names.iter().map(|name| lanes(&all, name)).collect();
    let columns = names.len().min(3);
    let rows = names.len().div_ceil(columns);
    let lanes = plots.iter().map(Vec::len).max().unwrap_or(1) as i32;
    let height = lanes * LANE + 96;
    let (mut canvas, area) = sheet(136 + rows as i32 * (height + 6), "Intervals, amplitudes and powers: real and synthetic");
    let entries = [
        ("real, training subjects", Sign::Band(Pen::faded(0.0, REAL, 0.4))),
        ("real, held-out subjects", Sign::Line(Pen::new(2.0, HELD_OUT))),
        ("synthetic", Sign::Line(Pen::new(3.0, SYNTHETIC))),
    ];
    let y = area.top as f32 + 8.0;
    let x = legend(&mut canvas, (area.left as f32 + 8.0, y), SIZE, &entries);
    let classes = in_order(all.iter().map(|d| d.class.clone()).collect()).len();
    if classes > CLASSES {
        let text = format!("{} more classes not drawn", classes - CLASSES);
        canvas.text(&text, (x, y), Align::Left, Type::regular(SIZE, FAINT));
    }
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (k, plot) in plots.iter().enumerate() {
        let cell = area.cell((k / columns, rows), (k % columns, columns), 14);
        let cell = Area::new(cell.left, cell.top, cell.right, cell.top + plot.len() as i32 * LANE + 92);
        one(&mut canvas, cell, plot);
    }
    Drawing::Picture(canvas)
}

/// Whether at least half of the real segments have the quantity, and its numbers can be drawn.
fn drawable(d: &Distribution) -> bool {
    let real = d.sets.iter().find(|s| s.set == "train");
    real.is_some_and(|s| s.values >= s.missing) && d.range.iter().all(|x| x.is_finite()) && d.range[0] < d.range[1]
}

fn lanes<'a>(all: &[&'a Distribution], name: &str) -> Vec<&'a Distribution> {
    let of_name = || all.iter().filter(|d| d.name == name).copied();
    let order = in_order(of_name().map(|d| d.class.clone()).collect());
    order.iter().filter_map(|class| of_name().find(|d| d.class == *class)).take(CLASSES).collect()
}

fn one(canvas: &mut Canvas, cell: Area, plot: &[&Distribution]) {
    let Some(first) = plot.first() else { return };
    let range = Range::of(plot.iter().flat_map(|d| span(d)), 0.0);
    let title = quantity_in_words(&first.name).unwrap_or_else(|| first.name.replace('_', " "));
    let axes = Axes { title: &title, x: &first.unit, y_numbers: false, lines: Lines::Across, ..Axes::plain(SIZE) };
    let gutter = 46;
    let inner = Area::new(cell.left + gutter, cell.top, cell.right, cell.bottom);
    let panel = Panel::draw(canvas, inner, (range, Range::linear(0.0, 1.0)), &axes);
    for (k, distribution) in plot.iter().enumerate() {
        let step = panel.area.height() as f32 / plot.len() as f32;
        let (top, bottom) = (panel.area.top as f32 + k as f32 * step, panel.area.top as f32 + (k + 1) as f32 * step);
        if k > 0 {
            canvas.fill(Area::new(panel.area.left, top as i32, panel.area.right, top as i32 + 1), GRID);
        }
        let name = fit(&distribution.class, SIZE, crate::font::Weight::Bold, gutter as f32);
        canvas.text(&name, (panel.area.left as f32 - 8.0, f32::midpoint(top, bottom)), Align::Right, Type::bold(SIZE, INK));
        lane(canvas, &panel, distribution, (top + 5.0, bottom - 9.0));
    }
}

/// What of a distribution is worth showing: half as far again as 90% of the values reach, so that a few stray ones do not flatten the rest.
fn span(d: &Distribution) -> [f64; 2] {
    let of = |s: &DistributionOfSet| {
        let [low, .., high] = s.quantiles;
        [low - 0.5 * (high - low), high + 0.5 * (high - low)]
    };
    let spans = || d.sets.iter().map(of).filter(|s| s.iter().all(|x| x.is_finite()));
    let (low, high) =
        (spans().map(|s| s[0]).fold(f64::INFINITY, f64::min), spans().map(|s| s[1]).fold(f64::NEG_INFINITY, f64::max));
    let inside = [d.range[0].max(low), d.range[1].min(high)];
    if inside[0] < inside[1] { inside } else { d.range }
}

fn lane(canvas: &mut Canvas, panel: &Panel, d: &Distribution, (top, base): (f32, f32)) {
    canvas.stroke(&[(panel.area.left as f32, base), (panel.area.right as f32, base)], Pen::new(1.0, FRAME), panel.area);
    for set in &d.sets {
        let (colour, width) = match set.set.as_str() {
            "train" => (REAL, 1.6),
            "held_out" => (HELD_OUT, 2.0),
            "synthetic" => (SYNTHETIC, 2.8),
            _ => continue,
        };
        let points = outline(panel, d.range, set, (top, base));
        if set.set == "train" {
            let edges: Vec<(f32, f32, f32)> = points.iter().map(|&(x, y)| (x, y, base)).collect();
            canvas.band(&edges, Pen::faded(0.0, colour, 0.3), panel.area);
        }
        canvas.stroke(&points, Pen::new(width, colour), panel.area);
        let x = panel.at_x(set.quantiles[2]);
        canvas.stroke(&[(x, base), (x, base + 6.0)], Pen::new(width + 1.0, colour), panel.area);
    }
    if !d.sets.iter().any(|s| s.set == "synthetic") {
        let at = (panel.area.right as f32 - 8.0, top + 10.0);
        canvas.text("no synthetic", at, Align::Right, Type::regular(SIZE * 0.8, FAINT));
    }
}

/// The density as a line, its peak at `top`.
fn outline(panel: &Panel, [low, high]: [f64; 2], set: &DistributionOfSet, (top, base): (f32, f32)) -> Vec<(f32, f32)> {
    let peak = set.density.iter().copied().filter(|d| d.is_finite()).fold(0.0, f64::max);
    let last = set.density.len().saturating_sub(1).max(1) as f64;
    let share = |d: f64| if peak > 0.0 { (d / peak) as f32 } else { 0.0 };
    let at = |(k, d): (usize, &f64)| (panel.at_x(low + (high - low) * k as f64 / last), base - share(*d) * (base - top));
    set.density.iter().enumerate().map(at).collect()
}

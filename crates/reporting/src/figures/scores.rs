//! Where each measure stands between its references.

use physiosynth_evaluation::Measure;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::{Context, in_order};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::font::fit;
use crate::page::measures::{better_in_words, measure_in_words};
use crate::palette::{BASELINE, FAINT, FRAME, GRID, INK, REFERENCE, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend, ring};

/// Measures drawn; the table holds all.
const SHOWN: usize = 18;
/// Classes drawn per measure.
const CLASSES: usize = 6;
/// Pixels per class.
const LANE: i32 = 30;

pub(super) const FIGURE: Figure = Figure {
    name: "scores",
    title: "Measures between their references",
    caption: |_| {
        "A plot per measure, a line per class, in the measure's own unit. The grey bar runs from `same` (one random half of the \
         training segments against the other: what a perfect sampler would get; thick end) to `held_out` (other subjects' segments: what \
         generalisation costs). The dot is the synthetic set with its 95% interval over subjects where there are five or more; \
         the ring is a plain copy of training segments. A dot inside the bar is as far from the training set as another person \
         is; a dot at the ring is as near as a copy."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let measures = &context.report.scores.measures;
    let mut names: Vec<&str> = Vec::new();
    for measure in measures {
        if !names.contains(&measure.name.as_str()) && measures.iter().any(|m| m.name == measure.name && m.value.is_some()) {
            names.push(&measure.name);
        }
    }
    names.truncate(SHOWN);
    if names.is_empty() {
        return Drawing::Nothing("no measure has a value");
    }
    let columns = names.len().min(3);
    let rows = names.len().div_ceil(columns);
    let plots: Vec<Vec<&Measure>> = names.iter().map(|name| lanes(measures, name)).collect();
    let lanes = plots.iter().map(Vec::len).max().unwrap_or(1) as i32;
    let height = lanes * LANE + 110;
    let (mut canvas, area) = sheet(136 + rows as i32 * height, "Measures between their references");
    let bar = Pen::new(12.0, REFERENCE);
    let entries = [
        ("same (thick end) to held-out", Sign::Line(bar)),
        ("synthetic, 95% interval", Sign::Dot(13.0, SYNTHETIC)),
        ("training copy", Sign::Ring(13.0, BASELINE)),
    ];
    let y = area.top as f32 + 8.0;
    let x = legend(&mut canvas, (area.left as f32 + 8.0, y), SIZE, &entries);
    if measures.iter().any(|m| m.value.is_none()) {
        canvas.text("grey class: too few segments for a value", (x, y), Align::Left, Type::regular(SIZE, FAINT));
    }
    let area = Area::new(area.left, area.top + 40, area.right, area.bottom);
    for (k, plot) in plots.iter().enumerate() {
        let cell = area.cell((k / columns, rows), (k % columns, columns), 14);
        let cell = Area::new(cell.left, cell.top, cell.right, cell.top + plot.len() as i32 * LANE + 92);
        one(&mut canvas, cell, plot);
    }
    Drawing::Picture(canvas)
}

/// The measures of one name, a class each: `all` first, then in the order of the field.
fn lanes<'a>(measures: &'a [Measure], name: &str) -> Vec<&'a Measure> {
    let of_name = || measures.iter().filter(|m| m.name == name);
    let order = in_order(of_name().map(|m| m.class.clone()).filter(|c| c != "all").collect());
    let all = of_name().filter(|m| m.class == "all").take(1);
    all.chain(order.iter().filter_map(|class| of_name().find(|m| m.class == *class))).take(CLASSES).collect()
}

fn one(canvas: &mut Canvas, cell: Area, plot: &[&Measure]) {
    let values = plot.iter().flat_map(|m| {
        [m.value, m.low, m.high, m.same, m.held_out, m.baselines.get("training_copy").copied()].into_iter().flatten()
    });
    let range = Range::of(values, 0.07);
    let title = plot.first().map_or_else(String::new, |m| measure_in_words(&m.name));
    let remark = plot.first().map_or_else(String::new, |m| {
        let unit = if m.unit.is_empty() { String::new() } else { format!("{}; ", m.unit) };
        unit + better_in_words(m.better)
    });
    // Class names stand where a y axis has its numbers.
    let axes = Axes { title: &title, remark: &remark, y_numbers: false, ..Axes::plain(SIZE) };
    let widest = plot.iter().map(|m| Type::bold(SIZE, INK).width(&m.class)).fold(0.0, f32::max);
    let gutter = (widest as i32 + 8).clamp(52, 150);
    let inner = Area::new(cell.left + gutter, cell.top, cell.right, cell.bottom);
    let panel = Panel::draw(canvas, inner, (range, Range::linear(0.0, plot.len().max(1) as f64)), &axes);
    for k in 1..plot.len() {
        let y = panel.at_y(k as f64).round() as i32;
        canvas.fill(Area::new(panel.area.left, y, panel.area.right, y + 1), GRID);
    }
    for (k, measure) in plot.iter().enumerate() {
        let y = panel.at_y(plot.len() as f64 - k as f64 - 0.5);
        let kind = if measure.value.is_some() { Type::bold(SIZE, INK) } else { Type::regular(SIZE, FRAME) };
        canvas.text(
            &fit(&measure.class, SIZE, kind.weight, gutter as f32),
            (panel.area.left as f32 - 8.0, y),
            Align::Right,
            kind,
        );
        lane(canvas, &panel, measure, y);
    }
}

fn lane(canvas: &mut Canvas, panel: &Panel, m: &Measure, y: f32) {
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
    let (same, held_out) = (finite(m.same), finite(m.held_out));
    if let (Some(a), Some(b)) = (same, held_out) {
        level(canvas, panel, (a, b), y, Pen::new(10.0, REFERENCE));
    }
    for (value, width) in [(same, 5.0), (held_out, 2.0)] {
        if let Some(v) = value {
            let x = panel.at_x(v);
            canvas.stroke(&[(x, y - 9.0), (x, y + 9.0)], Pen::new(width, FAINT), panel.area);
        }
    }
    if let (Some(a), Some(b)) = (finite(m.low), finite(m.high)) {
        level(canvas, panel, (a, b), y, Pen::new(3.0, SYNTHETIC));
    }
    if let Some(copy) = finite(m.baselines.get("training_copy").copied()) {
        ring(canvas, (panel.at_x(copy), y), 14.0, BASELINE);
    }
    if let Some(v) = finite(m.value) {
        canvas.disc((panel.at_x(v), y), 13.0, SYNTHETIC);
    }
}

fn level(canvas: &mut Canvas, panel: &Panel, (a, b): (f64, f64), y: f32, pen: Pen) {
    canvas.stroke(&[(panel.at_x(a), y), (panel.at_x(b), y)], pen, panel.area);
}

//! Curves of attacks on membership: how many training subjects are found for how many others accused.

use physiosynth_evaluation::exhibits::Curve;
use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{BASELINE, FRAME, GRADIENT, REAL, SYNTHETIC, WHITE};
use crate::panel::{Axes, Panel, Range, Sign, legend};
use crate::ticks::significant;
use crate::words::{measure_in_words, set_in_words};

pub(super) const FIGURE: Figure = Figure {
    name: "membership",
    title: "Attacks on membership",
    caption: |_| {
        "Can somebody who holds published segments tell who was trained on? A plot for each attack: the share of members found over the \
         share of others wrongly accused, above on plain axes, below on logarithmic ones, where few are accused. On the dashed line an \
         attack is no better than guessing. The synthetic curve (orange) should run along that of real segments of people who are not \
         asked about (blue); the nearer it comes to what training copies give away (grey), the more it gives away itself. Curves begin at \
         the smallest rates that the number of cases resolves."
            .into()
    },
    draw,
};

/// The published sets, the least important first, so that the synthetic one lies on top.
const SETS: [(&str, RGBColor, f32); 4] = [
    ("training_copy", BASELINE, 2.0),
    ("other_segments_of_training_subjects", GRADIENT, 2.0),
    ("same", REAL, 2.6),
    ("synthetic", SYNTHETIC, 3.6),
];
/// Attacks drawn.
const ATTACKS: usize = 8;

fn draw(context: &Context<'_>) -> Drawing {
    let curves: Vec<&Curve> = context
        .report
        .scores
        .exhibits
        .curves
        .iter()
        .filter(|c| c.name.starts_with("membership_") && c.class == "all" && c.x.len() == c.y.len() && !c.x.is_empty())
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for curve in &curves {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    names.truncate(ATTACKS);
    if names.is_empty() {
        return Drawing::Nothing("membership could not be attacked: too few subjects, or none held out");
    }
    let columns = names.len().min(4);
    let rows = 2 * names.len().div_ceil(columns);
    let (mut canvas, area) = sheet(136 + rows as i32 * 400, "Attacks on membership: who was trained on?");
    let mut entries: Vec<(String, Sign)> = SETS
        .iter()
        .rev()
        .filter(|(set, ..)| curves.iter().any(|c| c.set == *set))
        .map(|(set, colour, width)| (in_words(set), Sign::Line(Pen::new(*width, *colour))))
        .collect();
    entries.push(("chance".into(), Sign::Dashes(Pen::new(2.0, FRAME))));
    let entries: Vec<(&str, Sign)> = entries.iter().map(|(name, sign)| (name.as_str(), *sign)).collect();
    legend(&mut canvas, (area.left as f32 + 8.0, area.top as f32 + 8.0), SIZE * 0.95, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (k, name) in names.iter().enumerate() {
        let own: Vec<&Curve> = curves.iter().filter(|c| c.name == *name).copied().collect();
        for logarithmic in [false, true] {
            let row = 2 * (k / columns) + usize::from(logarithmic);
            let cell = area.cell((row, rows), (k % columns, columns), 14);
            one(context, &mut canvas, cell, (name, &own), logarithmic);
        }
    }
    Drawing::Picture(canvas)
}

fn in_words(set: &str) -> String {
    if set == "same" { "real, not asked about (same)".into() } else { set_in_words(set) }
}

fn one(context: &Context<'_>, canvas: &mut Canvas, cell: Area, (name, curves): (&str, &[&Curve]), logarithmic: bool) {
    let area = context.report.scores.measure(&format!("{name}_auc"), "all");
    let remark = area.and_then(|m| m.value).map_or_else(String::new, |v| format!("AUC {}", significant(v)));
    let words = measure_in_words(name).replace("Membership by ", "");
    let lowest = curves.iter().flat_map(|c| positive(&c.x)).fold(1.0, f64::min);
    let lowest_found = curves.iter().flat_map(|c| positive(&c.y)).fold(1.0, f64::min);
    let floor = lowest.min(lowest_found).max(1e-6);
    let range = if logarithmic { Range::logarithmic([floor, 1.0]) } else { Range::linear(0.0, 1.0) };
    let axes = Axes {
        title: if logarithmic { "" } else { &words },
        remark: if logarithmic { "the same, logarithmic" } else { "" },
        x: "others accused (share)",
        y: "members found (share)",
        ..Axes::plain(SIZE * 0.86)
    };
    let panel = Panel::draw(canvas, cell, (range, range), &axes);
    if !logarithmic && !remark.is_empty() {
        let at = (panel.area.right as f32 - 10.0, panel.area.bottom as f32 - 20.0);
        chance(canvas, &panel, 0.0);
        curves_of(canvas, &panel, curves, logarithmic);
        let kind = Type::bold(SIZE * 0.95, SYNTHETIC);
        let patch = [at.0 - kind.width(&remark) - 6.0, at.1 - 14.0, at.0 + 6.0, at.1 + 14.0].map(|v| v as i32);
        canvas.fill(Area::new(patch[0], patch[1], patch[2], patch[3]), WHITE);
        canvas.text(&remark, at, Align::Right, kind);
        return;
    }
    chance(canvas, &panel, if logarithmic { floor } else { 0.0 });
    curves_of(canvas, &panel, curves, logarithmic);
}

/// What guessing gets.
fn chance(canvas: &mut Canvas, panel: &Panel, from: f64) {
    let ends = [from, 1.0].map(|share| (panel.at_x(share), panel.at_y(share)));
    canvas.dashed(ends[0], ends[1], 6.0, Pen::new(2.0, FRAME), panel.area);
}

fn curves_of(canvas: &mut Canvas, panel: &Panel, curves: &[&Curve], logarithmic: bool) {
    for (set, colour, width) in SETS {
        for curve in curves.iter().filter(|c| c.set == set) {
            let points = curve.x.iter().copied().zip(curve.y.iter().copied());
            let shown = points.filter(|(x, y)| !logarithmic || (*x > 0.0 && *y > 0.0));
            panel.line(canvas, shown, Pen::new(width, colour));
        }
    }
}

fn positive(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    values.iter().copied().filter(|v| v.is_finite() && *v > 0.0)
}

//! Real beats beside synthetic ones, a row per class.

use crate::canvas::{Area, Canvas, Pen};
use crate::context::{Context, times_ms};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FRAME, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range};
use crate::ticks::grouped;
use crate::waveforms::Waveforms;

pub(super) const FIGURE: Figure = Figure {
    name: "beats",
    title: "Beats, real beside synthetic",
    caption: |context| {
        format!(
            "Up to 50 segments of each class drawn at random (thin) and the mean of all of them (bold): real training segments on the \
             left, synthetic on the right, {} from the mark at 0 ms. Both sides of a row share their scale. Look for shapes \
             on the right that the left does not have, and for variety on the left that the right lacks.",
            context.amplitude_name()
        )
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    if context.classes.is_empty() {
        return Drawing::Nothing("there are no segments");
    }
    let rows = context.classes.len();
    let row_height = if rows > 6 { 240 } else { 300 };
    let (mut canvas, area) = sheet(96 + rows as i32 * (row_height + 10), "Beats: real (left) beside synthetic (right)");
    for row in 0..rows {
        for column in 0..2 {
            let cell = area.cell((row, rows), (column, 2), 10);
            one(context, &mut canvas, cell, (row, column == 1));
        }
    }
    Drawing::Picture(canvas)
}

/// One class of one side.
fn one(context: &Context<'_>, canvas: &mut Canvas, cell: Area, (row, synthetic): (usize, bool)) {
    let Some(class) = context.classes.get(row) else { return };
    let (waveforms, set, colour, kind) = if synthetic {
        (&class.synthetic, context.report.synthetic, SYNTHETIC, "synthetic")
    } else {
        (&class.real, context.report.real, REAL, "real")
    };
    let extents = [&class.real, &class.synthetic].into_iter().flatten().flat_map(Waveforms::extent);
    let span = context.span_ms();
    let ranges = (Range::linear(span.0, span.1), Range::of(extents, 0.06));
    let title = format!("{} {kind}", class.label);
    let remark = waveforms.as_ref().map_or_else(String::new, |w| count_in_words(w.count));
    let name = context.amplitude_name();
    let axes = Axes { title: &title, remark: &remark, x: context.time_name(), y: &name, colour, ..Axes::plain(SIZE) };
    let panel = Panel::draw(canvas, cell, ranges, &axes);
    match waveforms {
        Some(waveforms) => lines(canvas, &panel, &times_ms(set), waveforms, colour),
        None => panel.say(canvas, &format!("no {kind} segment of class {}", class.label), SIZE),
    }
}

/// `1,204 segments`.
pub(super) fn count_in_words(count: usize) -> String {
    format!("{} segment{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// The examples thin, the mean bold, and where the mark is.
pub(super) fn lines(canvas: &mut Canvas, panel: &Panel, times: &[f64], w: &Waveforms, colour: plotters::style::RGBColor) {
    panel.upright(canvas, 0.0, Pen::new(1.0, FRAME));
    // Fewer lines are drawn stronger.
    let alpha = (6.0 / w.examples.len().max(1) as f64).clamp(0.28, 0.6);
    for example in &w.examples {
        let points = times.iter().copied().zip(example.iter().map(|&v| f64::from(v)));
        panel.line(canvas, points, Pen::faded(1.2, colour, alpha));
    }
    panel.line(canvas, times.iter().copied().zip(w.mean.iter().copied()), Pen::new(5.0, crate::palette::WHITE));
    panel.line(canvas, times.iter().copied().zip(w.mean.iter().copied()), Pen::new(3.0, colour));
}

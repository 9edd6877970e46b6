//! Real and synthetic records on ECG paper, one above the other.

use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, MARGIN, SIZE, WIDTH};
use crate::font::fit;
use crate::palette::{FAINT, REAL, SYNTHETIC};
use crate::paper::Sheet;
use crate::report::Strip;

/// Seconds drawn: what a standard rhythm strip holds.
const SECONDS: f64 = 10.0;
/// Pixels per millimetre.
const PIXELS_PER_MM: i32 = 6;

pub(super) const FIGURE: Figure = Figure {
    name: "strips",
    title: "Rhythm strips on ECG paper",
    caption: |_| {
        "Stretches of real records above stretches of synthetic ones, on paper at 25 mm/s: a small square is 0.04 s by 0.1 mV, a \
         big one 0.2 s by 0.5 mV where the gain is 10 mm/mV; the pulse at the left is 1 mV high and 0.2 s wide. Letters are the \
         annotations of the beats."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let report = context.report;
    let real = report.real_strips.iter().map(|strip| ("real", strip, REAL));
    let synthetic = report.synthetic_strips.iter().map(|strip| ("synthetic", strip, SYNTHETIC));
    let sheets: Vec<_> = real
        .chain(synthetic)
        .map(|(kind, strip, colour)| (kind, strip, colour, Sheet::for_strip(strip, SECONDS, PIXELS_PER_MM, 65)))
        .collect();
    if sheets.is_empty() {
        return Drawing::Nothing("no stretch of a record was given");
    }
    let heights: i32 = sheets.iter().map(|(.., sheet)| sheet.size().1 + 92).sum();
    let across = sheets.iter().map(|(.., sheet)| sheet.size().0).max().unwrap_or(0);
    let left = ((WIDTH as i32 - across) / 2).max(0);
    let mut canvas = Canvas::new(WIDTH, (heights + 2 * MARGIN) as u32);
    let mut top = MARGIN;
    for (kind, strip, colour, sheet) in &sheets {
        let area = one(&mut canvas, (left, top), (kind, strip, *colour), sheet, (SECONDS, SIZE));
        top = area.bottom + 52;
    }
    Drawing::Picture(canvas)
}

/// A strip under its heading at `corner`; returns the paper's area.
pub(super) fn one(
    canvas: &mut Canvas,
    corner: (i32, i32),
    (kind, strip, colour): (&str, &Strip, RGBColor),
    sheet: &Sheet,
    (seconds, size): (f64, f32),
) -> Area {
    let y = corner.1 as f32 + size * 0.8;
    let (bold, plain) = (Type::bold(size * 1.1, colour), Type::regular(size, FAINT));
    canvas.text(kind, (corner.0 as f32, y), Align::Left, bold);
    let scale = sheet.scale_in_words(&strip.unit);
    let right = (corner.0 + sheet.size().0) as f32;
    canvas.text(&scale, (right, y), Align::Right, plain);
    let from = corner.0 as f32 + bold.width(kind) + size * 0.7;
    // The heading has said it already.
    let said = strip.title.split_once(": ").filter(|(word, _)| word.eq_ignore_ascii_case(kind));
    let title = said.map_or(strip.title.as_str(), |(_, rest)| rest);
    let title = fit(title, plain.size, plain.weight, right - plain.width(&scale) - size - from);
    canvas.text(&title, (from, y), Align::Left, plain);
    sheet.draw(canvas, (corner.0, corner.1 + (size * 1.8) as i32), strip, seconds, colour, size)
}

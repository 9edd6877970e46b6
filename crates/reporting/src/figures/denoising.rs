//! What denoising did: stretches of real records before and after.

use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::downsample::extremes;
use crate::figures::{Drawing, Figure, SIZE, eeg, sheet};
use crate::palette::{INK, RAW, REAL};
use crate::panel::{Axes, Panel, Range};
use crate::report::Stretch;

/// Stretches drawn.
const SHOWN: usize = 4;

pub(super) const FIGURE: Figure = Figure {
    name: "denoising",
    title: "Denoising, before and after",
    caption: |context| {
        if eeg::is_eeg(context) {
            return "Stretches of one channel as they were recorded (grey) and as they went into the epochs (blue), with the beginnings of \
                    epochs above. Both halves of a pair span equally many units: slow drift and mains should go, waves should stay."
                .into();
        }
        "Stretches of records as they were recorded (grey) and as they went into the segments (blue), with the annotations above. \
         Both halves of a pair span equally many units, so that peaks can be compared: QRS heights and ST levels should stay, \
         baseline wander and fine noise should go."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let stretches = context.report.stretches;
    if stretches.is_empty() {
        return Drawing::Nothing("no stretch of a record was given");
    }
    let shown = stretches.len().min(SHOWN);
    let height = 530;
    let (mut canvas, area) = sheet(96 + shown as i32 * height, "Denoising: before (grey) and after (blue)");
    for (k, stretch) in stretches.iter().take(SHOWN).enumerate() {
        let top = area.top + k as i32 * height;
        pair(&mut canvas, Area::new(area.left, top, area.right, top + height - 14), stretch);
    }
    Drawing::Picture(canvas)
}

fn pair(canvas: &mut Canvas, area: Area, stretch: &Stretch) {
    // Between the plots: a row for the annotations.
    let marks = 26;
    let middle = area.top + (area.height() - marks) * 45 / 100;
    let seconds = |n: usize| n as f64 / stretch.sampling_frequency_hz.max(f64::MIN_POSITIVE);
    let n = stretch.before.len().max(stretch.after.len());
    let across = Range::linear(stretch.start_s, stretch.start_s + seconds(n));
    let range = |samples: &[f32]| Range::of(samples.iter().map(|&v| f64::from(v)), 0.08);
    let (before, after) = (range(&stretch.before), range(&stretch.after));
    let half = ((before.high - before.low).max(after.high - after.low)) / 2.0;
    let around = |r: Range| Range::linear(f64::midpoint(r.low, r.high) - half, f64::midpoint(r.low, r.high) + half);
    let title = format!("{} {}", stretch.record, stretch.lead);
    let top = Axes { title: &title, remark: "as recorded", y: &stretch.unit, x_numbers: false, ..Axes::plain(SIZE) };
    let panel = Panel::draw(canvas, Area::new(area.left, area.top, area.right, middle), (across, around(before)), &top);
    trace(canvas, &panel, stretch, &stretch.before, RAW);
    let below = Axes { remark: "denoised", x: "time in the record (s)", y: &stretch.unit, ..Axes::plain(SIZE) };
    let panel =
        Panel::draw(canvas, Area::new(area.left, middle + marks, area.right, area.bottom), (across, around(after)), &below);
    trace(canvas, &panel, stretch, &stretch.after, REAL);
    let kind = Type::bold(SIZE, INK);
    let mut free_from = panel.area.left as f32;
    for (sample, text) in &stretch.marks {
        let x = panel.at_x(stretch.start_s + seconds(*sample));
        let room = kind.width(text) / 2.0;
        if x - room >= free_from && x + room <= panel.area.right as f32 {
            canvas.text(text, (x, (middle + marks / 2) as f32), Align::Centre, kind);
            free_from = x + room + 4.0;
        }
    }
}

fn trace(canvas: &mut Canvas, panel: &Panel, stretch: &Stretch, samples: &[f32], colour: RGBColor) {
    let rate = stretch.sampling_frequency_hz.max(f64::MIN_POSITIVE);
    let points = extremes(samples, panel.area.width().max(1) as usize);
    let points = points.into_iter().map(|(k, v)| (stretch.start_s + f64::from(k) / rate, f64::from(v)));
    panel.line(canvas, points, Pen::new(1.8, colour));
}

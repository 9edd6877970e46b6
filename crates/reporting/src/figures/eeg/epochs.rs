//! Epochs with all their channels, real beside synthetic.

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::eeg::sample::{Both, Sample, classes};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, FRAME, INK, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range};
use crate::ticks::grouped;

/// Channels drawn at most.
const CHANNELS: usize = 32;
/// Classes drawn at most: the picture would be too tall.
const CLASSES: usize = 5;
/// Standard deviations (of the real channels) from one channel to the next.
const STEP: f64 = 5.0;

pub(crate) const FIGURE: Figure = Figure {
    name: "epochs",
    title: "Epochs, all channels, real beside synthetic",
    caption: |context| {
        format!(
            "Two epochs of each class, chosen by the seed: a real one of a training subject on the left, a synthetic one on the right, \
             channels from top to bottom, all of a row at one scale (the bar, in {}). Negative is down. Look for rhythms that are on one \
             side only, for channels that should move together and do not, and for waves that are smoother than real ones.",
            context.amplitude_name()
        )
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let classes = classes(context);
    let shown: Vec<&Both> = classes.iter().filter(|c| c.real.is_some() || c.synthetic.is_some()).take(CLASSES).collect();
    let Some(channels) = shown.iter().filter_map(|c| c.real.as_ref().or(c.synthetic.as_ref())).map(Sample::channels).max() else {
        return Drawing::Nothing("there are no segments");
    };
    let height = 90 + 24 * channels.clamp(8, CHANNELS) as i32;
    let (mut canvas, area) = sheet(96 + shown.len() as i32 * (height + 10), "Epochs: real (left) beside synthetic (right)");
    for (row, class) in shown.iter().enumerate() {
        for (column, (kind, sample)) in class.sides().into_iter().enumerate() {
            let cell = area.cell((row, shown.len()), (column, 2), 12);
            one(context, &mut canvas, cell, class, (kind, sample.as_ref()), SIZE);
        }
    }
    Drawing::Picture(canvas)
}

/// One epoch of one side, with the row's scale.
pub(super) fn one(
    context: &Context<'_>,
    canvas: &mut Canvas,
    cell: Area,
    class: &Both,
    (kind, sample): (&str, Option<&Sample>),
    size: f32,
) {
    let colour = if kind == "real" { REAL } else { SYNTHETIC };
    let rate = context.report.real.sampling_frequency_hz;
    let seconds = context.report.real.time() as f64 / if rate > 0.0 { rate } else { 1.0 };
    let (title, names) = (format!("{} {kind}", class.label), &context.report.real.channel_names);
    let channels = names.len().min(CHANNELS);
    let step = STEP * deviation(class).unwrap_or(1.0);
    let remark = sample.map_or_else(String::new, |s| format!("1 of {}", grouped(s.count)));
    let axes = Axes { title: &title, remark: &remark, x: "time (s)", y_numbers: false, colour, ..Axes::plain(size) };
    // Room at the left for the names of the channels.
    let plot = Area::new(cell.left + (3.0 * size) as i32, cell.top, cell.right, cell.bottom);
    let ranges = (Range::linear(0.0, seconds), Range::linear(-(channels as f64), 0.5));
    let panel = Panel::draw(canvas, plot, ranges, &axes);
    let Some(epoch) = sample.and_then(|s| s.segments.first()) else {
        panel.say(canvas, &format!("no {kind} segment of class {}", class.label), size);
        return;
    };
    let spacing = (panel.at_y(-1.0) - panel.at_y(0.0)).min(size * 1.1);
    let small = Type::regular((spacing * 0.9).clamp(10.0, size), FAINT);
    for (channel, name) in names.iter().enumerate().take(channels) {
        let zero = -(channel as f64) - 0.25;
        canvas.text(name, (panel.area.left as f32 - 8.0, panel.at_y(zero)), Align::Right, small);
        let Some(samples) = epoch.get(channel) else { continue };
        let level = samples.iter().sum::<f64>() / samples.len().max(1) as f64;
        let points = samples.iter().enumerate().map(|(t, x)| (t as f64 / rate, zero + (x - level) / step));
        panel.line(canvas, points, Pen::new(1.6, colour));
    }
    scale_bar(context, canvas, &panel, step, size);
}

/// A bar one step high, with its length in words.
fn scale_bar(context: &Context<'_>, canvas: &mut Canvas, panel: &Panel, step: f64, size: f32) {
    let x = panel.area.right as f32 - 10.0;
    let (low, high) = (panel.at_y(0.45), panel.at_y(-0.55));
    let bottom = panel.area.bottom as f32 - 8.0;
    let top = bottom - (high - low).abs();
    canvas.stroke(&[(x, bottom), (x, top)], Pen::new(3.0, INK), panel.area);
    let text = format!("{:.0} {}", step, context.amplitude_name());
    let kind = Type::regular(size * 0.9, INK);
    let patch = Area::new((x - kind.width(&text) - 14.0) as i32, (bottom - size * 1.1) as i32, (x - 5.0) as i32, bottom as i32);
    canvas.fill_faded(patch, crate::palette::WHITE, 0.85);
    canvas.text(&text, (x - 9.0, bottom - size * 0.5), Align::Right, kind);
    canvas.outline(Area::new(panel.area.left - 1, panel.area.top - 1, panel.area.right + 1, panel.area.bottom + 1), 1, FRAME);
}

/// The mean standard deviation of a channel, of the real epochs where there are any.
fn deviation(class: &Both) -> Option<f64> {
    let sample = class.real.as_ref().or(class.synthetic.as_ref())?;
    let of = |channel: &Vec<f64>| {
        let mean = channel.iter().sum::<f64>() / channel.len() as f64;
        (channel.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channel.len() as f64).sqrt()
    };
    let all: Vec<f64> = sample.segments.iter().flatten().map(of).collect();
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    (mean.is_finite() && mean > 0.0).then_some(mean)
}

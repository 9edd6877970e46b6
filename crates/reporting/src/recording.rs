//! A picture of one recording: a row for each signal, and where it is annotated.

use physiosynth_signal::{Channel, Record};
use plotters::style::RGBColor;

use crate::ReportError;
use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::downsample::extremes;
use crate::font::fit;
use crate::palette::{FAINT, INK, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range};
use crate::ticks::{grouped, significant};

/// Width of the picture in pixels.
const WIDTH: u32 = 1_800;
/// Around everything.
const MARGIN: i32 = 24;
/// Pixels per em.
const SIZE: f32 = 22.0;
/// Signals that get a row with an axis of their own; more are drawn close to each other, on one scale each.
const ROOMY: usize = 8;
/// Most signals that are drawn.
const MOST_SIGNALS: usize = 128;
/// How much of the way from one to the next a signal's usual swings fill, where they are close.
const FILLED: f64 = 0.8;
/// Height of the strip of annotations.
const MARKS_HEIGHT: i32 = 40;

/// Draws a record as PNG: its signals one above the other, its annotations as lines through all of them, with their codes where
/// there is room. Equal records give equal bytes.
///
/// `from_s` is where its first sample is in the recording that it is a part of: what the time axis begins with.
pub fn draw_record(record: &Record, from_s: f64) -> Result<Vec<u8>, ReportError> {
    let signals = record.channels.len().min(MOST_SIGNALS);
    let roomy = signals <= ROOMY;
    let row = if roomy { (900 / signals.max(1) as i32).clamp(150, 420) } else { 34 };
    let height = 2 * MARGIN + 70 + MARKS_HEIGHT + signals.max(1) as i32 * row + 64;
    let mut canvas = Canvas::new(WIDTH, height as u32);
    heading(&mut canvas, record);
    let area = canvas.area().inset(MARGIN);
    let times = Range::linear(from_s, from_s + record.duration_s().max(1e-9));
    let plots = Area::new(area.left, area.top + 70 + MARKS_HEIGHT, area.right, area.bottom);
    let panels = if roomy { rows(&mut canvas, record, plots, times) } else { stack(&mut canvas, record, plots, times) };
    if let (Some(first), Some(last)) = (panels.first(), panels.last()) {
        let through = Area::new(first.area.left, first.area.top, first.area.right, last.area.bottom);
        marks(&mut canvas, record, Panel { area: through, ..*first }, from_s);
    }
    for (panel, channel) in panels.iter().zip(&record.channels).filter(|_| roomy) {
        trace(&mut canvas, panel, channel, from_s, (0.0, 1.0), REAL);
    }
    canvas.encode(&record.name)
}

fn heading(canvas: &mut Canvas, record: &Record) {
    let bold = Type::bold(SIZE * 1.4, INK);
    canvas.text(&record.name, (MARGIN as f32, MARGIN as f32 + SIZE), Align::Left, bold);
    let plural = |n: usize, what: &str| format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" });
    let mut said = vec![
        format!("subject {}", record.subject),
        plural(record.channels.len(), "signal"),
        format!("{:.1} s", record.duration_s()),
        plural(record.annotations.len(), "annotation"),
    ];
    said.extend(record.start.as_ref().map(|start| format!("from {start}")));
    if record.channels.len() > MOST_SIGNALS {
        said.push(format!("the first {MOST_SIGNALS} signals are drawn"));
    }
    let plain = Type::regular(SIZE, FAINT);
    let at = MARGIN as f32 + bold.width(&record.name) + SIZE;
    let text = fit(&said.join(" · "), plain.size, plain.weight, WIDTH as f32 - MARGIN as f32 - at);
    canvas.text(&text, (at, MARGIN as f32 + SIZE), Align::Left, plain);
}

/// A panel for each signal; only the lowest says its times.
fn rows(canvas: &mut Canvas, record: &Record, area: Area, times: Range) -> Vec<Panel> {
    let count = record.channels.len().max(1);
    // What the lowest needs for its numbers.
    let below = 64;
    let height = (area.height() - below) / count as i32;
    let mut panels = Vec::new();
    for (index, channel) in record.channels.iter().enumerate() {
        let top = area.top + index as i32 * height;
        let last = index + 1 == count;
        let cell = Area::new(area.left, top, area.right, top + height + if last { below } else { 0 });
        let unit = if channel.unit.is_empty() { String::new() } else { format!("in {}, ", channel.unit) };
        let remark = format!("{unit}{} Hz", channel.sampling_frequency_hz);
        let x = if last { "time, s" } else { "" };
        let axes = Axes { title: &channel.label, remark: &remark, x, x_numbers: last, colour: REAL, ..Axes::plain(SIZE) };
        let values = channel.samples.iter().map(|&sample| f64::from(sample));
        panels.push(Panel::draw(canvas, cell, (times, Range::of(values, 0.06)), &axes));
    }
    if panels.is_empty() {
        let axes = Axes { x: "time, s", y_numbers: false, ..Axes::plain(SIZE) };
        let panel = Panel::draw(canvas, area, (times, Range::linear(0.0, 1.0)), &axes);
        panel.say(canvas, "the recording has no signals", SIZE);
        panels.push(panel);
    }
    panels
}

/// Many signals on one panel, one above the other, all of a unit on one scale.
fn stack(canvas: &mut Canvas, record: &Record, area: Area, times: Range) -> Vec<Panel> {
    let channels: Vec<&Channel> = record.channels.iter().take(MOST_SIGNALS).collect();
    let count = channels.len();
    let labels = Area::new(area.left + 110, area.top, area.right, area.bottom);
    // One scale for signals of one unit, so that they can be compared: most of their swings fill a place.
    let swing = |channel: &Channel| {
        let mut values: Vec<f32> = channel.samples.iter().copied().filter(|sample| sample.is_finite()).collect();
        values.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| values.get(((values.len().saturating_sub(1)) as f64 * share) as usize).copied().map(f64::from);
        (at(0.5).unwrap_or(0.0), at(0.99).zip(at(0.01)).map_or(0.0, |(high, low)| high - low))
    };
    let swings: Vec<(f64, f64)> = channels.iter().map(|channel| swing(channel)).collect();
    let scale = |unit: &str| {
        let same = channels.iter().zip(&swings).filter(|(channel, _)| channel.unit == unit);
        let mut spans: Vec<f64> = same.map(|(_, (_, span))| *span).collect();
        spans.sort_unstable_by(f64::total_cmp);
        spans.get(spans.len() / 2).copied().filter(|span| *span > 0.0).unwrap_or(1.0)
    };
    let mut units: Vec<&str> = channels.iter().map(|channel| channel.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    let apart: Vec<String> = units.iter().map(|unit| format!("{} {unit}", significant(scale(unit) / FILLED))).collect();
    let remark = format!("rows are {} apart", apart.join(", or "));
    let axes = Axes { remark: &remark, x: "time, s", y_numbers: false, ..Axes::plain(SIZE) };
    let panel = Panel::draw(canvas, labels, (times, Range::linear(0.0, count as f64)), &axes);
    for (index, (channel, (centre, _))) in channels.iter().zip(&swings).enumerate() {
        let place = (count - index) as f64 - 0.5;
        let per_unit = FILLED / scale(&channel.unit);
        let y = panel.at_y(place);
        let kind = Type::regular(SIZE * 0.8, INK);
        let label = fit(&channel.label, kind.size, kind.weight, 110.0);
        canvas.text(&label, (panel.area.left as f32 - 8.0, y), Align::Right, kind);
        let colour = if index % 2 == 0 { REAL } else { RGBColor(60, 60, 60) };
        trace(canvas, &panel, channel, times.low, (place - centre * per_unit, per_unit), colour);
    }
    vec![panel]
}

/// A signal, `shift + scale × sample`.
fn trace(canvas: &mut Canvas, panel: &Panel, channel: &Channel, from_s: f64, (shift, scale): (f64, f64), colour: RGBColor) {
    let rate = channel.sampling_frequency_hz;
    let points = extremes(&channel.samples, panel.area.width().max(1) as usize);
    let points: Vec<(f64, f64)> =
        points.into_iter().map(|(index, value)| (from_s + f64::from(index) / rate, shift + scale * f64::from(value))).collect();
    for piece in points.split(|(_, value)| !value.is_finite()).filter(|piece| !piece.is_empty()) {
        panel.line(canvas, piece.iter().copied(), Pen::new(1.4, colour));
    }
}

/// A line for each annotation, a band for one that lasts, and the codes above them as far as there is room.
fn marks(canvas: &mut Canvas, record: &Record, panel: Panel, from_s: f64) {
    let rate = record.sampling_frequency_hz;
    let width = panel.area.width().max(1) as usize;
    // So many lines would hide the signals.
    let alpha = if record.annotations.len() > width / 6 { 0.12 } else { 0.45 };
    let kind = Type::regular(SIZE * 0.9, SYNTHETIC);
    let y = panel.area.top as f32 - SIZE * 2.1;
    // The first may stand a little left of the signals.
    let mut free = panel.area.left as f32 - SIZE * 2.0;
    for mark in &record.annotations {
        let time = from_s + mark.sample as f64 / rate;
        let x = panel.at_x(time);
        if mark.duration > 0 {
            let end = panel.at_x(time + mark.duration as f64 / rate).min(panel.area.right as f32);
            let band = Area::new(x.max(panel.area.left as f32) as i32, panel.area.top, end as i32, panel.area.bottom);
            canvas.fill_faded(band, SYNTHETIC, 0.06);
        }
        panel.upright(canvas, time, Pen::faded(1.0, SYNTHETIC, alpha));
        let text = if mark.aux.is_empty() { mark.code.to_string() } else { format!("{} {}", mark.code, mark.aux) };
        let text = fit(&text, kind.size, kind.weight, 160.0);
        let half = kind.width(&text) / 2.0;
        if x - half >= free && x <= panel.area.right as f32 {
            canvas.text(&text, (x, y), Align::Centre, kind);
            free = x + half + SIZE * 0.4;
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Annotation;

    use super::*;

    fn record(signals: usize) -> Record {
        let wave = |shift: f64| (0..3_600).map(|i| ((f64::from(i) * 0.02 + shift).sin() * 0.8) as f32).collect::<Vec<f32>>();
        let mut record = Record::new("r1");
        for index in 0..signals {
            record = record.with_channel(Channel::new(format!("C{index}"), "mV", 360.0, wave(index as f64)));
        }
        record.with_annotations(vec![Annotation { duration: 360, ..Annotation::beat(500, "T1") }, Annotation::beat(2_000, "N")])
    }

    #[test]
    fn pictures_show_their_signals_and_are_the_same_for_the_same_record() {
        for signals in [0, 1, 3, 20] {
            let record = record(signals);
            let bytes = draw_record(&record, 10.0).unwrap();
            assert!(bytes.starts_with(b"\x89PNG") && bytes == draw_record(&record, 10.0).unwrap());
        }
        let mut without = record(2);
        without.annotations.clear();
        assert_ne!(draw_record(&record(2), 0.0).unwrap(), draw_record(&without, 0.0).unwrap(), "annotations are drawn");
    }

    #[test]
    fn missing_samples_and_constant_signals_are_drawn() {
        let mut record = record(2);
        record.channels[0].samples.fill(f32::NAN);
        record.channels[1].samples.fill(1.0);
        assert!(draw_record(&record, 0.0).is_ok());
    }
}

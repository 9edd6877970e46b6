//! One sheet that answers alone what the run produced.

use physiosynth_evaluation::Outcome;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::{Class, Context, times_ms};
use crate::figures::{Drawing, Figure, beats, psd, strips, training};
use crate::font::fit;
use crate::page::verdicts;
use crate::palette::{FAIL, FAINT, INK, OPEN, PASS, REAL, SYNTHETIC, WHITE};
use crate::panel::{Axes, Panel, Range, Sign, legend, legend_width};
use crate::paper::Sheet;
use crate::ticks::grouped;
use crate::waveforms::Waveforms;

/// A4 landscape.
pub(super) const SHEET: (u32, u32) = (2000, 1414);
/// Pixels per em: 13 where the page shows the sheet 1100 pixels wide.
pub(super) const SIZE: f32 = 24.0;
/// Classes drawn; the others are in the figure of beats.
const CLASSES: usize = 5;
/// Seconds of each strip.
const SECONDS: f64 = 10.0;
const PIXELS_PER_MM: i32 = 5;
/// Tallest paper of one strip.
const MOST_MM: i32 = 50;

pub(super) const FIGURE: Figure = Figure {
    name: "overview",
    title: "The run on one sheet",
    caption: |_| {
        "What went in (blue) and what came out (orange): rhythm strips on ECG paper, segments of each class, the verdicts with \
         their reasons, the course of training, and the spectrum of the most frequent class."
            .into()
    },
    draw: |context| Drawing::Picture(draw(context)),
};

fn draw(context: &Context<'_>) -> Canvas {
    let mut canvas = Canvas::new(SHEET.0, SHEET.1);
    let all = canvas.area().inset(36);
    let top = heading(context, &mut canvas, all);
    let middle = all.left + 10 + 260 * PIXELS_PER_MM + 30;
    let left = Area::new(all.left, top, middle - 30, all.bottom);
    let right = Area::new(middle, top, all.right, all.bottom);
    let below = paper(context, &mut canvas, left);
    classes(context, &mut canvas, Area::new(left.left, below, left.right, left.bottom));
    let below = judgement(context, &mut canvas, right);
    let rest = Area::new(right.left, below, right.right, right.bottom);
    let (upper, mut lower) = (rest.cell((0, 2), (0, 1), 12), rest.cell((1, 2), (0, 1), 12));
    if context.report.history.is_empty() {
        // Segments that somebody else made.
        lower = rest;
    } else {
        training::loss(&mut canvas, upper, context.report, SIZE * 0.92, "epoch");
    }
    match most_frequent(&context.classes).find(|c| psd::has_spectrum(c)) {
        Some(class) => psd::one(context, &mut canvas, lower, class, (&format!("{} spectrum", class.label), SIZE * 0.92)),
        None => empty(&mut canvas, lower, "spectrum", "no segments long enough"),
    }
    canvas
}

/// Title, facts and the key to the colours; returns where the rest begins.
pub(super) fn heading(context: &Context<'_>, canvas: &mut Canvas, all: Area) -> i32 {
    let facts = &context.report.facts;
    let x = all.left as f32;
    let title = Type::bold(42.0, INK);
    let name = if facts.title.is_empty() { &facts.database } else { &facts.title };
    let key = [("real", Sign::Line(Pen::new(8.0, REAL))), ("synthetic", Sign::Line(Pen::new(8.0, SYNTHETIC)))];
    let key_at = all.right as f32 - legend_width(SIZE * 1.1, &key);
    canvas.text(&fit(name, title.size, title.weight, key_at - x - 30.0), (x, all.top as f32 + 18.0), Align::Left, title);
    legend(canvas, (key_at, all.top as f32 + 18.0), SIZE * 1.1, &key);
    let line = [
        format!("{}{}", facts.database, if facts.simulated { " (simulated)" } else { "" }),
        format!("{} real segments of {} subjects", grouped(context.report.real.len()), context.report.real.subjects().len()),
        format!("{} synthetic segments", grouped(context.report.synthetic.len())),
    ];
    let run = [
        format!("preset {}", facts.preset),
        format!("device {}", facts.device),
        format!("seed {}", facts.seed),
        format!("physiosynth {}", facts.version),
    ];
    let kind = Type::regular(SIZE, FAINT);
    let room = all.width() as f32;
    for (k, line) in [line.join("  ·  "), run.join("  ·  ")].iter().enumerate() {
        let y = all.top as f32 + 64.0 + k as f32 * 34.0;
        canvas.text(&fit(line, kind.size, kind.weight, room), (x, y), Align::Left, kind);
    }
    if !facts.simulated {
        let at = (all.right as f32, all.top as f32 + 98.0);
        canvas.text("shows real recordings: not for sharing", at, Align::Right, Type::bold(SIZE, FAIL));
    }
    canvas.fill(Area::new(all.left, all.top + 120, all.right, all.top + 122), INK);
    all.top + 138
}

/// The strips that there are; returns where the rest begins.
fn paper(context: &Context<'_>, canvas: &mut Canvas, area: Area) -> i32 {
    let report = context.report;
    let mut top = area.top;
    for (kind, strip, colour) in
        [("real", report.real_strips.first(), REAL), ("synthetic", report.synthetic_strips.first(), SYNTHETIC)]
    {
        if let Some(strip) = strip {
            let sheet = Sheet::for_strip(strip, SECONDS, PIXELS_PER_MM, MOST_MM);
            let paper = strips::one(canvas, (area.left, top), (kind, strip, colour), &sheet, (SECONDS, SIZE));
            top = paper.bottom + 44;
        }
    }
    top
}

/// Classes by their number of real (then synthetic) segments, most first.
fn most_frequent(classes: &[Class]) -> impl Iterator<Item = &Class> {
    let count = |w: &Option<Waveforms>| w.as_ref().map_or(0, |w| w.count);
    let mut order: Vec<&Class> = classes.iter().collect();
    order.sort_by_key(|c| std::cmp::Reverse((count(&c.real), count(&c.synthetic))));
    order.into_iter()
}

fn classes(context: &Context<'_>, canvas: &mut Canvas, area: Area) {
    let chosen: Vec<&str> = most_frequent(&context.classes).take(CLASSES).map(|c| c.label.as_str()).collect();
    let shown: Vec<&Class> = context.classes.iter().filter(|c| chosen.contains(&c.label.as_str())).collect();
    if shown.is_empty() {
        empty(canvas, area, &context.amplitude_name(), "no segments");
        return;
    }
    let more = context.classes.len() - shown.len();
    let foot = if more > 0 { 32 } else { 0 };
    if more > 0 {
        let text = format!("{more} more class{} in the figure of beats", if more == 1 { "" } else { "es" });
        let at = (area.left as f32, area.bottom as f32 - 12.0);
        canvas.text(&text, at, Align::Left, Type::regular(SIZE * 0.92, FAINT));
    }
    let area = Area::new(area.left, area.top, area.right, area.bottom - foot);
    // The lower row is taller by the name of its time axis, so that both plots are equally high.
    let name_of_axis = (SIZE * 0.92 * 1.3) as i32;
    let half = (area.height() - name_of_axis - 8) / 2;
    // So is the first column wider, by the name of the other axis.
    let name_beside = (SIZE * 0.92 * 1.4) as i32;
    let plots = Area::new(area.left + name_beside, area.top, area.right, area.bottom);
    for (column, class) in shown.iter().enumerate() {
        let mut cell = plots.cell((0, 1), (column, shown.len().max(2)), 8);
        cell.left -= if column == 0 { name_beside } else { 0 };
        let extents = || [&class.real, &class.synthetic].into_iter().flatten().flat_map(Waveforms::extent);
        let span = context.span_ms();
        let sides = [
            (&class.real, context.report.real, REAL, "real", cell.top, cell.top + half),
            (&class.synthetic, context.report.synthetic, SYNTHETIC, "synthetic", cell.top + half + 8, cell.bottom),
        ];
        for (waveforms, set, colour, kind, top, bottom) in sides {
            let remark = waveforms.as_ref().map_or_else(|| "none".to_string(), |w| grouped(w.count));
            let name = context.amplitude_name();
            let axes = Axes {
                title: &class.label,
                remark: &remark,
                x: if kind == "synthetic" { context.time_name() } else { "" },
                y: if column == 0 { &name } else { "" },
                colour,
                ..Axes::plain(SIZE * 0.92)
            };
            let ranges = (Range::linear(span.0, span.1), Range::of(extents(), 0.06));
            let panel = Panel::draw(canvas, Area::new(cell.left, top, cell.right, bottom), ranges, &axes);
            match waveforms {
                Some(w) => beats::lines(canvas, &panel, &times_ms(set), w, colour),
                None => panel.say(canvas, &format!("no {kind} segment"), SIZE * 0.92),
            }
        }
    }
}

/// The verdicts in words and colours; returns where the rest begins.
pub(super) fn judgement(context: &Context<'_>, canvas: &mut Canvas, area: Area) -> i32 {
    let (x, mut y) = (area.left as f32, area.top as f32 + 14.0);
    canvas.text("Verdicts", (x, y), Align::Left, Type::bold(SIZE * 1.15, INK));
    y += SIZE * 1.7;
    let verdicts = verdicts::in_order(&context.report.scores.verdicts);
    if verdicts.is_empty() {
        canvas.text("nothing was evaluated", (x, y), Align::Left, Type::regular(SIZE, FAINT));
        return (y + SIZE * 1.6) as i32;
    }
    for (name, verdict) in verdicts {
        let (colour, most_lines) = match verdict.outcome {
            Outcome::Pass => (PASS, 3),
            Outcome::Fail => (FAIL, 3),
            Outcome::NotAssessable => (OPEN, 2),
        };
        let word = Type::bold(SIZE * 0.85, WHITE);
        let text = verdicts::in_words(verdict.outcome).to_uppercase();
        let pill = Area::new(area.left, y as i32 - 15, area.left + word.width(&text) as i32 + 20, y as i32 + 16);
        canvas.fill(pill, colour);
        canvas.text(&text, (pill.left as f32 + 10.0, y), Align::Left, word);
        canvas.text(name, (pill.right as f32 + 12.0, y), Align::Left, Type::bold(SIZE, INK));
        y += SIZE * 1.45;
        y = canvas.paragraph(
            &verdicts::reasons(verdict, &context.report.scores.measures).join("; "),
            (x, y),
            area.width() as f32,
            most_lines,
            Type::regular(SIZE * 0.95, FAINT),
        );
        y += 14.0;
    }
    y as i32
}

/// Empty axes with a sentence.
pub(super) fn empty(canvas: &mut Canvas, area: Area, name: &str, why: &str) {
    let axes = Axes { y: name, x_numbers: false, y_numbers: false, ..Axes::plain(SIZE * 0.92) };
    let panel = Panel::draw(canvas, area, (Range::linear(0.0, 1.0), Range::linear(0.0, 1.0)), &axes);
    panel.say(canvas, why, SIZE);
}

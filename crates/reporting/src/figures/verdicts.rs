//! The five verdicts as tiles: a sign, a word and a colour for each outcome, and what decided it.

use physiosynth_evaluation::{Outcome, Verdict};
use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::page::verdicts::{in_order, in_words, question, reasons};
use crate::palette::{FAIL, FAINT, INK, OPEN, PASS, WHITE};

pub(super) const FIGURE: Figure = Figure {
    name: "verdicts",
    title: "Verdicts",
    caption: |_| {
        "A tile for each question: a tick says yes, a cross no, a question mark that the data do not allow an answer. Below stands what decided \
         it: on a no the first things that failed, on a yes the first that held; the table has all of them. The limits are the same for every \
         set."
            .into()
    },
    draw,
};

/// Lines of reasons in a tile.
const LINES: usize = 11;
/// Pixels per em of the reasons.
const SMALL: f32 = SIZE * 0.88;

fn draw(context: &Context<'_>) -> Drawing {
    let scores = &context.report.scores;
    let verdicts = in_order(&scores.verdicts);
    if verdicts.is_empty() {
        return Drawing::Nothing("nothing was evaluated");
    }
    let columns = verdicts.len().min(5);
    let rows = verdicts.len().div_ceil(columns);
    let height = 190 + (LINES as f32 * SMALL * 1.3) as i32;
    let (mut canvas, area) = sheet(96 + rows as i32 * (height + 16), "Verdicts");
    for (k, (name, verdict)) in verdicts.into_iter().enumerate() {
        let cell = area.cell((k / columns, rows), (k % columns, columns), 16);
        tile(&mut canvas, cell, (name, verdict), &reasons(verdict, &scores.measures));
    }
    Drawing::Picture(canvas)
}

fn colour(outcome: Outcome) -> RGBColor {
    match outcome {
        Outcome::Pass => PASS,
        Outcome::Fail => FAIL,
        Outcome::NotAssessable => OPEN,
    }
}

fn tile(canvas: &mut Canvas, cell: Area, (name, verdict): (&str, &Verdict), reasons: &[String]) {
    let colour = colour(verdict.outcome);
    canvas.outline(cell, 2, colour);
    let band = Area::new(cell.left, cell.top, cell.right, cell.top + 58);
    canvas.fill(band, colour);
    let middle = (band.top + 29) as f32;
    sign(canvas, (band.left as f32 + 32.0, middle), verdict.outcome);
    canvas.text(
        &in_words(verdict.outcome).to_uppercase(),
        (band.left as f32 + 62.0, middle),
        Align::Left,
        Type::bold(SIZE, WHITE),
    );
    let x = cell.left as f32 + 14.0;
    let room = cell.width() as f32 - 28.0;
    let mut y = band.bottom as f32 + 28.0;
    canvas.text(&format!("{}?", capitalised(name)), (x, y), Align::Left, Type::bold(SIZE * 1.2, INK));
    y += SIZE * 1.5;
    y = canvas.paragraph(question(name), (x, y), room, 3, Type::regular(SMALL, FAINT)) + SMALL * 0.5;
    // Each reason gets its share of the lines, and what it leaves goes to the next.
    let mut lines = LINES;
    for (k, reason) in reasons.iter().enumerate() {
        let rest = reasons.len() - k;
        if lines <= 1 && rest > 1 {
            canvas.text(&format!("and {rest} more"), (x, y), Align::Left, Type::regular(SMALL, FAINT));
            break;
        }
        let most = if rest > 1 { (lines - 1).min(4) } else { lines };
        let next = canvas.paragraph(reason, (x, y), room, most, Type::regular(SMALL, INK));
        lines = lines.saturating_sub(((next - y) / (SMALL * 1.3)).round() as usize);
        y = next + SMALL * 0.2;
    }
}

/// Tick, cross or question mark, drawn: the font has no tick.
fn sign(canvas: &mut Canvas, (x, y): (f32, f32), outcome: Outcome) {
    let all = canvas.area();
    let pen = Pen::new(5.0, WHITE);
    match outcome {
        Outcome::Pass => canvas.stroke(&[(x - 12.0, y), (x - 3.0, y + 10.0), (x + 13.0, y - 11.0)], pen, all),
        Outcome::Fail => {
            canvas.stroke(&[(x - 10.0, y - 10.0), (x + 10.0, y + 10.0)], pen, all);
            canvas.stroke(&[(x - 10.0, y + 10.0), (x + 10.0, y - 10.0)], pen, all);
        }
        Outcome::NotAssessable => canvas.text("?", (x, y), Align::Centre, Type::bold(34.0, WHITE)),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}

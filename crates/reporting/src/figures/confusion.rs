//! Who was taken for what, by training and test sets side by side.

use physiosynth_evaluation::exhibits::ConfusionMatrix;
use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::font::fit;
use crate::palette::{FAINT, FRAME, GRID, INK, WHITE};
use crate::ticks::grouped;
use crate::words::judge_in_words;

pub(super) const FIGURE: Figure = Figure {
    name: "confusion",
    title: "Who was taken for what",
    caption: |_| {
        "A row of matrices for each classifier: trained on real and tested on held-out real segments (TRTR, the yardstick), trained on \
         synthetic and tested on the same real ones (TSTR), trained on real and tested on synthetic (TRTS). Lines are the actual classes, \
         columns what they were taken for; each line sums to 100%, the small numbers are segments (means over repeated trainings). The \
         more a TSTR matrix looks like TRTR, the better synthetic data serve in place of real. Classes below the rule were not taught."
            .into()
    },
    draw,
};

/// The kinds of matrices, in the order of the columns: trained on, tested on, name, in words.
const KINDS: [(&str, &str, &str, &str); 3] = [
    ("real", "real", "TRTR", "trained on real, tested on real"),
    ("synthetic", "real", "TSTR", "trained on synthetic, tested on real"),
    ("real", "synthetic", "TRTS", "trained on real, tested on synthetic"),
];
/// Judges drawn.
const JUDGES: usize = 6;
/// Actual classes drawn of a matrix.
const CLASSES: usize = 20;
/// Pixels above the cells of a matrix.
const HEAD: i32 = 100;

fn draw(context: &Context<'_>) -> Drawing {
    let matrices: Vec<&ConfusionMatrix> = context.report.scores.exhibits.confusions.iter().filter(|m| drawable(m)).collect();
    let mut judges: Vec<&str> = Vec::new();
    for matrix in &matrices {
        if !judges.contains(&matrix.judge.as_str()) {
            judges.push(&matrix.judge);
        }
    }
    judges.truncate(JUDGES);
    if judges.is_empty() {
        return Drawing::Nothing("no classifier could be trained and tested (see the notes)");
    }
    let of = |judge: &str, kind: usize| {
        let (trained, tested, ..) = KINDS[kind];
        matrices.iter().find(|m| m.judge == judge && m.trained_on == trained && m.tested_on == tested).copied()
    };
    let heights: Vec<i32> = judges
        .iter()
        .map(|judge| {
            let most =
                (0..KINDS.len()).filter_map(|kind| of(judge, kind)).map(|m| m.actual.len().min(CLASSES)).max().unwrap_or(0);
            HEAD + most as i32 * side(most) + 24
        })
        .collect();
    let (mut canvas, area) =
        sheet(96 + heights.iter().sum::<i32>(), "Who was taken for what, by a classifier's training and test set");
    let mut top = area.top;
    for (judge, height) in judges.iter().zip(&heights) {
        for kind in 0..KINDS.len() {
            let row = Area::new(area.left, top, area.right, top + height).cell((0, 1), (kind, KINDS.len()), 24);
            one(&mut canvas, row, judge, (kind, of(judge, kind)));
        }
        top += height;
    }
    Drawing::Picture(canvas)
}

fn drawable(matrix: &ConfusionMatrix) -> bool {
    let (rows, columns) = (matrix.actual.len(), matrix.predicted.len());
    rows > 0 && columns > 0 && matrix.counts.len() == rows && matrix.counts.iter().all(|row| row.len() == columns)
}

/// Pixels of a cell, down.
fn side(classes: usize) -> i32 {
    if classes > 8 { 32 } else { 58 }
}

fn one(canvas: &mut Canvas, cell: Area, judge: &str, (kind, matrix): (usize, Option<&ConfusionMatrix>)) {
    let (_, _, name, words) = KINDS[kind];
    let (x, y) = (cell.left as f32, cell.top as f32 + 12.0);
    if kind == 0 {
        canvas.text(&judge_in_words(judge), (x, y), Align::Left, Type::bold(SIZE * 1.1, INK));
    }
    let title = Type::bold(SIZE, INK);
    canvas.text(name, (x, y + 32.0), Align::Left, title);
    let beside = x + title.width(name) + 10.0;
    canvas.text(words, (beside, y + 32.0), Align::Left, Type::regular(SIZE * 0.9, FAINT));
    let Some(matrix) = matrix else {
        canvas.text("not asked", (x, y + 72.0), Align::Left, Type::regular(SIZE, FAINT));
        return;
    };
    let gutter = 84;
    let columns = matrix.predicted.len();
    let width = ((cell.width() - gutter) / columns as i32).clamp(8, 110);
    let down = side(matrix.actual.len());
    let (left, top) = (cell.left + gutter, cell.top + HEAD);
    let label = Type::bold(SIZE * 0.9, INK);
    let aside = Type::regular(SIZE * 0.75, FAINT);
    canvas.text("taken for", (left as f32 - 10.0, top as f32 - 16.0), Align::Right, aside);
    for (k, class) in matrix.predicted.iter().enumerate() {
        let middle = left as f32 + (k as f32 + 0.5) * width as f32;
        canvas.text(&fit(class, label.size, label.weight, width as f32 - 2.0), (middle, top as f32 - 16.0), Align::Centre, label);
    }
    for (row, (class, counts)) in matrix.actual.iter().zip(&matrix.counts).take(CLASSES).enumerate() {
        let taught = row < columns;
        // A rule parts the classes that were not taught.
        let y = top + row as i32 * down + if taught { 0 } else { 6 };
        let kind = Type { colour: if taught { INK } else { FAINT }, ..label };
        let name = fit(class, kind.size, kind.weight, gutter as f32 - 14.0);
        canvas.text(&name, (left as f32 - 10.0, y as f32 + down as f32 / 2.0), Align::Right, kind);
        if row == columns {
            canvas.fill(Area::new(left - 60, y - 4, left + columns as i32 * width, y - 2), FRAME);
        }
        let all: f64 = counts.iter().filter(|n| n.is_finite()).sum();
        for (column, &count) in counts.iter().enumerate() {
            let at = Area::new(left + column as i32 * width, y, left + (column as i32 + 1) * width, y + down);
            field(canvas, at, (count, all), taught && row == column);
        }
    }
}

/// One field: darker where the share is larger; the diagonal framed.
fn field(canvas: &mut Canvas, area: Area, (count, all): (f64, f64), diagonal: bool) {
    let share = if all > 0.0 && count.is_finite() { (count / all).clamp(0.0, 1.0) } else { f64::NAN };
    let inner = area.inset(1);
    let known = share.is_finite();
    canvas.fill(inner, if known { shade(share) } else { GRID });
    if diagonal {
        canvas.outline(inner, 2, INK);
    }
    let (x, y) = (i32::midpoint(area.left, area.right) as f32, i32::midpoint(area.top, area.bottom) as f32);
    let colour = if known && share > 0.55 { WHITE } else { INK };
    let percent = if known { format!("{:.0}%", 100.0 * share) } else { "–".into() };
    let text = Type::bold(SIZE * 0.86, colour);
    let tall = area.height() >= 50;
    if text.width(&percent) < area.width() as f32 - 4.0 {
        canvas.text(&percent, (x, if tall { y - 10.0 } else { y }), Align::Centre, text);
    }
    let small = Type::regular(SIZE * 0.72, colour);
    let number = if count.is_finite() { grouped(count.round().max(0.0) as usize) } else { "–".into() };
    if tall && small.width(&number) < area.width() as f32 - 4.0 {
        canvas.text(&number, (x, y + 13.0), Align::Centre, small);
    }
}

/// White to dark: reads in grey, too.
fn shade(share: f64) -> RGBColor {
    let of = |low: f64, high: f64| (low + (high - low) * share).round() as u8;
    RGBColor(of(246.0, 12.0), of(248.0, 60.0), of(250.0, 108.0))
}

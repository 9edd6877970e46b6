//! Synthetic segments over the real training segments nearest to them.

use physiosynth_evaluation::exhibits::NearestPair;
use physiosynth_signal::SegmentSet;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::{Context, in_order, times_ms};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, FRAME, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend};
use crate::ticks::significant;

pub(super) const FIGURE: Figure = Figure {
    name: "neighbours",
    title: "Synthetic segments and the real ones nearest to them",
    caption: |_| {
        "For each class, synthetic segments (orange) over the real training segment nearest to each (blue), from the closest pair to the \
         farthest; the number is their root mean square difference. A closest pair that is one line is a copy; a farthest pair that \
         shares nothing is a segment like no real one. Whether pairs are closer than chance allows is for the measures of privacy. The \
         pictures hold real recordings."
            .into()
    },
    draw,
};

/// Classes drawn.
const CLASSES: usize = 8;
/// Pairs of a class drawn.
const PAIRS: usize = 5;
/// Pixels of a row.
const ROW: i32 = 230;

fn draw(context: &Context<'_>) -> Drawing {
    let pairs: Vec<&NearestPair> =
        context.report.scores.exhibits.nearest.iter().filter(|pair| curves(context, pair).is_some()).collect();
    if pairs.is_empty() {
        return Drawing::Nothing("the evaluation found no pairs of neighbours");
    }
    let mut classes = in_order(pairs.iter().map(|p| p.class.clone()).collect());
    let left_out = classes.len().saturating_sub(CLASSES);
    classes.truncate(CLASSES);
    let rows = classes.len();
    let (mut canvas, area) = sheet(140 + rows as i32 * ROW, "Synthetic segments and the real training segments nearest to them");
    let entries = [("nearest real", Sign::Line(Pen::new(3.0, REAL))), ("synthetic", Sign::Line(Pen::new(3.0, SYNTHETIC)))];
    let y = area.top as f32 + 8.0;
    let x = legend(&mut canvas, (area.left as f32 + 8.0, y), SIZE, &entries);
    if left_out > 0 {
        let text = format!("{left_out} more class{} not drawn", if left_out == 1 { "" } else { "es" });
        canvas.text(&text, (x, y), Align::Left, Type::regular(SIZE, FAINT));
    }
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (row, class) in classes.iter().enumerate() {
        let mut of_class: Vec<&&NearestPair> = pairs.iter().filter(|p| p.class == *class).collect();
        of_class.sort_by(|a, b| a.rank.total_cmp(&b.rank));
        of_class.truncate(PAIRS);
        let extents = of_class.iter().filter_map(|pair| curves(context, pair)).flat_map(|(a, b)| a.into_iter().chain(b));
        let range = Range::of(extents, 0.06);
        for (column, pair) in of_class.iter().enumerate() {
            one(context, &mut canvas, area, (row, rows, column), (pair, range));
        }
    }
    Drawing::Picture(canvas)
}

fn one(
    context: &Context<'_>,
    canvas: &mut Canvas,
    area: Area,
    (row, rows, column): (usize, usize, usize),
    (pair, range): (&NearestPair, Range),
) {
    let Some((real, synthetic)) = curves(context, pair) else { return };
    // The first column is wider by the name and numbers of its axis.
    let beside = (SIZE * 3.9) as i32;
    let mut cell = Area::new(area.left + beside, area.top, area.right, area.bottom).cell((row, rows), (column, PAIRS), 6);
    cell.left -= if column == 0 { beside } else { 0 };
    let title = if column == 0 { format!("{}: {}", pair.class, rank_in_words(pair.rank)) } else { rank_in_words(pair.rank) };
    let remark = format!("{} {}", significant(pair.distance), pair.unit);
    let name = context.amplitude_name();
    let last = row + 1 == rows;
    let axes = Axes {
        title: &title,
        remark: &remark,
        x: if last { context.time_name() } else { "" },
        y: if column == 0 { &name } else { "" },
        y_numbers: column == 0,
        x_numbers: true,
        ..Axes::plain(SIZE * 0.9)
    };
    let span = context.span_ms();
    let panel = Panel::draw(canvas, cell, (Range::linear(span.0, span.1), range), &axes);
    panel.upright(canvas, 0.0, Pen::new(1.0, FRAME));
    for (set, curve, colour) in [(context.report.real, real, REAL), (context.report.synthetic, synthetic, SYNTHETIC)] {
        panel.line(canvas, times_ms(set).into_iter().zip(curve), Pen::faded(2.6, colour, 0.85));
    }
}

/// The curves of a pair, real and synthetic, of the drawn channel; none where the scores are of other sets than those at hand.
fn curves(context: &Context<'_>, pair: &NearestPair) -> Option<(Vec<f64>, Vec<f64>)> {
    let of = |set: &SegmentSet, index: usize| {
        let same = set.segments.get(index).is_some_and(|s| s.label == pair.class) && set.channels() > 0;
        let value = |t: usize| f64::from(set.signals[[index, t, 0]] * set.scale[[index, 0]] + set.offset[[index, 0]]);
        same.then(|| (0..set.time()).map(value).collect())
    };
    Some((of(context.report.real, pair.real)?, of(context.report.synthetic, pair.synthetic)?))
}

fn rank_in_words(rank: f64) -> String {
    match rank {
        0.0 => "closest".into(),
        0.5 => "median".into(),
        1.0 => "farthest".into(),
        share => format!("{:.0}%", 100.0 * share),
    }
}

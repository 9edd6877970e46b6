//! Where in a segment a classifier with attention looks, trained on real and on synthetic segments.

use physiosynth_evaluation::exhibits::Attention;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::{Context, in_order, times_ms};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, FRAME, INK, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend};
use crate::words::judge_in_words;

pub(super) const FIGURE: Figure = Figure {
    name: "attention",
    title: "Where a classifier looks",
    caption: |_| {
        "The mean held-out real segment of each class, as a classifier with attention saw it, and bars for how much weight it gave each \
         stretch: on the left after training on real segments, on the right after training on synthetic ones. All weights of a class sum to \
         1; the dashed line is what each stretch would get if it looked everywhere alike. Where both sides look at the same waves, synthetic \
         segments taught the same signs of a class as real ones."
            .into()
    },
    draw,
};

/// Classes drawn.
const CLASSES: usize = 8;

fn draw(context: &Context<'_>) -> Drawing {
    let all: Vec<&Attention> = context
        .report
        .scores
        .exhibits
        .attentions
        .iter()
        .filter(|a| !a.weights.is_empty() && !a.mean_segment.is_empty())
        .collect();
    // One judge a figure: the first, and its classes.
    let Some(judge) = all.first().map(|a| a.judge.clone()) else {
        return Drawing::Nothing("no classifier with attention was trained");
    };
    let own: Vec<&Attention> = all.into_iter().filter(|a| a.judge == judge).collect();
    let mut classes = in_order(own.iter().map(|a| a.class.clone()).collect());
    classes.truncate(CLASSES);
    let rows = classes.len();
    let title = format!("Where the {} looks", judge_in_words(&judge));
    let (mut canvas, area) = sheet(140 + rows as i32 * 290, &title);
    let entries = [
        ("weight, trained on real", Sign::Band(Pen::faded(0.0, REAL, 0.45))),
        ("weight, trained on synthetic", Sign::Band(Pen::faded(0.0, SYNTHETIC, 0.45))),
        ("mean held-out segment", Sign::Line(Pen::new(2.6, INK))),
    ];
    legend(&mut canvas, (area.left as f32 + 8.0, area.top as f32 + 8.0), SIZE, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (row, class) in classes.iter().enumerate() {
        let heaviest = own.iter().filter(|a| a.class == *class).flat_map(|a| a.weights.iter().copied());
        let heaviest = heaviest.filter(|w| w.is_finite()).fold(0.0, f64::max);
        for (column, trained_on) in ["real", "synthetic"].into_iter().enumerate() {
            let cell = area.cell((row, rows), (column, 2), 16);
            let found = own.iter().find(|a| a.class == *class && a.trained_on == trained_on);
            one(context, &mut canvas, cell, (class, trained_on, heaviest), found.copied());
        }
    }
    Drawing::Picture(canvas)
}

fn one(
    context: &Context<'_>,
    canvas: &mut Canvas,
    cell: Area,
    (class, trained_on, heaviest): (&str, &str, f64),
    found: Option<&Attention>,
) {
    let times = times_ms(context.report.real);
    let samples = found.map_or(0, |a| a.mean_segment.len());
    // Curves of other lengths than the segments at hand are drawn by sample.
    let known = samples == times.len() && !times.is_empty();
    let (first, last) = if known { (times[0], times[times.len() - 1]) } else { (0.0, samples.max(2) as f64 - 1.0) };
    let remark = format!("trained on {trained_on}");
    let axes = Axes {
        title: class,
        remark: &remark,
        x: if known { context.time_name() } else { "sample" },
        y: "weight",
        colour: if trained_on == "real" { REAL } else { SYNTHETIC },
        ..Axes::plain(SIZE)
    };
    let top = if heaviest > 0.0 { heaviest * 1.08 } else { 1.0 };
    let panel = Panel::draw(canvas, cell, (Range::linear(first, last), Range::linear(0.0, top)), &axes);
    let Some(attention) = found else {
        panel.say(canvas, "not trained", SIZE);
        return;
    };
    let n = attention.weights.len() as f64;
    let at = |k: usize| first + (last - first) * k as f64 / n;
    for (k, &weight) in attention.weights.iter().enumerate().filter(|(_, w)| w.is_finite()) {
        let bar = [panel.at_x(at(k)), panel.at_x(at(k + 1)), panel.at_y(weight), panel.area.bottom as f32];
        let edges = [(bar[0] + 0.5, bar[2], bar[3]), (bar[1] - 0.5, bar[2], bar[3])];
        canvas.band(&edges, Pen::faded(0.0, axes.colour, 0.45), panel.area);
    }
    let even = panel.at_y(1.0 / n);
    canvas.dashed((panel.area.left as f32, even), (panel.area.right as f32, even), 6.0, Pen::new(1.5, FRAME), panel.area);
    canvas.text("even", (panel.area.right as f32 - 6.0, even - 12.0), Align::Right, Type::regular(SIZE * 0.8, FAINT));
    // The segment fills the plot's height: its unit is the classifier's own.
    let shape = Range::of(attention.mean_segment.iter().copied(), 0.08);
    let points: Vec<(f32, f32)> = attention
        .mean_segment
        .iter()
        .enumerate()
        .map(|(t, &v)| {
            let x = first + (last - first) * t as f64 / (samples.max(2) - 1) as f64;
            let y = panel.area.bottom as f32 - shape.share(v) as f32 * panel.area.height() as f32;
            (panel.at_x(x), y)
        })
        .collect();
    canvas.stroke(&points, Pen::new(2.6, INK), panel.area);
}

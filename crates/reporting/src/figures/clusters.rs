//! What shapes each class's training segments fall into: the mean of each cluster with its spread.

use crate::canvas::{Align, Area, Pen, Type};
use crate::context::{Cluster, Context, in_order, times_ms};
use crate::figures::beats::count_in_words;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, FRAME, INK, REAL};
use crate::panel::{Axes, Panel, Range};

/// Clusters drawn per class; the smaller ones are counted in words.
const SHOWN: usize = 5;

pub(super) const FIGURE: Figure = Figure {
    name: "clusters",
    title: "Clusters of the training segments",
    caption: |_| {
        format!(
            "A row per class: the mean ± 1 standard deviation of its {SHOWN} largest clusters, with the number of segments. The generator \
             learns to turn segments of a cluster into others of the same cluster. Silhouette: −1 to 1, near 1 where clusters are \
             far apart, near 0 where they touch. All plots of a row share their scale."
        )
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    if context.clusters.is_empty() {
        return Drawing::Nothing("the training segments were not clustered");
    }
    let classes = in_order(context.clusters.iter().map(|c| c.class.clone()).collect());
    let (head, row_height) = (34, 250);
    let (mut canvas, area) = sheet(96 + classes.len() as i32 * (head + row_height), "Clusters of the training segments");
    for (k, class) in classes.iter().enumerate() {
        let top = area.top + k as i32 * (head + row_height);
        let mut clusters: Vec<&Cluster> = context.clusters.iter().filter(|c| c.class == *class).collect();
        clusters.sort_by_key(|c| std::cmp::Reverse(c.waveforms.count));
        let kind = Type::bold(SIZE * 1.15, INK);
        canvas.text(class, (area.left as f32, top as f32 + 14.0), Align::Left, kind);
        let at = (area.left as f32 + kind.width(class) + 14.0, top as f32 + 14.0);
        canvas.text(&in_words(&clusters), at, Align::Left, Type::regular(SIZE, FAINT));
        // The first plot has the name of the y axis beside it: its cell is wider by that.
        let name = (SIZE * 0.95 * 1.4) as i32;
        let row = Area::new(area.left + name, top + head, area.right, top + head + row_height - 8);
        let (first, _) = clusters.split_at(clusters.len().min(SHOWN));
        for (column, cluster) in first.iter().enumerate() {
            let mut cell = row.cell((0, 1), (column, SHOWN), 4);
            cell.left -= if column == 0 { name } else { 0 };
            one(context, &mut canvas, cell, (cluster, first), column == 0);
        }
    }
    Drawing::Picture(canvas)
}

/// `3 clusters, silhouette 0.41`, and what is not drawn.
fn in_words(clusters: &[&Cluster]) -> String {
    let n = clusters.len();
    let mut text = format!("{n} cluster{}", if n == 1 { "" } else { "s" });
    let known: Vec<f64> = clusters.iter().map(|c| c.silhouette).filter(|s| s.is_finite()).collect();
    let (low, high) = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &s| (l.min(s), h.max(s)));
    if high - low > 0.005 {
        text += &format!(", silhouette {low:.2} to {high:.2}").replace('-', "−");
    } else if low.is_finite() {
        text += &format!(", silhouette {low:.2}").replace('-', "−");
    }
    if n > SHOWN {
        let rest: usize = clusters[SHOWN..].iter().map(|c| c.waveforms.count).sum();
        text = format!("{text}; the {} smaller ones ({}) are not drawn", n - SHOWN, count_in_words(rest));
    }
    text
}

fn one(
    context: &Context<'_>,
    canvas: &mut crate::canvas::Canvas,
    cell: Area,
    (cluster, row): (&Cluster, &[&Cluster]),
    first: bool,
) {
    let edges = |c: &Cluster| {
        let w = &c.waveforms;
        w.mean.iter().zip(&w.deviation).flat_map(|(m, d)| [m - d, m + d]).collect::<Vec<_>>()
    };
    let span = context.span_ms();
    let ranges = (Range::linear(span.0, span.1), Range::of(row.iter().flat_map(|c| edges(c)), 0.06));
    let mut title = count_in_words(cluster.waveforms.count);
    if !cluster.subject.is_empty() {
        title = format!("{}: {title}", cluster.subject);
    }
    let name = context.amplitude_name();
    let axes = Axes { remark: &title, x: context.time_name(), y: if first { &name } else { "" }, ..Axes::plain(SIZE * 0.95) };
    let panel = Panel::draw(canvas, cell, ranges, &axes);
    panel.upright(canvas, 0.0, Pen::new(1.0, FRAME));
    let times = times_ms(context.report.real);
    let w = &cluster.waveforms;
    let band = times.iter().zip(w.mean.iter().zip(&w.deviation)).map(|(&t, (m, d))| (t, m - d, m + d));
    panel.band(canvas, band, Pen::faded(0.0, REAL, 0.22));
    panel.line(canvas, times.iter().copied().zip(w.mean.iter().copied()), Pen::new(3.0, REAL));
}

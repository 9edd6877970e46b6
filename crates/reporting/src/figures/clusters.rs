//! What shapes each class's training segments fall into: the mean of each cluster with its spread.

use crate::canvas::{Align, Area, Pen, Type};
use crate::context::{Cluster, Context, in_order, times_ms};
use crate::figures::beats::count_in_words;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::font::fit;
use crate::palette::{FAINT, FRAME, INK, REAL};
use crate::panel::{Axes, Panel, Range};

/// Clusters drawn per class; the smaller ones are counted in words.
const SHOWN: usize = 5;

pub(super) const FIGURE: Figure = Figure {
    name: "clusters",
    title: "Clusters of the training segments",
    caption: |_| {
        format!(
            "For each class the mean ± 1 standard deviation of its {SHOWN} largest clusters, with the number of segments. The generator \
             learns to turn segments of a cluster into others of the same cluster. Silhouette: −1 to 1, near 1 where clusters are \
             far apart, near 0 where they touch. All plots of a class share their scale."
        )
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    if context.clusters.is_empty() {
        return Drawing::Nothing("the training segments were not clustered");
    }
    let classes: Vec<(String, Vec<&Cluster>)> = in_order(context.clusters.iter().map(|c| c.class.clone()).collect())
        .into_iter()
        .map(|class| {
            let mut clusters: Vec<&Cluster> = context.clusters.iter().filter(|c| c.class == class).collect();
            clusters.sort_by_key(|c| std::cmp::Reverse(c.waveforms.count));
            (class, clusters)
        })
        .collect();
    let sizes: Vec<usize> = classes.iter().map(|(_, clusters)| clusters.len().min(SHOWN)).collect();
    let places = places(&sizes);
    let rows = places.last().map_or(0, |(row, _)| row + 1);
    let (head, row_height) = (34, 250);
    let (mut canvas, area) = sheet(96 + rows as i32 * (head + row_height), "Clusters of the training segments");
    // The first plot of a row has the name of the y axis beside it: its cell is wider by that.
    let name = (SIZE * 0.95 * 1.4) as i32;
    for ((class, clusters), &(row, from)) in classes.iter().zip(&places) {
        let top = area.top + row as i32 * (head + row_height);
        let slots = Area::new(area.left + name, top + head, area.right, top + head + row_height - 8);
        let (first, _) = clusters.split_at(clusters.len().min(SHOWN));
        let slot = |column: usize| slots.cell((0, 1), (from + column, SHOWN), 4);
        let kind = Type::bold(SIZE * 1.15, INK);
        let named = from == 0;
        let left = (slot(0).left - if named { name } else { 0 }) as f32;
        canvas.text(class, (left, top as f32 + 14.0), Align::Left, kind);
        let behind = left + kind.width(class) + 14.0;
        let plain = Type::regular(SIZE, FAINT);
        let room = slot(first.len().saturating_sub(1)).right as f32 - behind;
        let words = fit(&in_words(clusters), plain.size, plain.weight, room);
        canvas.text(&words, (behind, top as f32 + 14.0), Align::Left, plain);
        for (column, cluster) in first.iter().enumerate() {
            let mut cell = slot(column);
            cell.left -= if named && column == 0 { name } else { 0 };
            one(context, &mut canvas, cell, (cluster, first), named && column == 0);
        }
    }
    Drawing::Picture(canvas)
}

/// Row and first column of each class: a row each where classes are few, else as many side by side as there is room for.
fn places(sizes: &[usize]) -> Vec<(usize, usize)> {
    let alone = sizes.len() <= 6;
    let (mut row, mut used) = (0, 0);
    let mut places = Vec::with_capacity(sizes.len());
    for &size in sizes {
        if used > 0 && (alone || used + size > SHOWN) {
            (row, used) = (row + 1, 0);
        }
        places.push((row, used));
        used += size;
    }
    places
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

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn few_classes_stand_alone_and_many_share_rows() {
        assert_eq!(places(&[5, 1, 2]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(places(&[1, 1, 1, 1, 1, 1, 3, 5]), [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (2, 0)]);
        assert!(places(&[]).is_empty());
    }
}

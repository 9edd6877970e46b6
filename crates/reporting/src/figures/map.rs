//! Real and synthetic segments as points in the plane.

use physiosynth_evaluation::exhibits::{PointGroup, PointMap};
use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{HELD_OUT, INK, REAL, SYNTHETIC, WHITE};
use crate::panel::{Axes, Lines, Panel, Range, Sign, legend, ring};

pub(super) const FIGURE: Figure = Figure {
    name: "map",
    title: "Real and synthetic in the plane",
    caption: |_| {
        "Each point is a segment; equally many of each class, up to 240 of a set. Left: the two directions in which real \
         training segments vary most (PCA, fitted on them alone). Right: neighbourhoods (t-SNE of all points together), where only who is \
         near whom means anything, not distances or the sizes of heaps. Letters stand where each real class is densest. Look for orange \
         where there is no blue (segments like no real one), and for blue without orange (variety that is missing)."
            .into()
    },
    draw,
};

/// Diameter of a point.
const POINT: f32 = 7.0;

fn draw(context: &Context<'_>) -> Drawing {
    let maps = &context.report.scores.exhibits.maps;
    if maps.is_empty() {
        return Drawing::Nothing("the evaluation made no map");
    }
    let columns = maps.len().min(2);
    let rows = maps.len().div_ceil(columns);
    let (mut canvas, area) = sheet(136 + rows as i32 * 700, "Real and synthetic segments in the plane");
    let entries = [
        ("real, training subjects", Sign::Dot(POINT * 1.6, REAL)),
        ("real, held-out subjects", Sign::Ring(POINT * 1.9, HELD_OUT)),
        ("synthetic", Sign::Dot(POINT * 1.6, SYNTHETIC)),
    ];
    legend(&mut canvas, (area.left as f32 + 8.0, area.top as f32 + 8.0), SIZE, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (k, map) in maps.iter().enumerate() {
        one(&mut canvas, area.cell((k / columns, rows), (k % columns, columns), 20), map);
    }
    Drawing::Picture(canvas)
}

fn one(canvas: &mut Canvas, cell: Area, map: &PointMap) {
    let title = match map.name.as_str() {
        "pca" => "Principal components",
        "tsne" => "Neighbourhoods (t-SNE)",
        other => other,
    };
    let pca = map.name == "pca";
    let axes = Axes {
        title,
        x: &map.x_label,
        y: &map.y_label,
        x_numbers: pca,
        y_numbers: pca,
        lines: if pca { Lines::Both } else { Lines::Neither },
        ..Axes::plain(SIZE)
    };
    let across = map.groups.iter().flat_map(|g| g.x.iter().copied());
    let up = map.groups.iter().flat_map(|g| g.y.iter().copied());
    let panel = Panel::draw(canvas, cell, (Range::of(across, 0.05), Range::of(up, 0.05)), &axes);
    // Set by set would hide the first under the last: a point of each in turn.
    let mut points: Vec<(usize, usize, (f32, f32), Kind)> = Vec::new();
    for (order, group) in map.groups.iter().enumerate() {
        let Some(kind) = Kind::of(&group.set) else { continue };
        let placed = group.x.iter().zip(&group.y).filter(|(x, y)| x.is_finite() && y.is_finite());
        points.extend(placed.enumerate().map(|(k, (&x, &y))| (k, order, (panel.at_x(x), panel.at_y(y)), kind)));
    }
    points.sort_by_key(|(k, order, ..)| (*k, *order));
    for (_, _, at, kind) in points {
        kind.draw(canvas, at, panel.area);
    }
    let mut taken: Vec<(f32, f32)> = Vec::new();
    for group in map.groups.iter().filter(|g| g.set == "train") {
        if let Some((x, y)) = densest(&panel, group) {
            // Letters of classes that lie on one another stand side by side.
            let clear = |x: f32| taken.iter().all(|t| (t.0 - x).abs() > 26.0 || (t.1 - y).abs() > 26.0);
            let x = (0..8).map(|k| x + k as f32 * 28.0).find(|&x| clear(x)).unwrap_or(x);
            taken.push((x, y));
            label(canvas, (x, y), &group.class);
        }
    }
}

/// Whose a point is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Filled(RGBColor),
    Open(RGBColor),
}

impl Kind {
    fn of(set: &str) -> Option<Self> {
        match set {
            "train" => Some(Self::Filled(REAL)),
            "held_out" => Some(Self::Open(HELD_OUT)),
            "synthetic" => Some(Self::Filled(SYNTHETIC)),
            _ => None,
        }
    }

    fn draw(self, canvas: &mut Canvas, at: (f32, f32), clip: Area) {
        match self {
            Self::Filled(colour) => canvas.stroke(&[at], Pen::faded(POINT, colour, 0.75), clip),
            Self::Open(colour) => ring(canvas, at, POINT + 2.0, colour),
        }
    }
}

/// Where most of a class is: the point with the most others of it nearby.
fn densest(panel: &Panel, group: &PointGroup) -> Option<(f32, f32)> {
    const NEARBY: f32 = 40.0;
    let placed = group.x.iter().zip(&group.y).map(|(&x, &y)| (panel.at_x(x), panel.at_y(y)));
    let points: Vec<(f32, f32)> = placed.filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
    let nearby = |p: &(f32, f32)| points.iter().filter(|q| (p.0 - q.0).hypot(p.1 - q.1) < NEARBY).count();
    let mut best: Option<(usize, (f32, f32))> = None;
    for &point in &points {
        let count = nearby(&point);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, point));
        }
    }
    best.map(|(_, point)| point)
}

fn label(canvas: &mut Canvas, (x, y): (f32, f32), text: &str) {
    for (dx, dy) in [(-2.0, 0.0), (2.0, 0.0), (0.0, -2.0), (0.0, 2.0), (-1.5, -1.5), (1.5, 1.5), (-1.5, 1.5), (1.5, -1.5)] {
        canvas.text(text, (x + dx, y + dy), Align::Centre, Type::bold(SIZE * 1.2, WHITE));
    }
    canvas.text(text, (x, y), Align::Centre, Type::bold(SIZE * 1.2, INK));
}

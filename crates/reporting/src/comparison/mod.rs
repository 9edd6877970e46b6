//! Figures that set several runs side by side: one file each, drawn from plain values.
//!
//! A run has one colour on every picture, by its place in the list; from the seventh on, lines are dashed and dots are rings.

mod losses;
mod measures;
mod reach;

use physiosynth_evaluation::Better;
use plotters::style::RGBColor;

pub use losses::draw_losses;
pub use measures::draw_measures;
pub use reach::draw_reach;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::figures::{SIZE, sheet};
use crate::font::fit;
use crate::palette::INK;
use crate::panel::{Panel, ring};

/// A run as the figures know it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComparedRun {
    /// What it is called.
    pub name: String,
    /// Its losses, in order of steps.
    pub losses: Vec<ComparedLoss>,
    /// How far its network's memory reaches; empty where it was not measured.
    pub reach: Vec<ComparedReach>,
}

/// Losses after some steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComparedLoss {
    /// Training steps taken.
    pub step: f64,
    /// Mean loss of training since the last one.
    pub train: f64,
    /// Loss on the validation subjects; NaN where there is none.
    pub validation: f64,
}

/// A curve of gradient norms.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedReach {
    /// Whether after training.
    pub trained: bool,
    /// Where the input lies relative to the output, in milliseconds, negative where earlier; and the norm.
    pub norms: Vec<(f64, f64)>,
}

/// A measure of several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedMeasure {
    /// What it is called, in words.
    pub name: String,
    /// Its unit; empty for pure numbers.
    pub unit: String,
    /// Which values are good.
    pub better: Better,
    /// The value of real segments against real ones, where it is the same for all runs.
    pub same: Option<f64>,
    /// The value of held-out subjects' segments, where it is the same for all runs.
    pub held_out: Option<f64>,
    /// The value of each run, with its interval.
    pub values: Vec<Option<ComparedValue>>,
}

/// A value with its 95% interval, where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComparedValue {
    /// The value.
    pub value: f64,
    /// The interval's ends.
    pub interval: Option<(f64, f64)>,
}

/// Colours that the colour-blind can tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 145, 105),
    RGBColor(190, 100, 155),
    RGBColor(86, 180, 233),
    RGBColor(190, 140, 0),
];
/// Pixels of a legend's line.
const KEY_ROW: i32 = 30;

fn colour(run: usize) -> RGBColor {
    COLOURS[run % COLOURS.len()]
}

/// Whether a run shares its colour with an earlier one.
fn second(run: usize) -> bool {
    run / COLOURS.len() % 2 == 1
}

fn dot(canvas: &mut Canvas, centre: (f32, f32), run: usize) {
    if second(run) {
        ring(canvas, centre, 13.0, colour(run));
    } else {
        canvas.disc(centre, 13.0, colour(run));
    }
}

/// A run's line through points of a panel; a point that is not finite leaves a gap.
fn line(canvas: &mut Canvas, panel: &Panel, points: &[(f64, f64)], run: usize) {
    let pen = Pen::new(2.8, colour(run));
    if !second(run) {
        panel.line(canvas, points.iter().copied(), pen);
        return;
    }
    // Dashes along the line: what is left of one is gone on with behind a corner.
    let (mut along, dash) = (0.0_f32, 9.0_f32);
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]].map(|(x, y)| (panel.at_x(x), panel.at_y(y)));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if !length.is_finite() || length <= 0.0 {
            continue;
        }
        let at = |d: f32| (from.0 + (to.0 - from.0) * d / length, from.1 + (to.1 - from.1) * d / length);
        let mut done = 0.0;
        while done < length {
            let place = (along + done) % (2.0 * dash);
            let next = (done + if place < dash { dash - place } else { 2.0 * dash - place }).max(done + 0.01).min(length);
            if place < dash {
                canvas.stroke(&[at(done), at(next)], pen, panel.area);
            }
            done = next;
        }
        along = (along + length) % (2.0 * dash);
    }
}

/// How the legend is laid out: how many names a line, pixels for each.
fn key_layout(names: &[&str], room: i32) -> (usize, f32) {
    let kind = Type::regular(SIZE, INK);
    let widest = names.iter().map(|name| kind.width(name)).fold(0.0, f32::max).min(460.0) + SIZE * 3.2;
    let columns = ((room as f32 / widest) as usize).clamp(1, names.len().max(1));
    (columns, widest)
}

/// The runs' colours with their names, in as many lines as it takes, and what lies below.
fn key(canvas: &mut Canvas, area: Area, names: &[&str]) -> Area {
    let (columns, width) = key_layout(names, area.width());
    let kind = Type::regular(SIZE, INK);
    for (run, name) in names.iter().enumerate() {
        let (x, y) = (
            (run % columns) as f32 * width + area.left as f32,
            area.top as f32 + SIZE * 0.6 + ((run / columns) as i32 * KEY_ROW) as f32,
        );
        let (long, all) = (SIZE * 2.0, canvas.area());
        let pen = Pen::new(4.0, colour(run));
        if second(run) {
            canvas.dashed((x, y), (x + long, y), 9.0, pen, all);
        } else {
            canvas.stroke(&[(x, y), (x + long, y)], pen, all);
        }
        let text = fit(name, kind.size, kind.weight, width - SIZE * 3.0);
        canvas.text(&text, (x + long + SIZE * 0.4, y), Align::Left, kind);
    }
    let used = names.len().div_ceil(columns) as i32 * KEY_ROW + 10;
    Area::new(area.left, area.top + used, area.right, area.bottom)
}

/// A sheet with its title and legend, `height` pixels being left below them.
fn page(title: &str, names: &[&str], height: i32) -> (Canvas, Area) {
    let (columns, _) = key_layout(names, crate::figures::WIDTH as i32 - 2 * crate::figures::MARGIN);
    let (mut canvas, area) = sheet(height + names.len().div_ceil(columns) as i32 * KEY_ROW + 110, title);
    let area = key(&mut canvas, area, names);
    (canvas, area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::font;

    fn run(k: usize) -> ComparedRun {
        let losses = (1..=30).map(|e| ComparedLoss {
            step: f64::from(e) * 100.0,
            train: 1.0 / f64::from(e),
            validation: if k == 1 { f64::NAN } else { 0.3 },
        });
        let norms =
            |sign: f64| (0..20).map(move |d| (sign * f64::from(d) * 16.7, (-f64::from(d) / (k as f64 + 1.0)).exp())).collect();
        let reach =
            [(false, -1.0), (true, -1.0), (true, 1.0)].map(|(trained, sign)| ComparedReach { trained, norms: norms(sign) });
        ComparedRun { name: format!("run {k}"), losses: losses.collect(), reach: reach.into() }
    }

    #[test]
    fn figures_are_drawn_for_few_and_many_runs_and_the_same_every_time() {
        font::check().unwrap();
        for count in [1, 2, 12, 14] {
            let runs: Vec<ComparedRun> = (0..count).map(run).collect();
            let measure = |k: usize| ComparedMeasure {
                name: format!("Measure {k}"),
                unit: String::new(),
                better: Better::NearSame,
                same: (k > 0).then_some(0.9),
                held_out: (k > 1).then_some(0.4),
                values: (0..count)
                    .map(|r| (r != 1).then_some(ComparedValue { value: 0.1 * r as f64, interval: (k > 0).then_some((0.0, 1.0)) }))
                    .collect(),
            };
            let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
            let measures: Vec<ComparedMeasure> = (0..5).map(measure).collect();
            for draw in [draw_losses(&runs), draw_reach(&runs), draw_measures(&names, &measures)] {
                assert!(draw.unwrap().starts_with(b"\x89PNG"));
            }
            assert_eq!(draw_reach(&runs).unwrap(), draw_reach(&runs).unwrap());
        }
    }

    #[test]
    fn figures_say_so_where_there_is_nothing() {
        let empty = [ComparedRun { name: "nothing".into(), ..ComparedRun::default() }];
        draw_losses(&empty).unwrap();
        draw_reach(&empty).unwrap();
        draw_measures(&["nothing"], &[]).unwrap();
    }

    #[test]
    fn runs_are_told_apart_by_colour_then_by_dashes() {
        assert!((0..12).all(|a| (0..a).all(|b| (colour(a), second(a)) != (colour(b), second(b)))));
    }
}

//! The main measures, a small plot each, a dot with its interval for each run.

use physiosynth_evaluation::Better;

use crate::ReportError;
use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::comparison::{ComparedMeasure, ComparedValue, colour, dot};
use crate::figures::{SIZE, sheet};
use crate::font::fit;
use crate::palette::{FAINT, FRAME, HELD_OUT, INK};
use crate::panel::{Axes, Lines, Panel, Range, Sign, legend};

/// Plots side by side.
const COLUMNS: usize = 3;
/// Pixels left of them, for the runs' names.
const NAMES: i32 = 260;
/// Pixels of a run's line.
const ROW: i32 = 27;

/// Draws `measures` of the runs `names`, as PNG. A line up each plot marks what real segments score against real ones, another what
/// held-out subjects score.
pub fn draw_measures(names: &[&str], measures: &[ComparedMeasure]) -> Result<Vec<u8>, ReportError> {
    crate::font::check()?;
    let rows = measures.len().div_ceil(COLUMNS).max(1);
    let height = names.len().max(3) as i32 * ROW + 92;
    let (mut canvas, area) = sheet(110 + rows as i32 * (height + 14), "Measures, run by run");
    let entries = [
        ("value, 95% interval over subjects", Sign::Dot(13.0, colour(0))),
        ("real against real (same)", Sign::Line(Pen::new(3.0, FRAME))),
        ("held-out subjects", Sign::Dashes(Pen::new(3.0, HELD_OUT))),
    ];
    legend(&mut canvas, (area.left as f32, area.top as f32 + 6.0), SIZE, &entries);
    if measures.is_empty() {
        let kind = Type::regular(SIZE, FAINT);
        canvas.text(
            "no measure was found in the scores of these runs",
            (area.left as f32, area.top as f32 + 60.0),
            Align::Left,
            kind,
        );
    }
    for (k, measure) in measures.iter().enumerate() {
        let (row, column) = (k / COLUMNS, k % COLUMNS);
        let top = area.top + 34 + row as i32 * (height + 14);
        let plots = Area::new(area.left + NAMES, top, area.right, top + height);
        let panel = plot(&mut canvas, plots.cell((0, 1), (column, COLUMNS), 16), measure, names.len());
        if column == 0 {
            for (run, name) in names.iter().enumerate() {
                let kind = Type::regular(SIZE * 0.95, INK);
                let text = fit(name, kind.size, kind.weight, NAMES as f32 - 12.0);
                canvas.text(&text, ((area.left + NAMES) as f32 - 4.0, panel.at_y(line_of(run, names.len()))), Align::Right, kind);
            }
        }
    }
    canvas.encode("measures")
}

/// Where a run lies up the plot: the first on top.
fn line_of(run: usize, runs: usize) -> f64 {
    runs as f64 - run as f64 - 0.5
}

fn plot(canvas: &mut Canvas, outer: Area, measure: &ComparedMeasure, runs: usize) -> Panel {
    let values = || measure.values.iter().flatten();
    let ends = |v: &ComparedValue| v.interval.map_or([v.value, v.value], |(low, high)| [low, high]);
    let spanned = values().flat_map(ends).chain(values().map(|v| v.value)).chain(measure.same).chain(measure.held_out);
    let better = match measure.better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::NearSame => "best near same",
    };
    let x = if measure.unit.is_empty() { better.to_string() } else { format!("{}, {better}", measure.unit) };
    let axes = Axes { title: &measure.name, x: &x, y_numbers: false, lines: Lines::Across, ..Axes::plain(SIZE * 0.85) };
    let ranges = (Range::of(spanned, 0.07), Range::linear(0.0, runs.max(1) as f64));
    let panel = Panel::draw(canvas, outer, ranges, &axes);
    let (top, bottom) = (panel.area.top as f32, panel.area.bottom as f32);
    if let Some(same) = measure.same {
        let at = panel.at_x(same);
        canvas.stroke(&[(at, top), (at, bottom)], Pen::new(3.0, FRAME), panel.area);
    }
    if let Some(held_out) = measure.held_out {
        panel.upright(canvas, held_out, Pen::new(3.0, HELD_OUT));
    }
    for (run, value) in measure.values.iter().enumerate() {
        let y = panel.at_y(line_of(run, runs));
        let Some(value) = value else { continue };
        if let Some((low, high)) = value.interval {
            canvas.stroke(&[(panel.at_x(low), y), (panel.at_x(high), y)], Pen::faded(6.0, colour(run), 0.45), panel.area);
        }
        dot(canvas, (panel.at_x(value.value), y), run);
    }
    panel
}

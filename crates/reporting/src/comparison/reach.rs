//! Gradient norm by distance in time: how far each network's memory reaches.

use crate::ReportError;
use crate::canvas::{Align, Pen, Type};
use crate::comparison::{ComparedRun, line, page};
use crate::figures::SIZE;
use crate::palette::{FAINT, FRAME};
use crate::panel::{Axes, Panel, Range};

/// Norms more than this factor below the largest are left out: rounding rules there.
const DEPTH: f64 = 1e12;

/// Draws the gradient norms of `runs` by distance, as PNG: before training on the left, after it on the right. Left of 0 an output looks
/// back, right of it ahead.
pub fn draw_reach(runs: &[ComparedRun]) -> Result<Vec<u8>, ReportError> {
    crate::font::check()?;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let (mut canvas, area) = page("How far memory reaches: gradient of an output frame by an input frame", &names, 600);
    let all = || runs.iter().flat_map(|run| &run.reach).flat_map(|curve| curve.norms.iter().copied());
    let times = Range::of(all().map(|(time, _)| time), 0.02);
    let largest = all().map(|(_, norm)| norm).filter(|norm| norm.is_finite()).fold(0.0, f64::max);
    let shown = |norm: f64| if norm.is_finite() && norm > largest / DEPTH { norm } else { f64::NAN };
    let norms = Range::logarithmic(all().map(|(_, norm)| shown(norm)));
    for (column, (title, trained)) in [("before training", false), ("after training", true)].into_iter().enumerate() {
        let x = "place of the input relative to the output, ms";
        let axes = Axes { title, remark: "log scale", x, y: "norm of the gradient", ..Axes::plain(SIZE) };
        let panel = Panel::draw(&mut canvas, area.cell((0, 1), (column, 2), 24), (times, norms), &axes);
        let curves = || runs.iter().enumerate().flat_map(|(k, run)| run.reach.iter().map(move |curve| (k, curve)));
        if !curves().any(|(_, curve)| curve.trained == trained) {
            panel.say(&mut canvas, "not measured", SIZE);
            continue;
        }
        panel.upright(&mut canvas, 0.0, Pen::new(2.0, FRAME));
        let kind = Type::regular(SIZE * 0.9, FAINT);
        let y = panel.area.top as f32 + SIZE;
        canvas.text("looking back", (panel.area.left as f32 + 10.0, y), Align::Left, kind);
        if times.high > 50.0 {
            canvas.text("looking ahead", (panel.area.right as f32 - 10.0, y), Align::Right, kind);
        }
        for (k, curve) in curves().filter(|(_, curve)| curve.trained == trained) {
            let points: Vec<(f64, f64)> = curve.norms.iter().map(|&(time, norm)| (time, shown(norm))).collect();
            line(&mut canvas, &panel, &points, k);
        }
    }
    canvas.encode("memory")
}

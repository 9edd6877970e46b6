//! Training and validation loss over the steps of all runs.

use crate::ReportError;
use crate::canvas::Area;
use crate::comparison::{ComparedLoss, ComparedRun, line, page};
use crate::figures::SIZE;
use crate::panel::{Axes, Panel, Range};

/// Draws the losses of `runs` over their training steps, as PNG: training on the left, validation on the right.
pub fn draw_losses(runs: &[ComparedRun]) -> Result<Vec<u8>, ReportError> {
    crate::font::check()?;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let (mut canvas, area) = page("Loss during training", &names, 560);
    let steps = Range::of(runs.iter().flat_map(|run| run.losses.iter().map(|l| l.step)).chain([0.0]), 0.01);
    for (column, title) in ["training", "validation subjects"].into_iter().enumerate() {
        let value = |l: &ComparedLoss| if column == 0 { l.train } else { l.validation };
        let values = || runs.iter().flat_map(|run| run.losses.iter().map(value)).filter(|v| v.is_finite());
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        // A loss that falls over orders of magnitude is unreadable on a linear axis.
        let logarithmic = low > 0.0 && high / low > 8.0;
        let range = if logarithmic { Range::logarithmic(values()) } else { Range::of(values(), 0.06) };
        let remark = if logarithmic { "log scale" } else { "" };
        let axes = Axes { title, remark, x: "training step", y: "loss", ..Axes::plain(SIZE) };
        let outer: Area = area.cell((0, 1), (column, 2), 24);
        let panel = Panel::draw(&mut canvas, outer, (steps, range), &axes);
        if values().next().is_none() {
            panel.say(&mut canvas, "not measured", SIZE);
        }
        for (k, run) in runs.iter().enumerate() {
            let points: Vec<(f64, f64)> = run.losses.iter().map(|l| (l.step, value(l))).collect();
            line(&mut canvas, &panel, &points, k);
        }
    }
    canvas.encode("losses")
}

//! The course of training: losses, gradient norm, learning rate.

use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{GRADIENT, INK, TRAINING, VALIDATION};
use crate::panel::{Axes, Panel, Range, Sign, legend, legend_width};
use crate::report::{Epoch, Report};

pub(super) const FIGURE: Figure = Figure {
    name: "training",
    title: "Training",
    caption: |_| {
        "Top: mean loss per epoch on training and validation subjects; the dashed line marks the epoch whose weights were kept. \
         Validation rising while training falls is overfitting. Middle: global norm of the gradient before clipping, mean and \
         largest of each epoch: values running to 0 mean vanishing gradients, leaps of orders of magnitude exploding ones. \
         Bottom: learning rate."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let report = context.report;
    if report.history.is_empty() {
        return Drawing::Nothing("no training history was given");
    }
    let (mut canvas, area) = sheet(1080, "Training");
    let row = |from: i32, to: i32| Area::new(area.left, area.top + from, area.right, area.top + to);
    loss(&mut canvas, row(0, 470), report, SIZE, "");
    let mean = Pen::new(2.5, GRADIENT);
    let largest = Pen::faded(2.0, GRADIENT, 0.45);
    let norms = [Curve { pen: mean, value: |e| e.gradient_norm_mean }, Curve { pen: largest, value: |e| e.gradient_norm_max }];
    let panel = curves(&mut canvas, row(490, 760), report, &norms, (true, "gradient norm", SIZE, ""));
    let at = (panel.area.left as f32, (area.top + 490) as f32 + SIZE * 0.8);
    legend(&mut canvas, at, SIZE, &[("mean of the epoch", Sign::Line(mean)), ("largest", Sign::Line(largest))]);
    let rate = [Curve { pen: Pen::new(2.5, INK), value: |e| e.learning_rate }];
    curves(&mut canvas, row(780, 984), report, &rate, (true, "learning rate", SIZE, "epoch"));
    Drawing::Picture(canvas)
}

struct Curve {
    pen: Pen,
    value: fn(&Epoch) -> f64,
}

/// Both losses with their legend above the plot and the kept epoch marked.
pub(super) fn loss(canvas: &mut Canvas, outer: Area, report: &Report<'_>, size: f32, x: &str) {
    let (train, validation) = (Pen::new(3.0, TRAINING), Pen::new(3.0, VALIDATION));
    let losses = [Curve { pen: train, value: |e| e.train_loss }, Curve { pen: validation, value: |e| e.validation_loss }];
    // A loss that falls over orders of magnitude is unreadable on a linear axis.
    let all = || report.history.iter().flat_map(|e| [e.train_loss, e.validation_loss]).filter(|v| v.is_finite());
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let logarithmic = low > 0.0 && high / low > 20.0;
    let panel = curves(canvas, outer, report, &losses, (logarithmic, "loss", size, x));
    let y = outer.top as f32 + size * 0.8;
    let mut entries = vec![("training", Sign::Line(train))];
    if report.history.iter().any(|e| e.validation_loss.is_finite()) {
        entries.push(("validation", Sign::Line(validation)));
    }
    let kept = report.best_epoch.map(|best| format!("epoch {best} kept"));
    if let Some(kept) = &kept {
        // In a narrow plot the number can be read off the axis.
        entries.push((kept, Sign::Dashes(kept_pen())));
        if legend_width(size, &entries) > panel.area.width() as f32 {
            entries.pop();
            entries.push(("kept", Sign::Dashes(kept_pen())));
        }
    }
    legend(canvas, (panel.area.left as f32, y), size, &entries);
}

fn kept_pen() -> Pen {
    Pen::new(2.0, RGBColor(120, 120, 120))
}

fn curves(
    canvas: &mut Canvas,
    outer: Area,
    report: &Report<'_>,
    curves: &[Curve],
    (logarithmic, name, size, x): (bool, &str, f32, &str),
) -> Panel {
    let history = report.history;
    let values = || curves.iter().flat_map(|c| history.iter().map(c.value)).filter(|v| v.is_finite());
    let logarithmic = logarithmic && values().any(|v| v > 0.0);
    let y = if logarithmic { Range::logarithmic(values()) } else { Range::of(values(), 0.06) };
    let across = Range::of(history.iter().map(|e| f64::from(e.epoch)), if history.len() > 1 { 0.01 } else { 0.0 });
    // The blank remark keeps room above the plot for the legend.
    let axes = Axes { remark: " ", x, y: name, ..Axes::plain(size) };
    let panel = Panel::draw(canvas, outer, (across, y), &axes);
    if values().next().is_none() {
        panel.say(canvas, "not measured", size);
    }
    if let Some(best) = report.best_epoch {
        panel.upright(canvas, f64::from(best), kept_pen());
    }
    for curve in curves {
        let points = history.iter().map(|e| {
            let v = (curve.value)(e);
            (f64::from(e.epoch), if logarithmic && v <= 0.0 { f64::NAN } else { v })
        });
        panel.line(canvas, points, curve.pen);
        if history.len() <= 40 {
            for e in history {
                let v = (curve.value)(e);
                if v.is_finite() && (!logarithmic || v > 0.0) {
                    let dot = Pen { width: 7.0, ..curve.pen };
                    canvas.stroke(&[(panel.at_x(f64::from(e.epoch)), panel.at_y(v))], dot, panel.area);
                }
            }
        }
    }
    if logarithmic {
        let kind = Type::regular(size * 0.9, crate::palette::FAINT);
        let at = (panel.area.right as f32, outer.top as f32 + size * 0.8);
        canvas.text("log scale", at, Align::Right, kind);
    }
    panel
}

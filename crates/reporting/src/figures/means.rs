//! The mean of each class with its spread, real and synthetic in one plot.

use crate::canvas::{Canvas, Pen};
use crate::context::{Class, Context, times_ms};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FRAME, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend};
use crate::ticks::grouped;
use crate::waveforms::Waveforms;

pub(super) const FIGURE: Figure = Figure {
    name: "means",
    title: "Class means with their spread",
    caption: |_| {
        "Mean (line) ± 1 standard deviation (band) at each time, over all real training segments and all synthetic segments of \
         a class. Means that differ show a wrong shape; a synthetic band much narrower than the real one shows a collapsed \
         generator."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let n = context.classes.len();
    if n == 0 {
        return Drawing::Nothing("there are no segments");
    }
    let columns = n.min(if n > 4 { 3 } else { 2 });
    let rows = n.div_ceil(columns);
    let (mut canvas, area) = sheet(136 + rows as i32 * 360, "Class means ± 1 SD: synthetic over real");
    let y = area.top as f32 + 8.0;
    legend(&mut canvas, (area.left as f32, y), SIZE, &signs());
    let area = crate::canvas::Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (k, class) in context.classes.iter().enumerate() {
        let cell = area.cell((k / columns, rows), (k % columns, columns), 12);
        let extents = [&class.real, &class.synthetic]
            .into_iter()
            .flatten()
            .flat_map(|w| w.mean.iter().zip(&w.deviation).flat_map(|(m, d)| [m - d, m + d]));
        let span = context.span_ms();
        let ranges = (Range::linear(span.0, span.1), Range::of(extents, 0.06));
        let count = |w: &Option<Waveforms>| w.as_ref().map_or_else(|| "no".into(), |w| grouped(w.count));
        let remark = format!("{} real, {} synthetic", count(&class.real), count(&class.synthetic));
        let name = context.amplitude_name();
        let axes = Axes { title: &class.label, remark: &remark, x: context.time_name(), y: &name, ..Axes::plain(SIZE) };
        let panel = Panel::draw(&mut canvas, cell, ranges, &axes);
        bands(context, &mut canvas, &panel, class);
    }
    Drawing::Picture(canvas)
}

/// What the legend of such a plot says.
pub(super) fn signs() -> [(&'static str, Sign); 4] {
    [
        ("real mean", Sign::Line(Pen::new(3.0, REAL))),
        ("± 1 SD", Sign::Band(Pen::faded(0.0, REAL, 0.22))),
        ("synthetic mean", Sign::Line(Pen::new(3.0, SYNTHETIC))),
        ("± 1 SD", Sign::Band(Pen::faded(0.0, SYNTHETIC, 0.28))),
    ]
}

/// Bands first, then means, so that no band hides a mean.
pub(super) fn bands(context: &Context<'_>, canvas: &mut Canvas, panel: &Panel, class: &Class) {
    panel.upright(canvas, 0.0, Pen::new(1.0, FRAME));
    let sides = [(&class.real, context.report.real, REAL, 0.22), (&class.synthetic, context.report.synthetic, SYNTHETIC, 0.28)];
    for (waveforms, set, colour, alpha) in sides {
        if let Some(w) = waveforms {
            let times = times_ms(set);
            let edges = times.iter().zip(w.mean.iter().zip(&w.deviation)).map(|(&t, (m, d))| (t, m - d, m + d));
            panel.band(canvas, edges, Pen::faded(0.0, colour, alpha));
            // Where the bands cover one another, their rims still tell which is the wider.
            for sign in [-1.0, 1.0] {
                let rim = times.iter().zip(w.mean.iter().zip(&w.deviation)).map(|(&t, (m, d))| (t, m + sign * d));
                panel.line(canvas, rim, Pen::faded(1.4, colour, 0.8));
            }
        }
    }
    for (waveforms, set, colour, _) in sides {
        if let Some(w) = waveforms {
            let times = times_ms(set);
            panel.line(canvas, times.into_iter().zip(w.mean.iter().copied()), Pen::new(3.0, colour));
        }
    }
}

//! Power spectral density of each class, real and synthetic.

use crate::canvas::{Area, Canvas, Pen};
use crate::context::{Class, Context};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend};

pub(super) const FIGURE: Figure = Figure {
    name: "psd",
    title: "Power spectral density",
    caption: |_| {
        "Welch's method with a Hann window and half-overlapping windows of at most 2 s. Beats are shorter, so that each holds \
         one window, padded with zeros; the spectra of up to 1,000 segments of a class, each without its mean, are averaged. A \
         synthetic curve below the real one at high frequencies means beats that are too smooth, one above it noise that was \
         learnt or added."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let classes: Vec<&Class> = context.classes.iter().filter(|c| has_spectrum(c)).collect();
    let n = classes.len();
    if n == 0 {
        return Drawing::Nothing("segments are too short for a spectrum, or there are none");
    }
    let columns = n.min(if n > 4 { 3 } else { 2 });
    let rows = n.div_ceil(columns);
    let (mut canvas, area) = sheet(136 + rows as i32 * 360, "Power spectral density");
    let entries = [("real", Sign::Line(Pen::new(3.0, REAL))), ("synthetic", Sign::Line(Pen::new(3.0, SYNTHETIC)))];
    legend(&mut canvas, (area.left as f32, area.top as f32 + 8.0), SIZE, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (k, class) in classes.iter().enumerate() {
        one(context, &mut canvas, area.cell((k / columns, rows), (k % columns, columns), 12), class, (&class.label, SIZE));
    }
    Drawing::Picture(canvas)
}

pub(super) fn has_spectrum(class: &Class) -> bool {
    [&class.real, &class.synthetic].into_iter().flatten().any(|w| w.spectrum.is_some())
}

pub(super) fn one(context: &Context<'_>, canvas: &mut Canvas, cell: Area, class: &Class, (title, size): (&str, f32)) {
    let sides = [(&class.real, REAL), (&class.synthetic, SYNTHETIC)];
    let spectra = || sides.iter().filter_map(|(w, colour)| Some((w.as_ref()?.spectrum.as_ref()?, *colour)));
    let highest = spectra().map(|(s, _)| s.step_hz * (s.density.len() - 1) as f64).fold(0.0, f64::max);
    let levels: Vec<f64> = spectra().flat_map(|(s, _)| s.decibels().map(|(_, db)| db)).collect();
    let top = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // 90 dB below the peak is below what any recording resolves.
    let shown = levels.iter().map(|&db| db.max(top - 90.0));
    let unit = if context.unit.is_empty() { "1".to_string() } else { format!("1 {}²", context.unit) };
    let name = format!("dB re {unit}/Hz");
    let remark = match (&class.real, &class.synthetic) {
        (Some(_), None) => "no synthetic segment",
        (None, Some(_)) => "no real segment",
        _ => "",
    };
    let axes = Axes { title, remark, x: "frequency (Hz)", y: &name, ..Axes::plain(size) };
    let panel = Panel::draw(canvas, cell, (Range::linear(0.0, highest), Range::of(shown, 0.05)), &axes);
    // The last bin is half a bin wide and would show as a drop.
    for (spectrum, colour) in spectra() {
        panel.line(canvas, spectrum.decibels().take(spectrum.density.len().saturating_sub(2)), Pen::new(2.6, colour));
    }
}

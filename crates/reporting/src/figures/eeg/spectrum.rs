//! Power spectral density over the bands of an EEG, real and synthetic.

use physiosynth_evaluation::clinical::spectrum::{BANDS, Spectrum, WHOLE};

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::eeg::sample::{Both, Sample, classes};
use crate::figures::eeg::{letter, tint};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, REAL, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend};

/// Channels that stand for the regions of the head, where they are there: front, centre, back.
const REGIONS: [[&str; 3]; 3] = [["Fz", "Fp1", "F3"], ["Cz", "C3", "C4"], ["O1", "Oz", "O2"]];
/// Highest frequency that is drawn.
const HIGHEST_HZ: f64 = 50.0;
/// Decibels below the highest value that are drawn: a recording resolves no more.
const DEPTH_DB: f64 = 60.0;

pub(crate) const FIGURE: Figure = Figure {
    name: "eeg_psd",
    title: "Power spectral density and the bands",
    caption: |_| {
        "Welch's method with Hann windows of 2 s, the mean over up to 200 epochs of a class: a channel of the front, the centre and the back \
         of the head for each class. Shaded are δ (1–4 Hz), θ (4–8), α (8–13), β (13–30) and γ (30–45). The alpha peak at the back should \
         stand at the same frequency and height on both curves; a synthetic curve that falls away below the real one means epochs that are \
         too smooth."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let classes = classes(context);
    let channels = channels(context);
    let rows: Vec<&Both> = classes.iter().filter(|c| c.real.is_some() || c.synthetic.is_some()).collect();
    if rows.is_empty() || channels.is_empty() {
        return Drawing::Nothing("there are no segments");
    }
    let (mut canvas, area) = sheet(136 + rows.len() as i32 * 330, "Power spectral density and the bands");
    let entries = [("real", Sign::Line(Pen::new(3.0, REAL))), ("synthetic", Sign::Line(Pen::new(3.0, SYNTHETIC)))];
    legend(&mut canvas, (area.left as f32, area.top as f32 + 8.0), SIZE, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (row, class) in rows.iter().enumerate() {
        let spectra = class.sides().map(|(_, sample)| sample.as_ref().and_then(Sample::spectra));
        for (column, &channel) in channels.iter().enumerate() {
            let cell = area.cell((row, rows.len()), (column, channels.len()), 12);
            one(context, &mut canvas, cell, (&class.label, channel), &spectra, SIZE);
        }
    }
    Drawing::Picture(canvas)
}

/// Indices of one channel of each region, or of the first channels where none of them is there.
pub(super) fn channels(context: &Context<'_>) -> Vec<usize> {
    let names = &context.report.real.channel_names;
    let position = |wanted: &str| names.iter().position(|name| name == wanted);
    let found: Vec<usize> = REGIONS.iter().filter_map(|region| region.iter().find_map(|name| position(name))).collect();
    if found.is_empty() { (0..names.len().min(3)).collect() } else { found }
}

/// The spectra of one class and channel.
pub(super) fn one(
    context: &Context<'_>,
    canvas: &mut Canvas,
    cell: Area,
    (label, channel): (&str, usize),
    spectra: &[Option<Vec<Spectrum>>; 2],
    size: f32,
) {
    let of = |side: &Option<Vec<Spectrum>>| side.as_ref().and_then(|s| s.get(channel)).map(decibels);
    let curves: Vec<_> = spectra.iter().map(of).zip([REAL, SYNTHETIC]).filter_map(|(c, colour)| Some((c?, colour))).collect();
    let levels = || curves.iter().flat_map(|(points, _)| points.iter().map(|p| p.1)).filter(|db| db.is_finite());
    let top = levels().fold(f64::NEG_INFINITY, f64::max);
    let name = context.report.real.channel_names.get(channel).map_or("", String::as_str);
    let unit = if context.unit.is_empty() { "1".to_string() } else { format!("1 {}²", context.unit) };
    let y = format!("dB re {unit}/Hz");
    let axes = Axes { title: label, remark: name, x: "frequency (Hz)", y: &y, ..Axes::plain(size) };
    let range = Range::of(levels().map(|db| db.max(top - DEPTH_DB)), 0.08);
    let panel = Panel::draw(canvas, cell, (Range::linear(0.0, HIGHEST_HZ), range), &axes);
    for (number, band) in BANDS.iter().enumerate() {
        let (from, to) = (panel.at_x(band.from_hz) as i32, panel.at_x(band.to_hz) as i32);
        canvas.fill_faded(Area::new(from, panel.area.top, to, panel.area.bottom), tint(number), 0.07);
        let at = (i32::midpoint(from, to) as f32, panel.area.top as f32 + size * 0.7);
        canvas.text(letter(band), at, Align::Centre, Type::regular(size * 0.9, FAINT));
    }
    if curves.is_empty() {
        panel.say(canvas, "no segments long enough", size);
    }
    for (points, colour) in curves {
        panel.line(canvas, points.into_iter(), Pen::new(2.6, colour));
    }
}

/// Points up to the highest frequency drawn, without what lies below the bands.
fn decibels(spectrum: &Spectrum) -> Vec<(f64, f64)> {
    let points = spectrum.density.iter().enumerate().map(|(k, d)| (k as f64 * spectrum.step_hz, 10.0 * d.max(1e-20).log10()));
    points.filter(|(hz, _)| (0.5 * WHOLE.from_hz..=HIGHEST_HZ).contains(hz)).collect()
}

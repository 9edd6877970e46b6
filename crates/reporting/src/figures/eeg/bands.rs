//! Relative band powers of each channel, real beside synthetic.

use physiosynth_evaluation::clinical::spectrum::BANDS;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::eeg::letter;
use crate::figures::eeg::sample::{Both, Sample, classes};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, REAL, REFERENCE, SYNTHETIC};
use crate::panel::{Axes, Panel, Range, Sign, legend, ring};

/// How far a share may be from the real one, as drawn.
const WITHIN: f64 = 0.1;
/// Classes drawn at most.
const CLASSES: usize = 5;

pub(crate) const FIGURE: Figure = Figure {
    name: "band_powers",
    title: "Band powers, channel by channel",
    caption: |_| {
        "The share of the power from 1 to 45 Hz that lies in each band, the mean over up to 200 epochs of a class, channel by channel: real \
         (blue disc) and synthetic (orange ring). The grey bar is within 10% of the real share: a ring inside it is as good as asked for."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let classes = classes(context);
    let rows: Vec<&Both> = classes.iter().filter(|c| c.real.is_some() || c.synthetic.is_some()).take(CLASSES).collect();
    if rows.is_empty() {
        return Drawing::Nothing("there are no segments");
    }
    let (mut canvas, area) = sheet(136 + rows.len() as i32 * 380, "Relative band powers by channel");
    let entries = [
        ("real", Sign::Dot(10.0, REAL)),
        ("synthetic", Sign::Ring(12.0, SYNTHETIC)),
        ("within 10% of real", Sign::Band(Pen::new(1.0, REFERENCE))),
    ];
    legend(&mut canvas, (area.left as f32, area.top as f32 + 8.0), SIZE, &entries);
    let area = Area::new(area.left, area.top + 36, area.right, area.bottom);
    for (row, class) in rows.iter().enumerate() {
        let shares = class.sides().map(|(_, sample)| sample.as_ref().and_then(Sample::shares));
        let cells = area.cell((row, rows.len()), (0, 1), 12);
        for (band, _) in BANDS.iter().enumerate() {
            one(context, &mut canvas, cells.cell((0, 1), (band, BANDS.len()), 8), (&class.label, band), &shares);
        }
    }
    Drawing::Picture(canvas)
}

/// One band of one class: shares across, channels from top to bottom.
fn one(
    context: &Context<'_>,
    canvas: &mut Canvas,
    cell: Area,
    (label, band): (&str, usize),
    shares: &[Option<Vec<Vec<f64>>>; 2],
) {
    let names = &context.report.real.channel_names;
    let of = |side: &Option<Vec<Vec<f64>>>| -> Vec<f64> {
        side.as_ref().map_or_else(Vec::new, |s| s.iter().map(|c| c.get(band).copied().unwrap_or(f64::NAN)).collect())
    };
    let [real, synthetic] = [of(&shares[0]), of(&shares[1])];
    let top = real.iter().chain(&synthetic).copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    let title = if band == 0 { label } else { "" };
    let b = &BANDS[band];
    let x = format!("share in {} ({}–{} Hz)", letter(b), b.from_hz, b.to_hz);
    let axes = Axes { title, remark: if band == 0 { "" } else { " " }, x: &x, y_numbers: false, ..Axes::plain(SIZE * 0.85) };
    let room = if band == 0 { 44 } else { 0 };
    let plot = Area::new(cell.left + room, cell.top, cell.right, cell.bottom);
    let ranges = (Range::linear(0.0, (1.15 * top).max(1e-6)), Range::linear(-(names.len() as f64), 0.0));
    let panel = Panel::draw(canvas, plot, ranges, &axes);
    let high = (panel.at_y(-1.0) - panel.at_y(0.0)).clamp(4.0, 24.0);
    let kind = Type::regular((high * 0.9).clamp(10.0, SIZE * 0.8), FAINT);
    for (channel, name) in names.iter().enumerate() {
        let y = panel.at_y(-(channel as f64) - 0.5);
        if band == 0 {
            canvas.text(name, (panel.area.left as f32 - 6.0, y), Align::Right, kind);
        }
        if let Some(&share) = real.get(channel).filter(|x| x.is_finite()) {
            let bar = [(1.0 - WITHIN) * share, (1.0 + WITHIN) * share].map(|x| panel.at_x(x) as i32);
            canvas.fill(Area::new(bar[0], (y - high * 0.35) as i32, bar[1], (y + high * 0.35) as i32), REFERENCE);
            canvas.disc((panel.at_x(share), y), (high * 0.55).min(10.0), REAL);
        }
        if let Some(&share) = synthetic.get(channel).filter(|x| x.is_finite()) {
            ring(canvas, (panel.at_x(share), y), (high * 0.7).clamp(7.0, 12.0), SYNTHETIC);
        }
    }
}

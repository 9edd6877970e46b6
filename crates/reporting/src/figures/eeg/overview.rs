//! One sheet that answers alone what a run on an EEG produced.

use crate::canvas::{Area, Canvas};
use crate::context::Context;
use crate::figures::eeg::sample::{Both, Sample, classes};
use crate::figures::eeg::{epochs, spectrum};
use crate::figures::overview::{SHEET, SIZE, empty, heading, judgement};
use crate::figures::{Drawing, Figure, training};

/// Classes whose epochs are drawn.
const CLASSES: usize = 2;

pub(crate) const FIGURE: Figure = Figure {
    name: "overview",
    title: "The run on one sheet",
    caption: |_| {
        "What went in (blue) and what came out (orange): an epoch of each of the most frequent classes with all its channels, real beside \
         synthetic, the spectra of the first of them from front to back, the verdicts with their reasons, and the course of training."
            .into()
    },
    draw: |context| Drawing::Picture(draw(context)),
};

fn draw(context: &Context<'_>) -> Canvas {
    let mut canvas = Canvas::new(SHEET.0, SHEET.1);
    let all = canvas.area().inset(36);
    let top = heading(context, &mut canvas, all);
    let middle = all.left + all.width() * 2 / 3;
    let left = Area::new(all.left, top, middle - 24, all.bottom);
    let right = Area::new(middle, top, all.right, all.bottom);
    let classes = classes(context);
    let mut order: Vec<&Both> = classes.iter().collect();
    let count = |s: &Option<Sample>| s.as_ref().map_or(0, |s| s.count);
    order.sort_by_key(|c| std::cmp::Reverse((count(&c.synthetic).min(1), count(&c.real))));
    order.truncate(CLASSES);
    let spectra_height = 330;
    let stacks = Area::new(left.left, left.top, left.right, left.bottom - spectra_height);
    for (row, class) in order.iter().enumerate() {
        for (column, (kind, sample)) in class.sides().into_iter().enumerate() {
            let cell = stacks.cell((row, order.len()), (column, 2), 10);
            epochs::one(context, &mut canvas, cell, class, (kind, sample.as_ref()), SIZE * 0.8);
        }
    }
    let below = Area::new(left.left, left.bottom - spectra_height + 12, left.right, left.bottom);
    let channels = spectrum::channels(context);
    match order.first().filter(|_| !channels.is_empty()) {
        Some(class) => {
            let spectra = class.sides().map(|(_, sample)| sample.as_ref().and_then(Sample::spectra));
            for (column, &channel) in channels.iter().enumerate() {
                let cell = below.cell((0, 1), (column, channels.len()), 10);
                spectrum::one(context, &mut canvas, cell, (&class.label, channel), &spectra, SIZE * 0.8);
            }
        }
        None => empty(&mut canvas, below, "spectrum", "no segments"),
    }
    let below = judgement(context, &mut canvas, right);
    let rest = Area::new(right.left, below.min(right.bottom - 160), right.right, right.bottom);
    if context.report.history.is_empty() {
        empty(&mut canvas, rest, "loss", "no training history");
    } else {
        training::loss(&mut canvas, rest, context.report, SIZE * 0.92, "epoch");
    }
    canvas
}

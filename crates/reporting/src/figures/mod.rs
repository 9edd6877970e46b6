//! The figures: one file each, one line each in [`FIGURES`].

mod attention;
mod beats;
mod clusters;
mod confusion;
mod denoising;
mod distributions;
pub(crate) mod eeg;
mod map;
mod means;
mod membership;
mod neighbours;
mod overview;
mod psd;
mod scores;
mod strips;
mod training;
mod verdicts;

use crate::canvas::{Area, Canvas, Type};
use crate::context::Context;
use crate::palette::INK;

/// One picture: what it is called, what it answers, how it is drawn.
pub(crate) struct Figure {
    /// File name without extension.
    pub name: &'static str,
    /// Heading on the page.
    pub title: &'static str,
    /// How to read it, for the page.
    pub caption: fn(&Context<'_>) -> String,
    /// Draws it, or says why there is nothing to draw.
    pub draw: fn(&Context<'_>) -> Drawing,
}

/// What came of drawing.
pub(crate) enum Drawing {
    /// A picture.
    Picture(Canvas),
    /// Nothing to draw, and why, in words for the page.
    Nothing(&'static str),
}

/// Every figure, in the order of the page.
pub(crate) static FIGURES: &[Figure] = &[
    overview::FIGURE,
    verdicts::FIGURE,
    strips::FIGURE,
    beats::FIGURE,
    means::FIGURE,
    map::FIGURE,
    neighbours::FIGURE,
    scores::FIDELITY,
    scores::DIVERSITY,
    scores::UTILITY,
    confusion::FIGURE,
    attention::FIGURE,
    scores::PRIVACY,
    membership::FIGURE,
    scores::CLINICAL,
    distributions::FIGURE,
    psd::FIGURE,
    training::FIGURE,
    clusters::FIGURE,
    denoising::FIGURE,
];

/// Those of an EEG, before the others on the page.
static EEG: &[Figure] =
    &[eeg::overview::FIGURE, eeg::epochs::FIGURE, eeg::spectrum::FIGURE, eeg::bands::FIGURE, eeg::correlation::FIGURE];

/// Those of [`FIGURES`] that show beats of one lead, and stand for nothing in an EEG.
const OF_BEATS: [&str; 6] = ["overview", "strips", "beats", "means", "psd", "clusters"];

/// The figures of a report, by what its signals are, in the order of the page.
pub(crate) fn figures_for(context: &Context<'_>) -> impl Iterator<Item = &'static Figure> {
    let eeg = eeg::is_eeg(context);
    let own = if eeg { EEG } else { &[] };
    own.iter().chain(FIGURES.iter().filter(move |figure| !eeg || !OF_BEATS.contains(&figure.name)))
}

/// Every picture that a report of any kind may have.
pub(crate) fn every_name() -> impl Iterator<Item = &'static str> {
    EEG.iter().chain(FIGURES).map(|figure| figure.name)
}

/// Pixels across most figures.
pub(crate) const WIDTH: u32 = 1600;
/// Pixels around a figure.
pub(crate) const MARGIN: i32 = 24;
/// Pixels per em of labels in figures of [`WIDTH`]: 13 or more where the page shows them 1100 pixels wide.
pub(crate) const SIZE: f32 = 20.0;

/// A figure of [`WIDTH`] by `height` with its title; returns the area below the title.
pub(crate) fn sheet(height: i32, title: &str) -> (Canvas, Area) {
    let mut canvas = Canvas::new(WIDTH, height.max(1) as u32);
    let all = canvas.area().inset(MARGIN);
    let kind = Type::bold(SIZE * 1.4, INK);
    canvas.text(title, (all.left as f32, all.top as f32 + 12.0), crate::canvas::Align::Left, kind);
    (canvas, Area::new(all.left, all.top + 48, all.right, all.bottom))
}

#[cfg(test)]
pub(crate) mod tests;

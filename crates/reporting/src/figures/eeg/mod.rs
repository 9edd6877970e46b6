//! Figures of an EEG: of several channels at once, where those of beats show one.

pub(super) mod bands;
pub(super) mod correlation;
pub(super) mod epochs;
pub(super) mod overview;
mod sample;
pub(super) mod spectrum;

use physiosynth_evaluation::clinical::spectrum::Band;
use physiosynth_signal::{SegmentSet, SignalKind};

use crate::context::Context;
use crate::palette::{FAINT, GRADIENT, INK, REAL, VALIDATION};
use plotters::style::RGBColor;

/// Whether the report's segments are an EEG's.
pub(crate) fn is_eeg(context: &Context<'_>) -> bool {
    let eeg = |set: &SegmentSet| matches!(SignalKind::of_channels(&set.channel_names, &set.channel_units), SignalKind::Eeg(_));
    eeg(context.report.real) || eeg(context.report.synthetic)
}

/// The letter of a band.
fn letter(band: &Band) -> &'static str {
    match band.name {
        "delta" => "δ",
        "theta" => "θ",
        "alpha" => "α",
        "beta" => "β",
        "gamma" => "γ",
        other => other,
    }
}

/// The tint behind a band; neighbours differ.
fn tint(number: usize) -> RGBColor {
    [INK, REAL, VALIDATION, GRADIENT, FAINT][number % 5]
}

#[cfg(test)]
mod tests;

//! One colour for one thing, on every picture. Hues are Okabe and Ito's (2008), which the colour-blind can tell apart.

use plotters::style::RGBColor;

/// Anything real.
pub(crate) const REAL: RGBColor = RGBColor(0, 114, 178);
/// Anything synthetic.
pub(crate) const SYNTHETIC: RGBColor = RGBColor(213, 94, 0);
/// Real, of subjects that were not trained on: a lighter kind of real.
pub(crate) const HELD_OUT: RGBColor = RGBColor(58, 160, 220);
/// Loss on training segments.
pub(crate) const TRAINING: RGBColor = RGBColor(70, 70, 70);
/// Loss on validation segments.
pub(crate) const VALIDATION: RGBColor = RGBColor(0, 138, 100);
/// Gradient norms.
pub(crate) const GRADIENT: RGBColor = RGBColor(166, 84, 136);
/// The band between the two references of a measure.
pub(crate) const REFERENCE: RGBColor = RGBColor(206, 212, 218);
/// A simple generator that a measure is set beside.
pub(crate) const BASELINE: RGBColor = RGBColor(90, 90, 90);
/// A raw recording, before anything was done to it.
pub(crate) const RAW: RGBColor = RGBColor(110, 110, 110);
/// A verdict that is a yes.
pub(crate) const PASS: RGBColor = RGBColor(0, 125, 90);
/// A verdict that is a no.
pub(crate) const FAIL: RGBColor = RGBColor(184, 62, 0);
/// A verdict that could not be reached.
pub(crate) const OPEN: RGBColor = RGBColor(96, 104, 112);

/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(28, 32, 36);
/// Secondary text.
pub(crate) const FAINT: RGBColor = RGBColor(92, 99, 106);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(228, 231, 234);
/// Frames around plots.
pub(crate) const FRAME: RGBColor = RGBColor(150, 156, 162);
/// The paper.
pub(crate) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Thin lines of ECG paper, every millimetre.
pub(crate) const PAPER_THIN: RGBColor = RGBColor(251, 228, 224);
/// Bold lines of ECG paper, every five millimetres.
pub(crate) const PAPER_BOLD: RGBColor = RGBColor(240, 184, 176);
/// Calibration pulse and marks on ECG paper.
pub(crate) const PAPER_INK: RGBColor = RGBColor(60, 60, 60);

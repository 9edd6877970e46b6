//! The embedded font. Glyphs are placed here rather than by plotters, whose `ab_glyph` text drops each glyph's left bearing
//! and rounds each advance to a whole pixel, so that letters of small labels run into one another.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use crate::error::ReportError;

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Labels and running text.
    Regular,
    /// Titles and what should be seen first.
    Bold,
}

struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

static FONTS: OnceLock<Option<Fonts>> = OnceLock::new();

fn fonts() -> Option<&'static Fonts> {
    let read = || {
        Some(Fonts {
            regular: FontRef::try_from_slice(include_bytes!("../assets/Roboto-Regular.ttf")).ok()?,
            bold: FontRef::try_from_slice(include_bytes!("../assets/Roboto-Bold.ttf")).ok()?,
        })
    };
    FONTS.get_or_init(read).as_ref()
}

/// Fails where the embedded fonts cannot be read, so that drawing need not ask again for each label.
pub(crate) fn check() -> Result<(), ReportError> {
    fonts().map(|_| ()).ok_or(ReportError::Font("Roboto"))
}

fn face(weight: Weight) -> Option<&'static FontRef<'static>> {
    fonts().map(|fonts| if weight == Weight::Bold { &fonts.bold } else { &fonts.regular })
}

/// The font's scale at which one em is `size` pixels, as in CSS.
fn scale(font: &FontRef<'static>, size: f32) -> PxScale {
    let em = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(size * font.height_unscaled() / em)
}

/// Width of `text` in pixels at `size` pixels per em.
pub(crate) fn width(text: &str, size: f32, weight: Weight) -> f32 {
    layout(text, size, weight, |_, _| {})
}

/// Height of capital letters and digits in pixels at `size` pixels per em.
pub(crate) fn cap_height(size: f32) -> f32 {
    // Roboto: 1456 of 2048 units.
    size * 0.711
}

/// Calls `pixel(x, y, coverage)` for each pixel that `text` touches; the text starts at x = 0 on the baseline y = 0 (y down).
pub(crate) fn rasterise(text: &str, size: f32, weight: Weight, mut pixel: impl FnMut(i32, i32, f32)) {
    let Some(font) = face(weight) else { return };
    let scale = scale(font, size);
    layout(text, size, weight, |glyph, x| {
        let Some(outline) = font.outline_glyph(glyph.with_scale_and_position(scale, point(x, 0.0))) else { return };
        let bounds = outline.px_bounds();
        outline.draw(|dx, dy, coverage| {
            pixel(bounds.min.x as i32 + dx as i32, bounds.min.y as i32 + dy as i32, coverage.min(1.0));
        });
    });
}

/// Walks over the glyphs with their pen positions; returns where the pen ends.
fn layout(text: &str, size: f32, weight: Weight, mut glyph: impl FnMut(ab_glyph::GlyphId, f32)) -> f32 {
    let Some(font) = face(weight) else { return 0.0 };
    let scaled = font.as_scaled(scale(font, size));
    let mut pen = 0.0;
    let mut previous = None;
    for character in text.chars() {
        let id = font.glyph_id(if character.is_control() { ' ' } else { character });
        if let Some(previous) = previous {
            pen += scaled.kern(previous, id);
        }
        glyph(id, pen);
        pen += scaled.h_advance(id);
        previous = Some(id);
    }
    pen
}

/// `text`, shortened with an ellipsis until it is at most `room` pixels wide.
pub(crate) fn fit(text: &str, size: f32, weight: Weight, room: f32) -> String {
    if width(text, size, weight) <= room {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter = format!("{}…", kept.iter().collect::<String>().trim_end());
        if width(&shorter, size, weight) <= room {
            return shorter;
        }
    }
    String::new()
}

/// `text` broken at spaces into lines of at most `room` pixels; a word that is wider by itself is shortened.
pub(crate) fn wrap(text: &str, size: f32, weight: Weight, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = fit(word, size, weight, room);
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size, weight) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_grows_with_text_and_size() {
        check().unwrap();
        let one = width("beats", 20.0, Weight::Regular);
        assert!(one > 30.0 && one < 70.0, "{one}");
        assert!(width("beats, beats", 20.0, Weight::Regular) > 2.0 * one);
        assert!((width("beats", 40.0, Weight::Regular) - 2.0 * one).abs() < 0.5);
    }

    #[test]
    fn every_sign_used_in_labels_is_in_the_font() {
        let font = face(Weight::Regular).unwrap();
        for sign in "±−µ²·–—…×≥≤°√/ÄÖÜéαβ".chars() {
            assert_ne!(font.glyph_id(sign).0, 0, "'{sign}' has no glyph");
        }
    }

    #[test]
    fn wrapped_lines_fit_and_lose_nothing() {
        let text = "the quick brown fox jumps over the lazy dog";
        let lines = wrap(text, 20.0, Weight::Bold, 120.0);
        assert!(lines.iter().all(|line| width(line, 20.0, Weight::Bold) <= 120.0));
        assert_eq!(lines.join(" "), text);
        assert!(fit("Donaudampfschifffahrtsgesellschaft", 20.0, Weight::Regular, 100.0).ends_with('…'));
    }
}

//! ECG paper: 25 mm/s across and 10 mm/mV up, on a grid of millimetres with every fifth line bold, so that a big square is
//! 0.2 s by 0.5 mV and a small one 0.04 s by 0.1 mV. A millimetre is the same number of pixels both ways.

use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::downsample::extremes;
use crate::palette::{FAINT, INK, PAPER_BOLD, PAPER_INK, PAPER_THIN, RAW};
use crate::report::Strip;

/// Paper speed.
const MM_PER_S: f64 = 25.0;
/// Width left of the trace for the calibration pulse, in millimetres.
const LEAD_IN_MM: i32 = 10;
/// Height above the trace for the annotations, in millimetres.
const MARKS_MM: i32 = 5;

/// How a strip is laid on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sheet {
    /// Pixels per millimetre, across and up.
    pub pixels_per_mm: i32,
    /// Millimetres per millivolt (per unit, where the unit is no voltage).
    pub gain: f64,
    /// Millivolts at the bottom edge.
    pub bottom: f64,
    /// Height in millimetres, a multiple of 5.
    pub height_mm: i32,
    /// Width in millimetres, a multiple of 5.
    pub width_mm: i32,
}

impl Sheet {
    /// Paper for the first `seconds` of `strip`, at most `most_mm` high: 10 mm/mV, and less (or more) only where the trace
    /// would not fit (or not be seen).
    pub(crate) fn for_strip(strip: &Strip, seconds: f64, pixels_per_mm: i32, most_mm: i32) -> Self {
        let factor = millivolts_per_unit(&strip.unit).unwrap_or(1.0);
        let shown = shown(strip, seconds).iter().filter(|v| v.is_finite()).map(|&v| f64::from(v) * factor);
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low <= high { (low.min(0.0), high.max(0.0)) } else { (-0.5, 1.0) };
        let height = |gain: f64| {
            let bottom = (low * gain / 5.0 - 0.1).floor() as i32 * 5;
            let top = (high * gain / 5.0 + 0.1).ceil() as i32 * 5;
            (bottom, (top - bottom).max(15) + MARKS_MM)
        };
        let mut gain = 10.0;
        while height(gain).1 > most_mm && gain > 1e-9 {
            gain /= 2.0;
        }
        while (high - low) > 0.0 && (high - low) * gain < 2.5 && gain < 1e9 {
            gain *= 2.0;
        }
        let (bottom_mm, height_mm) = height(gain);
        let width_mm = LEAD_IN_MM + ((seconds * MM_PER_S / 5.0).ceil() as i32).max(1) * 5;
        Self { pixels_per_mm, gain, bottom: f64::from(bottom_mm) / gain, height_mm, width_mm }
    }

    /// Pixels across and up.
    pub(crate) fn size(&self) -> (i32, i32) {
        (self.width_mm * self.pixels_per_mm, self.height_mm * self.pixels_per_mm)
    }

    /// `25 mm/s, 10 mm/mV`.
    pub(crate) fn scale_in_words(&self, unit: &str) -> String {
        let name = if millivolts_per_unit(unit).is_some() { "mV" } else { unit };
        format!("25 mm/s, {} mm/{name}", self.gain)
    }

    fn x(&self, left: i32, seconds: f64) -> f32 {
        (f64::from(left) + (f64::from(LEAD_IN_MM) + seconds * MM_PER_S) * f64::from(self.pixels_per_mm)) as f32
    }

    fn y(&self, bottom: i32, millivolts: f64) -> f32 {
        (f64::from(bottom) - (millivolts - self.bottom) * self.gain * f64::from(self.pixels_per_mm)) as f32
    }

    /// Draws paper and strip with the top left corner at `corner`; `size` is the pixels per em of its texts. Returns the
    /// paper's area; seconds are written in the `1.4 × size` pixels below it.
    pub(crate) fn draw(
        &self,
        canvas: &mut Canvas,
        corner: (i32, i32),
        strip: &Strip,
        seconds: f64,
        colour: RGBColor,
        size: f32,
    ) -> Area {
        let (width, height) = self.size();
        let area = Area::new(corner.0, corner.1, corner.0 + width + 1, corner.1 + height + 1);
        self.grid(canvas, area);
        self.calibration(canvas, area, &strip.unit);
        let rate = strip.sampling_frequency_hz;
        if !(rate.is_finite() && rate > 0.0) {
            return area;
        }
        let factor = millivolts_per_unit(&strip.unit).unwrap_or(1.0);
        let samples = shown(strip, seconds);
        let points: Vec<(f32, f32)> = extremes(samples, width.max(1) as usize)
            .into_iter()
            .map(|(k, v)| (self.x(area.left, f64::from(k) / rate), self.y(area.bottom - 1, f64::from(v) * factor)))
            .collect();
        let trace = Area::new(area.left, area.top + MARKS_MM * self.pixels_per_mm / 2, area.right, area.bottom);
        canvas.stroke(&points, Pen::new((size / 10.0).max(1.6), colour), trace);
        self.marks(canvas, area, strip, samples.len(), size);
        for second in 0..=(samples.len() as f64 / rate + 1e-6) as i32 {
            let at = (self.x(area.left, f64::from(second)), area.bottom as f32 + size * 0.75);
            let text = if second == 0 { "0 s".to_string() } else { second.to_string() };
            canvas.text(&text, at, Align::Centre, Type::regular(size * 0.9, FAINT));
        }
        area
    }

    fn grid(&self, canvas: &mut Canvas, area: Area) {
        let mm = self.pixels_per_mm;
        for (bold, colour) in [(false, PAPER_THIN), (true, PAPER_BOLD)] {
            for k in (0..=self.width_mm).filter(|k| (k % 5 == 0) == bold) {
                let x = area.left + k * mm;
                canvas.fill(Area::new(x, area.top, x + 1, area.bottom), colour);
            }
            for k in (0..=self.height_mm).filter(|k| (k % 5 == 0) == bold) {
                let y = area.bottom - 1 - k * mm;
                canvas.fill(Area::new(area.left, y, area.right, y + 1), colour);
            }
        }
    }

    /// The calibration pulse: 0.2 s (5 mm) wide, 1 mV high (or what 10 mm are, where the gain is another).
    fn calibration(&self, canvas: &mut Canvas, area: Area, unit: &str) {
        let mm = self.pixels_per_mm as f32;
        let high = if (self.gain - 10.0).abs() < 1e-9 || self.gain < 10.0 { 1.0 } else { 10.0 / self.gain };
        let at = |x: f32, value: f64| (area.left as f32 + x * mm, self.y(area.bottom - 1, value));
        let points = [at(1.0, 0.0), at(2.0, 0.0), at(2.0, high), at(7.0, high), at(7.0, 0.0), at(8.0, 0.0)];
        let colour = if unit.is_empty() { RAW } else { PAPER_INK };
        canvas.stroke(&points, Pen::new(2.0, colour), area);
    }

    fn marks(&self, canvas: &mut Canvas, area: Area, strip: &Strip, samples: usize, size: f32) {
        let kind = Type::bold(size * 0.95, INK);
        let y = area.top as f32 + (MARKS_MM * self.pixels_per_mm) as f32 * 0.5;
        let mut free_from = (area.left + LEAD_IN_MM * self.pixels_per_mm / 2) as f32;
        for (sample, text) in strip.marks.iter().filter(|(sample, _)| *sample < samples) {
            let x = self.x(area.left, *sample as f64 / strip.sampling_frequency_hz);
            let half = kind.width(text) / 2.0;
            // A rhythm mark next to a beat would overwrite it; the first one stays.
            if x - half >= free_from && x + half <= area.right as f32 {
                canvas.text(text, (x, y), Align::Centre, kind);
                free_from = x + half + 3.0;
            }
        }
    }
}

/// The samples of the first `seconds`.
fn shown(strip: &Strip, seconds: f64) -> &[f32] {
    let wanted = (seconds * strip.sampling_frequency_hz).round();
    let wanted = if wanted.is_finite() && wanted > 0.0 { wanted as usize } else { 0 };
    strip.samples.get(..wanted.min(strip.samples.len())).unwrap_or_default()
}

/// Millivolts per unit; none where the unit is no voltage.
fn millivolts_per_unit(unit: &str) -> Option<f64> {
    match unit {
        "mV" | "mv" => Some(1.0),
        "uV" | "µV" | "μV" => Some(1e-3),
        "V" => Some(1e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::REAL;

    fn strip(samples: Vec<f32>) -> Strip {
        Strip {
            title: "record 1".into(),
            unit: "mV".into(),
            sampling_frequency_hz: 100.0,
            samples,
            marks: vec![(50, "N".into())],
        }
    }

    #[test]
    fn a_millimetre_is_as_many_pixels_both_ways() {
        let strip = strip((0..1000).map(|k| if k % 100 == 50 { 1.2 } else { -0.1 }).collect());
        let sheet = Sheet::for_strip(&strip, 10.0, 6, 60);
        assert_eq!((sheet.gain, sheet.width_mm), (10.0, 260));
        let across = sheet.x(0, 0.2) - sheet.x(0, 0.0);
        let up = sheet.y(0, 0.0) - sheet.y(0, 0.5);
        assert_eq!((across, up), (30.0, 30.0));
        // And on the picture: bold lines every 30 pixels both ways, thin ones every 6.
        let mut canvas = Canvas::new(1600, 400);
        let area = sheet.draw(&mut canvas, (0, 0), &Strip { samples: vec![], marks: vec![], ..strip }, 10.0, REAL, 20.0);
        let columns: Vec<i32> = (0..area.right).filter(|&x| canvas.pixel(x, area.top + 3) == PAPER_BOLD).collect();
        let rows: Vec<i32> = (0..area.bottom).filter(|&y| canvas.pixel(area.right - 4, y) == PAPER_BOLD).collect();
        assert!(columns.len() > 40 && columns.windows(2).all(|p| p[1] - p[0] == 30), "{columns:?}");
        assert!(rows.len() > 3 && rows.windows(2).all(|p| p[1] - p[0] == 30), "{rows:?}");
        let thin = (0..area.right).filter(|&x| canvas.pixel(x, area.top + 3) == PAPER_THIN).count();
        assert_eq!(thin, 260 - 52);
    }

    #[test]
    fn tall_traces_lower_the_gain_and_say_so() {
        let sheet = Sheet::for_strip(&strip(vec![-4.0, 5.0, 0.0]), 10.0, 6, 60);
        assert_eq!(sheet.gain, 5.0);
        assert!(sheet.height_mm <= 60);
        assert_eq!(sheet.scale_in_words("mV"), "25 mm/s, 5 mm/mV");
    }

    #[test]
    fn microvolts_are_drawn_as_millivolts() {
        let mut micro = strip(vec![0.0, 1000.0]);
        micro.unit = "uV".into();
        assert_eq!(Sheet::for_strip(&micro, 10.0, 6, 60), Sheet::for_strip(&strip(vec![0.0, 1.0]), 10.0, 6, 60));
        assert!(Sheet::for_strip(&strip(vec![f32::NAN; 9]), 10.0, 6, 60).height_mm >= 15);
    }
}

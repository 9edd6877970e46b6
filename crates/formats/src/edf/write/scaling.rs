//! From physical values to digital ones, under minima and maxima that eight characters hold exactly.

use physiosynth_signal::{Channel, Digitisation};

use crate::edf::header::{Coding, Header, Line, SignalHeader};
use crate::recording::{Rounding, Survey};

/// Width of a number in a header.
pub(super) const WIDTH: usize = 8;
/// How many digital values at either end are tried for one whose physical value eight characters hold.
const TRIED: i32 = 4_096;

/// Which physical values two digital ones stand for. Those between and beyond lie on the line through them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Physical value of `digital_minimum`.
    pub physical_minimum: f64,
    /// Physical value of `digital_maximum`.
    pub physical_maximum: f64,
    /// Smallest digital value.
    pub digital_minimum: i32,
    /// Largest digital value.
    pub digital_maximum: i32,
}

impl Scaling {
    /// That of a signal that was read; `None` where it has none.
    pub fn of(header: &Header, signal: &SignalHeader) -> Option<Self> {
        header.line(signal)?;
        let (low, high) = header.coding.range();
        if header.is_status(signal) {
            return Some(Self::bits((low, high)));
        }
        Some(Self {
            physical_minimum: signal.physical_minimum,
            physical_maximum: signal.physical_maximum,
            digital_minimum: i32::try_from(signal.digital_minimum).ok()?,
            digital_maximum: i32::try_from(signal.digital_maximum).ok()?,
        })
    }

    /// Physical values that are the digital ones of a range.
    pub(super) fn bits((low, high): (i32, i32)) -> Self {
        let (physical_minimum, physical_maximum) = (f64::from(low), f64::from(high));
        Self { physical_minimum, physical_maximum, digital_minimum: low, digital_maximum: high }
    }

    /// Physical units per digital unit, and the physical value of digital 0.
    fn line(&self) -> (f64, f64) {
        let digital = f64::from(self.digital_maximum) - f64::from(self.digital_minimum);
        let scale = (self.physical_maximum - self.physical_minimum) / digital;
        (scale, self.physical_minimum - scale * f64::from(self.digital_minimum))
    }

    /// Whether it is one that a header can state.
    fn usable(&self, coding: Coding) -> bool {
        let (low, high) = coding.range();
        let within = low <= self.digital_minimum && self.digital_minimum < self.digital_maximum && self.digital_maximum <= high;
        let (scale, offset) = self.line();
        within
            && scale != 0.0
            && scale.is_finite()
            && offset.is_finite()
            && exactly(self.physical_minimum).is_some()
            && exactly(self.physical_maximum).is_some()
    }

    /// The digital value of a physical one, which need not be in any range.
    fn digital(&self, physical: f64) -> f64 {
        let (scale, offset) = self.line();
        ((physical - offset) / scale).round()
    }

    /// Whether a coding holds the digital values of samples that are like this.
    fn holds(&self, survey: &Survey, (low, high): (i32, i32)) -> bool {
        let held = |sample: f32| (f64::from(low)..=f64::from(high)).contains(&self.digital(f64::from(sample)));
        survey.low > survey.high || (held(survey.low) && held(survey.high))
    }
}

/// A channel on its way to digital values.
#[derive(Debug)]
pub(super) struct Digitiser {
    pub(super) scaling: Scaling,
    /// Samples that are read back otherwise.
    pub(super) rounding: Rounding,
    /// Values that are not yet written.
    pub(super) pending: Vec<i32>,
    /// The last value of all.
    pub(super) last: i32,
    /// What readers compute.
    back: Line,
    range: (f64, f64),
    /// The value for missing samples: what is nearest to a physical 0.
    missing: i32,
}

impl Digitiser {
    /// For a channel whose samples are finite or missing: under `given`, else under its digitisation, where these fit; else with
    /// the smallest step that its range allows. `None` where no header could state the range.
    pub(super) fn new(channel: &Channel, survey: &Survey, given: Option<Scaling>, coding: Coding) -> Option<Self> {
        let stated = given.filter(|scaling| scaling.usable(coding)).or_else(|| {
            let digitisation = channel.digitisation.as_ref()?;
            from_digitisation(digitisation, survey, coding)
        });
        // As readers do not clip, values beyond the stated range keep their meaning.
        let held = stated.filter(|scaling| scaling.holds(survey, coding.range()));
        let (scaling, (low, high)) = if let Some(scaling) = held {
            (scaling, coding.range())
        } else {
            let scaling = Some(finest(survey, coding)).filter(|scaling| scaling.usable(coding))?;
            // Rounding a value at the very edge must not lead beyond it.
            (scaling, (scaling.digital_minimum, scaling.digital_maximum))
        };
        let digital = (f64::from(scaling.digital_minimum), f64::from(scaling.digital_maximum));
        let back = Line::through(digital, (scaling.physical_minimum, scaling.physical_maximum))?;
        let range = (f64::from(low), f64::from(high));
        let missing = scaling.digital(0.0).clamp(range.0, range.1) as i32;
        Some(Self { scaling, rounding: Rounding::default(), pending: Vec::new(), last: 0, back, range, missing })
    }

    /// Takes samples, which are among those that were looked at.
    pub(super) fn take(&mut self, samples: &[f32]) {
        self.pending.reserve(samples.len());
        for &sample in samples {
            if sample.is_nan() {
                self.pending.push(self.missing);
                continue;
            }
            let digital = self.scaling.digital(f64::from(sample)).clamp(self.range.0, self.range.1);
            self.rounding.note(sample, self.back.sample(digital));
            self.pending.push(digital as i32);
        }
        self.last = self.pending.last().copied().unwrap_or(self.last);
    }
}

/// The scaling of a gain and a baseline, if there are digital values whose physical ones eight characters hold.
fn from_digitisation(digitisation: &Digitisation, survey: &Survey, coding: Coding) -> Option<Scaling> {
    let (gain, baseline) = (digitisation.gain, digitisation.baseline);
    if !(gain.is_finite() && gain != 0.0) {
        return None;
    }
    let (low, high) = coding.range();
    let value = |sample: f32| (f64::from(sample) * gain + baseline).round();
    let held = |sample: f32| (f64::from(low)..=f64::from(high)).contains(&value(sample));
    if survey.low <= survey.high && !(held(survey.low) && held(survey.high)) {
        return None;
    }
    let physical = |digital: i32| {
        let value = (f64::from(digital) - baseline) / gain;
        let mut short = (0..WIDTH).filter_map(|decimals| format!("{value:.decimals$}").parse::<f64>().ok());
        short.find(|short| (short - value).abs() <= 1e-11 * value.abs() && exactly(*short).is_some())
    };
    let (digital_minimum, physical_minimum) =
        (low..(low + TRIED)).find_map(|digital| physical(digital).map(|value| (digital, value)))?;
    let (digital_maximum, physical_maximum) =
        ((high - TRIED)..=high).rev().find_map(|digital| physical(digital).map(|value| (digital, value)))?;
    let scaling = Scaling { physical_minimum, physical_maximum, digital_minimum, digital_maximum };
    scaling.usable(coding).then_some(scaling)
}

/// The scaling by which the range of the samples fills the coding's, as closely as eight characters can say.
fn finest(survey: &Survey, coding: Coding) -> Scaling {
    let (low, high) = (f64::from(survey.low), f64::from(survey.high));
    let (digital_minimum, digital_maximum) = coding.range();
    if low < high {
        let (physical_minimum, physical_maximum) = (-outward(-low, -1.0), outward(high, 1.0));
        return Scaling { physical_minimum, physical_maximum, digital_minimum, digital_maximum };
    }
    // One value alone, or none: at the end of a range around 0.
    let end = if low == high && low != 0.0 { outward(low.abs(), -1.0) } else { 1.0 };
    Scaling { physical_minimum: -end, physical_maximum: end, digital_minimum: -digital_maximum, digital_maximum }
}

/// The smallest number that is not below `value` and that eight characters hold once it is multiplied by `sign`.
fn outward(value: f64, sign: f64) -> f64 {
    let mut best = f64::INFINITY;
    let mut consider = |text: String| {
        let number = text.parse::<f64>().unwrap_or(f64::NAN);
        if number >= value && number < best && exactly(sign * number).is_some() {
            best = number;
        }
    };
    let magnitude = value.abs().log10().floor();
    for digits in 0..WIDTH as i32 {
        for step in [0.0, 1.0] {
            let places = digits as usize;
            consider(format!("{:.places$}", value + step * 10_f64.powi(-digits)));
            consider(format!("{:.places$e}", value + step * 10_f64.powf(magnitude - f64::from(digits))));
        }
    }
    best
}

/// The number in at most eight characters that mean exactly this.
pub(super) fn exactly(value: f64) -> Option<String> {
    let value = if value == 0.0 { 0.0 } else { value };
    [format!("{value}"), format!("{value:e}")].into_iter().find(|text| text.len() <= WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The channel's digital values and their scaling.
    fn digitise(channel: &Channel, coding: Coding) -> Digitiser {
        let mut digitiser = Digitiser::new(channel, &Survey::of(&channel.samples), None, coding).unwrap();
        digitiser.take(&channel.samples);
        digitiser
    }

    #[test]
    fn ranges_are_tight_and_printable() {
        for (value, expected) in [
            (123.456_789, "123.4568"),
            (-123.456_789, "-123.456"),
            (0.000_012_34, "1.234e-5"),
            (-0.000_012_345, "-1.23e-5"),
            (3.4e38, "3.4e38"),
            (1_234_567.89, "1234568"),
            (-1_234_567.89, "-1234567"),
            (999_999_999.0, "1e9"),
            (0.0, "0"),
        ] {
            let found = outward(value, 1.0);
            assert!(found >= value, "{value}: {found}");
            assert_eq!(exactly(found).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn the_finest_step_fills_the_range() {
        let samples = [-0.5_f32, 1.5, f32::NAN, 0.0];
        let digital = digitise(&Channel::new("C3", "mV", 1.0, samples.to_vec()), Coding::Edf);
        assert_eq!(digital.pending[..2], [-32_768, 32_767]);
        assert_eq!((digital.scaling.physical_minimum, digital.scaling.physical_maximum), (-0.5, 1.5));
        for constant in [0.0_f32, 7.25, -1e-20, 3e38] {
            let digital = digitise(&Channel::new("C3", "mV", 1.0, vec![constant; 3]), Coding::Bdf);
            let (scale, offset) = digital.scaling.line();
            let back = f64::from(digital.pending[0]) * scale + offset;
            assert!((back - f64::from(constant)).abs() <= 1e-3 * f64::from(constant).abs(), "{constant}: {back}");
        }
        assert_eq!(digitise(&Channel::new("C3", "", 1.0, vec![f32::NAN]), Coding::Edf).pending, [0]);
    }

    #[test]
    fn a_digitisation_is_kept() {
        let mut channel = Channel::new("MLII", "mV", 360.0, vec![-0.145, 0.005, 1.0]);
        channel.digitisation = Some(Digitisation { gain: 200.0, baseline: 1024.0, adc_resolution: 11, adc_zero: 1024 });
        let digital = digitise(&channel, Coding::Edf);
        assert_eq!(digital.pending, [995, 1025, 1224]);
        // 187.3 units per millivolt: some digital values have short physical ones, or the finest step is taken.
        channel.digitisation = Some(Digitisation { gain: 187.3, baseline: 0.0, adc_resolution: 11, adc_zero: 0 });
        let digital = digitise(&channel, Coding::Edf);
        assert!(digital.scaling.usable(Coding::Edf), "{digital:?}");
        // One that the coding has no room for.
        channel.digitisation = Some(Digitisation { gain: 1e6, baseline: 0.0, adc_resolution: 0, adc_zero: 0 });
        assert_eq!(digitise(&channel, Coding::Edf).pending[2], 32_767);
    }
}

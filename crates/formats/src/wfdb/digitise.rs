use std::path::Path;

use physiosynth_signal::{Channel, Digitisation};

use super::header::DEFAULT_GAIN;
use super::signal::Coding;
use crate::FormatError;
use crate::recording::{Rounding, Survey};

/// Largest digital value that is chosen for a sample: digital values and baselines then differ by 32-bit numbers, in which
/// other tools compute, and `f32` has fewer bits anyway.
const LARGEST: i32 = 1 << 30;
/// Steps that a digital value is divided into at most, so that a baseline is whole.
const FINEST: u32 = 16;

/// A channel on its way to digital values.
#[derive(Debug)]
pub(super) struct Digitiser {
    /// How they come from physical ones.
    pub digitisation: Digitisation,
    /// The sum of the values, as it accumulates.
    pub sum: i32,
    /// The first value.
    pub initial: Option<i32>,
    /// Samples that are read back otherwise.
    pub rounding: Rounding,
    /// Values that are not yet written.
    pub pending: Vec<i32>,
    missing: i32,
}

impl Digitiser {
    /// By the channel's own digitisation where that fits what the samples are like, otherwise by one that fills the format's
    /// range.
    pub(super) fn new(path: &Path, channel: &Channel, survey: &Survey, coding: &Coding) -> Result<Self, FormatError> {
        if let Some(index) = survey.infinite {
            return Err(FormatError::Unwritable {
                path: path.to_path_buf(),
                cause: format!("sample {index} of channel '{}' is infinite", channel.label),
                remedy: "replace it by NaN, which stands for a missing sample",
            });
        }
        let stated = channel.digitisation.as_ref().and_then(whole_baseline).filter(|d| fits(d, survey, coding));
        let chosen = || Some(choose(survey, coding)).filter(|d| fits(d, survey, coding));
        let Some(digitisation) = stated.or_else(chosen) else {
            return Err(FormatError::Unwritable {
                path: path.to_path_buf(),
                cause: format!("the range of channel '{}' fits no gain and baseline of format {}", channel.label, coding.number),
                remedy: "rescale the channel",
            });
        };
        Ok(Self::by(digitisation, coding))
    }

    /// By this digitisation, whatever the samples are like: see [`Self::misfit`].
    pub(super) fn by(digitisation: Digitisation, coding: &Coding) -> Self {
        let missing = coding.missing.unwrap_or(0);
        Self { digitisation, sum: 0, initial: None, rounding: Rounding::default(), pending: Vec::new(), missing }
    }

    /// The first of the samples that the format does not hold.
    pub(super) fn misfit(&self, samples: &[f32], coding: &Coding) -> Option<usize> {
        let range = f64::from(coding.minimum)..=f64::from(coding.maximum);
        let Digitisation { gain, baseline, .. } = &self.digitisation;
        let held = |sample: f32| {
            if sample.is_nan() {
                coding.missing.is_some()
            } else {
                range.contains(&(f64::from(sample) * gain + baseline).round())
            }
        };
        samples.iter().position(|&sample| !held(sample))
    }

    /// Takes samples, which are among those that were looked at.
    pub(super) fn take(&mut self, samples: &[f32]) {
        let Self { digitisation: Digitisation { gain, baseline, .. }, sum, rounding, pending, missing, .. } = self;
        pending.reserve(samples.len());
        for &sample in samples {
            let value = if sample.is_nan() {
                *missing
            } else {
                let value = (f64::from(sample) * *gain + *baseline).round();
                rounding.note(sample, ((value - *baseline) / *gain) as f32);
                value as i32
            };
            *sum = sum.wrapping_add(value);
            pending.push(value);
        }
        self.initial = self.initial.or(self.pending.first().copied());
    }
}

/// The digitisation with a whole baseline, which is what headers state: a baseline between two digital values is whole in finer
/// steps. `None` where it is not usable.
pub(super) fn whole_baseline(stated: &Digitisation) -> Option<Digitisation> {
    if !(stated.gain.is_finite() && stated.gain != 0.0 && stated.baseline.is_finite()) {
        return None;
    }
    let finer = (1..=FINEST).map(|steps| (f64::from(steps), stated.baseline * f64::from(steps)));
    let mut whole = finer.filter(|(_, baseline)| (baseline - baseline.round()).abs() < 1e-9 * baseline.abs().max(1.0));
    let (steps, baseline) = whole.next().filter(|(_, baseline)| baseline.abs() <= f64::from(i32::MAX))?;
    Some(Digitisation { gain: stated.gain * steps, baseline: baseline.round(), ..stated.clone() })
}

/// Whether a format holds the digital values of a channel that is like this.
fn fits(digitisation: &Digitisation, survey: &Survey, coding: &Coding) -> bool {
    let range = f64::from(coding.minimum)..=f64::from(coding.maximum);
    let value = |sample: f32| (f64::from(sample) * digitisation.gain + digitisation.baseline).round();
    let held = survey.low > survey.high || (range.contains(&value(survey.low)) && range.contains(&value(survey.high)));
    held && (survey.missing.is_empty() || coding.missing.is_some())
}

/// Whether a format holds a channel as its own digitisation has it. `None` where it has none.
pub(super) fn holds(channel: &Channel, survey: &Survey, coding: &Coding) -> Option<bool> {
    let stated = channel.digitisation.as_ref()?;
    Some(whole_baseline(stated).is_some_and(|stated| fits(&stated, survey, coding)))
}

/// Gain and baseline by which a channel's range fills the format's.
fn choose(survey: &Survey, coding: &Coding) -> Digitisation {
    let (low, high) = (f64::from(survey.low), f64::from(survey.high));
    let (gain, baseline) = if low > high || (low == 0.0 && high == 0.0) {
        (DEFAULT_GAIN, 0.0)
    } else if low == high {
        // One value alone: as 1 or −1.
        (1.0 / low.abs(), 0.0)
    } else {
        // Two values of the range are left for rounding the baseline.
        let (minimum, maximum) = (f64::from(coding.minimum.max(-LARGEST)) + 1.0, f64::from(coding.maximum.min(LARGEST)) - 1.0);
        let centre = f64::midpoint(low, high);
        // The baseline is a 32-bit number; a gain held back for it is still finer than a sample's 24 bits.
        let limit = (f64::from(i32::MAX) - maximum) / centre.abs();
        let gain = shortened(((maximum - minimum) / (high - low)).min(limit));
        (gain, (f64::midpoint(minimum, maximum) - gain * centre).round())
    };
    Digitisation { gain, baseline, adc_resolution: coding.resolution, adc_zero: 0 }
}

/// The value cut to six significant decimal digits, for the reader of the header.
fn shortened(value: f64) -> f64 {
    let scale = 10_f64.powf(5.0 - value.log10().floor());
    let short = (value * scale).floor() / scale;
    if short.is_finite() && short > 0.0 { short } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wfdb::SignalFormat;

    #[test]
    fn chosen_gains_fill_the_range_and_fit_it() {
        for samples in [&[-0.5_f32, 1.5][..], &[1000.0, 1000.001], &[-1e-30, 1e-30], &[3e38, -3e38], &[7.25], &[0.0], &[f32::NAN]]
        {
            for format in [SignalFormat::Format16, SignalFormat::Format212, SignalFormat::Format24, SignalFormat::Format32] {
                let coding = format.coding();
                let (channel, survey) = (Channel::new("c", "mV", 1.0, Vec::new()), Survey::of(samples));
                let mut digitiser = Digitiser::new(Path::new("x"), &channel, &survey, coding).unwrap();
                digitiser.take(samples);
                let chosen = &digitiser.digitisation;
                for (&sample, &value) in samples.iter().zip(&digitiser.pending).filter(|(sample, _)| !sample.is_nan()) {
                    let back = (f64::from(value) - chosen.baseline) / chosen.gain;
                    let step = (1.0 / chosen.gain).max(f64::from(sample).abs() * 1e-9);
                    assert!((back - f64::from(sample)).abs() <= step, "{sample} → {value} → {back} under {chosen:?}");
                }
            }
        }
        let chosen = choose(&Survey::of(&[-1.0, 1.0]), SignalFormat::Format16.coding());
        assert_eq!((chosen.gain, chosen.baseline), (32_766.0, 0.0));
    }

    #[test]
    fn a_baseline_between_two_values_is_whole_in_finer_steps() {
        let stated = Digitisation { gain: 10.0, baseline: -0.5, adc_resolution: 16, adc_zero: 0 };
        assert_eq!(whole_baseline(&stated).map(|d| (d.gain, d.baseline)), Some((20.0, -1.0)));
        assert!(whole_baseline(&Digitisation { baseline: std::f64::consts::PI, ..stated.clone() }).is_none());
        assert!(whole_baseline(&Digitisation { gain: 0.0, ..stated }).is_none());
    }
}

use std::path::Path;

use physiosynth_signal::{Channel, Digitisation};

use super::header::DEFAULT_GAIN;
use super::signal::Coding;
use crate::FormatError;

/// Largest digital value that is chosen for a sample: digital values and baselines then differ by 32-bit numbers, in which
/// other tools compute, and `f32` has fewer bits anyway.
const LARGEST: i32 = 1 << 30;

/// A channel as digital values.
pub(super) struct Digital {
    /// How they come from physical ones.
    pub digitisation: Digitisation,
    /// The values.
    pub samples: Vec<i32>,
}

/// Makes digital values of a channel: by its own digitisation where that fits, otherwise by one that fills the format's range.
pub(super) fn digitise(path: &Path, channel: &Channel, coding: &Coding) -> Result<Digital, FormatError> {
    if let Some(index) = channel.samples.iter().position(|sample| sample.is_infinite()) {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!("sample {index} of channel '{}' is infinite", channel.label),
            remedy: "replace it by NaN, which stands for a missing sample",
        });
    }
    let stated = channel.digitisation.clone().filter(|d| d.gain.is_finite() && d.gain != 0.0);
    if let Some(digital) = stated.and_then(|digitisation| apply(&channel.samples, digitisation, coding)) {
        return Ok(digital);
    }
    let chosen = choose(&channel.samples, coding);
    apply(&channel.samples, chosen, coding).ok_or_else(|| FormatError::Unwritable {
        path: path.to_path_buf(),
        cause: format!("the range of channel '{}' fits no gain and baseline of format {}", channel.label, coding.number),
        remedy: "rescale the channel",
    })
}

/// The digital values under a digitisation; `None` where one of them is out of the format's range.
pub(super) fn apply(samples: &[f32], digitisation: Digitisation, coding: &Coding) -> Option<Digital> {
    let (gain, baseline) = (digitisation.gain, f64::from(digitisation.baseline));
    let range = f64::from(coding.minimum)..=f64::from(coding.maximum);
    let digital = samples.iter().map(|&sample| {
        if sample.is_nan() {
            return coding.missing;
        }
        let value = (f64::from(sample) * gain + baseline).round();
        range.contains(&value).then_some(value as i32)
    });
    Some(Digital { samples: digital.collect::<Option<_>>()?, digitisation })
}

/// Gain and baseline by which a channel's range fills the format's.
fn choose(samples: &[f32], coding: &Coding) -> Digitisation {
    let present = samples.iter().filter(|sample| !sample.is_nan()).map(|&sample| f64::from(sample));
    let (low, high) = present.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p), high.max(p)));
    let (gain, baseline) = if low > high || (low == 0.0 && high == 0.0) {
        (DEFAULT_GAIN, 0)
    } else if low == high {
        // One value alone: as 1 or −1.
        (1.0 / low.abs(), 0)
    } else {
        // Two values of the range are left for rounding the baseline.
        let (minimum, maximum) = (f64::from(coding.minimum.max(-LARGEST)) + 1.0, f64::from(coding.maximum.min(LARGEST)) - 1.0);
        let centre = f64::midpoint(low, high);
        // The baseline is a 32-bit number; a gain held back for it is still finer than a sample's 24 bits.
        let limit = (f64::from(i32::MAX) - maximum) / centre.abs();
        let gain = shortened(((maximum - minimum) / (high - low)).min(limit));
        (gain, (f64::midpoint(minimum, maximum) - gain * centre).round() as i32)
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
                let chosen = choose(samples, coding);
                let digital = apply(samples, chosen.clone(), coding).unwrap_or_else(|| panic!("{samples:?} {chosen:?}"));
                for (&sample, &value) in samples.iter().zip(&digital.samples).filter(|(sample, _)| !sample.is_nan()) {
                    let back = (f64::from(value) - f64::from(chosen.baseline)) / chosen.gain;
                    let step = (1.0 / chosen.gain).max(f64::from(sample).abs() * 1e-9);
                    assert!((back - f64::from(sample)).abs() <= step, "{sample} → {value} → {back} under {chosen:?}");
                }
            }
        }
        let chosen = choose(&[-1.0, 1.0], SignalFormat::Format16.coding());
        assert_eq!((chosen.gain, chosen.baseline), (32_766.0, 0));
    }
}

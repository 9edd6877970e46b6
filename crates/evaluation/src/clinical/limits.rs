//! What a living heart or brain does not do: limits outside of which a segment is not plausible.
//!
//! They are wide on purpose: a value inside them may well be ill, a value outside them is hardly a patient's. They were set before any
//! synthetic segment was looked at, from what resting recordings of adults show at their extremes.

use super::beat::BeatQuantities;

/// Rate of the heart, per minute, of a single interval between beats.
pub const RATE_PER_MIN: [f64; 2] = [20.0, 300.0];
/// Duration of the QRS complex in milliseconds.
pub const QRS_MS: [f64; 2] = [30.0, 250.0];
/// QT interval in milliseconds.
pub const QT_MS: [f64; 2] = [180.0, 700.0];
/// From the lowest to the highest sample of a beat, in millivolts.
pub const ECG_RANGE_MV: [f64; 2] = [0.1, 10.0];
/// From the lowest to the highest sample of a channel of the EEG, in microvolts.
pub const EEG_RANGE_UV: [f64; 2] = [1.0, 1000.0];

fn outside(limits: [f64; 2], value: f64) -> bool {
    !(limits[0]..=limits[1]).contains(&value)
}

/// From the lowest to the highest sample; NaN where one is not finite.
fn range(samples: impl Iterator<Item = f64> + Clone) -> f64 {
    if samples.clone().any(|x| !x.is_finite()) {
        return f64::NAN;
    }
    let (low, high) = samples.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    high - low
}

/// Whether a beat is outside: its complex does not stand out at the mark, or its rate (where known), QRS duration, QT (where there is a T
/// wave) or range (where `in_millivolts`) is beyond its limits.
pub fn beat_outside(samples: &[f32], beat: &BeatQuantities, rr_s: Option<f64>, in_millivolts: bool) -> bool {
    let rate = rr_s.filter(|rr| rr.is_finite() && *rr > 0.0).map(|rr| 60.0 / rr);
    beat.qrs_ms.is_none_or(|qrs| outside(QRS_MS, qrs))
        || rate.is_some_and(|rate| outside(RATE_PER_MIN, rate))
        || beat.qt_ms.is_some_and(|qt| outside(QT_MS, qt))
        || in_millivolts && outside(ECG_RANGE_MV, range(samples.iter().map(|&x| f64::from(x))))
}

/// Whether a segment of EEG `[channel][time]` in microvolts is outside: a channel is flat, or its range is beyond the limits.
pub fn eeg_outside(channels_uv: &[Vec<f64>]) -> bool {
    channels_uv.is_empty() || channels_uv.iter().any(|channel| outside(EEG_RANGE_UV, range(channel.iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_seen() {
        let beat = BeatQuantities { qrs_ms: Some(90.0), qt_ms: Some(380.0), ..BeatQuantities::default() };
        let samples = [0.0_f32, 1.0, -0.2];
        assert!(!beat_outside(&samples, &beat, Some(0.8), true) && !beat_outside(&samples, &beat, None, true));
        assert!(beat_outside(&samples, &beat, Some(0.19), true) && beat_outside(&samples, &beat, Some(3.1), true));
        assert!(beat_outside(&samples, &BeatQuantities::default(), Some(0.8), true));
        assert!(beat_outside(&samples, &BeatQuantities { qrs_ms: Some(260.0), ..beat }, None, true));
        assert!(beat_outside(&samples, &BeatQuantities { qt_ms: Some(100.0), ..beat }, None, true));
        assert!(beat_outside(&[0.0, 0.05], &beat, None, true) && beat_outside(&[0.0, f32::NAN], &beat, None, true));
        assert!(beat_outside(&[], &beat, None, true));
        assert!(!eeg_outside(&[vec![0.0, 50.0]]) && eeg_outside(&[vec![0.0, 50.0], vec![3.0, 3.0]]) && eeg_outside(&[]));
        assert!(eeg_outside(&[vec![0.0, 5000.0]]));
    }
}

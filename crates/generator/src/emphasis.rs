//! Pre-emphasis: what is fast made as strong as what is slow.
//!
//! Each sample less a share of the one before it, channel by channel, as has long been done to speech. An EEG has a thousand times as much power
//! at 2 Hz as at 40 Hz, and a squared error looks at the one alone; after this step it is tens of times as much. The step has an inverse.

/// Takes `share` of the sample before off each one of a segment `[time × channel]`, in place. The first, which has none before it, stays.
pub(crate) fn emphasise(segment: &mut [f32], channels: usize, share: f64) {
    for n in (channels..segment.len()).rev() {
        segment[n] -= share as f32 * segment[n - channels];
    }
}

/// Undoes [`emphasise`].
pub(crate) fn undo(segment: &mut [f32], channels: usize, share: f64) {
    for n in channels..segment.len() {
        segment[n] += share as f32 * segment[n - channels];
    }
}

/// Multiplies the first sample of each channel, so that it is about as strong as what comes behind it.
pub(crate) fn begin(segment: &mut [f32], by: &[f64]) {
    for (x, by) in segment.iter_mut().zip(by) {
        *x *= *by as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undone_it_is_what_it_was_and_fast_waves_gain_on_slow_ones() {
        let wave = |period: f32| -> Vec<f32> {
            (0..200)
                .flat_map(|t| {
                    let x = (std::f32::consts::TAU * t as f32 / period).sin();
                    [x, -2.0 * x]
                })
                .collect()
        };
        let power = |x: &[f32]| x.iter().skip(20).map(|x| x * x).sum::<f32>();
        let gain = |period: f32| {
            let mut segment = wave(period);
            emphasise(&mut segment, 2, 0.7);
            power(&segment) / power(&wave(period))
        };
        assert!((gain(40.0) - 0.107).abs() < 0.005, "|1 − 0.7 exp(−iω)|²: {}", gain(40.0));
        assert!((gain(4.0) - 1.49).abs() < 0.02, "{}", gain(4.0));
        let mut segment = wave(7.0);
        emphasise(&mut segment, 2, 0.7);
        assert!((segment[5] + 2.0 * segment[4]).abs() < 1e-5, "channels by themselves");
        undo(&mut segment, 2, 0.7);
        assert!(segment.iter().zip(wave(7.0)).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}

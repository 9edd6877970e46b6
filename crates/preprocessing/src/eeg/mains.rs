//! Mains interference: whether there is any, and at which frequency.

use std::f64::consts::TAU;

/// Length of a part of which power is taken, in seconds: lines are then a quarter of a hertz wide.
const PART_S: f64 = 4.0;
/// Parts looked at, at most, spread over the record.
const PARTS: usize = 30;
/// Power about the line over power beside it, from which it counts as a line.
const LINE: f64 = 4.0;

/// The mains frequency that `channels` (at `fs` hertz) have a line at: 50 or 60 Hz, the one that stands out more; none where neither
/// is four times as strong as what lies 2 to 4 Hz beside it, or half the rate does not reach there.
pub fn mains_hz(channels: &[&[f32]], fs: f64) -> Option<f64> {
    let ratio = |hz: f64| if hz + 4.0 < fs / 2.0 { prominence(channels, fs, hz) } else { 0.0 };
    [50.0, 60.0]
        .into_iter()
        .map(|hz| (ratio(hz), hz))
        .filter(|(r, _)| *r >= LINE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, hz)| hz)
}

fn prominence(channels: &[&[f32]], fs: f64, hz: f64) -> f64 {
    let mean = |offsets: &[f64]| offsets.iter().map(|o| power(channels, fs, hz + o)).sum::<f64>() / offsets.len() as f64;
    let beside = mean(&[-4.0, -3.5, -3.0, -2.5, -2.0, 2.0, 2.5, 3.0, 3.5, 4.0]);
    if beside > 0.0 { mean(&[-0.25, 0.0, 0.25]) / beside } else { 0.0 }
}

/// Power at one frequency by Goertzel's recurrence, over Hann windows, summed over parts and channels; parts with samples that are not
/// finite do not count.
fn power(channels: &[&[f32]], fs: f64, hz: f64) -> f64 {
    let part = (PART_S * fs).round() as usize;
    let turn = 2.0 * (TAU * hz / fs).cos();
    let of = |samples: &[f32]| {
        let (mut s1, mut s2) = (0.0_f64, 0.0_f64);
        for (i, &x) in samples.iter().enumerate() {
            let window = 0.5 - 0.5 * (TAU * i as f64 / part as f64).cos();
            (s1, s2) = (window * f64::from(x) + turn * s1 - s2, s1);
        }
        s1 * s1 + s2 * s2 - turn * s1 * s2
    };
    let spread = |n: usize| (n / part.max(1)).div_ceil(PARTS).max(1);
    channels
        .iter()
        .flat_map(|samples| samples.chunks_exact(part.max(1)).step_by(spread(samples.len())))
        .map(of)
        .filter(|p| p.is_finite())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crude noise (a linear congruential generator) with a line in it.
    fn recording(line_hz: f64, height: f64) -> Vec<f32> {
        let mut state = 7_u32;
        (0..20_000)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(state >> 8) / f64::from(1 << 24) - 0.5;
                (noise + height * (TAU * line_hz * f64::from(i) / 160.0).sin()) as f32
            })
            .collect()
    }

    #[test]
    fn a_line_is_found_where_there_is_one() {
        for (hz, height, found) in [(50.0, 0.2, Some(50.0)), (60.0, 0.2, Some(60.0)), (50.0, 0.0, None), (20.0, 0.5, None)] {
            assert_eq!(mains_hz(&[&recording(hz, height)], 160.0), found, "{hz} Hz, {height}");
        }
        assert_eq!(mains_hz(&[&recording(50.0, 0.2)], 100.0), None, "beyond half the rate");
        assert_eq!(mains_hz(&[&[]], 160.0), None);
    }
}

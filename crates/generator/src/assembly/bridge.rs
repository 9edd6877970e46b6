//! What stands where no beat does: a curve that continues both ends, and noise like the beats' own.

use std::ops::Range;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Part of a beat that its level and slope at the seam are taken from, in seconds.
const END_S: f64 = 0.06;
/// The longest part of a gap over which an end's slope runs out, in seconds.
const RUN_OUT_S: f64 = 0.15;
/// Over which part of a gap an end's last deviation from its line gives way to the gap's own noise, in seconds.
const REST_S: f64 = 0.03;
/// Part of a window's start that the noise is estimated from, in seconds: before the P wave in most windows.
const QUIET_S: f64 = 0.12;
/// Coefficients of the noise's autoregressive model.
const ORDER: usize = 4;
/// The most windows that are looked at for the noise.
const WINDOWS: usize = 400;
/// Samples that are drawn and thrown away, so that the process has forgotten its start.
const SETTLE: usize = 64;

/// An autoregressive process: amplitude and colour of the beats' high-frequency residual.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noise {
    /// The next value is the sum of these times the last values, plus an innovation.
    coefficients: Vec<f32>,
    /// Standard deviation of the innovations.
    innovation: f32,
}

impl Noise {
    /// Fits the process to what a parabola leaves of each window's start. Of the windows, evenly spread over the record, the
    /// quieter three quarters count: the others start within a wave.
    pub(super) fn fit(windows: &[Vec<f32>], rate: f64) -> Self {
        let length = ((QUIET_S * rate).round() as usize).max(3 * ORDER);
        let step = windows.len().div_ceil(WINDOWS).max(1);
        let mut found: Vec<[f64; ORDER + 1]> = windows
            .iter()
            .step_by(step)
            .filter_map(|window| window.get(..length))
            .map(|start| autocovariance(&without_parabola(start)))
            .collect();
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        found.truncate((3 * found.len()).div_ceil(4));
        let mut mean = [0.0; ORDER + 1];
        for covariance in &found {
            for (sum, value) in mean.iter_mut().zip(covariance) {
                *sum += value / found.len() as f64;
            }
        }
        levinson_durbin(&mean)
    }

    /// `length` values of the process.
    pub(super) fn draw(&self, length: usize, stream: &mut impl Rng) -> Vec<f32> {
        let mut values: Vec<f32> = Vec::with_capacity(SETTLE + length);
        for _ in 0..SETTLE + length {
            let drawn: f32 = StandardNormal.sample(stream);
            let past = values.iter().rev().zip(&self.coefficients).map(|(value, coefficient)| value * coefficient);
            let next = self.innovation * drawn + past.sum::<f32>();
            values.push(next);
        }
        values.split_off(SETTLE)
    }
}

/// The residual of the least-squares parabola. The sums are over positions −1 to 1 around the middle, where odd and even powers
/// do not mix.
fn without_parabola(samples: &[f32]) -> Vec<f64> {
    let n = samples.len() as f64;
    let position = |i: usize| 2.0 * (i as f64 + 0.5) / n - 1.0;
    let (mut s2, mut s4, mut y0, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        let (x, y) = (position(i), f64::from(sample));
        s2 += x * x;
        s4 += x.powi(4);
        y0 += y;
        y1 += x * y;
        y2 += x * x * y;
    }
    let slope = y1 / s2;
    let curvature = (n * y2 - s2 * y0) / (n * s4 - s2 * s2);
    let level = (y0 - curvature * s2) / n;
    samples
        .iter()
        .enumerate()
        .map(|(i, &sample)| {
            let x = position(i);
            f64::from(sample) - level - slope * x - curvature * x * x
        })
        .collect()
}

/// Autocovariance at lags 0 to [`ORDER`]; the parabola took three degrees of freedom.
fn autocovariance(residual: &[f64]) -> [f64; ORDER + 1] {
    let freedom = residual.len().saturating_sub(3).max(1) as f64;
    std::array::from_fn(|lag| residual.iter().zip(residual.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>() / freedom)
}

/// The autoregressive process with this autocovariance (Levinson 1947, Durbin 1960). The sums above are those of a positive
/// semidefinite sequence, so the process is stable.
fn levinson_durbin(covariance: &[f64; ORDER + 1]) -> Noise {
    let mut coefficients: Vec<f64> = Vec::with_capacity(ORDER);
    let mut error = covariance[0];
    for order in 0..ORDER {
        // What is left is rounding: nothing more to predict.
        if error <= 1e-9 * covariance[0] || error.is_nan() {
            break;
        }
        let known: f64 = coefficients.iter().enumerate().map(|(i, c)| c * covariance[order - i]).sum();
        let reflection = (covariance[order + 1] - known) / error;
        let mirrored: Vec<f64> = coefficients.iter().rev().copied().collect();
        for (coefficient, other) in coefficients.iter_mut().zip(mirrored) {
            *coefficient -= reflection * other;
        }
        coefficients.push(reflection);
        error *= 1.0 - reflection * reflection;
    }
    Noise { coefficients: coefficients.iter().map(|&c| c as f32).collect(), innovation: error.max(0.0).sqrt() as f32 }
}

/// One end of a gap: the line through what is next to it.
#[derive(Debug, Clone, Copy)]
struct End {
    /// The line's value one sample outside the gap.
    level: f32,
    /// Per sample.
    slope: f32,
    /// The last sample outside the gap, less the line.
    rest: f32,
}

/// The end that `samples`, read towards the gap, lead up to; none at the edges of a record.
fn end(samples: &[f32]) -> Option<End> {
    let n = samples.len() as f32;
    let last = *samples.last()?;
    let middle = (n - 1.0) / 2.0;
    let mean = samples.iter().sum::<f32>() / n;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        let x = i as f32 - middle;
        xy += x * (sample - mean);
        xx += x * x;
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    let level = mean + slope * middle;
    Some(End { level, slope, rest: last - level })
}

/// Cubic Hermite polynomial from 1 to 0, flat at both ends; 0 behind.
fn falling(share: f32) -> f32 {
    if share < 1.0 { (1.0 + 2.0 * share) * (1.0 - share) * (1.0 - share) } else { 0.0 }
}

/// Cubic Hermite polynomial from 0 with slope 1 to 0, flat there; 0 behind.
fn running_out(share: f32) -> f32 {
    if share < 1.0 { share * (1.0 - share) * (1.0 - share) } else { 0.0 }
}

/// Fills `gap` of `out`, whose samples beside it are final, with a curve that continues both ends in level and slope, plus
/// `noise`. `out` is around a baseline of 0, which the curve reaches at the edges of the record.
pub(super) fn fill_gap(out: &mut [f32], gap: Range<usize>, noise: &[f32], rate: f64) {
    let span = ((END_S * rate).round() as usize).max(2);
    let left = end(&out[gap.start.saturating_sub(span)..gap.start]);
    let mut after: Vec<f32> = out[gap.end..(gap.end + span).min(out.len())].to_vec();
    after.reverse();
    let right = end(&after);
    // Both ends lie one sample outside the gap.
    let whole = (gap.len() + 1) as f32;
    let within = |seconds: f64| whole.min(((seconds * rate) as f32).max(2.0));
    let (run_out, rest) = (within(RUN_OUT_S), within(REST_S));
    // A side's part of the curve, and how much of its last sample's own deviation is left: the noise fades in against it.
    let side = |end: Option<End>, distance: f32| {
        end.map_or((0.0, 0.0), |end| {
            let left = falling(distance / rest);
            let curve = end.level * falling(distance / whole) + end.slope * run_out * running_out(distance / run_out);
            (curve + end.rest * left, left)
        })
    };
    for (i, (value, noise)) in out[gap].iter_mut().zip(noise).enumerate() {
        let distance = (i + 1) as f32;
        let ((before, near_before), (behind, near_behind)) = (side(left, distance), side(right, whole - distance));
        *value = before + behind + noise * (1.0 - near_before.max(near_behind)).max(0.0).sqrt();
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    #[test]
    fn a_parabola_is_removed_whole() {
        let parabola: Vec<f32> = (0..15).map(|i| 3.0 - 0.5 * i as f32 + 0.25 * (i * i) as f32).collect();
        assert!(without_parabola(&parabola).iter().all(|rest| rest.abs() < 1e-5));
    }

    #[test]
    fn levinson_durbin_solves_a_first_order_process() {
        // x[n] = 0.5 x[n−1] + e with a variance of 3 has covariance 4 · 0.5^lag.
        let noise = levinson_durbin(&[4.0, 2.0, 1.0, 0.5, 0.25]);
        assert!(
            (noise.coefficients[0] - 0.5).abs() < 1e-6 && noise.coefficients[1..].iter().all(|c| c.abs() < 1e-6),
            "{noise:?}"
        );
        assert!((noise.innovation - 3.0_f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn drawn_noise_has_the_amplitude_and_colour_it_was_fitted_to() {
        let truth = Noise { coefficients: vec![-0.6], innovation: 0.02 };
        let windows: Vec<Vec<f32>> = (0..300).map(|i| truth.draw(100, &mut Seed(1).stream("t", i))).collect();
        let fitted = Noise::fit(&windows, 250.0);
        let drawn = fitted.draw(20_000, &mut Seed(2).stream("t", 0));
        let covariance =
            |values: &[f32], lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| a * b).sum::<f32>() / values.len() as f32;
        let all = truth.draw(20_000, &mut Seed(3).stream("t", 0));
        let amplitude = (covariance(&drawn, 0) / covariance(&all, 0)).sqrt();
        // The quieter windows count, so it comes out a little fainter.
        assert!((0.85..1.05).contains(&amplitude), "{amplitude}");
        let colour = covariance(&drawn, 1) / covariance(&drawn, 0);
        assert!((colour + 0.6).abs() < 0.1, "{colour}");
    }

    #[test]
    fn windows_without_noise_give_none() {
        let noise = Noise::fit(&vec![vec![1.0; 50]; 3], 250.0);
        assert!(noise.draw(10, &mut Seed(1).stream("t", 0)).iter().all(|value| value.abs() < 1e-6));
        assert_eq!(Noise::fit(&[], 250.0).draw(2, &mut Seed(1).stream("t", 0)), [0.0, 0.0]);
    }

    #[test]
    fn a_bridge_continues_level_and_slope() {
        let mut out: Vec<f32> = (0..60).map(|i| if i < 20 { 0.1 * i as f32 } else { 5.0 - 0.05 * i as f32 }).collect();
        out[20..40].fill(f32::NAN);
        fill_gap(&mut out, 20..40, &[0.0; 20], 250.0);
        for i in 1..59 {
            let bend = out[i + 1] - 2.0 * out[i] + out[i - 1];
            assert!(bend.abs() < 0.03, "bend {bend} at {i}");
        }
    }
}

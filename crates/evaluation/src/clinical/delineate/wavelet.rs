//! The à trous transform with the quadratic spline wavelet, as Martínez et al. (2004) use it.

/// Samples per second for which the filters below have the bands that the thresholds were published with. Excerpts of other
/// rates are interpolated to it first.
pub(super) const GRID_HZ: f64 = 250.0;

/// Scales 2¹ to 2⁵.
pub(super) const LEVELS: usize = 5;

/// Samples added at each end, so that the widest filter (94 samples at scale 2⁵) finds something there.
const PAD: usize = 96;

/// The wavelet transform of an excerpt at each scale, `[scale − 1][sample]`: twice the slope per sample of the excerpt smoothed by a
/// spline as wide as the scale, times half the scale. Value `i` belongs between samples `i` and `i + 1`.
///
/// Filters (with their delays taken out): `h = {1, 3, 3, 1} / 8`, `g = 2 {1, −1}`, upsampled by 2 from scale to scale. Beyond its ends
/// the excerpt goes on by reflection in the end point, which keeps its slope there: a wave that is cut off does not seem to end.
pub(super) fn transform(samples: &[f64]) -> [Vec<f64>; LEVELS] {
    let (n, mut smooth) = (samples.len(), padded(samples));
    let at = |signal: &[f64], i: isize| signal[i.clamp(0, signal.len() as isize - 1) as usize];
    std::array::from_fn(|level| {
        if n == 0 {
            return Vec::new();
        }
        let step = 1_isize << level;
        // Each smoothing moves the signal half its step to the left, and so does the difference.
        let delay = step - 1;
        let detail = (0..n as isize).map(|i| i + PAD as isize - delay);
        let detail = detail.map(|i| 2.0 * (at(&smooth, i + step) - at(&smooth, i))).collect();
        let coarser = (0..smooth.len() as isize).map(|i| {
            (at(&smooth, i - step) + 3.0 * at(&smooth, i) + 3.0 * at(&smooth, i + step) + at(&smooth, i + 2 * step)) / 8.0
        });
        smooth = coarser.collect();
        detail
    })
}

/// The samples with [`PAD`] more at each end.
fn padded(samples: &[f64]) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (samples.first(), samples.last()) else { return Vec::new() };
    let end = samples.len() - 1;
    let before = (1..=PAD).rev().map(|i| 2.0 * first - samples[i.min(end)]);
    let after = (1..=PAD).map(|i| 2.0 * last - samples[end - i.min(end)]);
    before.chain(samples.iter().copied()).chain(after).collect()
}

/// The samples at [`GRID_HZ`] by cubic (Catmull–Rom) interpolation, and the index there of sample `mark`. None where a sample is
/// not finite, or fewer than four samples are there.
pub(super) fn on_grid(samples: &[f32], sampling_frequency_hz: f64, mark: usize) -> Option<(Vec<f64>, usize)> {
    let usable = samples.len() >= 4 && mark < samples.len() && sampling_frequency_hz.is_finite() && sampling_frequency_hz > 0.0;
    if !usable || samples.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let step = sampling_frequency_hz / GRID_HZ;
    let last = samples.len() - 1;
    let before = (mark as f64 / step + 1e-9) as usize;
    let after = ((last - mark) as f64 / step + 1e-9) as usize;
    // A rate that makes an excerpt longer than any beat would only cost memory.
    if before + after > 100_000 {
        return None;
    }
    let value = |i: isize| f64::from(samples[i.clamp(0, last as isize) as usize]);
    let grid = (0..=before + after).map(|j| {
        let position = mark as f64 + (j as f64 - before as f64) * step;
        let (i, t) = (position.floor() as isize, position - position.floor());
        let [a, b, c, d] = [value(i - 1), value(i), value(i + 1), value(i + 2)];
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    });
    Some((grid.collect(), before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_has_the_same_slope_at_every_scale() {
        let ramp: Vec<f64> = (0..120).map(|i| 0.5 * f64::from(i)).collect();
        for (level, detail) in transform(&ramp).iter().enumerate() {
            let expected = f64::from(1 << level); // 2 · scale/2 · slope
            assert!(detail.iter().all(|d| (d - expected).abs() < 1e-9), "{level}: {:?}", &detail[..3]);
        }
    }

    #[test]
    fn a_peak_is_a_change_of_sign_at_the_same_place_at_every_scale() {
        let bump: Vec<f64> = (0..200).map(|i| (-0.5 * ((f64::from(i) - 100.0) / 10.0).powi(2)).exp()).collect();
        for detail in transform(&bump) {
            assert!(detail[99] > 0.0 && detail[100] < 0.0);
            assert!((detail[99] + detail[100]).abs() < 1e-9, "{} {}", detail[99], detail[100]);
        }
    }

    #[test]
    fn interpolation_keeps_samples_and_cubics() {
        let cubic = |t: f64| 1.0 + t - 0.5 * t * t;
        let samples: Vec<f32> = (0..90).map(|i| cubic(f64::from(i) / 90.0) as f32).collect();
        let (grid, mark) = on_grid(&samples, 90.0, 45).unwrap();
        assert_eq!(mark, 125);
        for (j, x) in grid.iter().enumerate().skip(10).take(220) {
            assert!((x - cubic(j as f64 / 250.0)).abs() < 1e-6);
        }
        assert!(on_grid(&[0.0, f32::NAN, 0.0, 0.0], 250.0, 1).is_none() && on_grid(&[0.0; 3], 250.0, 1).is_none());
        assert!(on_grid(&[0.0; 9], f64::NAN, 1).is_none() && on_grid(&[0.0; 9], 1e-9, 1).is_none());
        assert!(transform(&[]).iter().all(Vec::is_empty));
    }
}

//! How strong the noise is, from the coefficients themselves.

use super::Sample;

/// The median magnitude of a normal variable of standard deviation 1.
const NORMAL_MEDIAN_MAGNITUDE: f64 = 0.674_489_750_196_081_7;

/// The standard deviation of white noise in `detail`: median magnitude over 0.6745 (Donoho and Johnstone 1994, section 4.3).
/// The few large coefficients that belong to the signal do not move the median. 0 where there are no coefficients.
///
/// `scratch` is working memory, used again from call to call. Cost: linear.
pub fn noise_level<T: Sample>(detail: &[T], scratch: &mut Vec<T::Magnitude>) -> f64 {
    scratch.clear();
    scratch.extend(detail.iter().map(|c| c.magnitude()));
    let middle = scratch.len() / 2;
    if scratch.is_empty() {
        return 0.0;
    }
    let (below, &mut upper, _) = scratch.select_nth_unstable(middle);
    let upper = T::from_magnitude(upper).to_f64();
    let median = match below.iter().max() {
        Some(&lower) if detail.len().is_multiple_of(2) => f64::midpoint(T::from_magnitude(lower).to_f64(), upper),
        _ => upper,
    };
    median / NORMAL_MEDIAN_MAGNITUDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_magnitudes_odd_and_even() {
        let mut scratch = Vec::new();
        let level = |detail: &[f64], scratch: &mut Vec<u64>| noise_level(detail, scratch) * NORMAL_MEDIAN_MAGNITUDE;
        assert!((level(&[-3.0, 1.0, 2.0], &mut scratch) - 2.0).abs() < 1e-15);
        assert!((level(&[-3.0, 1.0, -2.0, 100.0], &mut scratch) - 2.5).abs() < 1e-15);
        assert_eq!(level(&[], &mut scratch), 0.0);
        assert_eq!(noise_level(&[0.0_f32, -0.0, 0.0, 9.0], &mut Vec::new()), 0.0);
    }
}

//! Z-scores, with scale and offset kept: `normalised × scale + offset` is in physical units again.

use serde::{Deserialize, Serialize};

/// What shares one scale and one offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Each record has mean 0 and standard deviation 1: electrode and gain differences between subjects go, amplitude
    /// differences between the beats of a record stay.
    #[default]
    Record,
    /// Each segment has mean 0 and standard deviation 1: shape alone stays.
    Segment,
    /// All segments are scaled alike, so that the training segments together have mean 0 and standard deviation 1.
    TrainingSet,
}

/// A scale and an offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Physical units per normalised unit: the standard deviation (of the population, divided by `n`).
    pub scale: f32,
    /// The physical value of a normalised 0: the mean.
    pub offset: f32,
}

/// Standard deviations below this share of the largest absolute value are rounding, not signal.
const CONSTANT: f64 = 1e-6;

impl Scaling {
    /// Nothing is changed.
    pub const NONE: Self = Self { scale: 1.0, offset: 0.0 };

    /// Mean and standard deviation of the samples of several rows, NaN left out; `None` where there is no sample or the
    /// signal is constant. Sums are taken in `f64`, in a fixed order.
    pub fn fit<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone) -> Option<Self> {
        let mut count = 0_u64;
        let mut largest = 0.0_f32;
        let mut sum = 0.0_f64;
        for row in rows.clone() {
            let (n, s, l) = row_sums(row);
            count += n;
            sum += s;
            largest = largest.max(l);
        }
        if count == 0 {
            return None;
        }
        let mean = sum / count as f64;
        let squares: f64 = rows.map(|row| row_squares(row, mean)).sum();
        let deviation = (squares / count as f64).sqrt();
        (deviation.is_finite() && deviation > CONSTANT * f64::from(largest))
            .then_some(Self { scale: deviation as f32, offset: mean as f32 })
    }

    /// Normalises samples in place.
    pub fn apply(self, samples: &mut [f32]) {
        let factor = 1.0 / self.scale;
        for x in samples {
            *x = (*x - self.offset) * factor;
        }
    }

    /// The physical value of a normalised one.
    pub fn physical(self, normalised: f32) -> f32 {
        normalised.mul_add(self.scale, self.offset)
    }
}

/// Partial sums kept side by side, so that one addition need not wait for the last.
const STREAMS: usize = 8;

/// Number of samples, their sum, and the largest absolute value; NaN left out.
fn row_sums(row: &[f32]) -> (u64, f64, f32) {
    let mut count = [0_u32; STREAMS];
    let mut sum = [0.0_f64; STREAMS];
    let mut largest = [0.0_f32; STREAMS];
    let (chunks, rest) = row.as_chunks::<STREAMS>();
    for chunk in chunks.iter().chain([&missing_beyond(rest)]) {
        for i in 0..STREAMS {
            let known = !chunk[i].is_nan();
            let x = if known { chunk[i] } else { 0.0 };
            count[i] += u32::from(known);
            sum[i] += f64::from(x);
            largest[i] = if x.abs() > largest[i] { x.abs() } else { largest[i] };
        }
    }
    (count.iter().map(|&n| u64::from(n)).sum(), sum.iter().sum(), largest.iter().fold(0.0, |a, &b| a.max(b)))
}

/// The sum of squared deviations from `mean`; NaN left out.
fn row_squares(row: &[f32], mean: f64) -> f64 {
    let mut sum = [0.0_f64; STREAMS];
    let (chunks, rest) = row.as_chunks::<STREAMS>();
    for chunk in chunks.iter().chain([&missing_beyond(rest)]) {
        for i in 0..STREAMS {
            let d = f64::from(chunk[i]) - mean;
            sum[i] += if chunk[i].is_nan() { 0.0 } else { d * d };
        }
    }
    sum.iter().sum()
}

/// The last values of a row, filled up with missing ones.
fn missing_beyond(rest: &[f32]) -> [f32; STREAMS] {
    let mut chunk = [f32::NAN; STREAMS];
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_of_several_rows() {
        let rows: [&[f32]; 2] = [&[1.0, 2.0, f32::NAN], &[3.0, 6.0]];
        let scaling = Scaling::fit(rows.into_iter()).unwrap();
        assert_eq!(scaling.offset, 3.0);
        assert!((scaling.scale - 3.5_f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn normalised_signals_return_to_physical_units() {
        let signal: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.1).sin() * 0.7 - 3.2).collect();
        let scaling = Scaling::fit([&signal[..]].into_iter()).unwrap();
        let mut normalised = signal.clone();
        scaling.apply(&mut normalised);
        let again = Scaling::fit([&normalised[..]].into_iter()).unwrap();
        assert!(again.offset.abs() < 1e-5 && (again.scale - 1.0).abs() < 1e-5, "{again:?}");
        for (x, y) in signal.iter().zip(&normalised) {
            assert!((scaling.physical(*y) - x).abs() < 1e-5);
        }
    }

    #[test]
    fn a_constant_and_an_empty_signal_have_no_scale() {
        for signal in [&[][..], &[f32::NAN; 4][..], &[2.5; 100][..], &[0.0; 100][..], &[0.1; 333][..]] {
            assert_eq!(Scaling::fit([signal].into_iter()), None);
        }
    }
}

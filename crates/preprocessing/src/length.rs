//! Windows of varying length made equally long: by cropping, padding or resampling.

use serde::{Deserialize, Serialize};

use crate::resample::{ResampleError, Resampler};

/// How a window of another length is brought to the common one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthMethod {
    /// What is too much is cut off; a window that is too short is refused.
    #[default]
    Crop,
    /// What is too much is cut off; what is missing is filled with the window's first or last value.
    Pad,
    /// The parts before and from the mark on are each stretched to their length, so that the mark keeps its place.
    Resample,
}

/// Why a window cannot be brought to the common length.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LengthError {
    /// The mark lies outside the window.
    #[error("the mark at index {mark} lies outside the window of {length} samples")]
    Mark {
        /// Index of the mark.
        mark: usize,
        /// Samples in the window.
        length: usize,
    },
    /// A window is too short to be cropped.
    #[error("a window of {before} samples before and {after} from the mark on is too short to be cropped; pad or resample it")]
    TooShort {
        /// Samples before the mark.
        before: usize,
        /// Samples from the mark on.
        after: usize,
    },
    /// A part of the window cannot be stretched.
    #[error(transparent)]
    Resample(#[from] ResampleError),
}

/// Brings a window to `before` samples before its mark and `after` from it on. `mark` is the mark's index in `window`; in the
/// result it is `before`.
pub fn equalise(window: &[f32], mark: usize, before: usize, after: usize, method: LengthMethod) -> Result<Vec<f32>, LengthError> {
    if mark >= window.len() {
        return Err(LengthError::Mark { mark, length: window.len() });
    }
    let (left, right) = window.split_at(mark);
    let fits = left.len() >= before && right.len() >= after;
    match method {
        LengthMethod::Crop if !fits => Err(LengthError::TooShort { before: left.len(), after: right.len() }),
        LengthMethod::Crop => Ok(window[mark - before..mark + after].to_vec()),
        LengthMethod::Pad => {
            let from = mark as i64 - before as i64;
            let last = window.len() as i64 - 1;
            Ok((0..before + after).map(|i| window[(from + i as i64).clamp(0, last) as usize]).collect())
        }
        LengthMethod::Resample => {
            // Nothing before the mark to stretch: the first value stands in for it.
            let left = if left.is_empty() { &window[..1] } else { left };
            let mut equal = stretch(left, before)?;
            equal.extend(stretch(right, after)?);
            Ok(equal)
        }
    }
}

/// A part of a window at another number of samples.
fn stretch(part: &[f32], length: usize) -> Result<Vec<f32>, ResampleError> {
    if length == 0 || part.len() == length {
        return Ok(part[..length].to_vec());
    }
    Ok(Resampler::rational(length, part.len())?.apply(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    #[test]
    fn cropping_keeps_what_lies_around_the_mark() {
        assert_eq!(equalise(&WINDOW, 3, 1, 2, LengthMethod::Crop).unwrap(), [3.0, 4.0, 5.0]);
        let error = equalise(&WINDOW, 3, 4, 2, LengthMethod::Crop).unwrap_err();
        assert_eq!(error, LengthError::TooShort { before: 3, after: 3 });
        assert!(equalise(&WINDOW, 6, 1, 1, LengthMethod::Crop).is_err());
        assert!(equalise(&[], 0, 1, 1, LengthMethod::Pad).is_err());
    }

    #[test]
    fn padding_repeats_the_ends() {
        let padded = equalise(&WINDOW, 1, 3, 7, LengthMethod::Pad).unwrap();
        assert_eq!(padded, [1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0, 6.0]);
        assert_eq!(equalise(&WINDOW, 3, 1, 2, LengthMethod::Pad).unwrap(), [3.0, 4.0, 5.0]);
    }

    #[test]
    fn resampling_keeps_shape_and_mark() {
        let wave: Vec<f32> = (0..200).map(|i| (i as f32 * 0.05).sin()).collect();
        let equal = equalise(&wave, 80, 40, 180, LengthMethod::Resample).unwrap();
        assert_eq!(equal.len(), 220);
        for (i, x) in equal[..35].iter().enumerate().skip(5) {
            assert!((x - (i as f32 * 0.1).sin()).abs() < 0.02, "{i}: {x}");
        }
        for i in 10..170 {
            let expected = ((80.0 + i as f32 * 120.0 / 180.0) * 0.05).sin();
            assert!((equal[40 + i] - expected).abs() < 0.02, "{i}: {} {expected}", equal[40 + i]);
        }
        assert_eq!(equalise(&wave, 80, 80, 120, LengthMethod::Resample).unwrap(), wave);
        assert_eq!(equalise(&wave, 0, 2, 2, LengthMethod::Resample).unwrap().len(), 4);
    }
}

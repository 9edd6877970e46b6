//! How many steps each row of a padded batch has.

use std::sync::Arc;

/// Steps of each row of a batch: row `b` ends after `steps[b]` of them, and what follows is padding. Checked when made.
///
/// The backward direction starts at a row's own last step, as with PyTorch's `pack_padded_sequence` and a right-padded mask
/// in Keras. Outputs behind a row's end are zeros; what stands in the input there is never read, nor does it get a gradient.
///
/// ```
/// use physiosynth_recurrent::{LengthError, Lengths};
///
/// let lengths = Lengths::new(&[5, 2, 4], 5)?;
/// let same = Lengths::from_mask(&[true, true, true, false], 2)?;
/// assert_eq!((lengths.steps()[1], same.steps()[0], same.steps()[1]), (2, 2, 1));
/// # Ok::<(), LengthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lengths {
    steps: Arc<[usize]>,
    time: usize,
}

/// What is wrong with a batch's lengths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// A row has no step, or more than the batch.
    #[error("row {row} is {length} steps long; a row of this batch has at least 1 and at most {time}")]
    OutOfRange {
        /// The row.
        row: usize,
        /// Its length.
        length: usize,
        /// Steps of the padded batch.
        time: usize,
    },
    /// A mask that is more than a row's first steps.
    #[error("the mask of row {row} leaves out a step and takes a later one: padding can only stand at a row's end")]
    Gap {
        /// The row.
        row: usize,
    },
    /// A mask of no whole number of rows.
    #[error("a mask of {values} values cannot be rows of {time} steps")]
    Mask {
        /// Values of the mask.
        values: usize,
        /// Steps of the padded batch.
        time: usize,
    },
    /// Lengths of another batch than the input's.
    #[error("lengths of {rows} rows of {time} steps for an input of {batch} rows of {steps} steps")]
    OtherBatch {
        /// Rows the lengths are of.
        rows: usize,
        /// Steps of the batch they were checked against.
        time: usize,
        /// Rows of the input.
        batch: usize,
        /// Steps of the input.
        steps: usize,
    },
}

impl Lengths {
    /// Of the rows of a batch padded to `time` steps.
    pub fn new(lengths: &[usize], time: usize) -> Result<Self, LengthError> {
        if let Some((row, &length)) = lengths.iter().enumerate().find(|(_, length)| !(1..=time).contains(*length)) {
            return Err(LengthError::OutOfRange { row, length, time });
        }
        Ok(Self { steps: lengths.into(), time })
    }

    /// From a mask in row-major order, `[batch, time]`: true where there is a step, false where there is padding.
    pub fn from_mask(mask: &[bool], time: usize) -> Result<Self, LengthError> {
        if time == 0 || !mask.len().is_multiple_of(time) {
            return Err(LengthError::Mask { values: mask.len(), time });
        }
        let mut lengths = Vec::with_capacity(mask.len() / time);
        for (row, mask) in mask.chunks(time).enumerate() {
            let length = mask.iter().take_while(|step| **step).count();
            if mask[length..].contains(&true) {
                return Err(LengthError::Gap { row });
            }
            lengths.push(length);
        }
        Self::new(&lengths, time)
    }

    /// Steps of each row.
    pub fn steps(&self) -> Arc<[usize]> {
        Arc::clone(&self.steps)
    }

    /// Whether these are the lengths of an input of `batch` rows padded to `steps`.
    pub(crate) fn check(&self, [batch, steps]: [usize; 2]) -> Result<(), LengthError> {
        if self.steps.len() == batch && self.time == steps {
            return Ok(());
        }
        Err(LengthError::OtherBatch { rows: self.steps.len(), time: self.time, batch, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked() {
        assert_eq!(Lengths::new(&[3, 0], 3), Err(LengthError::OutOfRange { row: 1, length: 0, time: 3 }));
        assert_eq!(Lengths::new(&[4], 3), Err(LengthError::OutOfRange { row: 0, length: 4, time: 3 }));
        assert_eq!(Lengths::from_mask(&[true, false, true], 3), Err(LengthError::Gap { row: 0 }));
        assert_eq!(Lengths::from_mask(&[true; 5], 3), Err(LengthError::Mask { values: 5, time: 3 }));
        assert_eq!(Lengths::from_mask(&[true, false, false, true, true, true], 3), Lengths::new(&[1, 3], 3));
    }
}

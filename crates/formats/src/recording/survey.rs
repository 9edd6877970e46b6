//! What has to be known of all samples before the first can be written: ranges, and where samples are missing.

use std::ops::Range;

use super::Recording;
use crate::FormatError;

/// What the samples of a channel are like.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Smallest and largest sample; not a range (∞, −∞) where all are missing.
    pub low: f32,
    /// See [`low`](Self::low).
    pub high: f32,
    /// Index of the first infinite sample.
    pub infinite: Option<u64>,
    /// Stretches of missing samples, in order.
    pub missing: Vec<Range<u64>>,
    /// Whether all samples are whole numbers.
    pub whole: bool,
    /// Samples looked at.
    length: u64,
}

impl Default for Survey {
    fn default() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY, infinite: None, missing: Vec::new(), whole: true, length: 0 }
    }
}

impl Survey {
    /// Of samples in memory.
    #[cfg(test)]
    pub(crate) fn of(samples: &[f32]) -> Self {
        let mut survey = Self::default();
        survey.take(samples);
        survey
    }

    /// Looks at further samples.
    pub(crate) fn take(&mut self, samples: &[f32]) {
        for (index, &sample) in (self.length..).zip(samples) {
            if sample.is_nan() {
                match self.missing.last_mut() {
                    Some(last) if last.end == index => last.end = index + 1,
                    _ => self.missing.push(index..index + 1),
                }
                continue;
            }
            if sample.is_infinite() {
                self.infinite.get_or_insert(index);
            }
            self.low = self.low.min(sample);
            self.high = self.high.max(sample);
            self.whole &= sample.fract() == 0.0;
        }
        self.length += samples.len() as u64;
    }
}

impl Recording<'_> {
    /// The same, of which it is known what the samples of each channel are like.
    pub(crate) fn surveyed(self, surveys: Vec<Survey>) -> Self {
        Self { surveys: Some(surveys), ..self }
    }

    /// What the samples of each channel are like. The first call reads them all.
    pub fn surveys(&mut self) -> Result<Vec<Survey>, FormatError> {
        if let Some(surveys) = &self.surveys {
            return Ok(surveys.clone());
        }
        let mut surveys = vec![Survey::default(); self.record.channels.len()];
        self.each_block(&mut |block| {
            surveys.iter_mut().zip(block).for_each(|(survey, samples)| survey.take(samples));
            Ok(())
        })?;
        self.surveys = Some(surveys.clone());
        Ok(surveys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_missing_samples_go_on_across_parts() {
        let nan = f32::NAN;
        let mut survey = Survey::default();
        survey.take(&[nan, 1.0, nan]);
        survey.take(&[nan, -2.5, nan]);
        assert_eq!(survey.missing, [0..1, 2..4, 5..6]);
        assert_eq!((survey.low, survey.high, survey.infinite, survey.whole), (-2.5, 1.0, None, false));
        survey.take(&[f32::INFINITY]);
        assert_eq!(survey.infinite, Some(6));
    }
}

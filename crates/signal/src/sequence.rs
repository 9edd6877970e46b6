use serde::{Deserialize, Serialize};

use crate::Split;

/// The beats of one record in order of time, without their shapes: what a model of rhythm learns from.
///
/// The vectors `samples`, `intervals_known`, `classes`, `codes` and `rhythms` have one entry per beat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatSequence {
    /// The record's name within its database.
    pub record: String,
    /// Who it was recorded from.
    pub subject: String,
    /// Which part of the data the subject belongs to.
    pub split: Split,
    /// What `samples` count in, per second.
    pub sampling_frequency_hz: f64,
    /// Positions of the marks, in samples from the start of the record.
    pub samples: Vec<i64>,
    /// Whether the time since the beat before is an interval of the heart: not at the start, nor across flutter, unreadable
    /// signal or a pause of the annotator.
    pub intervals_known: Vec<bool>,
    /// Classes under the run's class map.
    pub classes: Vec<String>,
    /// Annotation codes.
    pub codes: Vec<String>,
    /// The rhythm in force as the last mark before the beat names it, such as `(AFIB`; empty before the first mark.
    pub rhythms: Vec<String>,
    /// What denoising took away from the record's signal, where it was applied.
    pub residual: Option<Residual>,
}

impl BeatSequence {
    /// How many beats there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Seconds from beat `index − 1` to beat `index`, where that is an interval of the heart.
    pub fn rr_before_s(&self, index: usize) -> Option<f64> {
        let here = self.samples.get(index)?;
        let before = self.samples.get(index.checked_sub(1)?)?;
        let known = self.intervals_known.get(index).copied().unwrap_or(false);
        let rr = (here - before) as f64 / self.sampling_frequency_hz;
        (known && rr > 0.0).then_some(rr)
    }

    /// What is wrong with it: vectors of unequal length, positions out of order.
    pub fn problem(&self) -> Option<String> {
        let lengths = [self.intervals_known.len(), self.classes.len(), self.codes.len(), self.rhythms.len()];
        if lengths.iter().any(|length| *length != self.len()) {
            return Some(format!("record {}: {} beats, but {lengths:?} of what is known of each", self.record, self.len()));
        }
        if !(self.sampling_frequency_hz.is_finite() && self.sampling_frequency_hz > 0.0) {
            return Some(format!("record {}: a sampling frequency of {} Hz", self.record, self.sampling_frequency_hz));
        }
        let back = self.samples.windows(2).position(|pair| pair[1] < pair[0]);
        back.map(|index| format!("record {}: beat {} stands before the one it follows", self.record, index + 1))
    }
}

/// The spectrum of what denoising took away from a record: noise and baseline wander.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Residual {
    /// Unit of the signal it was taken from.
    pub unit: String,
    /// Bounds of the bands in hertz, rising; one more than `density`.
    pub edges_hz: Vec<f64>,
    /// Power spectral density (one-sided) in each band, unit² / Hz: the median over the record's windows.
    pub density: Vec<f64>,
    /// Standard deviation over the windows of the natural logarithm of the residual's amplitude: how uneven it is.
    pub unevenness: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence() -> BeatSequence {
        BeatSequence {
            record: "1".into(),
            subject: "1".into(),
            split: Split::Train,
            sampling_frequency_hz: 100.0,
            samples: vec![10, 90, 300],
            intervals_known: vec![false, true, false],
            classes: vec!["N".into(); 3],
            codes: vec!["N".into(); 3],
            rhythms: vec!["(N".into(); 3],
            residual: None,
        }
    }

    #[test]
    fn intervals_are_known_or_not() {
        let sequence = sequence();
        assert_eq!(sequence.problem(), None);
        let rr: Vec<Option<f64>> = (0..4).map(|i| sequence.rr_before_s(i)).collect();
        assert_eq!(rr, [None, Some(0.8), None, None]);
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let mut uneven = sequence();
        uneven.codes.pop();
        assert!(uneven.problem().is_some_and(|text| text.contains("record 1")));
        let mut disordered = sequence();
        disordered.samples[2] = 50;
        assert!(disordered.problem().is_some_and(|text| text.contains("beat 2")));
    }
}

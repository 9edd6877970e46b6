use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

use crate::Sex;

/// Which part of the data a segment belongs to. Splits are by subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Everything that is fitted is fitted on these.
    Train,
    /// Everything that is chosen is chosen on these.
    Validation,
    /// Scored once, at the end.
    Test,
    /// Not real.
    Synthetic,
}

/// Which of the two groups of the paired objective a segment is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Group {
    /// Noise is added to these.
    A,
    /// The network learns to turn the noisy ones into these.
    B,
    /// Neither: not a training segment.
    #[serde(rename = "")]
    None,
}

/// A name that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is no {kind}; expected one of {expected}")]
pub struct UnknownName {
    pub(crate) kind: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl Split {
    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Synthetic => "synthetic",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Split {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        Ok(match s {
            "train" => Self::Train,
            "validation" => Self::Validation,
            "test" => Self::Test,
            "synthetic" => Self::Synthetic,
            _ => return Err(UnknownName { kind: "split", found: s.into(), expected: "train, validation, test, synthetic" }),
        })
    }
}

impl Group {
    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::None => "",
        }
    }
}

impl FromStr for Group {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        Ok(match s {
            "A" => Self::A,
            "B" => Self::B,
            "" => Self::None,
            _ => return Err(UnknownName { kind: "group", found: s.into(), expected: "A, B, empty" }),
        })
    }
}

/// What is known of one segment; its samples are row `i` of [`SegmentSet::signals`].
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Class under the run's class map: `N`, `S`, `V`, `F`, `Q`, or an event's name.
    pub label: String,
    /// Original annotation code.
    pub code: String,
    /// Who it is from; the synthetic subject's name where synthetic.
    pub subject: String,
    /// The record it was cut from, or that it was made for.
    pub record: String,
    /// Which split it is in.
    pub split: Split,
    /// Group of the paired objective.
    pub group: Group,
    /// Index of the cluster it is in; −1 where not clustered.
    pub cluster: i32,
    /// Position of the mark in the source record, in samples at the source's sampling frequency; −1 where synthetic.
    pub sample: i64,
    /// Time since the beat before, in seconds; NaN where unknown.
    pub rr_before_s: f32,
    /// Time to the next beat, in seconds; NaN where unknown.
    pub rr_after_s: f32,
    /// The rhythm in force at the mark, as the source names it (`(AFIB`); empty where unknown.
    pub rhythm: String,
    /// The subject's age at the recording, in years, where known.
    pub age_years: Option<f32>,
    /// The subject's sex, where known.
    pub sex: Option<Sex>,
    /// The real subject whose segment this synthetic one was made from; empty where real, or made from noise alone.
    pub derived_from: String,
}

impl Segment {
    /// A segment of which no more is known than class, subject and split: the code is the class, the record is the subject.
    pub fn new(label: impl Into<String>, subject: impl Into<String>, split: Split) -> Self {
        let (label, subject) = (label.into(), subject.into());
        Self {
            code: label.clone(),
            label,
            record: subject.clone(),
            subject,
            split,
            group: Group::None,
            cluster: -1,
            sample: -1,
            rr_before_s: f32::NAN,
            rr_after_s: f32::NAN,
            rhythm: String::new(),
            age_years: None,
            sex: None,
            derived_from: String::new(),
        }
    }
}

/// What is inconsistent in a set of segments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Arrays disagree on how many segments or channels there are.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array or dimension.
        what: &'static str,
        /// What the set's other parts say.
        expected: usize,
        /// What was found.
        found: usize,
    },
    /// Two sets that should be joined differ in something.
    #[error("the sets differ in {what}: {left} and {right}")]
    Mismatch {
        /// Which property.
        what: &'static str,
        /// Its value in the first set.
        left: String,
        /// Its value in the second.
        right: String,
    },
}

/// Segments of one length, with what is known of each.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentSet {
    /// Samples `[segment, time, channel]`, normalised: `signals × scale + offset` is in physical units.
    pub signals: Array3<f32>,
    /// `[segment, channel]`: physical units per normalised unit.
    pub scale: Array2<f32>,
    /// `[segment, channel]`: the physical value of a normalised 0.
    pub offset: Array2<f32>,
    /// One entry per segment.
    pub segments: Vec<Segment>,
    /// Sampling frequency of `signals`, in hertz.
    pub sampling_frequency_hz: f64,
    /// Index in time of the mark (the R peak of a beat).
    pub mark_index: usize,
    /// Labels of the channels.
    pub channel_names: Vec<String>,
    /// Physical units of the channels.
    pub channel_units: Vec<String>,
}

impl SegmentSet {
    /// A set without segments, of `time` samples by the named channels.
    pub fn empty(
        time: usize,
        sampling_frequency_hz: f64,
        mark_index: usize,
        channel_names: Vec<String>,
        channel_units: Vec<String>,
    ) -> Self {
        let channels = channel_names.len();
        Self {
            signals: Array3::zeros((0, time, channels)),
            scale: Array2::zeros((0, channels)),
            offset: Array2::zeros((0, channels)),
            segments: Vec::new(),
            sampling_frequency_hz,
            mark_index,
            channel_names,
            channel_units,
        }
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Samples per segment.
    pub fn time(&self) -> usize {
        self.signals.len_of(Axis(1))
    }

    /// Channels per segment.
    pub fn channels(&self) -> usize {
        self.signals.len_of(Axis(2))
    }

    /// Checks that all parts agree on the number of segments and channels.
    pub fn check(&self) -> Result<(), SegmentError> {
        let (n, c) = (self.segments.len(), self.channels());
        for (what, expected, found) in [
            ("segments in signals", n, self.signals.len_of(Axis(0))),
            ("segments in scale", n, self.scale.len_of(Axis(0))),
            ("segments in offset", n, self.offset.len_of(Axis(0))),
            ("channels in scale", c, self.scale.len_of(Axis(1))),
            ("channels in offset", c, self.offset.len_of(Axis(1))),
            ("channel names", c, self.channel_names.len()),
            ("channel units", c, self.channel_units.len()),
        ] {
            if expected != found {
                return Err(SegmentError::Shape { what, expected, found });
            }
        }
        Ok(())
    }

    /// The segments at `indices`, in that order (repeats allowed).
    ///
    /// # Panics
    /// Where an index is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            signals: self.signals.select(Axis(0), indices),
            scale: self.scale.select(Axis(0), indices),
            offset: self.offset.select(Axis(0), indices),
            segments: indices.iter().map(|&i| self.segments[i].clone()).collect(),
            sampling_frequency_hz: self.sampling_frequency_hz,
            mark_index: self.mark_index,
            channel_names: self.channel_names.clone(),
            channel_units: self.channel_units.clone(),
        }
    }

    /// Indices of the segments for which `keep` holds.
    pub fn indices(&self, mut keep: impl FnMut(&Segment) -> bool) -> Vec<usize> {
        (0..self.len()).filter(|&i| keep(&self.segments[i])).collect()
    }

    /// The class labels present, sorted.
    pub fn labels(&self) -> Vec<String> {
        let names: std::collections::BTreeSet<&str> = self.segments.iter().map(|s| s.label.as_str()).collect();
        names.into_iter().map(String::from).collect()
    }

    /// The subjects present, sorted.
    pub fn subjects(&self) -> Vec<String> {
        let names: std::collections::BTreeSet<&str> = self.segments.iter().map(|s| s.subject.as_str()).collect();
        names.into_iter().map(String::from).collect()
    }

    /// Segment `i` in physical units, `[time, channel]`.
    ///
    /// # Panics
    /// Where `i` is not below [`len`](Self::len).
    pub fn physical(&self, i: usize) -> Array2<f32> {
        let normalised = self.signals.index_axis(Axis(0), i);
        &normalised * &self.scale.row(i).insert_axis(Axis(0)) + self.offset.row(i).insert_axis(Axis(0))
    }

    /// Adds the segments of `other` behind these.
    pub fn append(&mut self, other: &Self) -> Result<(), SegmentError> {
        let differ = |what, left: String, right: String| {
            if left == right { Ok(()) } else { Err(SegmentError::Mismatch { what, left, right }) }
        };
        differ("samples per segment", self.time().to_string(), other.time().to_string())?;
        differ("sampling frequency", self.sampling_frequency_hz.to_string(), other.sampling_frequency_hz.to_string())?;
        differ("mark index", self.mark_index.to_string(), other.mark_index.to_string())?;
        differ("channel names", self.channel_names.join(", "), other.channel_names.join(", "))?;
        differ("channel units", self.channel_units.join(", "), other.channel_units.join(", "))?;
        other.check()?;
        // The shapes were compared above, so these cannot fail on shape; a failure is still passed on, not hidden.
        let shape = |_| SegmentError::Shape { what: "appended arrays", expected: self.segments.len(), found: other.len() };
        self.signals.append(Axis(0), other.signals.view()).map_err(shape)?;
        self.scale.append(Axis(0), other.scale.view()).map_err(shape)?;
        self.offset.append(Axis(0), other.offset.view()).map_err(shape)?;
        self.segments.extend_from_slice(&other.segments);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: f32) -> SegmentSet {
        let mut set = SegmentSet::empty(4, 128.0, 1, vec!["MLII".into()], vec!["mV".into()]);
        set.signals = Array3::from_elem((1, 4, 1), value);
        set.scale = Array2::from_elem((1, 1), 2.0);
        set.offset = Array2::from_elem((1, 1), -1.0);
        set.segments.push(Segment {
            group: Group::A,
            cluster: 0,
            sample: 77,
            rr_after_s: 0.8,
            ..Segment::new("N", "100", Split::Train)
        });
        set
    }

    #[test]
    fn physical_applies_scale_and_offset() {
        assert_eq!(one(1.5).physical(0), Array2::from_elem((4, 1), 2.0));
    }

    #[test]
    fn append_keeps_order_and_select_picks() {
        let mut set = one(1.0);
        set.append(&one(2.0)).unwrap();
        set.check().unwrap();
        assert_eq!(set.select(&[1, 0]).signals[[0, 0, 0]], 2.0);
    }

    #[test]
    fn append_refuses_another_rate() {
        let mut other = one(1.0);
        other.sampling_frequency_hz = 360.0;
        let error = one(1.0).append(&other).unwrap_err();
        assert!(error.to_string().contains("sampling frequency"), "{error}");
    }

    #[test]
    fn check_names_the_part_that_is_wrong() {
        let mut set = one(1.0);
        set.segments.clear();
        assert!(set.check().unwrap_err().to_string().contains("segments in signals"));
    }

    #[test]
    fn names_round_trip() {
        for split in [Split::Train, Split::Validation, Split::Test, Split::Synthetic] {
            assert_eq!(split.as_str().parse::<Split>().unwrap(), split);
        }
        for group in [Group::A, Group::B, Group::None] {
            assert_eq!(group.as_str().parse::<Group>().unwrap(), group);
        }
        assert!("training".parse::<Split>().unwrap_err().to_string().contains("train, validation"));
    }
}

use crate::{Annotation, Code};

/// How the samples of a channel were digitised, as the file's header states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Digitisation {
    /// ADC units per physical unit.
    pub gain: f64,
    /// The digital value that is 0 in physical units. Whole in WFDB; in EDF it may lie between two digital values.
    pub baseline: f64,
    /// ADC resolution in bits; 0 where the header does not say.
    pub adc_resolution: u16,
    /// The digital value in the middle of the ADC's range.
    pub adc_zero: i32,
}

/// One signal of a record: a lead, an electrode, a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Name as in the file: `MLII`, `V5`, `Fc5.`.
    pub label: String,
    /// Physical unit as in the file: `mV`, `uV`.
    pub unit: String,
    /// Samples per second.
    pub sampling_frequency_hz: f64,
    /// Samples in the physical unit; `NaN` where missing.
    pub samples: Vec<f32>,
    /// How the samples were digitised, where the file says; writers use it so that a round trip is exact.
    pub digitisation: Option<Digitisation>,
}

impl Channel {
    /// A channel without digitisation data.
    pub fn new(label: impl Into<String>, unit: impl Into<String>, sampling_frequency_hz: f64, samples: Vec<f32>) -> Self {
        Self { label: label.into(), unit: unit.into(), sampling_frequency_hz, samples, digitisation: None }
    }
}

/// One recording of one subject: its signals and its annotations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Name within its database, without extension: `100`, `S001R03`.
    pub name: String,
    /// Who it was recorded from. Where the database does not say, the record's name.
    pub subject: String,
    /// Sampling frequency that annotation positions count in, in hertz.
    pub sampling_frequency_hz: f64,
    /// Base date and time as the header states them, where it does.
    pub start: Option<String>,
    /// The signals, in file order.
    pub channels: Vec<Channel>,
    /// The annotations, in order of position.
    pub annotations: Vec<Annotation>,
    /// Comment lines of the header, without the comment sign.
    pub comments: Vec<String>,
}

impl Record {
    /// An empty record whose subject is itself.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { subject: name.clone(), name, ..Self::default() }
    }

    /// The record with one more channel. The first channel sets the record's sampling frequency.
    #[must_use]
    pub fn with_channel(mut self, channel: Channel) -> Self {
        if self.channels.is_empty() {
            self.sampling_frequency_hz = channel.sampling_frequency_hz;
        }
        self.channels.push(channel);
        self
    }

    /// The record with these annotations.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Vec<Annotation>) -> Self {
        self.annotations = annotations;
        self
    }

    /// The channel with this label.
    pub fn channel(&self, label: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.label == label)
    }

    /// Duration in seconds of the longest channel; 0 without channels.
    pub fn duration_s(&self) -> f64 {
        self.channels.iter().map(|c| c.samples.len() as f64 / c.sampling_frequency_hz).fold(0.0, f64::max)
    }

    /// How many annotations carry each code, in order of code.
    pub fn code_counts(&self) -> std::collections::BTreeMap<Code, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for annotation in &self.annotations {
            *counts.entry(annotation.code.clone()).or_insert(0) += 1;
        }
        counts
    }
}

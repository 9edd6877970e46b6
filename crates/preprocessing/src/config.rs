use physiosynth_signal::{RecordSource, SignalKind};
use serde::{Deserialize, Serialize};

use crate::clustering::ClusteringConfig;
use crate::denoise::DenoiseConfig;
use crate::split::SplitConfig;
use crate::{ClassMap, EegConfig, Normalise, PreprocessError};

/// What the recordings are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KindChoice {
    /// By the names and units of the first readable record's channels; an ECG where they say neither.
    #[default]
    Auto,
    /// Electrocardiograms: beats of one lead.
    Ecg,
    /// Electroencephalograms: epochs of several channels.
    Eeg,
}

/// Everything that decides how a database becomes segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreprocessingConfig {
    /// What the recordings are: `auto`, `ecg` or `eeg`. Default `auto`.
    pub kind: KindChoice,
    /// Label of the signal that is used. Default `MLII`.
    pub lead: String,
    /// Working rate to which every record is resampled, in hertz. Default 180.
    pub sampling_frequency_hz: f64,
    /// What a segment holds before its mark, in milliseconds. Default 250.
    pub window_before_ms: f64,
    /// What a segment holds from its mark on, in milliseconds. Default 450.
    pub window_after_ms: f64,
    /// Longest interval between beats that is believed, in seconds: a longer one is a gap in the annotations. Default 6
    /// (the longest pause of a heart in MIT-BIH lasts 5.87 s, in record 232).
    pub maximum_gap_s: f64,
    /// Which class each beat code belongs to. Default `dechazal`.
    pub class_map: ClassMap,
    /// What shares one scale and offset. Default `record`.
    pub normalise: Normalise,
    /// How records are divided into train, validation and test.
    pub split: SplitConfig,
    /// Removal of noise and baseline wander, at the source's rate.
    pub denoise: DenoiseConfig,
    /// Clusters by class, subject and shape.
    pub clustering: ClusteringConfig,
    /// What is done with an EEG instead.
    pub eeg: EegConfig,
}

impl Default for PreprocessingConfig {
    fn default() -> Self {
        Self {
            kind: KindChoice::default(),
            lead: "MLII".into(),
            sampling_frequency_hz: 180.0,
            window_before_ms: 250.0,
            window_after_ms: 450.0,
            maximum_gap_s: 6.0,
            class_map: ClassMap::default(),
            normalise: Normalise::default(),
            split: SplitConfig::default(),
            denoise: DenoiseConfig::default(),
            clustering: ClusteringConfig::default(),
            eeg: EegConfig::default(),
        }
    }
}

/// Longest segment that is made, in samples: far above any beat, far below what would fill the memory by mistake.
const LONGEST_SEGMENT: usize = 100_000;

impl PreprocessingConfig {
    /// Checks what can be checked before a record is read.
    pub fn validate(&self) -> Result<(), PreprocessError> {
        let rule = |key, rule: String| Err(PreprocessError::Config { key, rule });
        if self.lead.is_empty() {
            return rule("lead", "must name a signal, such as \"MLII\"".into());
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(self.sampling_frequency_hz) {
            return rule("sampling_frequency_hz", format!("is {}, but must be positive", self.sampling_frequency_hz));
        }
        if !(self.window_before_ms.is_finite() && self.window_before_ms >= 0.0) {
            return rule("window_before_ms", format!("is {}, but must be 0 or more", self.window_before_ms));
        }
        if !positive(self.window_after_ms) {
            return rule("window_after_ms", format!("is {}, but must be positive", self.window_after_ms));
        }
        if !positive(self.maximum_gap_s) {
            return rule("maximum_gap_s", format!("is {}, but must be positive", self.maximum_gap_s));
        }
        let window = self.window();
        if window.after == 0 || window.length() < 2 || window.length() > LONGEST_SEGMENT {
            let length = window.length();
            return rule(
                "window_after_ms",
                format!("and the rate give segments of {length} samples; 2 to {LONGEST_SEGMENT} fit"),
            );
        }
        self.clustering.validate()?;
        self.eeg.validate()
    }

    /// Whether the records of `source` are treated as EEG.
    pub fn is_eeg(&self, source: &dyn RecordSource) -> bool {
        let told = || {
            let record =
                (0..source.entries().len()).find_map(|i| source.read(i, None).ok().filter(|r| !r.channels.is_empty()))?;
            let (names, units) =
                record.channels.iter().map(|c| (c.label.clone(), c.unit.clone())).unzip::<_, _, Vec<_>, Vec<_>>();
            // The lead asked for is there: beats are to be cut, whatever else was recorded.
            let has_lead = names.contains(&self.lead);
            Some(!has_lead && matches!(SignalKind::of_channels(&names, &units), SignalKind::Eeg(_)))
        };
        match self.kind {
            KindChoice::Auto => told().unwrap_or(false),
            KindChoice::Ecg => false,
            KindChoice::Eeg => true,
        }
    }

    /// The window in samples at the working rate.
    pub fn window(&self) -> crate::segmentation::Window {
        crate::segmentation::Window::from_milliseconds(self.window_before_ms, self.window_after_ms, self.sampling_frequency_hz)
    }
}

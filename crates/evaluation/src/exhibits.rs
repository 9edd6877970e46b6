//! What a report draws besides the table of measures: plain values under the key `exhibits` of `scores.json`. Kinds are added, never
//! renamed; each is empty where nothing made it.

use serde::{Deserialize, Serialize};

/// Everything there is to show.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Exhibits {
    /// Who was taken for what by classifiers trained and tested on real or synthetic segments.
    pub confusions: Vec<ConfusionMatrix>,
    /// Where in a segment a classifier with attention looked.
    pub attentions: Vec<Attention>,
    /// Curves of attacks on privacy.
    pub curves: Vec<Curve>,
}

/// Who was taken for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// The classifier.
    pub judge: String,
    /// What it was trained on: `real` or `synthetic`.
    pub trained_on: String,
    /// What it was tested on: `real` (held-out subjects) or `synthetic`.
    pub tested_on: String,
    /// The classes of the rows: those that were taught first, then others of the held-out subjects.
    pub actual: Vec<String>,
    /// The classes of the columns: those that were taught.
    pub predicted: Vec<String>,
    /// Segments, `[actual][predicted]`: means over the training draws.
    pub counts: Vec<Vec<f64>>,
}

/// Where in a segment a classifier with attention looked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// The classifier.
    pub judge: String,
    /// What it was trained on: `real` or `synthetic`.
    pub trained_on: String,
    /// The class of the segments looked at: held-out subjects'.
    pub class: String,
    /// Mean weight of each stretch of the segment, from its first to its last sample, stretches of equal length (the last one
    /// may reach beyond the end); sums to 1.
    pub weights: Vec<f64>,
    /// The mean of those segments as the classifier saw it (first channel), one value per sample.
    pub mean_segment: Vec<f64>,
}

/// A curve of one value over another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The measure that it belongs to, without its last word: `membership_density_ratio_subject`.
    pub name: String,
    /// Class label, or `all`.
    pub class: String,
    /// Of which segments: `synthetic`, `same`, or a baseline's name.
    pub set: String,
    /// What `x` counts.
    pub x_label: String,
    /// What `y` counts.
    pub y_label: String,
    /// Ascending.
    pub x: Vec<f64>,
    /// One value for each of `x`.
    pub y: Vec<f64>,
}

impl Exhibits {
    /// Adds those of `other`.
    pub fn extend(&mut self, other: Self) {
        self.confusions.extend(other.confusions);
        self.attentions.extend(other.attentions);
        self.curves.extend(other.curves);
    }
}

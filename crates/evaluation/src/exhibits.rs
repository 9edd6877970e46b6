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
    /// Real and synthetic segments as points in the plane.
    pub maps: Vec<PointMap>,
    /// Synthetic segments with the real training segments nearest to them, by their places in the two sets.
    pub nearest: Vec<NearestPair>,
    /// How quantities of segments are distributed, real and synthetic.
    pub distributions: Vec<Distribution>,
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

/// Real and synthetic segments as points in the plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointMap {
    /// How it was made: `pca` (a projection, fitted on real training segments) or `tsne` (neighbourhoods, of all points together).
    pub name: String,
    /// What lies along x.
    pub x_label: String,
    /// What lies along y.
    pub y_label: String,
    /// The points, by set and class.
    pub groups: Vec<PointGroup>,
}

/// The points of one class of one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointGroup {
    /// `train` (real), `held_out` (real, other subjects) or `synthetic`.
    pub set: String,
    /// Class label.
    pub class: String,
    /// One value per segment.
    pub x: Vec<f64>,
    /// One value per segment.
    pub y: Vec<f64>,
}

/// A synthetic segment and the real training segment nearest to it. Places, not samples, so that scores hold no real recordings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestPair {
    /// Class label of both.
    pub class: String,
    /// Share of the synthetic segments of the class looked at that are nearer to a real one: 0 for the closest pair, 0.5 for the
    /// median one, 1 for the farthest.
    pub rank: f64,
    /// Root mean square difference over all samples and channels, in `unit`.
    pub distance: f64,
    /// Physical unit of the signals.
    pub unit: String,
    /// Index into the synthetic set.
    pub synthetic: usize,
    /// Index into the real set.
    pub real: usize,
}

/// How one quantity is distributed over the segments of a class, in several sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The quantity with its unit, as in measures' names: `pr_ms`.
    pub name: String,
    /// The same in words.
    pub what: String,
    /// What the values count in; empty for pure numbers.
    pub unit: String,
    /// Class label, or `all`.
    pub class: String,
    /// Smallest and largest value of the grid that densities are given on, at equal steps.
    pub range: [f64; 2],
    /// `train` (real), `held_out` (real, other subjects), `synthetic`.
    pub sets: Vec<DistributionOfSet>,
}

/// How a quantity is distributed in one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistributionOfSet {
    /// `train`, `held_out` or `synthetic`.
    pub set: String,
    /// Segments that have the quantity.
    pub values: usize,
    /// Segments that lack it (a wave that was not found).
    pub missing: usize,
    /// Quantiles at 5, 25, 50, 75 and 95%.
    pub quantiles: [f64; 5],
    /// Probability density on the grid, per unit: a Gaussian kernel estimate.
    pub density: Vec<f64>,
}

impl Exhibits {
    /// Adds those of `other`.
    pub fn extend(&mut self, other: Self) {
        self.confusions.extend(other.confusions);
        self.attentions.extend(other.attentions);
        self.curves.extend(other.curves);
        self.maps.extend(other.maps);
        self.nearest.extend(other.nearest);
        self.distributions.extend(other.distributions);
    }
}

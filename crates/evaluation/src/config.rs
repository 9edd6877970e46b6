use serde::{Deserialize, Serialize};

/// Subjects that nothing was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeldOut {
    /// Those that nothing was chosen on.
    #[default]
    Test,
    /// Those that settings may be chosen on.
    Validation,
}

/// Settings of an evaluation: the table `[evaluation]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Whose real segments synthetic ones are held against beside the training subjects': those of the `test` subjects, or those of the
    /// `validation` subjects, so that settings can be chosen without a look at the test subjects. Without test subjects the latter in either
    /// case. Default `test`.
    pub held_out: HeldOut,
    /// At most so many segments of a class are scored, and as many real ones stand on the other side. Default 600.
    pub segments_per_class: usize,
    /// Half-width of the Sakoe–Chiba band of dynamic time warping, as a share of the segment's length. Default 0.1.
    pub dtw_band: f64,
    /// Neighbours that a neighbourhood reaches to: the k of precision, recall, density and coverage. Default 5.
    pub neighbours: usize,
    /// How many times subjects are resampled for an interval. Default 500.
    pub bootstrap_rounds: usize,
    /// No interval for fewer subjects than this. Default 5.
    pub minimum_subjects: usize,
    /// How many times training sets are drawn and classifiers trained for the utility measures. Default 5.
    pub utility_draws: usize,
    /// Trees of the forests that judge utility; those that tell real from synthetic have half as many. Default 150.
    pub forest_trees: usize,
    /// Training steps (of 64 segments) of the networks that judge utility, discriminate, and embed; 0: no networks. Default 150.
    pub network_steps: usize,
    /// Random halves of the subjects over which membership is attacked. Default 20.
    pub privacy_rounds: usize,
    /// Segments of a class that a subject brings to an attack at most. Default 30.
    pub privacy_segments_per_subject: usize,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            held_out: HeldOut::Test,
            segments_per_class: 600,
            dtw_band: 0.1,
            neighbours: 5,
            bootstrap_rounds: 500,
            minimum_subjects: 5,
            utility_draws: 5,
            forest_trees: 150,
            network_steps: 150,
            privacy_rounds: 20,
            privacy_segments_per_subject: 30,
        }
    }
}

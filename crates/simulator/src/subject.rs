use physiosynth_signal::Seed;
use rand::{Rng, RngExt};

use crate::SimulatorConfig;
use crate::morphology::BeatShape;
use crate::rhythm::RhythmConfig;

/// How strong each kind of noise is, as a root mean square in millivolts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseLevels {
    /// Baseline wander.
    pub baseline_wander_mv: f64,
    /// Mains interference.
    pub mains_mv: f64,
    /// Muscle noise.
    pub muscle_mv: f64,
    /// Electrode and amplifier.
    pub electrode_mv: f64,
    /// Mains frequency in hertz: 50 or 60.
    pub mains_hz: f64,
}

/// One simulated person: everything that stays the same through the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Rhythm.
    pub rhythm: RhythmConfig,
    /// Sinus beats.
    pub sinus: BeatShape,
    /// Premature atrial beats.
    pub atrial: BeatShape,
    /// Premature ventricular beats.
    pub ventricular: BeatShape,
    /// Noise.
    pub noise: NoiseLevels,
    /// Share by which breathing changes the height of the QRS complex.
    pub respiration_depth: f64,
}

impl Subject {
    /// Subject `index` of a database, from the stream (`"simulator"`, `index`).
    ///
    /// Of any sixteen in a row, one has neither S nor V, one no S and one no V, so that any three subjects among the first
    /// sixteen hold all classes whatever the split.
    pub fn draw(config: &SimulatorConfig, seed: Seed, index: usize) -> Self {
        let mut rng = seed.stream("simulator", index as u64);
        let rng = &mut rng;
        let sinus = BeatShape::sinus(rng);
        let atrial = BeatShape::premature_atrial(rng, &sinus);
        let ventricular = BeatShape::premature_ventricular(rng);
        let mut rhythm = Self::draw_rhythm(rng, config.ectopy_scale);
        if index % 16 == 4 || index % 16 == 9 {
            rhythm.share_s = 0.0;
        }
        if index % 16 == 4 || index % 16 == 12 {
            rhythm.share_v = 0.0;
        }
        let noise = NoiseLevels {
            baseline_wander_mv: config.noise_scale * rng.random_range(0.02..0.12),
            mains_mv: config.noise_scale * rng.random_range(0.002..0.014),
            muscle_mv: config.noise_scale * rng.random_range(0.004..0.022),
            electrode_mv: config.noise_scale * rng.random_range(0.002..0.005),
            mains_hz: if rng.random_bool(0.5) { 50.0 } else { 60.0 },
        };
        let respiration_depth = rng.random_range(0.02..0.07);
        Self { rhythm, sinus, atrial, ventricular, noise, respiration_depth }
    }

    fn draw_rhythm(rng: &mut impl Rng, ectopy_scale: f64) -> RhythmConfig {
        let mean_rate_per_min: f64 = rng.random_range(56.0..94.0);
        RhythmConfig {
            mean_rate_per_min,
            // Slower hearts vary more.
            sdnn_s: rng.random_range(0.25..0.75) * 0.08 * (60.0 / mean_rate_per_min),
            lf_hf_ratio: rng.random_range(0.4..2.0),
            mayer_hz: rng.random_range(0.08..0.12),
            respiration_hz: rng.random_range(0.2..0.32),
            share_s: ectopy_scale * rng.random_range(0.03..0.1),
            share_v: ectopy_scale * rng.random_range(0.04..0.1),
            bigeminy: if rng.random_bool(0.25) { 0.6 } else { rng.random_range(0.0..0.15) },
        }
    }

    /// The shape of beats of this class.
    pub fn shape(&self, label: &str) -> &BeatShape {
        match label {
            "S" => &self.atrial,
            "V" => &self.ventricular,
            _ => &self.sinus,
        }
    }
}

//! When the heart beats: RR intervals with a Mayer-wave and a respiratory peak, and premature beats put in.
//!
//! The sinus intervals follow McSharry et al. (2003), section II.A: their spectrum is the sum of two Gaussians, at about
//! 0.1 Hz (LF) and at the respiratory frequency (HF), with random phases, scaled to the standard deviation asked for. A
//! premature atrial beat (S) resets the sinus node: the pause after it is not compensatory. A premature ventricular beat (V)
//! does not: the next sinus beat comes when it would have come anyway, one interval missed (compensatory pause).

use std::f64::consts::TAU;

use physiosynth_signal::Seed;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::SimulatorError;
use crate::noise::{Line, add_lines};

/// One person's rhythm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RhythmConfig {
    /// Mean rate of the sinus node in beats per minute; 25 to 200. Default 70.
    pub mean_rate_per_min: f64,
    /// Standard deviation of sinus intervals (SDNN) in seconds; 0 to 0.2 and at most a quarter of the mean interval.
    /// Default 0.04.
    pub sdnn_s: f64,
    /// Power of the Mayer-wave peak over that of the respiratory peak; 0.01 to 100. Default 0.5, the paper's.
    pub lf_hf_ratio: f64,
    /// Centre of the Mayer-wave peak in hertz; 0.04 to 0.15. Default 0.1.
    pub mayer_hz: f64,
    /// Centre of the respiratory peak in hertz; 0.15 to 0.4. Default 0.25.
    pub respiration_hz: f64,
    /// Share of premature atrial beats (S) among all beats; with `share_v` at most 0.4. Default 0.03.
    pub share_s: f64,
    /// Share of premature ventricular beats (V) among all beats; with `share_s` at most 0.4. Default 0.05.
    pub share_v: f64,
    /// Probability that V, N is followed by another V, so that episodes of bigeminy arise without changing `share_v`;
    /// 0 to 0.9. Default 0.1.
    pub bigeminy: f64,
}

impl Default for RhythmConfig {
    fn default() -> Self {
        Self {
            mean_rate_per_min: 70.0,
            sdnn_s: 0.04,
            lf_hf_ratio: 0.5,
            mayer_hz: 0.1,
            respiration_hz: 0.25,
            share_s: 0.03,
            share_v: 0.05,
            bigeminy: 0.1,
        }
    }
}

impl RhythmConfig {
    /// Checks every field's range.
    pub fn validate(&self) -> Result<(), SimulatorError> {
        SimulatorError::check("rhythm.mean_rate_per_min", self.mean_rate_per_min, 25.0, 200.0)?;
        SimulatorError::check("rhythm.sdnn_s", self.sdnn_s, 0.0, (0.25 * self.mean_rr_s()).min(0.2))?;
        SimulatorError::check("rhythm.lf_hf_ratio", self.lf_hf_ratio, 0.01, 100.0)?;
        SimulatorError::check("rhythm.mayer_hz", self.mayer_hz, 0.04, 0.15)?;
        SimulatorError::check("rhythm.respiration_hz", self.respiration_hz, 0.15, 0.4)?;
        SimulatorError::check("rhythm.share_s", self.share_s, 0.0, 0.4)?;
        SimulatorError::check("rhythm.share_v", self.share_v, 0.0, 0.4)?;
        SimulatorError::check("rhythm.share_s + rhythm.share_v", self.share_s + self.share_v, 0.0, 0.4)?;
        SimulatorError::check("rhythm.bigeminy", self.bigeminy, 0.0, 0.9)
    }

    /// Mean sinus interval in seconds.
    pub fn mean_rr_s(&self) -> f64 {
        60.0 / self.mean_rate_per_min
    }
}

/// One beat in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RhythmBeat {
    /// Time of the R peak, in seconds from the start.
    pub time_s: f64,
    /// Time since the beat before, in seconds; NaN for the first.
    pub rr_before_s: f64,
    /// Class: `N` (sinus), `S` (premature atrial) or `V` (premature ventricular).
    pub label: &'static str,
}

/// The beats of `duration_s` seconds, in order, from the stream (`"rhythm"`, `step`) of the seed.
///
/// # Errors
/// A setting of `config` is out of range, or the duration is not between 0 and 86,400 s.
///
/// ```
/// use physiosynth_signal::Seed;
/// use physiosynth_simulator::rhythm::{RhythmConfig, rhythm};
///
/// let beats = rhythm(Seed(1), 0, &RhythmConfig::default(), 60.0)?;
/// assert!((60..80).contains(&beats.len()));
/// # Ok::<(), physiosynth_simulator::SimulatorError>(())
/// ```
pub fn rhythm(seed: Seed, step: u64, config: &RhythmConfig, duration_s: f64) -> Result<Vec<RhythmBeat>, SimulatorError> {
    draw(&mut seed.stream("rhythm", step), config, duration_s)
}

/// As [`rhythm`], from a generator of the caller's.
pub fn draw(rng: &mut impl Rng, config: &RhythmConfig, duration_s: f64) -> Result<Vec<RhythmBeat>, SimulatorError> {
    config.validate()?;
    SimulatorError::check("duration_s", duration_s, 0.0, 86_500.0)?;
    let tachogram = Tachogram::draw(rng, config, duration_s);
    let ectopy = Ectopy::new(config);
    let mut beats = Vec::with_capacity((duration_s / config.mean_rr_s()) as usize + 8);
    let mut beat = RhythmBeat { time_s: rng.random_range(0.25..0.95) * config.mean_rr_s(), rr_before_s: f64::NAN, label: "N" };
    let mut after_v = false;
    // The sinus interval in which the last premature beat fell.
    let mut sinus_rr = tachogram.at(beat.time_s);
    while beat.time_s < duration_s {
        beats.push(beat);
        let (rr, label) = match beat.label {
            // Never shorter than a sinus interval, also where a fast rate leaves no room for a premature beat.
            "V" => ((2.0 * sinus_rr - beat.rr_before_s).max(sinus_rr), "N"),
            "S" => (tachogram.at(beat.time_s) * rng.random_range(1.0..1.12), "N"),
            _ => {
                sinus_rr = tachogram.at(beat.time_s);
                match ectopy.next(rng, after_v) {
                    // 0.3 s: the ventricles are refractory before.
                    "V" => ((sinus_rr * rng.random_range(0.55..0.72)).max(0.3), "V"),
                    "S" => ((sinus_rr * rng.random_range(0.57..0.73)).max(0.3), "S"),
                    normal => (sinus_rr, normal),
                }
            }
        };
        after_v = beat.label == "V";
        beat = RhythmBeat { time_s: beat.time_s + rr, rr_before_s: rr, label };
    }
    Ok(beats)
}

/// What the next beat is, drawn at each sinus beat. Every premature beat is followed by a sinus beat, so a share `e` of all
/// beats takes a share `e / (1 - e)` of the draws.
struct Ectopy {
    s: f64,
    v: f64,
    v_after_v: f64,
}

impl Ectopy {
    fn new(config: &RhythmConfig) -> Self {
        let draws = 1.0 - config.share_s - config.share_v;
        let (s, v) = (config.share_s / draws, config.share_v / draws);
        if v == 0.0 {
            return Self { s, v, v_after_v: 0.0 };
        }
        // Stationary share of V among draws: v = v·again + (1 - v)·p, solved for p.
        let again = config.bigeminy.max(v).min(1.0 - s);
        Self { s, v: v * (1.0 - again) / (1.0 - v), v_after_v: again }
    }

    fn next(&self, rng: &mut impl Rng, after_v: bool) -> &'static str {
        let v = if after_v { self.v_after_v } else { self.v };
        let draw: f64 = rng.random();
        if draw < v {
            "V"
        } else if draw < v + self.s {
            "S"
        } else {
            "N"
        }
    }
}

/// The sinus interval as a function of time, on a grid.
struct Tachogram {
    mean_s: f64,
    deviations_s: Vec<f64>,
}

/// Grid points per second: sixteen or more per respiratory cycle, so that linear interpolation loses nothing.
const GRID_HZ: f64 = 8.0;
/// Standard deviation of each spectral peak in hertz: the paper's `c1 = c2`.
const PEAK_WIDTH_HZ: f64 = 0.01;
/// Spectral lines per peak, drawn from its Gaussian: enough that the series does not repeat, at a cost that does not grow
/// with the duration's square.
const LINES: usize = 64;

impl Tachogram {
    fn draw(rng: &mut impl Rng, config: &RhythmConfig, duration_s: f64) -> Self {
        // Scaled over two minutes at least: a few seconds hold too few waves to have a standard deviation.
        let points = (duration_s.max(120.0) * GRID_HZ) as usize + 2;
        let mut deviations = vec![0.0_f64; points];
        for (centre, power) in [(config.mayer_hz, config.lf_hf_ratio), (config.respiration_hz, 1.0)] {
            for _ in 0..LINES / 8 {
                let line = |_| Line {
                    cycles_per_sample: (centre + PEAK_WIDTH_HZ * rng.sample::<f64, _>(StandardNormal)) / GRID_HZ,
                    amplitude: power.sqrt(),
                    phase: rng.random_range(0.0..TAU),
                };
                add_lines::<8>(&mut deviations, std::array::from_fn(line));
            }
        }
        let mean = deviations.iter().sum::<f64>() / points as f64;
        let sd = (deviations.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / points as f64).sqrt();
        let factor = if sd > 0.0 { config.sdnn_s / sd } else { 0.0 };
        for x in &mut deviations {
            *x = (*x - mean) * factor;
        }
        Self { mean_s: config.mean_rr_s(), deviations_s: deviations }
    }

    /// The interval that begins at this time; never below 0.6 of the mean.
    fn at(&self, time_s: f64) -> f64 {
        let position = (time_s * GRID_HZ).max(0.0);
        let last = self.deviations_s.len() - 1;
        let (i, part) = ((position as usize).min(last), position.fract());
        let deviation = self.deviations_s[i] * (1.0 - part) + self.deviations_s[(i + 1).min(last)] * part;
        (self.mean_s + deviation).max(0.6 * self.mean_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sinus_only() -> RhythmConfig {
        RhythmConfig { share_s: 0.0, share_v: 0.0, ..RhythmConfig::default() }
    }

    fn mean_and_sd(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    }

    #[test]
    fn mean_rate_and_variability_are_as_asked() {
        for (step, (rate, sdnn)) in [(50.0, 0.08), (70.0, 0.04), (110.0, 0.015)].into_iter().enumerate() {
            let config = RhythmConfig { mean_rate_per_min: rate, sdnn_s: sdnn, ..sinus_only() };
            let beats = rhythm(Seed(2), step as u64, &config, 600.0).unwrap();
            let rr: Vec<f64> = beats[1..].iter().map(|b| b.rr_before_s).collect();
            let (mean, sd) = mean_and_sd(&rr);
            assert!((60.0 / mean - rate).abs() < 0.02 * rate, "rate {}", 60.0 / mean);
            assert!((sd - sdnn).abs() < 0.1 * sdnn, "SDNN {sd} for {sdnn}");
        }
    }

    #[test]
    fn spectrum_has_the_two_peaks_and_their_ratio() {
        let config = RhythmConfig { lf_hf_ratio: 2.0, ..sinus_only() };
        let beats = rhythm(Seed(5), 0, &config, 1200.0).unwrap();
        // Power of the RR series between two frequencies: each line's Fourier sum over the unevenly spaced beats.
        let power = |low: f64, high: f64| -> f64 {
            let mean = config.mean_rr_s();
            let lines = ((high - low) * 1200.0) as usize;
            let line = |k: usize| {
                let frequency = low + k as f64 / 1200.0;
                let (re, im) = beats[1..].iter().fold((0.0, 0.0), |(re, im), b| {
                    let (sin, cos) = (TAU * frequency * b.time_s).sin_cos();
                    (re + (b.rr_before_s - mean) * cos, im + (b.rr_before_s - mean) * sin)
                });
                re * re + im * im
            };
            (0..lines).map(line).sum()
        };
        let (lf, gap, hf) = (power(0.07, 0.13), power(0.15, 0.2), power(0.22, 0.28));
        assert!(lf > 10.0 * gap && hf > 10.0 * gap, "LF {lf}, between {gap}, HF {hf}");
        assert!((1.2..3.2).contains(&(lf / hf)), "LF/HF {}", lf / hf);
    }

    #[test]
    fn shares_are_as_asked_also_with_bigeminy() {
        for bigeminy in [0.0, 0.6] {
            let config = RhythmConfig { share_s: 0.05, share_v: 0.12, bigeminy, ..RhythmConfig::default() };
            let beats = rhythm(Seed(9), 0, &config, 20_000.0).unwrap();
            let share = |label| beats.iter().filter(|b| b.label == label).count() as f64 / beats.len() as f64;
            assert!((share("S") - 0.05).abs() < 0.006, "{}", share("S"));
            assert!((share("V") - 0.12).abs() < 0.012, "{}", share("V"));
        }
    }

    #[test]
    fn premature_beats_are_early_and_their_pauses_as_the_physiology_has_them() {
        let config = RhythmConfig { share_s: 0.08, share_v: 0.08, sdnn_s: 0.02, ..RhythmConfig::default() };
        let beats = rhythm(Seed(11), 0, &config, 3000.0).unwrap();
        let mean = config.mean_rr_s();
        for pair in beats[1..].windows(2) {
            let two = pair[0].rr_before_s + pair[1].rr_before_s;
            match pair[0].label {
                "S" => assert!(pair[0].rr_before_s < 0.82 * mean && two < 1.95 * mean, "{pair:?}"),
                "V" => assert!(pair[0].rr_before_s < 0.8 * mean && (two - 2.0 * mean).abs() < 0.2 * mean, "{pair:?}"),
                _ => {}
            }
        }
        assert!(beats.windows(2).all(|b| b[0].label == "N" || b[1].label == "N"));
    }

    #[test]
    fn same_seed_same_beats_and_wrong_settings_are_refused() {
        let config = RhythmConfig::default();
        let times = |seed, step| -> Vec<f64> { rhythm(seed, step, &config, 60.0).unwrap().iter().map(|b| b.time_s).collect() };
        assert_eq!(times(Seed(1), 2), times(Seed(1), 2));
        assert_ne!(times(Seed(1), 2), times(Seed(1), 3));
        assert_ne!(times(Seed(1), 2), times(Seed(2), 2));
        assert!(rhythm(Seed(1), 0, &config, f64::INFINITY).is_err());
        let crowded = RhythmConfig { share_s: 0.3, share_v: 0.3, ..config };
        assert!(rhythm(Seed(1), 0, &crowded, 10.0).unwrap_err().to_string().contains("share_s + rhythm.share_v"));
    }
}

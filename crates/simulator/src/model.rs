//! The dynamical model: equations (1) of McSharry et al. (2003), integrated by the classical Runge–Kutta method (RK4).
//!
//! The paper's point moves in the plane by `x' = αx − ωy`, `y' = αy + ωx`, `α = 1 − √(x² + y²)`. In polar coordinates that is
//! `r' = r(1 − r)`, `θ' = ω`: the unit circle attracts, and a point that starts on it stays. It starts there here, so `r` need
//! not be carried, `θ` is what the paper takes from an arctangent, and RK4 integrates it exactly. The height follows
//!
//! ```text
//! z' = − Σ aᵢ Δθᵢ exp(−Δθᵢ² / 2bᵢ²) − z        with aᵢ = Aᵢ ω / bᵢ²
//! ```
//!
//! for each lead. This choice of `aᵢ` makes wave `i` about `Aᵢ` millivolts high whatever the heart rate; angle and width follow
//! from times by the angular velocity in force (`θᵢ = ω tᵢ`, `bᵢ = ω σᵢ`), as ECGSYN scales them by the rate, so that a QRS
//! complex is not narrower because the beat is early. The paper's baseline `z₀(t)` is 0 here: wander is a part of its own in
//! [`noise`](crate::noise). The term `− z` remains, and acts as a recorder's high-pass at 0.16 Hz.
//!
//! `ω = 2π / RR` changes at each R peak (`θ = 0`). A step that would straddle a peak is split there: otherwise the phase would
//! be late by up to a step, and RK4 would lose its order.

use std::f64::consts::TAU;

use crate::LEADS;

/// One wave of one beat, placed in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedWave {
    /// Time of its centre in seconds from the start of the record.
    pub centre_s: f64,
    /// Standard deviation of its Gaussian, in seconds.
    pub width_s: f64,
    /// Amplitude in each lead, in millivolts.
    pub amplitude_mv: [f64; LEADS.len()],
}

/// Waves further than this many widths away have less than 10⁻⁷ of their height and are left out.
const REACH: f64 = 6.0;

/// Internal steps per second, at least. The narrowest wave (Q) has a width of 6 ms; at 2.8 ms a step RK4's error is below
/// 10⁻⁴ of a wave's height, well under half a unit of an 11-bit converter. More would only cost time.
pub const INTERNAL_RATE_HZ: f64 = 360.0;

/// The lowest multiple of the sampling frequency that is at least [`INTERNAL_RATE_HZ`], as steps per sample.
pub fn steps_per_sample(sampling_frequency_hz: f64) -> usize {
    // A rate a hair below 360 must not double the work.
    ((INTERNAL_RATE_HZ / sampling_frequency_hz - 1e-9).ceil() as usize).max(1)
}

/// Integrates the model over the beats at `r_times_s` (ascending; they must reach from before the first sample to behind the
/// last) with each beat's `waves`, and returns `samples` samples a lead at `sampling_frequency_hz`, in millivolts. Integration
/// starts with the first beat, so beats before time 0 let the start's transient (1 s) die away.
pub fn integrate(
    r_times_s: &[f64],
    waves: &[Vec<PlacedWave>],
    sampling_frequency_hz: f64,
    steps_per_sample: usize,
    samples: usize,
) -> [Vec<f32>; LEADS.len()] {
    let mut leads = [const { Vec::new() }; LEADS.len()];
    for lead in &mut leads {
        lead.reserve(samples);
    }
    let (Some(&start), true) = (r_times_s.first(), r_times_s.len() > 1) else {
        return leads.map(|_| vec![0.0; samples]);
    };
    let rate = sampling_frequency_hz * steps_per_sample.max(1) as f64;
    let time = |step: i64| step as f64 / rate;
    let first_step = (start * rate).ceil() as i64;
    let mut beat = Interval::new(r_times_s, waves, 0);
    let phase = beat.phase(time(first_step));
    // Begun on the waves themselves: what is left of the start's transient is the high-pass's, a few hundredths of a millivolt.
    let mut state = State { z: beat.height(phase), pull: beat.pull(phase) };
    for step in first_step..samples as i64 * steps_per_sample.max(1) as i64 {
        let (mut from, to) = (time(step), time(step + 1));
        if step >= 0 && step % steps_per_sample.max(1) as i64 == 0 {
            for (lead, z) in leads.iter_mut().zip(state.z) {
                lead.push(z as f32);
            }
        }
        while to >= beat.end_s {
            let end = beat.end_s;
            state.advance(&mut beat, from, end);
            from = end;
            beat = Interval::new(r_times_s, waves, beat.index + 1);
        }
        state.advance(&mut beat, from, to);
    }
    leads
}

/// The height in each lead, and the pull of the waves at the present phase (kept because a step ends where the next begins).
struct State {
    z: [f64; LEADS.len()],
    pull: [f64; LEADS.len()],
}

impl State {
    /// One Runge–Kutta step. The pull depends on the phase alone and both middle stages have the same, so two evaluations
    /// serve the four stages.
    fn advance(&mut self, beat: &mut Interval, from_s: f64, to_s: f64) {
        let h = to_s - from_s;
        let middle = beat.pull(beat.phase(from_s + 0.5 * h));
        let end = beat.pull(beat.phase(to_s));
        for lead in 0..LEADS.len() {
            let z = self.z[lead];
            let k1 = self.pull[lead] - z;
            let k2 = middle[lead] - (z + 0.5 * h * k1);
            let k3 = middle[lead] - (z + 0.5 * h * k2);
            let k4 = end[lead] - (z + h * k3);
            self.z[lead] = z + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
        }
        self.pull = end;
    }
}

/// One wave as the equation has it, in the phase of the present interval.
#[derive(Clone, Copy)]
struct PhaseWave {
    angle: f64,
    reach: f64,
    /// `1 / 2b²`.
    inverse: f64,
    /// `a` for each lead.
    strength: [f64; LEADS.len()],
}

/// The time from one R peak to the next: one turn.
struct Interval {
    index: usize,
    start_s: f64,
    end_s: f64,
    omega: f64,
    /// In order of where they begin to pull.
    waves: Vec<PhaseWave>,
    /// How many of `waves` have begun, and those of them that still pull: two or three at a time, out of a dozen.
    begun: usize,
    active: Vec<PhaseWave>,
}

impl Interval {
    fn new(r_times_s: &[f64], waves: &[Vec<PlacedWave>], index: usize) -> Self {
        let last = r_times_s.len() - 1;
        let start_s = r_times_s[index.min(last)];
        // Behind the last beat the point runs on for ever at the last speed.
        let end_s = r_times_s.get(index + 1).copied().unwrap_or(f64::INFINITY);
        let turn_s = if end_s.is_finite() { end_s - start_s } else { start_s - r_times_s[last.saturating_sub(1)] };
        let omega = TAU / turn_s;
        let near = waves.iter().take(index + 4).skip(index.saturating_sub(2)).flatten();
        let mut waves: Vec<PhaseWave> = near
            .filter(|w| w.centre_s + REACH * w.width_s > start_s && w.centre_s - REACH * w.width_s < end_s)
            .map(|w| {
                let b = omega * w.width_s;
                PhaseWave {
                    angle: omega * (w.centre_s - start_s),
                    reach: REACH * b,
                    inverse: 0.5 / (b * b),
                    strength: w.amplitude_mv.map(|a| a * omega / (b * b)),
                }
            })
            .collect();
        waves.sort_by(|a, b| (a.angle - a.reach).total_cmp(&(b.angle - b.reach)));
        Self { index, start_s, end_s, omega, active: Vec::with_capacity(waves.len()), waves, begun: 0 }
    }

    fn phase(&self, time_s: f64) -> f64 {
        self.omega * (time_s - self.start_s)
    }

    /// `Σ Aᵢ exp(−Δθᵢ² / 2bᵢ²)` for each lead: what the waves alone would draw.
    fn height(&self, phase: f64) -> [f64; LEADS.len()] {
        let mut sum = [0.0; LEADS.len()];
        for wave in &self.waves {
            let exponential = (-(phase - wave.angle).powi(2) * wave.inverse).exp();
            for (sum, strength) in sum.iter_mut().zip(wave.strength) {
                *sum += strength / (2.0 * wave.inverse * self.omega) * exponential;
            }
        }
        sum
    }

    /// `− Σ aᵢ Δθᵢ exp(−Δθᵢ² / 2bᵢ²)` for each lead. The phase never goes back.
    fn pull(&mut self, phase: f64) -> [f64; LEADS.len()] {
        while let Some(wave) = self.waves.get(self.begun).filter(|w| w.angle - w.reach <= phase) {
            self.active.push(*wave);
            self.begun += 1;
        }
        self.active.retain(|w| phase < w.angle + w.reach);
        let mut sum = [0.0; LEADS.len()];
        for wave in &self.active {
            let distance = phase - wave.angle;
            let common = distance * (-distance * distance * wave.inverse).exp();
            for (sum, strength) in sum.iter_mut().zip(wave.strength) {
                *sum -= strength * common;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fifteen unevenly spaced beats of P, Q, R, S, T.
    fn scene() -> (Vec<f64>, Vec<Vec<PlacedWave>>) {
        let times: Vec<f64> = (0..15).map(|i| -2.0 + 0.8 * f64::from(i) - if i % 4 == 3 { 0.25 } else { 0.0 }).collect();
        let shape = [(-0.16, 0.022, 0.12), (-0.03, 0.007, -0.1), (0.0, 0.01, 1.0), (0.028, 0.008, -0.2), (0.28, 0.05, 0.3)];
        let beat =
            |&r: &f64| shape.map(|(t, s, a)| PlacedWave { centre_s: r + t, width_s: s, amplitude_mv: [a, -0.5 * a] }).to_vec();
        let waves = times.iter().map(beat).collect();
        (times, waves)
    }

    fn largest_difference(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&x, &y)| f64::from((x - y).abs())).fold(0.0, f64::max)
    }

    #[test]
    fn halving_the_step_changes_nothing_that_matters() {
        let (times, waves) = scene();
        let coarse = integrate(&times, &waves, 360.0, 1, 3000);
        let fine = integrate(&times, &waves, 360.0, 2, 3000);
        let finest = integrate(&times, &waves, 360.0, 16, 3000);
        let (first, second) = (largest_difference(&coarse[0], &fine[0]), largest_difference(&fine[0], &finest[0]));
        assert!(first < 1e-3, "against an R wave of 1 mV: {first}");
        // Fourth order: half the step, a sixteenth of the error.
        assert!(second < first / 10.0, "{first} then {second}");
        assert_eq!(coarse[0].len(), 3000);
    }

    fn naive_pull(beat: &Interval, phase: f64) -> f64 {
        let pull = |w: &PhaseWave| w.strength[0] * (phase - w.angle) * (-(phase - w.angle).powi(2) * w.inverse).exp();
        -beat.waves.iter().map(pull).sum::<f64>()
    }

    /// The paper's equations as printed, one lead: x, y, z by RK4, the phase from an arctangent.
    fn cartesian(times: &[f64], waves: &[Vec<PlacedWave>], samples: usize) -> Vec<f32> {
        let steps = 8;
        let rate = 360.0 * f64::from(steps);
        let mut beat = Interval::new(times, waves, 0);
        let mut state = [1.0, 0.0, beat.height(0.0)[0]];
        let mut advance = |beat: &Interval, from: f64, to: f64| {
            let slope = |t: f64, [x, y, z]: [f64; 3]| {
                let alpha = 1.0 - x.hypot(y);
                // The arctangent knows the phase but for whole turns.
                let (expected, angle) = (beat.omega * (t - beat.start_s), y.atan2(x));
                let phase = angle + TAU * ((expected - angle) / TAU).round();
                [alpha * x - beat.omega * y, alpha * y + beat.omega * x, naive_pull(beat, phase) - z]
            };
            let along = |k: [f64; 3], h: f64| std::array::from_fn(|i| state[i] + h * k[i]);
            let h = to - from;
            let k1 = slope(from, state);
            let k2 = slope(from + h / 2.0, along(k1, h / 2.0));
            let k3 = slope(from + h / 2.0, along(k2, h / 2.0));
            let k4 = slope(to, along(k3, h));
            state = std::array::from_fn(|i| state[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
            state[2]
        };
        let mut out = vec![0.0; samples];
        for step in (times[0] * rate) as i32..(samples as i32 - 1) * steps {
            let (mut from, to) = (f64::from(step) / rate, f64::from(step + 1) / rate);
            while to >= beat.end_s {
                let end = beat.end_s;
                advance(&beat, from, end);
                from = end;
                beat = Interval::new(times, waves, beat.index + 1);
            }
            let z = advance(&beat, from, to);
            if step + 1 >= 0 && (step + 1) % steps == 0 {
                out[((step + 1) / steps) as usize] = z as f32;
            }
        }
        out
    }

    #[test]
    fn polar_form_is_the_papers_cartesian_one() {
        let (times, waves) = scene();
        let fast = integrate(&times, &waves, 360.0, 8, 1500);
        let naive = cartesian(&times, &waves, 1500);
        let difference = largest_difference(&fast[0], &naive);
        assert!(difference < 1e-5, "{difference} mV");
    }

    #[test]
    fn waves_have_their_height_whatever_the_rate() {
        for rr in [0.5, 1.0, 1.5] {
            let times: Vec<f64> = (0..12).map(|i| -3.0 * rr + rr * f64::from(i)).collect();
            let waves: Vec<_> =
                times.iter().map(|&r| vec![PlacedWave { centre_s: r, width_s: 0.01, amplitude_mv: [1.0, -1.0] }]).collect();
            let z = &integrate(&times, &waves, 360.0, 1, (3.0 * rr * 360.0) as usize)[0];
            let height = z.iter().fold(f32::MIN, |a, &b| a.max(b)) - z.iter().fold(f32::MAX, |a, &b| a.min(b));
            assert!((height - 1.0).abs() < 0.03, "RR {rr}: {height}");
        }
    }

    #[test]
    fn internal_rate_is_a_multiple_of_the_sampling_frequency() {
        assert_eq!([100.0, 128.0, 250.0, 360.0, 500.0].map(steps_per_sample), [4, 3, 2, 1, 1]);
        assert_eq!(integrate(&[], &[], 360.0, 1, 3)[0], vec![0.0; 3]);
    }
}

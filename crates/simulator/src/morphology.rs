//! The shape of a beat: waves P, Q, R, S, T as Gaussians, for each class, drawn per subject.
//!
//! Times and widths are those at a heart rate of 60 per minute; the T wave moves with the square root of the RR interval
//! (Bazett), P and QRS keep their distance from the R peak. The T wave is two Gaussians, slow up and fast down, as later forms
//! of the model have it. V1 looks at the same angles from the right: its R is small, its S deep.

use rand::{Rng, RngExt};

use crate::LEADS;
use crate::fiducials::WaveLimits;
use crate::model::PlacedWave;

/// One wave relative to the beat's mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// Time of the centre after the mark in seconds, at RR = 1 s; negative before.
    pub offset_s: f64,
    /// Standard deviation of the Gaussian, in seconds.
    pub width_s: f64,
    /// Amplitude in each lead, in millivolts.
    pub amplitude_mv: [f64; LEADS.len()],
}

impl Wave {
    const fn new(offset_s: f64, width_s: f64, mlii: f64, v1: f64) -> Self {
        Self { offset_s, width_s, amplitude_mv: [mlii, v1] }
    }
}

/// How far from its centre a wave is counted as begun or ended: there a Gaussian has 8 % of its height.
const LIMIT: f64 = 2.25;

/// The waves of one class of beat.
#[derive(Debug, Clone, PartialEq)]
pub struct BeatShape {
    /// P wave, where there is one.
    pub p: Vec<Wave>,
    /// Waves of the QRS complex. The largest deflection of the first lead is at time 0.
    pub qrs: Vec<Wave>,
    /// T wave.
    pub t: Vec<Wave>,
}

/// How one beat differs from its class's shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    /// Factors on the amplitudes of P, QRS and T.
    pub amplitude: [f64; 3],
    /// Factor on the widths of the QRS complex.
    pub width: f64,
    /// Shift of the P wave in seconds.
    pub p_shift_s: f64,
    /// RR interval that the T wave follows, in seconds.
    pub rr_s: f64,
}

impl Variation {
    /// No difference, at 60 beats per minute.
    pub const NONE: Self = Self { amplitude: [1.0; 3], width: 1.0, p_shift_s: 0.0, rr_s: 1.0 };
}

impl BeatShape {
    /// A sinus beat: P, narrow QRS, T.
    pub fn sinus(rng: &mut impl Rng) -> Self {
        let pr = rng.random_range(0.145..0.185);
        let p = rng.random_range(0.09..0.19);
        let q = -rng.random_range(0.02..0.16);
        let r = rng.random_range(0.8..1.55);
        let s = -rng.random_range(0.06..0.36);
        // One in eight has a flat or inverted T wave in MLII.
        let t = if rng.random_bool(0.125) { -rng.random_range(0.06..0.2) } else { rng.random_range(0.16..0.38) };
        let at = rng.random_range(0.265..0.305);
        let t_v1 = t * rng.random_range(-0.5..0.45);
        let narrow = rng.random_range(0.0088..0.0115);
        let v1_s = -rng.random_range(0.45..1.15);
        let mut shape = Self {
            p: vec![
                Wave::new(-pr - 0.012, rng.random_range(0.017..0.022), 0.75 * p, 0.45 * p),
                Wave::new(-pr + 0.018, rng.random_range(0.015..0.02), 0.55 * p, -0.35 * p),
            ],
            qrs: vec![
                Wave::new(-rng.random_range(0.024..0.029), rng.random_range(0.0065..0.0085), q, -0.3 * q),
                Wave::new(0.0, narrow, r, rng.random_range(0.1..0.35)),
                Wave::new(rng.random_range(0.024..0.03), rng.random_range(0.0075..0.01), s, v1_s),
            ],
            t: vec![
                Wave::new(at - 0.045, rng.random_range(0.044..0.056), 0.62 * t, 0.62 * t_v1),
                Wave::new(at + 0.012, rng.random_range(0.028..0.036), 0.6 * t, 0.6 * t_v1),
            ],
        };
        shape.centre_on_peak();
        shape
    }

    /// A premature atrial beat of a subject whose sinus beats have the shape `sinus`: the QRS complex hardly changes, the P
    /// wave comes from elsewhere in the atrium, so it is nearer, narrower and of another form, often inverted.
    pub fn premature_atrial(rng: &mut impl Rng, sinus: &Self) -> Self {
        let factor = if rng.random_bool(0.5) { -rng.random_range(0.5..0.9) } else { rng.random_range(0.45..0.8) };
        let nearer = rng.random_range(0.015..0.035);
        let p = sinus.p.iter().map(|w| Wave {
            offset_s: w.offset_s + nearer,
            width_s: 0.85 * w.width_s,
            amplitude_mv: w.amplitude_mv.map(|a| a * factor),
        });
        let scaled = |waves: &[Wave], by: f64| -> Vec<Wave> {
            waves.iter().map(|w| Wave { amplitude_mv: w.amplitude_mv.map(|a| a * by), ..*w }).collect()
        };
        let (qrs, t) = (rng.random_range(0.93..1.0), rng.random_range(0.8..0.95));
        let mut shape = Self { p: p.collect(), qrs: scaled(&sinus.qrs, qrs), t: scaled(&sinus.t, t) };
        shape.centre_on_peak();
        shape
    }

    /// A premature ventricular beat: no P wave, a QRS complex over 120 ms wide, tall and slurred or notched, mostly upright in MLII
    /// (one in four is not), and a T wave against it.
    pub fn premature_ventricular(rng: &mut impl Rng) -> Self {
        let sign = if rng.random_bool(0.25) { -1.0 } else { 1.0 };
        let v1 = sign * if rng.random_bool(0.7) { -1.0 } else { 0.8 };
        let tall = rng.random_range(1.1..1.9);
        let width = rng.random_range(0.018..0.0245);
        let notch = rng.random_range(0.2..0.4) * tall;
        let after = -rng.random_range(0.15..0.45) * tall;
        let t = -rng.random_range(0.25..0.42) * tall;
        let at = rng.random_range(0.3..0.34);
        let both = |offset: f64, width: f64, amplitude: f64, share: f64| {
            Wave::new(offset, width, sign * amplitude, v1 * amplitude * share)
        };
        let mut shape = Self {
            p: Vec::new(),
            qrs: vec![
                both(-2.1 * width, 0.6 * width, -0.1 * tall, 0.8),
                both(0.0, width, tall, rng.random_range(0.6..0.9)),
                both(rng.random_range(1.6..2.0) * width, 0.55 * width, notch, 0.5),
                both(2.9 * width, 0.75 * width, after, 0.7),
            ],
            t: vec![both(at - 0.05, 0.06, 0.6 * t, 0.7), both(at + 0.015, 0.038, 0.55 * t, 0.7)],
        };
        shape.centre_on_peak();
        shape
    }

    /// Shifts all waves so that the largest deflection of the QRS complex in the first lead is at time 0, to 0.1 ms.
    fn centre_on_peak(&mut self) {
        let height = |time: f64| -> f64 {
            self.qrs.iter().map(|w| w.amplitude_mv[0] * (-0.5 * ((time - w.offset_s) / w.width_s).powi(2)).exp()).sum::<f64>()
        };
        let peak = (-600..=600)
            .map(|i| f64::from(i) * 1e-4)
            .fold((0.0, 0.0), |best, t| if height(t).abs() > best.1 { (t, height(t).abs()) } else { best });
        for wave in self.p.iter_mut().chain(&mut self.qrs).chain(&mut self.t) {
            wave.offset_s -= peak.0;
        }
    }

    /// The waves of a beat whose mark is at `time_s`.
    pub fn place(&self, time_s: f64, variation: &Variation) -> Vec<PlacedWave> {
        let (p, qrs, t) = self.varied(variation);
        let placed = |w: Wave| PlacedWave { centre_s: time_s + w.offset_s, width_s: w.width_s, amplitude_mv: w.amplitude_mv };
        p.into_iter().chain(qrs).chain(t).map(placed).collect()
    }

    /// Begin, peak and end of P, QRS and T of a beat whose mark is at `time_s`, in seconds.
    pub(crate) fn limits(&self, time_s: f64, variation: &Variation) -> [Option<WaveLimits>; 3] {
        let (p, qrs, t) = self.varied(variation);
        [p, qrs, t].map(|waves| {
            let largest = waves.iter().max_by(|a, b| a.amplitude_mv[0].abs().total_cmp(&b.amplitude_mv[0].abs()))?;
            Some(WaveLimits {
                onset_s: time_s + waves.iter().map(|w| w.offset_s - LIMIT * w.width_s).fold(f64::INFINITY, f64::min),
                peak_s: time_s + largest.offset_s,
                offset_s: time_s + waves.iter().map(|w| w.offset_s + LIMIT * w.width_s).fold(f64::NEG_INFINITY, f64::max),
            })
        })
    }

    fn varied(&self, variation: &Variation) -> (Vec<Wave>, Vec<Wave>, Vec<Wave>) {
        let stretch = variation.rr_s.max(0.0).sqrt();
        let change = |waves: &[Wave], part: usize, time: f64, width: f64, shift: f64| -> Vec<Wave> {
            let factor = variation.amplitude[part];
            let changed = waves.iter().map(|w| Wave {
                offset_s: w.offset_s * time + shift,
                width_s: w.width_s * width,
                amplitude_mv: w.amplitude_mv.map(|a| a * factor),
            });
            changed.collect()
        };
        (
            change(&self.p, 0, 1.0, 1.0, variation.p_shift_s),
            change(&self.qrs, 1, variation.width, variation.width, 0.0),
            change(&self.t, 2, stretch, stretch.sqrt(), 0.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    #[test]
    fn complexes_have_the_widths_of_their_class() {
        for step in 0..50 {
            let mut rng = Seed(1).stream("test", step);
            let sinus = BeatShape::sinus(&mut rng);
            let duration = |shape: &BeatShape| {
                let qrs = shape.limits(0.0, &Variation::NONE)[1].unwrap();
                qrs.offset_s - qrs.onset_s
            };
            let atrial = BeatShape::premature_atrial(&mut rng, &sinus);
            assert!((0.07..0.11).contains(&duration(&sinus)), "{}", duration(&sinus));
            assert!((duration(&atrial) - duration(&sinus)).abs() < 0.001);
            let ventricular = BeatShape::premature_ventricular(&mut rng);
            assert!((0.12..0.2).contains(&duration(&ventricular)), "{}", duration(&ventricular));
            assert!(ventricular.p.is_empty());
        }
    }

    #[test]
    fn limits_are_in_order() {
        let shape = BeatShape::sinus(&mut Seed(2).stream("test", 0));
        let [p, qrs, t] = shape.limits(5.0, &Variation { rr_s: 0.7, ..Variation::NONE }).map(Option::unwrap);
        let order = [p.onset_s, p.peak_s, p.offset_s, qrs.onset_s, qrs.peak_s, qrs.offset_s, t.onset_s, t.peak_s, t.offset_s];
        assert!(order.windows(2).all(|w| w[0] < w[1]), "{order:?}");
        assert!((qrs.peak_s - 5.0).abs() < 0.002);
    }
}

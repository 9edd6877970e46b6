//! What is recorded with the brain: blinks, muscle, mains, amplifier noise.

use std::f64::consts::PI;

use physiosynth_signal::Seed;
use rand::RngExt;

use super::EegSubject;
use super::head::ELECTRODES;
use super::timeline::{EventKind, Timeline};
use crate::noise;

/// Root mean square of amplifier noise in microvolts.
const AMPLIFIER_UV: f64 = 0.7;
/// Half-width of a blink's field behind the forehead, in head radii.
const BLINK_REACH: f64 = 0.45;
/// Half-width of the jaw muscles' field about the temples, in head radii.
const MUSCLE_REACH: f64 = 0.5;

/// Adds artefacts to `channels` (`[electrode][sample]` in microvolts at `fs` hertz), `scale` times as strong as the subject's.
/// Randomness is drawn from streams of `seed` numbered by record.
pub fn add(
    channels: &mut [Vec<f32>],
    subject: &EegSubject,
    timeline: &Timeline,
    fs: f64,
    scale: f64,
    (seed, record): (Seed, u64),
) {
    if scale == 0.0 {
        return;
    }
    let n = channels.first().map_or(0, Vec::len);
    let blinks = blinks(subject, timeline, n, fs, &mut seed.stream("simulator-eeg-blinks", record));
    for (number, (channel, electrode)) in channels.iter_mut().zip(&ELECTRODES).enumerate() {
        let mut rng = seed.stream(&format!("simulator-eeg-artefacts-{number}"), record);
        let [x, y, _] = electrode.place;
        // Blinks come from the eyes and fall off towards the back; jaw muscles lie at the temples.
        let blink = (scale * (-0.5 * ((y - 1.0) / BLINK_REACH).powi(2)).exp()) as f32;
        let muscle = scale * (-0.5 * ((x.abs() - 1.0) / MUSCLE_REACH).powi(2)).exp();
        let muscle = noise::muscle(&mut rng, n, fs, muscle * subject.muscle_uv);
        let mains = noise::mains(&mut rng, n, fs, subject.mains_hz, scale * subject.mains_uv);
        let amplifier = noise::white(&mut rng, n, fs, scale * AMPLIFIER_UV);
        let burst = envelope(timeline, n, fs);
        for (i, x) in channel.iter_mut().enumerate() {
            *x += blink * blinks[i] + burst[i] * muscle[i] + mains[i] + amplifier[i];
        }
    }
}

/// Blinks at the forehead: bells as long as their events.
fn blinks(subject: &EegSubject, timeline: &Timeline, n: usize, fs: f64, rng: &mut impl rand::Rng) -> Vec<f32> {
    let mut samples = vec![0.0_f32; n];
    for event in timeline.events.iter().filter(|e| e.kind == EventKind::Blink) {
        let height = subject.blink_uv * rng.random_range(0.8..1.2);
        bell(&mut samples, event.onset_s, event.duration_s, fs, height);
    }
    samples
}

/// Strength of muscle over time, 0 to 1.
fn envelope(timeline: &Timeline, n: usize, fs: f64) -> Vec<f32> {
    let mut samples = vec![0.0_f32; n];
    for event in timeline.events.iter().filter(|e| e.kind == EventKind::Muscle) {
        bell(&mut samples, event.onset_s, event.duration_s, fs, 1.0);
    }
    samples
}

/// Adds one bell, a squared half-sine from onset to end.
fn bell(samples: &mut [f32], onset_s: f64, duration_s: f64, fs: f64, height: f64) {
    let from = (onset_s * fs).round().max(0.0) as usize;
    let count = (duration_s * fs).round().max(1.0) as usize;
    for (i, x) in samples.iter_mut().skip(from).take(count).enumerate() {
        *x += (height * (PI * (i as f64 + 0.5) / count as f64).sin().powi(2)) as f32;
    }
}

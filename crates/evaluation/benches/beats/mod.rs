//! Beats to measure on.

use physiosynth_evaluation::Pool;
use physiosynth_signal::Seed;
use rand::RngExt;

/// `count` segments of `length` samples of one of `40` subjects each: three bumps that vary in place, width and height, and noise.
pub fn drawn(count: usize, length: usize, set: u64) -> Pool {
    let mut rng = Seed(9).stream("beats", set);
    let subjects: Vec<[f32; 3]> = (0..40).map(|_| [0.0; 3].map(|_: f32| rng.random_range(0.7_f32..1.3))).collect();
    let mut samples = Vec::with_capacity(count * length);
    for i in 0..count {
        let own = subjects[i % subjects.len()];
        let (shift, gain): (f32, f32) = (rng.random_range(-0.01..0.01), rng.random_range(0.85..1.15));
        for t in 0..length {
            let at = t as f32 / length as f32 + shift;
            let bump = |centre: f32, width: f32, height: f32| height * (-0.5 * ((at - centre) / width).powi(2)).exp();
            let beat = bump(0.2, 0.03, 0.15 * own[0]) + bump(0.4, 0.012, own[1]) + bump(0.7, 0.05 * own[2], 0.3);
            samples.push(gain * beat + rng.random_range(-0.02_f32..0.02));
        }
    }
    let mut pool = Pool::of_samples(samples, length);
    pool.subjects = (0..count).map(|i| format!("{}", i % subjects.len())).collect();
    pool
}

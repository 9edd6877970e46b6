//! Zero-phase filters: second-order sections run forwards, then backwards.
//!
//! The results are SciPy's `sosfiltfilt(…, padtype="odd", padlen=…)` with sections of `butter` and `iirnotch` (goldens in
//! `tests/goldens/eeg_filter.py`). Passing twice squares the response: a Butterworth filter of order `n` is 6 dB down at its cutoff, and
//! moves nothing in time.

use std::f64::consts::PI;

/// One section: `y = b·x − a·y`, `a₀ = 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

/// Sections one after another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    sections: Vec<Section>,
}

/// Order of high-pass and low-pass, before they are passed twice.
const ORDER: u32 = 4;
/// Quality of the notch: its width at half of the power is the frequency over this.
const NOTCH_QUALITY: f64 = 30.0;
/// By how many seconds a signal is continued beyond its ends, mirrored about its end points.
const PAD_S: f64 = 3.0;

impl Filter {
    /// Adds a Butterworth high-pass of order 4 at `hz`.
    #[must_use]
    pub fn high_pass(self, hz: f64, fs: f64) -> Self {
        self.butterworth(hz, fs, [1.0, -2.0, 1.0], |_| 1.0)
    }

    /// Adds a Butterworth low-pass of order 4 at `hz`.
    #[must_use]
    pub fn low_pass(self, hz: f64, fs: f64) -> Self {
        self.butterworth(hz, fs, [1.0, 2.0, 1.0], |k| k * k)
    }

    fn butterworth(mut self, hz: f64, fs: f64, zeros: [f64; 3], gain: fn(f64) -> f64) -> Self {
        let k = (PI * hz / fs).tan();
        for pair in 0..ORDER / 2 {
            let damping = 2.0 * (PI * f64::from(2 * pair + 1) / f64::from(2 * ORDER)).cos();
            let norm = 1.0 / (1.0 + damping * k + k * k);
            let b = zeros.map(|zero| zero * gain(k) * norm);
            let a = [2.0 * (k * k - 1.0) * norm, (1.0 - damping * k + k * k) * norm];
            self.sections.push(Section { b, a });
        }
        self
    }

    /// Adds a notch at `hz` (SciPy's `iirnotch` with quality 30).
    #[must_use]
    pub fn notch(mut self, hz: f64, fs: f64) -> Self {
        let turn = 2.0 * PI * hz / fs;
        let gain = 1.0 / (1.0 + (turn / NOTCH_QUALITY / 2.0).tan());
        let cos = turn.cos();
        self.sections.push(Section { b: [gain, -2.0 * gain * cos, gain], a: [-2.0 * gain * cos, 2.0 * gain - 1.0] });
        self
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Filters a signal at `fs` hertz in place, without delay. Fewer than two samples are left as they are.
    pub fn zero_phase(&self, signal: &mut [f32], fs: f64) {
        let n = signal.len();
        if n < 2 || self.is_empty() {
            return;
        }
        let pad = ((PAD_S * fs).round() as usize).min(n - 1);
        let (first, last) = (f64::from(signal[0]), f64::from(signal[n - 1]));
        let mut work = Vec::with_capacity(n + 2 * pad);
        work.extend(signal[1..=pad].iter().rev().map(|&x| 2.0 * first - f64::from(x)));
        work.extend(signal.iter().map(|&x| f64::from(x)));
        work.extend(signal[n - 1 - pad..n - 1].iter().rev().map(|&x| 2.0 * last - f64::from(x)));
        self.run(&mut work);
        work.reverse();
        self.run(&mut work);
        work.reverse();
        for (x, y) in signal.iter_mut().zip(&work[pad..]) {
            *x = *y as f32;
        }
    }

    /// One pass, beginning in the state that a constant of the first value would have left.
    fn run(&self, samples: &mut [f64]) {
        let mut level = samples.first().copied().unwrap_or(0.0);
        for Section { b, a } in &self.sections {
            let gain = b.iter().sum::<f64>() / (1.0 + a[0] + a[1]);
            let mut state = [(gain - b[0]) * level, (b[2] - a[1] * gain) * level];
            for x in samples.iter_mut() {
                let y = b[0] * *x + state[0];
                state = [b[1] * *x - a[0] * y + state[1], b[2] * *x - a[1] * y];
                *x = y;
            }
            level *= gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FS: f64 = 160.0;

    fn sine(hz: f64) -> Vec<f32> {
        (0..8000).map(|i| (2.0 * PI * hz * f64::from(i) / FS).sin() as f32).collect()
    }

    /// What is left of a sine in amplitude, and its largest difference from what would be left without delay.
    fn left(filter: &Filter, hz: f64) -> (f64, f64) {
        let before = sine(hz);
        let mut after = before.clone();
        filter.zero_phase(&mut after, FS);
        let inner = 1600..6400;
        let power = |x: &[f32]| x[inner.clone()].iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let share = (power(&after) / power(&before)).sqrt();
        let moved = inner.clone().map(|i| (f64::from(after[i]) - share * f64::from(before[i])).abs()).fold(0.0, f64::max);
        (share, moved)
    }

    #[test]
    fn cutoffs_are_six_decibels_down_and_nothing_moves() {
        let filter = Filter::default().high_pass(1.0, FS).low_pass(45.0, FS);
        for (hz, share) in [(1.0, 0.5), (10.0, 1.0), (45.0, 0.5)] {
            let (found, moved) = left(&filter, hz);
            assert!((found - share).abs() < 0.005 && moved < 0.01, "{hz} Hz: {found}, moved by {moved}");
        }
        assert!(left(&filter, 0.2).0 < 0.01 && left(&filter, 70.0).0 < 0.01);
    }

    #[test]
    fn the_notch_takes_its_line_alone() {
        let filter = Filter::default().notch(50.0, FS);
        assert!(left(&filter, 50.0).0 < 0.01);
        assert!((left(&filter, 45.0).0 - 1.0).abs() < 0.05 && (left(&filter, 10.0).0 - 1.0).abs() < 0.001);
    }

    #[test]
    fn a_constant_passes_a_low_pass_and_not_a_high_pass_from_the_first_sample_on() {
        let mut level = vec![3.0_f32; 500];
        Filter::default().low_pass(30.0, FS).zero_phase(&mut level, FS);
        assert!(level.iter().all(|x| (x - 3.0).abs() < 1e-5));
        Filter::default().high_pass(0.5, FS).zero_phase(&mut level, FS);
        assert!(level.iter().all(|x| x.abs() < 1e-5));
        let mut short = [1.0_f32];
        Filter::default().high_pass(0.5, FS).zero_phase(&mut short, FS);
        assert_eq!(short, [1.0]);
    }
}

//! Rational resampling by a polyphase filter.
//!
//! A record is resampled once, before anything is cut out of it: resampling each cut window would ring at its edges.
//!
//! The filter is the one of SciPy's `resample_poly`: a windowed sinc of `20·max(up, down) + 1` taps, Kaiser window with
//! β = 5, cut at the lower of the two Nyquist frequencies, its delay compensated so that output sample `n` lies at the time
//! of input sample `n·down/up`. Two things differ from SciPy's defaults: beyond its ends a signal is continued by its first
//! and last value (a signal with an offset does not ring there), and each of the `up` phases is scaled to gain 1 at zero
//! frequency, so that a constant stays that constant.
//!
//! Cost: `20·max(up, down)/up` multiplications per output sample, vectorised.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use pulp::{Arch, Simd, WithSimd};

use crate::dot::{dot, padded};

/// Largest `up` or `down` of a [`Resampler`]: enough for every pair of rates in use, and a filter of 40,961 taps at most.
const LARGEST_FACTOR: u64 = 2048;

/// Relative error allowed between the ratio of two rates and its rational approximation: half a millisecond over an hour.
const TOLERANCE: f64 = 1e-7;

/// Half the filter's length, in periods of the lower rate.
const HALF_LENGTH: usize = 10;

/// β of the Kaiser window: about 50 dB of attenuation.
const KAISER_BETA: f64 = 5.0;

/// Why two rates cannot be converted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ResampleError {
    /// A sampling frequency is not positive, or not a number.
    #[error("a sampling frequency of {0} Hz is not positive")]
    Rate(f64),
    /// No ratio of small whole numbers is near enough.
    #[error(
        "no ratio of whole numbers up to {LARGEST_FACTOR} converts {from_hz} Hz to {to_hz} Hz exactly enough; choose a working \
         rate in a simple ratio to it"
    )]
    Ratio {
        /// Sampling frequency of the input.
        from_hz: f64,
        /// Sampling frequency wanted.
        to_hz: f64,
    },
    /// A factor of zero, or one that is too large.
    #[error("resampling factors {up}/{down} must be from 1 to {LARGEST_FACTOR}")]
    Factor {
        /// Factor of interpolation.
        up: usize,
        /// Factor of decimation.
        down: usize,
    },
}

/// Converts signals from one sampling frequency to another: the filter, computed once, used for any number of signals.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampler {
    up: usize,
    down: usize,
    /// `up` phases of `length` taps each, newest sample last, padded with zeros on the oldest side.
    phases: Vec<f32>,
    length: usize,
    /// Delay of the filter at the interpolated rate.
    delay: usize,
}

impl Resampler {
    /// The resampler from `from_hz` to `to_hz`.
    pub fn new(from_hz: f64, to_hz: f64) -> Result<Self, ResampleError> {
        for rate in [from_hz, to_hz] {
            if !(rate.is_finite() && rate > 0.0) {
                return Err(ResampleError::Rate(rate));
            }
        }
        let (up, down) = rational(to_hz / from_hz).ok_or(ResampleError::Ratio { from_hz, to_hz })?;
        Self::rational(up, down)
    }

    /// The resampler that makes `up` samples of `down`.
    pub fn rational(up: usize, down: usize) -> Result<Self, ResampleError> {
        let largest = LARGEST_FACTOR as usize;
        let divisor = greatest_common_divisor(up, down).max(1);
        let (u, d) = (up / divisor, down / divisor);
        if u == 0 || d == 0 || u > largest || d > largest {
            return Err(ResampleError::Factor { up, down });
        }
        let delay = HALF_LENGTH * u.max(d);
        let taps = windowed_sinc(delay, u.max(d));
        let length = padded(taps.len().div_ceil(u));
        let mut phases = vec![0.0_f32; u * length];
        for (phase, row) in phases.chunks_exact_mut(length).enumerate() {
            let of_phase: Vec<f64> = taps.iter().skip(phase).step_by(u).copied().collect();
            let gain: f64 = of_phase.iter().sum();
            for (value, tap) in row.iter_mut().rev().zip(&of_phase) {
                *value = (tap / gain) as f32;
            }
        }
        Ok(Self { up: u, down: d, phases, length, delay })
    }

    /// Factor of interpolation, in lowest terms.
    pub fn up(&self) -> usize {
        self.up
    }

    /// Factor of decimation, in lowest terms.
    pub fn down(&self) -> usize {
        self.down
    }

    /// How many samples [`apply`](Self::apply) makes of `samples`.
    pub fn output_length(&self, samples: usize) -> usize {
        (samples * self.up).div_ceil(self.down)
    }

    /// The signal at the new rate. NaN spreads over the filter's length: replace missing samples before.
    pub fn apply(&self, signal: &[f32]) -> Vec<f32> {
        if self.up == self.down || signal.is_empty() {
            return signal.to_vec();
        }
        Arch::new().dispatch(Apply { plan: self, signal })
    }

    /// Output sample `n` where the filter reaches over an end of the signal, which is continued by its end values.
    fn at_edge(&self, signal: &[f32], n: usize) -> f32 {
        let position = n * self.down + self.delay;
        let newest = (position / self.up) as i64;
        let last = signal.len() as i64 - 1;
        let row = self.phase(position % self.up);
        row.iter().rev().zip(0..).map(|(tap, j)| tap * signal[(newest - j).clamp(0, last) as usize]).sum()
    }

    fn phase(&self, phase: usize) -> &[f32] {
        &self.phases[phase * self.length..][..self.length]
    }
}

struct Apply<'a> {
    plan: &'a Resampler,
    signal: &'a [f32],
}

impl WithSimd for Apply<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { plan, signal } = self;
        let (up, down, length, phases) = (plan.up, plan.down, plan.length, plan.phases.as_slice());
        let mut output = vec![0.0; plan.output_length(signal.len())];
        // Indices only, and no division: the position of the newest sample and the phase go on from output to output.
        let (mut newest, mut phase) = (plan.delay / up, plan.delay % up);
        let (step, rest) = (down / up, down % up);
        let mut n = 0;
        while n < output.len() {
            let end = newest + 1;
            output[n] = if end < length || end > signal.len() {
                plan.at_edge(signal, n)
            } else {
                dot(simd, &phases[phase * length..(phase + 1) * length], &signal[end - length..end])
            };
            newest += step;
            phase += rest;
            if phase >= up {
                phase -= up;
                newest += 1;
            }
            n += 1;
        }
        output
    }
}

/// A low-pass filter of `2·half + 1` taps that cuts at `1/factor` of the Nyquist frequency.
fn windowed_sinc(half: usize, factor: usize) -> Vec<f64> {
    let cut = 1.0 / factor as f64;
    (0..=2 * half)
        .map(|i| {
            let t = i as f64 - half as f64;
            let x = std::f64::consts::PI * cut * t;
            let sinc = if i == half { 1.0 } else { x.sin() / x };
            let r = t / half as f64;
            cut * sinc * bessel_i0(KAISER_BETA * (1.0 - r * r).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
        })
        .collect()
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (n * n);
        sum += term;
        n += 1.0;
    }
    sum
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The ratio as a fraction in lowest terms, by continued fractions; `None` where none within the limits is near enough.
fn rational(ratio: f64) -> Option<(usize, usize)> {
    let (mut p, mut q) = ([1_u64, ratio.floor() as u64], [0_u64, 1_u64]);
    let mut rest = ratio - ratio.floor();
    loop {
        if p[1] > LARGEST_FACTOR || q[1] > LARGEST_FACTOR {
            return None;
        }
        if p[1] > 0 && (p[1] as f64 / q[1] as f64 / ratio - 1.0).abs() <= TOLERANCE {
            return Some((p[1] as usize, q[1] as usize));
        }
        if rest <= f64::EPSILON {
            return None;
        }
        let inverse = 1.0 / rest;
        let whole = inverse.floor();
        if whole > LARGEST_FACTOR as f64 {
            return None;
        }
        rest = inverse - whole;
        p = [p[1], whole as u64 * p[1] + p[0]];
        q = [q[1], whole as u64 * q[1] + q[0]];
    }
}

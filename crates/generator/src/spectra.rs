//! Spectra of the classes, and the filters that give them to what is generated.
//!
//! A network that was taught for minutes gives the slow waves of an EEG their power to a few hundredths, but what is fast has a
//! thousandth of it, and there samples are off by as much again. What a class's spectrum is, is known from the training segments, so
//! what is off is measured on segments of the model itself and taken back: every channel of every class goes through a filter without
//! phase whose gain at each frequency is that of the training segments over that of the model's. The filter is one for all segments of
//! a class, of whoever they are; how segments and people differ, and what is not Gaussian, is left to the network.
//!
//! Before that, channels are [mixed](crate::mixing) so that they correlate as those of the training segments do.
//!
//! What is made alike is the mean over segments of their *relative* spectra, as band powers are compared, so that a few segments with
//! large artefacts do not decide; and the mean logarithm of their power.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::ops::Range;

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use crate::mixing;
use crate::weights::Array;

/// Frequencies in hertz over which relative spectra add up to one: below lies drift, above the mains.
const WITHIN_HZ: (f64, f64) = (1.0, 45.0);
/// Rounds of the search for the gains: each sets them right for the shares that the last gave.
const ROUNDS: usize = 12;
/// Gains lie between these: nothing is made of what a model hardly has.
const GAINS: (f64, f64) = (0.01, 4.0);
/// Times that spectra are smoothed over three neighbouring bins, a half and two quarters: the filter is then shorter than a segment.
const SMOOTHINGS: usize = 2;

/// The spectra of each class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spectra {
    /// Samples of a segment, channels, samples per second.
    shape: Shape,
    classes: Vec<Spectrum>,
}

/// The spectrum of a class.
#[derive(Debug, Clone, PartialEq)]
struct Spectrum {
    /// Mean of the segments' relative spectra, `[channel][bin]`.
    shares: Vec<f32>,
    /// Mean logarithm of the power that they are relative to, of each channel.
    levels: Vec<f32>,
    /// Mean correlations of the channels, row by row; empty for a class without segments.
    correlations: Vec<f32>,
}

/// What segments are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    pub(crate) time: usize,
    pub(crate) channels: usize,
    pub(crate) sampling_frequency_hz: f64,
}

/// The gains of a class, `[channel][bin]` of segments that are continued on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    shape: Shape,
    gains: Vec<f64>,
    /// `[channel out × channel in]`, where channels are mixed before.
    mixing: Option<Vec<f64>>,
}

impl Shape {
    fn bins(self) -> usize {
        self.time / 2 + 1
    }

    /// Bins that relative spectra are relative to; empty where segments are too short or slow for any.
    fn within(self) -> Range<usize> {
        let bin = |hz: f64| (hz * self.time as f64 / self.sampling_frequency_hz).ceil() as usize;
        bin(WITHIN_HZ.0)..bin(WITHIN_HZ.1).min(self.bins())
    }

    /// Samples by which a segment is continued on either side.
    fn margin(self) -> usize {
        self.time / 2
    }

    /// Power at each bin of a segment `[time × channel]` under a Hann window, as `[channel][bin]`.
    fn powers(self, segment: &[f32]) -> Vec<f64> {
        let fft = FftPlanner::new().plan_fft_forward(self.time);
        let mut powers = Vec::with_capacity(self.channels * self.bins());
        for c in 0..self.channels {
            let samples = || segment.iter().skip(c).step_by(self.channels).map(|&x| f64::from(x));
            let mean = samples().sum::<f64>() / self.time as f64;
            let window = |t: usize| 0.5 - 0.5 * (TAU * t as f64 / self.time as f64).cos();
            let mut values: Vec<_> = samples().enumerate().map(|(t, x)| Complex::new((x - mean) * window(t), 0.0)).collect();
            fft.process(&mut values);
            powers.extend(values[..self.bins()].iter().map(Complex::norm_sqr));
        }
        powers
    }

    /// The squares of the gains, `[channel][bin]`, by which segments with these powers have the spectrum wanted.
    fn squares(self, wanted: &Spectrum, powers: &[Vec<f64>]) -> Vec<f64> {
        let bins = self.bins();
        let mut squares = vec![1.0; self.channels * bins];
        for _ in 0..ROUNDS {
            let found = self.spectrum(powers, &squares);
            for c in 0..self.channels {
                let own = c * bins..(c + 1) * bins;
                let (wanted_shares, found_shares) = (&wanted.shares[own.clone()], &found.shares[own.clone()]);
                let flat = |shares: &[f32]| shares[self.within()].iter().all(|share| *share == 0.0);
                // A channel that is flat, there or here, stays as it is.
                if flat(wanted_shares) || flat(found_shares) {
                    continue;
                }
                let level = f64::from(wanted.levels[c] - found.levels[c]).exp();
                for (square, (wanted, found)) in squares[own].iter_mut().zip(wanted_shares.iter().zip(found_shares)) {
                    let ratio = if *found > 0.0 { f64::from(*wanted) / f64::from(*found) } else { 1.0 };
                    *square = (*square * ratio * level).clamp(GAINS.0 * GAINS.0, GAINS.1 * GAINS.1);
                }
            }
        }
        squares
    }

    /// The spectrum of segments with these powers, once each is multiplied by its gain squared.
    fn spectrum(self, powers: &[Vec<f64>], squares: &[f64]) -> Spectrum {
        let (bins, within) = (self.bins(), self.within());
        let (mut shares, mut levels) = (vec![0.0_f64; self.channels * bins], vec![0.0_f64; self.channels]);
        let mut counts = vec![0_u32; self.channels];
        for powers in powers {
            for c in 0..self.channels {
                let own = || powers[c * bins..].iter().zip(&squares[c * bins..]).take(bins).map(|(p, g)| p * g);
                let all: f64 = own().skip(within.start).take(within.len()).sum();
                if all > 0.0 {
                    shares[c * bins..].iter_mut().zip(own()).for_each(|(share, p)| *share += p / all);
                    levels[c] += all.ln();
                    counts[c] += 1;
                }
            }
        }
        for (c, &count) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            shares[c * bins..(c + 1) * bins].iter_mut().for_each(|share| *share /= f64::from(count));
            levels[c] /= f64::from(count);
            for _ in 0..SMOOTHINGS {
                smooth(&mut shares[c * bins..(c + 1) * bins]);
            }
        }
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        Spectrum { shares: single(shares), levels: single(levels), correlations: Vec::new() }
    }
}

/// Each value becomes half of it and a quarter of each neighbour; at the ends the value stands for the neighbour that is missing.
fn smooth(values: &mut [f64]) {
    let mut before = values.first().copied().unwrap_or(0.0);
    for i in 0..values.len() {
        let own = values[i];
        let after = values.get(i + 1).copied().unwrap_or(own);
        values[i] = 0.25 * before + 0.5 * own + 0.25 * after;
        before = own;
    }
}

impl Spectra {
    /// Of segments `[segment][time × channel]`, each of the class given; none where they are too short or slow for a spectrum.
    pub(crate) fn of(signals: &[f32], class: &[usize], classes: usize, shape: Shape) -> Option<Self> {
        if shape.within().is_empty() || shape.channels == 0 {
            return None;
        }
        let ones = vec![1.0; shape.channels * shape.bins()];
        let segments: Vec<&[f32]> = signals.chunks_exact(shape.time * shape.channels).collect();
        let powers: Vec<Vec<f64>> = segments.par_iter().map(|segment| shape.powers(segment)).collect();
        let of = |wanted: usize| {
            let members: Vec<usize> = (0..segments.len()).filter(|&i| class[i] == wanted).collect();
            let own: Vec<Vec<f64>> = members.iter().map(|&i| powers[i].clone()).collect();
            let segments: Vec<&[f32]> = members.iter().map(|&i| segments[i]).collect();
            let correlations = mixing::mean_correlations(&segments, shape.channels).into_iter().map(|x| x as f32).collect();
            Spectrum { correlations, ..shape.spectrum(&own, &ones) }
        };
        Some(Self { shape, classes: (0..classes).map(of).collect() })
    }

    /// The filter that gives segments of a class like those made, `[segment][time × channel]`, the class's spectrum.
    pub(crate) fn filter(&self, class: usize, made: &[f32]) -> Option<Filter> {
        let (shape, wanted) = (self.shape, self.classes.get(class)?);
        let bins = shape.bins();
        let width = shape.time * shape.channels;
        let mixed = mixing::fit(&wanted.correlations, made, width, shape.channels);
        let segments: Vec<&[f32]> = mixed.as_ref().map_or(made, |(_, mixed)| mixed).chunks_exact(width).collect();
        let powers: Vec<Vec<f64>> = segments.par_iter().map(|segment| shape.powers(segment)).collect();
        let squares = shape.squares(wanted, &powers);
        // Between the bins of a segment lie those of one that is continued.
        let length = shape.time + 2 * shape.margin();
        let gain = |c: usize, bin: usize| {
            let place = (bin as f64 * shape.time as f64 / length as f64).min((bins - 1) as f64);
            let (low, part) = (place.floor() as usize, place.fract());
            let of = |bin: usize| squares[c * bins + bin.min(bins - 1)].sqrt();
            of(low) * (1.0 - part) + of(low + 1) * part
        };
        let gains = (0..shape.channels).flat_map(|c| (0..=length / 2).map(move |bin| (c, bin))).map(|(c, bin)| gain(c, bin));
        let gains = gains.collect();
        Some(Filter { shape, gains, mixing: mixed.map(|(mixing, _)| mixing) })
    }

    /// What is kept of them in a file.
    pub(crate) fn arrays(&self) -> BTreeMap<String, Array> {
        let channels = self.shape.channels;
        let mut arrays = BTreeMap::new();
        for (class, spectrum) in self.classes.iter().enumerate() {
            let shares = Array { shape: vec![channels, self.shape.bins()], values: spectrum.shares.clone() };
            arrays.insert(format!("shares.{class:04}"), shares);
            if !spectrum.correlations.is_empty() {
                let correlations = Array { shape: vec![channels, channels], values: spectrum.correlations.clone() };
                arrays.insert(format!("correlations.{class:04}"), correlations);
            }
            arrays.insert(format!("levels.{class:04}"), Array { shape: vec![channels], values: spectrum.levels.clone() });
        }
        arrays
    }

    /// The same from what was kept, for segments and classes of a model; says what is wrong with it.
    pub(crate) fn from_arrays(arrays: &BTreeMap<String, Array>, classes: usize, shape: Shape) -> Result<Self, String> {
        let of = |name: String, wanted: &[usize]| match arrays.get(&name) {
            Some(array) if array.shape == wanted => Ok(array.values.clone()),
            Some(array) => Err(format!("'{name}' has the shape {:?}, the model needs {wanted:?}", array.shape)),
            None => Err(format!("there is no '{name}'")),
        };
        let spectrum = |class: usize| {
            Ok(Spectrum {
                shares: of(format!("shares.{class:04}"), &[shape.channels, shape.bins()])?,
                levels: of(format!("levels.{class:04}"), &[shape.channels])?,
                correlations: match format!("correlations.{class:04}") {
                    name if arrays.contains_key(&name) => of(name, &[shape.channels, shape.channels])?,
                    _ => Vec::new(),
                },
            })
        };
        Ok(Self { shape, classes: (0..classes).map(spectrum).collect::<Result<_, String>>()? })
    }
}

impl Filter {
    /// Mixes the channels of a segment `[time × channel]` and filters it, in place. It is continued on both sides, turned about its ends, so that these stay where they are.
    pub(crate) fn apply(&self, segment: &mut [f32]) {
        let Shape { time, channels, .. } = self.shape;
        let margin = self.shape.margin();
        let length = time + 2 * margin;
        if let Some(mixing) = &self.mixing {
            mixing::apply(mixing, segment, channels);
        }
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        for (c, gains) in self.gains.chunks_exact(length / 2 + 1).enumerate() {
            let at = |t: usize| f64::from(segment[t * channels + c]);
            let before = (1..=margin).rev().map(|t| 2.0 * at(0) - at(t));
            let behind = (1..=margin).map(|t| 2.0 * at(time - 1) - at(time - 1 - t));
            let mut values: Vec<Complex<f64>> =
                before.chain((0..time).map(at)).chain(behind).map(|x| Complex::new(x, 0.0)).collect();
            forward.process(&mut values);
            for (bin, value) in values.iter_mut().enumerate() {
                *value *= gains[bin.min(length - bin)] / length as f64;
            }
            inverse.process(&mut values);
            for (t, value) in values[margin..margin + time].iter().enumerate() {
                segment[t * channels + c] = value.re as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    const SHAPE: Shape = Shape { time: 256, channels: 2, sampling_frequency_hz: 128.0 };

    /// Autoregressive noise, `x(t) = share · x(t−1) + level · e`, another share in the second channel.
    fn noise(count: usize, share: f64, level: f64, draw: u64) -> Vec<f32> {
        let mut rng = Seed(8).stream("test", draw);
        let mut made = Vec::new();
        for _ in 0..count {
            let mut x = [0.0; 2];
            for t in 0..SHAPE.time + 40 {
                for (x, share) in x.iter_mut().zip([share, -share]) {
                    let e: f64 = StandardNormal.sample(&mut rng);
                    *x = share * *x + level * e;
                }
                if t >= 40 {
                    made.extend(x.map(|x| x as f32));
                }
            }
        }
        made
    }

    fn width() -> usize {
        SHAPE.time * SHAPE.channels
    }

    /// Mean share of the power from 1 to 45 Hz in each band of 4 Hz, and mean power, by channel.
    fn bands(segments: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let spectra = Spectra::of(segments, &vec![0; segments.len() / width()], 1, SHAPE).unwrap();
        let spectrum = &spectra.classes[0];
        let band = |c: usize, from: usize| -> f64 {
            spectrum.shares[c * SHAPE.bins()..][from..from + 8].iter().map(|x| f64::from(*x)).sum()
        };
        let shares = (0..2).flat_map(|c| (2..82).step_by(8).map(move |from| (c, from))).map(|(c, from)| band(c, from));
        (shares.collect(), spectrum.levels.iter().map(|x| f64::from(*x).exp()).collect())
    }

    #[test]
    fn filtered_segments_that_were_not_fitted_to_have_the_spectra_of_their_class() {
        let real = noise(1500, 0.5, 1.0, 0);
        let spectra = Spectra::of(&real, &[0; 1500], 1, SHAPE).unwrap();
        let filter = spectra.filter(0, &noise(1500, 0.1, 3.0, 1)).unwrap();
        let mut other = noise(1500, 0.1, 3.0, 2);
        let (before, _) = bands(&other);
        other.chunks_exact_mut(width()).for_each(|segment| filter.apply(segment));
        let ((wanted, power), (found, made)) = (bands(&real), bands(&other));
        let worst = |found: &[f64]| found.iter().zip(&wanted).map(|(f, w)| (f / w - 1.0).abs()).fold(0.0, f64::max);
        assert!(worst(&before) > 0.5 && worst(&found) < 0.05, "{} {}", worst(&before), worst(&found));
        assert!(power.iter().zip(&made).all(|(p, m)| (m / p - 1.0).abs() < 0.05), "{power:?} {made:?}");
    }

    #[test]
    fn a_wave_keeps_its_phase_and_has_the_gain_of_its_frequency_up_to_the_ends() {
        // Half the amplitude in channel 0, twice of it in channel 1.
        let (real, made) = (noise(100, 0.0, 1.0, 0), noise(100, 0.0, 1.0, 0));
        let scaled = |by: [f32; 2]| -> Vec<f32> { real.iter().enumerate().map(|(i, x)| by[i % 2] * x).collect() };
        let spectra = Spectra::of(&scaled([0.5, 2.0]), &[0; 100], 1, SHAPE).unwrap();
        let filter = spectra.filter(0, &made).unwrap();
        let wave = |t: usize| (TAU * 10.3 * t as f64 / 128.0 + 0.4).sin() as f32;
        let mut segment: Vec<f32> = (0..SHAPE.time).flat_map(|t| [wave(t); 2]).collect();
        filter.apply(&mut segment);
        for (t, pair) in segment.chunks_exact(2).enumerate() {
            assert!((pair[0] - 0.5 * wave(t)).abs() < 1e-4 && (pair[1] - 2.0 * wave(t)).abs() < 1e-4, "{t}: {pair:?}");
        }
    }

    #[test]
    fn a_few_large_segments_do_not_decide() {
        let mut real = noise(200, 0.5, 1.0, 0);
        let spectra = |real: &[f32]| Spectra::of(real, &[0; 200], 1, SHAPE).unwrap();
        let plain = spectra(&real);
        // Slow artefacts of a hundred times the power in two of them.
        for segment in real.chunks_exact_mut(width()).take(2) {
            segment.iter_mut().enumerate().for_each(|(i, x)| *x += 20.0 * ((i / 2) as f32 / 20.0).sin());
        }
        let far = |a: &Spectra, b: &Spectra| {
            let ratio = |i: usize| (b.classes[0].shares[i] / a.classes[0].shares[i] - 1.0).abs();
            (20..80).map(ratio).fold(0.0, f32::max)
        };
        assert!(far(&plain, &spectra(&real)) < 0.03, "{}", far(&plain, &spectra(&real)));
    }

    #[test]
    fn what_is_kept_is_the_same_and_flat_channels_stay_as_they_are() {
        let mut real = noise(20, 0.5, 1.0, 0);
        real.iter_mut().skip(1).step_by(2).for_each(|x| *x = 0.0);
        let spectra = Spectra::of(&real, &[0; 20], 2, SHAPE).unwrap();
        assert_eq!(Spectra::from_arrays(&spectra.arrays(), 2, SHAPE).as_ref(), Ok(&spectra));
        assert!(Spectra::from_arrays(&spectra.arrays(), 3, SHAPE).unwrap_err().contains("shares.0002"));
        let other = Shape { time: 128, ..SHAPE };
        assert!(Spectra::from_arrays(&spectra.arrays(), 2, other).unwrap_err().contains("shape"));
        let filter = spectra.filter(0, &noise(20, 0.1, 1.0, 1)).unwrap();
        let own = SHAPE.margin() + SHAPE.time / 2 + 1;
        assert!(filter.gains[own..].iter().all(|gain| (gain - 1.0).abs() < 1e-12), "a flat channel");
        // The second class has no segments at all.
        assert!(spectra.filter(1, &noise(20, 0.1, 1.0, 1)).unwrap().gains.iter().all(|gain| (gain - 1.0).abs() < 1e-12));
        assert_eq!(Spectra::of(&[], &[], 1, Shape { time: 8, channels: 1, sampling_frequency_hz: 1.0 }), None);
    }
}

//! Some segments of a class, real and synthetic, and what the figures of an EEG show of them.

use physiosynth_evaluation::clinical::connectivity::{Pairs, correlations};
use physiosynth_evaluation::clinical::spectrum::{BANDS, Spectrum, Welch};
use physiosynth_signal::{Seed, SegmentSet, Split};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::context::Context;

/// Segments of a class that are looked at, at most.
const MOST: usize = 200;

/// Segments of one class and side in physical units.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// How many there are, of which `segments` are some.
    pub count: usize,
    /// `[segment][channel][time]`.
    pub segments: Vec<Vec<Vec<f64>>>,
    rate_hz: f64,
}

/// One class, real (training) and synthetic.
#[derive(Debug, Clone)]
pub(super) struct Both {
    pub label: String,
    pub real: Option<Sample>,
    pub synthetic: Option<Sample>,
}

/// Every class, in the order of the context's.
pub(super) fn classes(context: &Context<'_>) -> Vec<Both> {
    let (real, made) = (context.report.real, context.report.synthetic);
    let seed = Seed(context.report.facts.seed);
    let of = |label: &str| {
        let training = real.indices(|s| s.label == label && s.split == Split::Train);
        let indices = if training.is_empty() { real.indices(|s| s.label == label) } else { training };
        let synthetic = made.indices(|s| s.label == label);
        Both {
            label: label.into(),
            real: Sample::new(real, indices, seed, &format!("report EEG real {label}")),
            synthetic: Sample::new(made, synthetic, seed, &format!("report EEG synthetic {label}")),
        }
    };
    context.classes.par_iter().map(|class| of(&class.label)).collect()
}

impl Both {
    /// Both sides with their names, synthetic last.
    pub(super) fn sides(&self) -> [(&'static str, &Option<Sample>); 2] {
        [("real", &self.real), ("synthetic", &self.synthetic)]
    }
}

impl Sample {
    /// Some of the segments at `indices`, chosen by the seed; those with samples that are not finite are left out.
    fn new(set: &SegmentSet, mut indices: Vec<usize>, seed: Seed, purpose: &str) -> Option<Self> {
        let count = indices.len();
        indices.shuffle(&mut seed.stream(purpose, 0));
        let segments: Vec<Vec<Vec<f64>>> = indices
            .into_iter()
            .map(|i| set.physical(i))
            .filter(|s| s.iter().all(|x| x.is_finite()))
            .take(MOST)
            .map(|s| s.columns().into_iter().map(|c| c.iter().map(|&x| f64::from(x)).collect()).collect())
            .collect();
        let usable = segments.first().is_some_and(|s| s.first().is_some_and(|c| !c.is_empty()));
        usable.then_some(Self { count, segments, rate_hz: set.sampling_frequency_hz })
    }

    /// Channels of a segment.
    pub(super) fn channels(&self) -> usize {
        self.segments.first().map_or(0, Vec::len)
    }

    /// The mean spectrum of each channel over segments; none where they are too short.
    pub(super) fn spectra(&self) -> Option<Vec<Spectrum>> {
        let length = self.segments.first()?.first()?.len();
        let welch = Welch::new(length, self.rate_hz)?;
        (0..self.channels())
            .into_par_iter()
            .map(|channel| {
                let mut sum: Option<Spectrum> = None;
                for segment in &self.segments {
                    let one = welch.spectrum(segment.get(channel)?)?;
                    match &mut sum {
                        None => sum = Some(one),
                        Some(sum) => sum.density.iter_mut().zip(&one.density).for_each(|(s, d)| *s += d),
                    }
                }
                let n = self.segments.len() as f64;
                sum.map(|mut sum| {
                    sum.density.iter_mut().for_each(|d| *d /= n);
                    sum
                })
            })
            .collect()
    }

    /// The mean over segments of the share of each band, `[channel][band]`; NaN where there is none.
    pub(super) fn shares(&self) -> Option<Vec<Vec<f64>>> {
        let length = self.segments.first()?.first()?.len();
        let welch = Welch::new(length, self.rate_hz)?;
        let of_channel = |channel: usize| {
            let mut sums = vec![(0.0, 0_u32); BANDS.len()];
            for samples in self.segments.iter().filter_map(|s| s.get(channel)) {
                let Some(spectrum) = welch.spectrum(samples) else { continue };
                for (sum, band) in sums.iter_mut().zip(BANDS) {
                    if let Some(share) = spectrum.relative(band) {
                        *sum = (sum.0 + share, sum.1 + 1);
                    }
                }
            }
            sums.into_iter().map(|(sum, n)| if n == 0 { f64::NAN } else { sum / f64::from(n) }).collect()
        };
        Some((0..self.channels()).into_par_iter().map(of_channel).collect())
    }

    /// The mean correlation of each pair of channels.
    pub(super) fn correlations(&self) -> Pairs {
        correlations(&self.segments)
    }
}

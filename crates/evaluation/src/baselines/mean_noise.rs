//! Class mean plus coloured noise.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use rustfft::{FftPlanner, num_complex::Complex};

use super::{Baseline, Fitting};
use crate::pool::Pool;

pub(super) const BASELINE: Baseline = Baseline {
    name: "mean_plus_noise",
    definition: "The mean real training segment plus Gaussian noise with the mean power spectrum of what the segments differ from it by, \
                 channel by channel: right on average and in spectrum, wrong in when and how segments vary.",
    make: |fitting: &Fitting| {
        let (train, channels) = (fitting.train, fitting.shape.channels);
        let time = train.length().checked_div(channels).filter(|&t| t > 0)?;
        if train.len() < 2 {
            return None;
        }
        let mean = train.mean();
        let amplitudes = residual_amplitudes(train, &mean, channels);
        let back = FftPlanner::new().plan_fft_inverse(time);
        let purpose = format!("evaluation/baseline/mean_plus_noise/{}", fitting.class);
        let made: Vec<Vec<f32>> = (0..fitting.reference.len())
            .into_par_iter()
            .map(|i| {
                let mut rng = fitting.seed.stream(&purpose, i as u64);
                let mut made = mean.clone();
                for (c, amplitudes) in amplitudes.iter().enumerate() {
                    // White complex noise, coloured; the real part of what it transforms to is Gaussian with that spectrum.
                    let mut buffer: Vec<Complex<f64>> = amplitudes
                        .iter()
                        .map(|a| {
                            let (re, im): (f64, f64) = (StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng));
                            Complex::new(a * re, a * im)
                        })
                        .collect();
                    back.process(&mut buffer);
                    for (x, noise) in made.iter_mut().skip(c).step_by(channels).zip(&buffer) {
                        *x += noise.re as f32;
                    }
                }
                made
            })
            .collect();
        Some(fitting.reference.with_samples(made.concat()))
    },
};

/// By channel, √ of the residuals' mean squared Fourier coefficients, over the number of samples: a sum of waves of these amplitudes and
/// independent standard normal coefficients has the residuals' power.
fn residual_amplitudes(train: &Pool, mean: &[f32], channels: usize) -> Vec<Vec<f64>> {
    let time = mean.len() / channels;
    let forward = FftPlanner::new().plan_fft_forward(time);
    let of_channel = |c: usize| {
        let mut power = vec![0.0; time];
        for segment in train.iter() {
            let values = segment.iter().zip(mean).skip(c).step_by(channels);
            let mut buffer: Vec<Complex<f64>> = values.map(|(&x, &m)| Complex::new(f64::from(x) - f64::from(m), 0.0)).collect();
            forward.process(&mut buffer);
            for (p, value) in power.iter_mut().zip(&buffer) {
                *p += value.norm_sqr();
            }
        }
        let freedom = (train.len() - 1) as f64;
        power.into_iter().map(|p| (p / freedom).sqrt() / time as f64).collect()
    };
    (0..channels).into_par_iter().map(of_channel).collect()
}

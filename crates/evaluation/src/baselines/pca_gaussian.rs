//! Sampling from a Gaussian along principal components.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Baseline, Fitting};
use crate::linear::Pca;

pub(super) const BASELINE: Baseline = Baseline {
    name: "pca_gaussian",
    definition: "The mean real training segment plus independent Gaussian amounts of the class's principal components, as many as hold 99.9% \
                 of the variance (at most 256; of long segments fitted on at most 512), with their variances: what mean and covariance \
                 alone can do. A generator that does not beat it is not worth its cost.",
    make: |fitting: &Fitting| {
        let pca = Pca::fit(fitting.train, MOST, SHARE, fitting.seed)?;
        let purpose = format!("evaluation/baseline/pca_gaussian/{}", fitting.class);
        let made: Vec<Vec<f32>> = (0..fitting.reference.len())
            .into_par_iter()
            .map(|i| {
                let mut rng = fitting.seed.stream(&purpose, i as u64);
                let mut made = pca.mean.clone();
                for (component, variance) in pca.components.iter().zip(&pca.variances) {
                    let drawn: f64 = StandardNormal.sample(&mut rng);
                    let amount = variance.max(0.0).sqrt() * drawn;
                    for (x, c) in made.iter_mut().zip(component) {
                        *x += amount * c;
                    }
                }
                made.into_iter().map(|x| x as f32).collect()
            })
            .collect();
        Some(fitting.reference.with_samples(made.concat()))
    },
};

const SHARE: f64 = 0.999;
const MOST: usize = 256;

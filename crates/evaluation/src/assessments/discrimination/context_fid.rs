//! How far apart sets lie in the eyes of a network that was taught the classes of real training segments.

use std::collections::BTreeMap;

use super::super::Context;
use crate::cases::Case;
use crate::judges::networks::EMBEDDING;
use crate::judges::{Architecture, Learnt, Network, Table, plain};
use crate::measures::sets::frechet_squared;
use crate::pool::Pool;
use crate::scores::{Better, Family, Measure};

/// Fewest segments whose covariance is taken for one.
const FEWEST: usize = 2 * EMBEDDING;

const DEFINITION: &str = "Context-FID (the idea of Jeha et al. 2022): Fréchet distance of two Gaussians fitted to the sets' embeddings, \
                          |μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), over the variance of all real reference segments' embeddings, from 0. The \
                          encoder is our own choice: the 24 values before the head of a convolutional network taught the classes of \
                          real training segments (curves in physical units; no held-out or synthetic one), where the published \
                          measure takes an unsupervised one (TS2Vec), so that values of the two do not compare. It sees what tells \
                          classes apart and is blind to what does not. Grows as sets shrink; none for fewer than 48 segments.";

/// The measure for each of `cases` and for `all`; a note instead where there is nothing to teach an encoder.
pub(super) fn measures(cases: &[Case], all: &Case, context: &Context) -> Result<Vec<Measure>, String> {
    if cases.len() < 2 {
        return Err("context_fid is not measured: its encoder is taught to tell classes apart, and there is only one".into());
    }
    let train = all.train();
    let labels: Vec<usize> =
        train.labels.iter().map(|label| cases.iter().position(|case| case.class == *label).unwrap_or(0)).collect();
    let network = Network { architecture: Architecture::Convolutional, steps: context.config.network_steps };
    let channels = context.shape.channels;
    let encoder = network.learn(&plain(&train, channels, true), &labels, cases.len(), context.seed, "context_fid");
    let reference = Embedded::new(&encoder, &all.reference, channels);
    let complete = all.baselines.iter().filter(|(_, pool)| pool.len() == all.reference.len());
    let [synthetic, same, held_out] =
        [&all.synthetic, &all.same, &all.held_out].map(|pool| Embedded::new(&encoder, pool, channels));
    let baselines: BTreeMap<&str, Embedded> =
        complete.map(|(name, pool)| (*name, Embedded::new(&encoder, pool, channels))).collect();
    let variance = reference.variance();
    let measure = |case: &Case| {
        let class = (case.class != all.class).then_some(&case.class);
        let real = reference.of_class(class);
        let far = |set: &Embedded| {
            let points = set.of_class(class);
            let enough = real.len().min(points.len()) >= FEWEST;
            (enough && variance > 0.0).then(|| frechet_squared(&real, &points)).flatten().map(|squared| squared / variance)
        };
        Measure {
            name: "context_fid".into(),
            unit: String::new(),
            family: Family::Fidelity,
            class: case.class.clone(),
            value: far(&synthetic),
            low: None,
            high: None,
            segments: case.synthetic.len(),
            subjects: case.reference.subject_count(),
            same: far(&same),
            held_out: far(&held_out),
            baselines: baselines.iter().filter_map(|(name, set)| Some(((*name).to_string(), far(set)?))).collect(),
            better: Better::Lower,
            definition: DEFINITION.into(),
        }
    };
    Ok(cases.iter().chain([all]).map(measure).collect())
}

/// A set as the encoder sees it.
struct Embedded<'a> {
    classes: &'a [String],
    table: Table,
}

impl<'a> Embedded<'a> {
    fn new(encoder: &Learnt, pool: &'a Pool, channels: usize) -> Self {
        Self { classes: &pool.labels, table: encoder.embedding(&plain(pool, channels, true)) }
    }

    /// The points of one class, or all.
    fn of_class(&self, class: Option<&String>) -> Vec<Vec<f64>> {
        let rows = self.classes.iter().zip(self.table.rows());
        let of_class = rows.filter(|(label, _)| class.is_none_or(|class| class == *label));
        of_class.map(|(_, row)| row.iter().map(|&x| f64::from(x)).collect()).collect()
    }

    /// The variance in all directions together.
    fn variance(&self) -> f64 {
        let n = self.table.len().max(1) as f64;
        (0..self.table.columns())
            .map(|column| {
                let values = || self.table.rows().map(|row| f64::from(row[column]));
                let mean = values().sum::<f64>() / n;
                values().map(|x| (x - mean).powi(2)).sum::<f64>() / n
            })
            .sum()
    }
}

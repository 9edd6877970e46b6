//! From a noisy segment to another segment of its cluster.
//!
//! The segments of a cluster are in two groups. Noise of a set signal-to-noise ratio is added to a segment of group A; the
//! network learns, in the mean squared sense, to turn it into a segment of group B of the same cluster.

use physiosynth_signal::Seed;
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::{Batch, Objective, add_noise, batches};
use crate::conditions::{Condition, ConditionSizes};
use crate::config::{GeneratorConfig, Pairing};
use crate::data::{Pool, TrainingData};

/// How many of the closest segments of group B are candidates under [`Pairing::Nearest`].
const NEAREST: usize = 3;
/// How many members of group B are searched for them, at most.
const SEARCHED: usize = 2000;

/// A segment of group A with those of group B that may be its target.
struct Source<'a> {
    segment: usize,
    targets: Targets<'a>,
}

enum Targets<'a> {
    /// All of the cluster's group B.
    Cluster(&'a [usize]),
    /// The closest ones.
    Nearest(Vec<usize>),
}

impl Source<'_> {
    fn targets(&self) -> &[usize] {
        match &self.targets {
            Targets::Cluster(all) => all,
            Targets::Nearest(some) => some,
        }
    }
}

/// The paired objective over the training data.
pub(super) struct Paired<'a> {
    data: &'a TrainingData,
    train: Vec<Source<'a>>,
    validation: Vec<Source<'a>>,
    /// The epoch's pairs `(from, to)`, in the order they are shown.
    pairs: Vec<(usize, usize)>,
    sizes: ConditionSizes,
    channels: usize,
    snr_db: f64,
    seed: Seed,
}

impl<'a> Paired<'a> {
    pub(super) fn new(
        data: &'a TrainingData,
        config: &GeneratorConfig,
        sizes: ConditionSizes,
        seed: Seed,
        channels: usize,
    ) -> Self {
        Self {
            data,
            train: sources(&data.train, config.pairing),
            validation: sources(&data.validation, config.pairing),
            pairs: Vec::new(),
            sizes,
            channels,
            snr_db: config.snr_db,
            seed,
        }
    }

    fn show(&self, pool: &Pool, pairs: &[(usize, usize)], purpose: &str, step: u64) -> Batch {
        let mut rng = self.seed.stream(purpose, step);
        let mut batch = Batch::default();
        for &(from, to) in pairs {
            let start = batch.noisy.len();
            batch.noisy.extend_from_slice(pool.segment(from));
            add_noise(&mut batch.noisy[start..], self.channels, self.snr_db, &mut rng);
            batch.told.push(self.sizes, &Condition { class: Some(pool.class[from]), ..Condition::NONE }, 1.0);
            batch.target.extend_from_slice(pool.segment(to));
        }
        batch
    }
}

/// Every member of every group A, with its candidate targets.
fn sources(pool: &Pool, pairing: Pairing) -> Vec<Source<'_>> {
    let mut sources = Vec::new();
    for (a, b) in &pool.clusters {
        match pairing {
            Pairing::Random => sources.extend(a.iter().map(|&segment| Source { segment, targets: Targets::Cluster(b) })),
            Pairing::Nearest => {
                // Evenly spaced members keep the search linear in the cluster's size.
                let step = b.len().div_ceil(SEARCHED);
                let searched: Vec<usize> = b.iter().copied().step_by(step).collect();
                sources.par_extend(
                    a.par_iter().map(|&segment| Source { segment, targets: Targets::Nearest(nearest(pool, segment, &searched)) }),
                );
            }
        }
    }
    sources
}

/// The [`NEAREST`] of `candidates` closest to `segment` in summed squared difference, closest first.
fn nearest(pool: &Pool, segment: usize, candidates: &[usize]) -> Vec<usize> {
    let own = pool.segment(segment);
    let mut distances: Vec<(f32, usize)> = candidates
        .iter()
        .map(|&other| (own.iter().zip(pool.segment(other)).map(|(x, y)| (x - y) * (x - y)).sum::<f32>(), other))
        .collect();
    distances.sort_by(|(x, i), (y, j)| x.total_cmp(y).then(i.cmp(j)));
    distances.into_iter().take(NEAREST).map(|(_, other)| other).collect()
}

/// One target for each source, in the order of the sources.
fn draw(sources: &[Source<'_>], seed: Seed, purpose: &str, step: u64) -> Vec<(usize, usize)> {
    let mut rng = seed.stream(purpose, step);
    sources.iter().map(|source| (source.segment, source.targets()[rng.random_range(0..source.targets().len())])).collect()
}

impl Objective for Paired<'_> {
    fn steps_per_pass(&self, batch: usize) -> usize {
        self.train.len().div_ceil(batch)
    }

    fn begin_epoch(&mut self, epoch: usize, examples: usize) {
        self.pairs.clear();
        // As many passes over group A as the epoch's steps need, each in an order and with targets of its own.
        let mut pass = 0_u64;
        while self.pairs.len() < examples {
            let number = ((epoch as u64) << 32) | pass;
            let mut pairs = draw(&self.train, self.seed, "generator: pairs", number);
            pairs.shuffle(&mut self.seed.stream("generator: order", number));
            self.pairs.append(&mut pairs);
            pass += 1;
        }
    }

    fn batch(&self, step: usize, batch: usize, global_step: u64) -> Batch {
        let pairs = &self.pairs[step * batch..(step + 1) * batch];
        self.show(&self.data.train, pairs, "generator: training noise", global_step)
    }

    fn validation(&self, batch: usize) -> Vec<Batch> {
        let pairs = draw(&self.validation, self.seed, "generator: validation pairs", 0);
        // One stream per segment, so that the noise is the same whatever the batch size is.
        let one = |(i, pair)| self.show(&self.data.validation, &[pair], "generator: validation noise", i as u64);
        let shown: Vec<Batch> = pairs.into_iter().enumerate().map(one).collect();
        batches(&shown, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy;

    fn data(pairing: Pairing) -> (TrainingData, GeneratorConfig) {
        let objective = crate::objective::ObjectiveName::Paired;
        let config = GeneratorConfig { objective, pairing, snr_db: 200.0, train_segments: 0, ..Default::default() };
        (TrainingData::new(&toy::segments(64, 16, 3), &config, Seed(5)).unwrap(), config)
    }

    fn paired<'a>(data: &'a TrainingData, config: &GeneratorConfig) -> Paired<'a> {
        Paired::new(data, config, data.condition_sizes(config), Seed(5), 1)
    }

    #[test]
    fn pairs_go_from_group_a_to_group_b_of_the_same_cluster_and_change_with_the_epoch() {
        let (data, config) = data(Pairing::Random);
        let mut paired = paired(&data, &config);
        paired.begin_epoch(0, 50);
        assert!(paired.pairs.len() >= 50);
        for (from, to) in &paired.pairs {
            assert!(data.train.clusters.iter().any(|(a, b)| a.contains(from) && b.contains(to)));
        }
        let first = paired.pairs.clone();
        paired.begin_epoch(1, 50);
        assert_ne!(first, paired.pairs);
        paired.begin_epoch(0, 50);
        assert_eq!(first, paired.pairs, "keyed by epoch");
    }

    #[test]
    fn batch_holds_noisy_sources_and_clean_targets() {
        let (data, config) = data(Pairing::Random);
        let mut paired = paired(&data, &config);
        paired.begin_epoch(0, 8);
        let batch = paired.batch(1, 4, 1);
        let (from, to) = paired.pairs[5];
        assert_eq!(&batch.target[16..32], data.train.segment(to));
        assert!(
            batch.noisy[16..32].iter().zip(data.train.segment(from)).all(|(x, y)| (x - y).abs() < 1e-6),
            "200 dB is no noise"
        );
        let mut told = crate::conditions::Told::default();
        for (from, _) in &paired.pairs[4..8] {
            told.push(paired.sizes, &Condition { class: Some(data.train.class[*from]), ..Condition::NONE }, 1.0);
        }
        assert_eq!(batch.told, told);
    }

    #[test]
    fn nearest_targets_are_the_closest() {
        let (data, config) = data(Pairing::Nearest);
        let paired = paired(&data, &config);
        let distance = |i: usize, j: usize| -> f32 {
            data.train.segment(i).iter().zip(data.train.segment(j)).map(|(x, y)| (x - y) * (x - y)).sum()
        };
        for source in &paired.train {
            let (_, b) = data.train.clusters.iter().find(|(a, _)| a.contains(&source.segment)).unwrap();
            let furthest = source.targets().iter().map(|&t| distance(source.segment, t)).fold(0.0, f32::max);
            let closer = b.iter().filter(|&&t| distance(source.segment, t) < furthest).count();
            assert!(closer < NEAREST, "{closer} of group B are closer than the furthest candidate");
        }
    }

    #[test]
    fn validation_is_the_same_whatever_the_batch_size() {
        let (data, mut config) = data(Pairing::Random);
        config.snr_db = 5.0;
        let paired = paired(&data, &config);
        let whole = paired.validation(1000);
        assert_eq!(whole.len(), 1);
        assert_eq!(batches(&paired.validation(3), 1000), whole);
    }
}

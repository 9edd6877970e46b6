//! Noise of every level taken away.
//!
//! Gaussian noise of standard deviation σ is added to a segment `y`; the network `F` learns to give `y` back, through the
//! preconditioning of Karras et al. (2022, "Elucidating the design space of diffusion-based generative models", table 1 and equation
//! 7): `D(x; σ) = c_skip·x + c_out·F(c_in·x; σ, conditions)`. Their loss weight, `1/c_out²`, makes the loss the plain squared error
//! between `F` and `(y − c_skip·x)/c_out`, which is what this objective shows as the target. σ is log-normal. A network that
//! does this for every σ turns noise alone into samples of the whole distribution ([`crate::sampling`]).
//!
//! Each fact is withheld in a share of the segments, so that the network answers without it too.

use std::borrow::Cow;

use physiosynth_signal::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Batch, Objective, batches};
use crate::conditions::{Condition, ConditionSizes, Who};
use crate::config::GeneratorConfig;
use crate::data::{Pool, TrainingData};

/// The preconditioning for data of a standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scaling {
    /// `σ_data`.
    pub(crate) deviation: f64,
}

impl Scaling {
    /// What the noisy segment is multiplied with for the network.
    pub(crate) fn input(self, sigma: f64) -> f64 {
        1.0 / (sigma * sigma + self.deviation * self.deviation).sqrt()
    }

    /// The share of the noisy segment in the result.
    pub(crate) fn skip(self, sigma: f64) -> f64 {
        let (noise, data) = (sigma * sigma, self.deviation * self.deviation);
        data / (noise + data)
    }

    /// What the network's output is multiplied with.
    pub(crate) fn output(self, sigma: f64) -> f64 {
        sigma * self.deviation * self.input(sigma)
    }
}

/// A segment and the noise that is to be added to it.
struct Shown<'a> {
    clean: Cow<'a, [f32]>,
    class: usize,
    condition: Condition,
    sigma: f64,
    /// White, of deviation 1.
    noise: Vec<f64>,
}

/// The denoising objective over the training data.
pub(super) struct Denoising<'a> {
    data: &'a TrainingData,
    sizes: ConditionSizes,
    scaling: Scaling,
    seed: Seed,
    /// Training segments of each class, and the share of draws up to and with that class.
    classes: Vec<(Vec<usize>, f64)>,
    /// Mean and standard deviation of ln σ.
    level: (f64, f64),
    subject_noise: f64,
    withheld: f64,
}

impl<'a> Denoising<'a> {
    pub(super) fn new(data: &'a TrainingData, config: &GeneratorConfig, sizes: ConditionSizes, seed: Seed) -> Self {
        Self {
            data,
            sizes,
            scaling: Scaling { deviation: data.deviation() },
            seed,
            classes: shares(&data.train, sizes.classes, config.class_balance),
            level: (config.noise_mean, config.noise_deviation),
            subject_noise: config.subject_noise,
            withheld: config.condition_dropout,
        }
    }

    /// Draws the noise for a segment.
    fn show<'b>(&self, clean: Cow<'b, [f32]>, class: usize, condition: Condition, rng: &mut ChaCha8Rng) -> Shown<'b> {
        let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
        let sigma = self.level.1.mul_add(normal(rng), self.level.0).exp();
        let noise = clean.iter().map(|_| normal(rng)).collect();
        Shown { clean, class, condition, sigma, noise }
    }

    /// Adds their noise to segments.
    fn noisy(&self, shown: Vec<Shown>) -> Batch {
        let mut batch = Batch::default();
        let mut noise: Vec<f64> = shown.iter().flat_map(|shown| shown.noise.iter().copied()).collect();
        let width = shown.first().map_or(1, |shown| shown.clean.len()).max(1);
        if let Some(colour) = &self.data.colour {
            colour.apply(&shown.iter().map(|shown| shown.class).collect::<Vec<_>>(), &mut noise, width);
        }
        for (Shown { clean, condition, sigma, .. }, noise) in shown.into_iter().zip(noise.chunks_exact(width)) {
            let (input, skip, output) = (self.scaling.input(sigma), self.scaling.skip(sigma), self.scaling.output(sigma));
            for (&y, &noise) in clean.iter().zip(noise) {
                let y = f64::from(y);
                let x = sigma.mul_add(noise, y);
                batch.noisy.push((input * x) as f32);
                batch.target.push(((y - skip * x) / output) as f32);
            }
            batch.told.push(self.sizes, &condition, sigma);
        }
        batch
    }

    /// What is told of training segment `i`, facts being withheld at random.
    fn condition(&self, i: usize, rng: &mut ChaCha8Rng) -> Condition {
        // As many draws whatever comes of them, so that a segment's noise does not depend on its neighbours' facts.
        let [all, class, code, rhythm, rr, who] = std::array::from_fn(|_| rng.random_bool(self.withheld));
        let noise: Vec<f32> = (0..self.sizes.dimensions)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(rng);
                (self.subject_noise * normal) as f32
            })
            .collect();
        let pool = &self.data.train;
        let index = pool.subject[i];
        // Drawn where there is something to withhold, so that a model without covariates is what it was.
        let told = !all && (self.sizes.age || self.sizes.sex) && !rng.random_bool(self.withheld);
        Condition {
            class: (!(all || class)).then_some(pool.class[i]),
            // The code gives the class away.
            code: pool.code[i].filter(|_| !(all || class || code)),
            rhythm: pool.rhythm[i].filter(|_| !(all || rhythm)),
            rr_s: if all || rr { [f32::NAN; 2] } else { pool.rr_s[i] },
            age_years: pool.age_years[i].filter(|_| told),
            sex: pool.sex[i].filter(|_| told),
            who: index.filter(|_| !(all || who)).map_or(Who::Nobody, |index| Who::Trained { index, noise }),
        }
    }
}

/// The segments of each class that has any, with the share of draws of all classes up to it.
fn shares(pool: &Pool, classes: usize, balance: f64) -> Vec<(Vec<usize>, f64)> {
    let mut members = vec![Vec::new(); classes];
    for (i, &class) in pool.class.iter().enumerate() {
        members[class].push(i);
    }
    members.retain(|members| !members.is_empty());
    let weight = |members: &Vec<usize>| (members.len() as f64).powf(1.0 - balance);
    let total: f64 = members.iter().map(weight).sum();
    let mut below = 0.0;
    members
        .into_iter()
        .map(|members| {
            below += weight(&members) / total;
            (members, below)
        })
        .collect()
}

impl Objective for Denoising<'_> {
    fn steps_per_pass(&self, batch: usize) -> usize {
        self.data.train.len().div_ceil(batch)
    }

    /// Nothing: every batch is drawn by itself.
    fn begin_epoch(&mut self, _epoch: usize, _examples: usize) {}

    fn batch(&self, _step: usize, size: usize, global_step: u64) -> Batch {
        let mut rng = self.seed.stream("generator: training noise", global_step);
        let mut shown = Vec::with_capacity(size);
        for _ in 0..size {
            let class = rng.random_range(0.0..1.0);
            let Some((members, _)) = self.classes.iter().find(|(_, below)| class < *below).or(self.classes.last()) else { break };
            let i = members[rng.random_range(0..members.len())];
            let condition = self.condition(i, &mut rng);
            // Drawn where there are other windows, so that a model without is what it was.
            let late = match self.data.room(i) {
                0 | 1 => 0,
                room => rng.random_range(0..room),
            };
            shown.push(self.show(self.data.window(i, late), self.data.train.class[i], condition, &mut rng));
        }
        self.noisy(shown)
    }

    /// Validation subjects are nobody that the network knows; class, code, rhythm, RR and covariates are told.
    fn validation(&self, size: usize) -> Vec<Batch> {
        let pool = &self.data.validation;
        // One stream per segment, so that the noise is the same whatever the batch size is.
        let one = |i: usize| {
            let condition = Condition {
                class: Some(pool.class[i]),
                code: pool.code[i],
                rhythm: pool.rhythm[i],
                rr_s: pool.rr_s[i],
                age_years: pool.age_years[i],
                sex: pool.sex[i],
                who: Who::Nobody,
            };
            let mut rng = self.seed.stream("generator: validation noise", i as u64);
            self.noisy(vec![self.show(Cow::Borrowed(pool.segment(i)), pool.class[i], condition, &mut rng)])
        };
        batches(&(0..pool.len()).map(one).collect::<Vec<_>>(), size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::Told;
    use crate::toy;

    fn data() -> TrainingData {
        TrainingData::new(&toy::segments(64, 16, 3), &GeneratorConfig::default(), Seed(5)).unwrap()
    }

    fn objective<'a>(data: &'a TrainingData, config: &GeneratorConfig) -> Denoising<'a> {
        Denoising::new(data, config, data.condition_sizes(config), Seed(5))
    }

    /// Karras et al. 2022, appendix B.6: the network's input and target have unit variance at every level.
    #[test]
    fn input_and_target_have_unit_variance_at_every_level() {
        let mut data = data();
        // White noise as data: its variance is σ_data² and nothing else matters.
        let mut rng = Seed(9).stream("test", 0);
        let mut set = toy::segments(64, 16, 3);
        set.signals.mapv_inplace(|_| 0.7 * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut rng));
        data = TrainingData::new(&set, &GeneratorConfig::default(), Seed(5)).unwrap_or(data);
        for level in [-3.0, 0.0, 3.0] {
            let config = GeneratorConfig { noise_mean: level, noise_deviation: 0.0, ..Default::default() };
            let batch = objective(&data, &config).batch(0, 400, 7);
            for values in [&batch.noisy, &batch.target] {
                let variance = values.iter().map(|x| f64::from(x * x)).sum::<f64>() / values.len() as f64;
                assert!((variance - 1.0).abs() < 0.06, "level {level}: {variance}");
            }
        }
    }

    #[test]
    fn the_target_gives_the_clean_segment_back() {
        let data = data();
        let config = GeneratorConfig { noise_mean: -0.5, noise_deviation: 0.0, ..Default::default() };
        let batch = objective(&data, &config).batch(0, 3, 1);
        let (scaling, sigma) = (Scaling { deviation: data.deviation() }, (-0.5_f64).exp());
        let first: Vec<f64> = (0..16)
            .map(|t| {
                let x = f64::from(batch.noisy[t]) / scaling.input(sigma);
                scaling.skip(sigma) * x + scaling.output(sigma) * f64::from(batch.target[t])
            })
            .collect();
        let found = (0..data.train.len())
            .any(|i| data.train.segment(i).iter().zip(&first).all(|(y, found)| (f64::from(*y) - found).abs() < 1e-4));
        assert!(found, "no training segment: {first:?}");
    }

    #[test]
    fn classes_are_drawn_in_the_balance_asked_for() {
        let mut set = toy::segments(256, 4, 3);
        // One V in sixteen.
        for (i, segment) in set.segments.iter_mut().enumerate() {
            segment.label = if i % 16 == 1 { "V" } else { "N" }.into();
        }
        for (balance, expected) in [(0.0, 1.0 / 16.0), (1.0, 0.5)] {
            let config = GeneratorConfig { class_balance: balance, condition_dropout: 0.0, ..Default::default() };
            let data = TrainingData::new(&set, &config, Seed(5)).unwrap();
            let objective = objective(&data, &config);
            let share = objective.classes[1].1 - objective.classes[0].1;
            let natural = objective.classes[1].0.len() as f64 / data.train.len() as f64;
            let expected = if balance == 0.0 { natural } else { expected };
            assert!((share - expected).abs() < 1e-9, "{share} {expected}");
        }
    }

    #[test]
    fn facts_are_withheld_as_often_as_asked() {
        let data = data();
        let config = GeneratorConfig { condition_dropout: 0.3, ..Default::default() };
        let objective = objective(&data, &config);
        let mut rng = Seed(1).stream("test", 0);
        let conditions: Vec<Condition> = (0..4000).map(|n| objective.condition(n % data.train.len(), &mut rng)).collect();
        let share = |holds: fn(&Condition) -> bool| conditions.iter().filter(|c| holds(c)).count() as f64 / 4000.0;
        let one = 1.0 - 0.7 * 0.7;
        assert!((share(|c| c.class.is_none()) - one).abs() < 0.03);
        assert!((share(|c| c.rr_s[0].is_nan()) - one).abs() < 0.03);
        assert!((share(|c| c.who == Who::Nobody) - one).abs() < 0.03);
        assert!(share(|c| c.class.is_none() && c.rr_s[0].is_nan() && c.who == Who::Nobody) > 0.29, "all at once");
        assert!(conditions.iter().all(|c| c.class.is_some() || c.code.is_none()), "a code without its class");
    }

    #[test]
    fn a_batch_depends_on_its_step_alone_and_validation_not_on_the_batch_size() {
        let data = data();
        let objective = objective(&data, &GeneratorConfig::default());
        assert_eq!(objective.batch(0, 4, 11), objective.batch(3, 4, 11));
        assert_ne!(objective.batch(0, 4, 11), objective.batch(0, 4, 12));
        let whole = objective.validation(1000);
        assert_eq!(whole.len(), 1);
        assert_ne!(whole[0].told, Told::default());
        assert_eq!(batches(&objective.validation(3), 1000), whole);
    }
}

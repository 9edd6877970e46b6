//! What the network learns. An objective is one file here, one variant of [`ObjectiveName`] and one line in `objective`.

mod denoising;
mod paired;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use physiosynth_signal::Seed;

use crate::conditions::{ConditionSizes, Told};
use crate::config::GeneratorConfig;
use crate::data::TrainingData;

pub(crate) use denoising::Scaling;

/// The objectives there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectiveName {
    /// Noise of every level taken away: samples the whole distribution, from noise alone.
    #[default]
    Denoising,
    /// From a noisy segment to another segment of its cluster: tends to the mean of what it may answer.
    Paired,
}

/// Segments of one step, on the host. `noisy` and `target` are `[segment][time × channel]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Batch {
    /// What the network is given.
    pub(crate) noisy: Vec<f32>,
    /// What it is told of each segment.
    pub(crate) told: Told,
    /// What it should give back.
    pub(crate) target: Vec<f32>,
}

impl Batch {
    /// The batch in at most `parts` parts of nearly the same size, each with its share of the segments.
    pub(crate) fn parts(self, parts: usize) -> Vec<(Self, f64)> {
        let rows = self.told.rows();
        if parts <= 1 || rows <= 1 {
            return vec![(self, 1.0)];
        }
        let width = self.noisy.len() / rows;
        let size = rows.div_ceil(parts);
        let part = |from: usize| {
            let to = (from + size).min(rows);
            let samples = from * width..to * width;
            let (noisy, target) = (self.noisy[samples.clone()].to_vec(), self.target[samples].to_vec());
            (Self { noisy, told: self.told.part(from..to), target }, (to - from) as f64 / rows as f64)
        };
        (0..rows).step_by(size).map(part).collect()
    }
}

/// Draws what the network is shown. Every draw is keyed by epoch or step, so that a resumed training draws the same.
pub(crate) trait Objective: Sync {
    /// Steps that show each training example once, at `batch` examples a step.
    fn steps_per_pass(&self, batch: usize) -> usize;
    /// Chooses and orders the examples of `epoch`.
    fn begin_epoch(&mut self, epoch: usize, examples: usize);
    /// The batch of step `step` of the epoch begun last; `global_step` counts from the start of training.
    fn batch(&self, step: usize, batch: usize, global_step: u64) -> Batch;
    /// The validation examples, the same at each call; empty where there are none.
    fn validation(&self, batch: usize) -> Vec<Batch>;
}

/// The objective that `config` names, over `data`.
pub(crate) fn objective<'a>(
    data: &'a TrainingData,
    config: &GeneratorConfig,
    seed: Seed,
    channels: usize,
) -> Box<dyn Objective + 'a> {
    let sizes: ConditionSizes = data.condition_sizes(config);
    match config.objective {
        ObjectiveName::Denoising => Box::new(denoising::Denoising::new(data, config, sizes, seed)),
        ObjectiveName::Paired => Box::new(paired::Paired::new(data, config, sizes, seed, channels)),
    }
}

/// The batches of at most `size` segments that `parts`, a segment each, make.
fn batches(parts: &[Batch], size: usize) -> Vec<Batch> {
    let join = |parts: &[Batch]| {
        let mut whole = Batch::default();
        for part in parts {
            whole.noisy.extend_from_slice(&part.noisy);
            whole.told.append(&part.told);
            whole.target.extend_from_slice(&part.target);
        }
        whole
    };
    parts.chunks(size).map(join).collect()
}

/// Adds white Gaussian noise to a segment `[time × channel]`, `snr_db` below the power (variance) of each of its channels:
/// noise variance = signal variance / 10^(snr/10). A channel without variation stays as it is.
pub(crate) fn add_noise(segment: &mut [f32], channels: usize, snr_db: f64, rng: &mut ChaCha8Rng) {
    let time = segment.len() / channels.max(1);
    let deviations: Vec<f32> = (0..channels)
        .map(|channel| {
            let samples = || segment.iter().skip(channel).step_by(channels).map(|&x| f64::from(x));
            let mean = samples().sum::<f64>() / time.max(1) as f64;
            let power = samples().map(|x| (x - mean) * (x - mean)).sum::<f64>() / time.max(1) as f64;
            (power / 10_f64.powf(snr_db / 10.0)).sqrt() as f32
        })
        .collect();
    for (i, sample) in segment.iter_mut().enumerate() {
        let noise: f32 = StandardNormal.sample(rng);
        *sample += noise * deviations[i % channels];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_power_asked_for_in_each_channel() {
        // Two channels whose power differs by a factor of 100, both on an offset that must not count.
        let clean: Vec<f32> =
            (0..40_000).map(|i| ((i / 2) as f32 * 0.1).sin() * if i % 2 == 0 { 1.0 } else { 10.0 } + 5.0).collect();
        let mut noisy = clean.clone();
        add_noise(&mut noisy, 2, 10.0, &mut Seed(3).stream("test", 0));
        for (channel, power) in [(0, 0.5), (1, 50.0)] {
            let noise: f64 =
                clean.iter().zip(&noisy).skip(channel).step_by(2).map(|(c, n)| f64::from(n - c).powi(2)).sum::<f64>() / 20_000.0;
            assert!((noise / (power / 10.0) - 1.0).abs() < 0.05, "channel {channel}: {noise}");
        }
    }

    #[test]
    fn flat_segment_stays_flat() {
        let mut flat = vec![2.0; 10];
        add_noise(&mut flat, 1, 0.0, &mut Seed(3).stream("test", 0));
        assert_eq!(flat, vec![2.0; 10]);
    }
}

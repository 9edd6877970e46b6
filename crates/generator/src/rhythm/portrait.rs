//! What tells one patient's rhythm from another's, in a handful of numbers: of the training records, and of new patients drawn
//! around them.

use physiosynth_signal::{BeatSequence, Residual, Seed};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::pooled::PooledPortraits;
use super::tokens::{Token, Vocabulary};
use crate::gaussian::rounded;

/// Standard deviation of the logarithm of the factor on a new patient's shares of classes and rhythms.
const SHARE_SPREAD: f64 = 0.5;
/// The least standard deviation of a logarithm of an interval that is taken: a pacemaker's.
const LEAST_DEVIATION: f64 = 1e-3;
/// Fewer intervals than this tell no rhythm.
const FEWEST_INTERVALS: usize = 20;

/// A patient's rhythm in numbers. Intervals are those between two ordinary beats, their logarithms natural, of seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Portrait {
    /// Mean of the logarithm of the interval.
    pub log_rr: f64,
    /// Logarithm of the standard deviation of that logarithm.
    pub log_deviation: f64,
    /// Logarithm of the root mean square of its successive differences.
    pub log_succession: f64,
    /// Share of each class, in the model's order.
    pub classes: Vec<f64>,
    /// Share of beats in each rhythm, in the model's order.
    pub rhythms: Vec<f64>,
    /// What denoising took away from the record's signal.
    pub residual: Option<Residual>,
}

/// The portrait of a training record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownPortrait {
    /// The training subject.
    pub subject: String,
    /// What the record says.
    pub portrait: Portrait,
}

/// Where new patients' rhythms come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Portraits {
    /// The training records.
    Known(Vec<KnownPortrait>),
    /// What they have in common, in a model that was handed on.
    Pooled(Box<PooledPortraits>),
}

impl Portraits {
    /// New patients; the first of more are the same. `spread`: how far from the records that they are drawn around.
    pub(super) fn draw(&self, count: usize, spread: f64, seed: Seed) -> Vec<Patient> {
        match self {
            Self::Known(known) => draw(known, count, spread, seed),
            Self::Pooled(pooled) => pooled.draw(count, seed),
        }
    }

    /// The training records, as far as they are known.
    pub(super) fn known(&self) -> &[KnownPortrait] {
        match self {
            Self::Known(known) => known,
            Self::Pooled(_) => &[],
        }
    }

    /// Whether any patient has beats of the class.
    pub(super) fn has_class(&self, class: usize) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Pooled(pooled) => pooled.has_class(class),
        }
    }

    /// What is wrong with them beside this vocabulary; `None` where nothing is.
    pub(super) fn problem(&self, vocabulary: &Vocabulary) -> Option<&'static str> {
        match self {
            Self::Known(_) => None,
            Self::Pooled(pooled) => pooled.problem(vocabulary),
        }
    }
}

impl Portrait {
    /// Of one record; `None` where it has too few known intervals.
    pub(super) fn of(record: &BeatSequence, tokens: &[Token], vocabulary: &Vocabulary) -> Option<Self> {
        let ordinary = |i: usize| tokens[i].class == 0 && i > 0 && tokens[i - 1].class == 0;
        let between = |ordinary: &dyn Fn(usize) -> bool| -> Vec<(usize, f64)> {
            (0..tokens.len()).filter(|i| ordinary(*i)).filter_map(|i| Some((i, tokens[i].log_rr?))).collect()
        };
        let mut intervals = between(&ordinary);
        if intervals.len() < FEWEST_INTERVALS {
            intervals = between(&|_| true);
        }
        if intervals.len() < FEWEST_INTERVALS {
            return None;
        }
        let n = intervals.len() as f64;
        let mean = intervals.iter().map(|(_, x)| x).sum::<f64>() / n;
        let variance = intervals.iter().map(|(_, x)| (x - mean).powi(2)).sum::<f64>() / n;
        let steps: Vec<f64> =
            intervals.windows(2).filter(|pair| pair[1].0 == pair[0].0 + 1).map(|pair| (pair[1].1 - pair[0].1).powi(2)).collect();
        let succession = if steps.is_empty() { 2.0 * variance } else { steps.iter().sum::<f64>() / steps.len() as f64 };
        let logarithm = |square: f64| square.sqrt().max(LEAST_DEVIATION).ln();
        let count = |n: usize, of: &dyn Fn(&Token) -> usize| {
            let mut shares = vec![0.0; n];
            for token in tokens {
                shares[of(token)] += 1.0 / tokens.len() as f64;
            }
            shares
        };
        Some(Self {
            log_rr: mean,
            log_deviation: logarithm(variance),
            log_succession: logarithm(succession),
            classes: count(vocabulary.classes.len(), &|token| token.class),
            rhythms: count(vocabulary.rhythms.len(), &|token| token.rhythm),
            residual: record.residual.clone(),
        })
    }

    /// The numbers that the network is told, before they are standardised: shares by their square roots, so that rare things
    /// count.
    fn values(&self) -> Vec<f64> {
        let shares = self.classes.iter().chain(&self.rhythms).map(|share| share.sqrt());
        [self.log_rr, self.log_deviation, self.log_succession].into_iter().chain(shares).collect()
    }
}

/// Means and standard deviations of the portraits' numbers over the training records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Standard {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standard {
    pub(super) fn of(portraits: &[KnownPortrait]) -> Self {
        let rows: Vec<Vec<f64>> = portraits.iter().map(|known| known.portrait.values()).collect();
        let n = rows.len().max(1) as f64;
        let width = rows.first().map_or(0, Vec::len);
        let mean: Vec<f64> = (0..width).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / n).collect();
        let spread = |k: usize| (rows.iter().map(|row| (row[k] - mean[k]).powi(2)).sum::<f64>() / n).sqrt();
        // What hardly differs between records is not blown up.
        let deviation = (0..width).map(|k| spread(k).max(0.05)).collect();
        Self { mean, deviation }
    }

    /// As it is handed on.
    pub(super) fn rounded(mut self) -> Self {
        self.mean.iter_mut().chain(&mut self.deviation).for_each(|x| *x = rounded(*x));
        self
    }

    pub(super) fn width(&self) -> usize {
        self.mean.len()
    }

    /// The portrait as the network is told it.
    pub(super) fn apply(&self, portrait: &Portrait) -> Vec<f32> {
        let values = portrait.values();
        let standard = values.iter().zip(&self.mean).zip(&self.deviation);
        // A validation or new patient far outside of what was trained on is moved to the edge.
        standard.map(|((value, mean), deviation)| ((value - mean) / deviation).clamp(-4.0, 4.0) as f32).collect()
    }
}

/// Someone to make a record of.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// Index of the training record that the portrait was drawn around; none in a model that was handed on.
    pub around: Option<usize>,
    /// The training subject of that record; empty in a model that was handed on.
    pub subject: String,
    /// Rhythm and noise.
    pub portrait: Portrait,
}

/// New patients: each drawn around another training record while there are any, at a distance of `spread` (see
/// [`RhythmConfig`](super::RhythmConfig)).
///
/// Rate and variability are a smoothed bootstrap that keeps mean and covariance (Silverman and Young 1987): `mean + √(1 − h²)(record −
/// mean) + h·e` with `e` Gaussian of the records' covariance and `h` the spread. Shares of classes and rhythms are those of the
/// record times log-normal factors, and add up to 1 again: what a record lacks, its neighbours lack too.
fn draw(known: &[KnownPortrait], count: usize, spread: f64, seed: Seed) -> Vec<Patient> {
    let mut patients = Vec::with_capacity(count);
    for index in 0..count {
        let round = (index / known.len().max(1)) as u64;
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.shuffle(&mut seed.stream("rhythm: order of patients", round));
        let Some(&around) = order.get(index % known.len().max(1)) else { break };
        let mut stream = seed.stream("rhythm: patient", index as u64);
        patients.push(neighbour(known, around, spread, &mut stream));
    }
    patients
}

fn neighbour(known: &[KnownPortrait], around: usize, spread: f64, stream: &mut impl Rng) -> Patient {
    let KnownPortrait { subject, portrait } = &known[around];
    let n = known.len() as f64;
    let weights: Vec<f64> = known.iter().map(|_| StandardNormal.sample(stream)).collect();
    let smooth = |of: &dyn Fn(&Portrait) -> f64| {
        let mean = known.iter().map(|k| of(&k.portrait)).sum::<f64>() / n;
        let drawn: f64 = known.iter().zip(&weights).map(|(k, w)| w * (of(&k.portrait) - mean)).sum::<f64>() / n.sqrt();
        mean + (1.0 - spread * spread).sqrt() * (of(portrait) - mean) + spread * drawn
    };
    let mut shares = |shares: &[f64], fixed: Option<usize>| {
        let varied: Vec<f64> = shares
            .iter()
            .enumerate()
            .map(|(i, share)| {
                let drawn: f64 = StandardNormal.sample(stream);
                if Some(i) == fixed { *share } else { share * (2.0 * spread * SHARE_SPREAD * drawn).exp() }
            })
            .collect();
        let total: f64 = varied.iter().sum();
        varied.into_iter().map(|share| share / total).collect::<Vec<f64>>()
    };
    let (classes, rhythms) = (shares(&portrait.classes, Some(0)), shares(&portrait.rhythms, None));
    let residual = portrait.residual.as_ref().map(|own| {
        let density = |k: usize| {
            smooth(&|p| p.residual.as_ref().and_then(|r| r.density.get(k)).map_or(0.0, |density| density.max(1e-15).ln())).exp()
        };
        let densities = own.density.iter().enumerate().map(|(k, own)| if *own > 0.0 { density(k) } else { 0.0 });
        Residual { density: densities.collect(), ..own.clone() }
    });
    Patient {
        around: Some(around),
        subject: subject.clone(),
        portrait: Portrait {
            log_rr: smooth(&|p| p.log_rr),
            log_deviation: smooth(&|p| p.log_deviation),
            log_succession: smooth(&|p| p.log_succession),
            classes,
            rhythms,
            residual,
        },
    }
}

/// One of `shares`' indices, drawn by them; the first where they add up to nothing.
pub(super) fn by_share(shares: impl Iterator<Item = f64> + Clone, stream: &mut impl Rng) -> usize {
    let total: f64 = shares.clone().sum();
    let mut left = stream.random_range(0.0..1.0) * total;
    let mut last = 0;
    for (index, share) in shares.enumerate() {
        if share > 0.0 {
            last = index;
            left -= share;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::{tokens, toy};
    use super::*;

    fn known(count: usize) -> Vec<KnownPortrait> {
        let records = toy::records(count, 200);
        let vocabulary = Vocabulary::of(&records.iter().collect::<Vec<_>>());
        let portrait = |r: &BeatSequence| Portrait::of(r, &tokens::tokens(r, &vocabulary), &vocabulary).unwrap();
        records.iter().map(|r| KnownPortrait { subject: r.subject.clone(), portrait: portrait(r) }).collect()
    }

    #[test]
    fn a_portrait_tells_rate_and_shares() {
        let known = known(4);
        // Subject 1 of the toy has intervals of 0.8 s that vary by 5%, and every fourth beat is V.
        let portrait = &known[1].portrait;
        assert!((portrait.log_rr.exp() - 0.8).abs() < 0.02, "{portrait:?}");
        assert!((portrait.classes[1] - 0.25).abs() < 0.01 && (portrait.rhythms[0] - 0.5).abs() < 0.01);
    }

    #[test]
    fn new_patients_keep_mean_and_spread_and_are_nobody() {
        let known = known(8);
        let patients = draw(&known, 400, 0.5, Seed(1));
        let moments = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
        };
        let (real, made) = (
            moments(known.iter().map(|k| k.portrait.log_rr).collect()),
            moments(patients.iter().map(|p| p.portrait.log_rr).collect()),
        );
        assert!((real.0 - made.0).abs() < 0.3 * real.1 && (made.1 / real.1 - 1.0).abs() < 0.2, "{real:?} {made:?}");
        for patient in &patients {
            assert!(known.iter().all(|k| k.portrait.log_rr != patient.portrait.log_rr));
            assert!((patient.portrait.classes.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        // Every record is drawn around equally often, and fewer patients are the first of more.
        let around = |index: usize| patients.iter().filter(|p| p.around == Some(index)).count();
        assert!((0..8).all(|index| around(index) == 50));
        assert_eq!(draw(&known, 3, 0.5, Seed(1)), patients[..3]);
        assert!(draw(&[], 3, 0.5, Seed(1)).is_empty());
    }

    #[test]
    fn too_few_intervals_make_no_portrait() {
        let records = toy::records(1, 10);
        let vocabulary = Vocabulary::of(&[&records[0]]);
        assert_eq!(Portrait::of(&records[0], &tokens::tokens(&records[0], &vocabulary), &vocabulary), None);
    }
}

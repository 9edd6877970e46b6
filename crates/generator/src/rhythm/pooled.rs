//! Rhythms of people as distributions alone: what a model that is handed on has instead of the training records' portraits.
//!
//! Rate, variability and, as hidden values of [`Share`]s, how much of each class and rhythm people have, in one Gaussian over the
//! records; the spectrum of what denoising took away in another. What fewer than [`FEWEST`] subjects have is left out.

use std::collections::{BTreeMap, BTreeSet};

use physiosynth_signal::{Residual, Seed};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::portrait::{KnownPortrait, Patient, Portrait};
use super::tokens::Vocabulary;
use crate::gaussian::{Gaussian, rounded, shrinkage};
use crate::population::pooled::LeftOut;
use crate::shares::{FEWEST, Share, hidden};

/// Numbers of a rhythm before the hidden values: logarithms of the mean interval, of its deviation, and of the succession's over that.
const RATE: usize = 3;
/// Fewer subjects than this make no distribution of noise.
const FEWEST_RESIDUALS: usize = 5;
/// The least power spectral density whose logarithm is taken.
const LEAST_DENSITY: f64 = 1e-15;

/// The training records as distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PooledPortraits {
    /// How many training subjects there were.
    pub(super) subjects: usize,
    /// Over rate, variability and, behind them, a hidden value for each class and rhythm that there is.
    gaussian: Gaussian,
    /// How much of each class people have, in the model's order; none of what was left out.
    classes: Vec<Option<Share>>,
    /// The same of each rhythm.
    rhythms: Vec<Option<Share>>,
    residual: Option<PooledResidual>,
}

/// What denoising took away, over people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PooledResidual {
    unit: String,
    edges_hz: Vec<f64>,
    /// Whether there is anything in each band.
    bands: Vec<bool>,
    /// Over the logarithm of the density, its mean over the bands first, then each band's difference from it; last, the unevenness.
    gaussian: Gaussian,
}

impl PooledPortraits {
    /// Of the training records, with what was left out; of the classes, those among `kept` alone.
    pub(super) fn of(known: &[KnownPortrait], vocabulary: &Vocabulary, kept: &BTreeSet<String>) -> (Self, Vec<LeftOut>) {
        let rate = |k: &KnownPortrait| {
            vec![k.portrait.log_rr, k.portrait.log_deviation, k.portrait.log_succession - k.portrait.log_deviation]
        };
        let mut points: Vec<Vec<f64>> = known.iter().map(rate).collect();
        let mut left_out = Vec::new();
        let mut shares = |kind: &str, names: &[String], of: &dyn Fn(&Portrait) -> &Vec<f64>| -> Vec<Option<Share>> {
            let mut share = |(index, name): (usize, &String)| {
                let values: Vec<f64> = known.iter().map(|k| of(&k.portrait).get(index).copied().unwrap_or(0.0)).collect();
                let having = known.iter().zip(&values).filter(|(_, share)| **share > 0.0);
                let subjects = having.map(|(k, _)| k.subject.as_str()).collect::<BTreeSet<_>>().len();
                let wanted = kind != "class" || kept.contains(name);
                let found = Share::of(&values).filter(|_| subjects >= FEWEST && wanted);
                match &found {
                    Some(_) => {
                        let hidden = hidden(&values.iter().copied().map(Some).collect::<Vec<_>>());
                        points.iter_mut().zip(hidden).for_each(|(point, value)| point.push(value));
                    }
                    None => left_out.push(LeftOut { kind: kind.to_owned(), name: name.clone(), subjects }),
                }
                found
            };
            names.iter().enumerate().map(&mut share).collect()
        };
        let classes = shares("class", &vocabulary.classes, &|portrait| &portrait.classes);
        let rhythms = shares("rhythm", &vocabulary.rhythms, &|portrait| &portrait.rhythms);
        let width = points.first().map_or(0, Vec::len);
        let gaussian = Gaussian::fit(&points, shrinkage(width, points.len())).rounded();
        let subjects = known.iter().map(|k| k.subject.as_str()).collect::<BTreeSet<_>>().len();
        (Self { subjects, gaussian, classes, rhythms, residual: PooledResidual::of(known) }, left_out)
    }

    /// New patients; the first of more are the same.
    pub(super) fn draw(&self, count: usize, seed: Seed) -> Vec<Patient> {
        let patient = |index: usize| Patient {
            around: None,
            subject: String::new(),
            portrait: self.portrait(&mut seed.stream("rhythm: patient", index as u64)),
        };
        (0..count).map(patient).collect()
    }

    fn portrait(&self, stream: &mut impl Rng) -> Portrait {
        let point = self.gaussian.draw(stream);
        let value = |i: usize| point.get(i).copied().unwrap_or(0.0);
        let mut values = point.iter().skip(RATE).copied();
        let mut shares = |shares: &[Option<Share>]| -> Vec<f64> {
            let mut next = |share: &Option<Share>| share.as_ref().map_or(0.0, |share| share.at(values.next().unwrap_or(0.0)));
            let mut drawn: Vec<f64> = shares.iter().map(&mut next).collect();
            if drawn.iter().all(|share| *share <= 0.0) {
                drawn = shares.iter().map(|share| share.as_ref().map_or(0.0, |share| share.having * share.typical())).collect();
            }
            let total: f64 = drawn.iter().sum();
            drawn.iter().map(|share| share / total).collect()
        };
        let (classes, rhythms) = (shares(&self.classes), shares(&self.rhythms));
        Portrait {
            log_rr: value(0),
            log_deviation: value(1),
            log_succession: value(1) + value(2),
            classes,
            rhythms,
            residual: self.residual.as_ref().map(|residual| residual.draw(stream)),
        }
    }

    /// Whether any patient has beats of the class.
    pub(super) fn has_class(&self, class: usize) -> bool {
        self.classes.get(class).is_some_and(Option::is_some)
    }

    /// What is wrong with it beside this vocabulary; `None` where nothing is.
    pub(super) fn problem(&self, vocabulary: &Vocabulary) -> Option<&'static str> {
        let shares = || self.classes.iter().chain(&self.rhythms).flatten();
        let sizes = (self.classes.len(), self.rhythms.len()) != (vocabulary.classes.len(), vocabulary.rhythms.len());
        let found = [
            (sizes, "classes or rhythms are not those of the model"),
            (!self.has_class(0) || !self.rhythms.iter().any(Option::is_some), "there is no ordinary class or no rhythm"),
            (!shares().all(Share::is_sound), "a share is out of range"),
            (!self.gaussian.is_sound(RATE + shares().count()), "the Gaussian over people is not whole"),
            (!self.residual.as_ref().is_none_or(PooledResidual::is_sound), "the noise is not whole"),
        ];
        found.into_iter().find(|(wrong, _)| *wrong).map(|(_, what)| what)
    }
}

impl PooledResidual {
    /// Of records whose bands are those that most have; `None` where fewer than five subjects have any.
    fn of(known: &[KnownPortrait]) -> Option<Self> {
        let mut by_bands: BTreeMap<_, Vec<(&str, &Residual)>> = BTreeMap::new();
        for (subject, residual) in known.iter().filter_map(|k| Some((k.subject.as_str(), k.portrait.residual.as_ref()?))) {
            let edges: Vec<u64> = residual.edges_hz.iter().map(|hz| hz.to_bits()).collect();
            by_bands.entry((residual.unit.clone(), edges)).or_default().push((subject, residual));
        }
        let own = by_bands.into_values().max_by_key(Vec::len)?;
        let subjects: BTreeSet<&str> = own.iter().map(|(subject, _)| *subject).collect();
        let first = own.first()?.1;
        if subjects.len() < FEWEST_RESIDUALS {
            return None;
        }
        let bands: Vec<bool> = (0..first.density.len())
            .map(|k| {
                own.iter().filter(|(_, r)| r.density.get(k).is_some_and(|density| *density > 0.0)).count() >= FEWEST_RESIDUALS
            })
            .collect();
        let point = |(_, residual): &(&str, &Residual)| -> Vec<f64> {
            let of_band = |k: usize| residual.density.get(k).copied().unwrap_or(0.0).max(LEAST_DENSITY).ln();
            let logs: Vec<f64> = (0..bands.len()).filter(|k| bands[*k]).map(of_band).collect();
            let level = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
            [level].into_iter().chain(logs.iter().map(|x| x - level)).chain([residual.unevenness]).collect()
        };
        let points: Vec<Vec<f64>> = own.iter().map(point).collect();
        let width = points.first().map_or(0, Vec::len);
        let gaussian = Gaussian::fit(&points, shrinkage(width, points.len())).rounded();
        let edges_hz = first.edges_hz.iter().map(|hz| rounded(*hz)).collect();
        Some(Self { unit: first.unit.clone(), edges_hz, bands, gaussian })
    }

    fn draw(&self, stream: &mut impl Rng) -> Residual {
        let point = self.gaussian.draw(stream);
        let (level, unevenness) = (point.first().copied().unwrap_or(0.0), point.last().copied().unwrap_or(0.0));
        let mut differences = point.iter().skip(1);
        let mut density = |band: &bool| if *band { (level + differences.next().copied().unwrap_or(0.0)).exp() } else { 0.0 };
        Residual {
            unit: self.unit.clone(),
            edges_hz: self.edges_hz.clone(),
            density: self.bands.iter().map(&mut density).collect(),
            unevenness: unevenness.max(0.0),
        }
    }

    fn is_sound(&self) -> bool {
        let bands = self.bands.iter().filter(|band| **band).count();
        self.edges_hz.len() == self.bands.len() + 1 && self.gaussian.is_sound(bands + 2)
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::BeatSequence;

    use super::super::{tokens, toy};
    use super::*;

    fn known(count: usize) -> (Vec<KnownPortrait>, Vocabulary) {
        let mut records = toy::records(count, 200);
        for (i, record) in records.iter_mut().enumerate() {
            let density = vec![1e-4 * (1.0 + i as f64), 0.0, 1e-6];
            record.residual =
                Some(Residual { unit: "mV".into(), edges_hz: vec![0.1, 1.0, 10.0, 90.0], density, unevenness: 0.1 * i as f64 });
        }
        // Something that two people have.
        for record in &mut records[..2] {
            record.classes[7] = "Q".into();
        }
        let vocabulary = Vocabulary::of(&records.iter().collect::<Vec<_>>());
        let portrait = |r: &BeatSequence| Portrait::of(r, &tokens::tokens(r, &vocabulary), &vocabulary).unwrap();
        (records.iter().map(|r| KnownPortrait { subject: r.subject.clone(), portrait: portrait(r) }).collect(), vocabulary)
    }

    #[test]
    fn patients_are_like_the_records_together_and_like_none_alone() {
        let (known, vocabulary) = known(8);
        let kept: BTreeSet<String> = ["N".to_owned(), "V".into(), "Q".into()].into();
        let (pooled, left_out) = PooledPortraits::of(&known, &vocabulary, &kept);
        assert_eq!(left_out, [LeftOut { kind: "class".into(), name: "Q".into(), subjects: 2 }]);
        assert_eq!((pooled.subjects, pooled.problem(&vocabulary)), (8, None));
        assert!(pooled.has_class(0) && pooled.has_class(1) && !pooled.has_class(2));
        let patients = pooled.draw(300, Seed(1));
        assert_eq!(pooled.draw(3, Seed(1)), patients[..3]);
        let mean = |of: &dyn Fn(&Portrait) -> f64, all: Vec<&Portrait>| all.iter().map(|p| of(p)).sum::<f64>() / all.len() as f64;
        for of in [(|p: &Portrait| p.log_rr) as fn(&Portrait) -> f64, |p| p.classes[1], |p| p.rhythms[0]] {
            let real = mean(&of, known.iter().map(|k| &k.portrait).collect());
            let made = mean(&of, patients.iter().map(|p| &p.portrait).collect());
            assert!((real - made).abs() < 0.1 * real.abs() + 0.02, "{real} {made}");
        }
        for patient in &patients {
            let portrait = &patient.portrait;
            assert!((portrait.classes.iter().sum::<f64>() - 1.0).abs() < 1e-9 && portrait.classes[2] == 0.0);
            assert!(known.iter().all(|k| k.portrait.log_rr != portrait.log_rr) && patient.subject.is_empty());
            let residual = portrait.residual.as_ref().unwrap();
            assert!(residual.density[0] > 1e-6 && residual.density[0] < 1e-1 && residual.density[1] == 0.0, "{residual:?}");
        }
    }

    #[test]
    fn a_class_that_is_not_kept_and_what_does_not_fit_are_found() {
        let (known, vocabulary) = known(8);
        let (without, left_out) = PooledPortraits::of(&known, &vocabulary, &["N".to_owned()].into());
        assert!(!without.has_class(1) && left_out.len() == 2 && left_out[0].subjects >= FEWEST);
        let mut broken = without.clone();
        broken.classes.pop();
        assert!(broken.problem(&vocabulary).unwrap().contains("classes"));
        let (few, _) = PooledPortraits::of(&known[..4], &vocabulary, &["N".to_owned()].into());
        assert_eq!(few.residual, None, "four people's noise is not handed on");
    }
}

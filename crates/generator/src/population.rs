//! Who the training subjects are, and new patients drawn from what they have in common.
//!
//! A person is a point: the numbers that stand for the subject in the network (on a sphere, see
//! `conditions.rs`), the logarithm of the median RR interval, the logarithm of each channel's scale, and each channel's
//! offset over its scale. A Gaussian is fitted to the training subjects' points, its covariance shrunk towards the diagonal, since
//! there are few subjects. With `novelty` ν, a new patient is `mean + √(1 − ν²)·(a − mean) + ν·g`: `a` a training subject drawn at
//! random, `g` a draw from the Gaussian about 0. Means and variances are those of the training subjects for every ν; at 0 it is a
//! training subject, at 1 it has nothing of one in particular.
//!
//! A model that is handed on holds no subject: see `pooled`. Both are asked in one way, through `Crowd`.
//!
//! Where the network is told of age or sex, a new patient's are those of the training subject that is nearest in the network's numbers, the
//! age some years off. A model that is handed on tells of neither.
//!
//! What goes with a beat (its code, the rhythm in force, the ratios of RR to the median) is that of one beat of the training subject
//! that is nearest in the network's numbers and has the class, all together, so that a bundle branch block keeps its rate.

mod crowd;
pub(crate) mod pooled;
mod ratios;

use std::collections::BTreeMap;

use physiosynth_signal::{SegmentSet, Sex};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

pub(crate) use self::crowd::Crowd;
use crate::data::TrainingData;
use crate::gaussian::{Gaussian, shrinkage};

/// Beats whose facts are kept of each subject and class, at most.
const KEPT: usize = 200;
/// Standard deviation of the logarithm of what RR ratios are multiplied with.
const RR_JITTER: f64 = 0.03;
/// Standard deviation of the years between a new patient and whom it is like.
const AGE_JITTER_YEARS: f64 = 5.0;
/// Where nobody's RR is known.
const DEFAULT_RR_S: f64 = 0.8;

/// What is known of a subject's segments of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberClass {
    /// How many there are.
    pub segments: usize,
    /// At most 200 of them, evenly spread; where any has both RR intervals, of those.
    pub beats: Vec<Kept>,
}

/// What goes with one beat of a training subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept(
    /// Its original code.
    pub String,
    /// The rhythm in force; empty where not named.
    pub String,
    /// RR before and after, over the subject's median RR.
    pub Option<[f32; 2]>,
);

/// What goes with a beat that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    /// Its original code; empty where nobody has the class.
    pub(crate) code: String,
    /// The rhythm in force; empty where not named.
    pub(crate) rhythm: String,
    /// RR before and after in seconds; NaN where unknown.
    pub(crate) rr_s: [f32; 2],
}

/// What is known of a training subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Median RR interval in seconds; NaN is never here: where none is known, that of all subjects.
    pub median_rr_s: f64,
    /// Mean logarithm of the scale of each channel.
    pub log_scale: Vec<f64>,
    /// Mean offset over scale of each channel.
    pub offset_ratio: Vec<f64>,
    /// Its age in years, where known and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<f32>,
    /// Its sex, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// What there is of each class.
    pub classes: BTreeMap<String, MemberClass>,
}

/// The training subjects, in the order of the network's subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// One entry per subject.
    pub members: Vec<Member>,
    /// Standard deviation of the logarithm of each channel's scale within a subject.
    pub log_scale_within: Vec<f64>,
    /// Standard deviation of each channel's offset over scale within a subject.
    pub offset_ratio_within: Vec<f64>,
}

/// A patient to make segments for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    /// What stands for it in the network.
    pub(crate) numbers: Vec<f32>,
    pub(crate) median_rr_s: f64,
    pub(crate) log_scale: Vec<f64>,
    pub(crate) offset_ratio: Vec<f64>,
    /// Whole years, where told.
    pub(crate) age_years: Option<f32>,
    pub(crate) sex: Option<Sex>,
    /// The training subjects, nearest first: the first that has a class lends what goes with its beats. None where nobody's are known.
    guides: Vec<usize>,
    /// What the patient has of each class; nothing where there are guides.
    own: BTreeMap<String, pooled::Own>,
}

impl Population {
    /// The subjects of the training segments.
    pub(crate) fn of(set: &SegmentSet, data: &TrainingData) -> Self {
        let mut own: Vec<Vec<usize>> = vec![Vec::new(); data.subjects.len()];
        for (&index, subject) in data.train.index.iter().zip(&data.train.subject) {
            if let Some(subject) = subject {
                own[*subject].push(index);
            }
        }
        // Of several recordings, the first.
        let first = |known: &dyn Fn(usize) -> bool, subject: usize| {
            (0..data.train.len()).find(|&i| data.train.subject[i] == Some(subject) && known(i))
        };
        let channels = set.channels();
        let everyone = median_rr(set, &data.train.index).unwrap_or(DEFAULT_RR_S);
        let mut members: Vec<Member> =
            data.subjects.iter().zip(&own).map(|(name, own)| member(set, name, own, everyone)).collect();
        for (subject, member) in members.iter_mut().enumerate() {
            member.age_years = first(&|i| data.train.age_years[i].is_some(), subject).and_then(|i| data.train.age_years[i]);
            member.sex = first(&|i| data.train.sex[i].is_some(), subject).and_then(|i| data.train.sex[i]);
        }
        let within = |value: &dyn Fn(usize, usize) -> f64, mean: &dyn Fn(&Member) -> &Vec<f64>| -> Vec<f64> {
            let spread = |c: usize| {
                let squares: Vec<f64> = members
                    .iter()
                    .zip(&own)
                    .flat_map(|(member, own)| own.iter().map(move |&i| (value(i, c) - mean(member)[c]).powi(2)))
                    .collect();
                (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
            };
            (0..channels).map(spread).collect()
        };
        let log_scale_within = within(&|i, c| log_scale(set, i, c), &|member| &member.log_scale);
        let offset_ratio_within = within(&|i, c| offset_ratio(set, i, c), &|member| &member.offset_ratio);
        Self { members, log_scale_within, offset_ratio_within }
    }

    /// Training subject `index`, by the numbers that stand for it.
    pub(crate) fn member(&self, index: usize, numbers: &[Vec<f32>]) -> Person {
        let member = &self.members[index];
        Person {
            numbers: numbers[index].clone(),
            median_rr_s: member.median_rr_s,
            log_scale: member.log_scale.clone(),
            offset_ratio: member.offset_ratio.clone(),
            age_years: member.age_years,
            sex: member.sex,
            guides: nearest(&numbers[index], numbers),
            own: BTreeMap::new(),
        }
    }

    /// How many training segments of the class the subject has that `person` is nearest to.
    pub(crate) fn has(&self, person: &Person, label: &str) -> usize {
        let nearest = person.guides.first().and_then(|&i| self.members[i].classes.get(label));
        nearest.map_or(0, |class| class.segments)
    }

    /// The training subject that `person` is nearest to.
    pub(crate) fn nearest(person: &Person) -> usize {
        person.guides.first().copied().unwrap_or_default()
    }

    /// What goes with a beat of the class: drawn together from a beat of the nearest subject that has the class, where it can be in the
    /// rhythm asked for (`""`: in any).
    pub(crate) fn facts(&self, person: &Person, label: &str, rhythm: &str, rng: &mut impl Rng) -> Facts {
        let jitter: [f64; 2] = std::array::from_fn(|_| RR_JITTER * normal(rng));
        let place = rng.random_range(0.0..1.0);
        let guide = person.guides.iter().find_map(|&i| self.members[i].classes.get(label));
        let all: Vec<&Kept> = guide.map_or(Vec::new(), |class| class.beats.iter().collect());
        let fitting: Vec<&Kept> = all.iter().copied().filter(|kept| !rhythm.is_empty() && kept.1 == rhythm).collect();
        let from = if fitting.is_empty() { &all } else { &fitting };
        let Some(Kept(code, found, ratio)) = from.get(((place * from.len() as f64) as usize).min(from.len().saturating_sub(1)))
        else {
            return Facts { code: String::new(), rhythm: rhythm.to_owned(), rr_s: [f32::NAN; 2] };
        };
        let ratio = ratio.unwrap_or([f32::NAN; 2]);
        Facts {
            code: code.clone(),
            rhythm: if rhythm.is_empty() { found.clone() } else { rhythm.to_owned() },
            rr_s: std::array::from_fn(|i| (person.median_rr_s * f64::from(ratio[i]) * jitter[i].exp()) as f32),
        }
    }
}

/// The training subjects and the Gaussian over them.
#[derive(Debug, Clone)]
pub(crate) struct People {
    population: Population,
    /// What stands for each training subject.
    numbers: Vec<Vec<f32>>,
    points: Vec<Vec<f64>>,
    gaussian: Gaussian,
}

impl People {
    /// Fitted to the training subjects.
    pub(crate) fn fit(population: Population, numbers: Vec<Vec<f32>>) -> Self {
        let points = points(&population, &numbers);
        let gaussian = Gaussian::fit(&points, shrinkage(points.first().map_or(0, Vec::len), points.len()));
        Self { population, numbers, points, gaussian }
    }

    /// A new patient. Two draws that differ only in `near` depart from other training subjects: `near` counts patients, so that each
    /// training subject is departed from equally often.
    pub(crate) fn draw(&self, novelty: f64, near: usize, rng: &mut impl Rng) -> Person {
        let (kept, new) = ((1.0 - novelty * novelty).max(0.0).sqrt(), novelty);
        let drawn = self.gaussian.deviation(rng);
        let from = &self.points[near % self.points.len()];
        let point = self.gaussian.mean.iter().zip(from).zip(drawn);
        let point: Vec<f64> = point.map(|((mean, from), drawn)| mean + kept * (from - mean) + new * drawn).collect();
        let person = Person::at(&point, self.numbers.first().map_or(0, Vec::len));
        let guides = nearest(&person.numbers, &self.numbers);
        let like = guides.first().and_then(|&i| self.population.members.get(i));
        let years = new * AGE_JITTER_YEARS * normal(rng);
        let age_years =
            like.and_then(|member| member.age_years).map(|age| (f64::from(age) + years).round().clamp(0.0, 100.0) as f32);
        Person { age_years, sex: like.and_then(|member| member.sex), guides, ..person }
    }
}

impl Person {
    /// Who is at this point, the first `dimensions` of which are the network's numbers, up to a factor. Nothing is known of their beats.
    fn at(point: &[f64], dimensions: usize) -> Self {
        let (numbers, rest) = point.split_at(dimensions);
        let size = (numbers.iter().map(|x| x * x).sum::<f64>() / dimensions.max(1) as f64).sqrt().max(1e-6);
        let channels = (rest.len() - 1) / 2;
        Self {
            numbers: numbers.iter().map(|x| (x / size) as f32).collect(),
            median_rr_s: rest[0].exp(),
            log_scale: rest[1..=channels].to_vec(),
            offset_ratio: rest[1 + channels..].to_vec(),
            age_years: None,
            sex: None,
            guides: Vec::new(),
            own: BTreeMap::new(),
        }
    }
}

/// Each training subject as a point.
fn points(population: &Population, numbers: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let point = |(member, numbers): (&Member, &Vec<f32>)| {
        let numbers = numbers.iter().map(|&x| f64::from(x));
        let rest = member.log_scale.iter().chain(&member.offset_ratio).copied();
        numbers.chain([member.median_rr_s.ln()]).chain(rest).collect()
    };
    population.members.iter().zip(numbers).map(point).collect()
}

fn member(set: &SegmentSet, name: &str, own: &[usize], everyone: f64) -> Member {
    let median_rr_s = median_rr(set, own).unwrap_or(everyone);
    let mean = |value: fn(&SegmentSet, usize, usize) -> f64, c: usize| {
        own.iter().map(|&i| value(set, i, c)).sum::<f64>() / own.len().max(1) as f64
    };
    let channels = set.channels();
    let mut by_class: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &i in own {
        by_class.entry(set.segments[i].label.clone()).or_default().push(i);
    }
    let classes = by_class.into_iter().map(|(label, own)| (label, member_class(set, &own, median_rr_s)));
    Member {
        name: name.to_owned(),
        median_rr_s,
        log_scale: (0..channels).map(|c| mean(log_scale, c)).collect(),
        offset_ratio: (0..channels).map(|c| mean(offset_ratio, c)).collect(),
        age_years: None,
        sex: None,
        classes: classes.collect(),
    }
}

fn member_class(set: &SegmentSet, own: &[usize], median_rr_s: f64) -> MemberClass {
    let mut beats: Vec<Kept> = Vec::with_capacity(own.len());
    for segment in own.iter().map(|&i| &set.segments[i]) {
        let rr = [segment.rr_before_s, segment.rr_after_s];
        let known = rr.iter().all(|rr| rr.is_finite() && *rr > 0.0);
        let ratio = known.then(|| rr.map(|rr| (f64::from(rr) / median_rr_s) as f32));
        beats.push(Kept(segment.code.clone(), segment.rhythm.clone(), ratio));
    }
    if beats.iter().any(|kept| kept.2.is_some()) {
        beats.retain(|kept| kept.2.is_some());
    }
    let step = beats.len().div_ceil(KEPT).max(1);
    MemberClass { segments: own.len(), beats: beats.into_iter().step_by(step).collect() }
}

fn median_rr(set: &SegmentSet, own: &[usize]) -> Option<f64> {
    let known = own.iter().map(|&i| set.segments[i].rr_before_s).filter(|rr| rr.is_finite() && *rr > 0.0);
    let mut known: Vec<f32> = known.collect();
    known.sort_by(f32::total_cmp);
    known.get(known.len() / 2).map(|&rr| f64::from(rr))
}

fn log_scale(set: &SegmentSet, i: usize, channel: usize) -> f64 {
    f64::from(set.scale[[i, channel]]).abs().max(1e-12).ln()
}

fn offset_ratio(set: &SegmentSet, i: usize, channel: usize) -> f64 {
    let scale = f64::from(set.scale[[i, channel]]);
    if scale == 0.0 { 0.0 } else { f64::from(set.offset[[i, channel]]) / scale }
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// All training subjects, nearest to `numbers` first.
fn nearest(numbers: &[f32], all: &[Vec<f32>]) -> Vec<usize> {
    let distance = |other: &[f32]| numbers.iter().zip(other).map(|(x, y)| (x - y) * (x - y)).sum::<f32>();
    let distances: Vec<f32> = all.iter().map(|other| distance(other)).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&i, &j| distances[i].total_cmp(&distances[j]).then(i.cmp(&j)));
    order
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;
    use crate::config::GeneratorConfig;
    use crate::toy;

    fn population() -> Population {
        let set = toy::segments(64, 8, 3);
        let data = TrainingData::new(&set, &GeneratorConfig::default(), Seed(1)).unwrap();
        Population::of(&set, &data)
    }

    #[test]
    fn members_are_the_training_subjects_alone() {
        let set = toy::segments(64, 8, 3);
        let population = population();
        let names: Vec<&str> = population.members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["p0", "p1"], "p2 validates");
        let own: Vec<usize> = set.indices(|s| s.subject == "p0");
        let mean = own.iter().map(|&i| f64::from(set.scale[[i, 0]]).ln()).sum::<f64>() / own.len() as f64;
        assert!((population.members[0].log_scale[0] - mean).abs() < 1e-9);
        assert!((population.members[0].median_rr_s - 0.8).abs() < 1e-6);
        let ventricular = &population.members[0].classes["V"];
        assert_eq!((ventricular.segments, ventricular.beats.len()), (own.len() / 2, own.len() / 2));
        assert!(ventricular.beats.iter().all(|kept| kept.0 == "V" && kept.1.is_empty() && kept.2.is_some()));
        let text = serde_json::to_string(&population).unwrap();
        assert_eq!(serde_json::from_str::<Population>(&text).unwrap(), population);
    }

    #[test]
    fn without_novelty_a_patient_is_a_training_subject_and_with_it_nobody() {
        let population = population();
        let numbers = vec![vec![1.0, 1.0], vec![-1.0, 1.0]];
        let people = People::fit(population.clone(), numbers.clone());
        let mut rng = Seed(1).stream("test", 0);
        let same = people.draw(0.0, 1, &mut rng);
        assert!(same.numbers.iter().zip(&numbers[1]).all(|(x, y)| (x - y).abs() < 1e-5), "{:?}", same.numbers);
        assert!((same.median_rr_s - population.members[1].median_rr_s).abs() < 1e-9);
        assert_eq!((same.guides[0], people.len()), (1, 2));
        let new: Vec<Person> = (0..200).map(|i| people.draw(1.0, i, &mut rng)).collect();
        for person in &new {
            let square: f32 = person.numbers.iter().map(|x| x * x).sum::<f32>() / 2.0;
            assert!((square - 1.0).abs() < 1e-3, "on the sphere");
        }
        let towards = |near: usize| new.iter().skip(near).step_by(2).filter(|p| p.guides[0] == near).count();
        assert!((30..70).contains(&towards(0)), "{} of 100 are nearest to whom they would depart from", towards(0));
    }

    #[test]
    fn what_goes_with_a_beat_is_drawn_together() {
        let mut population = population();
        let kept = |code: &str, rhythm: &str, ratio| Kept(code.into(), rhythm.into(), Some([ratio, ratio]));
        let class = MemberClass { segments: 3, beats: vec![kept("N", "(N", 1.0), kept("L", "(AFIB", 0.5)] };
        population.members[0].classes.insert("N".into(), class);
        let numbers = vec![vec![1.0, 1.0], vec![-1.0, 1.0]];
        let person = Person { median_rr_s: 2.0, ..population.member(0, &numbers) };
        let mut rng = Seed(1).stream("test", 0);
        for _ in 0..50 {
            let facts = population.facts(&person, "N", "", &mut rng);
            let (code, expected) = if facts.rhythm == "(N" { ("N", 2.0) } else { ("L", 1.0) };
            assert_eq!(facts.code, code);
            assert!((facts.rr_s[0] / expected - 1.0).abs() < 0.2, "{facts:?}");
            assert_eq!(population.facts(&person, "N", "(AFIB", &mut rng).code, "L", "what fits the rhythm asked for");
            let facts = population.facts(&person, "N", "(VT", &mut rng);
            assert_eq!((facts.rhythm.as_str(), facts.code.is_empty()), ("(VT", false), "none does: any");
        }
        let nobody = population.facts(&person, "X", "", &mut rng);
        assert!(nobody.rr_s[0].is_nan() && nobody.code.is_empty());
        assert_eq!(population.facts(&person, "V", "", &mut rng).code, "V");
        assert_eq!((population.has(&person, "X"), Population::nearest(&person)), (0, 0));
    }
}

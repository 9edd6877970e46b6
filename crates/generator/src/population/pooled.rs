//! People as distributions alone: what a model that is handed on has instead of its training subjects.
//!
//! Kept are the Gaussian over the subjects' points (see [the population](super)), how much of each class and code people have and how
//! that goes with their points (hidden values of [`Share`]s, further dimensions of the Gaussian), and quantiles of RR ratios. Every number
//! is taken over subjects, each counting the same, and rounded to four digits. What fewer than [`FEWEST`] subjects have is left out;
//! RR ratios that fewer than five contribute to are those of the class, or of all beats.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ratios::Ratios;
use super::{Crowd, Facts, Kept, Member, MemberClass, Person, Population, points};
use crate::gaussian::{Gaussian, rounded, shrinkage};
use crate::shares::{FEWEST, Share, hidden};

/// What people have of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PooledClass {
    /// Of all beats of a person.
    share: Share,
    /// Its codes, each with its share of the person's beats of the class.
    codes: BTreeMap<String, Share>,
    /// Rhythms in force at its beats, each with the mean of its share over those who have the class.
    rhythms: BTreeMap<String, f64>,
    /// RR ratios; none where fewer than five subjects have the class.
    ratios: Option<Ratios>,
    /// RR ratios by code, where five subjects or more have it.
    code_ratios: BTreeMap<String, Ratios>,
}

/// Something that fewer than [`FEWEST`](crate::export::FEWEST) training subjects had, so that it was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftOut {
    /// `class`, `code` or `rhythm`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How many training subjects had it.
    pub subjects: usize,
}

/// The training subjects as distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pooled {
    /// Version of this layout: 1.
    format: u32,
    /// How many training subjects there were.
    pub(crate) subjects: usize,
    /// Numbers that stand for a subject in the network.
    dimensions: usize,
    /// Over the subjects' points and, behind them, a hidden value for each class and code, in order.
    gaussian: Gaussian,
    classes: BTreeMap<String, PooledClass>,
    /// RR ratios of all beats.
    ratios: Option<Ratios>,
    log_scale_within: Vec<f64>,
    offset_ratio_within: Vec<f64>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// What a patient has of a class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Own {
    share: f64,
    codes: Vec<(String, f64)>,
}

impl Pooled {
    /// Of the training subjects and the numbers that stand for them.
    pub(crate) fn of(population: &Population, numbers: &[Vec<f32>]) -> Self {
        let members = &population.members;
        let mut points = points(population, numbers);
        let shrink = shrinkage(points.first().map_or(0, Vec::len), points.len());
        let mut left_out = Vec::new();
        let mut classes = BTreeMap::new();
        let labels: std::collections::BTreeSet<&String> = members.iter().flat_map(|member| member.classes.keys()).collect();
        for label in labels {
            let own: Vec<Option<&MemberClass>> = members.iter().map(|member| member.classes.get(label)).collect();
            let shares: Vec<f64> = members.iter().zip(&own).map(|(member, class)| share_of(member, *class)).collect();
            let Some(share) = Share::of(&shares) else {
                let subjects = own.iter().flatten().count();
                left_out.push(LeftOut { kind: "class".into(), name: label.clone(), subjects });
                continue;
            };
            append(&mut points, &hidden(&shares.iter().copied().map(Some).collect::<Vec<_>>()));
            let codes = codes(&own, &mut points, &mut left_out);
            let of =
                |code: Option<&str>| -> Vec<Vec<[f32; 2]>> { own.iter().flatten().map(|class| pairs(class, code)).collect() };
            let code_ratios = codes.keys().filter_map(|code| Some((code.clone(), Ratios::of(&of(Some(code)))?))).collect();
            let rhythms = rhythms(&own);
            classes.insert(label.clone(), PooledClass { share, codes, rhythms, ratios: Ratios::of(&of(None)), code_ratios });
        }
        let all = |member: &Member| -> Vec<[f32; 2]> { member.classes.values().flat_map(|class| pairs(class, None)).collect() };
        let round = |values: &[f64]| values.iter().map(|x| rounded(*x)).collect();
        left_out.sort();
        Self {
            format: 1,
            subjects: members.len(),
            dimensions: numbers.first().map_or(0, Vec::len),
            gaussian: Gaussian::fit(&points, shrink).rounded(),
            classes,
            ratios: Ratios::of(&members.iter().map(all).collect::<Vec<_>>()),
            log_scale_within: round(&population.log_scale_within),
            offset_ratio_within: round(&population.offset_ratio_within),
            left_out,
        }
    }

    /// The classes that it has, with the codes of each.
    pub(crate) fn classes(&self) -> BTreeMap<String, Vec<String>> {
        self.classes.iter().map(|(label, class)| (label.clone(), class.codes.keys().cloned().collect())).collect()
    }

    /// What is wrong with it for segments of so many channels; `None` where nothing is.
    pub(crate) fn problem(&self, dimensions: usize, channels: usize) -> Option<String> {
        let values: usize = self.classes.values().map(|class| 1 + class.codes.len()).sum();
        let shares = self.classes.values().flat_map(|class| class.codes.values().chain([&class.share]));
        let mut rhythms = self.classes.values().flat_map(|class| class.rhythms.values());
        let ratios = self.classes.values().flat_map(|class| class.code_ratios.values().chain(&class.ratios)).chain(&self.ratios);
        let found = [
            (self.format != 1, "it is of another version"),
            (self.dimensions != dimensions, "another number of values stands for a subject"),
            (self.log_scale_within.len() != channels || self.offset_ratio_within.len() != channels, "the channels are others"),
            (!self.gaussian.is_sound(dimensions + 1 + 2 * channels + values), "the Gaussian over people is not whole"),
            (
                !shares.into_iter().all(Share::is_sound) || !rhythms.all(|share| (0.0..=1.0).contains(share)),
                "a share is out of range",
            ),
            (!ratios.into_iter().all(Ratios::is_sound), "quantiles are out of order"),
        ];
        found.into_iter().find(|(wrong, _)| *wrong).map(|(_, what)| what.to_owned())
    }
}

impl Crowd for Pooled {
    fn new_patient(&self, _novelty: f64, _near: usize, rng: &mut ChaCha8Rng) -> Person {
        let point = self.gaussian.draw(rng);
        let width = self.dimensions + 1 + 2 * self.log_scale_within.len();
        let mut values = point.get(width..).unwrap_or(&[]).iter().copied();
        let mut next = || values.next().unwrap_or(0.0);
        let mut own = BTreeMap::new();
        for (label, class) in &self.classes {
            let share = class.share.at(next());
            let mut codes: Vec<(String, f64)> = class
                .codes
                .iter()
                .map(|(code, share)| (code.clone(), share.at(next())))
                .filter(|(_, share)| *share > 0.0)
                .collect();
            if codes.is_empty() {
                codes = class.codes.iter().map(|(code, share)| (code.clone(), share.having * share.typical())).collect();
            }
            own.insert(label.clone(), Own { share, codes });
        }
        Person { own, ..Person::at(point.get(..width).unwrap_or(&[]), self.dimensions) }
    }

    fn subject(&self, _name: &str) -> Option<Person> {
        None
    }

    fn subjects_with(&self, _label: &str) -> Vec<&str> {
        Vec::new()
    }

    fn len(&self) -> usize {
        self.subjects
    }

    fn knows_subjects(&self) -> bool {
        false
    }

    fn has_class(&self, label: &str) -> bool {
        self.classes.contains_key(label)
    }

    fn weights(&self, people: &[Person], label: &str) -> Vec<f64> {
        people.iter().map(|person| person.own.get(label).map_or(0.0, |own| own.share)).collect()
    }

    fn facts(&self, person: &Person, label: &str, rhythm: &str, rng: &mut ChaCha8Rng) -> Facts {
        let class = self.classes.get(label);
        let codes = person.own.get(label).map_or(&[][..], |own| &own.codes);
        let code = codes.choose_weighted(rng, |(_, share)| *share).map_or_else(|_| String::new(), |(code, _)| code.clone());
        let all: Vec<(&String, f64)> =
            class.iter().flat_map(|class| &class.rhythms).map(|(name, share)| (name, *share)).collect();
        let found = all.choose_weighted(rng, |(_, share)| *share).map_or_else(|_| String::new(), |(name, _)| (*name).clone());
        let known = class.and_then(|class| class.code_ratios.get(&code).or(class.ratios.as_ref())).or(self.ratios.as_ref());
        let ratios = known.map_or([f64::NAN; 2], |ratios| ratios.draw(rng));
        Facts {
            code,
            rhythm: if rhythm.is_empty() { found } else { rhythm.to_owned() },
            rr_s: ratios.map(|ratio| (person.median_rr_s * ratio) as f32),
        }
    }

    fn within(&self) -> [&[f64]; 2] {
        [&self.log_scale_within, &self.offset_ratio_within]
    }
}

/// The class's codes that enough subjects have; a hidden value of each is appended to the points.
fn codes(own: &[Option<&MemberClass>], points: &mut [Vec<f64>], left_out: &mut Vec<LeftOut>) -> BTreeMap<String, Share> {
    let names: std::collections::BTreeSet<&str> = own.iter().flatten().flat_map(|class| names(class)).collect();
    let mut codes = BTreeMap::new();
    for name in names {
        let known: Vec<Option<f64>> = own.iter().map(|class| class.map(|class| share_of_code(class, name))).collect();
        let shares: Vec<f64> = known.iter().flatten().copied().collect();
        let Some(share) = Share::of(&shares) else {
            let subjects = shares.iter().filter(|share| **share > 0.0).count();
            left_out.push(LeftOut { kind: "code".into(), name: name.to_owned(), subjects });
            continue;
        };
        append(points, &hidden(&known));
        codes.insert(name.to_owned(), share);
    }
    codes
}

fn append(points: &mut [Vec<f64>], values: &[f64]) {
    points.iter_mut().zip(values).for_each(|(point, value)| point.push(*value));
}

fn share_of(member: &Member, class: Option<&MemberClass>) -> f64 {
    let all: usize = member.classes.values().map(|class| class.segments).sum();
    class.map_or(0.0, |class| class.segments as f64 / all.max(1) as f64)
}

fn names(class: &MemberClass) -> Vec<&str> {
    class.beats.iter().map(|Kept(code, _, _)| code.as_str()).collect()
}

fn share_of_code(class: &MemberClass, code: &str) -> f64 {
    let own = class.beats.iter().filter(|Kept(name, _, _)| name == code);
    own.count() as f64 / class.beats.len().max(1) as f64
}

/// The rhythms that at least [`FEWEST`] subjects have beats of the class in, with the mean of their shares.
fn rhythms(own: &[Option<&MemberClass>]) -> BTreeMap<String, f64> {
    let known: Vec<&MemberClass> = own.iter().flatten().copied().collect();
    let all = known.iter().flat_map(|class| &class.beats).map(|Kept(_, rhythm, _)| rhythm.as_str());
    let names: std::collections::BTreeSet<&str> = all.filter(|name| !name.is_empty()).collect();
    let share = |class: &MemberClass, name: &str| {
        class.beats.iter().filter(|Kept(_, rhythm, _)| rhythm == name).count() as f64 / class.beats.len().max(1) as f64
    };
    let of = |name: &str| {
        let shares: Vec<f64> = known.iter().map(|class| share(class, name)).collect();
        let enough = shares.iter().filter(|share| **share > 0.0).count() >= FEWEST;
        enough.then(|| (name.to_owned(), rounded(shares.iter().sum::<f64>() / shares.len().max(1) as f64)))
    };
    names.into_iter().filter_map(of).collect()
}

/// RR ratios of the subject's beats of the class, or of one code.
fn pairs(class: &MemberClass, code: Option<&str>) -> Vec<[f32; 2]> {
    class
        .beats
        .iter()
        .filter(|Kept(name, _, _)| code.is_none_or(|code| code == name))
        .filter_map(|Kept(_, _, pair)| *pair)
        .collect()
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    /// Eight people: half of them are far out in the network's first number and have every V, two have a code of their own.
    fn population() -> (Population, Vec<Vec<f32>>) {
        let kept = |code: &str, rhythm: &str, ratio: f32| Kept(code.into(), rhythm.into(), Some([ratio, 2.0 - ratio]));
        let member = |i: usize| {
            let code = if i < 2 { "L" } else { "N" };
            let ordinary = (0..20).map(|k| kept(code, if i == 0 { "(AFIB" } else { "(N" }, 0.95 + 0.005 * k as f32)).collect();
            let mut classes = BTreeMap::from([("N".to_owned(), MemberClass { segments: 80 + i, beats: ordinary })]);
            if i >= 4 {
                let early = (0..10).map(|k| kept("V", "(N", 0.6 + 0.01 * k as f32)).collect();
                classes.insert("V".into(), MemberClass { segments: 10 * i, beats: early });
            }
            if i == 7 {
                classes.insert("Q".into(), MemberClass { segments: 1, beats: vec![kept("Q", "", 1.0)] });
            }
            Member {
                name: format!("person-{i}"),
                median_rr_s: 0.7 + 0.03 * i as f64,
                log_scale: vec![-1.0 + 0.1 * (i as f64 * 2.1).sin()],
                offset_ratio: vec![0.01 * (i as f64 * 3.3).cos()],
                age_years: None,
                sex: None,
                classes,
            }
        };
        let numbers = |i: usize| {
            let side = if i >= 4 { 1.0_f32 } else { -1.0 };
            vec![side, 0.9 * (i as f32 * 1.7).sin(), 0.9 * (i as f32 * 2.9).cos()]
        };
        let members = (0..8).map(member).collect();
        (Population { members, log_scale_within: vec![0.0], offset_ratio_within: vec![0.0] }, (0..8).map(numbers).collect())
    }

    #[test]
    fn what_few_have_is_left_out_and_the_rest_is_sound() {
        let (population, numbers) = population();
        let pooled = Pooled::of(&population, &numbers);
        assert_eq!(pooled.problem(3, 1), None);
        assert!(pooled.problem(4, 1).is_some() && pooled.problem(3, 2).is_some());
        let left: Vec<(&str, &str, usize)> =
            pooled.left_out.iter().map(|left| (left.kind.as_str(), left.name.as_str(), left.subjects)).collect();
        assert_eq!(left, [("class", "Q", 1), ("code", "L", 2)]);
        assert!(pooled.has_class("V") && !pooled.has_class("Q") && !pooled.knows_subjects());
        assert_eq!(pooled.classes["N"].rhythms.keys().collect::<Vec<_>>(), ["(N"], "one person's fibrillation is left out");
        let text = serde_json::to_string(&pooled).unwrap();
        assert_eq!(serde_json::from_str::<Pooled>(&text).unwrap(), pooled);
        assert!(!text.contains("person-"));
    }

    #[test]
    fn patients_have_what_people_have_together() {
        let (population, numbers) = population();
        let pooled = Pooled::of(&population, &numbers);
        let mut rng = Seed(1).stream("test", 0);
        let people: Vec<Person> = (0..400).map(|i| pooled.new_patient(1.0, i, &mut rng)).collect();
        let shares = pooled.weights(&people, "V");
        let having = shares.iter().filter(|share| **share > 0.0).count();
        assert!((160..=240).contains(&having), "half of them have V: {having}");
        // Those who have V are on the side of those who had.
        let side = |has: bool| {
            let own: Vec<f32> =
                people.iter().zip(&shares).filter(|(_, s)| (**s > 0.0) == has).map(|(p, _)| p.numbers[0]).collect();
            own.iter().sum::<f32>() / own.len() as f32
        };
        assert!(side(true) > side(false) + 0.5, "{} {}", side(true), side(false));
        for person in &people {
            assert!((person.numbers.iter().map(|x| x * x).sum::<f32>() / 3.0 - 1.0).abs() < 1e-3, "on the sphere");
            assert!(numbers.iter().all(|known| *known != person.numbers) && person.guides.is_empty());
            let facts = pooled.facts(person, "N", "", &mut rng);
            assert_eq!((facts.code.as_str(), facts.rhythm.as_str()), ("N", "(N"));
            assert!((0.5..2.0).contains(&(f64::from(facts.rr_s[0]) / person.median_rr_s)), "{facts:?}");
            assert_eq!(pooled.facts(person, "V", "(B", &mut rng).rhythm, "(B");
        }
        // Four people's early beats are too few: V takes its intervals from all beats.
        assert!(pooled.classes["V"].ratios.is_none() && pooled.classes["N"].ratios.is_some() && pooled.ratios.is_some());
        assert!(pooled.facts(&people[0], "Q", "", &mut rng).code.is_empty());
    }
}

//! Beat sequences as numbers: the vocabulary, and each record's beats in it.

use physiosynth_signal::BeatSequence;
use serde::{Deserialize, Serialize};

/// The unit in which the network sees deviations of the logarithm of an interval: about a fifth of the interval.
pub(super) const UNIT: f64 = 0.2;

/// The classes and rhythms that the training records have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Vocabulary {
    /// Classes, the most frequent first: the ordinary beat, whose intervals tell the rate.
    pub(super) classes: Vec<String>,
    /// Rhythms as their marks name them, the most frequent first; an empty name where records have no such marks.
    pub(super) rhythms: Vec<String>,
}

impl Vocabulary {
    /// Of these records, by frequency, then by name.
    pub(super) fn of(records: &[&BeatSequence]) -> Self {
        Self {
            classes: by_frequency(records.iter().flat_map(|record| &record.classes)),
            rhythms: by_frequency(records.iter().flat_map(|record| &record.rhythms)),
        }
    }

    /// The class's number; 0 (the ordinary one) for one that was not trained on.
    fn class(&self, name: &str) -> usize {
        self.classes.iter().position(|class| class == name).unwrap_or(0)
    }

    /// The rhythm's number; 0 for one that was not trained on.
    fn rhythm(&self, name: &str) -> usize {
        self.rhythms.iter().position(|rhythm| rhythm == name).unwrap_or(0)
    }
}

fn by_frequency<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for name in names {
        *counts.entry(name).or_insert(0_usize) += 1;
    }
    let mut order: Vec<(&String, usize)> = counts.into_iter().collect();
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    order.into_iter().map(|(name, _)| name.clone()).collect()
}

/// One beat in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token {
    pub(super) class: usize,
    pub(super) rhythm: usize,
    /// Logarithm of the seconds since the beat before, where known.
    pub(super) log_rr: Option<f64>,
}

/// The beats of a record in numbers.
pub(super) fn tokens(record: &BeatSequence, vocabulary: &Vocabulary) -> Vec<Token> {
    (0..record.len())
        .map(|i| Token {
            class: vocabulary.class(&record.classes[i]),
            rhythm: vocabulary.rhythm(&record.rhythms[i]),
            log_rr: record.rr_before_s(i).map(f64::ln),
        })
        .collect()
}

/// Time constants, in ordinary beats, of the running means of the interval that the network is given: what lies further back than
/// the network is trained through, down to the slow drift of the rate.
const MEMORIES: [f64; 3] = [8.0, 64.0, 512.0];
/// Time constant, in beats, of the running share of beats that are not ordinary.
const ECTOPY: f64 = 64.0;
/// Deviations beyond this many units are cut off in what the network sees.
const LARGEST: f64 = 6.0;

/// What the network is told at each beat, kept up beat by beat: in training and in sampling the same.
#[derive(Debug, Clone)]
pub(super) struct Features {
    classes: usize,
    rhythms: usize,
    means: [f64; MEMORIES.len()],
    ectopy: f64,
    /// The rhythm in force and how many beats it has lasted.
    rhythm: Option<(usize, u32)>,
    last: usize,
}

impl Features {
    /// Values at each beat that are numbers: they also reach the interval's distribution directly.
    pub(super) const NUMBERS: usize = MEMORIES.len() + 4;

    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let (classes, rhythms) = (vocabulary.classes.len(), vocabulary.rhythms.len());
        Self { classes, rhythms, means: [0.0; MEMORIES.len()], ectopy: 0.0, rhythm: None, last: 0 }
    }

    /// Values at each beat: the numbers, then class and rhythm one-hot.
    pub(super) fn width(&self) -> usize {
        Self::NUMBERS + self.classes + self.rhythms
    }

    /// The running mean deviation of ordinary beats over the shortest memory, in [`UNIT`]s.
    pub(super) fn mean(&self) -> f64 {
        self.means[0]
    }

    /// Takes in one beat and appends what the network is told of it. `deviation` is the logarithm of its interval less the
    /// patient's mean, in [`UNIT`]s.
    pub(super) fn push(&mut self, class: usize, rhythm: usize, deviation: Option<f64>, into: &mut Vec<f32>) {
        let cut = deviation.map(|x| x.clamp(-LARGEST, LARGEST));
        // Intervals between ordinary beats tell the rate; others are short, or make up for those that were.
        if let (Some(x), 0, 0) = (cut, class, self.last) {
            for (mean, memory) in self.means.iter_mut().zip(MEMORIES) {
                *mean += (x - *mean) / memory;
            }
        }
        self.ectopy += (f64::from(u8::from(class != 0)) - self.ectopy) / ECTOPY;
        self.last = class;
        let lasted = match self.rhythm {
            Some((known, beats)) if known == rhythm => beats.saturating_add(1),
            _ => 1,
        };
        self.rhythm = Some((rhythm, lasted));
        into.push(cut.unwrap_or(0.0) as f32);
        into.push(f32::from(u8::from(cut.is_some())));
        into.extend(self.means.map(|mean| mean as f32));
        into.push(self.ectopy as f32);
        into.push((f64::from(lasted).ln() / 8.0) as f32);
        let one_hot = |n: usize, hot: usize| (0..n).map(move |i| f32::from(u8::from(i == hot)));
        into.extend(one_hot(self.classes, class).chain(one_hot(self.rhythms, rhythm)));
    }
}

/// A record ready for the network: row `i` of `features` is told before beat `i + 1` is asked for.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// `[beats × width]`.
    pub(super) features: Vec<f32>,
    pub(super) tokens: Vec<Token>,
    /// The record's mean logarithm of the interval between ordinary beats.
    pub(super) log_rr: f64,
    /// What is told of the patient: one value per [`Portrait`](super::portrait::Portrait) entry, standardised.
    pub(super) patient: Vec<f32>,
}

impl Track {
    pub(super) fn new(tokens: Vec<Token>, log_rr: f64, patient: Vec<f32>, vocabulary: &Vocabulary) -> Self {
        let mut features = Features::new(vocabulary);
        let mut values = Vec::with_capacity(tokens.len() * features.width());
        for token in &tokens {
            features.push(token.class, token.rhythm, token.log_rr.map(|x| (x - log_rr) / UNIT), &mut values);
        }
        Self { features: values, tokens, log_rr, patient }
    }

    /// The deviation of beat `index`, in [`UNIT`]s, where its interval is known.
    pub(super) fn deviation(&self, index: usize) -> Option<f64> {
        Some((self.tokens.get(index)?.log_rr? - self.log_rr) / UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy;
    use super::*;

    #[test]
    fn the_most_frequent_class_is_the_ordinary_one() {
        let records = toy::records(3, 40);
        let vocabulary = Vocabulary::of(&records.iter().collect::<Vec<_>>());
        assert_eq!(vocabulary.classes, ["N", "V"]);
        assert_eq!(vocabulary.rhythms, ["(B", "(N"]);
        let tokens = tokens(&records[0], &vocabulary);
        assert_eq!((tokens.len(), tokens[0].log_rr), (40, None));
    }

    #[test]
    fn features_follow_the_beats() {
        let vocabulary = Vocabulary { classes: vec!["N".into(), "V".into()], rhythms: vec![String::new()] };
        let mut features = Features::new(&vocabulary);
        let mut row = Vec::new();
        features.push(0, 0, None, &mut row);
        assert_eq!(row, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        row.clear();
        features.push(0, 0, Some(8.0), &mut row);
        assert_eq!((row.len(), row[0], row[1], row[2]), (features.width(), 6.0, 1.0, 0.75));
        row.clear();
        // An interval before a beat of another class leaves the means as they are.
        features.push(1, 0, Some(-3.0), &mut row);
        assert_eq!((row[0], row[2], row[5]), (-3.0, 0.75, 1.0 / 64.0));
        assert_eq!(row[7..], [0.0, 1.0, 1.0]);
    }
}

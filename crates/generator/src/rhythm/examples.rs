//! Stretches of records as tensors.

use burn::Tensor;
use burn::tensor::{Device, TensorData};
use physiosynth_signal::Seed;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::net::{Came, LogProbabilities, RhythmNet};
use super::tokens::{Features, Track, UNIT, Vocabulary};

/// Some stretches, one row each, padded at their ends.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    rows: usize,
    beats: usize,
    features: Vec<f32>,
    patient: Vec<f32>,
    rhythm: Vec<f32>,
    class: Vec<f32>,
    deviation: Vec<f32>,
    /// 1 where a beat came, 0 in padding.
    came: Vec<f32>,
    /// 1 where its interval is known, too.
    known: Vec<f32>,
}

/// Negative logarithms of probabilities, added up over beats, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Nats {
    pub(super) rhythm: f64,
    pub(super) class: f64,
    /// Of the density of the interval's natural logarithm.
    pub(super) interval: f64,
    pub(super) beats: f64,
    /// Beats whose interval is known.
    pub(super) intervals: f64,
}

impl Nats {
    /// Adds what another stretch gave.
    pub(super) fn add(&mut self, other: Self) {
        self.rhythm += other.rhythm;
        self.class += other.class;
        self.interval += other.interval;
        self.beats += other.beats;
        self.intervals += other.intervals;
    }

    /// Per beat: rhythm, class and interval together.
    pub(super) fn per_beat(&self) -> f64 {
        (self.rhythm + self.class) / self.beats.max(1.0) + self.interval / self.intervals.max(1.0)
    }
}

impl Stretches {
    /// Of `beats` beats at most.
    pub(super) fn new(beats: usize) -> Self {
        Self { beats, ..Self::default() }
    }

    /// Appends `length` beats of a track, told from its beat `from` on.
    pub(super) fn push(&mut self, track: &Track, from: usize, patient: &[f32], vocabulary: &Vocabulary) {
        let width = track.features.len() / track.tokens.len().max(1);
        let (classes, rhythms) = (vocabulary.classes.len(), vocabulary.rhythms.len());
        self.rows += 1;
        self.patient.extend_from_slice(patient);
        for at in from..from + self.beats {
            // Beat `at` is told, beat `at + 1` came.
            let row = track.features.get(at * width..(at + 1) * width);
            let next = track.tokens.get(at + 1);
            match row {
                Some(row) => self.features.extend_from_slice(row),
                None => self.features.extend(std::iter::repeat_n(0.0, width)),
            }
            let deviation = track.deviation(at + 1);
            let hot = |n: usize, hot: Option<usize>| (0..n).map(move |i| f32::from(u8::from(Some(i) == hot)));
            self.rhythm.extend(hot(rhythms, next.map(|token| token.rhythm)));
            self.class.extend(hot(classes, next.map(|token| token.class)));
            self.deviation.push(deviation.unwrap_or(0.0) as f32);
            self.came.push(f32::from(u8::from(next.is_some())));
            self.known.push(f32::from(u8::from(deviation.is_some())));
        }
    }

    /// `batch` stretches of records drawn at random, each record as likely as another; with noise on what is told of the patient.
    pub(super) fn draw(
        tracks: &[Track],
        (batch, length): (usize, usize),
        noise: f64,
        vocabulary: &Vocabulary,
        (seed, step): (Seed, u64),
    ) -> Self {
        let mut stream = seed.stream("rhythm: batch", step);
        let mut stretches = Self::new(length);
        for _ in 0..batch {
            let track = &tracks[stream.random_range(0..tracks.len())];
            let last = track.tokens.len().saturating_sub(length + 1);
            let from = stream.random_range(0..=last);
            let patient = noisy(&track.patient, noise, &mut stream);
            stretches.push(track, from, &patient, vocabulary);
        }
        stretches
    }

    fn probabilities(&self, net: &RhythmNet, device: &Device) -> LogProbabilities {
        let rows = self.rows * self.beats;
        let of =
            |values: &[f32], n: usize| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [n, values.len() / n]), device);
        let width = self.features.len() / rows;
        let features = Tensor::from_data(TensorData::new(self.features.clone(), [self.rows, self.beats, width]), device);
        let came = Came { rhythm: of(&self.rhythm, rows), class: of(&self.class, rows), deviation: of(&self.deviation, rows) };
        net.log_probabilities(features, of(&self.patient, self.rows), came)
    }

    /// The loss: nats per beat, and per known interval.
    pub(super) fn loss(&self, net: &RhythmNet, device: &Device) -> Tensor<1> {
        let found = self.probabilities(net, device);
        let shape = [self.rows, self.beats];
        let weights = |values: &[f32]| {
            let total = values.iter().sum::<f32>().max(1.0);
            Tensor::<2>::from_data(TensorData::new(values.iter().map(|x| x / total).collect::<Vec<f32>>(), shape), device)
        };
        let marks = (found.rhythm + found.class).reshape(shape) * weights(&self.came);
        let intervals = found.interval.reshape(shape) * weights(&self.known);
        // By row first: sums of many values at once are in no fixed order.
        (marks + intervals).sum_dim(1).sum().neg()
    }

    /// What the network gives to these stretches, added up on the host.
    pub(super) fn nats(&self, net: &RhythmNet, device: &Device) -> Result<Nats, String> {
        let found = self.probabilities(net, device);
        let read = |tensor: Tensor<2>| tensor.try_into_vec_as::<f32>().map_err(|error| error.to_string());
        let sum = |values: &[f32], weights: &[f32]| -> f64 {
            -values.iter().zip(weights).filter(|(_, weight)| **weight > 0.0).map(|(x, _)| f64::from(*x)).sum::<f64>()
        };
        let intervals = self.known.iter().map(|&x| f64::from(x)).sum::<f64>();
        Ok(Nats {
            rhythm: sum(&read(found.rhythm)?, &self.came),
            class: sum(&read(found.class)?, &self.came),
            // From densities of deviations in units to densities of logarithms.
            interval: sum(&read(found.interval)?, &self.known) + intervals * UNIT.ln(),
            beats: self.came.iter().map(|&x| f64::from(x)).sum(),
            intervals,
        })
    }
}

fn noisy(patient: &[f32], deviation: f64, stream: &mut impl Rng) -> Vec<f32> {
    let draw = |stream: &mut _| -> f64 { StandardNormal.sample(stream) };
    patient.iter().map(|x| x + (deviation * draw(stream)) as f32).collect()
}

/// The network over whole records, one after the other, as a patient's record is sampled.
pub(super) fn of_records(net: &RhythmNet, tracks: &[Track], vocabulary: &Vocabulary, device: &Device) -> Result<Nats, String> {
    let mut all = Nats::default();
    for track in tracks {
        let mut whole = Stretches::new(track.tokens.len().saturating_sub(1).max(1));
        whole.push(track, 0, &track.patient, vocabulary);
        all.add(whole.nats(net, device)?);
    }
    Ok(all)
}

/// What a row of features holds, for whoever builds one by hand.
pub(super) fn row(features: &mut Features, class: usize, rhythm: usize, deviation: Option<f64>) -> Vec<f32> {
    let mut values = Vec::with_capacity(features.width());
    features.push(class, rhythm, deviation, &mut values);
    values
}

//! What the network has to beat: rhythms without memory, and with the memory of one beat.
//!
//! Both know of a patient what the network knows (rate, variability and shares) and are fitted to the training records:
//!
//! - **independent**: class by the patient's shares; the interval's deviation logistic, with mean and scale of its class, the scale in
//!   proportion to the patient's variability;
//! - **Markov**: class by the transitions of the training records, weighted by the patient's shares; the interval's deviation logistic
//!   around a line through the last deviation, a line for each pair of classes.

use super::examples::Nats;
use super::portrait::Portrait;
use super::tokens::Track;

/// Pseudo-count of each transition and pair: what was never seen is still possible.
const PRIOR: f64 = 0.5;
/// The standard deviation of a logistic distribution, in its scales.
const DEVIATION: f64 = 1.813_799_364;
/// Least scale of a deviation relative to the patient's variability.
const LEAST: f64 = 0.01;

/// A line through the last deviation, and the scale around it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    level: f64,
    slope: f64,
    scale: f64,
}

impl Line {
    /// Least squares over `(last, this)` deviations; flat where `flat` or where there is too little to tell a slope.
    fn fit(pairs: &[(f64, f64)], flat: bool) -> Self {
        let n = pairs.len() as f64;
        if pairs.is_empty() {
            return Self { level: 0.0, slope: 0.0, scale: 1.0 };
        }
        let (x0, y0) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
        let xy: f64 = pairs.iter().map(|(x, y)| (x - x0) * (y - y0)).sum();
        let xx: f64 = pairs.iter().map(|(x, _)| (x - x0).powi(2)).sum();
        let slope = if flat || n < 10.0 || xx <= 0.0 { 0.0 } else { xy / xx };
        let level = y0 - slope * x0;
        let rest = pairs.iter().map(|(x, y)| (y - level - slope * x).powi(2)).sum::<f64>() / n;
        Self { level, slope, scale: (rest.sqrt() / DEVIATION).max(LEAST) }
    }

    /// Nats of a deviation, both in units of the patient's variability.
    fn nats(&self, last: f64, this: f64) -> f64 {
        let distance = ((this - self.level - self.slope * last) / self.scale).abs();
        distance + 2.0 * (-distance).exp().ln_1p() + self.scale.ln()
    }
}

/// Both baselines, fitted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Baselines {
    /// `[class before][class]`: probabilities over the training records.
    transitions: Vec<Vec<f64>>,
    /// Shares of the classes in the training records.
    shares: Vec<f64>,
    /// `[class]`.
    alone: Vec<Line>,
    /// `[class before][class]`.
    after: Vec<Vec<Line>>,
}

/// A record's beats with deviations in units of its variability.
struct Scaled<'a> {
    track: &'a Track,
    /// Standard deviation of the logarithm of an ordinary interval.
    deviation: f64,
}

impl Scaled<'_> {
    fn of(&self, index: usize) -> Option<f64> {
        Some((self.track.tokens.get(index)?.log_rr? - self.track.log_rr) / self.deviation)
    }
}

impl Baselines {
    /// From the training records and their portraits.
    pub(super) fn fit(tracks: &[Track], portraits: &[Portrait]) -> Self {
        let classes = portraits.first().map_or(0, |portrait| portrait.classes.len());
        let mut counts = vec![vec![PRIOR; classes]; classes];
        let mut pairs = vec![vec![Vec::new(); classes]; classes];
        for (track, portrait) in tracks.iter().zip(portraits) {
            let scaled = Scaled { track, deviation: portrait.log_deviation.exp() };
            for (index, two) in track.tokens.windows(2).enumerate() {
                counts[two[0].class][two[1].class] += 1.0;
                if let Some(this) = scaled.of(index + 1) {
                    pairs[two[0].class][two[1].class].push((scaled.of(index).unwrap_or(0.0), this));
                }
            }
        }
        let total: f64 = counts.iter().flatten().sum();
        let shares = (0..classes).map(|k| counts.iter().map(|row| row[k]).sum::<f64>() / total).collect();
        let alone = (0..classes).map(|k| Line::fit(&pairs.iter().flat_map(|row| row[k].clone()).collect::<Vec<_>>(), true));
        let alone: Vec<Line> = alone.collect();
        let after = pairs.iter().map(|row| row.iter().map(|pairs| Line::fit(pairs, false)).collect()).collect();
        let normalised = |row: Vec<f64>| {
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|count| count / sum).collect()
        };
        Self { transitions: counts.into_iter().map(normalised).collect(), shares, alone, after }
    }

    /// What both give to a record, without and with memory. The rhythms' part is left at 0.
    pub(super) fn nats(&self, track: &Track, portrait: &Portrait) -> [Nats; 2] {
        let scaled = Scaled { track, deviation: portrait.log_deviation.exp() };
        let smoothed: Vec<f64> = portrait.classes.iter().map(|share| share.max(1e-4)).collect();
        let mut found = [Nats::default(); 2];
        for (index, two) in track.tokens.windows(2).enumerate() {
            let (before, class) = (two[0].class, two[1].class);
            let tilted = |k: usize| self.transitions[before][k] * smoothed[k] / self.shares[k];
            let all: f64 = (0..smoothed.len()).map(tilted).sum();
            let probabilities = [smoothed[class] / smoothed.iter().sum::<f64>(), tilted(class) / all];
            let lines = [self.alone[class], self.after[before][class]];
            let last = scaled.of(index).unwrap_or(0.0);
            for ((found, probability), line) in found.iter_mut().zip(probabilities).zip(lines) {
                found.class -= probability.ln();
                found.beats += 1.0;
                if let Some(this) = scaled.of(index + 1) {
                    found.interval += line.nats(last, this) + scaled.deviation.ln();
                    found.intervals += 1.0;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{Vocabulary, tokens};
    use super::super::toy;
    use super::*;

    #[test]
    fn memory_of_one_beat_helps_where_beats_depend_on_the_last() {
        let records = toy::records(4, 400);
        let vocabulary = Vocabulary::of(&records.iter().collect::<Vec<_>>());
        let portraits: Vec<Portrait> =
            records.iter().filter_map(|r| Portrait::of(r, &tokens(r, &vocabulary), &vocabulary)).collect();
        let tracks: Vec<Track> = records
            .iter()
            .zip(&portraits)
            .map(|(r, p)| Track::new(tokens(r, &vocabulary), p.log_rr, Vec::new(), &vocabulary))
            .collect();
        let baselines = Baselines::fit(&tracks, &portraits);
        let [alone, markov] = baselines.nats(&tracks[0], &portraits[0]);
        assert_eq!((alone.beats, alone.intervals), (399.0, 399.0));
        assert!(markov.class < 0.8 * alone.class, "{alone:?} {markov:?}");
        assert!(markov.interval < alone.interval, "{alone:?} {markov:?}");
    }

    #[test]
    fn a_line_is_found() {
        let pairs: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 2.0 + 0.5 * f64::from(i))).collect();
        let line = Line::fit(&pairs, false);
        assert!((line.level - 2.0).abs() < 1e-9 && (line.slope - 0.5).abs() < 1e-9 && line.scale == LEAST);
        assert!(line.nats(4.0, 4.0) < line.nats(4.0, 5.0));
    }
}

//! How far two distributions of a quantity are apart, in the quantity's own unit.

use std::collections::BTreeMap;

/// Wasserstein-1 distance of two samples of any sizes: the area between their distribution functions, or the mean distance that values
/// have to be moved. None where one is empty or holds what is not finite.
pub fn wasserstein(a: &[f64], b: &[f64]) -> Option<f64> {
    let merged = Merged::new(a, b)?;
    merged.distance(|_| 1.0)
}

/// The distance of sample `b`, whose values are from these subjects, from `a`, with a 95% interval by leaving out one subject of `b` at a
/// time (jackknife; normal approximation, cut off at 0). No interval for fewer subjects than `fewest` or where one gives more than half
/// of the values.
pub fn wasserstein_by_subject(a: &[f64], b: &[f64], subjects: &[&str], fewest: usize) -> Option<(f64, Option<(f64, f64)>)> {
    let merged = Merged::new(a, b)?;
    let value = merged.distance(|_| 1.0)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for subject in subjects {
        *counts.entry(subject).or_default() += 1;
    }
    let one_leads = counts.values().any(|&n| 2 * n > b.len());
    if subjects.len() != b.len() || counts.len() < fewest.max(2) || one_leads {
        return Some((value, None));
    }
    let without: Option<Vec<f64>> =
        counts.keys().map(|left_out| merged.distance(|i| f64::from(u8::from(subjects[i] != *left_out)))).collect();
    let interval = without.map(|without| {
        let n = without.len() as f64;
        let mean = without.iter().sum::<f64>() / n;
        let variance = (n - 1.0) / n * without.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let half = 1.96 * variance.sqrt();
        ((value - half).max(0.0), value + half)
    });
    Some((value, interval))
}

/// Both samples in order.
struct Merged {
    /// Value, and its index in the second sample; none where it is of the first.
    values: Vec<(f64, Option<usize>)>,
    first: usize,
}

impl Merged {
    fn new(a: &[f64], b: &[f64]) -> Option<Self> {
        if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|x| !x.is_finite()) {
            return None;
        }
        let second = b.iter().enumerate().map(|(i, &x)| (x, Some(i)));
        let mut values: Vec<(f64, Option<usize>)> = a.iter().map(|&x| (x, None)).chain(second).collect();
        values.sort_by(|x, y| x.0.total_cmp(&y.0));
        Some(Self { values, first: a.len() })
    }

    /// The distance with a weight for each value of the second sample.
    fn distance(&self, weight: impl Fn(usize) -> f64) -> Option<f64> {
        let total: f64 = self.values.iter().filter_map(|v| v.1).map(&weight).sum();
        if total <= 0.0 {
            return None;
        }
        let (mut below_a, mut below_b, mut area) = (0.0, 0.0, 0.0);
        for pair in self.values.windows(2) {
            match pair[0].1 {
                None => below_a += 1.0,
                Some(i) => below_b += weight(i),
            }
            area += (below_a / self.first as f64 - below_b / total).abs() * (pair[1].0 - pair[0].0);
        }
        Some(area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(wasserstein(&[0.0, 1.0, 3.0], &[5.0, 6.0, 8.0]), Some(5.0)); // of SciPy's documentation
        assert_eq!(wasserstein(&[1.0, 2.0], &[2.0, 1.0]), Some(0.0));
        assert!((wasserstein(&[0.0], &[0.0, 1.0, 2.0]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(wasserstein(&[], &[1.0]), None);
        assert_eq!(wasserstein(&[f64::NAN], &[1.0]), None);
    }

    #[test]
    fn leaving_subjects_out_gives_an_interval_around_the_value() {
        let a: Vec<f64> = (0..60).map(f64::from).collect();
        let b: Vec<f64> = (0..60).map(|i| f64::from(i) + 7.0 + f64::from(i % 6)).collect();
        let names = ["a", "b", "c", "d", "e", "f"];
        let subjects: Vec<&str> = (0..60).map(|i| names[i % 6]).collect();
        let (value, interval) = wasserstein_by_subject(&a, &b, &subjects, 5).unwrap();
        let (low, high) = interval.unwrap();
        assert!(low < value && value < high && high - low > 0.5 && low > 5.0, "{low} {value} {high}");
        assert_eq!(wasserstein_by_subject(&a, &b, &subjects, 7).unwrap().1, None);
        let one: Vec<&str> = (0..60).map(|i| if i < 40 { "a" } else { names[i % 6] }).collect();
        assert_eq!(wasserstein_by_subject(&a, &b, &one, 2).unwrap().1, None);
    }
}

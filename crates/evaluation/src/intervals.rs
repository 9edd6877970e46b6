//! Means, and how far they are to be trusted.

use std::collections::BTreeMap;

use physiosynth_signal::Seed;
use rand::RngExt;

use crate::EvaluationConfig;

/// The mean; none of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// 95% interval of the mean by resampling subjects (percentile bootstrap). None where subjects are too few or one has over
/// half of the segments.
pub(crate) fn interval(
    values: &[Option<f64>],
    subjects: &[String],
    config: &EvaluationConfig,
    seed: Seed,
    purpose: &str,
) -> Option<(f64, f64)> {
    let mut by_subject: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (value, subject) in values.iter().zip(subjects) {
        if let Some(v) = value {
            let entry = by_subject.entry(subject).or_default();
            *entry = (entry.0 + v, entry.1 + 1.0);
        }
    }
    let groups: Vec<(f64, f64)> = by_subject.into_values().collect();
    let total: f64 = groups.iter().map(|g| g.1).sum();
    if groups.len() < config.minimum_subjects || config.bootstrap_rounds == 0 || groups.iter().any(|g| g.1 > total / 2.0) {
        return None;
    }
    let mut rng = seed.stream(purpose, 0);
    let mut means: Vec<f64> = (0..config.bootstrap_rounds)
        .map(|_| {
            let (sum, count) = (0..groups.len()).fold((0.0, 0.0), |(sum, count), _| {
                let g = groups[rng.random_range(0..groups.len())];
                (sum + g.0, count + g.1)
            });
            sum / count
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |q: f64| means[((means.len() - 1) as f64 * q).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// 95% interval of the mean of repeated results by Student's t. None for fewer than three.
pub(crate) fn of_repeats(values: &[f64]) -> Option<(f64, f64)> {
    /// 97.5% points for 2 degrees of freedom and more.
    const T: [f64; 9] = [4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let n = values.len() as f64;
    let degrees = values.len().checked_sub(3)?;
    let t = T.get(degrees).copied().unwrap_or(1.96 + 2.7 / (n - 1.0));
    let mean = mean(values.iter().copied())?;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let half = t * deviation / n.sqrt();
    Some((mean - half, mean + half))
}

#[cfg(test)]
mod tests {
    use super::of_repeats;

    #[test]
    fn repeats_by_student() {
        let (low, high) = of_repeats(&[1.0, 2.0, 3.0]).unwrap();
        assert!((low - (2.0 - 4.303 / 3.0_f64.sqrt())).abs() < 1e-12 && (low + high - 4.0).abs() < 1e-12);
        assert_eq!(of_repeats(&[1.0, 2.0]), None);
    }
}

//! How clinical quantities are distributed, for the eye: densities of real training, held-out and synthetic segments.

use super::rows::Sets;
use crate::exhibits::{Distribution, DistributionOfSet};

/// Fewest values with which a set is shown.
const FEWEST: usize = 8;
/// Points of the grid.
const POINTS: usize = 72;
/// Shares at which quantiles are given.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
/// The grid spans these shares of each set's values: a single stray value does not flatten all others.
const SPAN: [f64; 2] = [0.01, 0.99];

/// Of one quantity (`name`, `unit`, in words `what`) of one class; none where neither real nor synthetic segments have it.
pub(super) fn distribution(
    (name, unit, what): (&str, &str, &str),
    class: &str,
    values: &Sets<Vec<Option<f64>>>,
) -> Option<Distribution> {
    let sets = [("train", &values.reference), ("held_out", &values.held_out), ("synthetic", &values.synthetic)];
    let known: Vec<(&str, Vec<f64>, usize)> = sets
        .into_iter()
        .map(|(set, all)| {
            let mut present: Vec<f64> = all.iter().copied().flatten().filter(|x| x.is_finite()).collect();
            present.sort_by(f64::total_cmp);
            let missing = all.len() - present.len();
            (set, present, missing)
        })
        .filter(|(_, present, _)| present.len() >= FEWEST)
        .collect();
    let ends = |which: usize| known.iter().map(move |(_, sorted, _)| quantile(sorted, SPAN[which]));
    let (low, high) = (ends(0).fold(f64::INFINITY, f64::min), ends(1).fold(f64::NEG_INFINITY, f64::max));
    if low > high || known.is_empty() {
        return None;
    }
    // Equal values have no width of their own.
    let margin = if high > low { 0.08 * (high - low) } else { 0.05 * low.abs().max(1.0) };
    let range = [rounded(low - margin), rounded(high + margin)];
    let sets = known.iter().map(|(set, sorted, missing)| of_set(set, sorted, *missing, range)).collect();
    Some(Distribution { name: name.into(), what: what.into(), unit: unit.into(), class: class.into(), range, sets })
}

fn of_set(set: &str, sorted: &[f64], missing: usize, [low, high]: [f64; 2]) -> DistributionOfSet {
    let step = (high - low) / (POINTS - 1) as f64;
    let n = sorted.len() as f64;
    // Silverman's rule (1986, eq. 3.31), and never finer than the grid, which also blurs the steps of a sampled time.
    let mean = sorted.iter().sum::<f64>() / n;
    let deviation = (sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let between = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34;
    let scale = if between > 0.0 { deviation.min(between) } else { deviation };
    let width = (0.9 * scale * n.powf(-0.2)).max(1.5 * step);
    let kernel = |x: f64| (-0.5 * (x / width).powi(2)).exp() / (width * (2.0 * std::f64::consts::PI).sqrt());
    let at = |k: usize| low + k as f64 * step;
    let density = (0..POINTS).map(|k| rounded(sorted.iter().map(|x| kernel(at(k) - x)).sum::<f64>() / n)).collect();
    let quantiles = QUANTILES.map(|q| rounded(quantile(sorted, q)));
    DistributionOfSet { set: set.into(), values: sorted.len(), missing, quantiles, density }
}

/// Of ascending values, between neighbours by a straight line; not a number where there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (sorted.get(place.floor() as usize), sorted.get(place.ceil() as usize));
    below.zip(above).map_or(f64::NAN, |(a, b)| a + (place - place.floor()) * (b - a))
}

/// Four significant digits are enough for a picture.
fn rounded(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let digits = 10_f64.powf(3.0 - x.abs().log10().floor());
    if digits.is_finite() { (x * digits).round() / digits } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reference: Vec<Option<f64>>, synthetic: Vec<Option<f64>>) -> Option<Distribution> {
        let sets = Sets { reference, synthetic, same: Vec::new(), held_out: Vec::new(), baselines: Vec::new() };
        distribution(("pr_ms", "ms", "PR"), "N", &sets)
    }

    #[test]
    fn densities_sum_to_one_and_quantiles_are_the_values() {
        let even: Vec<Option<f64>> = (0..=200).map(|k| Some(f64::from(k))).collect();
        let mut gaps = vec![None; 30];
        gaps.extend((0..50).map(|k| Some(f64::from(k % 2) * 100.0)));
        let found = of(even, gaps).unwrap();
        assert_eq!(found.sets.len(), 2, "no held-out values, no set");
        assert_eq!(found.sets[0].quantiles, [10.0, 50.0, 100.0, 150.0, 190.0]);
        assert_eq!((found.sets[1].values, found.sets[1].missing), (50, 30));
        let step = (found.range[1] - found.range[0]) / (POINTS - 1) as f64;
        let area = |k: usize| found.sets[k].density.iter().sum::<f64>() * step;
        assert!((area(0) - 1.0).abs() < 0.05, "{}", area(0));
        // Two heaps, at 0 and 100: little in the middle.
        let density = &found.sets[1].density;
        let middle = ((50.0 - found.range[0]) / step).round() as usize;
        assert!(density[middle] < density.iter().fold(0.0, |m: f64, &x| m.max(x)) / 3.0);
    }

    #[test]
    fn nothing_equal_and_stray_values() {
        assert_eq!(of(Vec::new(), vec![None; 50]), None);
        let equal = of(vec![Some(80.0); 20], vec![Some(80.0); 20]).unwrap();
        assert!(equal.range[0] < 80.0 && equal.range[1] > 80.0);
        assert!(equal.sets.iter().flat_map(|s| &s.density).all(|d| d.is_finite()));
        let mut stray = vec![Some(1.0); 300];
        stray[0] = Some(1e9);
        stray[1] = Some(f64::NAN);
        assert!(of(stray, Vec::new()).unwrap().range[1] < 10.0);
    }
}

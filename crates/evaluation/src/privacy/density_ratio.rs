//! DOMIAS: is the published set denser around a segment than the population is?

use super::{Attack, Seen};

pub(super) const ATTACK: Attack = Attack {
    name: "density_ratio",
    definition: "Score: density of the published set at the segment over that of a reference population (DOMIAS, van Breugel et al. \
                 2023), by distances to the nearest neighbours: ln(r_population / r_published), which orders segments as the ratio of \
                 densities does, averaged over the first k (evaluation.neighbours). It finds overfitting anywhere, not only around \
                 common segments; a single copy weighs one part in k.",
    score: |seen: &Seen| {
        let of = |distance: &f32| f64::from(distance.max(seen.floor)).ln();
        let pairs = seen.population.iter().zip(seen.published);
        pairs.map(|(population, published)| of(population) - of(published)).sum::<f64>()
            / seen.population.len().min(seen.published.len()).max(1) as f64
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_to_the_published_than_to_the_population_scores_above_0() {
        let score = |published: &[f32], population: &[f32]| (ATTACK.score)(&Seen { published, population, floor: 1e-3 });
        assert!((score(&[1.0, 1.0], &[1.0, std::f32::consts::E]) - 0.5).abs() < 1e-6);
        assert!(score(&[3.0], &[2.0]) < 0.0);
        // A copy is near, not infinitely near.
        assert!(score(&[0.0], &[1.0]) < 7.0);
    }
}

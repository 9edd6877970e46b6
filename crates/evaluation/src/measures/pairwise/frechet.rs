use super::{Pairwise, side_by_side};
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "discrete_frechet",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Discrete Fréchet distance of the two curves (Eiter & Mannila 1994): the smallest, over all monotone couplings of \
                 their samples, of the largest distance between coupled samples, in the physical unit; time differences cost \
                 nothing. Not the Gaussian (Fréchet inception) distance.",
    },
    many: Some(|pairs, shape| side_by_side::frechet(pairs, shape.channels)),
    compute: |real, other, shape| frechet(real, other, shape.channels),
};

/// Discrete Fréchet distance of two curves `[time, channel]`; the ground distance is Euclidean over channels.
/// The curves may differ in length. None where one is empty or holds NaN. Time and memory: product of the lengths, and the
/// length of the second.
pub fn frechet(a: &[f32], b: &[f32], channels: usize) -> Option<f64> {
    let b_time = b.len().checked_div(channels)?;
    if a.is_empty() || b_time == 0 || a.iter().chain(b).any(|v| v.is_nan()) {
        return None;
    }
    // Squared distances throughout: the largest and the smallest of squares are the squares of the largest and the smallest.
    let mut row = vec![f32::INFINITY; b_time];
    for (i, p) in a.chunks_exact(channels).enumerate() {
        let (mut diagonal, mut left) = (if i == 0 { 0.0 } else { f32::INFINITY }, f32::INFINITY);
        for (cell, q) in row.iter_mut().zip(b.chunks_exact(channels)) {
            let distance: f32 = p.iter().zip(q).map(|(x, y)| (x - y) * (x - y)).sum();
            let reach = diagonal.min(left).min(*cell);
            diagonal = *cell;
            left = reach.max(distance);
            *cell = left;
        }
    }
    row.last().map(|&d| f64::from(d).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recursion of Eiter & Mannila's paper, as written there.
    fn naive(a: &[f32], b: &[f32], i: usize, j: usize) -> f64 {
        let d = f64::from((a[i] - b[j]).abs());
        match (i, j) {
            (0, 0) => d,
            (0, j) => naive(a, b, 0, j - 1).max(d),
            (i, 0) => naive(a, b, i - 1, 0).max(d),
            (i, j) => naive(a, b, i - 1, j).min(naive(a, b, i - 1, j - 1)).min(naive(a, b, i, j - 1)).max(d),
        }
    }

    #[test]
    fn equals_the_papers_recursion() {
        let a = [0.0, 1.0, 0.5, -0.2, 2.0, 0.1_f32];
        let b = [0.1, 0.2, 1.4, 0.4, -0.1, 1.2, 0.3_f32];
        let fast = frechet(&a, &b, 1).unwrap();
        assert!((fast - naive(&a, &b, 5, 6)).abs() < 1e-7, "{fast}");
    }

    #[test]
    fn a_delay_costs_nothing_an_offset_costs_itself() {
        let a: Vec<f32> = (0..50).map(|t| if (20..30).contains(&t) { 1.0 } else { 0.0 }).collect();
        let b: Vec<f32> = (0..50).map(|t| if (23..33).contains(&t) { 1.0 } else { 0.0 }).collect();
        assert_eq!(frechet(&a, &b, 1), Some(0.0));
        let c: Vec<f32> = a.iter().map(|v| v + 0.25).collect();
        assert_eq!(frechet(&a, &c, 1), Some(0.25));
        assert_eq!(frechet(&a, &[f32::NAN; 50], 1), None);
        assert_eq!(frechet(&[], &a, 1), None);
    }
}

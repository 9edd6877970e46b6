use physiosynth_signal::Seed;
use rand::RngExt;

use super::*;

fn pool(n: usize, length: usize, step: u64, near_to: f32) -> Pool {
    let mut rng = Seed(3).stream("neighbours", step);
    // A large common part: where `|x|² + |y|² − 2xy` cancels.
    let samples =
        (0..n * length).map(|i| near_to * ((i % length) as f32 * 0.3).sin() + rng.random_range(-1.0_f32..1.0)).collect();
    Pool::of_samples(samples, length)
}

fn plain(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
}

#[test]
fn neighbours_equal_a_full_sort() {
    for (n, length, k) in [(1, 5, 3), (2, 1, 5), (33, 7, 4), (130, 21, 5)] {
        let set = pool(n, length, 1, 100.0);
        // Not the set's own centre: the bound must hold for any.
        let found = Neighbours::of(&Prepared::new(&set, &vec![0.0; length]), k);
        for i in 0..n {
            let mut all: Vec<f64> = (0..n).filter(|&j| j != i).map(|j| plain(set.segment(i), set.segment(j))).collect();
            all.sort_by(f64::total_cmp);
            let expected = (n > 1).then(|| all[k.min(n - 1) - 1]);
            assert!(close(found.radius_squared(i), expected), "{n} {length} {i}");
            assert!(close(found.nearest_squared(i), all.first().copied()));
        }
    }
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs(),
        _ => a == b,
    }
}

#[test]
fn meetings_equal_the_definitions() {
    for (n, m, length, k, offset) in [(40, 40, 9, 5, 0.0), (70, 23, 30, 3, 500.0), (1, 1, 2, 1, 0.0), (90, 90, 3, 5, 3.0)] {
        let (candidate, reference) = (pool(n, length, 4, offset), pool(m, length, 5, offset));
        let centre = centre(&reference);
        let (c, r) = (Prepared::new(&candidate, &centre), Prepared::new(&reference, &centre));
        let (of_c, of_r) = (Neighbours::of(&c, k), Neighbours::of(&r, k));
        let met = Meeting::of(&c, &r, Some((&of_c, &of_r)));
        let distance = |i: usize, j: usize| plain(candidate.segment(i), reference.segment(j));
        for i in 0..n {
            let inside = (0..m).filter(|&j| of_r.radius_squared(j).is_some_and(|radius| distance(i, j) < radius)).count();
            assert_eq!(met.inside[i] as usize, inside);
            let best = (0..m).min_by(|&a, &b| distance(i, a).total_cmp(&distance(i, b))).unwrap();
            assert_eq!(met.nearest[i].index, best);
        }
        for j in 0..m {
            let recalled = (0..n).any(|i| of_c.radius_squared(i).is_some_and(|radius| distance(i, j) < radius));
            assert_eq!(met.recalled[j], recalled);
            let best = (0..n).min_by(|&a, &b| distance(a, j).total_cmp(&distance(b, j))).unwrap();
            assert_eq!(met.reached_by[j].index, best);
        }
        let alone = Meeting::of(&c, &r, None);
        assert_eq!(alone.nearest, met.nearest);
        assert_eq!(alone.inside, vec![0; n]);
    }
}

#[test]
fn copies_and_missing_samples() {
    let mut samples = vec![1.5_f32; 20 * 4];
    samples[7] = f32::NAN;
    let set = Pool::of_samples(samples, 4);
    let centre = centre(&set);
    assert_eq!(centre, vec![1.5; 4]);
    let prepared = Prepared::new(&set, &centre);
    let own = Neighbours::of(&prepared, 5);
    assert_eq!(own.radius_squared(0), Some(0.0));
    assert_eq!(own.radius_squared(1), Some(f64::INFINITY));
    let met = Meeting::of(&prepared, &prepared, Some((&own, &own)));
    assert_eq!(met.nearest[3], Nearest { index: 0, distance: 0.0 });
    assert_eq!(met.nearest[1].distance, f32::INFINITY);
    // A ball without extent holds nobody: the comparison is strict, as in the public implementation.
    assert_eq!(met.inside[3], 0);
    let nothing = Pool::default();
    assert_eq!(Meeting::of(&Prepared::new(&nothing, &[]), &Prepared::new(&nothing, &[]), None).nearest, vec![]);
}

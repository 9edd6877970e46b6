use super::{Pairwise, side_by_side};
use crate::measures::{About, Unit};
use crate::scores::{Better, Family};

pub(super) const MEASURE: Pairwise = Pairwise {
    about: About {
        name: "dtw",
        unit: Unit::Physical,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "Dynamic time warping distance (Sakoe & Chiba 1978): √ of the least sum of squared differences along a monotone \
                 alignment that strays from the diagonal by at most the band (evaluation.dtw_band of the length), in the physical \
                 unit.",
    },
    many: Some(|pairs, shape| side_by_side::dtw(pairs, shape.channels, shape.band)),
    compute: |real, other, shape| dtw(real, other, shape.channels, shape.band),
};

/// Dynamic time warping distance of two segments `[time, channel]` of equal length, with a Sakoe–Chiba band of `band`
/// samples either side of the diagonal; the cost of a step is the squared Euclidean distance over channels, and the result
/// the square root of the sum. None where the lengths differ, a segment is empty, or one holds NaN.
pub fn dtw(a: &[f32], b: &[f32], channels: usize, band: usize) -> Option<f64> {
    let time = a.len().checked_div(channels)?;
    if a.len() != b.len() || time == 0 || a.iter().chain(b).any(|v| v.is_nan()) {
        return None;
    }
    // Two rows, each with a border cell before the first sample; cells outside the band stay infinite.
    let mut above = vec![f64::INFINITY; time + 1];
    let mut row = vec![f64::INFINITY; time + 1];
    above[0] = 0.0;
    for (i, p) in a.chunks_exact(channels).enumerate() {
        let (first, last) = (i.saturating_sub(band), (i + band).min(time - 1));
        row[first] = f64::INFINITY;
        for j in first..=last {
            let q = &b[j * channels..(j + 1) * channels];
            let cost: f64 = p.iter().zip(q).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
            row[j + 1] = cost + above[j].min(above[j + 1]).min(row[j]);
        }
        if last + 2 <= time {
            row[last + 2] = f64::INFINITY;
        }
        std::mem::swap(&mut above, &mut row);
    }
    Some(above[time].sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The full table, without the two-row economy.
    fn naive(a: &[f32], b: &[f32], band: usize) -> f64 {
        let n = a.len();
        let mut table = vec![vec![f64::INFINITY; n + 1]; n + 1];
        table[0][0] = 0.0;
        for i in 1..=n {
            for j in 1..=n {
                if i.abs_diff(j) <= band {
                    let least = table[i - 1][j].min(table[i][j - 1]).min(table[i - 1][j - 1]);
                    table[i][j] = (f64::from(a[i - 1]) - f64::from(b[j - 1])).powi(2) + least;
                }
            }
        }
        table[n][n].sqrt()
    }

    #[test]
    fn equals_the_full_table_for_every_band() {
        let a: Vec<f32> = (0..23).map(|t| (t as f32 * 0.7).sin() + 0.1 * t as f32).collect();
        let b: Vec<f32> = (0..23).map(|t| (t as f32 * 0.6 + 0.4).sin() + 0.08 * t as f32).collect();
        for band in 0..23 {
            let fast = dtw(&a, &b, 1, band).unwrap();
            assert!((fast - naive(&a, &b, band)).abs() < 1e-9, "band {band}: {fast}");
        }
    }

    /// Values of dtaidistance 2.5.1, `dtw.distance(a, b, window=w)` (its window counts the diagonal: w = band + 1).
    #[test]
    fn equals_dtaidistance() {
        let a = [0.0, 0.3, 1.0, 2.0, 1.2, 0.0, 1.0, 0.0, -0.5_f32];
        let b = [0.1, 1.0, 2.2, 0.3, 0.0, 0.7, 0.2, 0.0, 0.4_f32];
        for (band, expected) in GOLDEN {
            let found = dtw(&a, &b, 1, band).unwrap();
            assert!((found - expected).abs() < 1e-6, "band {band}: {found}");
        }
    }

    const GOLDEN: [(usize, f64); 4] =
        [(0, 2.865_309_756_378_880_7), (1, 1.356_465_996_625_053_6), (2, 1.356_465_996_625_053_6), (8, 1.356_465_996_625_053_6)];

    #[test]
    fn without_a_band_it_is_the_euclidean_distance() {
        assert_eq!(dtw(&[0.0, 0.0], &[3.0, 4.0], 1, 0), Some(5.0));
        assert_eq!(dtw(&[0.0, 0.0], &[3.0, 4.0], 2, 0), Some(5.0));
        assert_eq!(dtw(&[0.0], &[3.0, 4.0], 1, 0), None);
        assert_eq!(dtw(&[f32::NAN], &[3.0], 1, 0), None);
    }
}

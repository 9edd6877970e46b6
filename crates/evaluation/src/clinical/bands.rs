//! Relative band powers of the channels of several segments, and how far two sets of segments differ in them.

use super::spectrum::BANDS;

/// For each channel and band the mean over segments of the share of power from 1 to 45 Hz that lies in the band; none where no
/// segment has it. Laid out as `[channel × bands + band]`.
pub type BandShares = Vec<Option<f64>>;

/// A relative difference that counts as small.
pub const NEAR: f64 = 0.1;

/// What of two sets' shares differs: `|share / reference − 1|` over channels and bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandDifference {
    /// Mean over channels and bands.
    pub mean: f64,
    /// Largest of any channel and band.
    pub largest: f64,
    /// Channel and band where it is largest.
    pub at: (usize, usize),
    /// Share of channels and bands where it is [`NEAR`] at most.
    pub near: f64,
}

/// The relative difference of `shares` from `reference`; none where they have no channel and band in common.
pub fn band_difference(reference: &[Option<f64>], shares: &[Option<f64>]) -> Option<BandDifference> {
    let differences: Vec<(f64, usize)> = reference
        .iter()
        .zip(shares)
        .enumerate()
        .filter_map(|(i, (r, s))| Some((((*s)? / (*r).filter(|r| *r > 0.0)? - 1.0).abs(), i)))
        .collect();
    let (largest, at) = differences.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    let mean = differences.iter().map(|d| d.0).sum::<f64>() / differences.len() as f64;
    let near = differences.iter().filter(|d| d.0 <= NEAR).count() as f64 / differences.len() as f64;
    Some(BandDifference { mean, largest, at: (at / BANDS.len(), at % BANDS.len()), near })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_is_relative_and_names_the_worst() {
        let reference = [0.4, 0.3, 0.1, 0.1, 0.1, 0.5, 0.2, 0.1, 0.1, 0.1].map(Some);
        let mut shares = reference;
        shares[3] = Some(0.08);
        shares[5] = Some(0.54);
        shares[6] = None;
        let found = band_difference(&reference, &shares).unwrap();
        assert!((found.largest - 0.2).abs() < 1e-12 && (found.mean - 0.28 / 9.0).abs() < 1e-12);
        assert_eq!(found.at, (0, 3));
        assert!((found.near - 8.0 / 9.0).abs() < 1e-12, "{}", found.near);
        assert_eq!(band_difference(&reference, &reference).map(|d| d.largest), Some(0.0));
        assert_eq!(band_difference(&[], &[]), None);
        assert_eq!(band_difference(&[Some(0.0)], &[Some(1.0)]), None);
    }
}

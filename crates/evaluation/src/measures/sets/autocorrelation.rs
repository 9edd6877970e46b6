//! Autocorrelation difference.

use rayon::prelude::*;

use super::OfSets;
use super::moments::channel_means;
use crate::comparison::Comparison;
use crate::measures::{About, Unit};
use crate::pool::Pool;
use crate::scores::{Better, Family};

pub(super) const MEASURE: OfSets = OfSets {
    about: About {
        name: "autocorrelation_difference",
        unit: Unit::None,
        family: Family::Fidelity,
        better: Better::Lower,
        definition: "TSGBench's ACD (Ang et al. 2023): √Σ over lags 0 to 63 of the squared difference of the two sets' autocorrelations, \
                     that is of mean xₜxₜ₊ₗ over segments and instants by the variance, x less the set's one mean; averaged over \
                     channels; 0 for equal ones. Blind to phase, amplitude, and to single segments.",
    },
    compute: |sets: &Comparison| autocorrelation_difference(sets.reference, sets.candidate, sets.shape.channels),
};

/// TSGBench's largest number of lags.
const LAGS: usize = 64;

/// Segments summed at once, so that rounding does not depend on the threads.
const BLOCK: usize = 512;

/// TSGBench's autocorrelation difference. None where a set is empty or constant in a channel, or holds missing samples.
pub fn autocorrelation_difference(reference: &Pool, candidate: &Pool, channels: usize) -> Option<f64> {
    let (real, scored) = (autocorrelation(reference, channels)?, autocorrelation(candidate, channels)?);
    let by_channel = real.iter().zip(&scored).map(|(a, b)| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt());
    Some(by_channel.sum::<f64>() / channels as f64).filter(|d| d.is_finite())
}

/// By channel and lag.
fn autocorrelation(set: &Pool, channels: usize) -> Option<Vec<Vec<f64>>> {
    let time = set.length().checked_div(channels)?;
    if set.is_empty() || time == 0 {
        return None;
    }
    let lags = LAGS.min(time);
    let means = channel_means(set, channels);
    let of_channel = |channel: usize| {
        let blocks: Vec<[f64; LAGS]> = set
            .samples()
            .par_chunks(BLOCK * set.length())
            .map(|block| {
                let (mut sums, mut x) = ([0.0; LAGS], vec![0.0_f64; time + LAGS]);
                for segment in block.chunks_exact(set.length()) {
                    for (x, &s) in x.iter_mut().zip(segment.iter().skip(channel).step_by(channels)) {
                        *x = f64::from(s) - means[channel];
                    }
                    // Zeros after the end add nothing.
                    for t in 0..time {
                        for (sum, later) in sums.iter_mut().zip(&x[t..t + LAGS]) {
                            *sum += x[t] * later;
                        }
                    }
                }
                sums
            })
            .collect();
        let mean = |lag: usize| blocks.iter().map(|b| b[lag]).sum::<f64>() / (set.len() * (time - lag)) as f64;
        let variance = mean(0);
        (variance > 0.0).then(|| (0..lags).map(|lag| mean(lag) / variance).collect())
    };
    (0..channels).map(of_channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_frequency_and_not_amplitude() {
        let wave = |period: f32, height: f32| {
            let samples = (0..20 * 100).map(|i| height * (std::f32::consts::TAU * i as f32 / period).sin()).collect();
            Pool::of_samples(samples, 100)
        };
        let same = autocorrelation_difference(&wave(20.0, 1.0), &wave(20.0, 3.0), 1).unwrap();
        assert!(same < 1e-5, "{same}");
        // Cosines of two frequencies are about 1 apart at each lag.
        let other = autocorrelation_difference(&wave(20.0, 1.0), &wave(10.0, 1.0), 1).unwrap();
        assert!((6.0..10.0).contains(&other), "{other}");
        assert_eq!(autocorrelation_difference(&wave(20.0, 0.0), &wave(10.0, 1.0), 1), None);
    }
}

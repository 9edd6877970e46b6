//! How the channels of an EEG go together: correlation and coherence, channel by channel.

use rustfft::num_complex::Complex;

use super::spectrum::{WHOLE, Welch, bins};

/// Values for each pair of channels `i < j`, row by row of the upper triangle; none where undefined.
pub type Pairs = Vec<Option<f64>>;

fn pairs(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..channels).flat_map(move |i| (i + 1..channels).map(move |j| (i, j)))
}

/// Pearson correlation of each pair of channels, the mean over segments `[channel][time]`; segments in which a channel is constant or not
/// finite do not count for its pairs.
pub fn correlations(segments: &[Vec<Vec<f64>>]) -> Pairs {
    let channels = segments.first().map_or(0, Vec::len);
    let mut sums = vec![(0.0, 0_usize); channels * channels.saturating_sub(1) / 2];
    for segment in segments {
        let unit: Vec<Option<Vec<f64>>> = segment.iter().map(|channel| standardised(channel)).collect();
        for (sum, (i, j)) in sums.iter_mut().zip(pairs(channels)) {
            if let (Some(Some(a)), Some(Some(b))) = (unit.get(i), unit.get(j)) {
                sum.0 += a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
                sum.1 += 1;
            }
        }
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f64)).collect()
}

/// The channel without its mean and of length 1.
fn standardised(channel: &[f64]) -> Option<Vec<f64>> {
    let mean = channel.iter().sum::<f64>() / channel.len() as f64;
    let norm = channel.iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
    (norm.is_finite() && norm > 0.0).then(|| channel.iter().map(|x| (x - mean) / norm).collect())
}

/// Magnitude-squared coherence of each pair of channels, |Sxy|² / (Sxx Syy), its mean over the bins from 1 to 45 Hz. The spectra are means
/// over all segments `[channel][time]` and their parts, of which there must be at least two (a single one has coherence 1 everywhere). With
/// `n` independent parts, unrelated channels get about 1/n: compare sets of equal size only.
pub fn coherences(segments: &[Vec<Vec<f64>>], welch: &Welch) -> Pairs {
    let channels = segments.first().map_or(0, Vec::len);
    let count = channels * channels.saturating_sub(1) / 2;
    let zero = Complex::new(0.0, 0.0);
    let (mut parts, mut width) = (0, 0);
    let mut own: Vec<Vec<f64>> = Vec::new();
    let mut cross: Vec<Vec<Complex<f64>>> = Vec::new();
    for segment in segments {
        let transforms: Vec<_> = segment.iter().map(|channel| welch.transforms(channel)).collect();
        if transforms.iter().any(Vec::is_empty) || transforms.len() != channels {
            continue;
        }
        for part in 0..transforms[0].len() {
            let range = bins(welch.step_hz(), transforms[0][part].len(), WHOLE);
            if own.is_empty() {
                width = range.len();
                own = vec![vec![0.0; width]; channels];
                cross = vec![vec![zero; width]; count];
            }
            parts += 1;
            for (sum, t) in own.iter_mut().zip(&transforms) {
                sum.iter_mut().zip(&t[part][range.clone()]).for_each(|(s, v)| *s += v.norm_sqr());
            }
            for (sum, (i, j)) in cross.iter_mut().zip(pairs(channels)) {
                let (a, b) = (&transforms[i][part][range.clone()], &transforms[j][part][range.clone()]);
                sum.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (x, y))| *s += x * y.conj());
            }
        }
    }
    if parts < 2 || width == 0 {
        return vec![None; count];
    }
    let of = |((i, j), cross): ((usize, usize), &Vec<Complex<f64>>)| {
        let bins = cross.iter().zip(own[i].iter().zip(&own[j])).map(|(s, (a, b))| s.norm_sqr() / (a * b));
        let mean = bins.sum::<f64>() / width as f64;
        mean.is_finite().then_some(mean)
    };
    pairs(channels).zip(&cross).map(of).collect()
}

/// Mean absolute difference of two sets of pairs, over those that both have; none where there are none.
pub fn mean_absolute_difference(a: &[Option<f64>], b: &[Option<f64>]) -> Option<f64> {
    let differences: Vec<f64> = a.iter().zip(b).filter_map(|(x, y)| Some(((*x)? - (*y)?).abs())).collect();
    (!differences.is_empty()).then(|| differences.iter().sum::<f64>() / differences.len() as f64)
}

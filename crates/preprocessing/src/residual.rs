//! What denoising takes away from a record, as a spectrum: enough to put noise of the same colour and strength back on
//! synthetic records that ask for it.

use std::f64::consts::PI;

use physiosynth_signal::Residual;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Half-octave bands between these bounds, in hertz: from slow baseline wander to beyond what an ECG holds.
const LOWEST_HZ: f64 = 0.04;
/// How many bands.
const BANDS: usize = 26;
/// Length of a window in seconds: one bin is 0.04 Hz wide.
const WINDOW_S: f64 = 25.0;
/// The fewest windows that a spectrum is made of.
const FEWEST: usize = 2;

/// The spectrum of `original − clean` (Welch 1967: windows of 25 s half over one another, Hann's weights), in half-octave bands. The
/// median over the windows, so that a few seconds of a loose electrode do not count for the whole record. `None` where the
/// record is shorter than two such windows, or nothing was taken away.
pub(crate) fn spectrum(original: &[f32], clean: &[f32], sampling_frequency_hz: f64, unit: &str) -> Option<Residual> {
    let length = (WINDOW_S * sampling_frequency_hz).round() as usize;
    let n = original.len().min(clean.len());
    // Windows begin every half window.
    if length < 64 || n < length + (FEWEST - 1) * (length / 2) {
        return None;
    }
    let edges_hz: Vec<f64> = (0..=BANDS).map(|k| LOWEST_HZ * 2.0_f64.powf(k as f64 / 2.0)).collect();
    let weights: Vec<f64> = (0..length).map(|i| (PI * (i as f64 + 0.5) / length as f64).sin().powi(2)).collect();
    let power: f64 = weights.iter().map(|w| w * w).sum();
    let transform = FftPlanner::new().plan_fft_forward(length);
    let mut windows: Vec<[f64; BANDS]> = Vec::new();
    let mut levels: Vec<f64> = Vec::new();
    for start in (0..=n - length).step_by(length / 2) {
        let difference = original.iter().zip(clean).skip(start).take(length).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let mut values: Vec<Complex<f64>> = difference.zip(&weights).map(|(x, w)| Complex::new(x * w, 0.0)).collect();
        transform.process(&mut values);
        let density = |bin: usize| 2.0 * values[bin].norm_sqr() / (power * sampling_frequency_hz);
        let bands: [f64; BANDS] = std::array::from_fn(|k| {
            let bin = |hz: f64| (hz * length as f64 / sampling_frequency_hz).ceil() as usize;
            let (from, to) = (bin(edges_hz[k]).max(1), bin(edges_hz[k + 1]).min(length / 2));
            // A band narrower than a bin takes the bin that it lies in.
            let range = if from < to { from..to } else { from.min(length / 2 - 1)..from.min(length / 2 - 1) + 1 };
            let beyond = edges_hz[k] >= sampling_frequency_hz / 2.0;
            let bins = range.len() as f64;
            if beyond { 0.0 } else { range.map(density).sum::<f64>() / bins / median_of_mean(bins) }
        });
        let total: f64 = bands.iter().zip(edges_hz.windows(2)).map(|(density, edges)| density * (edges[1] - edges[0])).sum();
        windows.push(bands);
        if total > 0.0 {
            levels.push(total.ln() / 2.0);
        }
    }
    let density: Vec<f64> = (0..BANDS).map(|k| median(windows.iter().map(|bands| bands[k]).collect())).collect();
    if levels.len() < FEWEST || density.iter().all(|density| *density == 0.0) {
        return None;
    }
    // 1.4826 times the median deviation is the standard deviation of a Gaussian.
    let middle = median(levels.clone());
    let unevenness = 1.4826 * median(levels.iter().map(|level| (level - middle).abs()).collect());
    Some(Residual { unit: unit.to_owned(), edges_hz, density, unevenness })
}

/// The median of the mean of `bins` values of a noise's periodogram, in units of their expectation: a χ² with two degrees of freedom a
/// bin (Wilson and Hilferty 1931).
fn median_of_mean(bins: f64) -> f64 {
    (1.0 - 1.0 / (9.0 * bins)).powi(3)
}

/// The median, the mean of the middle two where there are two; 0 of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match (values.get(n.wrapping_sub(1) / 2), values.get(n / 2)) {
        (Some(low), Some(high)) if n > 0 => f64::midpoint(*low, *high),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    use super::*;

    #[test]
    fn white_noise_has_its_density_in_every_band() {
        let mut stream = Seed(3).stream("noise", 0);
        // Uniform within ±a: variance a²/3, spread over 0 to 100 Hz.
        let noise: Vec<f32> = (0..60_000).map(|_| stream.random_range(-0.3..0.3_f32)).collect();
        let residual = spectrum(&noise, &vec![0.0; noise.len()], 200.0, "mV").unwrap();
        for (density, edges) in residual.density.iter().zip(residual.edges_hz.windows(2)).skip(4) {
            if edges[1] <= 100.0 {
                assert!((density / (0.03 / 100.0) - 1.0).abs() < 0.35, "{density} at {edges:?}");
            }
        }
        assert!(residual.unevenness < 0.1 && residual.density.last() == Some(&0.0), "{residual:?}");
    }

    #[test]
    fn a_slow_wave_is_in_its_band() {
        let wander: Vec<f32> = (0..60_000).map(|i| (2.0 * PI * 0.25 * f64::from(i) / 200.0).sin() as f32).collect();
        let residual = spectrum(&wander, &vec![0.0; wander.len()], 200.0, "mV").unwrap();
        let power = |k: usize| residual.density[k] * (residual.edges_hz[k + 1] - residual.edges_hz[k]);
        let most = (0..BANDS).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap();
        assert!((residual.edges_hz[most]..residual.edges_hz[most + 1]).contains(&0.25));
        assert!((power(most) - 0.5).abs() < 0.2, "{}", power(most));
    }

    #[test]
    fn nothing_taken_away_gives_nothing() {
        let signal = vec![0.5; 60_000];
        assert_eq!(spectrum(&signal, &signal, 200.0, "mV"), None);
        assert_eq!(spectrum(&signal[..5000], &vec![0.0; 5000], 200.0, "mV"), None);
    }
}

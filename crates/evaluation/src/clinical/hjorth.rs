//! What is read off an EEG channel in time: Hjorth's parameters and line length.

/// Hjorth's parameters (Hjorth 1970), and line length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hjorth {
    /// Variance, in unit².
    pub activity: f64,
    /// √(variance of the slope / variance), in 1/s: a mean frequency, times 2π.
    pub mobility_per_s: f64,
    /// Mobility of the slope over mobility: 1 for a sine.
    pub complexity: f64,
}

/// Hjorth's parameters of a signal; slopes are differences of neighbouring samples. None where they are undefined: fewer than four
/// samples, a constant signal or slope, samples that are not finite.
pub fn hjorth(signal: &[f64], sampling_frequency_hz: f64) -> Option<Hjorth> {
    if signal.len() < 4 {
        return None;
    }
    let slope: Vec<f64> = signal.windows(2).map(|w| (w[1] - w[0]) * sampling_frequency_hz).collect();
    let bend: Vec<f64> = slope.windows(2).map(|w| (w[1] - w[0]) * sampling_frequency_hz).collect();
    let [v0, v1, v2] = [signal, &slope, &bend].map(variance);
    let found = Hjorth { activity: v0, mobility_per_s: (v1 / v0).sqrt(), complexity: (v2 / v1).sqrt() / (v1 / v0).sqrt() };
    (v0 > 0.0 && v1 > 0.0 && found.complexity.is_finite()).then_some(found)
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n
}

/// Sum of the absolute differences of neighbouring samples per second of signal (Esteller et al. 2001). None for fewer than two samples
/// or where one is not finite.
pub fn line_length_per_s(signal: &[f64], sampling_frequency_hz: f64) -> Option<f64> {
    let steps = signal.len().checked_sub(1).filter(|&n| n > 0)?;
    let sum: f64 = signal.windows(2).map(|w| (w[1] - w[0]).abs()).sum();
    let rate = sum * sampling_frequency_hz / steps as f64;
    rate.is_finite().then_some(rate)
}

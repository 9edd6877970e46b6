//! What a format could not hold: samples that were rounded.

/// Samples of a channel that are not read back as they were.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rounding {
    /// How many.
    pub samples: u64,
    /// By how much at most, in the channel's unit.
    pub largest: f64,
}

impl Rounding {
    /// Notes a sample and what will be read instead.
    pub(crate) fn note(&mut self, sample: f32, back: f32) {
        if sample != back && !sample.is_nan() {
            self.samples += 1;
            self.largest = self.largest.max((f64::from(back) - f64::from(sample)).abs());
        }
    }
}

/// Roundings of each channel, as warnings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roundings {
    /// Of each channel: label, unit, samples, and what became of them.
    channels: Vec<(String, String, u64, Rounding)>,
}

impl Roundings {
    pub(crate) fn add(&mut self, label: &str, unit: &str, samples: u64, rounding: Rounding) {
        if rounding.samples > 0 {
            self.channels.push((label.to_owned(), unit.to_owned(), samples, rounding));
        }
    }

    /// One sentence for all channels, naming the worst; `None` where nothing was rounded. `bits` says what the format holds.
    pub(crate) fn warning(&self, bits: &str) -> Option<String> {
        let (label, unit, samples, worst) = self.channels.iter().max_by(|a, b| a.3.largest.total_cmp(&b.3.largest))?;
        let others = match self.channels.len() {
            1 => String::new(),
            n => format!("; {} other channels likewise, by less", n - 1),
        };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Some(format!(
            "samples are rounded to {bits}: {} of {samples} in channel '{label}', by {:.3e}{unit} at most{others}",
            worst.samples, worst.largest
        ))
    }
}

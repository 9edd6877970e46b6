//! What differs for an EEG: the table `[generator.eeg]`.

use physiosynth_signal::{SegmentSet, SignalKind, Split};
use serde::{Deserialize, Serialize};

use super::GeneratorConfig;

/// Keys of `[generator]` that have values of their own where the segments are an EEG's; those of `[generator]` are then not used.
///
/// An epoch has many channels and hardly any wave with a fixed place in it, where a beat has its waves around the mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EegConfig {
    /// As `generator.frame`. Default 8.
    pub frame: usize,
    /// As `generator.positions`. Default 2.
    pub positions: usize,
    /// As `generator.noise_lags`. Default 32.
    pub noise_lags: usize,
    /// As `generator.emphasis`. Default 0.8.
    pub emphasis: f64,
    /// As `generator.shift`. Default true.
    pub shift: bool,
    /// As `generator.noise_mean`. Default 0.
    pub noise_mean: f64,
    /// As `generator.noise_deviation`. Default 1.4.
    pub noise_deviation: f64,
    /// As `generator.epochs`. Default 30.
    pub epochs: usize,
    /// As `generator.steps_per_epoch`. Default 20.
    pub steps_per_epoch: usize,
    /// Training ends when as many segments were drawn as there are, so many times over: of few epochs a network that sees each too often
    /// learns them by heart. Steps per epoch are then fewer. 0 for no limit. Default 240.
    pub passes: usize,
}

impl Default for EegConfig {
    fn default() -> Self {
        Self {
            frame: 8,
            positions: 2,
            noise_lags: 32,
            emphasis: 0.8,
            shift: true,
            noise_mean: 0.0,
            noise_deviation: 1.4,
            epochs: 30,
            steps_per_epoch: 20,
            passes: 240,
        }
    }
}

impl GeneratorConfig {
    /// The settings that hold for these segments: with the values of [`EegConfig`] where they are an EEG's.
    #[must_use]
    pub fn for_segments(&self, set: &SegmentSet) -> Self {
        match SignalKind::of_channels(&set.channel_names, &set.channel_units) {
            SignalKind::Eeg(_) => self.for_eeg().within(self.eeg.passes, set),
            _ => self.clone(),
        }
    }

    /// With no more steps than go over the training segments so often.
    fn within(mut self, passes: usize, set: &SegmentSet) -> Self {
        let segments = set.segments.iter().filter(|segment| segment.split == Split::Train).count();
        let steps = (passes * segments).div_ceil((self.batch * self.epochs).max(1)).max(1);
        if passes > 0 {
            self.steps_per_epoch = if self.steps_per_epoch == 0 { steps } else { self.steps_per_epoch.min(steps) };
        }
        self
    }

    /// The settings that hold for an EEG.
    pub(super) fn for_eeg(&self) -> Self {
        let EegConfig {
            frame, positions, noise_lags, emphasis, shift, noise_mean, noise_deviation, epochs, steps_per_epoch, ..
        } = self.eeg;
        Self {
            frame,
            positions,
            noise_lags,
            emphasis,
            shift,
            noise_mean,
            noise_deviation,
            epochs,
            steps_per_epoch,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eeg_has_its_own_values_and_its_rules_are_checked() {
        let config = GeneratorConfig { eeg: EegConfig { frame: 5, ..EegConfig::default() }, ..GeneratorConfig::default() };
        let of = |name: &str, unit: &str| {
            config.for_segments(&SegmentSet::empty(4, 128.0, 0, vec![name.into()], vec![unit.into()])).frame
        };
        assert_eq!((of("Cz", "uV"), of("MLII", "mV")), (5, config.frame));
        let broken = GeneratorConfig { eeg: EegConfig { frame: 0, ..EegConfig::default() }, ..GeneratorConfig::default() };
        assert_eq!(broken.validate().unwrap_err().to_string(), "generator.eeg.frame = 0: it must be 1 to 64");
    }
}

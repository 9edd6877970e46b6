//! Wavelet denoising and removal of baseline wander, for whole records.

mod config;

pub use config::{DenoiseConfig, NoiseSource};

use crate::wavelet::{Decomposition, Shrink, Threshold, Transform, Wavelet, WaveletError, noise_level};

/// Why a signal could not be denoised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DenoiseError {
    /// A setting that cannot be met.
    #[error("preprocessing.denoise.{key} = {value}: {rule}")]
    Config {
        /// The key in `[preprocessing.denoise]`.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A sampling frequency that is none.
    #[error("a sampling frequency of {0} Hz: it must be a positive number")]
    SamplingFrequency(f64),
    /// The wavelet's name is unknown.
    #[error("preprocessing.denoise.wavelet: {0}")]
    Wavelet(#[from] WaveletError),
    /// A sample that is `NaN` or infinite.
    #[error("sample {index} is {value}: fill or cut out missing samples before denoising")]
    NotFinite {
        /// Position of the first such sample.
        index: usize,
        /// The sample.
        value: f32,
    },
    /// Fewer samples than one coefficient of the coarsest level stands for.
    #[error(
        "{len} samples are too few: removing what is slower than {cut_hz} Hz takes {needed} at this sampling frequency; \
         raise preprocessing.denoise.baseline_cut_hz, or leave the record out"
    )]
    TooShort {
        /// Samples given.
        len: usize,
        /// Samples needed.
        needed: usize,
        /// The cut asked for, in Hz.
        cut_hz: f64,
    },
}

/// Working memory of [`Denoiser::apply_into`], kept from record to record: about 24 bytes a sample.
#[derive(Debug, Clone, Default)]
pub struct DenoiseMemory {
    decomposition: Option<Decomposition<f32>>,
    magnitudes: Vec<u32>,
}

/// Denoises signals of one sampling frequency. Settings are checked once, in [`Self::new`].
#[derive(Debug, Clone)]
pub struct Denoiser {
    config: DenoiseConfig,
    transform: Transform<f32>,
    noise_level: usize,
    thresholded: usize,
}

impl Denoiser {
    /// A denoiser for signals of `sampling_frequency_hz`.
    pub fn new(config: &DenoiseConfig, sampling_frequency_hz: f64) -> Result<Self, DenoiseError> {
        let fs = sampling_frequency_hz;
        if !(fs.is_finite() && fs > 0.0) {
            return Err(DenoiseError::SamplingFrequency(fs));
        }
        let bounded = |key, value: f64, low: f64, rule| {
            if (low..=fs / 2.0).contains(&value) { Ok(()) } else { Err(DenoiseError::Config { key, value, rule }) }
        };
        // The band of a faster recorder is no error: it just does not bind.
        bounded("band_hz", config.band_hz.min(fs / 2.0), 0.0, "it must be 0 or a positive frequency")?;
        // 2^24 samples for one coefficient: more is a slip of the pen.
        let rule = "it must be 0, or a frequency up to half the sampling frequency and not below a 2^24th of it";
        bounded("baseline_cut_hz", config.baseline_cut_hz, 0.0, rule)?;
        if config.baseline_cut_hz > 0.0 {
            bounded("baseline_cut_hz", config.baseline_cut_hz, fs / f64::from(1 << 24), rule)?;
        }
        if !(config.threshold_above_hz > 0.0) {
            let rule = "it must be a positive frequency; one above half the sampling frequency turns thresholding off";
            return Err(DenoiseError::Config { key: "threshold_above_hz", value: config.threshold_above_hz, rule });
        }
        let wavelet = Wavelet::by_name(&config.wavelet)?;
        // Level j holds fs / 2^(j+1) to fs / 2^j.
        let lower_edge = |level: usize| fs / 2_f64.powi(level as i32 + 1);
        let thresholded = (1..=24).take_while(|&level| lower_edge(level) >= config.threshold_above_hz).count();
        let levels = if config.baseline_cut_hz > 0.0 {
            (1..=24).find(|&level| lower_edge(level) <= config.baseline_cut_hz).unwrap_or(24)
        } else {
            thresholded
        };
        let band = if config.band_hz == 0.0 { fs / 2.0 } else { config.band_hz };
        let noise_level = (1..=24).find(|&level| 2.0 * lower_edge(level) <= band.max(lower_edge(1))).unwrap_or(1);
        Ok(Self {
            config: config.clone(),
            transform: Transform::new(&wavelet, config.mode, levels),
            noise_level: noise_level.min(levels),
            thresholded: thresholded.min(levels),
        })
    }

    /// Levels of the transform; what is left after the last is the baseline.
    pub fn levels(&self) -> usize {
        self.transform.levels()
    }

    /// Detail levels that are thresholded, counted from the finest.
    pub fn thresholded_levels(&self) -> usize {
        self.thresholded
    }

    /// The detail level that the noise is measured on, 1 the finest.
    pub fn noise_level(&self) -> usize {
        self.noise_level
    }

    /// The signal without noise and baseline, as long as `signal` and in its unit.
    pub fn apply(&self, signal: &[f32]) -> Result<Vec<f32>, DenoiseError> {
        let mut output = Vec::new();
        self.apply_into(signal, &mut output, &mut DenoiseMemory::default())?;
        Ok(output)
    }

    /// The signal without its baseline alone: what [`Self::apply`] is to be compared with.
    pub fn baseline_only(&self, signal: &[f32]) -> Result<Vec<f32>, DenoiseError> {
        let mut output = Vec::new();
        self.run(signal, false, &mut output, &mut DenoiseMemory::default())?;
        Ok(output)
    }

    /// [`Self::apply`] into `output`, with memory that is used again.
    pub fn apply_into(&self, signal: &[f32], output: &mut Vec<f32>, memory: &mut DenoiseMemory) -> Result<(), DenoiseError> {
        self.run(signal, true, output, memory)
    }

    fn run(&self, signal: &[f32], shrink: bool, output: &mut Vec<f32>, memory: &mut DenoiseMemory) -> Result<(), DenoiseError> {
        self.check(signal)?;
        let held = memory.decomposition.take().filter(|held| *held.transform() == self.transform);
        let mut decomposition = held.unwrap_or_else(|| Decomposition::empty(self.transform.clone()));
        decomposition.analyse(signal)?;
        if shrink {
            self.shrink(&mut decomposition, &mut memory.magnitudes);
        }
        if self.config.baseline_cut_hz > 0.0 {
            decomposition.approximation_mut().fill(0.0);
        }
        decomposition.reconstruct_into(output);
        memory.decomposition = Some(decomposition);
        Ok(())
    }

    fn check(&self, signal: &[f32]) -> Result<(), DenoiseError> {
        let needed = 1 << self.transform.levels();
        if signal.len() < needed {
            return Err(DenoiseError::TooShort { len: signal.len(), needed, cut_hz: self.config.baseline_cut_hz });
        }
        // By blocks, without a branch a sample.
        let broken = |block: &[f32]| block.iter().fold(false, |broken, x| broken | !x.is_finite());
        let Some(block) = signal.chunks(1024).position(broken) else { return Ok(()) };
        match signal.iter().enumerate().skip(block * 1024).find(|(_, x)| !x.is_finite()) {
            Some((index, &value)) => Err(DenoiseError::NotFinite { index, value }),
            None => Ok(()),
        }
    }

    fn shrink(&self, decomposition: &mut Decomposition<f32>, magnitudes: &mut Vec<u32>) {
        let (rule, shrink): (Threshold, Shrink) = (self.config.threshold, self.config.shrink);
        let band = match self.config.noise {
            NoiseSource::Band => noise_level(decomposition.detail(self.noise_level), magnitudes),
            NoiseSource::Level => 0.0,
        };
        for level in 1..=self.thresholded {
            let detail = decomposition.detail_mut(level);
            let sigma = match self.config.noise {
                NoiseSource::Band => band,
                NoiseSource::Level => noise_level(detail, magnitudes),
            };
            let threshold = rule.value(detail, sigma, magnitudes);
            shrink.apply(detail, threshold);
        }
    }
}

//! What is done with one EEG record, from its channels to its epochs.

use physiosynth_signal::{Channel, Record, Seed, SignalKind, Split, SubjectInfo, subject_info};
use rand::RngExt;

use super::epochs::{Epoch, epochs};
use super::filter::Filter;
use super::mains::mains_hz;
use super::montage::{average_reference, bipolar_pairs, canonical, select};
use super::{EegConfig, Mains, Reference};
use crate::denoise::{DenoiseMemory, Denoiser};
use crate::normalise::Scaling;
use crate::resample::Resampler;
use crate::segmentation::{Dropped, Missing, bridge};
use crate::summary::{RecordSummary, Stretch};
use crate::{Normalise, PreprocessingConfig};

/// Duration of a stretch shown before and after denoising.
const STRETCH_S: f64 = 10.0;

/// The chosen channels of a record, cleaned, at the source's sampling frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// Their names as the 10–20 system spells them.
    pub names: Vec<String>,
    /// Their physical units: `uV` for every power of ten of the volt.
    pub units: Vec<String>,
    /// `[channel][sample]` after the reference, before filters; NaN bridged.
    pub before: Vec<Vec<f32>>,
    /// `[channel][sample]` after filters and denoising.
    pub after: Vec<Vec<f32>>,
    /// Where samples of each channel were missing.
    pub missing: Vec<Missing>,
    /// Their sampling frequency.
    pub sampling_frequency_hz: f64,
    /// The mains frequency that was taken out, if one was.
    pub mains_hz: Option<f64>,
}

/// The epochs of one record.
pub(crate) struct CutRecord {
    pub(crate) summary: RecordSummary,
    pub(crate) names: Vec<String>,
    pub(crate) units: Vec<String>,
    /// What the header says of the subject.
    pub(crate) info: SubjectInfo,
    /// `[epoch, time, channel]`, normalised unless the whole training set shares a scale.
    pub(crate) signals: Vec<f32>,
    /// Each epoch with its position in samples of the source, and its channels' scalings.
    pub(crate) epochs: Vec<(Epoch, i64, Vec<Scaling>)>,
    pub(crate) stretch: Option<Stretch>,
}

/// Chooses, references, filters and denoises the channels of a record.
///
/// # Errors
/// In words, what about the record makes that impossible.
pub fn clean(record: &Record, config: &EegConfig, memory: &mut DenoiseMemory) -> Result<Cleaned, String> {
    let (names, units, mut before, fs) = referenced(&record.channels, config)?;
    let missing: Vec<Missing> = before.iter().map(|samples| Missing::find(samples)).collect();
    for (name, samples) in names.iter().zip(&mut before) {
        if samples.is_empty() || !bridge(samples) {
            return Err(format!("channel {name} has no samples"));
        }
    }
    let views: Vec<&[f32]> = before.iter().map(Vec::as_slice).collect();
    let line = match config.mains {
        Mains::Auto => mains_hz(&views, fs),
        Mains::None => None,
        Mains::Hz50 => Some(50.0),
        Mains::Hz60 => Some(60.0),
    };
    // A filter cannot reach beyond half the sampling frequency, nor stand right below it.
    let reached = |hz: f64| hz > 0.0 && hz < 0.49 * fs;
    let mut filter = Filter::default();
    if let Some(hz) = line.filter(|hz| reached(*hz)) {
        filter = filter.notch(hz, fs);
    }
    if reached(config.highpass_hz) {
        filter = filter.high_pass(config.highpass_hz, fs);
    }
    if reached(config.lowpass_hz) {
        filter = filter.low_pass(config.lowpass_hz, fs);
    }
    let denoiser = if config.denoise.enabled {
        Some(Denoiser::new(&config.denoise, fs).map_err(|error| format!("denoising: {error}"))?)
    } else {
        None
    };
    let mut after = before.clone();
    for (name, samples) in names.iter().zip(&mut after) {
        filter.zero_phase(samples, fs);
        if let Some(denoiser) = &denoiser {
            let mut out = Vec::new();
            denoiser.apply_into(samples, &mut out, memory).map_err(|error| format!("denoising channel {name}: {error}"))?;
            *samples = out;
        }
    }
    Ok(Cleaned { names, units, before, after, missing, sampling_frequency_hz: fs, mains_hz: line })
}

/// Names, units, samples and sampling frequency of the channels, in microvolts where the unit is a volt's.
type Referenced = (Vec<String>, Vec<String>, Vec<Vec<f32>>, f64);

fn referenced(channels: &[Channel], config: &EegConfig) -> Result<Referenced, String> {
    let labels: Vec<String> = channels.iter().map(|c| c.label.clone()).collect();
    let given: Vec<String> = channels.iter().map(|c| c.unit.clone()).collect();
    let chosen = select(&labels, &given, &config.channels)?;
    let SignalKind::Eeg(eeg) = SignalKind::of_channels(&labels, &given) else {
        return Err(format!("neither names nor units of its channels ({}) are an EEG's", labels.join(", ")));
    };
    let fs = chosen.first().map_or(0.0, |&i| channels[i].sampling_frequency_hz);
    let used: Vec<usize> = if config.reference == Reference::None { chosen.clone() } else { union(&chosen, &eeg) };
    if let Some(&other) = used.iter().find(|&&i| channels[i].sampling_frequency_hz != fs) {
        return Err(format!(
            "channel {} has {} samples a second, others have {fs}; name channels of one rate in preprocessing.eeg.channels",
            labels[other], channels[other].sampling_frequency_hz
        ));
    }
    let mut names: Vec<String> = used.iter().map(|&i| canonical(&labels[i])).collect();
    let (mut units, mut samples) = (Vec::with_capacity(used.len()), Vec::with_capacity(used.len()));
    for &i in &used {
        let (unit, factor) = in_microvolts(&given[i]);
        units.push(unit);
        samples
            .push(channels[i].samples.iter().map(|&x| if x.is_finite() { x * factor } else { f32::NAN }).collect::<Vec<f32>>());
    }
    match config.reference {
        Reference::None => {}
        Reference::Average => {
            average_reference(&mut samples);
            let keep = chosen.len();
            names.truncate(keep);
            units.truncate(keep);
            samples.truncate(keep);
        }
        Reference::Bipolar => {
            let pairs = bipolar_pairs(&names);
            if pairs.is_empty() {
                return Err(
                    "none of the pairs of the longitudinal bipolar montage is there; use preprocessing.eeg.reference = \"none\""
                        .into(),
                );
            }
            let difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<f32>>();
            samples = pairs.iter().map(|(_, a, b)| difference(&samples[*a], &samples[*b])).collect();
            units = pairs.iter().map(|(_, a, _)| units[*a].clone()).collect();
            names = pairs.into_iter().map(|(name, ..)| name).collect();
        }
    }
    Ok((names, units, samples, fs))
}

/// The first, then those of the second that are not among them.
fn union(first: &[usize], second: &[usize]) -> Vec<usize> {
    first.iter().copied().chain(second.iter().copied().filter(|i| !first.contains(i))).collect()
}

/// The unit that a channel is kept in, and what its samples are multiplied with.
fn in_microvolts(unit: &str) -> (String, f32) {
    let factor = match unit.trim() {
        "V" => 1e6,
        "mV" => 1e3,
        "uV" | "µV" | "μV" => 1.0,
        "nV" => 1e-3,
        other => return (other.to_owned(), 1.0),
    };
    ("uV".into(), factor)
}

/// Turns one record into epochs.
pub(crate) fn cut(
    record: &Record,
    subject: String,
    split: Split,
    config: &PreprocessingConfig,
    seed: Seed,
    memory: &mut DenoiseMemory,
) -> Result<CutRecord, String> {
    let eeg = &config.eeg;
    let (name, annotations, marks_hz) = (record.name.clone(), record.annotations.clone(), record.sampling_frequency_hz);
    let info = subject_info(&record.comments);
    let cleaned = clean(record, eeg, memory)?;
    let fs = cleaned.sampling_frequency_hz;
    let marks_hz = if marks_hz > 0.0 { marks_hz } else { fs };
    let resampler = Resampler::new(fs, eeg.sampling_frequency_hz).map_err(|error| format!("its sampling frequency: {error}"))?;
    let source_samples = cleaned.before.iter().map(Vec::len).min().unwrap_or(0);
    let duration_s = source_samples as f64 / fs;
    let found = epochs(&annotations, marks_hz, duration_s, eeg);
    let mut problems: Vec<String> = found
        .too_short
        .iter()
        .map(|(label, n)| format!("{n} events '{label}' are shorter than an epoch of {} s and give none", eeg.epoch_s))
        .collect();
    let missing_samples = cleaned.missing.iter().map(Missing::count).max().unwrap_or(0);
    if missing_samples > 0 {
        problems.push(format!("up to {missing_samples} missing samples in a channel: bridged, epochs that touch them left out"));
    }
    if found.epochs.is_empty() {
        return Err(format!(
            "none of its {} annotations marks an event as long as an epoch ({} s)",
            annotations.len(),
            eeg.epoch_s
        ));
    }
    let stretch = (split == Split::Train).then(|| stretch(&name, &cleaned, &found.epochs, seed)).flatten();

    let mut signals: Vec<Vec<f32>> = cleaned.after.iter().map(|samples| resampler.apply(samples)).collect();
    let mut scalings = vec![Scaling::NONE; signals.len()];
    if config.normalise == Normalise::Record {
        for ((signal, scaling), channel) in signals.iter_mut().zip(&mut scalings).zip(&cleaned.names) {
            *scaling = Scaling::fit([&signal[..]].into_iter()).ok_or_else(|| {
                format!("channel {channel} is constant, so that it has no z-score; name others in preprocessing.eeg.channels")
            })?;
            scaling.apply(signal);
        }
    }
    let total = found.events;
    let cutter = Cutter { signals: &signals, cleaned: &cleaned, resampler: &resampler, config, scalings: &scalings };
    let (signals, epochs, dropped) = cutter.cut(found.epochs);
    let summary = RecordSummary {
        record: name,
        subject,
        split,
        duration_s,
        source_sampling_frequency_hz: fs,
        beats: total,
        segments: epochs.len(),
        dropped,
        missing_samples,
        problems,
    };
    Ok(CutRecord { summary, names: cleaned.names, units: cleaned.units, info, signals, epochs, stretch })
}

/// Cuts epochs out of a resampled record.
struct Cutter<'a> {
    /// `[channel][sample]` at the working rate.
    signals: &'a [Vec<f32>],
    cleaned: &'a Cleaned,
    resampler: &'a Resampler,
    config: &'a PreprocessingConfig,
    scalings: &'a [Scaling],
}

/// Samples `[epoch, time, channel]`, the epochs with position and scalings, and what was dropped.
type Cut = (Vec<f32>, Vec<(Epoch, i64, Vec<Scaling>)>, Dropped);

impl Cutter<'_> {
    fn cut(&self, found: Vec<Epoch>) -> Cut {
        let eeg = &self.config.eeg;
        let (time, channels) = (eeg.time(), self.signals.len());
        let (up, down) = (self.resampler.up(), self.resampler.down());
        let length = self.signals.iter().map(Vec::len).min().unwrap_or(0);
        let mut signals = Vec::with_capacity(found.len() * time * channels);
        let (mut kept, mut dropped) = (Vec::with_capacity(found.len()), Dropped::default());
        for epoch in found {
            let start = (epoch.start_s * eeg.sampling_frequency_hz).round();
            let range = (start >= 0.0).then(|| start as usize..start as usize + time).filter(|range| range.end <= length);
            let Some(range) = range else {
                dropped.beyond_ends += 1;
                continue;
            };
            if self.cleaned.missing.iter().any(|missing| missing.touches_resampled(&range, up, down)) {
                dropped.missing += 1;
                continue;
            }
            let mut rows: Vec<Vec<f32>> = self.signals.iter().map(|signal| signal[range.clone()].to_vec()).collect();
            let mut scalings = self.scalings.to_vec();
            if self.config.normalise == Normalise::Segment {
                let own: Option<Vec<Scaling>> = rows.iter().map(|row| Scaling::fit([&row[..]].into_iter())).collect();
                let Some(own) = own else {
                    dropped.constant += 1;
                    continue;
                };
                rows.iter_mut().zip(&own).for_each(|(row, scaling)| scaling.apply(row));
                scalings = own;
            }
            signals.extend((0..time).flat_map(|t| rows.iter().map(move |row| row[t])));
            let sample = (epoch.start_s * self.cleaned.sampling_frequency_hz).round() as i64;
            kept.push((epoch, sample, scalings));
        }
        (signals, kept, dropped)
    }
}

/// A stretch of one channel (Cz where it is there) that begins with an epoch drawn with the seed; none where the record is shorter or
/// samples are missing there.
fn stretch(record: &str, cleaned: &Cleaned, epochs: &[Epoch], seed: Seed) -> Option<Stretch> {
    let fs = cleaned.sampling_frequency_hz;
    let channel = cleaned.names.iter().position(|name| name == "Cz").unwrap_or(0);
    let (before, after) = (cleaned.before.get(channel)?, cleaned.after.get(channel)?);
    let length = (STRETCH_S * fs).round() as usize;
    let last_start = before.len().checked_sub(length)?;
    let mut rng = seed.stream(&format!("stretch of record {record}"), 0);
    let first = epochs.get(rng.random_range(0..epochs.len().max(1)))?;
    let start = ((first.start_s * fs).round().max(0.0) as usize).min(last_start);
    let range = start..start + length;
    if cleaned.missing.get(channel)?.touches(range.clone()) {
        return None;
    }
    let mut marks: Vec<(usize, String)> = Vec::new();
    for epoch in epochs {
        let at = (epoch.start_s * fs).round() as usize;
        if range.contains(&at) {
            marks.push((at - start, if epoch.code.is_empty() { epoch.label.clone() } else { epoch.code.to_string() }));
        }
    }
    Some(Stretch {
        record: record.into(),
        lead: cleaned.names.get(channel)?.clone(),
        unit: cleaned.units.get(channel)?.clone(),
        sampling_frequency_hz: fs,
        start_s: start as f64 / fs,
        before: before[range.clone()].to_vec(),
        after: after[range].to_vec(),
        marks,
    })
}

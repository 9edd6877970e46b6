//! How channels are cut into data records.

use super::WriteOptions;
use super::scaling::exactly;
use crate::edf::header::Coding;
use crate::recording::Recording;

/// Longest data record that the EDF specification allows, in bytes.
const LONGEST: f64 = 61_440.0;
/// Durations that data records may have, in seconds.
const DURATIONS: std::ops::RangeInclusive<f64> = 0.1..=120.0;
/// Durations that are tried first.
const USUAL: [f64; 12] = [1.0, 2.0, 0.5, 5.0, 0.25, 0.2, 4.0, 10.0, 0.1, 20.0, 30.0, 60.0];
/// Numbers of samples of the fastest channel that are tried, where nothing else will do.
const TRIED: usize = 4_096;

/// Data records of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Duration of each, in seconds; 0 without channels.
    pub(super) duration_s: f64,
    /// How many.
    pub(super) records: usize,
    /// Samples of each channel in each.
    pub(super) per_record: Vec<usize>,
    /// Whether the last one is longer than the channels.
    pub(super) padded: bool,
}

impl Plan {
    /// Chooses the duration of a data record: one that gives each channel a whole number of samples and that eight characters
    /// hold exactly; if possible one that the channels fill, with records within the specification's length; the nearest
    /// to one second of these. The error is a sentence.
    pub(super) fn new(recording: &Recording, options: &WriteOptions, coding: Coding) -> Result<Self, String> {
        let channels = || recording.record.channels.iter().zip(recording.lengths().iter().map(|&length| length as usize));
        let Some((longest, length)) =
            channels().max_by(|(a, _), (b, _)| a.sampling_frequency_hz.total_cmp(&b.sampling_frequency_hz))
        else {
            return Ok(Self { duration_s: 0.0, records: 1, per_record: Vec::new(), padded: false });
        };
        let rate = longest.sampling_frequency_hz;
        for (channel, found) in channels() {
            let own = channel.sampling_frequency_hz;
            if !(own.is_finite() && own > 0.0) {
                return Err(format!("channel '{}' has {own} samples per second", channel.label));
            }
            let expected = (length as f64 / rate * own).round();
            if found as f64 != expected || found == 0 {
                return Err(format!(
                    "channel '{}' has {found} samples, where the fastest's duration takes {expected}",
                    channel.label
                ));
            }
        }
        let plan = |duration_s: f64| Self::with(recording, duration_s);
        if let Some(duration_s) = options.record_duration_s {
            return plan(duration_s)
                .ok_or_else(|| format!("data records of {duration_s} s do not hold whole numbers of samples"));
        }
        let divisors = (1..=length).take_while(|&samples| samples as f64 <= rate * DURATIONS.end()).filter(|n| length % n == 0);
        let exact = divisors.map(|samples| samples as f64 / rate).filter(|duration| DURATIONS.contains(duration));
        let bytes = |plan: &Self| (plan.per_record.iter().sum::<usize>() * coding.sample_bytes()) as f64;
        let order = |plan: &Self| (bytes(plan).max(LONGEST), plan.padded, plan.duration_s.ln().abs());
        let best = |durations: &mut dyn Iterator<Item = f64>| {
            let plans = durations.filter_map(plan).map(|plan| (order(&plan), plan));
            plans.min_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)).map(|(_, plan)| plan)
        };
        best(&mut USUAL.into_iter().chain(exact))
            .or_else(|| best(&mut (1..=TRIED).map(|samples| samples as f64 / rate)))
            .ok_or_else(|| format!("no duration of data records fits the sampling frequencies, the highest being {rate} Hz"))
    }

    fn with(recording: &Recording, duration_s: f64) -> Option<Self> {
        exactly(duration_s).filter(|_| duration_s > 0.0)?;
        let mut plan = Self { duration_s, records: 0, per_record: Vec::with_capacity(recording.lengths().len()), padded: false };
        for (channel, &length) in recording.record.channels.iter().zip(recording.lengths()) {
            let length = length as usize;
            let exact = channel.sampling_frequency_hz * duration_s;
            let whole = exact.round();
            if !(1.0..1e8).contains(&whole) || (exact - whole).abs() > 1e-9 * whole {
                return None;
            }
            let per_record = whole as usize;
            let records = length.div_ceil(per_record);
            plan.padded |= !length.is_multiple_of(per_record);
            if !plan.per_record.is_empty() && records != plan.records {
                return None;
            }
            plan.records = records;
            plan.per_record.push(per_record);
        }
        (plan.records < 100_000_000).then_some(plan)
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::{Channel, Record};

    use super::*;

    fn plan(channels: &[(f64, usize)]) -> Result<Plan, String> {
        let channels = channels.iter().map(|&(rate, length)| Channel::new("C", "uV", rate, vec![0.0; length])).collect();
        Plan::new(&Recording::of(&Record { channels, ..Record::new("r") }), &WriteOptions::default(), Coding::Edf)
    }

    #[test]
    fn data_records_fit_the_rates() {
        let found =
            |channels: &[(f64, usize)]| plan(channels).map(|p| (p.duration_s, p.records, p.per_record, p.padded)).unwrap();
        assert_eq!(found(&[(160.0, 20_000)]), (1.0, 125, vec![160], false));
        assert_eq!(found(&[(100.0, 1_001)]), (0.91, 11, vec![91], false));
        assert_eq!(found(&[(360.0, 650_000)]), (1.0, 1_806, vec![360], true));
        assert_eq!(found(&[(512.0, 5_120), (12.8, 128), (1.0, 10)]), (5.0, 2, vec![2_560, 64, 5], false));
        // 97.65625 Hz and 1000/3 Hz: a second holds no whole number of samples.
        assert_eq!(found(&[(97.656_25, 1_000)]), (1.024, 10, vec![100], false));
        assert_eq!(found(&[(1000.0 / 3.0, 1_000)]), (0.75, 4, vec![250], false));
        assert_eq!(found(&[(1e6, 1_000_000)]).0, 0.1);
        assert_eq!(found(&[]), (0.0, 1, vec![], false));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert!(plan(&[(100.0, 100), (10.0, 11)]).unwrap_err().contains("11 samples"));
        assert!(plan(&[(0.0, 100)]).unwrap_err().contains("0 samples per second"));
        assert!(plan(&[(100.0, 0)]).unwrap_err().contains("has 0 samples"));
        assert!(plan(&[(std::f64::consts::PI, 100)]).unwrap_err().contains("no duration"));
    }
}

//! A part of a recording: a stretch of time, and some of its signals.

use super::{Recording, common_rate};
use crate::FormatError;
use crate::edf::StartTime;
use crate::wfdb::later;

/// Which part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Where to begin, in seconds after the first sample.
    pub from_s: f64,
    /// Where to end (exclusive); at the recording's end where `None`.
    pub to_s: Option<f64>,
    /// Labels of the signals, or their numbers from 1, in the order wanted; all where empty.
    pub signals: Vec<String>,
}

impl Recording<'_> {
    /// This part of the recording. Times are rounded to samples at the record's sampling frequency, and, where channels differ in
    /// theirs, to times at which all of them have a sample. Annotations and the start time count from the part's first sample, and
    /// annotations that begin outside are left out.
    pub fn part(mut self, part: &Part) -> Result<Self, FormatError> {
        if !part.signals.is_empty() {
            self.choose(&part.signals)?;
        }
        if part.from_s != 0.0 || part.to_s.is_some() {
            self.cut(part.from_s, part.to_s)?;
        }
        Ok(self)
    }

    fn choose(&mut self, wanted: &[String]) -> Result<(), FormatError> {
        let index = |name: &String| {
            let by_number = || name.parse::<usize>().ok()?.checked_sub(1).filter(|&n| n < self.record.channels.len());
            self.record.channels.iter().position(|channel| channel.label == *name).or_else(by_number).ok_or_else(|| {
                let labels: Vec<&str> = self.record.channels.iter().map(|channel| channel.label.as_str()).collect();
                FormatError::Malformed {
                    path: self.path.clone(),
                    place: "the signals asked for".into(),
                    cause: format!("there is no signal '{name}' among '{}'", labels.join("', '")),
                    remedy: "name signals by their labels, or by their numbers from 1",
                }
            })
        };
        let chosen: Vec<usize> = wanted.iter().map(index).collect::<Result<_, _>>()?;
        let of = |index: &usize| self.record.channels.get(*index).cloned();
        let channels = chosen.iter().filter_map(of).collect();
        self.lengths = chosen.iter().filter_map(|&index| self.lengths.get(index).copied()).collect();
        self.places = chosen.iter().filter_map(|&index| self.places.get(index).copied()).collect();
        self.edf = self.edf.take().map(|options| options.of_signals(&chosen));
        self.surveys = self.surveys.take().map(|all| chosen.iter().filter_map(|&index| all.get(index).cloned()).collect());
        self.record.channels = channels;
        for annotation in &mut self.record.annotations {
            // What was marked on a signal that is left out is kept as a mark on the first.
            let place = chosen.iter().position(|&index| index == usize::from(annotation.channel));
            annotation.channel = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
        }
        Ok(())
    }

    fn cut(&mut self, from_s: f64, to_s: Option<f64>) -> Result<(), FormatError> {
        let rate = self.record.sampling_frequency_hz;
        let frames = (self.duration_s() * rate).round();
        // Channels of one sampling frequency may be cut anywhere.
        let rates: Vec<f64> = self.record.channels.iter().map(|channel| channel.sampling_frequency_hz).chain([rate]).collect();
        let common = common_rate(&rates);
        let step = common.map_or(1.0, |common| (rate / common).round());
        let frame = |seconds: f64| {
            let near = (seconds * rate / step).round() * step;
            // The end need not be at such a time.
            if seconds * rate <= frames + 0.5 { near.min(frames) } else { near }
        };
        let (from, to) = (frame(from_s), to_s.map_or(frames, frame));
        if !(from >= 0.0 && from < to && to <= frames) {
            let whole = |frame: f64| if frame.is_finite() { frame.max(0.0) as u64 } else { u64::MAX };
            return Err(FormatError::NoSuchPart {
                path: self.path.clone(),
                from: whole(from),
                to: whole(to),
                samples: whole(frames),
            });
        }
        for ((channel, length), (_, offset)) in self.record.channels.iter().zip(&mut self.lengths).zip(&mut self.places) {
            let ratio = channel.sampling_frequency_hz / rate;
            let index = |frame: f64| ((frame * ratio - 1e-6).ceil().max(0.0) as u64).min(*length);
            let (first, end) = (index(from), if to == frames { *length } else { index(to) });
            (*length, *offset) = (end - first, *offset + first);
        }
        self.surveys = None;
        if let Some(options) = &mut self.edf {
            // What fitted the whole recording need not fit a part.
            options.record_duration_s = None;
        }
        let inside = from as i64..to as i64;
        self.record.annotations.retain(|annotation| inside.contains(&annotation.sample));
        self.record.annotations.iter_mut().for_each(|annotation| annotation.sample -= inside.start);
        let seconds = from / rate;
        self.record.start = self.record.start.take().and_then(|stated| match stated.parse::<StartTime>() {
            Ok(start) => Some(start.plus((seconds * 1e9).round() as i64).to_string()),
            Err(_) => later(stated, seconds),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::{Annotation, Channel, Record};

    use super::*;

    fn record() -> Record {
        let channel =
            |label: &str, rate: f64| Channel::new(label, "mV", rate, (0..rate as usize * 10).map(|i| i as f32).collect());
        let mark = |sample: i64, channel: u8| Annotation { channel, ..Annotation::beat(sample, "N") };
        let mut record = Record::new("r").with_channel(channel("I", 100.0)).with_channel(channel("resp", 50.0));
        record = record.with_annotations(vec![mark(10, 0), mark(250, 1), mark(400, 0), mark(999, 0)]);
        record.start = Some("23:59:59 31/12/1999".into());
        record
    }

    fn part(from_s: f64, to_s: Option<f64>, signals: &[&str]) -> Result<Record, FormatError> {
        let signals = signals.iter().map(ToString::to_string).collect();
        Recording::of(&record()).part(&Part { from_s, to_s, signals })?.into_record()
    }

    #[test]
    fn a_stretch_of_time_of_one_signal() {
        let found = part(2.0, Some(5.5), &["resp"]).unwrap();
        assert_eq!(found.channels.len(), 1);
        assert_eq!(found.channels[0].samples, (100..275).map(|i| i as f32).collect::<Vec<_>>());
        let marks: Vec<(i64, u8)> = found.annotations.iter().map(|mark| (mark.sample, mark.channel)).collect();
        assert_eq!(marks, [(50, 0), (200, 0)]);
        assert_eq!(found.start.as_deref(), Some("00:00:01 01/01/2000"));
        assert_eq!(part(0.0, None, &["2", "I"]).unwrap().channels[0].label, "resp");
        assert_eq!(part(9.5, None, &[]).unwrap().channels[0].samples.len(), 50);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for (from_s, to_s) in [(3.0, Some(3.0)), (3.0, Some(2.0)), (0.0, Some(10.5)), (10.0, None), (f64::NAN, None)] {
            assert!(matches!(part(from_s, to_s, &[]), Err(FormatError::NoSuchPart { .. })), "{from_s} {to_s:?}");
        }
        let error = part(0.0, None, &["V9"]).unwrap_err().to_string();
        assert!(error.contains("'V9'") && error.contains("'I', 'resp'"), "{error}");
    }
}

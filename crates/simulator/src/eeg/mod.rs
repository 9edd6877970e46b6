//! Simulated, annotated electroencephalograms: what `demo-eeg` is made of.
//!
//! Every subject has cortical sources at places of their own ([`head`]) whose activity ([`activity`]) is mixed into nineteen electrodes
//! of the 10–20 system, as the tissues between do: neighbouring channels therefore covary. The activity is, after Nunez and
//! Srinivasan, *Electric Fields of the Brain* (2006), chapters 1 and 9:
//!
//! - a background of 1/f noise all over the cortex;
//! - an alpha rhythm at the back of the head that shrinks to a fraction when the eyes open (Berger 1929);
//! - a beta rhythm at the front and the centre;
//! - generalised spike-and-wave discharges at about three a second, largest at the front.
//!
//! A [`timeline`] says when the eyes are open or closed, when discharges, blinks and muscle bursts come; all of it is annotated, with
//! durations. Muscle, blinks, mains and amplifier noise are added by [`artefacts`], and the sum is digitised in steps of 0.1 µV.
//!
//! Everything follows from the seed, per subject: the order in which records are read does not matter.

pub mod activity;
pub mod artefacts;
mod config;
pub mod head;
mod subject;
pub mod timeline;

pub use config::EegConfig;
pub use subject::EegSubject;

use physiosynth_signal::{Annotation, Channel, Digitisation, Record, RecordEntry, RecordSource, Seed, SourceError};

use crate::SimulatorError;
use head::ELECTRODES;
use timeline::{Event, Timeline};

/// ADC units per microvolt.
const GAIN: f64 = 10.0;
/// Resolution of the converter in bits.
const ADC_BITS: u16 = 16;

/// A database of simulated electroencephalograms, one record per subject, made when read.
#[derive(Debug, Clone)]
pub struct SimulatedEegDatabase {
    config: EegConfig,
    seed: Seed,
    entries: Vec<RecordEntry>,
    subjects: Vec<EegSubject>,
}

impl SimulatedEegDatabase {
    /// Draws the subjects; records are made when they are read.
    pub fn new(config: &EegConfig, seed: Seed) -> Result<Self, SimulatorError> {
        config.validate()?;
        let digits = config.subjects.to_string().len().max(2);
        let entry = |i: usize| {
            let name = format!("eeg{:0digits$}", i + 1);
            RecordEntry::of(name.clone(), name)
        };
        Ok(Self {
            config: config.clone(),
            seed,
            entries: (0..config.subjects).map(entry).collect(),
            subjects: (0..config.subjects).map(|i| EegSubject::draw(seed, i)).collect(),
        })
    }

    /// The simulated people, in order of records.
    pub fn subjects(&self) -> &[EegSubject] {
        &self.subjects
    }

    /// When what happens in record `index`.
    pub fn timeline(&self, index: usize) -> Result<Timeline, SimulatorError> {
        let subject = self.subject(index)?;
        Ok(Timeline::draw(&mut self.seed.stream("simulator-eeg-timeline", index as u64), &self.config, subject))
    }

    /// What reaches the electrodes from the brain alone: `[electrode][sample]`, in microvolts, without artefacts, not digitised.
    pub fn brain(&self, index: usize) -> Result<Vec<Vec<f32>>, SimulatorError> {
        let (subject, timeline) = (self.subject(index)?, self.timeline(index)?);
        Ok(self.conducted(index, subject, &timeline))
    }

    fn conducted(&self, index: usize, subject: &EegSubject, timeline: &Timeline) -> Vec<Vec<f32>> {
        let (n, fs) = (self.config.samples(), self.config.sampling_frequency_hz);
        let gates = timeline.gates(n, fs);
        let mut channels = vec![vec![0.0_f32; n]; ELECTRODES.len()];
        for (number, source) in subject.sources.iter().enumerate() {
            let mut rng = self.seed.stream(&format!("simulator-eeg-source-{number}"), index as u64);
            let samples = activity::activity(&mut rng, &source.kind, &gates, n, fs);
            for (channel, electrode) in channels.iter_mut().zip(&ELECTRODES) {
                let weight = head::lead_field(source, electrode) as f32;
                channel.iter_mut().zip(&samples).for_each(|(x, s)| *x += weight * s);
            }
        }
        channels
    }

    fn subject(&self, index: usize) -> Result<&EegSubject, SimulatorError> {
        self.subjects.get(index).ok_or(SimulatorError::NoSuchRecord { index, records: self.entries.len() })
    }

    fn simulate(&self, index: usize, lead: Option<&str>) -> Result<Record, SimulatorError> {
        let subject = self.subject(index)?;
        let timeline = self.timeline(index)?;
        let mut channels = self.conducted(index, subject, &timeline);
        let (fs, scale) = (self.config.sampling_frequency_hz, self.config.artefact_scale);
        artefacts::add(&mut channels, subject, &timeline, fs, scale, (self.seed, index as u64));
        let kept =
            channels.into_iter().zip(&ELECTRODES).filter(|(_, electrode)| lead.is_none_or(|wanted| wanted == electrode.name));
        let name = self.entries[index].name.clone();
        let comment = format!("SIMULATED EEG, subject {name}, not a patient");
        let mut record = Record::new(name).with_annotations(timeline.events.iter().map(|e| annotation(e, fs)).collect());
        record.sampling_frequency_hz = fs;
        record.channels = kept.map(|(samples, electrode)| digitised(electrode.name, samples, fs)).collect();
        record.comments = vec![comment];
        Ok(record)
    }
}

/// The event as a mark with its duration.
fn annotation(event: &Event, fs: f64) -> Annotation {
    let mut annotation = Annotation::beat((event.onset_s * fs).round() as i64, event.kind.name());
    annotation.duration = (event.duration_s * fs).round() as i64;
    annotation
}

/// The channel through the converter: values are what a reader gets from the digital ones.
fn digitised(label: &str, samples: Vec<f32>, fs: f64) -> Channel {
    let top = f64::from(i16::MAX);
    let convert = |x: f32| ((f64::from(x) * GAIN).round().clamp(-top, top) / GAIN) as f32;
    let mut channel = Channel::new(label, "uV", fs, samples.into_iter().map(convert).collect());
    channel.digitisation = Some(Digitisation { gain: GAIN, baseline: 0.0, adc_resolution: ADC_BITS, adc_zero: 0 });
    channel
}

impl RecordSource for SimulatedEegDatabase {
    fn name(&self) -> &'static str {
        "simulated EEG"
    }

    fn entries(&self) -> &[RecordEntry] {
        &self.entries
    }

    fn read(&self, index: usize, lead: Option<&str>) -> Result<Record, SourceError> {
        Ok(self.simulate(index, lead)?)
    }
}

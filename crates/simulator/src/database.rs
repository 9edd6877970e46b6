use std::f64::consts::TAU;

use physiosynth_signal::{Annotation, Channel, Digitisation, Record, RecordEntry, RecordSource, Seed, SourceError};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use rayon::prelude::*;

use crate::fiducials::Fiducials;
use crate::model;
use crate::morphology::Variation;
use crate::rhythm::{self, RhythmBeat};
use crate::subject::{NoiseLevels, Subject};
use crate::{LEADS, SimulatorConfig, SimulatorError, noise};

/// ADC units per millivolt, as in the MIT-BIH Arrhythmia Database.
const GAIN: f64 = 200.0;
/// Resolution of the converter in bits.
const ADC_BITS: u16 = 11;
/// The digital value of 0 mV: the middle of the range.
const BASELINE: i32 = 1 << (ADC_BITS - 1);
/// Sinus beats put before the record, so that the transient of the model's start is over at the first sample.
const WARM_UP_BEATS: u32 = 8;
/// Simulated beyond the end, so that the last sample lies between two beats.
const RUN_OUT_S: f64 = 4.0;

/// A database of simulated recordings, one per subject, made when read.
#[derive(Debug, Clone)]
pub struct SimulatedDatabase {
    config: SimulatorConfig,
    seed: Seed,
    entries: Vec<RecordEntry>,
    subjects: Vec<Subject>,
}

/// What was added to one lead, each part by itself, in millivolts.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseParts {
    /// Which lead.
    pub label: String,
    /// Respiration and drift, below 0.5 Hz.
    pub baseline_wander: Vec<f32>,
    /// 50 or 60 Hz.
    pub mains: Vec<f32>,
    /// Broadband, 20 to 150 Hz.
    pub muscle: Vec<f32>,
    /// White.
    pub electrode: Vec<f32>,
}

/// A simulated record with everything that is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedRecord {
    /// The record as a recorder would give it: with noise, digitised.
    pub record: Record,
    /// The same leads without noise, not digitised.
    pub clean: Vec<Channel>,
    /// What was added to each lead.
    pub noise: Vec<NoiseParts>,
    /// The truth about each beat, in order; as many as beat annotations.
    pub fiducials: Vec<Fiducials>,
    /// The person.
    pub subject: Subject,
}

/// A record's beats and what follows from them, before any noise.
struct Heart {
    clean: [Vec<f32>; LEADS.len()],
    fiducials: Vec<Fiducials>,
}

impl SimulatedDatabase {
    /// Draws the subjects; records are made when they are read.
    pub fn new(config: &SimulatorConfig, seed: Seed) -> Result<Self, SimulatorError> {
        config.validate()?;
        let digits = config.subjects.to_string().len().max(2);
        let entry = |i: usize| {
            let name = format!("sim{:0digits$}", i + 1);
            RecordEntry::of(name.clone(), name)
        };
        let subjects: Vec<_> = (0..config.subjects).map(|i| Subject::draw(config, seed, i)).collect();
        for subject in &subjects {
            subject.rhythm.validate()?;
        }
        Ok(Self { config: config.clone(), seed, entries: (0..config.subjects).map(entry).collect(), subjects })
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &SimulatorConfig {
        &self.config
    }

    /// The simulated people, in order of records.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// Record `index` with its ground truth.
    pub fn components(&self, index: usize) -> Result<SimulatedRecord, SimulatorError> {
        let subject = self.subject(index)?;
        let heart = self.heart(index)?;
        let noise: Vec<NoiseParts> = (0..LEADS.len()).map(|lead| self.noise(index, lead, &subject.noise)).collect();
        let clean = LEADS.iter().zip(&heart.clean).map(|(label, samples)| self.channel(label, samples.clone())).collect();
        let channels = LEADS.iter().zip(&heart.clean).zip(&noise);
        let channels = channels.map(|((label, clean), noise)| self.digitised(label, clean, noise)).collect();
        let record = self.record(index, channels, &heart.fiducials);
        Ok(SimulatedRecord { record, clean, noise, fiducials: heart.fiducials, subject: subject.clone() })
    }

    /// All records, made in parallel, in order.
    pub fn records(&self) -> Result<Vec<Record>, SimulatorError> {
        (0..self.entries.len()).into_par_iter().map(|index| self.simulate(index, None)).collect()
    }

    fn simulate(&self, index: usize, lead: Option<&str>) -> Result<Record, SimulatorError> {
        let subject = self.subject(index)?;
        let heart = self.heart(index)?;
        let kept = LEADS.iter().enumerate().filter(|(_, label)| lead.is_none_or(|wanted| wanted == **label));
        let channels =
            kept.map(|(i, label)| self.digitised(label, &heart.clean[i], &self.noise(index, i, &subject.noise))).collect();
        Ok(self.record(index, channels, &heart.fiducials))
    }

    fn subject(&self, index: usize) -> Result<&Subject, SimulatorError> {
        self.subjects.get(index).ok_or(SimulatorError::NoSuchRecord { index, records: self.entries.len() })
    }

    /// Rhythm, shapes and the model's solution.
    fn heart(&self, index: usize) -> Result<Heart, SimulatorError> {
        let subject = self.subject(index)?;
        let mut rng = self.seed.stream("simulator-rhythm", index as u64);
        let drawn = rhythm::draw(&mut rng, &subject.rhythm, self.config.duration_s + RUN_OUT_S)?;
        let beats = with_warm_up(drawn, subject.rhythm.mean_rr_s());
        let mut rng = self.seed.stream("simulator-beats", index as u64);
        let (fs, samples) = (self.config.sampling_frequency_hz, self.config.samples());
        let breath_phase = rng.random_range(0.0..TAU);
        let mut waves = Vec::with_capacity(beats.len());
        let mut fiducials = Vec::with_capacity(beats.len());
        for beat in &beats {
            let variation = variation(&mut rng, subject, beat, breath_phase);
            let shape = subject.shape(beat.label);
            waves.push(shape.place(beat.time_s, &variation));
            let sample = (beat.time_s * fs).round() as i64;
            if (0..samples as i64).contains(&sample) {
                let [p, qrs, t] = shape.limits(beat.time_s, &variation);
                fiducials.push(Fiducials { sample, label: beat.label, r_peak_s: beat.time_s, p, qrs, t });
            }
        }
        let times: Vec<f64> = beats.iter().map(|b| b.time_s).collect();
        Ok(Heart { clean: model::integrate(&times, &waves, fs, model::steps_per_sample(fs), samples), fiducials })
    }

    /// Noise of one lead, from a stream of its own, so that it is the same whichever leads are read.
    fn noise(&self, index: usize, lead: usize, levels: &NoiseLevels) -> NoiseParts {
        let mut rng = self.seed.stream(&format!("simulator-noise-{}", LEADS[lead]), index as u64);
        let (n, fs) = (self.config.samples(), self.config.sampling_frequency_hz);
        NoiseParts {
            label: LEADS[lead].into(),
            baseline_wander: noise::baseline_wander(&mut rng, n, fs, levels.baseline_wander_mv),
            mains: noise::mains(&mut rng, n, fs, levels.mains_hz, levels.mains_mv),
            muscle: noise::muscle(&mut rng, n, fs, levels.muscle_mv),
            electrode: noise::white(&mut rng, n, fs, levels.electrode_mv),
        }
    }

    fn channel(&self, label: &str, samples: Vec<f32>) -> Channel {
        Channel::new(label, "mV", self.config.sampling_frequency_hz, samples)
    }

    /// Signal and noise through the converter: values are what a reader gets from the digital ones.
    fn digitised(&self, label: &str, clean: &[f32], noise: &NoiseParts) -> Channel {
        let top = f64::from((1_i32 << ADC_BITS) - 1);
        let mut sum: Vec<f64> = clean.iter().map(|&z| f64::from(z)).collect();
        for part in [&noise.baseline_wander, &noise.mains, &noise.muscle, &noise.electrode] {
            for (sum, &value) in sum.iter_mut().zip(part) {
                *sum += f64::from(value);
            }
        }
        let convert = |millivolts: f64| {
            // Not negative after the clamp, so that adding a half and cutting off rounds.
            let digital = ((millivolts * GAIN + f64::from(BASELINE)).clamp(0.0, top) + 0.5) as i32;
            (f64::from(digital - BASELINE) / GAIN) as f32
        };
        let mut channel = self.channel(label, sum.into_iter().map(convert).collect());
        channel.digitisation =
            Some(Digitisation { gain: GAIN, baseline: f64::from(BASELINE), adc_resolution: ADC_BITS, adc_zero: BASELINE });
        channel
    }

    fn record(&self, index: usize, channels: Vec<Channel>, fiducials: &[Fiducials]) -> Record {
        let name = self.entries[index].name.clone();
        let comment = format!("SIMULATED ECG (McSharry et al. 2003), subject {name}, not a patient");
        let mut record = Record::new(name).with_annotations(annotations(fiducials));
        record.sampling_frequency_hz = self.config.sampling_frequency_hz;
        record.channels = channels;
        record.comments = vec![comment];
        record
    }
}

impl RecordSource for SimulatedDatabase {
    fn name(&self) -> &'static str {
        "simulated ECG"
    }

    fn entries(&self) -> &[RecordEntry] {
        &self.entries
    }

    fn read(&self, index: usize, lead: Option<&str>) -> Result<Record, SourceError> {
        Ok(self.simulate(index, lead)?)
    }
}

/// The beats with regular sinus beats before them.
fn with_warm_up(beats: Vec<RhythmBeat>, mean_rr_s: f64) -> Vec<RhythmBeat> {
    let first = beats.first().map_or(0.0, |b| b.time_s);
    let before = (1..=WARM_UP_BEATS).rev().map(|i| RhythmBeat {
        time_s: first - f64::from(i) * mean_rr_s,
        rr_before_s: mean_rr_s,
        label: "N",
    });
    before.chain(beats).collect()
}

/// How this beat differs from others of its class: breathing tilts the heart, and no two beats are alike.
fn variation(rng: &mut impl Rng, subject: &Subject, beat: &RhythmBeat, breath_phase: f64) -> Variation {
    let mut around_one = |sd: f64| 1.0 + sd * rng.sample::<f64, _>(StandardNormal).clamp(-3.0, 3.0);
    // Ventricular beats vary more: the focus and its way out wander.
    let spread = if beat.label == "V" { 2.0 } else { 1.0 };
    let breath = (TAU * subject.rhythm.respiration_hz * beat.time_s + breath_phase).sin();
    let amplitude =
        [around_one(0.06), around_one(0.02 * spread) * (1.0 + subject.respiration_depth * breath), around_one(0.04 * spread)];
    let width = around_one(0.012 * spread);
    let p_shift_s = 0.002 * (around_one(1.0) - 1.0);
    // Repolarisation follows the rate of the last many beats more than the last interval.
    let mean = subject.rhythm.mean_rr_s();
    let rr_s = if beat.rr_before_s.is_finite() { 0.8 * mean + 0.2 * beat.rr_before_s } else { mean };
    Variation { amplitude, width, p_shift_s, rr_s }
}

/// The codes of the MIT annotation set: sinus `N`, atrial premature `A`, ventricular premature `V`; rhythm marks `+` with `(N`
/// at the start and `(B` … `(N` around bigeminy (three or more V in alternation with N).
fn annotations(fiducials: &[Fiducials]) -> Vec<Annotation> {
    let Some(first) = fiducials.first() else { return Vec::new() };
    let bigeminy = bigeminal(fiducials);
    let mut marks = vec![Annotation::beat(first.sample / 2, "+").with_aux("(N")];
    let mut inside = false;
    for (i, beat) in fiducials.iter().enumerate() {
        if bigeminy[i] != inside {
            inside = bigeminy[i];
            let before = if i == 0 { beat.sample } else { i64::midpoint(fiducials[i - 1].sample, beat.sample) };
            marks.push(Annotation::beat(before, "+").with_aux(if inside { "(B" } else { "(N" }));
        }
        let code = match beat.label {
            "S" => "A",
            label => label,
        };
        marks.push(Annotation::beat(beat.sample, code));
    }
    marks
}

/// Which beats are inside an episode of bigeminy: from its first V to its last, of at least three.
fn bigeminal(fiducials: &[Fiducials]) -> Vec<bool> {
    let mut inside = vec![false; fiducials.len()];
    let mut start = 0;
    while start < fiducials.len() {
        let is_v = |i: usize| fiducials.get(i).is_some_and(|b| b.label == "V");
        let mut end = start;
        while is_v(start) && is_v(end + 2) {
            end += 2;
        }
        if end >= start + 4 {
            inside[start..=end].fill(true);
        }
        start = end + 1;
    }
    inside
}

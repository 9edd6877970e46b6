//! When the eyes are open or closed, when discharges, blinks and muscle bursts come.

use rand::{Rng, RngExt};

use super::{EegConfig, EegSubject};

/// What happens for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// At rest with the eyes open.
    EyesOpen,
    /// At rest with the eyes closed.
    EyesClosed,
    /// A spike-and-wave discharge.
    SpikeWave,
    /// A blink; only with the eyes open.
    Blink,
    /// A burst of the jaw's muscles.
    Muscle,
}

impl EventKind {
    /// The annotation's text.
    pub fn name(self) -> &'static str {
        match self {
            Self::EyesOpen => "eyes-open",
            Self::EyesClosed => "eyes-closed",
            Self::SpikeWave => "spike-wave",
            Self::Blink => "blink",
            Self::Muscle => "muscle",
        }
    }
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When it begins, in seconds from the start of the record.
    pub onset_s: f64,
    /// How long it lasts, in seconds.
    pub duration_s: f64,
    /// What it is.
    pub kind: EventKind,
}

/// The events of a record in order of onset. Open eyes, closed eyes and discharges follow one another without gap or overlap; blinks
/// and muscle bursts lie inside them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// The events.
    pub events: Vec<Event>,
}

/// How far each state is in force, sample by sample, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Gates {
    /// Eyes open.
    pub open: Vec<f32>,
    /// A discharge is under way.
    pub discharge: Vec<f32>,
}

/// How long a state takes to come into force, in seconds: alpha does not go out like a lamp.
const RISE_S: f64 = 0.4;

impl Timeline {
    /// Draws the events of a record: eyes open and closed in turns of 10 to 20 s, a discharge of 4 to 7 s between turns, as often as the
    /// settings and the subject have it.
    pub fn draw(rng: &mut impl Rng, config: &EegConfig, subject: &EegSubject) -> Self {
        let mut events = Vec::new();
        let mut now = 0.0;
        let mut open = rng.random_bool(0.5);
        // A turn lasts 15 s on average: so many discharges after one as give the rate, up to one.
        let chance = (config.discharges_per_min * subject.discharge_share * 15.0 / 60.0).min(1.0);
        while now < config.duration_s {
            let turn = if open { EventKind::EyesOpen } else { EventKind::EyesClosed };
            push(&mut events, &mut now, rng.random_range(10.0..20.0), turn, config.duration_s);
            let (discharge, lasts) = (rng.random_bool(chance), rng.random_range(4.0..7.0));
            if discharge {
                push(&mut events, &mut now, lasts, EventKind::SpikeWave, config.duration_s);
            }
            open = !open;
        }
        let mut inside = Vec::new();
        for state in &events {
            if state.kind == EventKind::EyesOpen {
                scatter(rng, state, subject.blinks_per_min, EventKind::Blink, 0.3..0.5, &mut inside);
            }
            if state.kind != EventKind::SpikeWave {
                scatter(rng, state, subject.bursts_per_min, EventKind::Muscle, 0.5..1.5, &mut inside);
            }
        }
        events.append(&mut inside);
        events.sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s).then(a.kind.cmp(&b.kind)));
        Self { events }
    }

    /// How far each state is in force at each of `n` samples.
    pub fn gates(&self, n: usize, fs: f64) -> Gates {
        Gates { open: self.gate(EventKind::EyesOpen, n, fs), discharge: self.gate(EventKind::SpikeWave, n, fs) }
    }

    fn gate(&self, kind: EventKind, n: usize, fs: f64) -> Vec<f32> {
        let mut gate = vec![0.0_f32; n];
        for event in self.events.iter().filter(|e| e.kind == kind) {
            let from = (event.onset_s * fs).round() as usize;
            let until = (((event.onset_s + event.duration_s) * fs).round() as usize).min(n);
            for (i, g) in gate.iter_mut().enumerate().take(until).skip(from) {
                let edge = ((i - from) as f64).min((until - 1 - i) as f64) / (RISE_S * fs);
                // Half a cosine.
                *g = (0.5 - 0.5 * (std::f64::consts::PI * edge.min(1.0)).cos()) as f32;
            }
        }
        gate
    }
}

/// Adds a state that begins now, cut off at the record's end.
fn push(events: &mut Vec<Event>, now: &mut f64, lasts: f64, kind: EventKind, end: f64) {
    let duration_s = lasts.min(end - *now);
    if duration_s > 0.0 {
        events.push(Event { onset_s: *now, duration_s, kind });
        *now += duration_s;
    }
}

/// Events at random within a state, at a rate per minute, none running into the next.
fn scatter(
    rng: &mut impl Rng,
    state: &Event,
    per_min: f64,
    kind: EventKind,
    lasts: std::ops::Range<f64>,
    events: &mut Vec<Event>,
) {
    let end = state.onset_s + state.duration_s;
    let mut at = state.onset_s;
    loop {
        // Waiting times of a Poisson process.
        at += -(1.0 - rng.random_range(0.0..1.0_f64)).ln() * 60.0 / per_min;
        let duration_s = rng.random_range(lasts.clone());
        if at + duration_s > end {
            return;
        }
        events.push(Event { onset_s: at, duration_s, kind });
        at += duration_s;
    }
}

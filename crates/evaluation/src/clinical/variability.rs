//! Heart rate and its variability, from the times of beats.
//!
//! Time-domain quantities of the Task Force of the European Society of Cardiology (Circulation 93, 1996), over normal-to-normal (NN)
//! intervals in equal windows, since each of them grows with the length of what it is taken over. Beats in atrial fibrillation are
//! counted apart: their irregularity is not the sinus node's.

use physiosynth_signal::{Annotation, Split};

/// One beat of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// Its time in seconds from the start of the record.
    pub time_s: f64,
    /// Whether it came the normal way, from the sinus node (or, in fibrillation, through the AV node).
    pub normal: bool,
    /// Whether the rhythm in force is atrial fibrillation.
    pub fibrillation: bool,
    /// Whether the time since the beat before is unknown: a pause in the annotations, flutter, unreadable signal.
    pub after_gap: bool,
}

/// The beats of one record, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordBeats {
    /// Who it was recorded from; the synthetic patient's name where synthetic.
    pub subject: String,
    /// Which side it is on.
    pub split: Split,
    /// Its beats.
    pub beats: Vec<Beat>,
}

/// Variability of the NN intervals of one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variability {
    /// When the window begins, in seconds from the start of the record.
    pub start_s: f64,
    /// Whether its intervals are those in atrial fibrillation.
    pub fibrillation: bool,
    /// NN intervals in it.
    pub intervals: usize,
    /// Mean NN interval in milliseconds.
    pub mean_nn_ms: f64,
    /// Standard deviation of the NN intervals in milliseconds, with n − 1.
    pub sdnn_ms: f64,
    /// Root mean square of the differences of successive NN intervals, in milliseconds.
    pub rmssd_ms: f64,
    /// Share of successive NN intervals that differ by more than 50 ms, in percent.
    pub pnn50_percent: f64,
}

/// Five minutes, the Task Force's short-term recording.
pub const WINDOW_S: f64 = 300.0;
/// A window counts where NN intervals cover at least this share of it.
const COVERED: f64 = 0.5;

/// The beats among a record's annotations at `sampling_frequency_hz`, with the rhythm in force. Normal are `N`, `L`, `R`, `B`. Flutter
/// waves and changes of signal quality leave a gap.
pub fn annotated_beats(annotations: &[Annotation], sampling_frequency_hz: f64) -> Vec<Beat> {
    let mut beats = Vec::new();
    let (mut fibrillation, mut after_gap) = (false, true);
    for mark in annotations {
        match mark.code.as_ref() {
            "+" if mark.aux.starts_with('(') => fibrillation = mark.aux.starts_with("(AFIB"),
            "~" | "!" | "[" | "]" => after_gap = true,
            code @ ("N" | "L" | "R" | "B" | "A" | "a" | "J" | "S" | "V" | "r" | "F" | "e" | "j" | "n" | "E" | "/" | "f" | "Q"
            | "?") => {
                let normal = matches!(code, "N" | "L" | "R" | "B");
                beats.push(Beat { time_s: mark.sample as f64 / sampling_frequency_hz, normal, fibrillation, after_gap });
                after_gap = false;
            }
            _ => {}
        }
    }
    beats
}

/// The variability of each whole window of `window_s` seconds, counted from the record's start: first of the intervals outside
/// fibrillation, then of those inside. Beats must be in order of time. An interval counts to the window in which it ends; a window
/// that NN intervals cover to less than half gives nothing.
pub fn variability(beats: &[Beat], window_s: f64) -> Vec<Variability> {
    let Some(last) = beats.last().filter(|_| window_s > 0.0) else { return Vec::new() };
    // The last beat comes a little before the end of the record.
    let windows = (last.time_s / window_s + 0.01) as usize;
    let mut found = Vec::new();
    for fibrillation in [false, true] {
        for k in 0..windows {
            let (from, to) = (k as f64 * window_s, (k + 1) as f64 * window_s);
            let first = beats.partition_point(|b| b.time_s < from);
            let end = beats.partition_point(|b| b.time_s < to);
            let covered = of_beats(&beats[first.saturating_sub(1)..end], fibrillation)
                .filter(|v| v.mean_nn_ms * v.intervals as f64 >= 1000.0 * COVERED * window_s);
            found.extend(covered.map(|v| Variability { start_s: from, ..v }));
        }
    }
    found
}

/// The variability of the NN intervals among `beats` as one window. None for fewer than two successive intervals.
pub fn of_beats(beats: &[Beat], fibrillation: bool) -> Option<Variability> {
    let nn = |pair: &[Beat]| {
        let normal = pair.iter().all(|b| b.normal && b.fibrillation == fibrillation) && !pair[1].after_gap;
        let interval = 1000.0 * (pair[1].time_s - pair[0].time_s);
        (normal && interval > 0.0).then_some(interval)
    };
    let intervals: Vec<Option<f64>> = beats.windows(2).map(nn).collect();
    let known: Vec<f64> = intervals.iter().copied().flatten().collect();
    let differences: Vec<f64> = intervals.windows(2).filter_map(|pair| Some(pair[1]? - pair[0]?)).collect();
    if known.len() < 2 || differences.is_empty() {
        return None;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let squares: f64 = known.iter().map(|x| (x - mean).powi(2)).sum();
    let (n, steps) = (known.len() as f64, differences.len() as f64);
    // A hair above 50 ms is rounding of times, not a difference.
    let large = differences.iter().filter(|d| d.abs() > 50.0 + 1e-6).count() as f64;
    Some(Variability {
        start_s: beats.first()?.time_s,
        fibrillation,
        intervals: known.len(),
        mean_nn_ms: mean,
        sdnn_ms: (squares / (n - 1.0)).sqrt(),
        rmssd_ms: (differences.iter().map(|d| d * d).sum::<f64>() / steps).sqrt(),
        pnn50_percent: 100.0 * large / steps,
    })
}

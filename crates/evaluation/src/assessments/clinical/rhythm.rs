//! Heart rate and its variability in records: of the sequences of beats that were handed in, else as segments tell them by their places.

use std::collections::{BTreeMap, BTreeSet};

use physiosynth_signal::{SegmentSet, Split};

use super::halves::{HALVES, Halves, quantile};
use super::rows::{Row, Sets};
use super::{Context, Findings};
use crate::clinical::variability::{Beat, RecordBeats, Variability, WINDOW_S, variability};
use crate::scores::{Better, Measure};

/// One quantity of variability: name, unit, value and description.
type Quantity = (&'static str, &'static str, fn(&Variability) -> f64, &'static str);

const QUANTITIES: [Quantity; 4] = [
    ("mean_nn_ms", "ms", |v| v.mean_nn_ms, "the mean NN interval, 60,000 / heart rate per minute"),
    ("sdnn_ms", "ms", |v| v.sdnn_ms, "SDNN, the standard deviation of NN intervals"),
    ("rmssd_ms", "ms", |v| v.rmssd_ms, "RMSSD, the root mean square of differences of successive NN intervals"),
    ("pnn50_percent", "%", |v| v.pnn50_percent, "pNN50, the share of successive NN intervals that differ by more than 50 ms"),
];

/// Fewest windows on a side.
const FEWEST_WINDOWS: usize = 8;

/// One window of a record.
struct Window {
    subject: String,
    split: Split,
    of: Variability,
}

/// Adds a row for each quantity of variability, or a note of why there is none: first of windows outside atrial fibrillation, then, under
/// names that end in `_afib`, of those inside.
pub(super) fn assess(context: &Context, findings: &mut Findings) {
    let (sequences, stated) = sequences(context);
    let windows: Vec<Window> = sequences.iter().flat_map(windows).collect();
    let made = windows.iter().filter(|w| w.split == Split::Synthetic).count();
    if made == 0 {
        let records = sequences.iter().filter(|s| s.split == Split::Synthetic).count();
        let why = if records == 0 {
            "there are no synthetic records".to_string()
        } else {
            format!("{records} synthetic records hold none")
        };
        findings.notes.push(format!(
            "clinical: heart rate variability is not compared: it takes whole windows of five minutes, and {why}; of rhythm, only the \
             intervals between beats are compared (wasserstein_rr_ms)"
        ));
        return;
    }
    if !stated {
        findings.notes.push(
            "clinical: segments do not say which rhythm is in force, so that windows of atrial fibrillation are among the others"
                .into(),
        );
    }
    for fibrillation in [false, true] {
        let of_rhythm: Vec<&Window> = windows.iter().filter(|w| w.of.fibrillation == fibrillation).collect();
        match rows(&of_rhythm, fibrillation, context) {
            Ok(measures) => findings.measures.extend(measures),
            Err(why) => findings.notes.push(why),
        }
    }
}

fn rows(windows: &[&Window], fibrillation: bool, context: &Context) -> Result<Vec<Measure>, String> {
    let of = |split: Split| -> Vec<&Window> { windows.iter().copied().filter(|w| w.split == split).collect() };
    let (train, synthetic) = (of(Split::Train), of(Split::Synthetic));
    let rhythm = if fibrillation { "in atrial fibrillation" } else { "outside atrial fibrillation" };
    if train.len() < FEWEST_WINDOWS || synthetic.len() < FEWEST_WINDOWS {
        return Err(format!(
            "clinical: heart rate variability {rhythm} is not compared: {} windows of five minutes in training records and {} in synthetic \
             ones, and {FEWEST_WINDOWS} of each are needed",
            train.len(),
            synthetic.len()
        ));
    }
    let held_out =
        if context.real.segments.iter().any(|s| s.split == Split::Test) { of(Split::Test) } else { of(Split::Validation) };
    let halves = Halves::draw(train.iter().map(|w| &w.subject), if fibrillation { "records/afib" } else { "records" }, context);
    let subjects: Vec<String> = synthetic.iter().map(|w| w.subject.clone()).collect();
    let people = train.iter().map(|w| &w.subject).collect::<BTreeSet<_>>().len();
    let measure = |(name, unit, of, what): Quantity| {
        let value = |windows: &[&Window]| -> Vec<Option<f64>> { windows.iter().map(|w| Some(of(&w.of))).collect() };
        let values = Sets {
            reference: value(&train),
            synthetic: value(&synthetic),
            same: Vec::new(),
            held_out: value(&held_out),
            baselines: Vec::new(),
        };
        let row = Row {
            name: format!("wasserstein_{name}{}", if fibrillation { "_afib" } else { "" }),
            unit,
            class: "all",
            better: Better::Lower,
            definition: format!(
                "Wasserstein-1 distance between the distributions over windows of five minutes {rhythm} of {what} (Task Force 1996; NN: between \
                 two neighbouring beats that came the normal way) in synthetic and in real training records; counts are of windows, the interval \
                 leaves out one synthetic record at a time. same: the median over 200 random halves of the training subjects; {HALVES} Blind to \
                 the order of intervals beyond neighbours."
            ),
            segments: synthetic.len(),
            subjects: people,
        };
        let mut measure = row.distances(&values, &subjects, halves.as_ref(), context)?;
        measure.same = halves.as_ref().and_then(|halves| quantile(&halves.distances(&values.reference), 0.5));
        Some(measure)
    };
    Ok(QUANTITIES.into_iter().filter_map(measure).collect())
}

fn windows(sequence: &RecordBeats) -> Vec<Window> {
    let window = |of| Window { subject: sequence.subject.clone(), split: sequence.split, of };
    variability(&sequence.beats, WINDOW_S).into_iter().map(window).collect()
}

/// The sequences that were handed in, those of a side without any filled in from its segments' places; and whether the real ones say
/// which rhythm is in force.
fn sequences(context: &Context) -> (Vec<RecordBeats>, bool) {
    let mut sequences = context.records.to_vec();
    let stated = sequences.iter().any(|s| s.split != Split::Synthetic);
    if !stated {
        sequences.extend(of_segments(context.real, |split| split != Split::Synthetic));
    }
    if !sequences.iter().any(|s| s.split == Split::Synthetic) {
        sequences.extend(of_segments(context.synthetic, |split| split == Split::Synthetic));
    }
    (sequences, stated)
}

/// A segment's place in its record, the seconds since the beat before it, and whether it is normal.
type Mark = (i64, f64, bool);

/// The sequences of beats that segments tell by their places in records.
fn of_segments(set: &SegmentSet, of: impl Fn(Split) -> bool) -> Vec<RecordBeats> {
    let mut records: BTreeMap<(&str, Split), (&str, Vec<Mark>)> = BTreeMap::new();
    for s in set.segments.iter().filter(|s| of(s.split) && s.sample >= 0) {
        let record = records.entry((&s.record, s.split)).or_insert_with(|| (&s.subject, Vec::new()));
        record.1.push((s.sample, f64::from(s.rr_before_s), s.label == "N"));
    }
    let sequence =
        |((_, split), (subject, marks)): (_, (&str, _))| RecordBeats { subject: subject.into(), split, beats: beats(marks) };
    records.into_iter().map(sequence).collect()
}

/// The beats of one record from the places of its segments, which count samples of a rate that segments do not state: it is the median
/// of distance over interval of neighbours.
fn beats(mut marks: Vec<Mark>) -> Vec<Beat> {
    marks.sort_by_key(|mark| mark.0);
    let mut rates: Vec<f64> = marks
        .windows(2)
        .filter(|pair| pair[1].1 > 0.0 && pair[1].0 > pair[0].0)
        .map(|pair| (pair[1].0 - pair[0].0) as f64 / pair[1].1)
        .collect();
    if rates.is_empty() {
        return Vec::new();
    }
    rates.sort_by(f64::total_cmp);
    let rate = rates[rates.len() / 2];
    let mut before = f64::NEG_INFINITY;
    let beat = |(sample, rr_s, normal): Mark| {
        let time_s = sample as f64 / rate;
        // Where the beat before has no segment, the distance is not the interval.
        let off = (time_s - before - rr_s).abs();
        let after_gap = off.is_nan() || off > 2.0 / rate;
        before = time_s;
        Beat { time_s, normal, fibrillation: false, after_gap }
    };
    marks.into_iter().map(beat).collect()
}

#[cfg(test)]
mod tests {
    use super::beats;

    #[test]
    fn times_follow_from_places_and_intervals() {
        let marks: Vec<(i64, f64, bool)> =
            [(0, f64::NAN), (300, 300.0 / 360.0), (580, 280.0 / 360.0), (1200, 310.0 / 360.0), (1500, 300.0 / 360.0)]
                .map(|(sample, rr)| (sample, rr, true))
                .into();
        let found = beats(marks);
        assert!((found[1].time_s - 300.0 / 360.0).abs() < 1e-9);
        let gaps: Vec<bool> = found.iter().map(|b| b.after_gap).collect();
        assert_eq!(gaps, [true, false, false, true, false], "one beat is missing before the fourth");
        assert!(beats(vec![(3, f64::NAN, true)]).is_empty());
    }
}

//! Heart rate variability, where segments say from which record and place they are.

use std::collections::BTreeMap;

use physiosynth_signal::{SegmentSet, Split};
use rand::seq::SliceRandom;

use super::rows::{Row, Sets};
use super::{Context, Findings};
use crate::clinical::variability::{Beat, Variability, WINDOW_S, variability};
use crate::scores::Better;

/// One quantity of variability: name, unit, value and description.
type Quantity = (&'static str, &'static str, fn(&Variability) -> f64, &'static str);

/// Fewest windows on a side.
const FEWEST_WINDOWS: usize = 8;

/// Adds a row for each quantity of variability, or a note of why there is none.
pub(super) fn assess(context: &Context, findings: &mut Findings) {
    let made = windows(context.synthetic, |split| split == Split::Synthetic);
    if made.len() < FEWEST_WINDOWS {
        findings.notes.push(format!(
            "clinical: heart rate variability is not compared, since the synthetic segments give {} whole windows of five minutes (their \
             places in records are not known); of rhythm, only the intervals between beats are (wasserstein_rr_ms)",
            made.len()
        ));
        return;
    }
    let any_test = context.real.segments.iter().any(|s| s.split == Split::Test);
    let held_out = windows(context.real, |split| split == if any_test { Split::Test } else { Split::Validation });
    let mut train = windows(context.real, |split| split == Split::Train);
    if train.len() < 2 * FEWEST_WINDOWS {
        let found = train.len();
        findings
            .notes
            .push(format!("clinical: heart rate variability is not compared: {found} whole training windows of five minutes"));
        return;
    }
    train.shuffle(&mut context.seed.stream("evaluation/clinical/windows", 0));
    let same = train.split_off(train.len() / 2);
    findings.notes.push(
        "clinical: segments do not say which rhythm is in force, so that windows of atrial fibrillation are among the others"
            .into(),
    );
    let sets = Sets { reference: train, synthetic: made, same, held_out, baselines: Vec::new() };
    let quantities: [Quantity; 4] = [
        ("mean_nn_ms", "ms", |v| v.mean_nn_ms, "the mean NN interval"),
        ("sdnn_ms", "ms", |v| v.sdnn_ms, "SDNN, the standard deviation of NN intervals"),
        ("rmssd_ms", "ms", |v| v.rmssd_ms, "RMSSD, the root mean square of differences of successive NN intervals"),
        ("pnn50_percent", "%", |v| v.pnn50_percent, "pNN50, the share of successive NN intervals that differ by more than 50 ms"),
    ];
    for (name, unit, of, what) in quantities {
        let definition = format!(
            "Wasserstein-1 distance between the distributions over windows of five minutes of {what} (Task Force 1996; NN: between two \
             neighbouring beats of class N) in synthetic and in real training records. Blind to the order of intervals beyond neighbours."
        );
        let (segments, subjects) = (sets.synthetic.len(), sets.reference.len());
        let row = Row {
            name: format!("wasserstein_{name}"),
            unit,
            class: "all",
            better: Better::Lower,
            definition,
            segments,
            subjects,
        };
        findings.measures.extend(row.distances(&sets.map(|windows| windows.iter().map(|v| Some(of(v))).collect()), &[], context));
    }
}

/// The windows of all records of a set whose segments are of these splits.
fn windows(set: &SegmentSet, of: impl Fn(Split) -> bool) -> Vec<Variability> {
    let mut records: BTreeMap<&str, Vec<(i64, f64, bool)>> = BTreeMap::new();
    for s in set.segments.iter().filter(|s| of(s.split) && s.sample >= 0) {
        records.entry(&s.record).or_default().push((s.sample, f64::from(s.rr_before_s), s.label == "N"));
    }
    records.into_values().flat_map(|marks| variability(&beats(marks), WINDOW_S)).collect()
}

/// The beats of one record from the places of its segments, which count samples of a rate that segments do not state: it is the median
/// of distance over interval of neighbours.
fn beats(mut marks: Vec<(i64, f64, bool)>) -> Vec<Beat> {
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
    let beat = |(sample, rr_s, normal): (i64, f64, bool)| {
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

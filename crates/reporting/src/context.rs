//! What all figures share, computed once.

use physiosynth_signal::{Seed, SegmentSet, Split};
use rayon::prelude::*;

use crate::report::Report;
use crate::waveforms::Waveforms;

/// One class, real and synthetic.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub label: String,
    /// Of the training split; of all splits where it has none of this class.
    pub real: Option<Waveforms>,
    pub synthetic: Option<Waveforms>,
}

/// A cluster's segments.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub class: String,
    pub subject: String,
    pub silhouette: f64,
    pub waveforms: Waveforms,
}

/// A report with what its figures need in common.
pub(crate) struct Context<'a> {
    pub report: &'a Report<'a>,
    /// Those with segments, in the order of the field (N S V F Q), then by name.
    pub classes: Vec<Class>,
    /// In the order of the report's rows.
    pub clusters: Vec<Cluster>,
    /// Unit of the drawn channel.
    pub unit: String,
    /// Label of the drawn channel.
    pub lead: String,
}

impl<'a> Context<'a> {
    pub(crate) fn new(report: &'a Report<'a>) -> Self {
        let seed = Seed(report.facts.seed);
        let mut labels = report.real.labels();
        labels.extend(report.synthetic.labels());
        let classes = in_order(labels)
            .into_par_iter()
            .map(|label| {
                let real = Waveforms::new(report.real, &real_indices(report.real, &label), 0, seed, &format!("real {label}"));
                let made = report.synthetic.indices(|s| s.label == label);
                let synthetic = Waveforms::new(report.synthetic, &made, 0, seed, &format!("synthetic {label}"));
                Class { label, real, synthetic }
            })
            .collect();
        // Either set may be empty and then has channel names all the same.
        let first = |names: &[String]| names.first().cloned();
        let (real, made) = (report.real, report.synthetic);
        let unit = first(&real.channel_units).or_else(|| first(&made.channel_units)).unwrap_or_default();
        let lead = first(&real.channel_names).or_else(|| first(&made.channel_names)).unwrap_or_default();
        Self { report, classes, clusters: clusters(report, seed), unit, lead }
    }

    /// Times that both sets span.
    pub(crate) fn span_ms(&self) -> (f64, f64) {
        let mut span = (f64::INFINITY, f64::NEG_INFINITY);
        for set in [self.report.real, self.report.synthetic] {
            for t in times_ms(set) {
                span = (span.0.min(t), span.1.max(t));
            }
        }
        if span.0 < span.1 { span } else { (0.0, 1.0) }
    }

    /// Name and unit of the time axis of segments.
    pub(crate) fn time_name(&self) -> &'static str {
        if self.report.real.mark_index == 0 && self.report.synthetic.mark_index == 0 { "time (ms)" } else { "time from R (ms)" }
    }

    /// Name and unit of the amplitude axis.
    pub(crate) fn amplitude_name(&self) -> String {
        if self.unit.is_empty() { "amplitude".into() } else { self.unit.clone() }
    }
}

/// Times of a segment's samples in milliseconds from the mark.
pub(crate) fn times_ms(set: &SegmentSet) -> Vec<f64> {
    let fs = if set.sampling_frequency_hz > 0.0 { set.sampling_frequency_hz } else { 1.0 };
    (0..set.time()).map(|t| (t as f64 - set.mark_index as f64) * 1000.0 / fs).collect()
}

/// Real segments of a class to compare with: those of the training split, or all where it has none.
fn real_indices(set: &SegmentSet, label: &str) -> Vec<usize> {
    let training = set.indices(|s| s.label == label && s.split == Split::Train);
    if training.is_empty() { set.indices(|s| s.label == label) } else { training }
}

/// Classes in the order in which the field lists them, others behind by name, each once.
pub(crate) fn in_order(mut labels: Vec<String>) -> Vec<String> {
    let rank = |label: &str| ["N", "S", "V", "F", "Q"].iter().position(|l| *l == label).unwrap_or(usize::MAX);
    labels.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    labels.dedup();
    labels
}

fn clusters(report: &Report<'_>, seed: Seed) -> Vec<Cluster> {
    let mut members: std::collections::BTreeMap<(&str, i32), Vec<usize>> = std::collections::BTreeMap::new();
    for (i, segment) in report.real.segments.iter().enumerate() {
        if segment.cluster >= 0 && segment.split == Split::Train {
            members.entry((&segment.label, segment.cluster)).or_default().push(i);
        }
    }
    report
        .clusters
        .par_iter()
        .filter_map(|row| {
            let indices = members.get(&(row.class.as_str(), row.id))?;
            let waveforms = Waveforms::new(report.real, indices, 0, seed, &format!("cluster {} {}", row.class, row.id))?;
            Some(Cluster { class: row.class.clone(), subject: row.subject.clone(), silhouette: row.silhouette, waveforms })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use ndarray::{Array2, Array3};
    use physiosynth_evaluation::Scores;
    use physiosynth_signal::{Segment, SegmentSet};

    use super::{Context, in_order};
    use crate::report::{Report, RunFacts};

    /// A report of two sets and nothing more.
    pub(crate) fn report_of<'a>(real: &'a SegmentSet, synthetic: &'a SegmentSet, scores: &'a Scores) -> Report<'a> {
        Report {
            facts: RunFacts { title: "a run".into(), database: "a database".into(), seed: 7, ..RunFacts::default() },
            real,
            synthetic,
            scores,
            history: &[],
            best_epoch: None,
            stretches: &[],
            real_strips: Vec::new(),
            synthetic_strips: Vec::new(),
            clusters: &[],
        }
    }

    #[test]
    fn classes_stand_in_the_order_of_the_field() {
        let names = ["V", "T1", "N", "Q", "N", "A1"].map(String::from).to_vec();
        assert_eq!(in_order(names), ["N", "V", "Q", "A1", "T1"]);
    }

    #[test]
    fn real_means_training_where_there_is_any() {
        let real = set_of(&[("N", "train", 4), ("N", "test", 6), ("S", "test", 3)], 20);
        let synthetic = set_of(&[("V", "synthetic", 2)], 20);
        let scores = Scores::default();
        let report = report_of(&real, &synthetic, &scores);
        let context = Context::new(&report);
        let counts: Vec<_> = context
            .classes
            .iter()
            .map(|c| (c.label.as_str(), c.real.as_ref().map(|w| w.count), c.synthetic.as_ref().map(|w| w.count)))
            .collect();
        assert_eq!(counts, [("N", Some(4), None), ("S", Some(3), None), ("V", None, Some(2))]);
        assert_eq!(context.span_ms(), (-60.0, 130.0));
    }

    /// A set of `(class, split, count)` segments of `time` samples at 100 Hz, a bump at the mark with some variety.
    pub(crate) fn set_of(parts: &[(&str, &str, usize)], time: usize) -> SegmentSet {
        let n = parts.iter().map(|p| p.2).sum();
        let mut set = SegmentSet::empty(time, 100.0, time / 3, vec!["MLII".into()], vec!["mV".into()]);
        let labels = parts.iter().enumerate().flat_map(|(k, part)| std::iter::repeat_n((k, part), part.2));
        let mark = set.mark_index as f32;
        for (i, (k, (label, split, _))) in labels.enumerate() {
            set.segments.push(Segment {
                cluster: k as i32,
                sample: i as i64,
                rr_before_s: 0.8,
                rr_after_s: 0.8,
                ..Segment::new(*label, format!("{}", i % 7), split.parse().unwrap())
            });
        }
        set.signals = Array3::from_shape_fn((n, time, 1), |(i, t, _)| {
            let x = (t as f32 - mark) / (4.0 + (i % 5) as f32);
            (-x * x).exp() * (1.0 + 0.1 * (i % 3) as f32)
        });
        set.scale = Array2::ones((n, 1));
        set.offset = Array2::zeros((n, 1));
        set
    }
}

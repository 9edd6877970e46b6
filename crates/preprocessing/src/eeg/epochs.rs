//! From annotated events to epochs: windows of one length, with the event's label.

use std::collections::BTreeMap;

use physiosynth_signal::{Annotation, Code};

use super::EegConfig;

/// Label of the windows of a record without any annotated event.
const BACKGROUND: &str = "background";

/// One epoch, before it is cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Where it begins, in seconds from the start of the record.
    pub start_s: f64,
    /// What it is: the label that the database gives the code, else the code.
    pub label: String,
    /// The annotation's code.
    pub code: Code,
}

/// The epochs of a record, and what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Epochs {
    /// In order of their beginnings.
    pub epochs: Vec<Epoch>,
    /// Events that were used or too short.
    pub events: usize,
    /// Events shorter than an epoch, by label.
    pub too_short: BTreeMap<String, usize>,
}

/// What an annotation says: the label where the database has one, else the code.
pub fn label(annotation: &Annotation) -> &str {
    let aux = annotation.aux.trim();
    if aux.is_empty() { annotation.code.trim() } else { aux }
}

/// Whether an annotation marks an event: not one of a bad or missing stretch (`BAD…`, `EDGE…`, as MNE and this crate's writers name them).
fn is_event(annotation: &Annotation) -> bool {
    let upper = annotation.code.to_uppercase();
    !label(annotation).is_empty() && !upper.starts_with("BAD") && !upper.starts_with("EDGE")
}

/// The epochs of a record of `duration_s` seconds whose annotations count at `marks_hz`.
///
/// An event gives as many epochs as lie wholly inside it, from `offset_s` after its onset on, each `1 − overlap` of an epoch behind the
/// last; one without duration gives a single one. A record without any event gives epochs over its whole length, labelled `background`.
pub fn epochs(annotations: &[Annotation], marks_hz: f64, duration_s: f64, config: &EegConfig) -> Epochs {
    let mut found = Epochs::default();
    let step_s = config.epoch_s * (1.0 - config.overlap);
    // Onsets and durations are written to a sample or a few decimals: that much may be missing at an event's end.
    let tolerance_s = 0.75 / marks_hz;
    let add = |epochs: &mut Vec<Epoch>, from_s: f64, until_s: f64, label: &str, code: &Code| {
        let count = ((until_s - from_s - config.epoch_s + tolerance_s) / step_s).floor();
        let count = if count >= 0.0 { count as usize + 1 } else { 0 };
        epochs.extend((0..count).map(|i| Epoch { start_s: from_s + i as f64 * step_s, label: label.into(), code: code.clone() }));
        count
    };
    let wanted = |a: &&Annotation| config.events.is_empty() || config.events.iter().any(|e| *e == label(a) || *e == a.code);
    let events: Vec<&Annotation> = annotations.iter().filter(|a| is_event(a)).collect();
    if events.is_empty() {
        add(&mut found.epochs, 0.0, duration_s, BACKGROUND, &Code::Borrowed(""));
        return found;
    }
    for event in events.into_iter().filter(wanted) {
        found.events += 1;
        let onset_s = event.sample as f64 / marks_hz;
        let lasts_s = if event.duration > 0 { event.duration as f64 / marks_hz } else { config.offset_s + config.epoch_s };
        if add(&mut found.epochs, onset_s + config.offset_s, onset_s + lasts_s, label(event), &event.code) == 0 {
            *found.too_short.entry(label(event).to_owned()).or_default() += 1;
        }
    }
    found.epochs.sort_by(|a, b| a.start_s.total_cmp(&b.start_s).then_with(|| a.label.cmp(&b.label)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(onset_s: f64, duration_s: f64, code: &'static str, aux: &str) -> Annotation {
        let mut annotation = Annotation::beat((onset_s * 160.0) as i64, code).with_aux(aux);
        annotation.duration = (duration_s * 160.0) as i64;
        annotation
    }

    fn starts(list: &[Annotation], config: &EegConfig) -> Vec<(f64, String)> {
        epochs(list, 160.0, 30.0, config).epochs.into_iter().map(|e| (e.start_s, e.label)).collect()
    }

    #[test]
    fn an_event_gives_the_epochs_that_lie_inside_it() {
        let list = [event(0.0, 4.1, "T0", "rest"), event(4.1, 4.0, "T2", "executed/right-fist"), event(9.0, 1.9, "T1", "")];
        let found = epochs(&list, 160.0, 30.0, &EegConfig::default());
        let starts: Vec<f64> = found.epochs.iter().map(|e| e.start_s).collect();
        assert_eq!(starts, [0.0, 2.0, 4.1, 6.1]);
        assert_eq!((found.epochs[3].label.as_str(), found.epochs[3].code.as_ref()), ("executed/right-fist", "T2"));
        assert_eq!((found.events, found.too_short.get("T1")), (3, Some(&1)));
    }

    #[test]
    fn overlap_offset_and_choice_of_events() {
        let list = [event(1.0, 4.0, "T1", "left"), event(6.0, 4.0, "T2", "right"), event(11.0, 0.0, "T1", "left")];
        let config = EegConfig { overlap: 0.5, events: vec!["T1".into()], ..EegConfig::default() };
        let times: Vec<f64> = starts(&list, &config).into_iter().map(|(s, _)| s).collect();
        assert_eq!(times, [1.0, 2.0, 3.0, 11.0]);
        let config = EegConfig { offset_s: -0.5, events: vec!["right".into()], ..EegConfig::default() };
        assert_eq!(starts(&list, &config), [(5.5, "right".into()), (7.5, "right".into())]);
    }

    #[test]
    fn what_marks_no_event_gives_none_and_a_record_without_events_is_background() {
        let bad = [event(0.0, 5.0, "BAD_missing", ""), event(3.0, 4.0, " ", "")];
        assert_eq!(starts(&bad, &EegConfig::default()).len(), 15);
        assert_eq!(starts(&[], &EegConfig::default())[14], (28.0, "background".into()));
        let other = [event(0.0, 5.0, "T1", "")];
        assert!(starts(&other, &EegConfig { events: vec!["T2".into()], ..EegConfig::default() }).is_empty());
    }
}

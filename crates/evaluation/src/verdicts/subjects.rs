//! What cannot be said where records are held out instead of subjects.

use std::collections::BTreeSet;

use physiosynth_signal::{SegmentSet, Split};

use crate::scores::{Outcome, Scores};

/// The first subject with segments that train and segments that are held out; none where the split is by subject.
pub(crate) fn on_both_sides(real: &SegmentSet) -> Option<&str> {
    let of = |train: bool| -> BTreeSet<&str> {
        real.segments.iter().filter(|s| (s.split == Split::Train) == train).map(|s| s.subject.as_str()).collect()
    };
    of(true).intersection(&of(false)).next().copied()
}

/// Takes back the verdicts that speak of other people: `useful`, and a `private` that no attack has refuted.
pub(crate) fn not_of_subjects(scores: &mut Scores, subject: &str) {
    for name in ["useful", "private"] {
        let Some(verdict) = scores.verdicts.get_mut(name) else { continue };
        let refuted = name == "private" && verdict.outcome == Outcome::Fail;
        if refuted || verdict.outcome == Outcome::NotAssessable {
            continue;
        }
        verdict.outcome = Outcome::NotAssessable;
        verdict.because = format!(
            "Records are held out, not subjects: subject {subject} both trains and tests, so that nothing is known of other people. Within the \
             same people: {}",
            verdict.because
        );
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Segment;

    use super::*;
    use crate::scores::Verdict;

    fn set(parts: &[(&str, Split)]) -> SegmentSet {
        let mut set = SegmentSet::empty(1, 1.0, 0, vec!["Cz".into()], vec!["uV".into()]);
        set.segments.extend(parts.iter().map(|&(subject, split)| Segment {
            code: String::new(),
            record: String::new(),
            cluster: 0,
            sample: 0,
            ..Segment::new("rest", subject, split)
        }));
        set
    }

    #[test]
    fn a_subject_that_trains_and_tests_is_found() {
        let by_record = set(&[("a", Split::Train), ("b", Split::Train), ("b", Split::Test)]);
        assert_eq!(on_both_sides(&by_record), Some("b"));
        let by_subject = set(&[("a", Split::Train), ("b", Split::Test), ("c", Split::Validation)]);
        assert_eq!(on_both_sides(&by_subject), None);
    }

    #[test]
    fn a_refuted_privacy_stays_refuted() {
        let verdict = |outcome| Verdict { outcome, because: "why".into() };
        let mut scores = Scores::default();
        scores.verdicts.insert("useful".into(), verdict(Outcome::Pass));
        scores.verdicts.insert("private".into(), verdict(Outcome::Fail));
        scores.verdicts.insert("diverse".into(), verdict(Outcome::Pass));
        not_of_subjects(&mut scores, "S001");
        assert_eq!(scores.verdicts["useful"].outcome, Outcome::NotAssessable);
        assert!(scores.verdicts["useful"].because.contains("S001") && scores.verdicts["useful"].because.ends_with("why"));
        assert_eq!(scores.verdicts["private"].outcome, Outcome::Fail);
        assert_eq!(scores.verdicts["diverse"].outcome, Outcome::Pass);
    }
}

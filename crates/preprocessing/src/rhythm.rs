//! From a record's annotations to the sequence of its beats, with the rhythm in force at each.

use physiosynth_signal::{Annotation, BeatSequence, Residual, Split};

use crate::segmentation::Beat;

/// Code of a mark that names the rhythm from there on, in its auxiliary text.
const RHYTHM_MARK: &str = "+";

/// Sets the rhythm in force at each beat, as the last rhythm mark at or before it names it (`(AFIB`); empty before the first mark.
/// Beats come in order, positions in the annotations' samples. A mark that names nothing with `(` (a comment, a change of
/// signal quality) changes nothing.
pub(crate) fn set_in_force(annotations: &[Annotation], beats: &mut [Beat]) {
    let mut marks: Vec<(i64, &str)> = annotations
        .iter()
        .filter(|annotation| annotation.code == RHYTHM_MARK)
        .map(|annotation| (annotation.sample, annotation.aux.trim()))
        .filter(|(_, name)| name.starts_with('('))
        .collect();
    marks.sort_by_key(|(sample, _)| *sample);
    let mut marks = marks.into_iter().peekable();
    let mut rhythm = String::new();
    for beat in beats {
        while let Some((_, name)) = marks.next_if(|(sample, _)| *sample <= beat.sample) {
            name.clone_into(&mut rhythm);
        }
        beat.rhythm.clone_from(&rhythm);
    }
}

/// The sequence of a record's beats. Positions are in samples at `sampling_frequency_hz`.
pub(crate) fn sequence(
    (record, subject, split): (String, String, Split),
    beats: &[Beat],
    sampling_frequency_hz: f64,
    residual: Option<Residual>,
) -> BeatSequence {
    BeatSequence {
        record,
        subject,
        split,
        sampling_frequency_hz,
        samples: beats.iter().map(|beat| beat.sample).collect(),
        intervals_known: beats.iter().map(|beat| beat.rr_before_s > 0.0).collect(),
        classes: beats.iter().map(|beat| beat.class.to_owned()).collect(),
        codes: beats.iter().map(|beat| beat.code.to_string()).collect(),
        rhythms: beats.iter().map(|beat| beat.rhythm.clone()).collect(),
        residual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassMap;
    use crate::segmentation::beats;

    #[test]
    fn the_last_mark_is_in_force() {
        let mark = |sample, aux: &str| Annotation::beat(sample, "+").with_aux(aux);
        let mut annotations: Vec<Annotation> = [5, 100, 200, 300, 400].map(|s| Annotation::beat(s, "N")).into();
        annotations.extend([mark(10, "(N"), mark(200, "(AFIB"), mark(310, "remark"), mark(390, "(N")]);
        let mut found = beats(&annotations, 100.0, ClassMap::default(), 6.0);
        set_in_force(&annotations, &mut found);
        let sequence = sequence(("r".into(), "s".into(), Split::Train), &found, 100.0, None);
        assert_eq!(sequence.rhythms, ["", "(N", "(AFIB", "(AFIB", "(N"]);
        assert_eq!(sequence.problem(), None);
        assert_eq!(sequence.intervals_known, [false, true, true, true, true]);
        assert_eq!(sequence.rr_before_s(2), Some(1.0));
    }
}

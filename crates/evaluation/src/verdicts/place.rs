//! Where between the two references a class of synthetic segments places itself, and what is to be expected of it there.

use crate::scores::{Better, Measure, Scores};

/// The measure that places a class: how many of its segments lie where the training subjects' do.
const PLACED_BY: &str = "precision";
/// Where its references are closer than this share of `same` the place would be noise.
const APART: f64 = 0.1;

/// A place from 0 (`held_out`: as far from the training subjects as other people are) to 1 (`same`: as near as they are to
/// themselves).
///
/// Segments of training subjects mixed with those of other people, a share `u` of the former, have a precision and a density of
/// `held_out + u (same − held_out)` exactly, and a coverage and recall of no less (half as many segments still cover most). So
/// precision shows whom the set resembles, and it is held to that by all others; a set of new people is asked for no more than new
/// people give. Precision is taken at the lower end of its interval over subjects where it has one, since another group of new people
/// may be nearer than the held-out ones by chance. A set whose segments name training subjects is at least at their share.
///
/// Where precision does not tell the two apart, or nobody is held out, the place is not known (`None`): shares are then expected as of
/// `same`, distances as of held-out subjects, whose mean lies elsewhere even where each of their segments has near ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place(Option<f64>);

impl Place {
    /// Of `class` (or `all`), of whose synthetic segments the share `named` name training subjects.
    pub(super) fn of(scores: &Scores, class: &str, named: f64) -> Self {
        let place = scores.measure(PLACED_BY, class).and_then(place).map(|place| place.clamp(0.0, 1.0));
        Self(if named > 0.0 { Some(place.map_or(named, |place| place.max(named))) } else { place })
    }

    /// The value of `m` that real segments would have here. None where `same` is unknown.
    pub(super) fn expected(self, m: &Measure) -> Option<f64> {
        let same = m.same?;
        // Held-out subjects may, by chance, be on the better side of `same`.
        let apart = m.held_out.filter(|&held_out| match m.better {
            Better::Higher => held_out < same,
            Better::Lower => held_out > same,
            Better::NearSame => true,
        });
        let place = self.0.unwrap_or(if m.better == Better::Lower { 0.0 } else { 1.0 });
        Some(apart.map_or(same, |held_out| held_out + place * (same - held_out)))
    }

    /// What lies here between a value at `held_out` and one at `same`; the latter where the place is not known.
    pub(super) fn between(self, held_out: f64, same: f64) -> f64 {
        held_out + self.0.unwrap_or(1.0) * (same - held_out)
    }

    /// The place in words.
    pub(super) fn words(self) -> String {
        match self.0 {
            Some(place) if place >= 1.0 => "that of real to real".into(),
            Some(place) if place <= 0.0 => "that of held-out subjects".into(),
            Some(place) => format!("{:.0}% of the way from held-out subjects to real to real", 100.0 * place),
            None => "precision does not tell new people from trained ones".into(),
        }
    }
}

fn place(m: &Measure) -> Option<f64> {
    let (value, same, held_out) = (m.low.or(m.value)?, m.same?, m.held_out?);
    (same - held_out > APART * same).then(|| (value - held_out) / (same - held_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::Family;

    fn measure(name: &str, value: f64, same: f64, held_out: Option<f64>) -> Measure {
        Measure {
            name: name.into(),
            unit: String::new(),
            family: Family::Diversity,
            class: "N".into(),
            value: Some(value),
            low: None,
            high: None,
            segments: 10,
            subjects: 10,
            same: Some(same),
            held_out,
            baselines: std::collections::BTreeMap::new(),
            better: Better::Higher,
            definition: String::new(),
        }
    }

    fn scores(precision: Measure, coverage: Measure) -> Scores {
        Scores { measures: vec![precision, coverage], ..Scores::default() }
    }

    #[test]
    fn what_is_near_by_precision_is_asked_for_more() {
        let of = |precision, coverage| {
            scores(measure("precision", precision, 0.9, Some(0.5)), measure("coverage", coverage, 1.0, Some(0.2)))
        };
        let expected = |scores: &Scores| Place::of(scores, "N", 0.0).expected(&scores.measures[1]).unwrap();
        // Three quarters of the way by precision.
        assert!((expected(&of(0.8, 0.3)) - 0.8).abs() < 1e-9);
        // New people, and worse than new people.
        assert!((expected(&of(0.5, 0.2)) - 0.2).abs() < 1e-9);
        assert!((expected(&of(0.1, 0.0)) - 0.2).abs() < 1e-9);
        assert!((expected(&of(1.0, 0.0)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_references_apart_the_bar_is_same() {
        for held_out in [None, Some(0.95), Some(1.1)] {
            let scores = scores(measure("precision", 0.2, 1.0, held_out), measure("coverage", 0.2, 1.0, held_out));
            let expected = Place::of(&scores, "N", 0.0).expected(&scores.measures[1]).unwrap();
            assert!((expected - 1.0).abs() < 1e-9, "{held_out:?}: {expected}");
        }
        let mean = Measure { better: Better::Lower, ..measure("rmse_class_mean", 0.2, 0.1, Some(0.3)) };
        let scores = scores(measure("precision", 0.2, 1.0, Some(0.95)), mean);
        assert_eq!(Place::of(&scores, "N", 0.0).expected(&scores.measures[1]), Some(0.3));
    }
}

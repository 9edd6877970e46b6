//! The measures of several runs, and which run is best by each.
//!
//! A run is called best only where its interval lies apart from every other run's. Where the best value's interval touches others, all
//! of those lead together; where there are no intervals, the best value is marked as one that may be chance. The intervals are over the
//! same subjects, so that they may overlap where a paired comparison would tell two runs apart: a best one that is called is one, one that
//! is not called may still be.

use physiosynth_evaluation::{Better, Family, Measure};
use serde::Serialize;

use super::runs::Run;

/// Beginnings of the names of the main measures, in the order of the table. A name that ends in `*` stands for one measure for each judge.
const MAIN: [&str; 14] = [
    "precision",
    "density",
    "coverage",
    "spread_ratio",
    "discriminator_auc_*",
    "trtr_macro_f1_*",
    "tstr_macro_f1_*",
    "tstr_over_trtr_*",
    "augmentation_gain_*",
    "membership_distance_segment_auc",
    "membership_distance_subject_auc",
    "membership_density_ratio_segment_auc",
    "membership_density_ratio_subject_auc",
    "linkage_auc",
];
/// Those that are shown class by class too, and as shares of what real segments score against real ones.
const OF_SAME: [&str; 3] = ["precision", "density", "coverage"];
/// Facts about the real data: no run can be better by them.
pub(super) const REAL_ALONE: &str = "trtr_";

/// A measure of a class with each run's value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct MeasureRow {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) unit: String,
    pub(super) family: Family,
    pub(super) better: Better,
    pub(super) definition: String,
    /// Whether it is among the main ones, which the tables show.
    pub(super) main: bool,
    pub(super) values: Vec<Option<Scored>>,
}

/// What a run scored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Scored {
    pub(super) value: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) same: Option<f64>,
    pub(super) held_out: Option<f64>,
    /// The value over `same`, where that means something.
    pub(super) of_same: Option<f64>,
    /// How it stands among the runs.
    pub(super) standing: Option<Standing>,
}

/// How a value stands among those of the other runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// The best, its interval apart from all others.
    Best,
    /// The best, or one whose interval touches the best one's.
    Leading,
    /// The best value, without intervals to tell it from the others.
    BestWithoutInterval,
}

/// A row for each measure and class that any run has, the main ones first.
pub(super) fn rows(runs: &[Run]) -> Vec<MeasureRow> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for measure in runs.iter().flat_map(|run| &run.scores.measures) {
        if !found.contains(&(measure.name.as_str(), measure.class.as_str())) {
            found.push((&measure.name, &measure.class));
        }
    }
    // A stable sort: within a rank as the scores have them.
    found.sort_by_key(|(name, class)| rank(name, class));
    found.into_iter().filter_map(|(name, class)| row(runs, name, class)).collect()
}

/// Place among the rows: main measures of all classes, then main ones class by class, then the others.
fn rank(name: &str, class: &str) -> (usize, usize) {
    let place = MAIN.iter().position(|main| main.strip_suffix('*').map_or(name == *main, |start| name.starts_with(start)));
    match place {
        Some(place) if class == "all" => (0, place),
        Some(place) if OF_SAME.contains(&name) => (1, place),
        _ => (2, 0),
    }
}

fn row(runs: &[Run], name: &str, class: &str) -> Option<MeasureRow> {
    let of_runs: Vec<Option<&Measure>> = runs.iter().map(|run| run.scores.measure(name, class)).collect();
    let first = of_runs.iter().flatten().next()?;
    let standings = if name.starts_with(REAL_ALONE) { vec![None; runs.len()] } else { standings(&of_runs, first.better) };
    let value = |(measure, standing): (Option<&Measure>, Option<Standing>)| {
        let m = measure?;
        let of_same = m.value.zip(m.same).filter(|(_, same)| *same > 0.0 && OF_SAME.contains(&name)).map(|(v, same)| v / same);
        Some(Scored { value: m.value, low: m.low, high: m.high, same: m.same, held_out: m.held_out, of_same, standing })
    };
    Some(MeasureRow {
        name: name.into(),
        class: class.into(),
        unit: first.unit.clone(),
        family: first.family,
        better: first.better,
        definition: first.definition.clone(),
        main: rank(name, class).0 < 2,
        values: of_runs.iter().copied().zip(standings).map(value).collect(),
    })
}

/// How far a value is from the best there can be; smaller is better. None where there is no value, or no `same` to be near.
fn loss(measure: &Measure, better: Better) -> Option<f64> {
    let value = measure.value.filter(|v| v.is_finite())?;
    match better {
        Better::Higher => Some(-value),
        Better::Lower => Some(value),
        Better::NearSame => measure.same.map(|same| (value - same).abs()),
    }
}

fn interval(measure: &Measure) -> Option<(f64, f64)> {
    measure.low.zip(measure.high).filter(|(low, high)| low.is_finite() && high.is_finite())
}

fn standings(of_runs: &[Option<&Measure>], better: Better) -> Vec<Option<Standing>> {
    let nothing = vec![None; of_runs.len()];
    let losses: Vec<Option<f64>> = of_runs.iter().map(|m| m.and_then(|m| loss(m, better))).collect();
    let known = || losses.iter().enumerate().filter_map(|(run, loss)| Some((run, (*loss)?)));
    let Some((best, lowest)) = known().min_by(|a, b| a.1.total_cmp(&b.1)) else { return nothing };
    if known().count() < 2 || known().all(|(_, loss)| loss == lowest) {
        return nothing;
    }
    let of = |run: usize| of_runs.get(run).copied().flatten().and_then(interval);
    let Some((low, high)) = of(best) else {
        // Without an interval on the best value nothing tells it from chance.
        return losses.iter().map(|loss| (*loss == Some(lowest)).then_some(Standing::BestWithoutInterval)).collect();
    };
    let touches = |run: usize| of(run).is_none_or(|(l, h)| l <= high && low <= h);
    let together: Vec<usize> = known().map(|(run, _)| run).filter(|run| touches(*run)).collect();
    let standing = if together.len() == 1 { Standing::Best } else { Standing::Leading };
    (0..of_runs.len()).map(|run| together.contains(&run).then_some(standing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(value: f64, interval: Option<(f64, f64)>, better: Better) -> Measure {
        Measure {
            name: "m".into(),
            unit: String::new(),
            family: Family::Fidelity,
            class: "all".into(),
            value: Some(value),
            low: interval.map(|i| i.0),
            high: interval.map(|i| i.1),
            segments: 10,
            subjects: 5,
            same: Some(0.9),
            held_out: None,
            baselines: std::collections::BTreeMap::new(),
            better,
            definition: String::new(),
        }
    }

    fn standing(values: &[(f64, Option<(f64, f64)>)], better: Better) -> Vec<Option<Standing>> {
        let measures: Vec<Measure> = values.iter().map(|(value, interval)| measure(*value, *interval, better)).collect();
        standings(&measures.iter().map(Some).collect::<Vec<_>>(), better)
    }

    #[test]
    fn a_best_run_is_called_only_where_no_interval_touches_its_own() {
        let apart = [(0.8, Some((0.75, 0.85))), (0.6, Some((0.5, 0.7)))];
        assert_eq!(standing(&apart, Better::Higher), [Some(Standing::Best), None]);
        assert_eq!(standing(&apart, Better::Lower), [None, Some(Standing::Best)]);
        let touching = [(0.8, Some((0.7, 0.85))), (0.6, Some((0.5, 0.7))), (0.2, Some((0.1, 0.3)))];
        assert_eq!(standing(&touching, Better::Higher), [Some(Standing::Leading), Some(Standing::Leading), None]);
    }

    #[test]
    fn near_same_is_best_near_same_and_not_beyond_it() {
        let values = [(1.2, Some((1.1, 1.3))), (0.85, Some((0.8, 0.88)))];
        assert_eq!(standing(&values, Better::NearSame), [None, Some(Standing::Best)]);
    }

    #[test]
    fn without_intervals_the_best_value_is_marked_as_such() {
        let values = [(0.8, None), (0.6, None)];
        assert_eq!(standing(&values, Better::Higher), [Some(Standing::BestWithoutInterval), None]);
        let one = [(0.8, Some((0.7, 0.9))), (0.6, None)];
        assert_eq!(
            standing(&one, Better::Higher),
            [Some(Standing::Leading), Some(Standing::Leading)],
            "the other may be anywhere"
        );
    }

    #[test]
    fn equal_values_and_lone_ones_have_no_best() {
        assert_eq!(standing(&[(0.0, Some((0.0, 0.0))), (0.0, Some((0.0, 0.0)))], Better::Lower), [None, None]);
        assert_eq!(standing(&[(0.0, None)], Better::Lower), [None]);
        assert_eq!(standings(&[None, None], Better::Lower), [None, None]);
    }

    #[test]
    fn main_measures_come_first() {
        let mut names = [("zz", "all"), ("tstr_macro_f1_forest", "all"), ("precision", "N"), ("precision", "all")];
        names.sort_by_key(|(name, class)| rank(name, class));
        assert_eq!(
            names.map(|(name, class)| format!("{name} {class}")),
            ["precision all", "tstr_macro_f1_forest all", "precision N", "zz all"]
        );
    }
}

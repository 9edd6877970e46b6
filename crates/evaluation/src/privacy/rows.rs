//! The attacks' rows in the table, and their curves.

use std::collections::{BTreeMap, BTreeSet};

use super::linkage::{HELD_OUT, Linked, Tied};
use super::membership::{Attacked, COPY, LEVELS, Level, OTHER, SAME, SYNTHETIC, ranks, scored};
use super::roc::{Person, Ranking, Success};
use super::{ATTACKS, Row, median};
use crate::EvaluationConfig;
use crate::exhibits::Curve;
use crate::scores::{Better, Measure};
use physiosynth_signal::Seed;

/// Points of a curve at most.
const POINTS: usize = 150;

const NULL: &str = "Intervals resample subjects. References: `same`, real segments of training subjects who are not asked about in the \
     place of synthetic ones (0.5 unless the split itself favours a side); `training_copy`, the training segments asked about; \
     `other_segments_of_training_subjects`, which a perfect sampler of each person would publish. Members are compared with other \
     people, since held-back segments of the same people do not exist.";

/// Settings that rows are worked out with.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a> {
    pub config: &'a EvaluationConfig,
    pub seed: Seed,
}

/// Rows and curves of the attacks on membership, of one class or of all: with every level, rates and p-values only of all.
pub(crate) fn membership(classes: &[&Attacked], class: &str, settings: Settings) -> (Vec<Measure>, Vec<Curve>) {
    let whole = class == "all";
    let (mut measures, mut curves) = (Vec::new(), Vec::new());
    for (a, attack) in ATTACKS.iter().enumerate() {
        for level in LEVELS.into_iter().filter(|&level| whole || level != Level::SubjectTop) {
            let ranking = |set: &str| scored(classes, set, a).map(|people| Ranking::new(&level.of(&people)));
            let name = format!("membership_{}_{}", attack.name, level.name());
            let Some(of_synthetic) = ranking(SYNTHETIC) else { continue };
            let others: BTreeMap<&str, Success> =
                names(classes).into_iter().filter_map(|set| Some((set, ranking(set)?.success()?))).collect();
            let base = row(classes);
            let about = format!("{} {}", attack.definition, level.definition());
            measures.extend(rates(&name, class, &of_synthetic, &others, &base, &about, whole.then_some(level), settings));
            if whole && level != Level::SubjectTop {
                for set in [SYNTHETIC, SAME, COPY, OTHER] {
                    let Some((x, y)) = ranking(set).map(|r| r.curve(POINTS)) else { continue };
                    curves.push(Curve {
                        name: name.clone(),
                        class: class.into(),
                        set: set.into(),
                        x_label: "false-positive rate".into(),
                        y_label: "true-positive rate".into(),
                        x,
                        y,
                    });
                }
            }
        }
    }
    (measures, curves)
}

#[expect(clippy::too_many_arguments, reason = "one row's parts")]
fn rates(
    name: &str,
    class: &str,
    ranking: &Ranking,
    others: &BTreeMap<&str, Success>,
    base: &Row,
    about: &str,
    whole: Option<Level>,
    settings: Settings,
) -> Vec<Measure> {
    let Settings { config, seed } = settings;
    let purpose = |what: &str| format!("evaluation/privacy/{what}/{name}/{class}");
    let success = ranking.success();
    let [auc, tpr] = ranking
        .intervals(config.bootstrap_rounds, seed, &purpose("bootstrap"))
        .map_or([None; 2], |[auc, tpr]| [Some(auc), Some(tpr)]);
    let filled = |get: fn(&Success) -> f64, interval| Row {
        value: success.as_ref().map(get),
        interval,
        same: others.get(SAME).map(get),
        baselines: others.iter().filter(|(set, _)| **set != SAME).map(|(set, s)| ((*set).to_string(), get(s))).collect(),
        ..base.clone()
    };
    let area = format!(
        "Area under the ROC curve, 0 to 1, by chance 0.5: the probability that a member scores above another. {about} {NULL}"
    );
    let mut measures = vec![filled(|s| s.auc, auc).measure(&format!("{name}_auc"), "", class, Better::Lower, area)];
    let Some(level) = whole else { return measures };
    let Some(p) = ranking.p_values(seed, &purpose("permutation")) else { return measures };
    let chance = |of: &str| {
        format!(
            "p-value of {of}: share of permutations of who was trained on, whole subjects at a time, that do at least as well; small \
             is evidence of an attack's success. {about}"
        )
    };
    let p_row = |value| Row { value: Some(value), ..base.clone() };
    measures.push(p_row(p[0]).measure(&format!("{name}_p"), "", class, Better::Higher, chance("the area under the curve")));
    if level != Level::SubjectTop {
        let rate = ranking.lowest_rate();
        let definition = format!(
            "True-positive rate at a false-positive rate of {rate:.4}, the lowest that this many cases resolve (one of the others, and \
             not below 1%); of chance as much. {about} {NULL}"
        );
        measures.push(filled(|s| s.tpr, tpr).measure(&format!("{name}_tpr"), "", class, Better::Lower, definition));
        measures.push(p_row(p[1]).measure(&format!("{name}_tpr_p"), "", class, Better::Higher, chance("the true-positive rate")));
    }
    measures
}

/// The published sets other than the synthetic one.
fn names(classes: &[&Attacked]) -> BTreeSet<&'static str> {
    classes.iter().flat_map(|c| c.sets.keys().copied()).filter(|&set| set != SYNTHETIC).collect()
}

fn row(classes: &[&Attacked]) -> Row {
    let subjects: BTreeSet<&String> = classes.iter().flat_map(|c| &c.people.names).collect();
    Row { segments: classes.iter().map(|c| c.synthetic).sum(), subjects: subjects.len(), ..Row::default() }
}

const TIES: &str = "A patient is as far from a training subject as the median of the patient's segments from that subject's nearest \
     segment of the class; the ratio is the nearest subject's distance over the second nearest's, 0 to 1, small where a patient looks \
     like one person only. References: `same`, training subjects tied to one another; `held_out`, people not trained on; \
     `other_segments_of_training_subjects`, people tied to their own other segments.";

/// Rows of the linkage of patients to training subjects, of one class or of all.
pub(crate) fn linkage(classes: &[&Linked], class: &str, base: &Row, settings: Settings) -> Vec<Measure> {
    let Settings { config, seed } = settings;
    let ratio = |set: &str| median(classes.iter().flat_map(|c| c.sets.get(set).into_iter().flatten()).map(|t| t.ratio));
    let ratios = Row {
        value: ratio(SYNTHETIC),
        same: ratio(SAME),
        held_out: ratio(HELD_OUT),
        baselines: [COPY, OTHER].into_iter().filter_map(|set| Some((set.to_string(), ratio(set)?))).collect(),
        ..base.clone()
    };
    let definition = format!("Median ratio by which patients are tied to one training subject. {TIES}");
    let mut measures = vec![ratios.measure("linkage_ratio", "", class, Better::NearSame, definition)];
    let ranking = |set: &str| Some(Ranking::new(&against_held_out(classes, set)?));
    let Some(of_synthetic) = ranking(SYNTHETIC).filter(|r| r.success().is_some()) else { return measures };
    let auc = |set: &str| Some(ranking(set)?.success()?.auc);
    let purpose = |what: &str| format!("evaluation/privacy/{what}/linkage/{class}");
    let areas = Row {
        value: auc(SYNTHETIC),
        interval: of_synthetic.intervals(config.bootstrap_rounds, seed, &purpose("bootstrap")).map(|i| i[0]),
        same: auc(SAME),
        baselines: [COPY, OTHER].into_iter().filter_map(|set| Some((set.to_string(), auc(set)?))).collect(),
        ..base.clone()
    };
    let definition = format!(
        "Probability that a synthetic patient is tied more closely to one training subject than a held-out person is, 0 to 1; 0.5 of \
         fresh people. {TIES}"
    );
    measures.push(areas.measure("linkage_auc", "", class, Better::Lower, definition));
    if class == "all"
        && let Some(p) = of_synthetic.p_values(seed, &purpose("permutation"))
    {
        let definition =
            "p-value of linkage_auc: share of permutations of patients and held-out people that do at least as well; small \
                          is evidence that patients can be tied to training subjects."
                .to_string();
        measures.push(Row { value: Some(p[0]), ..base.clone() }.measure("linkage_p", "", class, Better::Higher, definition));
    }
    measures.extend(sources(classes, class, base));
    measures
}

/// The share of patients whose nearest training subject is the one they were derived from, and of how many this is known.
fn sources(classes: &[&Linked], class: &str, base: &Row) -> Vec<Measure> {
    let patients: Vec<(&Tied, usize)> = classes
        .iter()
        .flat_map(|c| c.sets.get(SYNTHETIC).into_iter().flatten().map(|t| (t, c.trained)))
        .filter(|(t, _)| t.source.is_some())
        .collect();
    if patients.is_empty() {
        return Vec::new();
    }
    let n = patients.len() as f64;
    let found = patients.iter().filter(|(t, _)| t.source.as_deref() == Some(&t.nearest)).count() as f64 / n;
    let chance = patients.iter().map(|(_, trained)| 1.0 / *trained as f64).sum::<f64>() / n;
    let row = Row { value: Some(found), baselines: BTreeMap::from([("chance".into(), chance)]), ..base.clone() };
    let definition =
        "Share of synthetic patients whose nearest training subject is the one they were derived from, 0 to 1; by chance \
                      one over the number of training subjects. Known only where segments say what they were derived from."
            .to_string();
    let count = "Patients, each class counted by itself, whose source is known: what linkage_source_share rests on.".to_string();
    vec![
        row.measure("linkage_source_share", "", class, Better::Lower, definition),
        Row { value: Some(n), ..base.clone() }.measure("linkage_source_patients", "", class, Better::Higher, count),
    ]
}

/// The people of `set` as members against the held-out people, by the closeness of their tie: within each class a rank, each person's
/// the mean over classes. None where a class has too few patients for any to be ranked.
fn against_held_out(classes: &[&Linked], set: &str) -> Option<Vec<Person>> {
    let mut of_name: BTreeMap<(bool, &str), Person> = BTreeMap::new();
    for class in classes {
        let (members, others) = (class.sets.get(set)?, class.sets.get(HELD_OUT)?);
        if members.is_empty() || others.is_empty() {
            continue;
        }
        let all: Vec<(bool, &Tied)> = members.iter().map(|t| (true, t)).chain(others.iter().map(|t| (false, t))).collect();
        let ranks = ranks(&all.iter().map(|(_, t)| Some(-t.ratio)).collect::<Vec<_>>());
        for ((member, tied), rank) in all.into_iter().zip(ranks) {
            let person = of_name.entry((member, &tied.name)).or_insert_with(|| Person { member, scores: Vec::new() });
            person.scores.extend(rank);
        }
    }
    Some(Level::Subject.of(&of_name.into_values().collect::<Vec<_>>()))
}

//! Fidelity and diversity: every measure of `measures/`, of each class and of all together, for the synthetic segments, the two
//! references and every baseline.

use std::collections::BTreeMap;

use physiosynth_signal::Cancelled;
use rayon::prelude::*;

use super::{Assessment, Context, Findings};
use crate::cases::Case;
use crate::comparison::Comparison;
use crate::intervals::{interval, mean};
use crate::measures::pairwise::{PAIRWISE, Pair, Pairwise};
use crate::measures::segments::{BY_SEGMENT, Over};
use crate::measures::sets::OF_SETS;
use crate::measures::{About, Unit};
use crate::scores::Measure;

pub(super) const ASSESSMENT: Assessment = Assessment { run };

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    context.progress.begin("evaluate", context.cases.len() as u64 + 1, "classes");
    for case in context.cases {
        findings.notes.push(format!(
            "class {}: {} segments a side; reference of {} subjects, held-out of {} segments from {} subjects",
            case.class,
            case.reference.len(),
            case.reference.subject_count(),
            case.held_out.len(),
            case.held_out.subject_count()
        ));
        let judged = Judged { case };
        let row = judged.comparisons(context);
        findings.measures.extend(judged.pairwise(&row, context));
        findings.measures.extend(judged.sets(&row, context));
        step(context)?;
    }
    let pairwise = averages(&findings.measures);
    findings.measures.extend(pairwise);
    if let [_] = context.cases {
        let alone = findings.measures.iter().filter(|m| m.class != "all" && is_of_sets(&m.name)).cloned();
        let all: Vec<Measure> = alone.map(|m| Measure { class: "all".into(), ..m }).collect();
        findings.measures.extend(all);
    } else if !context.cases.is_empty() {
        let union = Case::union(context.cases);
        let judged = Judged { case: &union };
        findings.measures.extend(judged.sets(&judged.comparisons(context), context));
    }
    step(context)?;
    context.progress.end();
    Ok(findings)
}

fn step(context: &Context) -> Result<(), Cancelled> {
    context.progress.advance(1);
    if context.progress.cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// A case under judgement.
struct Judged<'a> {
    case: &'a Case,
}

/// One value for each set that stands in a row.
struct Row<T> {
    synthetic: T,
    same: T,
    held_out: T,
    baselines: Vec<(&'static str, T)>,
}

impl<'a> Judged<'a> {
    fn comparisons(&self, context: &Context) -> Row<Comparison<'a>> {
        let synthetic = Comparison::new(&self.case.reference, &self.case.synthetic, context.shape, context.seed);
        Row {
            same: synthetic.beside(&self.case.same),
            held_out: synthetic.beside(&self.case.held_out),
            baselines: self.case.baselines.iter().map(|(name, pool)| (*name, synthetic.beside(pool))).collect(),
            synthetic,
        }
    }

    /// Each pairwise measure on nearest neighbours and on class means.
    fn pairwise(&self, row: &Row<Comparison>, context: &Context) -> Vec<Measure> {
        let class_mean = self.case.reference.mean();
        let mut measures = Vec::with_capacity(2 * PAIRWISE.len());
        for measure in &PAIRWISE {
            let values = row.map(|sets| on_nearest(measure, sets));
            let about = "Mean over segments, each against its nearest real training segment (Euclidean).";
            let mut m = self.fill(&measure.about, context, &values.map(|values| mean(values.iter().copied().flatten())));
            m.name = format!("{}_nearest", measure.about.name);
            m.definition = format!("{} {about}", measure.about.definition);
            (m.low, m.high) = self.interval(&values.synthetic, Over::Candidates, context, &m.name).unzip();
            measures.push(m);
        }
        for measure in &PAIRWISE {
            let values = row.map(|sets| {
                (!sets.candidate.is_empty())
                    .then(|| (measure.compute)(&class_mean, &sets.candidate.mean(), context.shape))
                    .flatten()
            });
            let about = "Of the mean segment of the class against the mean real training segment.";
            let mut m = self.fill(&measure.about, context, &values);
            m.name = format!("{}_class_mean", measure.about.name);
            m.definition = format!("{} {about}", measure.about.definition);
            measures.push(m);
        }
        measures
    }

    /// Each measure of segments among a set, and of sets.
    fn sets(&self, row: &Row<Comparison>, context: &Context) -> Vec<Measure> {
        let by_segment = BY_SEGMENT.iter().map(|measure| {
            let values = row.map(|sets| (measure.compute)(sets));
            let mut m = self.fill(&measure.about, context, &values.map(|values| mean(values.iter().copied().flatten())));
            (m.low, m.high) = self.interval(&values.synthetic, measure.over, context, &m.name).unzip();
            m
        });
        let of_sets = OF_SETS.iter().map(|measure| self.fill(&measure.about, context, &row.map(|sets| (measure.compute)(sets))));
        by_segment.chain(of_sets).collect()
    }

    fn interval(&self, values: &[Option<f64>], over: Over, context: &Context, name: &str) -> Option<(f64, f64)> {
        let purpose = format!("evaluation/bootstrap/{name}/{}", self.case.class);
        let pool = if over == Over::Reference { &self.case.reference } else { &self.case.synthetic };
        interval(values, &pool.subjects, context.config, context.seed, &purpose)
    }

    fn fill(&self, about: &About, context: &Context, row: &Row<Option<f64>>) -> Measure {
        Measure {
            name: about.name.into(),
            unit: match about.unit {
                Unit::None => String::new(),
                Unit::Percent => "%".into(),
                Unit::Physical => context.physical.into(),
                Unit::Named(unit) => unit.into(),
            },
            family: about.family,
            class: self.case.class.clone(),
            value: row.synthetic,
            low: None,
            high: None,
            segments: self.case.synthetic.len(),
            subjects: self.case.reference.subject_count(),
            same: row.same,
            held_out: row.held_out,
            baselines: row.baselines.iter().filter_map(|(name, value)| Some(((*name).to_string(), (*value)?))).collect(),
            better: about.better,
            definition: about.definition.into(),
        }
    }
}

impl<T> Row<T> {
    fn map<R>(&self, of: impl Fn(&T) -> R) -> Row<R> {
        Row {
            synthetic: of(&self.synthetic),
            same: of(&self.same),
            held_out: of(&self.held_out),
            baselines: self.baselines.iter().map(|(name, value)| (*name, of(value))).collect(),
        }
    }
}

/// One value of `measure` per candidate segment against its nearest reference segment.
fn on_nearest(measure: &Pairwise, sets: &Comparison) -> Vec<Option<f64>> {
    let nearest = sets.nearest();
    let pair = |i: usize| (sets.reference.segment(nearest[i].index), sets.candidate.segment(i));
    let indices: Vec<usize> = (0..sets.candidate.len()).collect();
    let of = |chunk: &[usize]| -> Vec<Option<f64>> {
        let pairs: Vec<Pair> = chunk.iter().map(|&i| pair(i)).collect();
        match measure.many {
            Some(many) => many(&pairs, sets.shape),
            None => pairs.iter().map(|(real, other)| (measure.compute)(real, other, sets.shape)).collect(),
        }
    };
    // Chunks that many pairs at once fit into.
    indices.par_chunks(64).flat_map_iter(of).collect()
}

/// Whether the measure of the union is worked out on the union, not as a mean over classes.
fn is_of_sets(name: &str) -> bool {
    OF_SETS.iter().any(|of| of.about.name == name) || BY_SEGMENT.iter().any(|by| by.about.name == name)
}

/// For each measure the plain mean over classes, under the class name `all`.
fn averages(measures: &[Measure]) -> Vec<Measure> {
    let mut names: Vec<&str> = Vec::new();
    for m in measures {
        if !names.contains(&m.name.as_str()) && !is_of_sets(&m.name) {
            names.push(&m.name);
        }
    }
    names.into_iter().filter_map(|name| average(&measures.iter().filter(|m| m.name == name).collect::<Vec<_>>())).collect()
}

fn average(rows: &[&Measure]) -> Option<Measure> {
    let first = rows.first()?;
    // A mean over classes only where every class has the value: otherwise the columns would speak of different classes.
    let over = |get: &dyn Fn(&Measure) -> Option<f64>| {
        let all: Option<Vec<f64>> = rows.iter().map(|m| get(m)).collect();
        mean(all?.into_iter())
    };
    let baselines: BTreeMap<String, f64> =
        first.baselines.keys().filter_map(|name| Some((name.clone(), over(&|m| m.baselines.get(name).copied())?))).collect();
    Some(Measure {
        class: "all".into(),
        value: over(&|m| m.value),
        low: None,
        high: None,
        segments: rows.iter().map(|m| m.segments).sum(),
        subjects: rows.iter().map(|m| m.subjects).max()?,
        same: over(&|m| m.same),
        held_out: over(&|m| m.held_out),
        baselines,
        definition: format!("{} Plain mean over classes.", first.definition),
        ..(*first).clone()
    })
}

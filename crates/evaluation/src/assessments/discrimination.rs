//! Discriminators: can a classifier tell real from synthetic? And how far apart are the two in a classifier's eyes?

mod context_fid;
mod networks;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use physiosynth_signal::{Cancelled, Seed};
use rand::seq::SliceRandom;

use super::{Assessment, Context, Findings};
use crate::cases::Case;
use crate::intervals::{mean, of_repeats};
use crate::judges::{Classifier, Examples, Forest, accuracy, area_under_curve, plain};
use crate::pool::Pool;
use crate::scores::{Better, Family, Measure};

pub(super) const ASSESSMENT: Assessment = Assessment { run };

/// Parts that the segments are cut into; each is tested by what learnt on the others.
const FOLDS: usize = 5;
/// Segments of a side that discriminators see at most.
const SEGMENTS_AT_MOST: usize = 1000;

const AREA: &str = "Area under the ROC curve of a classifier that tells real reference segments from the others, on segments it has \
                    not learnt from: of other subjects where both sides have the same subjects, of any elsewhere, so that held-out \
                    people are told apart by who they are. 0.5 is not to be told apart, 1 always told apart; \
                    below 0.5 is chance, or copies. Mean over five folds, with its interval over them. Physical units, so that scale \
                    counts; a discriminator that sees nothing may be too weak.";
const SCORE: &str = "TimeGAN's discriminative score (Yoon et al. 2019): |accuracy − 0.5| of the same classifier on the same folds, 0 \
                     to 0.5, lower is better. Chance alone lifts it above 0, the more the fewer segments there are, so that it is to \
                     be read against `same`; the area under the curve has no such bias.";

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    if context.cases.is_empty() {
        return Ok(findings);
    }
    let all = Case::union(context.cases);
    context.progress.begin("discriminators", context.cases.len() as u64 + 1, "classes");
    let forest = Forest::new(context.config.forest_trees.div_ceil(2));
    for case in context.cases.iter().chain([&all]) {
        findings.measures.extend(judged(case, context, &forest));
        context.progress.advance(1);
        if context.progress.cancelled() {
            return Err(Cancelled);
        }
    }
    context.progress.end();
    if context.config.network_steps == 0 {
        findings.notes.push("networks judge nothing: evaluation.network_steps is 0".into());
        return Ok(findings);
    }
    findings.measures.extend(networks::measures(context.cases, &all, context)?);
    match context_fid::measures(context.cases, &all, context) {
        Ok(measures) => findings.measures.extend(measures),
        Err(why) => findings.notes.push(why),
    }
    Ok(findings)
}

fn judged(case: &Case, context: &Context, judge: &dyn Classifier) -> [Measure; 2] {
    let of = |pool: &Pool, which: &str| {
        let purpose = format!("discriminator/{}/{}/{which}", judge.name(), case.class);
        told_apart(&case.reference, pool, context.shape.channels, judge, context.seed, &purpose)
    };
    let (synthetic, same, held_out) = (of(&case.synthetic, "synthetic"), of(&case.same, "same"), of(&case.held_out, "held_out"));
    let baselines: Vec<(&str, Vec<Told>)> = case.baselines.iter().map(|(name, pool)| (*name, of(pool, name))).collect();
    let measure = |name: &str, better, definition: &str, value: &dyn Fn(&[Told]) -> Option<f64>| Measure {
        name: format!("{name}_{}", judge.name()),
        unit: String::new(),
        family: Family::Fidelity,
        class: case.class.clone(),
        value: value(&synthetic),
        low: None,
        high: None,
        segments: case.synthetic.len().min(SEGMENTS_AT_MOST),
        subjects: case.reference.subject_count(),
        same: value(&same),
        held_out: value(&held_out),
        baselines: baselines.iter().filter_map(|(name, told)| Some(((*name).to_string(), value(told)?))).collect(),
        better,
        definition: definition.into(),
    };
    let mut area = measure("discriminator_auc", Better::NearSame, AREA, &|told| mean(told.iter().map(|t| t.area)));
    let interval = of_repeats(&synthetic.iter().map(|t| t.area).collect::<Vec<_>>());
    (area.low, area.high) = interval.map(|(low, high)| (low.max(0.0), high.min(1.0))).unzip();
    let score = |told: &[Told]| Some((mean(told.iter().map(|t| t.accuracy))? - 0.5).abs());
    [area, measure("discriminative_score", Better::Lower, SCORE, &score)]
}

/// How well one fold was told apart.
struct Told {
    area: f64,
    accuracy: f64,
}

/// Trains `judge` to tell `candidate` from `reference`, equally many of each, fold by fold. Empty where there are too few.
fn told_apart(
    reference: &Pool,
    candidate: &Pool,
    channels: usize,
    judge: &dyn Classifier,
    seed: Seed,
    purpose: &str,
) -> Vec<Told> {
    let n = reference.len().min(candidate.len()).min(SEGMENTS_AT_MOST);
    if n < 2 * FOLDS {
        return Vec::new();
    }
    let some = |pool: &Pool, side: u64| {
        let mut indices: Vec<usize> = (0..pool.len()).collect();
        indices.shuffle(&mut seed.stream(&format!("evaluation/{purpose}/some"), side));
        indices.truncate(n);
        pool.select(&indices)
    };
    let (reference, candidate) = (some(reference, 0), some(candidate, 1));
    let folds = folds(&reference, &candidate, FOLDS, seed, purpose);
    let mut examples = plain(&reference, channels, false);
    examples.append(&plain(&candidate, channels, false));
    let synthetic: Vec<bool> = (0..2 * n).map(|i| i >= n).collect();
    (0..FOLDS).filter_map(|fold| tell(&examples, &synthetic, &folds, fold, judge, seed, purpose)).collect()
}

/// Learns on the other folds, tests on one. None where either side is missing from either part.
fn tell(
    examples: &Examples,
    synthetic: &[bool],
    folds: &[usize],
    fold: usize,
    judge: &dyn Classifier,
    seed: Seed,
    purpose: &str,
) -> Option<Told> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..folds.len()).partition(|&i| folds[i] == fold);
    let labels: Vec<usize> = train.iter().map(|&i| usize::from(synthetic[i])).collect();
    let learnt = labels.iter().sum::<usize>();
    if learnt == 0 || learnt == labels.len() {
        return None;
    }
    let fitted = judge.fit(&examples.select(&train), &labels, 2, seed, &format!("{purpose}/{fold}"));
    let scores: Vec<f32> = fitted.probabilities(&examples.select(&test)).rows().filter_map(|row| row.get(1).copied()).collect();
    let positive: Vec<bool> = test.iter().map(|&i| synthetic[i]).collect();
    Some(Told { area: area_under_curve(&scores, &positive)?, accuracy: accuracy(&scores, &positive)? })
}

/// The fold, of `count`, of each reference and then each candidate segment.
///
/// What belongs together shares a fold: the segments of a subject where at least as many subjects as there are folds have segments on
/// both sides, and equal segments in any case, so that nothing is recognised from training. Where the sides have different subjects,
/// folds by subject would mislead: what is learnt of some people is then turned upside down by the next. The largest groups are placed first, each where its own side
/// is fewest so far.
fn folds(reference: &Pool, candidate: &Pool, count: usize, seed: Seed, purpose: &str) -> Vec<usize> {
    let subjects = |pool: &Pool| pool.subjects.iter().cloned().collect::<BTreeSet<String>>();
    let by_subject = subjects(reference).intersection(&subjects(candidate)).count() >= count;
    let key = |pool: &Pool, i: usize| {
        if by_subject {
            return pool.subjects[i].clone();
        }
        let mut hasher = DefaultHasher::new();
        pool.segment(i).iter().for_each(|x| x.to_bits().hash(&mut hasher));
        format!("{:x}", hasher.finish())
    };
    let keys: Vec<(String, usize)> =
        [(reference, 0), (candidate, 1)].iter().flat_map(|(pool, side)| (0..pool.len()).map(|i| (key(pool, i), *side))).collect();
    let mut groups: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (key, side) in &keys {
        groups.entry(key).or_default()[*side] += 1;
    }
    let mut order: Vec<(&str, [usize; 2])> = groups.into_iter().collect();
    order.shuffle(&mut seed.stream(&format!("evaluation/{purpose}/folds"), 0));
    order.sort_by_key(|(_, counts)| std::cmp::Reverse(counts[0] + counts[1]));
    let mut filled = vec![[0_usize; 2]; count];
    let mut fold_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, counts) in order {
        let load = |fold: &[usize; 2]| fold[0] * counts[0] + fold[1] * counts[1];
        let fold = (0..count).min_by_key(|&fold| load(&filled[fold])).unwrap_or(0);
        filled[fold][0] += counts[0];
        filled[fold][1] += counts[1];
        fold_of.insert(key, fold);
    }
    keys.iter().map(|(key, _)| fold_of[key.as_str()]).collect()
}

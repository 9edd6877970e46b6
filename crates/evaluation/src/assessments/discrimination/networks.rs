//! Discriminators that are networks: one learns from all classes together, and what it makes of each class is read off its scores, since
//! a network for each class would cost as many trainings and have the less to learn from.

use std::collections::BTreeMap;

use physiosynth_signal::Cancelled;

use super::super::Context;
use super::{Told, folds};
use crate::cases::Case;
use crate::intervals::{mean, of_repeats};
use crate::judges::networks::side_by_side;
use crate::judges::{Classifier, Examples, Fitted, Network, accuracy, area_under_curve, plain};
use crate::pool::Pool;
use crate::scores::{Better, Family, Measure};

/// Parts that the segments are cut into; each is tested by what learnt on the others. Fewer than for the forest: each is a training.
const FOLDS: usize = 3;
/// Segments of a side that networks see at most, over all classes.
const SEGMENTS_AT_MOST: usize = 1200;
/// Fewest segments of a side in a fold for which an area is read off.
const FEWEST: usize = 3;

const AREA: &str = "Area under the ROC curve of a network that tells real reference segments from the others, on segments it has not \
                    learnt from: of other subjects where both sides have the same subjects, of any elsewhere. 0.5 is not to be told \
                    apart, 1 always. One network for each of three folds learns from all classes together (at most 1200 segments a \
                    side, classes in equal shares); a class's area is that of its own segments' scores. Mean over folds, with its \
                    interval over them. It sees curves in physical units and their steps from sample to sample. A network so small \
                    and so briefly taught may miss what a longer training would find.";
const SCORE: &str = "TimeGAN's discriminative score (Yoon et al. 2019): |accuracy − 0.5| of the same network on the same folds, 0 to \
                     0.5, lower is better. Chance alone lifts it above 0, the more the fewer segments there are, so that it is to be \
                     read against `same`; the area under the curve has no such bias.";

/// Both measures of each network, for `all` classes together and each of `cases`.
pub(super) fn measures(cases: &[Case], all: &Case, context: &Context) -> Result<Vec<Measure>, Cancelled> {
    let networks = Network::all(context.config.network_steps);
    let named = [("synthetic", &all.synthetic), ("same", &all.same), ("held_out", &all.held_out)];
    let complete = all.baselines.iter().filter(|(_, pool)| pool.len() == all.reference.len()).map(|(name, pool)| (*name, pool));
    let sets: Vec<Set> = named.into_iter().chain(complete).map(|(name, pool)| Set::new(name, cases, pool, context)).collect();
    let mut jobs = Vec::new();
    for network in networks {
        for set in &sets {
            jobs.extend((0..FOLDS).map(|fold| Job { network, set, fold }));
        }
    }
    context.progress.begin("discriminating networks", jobs.len() as u64, "trainings");
    let scored: Result<Vec<Vec<Scored>>, Cancelled> = side_by_side(&jobs, |job| job.run(context)).into_iter().collect();
    let mut of: BTreeMap<(&str, &str), Vec<Vec<Scored>>> = BTreeMap::new();
    for (job, scored) in jobs.iter().zip(scored?) {
        of.entry((job.network.name(), job.set.name)).or_default().push(scored);
    }
    context.progress.end();
    let mut measures = Vec::new();
    for network in &networks {
        for case in cases.iter().chain([all]) {
            measures.extend(rows(network, case, all, &of));
        }
    }
    Ok(measures)
}

/// Real reference segments and as many others of a set, class by class.
struct Set {
    name: &'static str,
    examples: Examples,
    classes: Vec<String>,
    synthetic: Vec<bool>,
    folds: Vec<usize>,
    purpose: String,
}

impl Set {
    fn new(name: &'static str, cases: &[Case], candidates: &Pool, context: &Context) -> Self {
        let purpose = format!("discriminator/networks/{name}");
        let (mut reference, mut candidate) = (Pool::default(), Pool::default());
        for case in cases {
            let others = candidates.of_class(&case.class);
            let n = case.reference.len().min(others.len()).min(SEGMENTS_AT_MOST / cases.len().max(1));
            // Both are in random order already.
            let first: Vec<usize> = (0..n).collect();
            reference.append(&case.reference.select(&first));
            candidate.append(&others.select(&first));
        }
        let n = reference.len();
        let folds = folds(&reference, &candidate, FOLDS, context.seed, &purpose);
        let mut examples = plain(&reference, context.shape.channels, true);
        examples.append(&plain(&candidate, context.shape.channels, true));
        let classes = reference.labels.iter().chain(&candidate.labels).cloned().collect();
        Self { name, examples, classes, synthetic: (0..2 * n).map(|i| i >= n).collect(), folds, purpose }
    }
}

/// One training.
struct Job<'a> {
    network: Network,
    set: &'a Set,
    fold: usize,
}

/// What a segment that was not learnt from was taken for.
struct Scored {
    class: String,
    score: f32,
    synthetic: bool,
}

impl Job<'_> {
    /// Learns on the other folds, scores the segments of this one. Nothing where a side is missing.
    fn run(&self, context: &Context) -> Result<Vec<Scored>, Cancelled> {
        if context.progress.cancelled() {
            return Err(Cancelled);
        }
        let set = self.set;
        let (test, train): (Vec<usize>, Vec<usize>) = (0..set.folds.len()).partition(|&i| set.folds[i] == self.fold);
        let labels: Vec<usize> = train.iter().map(|&i| usize::from(set.synthetic[i])).collect();
        let learnt = labels.iter().sum::<usize>();
        if test.is_empty() || learnt == 0 || learnt == labels.len() {
            return Ok(Vec::new());
        }
        let purpose = format!("{}/{}", set.purpose, self.fold);
        let net = self.network.learn(&set.examples.select(&train), &labels, 2, context.seed, &purpose);
        let probabilities = net.probabilities(&set.examples.select(&test));
        context.progress.advance(1);
        let scores = probabilities.rows().filter_map(|row| row.get(1).copied());
        let scored = |(&i, score): (&usize, f32)| Scored { class: set.classes[i].clone(), score, synthetic: set.synthetic[i] };
        Ok(test.iter().zip(scores).map(scored).collect())
    }
}

fn rows(network: &Network, case: &Case, all: &Case, of: &BTreeMap<(&str, &str), Vec<Vec<Scored>>>) -> [Measure; 2] {
    let told = |set: &str| -> Vec<Told> {
        let folds = of.get(&(network.name(), set)).into_iter().flatten();
        folds.filter_map(|scored| told(scored, (case.class != all.class).then_some(&case.class))).collect()
    };
    let sets: BTreeMap<&str, Vec<Told>> =
        of.keys().filter(|(name, _)| *name == network.name()).map(|(_, set)| (*set, told(set))).collect();
    let of_set = |set: &str| sets.get(set).map(Vec::as_slice).unwrap_or_default();
    let measure = |name: &str, better, definition: &str, value: &dyn Fn(&[Told]) -> Option<f64>| Measure {
        name: format!("{name}_{}", network.name()),
        unit: String::new(),
        family: Family::Fidelity,
        class: case.class.clone(),
        value: value(of_set("synthetic")),
        low: None,
        high: None,
        segments: case.synthetic.len().min(SEGMENTS_AT_MOST),
        subjects: case.reference.subject_count(),
        same: value(of_set("same")),
        held_out: value(of_set("held_out")),
        baselines: sets
            .iter()
            .filter(|(name, _)| !["synthetic", "same", "held_out"].contains(name))
            .filter_map(|(name, told)| Some(((*name).to_string(), value(told)?)))
            .collect(),
        better,
        definition: definition.into(),
    };
    let mut area = measure("discriminator_auc", Better::NearSame, AREA, &|told| mean(told.iter().map(|t| t.area)));
    let interval = of_repeats(&of_set("synthetic").iter().map(|t| t.area).collect::<Vec<_>>());
    (area.low, area.high) = interval.map(|(low, high)| (low.max(0.0), high.min(1.0))).unzip();
    let score = |told: &[Told]| Some((mean(told.iter().map(|t| t.accuracy))? - 0.5).abs());
    [area, measure("discriminative_score", Better::Lower, SCORE, &score)]
}

/// Area and accuracy over a fold's segments, of one class or of all. None where a side has too few.
fn told(scored: &[Scored], class: Option<&String>) -> Option<Told> {
    let of_class = || scored.iter().filter(|s| class.is_none_or(|class| s.class == *class));
    let scores: Vec<f32> = of_class().map(|s| s.score).collect();
    let synthetic: Vec<bool> = of_class().map(|s| s.synthetic).collect();
    let made = synthetic.iter().filter(|&&s| s).count();
    if made < FEWEST || synthetic.len() - made < FEWEST {
        return None;
    }
    Some(Told { area: area_under_curve(&scores, &synthetic)?, accuracy: accuracy(&scores, &synthetic)? })
}

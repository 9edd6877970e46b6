//! Utility: do classifiers trained on synthetic segments serve real, held-out subjects?
//!
//! A class is taught where it has 50 segments or more both among the real training and the held-out ones, three training and two
//! held-out subjects have five or more of them, and no subject has over four fifths: otherwise the class is a few people's shape.
//! Other classes' held-out segments stand in the confusion matrices, and count in no score.
//!
//! Real and synthetic training sets are of equal size, class by class: at most half of the real segments of a class, so that there
//! are as many others for the references. They are drawn and learnt from several times, by networks at most three times. Tests are on
//! all held-out segments, with classes as frequent as they are; networks see at most 100 of a subject's class, which count for all.

mod draws;
mod ground;
mod resampled;
mod rows;
mod tested;
mod trial;

use std::collections::BTreeSet;

use physiosynth_signal::{Cancelled, Split};

use super::{Assessment, Context, Findings};
use crate::exhibits::{ConfusionMatrix, Exhibits};
use crate::judges::networks::side_by_side;
use crate::judges::{Classifier, Confusion, Described, Forest, Network};
use crate::pool::Pool;
use draws::Draw;
use ground::Ground;
use trial::{Repeat, Trial, total};

/// Training draws that networks learn from at most: the fewest that give an interval.
const DRAWS_OF_NETWORKS: usize = 3;

pub(super) const ASSESSMENT: Assessment = Assessment { run };

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    if context.cases.is_empty() {
        return Ok(findings);
    }
    let ground = match Ground::new(context, &mut findings.notes) {
        Ok(ground) => ground,
        Err(why) => {
            findings.notes.push(why);
            return Ok(findings);
        }
    };
    let draws: Vec<Draw> = (0..context.config.utility_draws as u64).map(|draw| Draw::new(context, &ground, draw)).collect();
    if draws.iter().any(|draw| draw.synthetic.is_empty()) {
        findings.notes.push("utility is not assessable: there are no synthetic segments of the classes fit for it".into());
        return Ok(findings);
    }
    let described = described(context, &mut findings.notes);
    let forest = Forest::new(context.config.forest_trees);
    let networks = Network::all(context.config.network_steps);
    let mut trials = vec![Trial::new(context, &ground, &forest, "forest".into(), described)];
    if described.rr {
        let shape = Described { rr: false, ..described };
        trials.push(Trial::new(context, &ground, &forest, "forest_shape".into(), shape));
    }
    for network in networks.iter().filter(|network| network.steps > 0) {
        let curves = Described { curves: true, ..described };
        trials.push(Trial::new(context, &ground, network, network.name().into(), curves));
    }
    let made = draws.first().map(|draw| draw.baselines(context, &ground)).unwrap_or_default();
    let draws_of = |trial: &Trial| if trial.described.curves { draws.len().min(DRAWS_OF_NETWORKS) } else { draws.len() };
    let classifiers: usize = trials.iter().map(|trial| draws_of(trial) + made.len()).sum();
    context.progress.begin("utility", classifiers as u64, "classifiers");
    for trial in &trials {
        let draws = &draws[..draws_of(trial)];
        let judged = Judged::new(trial, draws, &made, trial.name != "forest_shape")?;
        findings.notes.push(judged.note(draws));
        findings.measures.extend(rows::measures(&judged));
        findings.exhibits.extend(judged.exhibits());
    }
    findings.notes.extend(without(&ground));
    context.progress.end();
    Ok(findings)
}

/// Whom the measures `…_without_largest_…` leave out.
fn without(ground: &Ground) -> Vec<String> {
    let then = match ground.without_largest() {
        Some(_) => "measures named without_largest leave them out",
        None => "without them too few would be left",
    };
    let note = |(class, subjects): (usize, BTreeSet<usize>)| {
        let names: Vec<&str> = subjects.into_iter().map(|subject| ground.name(subject)).collect();
        format!(
            "utility: over half of the held-out segments of class {} are of {} (each of what the larger ones leave), so that its scores \
             speak of few people and have no interval; {then}",
            ground.classes[class],
            names.join(", ")
        )
    };
    ground.dominant().into_iter().map(note).collect()
}

/// What can be told of both real and synthetic segments.
fn described(context: &Context, notes: &mut Vec<String>) -> Described {
    let known = |set: &physiosynth_signal::SegmentSet, split: &dyn Fn(Split) -> bool| {
        let of_split = || set.segments.iter().filter(|s| split(s.split));
        let known = of_split().filter(|s| s.rr_before_s.is_finite() && s.rr_after_s.is_finite()).count();
        2 * known > of_split().count()
    };
    let of_real = known(context.real, &|split| split != Split::Synthetic);
    let rr = of_real && known(context.synthetic, &|_| true);
    if of_real && !rr {
        notes.push(
            "utility: synthetic segments have no RR intervals, so that classifiers are told of curves alone, on both sides"
                .into(),
        );
    }
    let pools = context.cases.iter().flat_map(|case| [&case.reference, &case.synthetic]);
    let subjects = pools.clone().all(|pool| pool.subjects.iter().all(|subject| !subject.is_empty()))
        && pools.map(crate::Pool::subject_count).max().is_some_and(|most| most > 1)
        && context.cases.iter().any(|case| case.synthetic.subject_count() > 1);
    if !subjects {
        notes.push(
            "utility: synthetic segments name no subjects, so that curves are not taken relative to a subject's, on either side"
                .into(),
        );
    }
    Described { rr, subjects, curves: false }
}

/// A classifier with all that came of it.
struct Judged<'a> {
    trial: &'a Trial<'a>,
    repeats: Vec<Repeat>,
    /// Baselines in place of the synthetic segments, in the first repetition, on each held-out subject.
    baselines: Vec<(&'static str, Vec<Confusion>)>,
    /// Real training subjects and synthetic segments of a draw.
    subjects: usize,
    segments: usize,
}

/// One piece of the work for a judge.
enum Job<'a> {
    Draw(usize, &'a Draw),
    Baseline(&'static str, &'a Pool),
}

/// What came of it.
enum Done {
    Repeat(Repeat),
    Baseline(&'static str, Vec<Confusion>),
}

impl<'a> Judged<'a> {
    fn new(trial: &'a Trial, draws: &[Draw], baselines: &[(&'static str, Pool)], reverse: bool) -> Result<Self, Cancelled> {
        let of_draws = draws.iter().enumerate().map(|(number, draw)| Job::Draw(number, draw));
        let jobs: Vec<Job> = of_draws.chain(baselines.iter().map(|(name, pool)| Job::Baseline(name, pool))).collect();
        let work = |job: &Job| {
            let done = match job {
                Job::Draw(number, draw) => Done::Repeat(trial.repeat(draw, *number, reverse)?),
                Job::Baseline(name, pool) => Done::Baseline(name, trial.trained_on(pool, name)?),
            };
            trial.context.progress.advance(1);
            Ok::<_, Cancelled>(done)
        };
        // A forest uses all threads by itself.
        let done: Vec<_> = if trial.described.curves { side_by_side(&jobs, work) } else { jobs.iter().map(work).collect() };
        let (mut repeats, mut of_baselines) = (Vec::new(), Vec::new());
        for done in done {
            match done? {
                Done::Repeat(repeat) => repeats.push(repeat),
                Done::Baseline(name, confusion) => of_baselines.push((name, confusion)),
            }
        }
        let first = draws.first();
        let subjects = first.map_or(0, |draw| draw.reference.subject_count());
        let segments = first.map_or(0, |draw| draw.synthetic.len());
        Ok(Self { trial, repeats, baselines: of_baselines, subjects, segments })
    }

    fn note(&self, draws: &[Draw]) -> String {
        let ground = self.trial.ground;
        let sizes = |class: &String| draws.first().map_or(0, |draw| draw.reference.of_class(class).len());
        let taught: Vec<String> = ground.classes[..ground.taught].iter().map(|c| format!("{} of {c}", sizes(c))).collect();
        format!(
            "utility, {}: trained on {} segments, {} times anew; tested on {} held-out segments of {} subjects{}; told of curves{}{}",
            self.trial.name,
            taught.join(", "),
            draws.len(),
            ground.held_out.len(),
            ground.held_out.subject_count(),
            self.trial.tested.words(),
            if self.trial.described.subjects { " relative to the subject's" } else { "" },
            if self.trial.described.rr { " and of RR intervals before and after" } else { "" },
        )
    }

    fn exhibits(&self) -> Exhibits {
        let ground = self.trial.ground;
        let matrix = |trained_on: &str, tested_on: &str, all: Vec<Confusion>| {
            let share = 1.0 / all.len().max(1) as f64;
            let counts = total(&all).scaled(share).counts;
            ConfusionMatrix {
                judge: self.trial.name.clone(),
                trained_on: trained_on.into(),
                tested_on: tested_on.into(),
                actual: ground.classes[..counts.len()].to_vec(),
                predicted: ground.classes[..ground.taught].to_vec(),
                counts,
            }
        };
        let held_out = |of: &dyn Fn(&Repeat) -> Confusion| self.repeats.iter().map(of).collect();
        let mut confusions = vec![
            matrix("real", "real", held_out(&|r| total(&r.trtr))),
            matrix("synthetic", "real", held_out(&|r| total(&r.tstr))),
        ];
        let reverse: Vec<Confusion> = self.repeats.iter().filter_map(|r| Some(r.reverse.as_ref()?.trts.clone())).collect();
        if !reverse.is_empty() {
            confusions.push(matrix("real", "synthetic", reverse));
        }
        let attentions = self.repeats.first().map(|repeat| repeat.attentions.clone()).unwrap_or_default();
        Exhibits { confusions, attentions, ..Exhibits::default() }
    }
}

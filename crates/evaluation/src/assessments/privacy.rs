//! Privacy: attacks on the people whose segments were trained on, and screens. What each attack is, `crate::privacy` says.

use std::collections::BTreeMap;

use physiosynth_signal::{Cancelled, Split};
use rand::seq::SliceRandom;

use super::{Assessment, Context, Findings};
use crate::baselines::{Fitting, made};
use crate::cases::Case;
use crate::intervals::{interval, mean};
use crate::pool::Pool;
use crate::privacy::closest_record::{self, Closest, closest, threshold};
use crate::privacy::copies::{self, Copied};
use crate::privacy::linkage::{Linked, link, patients};
use crate::privacy::membership::{Attacked, attack};
use crate::privacy::nearness::Nearness;
use crate::privacy::people::{People, Sides};
use crate::privacy::rows::{self, Settings};
use crate::privacy::{Row, median};
use crate::scores::{Better, Measure};

pub(super) const ASSESSMENT: Assessment = Assessment { run };

/// Synthetic segments looked at at a time for copies, and published for attacks at most.
const BLOCK: usize = 8192;

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    if context.cases.is_empty() {
        return Ok(findings);
    }
    context.progress.begin("privacy", 2 * context.cases.len() as u64, "classes");
    screens(context, &mut findings)?;
    attacks(context, &mut findings)?;
    context.progress.end();
    Ok(findings)
}

fn step(context: &Context) -> Result<(), Cancelled> {
    context.progress.advance(1);
    if context.progress.cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// Values by segment of every set, one class after another.
#[derive(Default)]
struct Sets {
    of: BTreeMap<&'static str, Values>,
    /// Whom each synthetic segment of `near` is of.
    subjects: Vec<String>,
    synthetic: usize,
    people: usize,
}

#[derive(Default, Clone)]
struct Values {
    rms: Vec<f64>,
    ratio: Vec<Option<f64>>,
    closer: Vec<Option<f64>>,
    exact: Vec<Option<f64>>,
    near: Vec<Option<f64>>,
}

impl Values {
    fn of(closest: Closest, limit: Option<f64>) -> Self {
        let closer = closest.rms.iter().map(|&d| Some(f64::from(u8::from(d < limit?)))).collect();
        Self { rms: closest.rms, ratio: closest.ratio, closer, ..Self::default() }
    }

    fn copied(&mut self, copied: &[Copied]) {
        self.exact.extend(copied.iter().map(|c| Some(f64::from(u8::from(c.exact)))));
        self.near.extend(copied.iter().map(|c| Some(f64::from(u8::from(c.near)))));
    }

    fn append(&mut self, other: &Self) {
        self.rms.extend(&other.rms);
        self.ratio.extend(&other.ratio);
        self.closer.extend(&other.closer);
        self.exact.extend(&other.exact);
        self.near.extend(&other.near);
    }
}

/// Closest records and copies.
fn screens(context: &Context, findings: &mut Findings) -> Result<(), Cancelled> {
    let mut all = Sets::default();
    for case in context.cases {
        let sets = screen(case, context);
        findings.measures.extend(sets.measures(&case.class, context));
        for (name, values) in &sets.of {
            all.of.entry(name).or_default().append(values);
        }
        all.subjects.extend(sets.subjects);
        all.synthetic += sets.synthetic;
        all.people = all.people.max(sets.people);
        step(context)?;
    }
    // A set that a class lacks would speak of other classes than the rest.
    let n = all.of.get("synthetic").map_or(0, |v| v.rms.len());
    all.of.retain(|name, values| *name == "held_out" || values.rms.len() == n);
    if context.cases.iter().any(|case| case.held_out.is_empty()) {
        all.of.remove("held_out");
    }
    findings.measures.extend(all.measures("all", context));
    Ok(())
}

fn screen(case: &Case, context: &Context) -> Sets {
    let training = context.real.indices(|s| s.label == case.class && s.split == Split::Train);
    let of_held_out = closest(&case.held_out, &case.reference);
    let limit = threshold(&of_held_out.rms);
    let mut of = BTreeMap::new();
    if !case.held_out.is_empty() {
        let mut values = Values::of(of_held_out, limit);
        values.copied(&copies::find(&case.held_out, context.real, &training));
        of.insert("held_out", values);
    }
    for (name, pool) in &case.baselines {
        let mut values = Values::of(closest(pool, &case.reference), limit);
        values.copied(&copies::find(pool, context.real, &training));
        of.insert(name, values);
    }
    let mut same = Values::of(closest(&case.same, &case.reference), limit);
    let (drawn, rest) = lot(&training, case.same.len(), &case.class, context);
    same.copied(&copies::find(&Pool::new(context.real, &drawn), context.real, &rest));
    of.insert("same", same);
    let mut synthetic = Values::of(closest(&case.synthetic, &case.reference), limit);
    let indices = context.synthetic.indices(|s| s.label == case.class && s.split == Split::Synthetic);
    let mut subjects = Vec::with_capacity(indices.len());
    for block in indices.chunks(BLOCK) {
        let pool = Pool::new(context.synthetic, block);
        synthetic.copied(&copies::find(&pool, context.real, &training));
        subjects.extend(pool.subjects);
    }
    of.insert("synthetic", synthetic);
    Sets { of, subjects, synthetic: indices.len(), people: case.reference.subject_count() }
}

/// `n` of `training` drawn by lot, and the rest.
fn lot(training: &[usize], n: usize, class: &str, context: &Context) -> (Vec<usize>, Vec<usize>) {
    let mut shuffled = training.to_vec();
    shuffled.shuffle(&mut context.seed.stream(&format!("evaluation/privacy/lot/{class}"), 0));
    let (drawn, rest) = shuffled.split_at(n.min(shuffled.len() / 2));
    (drawn.to_vec(), rest.to_vec())
}

impl Sets {
    fn measures(&self, class: &str, context: &Context) -> Vec<Measure> {
        let row = |of: &dyn Fn(&Values) -> Option<f64>| Row {
            value: self.of.get("synthetic").and_then(of),
            same: self.of.get("same").and_then(of),
            held_out: self.of.get("held_out").and_then(of),
            baselines: self
                .of
                .iter()
                .filter(|(name, _)| !["synthetic", "same", "held_out"].contains(name))
                .filter_map(|(name, values)| Some(((*name).to_string(), of(values)?)))
                .collect(),
            segments: self.synthetic,
            subjects: self.people,
            ..Row::default()
        };
        let share = |values: &[Option<f64>]| mean(values.iter().copied().flatten());
        let spread = |values: &[Option<f64>], name: &str| {
            let purpose = format!("evaluation/bootstrap/{name}/{class}");
            interval(values, &self.subjects, context.config, context.seed, &purpose)
        };
        let Some(synthetic) = self.of.get("synthetic") else { return Vec::new() };
        let exact = Row { interval: spread(&synthetic.exact, "exact_copy_share"), ..row(&|v| share(&v.exact)) };
        let near = Row { interval: spread(&synthetic.near, "near_copy_share"), ..row(&|v| share(&v.near)) };
        let rms = row(&|v| median(v.rms.iter().copied()));
        let closer = row(&|v| share(&v.closer));
        let ratio = row(&|v| median(v.ratio.iter().copied().flatten()));
        vec![
            exact.measure("exact_copy_share", "", class, Better::Lower, copies::EXACT_DEFINITION.into()),
            near.measure("near_copy_share", "", class, Better::Lower, copies::NEAR_DEFINITION.into()),
            rms.measure("dcr", context.physical, class, Better::NearSame, closest_record::DISTANCE_DEFINITION.into()),
            closer.measure("dcr_closer_share", "", class, Better::NearSame, closest_record::CLOSER_DEFINITION.into()),
            ratio.measure("nndr", "", class, Better::NearSame, closest_record::RATIO_DEFINITION.into()),
        ]
    }
}

/// Membership and linkage.
fn attacks(context: &Context, findings: &mut Findings) -> Result<(), Cancelled> {
    let sides = Sides::of(context.real, context.seed);
    let by = patients(context.synthetic);
    let (mut attacked, mut linked): (Vec<Attacked>, Vec<Linked>) = (Vec::new(), Vec::new());
    for case in context.cases {
        match People::draw(&case.class, context.real, &sides, context.config, context.seed) {
            Err(why) => findings.notes.push(format!("privacy: {why}")),
            Ok(people) => {
                let nearness = Nearness::of(&people, context.shape.neighbours);
                if let Some(by) = by {
                    let most = context.config.privacy_segments_per_subject;
                    let of_class = link(&people, &nearness, context.synthetic, by, most, context.seed);
                    if of_class.patients() >= context.config.minimum_subjects {
                        linked.push(of_class);
                    }
                }
                attacked.push(attack_class(people, &nearness, case, context));
            }
        }
        step(context)?;
    }
    let settings = Settings { config: context.config, seed: context.seed };
    let (classes, links): (Vec<&Attacked>, Vec<&Linked>) = (attacked.iter().collect(), linked.iter().collect());
    let scopes = || attacked.iter().map(|a| a.people.class.as_str()).chain(["all"]);
    for class in scopes().filter(|_| !attacked.is_empty()) {
        let own: Vec<&Attacked> = classes.iter().copied().filter(|c| class == "all" || c.people.class == class).collect();
        let (measures, curves) = rows::membership(&own, class, settings);
        let base = measures.first().map(|m| Row { segments: m.segments, subjects: m.subjects, ..Row::default() });
        findings.measures.extend(measures);
        findings.exhibits.curves.extend(curves);
        let own: Vec<&Linked> = links.iter().copied().filter(|c| class == "all" || c.class == class).collect();
        if !own.is_empty() {
            findings.measures.extend(rows::linkage(&own, class, &base.unwrap_or_default(), settings));
        }
    }
    findings.notes.extend(notes(context, &sides, &attacked, by.map(|by| (by.words(), linked.len()))));
    Ok(())
}

fn attack_class(people: People, nearness: &Nearness, case: &Case, context: &Context) -> Attacked {
    let fitted_on = people.training_pool();
    let class = &case.class;
    let fitting = Fitting { train: &fitted_on, reference: &fitted_on, shape: context.shape, seed: context.seed, class };
    let baselines = made(&fitting);
    // Attackers see all that is published, not a share as large as the reference.
    let mut published = context.synthetic.indices(|s| s.label == *class && s.split == Split::Synthetic);
    published.shuffle(&mut context.seed.stream(&format!("evaluation/privacy/published/{class}"), 0));
    published.truncate(BLOCK);
    let published = Pool::new(context.synthetic, &published);
    attack(people, nearness, &published, &baselines, context.config.privacy_rounds, context.seed)
}

/// What a reader should know of how the attacks were made.
fn notes(context: &Context, sides: &Sides, attacked: &[Attacked], patients: Option<(&str, usize)>) -> Vec<String> {
    let mut notes = Vec::new();
    if sides.both > 0 {
        notes
            .push(format!("privacy: {} subjects have segments in training and outside it; they are not asked about", sides.both));
    }
    for class in attacked {
        let people = &class.people;
        notes.push(format!(
            "privacy, class {}: {} segments of {} training subjects against {} of {} held-out ones (test and validation), {} synthetic \
             segments published; halves drawn {} times",
            people.class,
            people.training_pool().len(),
            people.trained,
            people.held_out_pool().len(),
            people.names.len() - people.trained,
            class.synthetic,
            context.config.privacy_rounds.next_multiple_of(2),
        ));
    }
    match patients {
        None => notes.push("privacy: linkage is not assessed: the synthetic segments name no patients and no sources".into()),
        Some((_, 0)) => notes.push("privacy: linkage is not assessed: in no class are there synthetic patients enough".into()),
        Some((words, _)) => notes.push(format!("privacy, linkage: {words}")),
    }
    notes
}

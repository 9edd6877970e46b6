//! The measures of utility, from what came of the repetitions.

use std::collections::{BTreeMap, BTreeSet};

use super::resampled::Resampled;
use super::trial::{Repeat, Reverse, rest, total};
use super::{Confusion, Judged};
use crate::intervals::{mean, of_repeats};
use crate::scores::{Better, Family, Measure};

const TSTR: &str = "Macro-F1 over the classes fit for it of a classifier trained on synthetic segments and tested on held-out real \
                    subjects (TSTR; Esteban et al. 2017), 0 to 1. Beside it, as the perfect sampler's value, the same trained on \
                    as many real segments (TRTR). Interval over held-out subjects and training draws together. Copies of the \
                    training set do as well as real ones: it cannot see copying.";
const TRTR: &str = "Macro-F1 over the classes fit for it of a classifier trained on real segments, as many as there are synthetic ones, \
                    and tested on held-out real subjects (TRTR), 0 to 1: what all shares of it are to be judged by. Interval over \
                    held-out subjects and training draws together.";
const RATIO: &str = "TSTR over TRTR: the share of a classifier's macro-F1 on held-out real subjects that is kept where it is \
                     trained on synthetic instead of as many real segments. 1 is as useful as real, above 1 is possible. Interval \
                     over held-out subjects and training draws together. It means little where TRTR itself is poor.";
const TRTS: &str = "Macro-F1 of a classifier trained on real and tested on synthetic segments (TRTS), as if classes were as frequent \
                    there as held out. Beside it the same tested on other segments of the training subjects, and on held-out ones \
                    (TRTR). High where synthetic segments of a class look like it; blind to what they lack: the most typical \
                    segment over and over is classified best.";
const AUGMENTED: &str = "Gain in macro-F1 on held-out real subjects when as many synthetic segments are added to the real training \
                         ones: paired difference to the same real segments alone. Beside it the gain by adding as many real ones. \
                         Interval over training draws.";
const OVER_SUBJECTS: &str = "Interval over held-out subjects and training draws together.";
const WITHOUT: &str = "Without the held-out subjects who each give over half of the class (of several classes, where it is of all; \
                       see the notes).";

/// A value of who was taken for what.
struct Statistic {
    name: &'static str,
    about: &'static str,
    of: fn(&Confusion, usize) -> Option<f64>,
}

const OF_CLASSES: [Statistic; 3] = [
    Statistic { name: "f1", about: "F1 of the class, 2TP / (2TP + FP + FN)", of: |c, class| Some(c.f1(class)) },
    Statistic {
        name: "sensitivity",
        about: "Share of the segments of the class that are found (AAMI EC57: Se)",
        of: |c, class| c.sensitivity(class),
    },
    Statistic {
        name: "predictivity",
        about: "Share of the segments taken for the class that are of it (AAMI EC57: +P), with classes as frequent as they are held out",
        of: |c, class| c.predictivity(class),
    },
];

/// All measures of one classifier.
pub(super) fn measures(judged: &Judged) -> Vec<Measure> {
    let ground = judged.trial.ground;
    let classes: Vec<usize> = (0..ground.taught).collect();
    let mut rows = judged.scope("", &BTreeSet::new(), &classes);
    rows.push(ratio(judged));
    rows.extend(reversed(judged));
    if let Some(without) = ground.without_largest() {
        let classes: Vec<usize> = ground.dominant().into_keys().collect();
        rows.extend(judged.scope("without_largest_", &without, &classes));
    }
    rows
}

impl Judged<'_> {
    fn row(&self, name: &str, class: &str, definition: &str) -> Measure {
        Measure {
            name: format!("{name}_{}", self.trial.name),
            unit: String::new(),
            family: Family::Utility,
            class: class.into(),
            value: None,
            low: None,
            high: None,
            segments: self.segments,
            subjects: self.subjects,
            same: None,
            held_out: None,
            baselines: BTreeMap::new(),
            better: Better::Higher,
            definition: definition.into(),
        }
    }

    /// What classifiers trained on synthetic and on real segments make of the held-out subjects but those in `without`: over all
    /// taught classes, and of each of `classes`.
    fn scope(&self, scope: &str, without: &BTreeSet<usize>, classes: &[usize]) -> Vec<Measure> {
        let ground = self.trial.ground;
        let all: Vec<usize> = (0..ground.taught).collect();
        let of_all = Resampled::new(self, without, &all, scope);
        let mut rows =
            Vec::from(self.by_both(&format!("{scope}macro_f1"), "all", [TSTR, TRTR], without, &of_all, &|c| Some(c.macro_f1())));
        for &class in classes {
            let resampled = Resampled::new(self, without, &[class], scope);
            for statistic in &OF_CLASSES {
                let about = ["synthetic", "real"].map(|on| {
                    let beside = if on == "real" { "" } else { " Beside it the same trained on as many real segments." };
                    format!(
                        "{}, on held-out real subjects, of a classifier trained on {on} segments.{beside} {OVER_SUBJECTS}",
                        statistic.about
                    )
                });
                let name = format!("{scope}{}", statistic.name);
                let value = |c: &Confusion| (statistic.of)(c, class);
                let about = [about[0].as_str(), about[1].as_str()];
                rows.extend(self.by_both(&name, &ground.classes[class], about, without, &resampled, &value));
            }
        }
        rows
    }

    /// A value of the held-out confusion: by synthetic training, with that by real training in the place of `same`, and by real
    /// training alone.
    fn by_both(
        &self,
        name: &str,
        class: &str,
        about: [&str; 2],
        without: &BTreeSet<usize>,
        resampled: &Resampled,
        value: &dyn Fn(&Confusion) -> Option<f64>,
    ) -> [Measure; 2] {
        let over = |of: &dyn Fn(&Repeat) -> Confusion| mean(self.repeats.iter().filter_map(|r| value(&of(r))));
        let (tstr, trtr) = (over(&|r| rest(&r.tstr, without)), over(&|r| rest(&r.trtr, without)));
        let baselines = self.baselines.iter().filter_map(|(name, c)| Some(((*name).to_string(), value(&rest(c, without))?)));
        let [by_real, by_synthetic] = [0, 1].map(|side: usize| resampled.interval(&|both| value(&both[side])).unzip());
        let about = about.map(|about| if without.is_empty() { about.to_string() } else { format!("{about} {WITHOUT}") });
        [
            Measure {
                value: tstr,
                low: by_synthetic.0,
                high: by_synthetic.1,
                same: trtr,
                baselines: baselines.collect(),
                ..self.row(&format!("tstr_{name}"), class, &about[0])
            },
            Measure { value: trtr, low: by_real.0, high: by_real.1, ..self.row(&format!("trtr_{name}"), class, &about[1]) },
        ]
    }
}

fn within(interval: Option<(f64, f64)>, least: f64, most: f64) -> (Option<f64>, Option<f64>) {
    interval.map(|(low, high)| (low.max(least), high.min(most))).unzip()
}

fn ratio(judged: &Judged) -> Measure {
    let f1 = |of: &dyn Fn(&Repeat) -> Confusion| mean(judged.repeats.iter().map(|r| of(r).macro_f1()));
    let trtr = f1(&|r| total(&r.trtr)).filter(|&f1| f1 > 0.0);
    let over = |tstr: f64| trtr.map(|trtr| tstr / trtr);
    let all: Vec<usize> = (0..judged.trial.ground.taught).collect();
    let of_round = |both: &[Confusion; 2]| {
        let [trtr, tstr] = [0, 1].map(|side: usize| both[side].macro_f1());
        (trtr > 0.0).then_some(tstr / trtr)
    };
    let (low, high) = Resampled::new(judged, &BTreeSet::new(), &all, "").interval(&of_round).unzip();
    Measure {
        value: f1(&|r| total(&r.tstr)).and_then(over),
        low,
        high,
        same: Some(1.0),
        baselines: judged
            .baselines
            .iter()
            .filter_map(|(name, c)| Some(((*name).to_string(), over(total(c).macro_f1())?)))
            .collect(),
        ..judged.row("tstr_over_trtr", "all", RATIO)
    }
}

/// What is tested on synthetic segments, and augmentation.
fn reversed(judged: &Judged) -> Vec<Measure> {
    let repeats: Vec<_> = judged.repeats.iter().filter_map(|r| Some((r, r.reverse.as_ref()?))).collect();
    if repeats.is_empty() {
        return Vec::new();
    }
    let trts: Vec<f64> = repeats.iter().map(|(_, r)| r.trts.macro_f1()).collect();
    let (low, high) = within(of_repeats(&trts), 0.0, 1.0);
    let trts = Measure {
        value: mean(trts.into_iter()),
        low,
        high,
        same: mean(repeats.iter().map(|(_, r)| r.same.macro_f1())),
        held_out: mean(repeats.iter().map(|(r, _)| total(&r.trtr).macro_f1())),
        ..judged.row("trts_macro_f1", "all", TRTS)
    };
    let gains: Vec<f64> = repeats.iter().map(|(r, reverse)| reverse.augmented - total(&r.trtr).macro_f1()).collect();
    let (low, high) = within(of_repeats(&gains), -1.0, 1.0);
    let augmented = Measure {
        value: mean(gains.into_iter()),
        low,
        high,
        same: mean(repeats.iter().map(|(r, reverse)| reverse.doubled - total(&r.trtr).macro_f1())),
        ..judged.row("augmentation_gain", "all", AUGMENTED)
    };
    let mut rows = vec![trts, augmented];
    for (index, class) in judged.trial.ground.classes[..judged.trial.ground.taught].iter().enumerate() {
        for statistic in &OF_CLASSES {
            let over = |of: &dyn Fn(&Reverse) -> &Confusion| -> Vec<f64> {
                repeats.iter().filter_map(|(_, reverse)| (statistic.of)(of(reverse), index)).collect()
            };
            let found = over(&|reverse| &reverse.trts);
            let (low, high) = within(of_repeats(&found), 0.0, 1.0);
            let about = format!(
                "{}, on synthetic segments, of a classifier trained on real ones. Beside it the same on other segments of the training \
                 subjects. Interval over training draws.",
                statistic.about
            );
            let same = mean(over(&|reverse| &reverse.same).into_iter());
            let value = mean(found.into_iter());
            rows.push(Measure { value, low, high, same, ..judged.row(&format!("trts_{}", statistic.name), class, &about) });
        }
    }
    rows
}

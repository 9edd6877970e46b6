//! The measures of utility, from what came of the repetitions.

use std::collections::BTreeMap;

use rand::RngExt;

use super::trial::{Repeat, total};
use super::{Confusion, Judged};
use crate::intervals::{mean, of_repeats};
use crate::scores::{Better, Family, Measure};

const TSTR: &str = "Macro-F1 over the classes fit for it of a classifier trained on synthetic segments and tested on held-out real \
                    subjects (TSTR; Esteban et al. 2017), 0 to 1. Beside it, as the perfect sampler's value, the same trained on \
                    as many real segments (TRTR). Interval over training draws; it does not speak of other test subjects. Copies \
                    of the training set do as well as real ones: it cannot see copying.";
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
const SENSITIVITY: &str = "Share of the held-out real segments of the class that a classifier trained on synthetic ones finds (AAMI \
                           EC57: Se). Beside it the same trained on as many real segments. Interval over training draws.";
const PREDICTIVITY: &str = "Share of the held-out real segments taken for the class, by a classifier trained on synthetic ones, that \
                            are of it (AAMI EC57: +P), with classes as frequent as they are among those segments. Beside it the \
                            same trained on as many real segments. Interval over training draws.";
const F1: &str = "F1 of the class, 2TP / (2TP + FP + FN), on held-out real segments, of a classifier trained on synthetic ones. \
                  Beside it the same trained on as many real segments. Interval over training draws.";

/// All measures of one classifier.
pub(super) fn measures(judged: &Judged) -> Vec<Measure> {
    let ground = judged.trial.ground;
    let macro_f1 = |c: &Confusion| Some(c.macro_f1());
    let mut rows = vec![judged.on_held_out("tstr_macro_f1", "all", TSTR, &macro_f1), ratio(judged)];
    rows.extend(reversed(judged));
    for (index, class) in ground.classes[..ground.taught].iter().enumerate() {
        rows.push(judged.on_held_out("tstr_f1", class, F1, &|c| Some(c.f1(index))));
        rows.push(judged.on_held_out("tstr_sensitivity", class, SENSITIVITY, &|c| c.sensitivity(index)));
        rows.push(judged.on_held_out("tstr_predictivity", class, PREDICTIVITY, &|c| c.predictivity(index)));
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

    /// A value of the held-out confusion: by synthetic training, and by real training in the place of `same`.
    fn on_held_out(&self, name: &str, class: &str, about: &str, value: &dyn Fn(&Confusion) -> Option<f64>) -> Measure {
        let over = |of: &dyn Fn(&Repeat) -> Confusion| self.repeats.iter().filter_map(|r| value(&of(r))).collect::<Vec<f64>>();
        let (tstr, trtr) = (over(&|r| total(&r.tstr)), over(&|r| total(&r.trtr)));
        let (low, high) = within(of_repeats(&tstr), 0.0, 1.0);
        let baselines = self.baselines.iter().filter_map(|(name, c)| Some(((*name).to_string(), value(c)?))).collect();
        let (value, same) = (mean(tstr.into_iter()), mean(trtr.into_iter()));
        Measure { value, low, high, same, baselines, ..self.row(name, class, about) }
    }
}

fn within(interval: Option<(f64, f64)>, least: f64, most: f64) -> (Option<f64>, Option<f64>) {
    interval.map(|(low, high)| (low.max(least), high.min(most))).unzip()
}

fn ratio(judged: &Judged) -> Measure {
    let f1 = |of: &dyn Fn(&Repeat) -> Confusion| mean(judged.repeats.iter().map(|r| of(r).macro_f1()));
    let trtr = f1(&|r| total(&r.trtr)).filter(|&f1| f1 > 0.0);
    let over = |tstr: f64| trtr.map(|trtr| tstr / trtr);
    let (low, high) = over_subjects(judged).unzip();
    Measure {
        value: f1(&|r| total(&r.tstr)).and_then(over),
        low,
        high,
        same: Some(1.0),
        baselines: judged.baselines.iter().filter_map(|(name, c)| Some(((*name).to_string(), over(c.macro_f1())?))).collect(),
        ..judged.row("tstr_over_trtr", "all", RATIO)
    }
}

/// 95% interval of TSTR over TRTR: held-out subjects and training draws are drawn with replacement. None where subjects are too few
/// or one has over half of a taught class.
fn over_subjects(judged: &Judged) -> Option<(f64, f64)> {
    let (context, ground) = (judged.trial.context, judged.trial.ground);
    let first = judged.repeats.first()?;
    let subjects = first.trtr.len();
    let of_class = |c: &Confusion, class: usize| c.counts[class].iter().sum::<f64>();
    let whole = total(&first.trtr);
    let dominated =
        (0..ground.taught).any(|class| first.trtr.iter().any(|one| of_class(one, class) > of_class(&whole, class) / 2.0));
    if subjects < context.config.minimum_subjects || context.config.bootstrap_rounds == 0 || dominated {
        return None;
    }
    let mut rng = context.seed.stream(&format!("evaluation/utility/bootstrap/{}", judged.trial.name), 0);
    let mut ratios: Vec<f64> = (0..context.config.bootstrap_rounds)
        .filter_map(|_| {
            let repeat = &judged.repeats[rng.random_range(0..judged.repeats.len())];
            let mut both = [&repeat.trtr, &repeat.tstr].map(|_| Confusion::new(ground.classes.len(), ground.taught));
            for _ in 0..subjects {
                let subject = rng.random_range(0..subjects);
                both[0].merge(&repeat.trtr[subject]);
                both[1].merge(&repeat.tstr[subject]);
            }
            let [trtr, tstr] = both.map(|c| c.macro_f1());
            (trtr > 0.0).then_some(tstr / trtr)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |q: f64| ratios.get((ratios.len().saturating_sub(1) as f64 * q).round() as usize).copied();
    Some((at(0.025)?, at(0.975)?))
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
    vec![trts, augmented]
}

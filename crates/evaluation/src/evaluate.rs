use std::collections::BTreeMap;

use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet, Split};
use rand::RngExt;
use rayon::prelude::*;

use crate::cases::{Case, Pool, draw};
use crate::measures::{PAIRWISE, Pairwise, Shape, Unit, spread};
use crate::scores::{Better, Family, Measure, Scores};
use crate::{EvaluationConfig, verdicts};

/// Why an evaluation could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// Real and synthetic segments cannot be compared sample by sample.
    #[error("real and synthetic segments differ in {what}: {real} and {synthetic}; generate from the same preprocessed segments")]
    Unlike {
        /// The property.
        what: &'static str,
        /// Its value in the real set.
        real: String,
        /// Its value in the synthetic set.
        synthetic: String,
    },
    /// A setting breaks its rule.
    #[error("evaluation.{key} = {value}: {rule}")]
    Config {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// The rule.
        rule: &'static str,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Scores the synthetic segments of `synthetic` against the real ones of `real`, class by class.
///
/// `real` holds all splits; training segments make the reference, test segments (validation where there are none) the
/// `held_out` one. Classes with too few segments are left out and named in [`Scores::notes`]. Results depend on the seed and not
/// on the number of threads. Memory: four copies of at most `segments_per_class` segments of one class at a time, and one
/// row of distances per thread. Time: per class `n²·length` for nearest neighbours and `n·length²` for the curve distances.
pub fn evaluate(
    real: &SegmentSet,
    synthetic: &SegmentSet,
    config: &EvaluationConfig,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Scores, EvaluationError> {
    check(real, synthetic, config)?;
    let shape = Shape { channels: real.channels(), band: (config.dtw_band * real.time() as f64).round() as usize };
    let mut scores = Scores::default();
    let classes: Vec<String> = real.select(&real.indices(|s| s.split == Split::Train)).labels();
    let mut cases = Vec::new();
    for class in &classes {
        match draw(class, real, synthetic, config.segments_per_class, seed) {
            Ok(case) => cases.push(case),
            Err(why) => scores.notes.push(why),
        }
    }
    let units: std::collections::BTreeSet<String> = real.channel_units.iter().cloned().collect();
    let units: Vec<String> = units.into_iter().collect();
    progress.begin("evaluate", cases.len() as u64, "classes");
    for case in &cases {
        if progress.cancelled() {
            return Err(Cancelled.into());
        }
        scores.notes.push(format!(
            "class {}: {} segments a side; reference of {} subjects, held-out of {} segments from {} subjects",
            case.class,
            case.reference.len(),
            case.reference.subject_count(),
            case.held_out.len(),
            case.held_out.subject_count()
        ));
        scores.measures.extend(score(case, shape, &units.join(", "), config, seed));
        progress.advance(1);
    }
    progress.end();
    let overall = averages(&scores.measures);
    scores.measures.extend(overall);
    scores.verdicts = verdicts::all(&scores);
    Ok(scores)
}

fn check(real: &SegmentSet, synthetic: &SegmentSet, config: &EvaluationConfig) -> Result<(), EvaluationError> {
    let alike = |what, real: String, synthetic: String| {
        if real == synthetic { Ok(()) } else { Err(EvaluationError::Unlike { what, real, synthetic }) }
    };
    alike("samples per segment", real.time().to_string(), synthetic.time().to_string())?;
    alike("channels", real.channel_names.join(", "), synthetic.channel_names.join(", "))?;
    alike("units", real.channel_units.join(", "), synthetic.channel_units.join(", "))?;
    alike("sampling frequency", real.sampling_frequency_hz.to_string(), synthetic.sampling_frequency_hz.to_string())?;
    let rule =
        |holds: bool, key, value: String, rule| if holds { Ok(()) } else { Err(EvaluationError::Config { key, value, rule }) };
    let n = config.segments_per_class;
    rule(n >= crate::cases::FEWEST, "segments_per_class", n.to_string(), "at least 4")?;
    rule((0.0..=1.0).contains(&config.dtw_band), "dtw_band", config.dtw_band.to_string(), "a share from 0 to 1")
}

/// Index in `reference` of the nearest segment (Euclidean, in physical units) of each segment of `pool`; `itself` for the
/// reference against itself.
fn nearest(pool: &Pool, reference: &Pool) -> Vec<usize> {
    (0..pool.len())
        .into_par_iter()
        .map(|i| {
            let query = pool.segment(i);
            let mut best = (f32::INFINITY, 0);
            for (j, candidate) in reference.iter().enumerate() {
                let distance: f32 = query.iter().zip(candidate).map(|(x, y)| (x - y) * (x - y)).sum();
                if distance < best.0 {
                    best = (distance, j);
                }
            }
            best.1
        })
        .collect()
}

/// One value of `measure` per segment of `pool` against its nearest reference segment.
fn on_nearest(measure: &Pairwise, pool: &Pool, pairs: &[usize], reference: &Pool, shape: Shape) -> Vec<Option<f64>> {
    (0..pool.len()).into_par_iter().map(|i| (measure.compute)(reference.segment(pairs[i]), pool.segment(i), shape)).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// Every measure of one class.
fn score(case: &Case, shape: Shape, physical: &str, config: &EvaluationConfig, seed: Seed) -> Vec<Measure> {
    let reference = &case.reference;
    let pairs = |pool: &Pool| nearest(pool, reference);
    let (synthetic, same, held_out) = (pairs(&case.synthetic), pairs(&case.same), pairs(&case.held_out));
    let copies: Vec<usize> = (0..reference.len()).collect();
    let template = |name: String, better: Better, definition: String| Measure {
        name,
        unit: String::new(),
        family: Family::Fidelity,
        class: case.class.clone(),
        value: None,
        low: None,
        high: None,
        segments: case.synthetic.len(),
        subjects: reference.subject_count(),
        same: None,
        held_out: None,
        baselines: BTreeMap::new(),
        better,
        definition,
    };
    let unit = |measure: &Pairwise| match measure.unit {
        Unit::None => String::new(),
        Unit::Percent => "%".into(),
        Unit::Physical => physical.to_string(),
    };
    let mut measures = Vec::new();
    for measure in &PAIRWISE {
        let average =
            |pool: &Pool, pairs: &[usize]| mean(on_nearest(measure, pool, pairs, reference, shape).into_iter().flatten());
        let values = on_nearest(measure, &case.synthetic, &synthetic, reference, shape);
        let mut m = template(
            format!("{}_nearest", measure.name),
            measure.better,
            format!("{} Mean over segments, each against its nearest real training segment (Euclidean).", measure.definition),
        );
        m.unit = unit(measure);
        m.value = mean(values.iter().copied().flatten());
        (m.low, m.high) = interval(&values, &case.synthetic.subjects, config, seed, &m.name, &case.class).unzip();
        m.same = average(&case.same, &same);
        m.held_out = average(&case.held_out, &held_out);
        m.baselines.extend(average(reference, &copies).map(|v| ("training_copy".to_string(), v)));
        measures.push(m);
    }
    let class_mean = reference.mean();
    for measure in &PAIRWISE {
        let against = |pool: &Pool| (pool.len() > 0).then(|| (measure.compute)(&class_mean, &pool.mean(), shape)).flatten();
        let mut m = template(
            format!("{}_class_mean", measure.name),
            measure.better,
            format!("{} Of the mean segment of the class against the mean real training segment.", measure.definition),
        );
        m.unit = unit(measure);
        m.value = against(&case.synthetic);
        m.same = against(&case.same);
        m.held_out = against(&case.held_out);
        m.baselines.extend(against(reference).map(|v| ("training_copy".to_string(), v)));
        measures.push(m);
    }
    measures.extend(diversity(case, [&synthetic, &same, &held_out], template));
    measures
}

/// Within-class spread and the share of distinct nearest neighbours.
fn diversity(case: &Case, pairs: [&[usize]; 3], template: impl Fn(String, Better, String) -> Measure) -> [Measure; 2] {
    let real = spread::spread(case.reference.iter()).filter(|&s| s > 0.0);
    let ratio = |pool: &Pool| Some(spread::spread(pool.iter())? / real?);
    let mut spread = template("spread_ratio".into(), Better::NearSame, spread::DEFINITION.into());
    spread.value = ratio(&case.synthetic);
    spread.same = ratio(&case.same);
    spread.held_out = ratio(&case.held_out);
    spread.baselines.extend(ratio(&case.reference).map(|v| ("training_copy".to_string(), v)));

    let distinct = |pairs: &[usize]| {
        let different: std::collections::BTreeSet<_> = pairs.iter().collect();
        (!pairs.is_empty()).then(|| different.len() as f64 / pairs.len() as f64)
    };
    let mut share = template(
        "distinct_nearest_share".into(),
        Better::NearSame,
        "Share of distinct segments among the nearest real training segments of the scored ones, 0 to 1. Low where many \
         synthetic segments crowd around few real ones."
            .into(),
    );
    share.value = distinct(pairs[0]);
    share.same = distinct(pairs[1]);
    // Fewer held-out segments than reference ones would raise their share: no value then.
    share.held_out = (case.held_out.len() == case.reference.len()).then(|| distinct(pairs[2])).flatten();
    share.baselines.insert("training_copy".into(), 1.0);
    [spread, share].map(|m| Measure { family: Family::Diversity, ..m })
}

/// 95% interval of the mean by resampling subjects (percentile bootstrap). None where subjects are too few or one has over
/// half of the segments.
fn interval(
    values: &[Option<f64>],
    subjects: &[String],
    config: &EvaluationConfig,
    seed: Seed,
    name: &str,
    class: &str,
) -> Option<(f64, f64)> {
    let mut by_subject: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (value, subject) in values.iter().zip(subjects) {
        if let Some(v) = value {
            let entry = by_subject.entry(subject).or_default();
            *entry = (entry.0 + v, entry.1 + 1.0);
        }
    }
    let groups: Vec<(f64, f64)> = by_subject.into_values().collect();
    let total: f64 = groups.iter().map(|g| g.1).sum();
    if groups.len() < config.minimum_subjects || config.bootstrap_rounds == 0 || groups.iter().any(|g| g.1 > total / 2.0) {
        return None;
    }
    let mut rng = seed.stream(&format!("evaluation/bootstrap/{name}/{class}"), 0);
    let mut means: Vec<f64> = (0..config.bootstrap_rounds)
        .map(|_| {
            let (sum, count) = (0..groups.len()).fold((0.0, 0.0), |(sum, count), _| {
                let g = groups[rng.random_range(0..groups.len())];
                (sum + g.0, count + g.1)
            });
            sum / count
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |q: f64| means[((means.len() - 1) as f64 * q).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// For each measure the plain mean over classes, under the class name `all`.
fn averages(measures: &[Measure]) -> Vec<Measure> {
    let mut names: Vec<&str> = Vec::new();
    for m in measures {
        if !names.contains(&m.name.as_str()) {
            names.push(&m.name);
        }
    }
    names
        .into_iter()
        .filter_map(|name| {
            let rows: Vec<&Measure> = measures.iter().filter(|m| m.name == name).collect();
            let first = rows.first()?;
            // A mean over classes only where every class has the value: otherwise the columns would speak of different classes.
            let over = |get: &dyn Fn(&Measure) -> Option<f64>| {
                let all: Option<Vec<f64>> = rows.iter().map(|m| get(m)).collect();
                mean(all?.into_iter())
            };
            Some(Measure {
                class: "all".into(),
                value: over(&|m| m.value),
                low: None,
                high: None,
                segments: rows.iter().map(|m| m.segments).sum(),
                subjects: rows.iter().map(|m| m.subjects).max()?,
                same: over(&|m| m.same),
                held_out: over(&|m| m.held_out),
                baselines: over(&|m| m.baselines.get("training_copy").copied())
                    .map(|v| ("training_copy".to_string(), v))
                    .into_iter()
                    .collect(),
                definition: format!("{} Plain mean over classes.", first.definition),
                ..(*first).clone()
            })
        })
        .collect()
}

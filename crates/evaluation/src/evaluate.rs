use std::collections::BTreeSet;

use physiosynth_signal::{Cancelled, Progress, Seed, SegmentSet, Split};

use crate::assessments::{ASSESSMENTS, Context};
use crate::cases::{Case, deciding, draw};
use crate::clinical::variability::RecordBeats;
use crate::comparison::Shape;
use crate::scores::Scores;
use crate::{EvaluationConfig, HeldOut, verdicts};

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
/// on the number of threads. Memory: a few copies of at most `segments_per_class` segments of one class (then of all) for each set
/// and baseline; no matrix of distances. Time: per class and set `n²·length` for neighbours and `n·length²` for the curve distances.
pub fn evaluate(
    real: &SegmentSet,
    synthetic: &SegmentSet,
    config: &EvaluationConfig,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Scores, EvaluationError> {
    evaluate_with_records(real, synthetic, &[], config, seed, progress)
}

/// [`evaluate`] where beats of whole records are known besides, real ones (of any split) and synthetic ones: their heart rate variability
/// is compared too.
pub fn evaluate_with_records(
    real: &SegmentSet,
    synthetic: &SegmentSet,
    records: &[RecordBeats],
    config: &EvaluationConfig,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Scores, EvaluationError> {
    check(real, synthetic, config)?;
    let without_test;
    let mut scores = Scores::default();
    let real = if config.held_out == HeldOut::Validation {
        without_test = real.select(&real.indices(|s| s.split != Split::Test));
        scores.notes.push("held out: the validation subjects; no test subject was looked at".into());
        &without_test
    } else {
        real
    };
    let shape = Shape {
        channels: real.channels(),
        sampling_frequency_hz: real.sampling_frequency_hz,
        band: (config.dtw_band * real.time() as f64).round() as usize,
        neighbours: config.neighbours,
    };
    let classes: Vec<String> = real.select(&real.indices(|s| s.split == Split::Train)).labels();
    let mut cases = Vec::new();
    for class in &classes {
        match draw(class, real, synthetic, config.segments_per_class, seed) {
            Ok(case) => cases.push(case),
            Err(why) => scores.notes.push(why),
        }
    }
    let cases = with_baselines(cases, shape, seed, progress)?;
    let units: BTreeSet<&str> = real.channel_units.iter().map(String::as_str).collect();
    let physical = units.into_iter().collect::<Vec<_>>().join(", ");
    let context = Context { real, synthetic, records, cases: &cases, shape, physical: &physical, config, seed, progress };
    for assessment in &ASSESSMENTS {
        let findings = (assessment.run)(&context)?;
        scores.measures.extend(findings.measures);
        scores.notes.extend(findings.notes);
        scores.exhibits.extend(findings.exhibits);
    }
    let deciding = deciding(&cases, config.minimum_subjects, &mut scores.notes);
    scores.verdicts = verdicts::all(&scores, &deciding);
    if let Some(subject) = verdicts::subjects::on_both_sides(real) {
        verdicts::subjects::not_of_subjects(&mut scores, subject);
    }
    scores.notes.extend(verdicts::against_pca(&scores));
    Ok(scores)
}

fn with_baselines(cases: Vec<Case>, shape: Shape, seed: Seed, progress: &dyn Progress) -> Result<Vec<Case>, Cancelled> {
    progress.begin("baselines", cases.len() as u64, "classes");
    let mut complete = Vec::with_capacity(cases.len());
    for case in cases {
        complete.push(case.with_baselines(shape, seed));
        progress.advance(1);
        if progress.cancelled() {
            return Err(Cancelled);
        }
    }
    progress.end();
    Ok(complete)
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
    let chosen_on = config.held_out == HeldOut::Test || real.segments.iter().any(|s| s.split == Split::Validation);
    rule(chosen_on, "held_out", "validation".into(), "there are no validation subjects; keep some aside (preprocessing.split)")?;
    rule(n >= crate::cases::FEWEST, "segments_per_class", n.to_string(), "at least 4")?;
    rule(config.utility_draws >= 1, "utility_draws", config.utility_draws.to_string(), "at least 1")?;
    rule(config.forest_trees >= 1, "forest_trees", config.forest_trees.to_string(), "at least 1")?;
    rule(config.privacy_rounds >= 2, "privacy_rounds", config.privacy_rounds.to_string(), "at least 2")?;
    let beats = config.privacy_segments_per_subject;
    rule(beats >= 1, "privacy_segments_per_subject", beats.to_string(), "at least 1")?;
    let k = config.neighbours;
    rule(k >= 1, "neighbours", k.to_string(), "at least 1")?;
    rule((0.0..=1.0).contains(&config.dtw_band), "dtw_band", config.dtw_band.to_string(), "a share from 0 to 1")
}

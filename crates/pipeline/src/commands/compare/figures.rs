//! The comparison as pictures.

use anyhow::Result;
use physiosynth_generator::memory::{Curve, Direction, Reach};
use physiosynth_reporting::comparison::{
    ComparedLoss, ComparedMeasure, ComparedReach, ComparedRun, ComparedValue, draw_losses, draw_measures, draw_reach,
};

use super::Comparison;
use super::measures::{MeasureRow, REAL_ALONE, Scored};
use super::tables::short_words;

/// Names and bytes of the pictures.
pub(super) fn draw(comparison: &Comparison) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let runs: Vec<ComparedRun> = comparison
        .runs
        .iter()
        .zip(&comparison.memory)
        .map(|(facts, memory)| ComparedRun {
            name: facts.name.clone(),
            losses: facts
                .history
                .iter()
                .map(|loss| ComparedLoss {
                    step: loss.step as f64,
                    train: loss.train_loss,
                    validation: loss.validation_loss.unwrap_or(f64::NAN),
                })
                .collect(),
            reach: memory.as_ref().map_or_else(Vec::new, reach),
        })
        .collect();
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    // What real data score among themselves is the same for every run: a line in the plots, no plot of its own.
    let drawn = |row: &&MeasureRow| row.main && row.class == "all" && !row.name.starts_with(REAL_ALONE);
    let measures: Vec<ComparedMeasure> = comparison.measures.iter().filter(drawn).map(measure).collect();
    Ok(vec![
        ("measures.png", draw_measures(&names, &measures)?),
        ("losses.png", draw_losses(&runs)?),
        ("memory.png", draw_reach(&runs)?),
    ])
}

/// The curves that are shown: those of the middle one of the noise levels.
pub(super) fn shown(reach: &Reach) -> impl Iterator<Item = &Curve> {
    let mut levels: Vec<f64> = reach.curves.iter().map(|curve| curve.noise).collect();
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup();
    let middle = levels.get(levels.len() / 2).copied();
    reach.curves.iter().filter(move |curve| Some(curve.noise) == middle)
}

fn reach(reach: &Reach) -> Vec<ComparedReach> {
    let curve = |curve: &Curve| {
        let sign = match curve.direction {
            Direction::Back => -1.0,
            Direction::Ahead => 1.0,
        };
        let norms = curve.norms.iter().enumerate().map(|(d, norm)| (sign * d as f64 * reach.step_ms, *norm)).collect();
        ComparedReach { trained: curve.trained, norms }
    };
    shown(reach).map(curve).collect()
}

fn measure(row: &MeasureRow) -> ComparedMeasure {
    let value = |v: &Option<Scored>| {
        let v = v.as_ref()?;
        Some(ComparedValue { value: v.value.filter(|x| x.is_finite())?, interval: v.low.zip(v.high) })
    };
    ComparedMeasure {
        name: short_words(&row.name),
        unit: row.unit.clone(),
        better: row.better,
        same: agreed(row, |v| v.same),
        held_out: agreed(row, |v| v.held_out),
        values: row.values.iter().map(value).collect(),
    }
}

/// A reference, where all runs that have the measure have the same one.
fn agreed(row: &MeasureRow, of: fn(&Scored) -> Option<f64>) -> Option<f64> {
    let mut all = row.values.iter().flatten().map(of);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

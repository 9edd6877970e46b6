//! Synthetic segments beside the real training segments nearest to them: the closest, the farthest and some between, for the eye. How
//! near is too near is for the measures of privacy.

use physiosynth_signal::{Cancelled, Split};
use rand::seq::SliceRandom;

use super::{Assessment, Context, Findings};
use crate::comparison::{Nearest, nearest};
use crate::exhibits::NearestPair;
use crate::pool::Pool;

pub(super) const ASSESSMENT: Assessment = Assessment { run };

/// Real training segments of a class that are searched at most.
const SEARCHED: usize = 8192;
/// The pairs shown, as shares of all pairs by distance.
const RANKS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    context.progress.begin("neighbours", context.cases.len() as u64, "classes");
    for case in context.cases {
        findings.exhibits.nearest.extend(pairs(&case.class, context));
        context.progress.advance(1);
        if context.progress.cancelled() {
            return Err(Cancelled);
        }
    }
    context.progress.end();
    Ok(findings)
}

fn pairs(class: &str, context: &Context) -> Vec<NearestPair> {
    let drawn = |set: &physiosynth_signal::SegmentSet, split: Split, most: usize| {
        let mut indices = set.indices(|s| s.label == class && s.split == split);
        indices.shuffle(&mut context.seed.stream(&format!("evaluation/nearest/{split}/{class}"), 0));
        indices.truncate(most);
        indices
    };
    let real = drawn(context.real, Split::Train, SEARCHED);
    let synthetic = drawn(context.synthetic, Split::Synthetic, context.config.segments_per_class);
    let found = nearest(&Pool::new(context.synthetic, &synthetic), &Pool::new(context.real, &real));
    let samples = (context.real.time() * context.real.channels()).max(1) as f64;
    ranked(&found)
        .into_iter()
        .filter_map(|(rank, at)| {
            let Nearest { index, distance } = *found.get(at)?;
            Some(NearestPair {
                class: class.into(),
                rank,
                distance: f64::from(distance) / samples.sqrt(),
                unit: context.physical.into(),
                synthetic: *synthetic.get(at)?,
                real: *real.get(index)?,
            })
        })
        .collect()
}

/// Ranks with the places of their pairs; each pair once.
fn ranked(found: &[Nearest]) -> Vec<(f64, usize)> {
    let mut order: Vec<usize> = (0..found.len()).filter(|&i| found[i].distance.is_finite()).collect();
    order.sort_by(|&a, &b| found[a].distance.total_cmp(&found[b].distance).then(a.cmp(&b)));
    let last = order.len().saturating_sub(1) as f64;
    let mut chosen: Vec<(f64, usize)> =
        RANKS.iter().filter_map(|&rank| Some((rank, *order.get((rank * last).round() as usize)?))).collect();
    chosen.dedup_by_key(|(_, at)| *at);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_go_from_the_closest_to_the_farthest() {
        let of = |distances: &[f32]| {
            let found: Vec<Nearest> = distances.iter().map(|&distance| Nearest { index: 0, distance }).collect();
            ranked(&found).into_iter().map(|(_, at)| at).collect::<Vec<_>>()
        };
        assert_eq!(of(&[5.0, 1.0, 4.0, 2.0, 3.0]), [1, 3, 4, 2, 0]);
        assert_eq!(of(&[2.0, f32::INFINITY, 1.0]), [2, 0], "what has no neighbour is left out, nothing is shown twice");
        assert_eq!(of(&[]), Vec::<usize>::new());
    }
}

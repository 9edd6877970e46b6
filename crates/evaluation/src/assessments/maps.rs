//! Real and synthetic segments as points in the plane, for the eye: what lies apart, what is covered, what is not.
//!
//! - `pca`: the first two principal components of the real training segments of the reference; all sets are projected onto them. Linear,
//!   so that distances mean something, but blind to all other directions.
//! - `tsne`: t-distributed stochastic neighbour embedding (van der Maaten & Hinton 2008) of all points together, exact, begun from
//!   the first map. Neighbours stay neighbours; distances between groups and their sizes mean nothing.

use bhtsne::tSNE;
use physiosynth_signal::Cancelled;

use super::{Assessment, Context, Findings};
use crate::cases::Case;
use crate::exhibits::{PointGroup, PointMap};
use crate::linear::Pca;
use crate::pool::Pool;

pub(super) const ASSESSMENT: Assessment = Assessment { run };

/// Points of a set at most, over all classes.
const POINTS: usize = 160;
/// Fewest points in all with which neighbourhoods are mapped.
const FEWEST: usize = 16;
/// Effective number of neighbours of a point (van der Maaten & Hinton: 5 to 50).
const PERPLEXITY: f32 = 30.0;
/// Steps of gradient descent.
const STEPS: usize = 500;
/// Standard deviation along x that the descent begins with (Kobak & Berens 2019).
const START: f64 = 1e-4;

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    let union = Case::union(context.cases);
    let Some(pca) = Pca::fit(&union.reference, 2, 1.0, context.seed) else { return Ok(findings) };
    context.progress.begin("maps", 2, "maps");
    let groups = groups(context.cases);
    let linear = projected(&groups, &pca);
    findings.exhibits.maps.push(linear.clone());
    context.progress.advance(1);
    if context.progress.cancelled() {
        return Err(Cancelled);
    }
    findings.exhibits.maps.extend(neighbourhoods(&groups, &linear));
    context.progress.advance(1);
    context.progress.end();
    Ok(findings)
}

/// One class of one set.
struct Group<'a> {
    set: &'static str,
    class: &'a str,
    segments: Vec<&'a [f32]>,
}

/// Equal numbers of each class and set, where there are so many: the first ones, since cases are drawn in random order.
fn groups(cases: &[Case]) -> Vec<Group<'_>> {
    let most = (POINTS / cases.len().max(1)).max(1);
    let whole = |pool: &'_ Pool| pool.length() > 0;
    let mut groups = Vec::new();
    for (set, pool) in [
        ("train", (|case| &case.reference) as fn(&Case) -> &Pool),
        ("held_out", |case| &case.held_out),
        ("synthetic", |case| &case.synthetic),
    ] {
        for case in cases.iter().filter(|case| whole(pool(case))) {
            let known = pool(case).iter().filter(|segment| segment.iter().all(|x| x.is_finite()));
            groups.push(Group { set, class: &case.class, segments: known.take(most).collect() });
        }
    }
    groups.retain(|group| !group.segments.is_empty());
    groups
}

fn projected(groups: &[Group], pca: &Pca) -> PointMap {
    let share = |k: usize| 100.0 * pca.variances.get(k).copied().unwrap_or(0.0) / pca.total.max(f64::MIN_POSITIVE);
    let points: Vec<[f64; 2]> = groups
        .iter()
        .flat_map(|group| &group.segments)
        .map(|segment| {
            let at = pca.coordinates(segment);
            [0, 1].map(|k| at.get(k).copied().unwrap_or(0.0))
        })
        .collect();
    PointMap {
        name: "pca".into(),
        x_label: format!("first principal component ({:.0}% of real variance)", share(0)),
        y_label: format!("second ({:.0}%)", share(1)),
        groups: placed(groups, &points),
    }
}

/// None for too few points.
fn neighbourhoods(groups: &[Group], linear: &PointMap) -> Option<PointMap> {
    let segments: Vec<&[f32]> = groups.iter().flat_map(|group| group.segments.iter().copied()).collect();
    if segments.len() < FEWEST {
        return None;
    }
    let starts: Vec<(f64, f64)> =
        linear.groups.iter().flat_map(|group| group.x.iter().copied().zip(group.y.iter().copied())).collect();
    let n = starts.len() as f64;
    let middle = starts.iter().map(|p| p.0).sum::<f64>() / n;
    let spread = (starts.iter().map(|p| (p.0 - middle).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if spread > 0.0 { START / spread } else { 0.0 };
    let start: Vec<f32> = starts.iter().flat_map(|&(x, y)| [(scale * x) as f32, (scale * y) as f32]).collect();
    let perplexity = PERPLEXITY.min((segments.len() - 1) as f32 / 3.0 - 0.1);
    let fit = || {
        let mut tsne: tSNE<f32, &[f32]> = tSNE::new(&segments);
        tsne.perplexity(perplexity).epochs(STEPS).initial_embedding(start);
        tsne.exact(|a, b| a.iter().zip(*b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt());
        tsne.embedding()
    };
    // Sums over threads come in any order: one thread alone adds the same way each time.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok()?;
    let flat: Vec<f32> = alone.install(fit);
    let points: Vec<[f64; 2]> = flat.chunks_exact(2).map(|p| [f64::from(p[0]), f64::from(p[1])]).collect();
    if points.len() != segments.len() || points.iter().flatten().any(|x| !x.is_finite()) {
        return None;
    }
    Some(PointMap {
        name: "tsne".into(),
        x_label: "t-SNE, first coordinate (no unit)".into(),
        y_label: "second".into(),
        groups: placed(groups, &points),
    })
}

/// The points as groups again, in four digits of the map's width.
fn placed(groups: &[Group], points: &[[f64; 2]]) -> Vec<PointGroup> {
    let widest = points.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    let digits = if widest > 0.0 { 10_f64.powf(4.0 - widest.log10().ceil()) } else { 1.0 };
    let mut rest = points.iter().map(|point| point.map(|x| (x * digits).round() / digits));
    groups
        .iter()
        .map(|group| {
            let (x, y) = rest.by_ref().take(group.segments.len()).map(|[x, y]| (x, y)).unzip();
            PointGroup { set: group.set.into(), class: group.class.into(), x, y }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    use super::*;

    /// Two heaps of segments far apart, in three sets.
    fn cases(n: usize) -> Vec<Case> {
        let pool = |which: u64, level: f32| {
            let mut rng = Seed(3).stream("maps", which);
            Pool::of_samples((0..n * 20).map(|_| level + rng.random_range(-1.0_f32..1.0)).collect(), 20)
        };
        let case = |class: &str, level: f32, k: u64| Case {
            class: class.into(),
            reference: pool(k, level),
            same: Pool::default(),
            held_out: Pool::default(),
            synthetic: pool(k + 1, level),
            baselines: Vec::new(),
        };
        vec![case("N", 0.0, 0), case("V", 8.0, 2)]
    }

    fn map_of(cases: &[Case], threads: usize) -> [PointMap; 2] {
        let groups = groups(cases);
        let union = Case::union(cases);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let linear = projected(&groups, &Pca::fit(&union.reference, 2, 1.0, Seed(1)).unwrap());
            let other = neighbourhoods(&groups, &linear).unwrap();
            [linear, other]
        })
    }

    #[test]
    fn heaps_stay_heaps_and_threads_change_nothing() {
        let cases = cases(40);
        let maps = map_of(&cases, 1);
        assert_eq!(maps, map_of(&cases, 3));
        for map in &maps {
            assert_eq!(map.groups.len(), 4, "no held-out segments, no group");
            let middle = |set: &str, class: &str| {
                let group = map.groups.iter().find(|g| g.set == set && g.class == class).unwrap();
                assert_eq!((group.x.len(), group.y.len()), (40, 40));
                (group.x.iter().sum::<f64>() / 40.0, group.y.iter().sum::<f64>() / 40.0)
            };
            let apart = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
            let (n, v) = (middle("train", "N"), middle("train", "V"));
            assert!(apart(n, middle("synthetic", "N")) < apart(n, v) / 3.0, "{}", map.name);
            assert!(apart(v, middle("synthetic", "V")) < apart(n, v) / 3.0, "{}", map.name);
        }
    }

    #[test]
    fn few_points_and_equal_points() {
        let few = cases(3);
        let groups_of_few = groups(&few);
        let linear = projected(&groups_of_few, &Pca::fit(&Case::union(&few).reference, 2, 1.0, Seed(1)).unwrap());
        assert!(neighbourhoods(&groups_of_few, &linear).is_none());
        let mut equal = cases(30);
        equal[0].synthetic = Pool::of_samples([1.0; 20].repeat(30), 20);
        equal[1].synthetic = Pool::of_samples(vec![f32::NAN; 20 * 30], 20);
        assert!(map_of(&equal, 2).iter().all(|map| map.groups.len() == 3));
    }
}

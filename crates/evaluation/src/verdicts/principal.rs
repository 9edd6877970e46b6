//! Is the generator better than sampling along principal components?

use crate::scores::{Measure, Scores};

const BASELINE: &str = "pca_gaussian";

/// How good a value is: the higher, the better.
type Good = fn(f64) -> f64;

/// What is compared, over all classes: measures by name or, of several judges, by how their names begin.
const AGAINST: [(&str, Good); 5] = [
    ("precision", |x| x),
    ("density", |x| x),
    ("coverage", |x| x),
    // Not to be told apart is 0.5.
    ("discriminator_auc_", |x| -(x - 0.5).abs()),
    ("tstr_macro_f1_", |x| x),
];

/// What a generator is told that does not beat sampling along principal components: on what it is neither above that baseline nor
/// at `same`.
pub(crate) fn against_pca(scores: &Scores) -> Option<String> {
    let of_all = || scores.measures.iter().filter(|m| m.class == "all");
    let named = |m: &Measure, name: &str| if name.ends_with('_') { m.name.starts_with(name) } else { m.name == name };
    let worse: Vec<String> = AGAINST
        .iter()
        .flat_map(|&(name, good)| of_all().filter(move |m| named(m, name)).filter_map(move |m| worse(m, good)))
        .collect();
    let on = worse
        .split_last()
        .map(|(last, rest)| if rest.is_empty() { last.clone() } else { format!("{} and {last}", rest.join(", ")) })?;
    Some(format!(
        "The generator does not beat sampling from a Gaussian along principal components (baseline {BASELINE}) on {on}: there its cost \
         is not repaid."
    ))
}

fn worse(m: &Measure, good: Good) -> Option<String> {
    let (value, baseline) = (m.value?, *m.baselines.get(BASELINE)?);
    let at_same = m.same.is_some_and(|same| good(value) >= good(same));
    (good(value) <= good(baseline) && !at_same).then(|| format!("{} ({value:.2} against {baseline:.2})", m.name))
}

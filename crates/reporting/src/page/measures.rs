//! The measures, a table per question, each value between its references.

use physiosynth_evaluation::{Better, Family, Measure};

use crate::page::Put;
use crate::page::escape::escape;
use crate::ticks::significant;

/// A measure's name as a reader would write it: `prd_nearest` is `PRD nearest`.
pub(crate) fn measure_in_words(name: &str) -> String {
    let words: Vec<String> = name
        .split('_')
        .map(|word| match word {
            "prd" | "rmse" | "mae" | "dtw" | "mmd" | "psd" | "fid" | "auc" | "rr" | "qrs" | "sd" | "pca" | "hrv" => {
                word.to_uppercase()
            }
            "frechet" => "Fréchet".into(),
            "pearson" => "Pearson".into(),
            "gaussian" => "Gaussian".into(),
            word => word.into(),
        })
        .collect();
    let text = words.join(" ");
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}

/// Which values are good, in words.
pub(crate) fn better_in_words(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::NearSame => "best near same",
    }
}

fn family(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Fidelity => ("Fidelity", "Does a synthetic segment look like a real one?"),
        Family::Diversity => ("Diversity", "Does the set hold all that real segments hold?"),
        Family::Utility => ("Utility", "Does it serve in place of real data?"),
        Family::Privacy => ("Privacy", "Does it keep its training subjects' secrets?"),
        Family::Clinical => ("Clinical", "Does it make medical sense?"),
    }
}

/// Where a value stands on the way from `same` to `held_out`.
fn standing(m: &Measure) -> &'static str {
    let (Some(value), Some(same), Some(held_out)) = (m.value, m.same, m.held_out) else { return "" };
    let way = held_out - same;
    if way == 0.0 || !way.is_finite() || !value.is_finite() {
        return "";
    }
    match (value - same) / way {
        share if share < 0.0 => "beyond same",
        share if share <= 1.0 => "between",
        _ => "beyond held-out",
    }
}

/// All measures: a table per family that has any.
pub(crate) fn section(measures: &[Measure]) -> String {
    let mut html = String::from("<h2 id=\"measures\">Measures</h2>\n");
    if measures.is_empty() {
        return html + "<p>Nothing was measured.</p>\n";
    }
    html.push_str(
        "<p>Each value stands between two references: <em>same</em>, one random half of the training segments against the other \
         (what a perfect sampler would get), and <em>held-out</em>, other subjects' segments against the training segments (what \
         generalisation costs). <em>Training copy</em> is what a plain copy would get: a score that only a copy reaches is no \
         merit. Intervals are 95% over subjects, and given where there are enough of them. <em>Stands</em> says where the synthetic \
         value lies: between the two references, beyond held-out, or beyond same.</p>\n",
    );
    for kind in [Family::Fidelity, Family::Diversity, Family::Utility, Family::Privacy, Family::Clinical] {
        let of_family: Vec<&Measure> = measures.iter().filter(|m| m.family == kind).collect();
        if !of_family.is_empty() {
            html.push_str(&table(kind, &of_family));
        }
    }
    html
}

fn table(kind: Family, measures: &[&Measure]) -> String {
    let (name, question) = family(kind);
    let mut html = format!("<h3>{name}</h3>\n<p>{question}</p>\n<div class=\"scroll\"><table class=\"numbers\">\n");
    html.push_str(
        "<thead><tr><th>Class</th><th>Same</th><th>Synthetic</th><th>95% interval</th><th>Held-out</th><th>Training copy</th>\
         <th>Other baselines</th><th>Segments, subjects</th><th>Stands</th></tr></thead>\n",
    );
    let mut names: Vec<&str> = Vec::new();
    for measure in measures {
        if !names.contains(&measure.name.as_str()) {
            names.push(&measure.name);
        }
    }
    for name in names {
        let of_name: Vec<&&Measure> = measures.iter().filter(|m| m.name == name).collect();
        let Some(first) = of_name.first() else { continue };
        html.put(format_args!(
            "<tbody>\n<tr class=\"measure\"><th colspan=\"9\" title=\"{definition}\"><details><summary>{}, {}</summary>{definition}</details></th></tr>\n",
            escape(&measure_in_words(name)),
            better_in_words(first.better),
            definition = escape(&first.definition)
        ));
        for measure in of_name {
            html.push_str(&row(measure));
        }
        html.push_str("</tbody>\n");
    }
    html + "</table></div>\n"
}

fn row(m: &Measure) -> String {
    let number = |v: Option<f64>| v.map_or_else(|| "–".to_string(), significant);
    let interval = match (m.low, m.high) {
        (Some(low), Some(high)) => format!("{} to {}", significant(low), significant(high)),
        _ => "–".into(),
    };
    let others: Vec<String> = m
        .baselines
        .iter()
        .filter(|(name, _)| *name != "training_copy")
        .map(|(name, v)| format!("{} {}", escape(&name.replace('_', " ")), significant(*v)))
        .collect();
    format!(
        "<tr><td>{}</td><td>{}</td><td><strong>{}</strong></td><td>{interval}</td><td>{}</td><td>{}</td><td>{}</td><td>{}, {}</td><td class=\"words\">{}</td></tr>\n",
        escape(&m.class),
        number(m.same),
        number(m.value),
        number(m.held_out),
        number(m.baselines.get("training_copy").copied()),
        if others.is_empty() { "–".into() } else { others.join("<br>") },
        m.segments,
        m.subjects,
        standing(m)
    )
}

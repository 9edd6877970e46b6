//! The measures, a table per question, each value between its references; the classes of a measure folded away below it.

use std::collections::BTreeSet;

use physiosynth_evaluation::{Better, Family, Measure};

use crate::context::in_order;
use crate::page::Put;
use crate::page::escape::escape;
use crate::ticks::significant;
use crate::words::{better_as_sign, better_in_words, measure_in_words, set_in_words};

fn family(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Fidelity => ("Fidelity", "Does a synthetic segment look like a real one?"),
        Family::Diversity => ("Diversity", "Does the set hold all that real segments hold?"),
        Family::Utility => ("Utility", "Does it serve in place of real data?"),
        Family::Privacy => ("Privacy", "Does it keep its training subjects' secrets?"),
        Family::Clinical => ("Clinical", "Does it make medical sense?"),
    }
}

/// The measure to show first of those of one name (that of `all`, else the first class in the order of the field), and the others in
/// that order.
pub(crate) fn lead<'a>(of_name: &[&'a Measure]) -> (Option<&'a Measure>, Vec<&'a Measure>) {
    let classes = in_order(of_name.iter().map(|m| m.class.clone()).filter(|class| class != "all").collect());
    let all = of_name.iter().find(|m| m.class == "all");
    let ordered = classes.iter().filter_map(|class| of_name.iter().find(|m| m.class == *class));
    let mut every = all.into_iter().chain(ordered).copied();
    (every.next(), every.collect())
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

/// The best of the simple generators that do not merely copy.
fn best_baseline(m: &Measure) -> Option<(&str, f64)> {
    // How bad a value is.
    let cost = |value: f64| match m.better {
        Better::Higher => -value,
        Better::Lower => value,
        Better::NearSame => (value - m.same.unwrap_or(0.0)).abs(),
    };
    let others = m.baselines.iter().filter(|(name, v)| !COPIES.contains(&name.as_str()) && v.is_finite());
    others.map(|(name, v)| (name.as_str(), *v)).min_by(|a, b| cost(a.1).total_cmp(&cost(b.1)))
}

/// Baselines that hand out training segments.
const COPIES: [&str; 3] = ["training_copy", "jittered_copy", "other_segments_of_training_subjects"];

/// All measures: a table per family that has any.
pub(crate) fn section(measures: &[Measure]) -> String {
    let mut html = String::from("<h2 id=\"measures\">Measures</h2>\n");
    if measures.is_empty() {
        return html + "<p>Nothing was measured.</p>\n";
    }
    html.push_str(
        "<p><strong>How to read.</strong> A line per measure, over all classes; open it for the single classes, every simple generator and \
         the definition. The arrow says which values are good: ↑ higher, ↓ lower, ≈ near <em>same</em>. Read <em>synthetic</em> between its \
         references: <em>same</em> is one random half of the real training segments against the other half (what a perfect sampler would \
         get), <em>held-out</em> is other subjects' segments against the training segments (what generalisation costs). <em>Copy</em> is what \
         plain training copies get: where it is the best of the line, the measure rewards copying and must not be read alone. The <em>best \
         simple generator</em> is what a method without a network reaches. Intervals are 95% over subjects (utility: over training draws), \
         given where there are enough of them. <em>Stands</em> says whether the value lies between same and held-out.</p>\n",
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
    let mut html = format!(
        "<h3 id=\"table-{0}\">{name}</h3>\n<p>{question}</p>\n<div class=\"scroll\"><table class=\"numbers measures\">\n",
        name.to_lowercase()
    );
    html.push_str(
        "<thead><tr><th>Measure</th><th>Synthetic</th><th>95% interval</th><th>Same</th><th>Held-out</th><th>Copy</th>\
         <th>Best simple generator</th><th>Stands</th></tr></thead>\n",
    );
    let mut names: Vec<&str> = Vec::new();
    for measure in measures {
        if !names.contains(&measure.name.as_str()) {
            names.push(&measure.name);
        }
    }
    for name in names {
        let of_name: Vec<&Measure> = measures.iter().filter(|m| m.name == name).copied().collect();
        if let (Some(first), classes) = lead(&of_name) {
            html.push_str(&rows(first, &classes));
        }
    }
    html + "</table></div>\n"
}

/// The line of one measure, and what is folded away below it.
fn rows(first: &Measure, classes: &[&Measure]) -> String {
    let words = escape(&measure_in_words(&first.name));
    let unit = if first.unit.is_empty() { String::new() } else { format!("{} ", escape(&first.unit)) };
    let of = if first.class == "all" { String::new() } else { format!(" <span class=\"faint\">{}</span>", escape(&first.class)) };
    let definition = escape(&first.definition);
    let folded = match classes.len() {
        0 => "details".to_string(),
        1 => format!("class {}, details", escape(&classes[0].class)),
        n => format!("{n} classes, details"),
    };
    let own = std::iter::once(first).chain(classes.iter().copied());
    let columns: BTreeSet<&str> = own.flat_map(|m| m.baselines.keys().map(String::as_str)).collect();
    let mut html = format!(
        "<tbody>\n<tr class=\"measure\" title=\"{definition}\"><td>{words}{of} <span class=\"aim\" title=\"{}\">{unit}{}</span></td>{}</tr>\n",
        better_in_words(first.better),
        better_as_sign(first.better),
        cells(first)
    );
    html.put(format_args!(
        "<tr class=\"folded\"><td colspan=\"8\"><details><summary>{folded}</summary><p>{definition} ({}; <code>{}</code>)</p>\n\
         <table class=\"numbers\"><thead><tr><th>Class</th><th>Synthetic</th><th>95% interval</th><th>Same</th><th>Held-out</th>\
         {}<th>Segments, subjects</th></tr></thead>\n",
        better_in_words(first.better),
        escape(&first.name),
        columns.iter().map(|name| format!("<th>{}</th>", escape(&heading(name)))).collect::<Vec<_>>().concat()
    ));
    for measure in std::iter::once(first).chain(classes.iter().copied()) {
        html.push_str(&class_row(measure, &columns));
    }
    html + "</table></details></td></tr>\n</tbody>\n"
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_string(), significant)
}

fn interval(m: &Measure) -> String {
    match (m.low, m.high) {
        (Some(low), Some(high)) => format!("{} to {}", significant(low), significant(high)),
        _ => "–".into(),
    }
}

fn cells(m: &Measure) -> String {
    let best = best_baseline(m).map_or_else(
        || "–".into(),
        |(name, v)| format!("{} <span class=\"faint\">{}</span>", significant(v), escape(&set_in_words(name))),
    );
    format!(
        "<td><strong>{}</strong></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"best\">{best}</td><td class=\"words\">{}</td>",
        number(m.value),
        interval(m),
        number(m.same),
        number(m.held_out),
        number(m.baselines.get("training_copy").copied()),
        standing(m)
    )
}

/// A simple generator over a narrow column.
fn heading(baseline: &str) -> String {
    if baseline == "other_segments_of_training_subjects" { "same subjects".into() } else { set_in_words(baseline) }
}

fn class_row(m: &Measure, columns: &BTreeSet<&str>) -> String {
    let baselines: Vec<String> =
        columns.iter().map(|name| format!("<td>{}</td>", number(m.baselines.get(*name).copied()))).collect();
    format!(
        "<tr><td>{}</td><td><strong>{}</strong></td><td>{}</td><td>{}</td><td>{}</td>{}<td>{}, {}</td></tr>\n",
        escape(&m.class),
        number(m.value),
        interval(m),
        number(m.same),
        number(m.held_out),
        baselines.concat(),
        m.segments,
        m.subjects
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::measure;

    #[test]
    fn all_comes_first_then_classes_in_the_order_of_the_field() {
        let rows = ["V", "all", "N"].map(|class| measure("recall", class));
        let (first, classes) = lead(&rows.iter().collect::<Vec<_>>());
        assert_eq!(first.unwrap().class, "all");
        assert_eq!(classes.iter().map(|m| m.class.as_str()).collect::<Vec<_>>(), ["N", "V"]);
        assert_eq!(lead(&[]).0, None);
    }

    #[test]
    fn the_best_baseline_is_no_copy() {
        let mut m = measure("recall", "all");
        m.same = Some(0.9);
        m.baselines = [("training_copy", 1.0), ("mcsharry", 0.5), ("pca_gaussian", 0.7), ("mean_plus_noise", 1.6)]
            .map(|(n, v)| (n.into(), v))
            .into();
        let best = |better| {
            let m = Measure { better, ..m.clone() };
            best_baseline(&m).map(|b| b.0.to_string())
        };
        assert_eq!(best(Better::Higher).as_deref(), Some("mean_plus_noise"));
        assert_eq!(best(Better::Lower).as_deref(), Some("mcsharry"));
        assert_eq!(best(Better::NearSame).as_deref(), Some("pca_gaussian"));
    }
}

//! The comparison as text for a terminal, and as Markdown: a column for each run.

use std::fmt::Write as _;

use physiosynth_evaluation::{Better, Outcome};
use physiosynth_generator::memory::Direction;
use physiosynth_reporting::measure_in_words;

use super::Comparison;
use super::measures::{MeasureRow, Scored, Standing};
use super::runs::RunFacts;

/// Characters of a line on the terminal: more runs than fit follow below.
const LINE: usize = 132;
/// Characters of a row's name at most.
const NAME: usize = 50;
/// Distances that the table of memory shows, in milliseconds: the nearest step stands for each.
const DISTANCES_MS: [f64; 4] = [50.0, 150.0, 300.0, 600.0];

/// A row's name and its cells, by run.
type Row = (String, Vec<String>);

/// A table: rows under headings.
struct Table {
    sections: Vec<(String, Vec<Row>)>,
}

const LEGEND: &str = "* best, its interval apart from all others'   = leading: these intervals touch   ° best value, but no interval \
                      tells it from chance\n↑ higher is better, ↓ lower is better, ≈ best near `same` (real against real)\n";

/// The comparison for a terminal.
pub(super) fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let names: Vec<&str> = comparison.runs.iter().map(|run| run.name.as_str()).collect();
    for (run, facts) in comparison.runs.iter().enumerate() {
        let _ = writeln!(text, "{}  {}", letter(run), facts.folder);
    }
    let table = table(comparison, false);
    let cells = || table.sections.iter().flat_map(|(_, rows)| rows);
    let name = cells().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(NAME);
    let widths: Vec<usize> = (0..names.len())
        .map(|run| cells().filter_map(|(_, row)| row.get(run)).map(|cell| cell.chars().count()).max().unwrap_or(0).max(6) + 2)
        .collect();
    let mut from = 0;
    while from < names.len() {
        let mut to = from + 1;
        while to < names.len() && name + widths[from..=to].iter().sum::<usize>() <= LINE {
            to += 1;
        }
        block(&mut text, &table, name, &widths, &(from..to));
        from = to;
    }
    text.push('\n');
    text.push_str(LEGEND);
    if !comparison.warnings.is_empty() {
        text.push_str("Not scored alike: see the warnings.\n");
    }
    text
}

/// The columns of some runs.
fn block(text: &mut String, table: &Table, name: usize, widths: &[usize], runs: &std::ops::Range<usize>) {
    let mut line = " ".repeat(name);
    for run in runs.clone() {
        let _ = write!(line, "{:>1$}", letter(run), widths[run]);
    }
    let _ = writeln!(text, "\n{line}");
    for (heading, rows) in &table.sections {
        if !heading.is_empty() {
            let _ = writeln!(text, "{heading}");
        }
        for (label, cells) in rows {
            let short: String =
                if label.chars().count() > name { label.chars().take(name - 1).chain(['…']).collect() } else { label.clone() };
            let mut line = format!("{short:<name$}");
            for run in runs.clone() {
                let _ = write!(line, "{:>1$}", cells.get(run).map_or("", String::as_str), widths[run]);
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
}

/// The comparison as a Markdown document.
pub(super) fn markdown(comparison: &Comparison) -> String {
    let mut text = String::from("# Runs side by side\n\n");
    for warning in &comparison.warnings {
        let _ = writeln!(text, "> Not alike: {warning}.\n");
    }
    for (heading, rows) in table(comparison, true).sections {
        if rows.is_empty() {
            continue;
        }
        if !heading.is_empty() {
            let _ = writeln!(text, "## {heading}\n");
        }
        let names: Vec<String> = comparison.runs.iter().map(|run| escaped(&run.name)).collect();
        let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
        for (label, cells) in rows {
            let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
            let _ = writeln!(text, "| {} | {} |", escaped(&label), cells.join(" | "));
        }
        text.push('\n');
    }
    for line in LEGEND.lines() {
        let _ = writeln!(text, "{}  ", line.replace('*', "\\*"));
    }
    text.push_str("\n![measures](measures.png)\n\n![losses](losses.png)\n\n![memory](memory.png)\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

/// A, B, …, Z, then AA.
fn letter(run: usize) -> String {
    let last = char::from(b'A' + (run % 26) as u8).to_string();
    if run < 26 { last } else { letter(run / 26 - 1) + &last }
}

fn table(comparison: &Comparison, whole: bool) -> Table {
    let runs = &comparison.runs;
    let values = |values: &[Option<String>]| values.iter().map(|v| v.clone().unwrap_or_else(|| "–".into())).collect();
    let settings = comparison.settings.iter().map(|row| (row.key.clone(), values(&row.values))).collect();
    let mut measured = Vec::new();
    let mut by_class = Vec::new();
    for row in comparison.measures.iter().filter(|row| row.main) {
        if row.class == "all" { measure(row, &mut measured) } else { measure(row, &mut by_class) }
    }
    let mut sections = vec![
        ("Settings that differ".into(), settings),
        ("Training".into(), training(runs)),
        ("Measures (all classes)".into(), measured),
        ("Verdicts".into(), verdicts(runs)),
    ];
    if whole {
        sections.push(("Class by class".into(), by_class));
    }
    let memory = memory(comparison);
    if !memory.is_empty() {
        sections.push(("Memory: gradient norm over that of the nearest input, looking back".into(), memory));
    }
    Table { sections }
}

/// A row of what `of` says of each run.
fn row(label: &str, runs: &[RunFacts], of: impl Fn(&RunFacts) -> Option<String>) -> Row {
    (label.into(), runs.iter().map(|run| of(run).unwrap_or_else(|| "–".into())).collect())
}

fn training(runs: &[RunFacts]) -> Vec<Row> {
    let stage = |name: &'static str| move |run: &RunFacts| run.seconds.get(name).map(|s| format!("{s:.0}"));
    vec![
        row("parameters", runs, |run| run.parameters.map(grouped)),
        row("training steps", runs, |run| run.steps.map(grouped)),
        row("last training loss", runs, |run| run.train_loss.map(number)),
        row("last validation loss", runs, |run| run.validation_loss.map(number)),
        row("train, wall seconds", runs, stage("train")),
        row("generate, wall seconds", runs, stage("generate")),
        row("threads", runs, |run| (run.threads > 0).then(|| run.threads.to_string())),
    ]
}

fn verdicts(runs: &[RunFacts]) -> Vec<Row> {
    let questions: std::collections::BTreeSet<&String> = runs.iter().flat_map(|run| run.verdicts.keys()).collect();
    let said = |outcome: &Outcome| match outcome {
        Outcome::Pass => "yes",
        Outcome::Fail => "no",
        Outcome::NotAssessable => "open",
    };
    questions.into_iter().map(|q| row(&format!("{q}?"), runs, |run| run.verdicts.get(q).map(|o| said(o).to_string()))).collect()
}

/// The lines of a measure: values, intervals where there are any, shares of `same` where they mean something.
fn measure(row: &MeasureRow, into: &mut Vec<Row>) {
    let sign = match row.better {
        Better::Higher => "↑",
        Better::Lower => "↓",
        Better::NearSame => "≈",
    };
    let class = if row.class == "all" { String::new() } else { format!("{}: ", row.class) };
    let unit = if row.unit.is_empty() { String::new() } else { format!(", {}", row.unit) };
    let cells = |of: &dyn Fn(&Scored) -> Option<String>| -> Vec<String> {
        row.values.iter().map(|v| v.as_ref().and_then(of).unwrap_or_else(|| "–".into())).collect()
    };
    let marked = |v: &Scored| {
        let mark = match v.standing {
            Some(Standing::Best) => "*",
            Some(Standing::Leading) => "=",
            Some(Standing::BestWithoutInterval) => "°",
            None => " ",
        };
        v.value.map(|value| number(value) + mark)
    };
    let trimmed = |cells: Vec<String>| {
        if cells.iter().all(|c| c.ends_with([' ', '–'])) { cells.iter().map(|c| c.trim_end().into()).collect() } else { cells }
    };
    into.push((format!("{class}{}{unit} {sign}", short_words(&row.name)), trimmed(cells(&marked))));
    if row.values.iter().flatten().any(|v| v.low.is_some()) {
        into.push(("    95% interval".into(), cells(&|v| Some(format!("{}–{}", number(v.low?), number(v.high?))))));
    }
    if row.values.iter().flatten().any(|v| v.of_same.is_some()) {
        into.push(("    over same".into(), cells(&|v| v.of_same.map(|share| format!("{share:.2}")))));
    }
}

/// A measure's name in words, with the field's abbreviations where the words are long.
pub(super) fn short_words(name: &str) -> String {
    [
        (": area under the curve", ", AUC"),
        ("Trained on synthetic: macro-F1 over real's", "TSTR over TRTR, macro-F1"),
        ("Trained on synthetic: macro-F1", "TSTR, macro-F1"),
        ("Trained on real: macro-F1", "TRTR, macro-F1"),
        ("Synthetic added to real: gain in macro-F1", "Augmentation: gain in macro-F1"),
        ("random forest", "forest"),
        (", shape alone", ", shape"),
        ("Membership by density ratio", "Membership by density"),
    ]
    .iter()
    .fold(measure_in_words(name), |words, (long, short)| words.replace(long, short))
}

/// How much of the gradient is left at some distances, before and after training, at the middle noise level.
fn memory(comparison: &Comparison) -> Vec<Row> {
    let mut rows = Vec::new();
    for (trained, state) in [(false, "before training"), (true, "after training")] {
        for distance in DISTANCES_MS {
            let left = |reach: &physiosynth_generator::memory::Reach| -> Option<String> {
                let curves: Vec<_> =
                    super::figures::shown(reach).filter(|c| c.trained == trained && c.direction == Direction::Back).collect();
                let curve = curves.first()?;
                let (nearest, far) = (curve.norms.get(1)?, curve.norms.get((distance / reach.step_ms).round() as usize)?);
                (*nearest > 0.0).then(|| number(far / nearest))
            };
            let cells: Vec<Option<String>> = comparison.memory.iter().map(|reach| reach.as_ref().and_then(left)).collect();
            if cells.iter().any(Option::is_some) {
                rows.push((
                    format!("{distance:.0} ms, {state}"),
                    cells.into_iter().map(|c| c.unwrap_or_else(|| "–".into())).collect(),
                ));
            }
        }
    }
    rows
}

/// Three significant digits; small numbers with an exponent.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-3..6).contains(&exponent) { format!("{value:.*}", (2 - exponent).clamp(0, 3) as usize) } else { format!("{value:.1e}") }
        .replace('-', "−")
}

/// Digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([0.85123, 12.345, 0.0, 3.2e-7, -0.0123].map(number), ["0.851", "12.3", "0", "3.2e−7", "−0.012"]);
        assert_eq!(grouped(177_788), "177,788");
    }

    #[test]
    fn runs_have_letters() {
        assert_eq!([0, 25, 26, 27].map(letter), ["A", "Z", "AA", "AB"]);
    }
}

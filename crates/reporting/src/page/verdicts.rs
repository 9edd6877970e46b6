//! The verdicts, in the order of their questions.

use std::collections::BTreeMap;

use physiosynth_evaluation::{Measure, Outcome, Verdict};

use crate::page::Put;
use crate::page::escape::escape;
use crate::words::text_in_words;

const ORDER: [&str; 5] = ["faithful", "diverse", "useful", "private", "plausible"];

/// What each name asks.
pub(crate) fn question(name: &str) -> &'static str {
    match name {
        "faithful" => "Does a synthetic segment look like a real one?",
        "diverse" => "Does the synthetic set hold the variety of the real one?",
        "useful" => "Does it serve in place of real data?",
        "private" => "Was no attack on its training subjects' privacy successful?",
        "plausible" => "Does it make medical sense?",
        _ => "",
    }
}

/// The known ones first, in their order, then any others by name.
pub(crate) fn in_order(verdicts: &BTreeMap<String, Verdict>) -> Vec<(&str, &Verdict)> {
    let rank = |name: &str| ORDER.iter().position(|o| *o == name).unwrap_or(ORDER.len());
    let mut list: Vec<(&str, &Verdict)> = verdicts.iter().map(|(name, verdict)| (name.as_str(), verdict)).collect();
    list.sort_by_key(|(name, _)| rank(name));
    list
}

/// The outcome in a word or two.
pub(crate) fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::NotAssessable => "not assessable",
    }
}

/// What decided a verdict, reason by reason, measures named in words.
pub(crate) fn reasons(verdict: &Verdict, measures: &[Measure]) -> Vec<String> {
    let (mut reasons, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, character) in verdict.because.char_indices() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        // A semicolon in brackets parts no reasons.
        if character == ';' && depth <= 0 {
            reasons.push(&verdict.because[from..at]);
            from = at + 1;
        }
    }
    reasons.push(&verdict.because[from..]);
    reasons.into_iter().map(str::trim).filter(|reason| !reason.is_empty()).map(|r| text_in_words(r, measures)).collect()
}

fn style(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::NotAssessable => "open",
    }
}

/// The answer in one sentence, at the top of the page.
pub(crate) fn headline(verdicts: &BTreeMap<String, Verdict>) -> String {
    let named = |outcome: Outcome| {
        let names: Vec<&str> = in_order(verdicts).into_iter().filter(|(_, v)| v.outcome == outcome).map(|(n, _)| n).collect();
        (names.len(), names.join(", "))
    };
    if verdicts.is_empty() {
        return "<p class=\"headline\">Nothing was evaluated: there is no verdict.</p>\n".into();
    }
    let mut parts = Vec::new();
    for (outcome, words) in [(Outcome::Pass, "Passed"), (Outcome::Fail, "Failed"), (Outcome::NotAssessable, "Not assessable")] {
        let (n, names) = named(outcome);
        if n > 0 {
            parts.push(format!("<span class=\"verdict {}\">{words}</span> {}", style(outcome), escape(&names)));
        }
    }
    format!("<p class=\"headline\">{}</p>\n", parts.join(" &nbsp; "))
}

/// Each verdict with its question and reason.
pub(crate) fn section(verdicts: &BTreeMap<String, Verdict>, measures: &[Measure]) -> String {
    let mut html = String::from("<h2 id=\"verdicts\">Verdicts</h2>\n");
    if verdicts.is_empty() {
        return html + "<p>Nothing was evaluated.</p>\n";
    }
    html.push_str(
        "<div class=\"scroll\"><table class=\"verdicts\">\n<thead><tr><th>Question</th><th>Verdict</th><th>Because</th></tr></thead>\n<tbody>\n",
    );
    for (name, verdict) in in_order(verdicts) {
        html.put(format_args!(
            "<tr><td><strong>{}</strong><br><span class=\"faint\">{}</span></td><td><span class=\"verdict {}\">{}</span></td><td>{}</td></tr>\n",
            escape(name),
            question(name),
            style(verdict.outcome),
            in_words(verdict.outcome),
            listed(&reasons(verdict, measures))
        ));
    }
    html + "</tbody></table></div>\n"
}

/// Reasons a line each; beyond the first few, folded away.
fn listed(reasons: &[String]) -> String {
    const SHOWN: usize = 4;
    let lines = |some: &[String]| some.iter().map(|reason| escape(reason)).collect::<Vec<_>>().join(";<br>");
    if reasons.len() <= SHOWN + 1 {
        return lines(reasons);
    }
    let (first, rest) = reasons.split_at(SHOWN);
    format!("{}<details><summary>{} more</summary>{}</details>", lines(first), rest.len(), lines(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_parted_outside_brackets() {
        let because = "N: far (limit 0.6; p = 0.1); V: fine; ".to_string();
        let verdict = Verdict { outcome: Outcome::Fail, because };
        assert_eq!(reasons(&verdict, &[]), ["N: far (limit 0.6; p = 0.1)", "V: fine"]);
        assert_eq!(reasons(&Verdict { outcome: Outcome::Pass, because: String::new() }, &[]), Vec::<String>::new());
    }
}

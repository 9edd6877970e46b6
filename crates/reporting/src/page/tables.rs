//! The smaller tables: splits, what was skipped, notes, training, times, the run.

use std::collections::BTreeMap;

use physiosynth_signal::{SegmentSet, Split};

use crate::context::{Context, in_order};
use crate::page::Put;
use crate::page::escape::escape;
use crate::report::{Report, RunFacts};
use crate::ticks::{grouped, significant};

/// Which records were set aside and why.
pub(crate) fn skipped(facts: &RunFacts) -> String {
    let mut html = String::from("<h2 id=\"skipped\">What was skipped</h2>\n");
    if facts.skipped.is_empty() {
        return html + "<p>No record was set aside.</p>\n";
    }
    html.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>Record</th><th>Why</th></tr></thead>\n<tbody>\n");
    for (record, reason) in &facts.skipped {
        html.put(format_args!("<tr><td>{}</td><td>{}</td></tr>\n", escape(record), escape(reason)));
    }
    html + "</tbody></table></div>\n"
}

/// What a reader should know, of the run and of its evaluation.
pub(crate) fn notes(facts: &RunFacts, context: &Context<'_>) -> String {
    let mut html = String::from("<h2 id=\"notes\">Notes and limits</h2>\n<ul>\n");
    for note in facts.notes.iter().chain(&context.report.scores.notes) {
        html.put(format_args!("<li>{}</li>\n", escape(note)));
    }
    let channels = context.report.real.channels().max(context.report.synthetic.channels());
    if channels > 1 && !crate::figures::eeg::is_eeg(context) {
        html.put(format_args!(
            "<li>Segments have {channels} channels; the pictures show the first, {}.</li>\n",
            escape(&context.lead)
        ));
    }
    html.push_str(
        "<li>Pictures compare with the segments of the training subjects; a class that has none is compared with all real \
         segments of it.</li>\n</ul>\n",
    );
    html
}

/// Whether segments of one subject are in more than one split.
fn somebody_in_two_splits(real: &SegmentSet) -> bool {
    let mut of: BTreeMap<&str, Split> = BTreeMap::new();
    real.segments.iter().any(|s| *of.entry(&s.subject).or_insert(s.split) != s.split)
}

/// Subjects and segments of each split, by class.
pub(crate) fn splits(facts: &RunFacts, real: &SegmentSet) -> String {
    let mut html = String::from("<h2 id=\"splits\">Segments by split and class</h2>\n");
    if facts.splits.is_empty() {
        return html + "<p>Not recorded.</p>\n";
    }
    let labels = in_order(facts.splits.iter().flat_map(|row| row.segments.iter().map(|(class, _)| class.clone())).collect());
    html.push_str(if somebody_in_two_splits(real) {
        "<p>Splits are by recording: the same people are in several of them.</p>\n"
    } else {
        "<p>Splits are by subject: nobody is in two of them.</p>\n"
    });
    html.push_str("<div class=\"scroll\"><table class=\"numbers\">\n");
    html.push_str("<thead><tr><th>Split</th><th>Subjects</th>");
    for label in &labels {
        html.put(format_args!("<th>{}</th>", escape(label)));
    }
    html.push_str("<th>All</th></tr></thead>\n<tbody>\n");
    for row in &facts.splits {
        html.put(format_args!("<tr><td>{}</td><td>{}</td>", escape(&row.split), row.subjects));
        for label in &labels {
            let count: usize = row.segments.iter().filter(|(class, _)| class == label).map(|(_, n)| n).sum();
            html.put(format_args!("<td>{}</td>", grouped(count)));
        }
        let all: usize = row.segments.iter().map(|(_, n)| n).sum();
        html.put(format_args!("<td><strong>{}</strong></td></tr>\n", grouped(all)));
    }
    html + "</tbody></table></div>\n"
}

/// The history of training in numbers, folded away.
pub(crate) fn training(report: &Report<'_>) -> String {
    if report.history.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<h2 id=\"history\">Training history</h2>\n<details><summary>{} epochs in numbers</summary>\n<div class=\"scroll\"><table class=\"numbers\">\n\
         <thead><tr><th>Epoch</th><th>Training loss</th><th>Validation loss</th><th>Gradient norm, mean</th><th>largest</th>\
         <th>Learning rate</th></tr></thead>\n<tbody>\n",
        report.history.len()
    );
    for e in report.history {
        let kept = if report.best_epoch == Some(e.epoch) { " (kept)" } else { "" };
        html.put(format_args!(
            "<tr><td>{}{kept}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            e.epoch,
            significant(e.train_loss),
            significant(e.validation_loss),
            significant(e.gradient_norm_mean),
            significant(e.gradient_norm_max),
            significant(e.learning_rate)
        ));
    }
    html + "</tbody></table></div></details>\n"
}

/// How long each stage took.
pub(crate) fn timings(facts: &RunFacts) -> String {
    let mut html = String::from("<h2 id=\"timings\">Times</h2>\n");
    if facts.timings.is_empty() {
        return html + "<p>Not recorded.</p>\n";
    }
    html.push_str("<div class=\"scroll\"><table class=\"numbers narrow\">\n<thead><tr><th>Stage</th><th>Seconds</th></tr></thead>\n<tbody>\n");
    for (stage, seconds) in &facts.timings {
        html.put(format_args!("<tr><td>{}</td><td>{}</td></tr>\n", escape(stage), significant(*seconds)));
    }
    let total: f64 = facts.timings.iter().map(|(_, s)| s).filter(|s| s.is_finite()).sum();
    html.put(format_args!("<tr><td><strong>all</strong></td><td><strong>{}</strong></td></tr>\n", significant(total)));
    html + "</tbody></table></div>\n"
}

/// How to make this run again.
pub(crate) fn run(facts: &RunFacts) -> String {
    format!(
        "<h2 id=\"run\">The run</h2>\n<p>Made by physiosynth {} with seed {} on {}:</p>\n<pre>{}</pre>\n\
         <p>The resolved configuration is in <code>config.toml</code> beside this page; feeding it back makes the same run.</p>\n",
        escape(&facts.version),
        facts.seed,
        escape(&facts.device),
        escape(&facts.command)
    )
}

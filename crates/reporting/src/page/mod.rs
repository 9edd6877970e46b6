//! The page: one HTML file with its style and pictures inside, so that it opens offline and can be mailed.

mod escape;
pub(crate) mod measures;
mod tables;
pub(crate) mod verdicts;

use base64::Engine;

use crate::context::Context;
use escape::escape;

/// Text put together piece by piece.
trait Put {
    /// Adds a formatted piece.
    fn put(&mut self, piece: std::fmt::Arguments<'_>);
}

impl Put for String {
    fn put(&mut self, piece: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt(self, piece);
    }
}

/// A figure as the page shows it.
pub(crate) struct Shown {
    /// File name without extension, and the fragment of its address on the page.
    pub name: &'static str,
    pub title: &'static str,
    pub caption: String,
    pub content: Content,
}

/// A figure's picture, or why there is none.
pub(crate) enum Content {
    /// A PNG file.
    Picture(Vec<u8>),
    /// Nothing to show, and why.
    Nothing(&'static str),
}

/// The whole page.
pub(crate) fn render(context: &Context<'_>, figures: &[Shown]) -> String {
    let facts = &context.report.facts;
    let title = if facts.title.is_empty() { &facts.database } else { &facts.title };
    let mut html = String::with_capacity(4 << 20);
    html.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.put(format_args!("<title>{} – physiosynth report</title>\n<style>\n", escape(title)));
    html.push_str(include_str!("style.css"));
    html.push_str("</style>\n</head>\n<body>\n<main>\n");
    html.put(format_args!("<h1>{}</h1>\n", escape(title)));
    html.push_str(&origin(context));
    html.push_str(&verdicts::headline(&context.report.scores.verdicts));
    let (overview, others): (Vec<_>, Vec<_>) = figures.iter().partition(|f| ["overview", "verdicts"].contains(&f.name));
    for figure in overview {
        html.push_str(&figure_html(figure));
    }
    html.push_str(&contents(&others));
    html.push_str(&verdicts::section(&context.report.scores.verdicts, &context.report.scores.measures));
    html.push_str(include_str!("reading.html"));
    html.push_str(&tables::skipped(facts));
    html.push_str(&tables::notes(facts, context));
    html.push_str("<h2 id=\"figures\">Figures</h2>\n");
    for figure in others {
        html.push_str(&figure_html(figure));
    }
    html.push_str(&measures::section(&context.report.scores.measures));
    html.push_str(&tables::splits(facts, context.report.real));
    html.push_str(&tables::training(context.report));
    html.push_str(&tables::timings(facts));
    html.push_str(&tables::run(facts));
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Whose data the page shows: the warning, or that nobody is in it.
fn origin(context: &Context<'_>) -> String {
    let facts = &context.report.facts;
    let counts = format!(
        "{} real segments of {} subjects, {} synthetic segments",
        crate::ticks::grouped(context.report.real.len()),
        context.report.real.subjects().len(),
        crate::ticks::grouped(context.report.synthetic.len())
    );
    let facts_line = format!(
        "<p class=\"facts\">Database {}: {counts}. Preset {}, device {}, seed {}, physiosynth {}.</p>\n",
        escape(&facts.database),
        escape(&facts.preset),
        escape(&facts.device),
        facts.seed,
        escape(&facts.version)
    );
    let note = if facts.simulated {
        "<p class=\"origin\">The database of this run is simulated: “real” below means simulated recordings, and no person's \
         data is shown.</p>\n"
    } else {
        "<p class=\"origin warning\"><strong>Not for sharing.</strong> This page shows pictures of real recordings. Share what \
         a run puts into its <code>share</code> folder instead.</p>\n"
    };
    facts_line + note
}

fn contents(figures: &[&Shown]) -> String {
    let mut html = String::from("<nav><a href=\"#verdicts\">Verdicts</a> <a href=\"#reading\">How to read</a> ");
    html.push_str("<a href=\"#notes\">Notes</a> ");
    for figure in figures {
        if matches!(figure.content, Content::Picture(_)) {
            html.put(format_args!("<a href=\"#{}\">{}</a> ", figure.name, escape(figure.title)));
        }
    }
    html.push_str("<a href=\"#measures\">Measures</a> <a href=\"#run\">Run</a></nav>\n");
    html
}

fn figure_html(figure: &Shown) -> String {
    let (title, caption) = (escape(figure.title), escape(&figure.caption));
    match &figure.content {
        Content::Picture(bytes) => {
            let data = base64::engine::general_purpose::STANDARD.encode(bytes);
            format!(
                "<figure id=\"{}\">\n<h3>{title}</h3>\n<div class=\"picture\"><img alt=\"{title}\" \
                 src=\"data:image/png;base64,{data}\"></div>\n<figcaption>{caption}</figcaption>\n</figure>\n",
                figure.name
            )
        }
        Content::Nothing(why) => {
            format!(
                "<figure id=\"{}\">\n<h3>{title}</h3>\n<p class=\"absent\">Not drawn: {}.</p>\n</figure>\n",
                figure.name,
                escape(why)
            )
        }
    }
}

//! The model card: what a shareable model is, what it is for, how it did, where it ends. After Mitchell et al. 2019.

use std::fmt::Write as _;

use physiosynth_evaluation::{Better, Measure, Outcome};
use physiosynth_reporting::measure_in_words;

use super::{About, PRETRAINED, SHIPPED, Score};

/// Measures of the card by heading, in order; of those with `true`, every class's row is shown.
const SHOWN: [(&str, bool, &[&str]); 5] = [
    ("Beats beside real ones", true, &["precision", "recall", "density", "coverage", "spread_ratio"]),
    (
        "Told apart from real ones",
        false,
        &["discriminator_auc_forest", "discriminator_auc_convolutional", "discriminator_auc_attentive"],
    ),
    (
        "In place of real ones, on held-out subjects",
        false,
        &["tstr_macro_f1_forest", "trtr_macro_f1_forest", "tstr_over_trtr_forest", "augmentation_gain_forest"],
    ),
    (
        "Waves and intervals",
        false,
        &["outside_limits_share", "wasserstein_rr_ms", "wasserstein_pr_ms", "wasserstein_qrs_ms", "wasserstein_qt_ms"],
    ),
    (
        "Attacks on the training subjects",
        false,
        &[
            "exact_copy_share",
            "near_copy_share",
            "dcr_closer_share",
            "membership_distance_segment_auc",
            "membership_distance_subject_auc",
            "membership_distance_subject_top_auc",
            "membership_density_ratio_segment_auc",
            "membership_density_ratio_subject_auc",
            "membership_density_ratio_subject_top_auc",
            "linkage_auc",
        ],
    ),
];

/// What holds of every such model.
const MADE_FOR: &str = "## What it is for, and what not\n\n\
     For trying out and testing software, pipelines and measures; for teaching; for more training beats beside real ones, where you measure \
     that they help; as a baseline for other generators.\n\n\
     Not for diagnosis, treatment, or any statement about a person or about how common a finding is: shares of classes and rhythms are those \
     of a few selected subjects. Not as a stand-in for validation on real patients. Not as a proof that output is anonymous.\n";

/// What stands for all classes together.
const ALL: &str = "all";

/// Whether the card shows a measure.
pub(super) fn is_shown(measure: &Measure) -> bool {
    SHOWN.iter().any(|(_, by_class, names)| names.contains(&measure.name.as_str()) && (*by_class || measure.class == ALL))
}

/// The card, in Markdown.
pub(crate) fn card(about: &About) -> String {
    [heading(about), MADE_FOR.to_owned(), training(about), without(about), scores(about), limits(about), again(about)].join("\n")
}

fn heading(about: &About) -> String {
    let channels: Vec<String> = about.channels.iter().map(|(name, unit)| format!("{name} in {unit}")).collect();
    let classes: Vec<String> =
        about.classes.iter().map(|(label, codes)| format!("{label} (codes {})", codes.join(" "))).collect();
    let named = |name: &String| if name.is_empty() { "without a name".to_owned() } else { format!("`{name}`") };
    let rhythms: Vec<String> = about.rhythms.iter().map(named).collect();
    let data = if about.data.licence.is_empty() {
        format!("{}.\n", about.data.title)
    } else {
        let cite: String = about.data.cite.iter().flat_map(|cite| ["\n- ", cite.as_str()]).collect();
        format!(
            "{}, {}. Whoever passes on what the model makes names the data, and cites:\n{cite}\n",
            about.data.title, about.data.licence
        )
    };
    format!(
        "# {}\n\n\
         A generator of synthetic ECG patients: a bidirectional recurrent network that makes beats from noise ({} weights; {} at {} Hz), a \
         recurrent model of which beat comes when, and distributions of people to draw new patients from. It makes beats of the classes {}, \
         and rhythms {}.\n\n\
         ```sh\n\
         physiosynth generate --model {} --patients 10 --minutes 5 --output patients\n\
         ```\n\n\
         Trained on {data}",
        about.name,
        about.parameters,
        channels.join(", "),
        about.sampling_frequency_hz,
        classes.join(", "),
        rhythms.join(", "),
        if about.name == SHIPPED { PRETRAINED } else { "FOLDER" },
    )
}

fn training(about: &About) -> String {
    let source = &about.source;
    let mut text = "## How it was trained\n\n| | |\n|---|---|\n".to_owned();
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "| {what} | {value} |");
    };
    for (split, subjects, segments) in &source.splits {
        row(split, format!("{segments} beats of {subjects} subjects"));
    }
    row("preset, seed", format!("{}, {}", source.preset, source.seed));
    row("time", format!("{:.0} minutes on {}", source.train_s / 60.0, source.device));
    row("made by", about.made_by.clone());
    for key in ["cell", "units", "layers", "bidirectional", "frame", "epochs", "steps_per_epoch", "batch", "learning_rate"] {
        if let Some(value) = source.settings.get("generator").and_then(|table| table.get(key)) {
            row(&format!("`generator.{key}`"), value.to_string().trim_matches('"').to_owned());
        }
    }
    text + "\nEvery setting of preprocessing, network and rhythm model is in `about.json`. Choices were made on the validation subjects; \
            the test subjects were scored alone.\n"
}

fn without(about: &About) -> String {
    let left_out = |kind: &str| -> String {
        let all = about.left_out.iter().filter(|left| left.kind == kind);
        let names: Vec<String> = all.map(|left| format!("`{}` ({})", left.name, left.subjects)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!(
        "## What of the training subjects is in it\n\n\
         No recording, no beat, no name, none of the rows that stood for the {n} training subjects in the network, no list of anybody's \
         intervals. In their place are distributions over all {n}, each subject counting the same, in numbers of four digits: a Gaussian over \
         the numbers that stand for a subject, its median RR, amplitude and offset; how much of each class, code and rhythm subjects have, and \
         how that goes with the rest; quantiles (1/42 to 41/42) of RR ratios that at least five subjects contribute to; rate, variability and \
         the spectrum of noise. So `--subject` is not possible, and a patient is drawn anew each time.\n\n\
         What fewer than {fewest} of them had is left out (in brackets, how many had it): classes {classes}; codes {codes}; rhythms {rhythms}.\n\n\
         The weights were fitted to the subjects' beats. What they give away of whose those were is measured below, not excluded; there is no \
         formal guarantee.\n",
        n = about.subjects,
        fewest = physiosynth_generator::export::FEWEST,
        classes = left_out("class"),
        codes = left_out("code"),
        rhythms = left_out("rhythm"),
    )
}

fn scores(about: &About) -> String {
    if about.scores.is_empty() {
        return "## Scores\n\nNone were taken.\n".to_owned();
    }
    let mut text = "## Scores\n\nOf segments that *this model* made, against those of its training subjects; beside them, those of *its run*, \
                    which drew patients with its training subjects at hand. *Same*: one half of the real training beats against the other, \
                    what a perfect sampler would get. *Held out*: beats of subjects that were not trained on, against the training subjects'. In brackets \
                    95% intervals over subjects, where there are enough.\n"
        .to_owned();
    if about.verdicts.is_empty() {
        text += "\n*This model* itself was not scored yet: those of *its run* are what is known.\n";
    }
    for (heading, _, names) in SHOWN {
        let rows: Vec<&Score> =
            names.iter().flat_map(|name| about.scores.iter().filter(move |score| score.name == *name)).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "\n### {heading}\n\n| | class | this model | its run | same | held out | better |\n|---|---|---|---|---|---|---|\n"
        );
        for row in rows {
            let interval = row.low.zip(row.high).map_or_else(String::new, |(low, high)| format!(" ({low:.3} to {high:.3})"));
            let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
            let unit = if row.unit.is_empty() { String::new() } else { format!(", {}", row.unit) };
            let _ = writeln!(
                text,
                "| {}{unit} | {} | {}{interval} | {} | {} | {} | {} |",
                measure_in_words(&row.name),
                row.class,
                number(row.value),
                number(row.run),
                number(row.same),
                number(row.held_out),
                better(row.better),
            );
        }
    }
    text += "\nThe attacks ask whether a training subject's beats, or the subject, can be told from held-out people's by the synthetic segments \
             (membership), and whether a synthetic patient is tied to one training subject (linkage); 0.5 is chance.\n";
    if !about.verdicts.is_empty() || !about.run_verdicts.is_empty() {
        text += "\n| verdict | this model | its run |\n|---|---|---|\n";
        let questions: std::collections::BTreeSet<&String> = about.verdicts.keys().chain(about.run_verdicts.keys()).collect();
        for question in questions {
            let of =
                |verdicts: &std::collections::BTreeMap<String, Outcome>| verdicts.get(question).map_or("–", |o| outcome(*o));
            let _ = writeln!(text, "| {question}? | {} | {} |", of(&about.verdicts), of(&about.run_verdicts));
        }
        text += "\nThe thresholds were written down beforehand: `docs/evaluation.md`.\n";
    }
    text
}

fn better(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher",
        Better::Lower => "lower",
        Better::NearSame => "near *same*",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "yes",
        Outcome::Fail => "no",
        Outcome::NotAssessable => "not assessable",
    }
}

fn limits(about: &About) -> String {
    let channels = match about.channels.as_slice() {
        [(name, _)] => format!("One channel ({name})"),
        several => format!("{} channels", several.len()),
    };
    let data = if about.data.database == "mitdb" {
        " They were chosen in one hospital, between 1975 and 1979, for their arrhythmias: nothing here is a population. Records end at 100 Hz, so \
         no finer detail was learned, and nearly all F beats of training are of one subject."
    } else {
        ""
    };
    format!(
        "## Limits\n\n\
         - {} training subjects.{data}\n\
         - {channels} at {} Hz, denoised; `--noise` puts noise and baseline wander back, drawn from distributions over the training records.\n\
         - A patient's rhythm and the shape of the beats are drawn independently of one another.\n\
         - Codes, RR ratios and rhythms are drawn from what people have in common: combinations that only one had do not occur, and some \
         that nobody had may.\n\
         - Windows around a beat have a fixed length; between beats further apart the line is bridged, not generated.\n",
        about.subjects, about.sampling_frequency_hz
    )
}

fn again(about: &About) -> String {
    let seed = about.source.seed;
    format!(
        "## How to make it again\n\n\
         ```sh\n\
         physiosynth run --database {} --preset {} --seed {seed} --output RUN   # settings that differ from the preset's: about.json\n\
         physiosynth export RUN --output {}\n\
         ```\n\n\
         This file is written by the second command. Licence of the model's files: that of the program, as far as it is ours to give; the data's own \
         terms (ATTRIBUTION.txt) go with them.\n",
        about.data.database, about.source.preset, about.name
    )
}

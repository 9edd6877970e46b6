//! Stage 3: `model/` → `synthetic.h5`, and synthetic patients under `share/`.

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::segments::{read_segments, write_segments};
use physiosynth_generator::checkpoint::BEST;
use physiosynth_generator::device::choose;
use physiosynth_generator::{ModelFiles, ObjectiveName, Request, Sampler, generate, rhythm};
use physiosynth_signal::{Seed, SegmentSet, Split};
use serde_json::json;

use super::{Context, Decides, Made, settings};
use crate::config::GenerationConfig;
use crate::patients::epochs;
use crate::source::ATTRIBUTION;
use crate::{files, patients};

/// The synthetic subject that segments belong to which were not made for a patient's record.
const NOBODY: &str = "synthetic";

pub(super) fn decides(context: &mut Context) -> Result<Decides> {
    let config = context.config;
    let (_, chosen) = choose(config.device)?;
    let mut inputs = vec![context.folder.segments(), context.folder.model().join(BEST)];
    let rhythm = context.folder.model().join(rhythm::FOLDER).join(rhythm::BEST);
    inputs.extend(Some(rhythm).filter(|path| path.exists()));
    let settings = json!({"generation": settings(&config.generation)?, "seed": config.seed, "device": chosen.kind.to_string()});
    Ok(Decides { settings, files: inputs })
}

pub(super) fn execute(context: &mut Context) -> Result<Made> {
    let config = context.config;
    let (device, _) = choose(config.device)?;
    let seed = Seed(config.seed);
    let segments = read_segments(&context.folder.segments())?;
    let model = context.folder.model();

    let eeg = epochs::is_eeg(&segments);
    let sampler = &if eeg { epochs::sampler(&config.generation.sampler) } else { config.generation.sampler.clone() };
    let paired = config.generator.objective == ObjectiveName::Paired;
    let (classes, too_small) = classes(&config.generation, &segments)?;
    let opened = if paired { None } else { Some(Sampler::open(&model, sampler, &device)?) };
    let terminal = context.terminal;
    let make = |requests: &[Request]| match &opened {
        Some(opened) => opened.generate(requests, seed, terminal),
        None => generate(&model, &segments, requests, sampler, seed, &device, terminal),
    };
    // Training subjects are made only where they are named; else new patients, as soon as the objective can make any.
    let requests = match &opened {
        Some(people) if config.generation.subjects.is_empty() => {
            people.spread(&classes, config.generation.segments_per_class, config.generation.segment_patients, seed)
        }
        _ => of_subjects(&config.generation, &segments, &classes)?,
    };
    let synthetic = make(&requests)?;
    write_segments(&context.folder.synthetic(), &synthetic)?;

    // Nothing of an earlier run may stay among what is handed on.
    files::remove(&context.folder.share())?;
    let share = context.folder.share();
    std::fs::create_dir_all(&share).with_context(|| format!("cannot make the folder {}", share.display()))?;
    if let Ok(text) = std::fs::read(context.folder.path().join(ATTRIBUTION)) {
        files::write_atomically(&share.join(ATTRIBUTION), &text)?;
    }
    let order = patients::Order {
        // With no novelty a patient is a training subject.
        patients: if sampler.novelty > 0.0 { config.generation.patients } else { 0 },
        duration_s: config.generation.patient_duration_s,
        // Named training subjects never enter `share/`.
        subjects: &[],
        noise: config.generation.noise,
        format: config.generation.format,
        assembly: &config.generation.assembly,
        database: &context.manifest.database,
        shareable: None,
        sampler,
        paired,
        seed,
    };
    let about = if eeg {
        epochs::make(&order, &segments, &classes, &make, &share)?;
        vec!["Generation: synthetic patients follow the order and lengths of the events of a training record.".into()]
    } else {
        patients::note(&patients::make((&ModelFiles::from(&model), &segments), &order, &device, &share, terminal)?)
    };
    // Segments of a training subject stay in the run folder.
    if config.generation.subjects.is_empty() && sampler.novelty > 0.0 {
        write_segments(&share.join("synthetic.h5"), &synthetic)?;
    }
    let notes = &mut context.manifest.notes;
    notes.retain(|note| !note.starts_with("Generation:"));
    notes.push(format!("Generation: {}", made_from(&config.generation, paired)));
    notes.extend(about);
    note_small(context, &too_small);
    Ok(Made { outputs: vec![context.folder.synthetic(), share], parts: Vec::new() })
}

/// Names the classes that were too small to be sampled.
fn note_small(context: &mut Context, too_small: &[Count]) {
    let limit = context.config.generation.smallest_class;
    context.manifest.notes.extend(too_small.iter().map(|(class, n)| {
        format!(
            "Generation: class {class} has {n} training segments, fewer than generation.smallest_class ({limit}), and was not sampled."
        )
    }));
}

/// What the synthetic segments were made from, for whoever reads the manifest.
fn made_from(config: &GenerationConfig, paired: bool) -> String {
    if paired {
        return "every synthetic segment was made from a real training segment with noise added (the paired objective needs one to \
                start from); derived_from in synthetic.h5 names its subject. Nothing here shows that it cannot be traced back."
            .into();
    }
    if !config.subjects.is_empty() {
        return format!(
            "the segments of synthetic.h5 were made from noise alone to be like those of the training subjects asked for ({}), who stand in \
             derived_from; they are not in share/.",
            config.subjects.join(", ")
        );
    }
    format!(
        "every synthetic segment was made from noise alone, for one of {} new patients drawn from a distribution fitted over the \
         training subjects (novelty {}: 0 would be a training subject, 1 nobody in particular). They are meant to be nobody; the verdict \
         \"private?\" says what attacks found.",
        config.segment_patients, config.sampler.novelty
    )
}

/// Stands for all training subjects in `generation.subjects`.
const EVERYBODY: &str = "all";

/// A class and how many training segments it has.
pub(crate) type Count = (String, usize);

/// The classes to be sampled, and those that are too small to be.
pub(crate) fn classes(config: &GenerationConfig, segments: &SegmentSet) -> Result<(Vec<String>, Vec<Count>)> {
    let training = segments.select(&segments.indices(|s| s.split == Split::Train));
    let known = training.labels();
    let count = |label: &str| training.segments.iter().filter(|s| s.label == label).count();
    let counts: Vec<Count> = known.iter().map(|label| (label.clone(), count(label))).collect();
    if let Some(unknown) = config.classes.iter().find(|class| !known.contains(class)) {
        bail!("generation.classes: there is no class {unknown} in the training data; it has {}", known.join(", "));
    }
    if !config.classes.is_empty() {
        return Ok((config.classes.clone(), Vec::new()));
    }
    let (large, small): (Vec<Count>, Vec<Count>) = counts.into_iter().partition(|(_, n)| *n >= config.smallest_class);
    if large.is_empty() {
        bail!("there are no classes to sample: {} in training, all smaller than generation.smallest_class", known.join(", "));
    }
    Ok((large.into_iter().map(|(label, _)| label).collect(), small))
}

/// As many segments of each class as asked for: like any training subject's, or spread over the subjects named; evenly, or over
/// [`EVERYBODY`] as the class is spread over them.
fn of_subjects(config: &GenerationConfig, segments: &SegmentSet, classes: &[String]) -> Result<Vec<Request>> {
    let training = segments.select(&segments.indices(|s| s.split == Split::Train));
    let people = training.subjects();
    let everybody = config.subjects == [EVERYBODY];
    let named: &[String] = if everybody { &people } else { &config.subjects };
    if let Some(unknown) = named.iter().find(|subject| !people.contains(subject)) {
        bail!(
            "generation.subjects: {unknown} is not among the training subjects; they are {}, or '{EVERYBODY}' alone",
            people.join(", ")
        );
    }
    let mut requests = Vec::new();
    for label in classes {
        let request = |subject: Option<&String>, count: usize| Request {
            label: label.clone(),
            subject: subject.cloned(),
            count,
            patient: NOBODY.into(),
            around: Vec::new(),
            first: 0,
        };
        let count = config.segments_per_class;
        if config.subjects.is_empty() {
            requests.push(request(None, count));
            continue;
        }
        let of = |name: &String| training.segments.iter().filter(|s| s.label == *label && s.subject == *name).count();
        let with: Vec<(&String, usize)> = named.iter().map(|name| (name, of(name))).filter(|(_, n)| *n > 0).collect();
        let weight = |n: usize| if everybody { n } else { 1 };
        let total: usize = with.iter().map(|(_, n)| weight(*n)).sum();
        let (mut below, mut given) = (0, 0);
        for (subject, n) in &with {
            below += weight(*n);
            // Rounded sums, so that all together are as many as asked for.
            let own = (count * below).div_ceil(total) - given;
            given += own;
            if own > 0 {
                requests.push(request(Some(*subject), own));
            }
        }
    }
    if requests.is_empty() {
        bail!("there are no such training segments: classes {}, subjects {}", classes.join(", "), config.subjects.join(", "));
    }
    Ok(requests)
}

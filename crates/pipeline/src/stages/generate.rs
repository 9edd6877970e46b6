//! Stage 3: `model/` → `synthetic.h5`, and synthetic patients under `share/`.

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::segments::{read_segments, write_segments};
use physiosynth_generator::checkpoint::BEST;
use physiosynth_generator::device::choose;
use physiosynth_generator::{Request, generate, rhythm};
use physiosynth_signal::{Seed, SegmentSet, Split};
use serde_json::json;

use super::{Context, Decides, Made, settings};
use crate::config::GenerationConfig;
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

    let (requests, too_small) = requests(&config.generation, &segments)?;
    let synthetic = generate(&model, &segments, &requests, seed, &device, context.terminal)?;
    write_segments(&context.folder.synthetic(), &synthetic)?;

    // Nothing of an earlier run may stay among what is handed on.
    files::remove(&context.folder.share())?;
    let share = context.folder.share();
    std::fs::create_dir_all(&share).with_context(|| format!("cannot make the folder {}", share.display()))?;
    let order = patients::Order {
        patients: config.generation.patients,
        duration_s: config.generation.patient_duration_s,
        subjects: &config.generation.subjects,
        noise: config.generation.noise,
        format: config.generation.format,
        assembly: &config.generation.assembly,
        database: &context.manifest.database,
        seed,
    };
    let made = patients::make((&model, &segments), &order, &device, &share, context.terminal)?;
    write_segments(&share.join("synthetic.h5"), &synthetic)?;

    let notes = &mut context.manifest.notes;
    notes.retain(|note| !note.starts_with("Generation:"));
    notes.push(
        "Generation: every synthetic segment was made from a real training segment with noise added (the paired objective needs \
         one to start from); derived_from in synthetic.h5 names its subject. Nothing here shows that it cannot be traced back."
            .into(),
    );
    notes.extend(patients::note(&made));
    notes.extend(too_small.iter().map(|(class, n)| {
        format!(
            "Generation: class {class} has {n} training segments, fewer than generation.smallest_class ({}), and was not sampled.",
            config.generation.smallest_class
        )
    }));
    Ok(Made { outputs: vec![context.folder.synthetic(), share], parts: Vec::new() })
}

/// A class and how many training segments it has.
type Count = (String, usize);

/// As many segments of each class as asked for: from any subject's segments, or spread evenly over the subjects named. Beside
/// them the classes that were too small to be sampled.
fn requests(config: &GenerationConfig, segments: &SegmentSet) -> Result<(Vec<Request>, Vec<Count>)> {
    let training = segments.select(&segments.indices(|s| s.split == Split::Train));
    let known = training.labels();
    let count = |label: &str| training.segments.iter().filter(|s| s.label == label).count();
    let counts: Vec<Count> = known.iter().map(|label| (label.clone(), count(label))).collect();
    let (large, small): (Vec<Count>, Vec<Count>) = counts.into_iter().partition(|(_, n)| *n >= config.smallest_class);
    let named = !config.classes.is_empty();
    let classes = if named { config.classes.clone() } else { large.into_iter().map(|(label, _)| label).collect() };
    if let Some(unknown) = classes.iter().find(|class| !known.contains(class)) {
        bail!("generation.classes: there is no class {unknown} in the training data; it has {}", known.join(", "));
    }
    let people = training.subjects();
    if let Some(unknown) = config.subjects.iter().find(|subject| !people.contains(subject)) {
        bail!("generation.subjects: {unknown} is not among the training subjects; they are {}", people.join(", "));
    }
    let mut requests = Vec::new();
    for label in classes {
        let count = config.segments_per_class;
        if config.subjects.is_empty() {
            requests.push(Request { label, subject: None, count, patient: NOBODY.into() });
            continue;
        }
        let with: Vec<&String> = config
            .subjects
            .iter()
            .filter(|name| training.segments.iter().any(|s| s.label == label && s.subject == **name))
            .collect();
        for (index, subject) in with.iter().enumerate() {
            let share = count / with.len() + usize::from(index < count % with.len());
            requests.push(Request {
                label: label.clone(),
                subject: Some((*subject).clone()),
                count: share,
                patient: NOBODY.into(),
            });
        }
    }
    if requests.is_empty() {
        bail!("there are no training segments to start from: classes {}, subjects {}", known.join(", "), people.join(", "));
    }
    Ok((requests, if named { Vec::new() } else { small }))
}

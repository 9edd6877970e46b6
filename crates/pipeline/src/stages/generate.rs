//! Stage 3: `model/` → `synthetic.h5`, and synthetic patients under `share/`.

use anyhow::{Context as _, Result, bail};
use physiosynth_formats::segments::{read_segments, write_segments};
use physiosynth_generator::checkpoint::BEST;
use physiosynth_generator::device::choose;
use physiosynth_generator::{Request, generate};
use physiosynth_signal::{Seed, SegmentSet, Split};
use serde_json::json;

use super::{Context, Decides, Made, patients, settings};
use crate::config::GenerationConfig;
use crate::files;
use crate::source::ATTRIBUTION;

/// The synthetic subject that segments belong to which were not made for a patient's record.
const NOBODY: &str = "synthetic";

pub(super) fn decides(context: &mut Context) -> Result<Decides> {
    let config = context.config;
    let (_, chosen) = choose(config.device)?;
    let settings = json!({"generation": settings(&config.generation)?, "seed": config.seed, "device": chosen.kind.to_string()});
    Ok(Decides { settings, files: vec![context.folder.segments(), context.folder.model().join(BEST)] })
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

    let patients = patients::plan(&config.generation, &segments, seed)?;
    let requests: Vec<Request> = patients.iter().flat_map(patients::Patient::requests).collect();
    let beats = generate(&model, &segments, &requests, seed, &device, context.terminal)?;
    // Nothing of an earlier run may stay among what is handed on.
    files::remove(&context.folder.share())?;
    let share = context.folder.share();
    std::fs::create_dir_all(&share).with_context(|| format!("cannot make the folder {}", share.display()))?;
    patients::write(&share, &patients, &beats, &context.manifest.database, config)?;
    write_segments(&share.join("synthetic.h5"), &synthetic)?;
    if let Ok(text) = std::fs::read(context.folder.path().join(ATTRIBUTION)) {
        files::write_atomically(&share.join(ATTRIBUTION), &text)?;
    }

    let notes = &mut context.manifest.notes;
    notes.retain(|note| !note.starts_with("Generation:"));
    notes.push(
        "Generation: every synthetic segment was made from a real training segment with noise added (the paired objective needs \
         one to start from); derived_from in synthetic.h5 names its subject. Nothing here shows that it cannot be traced back."
            .into(),
    );
    notes.push(
        "Generation: the RR intervals of synthetic patients come from the simulator's rhythm, not from a learned one, so measures \
         of heart-rate variability are not applicable to them."
            .into(),
    );
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

//! From segment files to the two sets that an evaluation compares: who was trained on, who was held out, which classes meet.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use physiosynth_signal::{SegmentSet, Split};

use super::files::{SegmentFile, unnamed};

/// The class of segments without one.
const UNLABELLED: &str = "unlabelled";
/// The subject of segments without one.
const UNKNOWN: &str = "unknown";
/// Names listed in a message at most.
const LISTED: usize = 12;

/// What is compared, and what a reader should know of how it came about.
pub(super) struct Sides {
    /// Training segments, and test (or validation) ones where there are held-out ones.
    pub(super) real: SegmentSet,
    pub(super) synthetic: SegmentSet,
    pub(super) notes: Vec<String>,
}

/// Sorts the rows of the files. An error names both files where they cannot be compared.
pub(super) fn sides(mut real: SegmentFile, mut synthetic: SegmentFile, mut holdout: Option<SegmentFile>) -> Result<Sides> {
    let mut notes = real.notes.clone();
    for file in [Some(&synthetic), holdout.as_ref()].into_iter().flatten() {
        notes.extend(file.notes.iter().cloned());
    }
    for other in [Some(&mut synthetic), holdout.as_mut()].into_iter().flatten() {
        agree(&mut real, other, &mut notes)?;
    }
    for file in [Some(&mut real), Some(&mut synthetic), holdout.as_mut()].into_iter().flatten() {
        only_finite(file, &mut notes)?;
    }
    label(&mut real, &mut synthetic, holdout.as_mut(), &mut notes)?;
    of_training(&mut real, holdout.is_some(), &mut notes)?;
    if let Some(holdout) = holdout {
        notes.push(format!("{} segments of {} are the held-out ones", held_out_rows(&holdout).len(), holdout.path.display()));
        let mut rows = holdout.set.select(&held_out_rows(&holdout));
        rows.segments.iter_mut().for_each(|s| s.split = Split::Test);
        real.set.append(&rows)?;
    }
    made(&mut synthetic, &mut notes);
    of_people(&mut real, &mut notes);
    if real.set.segments.iter().all(|s| s.split == Split::Train) {
        notes.push(
            "There are no held-out segments (--holdout, or rows of the split 'test'): what generalisation costs, usefulness and most of \
             privacy cannot be told"
                .into(),
        );
    }
    classes(&real, &synthetic, &mut notes)?;
    Ok(Sides { real: real.set, synthetic: synthetic.set, notes })
}

/// Checks that segments can be compared sample by sample, and fills in what one of the two does not say.
fn agree(real: &mut SegmentFile, other: &mut SegmentFile, notes: &mut Vec<String>) -> Result<()> {
    let (name, other_name) = (real.path.display().to_string(), other.path.display().to_string());
    let differ = |what: &str, of_real: String, of_other: String, remedy: &str| -> Result<()> {
        bail!("{what}: {of_real} in {name} and {of_other} in {other_name}; {remedy}")
    };
    let (a, b) = (&mut real.set, &mut other.set);
    if a.time() != b.time() {
        let remedy = "cut or resample the segments to one length";
        return differ("samples per segment differ", a.time().to_string(), b.time().to_string(), remedy);
    }
    if a.channels() != b.channels() {
        let remedy = "compare the same channels (and see --axes)";
        return differ("numbers of channels differ", a.channels().to_string(), b.channels().to_string(), remedy);
    }
    if (a.sampling_frequency_hz - b.sampling_frequency_hz).abs() > 1e-9 {
        let hz = |set: &SegmentSet| format!("{} Hz", set.sampling_frequency_hz);
        return differ("sampling frequencies differ", hz(a), hz(b), "resample one of them");
    }
    b.sampling_frequency_hz = a.sampling_frequency_hz;
    if a.channel_names != b.channel_names {
        if unnamed(&b.channel_names) {
            notes.push(format!("{other_name} does not name its channels: they are taken for {}", a.channel_names.join(", ")));
            b.channel_names.clone_from(&a.channel_names);
        } else if unnamed(&a.channel_names) {
            a.channel_names.clone_from(&b.channel_names);
        } else {
            let remedy = "compare the same channels in the same order";
            return differ("channels differ", a.channel_names.join(", "), b.channel_names.join(", "), remedy);
        }
    }
    if a.channel_units != b.channel_units {
        let silent = |set: &SegmentSet| set.channel_units.iter().all(String::is_empty);
        if silent(b) {
            notes.push(format!("{other_name} names no unit: its samples are taken for {}", a.channel_units.join(", ")));
            b.channel_units.clone_from(&a.channel_units);
        } else if silent(a) {
            notes.push(format!("{name} names no unit: its samples are taken for {}", b.channel_units.join(", ")));
            a.channel_units.clone_from(&b.channel_units);
        } else {
            return differ("units differ", a.channel_units.join(", "), b.channel_units.join(", "), "convert one of them");
        }
    }
    if a.mark_index != b.mark_index {
        if a.mark_index != 0 && b.mark_index != 0 {
            let remedy = "align the segments to one index of the mark";
            return differ("indices of the mark differ", a.mark_index.to_string(), b.mark_index.to_string(), remedy);
        }
        let mark = a.mark_index.max(b.mark_index);
        (a.mark_index, b.mark_index) = (mark, mark);
    }
    Ok(())
}

/// Leaves out segments with samples that are not finite.
fn only_finite(file: &mut SegmentFile, notes: &mut Vec<String>) -> Result<()> {
    let set = &file.set;
    let finite: Vec<usize> = (0..set.len()).filter(|&i| set.physical(i).iter().all(|x| x.is_finite())).collect();
    let left_out = set.len() - finite.len();
    if finite.is_empty() {
        bail!("{} {}: no segment is free of NaN and infinite samples", file.option, file.path.display());
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} of {} segments of {} hold NaN or infinite samples and were left out",
            set.len(),
            file.path.display()
        ));
        file.set = set.select(&finite);
    }
    Ok(())
}

/// Gives a class to segments without one: all the same one, where no file names classes.
fn label(
    real: &mut SegmentFile,
    synthetic: &mut SegmentFile,
    holdout: Option<&mut SegmentFile>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let files: Vec<&mut SegmentFile> = [Some(real), Some(synthetic), holdout].into_iter().flatten().collect();
    let with =
        files.iter().find(|file| file.knows_labels()).map(|file| (file.path.display().to_string(), some(&file.set.labels())));
    let without = files.iter().find(|file| !file.knows_labels()).map(|file| file.path.display().to_string());
    match (with, without) {
        (Some((with, classes)), Some(without)) => bail!(
            "{with} has classes ({classes}) and {without} has none; save them beside the array, as X.labels.npy beside X.npy, or leave \
             them out of every file to compare the segments as one class"
        ),
        (None, _) => notes.push("No file names classes: all segments are compared as one class".into()),
        (Some(_), None) => {}
    }
    for file in files {
        if file.set.segments.iter().any(|s| s.label == "all") {
            bail!("{}: a class cannot be called 'all', which stands for all classes together; rename it", file.path.display());
        }
        for segment in file.set.segments.iter_mut().filter(|s| s.label.is_empty()) {
            UNLABELLED.clone_into(&mut segment.label);
        }
    }
    Ok(())
}

/// Keeps the training segments of the real file, and without a file of held-out ones its test and validation segments too.
fn of_training(real: &mut SegmentFile, held_out_elsewhere: bool, notes: &mut Vec<String>) -> Result<()> {
    let name = real.path.display();
    if !real.knows_splits() {
        real.set.segments.iter_mut().for_each(|s| s.split = Split::Train);
        notes.push(format!("{name} names no splits: all of its {} segments are taken for the training set", real.set.len()));
    }
    let keep = real.set.indices(|s| match s.split {
        Split::Train => true,
        Split::Validation | Split::Test => !held_out_elsewhere,
        Split::Synthetic => false,
    });
    if keep.len() < real.set.len() {
        let left_out = real.set.len() - keep.len();
        notes.push(format!("{left_out} segments of {name} are neither training nor held-out ones and were left out"));
    }
    let set = real.set.select(&keep);
    if !set.segments.iter().any(|s| s.split == Split::Train) {
        bail!("{name}: no segment is of the split 'train', which synthetic segments are compared with; set the dataset 'split'");
    }
    real.set = set;
    Ok(())
}

/// The test segments of a file, or all where it has none.
fn held_out_rows(file: &SegmentFile) -> Vec<usize> {
    let test = file.set.indices(|s| s.split == Split::Test);
    if test.is_empty() { (0..file.set.len()).collect() } else { test }
}

/// The rows that are called synthetic, or all where the file says something else of each.
fn made(file: &mut SegmentFile, notes: &mut Vec<String>) {
    let synthetic = file.set.indices(|s| s.split == Split::Synthetic);
    if synthetic.is_empty() {
        notes.push(format!("{} says of no segment that it is synthetic: all are taken for synthetic ones", file.path.display()));
        file.set.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
    } else if synthetic.len() < file.set.len() {
        let left_out = file.set.len() - synthetic.len();
        notes.push(format!("{left_out} segments of {} are not of the split 'synthetic' and were left out", file.path.display()));
        file.set = file.set.select(&synthetic);
    }
}

/// Names those who have no name, and leaves held-out segments out that are of training subjects.
fn of_people(real: &mut SegmentFile, notes: &mut Vec<String>) {
    let unknown = real.set.segments.iter().filter(|s| s.subject.is_empty()).count();
    if unknown > 0 {
        notes.push(format!(
            "The subjects of {unknown} of {} real segments are unknown: they count as one subject, so that intervals over subjects, \
             usefulness for new people and attacks on membership may not be assessable",
            real.set.len()
        ));
    }
    for segment in real.set.segments.iter_mut().filter(|s| s.subject.is_empty()) {
        UNKNOWN.clone_into(&mut segment.subject);
    }
    let trained: BTreeSet<String> =
        real.set.segments.iter().filter(|s| s.split == Split::Train && s.subject != UNKNOWN).map(|s| s.subject.clone()).collect();
    let both: BTreeSet<&String> = real
        .set
        .segments
        .iter()
        .filter(|s| s.split != Split::Train)
        .map(|s| &s.subject)
        .filter(|s| trained.contains(*s))
        .collect();
    if !both.is_empty() {
        let people = both.len();
        let keep = real.set.indices(|s| s.split == Split::Train || !both.contains(&s.subject));
        notes.push(format!(
            "{} held-out segments of {people} subjects who are in the training set too were left out: splits are by subject here",
            real.set.len() - keep.len()
        ));
        real.set = real.set.select(&keep);
    }
}

/// Names in one line.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(LISTED);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Checks that some class is in both sets, and says which are in one alone.
fn classes(real: &SegmentFile, synthetic: &SegmentFile, notes: &mut Vec<String>) -> Result<()> {
    let training = real.set.select(&real.set.indices(|s| s.split == Split::Train)).labels();
    let made = synthetic.set.labels();
    if !made.iter().any(|class| training.contains(class)) {
        bail!(
            "no class is in both sets: {} has {}, {} has {}; name classes alike on both sides",
            real.path.display(),
            some(&training),
            synthetic.path.display(),
            some(&made)
        );
    }
    for (file, own, other) in [(real, &training, &made), (synthetic, &made, &training)] {
        let alone: Vec<String> = own.iter().filter(|class| !other.contains(class)).cloned().collect();
        if !alone.is_empty() {
            notes.push(format!("Classes in {} alone, which are not compared: {}", file.path.display(), some(&alone)));
        }
    }
    Ok(())
}

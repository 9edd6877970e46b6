//! Segments made from real training segments with noise added.

use std::collections::BTreeMap;

use burn::tensor::Device;
use ndarray::{Array2, Array3, Axis};
use physiosynth_signal::{Cancelled, Group, Progress, Seed, Segment, SegmentSet, Split};
use rand::RngExt;

use super::{Request, SampleError};
use crate::checkpoint::{BEST, Folder};
use crate::conditions::{Condition, Told};
use crate::files::ModelFiles;
use crate::model::{Generator, InputLayout, ModelDescription};
use crate::objective::add_noise;

/// One segment to make: where it starts from, whose it will be, and what its draws are keyed by.
struct Draw<'a> {
    source: usize,
    class: usize,
    patient: &'a str,
    noise: rand_chacha::ChaCha8Rng,
}

/// Each synthetic segment starts from a real one: a training segment of the class (and subject, if asked), drawn at random, with
/// noise at the `snr_db` of training. It keeps that one's scale and offset, code and RR intervals, and names its subject in
/// `derived_from`.
pub(super) fn generate(
    model: &ModelFiles,
    segments: &SegmentSet,
    requests: &[Request],
    seed: Seed,
    device: &Device,
    progress: &dyn Progress,
) -> Result<SegmentSet, SampleError> {
    let folder = Folder::new(model);
    let (description, arrays) = folder.trained()?;
    if let Some(mismatch) = description.mismatch(segments) {
        return Err(SampleError::Mismatch(mismatch));
    }
    let draws = draws(&description, segments, requests, seed)?;
    let device = device.clone().without_autodiff();
    let config = &description.generator;
    let (time, channels, sizes) = (description.time, description.channels(), description.sizes());
    let model = Generator::new(config, sizes, Seed(description.seed), &device);
    let model = folder.with_arrays(BEST, model, &arrays)?;
    let layout = InputLayout::new(config, sizes);

    progress.begin("generating", draws.len() as u64, "segments");
    let mut signals = Vec::with_capacity(draws.len() * time * channels);
    let size = config.generation_batch.max(1);
    for batch in draws.chunks(size) {
        if progress.cancelled() {
            progress.end();
            return Err(Cancelled.into());
        }
        let mut noisy = Vec::with_capacity(batch.len() * time * channels);
        for draw in batch {
            let start = noisy.len();
            noisy.extend(segments.signals.index_axis(Axis(0), draw.source).iter());
            add_noise(&mut noisy[start..], channels, config.snr_db, &mut draw.noise.clone());
        }
        let mut told = Told::default();
        // A last batch of fewer segments is filled up: matrix products of other sizes round differently, and a segment must not
        // depend on how many others are asked for.
        for row in 0..size {
            let class = batch.get(row).map_or(0, |draw| draw.class);
            told.push(sizes.conditions, &Condition { class: Some(class), ..Condition::NONE }, 1.0);
        }
        noisy.resize(size * time * channels, 0.0);
        let output = model.forward(layout.input(&noisy, &told, &device), None);
        let output = output.try_into_vec_as::<f32>().map_err(|error| SampleError::Device(error.to_string()))?;
        signals.extend_from_slice(&output[..batch.len() * time * channels]);
        progress.advance(batch.len() as u64);
    }
    progress.end();
    if signals.iter().any(|x| !x.is_finite()) {
        return Err(SampleError::Device("the model's output is not finite".into()));
    }
    assemble(segments, &draws, &description, signals)
}

/// Chooses where each segment starts from.
fn draws<'a>(
    description: &ModelDescription,
    segments: &SegmentSet,
    requests: &'a [Request],
    seed: Seed,
) -> Result<Vec<Draw<'a>>, SampleError> {
    let mut by_class: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, segment) in segments.segments.iter().enumerate() {
        let usable = || segments.signals.index_axis(Axis(0), i).iter().all(|x| x.is_finite());
        if segment.split == Split::Train && usable() {
            by_class.entry(&segment.label).or_default().push(i);
        }
    }
    let mut made: BTreeMap<(&str, Option<&str>, &str), u64> = BTreeMap::new();
    let mut draws = Vec::new();
    for request in requests {
        let known = (description.classes.binary_search(&request.label), by_class.get(request.label.as_str()));
        let (Ok(class), Some(all)) = known else {
            let available = description.classes.join(", ");
            return Err(SampleError::UnknownClass { label: request.label.clone(), available });
        };
        let of_subject = |i: &usize| request.subject.as_ref().is_none_or(|name| segments.segments[*i].subject == *name);
        let candidates: Vec<usize> = all.iter().copied().filter(of_subject).collect();
        if candidates.is_empty() {
            let names: std::collections::BTreeSet<&str> = all.iter().map(|&i| segments.segments[i].subject.as_str()).collect();
            return Err(SampleError::UnknownSubject {
                label: request.label.clone(),
                subject: request.subject.clone().unwrap_or_default(),
                available: names.into_iter().collect::<Vec<_>>().join(", "),
            });
        }
        let number = made.entry((&request.label, request.subject.as_deref(), &request.patient)).or_default();
        let subject = request.subject.as_deref().unwrap_or("");
        let purpose = format!("generator: sample {} {} {}", request.label, subject, request.patient);
        for _ in 0..request.count {
            let mut rng = seed.stream(&purpose, request.first + *number);
            let source = candidates[rng.random_range(0..candidates.len())];
            draws.push(Draw { source, class, patient: &request.patient, noise: rng });
            *number += 1;
        }
    }
    Ok(draws)
}

fn assemble(
    real: &SegmentSet,
    draws: &[Draw<'_>],
    description: &ModelDescription,
    signals: Vec<f32>,
) -> Result<SegmentSet, SampleError> {
    let sources: Vec<usize> = draws.iter().map(|draw| draw.source).collect();
    let rows = |array: &Array2<f32>| array.select(Axis(0), &sources);
    let shape = (draws.len(), description.time, description.channels());
    let mut synthetic = SegmentSet::empty(
        description.time,
        real.sampling_frequency_hz,
        real.mark_index,
        real.channel_names.clone(),
        real.channel_units.clone(),
    );
    synthetic.signals = Array3::from_shape_vec(shape, signals).map_err(|error| SampleError::Device(error.to_string()))?;
    synthetic.scale = rows(&real.scale);
    synthetic.offset = rows(&real.offset);
    synthetic.segments = draws
        .iter()
        .map(|draw| {
            let source = &real.segments[draw.source];
            Segment {
                subject: draw.patient.to_owned(),
                record: draw.patient.to_owned(),
                split: Split::Synthetic,
                group: Group::None,
                sample: -1,
                // A synthetic patient is nobody's age.
                age_years: None,
                sex: None,
                derived_from: source.subject.clone(),
                ..source.clone()
            }
        })
        .collect();
    Ok(synthetic)
}

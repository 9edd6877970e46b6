//! Segments from noise alone.

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;
use std::sync::OnceLock;

use burn::tensor::Device;
use ndarray::{Array2, Array3, Axis};
use physiosynth_signal::{Cancelled, Progress, Seed, Segment, SegmentSet, Split};
use rand::{Rng as _, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Around, Method, Request, SampleError, SamplerConfig, fast, heun};
use crate::checkpoint::{BEST, Folder};
use crate::colour::Colour;
use crate::conditions::{Condition, Told, Who};
use crate::files::ModelFiles;
use crate::model::{Generator, InputLayout, ModelDescription};
use crate::objective::{ObjectiveName, Scaling};
use crate::population::{Crowd, Facts, Person};
use crate::spectra::{Filter, Spectra};

/// A model of the denoising objective, ready to generate. It holds no segment of anybody.
#[derive(Debug)]
pub struct Sampler {
    description: ModelDescription,
    model: Generator,
    layout: InputLayout,
    /// Who patients are drawn from.
    crowd: Box<dyn Crowd>,
    config: SamplerConfig,
    /// Of the noise, where it has one.
    colour: Option<Colour>,
    /// Of the classes, where segments are to have them.
    spectra: Option<Spectra>,
    /// What gives them to segments of each class, from when that is known: what is made before goes without.
    filters: Vec<OnceLock<Option<Filter>>>,
    device: Device,
}

/// Beats of a class in a record over which the noise that neighbours share changes.
const DRIFT: u64 = 100;

/// One segment to make.
struct Draw<'a> {
    label: &'a str,
    code: String,
    rhythm: String,
    patient: &'a str,
    /// The training subject asked for; empty for a new patient.
    subject: &'a str,
    rr_s: [f32; 2],
    scale: Vec<f32>,
    offset: Vec<f32>,
    condition: Condition,
    /// Where its noise comes from, with the weight of each source; their squares add up to 1.
    noise: Vec<(ChaCha8Rng, f64)>,
}

impl Sampler {
    /// Reads a model: a training's, or one that was handed on.
    pub fn open(files: impl Into<ModelFiles>, config: &SamplerConfig, device: &Device) -> Result<Self, SampleError> {
        let folder = Folder::new(files);
        let (description, arrays) = folder.trained()?;
        if description.generator.objective != ObjectiveName::Denoising {
            return Err(SampleError::Objective("paired"));
        }
        let device = device.clone().without_autodiff();
        let model = Generator::new(&description.generator, description.sizes(), Seed(description.seed), &device);
        let model = folder.with_arrays(BEST, model, &arrays)?;
        let numbers = model.trained_subjects().map_err(SampleError::Device)?;
        let crowd = folder.crowd(&description, numbers)?;
        if !crowd.knows_subjects() && config.novelty < 1.0 {
            return Err(SampleError::Novelty);
        }
        let layout = InputLayout::new(&description.generator, description.sizes());
        let colour = folder.colour(&description)?;
        let spectra = if config.tuning > 0 { folder.spectra(&description)? } else { None };
        let filters = vec![OnceLock::new(); description.classes.len()];
        Ok(Self { description, model, layout, crowd, config: config.clone(), colour, spectra, filters, device })
    }

    /// Classes that it can make.
    pub fn classes(&self) -> Vec<String> {
        self.description.classes.iter().filter(|label| self.crowd.has_class(label)).cloned().collect()
    }

    /// Whether it knows training subjects by name: a model that was handed on does not.
    pub fn knows_subjects(&self) -> bool {
        self.crowd.knows_subjects()
    }

    /// A set like those it makes, without segments.
    pub fn nothing(&self) -> SegmentSet {
        let it = &self.description;
        SegmentSet::empty(it.time, it.sampling_frequency_hz, it.mark_index, it.channel_names.clone(), it.channel_units.clone())
    }

    /// Requests for `count` segments of each class, spread over `patients` new patients, `synthetic-001` and so on. A patient gets of a
    /// class in proportion to what the training subject has that it is nearest to, shared with the others nearest to it: who has none of a class in training is not
    /// made to have it, unless nobody near any patient has it.
    pub fn spread(&self, labels: &[String], count: usize, patients: usize, seed: Seed) -> Vec<Request> {
        let names: Vec<String> = (1..=patients.max(1)).map(|i| format!("synthetic-{i:03}")).collect();
        let everybody: Vec<Person> = names.iter().map(|name| self.new_patient(name, seed)).collect();
        let mut requests = Vec::new();
        for label in labels {
            let mut weights = self.crowd.weights(&everybody, label);
            let total: f64 = weights.iter().sum();
            if total == 0.0 {
                weights.fill(1.0);
            }
            let total = if total == 0.0 { weights.len() as f64 } else { total };
            let (mut below, mut given) = (0.0, 0_usize);
            for (name, weight) in names.iter().zip(weights) {
                below += weight / total * count as f64;
                // Rounded sums, so that all together are `count`.
                let own = ((below.round() as usize).min(count)).saturating_sub(given);
                given += own;
                if own > 0 {
                    let (label, patient) = (label.clone(), name.clone());
                    requests.push(Request { label, subject: None, count: own, patient, around: Vec::new(), first: 0 });
                }
            }
        }
        requests
    }

    /// Generates what `requests` ask for, in their order.
    pub fn generate(&self, requests: &[Request], seed: Seed, progress: &dyn Progress) -> Result<SegmentSet, SampleError> {
        let mut made = self.nothing();
        self.stream(requests, seed, progress, &mut |part| {
            let joined =
                |error: ndarray::ShapeError| SampleError::Device(format!("batches of one model have one shape: {error}"));
            made.signals.append(Axis(0), part.signals.view()).map_err(joined)?;
            made.scale.append(Axis(0), part.scale.view()).map_err(joined)?;
            made.offset.append(Axis(0), part.offset.view()).map_err(joined)?;
            made.segments.extend(part.segments);
            Ok(())
        })?;
        Ok(made)
    }

    /// Finds the filters of the classes asked for, where segments are to have the spectra of the training's, from segments of new patients: as many as there
    /// are segments for each four. These patients and draws are nobody's else, and the same whatever is asked for.
    fn tune(&self, requests: &[Request], progress: &dyn Progress) -> Result<(), SampleError> {
        let Some(spectra) = &self.spectra else { return Ok(()) };
        let wanted = |(class, label): &(usize, &String)| {
            self.filters[*class].get().is_none() && requests.iter().any(|request| request.label == **label)
        };
        let classes: Vec<(usize, &String)> = self.description.classes.iter().enumerate().filter(wanted).collect();
        if classes.is_empty() {
            return Ok(());
        }
        let (count, patients) = (self.config.tuning, self.config.tuning.div_ceil(4));
        let seed = Seed(Seed(self.description.seed).stream("generator: tuning", 0).next_u64());
        progress.begin("tuning spectra", (classes.len() * count) as u64, "segments");
        for (class, label) in classes {
            let mut made: Vec<f32> = Vec::with_capacity(count * self.description.time * self.description.channels());
            self.batches(&self.spread(std::slice::from_ref(label), count, patients, seed), seed, progress, &mut |part| {
                made.extend(part.signals.iter());
                Ok(())
            })?;
            // Nobody else sets it: two threads would find the same.
            let _ = self.filters[class].set(spectra.filter(class, &made));
        }
        progress.end();
        Ok(())
    }

    /// Generates what `requests` ask for, in their order, and gives it to `each` batch by batch; no more than one is held.
    pub fn stream(
        &self,
        requests: &[Request],
        seed: Seed,
        progress: &dyn Progress,
        each: &mut dyn FnMut(SegmentSet) -> Result<(), SampleError>,
    ) -> Result<(), SampleError> {
        requests.iter().try_for_each(|request| self.check(request))?;
        self.tune(requests, progress)?;
        progress.begin("generating", requests.iter().map(|r| r.count as u64).sum(), "segments");
        let done = self.batches(requests, seed, progress, each);
        progress.end();
        done
    }

    fn batches(
        &self,
        requests: &[Request],
        seed: Seed,
        progress: &dyn Progress,
        each: &mut dyn FnMut(SegmentSet) -> Result<(), SampleError>,
    ) -> Result<(), SampleError> {
        let size = self.description.generator.generation_batch.max(1);
        let mut persons: BTreeMap<(&str, &str), Person> = BTreeMap::new();
        let mut made: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        let mut batch: Vec<Draw> = Vec::with_capacity(size);
        for request in requests {
            let (subject, patient) = (request.subject.as_deref().unwrap_or(""), request.patient.as_str());
            let person = persons.entry((subject, patient)).or_insert_with(|| {
                let known = request.subject.as_deref().and_then(|name| self.crowd.subject(name));
                known.unwrap_or_else(|| self.new_patient(patient, seed))
            });
            let number = made.entry((&request.label, subject, patient)).or_default();
            let purpose = format!("generator: sample {} {subject} {patient}", request.label);
            for i in 0..request.count {
                let place = request.first + *number;
                let own = seed.stream(&purpose, place);
                batch.push(self.draw(request, person, request.around.get(i), (own, self.shared(request, place, seed))));
                *number += 1;
                if batch.len() == size {
                    each(self.finish(&std::mem::take(&mut batch), size, progress)?)?;
                }
            }
        }
        if !batch.is_empty() {
            each(self.finish(&batch, size, progress)?)?;
        }
        Ok(())
    }

    /// Whether there is the class, and the subject with it.
    fn check(&self, request: &Request) -> Result<(), SampleError> {
        let label = request.label.clone();
        let classes = self.classes();
        if !classes.contains(&label) {
            return Err(SampleError::UnknownClass { label, available: classes.join(", ") });
        }
        let Some(subject) = request.subject.clone() else { return Ok(()) };
        if !self.crowd.knows_subjects() {
            return Err(SampleError::NoSubjects { subject });
        }
        let names = self.crowd.subjects_with(&label);
        if names.contains(&subject.as_str()) {
            return Ok(());
        }
        Err(SampleError::UnknownSubject { label, subject, available: names.join(", ") })
    }

    /// Who the patient of that name is.
    fn new_patient(&self, name: &str, seed: Seed) -> Person {
        let mut rng = seed.stream(&format!("generator: patient {name}"), 0);
        // Numbered patients depart from one training subject after the other, so that none is over-represented by chance.
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let number: Option<usize> = name[name.len() - digits..].parse().ok();
        let near = number.unwrap_or_else(|| rng.random_range(0..self.crowd.len().max(1)));
        self.crowd.new_patient(self.config.novelty, near, &mut rng)
    }

    /// The noise that segment number `place` of a request's patient and class has in common with others, with weights; nothing where it is
    /// all its own.
    fn shared(&self, request: &Request, place: u64, seed: Seed) -> Vec<(ChaCha8Rng, f64)> {
        let of = |what: &str, number: u64| {
            let subject = request.subject.as_deref().unwrap_or("");
            seed.stream(&format!("generator: {what} {} {subject} {}", request.label, request.patient), number)
        };
        // Training subjects vary as the network has learned it.
        let likeness = if request.subject.is_some() { 0.0 } else { self.config.likeness * self.config.novelty };
        // Beats with something around them follow one another in a record.
        let drift = if request.around.is_empty() { 0.0 } else { self.config.drift };
        // From one draw to the next along a quarter of a circle, so that the variance stays.
        let (knot, angle) = (place / DRIFT, FRAC_PI_2 * (place % DRIFT) as f64 / DRIFT as f64);
        let sources = [
            (of("noise of", 0), likeness.sqrt()),
            (of("drift of", knot), drift.sqrt() * angle.cos()),
            (of("drift of", knot + 1), drift.sqrt() * angle.sin()),
        ];
        sources.into_iter().filter(|(_, weight)| *weight > 0.0).collect()
    }

    /// One segment to make; its own draws come from `rng`, and what of its noise `shared` leaves.
    fn draw<'a>(
        &self,
        request: &'a Request,
        person: &Person,
        around: Option<&Around>,
        (mut rng, mut shared): (ChaCha8Rng, Vec<(ChaCha8Rng, f64)>),
    ) -> Draw<'a> {
        let label = request.label.as_str();
        let Facts { code, rhythm, rr_s } = self.crowd.facts(person, label, around.map_or("", |around| &around.rhythm), &mut rng);
        let rr_s = around.map_or(rr_s, |around| around.rr_s);
        let [log_scale_within, offset_ratio_within] = self.crowd.within();
        let mut varied = |means: &[f64], within: &[f64]| -> Vec<f64> {
            let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
            means.iter().zip(within).map(|(mean, within)| mean + within * normal(&mut rng)).collect()
        };
        let scale: Vec<f64> = varied(&person.log_scale, log_scale_within).into_iter().map(f64::exp).collect();
        let ratio = varied(&person.offset_ratio, offset_ratio_within);
        let condition = Condition {
            class: self.description.classes.binary_search(&request.label).ok(),
            code: self.description.codes.binary_search(&code).ok(),
            rhythm: self.description.rhythms.binary_search(&rhythm).ok(),
            rr_s,
            age_years: person.age_years,
            sex: person.sex,
            who: Who::New(person.numbers.clone()),
        };
        let left = 1.0 - shared.iter().map(|(_, weight)| weight * weight).sum::<f64>();
        shared.push((rng, left.max(0.0).sqrt()));
        Draw {
            label,
            code,
            rhythm,
            patient: &request.patient,
            subject: request.subject.as_deref().unwrap_or(""),
            rr_s,
            offset: ratio.iter().zip(&scale).map(|(ratio, scale)| (ratio * scale) as f32).collect(),
            scale: scale.into_iter().map(|x| x as f32).collect(),
            condition,
            noise: shared,
        }
    }

    /// The segments of one batch. It is filled up to `size`: matrix products of other sizes round differently, and a segment must
    /// not depend on how many others are asked for.
    fn finish(&self, batch: &[Draw], size: usize, progress: &dyn Progress) -> Result<SegmentSet, SampleError> {
        let (time, channels) = (self.description.time, self.description.channels());
        let width = time * channels;
        let sizes = self.description.sizes().conditions;
        let levels = self.config.levels();
        let (mut told, mut nothing) = (Told::default(), Told::default());
        for row in 0..size {
            told.push(sizes, batch.get(row).map_or(&Condition::NONE, |draw| &draw.condition), levels[0]);
            nothing.push(sizes, &Condition::NONE, levels[0]);
        }
        let mut sources: Vec<Vec<(ChaCha8Rng, f64)>> = batch.iter().map(|draw| draw.noise.clone()).collect();
        let classes: Vec<usize> = batch.iter().map(|draw| draw.condition.class.unwrap_or(0)).collect();
        let mut noise = |x: &mut [f32], deviation: f64| {
            let mut drawn: Vec<f64> = Vec::with_capacity(sources.len() * width);
            for sources in &mut sources {
                for _ in 0..width {
                    let mut sum = 0.0;
                    for (source, weight) in sources.iter_mut() {
                        let normal: f64 = StandardNormal.sample(source);
                        sum += *weight * normal;
                    }
                    drawn.push(sum);
                }
            }
            if let Some(colour) = &self.colour {
                colour.apply(&classes, &mut drawn, width);
            }
            for (sample, noise) in x.iter_mut().zip(drawn) {
                *sample = deviation.mul_add(noise, f64::from(*sample)) as f32;
            }
        };
        let mut x = vec![0.0; size * width];
        noise(&mut x, levels[0]);
        let guidance = self.config.guidance;
        let mut denoise = |x: &[f32], sigma: f64| {
            if progress.cancelled() {
                return Err(Cancelled.into());
            }
            let mut clean = self.denoised(x, &mut told, sigma)?;
            if guidance != 1.0 {
                for (y, without) in clean.iter_mut().zip(self.denoised(x, &mut nothing, sigma)?) {
                    *y = without + guidance as f32 * (*y - without);
                }
            }
            Ok(clean)
        };
        let mut signals = match self.config.method {
            Method::Heun => heun::solve(x, &levels, self.config.churn, &mut denoise, &mut noise)?,
            Method::Fast => fast::solve(x, &levels, &mut denoise)?,
        };
        let emphasis = self.description.generator.emphasis;
        if let Some(colour) = &self.colour {
            for (segment, &class) in signals.chunks_exact_mut(width).zip(&classes) {
                colour.unlevel(class, segment);
                if emphasis > 0.0 {
                    let starts: Vec<f64> = colour.emphasised(class, emphasis).into_iter().map(f64::recip).collect();
                    crate::emphasis::begin(segment, &starts);
                }
            }
        }
        if emphasis > 0.0 {
            signals.chunks_exact_mut(width).for_each(|segment| crate::emphasis::undo(segment, channels, emphasis));
        }
        signals.truncate(batch.len() * width);
        signals.par_chunks_exact_mut(width).zip(&classes).for_each(|(segment, &class)| {
            if let Some(filter) = self.filters.get(class).and_then(|filter| filter.get()?.as_ref()) {
                filter.apply(segment);
            }
        });
        progress.advance(batch.len() as u64);
        self.set(batch, signals)
    }

    /// The clean segments that the network expects behind `x`, noisy with standard deviation `sigma`.
    fn denoised(&self, x: &[f32], told: &mut Told, sigma: f64) -> Result<Vec<f32>, SampleError> {
        let scaling = Scaling { deviation: self.description.deviation };
        let (input, skip, output) = (scaling.input(sigma) as f32, scaling.skip(sigma) as f32, scaling.output(sigma) as f32);
        told.set_level(sigma);
        let scaled: Vec<f32> = x.iter().map(|x| input * x).collect();
        let found = self.model.forward(self.layout.input(&scaled, told, &self.device), None);
        let found = found.try_into_vec_as::<f32>().map_err(|error| SampleError::Device(error.to_string()))?;
        Ok(x.iter().zip(found).map(|(x, f)| skip * x + output * f).collect())
    }

    fn set(&self, batch: &[Draw], signals: Vec<f32>) -> Result<SegmentSet, SampleError> {
        if signals.iter().any(|x| !x.is_finite()) {
            return Err(SampleError::Device("the model's output is not finite".into()));
        }
        let (rows, time, channels) = (batch.len(), self.description.time, self.description.channels());
        let shape = |error: ndarray::ShapeError| SampleError::Device(error.to_string());
        let of = |values: for<'b> fn(&'b Draw<'_>) -> &'b Vec<f32>| {
            let values = batch.iter().flat_map(|draw| values(draw).iter().copied()).collect();
            Array2::from_shape_vec((rows, channels), values).map_err(shape)
        };
        let segment = |draw: &Draw| Segment {
            code: draw.code.clone(),
            rr_before_s: draw.rr_s[0],
            rr_after_s: draw.rr_s[1],
            rhythm: draw.rhythm.clone(),
            age_years: draw.condition.age_years,
            sex: draw.condition.sex,
            derived_from: draw.subject.to_owned(),
            ..Segment::new(draw.label, draw.patient, Split::Synthetic)
        };
        Ok(SegmentSet {
            signals: Array3::from_shape_vec((rows, time, channels), signals).map_err(shape)?,
            scale: of(|draw| &draw.scale)?,
            offset: of(|draw| &draw.offset)?,
            segments: batch.iter().map(segment).collect(),
            ..self.nothing()
        })
    }
}

//! New patients' rhythms from a trained model.

use burn::Tensor;
use burn::tensor::{Device, TensorData};
use physiosynth_recurrent::State;
use physiosynth_signal::Seed;
use rand::Rng;

use super::examples::row;
use super::folder::{BEST, Description, Folder};
use super::net::{RhythmNet, Sizes};
use super::portrait::{Patient, by_share};
use super::tokens::{Features, UNIT};
use super::{RhythmError, RhythmReport, mixture};
use crate::files::ModelFiles;

/// Beats that are drawn and thrown away, so that a record does not begin with the start of the model.
const SETTLE: usize = 512;
/// How often an interval outside the limits is drawn again before it is set to the nearer limit.
const DRAWS: usize = 20;

/// Beats over which a record is held to its portrait: about a quarter of an hour.
const HORIZON: f64 = 1024.0;
/// How firmly shares of rhythms and of classes are held to those of the portrait (see [`Walk`]).
const HOLDS: [f64; 2] = [2.0, 1.0];
/// Shares below this count as this: what is rare may come twice.
const RARE: f64 = 0.003;
/// Part of the mean deviation of the last beats that is taken back with each interval, where it is small beside the patient's own
/// variability: a time constant of 70 beats.
const RETURNS: f64 = 0.015;
/// The most that is taken back with one interval, in units of deviation.
const MOST_TAKEN: f64 = 0.1;

/// One beat of a sampled rhythm.
#[derive(Debug, Clone, PartialEq)]
pub struct RhythmBeat {
    /// Its class, an index into [`RhythmModel::classes`].
    pub class: usize,
    /// The rhythm in force, an index into [`RhythmModel::rhythms`].
    pub rhythm: usize,
    /// Seconds since the beat before; of the first beat of no meaning.
    pub rr_before_s: f64,
}

/// Limits of what a heart does; what lies outside is drawn again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalLimits {
    /// The shortest interval, in seconds.
    pub least_s: f64,
    /// The longest.
    pub most_s: f64,
}

/// A trained model, ready to sample.
#[derive(Debug)]
pub struct RhythmModel {
    description: Description,
    net: RhythmNet,
    device: Device,
}

impl RhythmModel {
    /// The model below a model folder; `None` where there is none.
    pub fn open(model: impl Into<ModelFiles>) -> Result<Option<Self>, RhythmError> {
        let folder = Folder::new(model);
        let Some((description, arrays)) = folder.trained()? else { return Ok(None) };
        let device = Device::flex();
        let config = &description.rhythm;
        let sizes = Sizes::new(&description.vocabulary, config.units, config.components, description.standard.width());
        let net = RhythmNet::new(sizes, Seed(description.seed), &device);
        let net = folder.with_arrays(BEST, net, &arrays)?;
        Ok(Some(Self { description, net, device }))
    }

    /// What the training of the model in this folder reported; `None` where there is none.
    pub fn report(model: impl Into<ModelFiles>) -> Result<Option<RhythmReport>, RhythmError> {
        Folder::new(model).report()
    }

    /// Names of the classes, the ordinary one first.
    pub fn classes(&self) -> &[String] {
        &self.description.vocabulary.classes
    }

    /// Names of the rhythms, as their marks name them; one may be empty: no mark.
    pub fn rhythms(&self) -> &[String] {
        &self.description.vocabulary.rhythms
    }

    /// New patients; the first of more are the same.
    pub fn patients(&self, count: usize, seed: Seed) -> Vec<Patient> {
        self.description.portraits.draw(count, self.description.rhythm.spread, seed)
    }

    /// The portraits of a training subject, one for each of its records: a known person's rhythm, not for sharing.
    pub fn known(&self, subject: &str) -> Vec<Patient> {
        let all = self.description.portraits.known().iter().enumerate();
        let own = all.filter(|(_, known)| known.subject == subject);
        own.map(|(around, k)| Patient { around: Some(around), subject: k.subject.clone(), portrait: k.portrait.clone() })
            .collect()
    }

    /// The training subjects, each once, in order of name.
    pub fn subjects(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.description.portraits.known().iter().map(|known| known.subject.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A rhythm of at least `duration_s` for a patient, with how many intervals were outside the limits and were drawn again. It
    /// depends on the patient, the seed and `index` alone. Memory is proportional to the number of beats.
    pub fn sample(
        &self,
        patient: &Patient,
        duration_s: f64,
        limits: IntervalLimits,
        seed: Seed,
        index: u64,
    ) -> Result<(Vec<RhythmBeat>, usize), RhythmError> {
        let mut walk = Walk::new(self, patient, limits, seed.stream("rhythm: beats", index));
        for _ in 0..SETTLE {
            walk.next()?;
        }
        walk.redrawn = 0;
        let (mut beats, mut time_s) = (Vec::new(), 0.0);
        while time_s < duration_s {
            let beat = walk.next()?;
            time_s += if beats.is_empty() { 0.0 } else { beat.rr_before_s };
            beats.push(beat);
        }
        Ok((beats, walk.redrawn))
    }
}

/// A rhythm on its way.
///
/// Records of half an hour have the portraits that they were told: what there was too much of at first, there is less of later. The
/// network looks back over a few hundred beats and does not know; left to itself it drifts off, as every model does that is trained one
/// step at a time. So a walk is held to its portrait: the logarithm of a rhythm's or a class's probability is changed by what the
/// share asked for is to the share that came, `hold · ln((asked + r) / (came + r))`, over the last thousand beats; and intervals by a small
/// part of the mean deviation `m` of the last, `k · m · (1 + (m / d)²)`, the more so the further it is beyond the patient's own
/// deviation `d`: the model's rate is all but a random walk, whose steps add up.
struct Walk<'a, R: Rng> {
    model: &'a RhythmModel,
    patient: &'a Patient,
    limits: IntervalLimits,
    told: Tensor<2>,
    features: Features,
    state: Option<State>,
    last: (usize, usize, Option<f64>),
    /// Shares that came over the horizon.
    came: [Vec<f64>; 2],
    stream: R,
    redrawn: usize,
}

impl<'a, R: Rng> Walk<'a, R> {
    fn new(model: &'a RhythmModel, patient: &'a Patient, limits: IntervalLimits, mut stream: R) -> Self {
        let Description { vocabulary, standard, .. } = &model.description;
        let told = standard.apply(&patient.portrait);
        let told = Tensor::from_data(TensorData::new(told.clone(), [1, told.len()]), &model.device);
        let rhythm = by_share(patient.portrait.rhythms.iter().copied(), &mut stream);
        Self {
            model,
            patient,
            limits,
            told,
            features: Features::new(vocabulary),
            state: None,
            last: (0, rhythm, None),
            came: [patient.portrait.rhythms.clone(), patient.portrait.classes.clone()],
            stream,
            redrawn: 0,
        }
    }

    fn next(&mut self) -> Result<RhythmBeat, RhythmError> {
        let (class, rhythm, deviation) = self.last;
        let device = &self.model.device;
        let values = row(&mut self.features, class, rhythm, deviation);
        let numbers = Tensor::from_data(TensorData::new(values[..Features::NUMBERS].to_vec(), [1, Features::NUMBERS]), device);
        let width = values.len();
        let features = Tensor::from_data(TensorData::new(values, [1, 1, width]), device);
        let (hidden, state) = self.model.net.run(features, self.told.clone(), self.state.take());
        self.state = Some(state);
        let logits = read(self.model.net.rhythms(hidden.clone()))?;
        // A rhythm that the patient never has is not begun.
        let portrait = &self.patient.portrait;
        let has = |i: &usize| portrait.rhythms.get(*i).is_some_and(|share| *share > 0.0);
        let possible: Vec<f32> =
            logits.iter().enumerate().map(|(i, logit)| if has(&i) { *logit } else { f32::NEG_INFINITY }).collect();
        let rhythm = by_logit(&held(&possible, HOLDS[0], (&portrait.rhythms, &self.came[0])), &mut self.stream);
        follow(&mut self.came[0], rhythm);
        let hot: Vec<f32> = (0..logits.len()).map(|i| f32::from(u8::from(i == rhythm))).collect();
        let hot = Tensor::from_data(TensorData::new(hot, [1, logits.len()]), device);
        let (classes, mixtures) = self.model.net.beats(hidden, hot, numbers);
        let (mut classes, mixtures) = (read(classes)?, read(mixtures)?);
        // Nor does a class come that was left out of the model.
        let portraits = &self.model.description.portraits;
        classes
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| !portraits.has_class(*i))
            .for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
        let class = by_logit(&held(&classes, HOLDS[1], (&portrait.classes, &self.came[1])), &mut self.stream);
        follow(&mut self.came[1], class);
        let each = mixtures.len() / classes.len().max(1);
        let own = mixtures.get(class * each..(class + 1) * each).unwrap_or(&[]);
        let rr_before_s = self.interval(own);
        self.last = (class, rhythm, Some((rr_before_s.ln() - portrait.log_rr) / UNIT));
        Ok(RhythmBeat { class, rhythm, rr_before_s })
    }

    fn interval(&mut self, parameters: &[f32]) -> f64 {
        let mean = self.features.mean();
        let own = self.patient.portrait.log_deviation.exp() / UNIT;
        let held = (RETURNS * mean * (1.0 + (mean / own).powi(2))).clamp(-MOST_TAKEN, MOST_TAKEN);
        let mut rr_s = f64::NAN;
        for _ in 0..DRAWS {
            let deviation = mixture::draw(parameters, &mut self.stream) - held;
            rr_s = (self.patient.portrait.log_rr + UNIT * deviation).exp();
            if (self.limits.least_s..=self.limits.most_s).contains(&rr_s) {
                return rr_s;
            }
            self.redrawn += 1;
        }
        if rr_s > self.limits.least_s { self.limits.most_s } else { self.limits.least_s }
    }
}

/// Logarithms of probabilities, changed towards the shares that are `asked` for, from those that `came`.
fn held(logits: &[f32], hold: f64, (asked, came): (&[f64], &[f64])) -> Vec<f32> {
    let change = |(asked, came): (&f64, &f64)| (hold * ((asked + RARE) / (came + RARE)).ln()) as f32;
    logits.iter().zip(asked.iter().zip(came)).map(|(logit, shares)| logit + change(shares)).collect()
}

/// Takes one more that came into the shares.
fn follow(came: &mut [f64], which: usize) {
    for (index, share) in came.iter_mut().enumerate() {
        *share += (f64::from(u8::from(index == which)) - *share) / HORIZON;
    }
}

fn read(tensor: Tensor<2>) -> Result<Vec<f32>, RhythmError> {
    let values = tensor.try_into_vec_as::<f32>().map_err(|error| RhythmError::Device(error.to_string()))?;
    if values.iter().any(|x| !x.is_finite()) {
        return Err(RhythmError::Device("the rhythm model's output is not finite".into()));
    }
    Ok(values)
}

/// An index drawn by the logarithms of probabilities up to a constant.
fn by_logit(logits: &[f32], stream: &mut impl Rng) -> usize {
    let largest = logits.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
    by_share(logits.iter().map(|logit| f64::from(logit - largest).exp()), stream)
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Silent;

    use super::super::{RhythmConfig, toy, train};
    use super::*;

    const LIMITS: IntervalLimits = IntervalLimits { least_s: 0.2, most_s: 3.0 };

    #[test]
    fn sampled_rhythms_have_what_they_were_trained_on() {
        let folder = tempfile::tempdir().unwrap();
        let config = RhythmConfig {
            units: 24,
            components: 2,
            steps: 300,
            batch: 8,
            length: 60,
            validate_every: 100,
            learning_rate: 0.01,
            ..RhythmConfig::default()
        };
        train(&toy::records(8, 400), &config, Seed(1), folder.path(), &Silent).unwrap();
        let model = RhythmModel::open(folder.path()).unwrap().unwrap();
        assert_eq!((model.classes(), model.rhythms().len()), (&["N".to_owned(), "V".into()][..], 2));
        let patient = &model.patients(1, Seed(5))[0];
        let (beats, _) = model.sample(patient, 600.0, LIMITS, Seed(5), 0).unwrap();
        assert_eq!(model.sample(patient, 600.0, LIMITS, Seed(5), 0).unwrap().0, beats);
        // Premature beats are early, and a pause follows.
        let mean = |chosen: &dyn Fn(usize) -> bool| {
            let all: Vec<f64> = (1..beats.len()).filter(|i| chosen(*i)).map(|i| beats[i].rr_before_s).collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        let early = mean(&|i| beats[i].class == 1);
        let late = mean(&|i| beats[i].class == 0 && beats[i - 1].class == 1);
        let ordinary = mean(&|i| beats[i].class == 0 && beats[i - 1].class == 0);
        assert!(early < 0.8 * ordinary && late > 1.2 * ordinary, "{early} {ordinary} {late}");
        assert!(beats.iter().all(|beat| (0.2..=3.0).contains(&beat.rr_before_s)));
        // Both rhythms occur, each for a while.
        let changes = beats.windows(2).filter(|two| two[0].rhythm != two[1].rhythm).count();
        assert!(changes < beats.len() / 10, "{changes} changes of rhythm in {} beats", beats.len());
        assert!(RhythmModel::report(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_folder_without_a_model_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(RhythmModel::open(folder.path()).unwrap().is_none());
    }

    #[test]
    fn logits_are_probabilities_and_impossible_is_never() {
        let mut stream = Seed(1).stream("t", 0);
        let mut counts = [0; 3];
        (0..3000).for_each(|_| counts[by_logit(&[0.0, f32::NEG_INFINITY, 1.0], &mut stream)] += 1);
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[2]) / f64::from(counts[0]) - 1.0_f64.exp()).abs() < 0.4, "{counts:?}");
    }
}

//! What the network is told of a segment beside its samples: class, original code, RR intervals, rhythm, subject, where asked for
//! its age and sex, and the noise level.
//!
//! Everything here is the same at each time step, so it goes into the recurrent net's constant input and meets its weights once.
//! Each fact can be withheld, and is in a share of the training segments: the network then answers for nobody in particular. A
//! further covariate is one more variant of [`Covariate`] and its columns in [`ConditionSizes::facts`].

use std::fmt;

use burn::Tensor;
use burn::module::{Module, Param};
use burn::tensor::activation::silu;
use burn::tensor::{Device, TensorData};
use physiosynth_signal::Sex;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Frequencies of the noise level's features.
const FREQUENCIES: usize = 16;
/// Width of the hidden layer between them and the network, and of what comes out.
const HIDDEN: usize = 64;
const LEVEL: usize = 32;
/// Columns for RR before and after: value and whether it is known.
const RR: usize = 4;

/// Columns of a covariate: of age, value and whether it is known; of sex, one for each.
const COVARIATE: usize = 2;

/// Something that a record's header may say of its subject, and that the network may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariate {
    /// Age at the recording.
    Age,
    /// Sex.
    Sex,
}

impl fmt::Display for Covariate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Age => "age",
            Self::Sex => "sex",
        })
    }
}

/// How many of each there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionSizes {
    /// Classes.
    pub classes: usize,
    /// Original annotation codes.
    pub codes: usize,
    /// Rhythms that are named.
    pub rhythms: usize,
    /// Whether the subject's age is told.
    pub age: bool,
    /// Whether the subject's sex is told.
    pub sex: bool,
    /// Training subjects.
    pub subjects: usize,
    /// Numbers that stand for a subject.
    pub dimensions: usize,
}

impl ConditionSizes {
    /// Columns that are made on the host: class, code and rhythm (one-hot), RR, age, sex, and whether the subject is told.
    fn facts(&self) -> usize {
        let covariates = COVARIATE * (usize::from(self.age) + usize::from(self.sex));
        self.classes + self.codes + self.rhythms + RR + covariates + 1
    }

    /// Constant inputs of the network.
    pub(crate) fn width(&self) -> usize {
        self.facts() + self.dimensions + LEVEL
    }
}

/// Whose segment it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Who {
    /// Not told.
    Nobody,
    /// A training subject, with what is added to the numbers that stand for it.
    Trained { index: usize, noise: Vec<f32> },
    /// Somebody new, by the numbers themselves.
    New(Vec<f32>),
}

/// What is told of one segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) class: Option<usize>,
    pub(crate) code: Option<usize>,
    /// The rhythm in force.
    pub(crate) rhythm: Option<usize>,
    /// RR before and after in seconds; NaN where not told.
    pub(crate) rr_s: [f32; 2],
    /// Age in years.
    pub(crate) age_years: Option<f32>,
    pub(crate) sex: Option<Sex>,
    pub(crate) who: Who,
}

impl Condition {
    /// Nothing is told.
    pub(crate) const NONE: Self =
        Self { class: None, code: None, rhythm: None, rr_s: [f32::NAN; 2], age_years: None, sex: None, who: Who::Nobody };
}

/// The conditions of a batch as arrays, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Told {
    rows: usize,
    /// `[rows, facts]`.
    facts: Vec<f32>,
    /// `[rows, subjects]`, one-hot; zeros where it is no training subject.
    subject: Vec<f32>,
    /// `[rows, dimensions]`, added to the subject's own numbers.
    added: Vec<f32>,
    /// `[rows, 2 × FREQUENCIES]`.
    level: Vec<f32>,
}

impl Told {
    /// Adds a row: what is told of a segment whose noise has the standard deviation `sigma`.
    pub(crate) fn push(&mut self, sizes: ConditionSizes, condition: &Condition, sigma: f64) {
        self.rows += 1;
        one_hot(&mut self.facts, sizes.classes, condition.class);
        one_hot(&mut self.facts, sizes.codes, condition.code);
        one_hot(&mut self.facts, sizes.rhythms, condition.rhythm);
        for rr in condition.rr_s {
            // About −1 to 1 over the rates of people at rest.
            let known = rr.is_finite() && rr > 0.0;
            let value = if known { (rr.clamp(0.2, 3.0).ln() + 0.25) / 0.3 } else { 0.0 };
            self.facts.extend([value, f32::from(known)]);
        }
        if sizes.age {
            // About −1 to 1 over adults.
            self.facts
                .extend([condition.age_years.map_or(0.0, |age| (age - 50.0) / 25.0), f32::from(condition.age_years.is_some())]);
        }
        if sizes.sex {
            self.facts.extend([Sex::Female, Sex::Male].map(|sex| f32::from(condition.sex == Some(sex))));
        }
        self.facts.push(f32::from(condition.who != Who::Nobody));
        let (index, added) = match &condition.who {
            Who::Nobody => (None, None),
            Who::Trained { index, noise } => (Some(*index), Some(noise)),
            Who::New(numbers) => (None, Some(numbers)),
        };
        one_hot(&mut self.subject, sizes.subjects, index);
        let end = self.added.len() + sizes.dimensions;
        self.added.extend(added.into_iter().flatten().take(sizes.dimensions));
        self.added.resize(end, 0.0);
        self.level.extend(level_features(sigma));
    }

    /// Says of every row that the noise has the standard deviation `sigma`.
    pub(crate) fn set_level(&mut self, sigma: f64) {
        let features = level_features(sigma);
        self.level.chunks_exact_mut(features.len()).for_each(|row| row.copy_from_slice(&features));
    }

    /// The first `classes` columns of the facts: the class alone, `[rows, classes]`.
    pub(crate) fn class(&self, classes: usize, device: &Device) -> Tensor<2> {
        let columns = self.facts.len() / self.rows.max(1);
        let values: Vec<f32> = self.facts.chunks_exact(columns.max(1)).flat_map(|row| &row[..classes]).copied().collect();
        Tensor::from_data(TensorData::new(values, [self.rows, classes]), device)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Some of the rows.
    pub(crate) fn part(&self, rows: std::ops::Range<usize>) -> Self {
        let of = |values: &[f32]| {
            let columns = values.len() / self.rows.max(1);
            values[rows.start * columns..rows.end * columns].to_vec()
        };
        let (facts, subject, added, level) = (of(&self.facts), of(&self.subject), of(&self.added), of(&self.level));
        Self { rows: rows.len(), facts, subject, added, level }
    }

    /// Adds the rows of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        self.rows += other.rows;
        self.facts.extend_from_slice(&other.facts);
        self.subject.extend_from_slice(&other.subject);
        self.added.extend_from_slice(&other.added);
        self.level.extend_from_slice(&other.level);
    }
}

fn one_hot(into: &mut Vec<f32>, size: usize, index: Option<usize>) {
    into.extend((0..size).map(|i| f32::from(Some(i) == index)));
}

/// Sines and cosines of a quarter of the logarithm of the noise's standard deviation (Karras et al. 2022, table 1: `c_noise`),
/// with frequencies spread evenly in their logarithm.
fn level_features(sigma: f64) -> [f32; 2 * FREQUENCIES] {
    let level = sigma.ln() / 4.0;
    let frequency = |i: usize| (-2.0 + 5.0 * (i % FREQUENCIES) as f64 / (FREQUENCIES - 1) as f64).exp();
    std::array::from_fn(|i| {
        let angle = level * frequency(i);
        (if i < FREQUENCIES { angle.sin() } else { angle.cos() }) as f32
    })
}

/// The part of the network that turns conditions into its constant input.
#[derive(Module, Debug)]
pub(crate) struct ConditionNet {
    /// What stands for each training subject, before it is scaled to a root mean square of 1: `[subjects, dimensions]`.
    subjects: Param<Tensor<2>>,
    /// From the noise level's features: `[2 × FREQUENCIES, HIDDEN]`.
    level_in: Param<Tensor<2>>,
    /// `[HIDDEN]`.
    level_in_bias: Param<Tensor<1>>,
    /// `[HIDDEN, LEVEL]`.
    level_out: Param<Tensor<2>>,
    /// `[LEVEL]`.
    level_out_bias: Param<Tensor<1>>,
}

impl ConditionNet {
    /// Drawn from `rng`: subjects uniform in ±1, weights in ±1/√inputs.
    pub(crate) fn new(sizes: ConditionSizes, device: &Device, rng: &mut impl Rng) -> Self {
        let mut uniform = |n: usize, bound: f64| -> Vec<f32> { (0..n).map(|_| rng.random_range(-bound..bound) as f32).collect() };
        let (inputs, hidden) = ((2.0 * FREQUENCIES as f64).sqrt().recip(), (HIDDEN as f64).sqrt().recip());
        let subjects = uniform(sizes.subjects * sizes.dimensions, 1.0);
        let level_in = uniform(2 * FREQUENCIES * HIDDEN, inputs);
        let level_out = uniform(HIDDEN * LEVEL, hidden);
        let matrix = |values, shape: [usize; 2]| Param::from_data(TensorData::new(values, shape), device);
        let zeros = |n: usize| Param::from_data(TensorData::new(vec![0.0_f32; n], [n]), device);
        Self {
            subjects: matrix(subjects, [sizes.subjects, sizes.dimensions]),
            level_in: matrix(level_in, [2 * FREQUENCIES, HIDDEN]),
            level_in_bias: zeros(HIDDEN),
            level_out: matrix(level_out, [HIDDEN, LEVEL]),
            level_out_bias: zeros(LEVEL),
        }
    }

    /// The constant input: `[rows, ConditionSizes::width]`.
    pub(crate) fn forward(&self, told: &Told, device: &Device) -> Tensor<2> {
        let rows = told.rows;
        let upload = |values: &[f32]| {
            let columns = values.len() / rows.max(1);
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, columns]), device)
        };
        // A model that was handed on has no table of subjects.
        let known = self.subjects.val().dims()[0] > 0;
        let own = known.then(|| scaled(upload(&told.subject).matmul(self.subjects.val())));
        let who = own.map_or_else(|| upload(&told.added), |own| own + upload(&told.added));
        let hidden = silu(upload(&told.level).matmul(self.level_in.val()) + self.level_in_bias.val().unsqueeze());
        let level = hidden.matmul(self.level_out.val()) + self.level_out_bias.val().unsqueeze();
        Tensor::cat(vec![upload(&told.facts), who, level], 1)
    }

    /// The numbers that stand for each training subject: `[subject][dimension]`, each with a root mean square of 1.
    pub(crate) fn trained_subjects(&self) -> Result<Vec<Vec<f32>>, String> {
        let [subjects, dimensions] = self.subjects.val().dims();
        if subjects == 0 {
            return Ok(Vec::new());
        }
        let values = scaled(self.subjects.val().inner()).try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        Ok(values.chunks_exact(dimensions).map(<[f32]>::to_vec).collect())
    }
}

/// Each row divided by its root mean square; a row of zeros stays one. On a sphere, noise of a given size means the same for every
/// subject and training cannot escape it by moving them apart.
fn scaled(rows: Tensor<2>) -> Tensor<2> {
    let size = (rows.clone().square().mean_dim(1) + 1e-8).sqrt();
    rows / size
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;

    const SIZES: ConditionSizes =
        ConditionSizes { classes: 2, codes: 3, rhythms: 2, age: false, sex: false, subjects: 4, dimensions: 2 };

    fn net() -> ConditionNet {
        ConditionNet::new(SIZES, &Device::flex(), &mut Seed(1).stream("test", 0))
    }

    fn row(condition: &Condition) -> Vec<f32> {
        let mut told = Told::default();
        told.push(SIZES, condition, 1.0);
        let constant = net().forward(&told, &Device::flex());
        assert_eq!(constant.dims(), [1, SIZES.width()]);
        constant.try_into_vec_as().unwrap()
    }

    #[test]
    fn what_is_not_told_is_zero_and_flagged() {
        let nothing = row(&Condition::NONE);
        assert!(nothing[..SIZES.facts() + SIZES.dimensions].iter().all(|&x| x == 0.0));
        let who = Who::New(vec![0.5, -0.25]);
        let told = Condition { class: Some(1), code: Some(0), rhythm: Some(1), rr_s: [0.6, f32::NAN], who, ..Condition::NONE };
        let told = row(&told);
        assert_eq!(told[..7], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert!((told[7] - (0.6_f32.ln() + 0.25) / 0.3).abs() < 1e-6);
        assert_eq!(told[8..14], [1.0, 0.0, 0.0, 1.0, 0.5, -0.25]);
        assert_eq!(told[14..], nothing[14..], "the same noise level");
    }

    #[test]
    fn age_and_sex_have_columns_where_they_are_told() {
        let sizes = ConditionSizes { age: true, sex: true, ..SIZES };
        assert_eq!(sizes.width(), SIZES.width() + 4);
        let mut told = Told::default();
        told.push(sizes, &Condition { age_years: Some(75.0), sex: Some(Sex::Male), ..Condition::NONE }, 1.0);
        told.push(sizes, &Condition { age_years: Some(25.0), sex: Some(Sex::Female), ..Condition::NONE }, 1.0);
        told.push(sizes, &Condition::NONE, 1.0);
        let columns: Vec<&[f32]> = told.facts.chunks(sizes.facts()).map(|row| &row[11..15]).collect();
        assert_eq!(columns, [[1.0, 1.0, 0.0, 1.0], [-1.0, 1.0, 1.0, 0.0], [0.0; 4]]);
        let mut without = Told::default();
        without.push(SIZES, &Condition { age_years: Some(75.0), sex: Some(Sex::Male), ..Condition::NONE }, 1.0);
        assert!(without.facts.iter().all(|x| *x == 0.0), "not told where not asked for");
    }

    #[test]
    fn subjects_lie_on_a_sphere_and_noise_is_added_to_them() {
        let net = net();
        let subjects = net.trained_subjects().unwrap();
        assert_eq!(subjects.len(), 4);
        for subject in &subjects {
            let square: f32 = subject.iter().map(|x| x * x).sum::<f32>() / 2.0;
            assert!((square - 1.0).abs() < 1e-4, "{square}");
        }
        let told = row(&Condition { who: Who::Trained { index: 2, noise: vec![0.1, 0.2] }, ..Condition::NONE });
        for (i, added) in [0.1, 0.2].iter().enumerate() {
            assert!((told[12 + i] - subjects[2][i] - added).abs() < 1e-6);
        }
        let same = row(&Condition { who: Who::New(subjects[2].clone()), ..Condition::NONE });
        assert!((same[12] - subjects[2][0]).abs() < 1e-6, "a training subject by its numbers");
    }

    #[test]
    fn noise_levels_are_told_apart() {
        let mut one = Told::default();
        one.push(SIZES, &Condition::NONE, 0.1);
        let mut other = one.clone();
        other.set_level(0.2);
        assert_ne!(one, other);
        other.set_level(0.1);
        assert_eq!(one, other);
        other.append(&one);
        assert_eq!((other.rows(), other.level.len()), (2, 4 * FREQUENCIES));
        assert_eq!(other.part(1..2), one);
    }
}

//! Which segments are trained on, what is known of them, and in what clusters and groups they are.

mod clusters;

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::Axis;
use physiosynth_signal::{Seed, Segment, SegmentError, SegmentSet, Sex, Split};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::colour::{Colour, Fitting};
use crate::conditions::{ConditionSizes, Covariate};
use crate::config::GeneratorConfig;
use crate::emphasis::{begin, emphasise};
use crate::objective::ObjectiveName;
use crate::spectra::{Shape, Spectra};
use crate::windows::Windows;
use clusters::{clusters, pairs};

/// Why there is nothing to train on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The set contradicts itself.
    #[error("the segments are inconsistent: {0}")]
    Segments(#[from] SegmentError),
    /// No usable training segments.
    #[error(
        "no training segments: of {total} segments, {train} are in the split 'train', {not_finite} of those with missing samples; \
         choose a split that leaves subjects for training"
    )]
    NoTraining {
        /// Segments in the set.
        total: usize,
        /// Those of the split `train`.
        train: usize,
        /// Those of them with samples that are not finite.
        not_finite: usize,
    },
    /// No cluster has two segments.
    #[error(
        "none of the {clusters} clusters of the {segments} training segments has one in each group, so nothing can be paired; \
         pair per 'event' instead of per 'patient', use fewer clusters, or more recordings"
    )]
    NoPairs {
        /// How many clusters there are.
        clusters: usize,
        /// How many segments.
        segments: usize,
    },
}

/// The segments of one split that the generator uses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pool {
    /// `[segment][time × channel]`, row-major.
    signals: Vec<f32>,
    /// Samples × channels of one segment.
    width: usize,
    /// Index of each segment's class among the training classes.
    pub(crate) class: Vec<usize>,
    /// Index of each segment's code among the training codes; none where training lacks it.
    pub(crate) code: Vec<Option<usize>>,
    /// Index of the rhythm in force among the training rhythms; none where it is not named, or training lacks it.
    pub(crate) rhythm: Vec<Option<usize>>,
    /// Index of each segment's subject among the training subjects; none where it validates.
    pub(crate) subject: Vec<Option<usize>>,
    /// RR before and after each mark in seconds; NaN where unknown.
    pub(crate) rr_s: Vec<[f32; 2]>,
    /// Age in years of each segment's subject; none where it is unknown, or not to be told.
    pub(crate) age_years: Vec<Option<f32>>,
    /// Sex of each segment's subject, likewise.
    pub(crate) sex: Vec<Option<Sex>>,
    /// Where each segment is in the set.
    pub(crate) index: Vec<usize>,
    /// Members of group A and of group B of each cluster that has both, in order of segments; for the paired objective alone.
    pub(crate) clusters: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Pool {
    /// How many segments there are.
    pub(crate) fn len(&self) -> usize {
        self.class.len()
    }

    /// The samples of segment `i`, `[time × channel]`.
    pub(crate) fn segment(&self, i: usize) -> &[f32] {
        &self.signals[i * self.width..(i + 1) * self.width]
    }

    /// The standard deviation of all samples.
    pub(crate) fn deviation(&self) -> f64 {
        let count = self.signals.len().max(1) as f64;
        let mean = self.signals.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        (self.signals.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count).sqrt()
    }

    /// FNV-1a over samples, facts and clusters: tells one choice of segments from another.
    fn fingerprint(&self, mut hash: u64) -> u64 {
        let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.signals.iter().for_each(|x| add(u64::from(x.to_bits())));
        self.class.iter().for_each(|&c| add(c as u64));
        self.code.iter().chain(&self.rhythm).chain(&self.subject).for_each(|c| add(c.map_or(u64::MAX, |c| c as u64)));
        self.rr_s.iter().flatten().for_each(|rr| add(u64::from(rr.to_bits())));
        self.age_years.iter().flatten().for_each(|age| add(u64::from(age.to_bits())));
        self.sex.iter().flatten().for_each(|&sex| add(sex as u64));
        for (a, b) in &self.clusters {
            a.iter().chain([&usize::MAX]).chain(b).for_each(|&i| add(i as u64));
        }
        hash
    }
}

/// What is trained on and what validates it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingData {
    pub(crate) train: Pool,
    /// Empty where no subject was set aside; without clusters where the paired objective finds no pairs.
    pub(crate) validation: Pool,
    /// Class labels, sorted; the order of the one-hot code.
    pub(crate) classes: Vec<String>,
    /// Original annotation codes, likewise.
    pub(crate) codes: Vec<String>,
    /// Rhythms that are named, likewise.
    pub(crate) rhythms: Vec<String>,
    /// Names of the training subjects, likewise.
    pub(crate) subjects: Vec<String>,
    /// What the user should know: what was left out, and why.
    pub(crate) remarks: Vec<String>,
    /// Of the noise, where it has one; both pools are levelled by it.
    pub(crate) colour: Option<Colour>,
    /// Of the classes, where what is generated is to be given them.
    pub(crate) spectra: Option<Spectra>,
    /// Of the training segments, where they are to be cut anew.
    pub(crate) windows: Option<Windows>,
    /// Share of the sample before that is taken off each.
    emphasis: f64,
    channels: usize,
}

impl TrainingData {
    /// Picks the segments: those of the split without missing samples, capped evenly over classes, then subjects, then
    /// clusters and groups. Segments in neither group are put into one at random, half and half within each cluster.
    pub(crate) fn new(set: &SegmentSet, config: &GeneratorConfig, seed: Seed) -> Result<Self, DataError> {
        set.check()?;
        let mut remarks = Vec::new();
        let of = |split| set.indices(|segment| segment.split == split);
        let all = of(Split::Train);
        let usable = finite(set, &all, "training", &mut remarks);
        if usable.is_empty() {
            return Err(DataError::NoTraining { total: set.len(), train: all.len(), not_finite: all.len() - usable.len() });
        }
        let chosen = capped(set, usable, config.train_segments, seed, "training", &mut remarks);
        let names = |of: fn(&Segment) -> &String| -> Vec<String> {
            let names: std::collections::BTreeSet<&String> = chosen.iter().map(|&i| of(&set.segments[i])).collect();
            names.into_iter().cloned().collect()
        };
        let (classes, codes, subjects) = (names(|s| &s.label), names(|s| &s.code), names(|s| &s.subject));
        let mut rhythms = names(|s| &s.rhythm);
        rhythms.retain(|name| !name.is_empty());
        let mut train = pool(set, &chosen, [&classes, &codes, &rhythms, &subjects], config);
        for covariate in &config.covariates {
            let known = |i: &usize| match covariate {
                Covariate::Age => train.age_years[*i].is_some(),
                Covariate::Sex => train.sex[*i].is_some(),
            };
            let (with, all) = ((0..train.len()).filter(known).count(), train.len());
            if with < all {
                remarks.push(format!("{covariate} is known of {with} of {all} training segments"));
            }
        }
        let paired = config.objective == ObjectiveName::Paired;
        if paired {
            train.clusters = pairs(set, &chosen, config.per, seed, "training", &mut remarks);
            if train.clusters.is_empty() {
                let clusters = clusters(set, &chosen, config.per).len();
                return Err(DataError::NoPairs { clusters, segments: chosen.len() });
            }
        }

        let mut held: Vec<usize> = finite(set, &of(Split::Validation), "validation", &mut remarks);
        let before = held.len();
        held.retain(|&i| classes.contains(&set.segments[i].label));
        if held.len() < before {
            remarks.push(format!("{} validation segments are of classes that training lacks: not used", before - held.len()));
        }
        let held = capped(set, held, config.validation_segments, seed, "validation", &mut remarks);
        let mut validation = pool(set, &held, [&classes, &codes, &rhythms, &[]], config);
        if paired {
            validation.clusters = pairs(set, &held, config.per, seed, "validation", &mut remarks);
        }
        if validation.len() == 0 || (paired && validation.clusters.is_empty()) {
            let why = if paired { "can be paired" } else { "of these classes" };
            remarks
                .push(format!("no validation segments {why}: no validation loss, no early stopping; the last weights are kept"));
        }
        let coloured = !paired && config.noise_lags > 0;
        let shape = Shape { time: set.time(), channels: set.channels(), sampling_frequency_hz: set.sampling_frequency_hz };
        let spectra = if coloured { Spectra::of(&train.signals, &train.class, classes.len(), shape) } else { None };
        let windows = if !paired && config.shift { Windows::find(set, &chosen, &train.signals) } else { None };
        if !paired && config.emphasis > 0.0 {
            for pool in [&mut train, &mut validation] {
                let segments = pool.signals.chunks_exact_mut(pool.width.max(1));
                segments.for_each(|segment| emphasise(segment, set.channels(), config.emphasis));
            }
        }
        let fitting = Fitting {
            signals: &train.signals,
            width: train.width,
            class: &train.class,
            classes: classes.len(),
            channels: set.channels(),
            lags: config.noise_lags,
        };
        let colour = if coloured { Colour::fit(&fitting) } else { None };
        if let Some(colour) = &colour {
            for pool in [&mut train, &mut validation] {
                if config.emphasis > 0.0 {
                    for (segment, &class) in pool.signals.chunks_exact_mut(pool.width.max(1)).zip(&pool.class) {
                        begin(segment, &colour.emphasised(class, config.emphasis));
                    }
                }
                colour.level(&pool.class, &mut pool.signals, pool.width);
            }
        }
        let (emphasis, channels) = (if paired { 0.0 } else { config.emphasis }, set.channels());
        Ok(Self { train, validation, classes, codes, rhythms, subjects, remarks, colour, spectra, windows, emphasis, channels })
    }

    /// Samples that training segment `i` may be cut later, at most; 1 for none.
    pub(crate) fn room(&self, i: usize) -> usize {
        self.windows.as_ref().map_or(1, |windows| windows.room(i))
    }

    /// Training segment `i`, `[time × channel]`, cut `late` samples later, as the pool has its segments.
    pub(crate) fn window(&self, i: usize, late: usize) -> Cow<'_, [f32]> {
        let Some(windows) = self.windows.as_ref().filter(|_| late > 0) else { return Cow::Borrowed(self.train.segment(i)) };
        Cow::Owned(self.prepared(windows.cut(i, late), self.train.class[i]))
    }

    /// A segment of a class as the pools have theirs: emphasised, in units of its class's level.
    fn prepared(&self, mut window: Vec<f32>, class: usize) -> Vec<f32> {
        if self.emphasis > 0.0 {
            emphasise(&mut window, self.channels, self.emphasis);
        }
        if let Some(colour) = &self.colour {
            if self.emphasis > 0.0 {
                begin(&mut window, &colour.emphasised(class, self.emphasis));
            }
            let width = window.len();
            colour.level(&[class], &mut window, width);
        }
        window
    }

    /// The standard deviation of the training segments' samples where that of the noise is 1, to nine digits: as it stands in files.
    pub(crate) fn deviation(&self) -> f64 {
        let white = || crate::training::nine_digits(self.train.deviation().max(1e-9));
        // Noise of the data's colour is as strong as they are.
        if self.colour.is_some() { 1.0 } else { white() }
    }

    /// How many there are of what the network may be told.
    pub(crate) fn condition_sizes(&self, config: &GeneratorConfig) -> ConditionSizes {
        ConditionSizes {
            classes: self.classes.len(),
            codes: self.codes.len(),
            rhythms: self.rhythms.len(),
            age: config.tells(Covariate::Age),
            sex: config.tells(Covariate::Sex),
            subjects: self.subjects.len(),
            dimensions: config.subject_dimensions,
        }
    }

    /// Tells one choice of data from another.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.validation.fingerprint(self.train.fingerprint(0xcbf2_9ce4_8422_2325))
    }
}

/// Those of `indices` whose samples are all finite.
fn finite(set: &SegmentSet, indices: &[usize], what: &str, remarks: &mut Vec<String>) -> Vec<usize> {
    let kept: Vec<usize> =
        indices.iter().copied().filter(|&i| set.signals.index_axis(Axis(0), i).iter().all(|x| x.is_finite())).collect();
    if kept.len() < indices.len() {
        remarks.push(format!("{} {what} segments have missing samples: not used", indices.len() - kept.len()));
    }
    kept
}

/// At most `cap` of the segments (0: all), spread evenly; says so where some are left out.
fn capped(set: &SegmentSet, all: Vec<usize>, cap: usize, seed: Seed, what: &str, remarks: &mut Vec<String>) -> Vec<usize> {
    if cap == 0 || all.len() <= cap {
        return all;
    }
    let mut rng = seed.stream(&format!("generator: {what} subsample"), 0);
    let mut chosen = spread(set, &all, cap, 0, &mut rng);
    chosen.sort_unstable();
    remarks.push(format!("{} of {} {what} segments are used, spread over classes and subjects", chosen.len(), all.len()));
    chosen
}

/// `cap` of `members`: each class gets an equal share, what a small class leaves goes to the larger ones; the same for subjects
/// within a class, and for clusters and groups within a subject; at random within those.
fn spread(set: &SegmentSet, members: &[usize], cap: usize, level: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    if members.len() <= cap {
        return members.to_vec();
    }
    let part = |segment: &Segment| match level {
        0 => segment.label.clone(),
        1 => segment.subject.clone(),
        _ => format!("{} {}", segment.cluster, segment.group.as_str()),
    };
    if level == 3 {
        let mut shuffled = members.to_vec();
        shuffled.shuffle(rng);
        shuffled.truncate(cap);
        return shuffled;
    }
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &i in members {
        parts.entry(part(&set.segments[i])).or_default().push(i);
    }
    let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
    parts.sort_by_key(Vec::len);
    let mut left = cap;
    let mut chosen = Vec::with_capacity(cap);
    for (done, members) in parts.iter().enumerate() {
        let share = left / (parts.len() - done);
        let taken = spread(set, members, share, level + 1, rng);
        left -= taken.len();
        chosen.extend(taken);
    }
    chosen
}

/// The chosen segments, with the places of their facts among `names`: classes, codes, rhythms, subjects.
fn pool(set: &SegmentSet, chosen: &[usize], names: [&[String]; 4], config: &GeneratorConfig) -> Pool {
    let width = set.time() * set.channels();
    let mut signals = Vec::with_capacity(chosen.len() * width);
    for &i in chosen {
        signals.extend(set.signals.index_axis(Axis(0), i).iter());
    }
    let place = |names: &[String], name: &String| names.binary_search(name).ok();
    let known = || chosen.iter().map(|&i| &set.segments[i]);
    Pool {
        signals,
        width,
        class: known().map(|s| place(names[0], &s.label).unwrap_or(0)).collect(),
        code: known().map(|s| place(names[1], &s.code)).collect(),
        rhythm: known().map(|s| place(names[2], &s.rhythm)).collect(),
        subject: known().map(|s| place(names[3], &s.subject)).collect(),
        rr_s: known().map(|s| [s.rr_before_s, s.rr_after_s]).collect(),
        age_years: known().map(|s| s.age_years.filter(|age| age.is_finite() && config.tells(Covariate::Age))).collect(),
        sex: known().map(|s| s.sex.filter(|_| config.tells(Covariate::Sex))).collect(),
        index: chosen.to_vec(),
        clusters: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Per;
    use crate::toy;

    fn config(train_segments: usize, per: Per) -> GeneratorConfig {
        GeneratorConfig { objective: ObjectiveName::Paired, per, train_segments, ..Default::default() }
    }

    #[test]
    fn denoising_needs_no_pairs_and_keeps_what_is_known() {
        let mut set = toy::segments(64, 8, 3);
        for (i, segment) in set.segments.iter_mut().enumerate() {
            segment.cluster = i as i32;
        }
        let config = GeneratorConfig::default();
        let data = TrainingData::new(&set, &config, Seed(1)).unwrap();
        assert_eq!(
            (data.classes.len(), data.codes.len(), data.subjects.as_slice()),
            (2, 2, ["p0".to_owned(), "p1".to_owned()].as_slice())
        );
        for (place, &i) in data.train.index.iter().enumerate() {
            let segment = &set.segments[i];
            assert_eq!(data.subjects[data.train.subject[place].unwrap()], segment.subject);
            assert_eq!(data.codes[data.train.code[place].unwrap()], segment.code);
            assert_eq!(data.train.rr_s[place], [segment.rr_before_s, segment.rr_after_s]);
        }
        assert!(data.validation.len() > 0 && data.validation.subject.iter().all(Option::is_none));
        let samples = data.train.index.iter().flat_map(|&i| set.signals.index_axis(Axis(0), i).to_owned());
        let samples: Vec<f64> = samples.map(f64::from).collect();
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / samples.len() as f64;
        assert!((data.train.deviation() - variance.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn cap_is_spread_over_classes_and_subjects() {
        // 40 segments of N (subjects p0 and p1) and 6 of V (p0 alone).
        let mut set = toy::segments(46, 8, 3);
        for (i, segment) in set.segments.iter_mut().enumerate() {
            segment.label = if i < 40 { "N" } else { "V" }.into();
            segment.subject = if i < 40 && i % 2 == 1 { "p1" } else { "p0" }.into();
            segment.split = Split::Train;
        }
        let indices: Vec<usize> = (0..46).collect();
        let mut remarks = Vec::new();
        let chosen = capped(&set, indices, 20, Seed(1), "training", &mut remarks);
        let count = |label: &str, subject: &str| {
            chosen.iter().filter(|&&i| set.segments[i].label == label && set.segments[i].subject == subject).count()
        };
        assert_eq!((count("N", "p0"), count("N", "p1"), count("V", "p0")), (7, 7, 6));
        assert!(remarks[0].contains("20 of 46"), "{remarks:?}");
    }

    #[test]
    fn clusters_keep_subjects_apart_only_per_patient() {
        let set = toy::segments(64, 8, 3);
        let event = TrainingData::new(&set, &config(0, Per::Event), Seed(1)).unwrap();
        let patient = TrainingData::new(&set, &config(0, Per::Patient), Seed(1)).unwrap();
        assert!(patient.train.clusters.len() > event.train.clusters.len());
        let subject = |i: usize| {
            let train = set.indices(|s| s.split == Split::Train);
            set.segments[train[i]].subject.clone()
        };
        for (a, b) in &patient.train.clusters {
            assert!(a.iter().chain(b).all(|&i| subject(i) == subject(a[0])));
        }
    }

    #[test]
    fn missing_samples_and_lonely_segments_are_left_out_and_said() {
        let mut set = toy::segments(64, 8, 3);
        set.signals[[0, 0, 0]] = f32::NAN;
        set.segments[1].cluster = 99;
        let data = TrainingData::new(&set, &config(0, Per::Event), Seed(1)).unwrap();
        assert!(data.remarks.iter().any(|r| r.contains("1 training segments have missing samples")), "{:?}", data.remarks);
        assert!(data.remarks.iter().any(|r| r.contains("without a second segment")), "{:?}", data.remarks);
    }

    #[test]
    fn nothing_to_train_on_is_an_error_with_a_remedy() {
        let mut set = toy::segments(8, 8, 3);
        set.segments.iter_mut().for_each(|s| s.split = Split::Test);
        assert!(TrainingData::new(&set, &config(0, Per::Event), Seed(1)).unwrap_err().to_string().contains("choose a split"));
        for (i, segment) in set.segments.iter_mut().enumerate() {
            segment.split = Split::Train;
            segment.cluster = i as i32;
        }
        assert!(TrainingData::new(&set, &config(0, Per::Event), Seed(1)).unwrap_err().to_string().contains("8 clusters"));
    }

    #[test]
    fn windows_between_segments_are_prepared_as_segments_are() {
        let mut set = toy::segments(64, 8, 3);
        let mut wave = (0..).map(|t| (t as f32 / 5.0).sin());
        for (i, segment) in set.segments.iter_mut().enumerate() {
            (segment.sample, segment.record) = (8 * i as i64, "r".into());
            (segment.label, segment.subject, segment.split) = ("a".into(), "p".into(), Split::Train);
        }
        set.signals.iter_mut().zip(&mut wave).for_each(|(x, wave)| *x = wave);
        let config = GeneratorConfig { emphasis: 0.5, noise_lags: 2, shift: true, ..GeneratorConfig::default() };
        let data = TrainingData::new(&set, &config, Seed(1)).unwrap();
        let windows = data.windows.as_ref().unwrap();
        assert_eq!((data.room(3), data.room(63)), (8, 1));
        assert_eq!(data.prepared(windows.cut(3, 0), 0), data.train.segment(3));
        assert_eq!((data.window(3, 0), data.window(3, 8)), (data.train.segment(3).into(), data.train.segment(4).into()));
        // But for its first sample, which nothing is before, a window has what its segments have at the same places.
        let window = data.window(3, 5);
        assert_eq!((&window[1..3], &window[4..]), (&data.train.segment(3)[6..], &data.train.segment(4)[1..5]));
    }

    #[test]
    fn fingerprint_sees_one_sample() {
        let set = toy::segments(32, 8, 3);
        let print = |set| TrainingData::new(set, &config(0, Per::Event), Seed(1)).unwrap().fingerprint();
        let mut other = set.clone();
        other.signals[[0, 2, 0]] += 1e-3;
        assert_eq!(print(&set), print(&set));
        assert_ne!(print(&set), print(&other));
    }
}

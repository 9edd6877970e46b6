//! Which segments are trained on, in what clusters and groups.

use std::collections::BTreeMap;

use ndarray::Axis;
use physiosynth_signal::{Group, Seed, Segment, SegmentError, SegmentSet, Split};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::config::{GeneratorConfig, Per};

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
    /// Members of group A and of group B of each cluster that has both, in order of segments.
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

    /// FNV-1a over samples, classes and clusters: tells one choice of segments from another.
    fn fingerprint(&self, mut hash: u64) -> u64 {
        let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.signals.iter().for_each(|x| add(u64::from(x.to_bits())));
        self.class.iter().for_each(|&c| add(c as u64));
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
    /// Empty where no subject was set aside, or none of theirs can be paired.
    pub(crate) validation: Pool,
    /// Class labels, sorted; the order of the one-hot code.
    pub(crate) classes: Vec<String>,
    /// What the user should know: what was left out, and why.
    pub(crate) remarks: Vec<String>,
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
        let mut classes: Vec<String> = chosen.iter().map(|&i| set.segments[i].label.clone()).collect();
        classes.sort_unstable();
        classes.dedup();
        let train = pool(set, &chosen, &classes, config.per, seed, "training", &mut remarks);
        if train.clusters.is_empty() {
            let clusters = clusters(set, &chosen, config.per).len();
            return Err(DataError::NoPairs { clusters, segments: chosen.len() });
        }

        let mut held: Vec<usize> = finite(set, &of(Split::Validation), "validation", &mut remarks);
        let before = held.len();
        held.retain(|&i| classes.contains(&set.segments[i].label));
        if held.len() < before {
            remarks.push(format!("{} validation segments are of classes that training lacks: not used", before - held.len()));
        }
        let held = capped(set, held, config.validation_segments, seed, "validation", &mut remarks);
        let validation = pool(set, &held, &classes, config.per, seed, "validation", &mut remarks);
        if validation.clusters.is_empty() {
            remarks.push(
                "no validation segments can be paired: no validation loss, no early stopping; the last weights are kept".into(),
            );
        }
        Ok(Self { train, validation, classes, remarks })
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

/// The members of each cluster, in order of the cluster's key.
fn clusters(set: &SegmentSet, chosen: &[usize], per: Per) -> Vec<Vec<usize>> {
    let mut clusters: BTreeMap<(&str, &str, i32), Vec<usize>> = BTreeMap::new();
    for (position, &i) in chosen.iter().enumerate() {
        let segment = &set.segments[i];
        let subject = if per == Per::Patient { segment.subject.as_str() } else { "" };
        clusters.entry((&segment.label, subject, segment.cluster)).or_default().push(position);
    }
    clusters.into_values().collect()
}

fn pool(
    set: &SegmentSet,
    chosen: &[usize],
    classes: &[String],
    per: Per,
    seed: Seed,
    what: &str,
    remarks: &mut Vec<String>,
) -> Pool {
    let mut rng = seed.stream(&format!("generator: {what} groups"), 0);
    let mut unpaired = 0;
    let mut paired = Vec::new();
    for members in clusters(set, chosen, per) {
        let (a, b) = halves(set, chosen, &members, &mut rng);
        if a.is_empty() || b.is_empty() {
            unpaired += members.len();
        } else {
            paired.push((a, b));
        }
    }
    if unpaired > 0 {
        remarks.push(format!("{unpaired} {what} segments are in clusters without a second segment to pair with: not used"));
    }
    let width = set.time() * set.channels();
    let mut signals = Vec::with_capacity(chosen.len() * width);
    for &i in chosen {
        signals.extend(set.signals.index_axis(Axis(0), i).iter());
    }
    let class = chosen.iter().map(|&i| classes.binary_search(&set.segments[i].label).unwrap_or(0)).collect();
    Pool { signals, width, class, clusters: paired }
}

/// The members of a cluster in group A and in group B.
fn halves(set: &SegmentSet, chosen: &[usize], members: &[usize], rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
    let of = |group| members.iter().copied().filter(|&m| set.segments[chosen[m]].group == group).collect::<Vec<usize>>();
    let (mut a, mut b, mut neither) = (of(Group::A), of(Group::B), of(Group::None));
    neither.shuffle(rng);
    for member in neither {
        if a.len() <= b.len() { a.push(member) } else { b.push(member) }
    }
    a.sort_unstable();
    b.sort_unstable();
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy;

    fn config(train_segments: usize, per: Per) -> GeneratorConfig {
        GeneratorConfig { per, train_segments, ..Default::default() }
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
    fn fingerprint_sees_one_sample() {
        let set = toy::segments(32, 8, 3);
        let print = |set| TrainingData::new(set, &config(0, Per::Event), Seed(1)).unwrap().fingerprint();
        let mut other = set.clone();
        other.signals[[0, 2, 0]] += 1e-3;
        assert_eq!(print(&set), print(&set));
        assert_ne!(print(&set), print(&other));
    }
}

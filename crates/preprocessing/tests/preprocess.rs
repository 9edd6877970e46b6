//! The whole way from records to segments, on records made here: nothing leaks, windows are exact, faults are contained.

use physiosynth_preprocessing::clustering::ClusterBy;
use physiosynth_preprocessing::{Normalise, Prepared, PreprocessError, PreprocessingConfig, preprocess};
use physiosynth_signal::{
    Annotation, Cancelled, Channel, Group, Progress, Record, RecordEntry, RecordSource, Seed, SegmentSet, Silent, SourceError,
    Split,
};
use rand::RngExt;

/// A database in memory; a record without channels and annotations stands for a file that cannot be read.
struct Memory {
    entries: Vec<RecordEntry>,
    records: Vec<Record>,
}

impl Memory {
    fn new(records: Vec<Record>) -> Self {
        let entry = |r: &Record| RecordEntry::of(&r.name, &r.subject);
        Self { entries: records.iter().map(entry).collect(), records }
    }
}

impl RecordSource for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn entries(&self) -> &[RecordEntry] {
        &self.entries
    }

    fn read(&self, index: usize, lead: Option<&str>) -> Result<Record, SourceError> {
        let mut record = self.records[index].clone();
        if record.channels.is_empty() {
            return Err(format!("{}.dat: no such file", record.name).into());
        }
        record.channels.retain(|channel| lead.is_none_or(|lead| channel.label == lead));
        Ok(record)
    }
}

/// Half a minute at 360 Hz: N beats of two shapes and V beats, about one a second, with a little noise.
fn record(name: &str, step: u64) -> Record {
    let mut rng = Seed(99).stream("test record", step);
    let mut samples: Vec<f32> = (0..10_800).map(|_| 0.2 * (rng.random::<f32>() - 0.5)).collect();
    let mut annotations = vec![Annotation::beat(10, "+")];
    for beat in 0..28_usize {
        let mark = 200 + beat * 370 + rng.random_range(0..20);
        let (code, height, width) = match beat % 7 {
            6 => ("V", -1.5, 25.0),
            0 | 2 | 4 => ("N", 1.0, 6.0),
            _ => ("N", 0.6, 14.0),
        };
        for (i, x) in samples.iter_mut().enumerate() {
            let t = (i as f32 - mark as f32) / width;
            *x += height * (-0.5 * t * t).exp();
        }
        annotations.push(Annotation::beat(mark as i64, code));
    }
    Record::new(name).with_channel(Channel::new("MLII", "mV", 360.0, samples)).with_annotations(annotations)
}

fn records(count: usize) -> Vec<Record> {
    (0..count).map(|i| record(&format!("r{i:02}"), i as u64)).collect()
}

fn plain() -> PreprocessingConfig {
    let mut config = PreprocessingConfig::default();
    config.denoise.enabled = false;
    config
}

fn run(records: Vec<Record>, config: &PreprocessingConfig) -> Result<Prepared, PreprocessError> {
    preprocess(&Memory::new(records), config, Seed(1), false, &Silent)
}

/// All that is known of the segments of some splits, bit by bit.
fn bits(set: &SegmentSet, keep: &[Split]) -> Vec<String> {
    let row = |i: usize| -> Vec<u32> { set.signals.index_axis(ndarray::Axis(0), i).iter().map(|x| x.to_bits()).collect() };
    set.indices(|segment| keep.contains(&segment.split))
        .into_iter()
        .map(|i| format!("{:?} {:?} {:?} {:?}", set.segments[i], row(i), set.scale.row(i), set.offset.row(i)))
        .collect()
}

const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

#[test]
fn no_subject_is_in_two_splits() {
    let mut all = records(12);
    for (i, record) in all.iter_mut().enumerate() {
        record.subject = format!("subject {}", i / 2);
    }
    let set = run(all, &plain()).unwrap().segments;
    assert_eq!(set.subjects().len(), 6);
    for subject in set.subjects() {
        let of = |split| set.segments.iter().any(|s| s.subject == subject && s.split == split);
        assert_eq!(ALL.into_iter().filter(|&split| of(split)).count(), 1, "{subject}");
    }
}

#[test]
fn held_out_records_change_nothing_in_training() {
    for normalise in [Normalise::Record, Normalise::TrainingSet] {
        let config = PreprocessingConfig { normalise, ..plain() };
        let first = run(records(10), &config).unwrap();
        let train: Vec<String> =
            first.segments.segments.iter().filter(|s| s.split == Split::Train).map(|s| s.record.clone()).collect();
        let mut changed = records(10);
        for (i, record) in changed.iter_mut().enumerate().filter(|(_, record)| !train.contains(&record.name)) {
            let mut noise = Seed(7).stream("other", i as u64);
            record.channels[0].samples.iter_mut().for_each(|x| *x = 5.0 * *x + noise.random::<f32>());
            record.annotations.push(Annotation::beat(9_000, "A"));
        }
        let second = run(changed, &config).unwrap();
        assert_eq!(bits(&first.segments, &[Split::Train]), bits(&second.segments, &[Split::Train]));
        assert_ne!(bits(&first.segments, &[Split::Test]), bits(&second.segments, &[Split::Test]));
        let shapes =
            |p: &Prepared| p.summary.clusters.iter().map(|c| (c.class.clone(), c.silhouette, c.train)).collect::<Vec<_>>();
        assert_eq!(shapes(&first), shapes(&second));
        assert!(second.segments.segments.iter().all(|s| s.label != "S" || s.cluster == -1), "no S beat trains");
    }
}

#[test]
fn threads_change_nothing() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let config = PreprocessingConfig::default();
    let one = pool(1).install(|| run(records(9), &config)).unwrap();
    let three = pool(3).install(|| run(records(9), &config)).unwrap();
    assert_eq!(bits(&one.segments, &ALL), bits(&three.segments, &ALL));
    assert_eq!((one.summary.records, one.summary.clusters), (three.summary.records, three.summary.clusters));
    assert_eq!((one.summary.stretches, one.summary.counts), (three.summary.stretches, three.summary.counts));
}

#[test]
fn the_mark_sits_at_the_mark_index_after_resampling() {
    for rate in [360.0, 180.0, 250.0, 128.0] {
        let marks: Vec<i64> = (0..20).map(|i| 500 + i * 451).collect();
        let mut samples = vec![0.0_f32; 10_800];
        for (i, x) in samples.iter_mut().enumerate() {
            *x += marks.iter().map(|&m| (-0.5 * ((i as f32 - m as f32) / 4.0).powi(2)).exp()).sum::<f32>();
        }
        let annotations = marks.iter().map(|&m| Annotation::beat(m, "N")).collect();
        let source = Record::new("r").with_channel(Channel::new("MLII", "mV", 360.0, samples)).with_annotations(annotations);
        let set = run(vec![source], &PreprocessingConfig { sampling_frequency_hz: rate, ..plain() }).unwrap().segments;
        assert_eq!((set.len(), set.mark_index), (20, (0.25 * rate).round() as usize));
        assert_eq!(set.segments[3].sample, marks[3]);
        for (segment, row) in set.segments.iter().zip(set.signals.outer_iter()) {
            let peak = (0..set.time()).max_by(|&a, &b| row[[a, 0]].total_cmp(&row[[b, 0]])).unwrap();
            // The mark lies between two working samples: either of them may be the higher, and both are within half a step.
            let exact = (segment.sample as f64 * rate / 360.0).fract();
            let between = (exact - 0.5).abs() < 0.02;
            assert!(peak == set.mark_index || between && peak.abs_diff(set.mark_index) == 1, "{rate} Hz: {peak} for {exact}");
        }
    }
}

#[test]
fn normalised_segments_return_to_the_source() {
    for normalise in [Normalise::Record, Normalise::Segment, Normalise::TrainingSet] {
        let config = PreprocessingConfig { sampling_frequency_hz: 360.0, normalise, ..plain() };
        let all = records(4);
        let set = run(all.clone(), &config).unwrap().segments;
        for (i, segment) in set.segments.iter().enumerate() {
            let source = &all.iter().find(|r| r.name == segment.record).unwrap().channels[0].samples;
            let start = segment.sample as usize - set.mark_index;
            for (found, expected) in set.physical(i).iter().zip(&source[start..]) {
                assert!((found - expected).abs() < 1e-5, "{normalise:?}: {found} for {expected}");
            }
        }
        let train = set.indices(|s| s.split == Split::Train);
        let values: Vec<f64> = set.select(&train).signals.iter().map(|&x| f64::from(x)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
        if normalise != Normalise::Record {
            assert!(mean.abs() < 1e-4 && (deviation - 1.0).abs() < 1e-4, "{normalise:?}: {mean} {deviation}");
        }
    }
}

#[test]
fn clusters_divide_classes_by_shape_and_groups_halve_them() {
    for (by, expected) in [(ClusterBy::Class, "N N V"), (ClusterBy::Subject, ""), (ClusterBy::SubjectClass, "")] {
        let mut config = plain();
        config.clustering.by = by;
        config.clustering.smallest_group = 20;
        config.sampling_frequency_hz = 360.0;
        let prepared = run(records(10), &config).unwrap();
        let (set, clusters) = (&prepared.segments, &prepared.summary.clusters);
        if by == ClusterBy::Class {
            let classes: Vec<&str> = clusters.iter().map(|c| c.class.as_str()).collect();
            assert_eq!(classes.join(" "), expected, "{clusters:?}");
        }
        for (id, info) in clusters.iter().enumerate() {
            assert_eq!(info.id, id as i32);
            let of = |group| set.segments.iter().filter(|s| s.cluster == info.id && s.group == group).count();
            let (a, b) = (of(Group::A), of(Group::B));
            assert_eq!(a + b, info.train);
            assert!(info.train > 0 && a - b <= 1, "{a} {b}");
        }
        for segment in &set.segments {
            assert_eq!(segment.group == Group::None, segment.split != Split::Train);
            let info = &clusters[segment.cluster as usize];
            assert!(info.class.is_empty() || info.class == segment.label);
            assert!(info.subject.is_empty() || segment.split != Split::Train || info.subject == segment.subject);
        }
    }
}

#[test]
fn bad_records_are_set_aside_or_stop_the_run() {
    let mut all = records(8);
    all[1].channels.clear();
    all[2].channels[0].samples.fill(0.25);
    all[3].channels[0].label = "V5".into();
    all[4].annotations.retain(|a| a.code == "+");
    all[5].channels[0].samples.fill(f32::NAN);
    let prepared = run(all.clone(), &PreprocessingConfig::default()).unwrap();
    let reasons: Vec<String> = prepared.summary.skipped.iter().map(|s| format!("{} {}", s.record, s.reason)).collect();
    let expected = ["r01 r01.dat: no such file", "constant", "no signal 'MLII'", "marks a beat", "missing samples"];
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    for (reason, part) in reasons.iter().zip(expected) {
        assert!(reason.contains(part), "{reason}");
    }
    let error = preprocess(&Memory::new(all), &plain(), Seed(1), true, &Silent).unwrap_err();
    assert!(error.to_string().starts_with("record r01: r01.dat: no such file"), "{error}");
}

#[test]
fn windows_that_touch_missing_samples_are_dropped_and_counted() {
    let mut all = records(1);
    let mark = all[0].annotations[5].sample as usize;
    all[0].channels[0].samples[mark + 30..mark + 40].fill(f32::NAN);
    all[0].annotations.push(Annotation::beat(10_790, "N"));
    all[0].annotations.push(Annotation::beat(99_999, "N"));
    let prepared = run(all, &PreprocessingConfig::default()).unwrap();
    let record = &prepared.summary.records[0];
    assert_eq!((record.beats, record.dropped.missing, record.dropped.beyond_ends), (30, 1, 2));
    assert_eq!((record.segments, record.missing_samples), (27, 10));
    assert!(record.problems.iter().any(|p| p.contains("10 missing")) && record.problems.iter().any(|p| p.contains("1 beat")));
    assert!(prepared.segments.signals.iter().all(|x| x.is_finite()));
}

#[test]
fn small_databases_work() {
    let mut one = records(3);
    for record in &mut one {
        record.annotations.retain(|annotation| annotation.code == "N");
    }
    for record in &mut one[..2] {
        record.annotations.truncate(1);
    }
    for by in [ClusterBy::Class, ClusterBy::Subject, ClusterBy::SubjectClass] {
        let mut config = plain();
        config.clustering.by = by;
        let prepared = run(one.clone(), &config).unwrap();
        assert!(prepared.summary.notes.iter().any(|note| note.contains("one class only")), "{:?}", prepared.summary.notes);
        let single = prepared.segments.segments.iter().find(|s| s.subject == "r00").unwrap();
        assert!(single.rr_before_s.is_nan() && single.rr_after_s.is_nan());
    }
}

#[test]
fn nothing_usable_names_what_was_looked_for() {
    let config = PreprocessingConfig { lead: "II".into(), ..plain() };
    let error = run(records(3), &config).unwrap_err().to_string();
    assert!(error.contains("'II'") && error.contains("MLII") && error.contains("memory"), "{error}");
    assert!(matches!(run(Vec::new(), &plain()), Err(PreprocessError::Empty(_))));
}

#[test]
fn units_are_brought_to_the_first_record_s() {
    let mut all = records(3);
    all[1].channels[0].unit = "uV".into();
    all[1].channels[0].samples.iter_mut().for_each(|x| *x *= 1000.0);
    all[2].channels[0].unit = "mmHg".into();
    for normalise in [Normalise::Record, Normalise::TrainingSet] {
        let mut config = PreprocessingConfig { normalise, ..plain() };
        config.split.test_share = 0.0;
        config.split.validation_share = 0.0;
        let prepared = run(all.clone(), &config).unwrap();
        assert_eq!(prepared.segments.channel_units, ["mV"]);
        assert_eq!(prepared.summary.skipped[0].record, "r02");
        let expected = run(records(2), &config).unwrap();
        for (a, b) in [0, prepared.segments.len() - 1].map(|i| (prepared.segments.physical(i), expected.segments.physical(i))) {
            assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-4));
        }
    }
}

#[test]
fn stopping_is_obeyed() {
    struct Stop;
    impl Progress for Stop {
        fn begin(&self, _: &str, _: u64, _: &str) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn warn(&self, _: &str) {}
        fn end(&self) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let result = preprocess(&Memory::new(records(2)), &plain(), Seed(1), false, &Stop);
    assert!(matches!(result, Err(PreprocessError::Cancelled(Cancelled))));
}

#[test]
fn stretches_show_training_records_around_ectopic_beats() {
    let prepared = run(records(8), &PreprocessingConfig::default()).unwrap();
    assert_eq!(prepared.summary.stretches.len(), 3);
    for stretch in &prepared.summary.stretches {
        let record = prepared.summary.records.iter().find(|r| r.record == stretch.record).unwrap();
        assert_eq!(record.split, Split::Train);
        assert_eq!((stretch.before.len(), stretch.after.len()), (3600, 3600));
        assert!(stretch.marks.iter().any(|(_, code)| code == "V"));
        assert!(stretch.marks.iter().all(|(i, _)| *i < 3600));
    }
}

#[test]
fn configuration_and_summary_survive_json() {
    let json = serde_json::to_string(&PreprocessingConfig::default()).unwrap();
    assert!(!json.contains("null"), "{json}");
    assert_eq!(serde_json::from_str::<PreprocessingConfig>(&json).unwrap(), PreprocessingConfig::default());
    assert!(serde_json::from_str::<PreprocessingConfig>(r#"{"leed": "V5"}"#).is_err());
    assert!(serde_json::from_str::<PreprocessingConfig>(r#"{"normalise": "training-set", "class_map": "ec57"}"#).is_ok());
    let summary = run(records(5), &PreprocessingConfig::default()).unwrap().summary;
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<physiosynth_preprocessing::Summary>(&json).unwrap(), summary);
}

#[test]
fn broken_rules_are_named() {
    type Change = fn(&mut PreprocessingConfig);
    let cases: [(&str, Change); 6] = [
        ("sampling_frequency_hz", |c| c.sampling_frequency_hz = f64::NAN),
        ("window_after_ms", |c| c.window_after_ms = 0.0),
        ("window_before_ms", |c| c.window_before_ms = -1.0),
        ("maximum_gap_s", |c| c.maximum_gap_s = 0.0),
        ("clustering.largest_number", |c| c.clustering.largest_number = 0),
        ("validation_share", |c| c.split.validation_share = 1.0),
    ];
    for (key, change) in cases {
        let mut config = plain();
        change(&mut config);
        let error = run(records(1), &config).unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
}

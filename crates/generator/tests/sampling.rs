//! Generation from a model of the paired objective.

#[path = "../src/toy.rs"]
mod toy;

use std::path::Path;

use burn::tensor::Device;
use ndarray::s;
use physiosynth_generator::{Existing, GeneratorConfig, ObjectiveName, Request, SampleError, SamplerConfig, generate, train};
use physiosynth_signal::{Group, Seed, SegmentSet, Silent, Split};

fn trained(set: &SegmentSet) -> tempfile::TempDir {
    let config = GeneratorConfig {
        objective: ObjectiveName::Paired,
        average_decay: 0.0,
        frame: 1,
        units: 8,
        layers: 1,
        snr_db: 15.0,
        batch: 16,
        epochs: 6,
        steps_per_epoch: 10,
        learning_rate: 0.02,
        generation_batch: 16,
        ..Default::default()
    };
    let folder = tempfile::tempdir().unwrap();
    train(set, &config, Seed(7), &Device::flex(), folder.path(), Existing::Resume, &Silent).unwrap();
    folder
}

fn request(label: &str, subject: Option<&str>, count: usize, patient: &str) -> Request {
    Request {
        label: label.into(),
        subject: subject.map(Into::into),
        count,
        patient: patient.into(),
        around: Vec::new(),
        first: 0,
    }
}

fn sample(folder: &Path, set: &SegmentSet, requests: &[Request], seed: u64) -> Result<SegmentSet, SampleError> {
    generate(folder, set, requests, &SamplerConfig::default(), Seed(seed), &Device::flex(), &Silent)
}

#[test]
fn segments_are_of_their_class_and_say_where_they_come_from() {
    let set = toy::segments(64, 24, 1);
    let folder = trained(&set);
    let made = sample(folder.path(), &set, &[request("N", Some("p1"), 20, "s1"), request("V", None, 10, "s2")], 3).unwrap();
    made.check().unwrap();
    assert_eq!((made.len(), made.time(), made.mark_index), (30, 24, set.mark_index));
    for (i, segment) in made.segments.iter().enumerate() {
        assert_eq!((segment.split, segment.group, segment.sample), (Split::Synthetic, Group::None, -1));
        let (label, patient) = if i < 20 { ("N", "s1") } else { ("V", "s2") };
        assert_eq!((segment.label.as_str(), segment.subject.as_str(), segment.record.as_str()), (label, patient, patient));
        assert!(i >= 20 || segment.derived_from == "p1", "{}", segment.derived_from);
        // Scale, offset and RR are those of one real training segment of that subject and class.
        let source = set.segments.iter().enumerate().position(|(j, real)| {
            real.split == Split::Train
                && real.label == label
                && real.subject == segment.derived_from
                && set.scale.row(j) == made.scale.row(i)
                && set.offset.row(j) == made.offset.row(i)
                && real.rr_after_s == segment.rr_after_s
        });
        assert!(source.is_some(), "segment {i} comes from nowhere");
        let peak = made.signals[[i, set.mark_index, 0]];
        assert!(if label == "N" { peak > 1.0 } else { peak < -0.7 }, "{label}: {peak}");
    }
}

#[test]
fn a_segment_depends_on_the_seed_and_its_own_request_alone() {
    let set = toy::segments(64, 24, 1);
    let folder = trained(&set);
    let alone = sample(folder.path(), &set, &[request("N", None, 5, "s1")], 3).unwrap();
    let crowd =
        sample(folder.path(), &set, &[request("V", None, 37, "s2"), request("N", None, 9, "s1"), request("V", None, 3, "s3")], 3)
            .unwrap();
    assert_eq!(alone.signals, crowd.signals.slice(s![37..42, .., ..]));
    assert_eq!(alone.segments[..], crowd.segments[37..42]);
    let again = sample(folder.path(), &set, &[request("N", None, 5, "s1")], 3).unwrap();
    assert_eq!(alone, again);
    let other = sample(folder.path(), &set, &[request("N", None, 5, "s1")], 4).unwrap();
    assert_ne!(alone.signals, other.signals);
    let split = sample(folder.path(), &set, &[request("N", None, 2, "s1"), request("N", None, 3, "s1")], 3).unwrap();
    assert_eq!(alone, split, "asking twice goes on where the first request ended");
}

#[test]
fn what_cannot_be_made_is_refused_with_what_there_is() {
    let set = toy::segments(64, 24, 1);
    let folder = trained(&set);
    let error = |requests: &[Request]| sample(folder.path(), &set, requests, 3).unwrap_err().to_string();
    assert_eq!(error(&[request("Q", None, 1, "s")]), "no class 'Q' in the training data; it has N, V");
    let message = error(&[request("N", Some("p2"), 1, "s")]);
    assert!(message.contains("subject 'p2'") && message.contains("p0, p1"), "validation subjects don't count: {message}");

    let other = toy::segments(16, 20, 1);
    let message = sample(folder.path(), &other, &[request("N", None, 1, "s")], 3).unwrap_err().to_string();
    assert!(message.contains("24 in training, 20"), "{message}");
    let empty = tempfile::tempdir().unwrap();
    let message = sample(empty.path(), &set, &[request("N", None, 1, "s")], 3).unwrap_err().to_string();
    assert!(message.contains("no trained model"), "{message}");
}

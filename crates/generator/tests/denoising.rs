//! Generation from a model of the denoising objective.

#[path = "../src/toy.rs"]
mod toy;

use std::path::Path;
use std::sync::OnceLock;

use burn::tensor::Device;
use ndarray::s;
use physiosynth_generator::sampling::Method;
use physiosynth_generator::{
    Around, Covariate, Existing, GeneratorConfig, Request, SampleError, Sampler, SamplerConfig, generate, train,
};
use physiosynth_signal::{Seed, SegmentSet, Sex, Silent, Split};

fn set() -> SegmentSet {
    toy::segments(64, 24, 1)
}

/// One model for all tests: training is what takes the time.
fn model() -> &'static Path {
    static MODEL: OnceLock<tempfile::TempDir> = OnceLock::new();
    MODEL
        .get_or_init(|| {
            let config = GeneratorConfig {
                units: 16,
                layers: 1,
                batch: 32,
                epochs: 1,
                steps_per_epoch: 250,
                learning_rate: 0.01,
                average_decay: 0.97,
                subject_dimensions: 3,
                generation_batch: 16,
                ..Default::default()
            };
            let folder = tempfile::tempdir().unwrap();
            train(&set(), &config, Seed(7), &Device::flex(), folder.path(), Existing::Resume, &Silent).unwrap();
            folder
        })
        .path()
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

fn sample(requests: &[Request], config: &SamplerConfig, seed: u64) -> Result<SegmentSet, SampleError> {
    generate(model(), &set(), requests, config, Seed(seed), &Device::flex(), &Silent)
}

#[test]
fn segments_are_of_their_class_and_of_nobody() {
    for method in [Method::Heun, Method::Fast] {
        let config = SamplerConfig { method, steps: 12, ..Default::default() };
        let made = sample(&[request("N", None, 20, "s1"), request("V", None, 12, "s2")], &config, 3).unwrap();
        made.check().unwrap();
        assert_eq!(made.len(), 32);
        for (i, segment) in made.segments.iter().enumerate() {
            assert_eq!((segment.split, segment.sample, segment.derived_from.as_str()), (Split::Synthetic, -1, ""));
            let (label, patient) = if i < 20 { ("N", "s1") } else { ("V", "s2") };
            assert_eq!((segment.label.as_str(), segment.code.as_str(), segment.subject.as_str()), (label, label, patient));
            assert!((0.5..1.2).contains(&segment.rr_before_s), "{}", segment.rr_before_s);
            let peak = made.signals[[i, made.mark_index, 0]];
            assert!(if label == "N" { peak > 1.2 } else { peak < -0.9 }, "{method:?}: {label} {peak}");
        }
        // They differ as the real ones do, whose height varies by a tenth either way.
        let peaks = made.signals.slice(s![..20, made.mark_index, 0]);
        assert!(peaks.std(1.0) > 0.02, "{}", peaks.std(1.0));
    }
}

#[test]
fn a_segment_depends_on_the_seed_and_its_own_request_alone() {
    let config = SamplerConfig { steps: 3, churn: 2.0, ..Default::default() };
    let alone = sample(&[request("N", None, 5, "s1")], &config, 3).unwrap();
    let crowd = [request("V", None, 37, "s2"), request("N", None, 9, "s1"), request("V", None, 3, "s3")];
    let crowd = sample(&crowd, &config, 3).unwrap();
    assert_eq!(alone.signals, crowd.signals.slice(s![37..42, .., ..]));
    assert_eq!(alone.segments[..], crowd.segments[37..42]);
    assert_eq!(alone, sample(&[request("N", None, 5, "s1")], &config, 3).unwrap());
    assert_ne!(alone.signals, sample(&[request("N", None, 5, "s1")], &config, 4).unwrap().signals);
    let split = [request("N", None, 2, "s1"), request("N", None, 3, "s1")];
    assert_eq!(alone, sample(&split, &config, 3).unwrap(), "asking twice goes on where the first request ended");
}

#[test]
fn a_training_subject_is_made_only_by_name_and_named() {
    let set = set();
    let config = SamplerConfig { steps: 3, ..Default::default() };
    let made = sample(&[request("N", Some("p1"), 6, "s")], &config, 3).unwrap();
    let scales: Vec<f32> = set.indices(|s| s.subject == "p1").iter().map(|&i| set.scale[[i, 0]]).collect();
    let (low, high) = scales.iter().fold((f32::MAX, 0.0_f32), |(low, high), &x| (low.min(x), high.max(x)));
    for (i, segment) in made.segments.iter().enumerate() {
        assert_eq!((segment.subject.as_str(), segment.derived_from.as_str()), ("s", "p1"));
        assert!(made.scale[[i, 0]] > low / 10.0 && made.scale[[i, 0]] < high * 10.0, "{}", made.scale[[i, 0]]);
    }
    let mut asked = request("N", Some("p1"), 2, "s");
    asked.around = vec![Around { rr_s: [0.6, 0.9], rhythm: String::new() }];
    let made = sample(&[asked], &config, 3).unwrap();
    assert_eq!((made.segments[0].rr_before_s, made.segments[0].rr_after_s), (0.6, 0.9));
    assert!(made.segments[1].rr_before_s > 0.7, "drawn where none is asked for");
}

#[test]
fn segments_are_spread_over_patients_who_have_the_class() {
    let sampler = Sampler::open(model(), &SamplerConfig::default(), &Device::flex()).unwrap();
    let requests = sampler.spread(&["N".into(), "V".into()], 50, 7, Seed(3));
    for label in ["N", "V"] {
        let own: Vec<&Request> = requests.iter().filter(|r| r.label == label).collect();
        assert_eq!(own.iter().map(|r| r.count).sum::<usize>(), 50);
        assert!(own.len() <= 7 && own.iter().all(|r| r.patient.starts_with("synthetic-00") && r.subject.is_none()));
    }
    let mut parts = 0;
    let mut count = 0;
    let all = vec![request("N", None, 40, "s1")];
    let mut each = |part: SegmentSet| {
        part.check().unwrap();
        (parts, count) = (parts + 1, count + part.len());
        Ok(())
    };
    let config = SamplerConfig { steps: 2, ..Default::default() };
    Sampler::open(model(), &config, &Device::flex()).unwrap().stream(&all, Seed(3), &Silent, &mut each).unwrap();
    assert_eq!((parts, count), (3, 40), "in batches of 16");
}

#[test]
fn guidance_moves_segments_towards_what_is_told() {
    let with = |guidance: f64| {
        let config = SamplerConfig { steps: 6, guidance, ..Default::default() };
        sample(&[request("V", None, 16, "s1")], &config, 3).unwrap()
    };
    let mark = set().mark_index;
    let mean = |made: &SegmentSet| made.signals.slice(s![.., mark, 0]).mean().unwrap();
    let (none, one, two) = (with(0.0), with(1.0), with(2.0));
    assert!(mean(&none) > mean(&one) + 0.3, "{} {}: without guidance N and V are mixed", mean(&none), mean(&one));
    assert_ne!(one.signals, two.signals);
}

#[test]
fn what_cannot_be_made_is_refused_with_what_there_is() {
    let config = SamplerConfig::default();
    let error = |requests: &[Request]| sample(requests, &config, 3).unwrap_err().to_string();
    assert_eq!(error(&[request("Q", None, 1, "s")]), "no class 'Q' in the training data; it has N, V");
    let message = error(&[request("N", Some("p2"), 1, "s")]);
    assert!(message.contains("subject 'p2'") && message.contains("p0, p1"), "validation subjects don't count: {message}");
}

#[test]
fn age_and_sex_are_told_only_where_asked_for() {
    let mut set = set();
    for segment in &mut set.segments {
        let (age_years, sex) = if segment.subject == "p0" { (30.0, Sex::Female) } else { (70.0, Sex::Male) };
        (segment.age_years, segment.sex) = (Some(age_years), Some(sex));
    }
    let made = |covariates: Vec<Covariate>| {
        let config = GeneratorConfig { units: 8, layers: 1, epochs: 1, steps_per_epoch: 5, covariates, ..Default::default() };
        let folder = tempfile::tempdir().unwrap();
        train(&set, &config, Seed(7), &Device::flex(), folder.path(), Existing::Resume, &Silent).unwrap();
        let new = (0..8).map(|i| request("N", None, 1, &format!("s{i}")));
        let requests: Vec<Request> = new.chain([request("N", Some("p1"), 1, "s9")]).collect();
        let sampler = SamplerConfig { steps: 4, ..Default::default() };
        generate(folder.path(), &set, &requests, &sampler, Seed(3), &Device::flex(), &Silent).unwrap()
    };
    let told = made(vec![Covariate::Age, Covariate::Sex]);
    for segment in &told.segments[..8] {
        // Of whom it is like, and some years off.
        let like = if segment.sex == Some(Sex::Female) { 30.0 } else { 70.0 };
        assert!(segment.age_years.is_some_and(|age| (age - like).abs() < 25.0 && age.fract() == 0.0), "{segment:?}");
        assert!(segment.sex.is_some());
    }
    assert!(told.segments[..8].iter().any(|segment| ![Some(30.0), Some(70.0)].contains(&segment.age_years)));
    assert_eq!((told.segments[8].age_years, told.segments[8].sex), (Some(70.0), Some(Sex::Male)), "a training subject as it is");
    let sex_alone = made(vec![Covariate::Sex]);
    assert!(sex_alone.segments.iter().all(|segment| segment.age_years.is_none() && segment.sex.is_some()));
    let nothing = made(Vec::new());
    assert!(nothing.segments.iter().all(|segment| segment.age_years.is_none() && segment.sex.is_none()));
    assert_ne!(nothing.signals, told.signals);
}

//! Epochs of an EEG: coloured noise, windows between epochs, and the spectra of the classes.

use burn::tensor::Device;
use ndarray::{Array2, Array3, s};
use physiosynth_generator::{EegConfig, Existing, GeneratorConfig, Request, SamplerConfig, generate, train};
use physiosynth_signal::{Seed, Segment, SegmentSet, Silent, Split};
use rand_distr::{Distribution, StandardNormal};

const TIME: usize = 128;
const RATE: f64 = 64.0;

/// Two records of two people whose channels are noise of another colour in each class, in events of four epochs.
fn set() -> SegmentSet {
    let mut set = SegmentSet::empty(TIME, RATE, 0, vec!["C3".into(), "C4".into()], vec!["uV".into(); 2]);
    let (mut samples, mut rng) = (Vec::new(), Seed(2).stream("test", 0));
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    for event in 0..32_i64 {
        let (label, share) = if event % 2 == 0 { ("a", 0.9) } else { ("b", 0.2) };
        let mut x = [0.0; 2];
        for epoch in 0..4 {
            for _ in 0..TIME {
                let both = normal();
                x = x.map(|x| share * x + 0.6 * both + 0.3 * normal());
                samples.extend(x.map(|x| x as f32));
            }
            let mut segment = Segment::new(label, if event < 16 { "p0" } else { "p1" }, Split::Train);
            segment.record = format!("r{}", event / 16);
            segment.sample = (event * 10 + epoch) * TIME as i64;
            set.segments.push(segment);
        }
    }
    let count = set.segments.len();
    set.signals = Array3::from_shape_vec((count, TIME, 2), samples).unwrap();
    set.scale = Array2::ones((count, 2));
    set.offset = Array2::zeros((count, 2));
    set
}

/// Mean over segments of the share of squared differences of neighbouring samples in twice the variance: how fast the waves are.
fn speed(set: &SegmentSet, label: &str) -> f64 {
    let of = |i: usize| {
        let x = set.signals.slice(s![i, .., 0]);
        let steps: f64 = x.iter().zip(x.iter().skip(1)).map(|(a, b)| f64::from(b - a).powi(2)).sum();
        let mean = f64::from(x.mean().unwrap());
        steps / x.iter().map(|x| 2.0 * (f64::from(*x) - mean).powi(2)).sum::<f64>()
    };
    let own: Vec<usize> = (0..set.len()).filter(|&i| set.segments[i].label == label).collect();
    own.iter().map(|&i| of(i)).sum::<f64>() / own.len() as f64
}

fn request(label: &str, count: usize, patient: &str) -> Request {
    let (label, patient) = (label.into(), patient.into());
    Request { label, subject: None, count, patient, around: Vec::new(), first: 0 }
}

#[test]
fn epochs_have_the_spectra_of_their_class_whatever_else_is_asked_for() {
    let set = set();
    // Noise of one lag and no emphasis: so short a training is then far off.
    let eeg = EegConfig { frame: 4, noise_lags: 1, emphasis: 0.0, epochs: 1, steps_per_epoch: 30, ..EegConfig::default() };
    let config = GeneratorConfig { units: 8, layers: 1, batch: 16, generation_batch: 32, eeg, ..Default::default() };
    let (folder, device) = (tempfile::tempdir().unwrap(), Device::flex());
    train(&set, &config, Seed(3), &device, folder.path(), Existing::Resume, &Silent).unwrap();
    let make = |requests: &[Request], tuning: usize| {
        let sampler = SamplerConfig { steps: 6, tuning, ..Default::default() };
        generate(folder.path(), &set, requests, &sampler, Seed(5), &device, &Silent).unwrap()
    };
    let requests = [request("a", 96, "s1"), request("b", 96, "s2")];
    let (without, with) = (make(&requests, 0), make(&requests, 128));
    for label in ["a", "b"] {
        let [real, without, with] = [&set, &without, &with].map(|set| speed(set, label));
        let off = |made: f64| (made / real - 1.0).abs();
        assert!(off(with) < 0.1 && off(with) < off(without), "{label}: real {real}, without {without}, with {with}");
    }
    let alone = make(&[request("b", 7, "s2")], 128);
    assert_eq!(alone.signals, with.signals.slice(s![96..103, .., ..]), "of the same seed, patient and class");
}

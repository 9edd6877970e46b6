//! The time of the transform and of denoising, for one lead of MIT-BIH's length (650,000 samples) on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use physiosynth_preprocessing::denoise::{DenoiseConfig, DenoiseMemory, Denoiser};
use physiosynth_preprocessing::wavelet::{Boundary, Decomposition, Sample, Threshold, Transform, Wavelet};

/// A lead like an ECG in what costs time: sharp peaks, slow waves, noise.
fn lead() -> Vec<f32> {
    let mut state = 1_u32;
    (0..650_000)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (phase, noise) = ((n % 300) as f32 / 300.0 - 0.5, state as f32 / u32::MAX as f32 - 0.5);
            (-(phase * 40.0).powi(2)).exp() + 0.2 * (n as f32 * 1e-4).sin() + 0.02 * noise
        })
        .collect()
}

fn round_trip<T: Sample>(criterion: &mut Criterion, name: &str) {
    let signal: Vec<T> = lead().into_iter().map(|x| T::from_f64(f64::from(x))).collect();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(650_000)).sample_size(20);
    for (wavelet, boundary) in [("sym8", Boundary::Symmetric), ("sym8", Boundary::Periodization), ("db4", Boundary::Symmetric)] {
        let transform = Transform::<T>::new(&Wavelet::by_name(wavelet).expect("a known wavelet"), boundary, 9);
        let mut decomposition = Decomposition::empty(transform);
        let mut back = Vec::new();
        group.bench_function(format!("{wavelet} {boundary:?} 9 levels, there"), |bencher| {
            bencher.iter(|| decomposition.analyse(black_box(&signal)));
        });
        group.bench_function(format!("{wavelet} {boundary:?} 9 levels, there and back"), |bencher| {
            bencher.iter(|| {
                let done = decomposition.analyse(black_box(&signal));
                decomposition.reconstruct_into(black_box(&mut back));
                done
            });
        });
    }
}

fn denoise(criterion: &mut Criterion) {
    let signal = lead();
    let mut group = criterion.benchmark_group("denoise f32");
    group.throughput(Throughput::Elements(650_000)).sample_size(20);
    for threshold in [Threshold::Universal, Threshold::Sure, Threshold::Minimax, Threshold::Bayes] {
        let config = DenoiseConfig { threshold, ..DenoiseConfig::default() };
        let denoiser = Denoiser::new(&config, 360.0).expect("valid settings");
        let (mut output, mut memory) = (Vec::new(), DenoiseMemory::default());
        group.bench_function(format!("{threshold:?}"), |bencher| {
            bencher.iter(|| denoiser.apply_into(black_box(&signal), &mut output, &mut memory));
        });
    }
}

fn all(criterion: &mut Criterion) {
    round_trip::<f32>(criterion, "wavelet f32");
    round_trip::<f64>(criterion, "wavelet f64");
    denoise(criterion);
}

criterion_group!(benches, all);
criterion_main!(benches);

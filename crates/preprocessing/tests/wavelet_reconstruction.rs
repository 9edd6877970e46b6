//! Analysis followed by synthesis gives the signal back, whatever the wavelet, mode, length and depth.

use physiosynth_preprocessing::wavelet::{Boundary, Filters, Sample, Transform, Wavelet, WaveletError, wavedec};
use physiosynth_signal::Seed;
use rand::RngExt;

const LENGTHS: [usize; 12] = [1, 2, 3, 7, 15, 16, 31, 64, 101, 360, 1023, 2500];

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut rng = Seed(11).stream("reconstruction", step);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn worst_error<T: Sample>(tolerance: f64, lengths: &[usize], depths: &[usize]) -> f64 {
    let mut worst = 0.0_f64;
    for name in Wavelet::names() {
        let wavelet = Wavelet::by_name(&name).unwrap();
        for boundary in [Boundary::Symmetric, Boundary::Periodization] {
            for &depth in depths {
                let transform = Transform::<T>::new(&wavelet, boundary, depth);
                for &len in lengths {
                    let signal: Vec<T> = noise(len, len as u64).into_iter().map(T::from_f64).collect();
                    let back = transform.forward(&signal).unwrap().reconstruct();
                    assert_eq!(back.len(), len);
                    let error = signal.iter().zip(&back).map(|(x, y)| (x.to_f64() - y.to_f64()).abs()).fold(0.0, f64::max);
                    assert!(error <= tolerance, "{name} {boundary:?}, {len} samples, {depth} levels: {error:e}");
                    worst = worst.max(error);
                }
            }
        }
    }
    worst
}

#[test]
fn perfect_in_double_precision() {
    let worst = worst_error::<f64>(5e-11, &LENGTHS, &[1, 2, 3, 5]);
    println!("largest error in f64: {worst:.1e}");
}

#[test]
fn as_good_as_single_precision_allows() {
    let worst = worst_error::<f32>(2e-5, &[1, 7, 64, 361, 2500], &[1, 4]);
    println!("largest error in f32: {worst:.1e}");
}

/// Long enough for several blocks of the inner loops, in both parities, and as deep as records are taken.
#[test]
fn perfect_over_block_borders_and_nine_levels() {
    for (name, len) in [("sym8", 20_001), ("sym8", 12_288), ("db20", 9_999), ("coif3", 4_096), ("bior6.8", 8_193)] {
        let wavelet = Wavelet::by_name(name).unwrap();
        for boundary in [Boundary::Symmetric, Boundary::Periodization] {
            let signal = noise(len, 5);
            let back = wavedec(&signal, &wavelet, boundary, 9).unwrap().reconstruct();
            let error = signal.iter().zip(&back).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(error <= 5e-11, "{name} {boundary:?}, {len} samples: {error:e}");
        }
    }
}

/// Single precision, in which records are processed, stays within 1e-5 of double precision relative to the signal.
#[test]
fn single_precision_follows_double_precision() {
    let wavelet = Wavelet::by_name("sym8").unwrap();
    let signal = noise(50_000, 9);
    let single: Vec<f32> = signal.iter().map(|&x| x as f32).collect();
    let double = wavedec(&signal, &wavelet, Boundary::Symmetric, 9).unwrap();
    let single = wavedec(&single, &wavelet, Boundary::Symmetric, 9).unwrap();
    for level in 1..=9 {
        let largest = double.detail(level).iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (x, y) in double.detail(level).iter().zip(single.detail(level)) {
            assert!((x - f64::from(*y)).abs() <= 1e-5 * largest, "level {level}: {x} against {y}");
        }
    }
}

/// Orthogonal wavelets, periodic: the coefficients hold the signal's energy, no more and no less.
#[test]
fn periodization_keeps_the_energy_under_orthogonal_wavelets() {
    for name in Wavelet::names().iter().filter(|name| !name.contains("bior") && !name.contains("rbio")) {
        let signal = noise(512, 2);
        let decomposition = wavedec(&signal, &Wavelet::by_name(name).unwrap(), Boundary::Periodization, 3).unwrap();
        let energy = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
        let kept = energy(decomposition.approximation()) + (1..=3).map(|l| energy(decomposition.detail(l))).sum::<f64>();
        assert!((kept / energy(&signal) - 1.0).abs() < 1e-10, "{name}: {kept}");
    }
}

#[test]
fn coefficients_that_do_not_belong_together_are_refused() {
    let filters = Filters::<f64>::new(&Wavelet::by_name("db4").unwrap());
    let refused = |a: usize, d: usize, boundary| filters.idwt(&vec![0.0; a], &vec![0.0; d], boundary).unwrap_err();
    assert!(matches!(refused(5, 6, Boundary::Symmetric), WaveletError::LengthMismatch { approximation: 5, detail: 6, .. }));
    assert!(matches!(refused(3, 3, Boundary::Symmetric), WaveletError::LengthMismatch { .. }));
    assert_eq!(refused(0, 0, Boundary::Periodization), WaveletError::EmptySignal);
    assert_eq!(filters.dwt(&[], Boundary::Symmetric).unwrap_err(), WaveletError::EmptySignal);
}

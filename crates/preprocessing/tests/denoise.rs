//! Denoising does no harm: simulated leads, whose truth is known, with white and muscle noise of known strength.

use physiosynth_preprocessing::denoise::{DenoiseConfig, Denoiser};
use physiosynth_signal::Seed;
use physiosynth_simulator::{Fiducials, SimulatedDatabase, SimulatorConfig, noise};

const FS: f64 = 360.0;
/// Half the window that a QRS peak is looked for in: 50 ms.
const AROUND: usize = 18;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Noise {
    White,
    Muscle,
}

/// Truth, noisy and denoised signal of one lead, baseline removed from each.
struct Trial {
    truth: Vec<f32>,
    noisy: Vec<f32>,
    denoised: Vec<f32>,
    beats: Vec<Fiducials>,
}

fn trials(kind: Option<Noise>, snr_db: f64) -> Vec<Trial> {
    let config = SimulatorConfig { subjects: 3, duration_s: 300.0, ..SimulatorConfig::default() };
    let database = SimulatedDatabase::new(&config, Seed(5)).unwrap();
    let denoiser = Denoiser::new(&DenoiseConfig::default(), FS).unwrap();
    let trial = |index: usize| {
        let record = database.components(index).unwrap();
        let clean = &record.clean[0].samples;
        let truth = denoiser.baseline_only(clean).unwrap();
        let rms = power(truth.iter().copied()).sqrt() * 10_f64.powf(-snr_db / 20.0);
        let mut rng = Seed(9).stream("denoise", index as u64);
        let added = match kind {
            None => vec![0.0; clean.len()],
            Some(Noise::White) => noise::white(&mut rng, clean.len(), FS, rms),
            Some(Noise::Muscle) => noise::muscle(&mut rng, clean.len(), FS, rms),
        };
        let signal: Vec<f32> = clean.iter().zip(&added).map(|(x, e)| x + e).collect();
        let (noisy, denoised) = (denoiser.baseline_only(&signal).unwrap(), denoiser.apply(&signal).unwrap());
        let inner = |beat: &Fiducials| (200..clean.len() as i64 - 400).contains(&beat.sample);
        let beats = record.fiducials.into_iter().filter(inner).collect();
        Trial { truth, noisy, denoised, beats }
    };
    (0..config.subjects).map(trial).collect()
}

fn power(samples: impl ExactSizeIterator<Item = f32>) -> f64 {
    let n = samples.len() as f64;
    samples.map(|x| f64::from(x).powi(2)).sum::<f64>() / n
}

/// Signal-to-noise ratio of `signal` in dB, given the truth.
fn snr(truth: &[f32], signal: &[f32]) -> f64 {
    let error = power(truth.iter().zip(signal).map(|(t, y)| t - y));
    10.0 * (power(truth.iter().copied()) / error).log10()
}

fn mean_gain(kind: Noise, snr_db: f64) -> f64 {
    let trials = trials(Some(kind), snr_db);
    let gain = |t: &Trial| snr(&t.truth, &t.denoised) - snr(&t.truth, &t.noisy);
    let mean = trials.iter().map(gain).sum::<f64>() / trials.len() as f64;
    println!("{kind:?} noise at {snr_db} dB: {mean:+.2} dB");
    mean
}

fn percentile_95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * 95 / 100]
}

/// Largest excursion around a beat's mark, with its sign.
fn qrs_peak(signal: &[f32], beat: &Fiducials) -> f64 {
    let at = beat.sample as usize;
    let largest = |held: f32, &x: &f32| if x.abs() > held.abs() { x } else { held };
    f64::from(signal[at - AROUND..=at + AROUND].iter().fold(0.0, largest))
}

/// Level 60 to 80 ms after the end of QRS over that in the 20 ms before its beginning, in mV.
fn st_level(signal: &[f32], beat: &Fiducials) -> f64 {
    let qrs = beat.qrs.expect("every simulated beat has a QRS complex");
    let mean = |from_s: f64, to_s: f64| {
        let part = &signal[(from_s * FS) as usize..=(to_s * FS) as usize];
        part.iter().map(|&x| f64::from(x)).sum::<f64>() / part.len() as f64
    };
    mean(qrs.offset_s + 0.06, qrs.offset_s + 0.08) - mean(qrs.onset_s - 0.02, qrs.onset_s)
}

/// 95th percentile over beats of an error between the truth and a signal.
fn beat_error(trials: &[Trial], signal: impl Fn(&Trial) -> &[f32], error: impl Fn(&[f32], &[f32], &Fiducials) -> f64) -> f64 {
    let of_trial = |t| (t, signal(t));
    let errors = trials.iter().map(of_trial).flat_map(|(t, s)| t.beats.iter().map(|b| error(&t.truth, s, b)).collect::<Vec<_>>());
    percentile_95(errors.collect())
}

fn peak_error_percent(truth: &[f32], signal: &[f32], beat: &Fiducials) -> f64 {
    100.0 * (qrs_peak(signal, beat) / qrs_peak(truth, beat) - 1.0).abs()
}

fn st_error_mv(truth: &[f32], signal: &[f32], beat: &Fiducials) -> f64 {
    (st_level(signal, beat) - st_level(truth, beat)).abs()
}

/// Measured over ten minutes: +7.5, +6.0, +9.7, +7.4 dB.
#[test]
fn white_and_muscle_noise_are_reduced() {
    assert!(mean_gain(Noise::White, 10.0) > 6.5);
    assert!(mean_gain(Noise::White, 20.0) > 5.0);
    assert!(mean_gain(Noise::Muscle, 10.0) > 8.5);
    assert!(mean_gain(Noise::Muscle, 20.0) > 6.5);
}

/// No further from the truth than the noisy signal itself, and within 5 % and 0.05 mV.
#[test]
fn qrs_peaks_and_st_levels_stay() {
    for kind in [Noise::White, Noise::Muscle] {
        let trials = trials(Some(kind), 20.0);
        let before = beat_error(&trials, |t| &t.noisy, peak_error_percent);
        let after = beat_error(&trials, |t| &t.denoised, peak_error_percent);
        println!("{kind:?} noise at 20 dB, QRS peak error, 95th percentile: {before:.2} % before, {after:.2} % after");
        assert!(after < 5.0 && after < before + 0.3);
        let before = beat_error(&trials, |t| &t.noisy, st_error_mv);
        let after = beat_error(&trials, |t| &t.denoised, st_error_mv);
        println!("{kind:?} noise at 20 dB, ST level error, 95th percentile: {before:.4} mV before, {after:.4} mV after");
        assert!(after < 0.05 && after < before + 0.002);
    }
}

#[test]
fn a_clean_signal_stays_as_it_is() {
    for trial in trials(None, 0.0) {
        let kept = snr(&trial.truth, &trial.denoised);
        assert!(kept > 60.0, "{kept} dB");
        for beat in &trial.beats {
            assert!(peak_error_percent(&trial.truth, &trial.denoised, beat) < 0.2);
            assert!(st_error_mv(&trial.truth, &trial.denoised, beat) < 0.001);
        }
    }
}

/// Wander of the simulator's kind (below 0.5 Hz, 0.2 mV) is mostly gone: what stays is what lies above the dyadic edge, 0.35 Hz.
#[test]
fn baseline_wander_is_removed() {
    let denoiser = Denoiser::new(&DenoiseConfig::default(), FS).unwrap();
    let wander = noise::baseline_wander(&mut Seed(2).stream("wander", 0), 108_000, FS, 0.2);
    let left = power(denoiser.apply(&wander).unwrap().into_iter()).sqrt();
    println!("of 0.2 mV of wander {left:.4} mV are left");
    assert!(left < 0.04);
}

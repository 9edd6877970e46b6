//! EEG: filters beside SciPy's, the simulated database from end to end, and real recordings of the EEG Motor Movement/Imagery Dataset where
//! they are at hand.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::PathBuf;

use physiosynth_formats::open_database;
use physiosynth_preprocessing::denoise::DenoiseMemory;
use physiosynth_preprocessing::eeg::filter::Filter;
use physiosynth_preprocessing::eeg::{EegConfig, Mains, Reference, clean};
use physiosynth_preprocessing::{Normalise, Prepared, PreprocessingConfig, Resampler, preprocess};
use physiosynth_signal::{RecordSource, Seed, Silent, Split};
use physiosynth_simulator::eeg::head::ELECTRODES;
use physiosynth_simulator::{SimulatedEegDatabase, eeg};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    values: Vec<f64>,
}

/// The signal of the script that made the golden.
fn golden_signal(n: usize) -> Vec<f32> {
    let mut state = 7_u64;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (i, noise) = (i as f64, (state >> 40) as f64 / f64::from(1 << 24));
            ((i * 0.05).sin() + 0.5 * (i * 0.31).sin() + noise - 0.2) as f32
        })
        .collect()
}

#[test]
fn filters_are_those_of_scipy() {
    let golden: Golden = serde_json::from_str(include_str!("goldens/eeg_filter.json")).unwrap();
    let mut signal = golden_signal(1200);
    Filter::default().notch(50.0, 160.0).high_pass(0.5, 160.0).low_pass(55.0, 160.0).zero_phase(&mut signal, 160.0);
    for (i, expected) in golden.values.iter().enumerate() {
        assert!((f64::from(signal[5 * i]) - expected).abs() < 1e-6, "sample {}: {} {expected}", 5 * i, signal[5 * i]);
    }
}

fn demo() -> SimulatedEegDatabase {
    SimulatedEegDatabase::new(&eeg::EegConfig { subjects: 5, duration_s: 60.0, ..eeg::EegConfig::default() }, Seed(2)).unwrap()
}

fn prepared(config: &PreprocessingConfig) -> Prepared {
    preprocess(&demo(), config, Seed(2), true, &Silent).unwrap()
}

#[test]
fn the_simulated_database_becomes_epochs_of_all_channels() {
    let prepared = prepared(&PreprocessingConfig::default());
    let set = &prepared.segments;
    set.check().unwrap();
    assert_eq!((set.time(), set.channels(), set.mark_index), (256, 19, 0));
    assert_eq!(set.channel_names, ELECTRODES.map(|e| e.name));
    assert!(set.channel_units.iter().all(|unit| unit == "uV"));
    assert_eq!(set.labels(), ["eyes-closed", "eyes-open", "spike-wave"]);
    // By subject: nobody in two splits, all three splits there.
    let mut splits: BTreeMap<&str, Split> = BTreeMap::new();
    assert!(set.segments.iter().all(|s| *splits.entry(&s.subject).or_insert(s.split) == s.split));
    assert!([Split::Train, Split::Validation, Split::Test].iter().all(|split| splits.values().any(|s| s == split)));
    // Z-scores by record and channel; physical values of some tens of microvolts.
    assert!(set.scale.iter().all(|scale| (3.0..200.0).contains(scale)));
    // A cluster is a class, shapes are not clustered.
    assert!(prepared.summary.clusters.iter().all(|c| c.shapes == 1));
    assert!(set.segments.iter().all(|s| s.split != Split::Train || s.cluster >= 0));
    assert_eq!(prepared.summary.stretches.len(), 3);
}

#[test]
fn other_scales_references_and_channels() {
    let of = |change: fn(&mut PreprocessingConfig)| {
        let mut config = PreprocessingConfig::default();
        change(&mut config);
        prepared(&config).segments
    };
    let whole = of(|_| ());
    for normalise in [Normalise::Segment, Normalise::TrainingSet] {
        let other = of(match normalise {
            Normalise::Segment => |c| c.normalise = Normalise::Segment,
            _ => |c| c.normalise = Normalise::TrainingSet,
        });
        let (a, b) = (whole.physical(7), other.physical(7));
        assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-2), "{normalise:?}: physical values are the same");
    }
    let average = of(|c| c.eeg.reference = Reference::Average);
    let rows = average.physical(3);
    assert!(rows.rows().into_iter().all(|row| row.sum().abs() < 0.5), "channels add up to nothing");
    let bipolar = of(|c| c.eeg.reference = Reference::Bipolar);
    assert_eq!((bipolar.channels(), bipolar.channel_names[0].as_str()), (18, "Fp1-F7"));
    // Without looking for mains, which other channels may show where these do not.
    let some = of(|c| (c.eeg.channels, c.eeg.mains) = (vec!["o*".into(), "Cz".into()], Mains::None));
    let all = of(|c| c.eeg.mains = Mains::None);
    assert_eq!(some.channel_names, ["O1", "O2", "Cz"]);
    assert_eq!(some.physical(5).column(2), all.physical(5).column(9));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| prepared(&PreprocessingConfig::default()).segments)
    };
    assert_eq!(with(1).signals, with(3).signals);
}

fn eegmmidb() -> Option<PathBuf> {
    let folder = std::env::var_os("PHYSIOSYNTH_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let folder = folder.join("eegmmidb");
    if folder.join("S001R03.edf").is_file() {
        return Some(folder);
    }
    println!("SKIPPED: {} is absent (PHYSIOSYNTH_DATA names the folder with eegmmidb)", folder.display());
    None
}

/// Power in each band from 1 to 45 Hz: periodograms over Hann windows of 8 s, each without its mean. In windows of 2 s the drift below
/// 0.5 Hz, which is meant to go, would leak into the delta band.
fn band_powers(samples: &[f32], fs: f64) -> [f64; 5] {
    let part = (8.0 * fs) as usize;
    let window: Vec<f64> = (0..part).map(|i| 0.5 - 0.5 * (TAU * i as f64 / part as f64).cos()).collect();
    let wave: Vec<(f64, f64)> = (0..part).map(|i| (TAU * i as f64 / part as f64).sin_cos()).collect();
    let mut powers = [0.0; 5];
    for chunk in samples.chunks_exact(part) {
        let mean = chunk.iter().map(|&x| f64::from(x)).sum::<f64>() / part as f64;
        for (power, (from, to)) in powers.iter_mut().zip([(8, 32), (32, 64), (64, 104), (104, 240), (240, 360)]) {
            for bin in from..to {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, &x) in chunk.iter().enumerate() {
                    let (sin, cos) = wave[(i * bin) % part];
                    let x = (f64::from(x) - mean) * window[i];
                    re += x * cos;
                    im += x * sin;
                }
                *power += (re * re + im * im) / (part * part) as f64 / (samples.len() / part) as f64;
            }
        }
    }
    powers
}

/// The promise of `[preprocessing.eeg]`: the power of each band from 1 to 45 Hz is kept within 5%, in every channel.
#[test]
fn band_powers_of_real_recordings_are_kept() {
    let Some(folder) = eegmmidb() else { return };
    let database = open_database(&folder).unwrap();
    let config = EegConfig::default();
    let mut worst = [0.0_f64; 5];
    for index in [0, 3] {
        let record = database.read(index, None).unwrap();
        let cleaned = clean(&record, &config, &mut DenoiseMemory::default()).unwrap();
        let fs = cleaned.sampling_frequency_hz;
        assert_eq!((cleaned.names.len(), fs), (19, 160.0));
        let resampler = Resampler::new(fs, config.sampling_frequency_hz).unwrap();
        for (channel, (before, after)) in cleaned.before.iter().zip(&cleaned.after).enumerate() {
            let raw = band_powers(before, fs);
            let kept = band_powers(&resampler.apply(after), config.sampling_frequency_hz);
            for (band, (raw, kept)) in raw.iter().zip(kept).enumerate() {
                let change = kept / raw - 1.0;
                worst[band] = if change.abs() > worst[band].abs() { change } else { worst[band] };
                assert!(change.abs() < 0.05, "{} of record {index}, band {band}: {change:+.3}", cleaned.names[channel]);
            }
        }
    }
    println!("largest change of band power, delta to gamma: {worst:+.4?}");
}

#[test]
fn motor_imagery_is_labelled_by_task_and_event_and_split_by_run() {
    let Some(folder) = eegmmidb() else { return };
    let database = open_database(&folder).unwrap();
    let prepared = preprocess(&database, &PreprocessingConfig::default(), Seed(0), true, &Silent).unwrap();
    let (set, summary) = (&prepared.segments, &prepared.summary);
    assert_eq!(set.labels(), ["executed/left-fist", "executed/right-fist", "imagined/left-fist", "imagined/right-fist", "rest"]);
    assert!(set.segments.iter().all(|s| s.subject == "S001" && ["T0", "T1", "T2"].contains(&s.code.as_str())));
    // 30 events a run, each of 4.1 or 4.2 s: two epochs each, but for events that are cut off.
    assert!(summary.records.iter().all(|r| r.beats == 30 && (58..=60).contains(&r.segments)), "{:?}", summary.records);
    let of = |split: Split| summary.records.iter().filter(|r| r.split == split).map(|r| r.record.clone()).collect::<Vec<_>>();
    let (train, test) = (of(Split::Train), of(Split::Test));
    assert_eq!((train.len(), test.len()), (4, 2));
    // One run with executed and one with imagined movements tests.
    let executed = |runs: &[String]| runs.iter().filter(|r| ["S001R03", "S001R07", "S001R11"].contains(&r.as_str())).count();
    assert_eq!((executed(&train), executed(&test)), (2, 1));
    assert!(summary.notes.iter().any(|n| n.contains("records are held out, not subjects")), "{:?}", summary.notes);
}

//! The simulated EEG has what it says it has.

use std::f64::consts::TAU;

use physiosynth_signal::{RecordSource, Seed};
use physiosynth_simulator::eeg::head::ELECTRODES;
use physiosynth_simulator::eeg::timeline::EventKind;
use physiosynth_simulator::{EegConfig, SimulatedEegDatabase};

const FS: f64 = 160.0;

fn database() -> SimulatedEegDatabase {
    SimulatedEegDatabase::new(&EegConfig { subjects: 4, duration_s: 120.0, ..EegConfig::default() }, Seed(5)).unwrap()
}

fn electrode(name: &str) -> usize {
    ELECTRODES.iter().position(|e| e.name == name).unwrap()
}

/// Mean power in microvolts² from `from` to `to` hertz over windows of 2 s inside the events of a kind.
fn power(samples: &[f32], database: &SimulatedEegDatabase, index: usize, kind: EventKind, (from, to): (f64, f64)) -> f64 {
    let part = (2.0 * FS) as usize;
    let (mut sum, mut count) = (0.0, 0);
    for event in database.timeline(index).unwrap().events.iter().filter(|e| e.kind == kind) {
        // Half a second at the beginning belongs to the change.
        let start = ((event.onset_s + 0.5) * FS) as usize;
        let end = (((event.onset_s + event.duration_s) * FS) as usize).min(samples.len());
        for chunk in samples.get(start..end).unwrap_or(&[]).chunks_exact(part) {
            for bin in (2.0 * from) as usize..(2.0 * to) as usize {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, &x) in chunk.iter().enumerate() {
                    let (sin, cos) = (TAU * (i * bin % part) as f64 / part as f64).sin_cos();
                    let window = 0.5 - 0.5 * (TAU * i as f64 / part as f64).cos();
                    re += window * f64::from(x) * cos;
                    im += window * f64::from(x) * sin;
                }
                sum += (re * re + im * im) / (part * part) as f64;
            }
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let product = |x: &[f32], mx: f64, y: &[f32], my: f64| -> f64 {
        x.iter().zip(y).map(|(u, v)| (f64::from(*u) - mx) * (f64::from(*v) - my)).sum()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

#[test]
fn alpha_stands_at_the_back_and_shrinks_when_the_eyes_open() {
    let database = database();
    for (index, subject) in database.subjects().iter().enumerate() {
        let brain = database.brain(index).unwrap();
        let band = (subject.alpha_hz - 1.5, subject.alpha_hz + 1.5);
        let alpha = |name: &str, kind| power(&brain[electrode(name)], &database, index, kind, band);
        let (closed, open) = (alpha("O1", EventKind::EyesClosed), alpha("O1", EventKind::EyesOpen));
        assert!(closed > 2.5 * open, "subject {index}: {closed} {open}");
        assert!(closed > 2.0 * alpha("Fp1", EventKind::EyesClosed), "subject {index}");
    }
}

#[test]
fn discharges_are_large_slow_and_at_the_front() {
    let database = database();
    // One that the record's end has cut off holds no window of 2 s behind its beginning.
    let whole = |kind, s| kind == EventKind::SpikeWave && s >= 4.0;
    let with = (0..4).filter(|&i| database.timeline(i).unwrap().events.iter().any(|e| whole(e.kind, e.duration_s)));
    let indices: Vec<usize> = with.collect();
    assert!(indices.len() >= 2);
    for index in indices {
        let brain = database.brain(index).unwrap();
        let slow = |name: &str, kind| power(&brain[electrode(name)], &database, index, kind, (2.0, 4.5));
        let (during, without) = (slow("Fz", EventKind::SpikeWave), slow("Fz", EventKind::EyesOpen));
        assert!(during > 10.0 * without, "subject {index}: {during} {without}");
        assert!(slow("Fz", EventKind::SpikeWave) > slow("O1", EventKind::SpikeWave));
    }
}

#[test]
fn neighbouring_channels_covary_more_than_distant_ones() {
    let record = database().read(0, None).unwrap();
    let samples = |name: &str| &record.channel(name).unwrap().samples;
    let near = correlation(samples("C3"), samples("P3"));
    let far = correlation(samples("F7"), samples("O2"));
    assert!(near > 0.5 && near > far + 0.2, "{near} {far}");
}

#[test]
fn records_are_annotated_digitised_and_the_same_in_any_order() {
    let database = database();
    let record = database.read(2, None).unwrap();
    assert_eq!((record.name.as_str(), record.channels.len(), record.channels[0].samples.len()), ("eeg03", 19, 19_200));
    assert!(
        record.channels.iter().all(|c| c.unit == "uV" && c.samples.iter().all(|x| (x * 10.0 - (x * 10.0).round()).abs() < 1e-3))
    );
    // States follow one another without gap; the last ends with the record.
    let states = record.annotations.iter().filter(|a| ["eyes-open", "eyes-closed", "spike-wave"].contains(&a.code.as_ref()));
    let mut end = 0;
    for state in states {
        assert!((state.sample - end).abs() <= 1, "{state:?} after {end}");
        end = state.sample + state.duration;
    }
    assert!((end - 19_200).abs() <= 1);
    assert!(record.annotations.iter().any(|a| a.code == "blink" && a.duration > 40));
    let other = read_in_order(&database, &[3, 0, 2]);
    assert_eq!(other, record);
    let one = database.read(2, Some("O1")).unwrap();
    assert_eq!((one.channels.len(), &one.channels[0]), (1, record.channel("O1").unwrap()));
}

/// Reads the records in this order; the last.
fn read_in_order(database: &SimulatedEegDatabase, order: &[usize]) -> physiosynth_signal::Record {
    order.iter().map(|&i| database.read(i, None).unwrap()).reduce(|_, last| last).unwrap()
}

#[test]
fn settings_out_of_range_are_refused() {
    let error = SimulatedEegDatabase::new(&EegConfig { duration_s: 1.0, ..EegConfig::default() }, Seed(1)).unwrap_err();
    assert!(error.to_string().contains("simulator.eeg.duration_s"), "{error}");
    assert!(database().read(9, None).unwrap_err().to_string().contains("no record 9"));
}

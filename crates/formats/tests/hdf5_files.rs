//! HDF5 recordings of other programs, made by `goldens/make_hdf5.py`, and what is said where they do not say enough.

use std::path::{Path, PathBuf};

use physiosynth_formats::hdf5::{Axes, Hdf5ReadOptions};
use physiosynth_formats::recording::{OpenOptions, Part, Recording, open};
use physiosynth_signal::Record;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

fn read(name: &str, hdf5: Hdf5ReadOptions) -> Result<Record, String> {
    let options = OpenOptions { hdf5, ..OpenOptions::default() };
    open(&golden(name), &options).and_then(Recording::into_record).map_err(|error| error.to_string())
}

fn named(signals: &str) -> Hdf5ReadOptions {
    Hdf5ReadOptions { signals: Some(signals.into()), ..Hdf5ReadOptions::default() }
}

/// Channel `c` at sample `i` is `scale × (100 c + i / 8)`.
fn check(record: &Record, scale: f32) {
    assert_eq!(record.channels.len(), 3);
    for (index, channel) in record.channels.iter().enumerate() {
        let expected: Vec<f32> = (0..1_000).map(|i| scale * (100.0 * index as f32 + i as f32 / 8.0)).collect();
        assert_eq!(channel.samples, expected, "channel {index}");
    }
}

#[test]
fn h5py_with_gzip_and_shuffle() {
    let record = read("h5py.h5", named("ecg/data")).unwrap();
    check(&record, 1.0);
    let labels: Vec<&str> = record.channels.iter().map(|channel| channel.label.as_str()).collect();
    assert_eq!((labels, record.channels[0].unit.as_str(), record.sampling_frequency_hz), (vec!["I", "II", "V1"], "mV", 250.0));

    let mut options =
        Hdf5ReadOptions { axes: Some(Axes::ChannelTime), rate_path: Some("info/sfreq".into()), ..named("/eeg/raw") };
    let record = read("h5py.h5", options.clone()).unwrap();
    check(&record, 8.0);
    assert_eq!((record.sampling_frequency_hz, record.channels[2].label.as_str()), (500.0, "channel 3"));
    options.rate_path = Some("ecg@fs".into());
    options.names = vec!["x".into(), "y".into(), "z".into()];
    options.unit = Some("uV".into());
    let record = read("h5py.h5", options).unwrap();
    assert_eq!(
        (record.sampling_frequency_hz, record.channels[1].label.as_str(), record.channels[1].unit.as_str()),
        (250.0, "y", "uV")
    );
}

#[test]
fn matlab_7_3() {
    let options = OpenOptions { hdf5: named("val"), ..OpenOptions::default() };
    let recording = open(&golden("matlab.mat"), &options).unwrap();
    assert!(recording.problems[0].contains("[channel, time]"), "{:?}", recording.problems);
    let record = recording.into_record().unwrap();
    check(&record, 1.0);
    assert_eq!(record.sampling_frequency_hz, 360.0);
    // The rate is no dataset of signals: `val` is the only one.
    check(&read("matlab.mat", Hdf5ReadOptions::default()).unwrap(), 1.0);
}

#[test]
fn a_part_is_read_alone() {
    let options = OpenOptions { hdf5: named("ecg/data"), ..OpenOptions::default() };
    let part = Part { from_s: 1.0, to_s: Some(2.0), signals: vec!["V1".into()] };
    let record = open(&golden("h5py.h5"), &options).unwrap().part(&part).unwrap().into_record().unwrap();
    assert_eq!(record.channels[0].samples, (250..500).map(|i| 200.0 + i as f32 / 8.0).collect::<Vec<_>>());
}

#[test]
fn parts_of_arrays_of_channels() {
    // Chunks of 500 samples, with and without a checksum: within one, across two, the end.
    for (name, signals, scale) in [("matlab.mat", "val", 1.0_f32), ("h5py.h5", "eeg/raw", 8.0)] {
        let hdf5 = Hdf5ReadOptions { rate_hz: Some(100.0), ..named(signals) };
        let options = OpenOptions { hdf5, ..OpenOptions::default() };
        for (from, to) in [(0, 100), (450, 550), (500, 1_000), (999, 1_000)] {
            let part = Part {
                from_s: f64::from(from) / 100.0,
                to_s: Some(f64::from(to) / 100.0),
                signals: vec!["3".into(), "1".into()],
            };
            let record = open(&golden(name), &options).unwrap().part(&part).unwrap().into_record().unwrap();
            for (channel, number) in record.channels.iter().zip([2.0, 0.0]) {
                let expected: Vec<f32> = (from..to).map(|i| scale * (100.0 * number + i as f32 / 8.0)).collect();
                assert_eq!(channel.samples, expected, "{name}: {from} to {to}");
            }
        }
    }
}

#[test]
fn what_is_missing_is_told() {
    let error = read("h5py.h5", Hdf5ReadOptions::default()).unwrap_err();
    assert!(
        error.contains("'ecg/data' [1000, 3]") && error.contains("'eeg/raw' [3, 1000]") && error.contains("--hdf5-signals"),
        "{error}"
    );
    for (options, said) in [
        (named("ecg/nothing"), "no such dataset"),
        (named("names"), "no numbers"),
        (named("eeg/raw"), "--rate"),
        (Hdf5ReadOptions { rate_hz: Some(-1.0), ..named("eeg/raw") }, "not above 0"),
        (Hdf5ReadOptions { rate_path: Some("names".into()), ..named("eeg/raw") }, "no number"),
        (Hdf5ReadOptions { names: vec!["a".into()], ..named("ecg/data") }, "3 channels, and 1 names"),
        (Hdf5ReadOptions { axes: Some(Axes::ChannelTime), names: vec!["a".into()], ..named("ecg/data") }, "1000 channels"),
    ] {
        let error = read("h5py.h5", options).unwrap_err();
        assert!(error.contains(said) && error.contains("h5py.h5"), "{said}: {error}");
    }
}

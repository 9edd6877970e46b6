use physiosynth_signal::{Annotation, Channel, Digitisation, Record};
use tempfile::tempdir;

use super::*;
use crate::recording::Recording;
use crate::segments::structures::Datatype;
use crate::segments::writer::{Attribute, Writer};

fn record() -> Record {
    let wave = |rate: usize, seconds: usize| (0..rate * seconds).map(|i| (i as f32 * 0.1).sin()).collect::<Vec<f32>>();
    let mut lead = Channel::new("MLII", "mV", 360.0, wave(360, 20));
    lead.samples[7] = f32::NAN;
    lead.digitisation = Some(Digitisation { gain: 200.0, baseline: 1024.5, adc_resolution: 11, adc_zero: 1024 });
    let mut record = Record::new("100")
        .with_channel(lead)
        .with_channel(Channel::new("resp", "", 90.0, wave(90, 20)))
        .with_channel(Channel::new("V5", "mV", 360.0, wave(360, 20)));
    let mark =
        Annotation { sample: 5, duration: 3, code: "+".into(), subtype: -1, channel: 1, number: 2, aux: "(AFIB µ".into() };
    record.annotations = vec![mark, Annotation::beat(77, "N")];
    record.start = Some("10:20:30.5 01/02/2003".into());
    record.comments = vec!["69 M 1085 1629 x1".into(), "Aldomet, Inderal".into()];
    record.subject = "somebody".into();
    record
}

#[test]
fn records_come_back_whole() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("r.h5");
    let record = record();
    write_recording(&path, &mut Recording::of(&record)).unwrap();
    let back = open(&path, &Hdf5ReadOptions::default()).unwrap();
    assert_eq!(back.lengths(), [7200, 1800, 7200]);
    let mut back = back.into_record().unwrap();
    assert!(back.channels[0].samples[7].is_nan());
    back.channels[0].samples[7] = 0.0;
    let mut expected = record.clone();
    expected.channels[0].samples[7] = 0.0;
    assert_eq!(back, expected);
    assert!(is_hdf5(&path) && !holds_segments(&path));
}

#[test]
fn a_record_without_anything_can_be_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("r.h5");
    let record = Record { sampling_frequency_hz: 100.0, ..Record::new("empty") };
    write_recording(&path, &mut Recording::of(&record)).unwrap();
    assert_eq!(open(&path, &Hdf5ReadOptions::default()).unwrap().into_record().unwrap(), record);
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("r.h5");
    write_recording(&path, &mut Recording::of(&record())).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let result = open(&path, &Hdf5ReadOptions::default()).and_then(Recording::into_record);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("r.h5") && error.contains("again"), "{cut}: {error}");
    }
}

#[test]
fn an_array_of_channels_is_read_by_time() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("r.h5");
    let mut writer = Writer::new(std::io::BufWriter::new(std::fs::File::create(&path).unwrap())).unwrap();
    let value = |channel: usize, sample: usize| (channel * 10_000 + sample) as f32;
    let bytes: Vec<u8> = (0..3).flat_map(|c| (0..5_000).flat_map(move |i| value(c, i).to_le_bytes())).collect();
    writer.dataset("raw", Datatype::Float32, &[3, 5_000], &bytes).unwrap();
    writer.finish(&[("fs", Attribute::Float(100.0))]).unwrap();
    let mut recording = open(&path, &Hdf5ReadOptions::default()).unwrap();
    assert_eq!(recording.lengths(), [5_000; 3]);
    let expected = |channel: usize, from: usize, to: usize| (from..to).map(|i| value(channel, i)).collect::<Vec<_>>();
    let found = recording.read(&[10..20, 0..0, 4_999..5_000]).unwrap();
    assert_eq!(found, [expected(0, 10, 20), vec![], expected(2, 4_999, 5_000)]);
    let whole = recording.into_record().unwrap();
    assert!((0..3).all(|channel| whole.channels[channel].samples == expected(channel, 0, 5_000)));
}

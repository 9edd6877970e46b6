//! What is written as EDF+ and BDF+ reads back as it was.

use std::path::Path;

use physiosynth_formats::edf::{self, EdfReadOptions, Scaling, WriteOptions};
use physiosynth_formats::recording::{OpenOptions, open, read_annotations_of};
use physiosynth_signal::{Annotation, Channel, Digitisation, Record};
use proptest::prelude::*;

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| if sample.is_nan() { f32::NAN.to_bits() } else { sample.to_bits() }).collect()
}

fn assert_same(found: &Record, expected: &Record) {
    assert_eq!(found.channels.len(), expected.channels.len());
    for (found, expected) in found.channels.iter().zip(&expected.channels) {
        assert_eq!(
            (&found.label, &found.unit, found.sampling_frequency_hz),
            (&expected.label, &expected.unit, expected.sampling_frequency_hz)
        );
        assert!(bits(&found.samples) == bits(&expected.samples), "{}: {:?} {:?}", found.label, found.samples, expected.samples);
    }
    assert_eq!(found.annotations, expected.annotations);
}

/// Writes, reads, and gives the record read and the bytes of the file.
fn round(folder: &Path, name: &str, record: &Record, options: &WriteOptions) -> (edf::Recording, Vec<u8>) {
    let path = folder.join(name);
    edf::write_record(&path, record, options).unwrap();
    (edf::read(&path, &EdfReadOptions::default()).unwrap(), std::fs::read(&path).unwrap())
}

fn ramp(length: usize, rate: f64) -> Channel {
    Channel::new("Fp1", "uV", rate, (0..length).map(|i| ((i * 37) % 1_000) as f32 / 8.0 - 60.0).collect())
}

/// Scalings whose ends eight characters hold.
fn scaling(bdf: bool) -> impl Strategy<Value = Scaling> {
    let (low, high) = if bdf { (-0x80_0000, 0x7F_FFFF) } else { (-0x8000, 0x7FFF) };
    let range = prop_oneof![Just((low, high)), Just((-2_048, 2_047)), Just((0, 4_095)), Just((low + 1, high))];
    let physical = prop_oneof![
        Just((-3_276.8, 3_276.7)),
        Just((-1.5, 1.5)),
        Just((8_711.0, -8_711.0)),
        Just((-1e-4, 1e-4)),
        Just((-187_500.0, 187_500.0))
    ];
    (range, physical).prop_map(|((digital_minimum, digital_maximum), (physical_minimum, physical_maximum))| Scaling {
        physical_minimum,
        physical_maximum,
        digital_minimum,
        digital_maximum,
    })
}

/// Physical units per digital unit, and the physical value of digital 0.
fn line(scaling: &Scaling) -> (f64, f64) {
    let digital = f64::from(scaling.digital_maximum) - f64::from(scaling.digital_minimum);
    let scale = (scaling.physical_maximum - scaling.physical_minimum) / digital;
    (scale, scaling.physical_minimum - scale * f64::from(scaling.digital_minimum))
}

/// A channel of digital values under a scaling.
fn channel(label: &str, rate: f64, digital: &[i32], scaling: &Scaling) -> Channel {
    let (scale, offset) = line(scaling);
    Channel::new(label, "uV", rate, digital.iter().map(|&value| (f64::from(value) * scale + offset) as f32).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn digital_values_and_annotations_survive(
        bdf in any::<bool>(),
        seconds in 1_usize..6,
        seed in any::<u32>(),
        scalings in (scaling(false), scaling(true)),
        marks in prop::collection::vec((0_i64..600, 0_i64..300, "[a-zA-Zµ中 ]{1,12}"), 0..20),
        start in prop::option::of("(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[1-9] (0[1-9]|1[0-9])/(0[1-9])/20[0-7][0-9]"),
    ) {
        let scaling = if bdf { scalings.1 } else { scalings.0 };
        let mut state = seed;
        let mut digital = |length: usize| -> Vec<i32> {
            let span = i64::from(scaling.digital_maximum) - i64::from(scaling.digital_minimum) + 1;
            (0..length).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (i64::from(state) % span + i64::from(scaling.digital_minimum)) as i32
            }).collect()
        };
        let digital = [digital(100 * seconds), digital(25 * seconds)];
        let record = Record {
            start,
            ..Record::new("r")
                .with_channel(channel("S1", 100.0, &digital[0], &scaling))
                .with_channel(channel("S2", 25.0, &digital[1], &scaling))
        };
        let mut marks: Vec<Annotation> = marks
            .into_iter()
            .map(|(sample, duration, code)| Annotation { duration, ..Annotation::beat(sample, code) })
            .collect();
        marks.sort_by_key(|mark| mark.sample);
        let record = record.with_annotations(marks);
        let options = WriteOptions { scaling: vec![Some(scaling); 2], ..WriteOptions::default() };
        let folder = tempfile::tempdir().unwrap();
        let name = if bdf { "r.bdf" } else { "r.edf" };
        let (found, bytes) = round(folder.path(), name, &record, &options);
        let (scale, offset) = line(&scaling);
        for (channel, digital) in found.record.channels.iter().zip(&digital) {
            let back = channel.samples.iter().map(|&sample| ((f64::from(sample) - offset) / scale).round() as i32);
            prop_assert!(back.eq(digital.iter().copied()));
        }
        prop_assert_eq!(&found.record.annotations, &record.annotations);
        prop_assert_eq!(&found.record.start.is_some(), &true);
        if record.start.is_some() {
            prop_assert_eq!(&found.record.start, &record.start);
        }
        prop_assert!(found.problems.is_empty(), "{:?}", found.problems);
        // Once more, as it was: not a bit changes.
        let (_, again) = round(folder.path(), name, &found.record, &WriteOptions::like(&found.header));
        prop_assert!(bytes == again);
    }

    #[test]
    fn broken_files_are_errors_or_records_never_panics(
        seed in any::<u64>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        bdf in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if bdf { "r.bdf" } else { "r.edf" });
        let marks = vec![Annotation::beat((seed % 50) as i64, "T1"), Annotation { duration: 9, ..Annotation::beat(60, "T2") }];
        let record = Record::new("r").with_channel(ramp(100, 20.0)).with_channel(ramp(25, 5.0)).with_annotations(marks);
        edf::write_record(&path, &record, &WriteOptions::default()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        for (index, byte) in changes {
            // Mostly in the header, and with characters that numbers are made of.
            let at = if byte % 4 == 0 { index.index(bytes.len()) } else { index.index(1_024) };
            bytes[at] = if byte % 3 == 0 { byte } else { b"0123456789-+.eE \x14\x15"[usize::from(byte) % 18] };
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mut source = std::io::Cursor::new(&bytes);
        if let Ok(read) = edf::read_from(&path, &mut source, &EdfReadOptions::default()) {
            // Samples take bytes of the file, but for gaps within their limit.
            let samples: usize = read.record.channels.iter().map(|channel| channel.samples.len()).sum();
            prop_assert!(samples <= (1 << 28) + 2 * bytes.len());
        }
        let part = EdfReadOptions { from_s: 1.0, to_s: Some(2.0), ..EdfReadOptions::default() };
        let _ = edf::read_from(&path, &mut source, &part);
    }
}

#[test]
fn missing_samples_padding_and_rates_survive() {
    let folder = tempfile::tempdir().unwrap();
    // 650 samples at 360 Hz fill no whole number of data records.
    let mut first = ramp(650, 360.0);
    first.samples[100..120].fill(f32::NAN);
    first.samples[649] = f32::NAN;
    let mut second = Channel { label: "Fp2".into(), ..ramp(650, 360.0) };
    second.samples[100..120].fill(f32::NAN);
    second.samples[0] = f32::NAN;
    let scaling =
        Scaling { physical_minimum: -4_096.0, physical_maximum: 4_095.875, digital_minimum: -0x8000, digital_maximum: 0x7FFF };
    let record = Record::new("r").with_channel(first).with_channel(second).with_annotations(vec![Annotation::beat(5, "N")]);
    let options = WriteOptions { scaling: vec![Some(scaling); 2], ..WriteOptions::default() };
    for name in ["r.edf", "r.bdf"] {
        let (found, _) = round(folder.path(), name, &record, &WriteOptions { coding: None, ..options.clone() });
        assert_same(&found.record, &record);
    }
    let texts: Vec<String> = edf::read_annotations(&folder.path().join("r.edf")).unwrap().into_iter().map(|a| a.text).collect();
    for text in ["BAD_missing", "BAD_missing@@Fp1", "BAD_missing@@Fp2", "BAD_ACQ_SKIP"] {
        assert!(texts.iter().any(|other| other == text), "{text}: {texts:?}");
    }
    // None of these is about another recording.
    let marks = read_annotations_of(&folder.path().join("r.edf"), 720.0).unwrap();
    assert_eq!(marks, [Annotation::beat(10, "N")]);
    // Labels that are not unique, and parts of a record with gaps.
    let mut same = record.clone();
    same.channels[1].label = "Fp1".into();
    let (found, _) = round(folder.path(), "r.edf", &same, &options);
    assert_same(&found.record, &same);
    let part = edf::read_record(
        &folder.path().join("r.edf"),
        &EdfReadOptions { from_s: 0.25, to_s: Some(0.5), ..EdfReadOptions::default() },
    );
    assert_eq!(bits(&part.unwrap().channels[0].samples), bits(&same.channels[0].samples[90..180]));
}

#[test]
fn gaps_are_left_out_where_asked_and_filled_when_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut channel = ramp(2_000, 100.0);
    channel.samples[430..1_210].fill(f32::NAN);
    let mut slow = Channel { label: "Resp".into(), ..ramp(200, 10.0) };
    slow.samples[43..121].fill(f32::NAN);
    let record =
        Record::new("r").with_channel(channel).with_channel(slow).with_annotations(vec![Annotation::beat(1_500, "late")]);
    let scaling =
        Scaling { physical_minimum: -4_096.0, physical_maximum: 4_095.875, digital_minimum: -0x8000, digital_maximum: 0x7FFF };
    let options = WriteOptions { discontinuous: true, scaling: vec![Some(scaling); 2], ..WriteOptions::default() };
    let (found, bytes) = round(folder.path(), "r.edf", &record, &options);
    assert_same(&found.record, &record);
    assert_eq!(found.header.extension, edf::Extension::Discontinuous);
    assert_eq!((found.header.records, found.record.duration_s()), (13, 20.0));
    let whole = round(folder.path(), "whole.edf", &record, &WriteOptions { discontinuous: false, ..options }).1;
    assert!(bytes.len() < whole.len());
    let part = EdfReadOptions { from_s: 4.0, to_s: Some(13.5), lead: Some("Resp".into()), ..EdfReadOptions::default() };
    let part = edf::read_record(&folder.path().join("r.edf"), &part).unwrap();
    assert_eq!(bits(&part.channels[0].samples), bits(&record.channels[1].samples[40..135]));

    // Hostile: the second stretch begins thirty years later.
    let onset = bytes.windows(4).position(|four| four == b"+12\x14").unwrap();
    let mut late = bytes.clone();
    late.splice(onset..onset + 12, *b"+999999999\x14\x14");
    let path = folder.path().join("late.edf");
    std::fs::write(&path, &late).unwrap();
    let message = edf::read_record(&path, &EdfReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("whose gaps make it") || message.contains("starts before"), "{message}");
}

#[test]
fn the_header_has_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record {
        start: Some("13:21:46.25 01/08/2013".into()),
        comments: vec!["patient: somebody".into()],
        ..Record::new("r").with_channel(Channel { unit: "µV".into(), ..ramp(100, 100.0) })
    };
    let options = WriteOptions {
        patient: Some("X X X SYNTHETIC".into()),
        recording: Some("SYNTHETIC physiosynth X".into()),
        transducers: vec!["none".into()],
        prefiltering: vec!["HP:0.1Hz".into()],
        ..WriteOptions::default()
    };
    let (found, bytes) = round(folder.path(), "r.edf", &record, &options);
    assert_eq!(found.header.patient, "X X X SYNTHETIC");
    assert_eq!(found.header.recording, "Startdate 01-AUG-2013 SYNTHETIC physiosynth X");
    assert_eq!(found.record.start, record.start);
    let signal = &found.header.signals[0];
    assert_eq!((signal.unit.as_str(), signal.transducer.as_str(), signal.prefiltering.as_str()), ("uV", "none", "HP:0.1Hz"));
    assert!(bytes[..256].is_ascii() && &bytes[168..184] == b"01.08.1313.21.46" && &bytes[192..197] == b"EDF+C");
    // A patient in words becomes a name; nothing known is X.
    let (found, _) = round(folder.path(), "r.edf", &record, &WriteOptions::default());
    assert_eq!(
        (found.header.patient.as_str(), found.header.recording.as_str()),
        ("X X X somebody", "Startdate 01-AUG-2013 X X X")
    );
    let bare = Record::new("r").with_channel(ramp(100, 100.0));
    let (found, _) = round(folder.path(), "r.edf", &bare, &WriteOptions::default());
    assert_eq!((found.header.patient.as_str(), found.header.recording.as_str()), ("X X X X", "Startdate X X X X"));
    assert_eq!(found.record.start.as_deref(), Some("00:00:00"));
}

#[test]
fn quantisation_is_half_a_step_of_the_finest_scale() {
    let folder = tempfile::tempdir().unwrap();
    for (scale, offset) in [(1.0, 0.0), (1e-5, 0.0), (3e4, 0.0), (1.0, 500.0)] {
        let samples: Vec<f32> = (0..1_000_i16).map(|i| (f32::from(i) * 0.37).sin() * scale + offset).collect();
        let record = Record::new("r").with_channel(Channel::new("C3", "mV", 100.0, samples.clone()));
        let (found, _) = round(folder.path(), "r.edf", &record, &WriteOptions::default());
        let step = 2.0 * f64::from(scale) / 65_535.0;
        for (found, sample) in found.record.channels[0].samples.iter().zip(&samples) {
            let error = f64::from((found - sample).abs());
            assert!(error <= 0.51 * step + f64::from(sample.abs()) * 6e-8 + 0.005 * step, "{sample} → {found}, step {step}");
        }
    }
    // A record of another format keeps its digital values.
    let samples: Vec<f32> = (900..1_150).map(|value| ((f64::from(value) - 1_024.0) / 200.0) as f32).collect();
    let mut channel = Channel::new("MLII", "mV", 250.0, samples.clone());
    channel.digitisation = Some(Digitisation { gain: 200.0, baseline: 1_024.0, adc_resolution: 11, adc_zero: 1_024 });
    let (found, _) = round(folder.path(), "r.edf", &Record::new("r").with_channel(channel.clone()), &WriteOptions::default());
    assert_eq!(bits(&found.record.channels[0].samples), bits(&samples));
    assert_eq!(found.record.channels[0].digitisation.as_ref().map(|d| d.baseline), Some(1_024.0));
}

#[test]
fn triggers_of_a_status_channel_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let bits: Vec<f32> = (0..200).map(|i| if (50..60).contains(&i) { 5.0 + 65_536.0 } else { 65_536.0 }).collect();
    let status = Channel::new("Status", "Boolean", 100.0, bits.clone());
    let record = Record::new("r").with_channel(ramp(200, 100.0)).with_channel(status);
    let record = record.with_annotations(vec![Annotation::beat(10, "T1")]);
    let (once, _) = round(folder.path(), "r.bdf", &record, &WriteOptions::default());
    let (twice, _) = round(folder.path(), "r.bdf", &once.record, &WriteOptions::default());
    for found in [once, twice] {
        let marks: Vec<_> = found.record.annotations.iter().map(|a| (a.sample, a.duration, a.code.as_ref())).collect();
        assert_eq!(marks, [(10, 0, "T1"), (50, 10, "5")]);
        assert_eq!(found.record.channels[1].samples, bits);
    }
    let options = EdfReadOptions { status_events: false, ..EdfReadOptions::default() };
    edf::write_record(&folder.path().join("r.bdf"), &record, &WriteOptions::default()).unwrap();
    assert_eq!(edf::read_record(&folder.path().join("r.bdf"), &options).unwrap().annotations.len(), 1);
    let volts = Record::new("r").with_channel(Channel { label: "Status".into(), ..ramp(100, 100.0) });
    let refused = edf::write_record(&folder.path().join("r.bdf"), &volts, &WriteOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("24 bits of triggers"), "{refused}");
    edf::write_record(&folder.path().join("r.edf"), &volts, &WriteOptions::default()).unwrap();
}

#[test]
fn a_signal_named_as_annotations_stays_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, label) in [("r.bdf", "BDF Annotations"), ("r.edf", "EDF Annotations"), ("other.edf", "BDF Annotations")] {
        // A plain file with such a label on samples: written under another of that length, then renamed.
        let record =
            Record::new("r").with_channel(ramp(40, 20.0)).with_channel(Channel { label: "x".repeat(15), ..ramp(40, 20.0) });
        let (_, mut bytes) = round(folder.path(), name, &record, &WriteOptions::default());
        bytes[192..197].fill(b' ');
        let at = bytes.windows(15).position(|text| text == [b'x'; 15]).unwrap();
        bytes[at..at + 15].copy_from_slice(label.as_bytes());
        std::fs::write(path(name), &bytes).unwrap();
        let mut plain = open(&path(name), &OpenOptions::default()).unwrap();
        let samples = plain.lengths().to_vec();
        assert_eq!((plain.record.channels[1].label.as_str(), &samples[..]), (label, &[40, 40][..]), "{name}");

        // Written as EDF+ it would be an annotation signal. It gets another label, and that is told.
        let options = plain.edf_options();
        let written = path(name).with_file_name(format!("again-{name}"));
        let losses = edf::write_recording(&written, &mut plain, &options).unwrap();
        assert!(losses.len() == 1 && losses[0].contains(label), "{losses:?}");
        let back = edf::read(&written, &EdfReadOptions::default()).unwrap();
        assert_eq!(back.record.channels[1].label, label.replace(' ', "_"));
        assert_eq!(bits(&back.record.channels[1].samples), bits(&plain.into_record().unwrap().channels[1].samples));
        assert!(back.problems.is_empty(), "{:?}", back.problems);
    }
}

#[test]
fn annotations_alone() {
    let folder = tempfile::tempdir().unwrap();
    let marks = vec![
        Annotation { duration: 30_000, ..Annotation::beat(0, "Sleep stage W") },
        Annotation::beat(30_500, "+").with_aux("(AFIB"),
    ];
    let record = Record { sampling_frequency_hz: 1_000.0, annotations: marks, ..Record::new("r") };
    let (found, _) = round(folder.path(), "r.edf", &record, &WriteOptions::default());
    let found: Vec<_> = found.record.annotations.iter().map(|a| (a.sample, a.duration, a.code.as_ref())).collect();
    assert_eq!(found, [(0, 30_000, "Sleep stage W"), (30_500, 0, "+ (AFIB")]);
}

#[test]
fn headers_that_are_wrong_are_read_by_the_size_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record::new("r").with_channel(ramp(500, 100.0)).with_annotations(vec![Annotation::beat(150, "T1")]);
    let (whole, bytes) = round(folder.path(), "r.edf", &record, &WriteOptions::default());
    let read = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        let path = folder.path().join("x.edf");
        std::fs::write(&path, &changed).unwrap();
        edf::read(&path, &EdfReadOptions::default()).map(|found| (found.record, found.problems.join("\n")))
    };
    let set =
        |at: usize, text: &'static str| move |bytes: &mut Vec<u8>| bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    for (change, told) in [
        (&set(236, "-1      ") as &dyn Fn(&mut Vec<u8>), "stated as -1; there are 5"),
        (&set(184, "512     "), "states 512 bytes for itself"),
        (&|bytes: &mut Vec<u8>| bytes.extend_from_slice(b"trailing"), "8 bytes behind the 5 data records"),
    ] {
        let (found, problems) = read(change).unwrap();
        assert_same(&found, &whole.record);
        assert!(problems.contains(told), "{problems}");
    }
    // The last data record is cut.
    let (found, problems) = read(&|bytes| bytes.truncate(bytes.len() - 7)).unwrap();
    assert_eq!((found.channels[0].samples.len(), problems.contains("cut short: 5 data records")), (400, true), "{problems}");
    // Latin-1 in the unit; a decimal comma; no range.
    let unit = 256 + 2 * (16 + 80);
    let (found, _) = read(&|bytes| bytes[unit..unit + 8].copy_from_slice(b"\xB5V      ")).unwrap();
    assert_eq!(found.channels[0].unit, "µV");
    let flat = |bytes: &mut Vec<u8>| [16, 32].iter().for_each(|at| set(unit + at, "7       ")(bytes));
    let (found, problems) = read(&flat).unwrap();
    assert!(problems.contains("state no range") && found.channels[0].samples.iter().all(|s| s.fract() == 0.0), "{problems}");
    assert!(read(&set(252, "9999")).unwrap_err().to_string().contains("holds"));
}

#[test]
fn what_cannot_be_written_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |record: &Record| {
        edf::write_record(&folder.path().join("r.edf"), record, &WriteOptions::default()).unwrap_err().to_string()
    };
    let infinite = Record::new("r").with_channel(Channel::new("C", "uV", 1.0, vec![f32::INFINITY]));
    assert!(refused(&infinite).contains("infinite"));
    let uneven = Record::new("r").with_channel(ramp(100, 100.0)).with_channel(ramp(30, 10.0));
    assert!(refused(&uneven).contains("30 samples"));
    let nameless = Record::new("r").with_channel(ramp(100, 100.0)).with_annotations(vec![Annotation::beat(0, "")]);
    assert!(refused(&nameless).contains("annotation 0 has no text"));
    assert!(!folder.path().join("r.edf").exists());
}

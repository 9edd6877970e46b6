//! What is written is read back: signals to the digit, annotations field by field, whatever the header says.

use std::fs;

use physiosynth_formats::wfdb::write_record;
use physiosynth_formats::{SignalFormat, WfdbReadOptions, inspect_record, read_header, read_record};
use physiosynth_signal::{Annotation, Channel, Digitisation, Record};
use proptest::prelude::*;
use tempfile::tempdir;

const FORMATS: [SignalFormat; 2] = [SignalFormat::Format16, SignalFormat::Format212];

/// A channel that holds these digital values.
fn channel(label: &str, digitisation: &Digitisation, digital: &[i32], missing: i32) -> Channel {
    let value = |&d: &i32| {
        if d == missing { f32::NAN } else { ((f64::from(d) - digitisation.baseline) / digitisation.gain) as f32 }
    };
    Channel { digitisation: Some(digitisation.clone()), ..Channel::new(label, "mV", 360.0, digital.iter().map(value).collect()) }
}

/// The same, NaN for NaN.
fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| if sample.is_nan() { f32::NAN } else { *sample }.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn digital_signals_round_trip(
        format in prop::sample::select(vec![16_u32, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524]),
        rows in prop::collection::vec(prop::array::uniform3(any::<i32>()), 1..300),
        channels in 1_usize..=3,
        gain in prop_oneof![Just(200.0), 0.001_f64..5000.0, -20.0_f64..-0.1],
        baseline in -20_000_i32..20_000,
    ) {
        let format = SignalFormat::from_number(format).unwrap();
        // Of formats with more bits than a sample has here, as many as it has; their mark for a missing sample is then beyond.
        let width = format.resolution().min(20);
        let missing = if width < format.resolution() { i32::MIN } else { -1 << (width - 1) };
        let digitisation = Digitisation { gain, baseline: f64::from(baseline), adc_resolution: 11, adc_zero: 3 };
        let mut record = Record::new("x");
        for index in 0..channels {
            let digital: Vec<i32> = rows.iter().map(|row| row[index] >> (32 - width)).collect();
            record = record.with_channel(channel(&format!("lead {index}"), &digitisation, &digital, missing));
        }
        let folder = tempdir().unwrap();
        write_record(folder.path(), &record, format).unwrap();
        let back = read_record(&folder.path().join("x"), &WfdbReadOptions::default()).unwrap();
        prop_assert_eq!(back.channels.len(), channels);
        for (written, read) in record.channels.iter().zip(&back.channels) {
            prop_assert_eq!(bits(&written.samples), bits(&read.samples));
            prop_assert_eq!((&written.label, &written.digitisation), (&read.label, &read.digitisation));
        }
    }

    #[test]
    fn random_bytes_as_any_file_never_panic(
        header in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200).boxed(),
            "x [0-9]{1,2} [0-9/().]{0,9} [0-9]{0,4}\n(x\\.dat (16|212)[x:+0-9]{0,6} [0-9./()mV-]{0,9}( -?[0-9]{1,5}){0,5}\n){0,4}"
                .prop_map(String::into_bytes).boxed(),
        ],
        signals in prop::collection::vec(any::<u8>(), 0..300),
        annotations in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let folder = tempdir().unwrap();
        for (extension, content) in [("hea", header), ("dat", signals), ("atr", annotations)] {
            fs::write(folder.path().join(format!("x.{extension}")), content).unwrap();
        }
        let path = folder.path().join("x");
        let read = read_record(&path, &WfdbReadOptions { verify_checksums: false, ..WfdbReadOptions::default() });
        let inspection = inspect_record(&path);
        prop_assert!(read.is_ok() || !inspection.problems.is_empty());
    }
}

/// A record with something of everything.
fn full() -> Record {
    let wave = |i: u16| (f32::from(i) * 0.01).sin() + 0.3;
    let mut ecg: Vec<f32> = (0..1000).map(wave).collect();
    ecg[17] = f32::NAN;
    let mut record = Record::new("s-01")
        .with_channel(Channel::new("MLII", "mV", 128.0, ecg))
        .with_channel(Channel::new("respiration, chest", "", 128.0, (0..1000).map(|i| 1000.0 * wave(i)).collect()))
        .with_channel(Channel::new("flat", "uV", 128.0, vec![7.25; 1000]))
        .with_annotations(vec![
            Annotation::beat(0, "+").with_aux("(N"),
            Annotation { subtype: -3, channel: 2, number: -1, ..Annotation::beat(0, "V") },
            Annotation::beat(999, "st1"),
        ]);
    record.comments = vec!["SYNTHETIC".into(), "made from nothing".into()];
    record.start = Some("17:27:45.5 15/08/1994".into());
    record
}

#[test]
fn a_full_record_round_trips_within_half_a_step() {
    for (format, range) in FORMATS.into_iter().zip([65_532.0_f32, 4_092.0]) {
        let folder = tempdir().unwrap();
        let record = full();
        write_record(folder.path(), &record, format).unwrap();
        let path = folder.path().join("s-01");
        assert!(inspect_record(&path).problems.is_empty(), "{:?}", inspect_record(&path).problems);
        let back = read_record(&path, &WfdbReadOptions::default()).unwrap();
        assert_eq!((&back.annotations, &back.comments, &back.start), (&record.annotations, &record.comments, &record.start));
        assert_eq!(back.sampling_frequency_hz, 128.0);
        let units: Vec<_> = back.channels.iter().map(|channel| channel.unit.as_str()).collect();
        assert_eq!(units, ["mV", "NU", "uV"]);
        assert!(back.channels[0].samples[17].is_nan());
        for (written, read) in record.channels.iter().zip(&back.channels) {
            let (low, high) = written.samples.iter().fold((f32::MAX, f32::MIN), |(low, high), &s| (low.min(s), high.max(s)));
            // Half a step and a rounding of the value itself.
            let bound = 0.5 * (high - low) / range * 1.001 + high.abs() * f32::EPSILON;
            let worst = written.samples.iter().zip(&read.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= bound, "{} in format {}: {worst} > {bound}", written.label, format.number());
        }
        // What was read is written to the same bytes.
        let again = tempdir().unwrap();
        write_record(again.path(), &back, format).unwrap();
        for extension in ["hea", "dat", "atr"] {
            let content = |folder: &tempfile::TempDir| fs::read(folder.path().join(format!("s-01.{extension}"))).unwrap();
            assert_eq!(content(&folder), content(&again), "{extension}");
        }
    }
}

#[test]
fn channels_of_a_multiple_of_the_rate_share_the_frame() {
    let folder = tempdir().unwrap();
    let record = Record::new("f")
        .with_channel(Channel::new("slow", "mV", 100.0, vec![0.0, 1.0, 2.0]))
        .with_channel(Channel::new("fast", "mV", 300.0, (0_i16..9).map(f32::from).collect()));
    write_record(folder.path(), &record, SignalFormat::Format212).unwrap();
    let header = read_header(&folder.path().join("f")).unwrap();
    assert_eq!((header.samples, header.signals[1].samples_per_frame), (Some(3), Some(3)));
    let back = read_record(&folder.path().join("f"), &WfdbReadOptions::default()).unwrap();
    assert_eq!((back.channels[1].sampling_frequency_hz, back.channels[1].samples.len()), (300.0, 9));
    assert!(back.channels[1].samples.iter().zip(0_i16..).all(|(s, i)| (s - f32::from(i)).abs() < 0.002));
}

#[test]
fn values_beyond_their_digitisation_get_another() {
    let folder = tempdir().unwrap();
    let mut record = Record::new("g").with_channel(Channel::new("I", "mV", 360.0, vec![-15.0, 15.0]));
    record.channels[0].digitisation = Some(Digitisation { gain: 200.0, baseline: 0.0, adc_resolution: 11, adc_zero: 0 });
    write_record(folder.path(), &record, SignalFormat::Format212).unwrap();
    let back = read_record(&folder.path().join("g"), &WfdbReadOptions::default()).unwrap();
    assert!((back.channels[0].samples[1] - 15.0).abs() < 0.01, "{:?}", back.channels);
    write_record(folder.path(), &record, SignalFormat::Format16).unwrap();
    let back = read_record(&folder.path().join("g"), &WfdbReadOptions::default()).unwrap();
    assert_eq!(back.channels[0], record.channels[0]);
}

#[test]
fn several_files_byte_offsets_and_skew() {
    let folder = tempdir().unwrap();
    let pairs = |values: &[i16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    fs::write(folder.path().join("a.dat"), [vec![9, 9, 9], pairs(&[1, 10, 2, 20, 3, 30])].concat()).unwrap();
    fs::write(folder.path().join("b.dat"), [0x2C, 0xF1, 0xFF, 0x05, 0x00]).unwrap();
    let header = "m 3 100 3\na.dat 16+3 1 16 0 1 6 0 I\na.dat 16:1+3 1 16 0 10 60 0 II\nb.dat 212 1 12 0 300 304 0 III\n";
    fs::write(folder.path().join("m.hea"), header).unwrap();
    let back = read_record(&folder.path().join("m"), &WfdbReadOptions::default()).unwrap();
    let expected = [[1.0, 2.0, 3.0], [20.0, 30.0, f32::NAN], [300.0, -1.0, 5.0]];
    for (channel, expected) in back.channels.iter().zip(expected) {
        assert_eq!(bits(&channel.samples), bits(&expected), "{}", channel.label);
    }
    // Without a length, each file tells its own, and they have to agree.
    fs::write(folder.path().join("m.hea"), header.replace("100 3", "100")).unwrap();
    assert_eq!(read_record(&folder.path().join("m"), &WfdbReadOptions::default()).unwrap().channels[2].samples.len(), 3);
    fs::write(folder.path().join("b.dat"), [0x2C, 0xF1, 0xFF]).unwrap();
    let message = read_record(&folder.path().join("m"), &WfdbReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("line 4") && message.contains("2 samples per signal, the files before it 3"), "{message}");
}

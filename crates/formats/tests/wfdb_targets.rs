//! What WFDB's own tools print for the sample records: a few lines of each, typed in from their output, so that the test needs
//! the recordings alone. `benches/peers/conformance_wfdb.py` compares all of it. Skipped, saying so, where they are absent.

use std::path::PathBuf;

use physiosynth_formats::wfdb::{self, SignalFormat, WfdbReadOptions, read_annotation_file};
use physiosynth_formats::{FormatError, inspect_record, read_record, write_record};
use physiosynth_signal::Record;

/// A file of the sample records, or `None` with a note.
fn sample(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("PHYSIOSYNTH_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("wfdb-formats");
    if folder.is_dir() {
        return Some(folder.join(name));
    }
    eprintln!("skipped: {} is absent (set PHYSIOSYNTH_DATA to the folder that has it)", folder.display());
    None
}

fn part(from: u64, to: u64) -> WfdbReadOptions {
    WfdbReadOptions { from: Some(from), to: Some(to), ..WfdbReadOptions::default() }
}

/// Digital values, as rdsamp prints them.
fn digital(record: &Record, at: usize) -> Vec<Option<f64>> {
    let values = record.channels.iter().map(|channel| {
        let digitisation = channel.digitisation.as_ref().unwrap();
        let value = f64::from(channel.samples[at]);
        (!value.is_nan()).then(|| (value * digitisation.gain + digitisation.baseline).round())
    });
    values.collect()
}

#[test]
fn every_signal_format_has_the_values_that_rdsamp_prints() {
    let Some(path) = sample("binformats") else { return };
    let record = read_record(&path, &WfdbReadOptions::default()).unwrap();
    // Format 32 has more bits than the samples here.
    let expected = [
        [-2047.0, -32_766.0, -32_765.0, -124.0, -32_763.0, -2042.0, -505.0, -504.0, -8_388_599.0],
        [-1920.0, -32_242.0, -32_241.0, -110.0, -32_239.0, -1758.0, -158.0, -157.0, -8_322_795.0],
        [-1793.0, -31_718.0, -31_717.0, -96.0, -31_715.0, -1474.0, 189.0, 190.0, -8_256_991.0],
    ];
    for (at, row) in expected.iter().enumerate() {
        assert_eq!(digital(&record, at)[..9], row.map(Some));
    }
    assert_eq!(record.channels[9].samples[0], (-2_147_483_638.0_f64 / 200.0) as f32);
    let Some(path) = sample("flacformats") else { return };
    let record = read_record(&path, &WfdbReadOptions::default()).unwrap();
    assert_eq!(digital(&record, 1), [-113.0, -32_242.0, -8_322_801.0].map(Some));
}

#[test]
fn parts_of_a_record_are_what_the_whole_has_there() {
    for name in ["binformats", "flacformats", "mixedsignals", "test01_00s_skewframe", "310derive", "multi-segment/041s/041s"] {
        let Some(path) = sample(name) else { return };
        let whole = read_record(&path, &WfdbReadOptions::default()).unwrap();
        let frames = (whole.channels[0].samples.len() as f64 / whole.channels[0].sampling_frequency_hz
            * whole.sampling_frequency_hz)
            .round() as u64;
        for (from, to) in [(0, 1), (1, 2), (2, frames), (7, frames - 11), (frames / 3, frames / 2), (frames, frames)] {
            let read = read_record(&path, &part(from, to)).unwrap();
            for (a, b) in read.channels.iter().zip(&whole.channels) {
                let per_frame = (b.sampling_frequency_hz / whole.sampling_frequency_hz).round() as usize;
                let expected = &b.samples[from as usize * per_frame..to as usize * per_frame];
                let bits =
                    |samples: &[f32]| samples.iter().map(|s| if s.is_nan() { u32::MAX } else { s.to_bits() }).collect::<Vec<_>>();
                assert_eq!(bits(&a.samples), bits(expected), "{name} {from}..{to} {}", b.label);
            }
        }
        assert!(matches!(read_record(&path, &part(0, frames + 1)), Err(FormatError::NoSuchPart { .. })));
        assert!(matches!(read_record(&path, &part(2, 1)), Err(FormatError::NoSuchPart { .. })));
    }
}

#[test]
fn a_part_of_a_segmented_record_opens_its_own_segments_alone() {
    let Some(path) = sample("multi-segment/s00001/s00001-2896-10-10-00-31") else { return };
    // rdsamp -f s14428365 -t s14428375 -P
    let record = read_record(&path, &part(14_428_365, 14_428_375)).unwrap();
    let first: Vec<f32> = record.channels.iter().map(|channel| channel.samples[0]).collect();
    assert_eq!((first[0], first[3]), (0.0, -72.0));
    assert!((first[1] - 0.054_545_454).abs() < 1e-7 && first[2].is_nan());
    let labels: Vec<_> = record.channels.iter().map(|channel| channel.label.as_str()).collect();
    assert_eq!(labels, ["II", "V", "MCL1", "ABP"]);
    // 14,428,365 samples at 125 Hz after 00:31:25.894 of the tenth.
    assert_eq!(record.start.as_deref(), Some("08:35:12.814 11/10/2896"));
    // The sample before is in a segment whose signal file is absent.
    let message = read_record(&path, &part(14_428_364, 14_428_375)).unwrap_err().to_string();
    assert!(message.contains("3975656_0011.dat: no such file (named by line 2 of"), "{message}");
}

#[test]
fn absent_files_are_named() {
    for (name, absent) in [
        ("1003", "1003.dat: no such file"),
        ("n16", "n16.dat: no such file"),
        ("wave_4", "wave_4.dat: no such file"),
        ("multi-segment/p000878/p000878-2137-10-26-16-57", "3269321_0003.hea: no such file (named by line 6 of"),
    ] {
        let Some(path) = sample(name) else { return };
        let message = read_record(&path, &WfdbReadOptions::default()).unwrap_err().to_string();
        assert!(message.contains(absent), "{message}");
        assert!(inspect_record(&path).problems.iter().any(|problem| problem.contains("no such file")), "{name}");
    }
}

#[test]
fn gaps_between_segments_are_missing_samples() {
    let Some(path) = sample("multi-segment/s25047/s25047-2704-05-04-10-44") else { return };
    let record = read_record(&path, &WfdbReadOptions::default()).unwrap();
    assert_eq!(record.channels[0].samples.len(), 543_240);
    // 25,740 samples before the first segment; two segments with blood pressure at the end.
    assert!(record.channels.iter().all(|channel| channel.samples[..25_740].iter().all(|sample| sample.is_nan())));
    let pressure = record.channel("ABP").unwrap();
    assert!(pressure.samples[..543_240 - 97_500].iter().all(|sample| sample.is_nan()));
    assert!(pressure.samples[543_240 - 97_500..].iter().any(|sample| !sample.is_nan()));
    let only = read_record(&path, &WfdbReadOptions { lead: Some("ABP".into()), ..WfdbReadOptions::default() }).unwrap();
    assert_eq!((only.channels.len(), only.channels[0].samples.len()), (1, 543_240));
    let inspection = inspect_record(&path);
    assert_eq!((inspection.problems.len(), inspection.signals[2].label.as_str()), (1, "ABP"), "{:?}", inspection.problems);
}

#[test]
fn frames_are_averaged_where_asked_for() {
    let Some(path) = sample("03700181") else { return };
    let full = read_record(&path, &WfdbReadOptions::default()).unwrap();
    assert_eq!((full.sampling_frequency_hz, full.channels[0].sampling_frequency_hz), (125.0, 500.0));
    let smooth = read_record(&path, &WfdbReadOptions { smooth_frames: true, ..WfdbReadOptions::default() }).unwrap();
    assert_eq!((smooth.channels[0].sampling_frequency_hz, smooth.channels[0].samples.len()), (125.0, 75_000));
    let mean = full.channels[0].samples[4..8].iter().map(|&s| f64::from(s)).sum::<f64>() / 4.0;
    assert_eq!(smooth.channels[0].samples[1], mean as f32);
}

#[test]
fn definitions_and_long_intervals_of_annotation_files() {
    let Some(path) = sample("1003.atr") else { return };
    let file = read_annotation_file(&path).unwrap();
    let defined: Vec<_> = file.definitions.iter().map(|d| (d.number, d.code.as_ref(), d.description.as_str())).take(2).collect();
    assert_eq!(defined, [(15, "c", "calibration pulse"), (17, "#", "pressure line flushed")]);
    let Some(path) = sample("12726.wabp") else { return };
    let file = read_annotation_file(&path).unwrap();
    assert_eq!(file.annotations.iter().filter(|a| a.code == "CAL").count(), 45);
    let Some(path) = sample("huge.qrs") else { return };
    assert_eq!(read_annotation_file(&path).unwrap().annotations.last().unwrap().sample, 10_000_000_000);
}

#[test]
fn headers_tell_of_the_subject() {
    let Some(path) = sample("s0010_re") else { return };
    let info = wfdb::subject_info(&wfdb::read_header(&path).unwrap().comments);
    assert_eq!((info.age_years, info.sex), (Some(81.0), Some(wfdb::Sex::Female)));
    assert!(info.medication.iter().any(|text| text.contains("Digoxin")) && info.diagnoses == ["Diabetes mellitus"]);
}

#[test]
fn records_written_in_every_format_read_back_the_same() {
    let Some(path) = sample("test01_00s") else { return };
    let record = read_record(&path, &WfdbReadOptions::default()).unwrap();
    for format in [SignalFormat::Format16, SignalFormat::Format24, SignalFormat::Format32, SignalFormat::Format61]
        .into_iter()
        .chain([SignalFormat::Format160, SignalFormat::Format516, SignalFormat::Format524])
    {
        let folder = tempfile::tempdir().unwrap();
        write_record(folder.path(), &record, format).unwrap();
        let back = read_record(&folder.path().join("test01_00s"), &WfdbReadOptions::default()).unwrap();
        assert_eq!(back.channels, record.channels, "format {}", format.number());
    }
}

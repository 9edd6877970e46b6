//! Headers and files that lie: each gives an error in bounded time and memory, and never a panic.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use physiosynth_formats::wfdb::{SignalFormat, WfdbReadOptions, read_annotation_file, write_record};
use physiosynth_formats::{FormatError, inspect_record, read_record};
use physiosynth_signal::{Annotation, Channel, Record};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// The error of reading the record `r` there, which has to come soon, as has what inspection finds.
fn refused(folder: &Path) -> String {
    let begin = Instant::now();
    let error = read_record(&folder.join("r"), &WfdbReadOptions::default()).unwrap_err().to_string();
    let problems = inspect_record(&folder.join("r")).problems;
    assert!(!problems.is_empty(), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{error}");
    error
}

#[test]
fn lengths_that_no_file_bounds_are_refused() {
    for header in [
        "r 1 360 1000000000000000000\n~ 0\n",
        "r 2 360 600000000\n~ 0x4294967295\n~ 0\n",
        "r/1 1 360 1000000000000000000\n~ 1000000000000000000\n",
    ] {
        let folder = folder(&[("r.hea", header.as_bytes())]);
        let read = read_record(&folder.path().join("r"), &WfdbReadOptions::default());
        // A gap alone has no signals, and takes no memory.
        match read {
            Ok(record) => assert!(record.channels.is_empty()),
            Err(error) => assert!(matches!(error, FormatError::TooLarge { .. }), "{error}"),
        }
    }
    let layout = "l 2 360 0\n~ 0 200 12 0 0 0 0 I\n~ 0 200 12 0 0 0 0 II\n";
    let record = "r/3 2 360 900000000000\nl 0\n~ 800000000000\n~ 100000000000\n";
    let folder = folder(&[("r.hea", record.as_bytes()), ("l.hea", layout.as_bytes())]);
    let error = read_record(&folder.path().join("r"), &WfdbReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("read it in parts"), "{error}");
    let part = WfdbReadOptions { from: Some(7), to: Some(9), ..WfdbReadOptions::default() };
    let read = read_record(&folder.path().join("r"), &part).unwrap();
    assert!(read.channels.len() == 2 && read.channels[1].samples.iter().all(|sample| sample.is_nan()));
    // Lengths whose sum is beyond 64 bits.
    let record = "r/2 1 360\n~ 18446744073709551615\n~ 1\n";
    fs::write(folder.path().join("r.hea"), record).unwrap();
    assert!(refused(folder.path()).contains("longer than a file can be"));
}

#[test]
fn segments_that_contain_themselves_or_leave_the_folder_are_refused() {
    for (header, part) in [
        ("r/1 1 360 10\nr 10\n", "itself a record of several segments"),
        ("r/2 1 360 10\nr 0\nr 10\n", "itself a record of several segments"),
        ("r/1 1 360 10\n../r 10\n", "outside its own folder"),
        ("r/1 1 360 10\n/etc/passwd 10\n", "outside its own folder"),
        ("r/1 1 360 10\nabsent 10\n", "absent.hea: no such file"),
        ("r/2147483647 1 360 10\nr 10\n", "announces 2147483647 segments"),
    ] {
        let folder = folder(&[("r.hea", header.as_bytes())]);
        let error = refused(folder.path());
        assert!(error.contains(part), "{header:?}: {error}");
    }
}

#[test]
fn segments_that_do_not_fit_the_record_are_refused() {
    for (segment, part) in [
        ("s 1 360 9\ns.dat 16 200 16 0 0 0 0 I\n", "has 9 samples by its own header, 10 by this one"),
        ("s 1 100 10\ns.dat 16 200 16 0 0 0 0 I\n", "has 100 samples per second, the record 360"),
        ("s 1 360 10\ns.dat 16 200 16 0 0 0 0 X\n", "a signal 'X' that the record's layout does not list"),
        ("s 1 360 10\ns.dat 16x2 200 16 0 0 0 0 I\n", "has 2 samples per frame of 'I', the record 1"),
        ("s 1 360 10\ns.dat 16 200/uV 16 0 0 0 0 I\n", "has 'I' in uV, the record in mV"),
        ("s 1 360 10\ns.dat 16 200 16 0 0 0 0 I\n", "s.dat: holds 4 bytes where 20 are needed"),
    ] {
        let layout: &[u8] = b"l 1 360 0\n~ 0 200 12 0 0 0 0 I\n";
        let record: &[u8] = b"r/2 1 360 10\nl 0\ns 10\n";
        let folder = folder(&[("r.hea", record), ("l.hea", layout), ("s.hea", segment.as_bytes()), ("s.dat", &[0; 4])]);
        let error = read_record(&folder.path().join("r"), &WfdbReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{segment:?}: {error}");
    }
}

#[test]
fn skews_and_files_listed_twice() {
    let folder =
        folder(&[("r.hea", b"r 1 360 2\nr.dat 16:4294967295 200\n"), ("r.dat", &[1, 0, 2, 0]), ("s.dat", &[1, 0, 2, 0])]);
    let read = read_record(&folder.path().join("r"), &WfdbReadOptions::default()).unwrap();
    assert!(read.channels[0].samples.len() == 2 && read.channels[0].samples.iter().all(|sample| sample.is_nan()));
    fs::write(folder.path().join("r.hea"), "r 3 360 1\nr.dat 16\ns.dat 16\nr.dat 16\n").unwrap();
    assert!(refused(folder.path()).contains("before and after those of another file"));
}

#[test]
fn flac_streams_that_lie_are_refused() {
    let folder = tempdir().unwrap();
    let wave = (0..9_000_i16).map(|i| f32::from(i % 700)).collect();
    let record = Record::new("r").with_channel(Channel::new("I", "mV", 250.0, wave));
    write_record(folder.path(), &record, SignalFormat::Format516).unwrap();
    let path = folder.path().join("r.dat");
    let (bytes, header) = (fs::read(&path).unwrap(), fs::read_to_string(folder.path().join("r.hea")).unwrap());
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        fs::write(&path, bytes).unwrap();
        refused(folder.path())
    };
    assert!(with(0, b'x').contains("no FLAC stream"));
    // Channels and bits, which the frames contradict too.
    assert!(with(20, 0b0000_0010).contains("has 2 channels"));
    assert!(with(bytes.len() / 2, !bytes[bytes.len() / 2]).contains("byte"));
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert!(refused(folder.path()).contains("ends within a frame"));
    // More samples than the stream has, whatever it says of itself.
    fs::write(&path, &bytes).unwrap();
    fs::write(folder.path().join("r.hea"), header.replace("250 9000", "250 500000000")).unwrap();
    assert!(refused(folder.path()).contains("fewer than the 500000000 frames"));
    let mut unknown = bytes.clone();
    unknown[21..26].copy_from_slice(&[bytes[21] & 0xF0, 0, 0, 0, 0]);
    fs::write(&path, &unknown).unwrap();
    assert!(refused(folder.path()).contains("the stream ends after sample 9000"));
    // A stream that does not tell its length is counted.
    fs::write(folder.path().join("r.hea"), header.replace("250 9000", "250")).unwrap();
    assert_eq!(read_record(&folder.path().join("r"), &WfdbReadOptions::default()).unwrap().channels[0].samples.len(), 9000);
}

#[test]
fn a_million_equal_segments_cost_no_more_than_is_allowed() {
    let mut record = String::from("r/1000000 1 360 1000000000\n");
    for _ in 0..1_000_000 {
        record.push_str("s 1000\n");
    }
    let segment: &[u8] = b"s 1 360 1000\ns.dat 80 200 8 0 0 0 0 I\n";
    let folder = folder(&[("r.hea", record.as_bytes()), ("s.hea", segment), ("s.dat", &[128; 1000])]);
    let error = read_record(&folder.path().join("r"), &WfdbReadOptions::default()).unwrap_err();
    assert!(matches!(error, FormatError::TooLarge { .. }), "{error}");
}

/// A record of every kind of file, in one format.
fn seed(format: SignalFormat) -> TempDir {
    let folder = tempdir().unwrap();
    let samples = |k: i16| (0..300_i16).map(|i| f32::from((i * k) % 90) / 100.0).collect();
    let record = Record::new("r")
        .with_channel(Channel::new("I", "mV", 250.0, samples(3)))
        .with_channel(Channel::new("II", "mV", 250.0, samples(7)))
        .with_annotations(vec![
            Annotation::beat(3, "N"),
            Annotation::beat(200, "T1").with_aux("(AFIB"),
            Annotation::beat(299, "V"),
        ]);
    write_record(folder.path(), &record, format).unwrap();
    folder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").map_or(96, |cases| cases.parse().unwrap_or(96))))]

    #[test]
    fn damaged_records_never_panic(
        format in prop::sample::select(vec![16_u32, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524]),
        file in prop::sample::select(vec!["r.hea", "r.dat", "r.atr"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        (from, to) in (prop::option::of(0_u64..400), prop::option::of(0_u64..400)),
        smooth_frames in any::<bool>(),
    ) {
        let folder = seed(SignalFormat::from_number(format).unwrap());
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut { bytes.truncate(cut.index(bytes.len())); }
        fs::write(&path, bytes).unwrap();
        let record = folder.path().join("r");
        let options = WfdbReadOptions { from, to, smooth_frames, verify_checksums: false, ..WfdbReadOptions::default() };
        if let Ok(read) = read_record(&record, &options) {
            for channel in &read.channels {
                prop_assert!(channel.samples.iter().all(|sample| !sample.is_infinite()));
            }
        }
        let _ = inspect_record(&record);
        let _ = read_annotation_file(&record.with_extension("atr"));
    }
}

//! Each way in which a record can be wrong gives its own error, which names the file, the place, the cause and the remedy.

use std::fs;
use std::path::Path;

use physiosynth_formats::wfdb::write_record;
use physiosynth_formats::{
    FormatError, SignalFormat, WfdbReadOptions, inspect, inspect_record, open_database, read_annotations, read_header,
    read_record, write_record_list,
};
use physiosynth_signal::{Annotation, Channel, Record, RecordSource};
use tempfile::TempDir;

/// A folder with the record `r`: two signals of eight samples in format 212, two annotations.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let samples = |sign: f32| (0_i16..8).map(|i| sign * f32::from(i)).collect();
    let record = Record::new("r")
        .with_channel(Channel::new("MLII", "mV", 360.0, samples(1.0)))
        .with_channel(Channel::new("V5", "mV", 360.0, samples(-1.0)))
        .with_annotations(vec![Annotation::beat(2, "N"), Annotation::beat(7, "V")]);
    write_record(folder.path(), &record, SignalFormat::Format212).unwrap();
    folder
}

fn read(folder: &Path) -> Result<Record, FormatError> {
    read_record(&folder.join("r"), &WfdbReadOptions::default())
}

/// Replaces text in the header.
fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("r.hea");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The message of the error, which has to contain each of `parts`, as has a problem that inspection finds.
fn assert_says(folder: &Path, parts: &[&str]) {
    let message = read(folder).unwrap_err().to_string();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    let problems = inspect_record(&folder.join("r")).problems;
    assert!(problems.iter().any(|problem| parts.iter().all(|part| problem.contains(part))), "{problems:?}");
}

#[test]
fn a_sound_record_has_no_problems() {
    let folder = folder();
    let inspection = inspect_record(&folder.path().join("r"));
    assert_eq!((inspection.problems.as_slice(), inspection.annotations.count), (&[][..], 2));
    assert_eq!(read(folder.path()).unwrap().channels.len(), 2);
}

#[test]
fn a_missing_header_and_a_missing_database() {
    let folder = folder();
    fs::remove_file(folder.path().join("r.hea")).unwrap();
    assert_says(folder.path(), &["r.hea", "no such file", "check the record's name"]);
    assert!(open_database(&folder.path().join("r")).unwrap_err().to_string().contains("name a folder of recordings"));
    assert!(open_database(folder.path()).unwrap_err().to_string().contains("*.hea"));
}

#[test]
fn a_missing_signal_file_is_named_with_the_line_that_names_it() {
    let folder = folder();
    fs::remove_file(folder.path().join("r.dat")).unwrap();
    assert_says(folder.path(), &["r.dat", "named by line 2 of", "r.hea", "put the signal file beside its header"]);
}

#[test]
fn a_truncated_signal_file_tells_expected_and_found_bytes() {
    let folder = folder();
    let path = folder.path().join("r.dat");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..20]).unwrap();
    assert_says(folder.path(), &["r.dat", "holds 20 bytes where 24 are needed", "8 frames of 2 samples in format 212"]);
}

#[test]
fn a_header_with_more_samples_than_the_file_allocates_nothing() {
    for (samples, expected) in [("9", "where 27 are"), ("1000000000000000000", "where 3000000000000000000 are")] {
        let folder = folder();
        edit(folder.path(), "r 2 360 8", &format!("r 2 360 {samples}"));
        assert_says(folder.path(), &["holds 24 bytes", expected]);
    }
    let folder = folder();
    edit(folder.path(), "r 2 360 8", "r 2 360 18446744073709551615");
    assert_says(folder.path(), &["holds 24 bytes"]);
    edit(folder.path(), "18446744073709551615", "18446744073709551616");
    assert_says(folder.path(), &["line 1", "is no number of samples"]);
}

#[test]
fn absurd_numbers_of_signals_and_frame_samples_allocate_nothing() {
    let folder = folder();
    edit(folder.path(), "r 2 360 8", "r 2147483648 360 8");
    assert_says(folder.path(), &["r.hea", "line 1", "announces 2147483648 signals, but 2"]);
    let folder = self::folder();
    edit(folder.path(), "r.dat 212 ", "r.dat 212x4294967295 ");
    assert_says(folder.path(), &["r.dat", "holds 24 bytes"]);
    edit(folder.path(), "r 2 360 8", "r 2 360");
    assert!(read(folder.path()).is_err() || read(folder.path()).unwrap().channels.iter().all(|c| c.samples.is_empty()));
    let folder = self::folder();
    edit(folder.path(), "r.dat 212 ", "r.dat 212+18446744073709551615 ");
    assert_says(folder.path(), &["r.dat", "holds 24 bytes", "from byte 18446744073709551615"]);
}

#[test]
fn a_bad_checksum_names_the_signal_and_both_sums() {
    let folder = folder();
    let path = folder.path().join("r.dat");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_says(folder.path(), &["r.dat", "signal 1 ('V5')", "checksum of the header is", "that of the samples"]);
    // The other signal's damage is not overlooked where one lead is asked for.
    let lead = |verify_checksums| WfdbReadOptions { lead: Some("MLII".into()), verify_checksums, ..WfdbReadOptions::default() };
    assert!(matches!(read_record(&folder.path().join("r"), &lead(true)), Err(FormatError::Checksum { signal: 1, .. })));
    assert_eq!(read_record(&folder.path().join("r"), &lead(false)).unwrap().channels.len(), 1);
}

#[test]
fn a_wrong_initial_value_counts_where_there_is_no_sum() {
    let folder = folder();
    let header = read_header(&folder.path().join("r")).unwrap();
    let initial = header.signals[0].initial_value.unwrap();
    let sum = header.signals[0].checksum.unwrap();
    edit(folder.path(), &format!(" {initial} {sum} 0 MLII"), &format!(" {} {sum} 0 MLII", initial + 1));
    assert!(read(folder.path()).is_ok());
    assert!(inspect_record(&folder.path().join("r")).problems[0].contains("initial value"));
    edit(folder.path(), &format!(" {} {sum} 0 MLII", initial + 1), &format!(" {}", initial + 1));
    assert_says(folder.path(), &["r.dat", "signal 0", "initial value of the header"]);
}

#[test]
fn a_malformed_line_and_a_gain_that_is_none() {
    let folder = folder();
    let gain = read_header(&folder.path().join("r")).unwrap().signals[0].gain.unwrap();
    edit(folder.path(), &format!("212 {gain}("), "212 NaN(");
    assert_says(folder.path(), &["r.hea", "line 2", "'NaN' is no gain", "correct the line"]);
    edit(folder.path(), "212 NaN(", "212 0(");
    // A gain of 0 means "uncalibrated" in the specification; 200 is assumed, and inspection says so.
    assert_eq!(read(folder.path()).unwrap().channels[0].digitisation.as_ref().unwrap().gain, 200.0);
    assert!(inspect_record(&folder.path().join("r")).problems[0].contains("uncalibrated"));
}

#[test]
fn unknown_signal_formats_are_named() {
    let folder = folder();
    edit(folder.path(), "r.dat 212 ", "r.dat 99 ");
    assert_says(folder.path(), &["r.hea", "signal format 99 (line 2), which is none of 0, 8, 16", "not supported yet"]);
}

#[test]
fn signals_of_one_file_share_its_format() {
    let folder = folder();
    let path = folder.path().join("r.hea");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("r.dat 212", "r.dat 16", 1)).unwrap();
    assert_says(folder.path(), &["r.hea", "line 3", "format 212 differs"]);
}

#[test]
fn a_header_may_name_files_of_its_own_folder_only() {
    for named in ["../secret.dat", "/etc/passwd", "a/../../secret.dat", "."] {
        let folder = folder();
        edit(folder.path(), "r.dat", named);
        assert_says(folder.path(), &["r.hea", "line 2", named, "outside its own folder; refused"]);
    }
    let folder = folder();
    fs::write(folder.path().join("RECORDS"), "r\n../r\n").unwrap();
    let message = open_database(folder.path()).unwrap_err().to_string();
    assert!(message.contains("RECORDS, line 2") && message.contains("'../r'"), "{message}");
}

#[test]
fn an_annotation_past_the_end() {
    let folder = folder();
    let path = folder.path().join("r.atr");
    // "N" at 2, "N" at 8.
    fs::write(&path, [0x02, 0x04, 0x06, 0x04, 0, 0]).unwrap();
    assert_says(folder.path(), &["r.atr", "annotation 1", "marks sample 8 of a record of 8 samples"]);
    assert_eq!(read_annotations(&folder.path().join("r"), "atr").unwrap().len(), 2);
    assert_eq!(inspect_record(&folder.path().join("r")).annotations.count, 2);
}

#[test]
fn annotation_files_that_are_missing_empty_truncated_or_odd() {
    let folder = folder();
    let path = folder.path().join("r.atr");
    for (content, expected) in [(&[][..], 2), (&[2, 4, 0], 4), (&[2, 4], 4), (&[2, 4, 10, 0xFC, b'a', b'b', 0, 0], 14)] {
        fs::write(&path, content).unwrap();
        assert_says(folder.path(), &["r.atr", &format!("holds {} bytes where {expected} are needed", content.len())]);
    }
    fs::write(&path, [0, 0]).unwrap();
    assert_eq!(read(folder.path()).unwrap().annotations, []);
    fs::remove_file(&path).unwrap();
    assert_eq!(read(folder.path()).unwrap().annotations, []);
    assert!(inspect_record(&folder.path().join("r")).problems[0].contains("r.atr: no such file"));
    let database = open_database(folder.path()).unwrap();
    let message = database.read(0, None).unwrap_err().to_string();
    assert!(message.contains("r.atr") && message.contains("reference annotations of record r"), "{message}");
}

#[test]
fn a_time_resolution_of_its_own_is_converted() {
    let folder = folder();
    let note = b"## time resolution: 720 ";
    let mut bytes = vec![0, 22 << 2, note.len() as u8, 0xFC];
    bytes.extend(note);
    // "N" at 6 and at 15 of 720 per second.
    bytes.extend([6, 4, 9, 4, 0, 0]);
    fs::write(folder.path().join("r.atr"), &bytes).unwrap();
    let path = folder.path().join("r");
    let samples = |annotations: Vec<Annotation>| annotations.iter().map(|a| a.sample).collect::<Vec<_>>();
    assert_eq!(samples(read_annotations(&path, "atr").unwrap()), [3, 8]);
    // The second is at 7.5, which is rounded up, past the record's eight samples.
    assert_says(folder.path(), &["r.atr", "annotation 1", "marks sample 8 of a record of 8 samples"]);
    let end = bytes.len() - 4;
    bytes[end] = 8;
    fs::write(folder.path().join("r.atr"), &bytes).unwrap();
    assert_eq!(samples(read(folder.path()).unwrap().annotations), [3, 7]);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let sound = Record::new("w").with_channel(Channel::new("I", "mV", 250.0, vec![0.0, 1.0]));
    let mut infinite = sound.clone();
    infinite.channels[0].samples[1] = f32::INFINITY;
    let mut named = sound.clone();
    named.name = "../w".into();
    let marked = sound.clone().with_annotations(vec![Annotation::beat(2, "N")]);
    let uneven = sound.clone().with_channel(Channel::new("II", "mV", 250.0, vec![0.0]));
    let rates = sound.clone().with_channel(Channel::new("II", "mV", 353.553, vec![0.0, 1.0]));
    for (record, part) in [
        (infinite, "sample 1 of channel 'I' is infinite"),
        (named, "'../w' is no name"),
        (marked, "annotation 0 lies outside the record's 2 samples"),
        (uneven, "channel 'II' of 1 samples"),
        (rates, "no whole multiple"),
    ] {
        let message = write_record(folder.path(), &record, SignalFormat::Format16).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let message = write_record(&file, &sound, SignalFormat::Format16).unwrap_err().to_string();
    assert!(message.contains("could not create the folder"), "{message}");
}

#[test]
fn a_bad_record_of_a_database_leaves_the_others_readable() {
    let folder = folder();
    write_record_list(folder.path(), &["r".into(), "absent".into()]).unwrap();
    let database = open_database(folder.path()).unwrap();
    assert_eq!(database.entries().len(), 2);
    assert!(database.read(0, Some("MLII")).is_ok_and(|record| record.channels.len() == 1));
    assert!(database.read(0, Some("III")).is_ok_and(|record| record.channels.is_empty()));
    assert!(database.read(1, None).unwrap_err().to_string().contains("absent.hea"));
    assert!(database.read(2, None).is_err());
    let inspections = inspect(folder.path()).unwrap();
    assert!(inspections[0].problems.is_empty() && !inspections[1].problems.is_empty());
    let one = open_database(&folder.path().join("r.hea")).unwrap();
    assert_eq!((one.entries().len(), one.entries()[0].subject_known), (1, false));
}

//! `convert` from and to every format, and pictures of recordings.

use std::fs;
use std::path::Path;

use physiosynth_formats::recording::{OpenOptions, open};
use physiosynth_formats::segments::read_segments;
use physiosynth_signal::Record;

use crate::support::{call, mitdb};

/// A database of two simulated records of 20 s.
fn database(folder: &Path) -> String {
    let path = folder.join("demo").display().to_string();
    let (code, _, err) =
        call(&["simulate", "--output", &path, "--set", "simulator.subjects=2", "--set", "simulator.duration_s=20"]);
    assert_eq!(code, 0, "{err}");
    path
}

fn convert(words: &[&str]) -> (String, String) {
    let (code, out, err) = call(&[&["convert"], words].concat());
    assert_eq!(code, 0, "{words:?}: {err}");
    (out, err)
}

fn read(path: &str) -> Record {
    open(Path::new(path), &OpenOptions::default()).unwrap().into_record().unwrap()
}

/// Label, sampling frequency and bits of the samples of a channel.
type Channel = (String, f64, Vec<u32>);
/// Position, code and text of an annotation.
type Mark = (i64, String, String);

/// What has to be the same whatever a record went through.
fn facts(record: &Record) -> (Vec<Channel>, Vec<Mark>) {
    let channels = record
        .channels
        .iter()
        .map(|c| (c.label.clone(), c.sampling_frequency_hz, c.samples.iter().map(|sample| sample.to_bits()).collect()));
    let marks = record.annotations.iter().map(|m| (m.sample, m.code.to_string(), m.aux.clone()));
    (channels.collect(), marks.collect())
}

#[test]
fn a_record_goes_through_every_format_and_comes_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let database = database(folder.path());
    let source = format!("{database}/sim01");
    let original = read(&source);
    assert!(original.channels.len() == 2 && original.annotations.len() > 10);
    for chain in [
        &["a.edf", "b.bdf", "c.h5", "d.hea"][..],
        &["a.h5", "b.edf", "c.hea"],
        &["a.bdf", "b.hea"],
        &["a.csv", "b.h5"],
        &["a.tsv", "b.csv"],
    ] {
        let mut from = source.clone();
        for name in chain {
            let to = at(name);
            convert(&[&from, &to]);
            from = to;
        }
        let mut back = read(&from);
        // EDF has code and text as one.
        for mark in &mut back.annotations {
            if mark.code.starts_with("+ ") {
                mark.aux = mark.code[2..].to_owned();
                mark.code = "+".into();
            }
        }
        assert_eq!(facts(&back), facts(&original), "{chain:?}");
    }
    let d = read(&at("d"));
    assert_eq!(d.channels[0].unit, "mV");
    for format in ["212", "16", "24", "32", "flac", "61", "160"] {
        let to = at("x.hea");
        convert(&[&source, &to, "--wfdb-format", format]);
        assert_eq!(facts(&read(&to)), facts(&original), "format {format}");
    }
}

#[test]
fn what_a_database_keeps_beside_its_records_goes_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let rows: Vec<String> = (0..100).map(|row| format!("{},{}", f64::from(row) / 100.0, row % 7)).collect();
    fs::write(at("r.csv"), format!("time_s,I\n{}\n", rows.join("\n"))).unwrap();
    // PTB-XL: a table says what was found.
    convert(&[&at("r.csv"), &at("ptb/records500/00001_hr.hea")]);
    let table = "patient_id,scp_codes,strat_fold,filename_lr,filename_hr\n7,\"{'SR': 100.0}\",3,records100/00001_lr,records500/00001_hr\n";
    fs::write(at("ptb/ptbxl_database.csv"), table).unwrap();
    fs::write(at("ptb/RECORDS"), "records500/00001_hr\n").unwrap();
    convert(&[&at("ptb"), &at("out"), "--format", "csv"]);
    let marks = fs::read_to_string(at("out/records500/00001_hr.annotations.csv")).unwrap();
    assert!(marks.contains("\n0,0,1,SR,") && marks.contains("100.0"), "{marks}");
    // Sleep-EDF: the stages are in a file of their own.
    convert(&[&at("r.csv"), &at("sleep/SC4001E0-PSG.edf")]);
    fs::write(at("stages.csv"), "time_s,duration_s,code\n0.01,0.02,Sleep stage 2\n").unwrap();
    convert(&[&at("r.csv"), &at("sleep/SC4001EC-Hypnogram.edf"), "--annotations", &at("stages.csv")]);
    convert(&[&at("sleep"), &at("out"), "--format", "hdf5"]);
    let record = read(&at("out/SC4001E0-PSG.h5"));
    let found: Vec<_> = record.annotations.iter().map(|mark| (mark.sample, mark.duration, mark.code.as_ref())).collect();
    assert_eq!(found, [(1, 2, "Sleep stage 2")]);
}

#[test]
fn a_part_of_some_signals() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let to = folder.path().join("part.csv").display().to_string();
    let (out, err) = convert(&[&format!("{database}/sim02"), &to, "--from", "5", "--to", "0:00:10.5", "--signals", "V1"]);
    assert!(out.contains("part.csv") && err.contains("warning: text has no place for units"), "{out}{err}");
    let text = fs::read_to_string(&to).unwrap();
    let mut lines = text.lines();
    assert_eq!((lines.next(), text.lines().count()), (Some("time_s,V1"), 1 + 1980));
    assert!(lines.next().is_some_and(|line| line.starts_with("0,")));
    let (original, part) = (read(&format!("{database}/sim02")), read(&to));
    assert_eq!(part.channels[0].samples, original.channels[1].samples[1800..3780]);
    let marks = original.annotations.iter().filter(|mark| (1800..3780).contains(&mark.sample));
    assert_eq!(part.annotations.iter().map(|m| m.sample).collect::<Vec<_>>(), marks.map(|m| m.sample - 1800).collect::<Vec<_>>());
}

#[test]
fn a_database_becomes_another() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let edf = folder.path().join("edf").display().to_string();
    let (out, _) = convert(&[&database, &edf, "--format", "edf"]);
    assert!(out.contains("2 records in EDF+"), "{out}");
    assert_eq!(fs::read_to_string(folder.path().join("edf/RECORDS")).unwrap(), "sim01.edf\nsim02.edf\n");
    let back = folder.path().join("back").display().to_string();
    convert(&[&edf, &back]);
    let (one, other) = (read(&format!("{database}/sim02")), read(&format!("{back}/sim02")));
    assert_eq!(facts(&one).0, facts(&other).0);
    // One that cannot be read is told, and the others are written.
    fs::write(folder.path().join("edf/sim01.edf"), b"0       broken").unwrap();
    let again = folder.path().join("again").display().to_string();
    let (code, out, err) = call(&["convert", &edf, &again]);
    assert!(code == 1 && out.contains("1 record in") && err.contains("sim01"), "{out}{err}");
}

#[test]
fn a_database_of_texts_is_segmented_as_the_one_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let texts = folder.path().join("texts");
    convert(&[&database, &texts.display().to_string(), "--format", "csv"]);
    // Without the times, so that the rate has to be said.
    for name in ["sim01.csv", "sim02.csv"] {
        let text = fs::read_to_string(texts.join(name)).unwrap();
        let rest: Vec<&str> = text.lines().filter_map(|line| line.split_once(',')).map(|(_, rest)| rest).collect();
        fs::write(texts.join(name), rest.join("\n")).unwrap();
    }
    let segments = |name: &str, database: &str, more: &[&str]| {
        let output = folder.path().join(name);
        let (code, _, err) =
            call(&[&["preprocess", "--database", database, "--output", &output.display().to_string()], more].concat());
        (code, err, output.join("segments.h5"))
    };
    let texts = texts.display().to_string();
    let (code, err, _) = segments("without", &texts, &[]);
    assert!(code == 1 && err.contains("no sampling frequency"), "{err}");
    let (code, err, of_texts) =
        segments("texts-run", &texts, &["--set", "recordings.rate=\"360\"", "--set", "recordings.unit=\"mV\""]);
    assert_eq!(code, 0, "{err}");
    let (code, err, original) = segments("original-run", &database, &[]);
    assert_eq!(code, 0, "{err}");
    let (of_texts, original) = (read_segments(&of_texts).unwrap(), read_segments(&original).unwrap());
    assert!(of_texts.segments.len() > 10 && of_texts.signals == original.signals);
    // As text, in which unknown intervals (NaN) are equal.
    assert_eq!(format!("{:?}", of_texts.segments), format!("{:?}", original.segments));
}

#[test]
fn what_cannot_be_converted_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let database = database(folder.path());
    let source = format!("{database}/sim01");
    for (words, code, said) in [
        (vec![&source as &str, "x.xyz"], 2, "extension"),
        (vec![&source, &source], 2, "over itself"),
        (vec![&database, "x.edf"], 2, "folder"),
        (vec![&source, "x.csv", "--from", "30"], 1, "part"),
        (vec![&source, "x.csv", "--from", "1:99"], 2, "hh"),
        (vec![&source, "x.csv", "--signals", "V9"], 1, "'MLII', 'V1'"),
        (vec!["nowhere", "x.csv"], 1, "nowhere"),
        (vec![&source, "x.hea", "--wfdb-format", "17"], 2, "17"),
    ] {
        let words: Vec<String> = words.into_iter().map(|w| if w.starts_with("x.") { at(w) } else { w.to_owned() }).collect();
        let words: Vec<&str> = std::iter::once("convert").chain(words.iter().map(String::as_str)).collect();
        let (found, _, err) = call(&words);
        assert!(found == code && err.contains(said), "{words:?}: {found} {err}");
    }
    fs::write(at("plain.csv"), "a,b\n1,2\n3,4\n").unwrap();
    let (code, _, err) = call(&["convert", &at("plain.csv"), &at("y.edf")]);
    assert!(code == 1 && err.contains("sampling frequency"), "{err}");
    convert(&[&at("plain.csv"), &at("y.edf"), "--rate", "10", "--unit", "mV"]);
    assert_eq!(read(&at("y.edf")).channels[1].unit, "mV");
}

#[test]
fn losses_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let row = |i: i32| format!("{},{}", f64::from(i) / 100.0, (f64::from(i) * 0.37).sin());
    let rows = (0..500).map(row).collect::<Vec<_>>().join("\n");
    fs::write(at("s.csv"), format!("time_s,a very long label of a signal\n{rows}")).unwrap();
    let (_, err) = convert(&[&at("s.csv"), &at("s.edf")]);
    assert!(err.contains("rounded to 16 bits") && err.contains(".bdf") && err.contains("a very long labe"), "{err}");
    let (_, err) = convert(&[&at("s.csv"), &at("s.hea")]);
    assert!(err.contains("rounded to 16 bits") && err.contains("--wfdb-format"), "{err}");
    let (_, err) = convert(&[&at("s.csv"), &at("s.h5")]);
    assert_eq!(err, "");
}

#[test]
fn pictures_and_parts_of_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let picture = folder.path().join("p.png");
    let source = format!("{database}/sim01");
    let (code, out, err) = call(&["inspect", &source, "--plot", picture.to_str().unwrap(), "--from", "2", "--to", "8"]);
    assert!(code == 0 && out.contains("6 s") && out.contains("p.png"), "{out}{err}");
    assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    let csv = folder.path().join("a.csv").display().to_string();
    convert(&[&source, &csv]);
    let (code, out, err) = call(&["inspect", &csv]);
    assert!(code == 0 && out.contains("MLII") && out.contains("7200"), "{out}{err}");
}

#[test]
fn mitdb_goes_through_edf_exactly() {
    let Some(mitdb) = mitdb() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let source = mitdb.join("100").display().to_string();
    let (_, err) = convert(&[&source, &at("100.edf")]);
    assert!(!err.contains("rounded"), "{err}");
    convert(&[&at("100.edf"), &at("back.hea"), "--wfdb-format", "212"]);
    let (one, other) = (read(&source), read(&at("back")));
    assert_eq!(facts(&one).0, facts(&other).0);
    assert_eq!(one.annotations.len(), other.annotations.len());
    assert_eq!(fs::read(mitdb.join("100.dat")).unwrap(), fs::read(at("back.dat")).unwrap(), "the same bytes");
}

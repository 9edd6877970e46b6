//! Reading the real recordings of the MIT-BIH databases, compared with goldens made by wfdb-python
//! (`tests/goldens/make_wfdb.py`). Skipped, saying so, where the recordings are absent.

use std::path::PathBuf;

use physiosynth_formats::wfdb::{self, read_annotation_file};
use physiosynth_formats::{WfdbReadOptions, inspect, open_database, read_record};
use physiosynth_signal::{Annotation, RecordSource};
use sha2::{Digest, Sha256};

/// A folder of recordings, or `None` with a note.
fn recordings(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = std::env::var_os("PHYSIOSYNTH_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent (set PHYSIOSYNTH_DATA to the folder that has it)", path.display());
    None
}

/// `sha256` in hexadecimal of what is fed to it.
fn hex(digest: Sha256) -> String {
    digest.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Lines of a golden file: tab-separated columns.
fn golden(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// The annotations as `make_wfdb.py` prints them.
fn annotation_digest(annotations: &[Annotation]) -> String {
    let mut digest = Sha256::new();
    for a in annotations {
        digest.update(format!("{} {} {} {} {} {}\n", a.sample, a.code, a.subtype, a.channel, a.number, a.aux));
    }
    hex(digest)
}

#[test]
fn every_signal_equals_wfdb_to_the_last_bit() {
    let mut compared = 0;
    for columns in golden(include_str!("goldens/signals.tsv")) {
        let [folder, name, signal, label, unit, samples, digest] = columns[..] else { panic!("{columns:?}") };
        let Some(folder) = recordings(folder) else { continue };
        let record = read_record(&folder.join(name), &WfdbReadOptions::default()).unwrap();
        let channel = &record.channels[signal.parse::<usize>().unwrap()];
        assert_eq!(channel.label, label, "{name}");
        assert!(unit == "-" || channel.unit == unit, "{name} {label}: {}", channel.unit);
        assert_eq!(channel.samples.len().to_string(), samples, "{name} {label}");
        let mut found = Sha256::new();
        for sample in &channel.samples {
            // One pattern for all NaNs.
            found.update(if sample.is_nan() { f32::NAN } else { *sample }.to_le_bytes());
        }
        assert_eq!(hex(found), digest, "{name} {label}");
        compared += 1;
    }
    eprintln!("{compared} signals compared");
}

#[test]
fn every_annotation_equals_wfdb() {
    for columns in golden(include_str!("goldens/annotations.tsv")) {
        let [folder, name, extension, count, digest] = columns[..] else { panic!("{columns:?}") };
        let Some(folder) = recordings(folder) else { continue };
        let mut annotations = read_annotation_file(&folder.join(format!("{name}.{extension}"))).unwrap().annotations;
        // wfdb-python takes every comment at sample 0 for a description of the file and drops it; we do so only where it is one.
        annotations.retain(|a| !(a.sample == 0 && a.code == "\""));
        // wfdb-python knows definitions of codes between their marks alone; rdann and we know those of older files too.
        annotations.iter_mut().filter(|a| a.code == "CAL").for_each(|a| a.code = "[42]".into());
        assert_eq!((annotations.len().to_string().as_str(), annotation_digest(&annotations).as_str()), (count, digest), "{name}");
    }
}

#[test]
fn the_whole_arrhythmia_database_reads_through_its_source() {
    let Some(folder) = recordings("mitdb") else { return };
    let database = open_database(&folder).unwrap();
    assert_eq!((database.name(), database.entries().len()), ("mitdb", 48));
    let (mut annotations, mut beats, mut with_lead) = (0, 0, 0);
    for (index, entry) in database.entries().iter().enumerate() {
        assert!(entry.subject_known);
        let record = database.read(index, Some("MLII")).unwrap();
        with_lead += record.channels.len();
        assert!(record.channels.iter().all(|channel| channel.label == "MLII" && channel.samples.len() == 650_000));
        annotations += record.annotations.len();
        beats += record.annotations.iter().filter(|a| wfdb::annotation::by_symbol(&a.code).is_some_and(|c| c.is_beat)).count();
    }
    assert_eq!((annotations, beats, with_lead), (112_647, 109_494, 46));
    let subject = |name: &str| database.entries().iter().find(|entry| entry.name == name).map(|entry| entry.subject.as_str());
    assert_eq!((subject("202"), subject("201"), subject("100")), (Some("201"), Some("201"), Some("100")));
}

#[test]
fn record_100_as_documented() {
    let Some(folder) = recordings("mitdb") else { return };
    let record = read_record(&folder.join("100.hea"), &WfdbReadOptions::default()).unwrap();
    let counts = record.code_counts();
    let beats: usize = counts.iter().filter(|(code, _)| *code != "+").map(|(_, count)| count).sum();
    assert_eq!((beats, counts.get("+")), (2_273, Some(&1)));
    assert_eq!(record.annotations[0], Annotation::beat(18, "+").with_aux("(N"));
    assert_eq!(record.comments, ["69 M 1085 1629 x1", "Aldomet, Inderal"]);
    assert_eq!(record.duration_s(), 650_000.0 / 360.0);
}

#[test]
fn inspection_of_the_arrhythmia_database_finds_no_problem() {
    let Some(folder) = recordings("mitdb") else { return };
    let inspections = inspect(&folder).unwrap();
    let problems: Vec<_> = inspections.iter().flat_map(|inspection| &inspection.problems).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let first = &inspections[0];
    assert_eq!((first.annotations.count, first.annotations.codes.get("N")), (2_274, Some(&2_239)));
    assert_eq!((first.signals[1].label.as_str(), first.signals[1].samples), ("V5", 650_000));
}

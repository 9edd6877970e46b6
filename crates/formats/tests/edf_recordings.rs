//! Reading the EDF and BDF files of edfio, MNE and pyEDFlib, and of EEGMMIDB, compared with goldens made by those programs
//! (`tests/goldens/make_edf.py`). Skipped, saying so, where the recordings are absent.

use std::path::{Path, PathBuf};

use physiosynth_formats::{edf, inspect, open_database};
use physiosynth_signal::{Channel, Record, RecordSource};

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

/// Rows of a golden file: tab-separated columns.
fn golden() -> Vec<Vec<&'static str>> {
    let text = include_str!("goldens/edf.tsv");
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect()
}

fn read(path: &Path) -> edf::Recording {
    edf::read(path, &edf::EdfReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// FNV-1a over the samples as little-endian `f32`, which tells every bit.
fn digest(samples: &[f32]) -> String {
    let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn samples_labels_units_and_rates_are_those_of_edfio() {
    let mut compared = 0;
    for columns in golden().iter().filter(|columns| columns[0] == "signal") {
        let [_, file, index, label, unit, rate, samples, hash] = columns[..] else { panic!("{columns:?}") };
        let (folder, name) = file.rsplit_once('/').unwrap();
        let Some(folder) = recordings(folder) else { continue };
        let recording = read(&folder.join(name));
        let channel = &recording.record.channels[index.parse::<usize>().unwrap()];
        assert_eq!((channel.label.as_str(), channel.unit.as_str()), (label, unit), "{file} {index}");
        assert_eq!(channel.sampling_frequency_hz, rate.parse::<f64>().unwrap(), "{file} {label}");
        assert_eq!(channel.samples.len().to_string(), samples, "{file} {label}");
        assert_eq!(digest(&channel.samples), hash, "{file} {label}");
        compared += 1;
    }
    eprintln!("{compared} signals compared");
}

#[test]
fn start_times_and_annotations_are_those_of_edfio() {
    let mut compared = 0;
    for columns in golden().iter().filter(|columns| columns[0] == "file") {
        let [_, file, start, signals, annotations] = columns[..] else { panic!("{columns:?}") };
        let (folder, name) = file.rsplit_once('/').unwrap();
        let Some(folder) = recordings(folder) else { continue };
        let recording = read(&folder.join(name));
        // To the microsecond, as far as edfio goes.
        let found = recording.record.start.unwrap();
        let (time, date) = found.split_once(' ').unwrap();
        let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
        assert_eq!(format!("{whole}.{fraction:0<6.6} {date}"), start, "{file}");
        assert_eq!(recording.record.channels.len().to_string(), signals, "{file}");
        let mut found: Vec<String> = edf::read_annotations(&folder.join(name))
            .unwrap()
            .into_iter()
            .map(|a| format!("{:.6} {:.6} {}", a.onset_ns as f64 / 1e9, a.duration_ns.unwrap_or(0) as f64 / 1e9, a.text))
            .collect();
        found.sort();
        assert_eq!(found.join("|"), annotations, "{file}");
        compared += 1;
    }
    eprintln!("{compared} files compared");
}

#[test]
fn triggers_of_a_status_channel_are_those_of_mne() {
    for columns in golden().iter().filter(|columns| columns[0] == "triggers") {
        let [_, file, triggers] = columns[..] else { panic!("{columns:?}") };
        let (folder, name) = file.rsplit_once('/').unwrap();
        let Some(folder) = recordings(folder) else { continue };
        let marks = read(&folder.join(name)).record.annotations;
        let found: Vec<String> = marks
            .iter()
            .filter(|mark| mark.code.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|mark| format!("{}:{}", mark.sample, mark.code))
            .collect();
        assert_eq!(found.join(" "), triggers, "{file}");
    }
}

#[test]
fn a_part_is_what_the_whole_has_there() {
    for (folder, name, from_s, to_s) in [
        ("eegmmidb", "S001R03.edf", 3.517, 20.25),
        ("edf-formats/pyedflib", "test_generator.bdf", 0.25, 29.9),
        ("edf-formats/mne", "test_uneven_samp.edf", 15.0, 15.5),
    ] {
        let Some(folder) = recordings(folder) else { continue };
        let whole = read(&folder.join(name)).record;
        let options = edf::EdfReadOptions { from_s, to_s: Some(to_s), ..edf::EdfReadOptions::default() };
        let part = edf::read_record(&folder.join(name), &options).unwrap();
        for (own, all) in part.channels.iter().zip(&whole.channels) {
            let index = |seconds: f64| (seconds * all.sampling_frequency_hz).round() as usize;
            assert_eq!(own.samples, all.samples[index(from_s)..index(to_s)], "{name} {}", all.label);
        }
        let shift = (from_s * whole.sampling_frequency_hz).round() as i64;
        for mark in &part.annotations {
            assert!(
                whole.annotations.iter().any(|other| (other.sample - shift - mark.sample).abs() <= 1 && other.code == mark.code)
            );
        }
        assert_ne!(part.start, whole.start, "{name}");
    }
}

#[test]
fn eegmmidb_is_a_database_of_one_subject_whose_labels_are_task_and_event() {
    let Some(folder) = recordings("eegmmidb") else { return };
    let database = open_database(&folder).unwrap();
    let entries: Vec<_> = database.entries().iter().map(|e| (e.name.as_str(), e.subject.as_str(), e.subject_known)).collect();
    let runs = ["S001R03", "S001R04", "S001R07", "S001R08", "S001R11", "S001R12"];
    assert_eq!(entries, runs.map(|run| (run, "S001", true)));
    for (index, run) in runs.iter().enumerate() {
        let record = database.read(index, Some("Cz..")).unwrap();
        assert_eq!((record.name.as_str(), record.subject.as_str(), record.channels.len()), (*run, "S001", 1));
        assert_eq!(record.annotations.len(), 30);
        let task = if ["S001R03", "S001R07", "S001R11"].contains(run) { "executed" } else { "imagined" };
        for mark in &record.annotations {
            let label = match mark.code.as_ref() {
                "T0" => "rest".to_owned(),
                "T1" => format!("{task}/left-fist"),
                _ => format!("{task}/right-fist"),
            };
            assert_eq!(mark.aux, label);
        }
    }
    let one = open_database(&folder.join("S001R07.edf")).unwrap();
    assert_eq!((one.name(), one.entries()[0].subject.as_str()), ("eegmmidb/S001R07", "S001"));
    assert_eq!(one.read(0, None).unwrap().channels.len(), 64);
    assert_eq!(open_database(&folder.join("S001R07")).unwrap().entries().len(), 1);
    let inspected = inspect(&folder).unwrap();
    assert_eq!(inspected.iter().map(|i| i.annotations.count).sum::<usize>(), 180);
    assert!(
        inspected.iter().all(|i| i.signals.len() == 64 && i.duration_s == 125.0 && i.problems.is_empty()),
        "{:?}",
        inspected[0].problems
    );
}

#[test]
fn every_file_is_listed_and_oddities_are_told() {
    let Some(folder) = recordings("edf-formats/mne") else { return };
    let database = open_database(&folder).unwrap();
    let names: Vec<&str> = database.entries().iter().map(|entry| entry.name.as_str()).collect();
    // `test.edf` and `test.bdf` would be one name.
    assert!(names.contains(&"test.edf") && names.contains(&"test.bdf") && names.contains(&"test_uneven_samp"), "{names:?}");
    assert!(database.entries().iter().all(|entry| !entry.subject_known));
    let problems = |name: &str| inspect(&folder.join(name)).unwrap().remove(0).problems.join("\n");
    assert!(problems("duplicate_channel_labels.edf").contains("2 signals have the label 'EEG F1-Ref'"));
    assert!(problems("test_edf_stim_channel.edf").contains("EEG channel 'EEG T6'"));
    assert_eq!(problems("test_uneven_samp.edf"), "");
}

#[test]
fn a_table_beside_the_data_says_whose_records_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let record = Record::new("r").with_channel(Channel::new("C3", "uV", 10.0, (0..30_i16).map(f32::from).collect()));
    for name in ["b.edf", "a.bdf", "b.bdf", "c.rec"] {
        edf::write_record(&path(name), &record, &edf::WriteOptions::default()).unwrap();
    }
    std::fs::write(path("other.rec"), "not a recording").unwrap();
    let entries = || -> Vec<(String, String, bool)> {
        let database = open_database(folder.path()).unwrap();
        database.entries().iter().map(|e| (e.name.clone(), e.subject.clone(), e.subject_known)).collect()
    };
    let own = |name: &str| (name.to_owned(), name.to_owned(), false);
    assert_eq!(entries(), [own("a"), own("b.bdf"), own("b.edf"), own("c")]);
    std::fs::write(path("subjects.csv"), "age,Record,Subject\n40,a.bdf,p1\n41,b,p2\n").unwrap();
    let known = |name: &str, subject: &str| (name.to_owned(), subject.to_owned(), true);
    assert_eq!(entries(), [known("a", "p1"), known("b.bdf", "p2"), known("b.edf", "p2"), own("c")]);
    // A list decides which and in what order; files with their extensions.
    std::fs::write(path("RECORDS"), "c.rec\na\n").unwrap();
    assert_eq!(entries(), [own("c"), known("a", "p1")]);
    let database = open_database(folder.path()).unwrap();
    let read = database.read(1, Some("C3")).unwrap();
    assert_eq!((read.name.as_str(), read.subject.as_str(), read.channels[0].samples.len()), ("a", "p1", 30));
    assert_eq!(database.read(1, Some("C4")).unwrap().channels.len(), 0);
    assert_eq!(inspect(folder.path()).unwrap()[0].duration_s, 3.0);
    std::fs::write(path("subjects.csv"), "record,person\na,p1\n").unwrap();
    assert!(open_database(folder.path()).unwrap_err().to_string().contains("no column 'record' or none 'subject'"));
    // A damaged file is listed, and says what is wrong when it is read.
    std::fs::write(path("broken.edf"), "nothing").unwrap();
    assert!(inspect(&path("broken.edf")).is_err(), "the table is still wrong");
    std::fs::remove_file(path("subjects.csv")).unwrap();
    assert!(inspect(&path("broken.edf")).unwrap()[0].problems[0].contains("holds 7 bytes"));
}

//! Folders laid out as public databases are: whose records are, what is marked in them, and how their authors divide them.

use std::fs;
use std::path::Path;

use physiosynth_formats::edf::{self, WriteOptions};
use physiosynth_formats::recording::{OpenOptions, open};
use physiosynth_formats::wfdb::write_annotations;
use physiosynth_formats::{
    Database, RecordingsConfig, SignalFormat, inspect, inspect_record, inspect_with, open_database, write_record,
};
use physiosynth_signal::{Annotation, Channel, Record, RecordSource as _, Split};

fn record(name: &str, labels: &[&str]) -> Record {
    let channels = labels.iter().map(|label| Channel::new(*label, "mV", 100.0, vec![0.5; 400]));
    Record { channels: channels.collect(), sampling_frequency_hz: 100.0, ..Record::new(name) }
}

fn wfdb(folder: &Path, record: &Record) {
    write_record(folder, record, SignalFormat::Format16).unwrap();
}

fn subjects(database: &Database) -> Vec<(&str, &str, bool)> {
    database.entries().iter().map(|entry| (entry.name.as_str(), entry.subject.as_str(), entry.subject_known)).collect()
}

/// What an inspection counts in each record: all annotations, and each code; that it finds nothing wrong is checked.
fn counted(folder: &Path) -> Vec<(usize, Vec<(String, usize)>)> {
    let inspections = inspect(folder).unwrap();
    assert!(inspections.iter().all(|record| record.problems.is_empty()), "{inspections:?}");
    inspections.into_iter().map(|record| (record.annotations.count, record.annotations.codes.into_iter().collect())).collect()
}

/// The annotations of a recording that is opened by itself, as for conversion.
fn opened(path: &Path) -> Vec<Annotation> {
    let recording = open(path, &OpenOptions::default()).unwrap();
    assert!(recording.problems.is_empty(), "{:?}", recording.problems);
    recording.record.annotations
}

fn codes(codes: &[(&str, usize)]) -> (usize, Vec<(String, usize)>) {
    (codes.iter().map(|(_, count)| count).sum(), codes.iter().map(|&(code, count)| (code.to_owned(), count)).collect())
}

#[test]
fn incart_names_the_patient_in_each_header() {
    let folder = tempfile::tempdir().unwrap();
    for (name, comments) in
        [("I01", ["age: 65 sex: F", "patient 1"]), ("I02", ["", "patient 1"]), ("I03", ["", "patient unknown"])]
    {
        let comments = comments.map(String::from).into_iter().filter(|comment| !comment.is_empty()).collect();
        wfdb(folder.path(), &Record { comments, ..record(name, &["I"]) });
    }
    let database = open_database(folder.path()).unwrap();
    let expected = [("I01", "patient 1", true), ("I02", "patient 1", true), ("I03", "I03", false)];
    assert_eq!(subjects(&database), expected);
}

#[test]
fn chbmit_marks_seizures_beside_the_recording_and_has_one_girl_twice() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["chb01/chb01_03", "chb17/chb17a_03", "chb21/chb21_01"];
    for name in names {
        let path = folder.path().join(format!("{name}.edf"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        edf::write_record(&path, &record("r", &["FP1-F7"]), &WriteOptions::default()).unwrap();
    }
    fs::write(folder.path().join("RECORDS"), names.map(|name| format!("{name}.edf\n")).concat()).unwrap();
    let marks = [(50, "["), (150, "]"), (200, "["), (260, "]")].map(|(sample, code)| Annotation::beat(sample, code));
    write_annotations(&folder.path().join("chb01/chb01_03.edf"), "seizures", &marks, None).unwrap();
    let database = open_database(folder.path()).unwrap();
    let whose: Vec<&str> = subjects(&database).into_iter().map(|(_, subject, _)| subject).collect();
    assert_eq!(whose, ["chb01", "chb17", "chb01"]);
    let found = database.read(0, None).unwrap().annotations;
    let found: Vec<_> = found.iter().map(|mark| (mark.sample, mark.duration, mark.code.as_ref())).collect();
    assert_eq!(found, [(50, 100, "seizure"), (200, 60, "seizure")]);
    assert!(database.read(1, None).unwrap().annotations.is_empty());
    assert!(database.files().iter().any(|path| path.ends_with("chb01_03.edf.seizures")));
    assert_eq!(counted(folder.path()), [codes(&[("seizure", 2)]), codes(&[]), codes(&[])]);
    assert_eq!(opened(&folder.path().join("chb01/chb01_03.edf")), database.read(0, None).unwrap().annotations);
    // One that cannot be read is a problem, and the rest is told all the same.
    fs::write(folder.path().join("chb17/chb17a_03.edf.seizures"), [0x01]).unwrap();
    let record = inspect_record(&folder.path().join("chb17/chb17a_03.edf"));
    assert!(record.signals.len() == 1 && record.problems[0].contains(".seizures"), "{record:?}");
}

#[test]
fn sleep_edf_has_its_stages_in_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(format!("{name}.edf"));
    let stage = |sample: i64, code: &str| Annotation { duration: 100, ..Annotation::beat(sample, code.to_owned()) };
    for name in ["SC4001E0-PSG", "SC4012E0-PSG"] {
        edf::write_record(&at(name), &record("r", &["EEG Fpz-Cz"]), &WriteOptions::default()).unwrap();
    }
    let annotations = vec![stage(0, "Sleep stage W"), stage(200, "Sleep stage 2")];
    let stages = Record { annotations, ..record("r", &["x"]) };
    edf::write_record(&at("SC4001EC-Hypnogram"), &stages, &WriteOptions::default()).unwrap();
    let database = open_database(folder.path()).unwrap();
    assert_eq!(subjects(&database), [("SC4001E0-PSG", "SC400", true), ("SC4012E0-PSG", "SC401", true)]);
    let marks = database.read(0, None).unwrap().annotations;
    assert_eq!((marks.len(), marks[1].sample, marks[1].duration, marks[1].code.as_ref()), (2, 200, 100, "Sleep stage 2"));
    assert!(database.read(1, None).unwrap().annotations.is_empty());
    assert_eq!(database.files().len(), 3);
    assert_eq!(counted(folder.path()), [codes(&[("Sleep stage 2", 1), ("Sleep stage W", 1)]), codes(&[])]);
    assert_eq!(opened(&at("SC4001E0-PSG")), marks);
}

#[test]
fn ludb_has_an_annotator_for_each_lead() {
    let folder = tempfile::tempdir().unwrap();
    wfdb(folder.path(), &record("1", &["i", "ii"]));
    fs::remove_file(folder.path().join("1.atr")).unwrap();
    let path = folder.path().join("1");
    write_annotations(&path, "i", &[Annotation::beat(110, "N")], None).unwrap();
    write_annotations(&path, "ii", &[Annotation::beat(100, "p"), Annotation::beat(112, "N")], None).unwrap();
    let database = open_database(folder.path()).unwrap();
    let marks = |lead| -> Vec<_> {
        let annotations = database.read(0, lead).unwrap().annotations;
        annotations.iter().map(|mark| (mark.sample, mark.channel, mark.code.to_string())).collect()
    };
    assert_eq!(marks(None), [(100, 1, "p".to_owned()), (110, 0, "N".into()), (112, 1, "N".into())]);
    assert_eq!(marks(Some("ii")), [(100, 0, "p".to_owned()), (112, 0, "N".into())]);
    assert_eq!(counted(folder.path()), [codes(&[("N", 2), ("p", 1)])]);
    for name in ["1", "1.hea", "1.dat"] {
        assert_eq!(opened(&folder.path().join(name)), database.read(0, None).unwrap().annotations, "{name}");
    }
    write_annotations(&path, "ii", &[Annotation::beat(100, "p"), Annotation::beat(4_000, "N")], None).unwrap();
    let problems = inspect(folder.path()).unwrap().remove(0).problems;
    assert!(problems.len() == 1 && problems[0].contains("1.ii") && problems[0].contains("4000"), "{problems:?}");
    // Without any, they are missed.
    for lead in ["i", "ii"] {
        fs::remove_file(path.with_extension(lead)).unwrap();
    }
    let error = database.read(0, None).unwrap_err().to_string();
    assert!(error.contains("1.atr"), "{error}");
    assert!(inspect(folder.path()).unwrap()[0].problems[0].contains("1.atr"));
}

#[test]
fn ptb_xl_has_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = String::new();
    for number in 1..=3 {
        for (rate, suffix) in [(100, "lr"), (500, "hr")] {
            let within = folder.path().join(format!("records{rate}/00000"));
            fs::create_dir_all(&within).unwrap();
            let name = format!("0000{number}_{suffix}");
            wfdb(&within, &record(&name, &["I", "II"]));
            fs::remove_file(within.join(format!("{name}.atr"))).unwrap();
            list.extend([format!("records{rate}/00000/{name}\n")]);
        }
    }
    fs::write(folder.path().join("RECORDS"), list).unwrap();
    let table = "ecg_id,patient_id,report,scp_codes,strat_fold,filename_lr,filename_hr\n\
        1,15709.0,sinusrhythmus,\"{'NORM': 100.0, 'LVOL': 0.0, 'SR': 0.0}\",3,records100/00000/00001_lr,records500/00000/00001_hr\n\
        2,13243.0,\"in\ntwo lines, with a comma\",\"{'SR': 0.0, 'IMI': 35.0, 'ASMI': 80.0}\",9,records100/00000/00002_lr,records500/00000/00002_hr\n\
        3,15709.0,,\"{'AFIB': 0.0}\",10,records100/00000/00003_lr,records500/00000/00003_hr\n";
    fs::write(folder.path().join("ptbxl_database.csv"), table).unwrap();
    let statements = ",description,diagnostic,form,rhythm,diagnostic_class\nNORM,normal ECG,1.0,,,NORM\nIMI,inferior,1.0,,,MI\n\
        ASMI,anteroseptal,1.0,,,MI\nLVOL,low voltage,,1.0,,\nSR,sinus rhythm,,,1.0,\nAFIB,fibrillation,,,1.0,\n";
    fs::write(folder.path().join("scp_statements.csv"), statements).unwrap();
    let database = open_database(folder.path()).unwrap();
    let name = |n: u8| format!("records500/00000/0000{n}_hr");
    let expected = [(name(1), "15709"), (name(2), "13243"), (name(3), "15709")];
    assert_eq!(subjects(&database), expected.each_ref().map(|(name, subject)| (name.as_str(), *subject, true)));
    let splits: Vec<_> = database.entries().iter().map(|entry| entry.split).collect();
    assert_eq!(splits, [Some(Split::Train), Some(Split::Validation), Some(Split::Test)]);
    let label = |index| {
        let record = database.read(index, Some("II")).unwrap();
        let mark = record.annotations[0].clone();
        (mark.code.to_string(), mark.sample, mark.duration, mark.aux.contains("': "), record.channels.len())
    };
    assert_eq!(label(0), ("NORM".to_owned(), 0, 400, true, 1));
    assert_eq!(label(1).0, "MI");
    assert_eq!(label(2).0, "AFIB");
    assert!(database.files().iter().any(|path| path.ends_with("ptbxl_database.csv")));
    assert_eq!(counted(folder.path()), [codes(&[("NORM", 1)]), codes(&[("MI", 1)]), codes(&[("AFIB", 1)])]);
}

#[test]
fn what_files_do_not_say_is_told_to_an_inspection() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::write(folder.path().join(format!("{name}.csv")), "when,I,II\n5,1,2\n5,3,4\n").unwrap();
    }
    let problems = inspect(folder.path()).unwrap().remove(0).problems;
    assert!(problems[0].contains("no sampling frequency"), "{problems:?}");
    let options =
        RecordingsConfig { rate: "250".into(), unit: "mV".into(), columns: vec!["II".into()], ..RecordingsConfig::default() };
    let found = inspect_with(folder.path(), &options).unwrap();
    let facts: Vec<_> =
        found.iter().map(|record| (record.signals[0].label.as_str(), record.signals[0].samples, record.duration_s)).collect();
    assert_eq!(facts, [("II", 2, 0.008); 2]);
    assert!(found.iter().all(|record| record.problems.is_empty() && record.signals[0].unit == "mV"));
}

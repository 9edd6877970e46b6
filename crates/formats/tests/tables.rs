//! Databases of HDF5 files, texts and NumPy arrays: which records they have, and what has to be said of them.

use std::fs;
use std::path::Path;

use physiosynth_formats::{AxesChoice, RecordingsConfig, inspect, npy, open_database, open_database_with};
use physiosynth_signal::RecordSource as _;

fn names(folder: &Path) -> Vec<String> {
    open_database(folder).unwrap().entries().iter().map(|entry| entry.name.clone()).collect()
}

#[test]
fn texts_with_their_annotations_and_subjects() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("p1.csv"), "time_s,I,II\n0,1,2\n0.01,3,4\n0.02,5,6\n").unwrap();
    fs::write(at("p1.annotations.csv"), "sample,code\n1,N\n2,V\n").unwrap();
    fs::write(at("p2.tsv"), "time_s\tI\tII\n0\t1\t2\n0.01\t3\t4\n").unwrap();
    fs::write(at("subjects.csv"), "record,subject\np1,a\np2,b\n").unwrap();
    fs::write(at("notes.txt"), "nothing to read").unwrap();
    let database = open_database(folder.path()).unwrap();
    let entries: Vec<_> = database.entries().iter().map(|entry| (entry.name.as_str(), entry.subject.as_str())).collect();
    assert_eq!(entries, [("p1", "a"), ("p2", "b")]);
    let record = database.read(0, Some("II")).unwrap();
    assert_eq!((record.channels.len(), record.channels[0].samples.as_slice()), (1, [2.0, 4.0, 6.0].as_slice()));
    assert_eq!((record.annotations.len(), record.annotations[1].code.as_ref(), record.subject.as_str()), (2, "V", "a"));
    assert!(database.read(1, None).unwrap().annotations.is_empty());
    let files: Vec<_> = database.files().iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(files, ["p1.annotations.csv", "p1.csv", "p2.tsv", "subjects.csv"]);
    let found = inspect(folder.path()).unwrap();
    assert_eq!((found[0].annotations.count, found[0].signals[1].samples, found[1].problems.len()), (2, 3, 0));
}

#[test]
fn what_files_do_not_say_is_said_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/h5py.h5");
    for name in ["a.h5", "b.h5"] {
        fs::copy(&golden, folder.path().join(name)).unwrap();
    }
    // Two datasets may be the signals.
    let error = open_database(folder.path()).unwrap().read(0, None).unwrap_err().to_string();
    assert!(error.contains("a.h5"), "{error}");
    let options = RecordingsConfig {
        rate: "info/sfreq".into(),
        unit: "uV".into(),
        hdf5_signals: "/eeg/raw".into(),
        axes: AxesChoice::ChannelTime,
        labels: ["x", "y", "z"].map(String::from).to_vec(),
        ..RecordingsConfig::default()
    };
    let database = open_database_with(folder.path(), &options).unwrap();
    let record = database.read(1, Some("y")).unwrap();
    assert_eq!((record.name.as_str(), record.sampling_frequency_hz, record.channels.len()), ("b", 500.0, 1));
    assert_eq!((record.channels[0].unit.as_str(), record.channels[0].samples[0]), ("uV", 800.0));
    let file = folder.path().join("a.h5");
    assert_eq!(open_database_with(&file, &options).unwrap().read(0, None).unwrap().channels.len(), 3);
}

#[test]
fn a_rate_for_arrays_and_texts_without_times() {
    let folder = tempfile::tempdir().unwrap();
    npy::write_f32(&folder.path().join("x.npy"), &[4, 1], &[1.0, 2.0, 3.0, 4.0]).unwrap();
    npy::write_f32(&folder.path().join("x.rr.npy"), &[1], &[1.0]).unwrap();
    fs::write(folder.path().join("y.csv"), "a,b\n1,2\n3,4\n").unwrap();
    assert_eq!(names(folder.path()), ["x", "y"]);
    let options = RecordingsConfig { rate: "50".into(), columns: vec!["b".into()], ..RecordingsConfig::default() };
    let database = open_database_with(folder.path(), &options).unwrap();
    assert_eq!(database.read(0, None).unwrap().sampling_frequency_hz, 50.0);
    assert_eq!(database.read(1, None).unwrap().channels[0].samples, [2.0, 4.0]);
}

#[test]
fn tables_beside_recordings_are_about_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("r.hea"), "r 0 100\n").unwrap();
    fs::write(at("clinical.csv"), "age,sex\n1,F\n2,M\n").unwrap();
    assert_eq!(names(folder.path()), ["r"]);
    // A list names what it wants, and two of one name are told apart.
    fs::remove_file(at("r.hea")).unwrap();
    fs::write(at("a.csv"), "time_s,I\n0,1\n1,2\n").unwrap();
    fs::write(at("a.tsv"), "time_s\tI\n0\t1\n1\t2\n").unwrap();
    fs::write(at("RECORDS"), "a.csv\na.tsv\n").unwrap();
    assert_eq!(names(folder.path()), ["a.csv", "a.tsv"]);
}

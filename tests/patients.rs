//! Synthetic patients from a finished run, through the real binary.

use std::fs;
use std::path::Path;

use physiosynth_formats::{WfdbReadOptions, read_record};

use crate::support::{call, tiny_run};

/// `generate --model` of this run into this folder, with these words.
fn patients(run: &Path, output: &Path, words: &[&str]) -> (i32, String, String) {
    let (run, output) = (run.to_str().unwrap(), output.to_str().unwrap());
    let mut all = vec!["generate", "--device", "cpu", "--model", run, "--output", output];
    all.extend(words);
    call(&all)
}

#[test]
fn a_finished_run_makes_patients_of_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = at("run");
    tiny_run(&run, &[]);

    let (code, out, err) = patients(&run, &at("some"), &["--patients", "2", "--minutes", "1.5"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("2 synthetic patients"), "{out}");
    let record = read_record(&at("some/syn002"), &WfdbReadOptions::default()).unwrap();
    assert!(record.duration_s() >= 90.0 && record.duration_s() < 100.0, "{}", record.duration_s());
    assert_eq!((record.channels.len(), record.channels[0].unit.as_str()), (1, "mV"));
    assert!(record.comments[0].contains("SYNTHETIC"), "{:?}", record.comments);
    let beats = record.annotations.iter().filter(|mark| mark.code != "+").count();
    assert!((30..=450).contains(&beats), "{beats} beats in 90 s");
    assert_eq!(fs::read_to_string(at("some/RECORDS")).unwrap(), "syn001\nsyn002\n");
    let told: serde_json::Value = serde_json::from_slice(&fs::read(at("some/patients.json")).unwrap()).unwrap();
    assert_eq!(told[1]["record"], "syn002");

    // The first of more patients is the same, byte for byte; with noise it is another curve under the same marks.
    let (code, _, err) = patients(&run, &at("one"), &["--patients", "1", "--minutes", "1.5"]);
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| fs::read(at(name)).unwrap();
    for extension in ["hea", "dat", "atr"] {
        assert!(read(&format!("some/syn001.{extension}")) == read(&format!("one/syn001.{extension}")), "{extension} differs");
    }
    let (code, _, err) = patients(&run, &at("noisy"), &["--patients", "1", "--minutes", "1.5", "--noise"]);
    assert_eq!(code, 0, "{err}");
    assert!(read("noisy/syn001.atr") == read("one/syn001.atr") && read("noisy/syn001.dat") != read("one/syn001.dat"));

    let (code, _, err) = patients(&run, &at("edf"), &["--patients", "1", "--minutes", "0.5", "--format", "edf", "--seed", "9"]);
    assert_eq!(code, 0, "{err}");
    let header = String::from_utf8_lossy(&read("edf/syn001.edf")[..256]).into_owned();
    assert!(header.contains("SYNTHETIC") && header.contains("EDF+C"), "{header}");
}

#[test]
fn what_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (code, _, err) = patients(&at("nothing"), &at("out"), &[]);
    assert!(code == 1 && err.contains("no trained model"), "{code}: {err}");
    tiny_run(&at("run"), &[]);
    let (code, _, err) = patients(&at("run"), &at("run"), &[]);
    assert!(code == 2 && err.contains("is a run folder"), "{code}: {err}");
    let (code, _, err) = patients(&at("run"), &at("out"), &["--subject", "nobody", "--patients", "1"]);
    assert!(code == 1 && err.contains("nobody"), "{code}: {err}");
}

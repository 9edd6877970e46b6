//! EEG through the real binary: from the simulated database to synthetic patients in EDF+.

use std::fs;
use std::path::Path;

use crate::support::{call, decided, finish, tiny};
use physiosynth_formats::{edf, open_database};
use physiosynth_signal::RecordSource;

/// A database of a few short records, learned on three channels: a run takes seconds.
const SMALL: [&str; 12] = [
    "--database",
    "demo-eeg",
    "--set",
    "simulator.eeg.subjects=5",
    "--set",
    "simulator.eeg.duration_s=60",
    "--set",
    "simulator.eeg.discharges_per_min=4",
    "--set",
    "preprocessing.eeg.channels=[\"Fz\", \"Cz\", \"O1\"]",
    "--set",
    "evaluation.utility_draws=1",
];

#[test]
fn the_eeg_demo_ends_in_patients_that_say_they_are_synthetic() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    for (run, threads) in [(&one, "1"), (&two, "2")] {
        let (code, out, err) = finish(tiny(run, &SMALL).arg("--seed=3").env("RAYON_NUM_THREADS", threads));
        assert_eq!(code, 0, "{out}\n{err}");
    }
    assert_eq!(decided(&one), decided(&two), "one thread and two");
    for name in ["overview", "epochs", "eeg_psd", "band_powers", "channel_correlation"] {
        assert!(fs::metadata(one.join(format!("figures/{name}.png"))).is_ok_and(|m| m.len() > 0), "{name}");
    }
    assert!(!one.join("figures/strips.png").exists(), "an EEG is not drawn on ECG paper");
    let patient = edf::read(&one.join("share/syn001.edf"), &edf::EdfReadOptions::default()).unwrap();
    assert!(patient.problems.is_empty(), "{:?}", patient.problems);
    assert!(patient.header.patient.contains("SYNTHETIC") && patient.header.recording.contains("SYNTHETIC"));
    let record = patient.record;
    let labels: Vec<&str> = record.channels.iter().map(|c| c.label.as_str()).collect();
    assert_eq!((labels, record.duration_s()), (vec!["Fz", "Cz", "O1"], 20.0));
    let mut end = 0;
    for event in &record.annotations {
        assert!(["eyes-open", "eyes-closed", "spike-wave"].contains(&event.code.as_ref()), "{event:?}");
        assert_eq!(event.sample, end, "events follow one another");
        end = event.sample + event.duration;
    }
    assert_eq!(end, 20 * 128);
    let scores: serde_json::Value = serde_json::from_slice(&fs::read(one.join("scores.json")).unwrap()).unwrap();
    let has = |name: &str| scores["measures"].as_array().unwrap().iter().any(|m| m["name"] == name && m["value"].is_f64());
    assert!(
        has("band_share_difference_largest")
            && has("band_share_within_tenth")
            && has("channel_correlation_mae")
            && has("spread_ratio")
    );
    more_patients_from_the_model(&one, &folder.path().join("more"));
}

/// Patients from a finished run's model, in a folder of their own.
fn more_patients_from_the_model(run: &Path, output: &Path) {
    let paths = [run, output].map(|path| path.to_str().unwrap());
    let (code, out, err) = call(&["generate", "--model", paths[0], "--output", paths[1], "--patients=3", "--minutes=0.5"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("3 synthetic patients"), "{out}");
    assert_eq!(fs::read_to_string(output.join("RECORDS")).unwrap(), "syn001.edf\nsyn002.edf\nsyn003.edf\n");
    assert!(fs::read_to_string(output.join("README.txt")).unwrap().starts_with("SYNTHETIC DATA"));
    let record = edf::read(&output.join("syn003.edf"), &edf::EdfReadOptions::default()).unwrap().record;
    assert_eq!((record.channels.len(), record.duration_s()), (3, 30.0));
    assert!(!record.annotations.is_empty());
    let (code, _, err) = call(&["generate", "--model", paths[0], "--output", paths[1], "--subject=nobody"]);
    assert!(code != 0 && err.contains("no patient can be made"), "{err}");
}

#[test]
fn the_simulated_eeg_is_written_as_edf_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let set = ["simulator.eeg.subjects=2", "simulator.eeg.duration_s=30"];
    let (code, _, err) = call(&["simulate", "--kind", "eeg", "--output", path, "--set", set[0], "--set", set[1]]);
    assert_eq!(code, 0, "{err}");
    let database = open_database(folder.path()).unwrap();
    let record = database.read(1, None).unwrap();
    assert_eq!((record.name.as_str(), record.channels.len(), record.channels[0].samples.len()), ("eeg02", 19, 4800));
    assert!(record.annotations.iter().any(|a| a.code == "eyes-open" && a.duration > 0), "{:?}", record.annotations);
    let header = edf::read_header(&folder.path().join("eeg02.edf")).unwrap();
    assert!(header.patient.contains("SIMULATED") && header.recording.contains("SIMULATED"));
}

//! The main job through the real binary: what a run leaves, that it is the same again, that it resumes.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{call, decided, finish, mitdb, physiosynth, tiny, tiny_run};

#[test]
fn a_run_leaves_everything_the_contract_names() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    tiny_run(&run, &[]);
    for name in [
        "config.toml",
        "manifest.json",
        "segments.h5",
        "rhythms.json",
        "model/rhythm/best.safetensors",
        "model/rhythm/report.json",
        "model/best.safetensors",
        "model/last.safetensors",
        "model/history.json",
        "synthetic.h5",
        "scores.json",
        "figures/overview.png",
        "index.html",
        "share/syn001.hea",
        "share/syn001.dat",
        "share/syn001.atr",
        "share/README.txt",
        "share/patients.json",
        "share/synthetic.h5",
    ] {
        assert!(fs::metadata(run.join(name)).is_ok_and(|m| m.len() > 0), "{name}");
    }
    let header = fs::read_to_string(run.join("share/syn001.hea")).unwrap();
    assert!(header.contains("SYNTHETIC"), "{header}");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["seed"], 3);
    assert_eq!(manifest["device"]["kind"], "cpu");
    for stage in ["preprocess", "train", "generate", "evaluate", "report"] {
        assert_eq!(manifest["stages"][stage]["finished"], true, "{stage}");
    }
    let scores: serde_json::Value = serde_json::from_slice(&fs::read(run.join("scores.json")).unwrap()).unwrap();
    let measures = scores["measures"].as_array().unwrap();
    let row = measures.iter().find(|m| m["name"] == "spread_ratio" && m["class"] == "N").unwrap();
    assert!(row["value"].as_f64().unwrap() > 0.0 && row["same"].as_f64().unwrap() > 0.0, "{row}");
    assert_eq!(scores["verdicts"]["private"]["outcome"], "not-assessable");
}

#[test]
fn one_seed_gives_the_same_bytes_with_one_thread_and_two() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, other) = (folder.path().join("one"), folder.path().join("two"), folder.path().join("other"));
    for (run, threads) in [(&one, "1"), (&two, "2")] {
        let (code, _, err) = finish(tiny(run, &["--seed", "3"]).env("RAYON_NUM_THREADS", threads));
        assert_eq!(code, 0, "{err}");
    }
    let (one, two) = (decided(&one), decided(&two));
    assert_eq!(one.len(), two.len());
    for ((name, a), (_, b)) in one.iter().zip(&two) {
        assert!(a == b, "{name} differs between one thread and two");
    }
    let (code, _, err) = finish(&mut tiny(&other, &["--seed", "4"]));
    assert_eq!(code, 0, "{err}");
    assert!(decided(&other) != one, "another seed gave the same files");
}

#[test]
fn a_second_call_does_nothing_again_and_a_changed_setting_only_what_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    tiny_run(&run, &[]);
    let (code, _, err) = finish(tiny(&run, &[]).arg("--seed=3"));
    assert_eq!(code, 0, "{err}");
    assert_eq!(err.matches("up to date").count(), 5, "{err}");
    let (code, _, err) = finish(tiny(&run, &["--set", "evaluation.dtw_band=0.2"]).arg("--seed=3"));
    assert_eq!(code, 0, "{err}");
    for stage in ["preprocess", "train", "generate"] {
        assert!(err.contains(&format!("{stage}: up to date")), "{err}");
    }
    assert!(!err.contains("evaluate: up to date"), "{err}");
}

#[test]
fn the_config_of_a_run_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, again) = (folder.path().join("first"), folder.path().join("again"));
    tiny_run(&first, &[]);
    let config = first.join("config.toml");
    let (code, _, err) = finish(physiosynth(&["run"]).arg("--config").arg(&config).arg("--output").arg(&again));
    assert_eq!(code, 0, "{err}");
    assert!(decided(&first) == decided(&again));
    assert_eq!(fs::read(config).unwrap(), fs::read(again.join("config.toml")).unwrap());
}

#[test]
fn killed_in_training_it_resumes_to_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let long = ["--seed", "3", "--set", "generator.epochs=40", "--set", "generator.patience=0"];
    let (code, _, err) = finish(&mut tiny(&whole, &long));
    assert_eq!(code, 0, "{err}");

    let mut child = tiny(&killed, &long).stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    while !killed.join("model/last.safetensors").exists() {
        assert!(Instant::now() < deadline, "no checkpoint in two minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!killed.join("scores.json").exists(), "killed too late for this test to show anything");
    let (code, _, err) = finish(&mut tiny(&killed, &long));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("went on from epoch"), "{err}");
    for ((name, a), (_, b)) in decided(&whole).iter().zip(&decided(&killed)) {
        assert!(a == b, "{name} differs after resuming");
    }
}

#[test]
fn stages_can_be_run_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    tiny_run(&whole, &[]);
    let output = parts.to_str().unwrap();
    let (code, _, err) = call(&["train", "--output", output]);
    assert_eq!(code, 1);
    assert!(err.contains("segments.h5") && err.contains("preprocess"), "{err}");
    let config = whole.join("config.toml");
    let (code, _, err) = call(&["preprocess", "--config", config.to_str().unwrap(), "--output", output]);
    assert_eq!(code, 0, "{err}");
    for stage in ["train", "generate", "evaluate", "report"] {
        let (code, _, err) = call(&[stage, "--output", output]);
        assert_eq!(code, 0, "{stage}: {err}");
    }
    assert!(decided(&whole) == decided(&parts));
    let (code, _, err) = call(&["generate", "--output", output, "--class", "V", "--count", "7"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = call(&["generate", "--output", output, "--class", "X"]);
    assert!(code == 1 && err.contains("there is no class X"), "{err}");
}

#[test]
fn all_of_mitdb_is_read_and_what_is_left_out_is_named() {
    let Some(mitdb) = mitdb() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    tiny_run(&run, &["--database", mitdb.to_str().unwrap()]);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    let signals = |name: &&String| std::path::Path::new(name).extension().is_some_and(|e| e == "dat");
    assert_eq!(manifest["inputs"].as_object().unwrap().keys().filter(signals).count(), 48);
    let skipped: Vec<&str> = manifest["skipped"].as_array().unwrap().iter().map(|s| s["record"].as_str().unwrap()).collect();
    for record in ["102", "104", "107", "217", "202"] {
        assert!(skipped.contains(&record), "{record} is not among {skipped:?}");
    }
    assert!(!skipped.contains(&"114"), "114 has MLII as its second signal");
}

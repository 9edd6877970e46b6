//! The other commands, and what wrong usage gives.

use std::fs;

use crate::support::{call, mitdb};

#[test]
fn help_and_version() {
    let (code, out, _) = call(&["--help"]);
    assert_eq!(code, 0);
    for command in [
        "run",
        "preprocess",
        "train",
        "generate",
        "evaluate",
        "report",
        "inspect",
        "convert",
        "fetch",
        "simulate",
        "bench",
        "devices",
    ] {
        assert!(out.contains(command), "{command} is missing in\n{out}");
    }
    let (code, out, _) = call(&["run", "--help"]);
    assert!(code == 0 && out.contains("--preset") && out.contains("Examples"), "{out}");
    assert!(call(&["--version"]).1.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_ends_with_2_and_failure_with_1() {
    for words in [
        &["run", "--bogus"][..],
        &["run", "--preset", "fast"],
        &["run", "--set", "generator.unit=3"],
        &["run", "--set", "generator.units"],
        &["run", "--device", "abacus"],
        &["bench", "--device", "abacus"],
        &["bench", "--sizes", "2x8"],
        &["bench", "--rounds", "0"],
        &["train"],
        &[],
    ] {
        let (code, _, err) = call(words);
        assert_eq!(code, 2, "{words:?}: {err}");
    }
    let (_, _, err) = call(&["run", "--set", "generator.unit=3"]);
    assert!(err.contains("did you mean generator.units?"), "{err}");
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let (code, _, err) =
        call(&["run", "--database", nowhere.to_str().unwrap(), "--output", folder.path().join("o").to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(err.contains("nowhere") && err.contains("--database"), "{err}");
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("run");
    let (code, _, err) = call(&["run", "--output", below.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(err.contains("--output") && err.contains(below.to_str().unwrap()), "{err}");
}

#[test]
fn devices_lists_the_cpu_and_says_what_auto_takes() {
    let (code, out, err) = call(&["devices"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("cpu") && out.contains("--device auto takes"), "{out}");
}

#[test]
fn bench_times_every_cell_and_pass() {
    let words = ["bench", "--device", "cpu", "--sizes", "2x8x4,1x5x3", "--rounds", "2"];
    let (code, out, err) = call(&[&words[..], &["--json"]].concat());
    assert_eq!(code, 0, "{err}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let told: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}x{}x{} {}", row["cell"].as_str().unwrap(), row["batch"], row["time"], row["units"], row["pass"]))
        .collect();
    let expected: Vec<String> = ["lstm", "gru", "simple"]
        .iter()
        .flat_map(|cell| ["2x8x4", "1x5x3"].map(|size| format!("{cell} {size}")))
        .flat_map(|name| ["train", "forward"].map(|pass| format!("{name} \"{pass}\"")))
        .collect();
    assert_eq!(told, expected);
    for row in &rows {
        for key in ["median_s", "samples_per_s", "gflop_per_s"] {
            assert!(row[key].as_f64().is_some_and(|x| x > 0.0 && x.is_finite()), "{key} in {row}");
        }
        assert!(row["bidirectional"] == true && row["layers"] == 1 && row["runs"] == 2 && row["device"] == "cpu", "{row}");
        assert!(row["software"] == false && row["threads"].as_u64() > Some(0), "{row}");
        assert!(row["version"].is_string() && row["vector_instructions"].is_string() && row["device_name"].is_string(), "{row}");
    }
    let (code, out, err) = call(&words);
    assert!(code == 0 && out.contains("2×8×4") && out.contains("step ms"), "{out}\n{err}");
}

#[test]
fn what_simulate_writes_inspect_reads() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("demo");
    let path = database.to_str().unwrap();
    let (code, _, err) =
        call(&["simulate", "--output", path, "--set", "simulator.subjects=2", "--set", "simulator.duration_s=20"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = call(&["inspect", path, "--json"]);
    assert_eq!(code, 0, "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let records = found["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["name"], "sim01");
    assert_eq!(records[0]["signals"][0]["label"], "MLII");
    assert_eq!(records[0]["signals"][0]["samples"], 7200);
    assert_eq!(records[0]["problems"].as_array().unwrap().len(), 0);
    assert!(records[0]["annotations"]["codes"]["N"].as_u64().unwrap() > 10);

    // A truncated file: inspect says so, a run sets the record aside, --strict stops at it.
    let dat = database.join("sim01.dat");
    let bytes = fs::read(&dat).unwrap();
    fs::write(&dat, &bytes[..bytes.len() / 2]).unwrap();
    let (code, out, _) = call(&["inspect", path]);
    assert!(code == 0 && out.contains("PROBLEM") && out.contains("sim01.dat"), "{out}");
    let output = folder.path().join("run");
    let (code, _, err) = call(&["preprocess", "--strict", "--database", path, "--output", output.to_str().unwrap()]);
    assert!(code == 1 && err.contains("sim01"), "{err}");
    let (code, out, err) = call(&["preprocess", "--database", path, "--output", output.to_str().unwrap()]);
    assert!(code == 0 && out.contains("left out: record sim01"), "{out}\n{err}");
}

#[test]
fn inspect_takes_the_settings_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    fs::create_dir(&study).unwrap();
    for name in ["p01", "p02"] {
        fs::write(study.join(format!("{name}.csv")), "ecg,resp,count\n1,2,1\n3,4,2\n5,6,3\n").unwrap();
        fs::write(study.join(format!("{name}.annotations.csv")), "sample,code\n0,N\n2,V\n").unwrap();
    }
    let config = folder.path().join("study.toml");
    fs::write(&config, "[recordings]\nrate = \"250\"\nunit = \"mV\"\ncolumns = [\"ecg\", \"resp\"]\n").unwrap();
    let (path, config) = (study.to_str().unwrap(), config.to_str().unwrap());
    let (_, out, _) = call(&["inspect", path]);
    assert!(out.contains("no sampling frequency"), "{out}");
    let (code, out, err) = call(&["inspect", path, "--config", config, "--json"]);
    assert_eq!(code, 0, "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let record = &found["records"][1];
    assert_eq!((record["name"].as_str(), record["signals"].as_array().map(Vec::len)), (Some("p02"), Some(2)));
    assert_eq!((record["signals"][1]["unit"].as_str(), record["duration_s"].as_f64()), (Some("mV"), Some(0.012)));
    assert_eq!((record["annotations"]["count"].as_u64(), record["annotations"]["codes"]["V"].as_u64()), (Some(2), Some(1)));
    // The table, one file alone, and a setting on the command line.
    let (_, out, _) = call(&["inspect", path, "--config", config]);
    assert!(out.contains("2 records") && out.contains("4 annotations, 0 problems"), "{out}");
    let only = study.join("p01.csv");
    let (_, out, err) = call(&["inspect", only.to_str().unwrap(), "--config", config, "--set", "recordings.rate=100"]);
    assert!(out.contains("0.03 s") && out.contains("resp") && !out.contains("count"), "{out}{err}");
    let (code, _, err) = call(&["inspect", path, "--set", "recordings.rat=\"100\""]);
    assert!(code == 2 && err.contains("recordings.rate"), "{err}");
}

#[test]
fn inspect_counts_mitdb() {
    let Some(mitdb) = mitdb() else { return };
    let (code, out, _) = call(&["inspect", mitdb.to_str().unwrap(), "--json"]);
    assert_eq!(code, 0);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let records = found["records"].as_array().unwrap();
    assert_eq!(records.len(), 48);
    let total: u64 = records.iter().map(|r| r["annotations"]["count"].as_u64().unwrap()).sum();
    assert_eq!(total, 112_647);
    assert_eq!(records[0]["annotations"]["codes"]["N"], 2239);
}

#[test]
fn a_database_with_one_class_is_learnt_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    crate::support::tiny_run(&run, &["--set", "simulator.ectopy_scale=0"]);
    let scores: serde_json::Value = serde_json::from_slice(&fs::read(run.join("scores.json")).unwrap()).unwrap();
    let classes: std::collections::BTreeSet<&str> =
        scores["measures"].as_array().unwrap().iter().map(|m| m["class"].as_str().unwrap()).collect();
    assert_eq!(classes.into_iter().collect::<Vec<_>>(), ["N", "all"]);
}

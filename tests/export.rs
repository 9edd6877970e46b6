//! Models that are handed on, and the one that comes with the program, through the real binary.

use std::fs;
use std::path::{Path, PathBuf};

use physiosynth_formats::{WfdbReadOptions, read_record};
use serde_json::Value;

use crate::support::{call, files, tiny_run};

/// `generate` on the CPU with this model into this folder, with these words.
fn patients(model: &str, output: &Path, words: &[&str]) -> (i32, String, String) {
    let mut all = vec!["generate", "--device", "cpu", "--model", model, "--output", output.to_str().unwrap()];
    all.extend(words);
    call(&all)
}

/// Every file of an exported model.
fn exported(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let all = ["", "model", "model/rhythm"].map(|name| files(&folder.join(name)));
    all.into_iter().flatten().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// The rows of a table in a safetensors file: the length of a header in JSON, the header, then the values.
fn rows(file: &[u8], name: &str) -> Vec<Vec<u8>> {
    let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let place = |which: usize| 8 + length + usize::try_from(header[name]["data_offsets"][which].as_u64().unwrap()).unwrap();
    let width = 4 * usize::try_from(header[name]["shape"][1].as_u64().unwrap()).unwrap();
    file[place(0)..place(1)].chunks_exact(width).map(<[u8]>::to_vec).collect()
}

/// Everything below `value` that is a number, as it is written in JSON.
fn numbers(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(all) => all.iter().for_each(|value| numbers(value, into)),
        Value::Object(all) => all.values().for_each(|value| numbers(value, into)),
        _ => {}
    }
}

#[test]
fn an_exported_model_makes_patients_and_holds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (run, model) = (at("run"), at("model"));
    tiny_run(&run, &["--set", "simulator.subjects=14", "--set", "evaluation.bootstrap_rounds=20"]);
    let (code, out, err) =
        call(&["export", run.to_str().unwrap(), "--output", model.to_str().unwrap(), "--device", "cpu", "--unscored"]);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.contains("without its") && out.contains("README.md"), "{out}");

    let all = exported(&model);
    let names: Vec<String> = all.iter().map(|(path, _)| path.strip_prefix(&model).unwrap().display().to_string()).collect();
    for name in ["README.md", "about.json", "config.toml", "ATTRIBUTION.txt", "model/people.json", "model/rhythm/rhythm.json"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("population") || name.contains("last") || name.contains(".h5")), "{names:?}");

    // Nothing of one person: no name, no row of the table of subjects, no number that was kept of a single one.
    let population: Value = serde_json::from_slice(&fs::read(run.join("model/population.json")).unwrap()).unwrap();
    let rhythm: Value = serde_json::from_slice(&fs::read(run.join("model/rhythm/rhythm.json")).unwrap()).unwrap();
    let members = population["members"].as_array().unwrap();
    assert!(members.len() >= 5, "{} subjects", members.len());
    let embeddings = rows(&fs::read(run.join("model/best.safetensors")).unwrap(), "conditions.subjects");
    assert_eq!(embeddings.len(), members.len());
    let mut private: Vec<String> = Vec::new();
    for member in members {
        numbers(&member["classes"], &mut private);
    }
    numbers(&rhythm["portraits"], &mut private);
    // Shorter ones are counts and shares that may well occur by chance.
    private.retain(|number| number.trim_start_matches(['-', '0', '.']).len() >= 7);
    assert!(private.len() > 100, "{}", private.len());
    for (path, bytes) in &all {
        for member in members {
            assert!(!contains(bytes, member["name"].as_str().unwrap().as_bytes()), "{} names {}", path.display(), member["name"]);
        }
        assert!(!embeddings.iter().any(|row| contains(bytes, row)), "{} holds a row of the table", path.display());
        let text = String::from_utf8_lossy(bytes);
        let words: std::collections::HashSet<&str> = text.split(|c: char| !(c.is_ascii_digit() || ".-e".contains(c))).collect();
        let told = private.iter().find(|number| words.contains(number.as_str()));
        assert_eq!(told, None, "{} tells a number of one person", path.display());
    }
    assert!(rows(&fs::read(model.join("model/best.safetensors")).unwrap(), "conditions.subjects").is_empty());

    // It needs nothing else, and the same seed makes the same files.
    fs::remove_dir_all(&run).unwrap();
    let name = model.to_str().unwrap();
    for output in ["one", "two"] {
        let (code, out, err) = patients(name, &at(output), &["--patients", "2", "--minutes", "0.5", "--seed", "5", "--noise"]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("2 synthetic patients"), "{out}");
    }
    let (one, two) = (files(&at("one")), files(&at("two")));
    assert_eq!(one.len(), two.len());
    for (one, two) in one.iter().zip(&two) {
        assert!(fs::read(one).unwrap() == fs::read(two).unwrap(), "{} differs", one.display());
    }
    let (code, _, err) = patients(name, &at("three"), &["--patients", "1", "--minutes", "0.5", "--seed", "6"]);
    assert_eq!(code, 0, "{err}");
    assert!(fs::read(at("three/syn001.dat")).unwrap() != fs::read(at("one/syn001.dat")).unwrap());
    let (code, _, err) = patients(name, &at("four"), &["--subject", "s01", "--patients", "1"]);
    assert!(code == 2 && err.contains("without its training subjects"), "{code}: {err}");
    let (code, _, err) = patients(name, &at("four"), &["--set", "generation.sampler.novelty=0.5", "--patients", "1"]);
    assert!(code == 1 && err.contains("novelty"), "{code}: {err}");
}

#[test]
fn the_programs_own_model_needs_no_training() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("patients");
    let (code, out, err) = patients("pretrained", &output, &["--patients", "1", "--minutes", "1"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 synthetic patients"), "{out}");
    let record = read_record(&output.join("syn001"), &WfdbReadOptions::default()).unwrap();
    assert!((60.0..70.0).contains(&record.duration_s()), "{}", record.duration_s());
    assert_eq!((record.channels[0].label.as_str(), record.channels[0].unit.as_str()), ("MLII", "mV"));
    let told = record.comments.join("\n");
    assert!(told.contains("SYNTHETIC") && told.contains("mitdb-ds1") && told.contains("ODC-BY"), "{told}");
    let beats: Vec<&str> = record.annotations.iter().map(|mark| &*mark.code).filter(|code| *code != "+").collect();
    assert!((25..=250).contains(&beats.len()), "{} beats in a minute", beats.len());
    let known = ["N", "A", "a", "V", "F"];
    assert!(beats.iter().all(|code| known.contains(code)), "codes that few had are left out: {beats:?}");
    assert!(fs::read_to_string(output.join("ATTRIBUTION.txt")).unwrap().contains("Moody"));
    let largest = record.channels[0].samples.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert!((0.2..10.0).contains(&largest), "{largest} mV");
}

#[test]
fn what_cannot_be_handed_on_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (code, _, err) = call(&["export", &at("nothing"), "--output", &at("model")]);
    assert!(code == 1 && err.contains("no trained model"), "{code}: {err}");
    tiny_run(Path::new(&at("few")), &[]);
    let (code, _, err) = call(&["export", &at("few"), "--output", &at("model")]);
    assert!(code == 1 && err.contains("4 subjects"), "{code}: {err}");
    let (code, _, err) = call(&["export", &at("few"), "--output", &at("few")]);
    assert!(code == 2 && err.contains("is a run folder"), "{code}: {err}");
}

//! `compare`: two tiny runs side by side, and what it says of folders that it cannot compare.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{call, finish, physiosynth, tiny_run};

/// `compare` with these words; its standard output, where it succeeds.
fn compared(words: &[&str]) -> (String, String) {
    let (code, out, err) = call(&[&["compare"], words].concat());
    assert_eq!(code, 0, "{out}\n{err}");
    (out, err)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn two_runs_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (lstm, gru) = (at("lstm"), at("gru"));
    tiny_run(Path::new(&lstm), &[]);
    tiny_run(Path::new(&gru), &["--set", "generator.cell=gru", "--set", "generator.bidirectional=false"]);

    let (out, err) = compared(&[&lstm, &gru, "--output", &at("both")]);
    assert!(!err.contains("warning"), "{err}");
    for words in ["generator.cell", "lstm", "gru", "parameters", "Precision", "over same", "faithful?", "300 ms, after training"]
    {
        assert!(out.contains(words), "{words} is missing:\n{out}");
    }
    assert!(!out.contains("generator.units"), "a setting that does not differ:\n{out}");

    let comparison = json(&folder.path().join("both/comparison.json"));
    let keys: Vec<&str> = comparison["settings"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["generator.bidirectional", "generator.cell"]);
    assert_eq!(comparison["settings"][1]["values"], serde_json::json!(["lstm", "gru"]));
    let (one, other) = (&comparison["runs"][0], &comparison["runs"][1]);
    assert!(one["parameters"].as_u64().unwrap() > other["parameters"].as_u64().unwrap());
    assert_eq!(one["steps"], 8);
    assert_eq!(one["train_loss"], json(Path::new(&format!("{lstm}/model/history.json")))[1]["train_loss"]);
    let scores = json(Path::new(&format!("{gru}/scores.json")));
    let coverage = |list: &Value| {
        let is = |m: &&Value| m["name"] == "coverage" && m["class"] == "all";
        list.as_array().unwrap().iter().find(is).unwrap().clone()
    };
    let row = coverage(&comparison["measures"]);
    assert_eq!(row["values"][1]["value"], coverage(&scores["measures"])["value"]);
    let ratio = row["values"][1]["value"].as_f64().unwrap() / row["values"][1]["same"].as_f64().unwrap();
    assert!((row["values"][1]["of_same"].as_f64().unwrap() - ratio).abs() < 1e-12);
    let curves = |run: usize| comparison["memory"][run]["curves"].as_array().unwrap().len();
    assert_eq!((curves(0), curves(1)), (12, 6), "three levels, before and after, back and for the first ahead");

    // The same bytes every time, with one thread too.
    let (code, _, err) = finish(physiosynth(&["compare", &lstm, &gru, "--output", &at("again")]).env("RAYON_NUM_THREADS", "1"));
    assert_eq!(code, 0, "{err}");
    for name in ["comparison.json", "comparison.md", "measures.png", "losses.png", "memory.png"] {
        let bytes = |output: &str| fs::read(folder.path().join(output).join(name)).unwrap();
        assert_eq!(bytes("both"), bytes("again"), "{name}");
    }

    // Judged otherwise, and without a model: compared all the same, with a warning for each.
    let text = fs::read_to_string(format!("{gru}/config.toml")).unwrap();
    fs::write(format!("{gru}/config.toml"), text.replace("neighbours = 5", "neighbours = 4")).unwrap();
    fs::remove_dir_all(format!("{gru}/model")).unwrap();
    let (out, err) = compared(&[&lstm, &gru, "--json", "--output", &at("third")]);
    assert!(err.contains("judged with other settings: evaluation.neighbours"), "{err}");
    assert!(err.contains("memory of") && err.contains("no trained model"), "{err}");
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(printed["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(printed["runs"][1]["parameters"], Value::Null);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir_all(at("empty")).unwrap();
    fs::create_dir_all(at("begun")).unwrap();
    fs::write(at("begun/config.toml"), "seed = 1\n").unwrap();
    for (runs, code, words) in [
        (vec![at("empty")], 2, "two run folders"),
        (vec![at("absent"), at("empty")], 1, "absent is no folder"),
        (vec![at("empty"), at("begun")], 1, "it has no config.toml"),
        (vec![at("begun"), at("empty")], 1, "finish it with `physiosynth evaluate"),
    ] {
        let words_of: Vec<&str> = std::iter::once("compare").chain(runs.iter().map(String::as_str)).collect();
        let (found, _, err) = call(&words_of);
        assert!(found == code && err.contains(words), "{found}: {err}");
    }
    fs::write(at("begun/scores.json"), "{").unwrap();
    let (code, _, err) = call(&["compare", &at("begun"), &at("begun")]);
    assert!(code == 1 && err.contains("scores.json is not what this version reads"), "{err}");
}

//! `evaluate` of anyone's files: arrays and segment files, what they may leave out, what cannot be compared.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{call, tiny_run};

/// Samples of a segment.
const TIME: usize = 48;
/// Settings with which an evaluation takes a second.
const SMALL: [&str; 8] = [
    "--preset",
    "quick",
    "--set",
    "evaluation.segments_per_class=60",
    "--set",
    "evaluation.forest_trees=10",
    "--set",
    "evaluation.privacy_rounds=6",
];

/// Bytes of an `.npy` file.
fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(values);
    bytes
}

/// Numbers that look random, from −1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Segments of two classes, thirty of each from each person: a bump, broad in class V, whose
/// height and place differ more within a person than between people.
struct People {
    signals: Vec<f32>,
    labels: Vec<&'static str>,
    subjects: Vec<String>,
}

fn people(range: std::ops::Range<u64>) -> People {
    let mut made = People { signals: Vec::new(), labels: Vec::new(), subjects: Vec::new() };
    for person in range {
        let mut noise = Noise(person * 977 + 5);
        let (height, at) = (1.0 + 0.05 * noise.next(), 16.0 + 0.3 * noise.next());
        for (label, width) in [("N", 2.0), ("V", 6.0)] {
            for _ in 0..30 {
                let (h, w) = (height * (1.0 + 0.3 * noise.next()), width * (1.0 + 0.3 * noise.next()));
                made.signals.extend((0..TIME).map(|t| h * (-((t as f32 - at) / w).powi(2)).exp() + 0.02 * noise.next()));
                made.labels.push(label);
                made.subjects.push(format!("p{person}"));
            }
        }
    }
    made
}

/// Writes signals of `channels` equal channels, labels, and where they are asked for subjects.
fn save(folder: &Path, name: &str, set: &People, channels: usize, with_labels: bool, with_subjects: bool) -> PathBuf {
    let n = set.labels.len();
    let values: Vec<u8> = set.signals.iter().flat_map(|x| std::iter::repeat_n(*x, channels)).flat_map(f32::to_le_bytes).collect();
    let shape = if channels == 1 { format!("{n}, {TIME}") } else { format!("{n}, {TIME}, {channels}") };
    let path = folder.join(format!("{name}.npy"));
    fs::write(&path, npy("<f4", &shape, &values)).unwrap();
    if with_labels {
        let labels: Vec<u8> = set.labels.iter().flat_map(|label| label.bytes()).collect();
        fs::write(folder.join(format!("{name}.labels.npy")), npy("|S1", &format!("{n},"), &labels)).unwrap();
    }
    if with_subjects {
        fs::write(folder.join(format!("{name}.subjects.txt")), set.subjects.join("\n")).unwrap();
    }
    path
}

/// Runs `evaluate` and gives its scores and notes.
fn judge(words: &[&str], output: &Path) -> (Value, String) {
    let output_word = output.to_str().unwrap();
    let (code, out, err) = call(&[&["evaluate", "--output", output_word], words, &SMALL[..]].concat());
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.contains("faithful?") && out.contains("index.html"), "{out}");
    for file in ["scores.json", "index.html", "config.toml", "manifest.json", "figures/overview.png"] {
        assert!(output.join(file).exists(), "{file}");
    }
    let scores: Value = serde_json::from_slice(&fs::read(output.join("scores.json")).unwrap()).unwrap();
    let notes = scores["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>().join("\n");
    (scores, notes)
}

fn outcome<'a>(scores: &'a Value, verdict: &str) -> &'a str {
    scores["verdicts"][verdict]["outcome"].as_str().unwrap()
}

#[test]
fn arrays_of_other_generators_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let train = people(0..12);
    let real = save(folder.path(), "train", &train, 1, true, true);
    let held_out = save(folder.path(), "test", &people(20..32), 1, true, true);
    let copies = save(folder.path(), "copies", &train, 1, true, false);
    let fresh = save(folder.path(), "fresh", &people(40..52), 1, true, true);
    let files = ["--real", real.to_str().unwrap(), "--holdout", held_out.to_str().unwrap(), "--rate", "100"];

    let (scores, notes) = judge(&[&files[..], &["--synthetic", copies.to_str().unwrap()]].concat(), &path("of-copies"));
    assert_eq!(outcome(&scores, "private"), "fail", "{scores:#}");
    assert!(scores["verdicts"]["private"]["because"].as_str().unwrap().contains("exact copies"));
    assert_eq!(outcome(&scores, "faithful"), "pass");
    assert_eq!(outcome(&scores, "plausible"), "not-assessable", "nothing says that this is an ECG");
    assert!(notes.contains("720 segments of") && notes.contains("test.npy"), "{notes}");

    let (scores, _) = judge(&[&files[..], &["--synthetic", fresh.to_str().unwrap()]].concat(), &path("of-fresh"));
    for verdict in ["faithful", "diverse", "useful", "private"] {
        assert_eq!(outcome(&scores, verdict), "pass", "{verdict}: {}", scores["verdicts"]);
    }
    let held = scores["measures"].as_array().unwrap().iter().any(|m| m["held_out"].is_number());
    assert!(held && fs::read_to_string(path("of-fresh/index.html")).unwrap().contains("fresh.npy against train.npy"));
    let manifest = fs::read_to_string(path("of-fresh/manifest.json")).unwrap();
    assert!(manifest.contains("train.labels.npy") && manifest.contains("test.subjects.txt"), "{manifest}");

    // The same again, with one thread: the same scores.
    let again = path("again");
    let words = [&["evaluate", "--output", again.to_str().unwrap()], &files[..], &["--synthetic", fresh.to_str().unwrap()]];
    let mut command = crate::support::physiosynth(&words.concat());
    let (code, _, err) = crate::support::finish(command.args(SMALL).env("RAYON_NUM_THREADS", "1"));
    assert_eq!(code, 0, "{err}");
    assert_eq!(fs::read(again.join("scores.json")).unwrap(), fs::read(path("of-fresh/scores.json")).unwrap());
}

#[test]
fn what_is_unknown_is_said_and_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = people(0..6);
    set.signals[5] = f32::NAN;
    set.signals[3 * TIME] = f32::INFINITY;
    let real = save(folder.path(), "real", &set, 1, false, false);
    let made = save(folder.path(), "made", &people(40..46), 1, false, false);
    let words = ["--real", real.to_str().unwrap(), "--synthetic", made.to_str().unwrap(), "--rate", "100"];
    let (scores, notes) = judge(&words, &folder.path().join("out"));
    for said in ["2 of 360 segments", "one class", "no held-out segments", "subjects of 358 of 358"] {
        assert!(notes.contains(said), "{said} in {notes}");
    }
    for verdict in ["useful", "private", "plausible"] {
        assert_eq!(outcome(&scores, verdict), "not-assessable", "{verdict}: {}", scores["verdicts"]);
    }
    assert!(scores["measures"].as_array().unwrap().iter().all(|m| m["held_out"].is_null()), "{scores:#}");
}

#[test]
fn twelve_channels_in_either_order() {
    let folder = tempfile::tempdir().unwrap();
    let real = save(folder.path(), "real", &people(0..6), 12, true, true);
    let made = save(folder.path(), "made", &people(40..46), 12, true, false);
    // As convolutional networks have it: channels first. All channels are equal, so that their order is that of time.
    let n = 360;
    let set = people(40..46);
    let first: Vec<u8> = set.signals.chunks(TIME).flat_map(|s| s.repeat(12)).flat_map(f32::to_le_bytes).collect();
    fs::write(&made, npy("<f4", &format!("{n}, 12, {TIME}"), &first)).unwrap();
    let words = ["--real", real.to_str().unwrap(), "--synthetic", made.to_str().unwrap(), "--rate", "100"];
    let (scores, notes) = judge(&words, &folder.path().join("out"));
    assert!(notes.contains("12 channels of 48 samples"), "{notes}");
    assert_eq!(outcome(&scores, "diverse"), "pass", "{}", scores["verdicts"]);
    let wrong = [&["evaluate", "--output", "unused", "--axes", "time-channel"], &words[..]].concat();
    let (code, _, err) = call(&wrong);
    assert!(
        code == 1 && err.contains("real.npy") && err.contains("made.npy") && err.contains("48") && err.contains("12"),
        "{err}"
    );
}

#[test]
fn a_runs_own_segment_files_are_judged_like_any() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    tiny_run(&run, &[]);
    let path = |name: &str| run.join(name).to_str().unwrap().to_string();
    let (segments, synthetic) = (path("segments.h5"), path("synthetic.h5"));
    let output = folder.path().join("out");
    let (scores, _) = judge(&["--real", &segments, "--synthetic", &synthetic], &output);
    assert!(scores["measures"].as_array().unwrap().iter().any(|m| m["name"] == "qrs_share" && m["value"].is_number()));
    // Its folder is not overwritten, and its own stage still works.
    let (code, _, err) = call(&["evaluate", "--output", run.to_str().unwrap(), "--real", &segments, "--synthetic", &synthetic]);
    assert!(code == 1 && err.contains("choose another --output"), "{err}");
    let (code, _, err) = call(&["evaluate", "--output", run.to_str().unwrap()]);
    assert!(code == 0 && err.contains("evaluate: up to date"), "{err}");
}

#[test]
fn what_cannot_be_compared_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let real = save(folder.path(), "real", &people(0..2), 1, true, false).to_str().unwrap().to_string();
    let mut other = people(40..42);
    other.labels.iter_mut().for_each(|label| *label = if *label == "N" { "x" } else { "y" });
    let renamed = save(folder.path(), "renamed", &other, 1, true, false).to_str().unwrap().to_string();
    let unlabelled = save(folder.path(), "unlabelled", &other, 1, false, false).to_str().unwrap().to_string();
    let mut bytes = fs::read(&real).unwrap();
    bytes.truncate(200);
    fs::write(file("cut.npy"), &bytes).unwrap();
    fs::write(file("empty.npy"), npy("<f4", "0, 48", &[])).unwrap();
    fs::write(file("text.npy"), npy("|S1", "2, 2", b"NVNV")).unwrap();
    fs::write(file("archive.npz"), b"PK\x03\x04").unwrap();
    fs::write(file("other.h5"), b"no segments").unwrap();
    let here = folder.path().to_str().unwrap().to_string();
    for (synthetic, rate, code, said) in [
        (&renamed, true, 1, "no class is in both sets"),
        (&unlabelled, true, 1, "has none; save them beside"),
        (&real, false, 2, "--rate"),
        (&file("cut.npy"), true, 1, "cut.npy"),
        (&file("empty.npy"), true, 1, "holds no samples"),
        (&file("text.npy"), true, 1, "numbers, not texts"),
        (&file("archive.npz"), true, 1, "numpy.save"),
        (&file("other.h5"), true, 1, "other.h5"),
        (&file("missing.npy"), true, 1, "missing.npy"),
        (&here, true, 1, "is a folder"),
    ] {
        let mut words = vec!["evaluate", "--output", "", "--real", &real, "--synthetic", synthetic];
        let output = file("out");
        words[2] = &output;
        if rate {
            words.extend(["--rate", "100"]);
        }
        let (found, out, err) = call(&words);
        assert!(found == code && err.contains(said) && !err.contains("panicked"), "{synthetic}: {found} {out}{err}");
        assert!(!Path::new(&output).exists(), "{synthetic}: nothing is made for files that cannot be judged");
    }
    for words in [&["--real", &real][..], &["--rate", "100"], &["--real", &real, "--synthetic", &real, "--rate", "0"]] {
        let (code, _, err) = call(&[&["evaluate", "--output", "unused"], words].concat());
        assert_eq!(code, 2, "{words:?}: {err}");
    }
}

//! What the end-to-end tests share: calling the real binary, small settings, the real recordings where they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Settings with which a whole run takes a second or two.
pub const TINY: [&str; 20] = [
    "--set",
    "simulator.subjects=6",
    "--set",
    "simulator.duration_s=40",
    "--set",
    "generator.units=8",
    "--set",
    "generator.epochs=2",
    "--set",
    "generator.steps_per_epoch=4",
    "--set",
    "rhythm.steps=20",
    "--set",
    "rhythm.length=16",
    "--set",
    "generation.segments_per_class=12",
    "--set",
    "generation.patients=1",
    "--set",
    "generation.patient_duration_s=20",
];

/// The binary under test, with these words behind it, on the CPU.
pub fn physiosynth(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_physiosynth"));
    command.args(words);
    command
}

/// Runs it and gives exit code, standard output and standard error.
pub fn call(words: &[&str]) -> (i32, String, String) {
    finish(&mut physiosynth(words))
}

/// Runs a command that was made ready.
pub fn finish(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// `run` into `output` with [`TINY`] and these words; fails the test where the run fails.
pub fn tiny_run(output: &Path, words: &[&str]) {
    let (code, out, err) = finish(tiny(output, words).arg("--seed=3"));
    assert_eq!(code, 0, "{out}\n{err}");
}

/// The command of [`tiny_run`], not yet started.
pub fn tiny(output: &Path, words: &[&str]) -> Command {
    let mut command = physiosynth(&["run", "--preset", "quick", "--device", "cpu"]);
    command.arg("--output").arg(output).args(TINY).args(words);
    command
}

/// The files whose bytes the seed decides.
pub fn decided(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = vec![run.join("segments.h5"), run.join("synthetic.h5")];
    paths.extend(files(&run.join("model")));
    paths.extend(files(&run.join("model/rhythm")));
    paths.extend(files(&run.join("share")));
    paths.sort();
    paths.iter().map(|p| (p.strip_prefix(run).unwrap().display().to_string(), std::fs::read(p).unwrap())).collect()
}

/// The files of a folder; none where there is no such folder (an EEG has no rhythm).
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|p| p.is_file()).collect()
}

/// The MIT-BIH Arrhythmia Database, where the real recordings are at hand; says so where they are not.
pub fn mitdb() -> Option<PathBuf> {
    let root = std::env::var_os("PHYSIOSYNTH_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let folder = root.join("mitdb");
    if folder.join("100.hea").exists() {
        return Some(folder);
    }
    println!("SKIPPED: no real recordings at {}; set PHYSIOSYNTH_DATA to the folder that holds mitdb/", folder.display());
    None
}

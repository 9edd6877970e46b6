//! Training as a whole: that it learns, that it resumes, that it is deterministic, and what it says when it cannot.

#[path = "../src/toy.rs"]
mod toy;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::Device;
use physiosynth_generator::config::{Keep, Schedule};
use physiosynth_generator::{Existing, GeneratorConfig, ObjectiveName, Stopped, TrainError, TrainingOutcome, train};
use physiosynth_recurrent::Cell;
use physiosynth_signal::{Progress, Seed, SegmentSet, Silent, Split};

fn config() -> GeneratorConfig {
    GeneratorConfig {
        objective: ObjectiveName::Paired,
        average_decay: 0.0,
        keep: Keep::Best,
        frame: 1,
        units: 8,
        layers: 2,
        snr_db: 15.0,
        batch: 8,
        epochs: 4,
        steps_per_epoch: 5,
        learning_rate: 0.02,
        warmup_steps: 3,
        patience: 0,
        generation_batch: 5,
        ..Default::default()
    }
}

/// The other objective, with a running mean of the weights.
fn denoising() -> GeneratorConfig {
    GeneratorConfig {
        objective: ObjectiveName::Denoising,
        average_decay: 0.9,
        keep: Keep::Last,
        frame: 2,
        subject_dimensions: 3,
        ..config()
    }
}

fn run(set: &SegmentSet, config: &GeneratorConfig, folder: &Path) -> Result<TrainingOutcome, TrainError> {
    train(set, config, Seed(7), &Device::flex(), folder, Existing::Resume, &Silent)
}

/// Every file of the model folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

/// Progress that stops the training, politely or by a panic, after so many steps.
struct StopAfter {
    left: AtomicU64,
    panic: bool,
}

impl StopAfter {
    fn new(steps: u64, panic: bool) -> Self {
        Self { left: AtomicU64::new(steps), panic }
    }
}

impl Progress for StopAfter {
    fn begin(&self, _task: &str, _total: u64, _unit: &str) {}
    fn advance(&self, steps: u64) {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(steps);
        self.left.store(left, Ordering::Relaxed);
        assert!(!(self.panic && left == 0), "stopped without warning, as the test asks");
    }
    fn note(&self, _remark: &str) {}
    fn warn(&self, _warning: &str) {}
    fn end(&self) {}
    fn cancelled(&self) -> bool {
        !self.panic && self.left.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn loss_falls_well_below_the_variance() {
    let set = toy::segments(64, 24, 1);
    let mean = set.signals.mean().unwrap();
    let variance = f64::from(set.signals.mapv(|x| (x - mean) * (x - mean)).mean().unwrap());
    let config = GeneratorConfig { epochs: 12, steps_per_epoch: 10, ..config() };
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&set, &GeneratorConfig { cell, ..config.clone() }, folder.path()).unwrap();
        let last = outcome.history.last().unwrap();
        assert!(last.train_loss < 0.1 * variance, "{cell:?}: {} of {variance}", last.train_loss);
        assert!(last.validation_loss.unwrap() < 0.1 * variance, "{cell:?}: {:?} of {variance}", last.validation_loss);
        assert!(outcome.history.iter().all(|e| e.gradient_norm_max >= e.gradient_norm_mean && e.gradient_norm_mean > 0.0));
        assert_eq!(outcome.stopped, Stopped::Epochs);
    }
}

/// Noise that cannot be taken away leaves a loss of 1 where σ is large; what is learnt shows below that.
#[test]
fn denoising_loss_falls_on_training_and_on_validation_subjects() {
    let set = toy::segments(64, 24, 1);
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let folder = tempfile::tempdir().unwrap();
        let config = GeneratorConfig { cell, epochs: 8, steps_per_epoch: 20, batch: 16, ..denoising() };
        let outcome = run(&set, &config, folder.path()).unwrap();
        let (first, last) = (&outcome.history[0], outcome.history.last().unwrap());
        assert!(last.train_loss < 0.6 * first.train_loss, "{cell:?}: {} of {}", last.train_loss, first.train_loss);
        assert!(last.validation_loss.unwrap() < 0.6 * first.validation_loss.unwrap(), "{cell:?}: {:?}", last.validation_loss);
    }
}

#[test]
fn resumed_training_equals_an_uninterrupted_one_to_the_last_byte() {
    let folder = ["best.safetensors", "config.json", "history.json", "last.safetensors"];
    resumes_to_the_same_bytes(&config(), &folder);
    let folder = ["best.safetensors", "config.json", "history.json", "last.safetensors", "population.json"];
    resumes_to_the_same_bytes(&denoising(), &folder);
}

fn resumes_to_the_same_bytes(config: &GeneratorConfig, names: &[&str]) {
    let set = toy::segments(48, 12, 2);
    let whole = tempfile::tempdir().unwrap();
    run(&set, config, whole.path()).unwrap();
    let expected = files(whole.path());
    assert_eq!(expected.keys().collect::<Vec<_>>(), names);

    // Stopped in the middle of the third epoch: two are kept.
    let parts = tempfile::tempdir().unwrap();
    let stop = StopAfter::new(12, false);
    let error = train(&set, config, Seed(7), &Device::flex(), parts.path(), Existing::Resume, &stop).unwrap_err();
    assert!(matches!(error, TrainError::Cancelled(_)), "{error}");
    let outcome = run(&set, config, parts.path()).unwrap();
    assert_eq!((outcome.resumed_from, outcome.history.len()), (2, 4));
    assert!(files(parts.path()) == expected, "the files differ");

    // A finished training is not trained again.
    assert_eq!(run(&set, config, parts.path()).unwrap().resumed_from, 4);
    assert!(files(parts.path()) == expected, "the files differ");
}

#[test]
fn killed_training_resumes_from_the_last_save() {
    let set = toy::segments(48, 12, 2);
    for base in [config(), denoising()] {
        let config = GeneratorConfig { checkpoint_epochs: 2, ..base };
        let whole = tempfile::tempdir().unwrap();
        run(&set, &config, whole.path()).unwrap();

        let killed = tempfile::tempdir().unwrap();
        let stop = StopAfter::new(18, true);
        let dies = || train(&set, &config, Seed(7), &Device::flex(), killed.path(), Existing::Resume, &stop);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(dies)).is_err());
        // What a crash in the middle of a write leaves.
        std::fs::write(killed.path().join("last.safetensors.tmp"), b"half").unwrap();
        let outcome = run(&set, &config, killed.path()).unwrap();
        assert_eq!(outcome.resumed_from, 2, "saved every two epochs, killed in the fourth");
        assert!(files(killed.path()) == files(whole.path()), "the files differ");
    }
}

#[test]
fn same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    // Large enough for the parallel kernels: 32 × 40 × 64 × 256 multiplications per product.
    let set = toy::segments(48, 40, 3);
    for base in [config(), denoising()] {
        let config = GeneratorConfig { units: 64, batch: 32, epochs: 1, steps_per_epoch: 2, ..base };
        let on = |threads: usize, seed: u64| {
            let folder = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&set, &config, Seed(seed), &Device::flex(), folder.path(), Existing::Resume, &Silent)).unwrap();
            files(folder.path())
        };
        let one = on(1, 7);
        assert!(one == on(1, 7), "two runs differ");
        for threads in [2, 3, 4] {
            assert!(one == on(threads, 7), "{threads} threads give other files than one");
        }
        assert!(one != on(2, 8), "the seed changes nothing");
    }
}

#[test]
fn the_weights_kept_are_the_best_or_the_last() {
    // Validation segments that nobody can learn from the training ones: the loss soon rises.
    let mut set = toy::segments(48, 12, 4);
    for i in set.indices(|s| s.split == Split::Validation) {
        set.signals.index_axis_mut(ndarray::Axis(0), i).mapv_inplace(|x| -x);
    }
    let kept = |keep: Keep, epochs: usize| {
        let folder = tempfile::tempdir().unwrap();
        let config = GeneratorConfig { keep, epochs, schedule: Schedule::Constant, ..config() };
        let outcome = run(&set, &config, folder.path()).unwrap();
        (outcome.best_epoch, files(folder.path()).remove("best.safetensors").unwrap())
    };
    let (best_epoch, best) = kept(Keep::Best, 40);
    assert!(best_epoch < 40, "{best_epoch}");
    assert!(best == kept(Keep::Last, best_epoch).1, "the best are those of a training that ended there");
    assert!(best != kept(Keep::Last, 40).1);
}

#[test]
fn training_stops_early_and_keeps_the_best() {
    // Validation segments that nobody can learn from the training ones: the loss soon rises.
    let mut set = toy::segments(48, 12, 4);
    for i in set.indices(|s| s.split == Split::Validation) {
        set.signals.index_axis_mut(ndarray::Axis(0), i).mapv_inplace(|x| -x);
    }
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&set, &GeneratorConfig { epochs: 40, patience: 3, ..config() }, folder.path()).unwrap();
    assert_eq!(outcome.stopped, Stopped::Patience);
    assert_eq!(outcome.history.len(), outcome.best_epoch + 3);
}

#[test]
fn another_training_in_the_folder_is_refused_or_replaced() {
    let set = toy::segments(48, 12, 2);
    let folder = tempfile::tempdir().unwrap();
    run(&set, &config(), folder.path()).unwrap();
    let other = GeneratorConfig { units: 5, ..config() };
    let error = run(&set, &other, folder.path()).unwrap_err().to_string();
    assert!(error.contains("another configuration") && error.contains("replace"), "{error}");
    let error = run(&toy::segments(48, 12, 9), &config(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("another data"), "{error}");

    let device = Device::flex();
    train(&set, &other, Seed(7), &device, folder.path(), Existing::ResumeOrReplace, &Silent).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    run(&set, &other, fresh.path()).unwrap();
    assert!(files(folder.path()) == files(fresh.path()), "a replaced training differs from a new one");

    // A damaged state is named, or replaced where that is asked for.
    std::fs::write(folder.path().join("last.safetensors"), b"damaged").unwrap();
    let error = run(&set, &other, folder.path()).unwrap_err().to_string();
    assert!(error.contains("last.safetensors"), "{error}");
    train(&set, &other, Seed(7), &device, folder.path(), Existing::ResumeOrReplace, &Silent).unwrap();
    assert!(files(folder.path()) == files(fresh.path()), "a replaced training differs from a new one");
}

#[test]
fn divergence_is_an_error_that_says_what_to_change() {
    let mut set = toy::segments(48, 12, 2);
    set.signals.mapv_inplace(|x| x * 1e25);
    let folder = tempfile::tempdir().unwrap();
    let error = run(&set, &config(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("diverged at epoch 1, step 1") && error.contains("learning_rate"), "{error}");
}

#[test]
fn without_validation_subjects_the_last_weights_are_the_best() {
    let set = toy::segments(48, 12, 2);
    let train_only = set.select(&set.indices(|s| s.split == Split::Train));
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&train_only, &config(), folder.path()).unwrap();
    assert_eq!(outcome.best_epoch, 4);
    assert!(outcome.remarks.iter().any(|r| r.contains("no validation")), "{:?}", outcome.remarks);
    let history: serde_json::Value = serde_json::from_slice(&files(folder.path())["history.json"]).unwrap();
    assert_eq!(history[3]["validation_loss"], serde_json::Value::Null);
    assert!(history[3].get("seconds").is_none(), "no times in files");
    assert!(outcome.history[3].seconds > 0.0);
}
